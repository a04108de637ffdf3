//! The CloudEvents SDK for Rust, which shares no code with the bridge, reads what the bridge sends.
//!
//! It decodes no percent-escapes, so it is shown what `auto` sends; it reprints JSON data, so
//! only attributes are compared. Its HTTP binding would bring a second `futures`, so the few
//! lines between headers and its attributes stand here.

use cloudevents::AttributesReader;
use cloudevents::event::SpecVersion;
use cloudevents::message::{BinaryDeserializer, BinarySerializer, MessageAttributeValue, Result};
use http::header::CONTENT_TYPE;
use serde_json::json;
use sqs_bridge::config::{ContentMode, Format};
use sqs_bridge::event::{Encoded, Event};
use sqs_bridge::message::Message;
use sqs_bridge::normalize;

use crate::fixture::{message, published, queue, received, settings};

/// One message of each kind.
fn own_messages() -> Vec<Message> {
    let record = |key: &str| json!({ "eventName": "ObjectCreated:Put", "eventSource": "aws:s3", "s3": { "bucket": { "name": "b" }, "object": { "key": key } } });
    [
        json!({ "id": "1", "detail-type": "EC2 Change", "source": "aws.ec2", "time": "2015-11-11T21:29:54Z", "resources": ["a b"], "detail": {} }).to_string(),
        json!({ "Records": [record("a"), record("a%20b")] }).to_string(),
        json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "MessageId": "1", "Message": "x", "Subject": "é" }).to_string(),
        json!({ "AlarmName": "CPU high", "NewStateValue": "ALARM", "StateChangeTime": "2018-01-12T16:30:42.236+0000" }).to_string(),
        json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "number": 7, "truth": true, "data": "x" }).to_string(),
        "text\nwith\0all\u{2028}".to_owned(),
        String::new(),
    ]
    .map(message)
    .into()
}

#[test]
fn the_sdk_reads_every_attribute_of_every_event() {
    let inputs = published("oracles/inputs.jsonl").unwrap_or_default();
    let bodies = published("bodies.jsonl").unwrap_or_default();
    let bodies = bodies.iter().map(|body| message(body["body"].as_str().unwrap().to_owned()));
    let mut read = 0;
    for message in own_messages().into_iter().chain(inputs.iter().map(received)).chain(bodies) {
        for event in &normalize::events(&message, &queue(), &settings(Format::Auto), 0) {
            for mode in [ContentMode::Auto, ContentMode::Structured] {
                assert_read(event, event.encode(mode));
                read += 1;
            }
        }
    }
    assert!(read >= 16, "{read}");
}

fn assert_read(event: &Event, encoded: Encoded) {
    let read = read(encoded);
    let own = (event.id(), event.source(), event.ty(), event.subject());
    assert_eq!((read.id(), &**read.source(), read.ty(), read.subject()), own);
    assert_eq!(read.datacontenttype(), event.datacontenttype());
    assert_eq!(instant(&read.time().unwrap().to_rfc3339()), instant(event.time()));
    let mut extensions: Vec<_> =
        read.iter_extensions().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
    extensions.sort();
    let mut own: Vec<_> = event.extensions().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    own.sort();
    assert_eq!(extensions, own);
}

/// The time as an instant.
fn instant(time: &str) -> jiff::Timestamp {
    time.parse().unwrap()
}

fn read(encoded: Encoded) -> cloudevents::Event {
    match encoded.headers.contains_key("ce-id") {
        true => Binary(encoded).into_event().unwrap(),
        false => serde_json::from_slice(&encoded.body).unwrap(),
    }
}

/// A request in binary mode, as the SDK wants to be told of it.
struct Binary(Encoded);

impl BinaryDeserializer for Binary {
    fn deserialize_binary<R: Sized, V: BinarySerializer<R>>(self, visitor: V) -> Result<R> {
        let Encoded { headers, body } = self.0;
        let version = headers["ce-specversion"].to_str().unwrap();
        let version = SpecVersion::try_from(version)?;
        let mut visitor = visitor.set_spec_version(version.clone())?;
        for (name, value) in &headers {
            let value = MessageAttributeValue::String(value.to_str().unwrap().to_owned());
            visitor = match name.as_str().strip_prefix("ce-") {
                Some("specversion") => visitor,
                Some(name) if version.attribute_names().contains(&name) => visitor.set_attribute(name, value)?,
                Some(name) => visitor.set_extension(name, value)?,
                None if name == CONTENT_TYPE => visitor.set_attribute("datacontenttype", value)?,
                None => visitor,
            };
        }
        if body.is_empty() { visitor.end() } else { visitor.end_with_data(body.to_vec()) }
    }
}
