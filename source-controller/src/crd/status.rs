//! `status`: what the controller says about a source. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the controller says about a source. A field is absent when it does not apply.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AwsSqsSourceStatus {
    /// The generation of the object that this status describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is true of the source and, if not, why. Ready summarises the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The URL that events are sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink_uri: Option<String>,
    /// PEM certificates that the sink's address asks to trust.
    #[serde(rename = "sinkCACerts", skip_serializing_if = "Option::is_none")]
    pub sink_ca_certs: Option<String>,
    /// The OIDC audience of the sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink_audience: Option<String>,
    /// The URL of the dead-letter sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_sink_uri: Option<String>,
    /// PEM certificates that the dead-letter sink's address asks to trust.
    #[serde(rename = "deadLetterSinkCACerts", skip_serializing_if = "Option::is_none")]
    pub dead_letter_sink_ca_certs: Option<String>,
    /// The OIDC audience of the dead-letter sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_sink_audience: Option<String>,
    /// The OIDC identity that events are sent with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthStatus>,
    /// The types and sources of the events that this source sends, as far as they are known beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ce_attributes: Option<Vec<CeAttribute>>,
    /// The name of the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_name: Option<String>,
    /// The ARN of the queue, if its account is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_arn: Option<String>,
    /// How many adapter pods there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// The label selector of the adapter's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

/// One condition, as Knative writes them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The condition's name.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// Absent for conditions that decide about Ready, Info for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// When the condition last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_transition_time: Option<Time>,
    /// One word that names the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// One sentence that names the cause and the fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The OIDC identity that events are sent with.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthStatus {
    /// The ServiceAccount whose tokens are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
}

/// One pair of event type and event source.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default)]
pub struct CeAttribute {
    /// The CloudEvents type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The CloudEvents source.
    pub source: String,
}

fn date_time(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "format": "date-time"})
}
