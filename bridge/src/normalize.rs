//! One SQS message -> its CloudEvents. Pure.
//!
//! Deterministic: the same message gives the same ids on every delivery. Nothing is ever
//! refused: what no rule knows is delivered as JSON, text or bytes.

mod alarm;
mod autoscaling;
mod cloudevent;
pub(crate) mod eventbridge;
mod extensions;
mod generic;
pub(crate) mod identity;
mod origin;
mod received;
pub(crate) mod s3;
mod slug;
mod sns;
mod trace;

#[cfg(test)]
pub(crate) mod tests;

use std::ops::Index;
use std::slice;
use std::vec;

use crate::config::{DataSetting, EventSettings, Format, Queue};
use crate::decode::{self, Payload};
use crate::event::{Data, Event, media_type};
use crate::message::Message;
use crate::profile;

pub(crate) use origin::Origin;

/// The events of one message: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    events: Vec<Event>,
    /// Message attributes that became no extension, being over 1 KiB or holding control characters.
    pub skipped_extensions: u32,
}

impl Events {
    /// How many; never zero.
    #[expect(clippy::len_without_is_empty, reason = "there is no empty list of events")]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// The events in their order in the message.
    pub fn iter(&self) -> slice::Iter<'_, Event> {
        self.events.iter()
    }

    pub(crate) fn one(event: Event) -> Self {
        Self { events: vec![event], skipped_extensions: 0 }
    }

    /// One event for each of the things a message holds, of which decoding found at least one.
    pub(crate) fn each<T>(things: impl IntoIterator<Item = T>, event: impl FnMut(T) -> Event) -> Self {
        Self { events: things.into_iter().map(event).collect(), skipped_extensions: 0 }
    }

    /// Every event, changed.
    pub(crate) fn map(self, change: impl FnMut(Event) -> Event) -> Self {
        Self { events: self.events.into_iter().map(change).collect(), ..self }
    }
}

impl Index<usize> for Events {
    type Output = Event;

    fn index(&self, index: usize) -> &Event {
        &self.events[index]
    }
}

impl IntoIterator for Events {
    type Item = Event;
    type IntoIter = vec::IntoIter<Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = &'a Event;
    type IntoIter = slice::Iter<'a, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The `traceparent` of who sent the message, if it says so.
pub fn producer_traceparent(message: &Message) -> Option<String> {
    trace::of_message(message).map(|trace| trace.parent)
}

/// The events of a message.
///
/// `received_at_ms` (milliseconds since the Unix epoch) stands in for a missing SentTimestamp,
/// which only emulators leave out.
pub fn events(message: &Message, queue: &Queue, settings: &EventSettings, received_at_ms: u64) -> Events {
    let origin = Origin::of_queue(message, queue, settings, received_at_ms);
    let events = match settings.format {
        Format::Auto => recognised(&origin),
        Format::EventingAwssqs => profile::eventing_awssqs::events(&origin),
        Format::TriggerMesh => profile::triggermesh::events(&origin),
        Format::Aws => profile::aws::events(&origin),
        Format::IntegrationSource => profile::integration_source::events(&origin),
    };
    match settings.overrides.is_empty() {
        true => events,
        false => events.map(|event| overridden(event, settings)),
    }
}

/// The events of a message, each by the rules of what it is.
pub(crate) fn recognised(origin: &Origin<'_>) -> Events {
    let events = payload_events(&decode::decode(origin.message), origin);
    match (origin.settings.data, origin.text()) {
        (DataSetting::Envelope, Some(_)) => enveloped(events, origin.message),
        (DataSetting::Envelope | DataSetting::Event | DataSetting::Detail, _) => events,
    }
}

/// The events of a payload.
fn payload_events(payload: &Payload<'_>, origin: &Origin<'_>) -> Events {
    match payload {
        Payload::CloudEvents(events) => Events::each(events, |event| cloudevent::event(event, origin)),
        Payload::EventBridge(event) => eventbridge::events(event, origin),
        Payload::Sns(envelope) => sns::events(envelope, origin),
        Payload::S3(records) => s3::events(records, origin),
        Payload::S3Test(test) => s3::test_event(test, origin),
        Payload::Alarm(alarm) => alarm::events(alarm, origin),
        Payload::AutoScaling(notification) => autoscaling::events(notification, origin),
        Payload::Json => generic::json(origin),
        Payload::Text => generic::text(origin),
        Payload::Bytes => generic::bytes(origin),
    }
}

/// The same events with the whole message as their data.
fn enveloped(events: Events, message: &Message) -> Events {
    let envelope = received::envelope(message);
    events.map(|event| event.with_data(media_type::JSON, Data::json(envelope.clone())))
}

fn overridden(event: Event, settings: &EventSettings) -> Event {
    settings.overrides.iter().fold(event, |event, (name, value)| event.with_extension(name.clone(), value.clone()))
}
