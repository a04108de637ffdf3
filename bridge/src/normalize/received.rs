//! A message -> JSON as ReceiveMessage shows it. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use crate::message::{AttributeValue, Message, MessageAttribute, SystemAttributes};

/// The whole message without its receipt handle; parts that are absent are left out.
///
/// A body that is not UTF-8 does not fit: ask for its text first.
pub(super) fn envelope(message: &Message) -> Bytes {
    let envelope = Envelope {
        message_id: &message.id,
        md5_of_body: message.md5_of_body.as_deref(),
        body: message.text(),
        attributes: system_attributes(&message.attributes),
        message_attributes: message.message_attributes.iter().map(Attribute::named).collect(),
    };
    // Writing strings to memory cannot fail.
    serde_json::to_vec(&envelope).unwrap_or_default().into()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a> {
    message_id: &'a str,
    #[serde(rename = "MD5OfBody", skip_serializing_if = "Option::is_none")]
    md5_of_body: Option<&'a str>,
    body: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    data_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

impl<'a> Attribute<'a> {
    fn named(attribute: &'a MessageAttribute) -> (&'a str, Self) {
        let (string_value, binary_value) = match &attribute.value {
            AttributeValue::Text(text) => (Some(text.as_str()), None),
            AttributeValue::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        (&attribute.name, Self { data_type: &attribute.data_type, string_value, binary_value })
    }
}

fn system_attributes(attributes: &SystemAttributes) -> BTreeMap<&'static str, String> {
    let SystemAttributes {
        sent_timestamp,
        approximate_receive_count,
        aws_trace_header,
        message_group_id,
        sequence_number,
        message_deduplication_id,
    } = attributes.clone();
    [
        ("SentTimestamp", sent_timestamp),
        ("ApproximateReceiveCount", approximate_receive_count.map(|count| count.to_string())),
        ("AWSTraceHeader", aws_trace_header),
        ("MessageGroupId", message_group_id),
        ("SequenceNumber", sequence_number),
        ("MessageDeduplicationId", message_deduplication_id),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}
