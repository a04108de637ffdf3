//! What happened -> what to do next, for every message from its receive to its end. Pure.
//!
//! The engine does no I/O and knows no clock: [`Engine::handle`] takes what happened, [`Engine::advance`] takes
//! the time, [`Engine::take_commands`] gives what to do, and `run` does it. The files stand in the order
//! of a message's life:
//!
//! ```text
//! receive -> arrive -> post -> answer -> finish        (hold, keep, outage and drain beside)
//! ```

mod answer;
mod arrive;
mod drain;
mod entry;
mod finish;
mod hold;
mod keep;
mod memory;
mod outage;
mod post;
mod receive;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::admit::Admission;
use crate::breaker::Breaker;
use crate::concurrency::Concurrency;
use crate::config::{Config, Delivery, OnPoison, Queue, Receive};
use crate::deliver::{Delivered, Shipment};
use crate::describe::QueueFacts;
use crate::fault::{Fault, FaultRun};
use crate::health::Health;
use crate::lane::Lanes;
use crate::lease::{Extension, Leases};
use crate::message::Received;
use crate::metrics::{Metrics, Purpose};
use crate::pollers::Pollers;
use crate::rate::Rate;
use crate::receive::Poll;
use crate::settle::buffer::Buffer;
use crate::settle::write::{Doomed, Hide, Written};
use crate::telemetry::throttled;
use entry::Entry;
use memory::Memory;

/// A delivery: one stay of a message here, from its receive to its end. A redelivery has another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// What happened.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large ones are the usual ones: boxing them would cost an allocation a message"
)]
pub enum Input {
    /// A receive ended.
    Received(Poll, Result<Vec<Received>, Fault>),
    /// A POST ended.
    Delivered(Delivered),
    /// A POST's task failed by a defect; its message is left to its visibility timeout.
    Broken(Key),
    /// A delete batch ended.
    Deleted(Vec<Written<Doomed>>),
    /// A release or nack ended.
    Hidden(Purpose, Vec<Written<Hide>>),
    /// Extensions ended; they count from when they were asked for.
    Extended(Vec<Written<Extension>>, Instant),
    /// The queue's attributes were read.
    Described(Result<QueueFacts, Fault>),
    /// Stop receiving, finish what runs, give back the rest.
    Drain,
    /// Give back everything at once.
    Abort,
}

/// What to do; everything else waits for its `Input`.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one: boxing it would cost an allocation a message"
)]
pub enum Command {
    /// Ask SQS for messages.
    Receive(Poll),
    /// Make one POST.
    Deliver(Shipment),
    /// Delete up to ten messages.
    Delete(Vec<Doomed>),
    /// Give messages back, ten a call, one call after the other.
    Hide(Purpose, Vec<Hide>),
    /// Extend up to ten visibility timeouts.
    Extend(Vec<Extension>),
    /// Read the queue's attributes.
    Describe,
    /// Forget the cached credentials.
    RefreshIdentity,
}

/// The delivery engine of one queue.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    entries: HashMap<Key, Entry>,
    by_message: HashMap<Arc<str>, Key>,
    next_key: u64,
    ready: VecDeque<Key>,
    lanes: Lanes,
    leases: Leases,
    memory: Memory,
    admission: Admission,
    pollers: Pollers,
    concurrency: Concurrency,
    rate: Option<Rate>,
    rate_free_at: Option<Instant>,
    breaker: Breaker,
    outage: outage::Outage,
    deletes: Buffer<Doomed>,
    nacks: Buffer<Hide>,
    extensions: Buffer<Extension>,
    releases_running: usize,
    timers: BinaryHeap<Reverse<(Instant, Timer)>>,
    faults: FaultRun,
    facts: Option<QueueFacts>,
    quiet: receive::Quiet,
    cautious: hold::Cautious,
    delete_denied: bool,
    answered_at: Instant,
    phase: drain::Phase,
    commands: Vec<Command>,
    rng: Rng,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

/// What of the configuration the engine needs.
#[derive(Debug)]
struct Settings {
    queue: Queue,
    fifo: bool,
    delivery: Delivery,
    dead_letter_sink: bool,
    on_poison: OnPoison,
    receive: Receive,
    sink_timeout: Duration,
    drain_timeout: Duration,
}

/// What is due at a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The wait before another POST is over.
    Retry(Key),
    /// The wait before another delete is over.
    Redelete(Key),
    /// The queue's attributes are to be read.
    Describe,
    /// The window of admission is to be adjusted.
    Adjust,
}

/// Deletes in parallel; eight would cap a queue with 8 ms round trip at 10,000 messages a second.
const PARALLEL_DELETES: usize = 16;
const PARALLEL_EXTENSIONS: usize = 8;
const PARALLEL_NACKS: usize = 8;
const DELETE_LINGER: Duration = Duration::from_millis(200);
const FIFO_DELETE_LINGER: Duration = Duration::from_millis(20);
const NACK_LINGER: Duration = Duration::from_millis(50);
const ADJUST_EVERY: Duration = Duration::from_secs(1);
/// All POSTs under way and none answered for this long is worth a line in the log.
const STALL: Duration = Duration::from_secs(60);
/// RedrivePolicy and depth are read this often; more would cost an idle queue requests.
const DESCRIBE_EVERY: Duration = Duration::from_secs(1800);

impl Engine {
    /// An engine that has not asked SQS for anything yet.
    pub fn new(config: &Config, health: Arc<Health>, metrics: Arc<Metrics>, rng: Rng, now: Instant) -> Self {
        let fifo = config.queue.is_fifo();
        let visibility = config.receive.visibility_timeout;
        let linger = if fifo { FIFO_DELETE_LINGER } else { DELETE_LINGER };
        let mut engine = Self {
            entries: HashMap::new(),
            by_message: HashMap::new(),
            next_key: 0,
            ready: VecDeque::new(),
            lanes: Lanes::default(),
            leases: Leases::new(visibility),
            memory: Memory::default(),
            admission: Admission::new(&config.flow, visibility, now),
            pollers: Pollers::new(&config.receive, now),
            concurrency: Concurrency::new(config.flow.max_concurrency),
            rate: config.flow.max_rate.map(|per_second| Rate::new(per_second, now)),
            rate_free_at: None,
            breaker: Breaker::new(now),
            outage: outage::Outage::default(),
            deletes: Buffer::new(linger, PARALLEL_DELETES),
            nacks: Buffer::new(NACK_LINGER, PARALLEL_NACKS),
            extensions: Buffer::new(Duration::ZERO, PARALLEL_EXTENSIONS),
            releases_running: 0,
            timers: BinaryHeap::new(),
            faults: FaultRun::default(),
            facts: None,
            quiet: receive::Quiet::new(now),
            cautious: hold::Cautious::default(),
            delete_denied: false,
            answered_at: now,
            phase: drain::Phase::Running,
            commands: vec![Command::Describe],
            rng,
            health,
            metrics,
            settings: Settings {
                queue: config.queue.clone(),
                fifo,
                delivery: config.delivery.clone(),
                dead_letter_sink: config.dead_letter_sink.is_some(),
                on_poison: config.on_poison,
                receive: config.receive.clone(),
                sink_timeout: config.sink.timeout,
                drain_timeout: config.drain_timeout,
            },
        };
        engine.at(now + DESCRIBE_EVERY, Timer::Describe);
        engine.at(now + ADJUST_EVERY, Timer::Adjust);
        engine
    }

    /// Something happened.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Received(poll, result) => self.received(poll, result, now),
            Input::Delivered(delivered) => self.answered(delivered, now),
            Input::Broken(key) => self.broken(key, now),
            Input::Deleted(written) => self.deleted(written, now),
            Input::Hidden(purpose, written) => self.hidden(purpose, written, now),
            Input::Extended(written, asked_at) => self.extended(written, asked_at, now),
            Input::Described(result) => self.described(result),
            Input::Drain => self.drain(now),
            Input::Abort => self.abort(now),
        }
    }

    /// Time passed: whatever is due is done.
    pub fn advance(&mut self, now: Instant) {
        self.fire_timers(now);
        self.advance_outage(now);
        self.extend_leases(now);
        self.start_posts(now);
        self.flush(now);
        self.start_receives(now);
        self.advance_drain(now);
        self.report();
    }

    /// What to do now.
    pub fn take_commands(&mut self) -> std::vec::Drain<'_, Command> {
        self.commands.drain(..)
    }

    /// When `advance` has something to do, if nothing happens before.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        [
            self.timers.peek().map(|Reverse((at, _))| *at),
            self.leases.poll_timeout(),
            self.deletes.poll_timeout(),
            self.nacks.poll_timeout(),
            self.extensions.poll_timeout(),
            self.rate_free_at,
            self.receive_timeout(),
            self.outage_timeout(),
            self.drain_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// True once a drain has come to its end.
    pub fn is_finished(&self) -> bool {
        self.phase == drain::Phase::Finished
    }

    fn at(&mut self, at: Instant, timer: Timer) {
        self.timers.push(Reverse((at, timer)));
    }

    fn fire_timers(&mut self, now: Instant) {
        while let Some(&Reverse((at, timer))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            match timer {
                Timer::Retry(key) => self.retry_due(key),
                Timer::Redelete(key) => self.redelete_due(key, now),
                Timer::Describe => self.describe(now),
                Timer::Adjust => self.adjust(now),
            }
        }
    }

    fn adjust(&mut self, now: Instant) {
        let concurrency = u32::try_from(self.concurrency.limit()).unwrap_or(u32::MAX);
        self.admission.adjust(concurrency, now);
        let oldest = self.entries.values().map(|entry| now.saturating_duration_since(entry.received)).max();
        self.metrics.oldest(oldest.unwrap_or_default());
        if !self.concurrency.has_room() && now >= self.answered_at + STALL {
            throttled!(
                warn,
                now,
                event = "delivery_stalled",
                posts = self.concurrency.active(),
                "no POST was answered for a minute: the sink hangs"
            );
        }
        // An idle bridge sleeps: with nothing in flight there is nothing to adjust.
        if !self.entries.is_empty() {
            self.at(now + ADJUST_EVERY, Timer::Adjust);
            self.quiet.adjusting = true;
        } else {
            self.quiet.adjusting = false;
        }
    }

    fn report(&self) {
        let (_, bytes, window) = self.admission.usage();
        self.metrics.in_flight_bytes(bytes);
        self.metrics.in_flight_limit(u64::from(window));
        let backoff = usize::from(self.pollers.is_failing());
        let waiting = self.pollers.waiting();
        let paused = self.pollers.alive().saturating_sub(waiting + backoff);
        self.metrics.pollers(waiting, backoff, paused);
        self.metrics.concurrency(self.concurrency.limit(), self.concurrency.active());
        if self.settings.fifo {
            let (active, held) = self.lanes.count();
            self.metrics.lanes(active, held);
        }
        self.health.paused(self.pause());
    }
}
