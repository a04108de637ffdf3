//! The bridge under fire: each failure that consumers of SQS are known for, one test each, and random schedules of all
//! of them. `fail_NN_…` is row FAIL-NN of the delivery reference; a contract test wants each number once.
//!
//! Time is virtual ([`tests::timelapse`]) and figures are counts or virtual durations, so no test depends on the speed
//! of the machine. What needs a process of its own runs the real program.

mod connections;
mod content;
mod deletes;
mod fifo;
mod flow;
mod leases;
mod memory;
mod outages;
mod refusals;
mod replicas;
mod requests;
mod schedules;
mod shutdown;
mod silence;

use std::time::Duration;

use tests::scene::{LONG, SOON, Scene};
use tests::sink::Reply;
use tests::sqs::{Action, Code, Deed, FailEntries, Fault, Latency, Which, on};
use tests::timelapse::{pass, timelapse};
use tests::wait::eventually;
use tokio::time::Instant;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Numbers as bodies.
fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| number.to_string())
}
