//! Any message -> events -> both encodings.

#![no_main]

mod fixture;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sqs_bridge::config::ContentMode;
use sqs_bridge::event::{Event, attribute, timestamp, uri_reference};
use sqs_bridge::message::{AttributeValue, Message, MessageAttribute, SystemAttributes};
use sqs_bridge::normalize;

const NAMES: [&str; 12] = [
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce_x",
    "contentType",
    "traceparent",
    "tracestate",
    "RULE_ARN",
    "TARGET_ARN",
    "ERROR_CODE",
    "ERROR_MESSAGE",
];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    choice: fixture::Choice,
    named: Vec<(u8, String)>,
    other: Vec<(String, Vec<u8>)>,
    trace: Option<String>,
    sent: Option<i64>,
    sequence: Option<String>,
    body: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let settings = fixture::settings(input.choice);
    let message = message(input);
    let events = normalize::events(&message, &fixture::queue(), &settings, 0);
    assert_eq!(normalize::events(&message, &fixture::queue(), &settings, 0), events);
    assert!(events.len() > 0);
    events.iter().for_each(check);
});

fn message(input: Input<'_>) -> Message {
    let attribute = |name: String, value| MessageAttribute { name, data_type: "String".to_owned(), value };
    let named = input
        .named
        .into_iter()
        .map(|(name, text)| attribute(NAMES[usize::from(name) % NAMES.len()].to_owned(), AttributeValue::Text(text)));
    let other = input.other.into_iter().map(|(name, bytes)| attribute(name, AttributeValue::Binary(bytes.into())));
    Message {
        id: "1".into(),
        body: bytes::Bytes::copy_from_slice(input.body),
        receipt_handle: None,
        md5_of_body: None,
        md5_of_message_attributes: None,
        message_attributes: named.chain(other).collect(),
        attributes: SystemAttributes {
            sent_timestamp: input.sent.map(|sent| sent.to_string()),
            aws_trace_header: input.trace,
            message_group_id: input.sequence.clone(),
            sequence_number: input.sequence,
            ..SystemAttributes::default()
        },
    }
}

fn check(event: &Event) {
    assert!(!event.id().is_empty() && !event.ty().is_empty() && uri_reference::is_valid(event.source()));
    assert!(timestamp::is_rfc3339(event.time()));
    let context = [event.id(), event.source(), event.ty(), event.subject().unwrap_or("absent")];
    let extensions = event.extensions().map(|(_, value)| value);
    assert!(context.into_iter().chain(extensions).all(|value| !value.is_empty() && attribute::is_clean(value)));
    let binary = event.encode(ContentMode::Binary);
    assert!(binary.headers.values().all(|value| value.to_str().is_ok()));
    if binary.headers.contains_key("ce-id") {
        assert_eq!(binary.body, event.data());
    }
    let structured: serde_json::Value = serde_json::from_slice(&event.to_json()).expect("structured mode is JSON");
    assert_eq!(structured["id"], event.id());
}
