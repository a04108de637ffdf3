//! The bridge end to end: a simulated queue, real HTTP on both sides, a scripted sink.
//!
//! Where time matters a test runs under [`tests::timelapse`], so that an outage of half an hour passes in a second and
//! nothing depends on the speed of the machine. Tests of signals and exit codes run the real program.

mod batch;
mod deliver;
mod faults;
mod fifo;
mod lease;
mod mapped;
mod poison;
mod retry;
mod settings;
mod shutdown;

use std::time::Duration;

use tests::bridge::{RunningBridge, Setup};
use tests::sink::Sink;
use tests::sqs::{Deed, SimulatedQueue, Simulator};
use tests::timelapse::{pass, timelapse};
use tests::wait::eventually;

/// Long enough for whatever a test waits for; under timelapse it costs nothing.
const LONG: Duration = Duration::from_secs(3600);
/// The same on a real clock.
const SOON: Duration = Duration::from_secs(60);

/// A simulator with one queue, a sink, and the settings of a bridge between them.
struct Scene {
    sqs: Simulator,
    queue: SimulatedQueue,
    sink: Sink,
}

impl Scene {
    async fn new() -> Self {
        Self::with_queue("q", &[]).await
    }

    async fn fifo() -> Self {
        Self::with_queue("q.fifo", &[]).await
    }

    /// A queue whose messages leave for the queue `dlq` after so many receives.
    async fn with_redrive(name: &str, receives: u32) -> (Self, SimulatedQueue) {
        let sqs = Simulator::start().await;
        let grave = sqs.queue(if name.ends_with(".fifo") { "dlq.fifo" } else { "dlq" });
        let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{receives}}}"#, grave.arn());
        let queue = sqs.queue_with(name, &[("RedrivePolicy", &policy)]);
        (Self { sqs, queue, sink: Sink::start().await }, grave)
    }

    async fn with_queue(name: &str, attributes: &[(&str, &str)]) -> Self {
        let sqs = Simulator::start().await;
        let queue = sqs.queue_with(name, attributes);
        Self { sqs, queue, sink: Sink::start().await }
    }

    fn setup(&self) -> Setup {
        Setup::between(&self.queue, &self.sink)
    }

    async fn start(&self) -> RunningBridge {
        self.setup().start().await
    }

    /// Waits until every message has left the queue.
    async fn drained(&self) {
        self.drained_within(LONG).await;
    }

    async fn drained_within(&self, deadline: Duration) {
        eventually(deadline, async || {
            let counts = self.queue.counts();
            if self.queue.is_empty() { Ok(()) } else { Err((counts, self.sink.count())) }
        })
        .await;
    }

    /// Every message that was sent was deleted, and no fewer events were accepted.
    fn assert_nothing_lost(&self) {
        let ledger = self.sqs.ledger();
        let sent = ledger.iter().filter(|entry| entry.deed == Deed::Sent).count();
        let deleted = ledger.iter().filter(|entry| entry.deed == Deed::Deleted).count();
        assert_eq!(deleted, sent, "every message sent is deleted");
        assert!(self.sink.accepted_count() >= sent, "each message brings an event");
    }
}
