//! The deduplication ids of the last five minutes -> the message that a repeated send repeats. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::Sent;
use crate::sqs::clock::Time;

/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html)
const INTERVAL: Duration = Duration::from_secs(300);

/// What was sent lately, by deduplication key.
#[derive(Debug, Default)]
pub struct Deduplication {
    sent: HashMap<String, Sent>,
    order: VecDeque<(Time, String)>,
}

impl Deduplication {
    /// The first send with this key within the interval.
    pub fn find(&mut self, now: Time, key: &str) -> Option<Sent> {
        while let Some((_, old)) = self.order.pop_front_if(|(sent_at, _)| *sent_at + INTERVAL <= now) {
            self.sent.remove(&old);
        }
        self.sent.get(key).cloned()
    }

    /// Remembers a send.
    pub fn remember(&mut self, now: Time, key: String, sent: Sent) {
        self.order.push_back((now, key.clone()));
        self.sent.insert(key, sent);
    }
}
