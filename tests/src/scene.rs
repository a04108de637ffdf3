//! A simulated queue, a scripted sink and the settings of a bridge between them: the stage of most tests. I/O: TCP.
//!
//! ```ignore
//! let scene = Scene::new().await;
//! let bridge = scene.start().await;
//! scene.queue.send("hello");
//! scene.drained().await;
//! scene.assert_nothing_lost();
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bridge::{RunningBridge, Setup};
use crate::sink::Sink;
use crate::sqs::{Deed, SimulatedQueue, Simulator};
use crate::wait::eventually;

/// Long enough for whatever a test waits for; under [`crate::timelapse`] it costs nothing.
pub const LONG: Duration = Duration::from_secs(3600);
/// The same on a real clock.
pub const SOON: Duration = Duration::from_secs(60);

/// A simulator with one queue, a sink, and the settings of a bridge between them.
#[derive(Debug)]
pub struct Scene {
    /// The simulated SQS.
    pub sqs: Simulator,
    /// Its queue that the bridge drains.
    pub queue: SimulatedQueue,
    /// Where events arrive.
    pub sink: Sink,
}

impl Scene {
    /// A standard queue.
    pub async fn new() -> Self {
        Self::with_queue("q", &[]).await
    }

    /// A FIFO queue.
    pub async fn fifo() -> Self {
        Self::with_queue("q.fifo", &[]).await
    }

    /// A queue whose messages leave for a dead-letter queue, the second result, after so many receives.
    pub async fn with_redrive(name: &str, receives: u32) -> (Self, SimulatedQueue) {
        let sqs = Simulator::start().await;
        let grave = sqs.queue(if name.ends_with(".fifo") { "dlq.fifo" } else { "dlq" });
        let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{receives}}}"#, grave.arn());
        let queue = sqs.queue_with(name, &[("RedrivePolicy", &policy)]);
        (Self { sqs, queue, sink: Sink::start().await }, grave)
    }

    /// A queue with attributes of its own.
    pub async fn with_queue(name: &str, attributes: &[(&str, &str)]) -> Self {
        let sqs = Simulator::start().await;
        let queue = sqs.queue_with(name, attributes);
        Self { sqs, queue, sink: Sink::start().await }
    }

    /// The settings of a bridge from the queue to the sink, all else by default.
    pub fn setup(&self) -> Setup {
        Setup::between(&self.queue, &self.sink)
    }

    /// Starts a bridge with these settings in this process.
    pub async fn start(&self) -> RunningBridge {
        self.setup().start().await
    }

    /// Sends `each` messages to each of `groups` groups of a FIFO queue, in turns: bodies `<group>:<number>` by group
    /// `group-<group>`.
    pub fn send_groups(&self, groups: usize, each: usize) -> BTreeMap<String, Vec<String>> {
        let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for number in 0..each {
            for group in 0..groups {
                let (group, body) = (format!("group-{group}"), format!("{group}:{number:03}"));
                self.queue.send_to_group(&group, &body);
                sent.entry(group).or_default().push(body);
            }
        }
        sent
    }

    /// Waits until every message has left the queue.
    pub async fn drained(&self) {
        self.drained_within(LONG).await;
    }

    /// Waits until every message has left the queue.
    ///
    /// # Panics
    ///
    /// When it has not after `deadline`.
    pub async fn drained_within(&self, deadline: Duration) {
        eventually(deadline, async || {
            let counts = self.queue.counts();
            if self.queue.is_empty() { Ok(()) } else { Err((counts, self.sink.count())) }
        })
        .await;
    }

    /// Every message that was sent was deleted, and no fewer events were accepted.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub fn assert_nothing_lost(&self) {
        let ledger = self.sqs.ledger();
        let sent = ledger.iter().filter(|entry| entry.deed == Deed::Sent).count();
        let deleted = ledger.iter().filter(|entry| entry.deed == Deed::Deleted).count();
        assert_eq!(deleted, sent, "every message sent is deleted");
        assert!(self.sink.accepted_count() >= sent, "each message brings an event");
    }
}
