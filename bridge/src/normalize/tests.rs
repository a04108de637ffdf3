//! Messages and their events, whole. If one of these fails, consumers see another event than before.

mod aws_services;
mod cloudevents;
mod eventbridge;
mod extensions;
mod generic;
mod profiles;
mod s3;
mod sns;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::config::{Arn, ContentMode};
use crate::message::{AttributeValue, MessageAttribute, SystemAttributes};

pub(crate) const MESSAGE_ID: &str = "059f36b4-87a3-44ab-83d2-661975830a7d";
const SENT: &str = "2018-12-17T21:37:29.183Z";
const RECEIVED_AT_MS: u64 = 1_600_000_000_000;

pub(crate) fn queue() -> Queue {
    let text = str::to_owned;
    Queue {
        url: "https://sqs.eu-north-1.amazonaws.com/111122223333/orders".parse().ok(),
        arn: Arn {
            partition: text("aws"),
            region: text("eu-north-1"),
            account: text("111122223333"),
            name: text("orders"),
        },
        account_known: true,
        region: text("eu-north-1"),
        endpoint: None,
        create_missing: false,
        delete_accepted: true,
    }
}

pub(crate) fn settings() -> EventSettings {
    EventSettings {
        format: Format::Auto,
        content_mode: ContentMode::Auto,
        data: DataSetting::Event,
        type_format: Default::default(),
        sns_unwrap: Default::default(),
        message_attributes: Default::default(),
        overrides: BTreeMap::new(),
    }
}

pub(crate) fn message(body: impl Into<bytes::Bytes>) -> Message {
    Message {
        id: MESSAGE_ID.into(),
        body: body.into(),
        receipt_handle: Some("AQEB-handle".into()),
        md5_of_body: Some("d41d8cd98f00b204e9800998ecf8427e".to_owned()),
        md5_of_message_attributes: None,
        attributes: SystemAttributes {
            sent_timestamp: Some("1545082649183".to_owned()),
            ..SystemAttributes::default()
        },
        message_attributes: Vec::new(),
    }
}

pub(crate) fn with_attributes(body: &str, attributes: &[(&str, &str)]) -> Message {
    let attribute = |&(name, value): &(&str, &str)| MessageAttribute {
        name: name.to_owned(),
        data_type: "String".to_owned(),
        value: AttributeValue::Text(value.to_owned()),
    };
    Message { message_attributes: attributes.iter().map(attribute).collect(), ..message(body.to_owned()) }
}

fn mapped(message: &Message, settings: &EventSettings) -> Events {
    events(message, &queue(), settings, RECEIVED_AT_MS)
}

/// The one event of a message.
fn only(message: &Message, settings: &EventSettings) -> Event {
    let mut events = mapped(message, settings).into_iter();
    let event = events.next().unwrap();
    assert_eq!(events.next(), None);
    event
}

/// The attributes of an event as one object, without data.
fn attributes(event: &Event) -> Value {
    let mut json: Map<String, Value> = serde_json::from_slice(&event.to_json()).unwrap();
    json.remove("data").or_else(|| json.remove("data_base64"));
    Value::Object(json)
}

/// Attributes of an event of this queue that brings no account and region, plus these.
fn expected(own: Value) -> Value {
    let mut all = json!({
        "specversion": "1.0",
        "id": MESSAGE_ID,
        "time": SENT,
        "datacontenttype": "application/json",
        "awsaccount": "111122223333",
        "awsregion": "eu-north-1",
        "sqsmessageid": MESSAGE_ID,
    });
    let Value::Object(own) = own else { panic!("{own} is no object") };
    all.as_object_mut().unwrap().extend(own);
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

#[test]
fn an_event_without_sent_timestamp_has_the_time_of_receipt() {
    let mut message = message("x");
    for (sent, time) in [
        (None, "2020-09-13T12:26:40.000Z"),
        (Some("soon"), "2020-09-13T12:26:40.000Z"),
        (Some("1545082649183"), SENT),
        (Some("-1"), "1969-12-31T23:59:59.999Z"),
        (Some("9223372036854775807"), "1970-01-01T00:00:00.000Z"),
    ] {
        message.attributes.sent_timestamp = sent.map(str::to_owned);
        assert_eq!(only(&message, &settings()).time(), time, "{sent:?}");
    }
}

#[test]
fn a_message_without_id_has_one_made_from_its_body() {
    let message = Message { id: "".into(), ..message("") };
    let event = only(&message, &settings());
    assert_eq!(event.id(), "e3b0c442-98fc-1c14-9afb-f4c8996fb924");
    assert_eq!(event.extension("sqsmessageid"), Some(event.id()));
}

#[test]
fn overrides_replace_extensions_of_every_event_and_context_attributes_of_none() {
    let mut settings = settings();
    for (name, value) in [("awsregion", "moon"), ("team", "a b"), ("id", "x"), ("empty", "")] {
        settings.overrides.insert(name.to_owned(), value.to_owned());
    }
    let event = only(&message("hi"), &settings);
    let own = json!({
        "source": "arn:aws:sqs:eu-north-1:111122223333:orders",
        "type": "com.amazonaws.sqs.message",
        "datacontenttype": "text/plain; charset=utf-8",
        "awsregion": "moon",
        "team": "a b",
    });
    assert_eq!(attributes(&event), expected(own));
}

#[test]
fn data_envelope_is_the_whole_message_without_its_receipt_handle() {
    let settings = EventSettings { data: DataSetting::Envelope, ..settings() };
    let mut message = with_attributes("<a>\n", &[("tenant", "x")]);
    message.message_attributes.push(MessageAttribute {
        name: "raw".to_owned(),
        data_type: "Binary".to_owned(),
        value: AttributeValue::Binary(bytes::Bytes::from_static(&[0, 255])),
    });
    message.attributes.approximate_receive_count = Some(2);
    let event = only(&message, &settings);
    assert_eq!(event.ty(), "com.amazonaws.sqs.message");
    assert_eq!(event.datacontenttype(), Some("application/json"));
    let data = r#"{"MessageId":"059f36b4-87a3-44ab-83d2-661975830a7d","MD5OfBody":"d41d8cd98f00b204e9800998ecf8427e","Body":"<a>\n","Attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"1545082649183"},"MessageAttributes":{"raw":{"DataType":"Binary","BinaryValue":"AP8="},"tenant":{"DataType":"String","StringValue":"x"}}}"#;
    assert_eq!(event.data(), data);
}

#[test]
fn data_envelope_leaves_out_what_is_absent_and_takes_no_bytes_that_are_not_text() {
    let settings = EventSettings { data: DataSetting::Envelope, ..settings() };
    let message = Message { md5_of_body: None, attributes: SystemAttributes::default(), ..message("x") };
    let data = r#"{"MessageId":"059f36b4-87a3-44ab-83d2-661975830a7d","Body":"x"}"#;
    assert_eq!(only(&message, &settings).data(), data);
    let bytes = only(&self::message(vec![255, 254]), &settings);
    assert_eq!((bytes.datacontenttype(), &bytes.data()[..]), (Some("application/octet-stream"), &[255, 254][..]));
}
