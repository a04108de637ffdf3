//! `spec.delivery`: Knative's DeliverySpec. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duck::Destination;

/// How often and how long delivery of one event is tried, and where it goes when that fails.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Where an event goes that the sink refuses for good, and, if retry is set, one whose retries are exhausted.
    /// Absent: the message stays in the queue, whose redrive policy decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_sink: Option<Destination>,
    /// How often a failed request is repeated before the message goes back to the queue, 0 to 100. Defaults to 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub retry: Option<i32>,
    /// How the waits between requests grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_policy: Option<BackoffPolicy>,
    /// The first wait between two requests, as an ISO 8601 duration of at most 5 minutes. Defaults to PT0.2S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    #[schemars(regex(pattern = r"^PT([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,3})?S)?$"))]
    pub backoff_delay: Option<String>,
    /// How long one request may take, as an ISO 8601 duration from 1 second to 11 hours, rounded up to whole seconds. Defaults to PT5M10S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    #[schemars(regex(pattern = r"^PT([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,3})?S)?$"))]
    pub timeout: Option<String>,
    /// The longest wait that a Retry-After header of a 429 or 503 answer can ask for, as an ISO 8601 duration of at most 15 minutes.
    /// PT0S ignores the header. Defaults to PT30S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    #[schemars(regex(pattern = r"^PT([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,3})?S)?$"))]
    pub retry_after_max: Option<String>,
}

/// How the waits between requests grow: exponential (doubling) or linear. Defaults to exponential.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackoffPolicy {
    /// delay × 2^i for retry i = 0, 1, …
    Exponential,
    /// delay × i.
    Linear,
}
