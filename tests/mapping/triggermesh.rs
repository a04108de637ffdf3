//! The profile `triggermesh` against what the original's processors sent, as JSON.
//!
//! Left out are panics, events without an id, and numbers that the original rounds.

use std::collections::BTreeMap;

use serde_json::Value;
use sqs_bridge::config::Format;
use sqs_bridge::decode::{Payload, decode};
use sqs_bridge::event::Event;
use sqs_bridge::message::Message;
use sqs_bridge::normalize;

use crate::fixture::{published, queue, received, settings};

#[test]
fn every_event_equals_the_original_s_where_that_is_sane() {
    let (Some(inputs), Some(outputs)) = (published("oracles/inputs.jsonl"), published("oracles/triggermesh.jsonl"))
    else {
        return;
    };
    let mut compared = BTreeMap::new();
    for (input, outputs) in inputs.iter().zip(outputs.chunks(3)) {
        let message = received(input);
        let processor = processor(&message);
        let output = outputs.iter().find(|output| output["processor"] == processor).unwrap();
        let events = normalize::events(&message, &queue(), &settings(Format::TriggerMesh), 0);
        let originals = output["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (event, original) in events.iter().zip(originals) {
            match original["headers"].is_null() {
                true => assert_same_attributes(event, original),
                false => assert_same(event, original, output["origin"].as_str().unwrap()),
            }
            *compared.entry(processor).or_insert(0) += 1;
        }
    }
    assert_eq!(compared, BTreeMap::from([("default", 88), ("eventbridge", 131), ("s3", 16)]));
}

fn processor(message: &Message) -> &'static str {
    match decode(message) {
        Payload::EventBridge(event) if event.detail.is_some() => "eventbridge",
        Payload::S3(_) | Payload::S3Test(_) => "s3",
        Payload::CloudEvents(_)
        | Payload::EventBridge(_)
        | Payload::Sns(_)
        | Payload::Alarm(_)
        | Payload::AutoScaling(_)
        | Payload::Json
        | Payload::Text
        | Payload::Bytes => "default",
    }
}

/// The original made this event without an id; the rest of it is right.
fn assert_same_attributes(event: &Event, original: &Value) {
    let expected = ["source", "type", "subject"].map(|name| original[name].as_str().unwrap());
    let source = event.source().replace("%7B", "{").replace("%7D", "}");
    assert_eq!([&source, event.ty(), event.subject().unwrap_or_default()], expected);
}

fn assert_same(event: &Event, original: &Value, origin: &str) {
    let mut headers = BTreeMap::from([
        ("Ce-Id".to_owned(), event.id().to_owned()),
        ("Ce-Source".to_owned(), event.source().to_owned()),
        ("Ce-Type".to_owned(), event.ty().to_owned()),
        ("Ce-Specversion".to_owned(), "1.0".to_owned()),
        ("Content-Type".to_owned(), event.datacontenttype().unwrap().to_owned()),
    ]);
    headers.extend(event.subject().map(|subject| ("Ce-Subject".to_owned(), subject.to_owned())));
    headers.extend(event.extensions().map(|(name, value)| (header(name), value.to_owned())));
    let mut expected: BTreeMap<String, String> = original["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, values)| (name.clone(), values[0].as_str().unwrap().replace('\n', "%0A")))
        .collect();
    let time = expected.remove("Ce-Time");
    assert_eq!(headers, expected, "{origin}");
    assert!(time.is_none_or(|time| significant(&time) == significant(event.time())), "{origin}");
    assert_eq!(rounded(&event.data()), rounded(original["body"].as_str().unwrap().as_bytes()), "{origin}");
}

/// The time without the trailing zeros that Go drops.
fn significant(time: &str) -> &str {
    time.trim_end_matches('Z').trim_end_matches('0')
}

/// `Ce-Sqsmsgname` for `sqsmsgname`.
fn header(extension: &str) -> String {
    let (first, rest) = extension.split_at(1);
    format!("Ce-{}{rest}", first.to_ascii_uppercase())
}

/// The JSON with every number as a double: the original's rounding is not copied, and does not count.
fn rounded(json: &[u8]) -> Value {
    fn round(value: &mut Value) {
        match value {
            Value::Number(number) => *value = number.as_f64().into(),
            Value::Array(elements) => elements.iter_mut().for_each(round),
            Value::Object(members) => members.values_mut().for_each(round),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut json = serde_json::from_slice(json).unwrap();
    round(&mut json);
    json
}
