//! Whatever the input: no panic, the same events twice, data untouched, and nothing that a receiver cannot read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use sqs_bridge::config::{ContentMode, DataSetting, EventSettings, Format, MessageAttributes, SnsUnwrap, TypeFormat};
use sqs_bridge::convert::{self, Options, Output};
use sqs_bridge::decode::{Payload, decode};
use sqs_bridge::event::{Event, attribute, timestamp, uri_reference};
use sqs_bridge::message::{AttributeValue, Message, MessageAttribute};
use sqs_bridge::normalize;

use crate::fixture::{message, queue, settings};

/// Keys that some recognition looks at, and one that none does.
const KEYS: [&str; 33] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "subject",
    "datacontenttype",
    "data",
    "data_base64",
    "detail-type",
    "detail",
    "account",
    "region",
    "resources",
    "replay-name",
    "Type",
    "TopicArn",
    "MessageId",
    "Message",
    "Subject",
    "Timestamp",
    "UnsubscribeURL",
    "MessageAttributes",
    "Records",
    "Service",
    "Event",
    "AlarmName",
    "NewStateValue",
    "StateChangeTime",
    "AlarmArn",
    "AutoScalingGroupName",
    "LifecycleTransition",
    "other",
];

/// Texts that mean something to some rule, and texts that break one.
const TEXTS: [&str; 28] = [
    "",
    "1.0",
    "0.3",
    "aws.s3",
    "aws.ec2",
    "aws.partner/x/y",
    "my app",
    "my_app:x",
    "//",
    "a\nb",
    "é€😀",
    "\u{fffe}",
    "100%",
    "a\"b",
    "2018-12-17T21:41:09Z",
    "2018-01-12T16:30:42.236+0000",
    "Notification",
    "Amazon S3",
    "s3:TestEvent",
    "arn:aws:sns:us-east-1:123456789012:t",
    "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a b",
    "autoscaling:X",
    "text/plain",
    "application/cloudevents+json",
    "AP8=",
    "https://x/?SubscriptionArn=arn:aws:sns:r:a:t:u",
    "ALARM",
    "{\"detail-type\":\"X\",\"source\":\"s\",\"detail\":{}}",
];

const ATTRIBUTES: [&str; 14] = [
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce_subject",
    "contentType",
    "traceparent",
    "tracestate",
    "RULE_ARN",
    "TARGET_ARN",
    "ERROR_CODE",
    "ERROR_MESSAGE",
    "my-attr",
    "myattr",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(s3_record()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), object(inner).prop_map(Value::from)]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec((select(&KEYS[..]).prop_map(str::to_owned), value), 0..12).prop_map(|members| members.into_iter().collect())
}

/// An object that some recognition accepts, before something is changed in it.
fn recognisable() -> impl Strategy<Value = Value> {
    select(vec![
        json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": { "a": 1 } }),
        json!([{ "specversion": "1.0", "id": "1", "source": "/s", "type": "t" }]),
        json!({ "detail-type": "X Y", "source": "aws.s3", "id": "1", "detail": { "bucket": { "name": "b" }, "object": { "key": "k" } } }),
        json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:r:a:t", "MessageId": "1", "Message": "{\"AlarmName\":\"a\",\"NewStateValue\":\"b\",\"StateChangeTime\":\"c\"}" }),
        json!({ "Records": [s3_record(), s3_record()] }),
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b", "RequestId": "q", "HostId": "h" }),
        json!({ "AlarmName": "a", "NewStateValue": "ALARM", "StateChangeTime": "2018-01-12T16:30:42.236+0000" }),
        json!({ "AutoScalingGroupName": "g", "Event": "autoscaling:X", "Time": "2020-06-08T21:55:36.918Z" }),
    ])
}

fn s3_record() -> Value {
    json!({
        "eventName": "ObjectRemoved:Delete",
        "eventSource": "aws:s3",
        "responseElements": { "x-amz-request-id": "q", "x-amz-id-2": "h" },
        "s3": { "bucket": { "name": "b" }, "object": { "key": "k" } },
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let changed = (recognisable(), object(json_value())).prop_map(|(mut value, changes)| {
        if let Some(members) = value.as_object_mut() {
            members.extend(changes);
        }
        value
    });
    let json = prop_oneof![2 => changed, 1 => object(json_value()).prop_map(Value::from), 1 => json_value()];
    let json = json.prop_map(|value| value.to_string().into_bytes());
    let damaged = (recognisable(), any::<Index>(), vec(any::<u8>(), 0..4)).prop_map(|(value, at, bytes)| {
        let mut body = value.to_string().into_bytes();
        let at = at.index(body.len());
        body.splice(at..(at + 1), bytes);
        body
    });
    prop_oneof![4 => json, 2 => damaged, 1 => any::<String>().prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..64)]
}

prop_compose! {
    fn received()(
        body in body(),
        attributes in vec((select(&ATTRIBUTES[..]), prop_oneof![text().prop_map(AttributeValue::Text), vec(any::<u8>(), 0..8).prop_map(|bytes| AttributeValue::Binary(bytes.into()))]), 0..8),
        trace in proptest::option::of(text()),
        sequence in proptest::option::of(text()),
        sent in proptest::option::of(any::<i64>()),
    ) -> Message {
        let mut message = message(body);
        let data_type = "String".to_owned();
        message.message_attributes = attributes.into_iter().map(|(name, value)| MessageAttribute { name: name.to_owned(), data_type: data_type.clone(), value }).collect();
        message.attributes.aws_trace_header = trace;
        message.attributes.message_group_id = sequence.clone();
        message.attributes.sequence_number = sequence;
        message.attributes.sent_timestamp = sent.map(|sent| sent.to_string());
        message
    }
}

fn any_settings() -> impl Strategy<Value = EventSettings> {
    let formats = vec![Format::EventingAwssqs, Format::TriggerMesh, Format::Aws, Format::IntegrationSource];
    let format = prop_oneof![4 => Just(Format::Auto), 2 => select(formats)];
    let data = select(&[DataSetting::Event, DataSetting::Detail, DataSetting::Envelope][..]);
    let types = select(&[TypeFormat::Slug, TypeFormat::DetailType][..]);
    let unwrap = select(&[SnsUnwrap::Auto, SnsUnwrap::Never][..]);
    let named = MessageAttributes::Named(vec!["my-attr".to_owned(), "ce-*".to_owned()]);
    let attributes = select(vec![MessageAttributes::All, named, MessageAttributes::None]);
    (format, data, types, unwrap, attributes, text()).prop_map(
        |(format, data, type_format, sns_unwrap, message_attributes, team)| {
            let mut settings = EventSettings { data, type_format, sns_unwrap, message_attributes, ..settings(format) };
            settings.overrides.insert("team".to_owned(), team);
            settings
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_makes_valid_events_that_are_the_same_next_time(message in received(), settings in any_settings()) {
        let events = normalize::events(&message, &queue(), &settings, 7);
        prop_assert!(events.len() > 0);
        prop_assert_eq!(&normalize::events(&message.clone(), &queue(), &settings, 7), &events);
        for event in &events {
            assert_valid(event)?;
            assert_reads_alike(event)?;
        }
    }

    #[test]
    fn the_body_of_a_single_event_is_the_body_of_the_message(message in received()) {
        let events = normalize::events(&message, &queue(), &settings(Format::Auto), 0);
        match decode(&message) {
            Payload::EventBridge(_) | Payload::S3Test(_) | Payload::Alarm(_) | Payload::AutoScaling(_) | Payload::Json | Payload::Text | Payload::Bytes => {
                prop_assert_eq!(events.len(), 1);
                prop_assert_eq!(events[0].encode(ContentMode::Binary).body, message.body);
            }
            Payload::S3(records) => {
                prop_assert_eq!(events.len(), records.len());
                for (event, record) in events.iter().zip(records) {
                    prop_assert_eq!(event.data(), Bytes::copy_from_slice(record.raw.as_bytes()));
                }
            }
            Payload::CloudEvents(forwarded) => prop_assert_eq!(events.len(), forwarded.len()),
            Payload::Sns(_) => {}
        }
    }

    #[test]
    fn any_input_converts_to_lines_of_json(input in vec(body(), 0..3), lines in any::<bool>(), http in any::<bool>(), settings in any_settings()) {
        let output = if http { Output::Http } else { Output::Structured };
        let mut out = Vec::new();
        convert::convert(&input.join(&b'\n'), &queue(), &settings, Options { lines, output }, &mut out).unwrap();
        for line in out.split_terminator_at_newlines() {
            prop_assert!(serde_json::from_slice::<Map<String, Value>>(line).is_ok(), "{}", String::from_utf8_lossy(line));
        }
    }
}

trait Lines {
    fn split_terminator_at_newlines(&self) -> impl Iterator<Item = &[u8]>;
}

impl Lines for Vec<u8> {
    fn split_terminator_at_newlines(&self) -> impl Iterator<Item = &[u8]> {
        self.split_inclusive(|&byte| byte == b'\n').map(|line| &line[..line.len() - 1])
    }
}

fn assert_valid(event: &Event) -> Result<(), TestCaseError> {
    prop_assert!(!event.id().is_empty() && !event.ty().is_empty());
    prop_assert!(uri_reference::is_valid(event.source()), "{}", event.source());
    prop_assert!(timestamp::is_rfc3339(event.time()), "{}", event.time());
    prop_assert!(event.subject() != Some(""));
    for (name, value) in attributes(event) {
        prop_assert!(attribute::is_clean(&value), "{name}: {value:?}");
    }
    for (name, value) in event.extensions() {
        prop_assert!(attribute::is_extension_name(name), "{name}");
        prop_assert!(!value.is_empty(), "{name}");
    }
    Ok(())
}

/// What a receiver reads, in either mode, is what the event says.
fn assert_reads_alike(event: &Event) -> Result<(), TestCaseError> {
    let encoded = event.encode(ContentMode::Binary);
    if encoded.headers.contains_key("ce-id") {
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in &encoded.headers {
            prop_assert!(value.to_str().is_ok(), "{name}");
            if let Some(name) = name.as_str().strip_prefix("ce-") {
                read.push((name.to_owned(), percent_decoded(value.to_str().unwrap())));
            }
        }
        read.retain(|(name, _)| name != "specversion");
        read.sort();
        prop_assert_eq!(read, attributes(event));
        prop_assert_eq!(encoded.body, event.data());
    }
    let json: Map<String, Value> = serde_json::from_slice(&event.to_json()).unwrap();
    for (name, value) in attributes(event) {
        prop_assert_eq!(json[&name].as_str().map_or_else(|| json[&name].to_string(), str::to_owned), value);
    }
    match (json.get("data"), json.get("data_base64")) {
        (Some(Value::String(text)), None) if text.as_bytes() == event.data() => {}
        (Some(data), None) => prop_assert_eq!(data, &serde_json::from_slice::<Value>(&event.data()).unwrap()),
        (None, Some(base64)) => prop_assert_eq!(STANDARD.decode(base64.as_str().unwrap()).unwrap(), event.data()),
        (None, None) => prop_assert!(event.data().is_empty()),
        (Some(_), Some(_)) => prop_assert!(false, "both forms of data"),
    }
    Ok(())
}

fn attributes(event: &Event) -> Vec<(String, String)> {
    let context = [("id", event.id()), ("source", event.source()), ("time", event.time()), ("type", event.ty())];
    let optional = [("subject", event.subject()), ("dataschema", event.dataschema())];
    let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let mut all: Vec<_> = context.into_iter().chain(optional).chain(event.extensions()).collect();
    all.sort_unstable();
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', &[high, low, ..]) => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&[high, low]).unwrap(), 16).unwrap());
                rest = &after[2..];
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
