//! Where a payload comes from: the message, the queue, perhaps a topic; what its own fields leave open. Pure.

use std::borrow::Cow;

use bytes::Bytes;

use super::identity;
use crate::config::{EventSettings, Queue};
use crate::decode::arn::Arn;
use crate::decode::sns;
use crate::event::timestamp;
use crate::message::Message;

/// Where a payload comes from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub message: &'a Message,
    pub queue: &'a Queue,
    pub settings: &'a EventSettings,
    received_at_ms: u64,
    /// The text that the payload was found in: the body of the message, or what a topic carried.
    pub content: &'a Bytes,
    /// The envelope in the body.
    pub envelope: Option<&'a sns::Envelope<'a>>,
    is_unwrapped: bool,
}

impl<'a> Origin<'a> {
    pub(super) fn of_queue(
        message: &'a Message,
        queue: &'a Queue,
        settings: &'a EventSettings,
        received_at_ms: u64,
    ) -> Self {
        Self { message, queue, settings, received_at_ms, content: &message.body, envelope: None, is_unwrapped: false }
    }

    /// The same, knowing that the body is the envelope of a topic.
    pub(super) fn of_envelope<'b>(&'b self, envelope: &'b sns::Envelope<'b>) -> Origin<'b> {
        Origin { envelope: Some(envelope), ..*self }
    }

    /// The same, seen from what the envelope holds.
    pub(super) fn unwrapped<'b>(&'b self, content: &'b Bytes) -> Origin<'b> {
        Origin { content, is_unwrapped: true, ..*self }
    }

    /// The envelope that the payload was taken out of.
    pub fn topic(&self) -> Option<&'a sns::Envelope<'a>> {
        self.envelope.filter(|_| self.is_unwrapped)
    }

    /// The content as text; `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.content).ok()
    }

    /// Part of the content, without a copy.
    pub fn slice(&self, part: &str) -> Bytes {
        let start = part.as_ptr().addr().wrapping_sub(self.content.as_ptr().addr());
        match start.checked_add(part.len()) {
            Some(end) if end <= self.content.len() => self.content.slice(start..end),
            _ => Bytes::copy_from_slice(part.as_bytes()),
        }
    }

    /// MessageId; a message without one has an id made from its body.
    pub fn message_id(&self) -> String {
        match self.message.id.is_empty() {
            true => identity::content_id(&self.message.body),
            false => self.message.id.to_string(),
        }
    }

    /// The id of an event that brings none: that of SNS, which outlives a move between queues, else MessageId.
    pub fn id(&self) -> String {
        let published = self.topic().map(|topic| &topic.message_id).filter(|id| !id.is_empty());
        published.map_or_else(|| self.message_id(), ToString::to_string)
    }

    /// SentTimestamp in milliseconds since the Unix epoch, else the time of receipt.
    pub fn sent_millis(&self) -> i64 {
        let sent = self.message.attributes.sent_timestamp.as_deref().and_then(|sent| sent.parse().ok());
        sent.unwrap_or_else(|| i64::try_from(self.received_at_ms).unwrap_or(i64::MAX))
    }

    /// The event's own time as it is if it is RFC 3339, else when the message was sent.
    pub fn time(&self, own: Option<&str>) -> String {
        let own = own.filter(|time| timestamp::is_rfc3339(time));
        own.map_or_else(|| timestamp::from_millis(self.sent_millis()), str::to_owned)
    }

    /// The ARN of the topic, else of the queue.
    pub fn arn(&self) -> String {
        self.envelope.map_or_else(|| self.queue.arn.to_string(), |envelope| envelope.topic_arn.to_string())
    }

    /// The account of the topic, else of the queue; `None` if it is not known.
    pub fn account(&self) -> Option<Cow<'a, str>> {
        let topic = self.topic_arn().map(|arn| arn.account);
        known(topic).or_else(|| known(Some(&self.queue.arn.account)))
    }

    /// The region of the topic, else of the queue.
    pub fn region(&self) -> Cow<'a, str> {
        let topic = self.topic_arn().map(|arn| arn.region);
        known(topic).unwrap_or(Cow::Borrowed(&self.queue.arn.region))
    }

    fn topic_arn(&self) -> Option<Arn<'a>> {
        self.envelope.and_then(|envelope| Arn::parse(&envelope.topic_arn))
    }
}

fn known(part: Option<&str>) -> Option<Cow<'_, str>> {
    part.filter(|part| !part.is_empty()).map(Cow::Borrowed)
}
