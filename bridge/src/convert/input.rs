//! Text in any of the forms that `convert` reads -> messages. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::message::{AttributeValue, Message, MessageAttribute, SystemAttributes};

/// The whole input, or its lines that are not blank.
pub(super) fn pieces(input: &[u8], lines: bool) -> Box<dyn Iterator<Item = &[u8]> + '_> {
    if !lines {
        return Box::new(std::iter::once(input));
    }
    let lines = input.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Box::new(lines.filter(|line| !line.trim_ascii().is_empty()))
}

/// The messages of one piece; what is not ReceiveMessage's JSON is the body of one.
pub(super) fn messages(piece: &[u8]) -> Vec<Message> {
    let listed = || serde_json::from_slice::<Answer>(piece).ok()?.messages.into_iter().map(message).collect();
    let single = || Some(vec![message(serde_json::from_slice(piece).ok()?)?]);
    let is_object = piece.trim_ascii_start().first() == Some(&b'{');
    let received = is_object.then(|| single().or_else(listed)).flatten();
    received.unwrap_or_else(|| vec![bare(piece)])
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
fn message(message: ApiMessage) -> Option<Message> {
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

/// A message of which only the body is known.
fn bare(body: &[u8]) -> Message {
    Message {
        id: "".into(),
        body: Bytes::copy_from_slice(body),
        receipt_handle: None,
        md5_of_body: None,
        md5_of_message_attributes: None,
        attributes: SystemAttributes::default(),
        message_attributes: Vec::new(),
    }
}
