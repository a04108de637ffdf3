//! `spec.receive`, `.flow`, `.fifo`, `.profile`: how fast the adapter works. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the adapter optimises for: balanced, latency (at least two pollers) or cost (fewer, fuller receives). Defaults to balanced.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One poller at least.
    Balanced,
    /// Two pollers at least.
    Latency,
    /// Fewer, fuller receives.
    Cost,
}

/// How messages are received.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receive {
    /// How long one ReceiveMessage call waits for messages, PT1S to PT20S. Defaults to PT20S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    #[schemars(regex(pattern = r"^PT(20|1[0-9]|[1-9])S$"))]
    pub wait_time: Option<String>,
    /// How many messages one ReceiveMessage call may return, 1 to 10. Defaults to 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub max_messages: Option<i32>,
    /// How many ReceiveMessage calls may wait at once, 1 to 64. Defaults to 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub max_pollers: Option<i32>,
    /// How long a received message is hidden from other consumers, in whole seconds, 10 seconds to 12 hours; it is extended while the message is
    /// worked on. It must exceed waitTime by more than 5 seconds. Defaults to PT30S.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 24))]
    #[schemars(regex(pattern = r"^PT([0-9]+H)?([0-9]+M)?([0-9]+S)?$"))]
    pub visibility_timeout: Option<String>,
}

/// How much may be under way at once.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// How many messages one pod may hold that are received and not yet settled, 1 to 20000. Defaults to 1024.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20000))]
    pub max_in_flight: Option<i32>,
    /// How many bytes of messages one pod may hold, at least 12Mi. The default memory limit is twice this plus 128Mi. Defaults to 64Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "int_or_string")]
    pub max_in_flight_bytes: Option<Bytes>,
    /// How many requests to the sink one pod may have open at once, 1 to 1024. Defaults to 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub max_concurrency: Option<i32>,
    /// How many events per second one pod sends at most, 1 to 1000000. Absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_rate: Option<i32>,
}

/// A number of bytes, or a Kubernetes quantity such as 64Mi.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Bytes {
    /// Bytes.
    Number(i64),
    /// A quantity.
    Quantity(String),
}

/// What happens on a FIFO queue only.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fifo {
    /// What happens to a message group whose first message the sink refuses for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_poison: Option<OnPoison>,
}

/// What happens to a message group whose first message the sink refuses for good: block holds the group until the queue's redrive policy
/// moves the message; skip sends it to delivery.deadLetterSink and goes on. Defaults to block.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnPoison {
    /// Hold the group.
    Block,
    /// Dead-letter the message and go on.
    Skip,
}

fn int_or_string(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 20})
}
