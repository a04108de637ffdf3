//! A message -> the events of TriggerMesh's AWSSQSSource, with the processor that fits the message. Pure.

use serde_json::value::RawValue;

use super::go_json::{self, Body};
use crate::config::Queue;
use crate::decode::{self, Payload, eventbridge, s3};
use crate::event::{Data, Event, attribute, media_type};
use crate::message::{Message, MessageAttribute};
use crate::normalize::{self, Events, Origin};

/// Events of EventBridge and S3 by their processors, every other message by the default one.
pub(crate) fn events(origin: &Origin<'_>) -> Events {
    match decode::decode(origin.message) {
        Payload::EventBridge(event) if event.detail.is_some() => Events::one(of_eventbridge(&event, origin)),
        Payload::S3(records) => {
            Events::each(records.iter().enumerate(), |(index, record)| of_s3(record, index, origin))
        }
        Payload::S3Test(test) => Events::one(of_s3_test(&test, origin)),
        Payload::CloudEvents(_)
        | Payload::EventBridge(_)
        | Payload::Sns(_)
        | Payload::Alarm(_)
        | Payload::AutoScaling(_)
        | Payload::Json
        | Payload::Text
        | Payload::Bytes => Events::one(of_any(origin)),
    }
}

fn of_any(origin: &Origin<'_>) -> Event {
    let text = String::from_utf8_lossy(origin.content);
    let body = serde_json::from_str::<&RawValue>(&text).map_or(Body::Text(&text), Body::Json);
    let data = Data::json(go_json::encode(origin.message, body).into());
    let source = origin.queue.arn.to_string();
    let event = Event::new(origin.message_id(), source, "com.amazon.sqs.message", origin.time(None))
        .with_data(media_type::JSON, data);
    let attributes = text_attributes(origin.message);
    attributes.fold(event, |event, (name, value)| event.with_extension(format!("sqsmsg{name}"), value.to_owned()))
}

fn of_eventbridge(event: &eventbridge::Event<'_>, origin: &Origin<'_>) -> Event {
    let id = normalize::eventbridge::id(event, origin);
    let Queue { arn, .. } = origin.queue;
    let source = format!("arn:aws:events:{}:{}:event-bus/default", arn.region, arn.account);
    Event::new(id, source, "com.amazon.events.event", origin.time(event.time.as_deref()))
        .with_data(media_type::JSON, Data::json(origin.content.clone()))
        .with_extension("awseventssource", event.source.to_string())
        .with_extension("awseventsdetailtype", event.detail_type.to_string())
}

fn of_s3(record: &s3::Record<'_>, index: usize, origin: &Origin<'_>) -> Event {
    let event_name = record.event_name.split(':').next().unwrap_or_default().to_lowercase();
    let id = normalize::s3::id(record, index, origin);
    let ty = format!("com.amazon.s3.{event_name}");
    let source = record.bucket_arn.as_ref().map_or_else(|| bucket_arn(&record.bucket), ToString::to_string);
    Event::new(id, source, ty, origin.time(record.time.as_deref()))
        .with_subject(record.key.to_string())
        .with_data(media_type::JSON, Data::json(origin.slice(record.raw)))
}

fn of_s3_test(test: &s3::TestEvent<'_>, origin: &Origin<'_>) -> Event {
    let source = test.bucket.as_ref().map_or_else(|| origin.queue.arn.to_string(), |bucket| bucket_arn(bucket));
    Event::new(origin.message_id(), source, "com.amazon.s3.testevent", origin.time(test.time.as_deref()))
        .with_data(media_type::JSON, Data::json(origin.content.clone()))
}

fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// String and Number attributes by the lower-case letters and digits of their names.
fn text_attributes(message: &Message) -> impl Iterator<Item = (String, &str)> {
    let named = |known: &'_ MessageAttribute| attribute::stripped(&known.name);
    message.message_attributes.iter().filter_map(move |known| Some((named(known), known.text()?)))
}
