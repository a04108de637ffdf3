//! One queue as tests hold it: sending without HTTP, and what became of what was sent. I/O: memory.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::attribute::Attribute;
use super::cloud::Name;
use super::ledger::{Deed, Entry};
use super::message::Content;
use super::queue::{Counts, Queue};
use super::request::Outgoing;
use super::server::Shared;

/// A queue of a [`super::Simulator`].
#[derive(Clone, Debug)]
pub struct SimulatedQueue {
    shared: Arc<Shared>,
    name: Name,
}

impl SimulatedQueue {
    pub(super) fn new(shared: Arc<Shared>, name: Name) -> Self {
        Self { shared, name }
    }

    /// The URL under which the simulator serves it.
    pub fn url(&self) -> String {
        self.shared.state().cloud.url(&self.name)
    }

    /// Its ARN, in `us-east-1`.
    pub fn arn(&self) -> String {
        self.name.arn()
    }

    /// Sends a body as it is, also one that SQS would refuse; answers with the message id.
    pub fn send(&self, body: impl Into<String>) -> Arc<str> {
        self.send_message(&Outgoing { message_body: body.into(), ..Outgoing::default() })
    }

    /// Sends one body after the other.
    pub fn send_all<B: Into<String>>(&self, bodies: impl IntoIterator<Item = B>) -> Vec<Arc<str>> {
        bodies.into_iter().map(|body| self.send(body)).collect()
    }

    /// Sends a body to a group of a FIFO queue, with a deduplication id of its own.
    pub fn send_to_group(&self, group: &str, body: impl Into<String>) -> Arc<str> {
        let deduplication_id = Some(format!("{:016x}", fastrand::u64(..)));
        self.send_message(&Outgoing {
            message_body: body.into(),
            message_group_id: Some(group.to_owned()),
            message_deduplication_id: deduplication_id,
            ..Outgoing::default()
        })
    }

    /// Sends a body with message attributes.
    pub fn send_with(&self, body: impl Into<String>, attributes: &[(&str, Attribute)]) -> Arc<str> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.send_message(&Outgoing {
            message_body: body.into(),
            message_attributes: attributes.collect(),
            ..Outgoing::default()
        })
    }

    /// Sends a message as it is; answers with its id.
    ///
    /// # Panics
    ///
    /// When the queue has been removed.
    pub fn send_message(&self, message: &Outgoing) -> Arc<str> {
        let delay = message.delay_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        self.send_content(Content::new(message), delay)
    }

    /// Sends a message whose body stands on the wire as this JSON string literal, for what no Rust string can hold,
    /// such as `"\ud800"`.
    ///
    /// # Panics
    ///
    /// When it is not JSON, or the queue has been removed.
    pub fn send_json_literal(&self, literal: &str) -> Arc<str> {
        let body = RawValue::from_string(literal.to_owned()).expect("a JSON string literal");
        self.send_content(Content { body, ..Content::new(&Outgoing::default()) }, None)
    }

    /// How many messages there are of each kind now.
    pub fn counts(&self) -> Counts {
        self.shared.change(|now, state| {
            state.cloud.expire(now);
            state.cloud.queue(&self.name).map(Queue::counts).unwrap_or_default()
        })
    }

    /// True if no message is left.
    pub fn is_empty(&self) -> bool {
        self.counts() == Counts::default()
    }

    /// Ids of the messages that are left, in the order of sending.
    pub fn left(&self) -> Vec<Arc<str>> {
        let state = self.shared.state();
        let messages = state.cloud.queue(&self.name).map(Queue::messages).unwrap_or_default();
        messages.into_iter().map(|(_, message)| message.id.clone()).collect()
    }

    /// Bodies of the messages that are left, in the order of sending.
    pub fn bodies(&self) -> Vec<String> {
        let state = self.shared.state();
        let messages = state.cloud.queue(&self.name).map(Queue::messages).unwrap_or_default();
        messages.into_iter().map(|(_, message)| body_text(&message.content.body)).collect()
    }

    /// What became of one message, in order.
    pub fn history(&self, id: &str) -> Vec<Entry> {
        let state = self.shared.state();
        state.cloud.ledger.entries().iter().filter(|entry| &*entry.id == id).cloned().collect()
    }

    /// How often one message was received.
    pub fn receives(&self, id: &str) -> usize {
        self.history(id).iter().filter(|entry| matches!(entry.deed, Deed::Received { .. })).count()
    }

    /// True if the message was deleted.
    pub fn was_deleted(&self, id: &str) -> bool {
        self.history(id).iter().any(|entry| entry.deed == Deed::Deleted)
    }

    /// Holds messages back from so many in flight on, instead of 120,000.
    pub fn set_in_flight_limit(&self, limit: usize) {
        self.shared.change(|_, state| {
            if let Some(queue) = state.cloud.queue_mut(&self.name) {
                queue.settings.in_flight_limit = limit;
            }
        });
    }

    /// Lets other consumers hold so many messages that are not in this queue's books.
    pub fn set_in_flight_elsewhere(&self, count: usize) {
        self.shared.change(|_, state| {
            if let Some(queue) = state.cloud.queue_mut(&self.name) {
                queue.settings.in_flight_elsewhere = count;
            }
        });
    }

    fn send_content(&self, content: Content, delay: Option<Duration>) -> Arc<str> {
        let sent = self.shared.change(|now, state| {
            let delay = delay.or_else(|| state.cloud.queue(&self.name).map(|queue| queue.settings.delay()));
            state.cloud.send(now, &self.name, content, delay.unwrap_or_default())
        });
        sent.expect("the queue exists").id
    }
}

fn body_text(body: &RawValue) -> String {
    serde_json::from_str(body.get()).unwrap_or_else(|_| body.get().to_owned())
}
