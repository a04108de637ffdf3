//! `spec.event`: how messages become events. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How messages become events.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Which mapping is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The CloudEvents content mode of requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_mode: Option<ContentMode>,
    /// What of the message is the event's data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSetting>,
    /// How the detail-type of an EventBridge event becomes the CloudEvents type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_format: Option<TypeFormat>,
    /// Which message attributes become extension attributes, by name or by prefix such as trace.*. Absent means all, an empty list none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(max = 256), regex(pattern = r"^[A-Za-z0-9_.-]+(\.\*)?$")))]
    pub message_attributes: Option<Vec<String>>,
    /// Whether a known event inside an SNS envelope is taken out of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sns_unwrap: Option<SnsUnwrap>,
}

/// Which mapping is used: auto recognises each message (EventBridge, CloudWatch, S3, SNS, CloudEvents, anything else); aws uses EventBridge's
/// own attributes; eventing-awssqs, triggermesh and integrationsource send what those sources send. Defaults to auto, and to
/// eventing-awssqs with a flat sink.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum Format {
    /// Recognise each message.
    #[serde(rename = "auto")]
    Auto,
    /// As knative-extensions/eventing-awssqs.
    #[serde(rename = "eventing-awssqs")]
    EventingAwssqs,
    /// As triggermesh/triggermesh.
    #[serde(rename = "triggermesh")]
    TriggerMesh,
    /// EventBridge's own attributes.
    #[serde(rename = "aws")]
    Aws,
    /// As Knative's IntegrationSource.
    #[serde(rename = "integrationsource")]
    IntegrationSource,
}

/// The CloudEvents content mode of requests: binary, structured, or auto, which is binary unless an attribute would not survive it. Defaults to auto.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentMode {
    /// Binary unless an attribute would not survive it.
    Auto,
    /// Always binary.
    Binary,
    /// Always structured.
    Structured,
}

/// What of the message is the event's data: the event, the detail of an EventBridge event, or the message in its envelope. Defaults to event.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DataSetting {
    /// The whole event.
    Event,
    /// The `detail` of an EventBridge event.
    Detail,
    /// The message as ReceiveMessage gives it, without its receipt handle.
    Envelope,
}

/// How the detail-type of an EventBridge event becomes the CloudEvents type: slug (com.amazonaws.ec2.…) or detail-type (as it is). Defaults to slug.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeFormat {
    /// A reversed-DNS name.
    Slug,
    /// As it is.
    DetailType,
}

/// Whether a known event inside an SNS envelope is taken out of it: auto or never. Defaults to auto.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SnsUnwrap {
    /// A recognised inner event is delivered as itself.
    Auto,
    /// The envelope is the event.
    Never,
}
