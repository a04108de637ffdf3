//! ReceiveMessage's JSON, whole or one message of it -> messages. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{AttributeValue, Message, MessageAttribute, SystemAttributes};

/// The messages of a whole answer; `None` if it is none.
pub(crate) fn answer(json: &[u8]) -> Option<Vec<Message>> {
    serde_json::from_slice::<Answer>(json).ok()?.messages.into_iter().map(read).collect()
}

/// One message; `None` if it is none.
pub(crate) fn message(json: &[u8]) -> Option<Message> {
    read(serde_json::from_slice(json).ok()?)
}

/// What ReceiveMessage answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Messages")]
    messages: Vec<ApiMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiMessage {
    message_id: String,
    body: String,
    receipt_handle: Option<String>,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: Option<String>,
    #[serde(rename = "MD5OfMessageAttributes")]
    md5_of_message_attributes: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
    message_attributes: Option<BTreeMap<String, ApiAttribute>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiAttribute {
    data_type: String,
    string_value: Option<String>,
    binary_value: Option<String>,
}

/// `None` if an attribute has no value, or one that is not base64 where it should be.
fn read(message: ApiMessage) -> Option<Message> {
    let attributes = message.message_attributes.unwrap_or_default();
    Some(Message {
        id: message.message_id.into(),
        body: message.body.into(),
        receipt_handle: message.receipt_handle.map(Into::into),
        md5_of_body: message.md5_of_body,
        md5_of_message_attributes: message.md5_of_message_attributes,
        attributes: system_attributes(message.attributes.unwrap_or_default()),
        message_attributes: attributes.into_iter().map(attribute).collect::<Option<_>>()?,
    })
}

fn attribute((name, attribute): (String, ApiAttribute)) -> Option<MessageAttribute> {
    let value = match (attribute.string_value, attribute.binary_value) {
        (Some(text), _) => AttributeValue::Text(text),
        (None, Some(base64)) => AttributeValue::Binary(STANDARD.decode(base64).ok()?.into()),
        (None, None) => return None,
    };
    Some(MessageAttribute { name, data_type: attribute.data_type, value })
}

fn system_attributes(mut attributes: BTreeMap<String, String>) -> SystemAttributes {
    let mut take = |name| attributes.remove(name);
    SystemAttributes {
        sent_timestamp: take("SentTimestamp"),
        approximate_receive_count: take("ApproximateReceiveCount").and_then(|count| count.parse().ok()),
        aws_trace_header: take("AWSTraceHeader"),
        message_group_id: take("MessageGroupId"),
        sequence_number: take("SequenceNumber"),
        message_deduplication_id: take("MessageDeduplicationId"),
    }
}
