//! 648 published bodies and 236 messages: each is recognised as what it is, none is dropped, and none is changed.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;
use sqs_bridge::config::{ContentMode, Format};
use sqs_bridge::decode::{Payload, decode};
use sqs_bridge::event::Event;
use sqs_bridge::message::Message;
use sqs_bridge::normalize::{self, Events};

use crate::fixture::{message, published, queue, received, settings};

/// What each kind of body (the label of whoever collected it) is recognised as, and how often.
const RECOGNISED: [(&str, &[(&str, usize)]); 23] = [
    ("autoscaling-direct", &[("autoscaling", 2), ("json", 2)]),
    ("cloudevents", &[("cloudevents", 1)]),
    ("cloudtrail-record", &[("json", 79)]),
    ("cloudtrail-records", &[("json", 42)]),
    ("cloudwatch-alarm-lambda", &[("json", 4)]),
    ("cloudwatch-alarm-sns", &[("alarm", 5)]),
    ("codecommit-trigger", &[("json", 1)]),
    ("config-message", &[("json", 24)]),
    ("eventbridge", &[("eventbridge", 130)]),
    ("eventbridge-cloudtrail", &[("cloudtrail", 14)]),
    ("eventbridge-partial", &[("cloudtrail", 11), ("eventbridge", 2)]),
    ("eventbridge-replay", &[("replay", 4)]),
    ("eventbridge-s3", &[("eventbridge-s3", 17)]),
    ("eventbridge-scheduled", &[("scheduled", 8)]),
    ("guardduty-finding", &[("json", 1)]),
    ("lambda-destination", &[("json", 10)]),
    ("lambda-dynamodb", &[("json", 13)]),
    ("lambda-kinesis", &[("json", 19)]),
    ("lambda-sns", &[("json", 16)]),
    ("lambda-sqs", &[("json", 37)]),
    ("s3-notification", &[("json", 2), ("s3", 18)]),
    ("s3-test-event", &[("s3-test", 1)]),
    ("ses-receipt", &[("json", 4)]),
];

const RECOGNISED_IN_ENVELOPES: [(&str, &[(&str, usize)]); 2] = [
    ("sns-envelope", &[("json", 4), ("sns", 77), ("sns: alarm", 1), ("sns: eventbridge", 1)]),
    ("sqs-body", &[("cloudevents", 1), ("eventbridge", 1), ("json", 42), ("s3", 2), ("sns", 4), ("text", 48)]),
];

#[test]
fn each_body_is_recognised_as_what_it_is() {
    let Some(bodies) = published("bodies.jsonl") else { return };
    let mut counts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for body in &bodies {
        let message = message(text(&body["body"]));
        *counts.entry(text(&body["kind"])).or_default().entry(shape(&decode(&message))).or_default() += 1;
    }
    let expected = RECOGNISED.iter().chain(&RECOGNISED_IN_ENVELOPES).map(|(kind, shapes)| {
        ((*kind).to_owned(), shapes.iter().map(|(shape, count)| ((*shape).to_owned(), *count)).collect())
    });
    assert_eq!(counts, expected.collect());
}

#[test]
fn no_message_is_dropped_changed_or_given_another_id_the_second_time() {
    let (Some(bodies), Some(inputs)) = (published("bodies.jsonl"), published("oracles/inputs.jsonl")) else { return };
    let messages: Vec<Message> =
        bodies.iter().map(|body| message(text(&body["body"]))).chain(inputs.iter().map(received)).collect();
    assert_eq!(messages.len(), 648 + 236);
    for message in &messages {
        let events = normalize::events(message, &queue(), &settings(Format::Auto), 0);
        let again = normalize::events(message, &queue(), &settings(Format::Auto), 1);
        assert_eq!(events, again);
        events.iter().for_each(assert_valid);
        assert_untouched(message, &events);
    }
}

#[test]
fn every_eventbridge_event_goes_binary() {
    let Some(bodies) = published("bodies.jsonl") else { return };
    let events: Vec<Event> = bodies
        .iter()
        .map(|body| message(text(&body["body"])))
        .filter(|message| matches!(decode(message), Payload::EventBridge(_)))
        .flat_map(|message| normalize::events(&message, &queue(), &settings(Format::Auto), 0))
        .collect();
    let is_binary = |event: &&Event| event.encode(ContentMode::Auto).headers.contains_key("ce-id");
    let binary = events.iter().filter(is_binary).count();
    assert_eq!((events.len(), binary), (187, 187));
}

/// Data is the body, or a part of it that stands in it as it is; of an unwrapped message it is the message.
fn assert_untouched(message: &Message, events: &Events) {
    let body = message.text();
    let envelope = serde_json::from_str::<Value>(body).ok().and_then(|json| Some(json["Message"].as_str()?.to_owned()));
    for event in events {
        let encoded = event.encode(ContentMode::Binary);
        let data = std::str::from_utf8(&encoded.body).unwrap();
        let is_forwarded = matches!(decode(message), Payload::CloudEvents(_));
        assert!(
            data == body || (events.len() == 1 && is_forwarded) || envelope.as_deref() == Some(data) || {
                event.ty().starts_with("com.amazonaws.s3.") && body.contains(data)
            },
            "{event:?}"
        );
    }
}

/// What the JSON schema of CloudEvents asks of an event, and what its text adds.
fn assert_valid(event: &Event) {
    let json: Value = serde_json::from_slice(&event.to_json()).unwrap();
    let members = json.as_object().unwrap();
    assert_eq!(json["specversion"], "1.0");
    for name in ["id", "source", "type", "time"] {
        assert!(json[name].as_str().is_some_and(|value| !value.is_empty()), "{name} of {event:?}");
    }
    assert!(members.get("subject").is_none_or(|subject| subject.as_str().is_some_and(|text| !text.is_empty())));
    assert!(!(members.contains_key("data") && members.contains_key("data_base64")));
    let names: HashSet<&str> = event.extensions().map(|(name, _)| name).collect();
    assert_eq!(names.len(), event.extensions().count());
    for (name, value) in event.extensions() {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
        assert!(!name.starts_with("knative"), "{name}");
        assert!(!value.is_empty() && !value.chars().any(char::is_control), "{name}: {value:?}");
    }
}

fn shape(payload: &Payload<'_>) -> String {
    match payload {
        Payload::CloudEvents(_) => "cloudevents".to_owned(),
        Payload::EventBridge(event) if event.replay_name.is_some() => "replay".to_owned(),
        Payload::EventBridge(event) if event.cloudtrail_name.is_some() => "cloudtrail".to_owned(),
        Payload::EventBridge(event) if event.object_key.is_some() => "eventbridge-s3".to_owned(),
        Payload::EventBridge(event) if event.detail_type == "Scheduled Event" => "scheduled".to_owned(),
        Payload::EventBridge(_) => "eventbridge".to_owned(),
        Payload::Sns(envelope) => match sqs_bridge::decode::decode_inner(&envelope.message) {
            Some(inner) => format!("sns: {}", shape(&inner)),
            None => "sns".to_owned(),
        },
        Payload::S3(_) => "s3".to_owned(),
        Payload::S3Test(_) => "s3-test".to_owned(),
        Payload::Alarm(_) => "alarm".to_owned(),
        Payload::AutoScaling(_) => "autoscaling".to_owned(),
        Payload::Json => "json".to_owned(),
        Payload::Text => "text".to_owned(),
        Payload::Bytes => "bytes".to_owned(),
    }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap().to_owned()
}
