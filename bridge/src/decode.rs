//! Body and message attributes -> what the message is. Pure.
//!
//! Recognition works on a borrowed probe of the top level: nothing is built that is not sent.
//! It never fails: what it does not know is JSON, text or bytes. A probed key that appears
//! twice, or whose value is not readable text, makes a message unknown, not undeliverable.

pub mod alarm;
pub mod arn;
pub mod autoscaling;
pub mod cloudevent;
pub mod eventbridge;
mod probe;
pub mod s3;
pub mod sns;
pub mod text;

#[cfg(test)]
mod tests;

use crate::message::Message;

use probe::Probe;

/// What a message is. The first shape that fits wins, in this order.
///
/// The pointer that the SQS extended client library leaves in a queue is JSON like any other:
/// the bridge forwards it and fetches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// One or more CloudEvents 1.0, to be forwarded as they are.
    CloudEvents(Vec<cloudevent::CloudEvent<'a>>),
    /// An event of EventBridge, which CloudWatch Events became.
    EventBridge(Box<eventbridge::Event<'a>>),
    /// The envelope of an SNS topic without raw delivery.
    Sns(Box<sns::Envelope<'a>>),
    /// The records of an S3 notification.
    S3(Vec<s3::Record<'a>>),
    /// What S3 sends when a notification is set up.
    S3Test(s3::TestEvent<'a>),
    /// A CloudWatch alarm as it is sent to an SNS topic.
    Alarm(alarm::Alarm<'a>),
    /// An Auto Scaling notification or life-cycle hook.
    AutoScaling(autoscaling::Notification<'a>),
    /// One JSON object, array or string.
    Json,
    /// Any other text.
    Text,
    /// Not UTF-8, which no queue holds but a file may.
    Bytes,
}

/// What the message is.
pub fn decode(message: &Message) -> Payload<'_> {
    let Ok(body) = std::str::from_utf8(&message.body) else { return Payload::Bytes };
    if cloudevent::is_in_attributes(&message.message_attributes) {
        return match cloudevent::from_attributes(&message.message_attributes) {
            Some(event) => Payload::CloudEvents(vec![event]),
            None => text::decode(body),
        };
    }
    known(body).unwrap_or_else(|| text::decode(body))
}

/// What the `Message` of an SNS envelope is, if it is an event in its own right; never another envelope.
pub fn decode_inner(message: &str) -> Option<Payload<'_>> {
    known(message).filter(|payload| !matches!(payload, Payload::Sns(_) | Payload::Json))
}

/// The payload of a known shape, or of any object that could be probed.
fn known(body: &str) -> Option<Payload<'_>> {
    match text::first_byte(body)? {
        b'[' => cloudevent::batch(body).map(Payload::CloudEvents),
        b'{' => Probe::parse(body).map(|probe| object(body, &probe)),
        _ => None,
    }
}

fn object<'a>(body: &'a str, probe: &Probe<'a>) -> Payload<'a> {
    if cloudevent::is_structured(probe) {
        return cloudevent::structured(body).map_or(Payload::Json, |event| Payload::CloudEvents(vec![event]));
    }
    eventbridge::decode(probe)
        .map(|event| Payload::EventBridge(Box::new(event)))
        .or_else(|| sns::decode(probe).map(|envelope| Payload::Sns(Box::new(envelope))))
        .or_else(|| s3::records(probe).map(Payload::S3))
        .or_else(|| s3::test_event(probe).map(Payload::S3Test))
        .or_else(|| alarm::decode(probe).map(Payload::Alarm))
        .or_else(|| autoscaling::decode(probe).map(Payload::AutoScaling))
        .unwrap_or(Payload::Json)
}
