//! A message -> JSON as Go's `encoding/json` writes the `Message` of the AWS SDK for Go. Pure.

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::value::RawValue;

use crate::message::{AttributeValue, Message, MessageAttribute};

/// How the body of the message stands in the JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Body<'a> {
    /// As a string.
    Text(&'a str),
    /// As the JSON that it is.
    Json(&'a RawValue),
}

/// The message, byte for byte as Go 1.19 writes it. Of the system attributes only SentTimestamp is shown.
pub(super) fn encode(message: &Message, body: Body<'_>) -> Vec<u8> {
    let message = SdkMessage {
        attributes: message.attributes.sent_timestamp.as_deref().map(|sent| BTreeMap::from([("SentTimestamp", sent)])),
        body,
        md5_of_body: message.md5_of_body.as_deref(),
        md5_of_message_attributes: message.md5_of_message_attributes.as_deref(),
        message_attributes: message_attributes(&message.message_attributes),
        message_id: &message.id,
        receipt_handle: message.receipt_handle.as_deref(),
    };
    let mut json = Vec::with_capacity(1024);
    // Writing strings to memory cannot fail.
    match message.serialize(&mut Serializer::with_formatter(&mut json, GoFormatter)) {
        Ok(()) => json,
        Err(_) => b"{}".to_vec(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SdkMessage<'a> {
    attributes: Option<BTreeMap<&'a str, &'a str>>,
    body: Body<'a>,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: Option<&'a str>,
    #[serde(rename = "MD5OfMessageAttributes")]
    md5_of_message_attributes: Option<&'a str>,
    message_attributes: Option<BTreeMap<&'a str, SdkAttribute<'a>>>,
    message_id: &'a str,
    receipt_handle: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SdkAttribute<'a> {
    binary_list_values: (),
    binary_value: Option<String>,
    data_type: &'a str,
    string_list_values: (),
    string_value: Option<&'a str>,
}

fn message_attributes(attributes: &[MessageAttribute]) -> Option<BTreeMap<&str, SdkAttribute<'_>>> {
    (!attributes.is_empty()).then(|| attributes.iter().map(SdkAttribute::named).collect())
}

impl<'a> SdkAttribute<'a> {
    fn named(attribute: &'a MessageAttribute) -> (&'a str, Self) {
        let (string_value, binary_value) = match &attribute.value {
            AttributeValue::Text(text) => (Some(text.as_str()), None),
            AttributeValue::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        let data_type = &attribute.data_type;
        (
            &attribute.name,
            Self { binary_list_values: (), binary_value, data_type, string_list_values: (), string_value },
        )
    }
}

/// Escapes what Go escapes for the sake of HTML and JavaScript, and has no short form for `\b` and `\f`.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        const ESCAPED: [char; 5] = ['<', '>', '&', '\u{2028}', '\u{2029}'];
        let mut rest = fragment;
        while let Some(at) = rest.find(ESCAPED) {
            let (before, after) = rest.split_at(at);
            let mut characters = after.chars();
            let code = characters.next().map_or(0, u32::from);
            write!(writer, "{before}\\u{code:04x}")?;
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Backspace => writer.write_all(b"\\u0008"),
            CharEscape::FormFeed => writer.write_all(b"\\u000c"),
            CharEscape::Quote
            | CharEscape::ReverseSolidus
            | CharEscape::Solidus
            | CharEscape::LineFeed
            | CharEscape::CarriageReturn
            | CharEscape::Tab
            | CharEscape::AsciiControl(_) => CompactFormatter.write_char_escape(writer, escape),
        }
    }
}
