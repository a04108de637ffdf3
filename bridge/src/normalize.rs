//! One SQS message -> its CloudEvents. Pure.
//!
//! Deterministic: the same message gives the same ids on every delivery. Nothing is ever
//! refused: what no rule knows is delivered as JSON, text or bytes.

use std::ops::Index;
use std::slice;
use std::vec;

use crate::config::{EventSettings, Queue};
use crate::event::{Data, Event, media_type, timestamp};
use crate::message::Message;

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

/// The events of a message.
///
/// `received_at_ms` (milliseconds since the Unix epoch) stands in for a missing SentTimestamp,
/// which only emulators leave out.
pub fn events(message: &Message, queue: &Queue, settings: &EventSettings, received_at_ms: u64) -> Events {
    let sent = message.attributes.sent_timestamp.as_deref().and_then(|sent| sent.parse::<i64>().ok());
    let millis = sent.unwrap_or_else(|| i64::try_from(received_at_ms).unwrap_or(i64::MAX));
    let mut event = Event::new(
        message.id.to_string(),
        queue.arn.to_string(),
        "com.amazonaws.sqs.message",
        timestamp::from_millis(millis),
    )
    .with_data(media_type::TEXT, Data::text(message.body.clone()))
    .with_extension("sqsmessageid", message.id.to_string());
    for (name, value) in &settings.overrides {
        event = event.with_extension(name.clone(), value.clone());
    }
    Events { events: vec![event], skipped_extensions: 0 }
}
