//! What the bridge does -> counters, gauges and histograms, each named once. I/O: the clock, a collector.
//!
//! Labels are enums with fixed words, so the number of series is bounded; message ids, groups and event types never become labels.
//! Hot instruments are bound to their labels when they are made: one record costs an atomic add or one uncontended lock.

mod export;
mod instruments;
mod labels;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Identity, Observability};
use crate::fault::FaultClass;
use instruments::Instruments;

pub use export::MetricsError;
pub use instruments::Attempts;
pub use labels::{Action, BreakerState, EventResult, LeaseLoss, MessageOutcome, Purpose, Stage};

/// Every instrument of the bridge, and where their values can be read.
#[derive(Debug)]
pub struct Metrics {
    instruments: Instruments,
    export: export::Export,
}

impl Metrics {
    /// Instruments that are only read through [`Metrics::page`].
    ///
    /// `destination` is the queue's name.
    ///
    /// # Errors
    ///
    /// When the Prometheus registry refuses the exporter.
    pub fn new(identity: &Identity, destination: &str) -> Result<Arc<Self>, MetricsError> {
        Self::from_export(export::page_only(identity)?, identity, destination)
    }

    /// Instruments that are also exported as `observability` says; needs a tokio runtime if that is OTLP.
    ///
    /// # Errors
    ///
    /// When the OTLP exporter cannot be made, such as for an endpoint that is no URL.
    pub fn start(
        observability: &Observability,
        identity: &Identity,
        destination: &str,
    ) -> Result<Arc<Self>, MetricsError> {
        Self::from_export(export::start(observability, identity)?, identity, destination)
    }

    fn from_export(export: export::Export, identity: &Identity, destination: &str) -> Result<Arc<Self>, MetricsError> {
        let instruments = Instruments::new(&export.meter(), identity, destination);
        Ok(Arc::new(Self { instruments, export }))
    }

    /// All values in Prometheus' text format.
    pub fn page(&self) -> String {
        self.export.page()
    }

    /// Sends what is left to the collector, if there is one; at the end of the process.
    ///
    /// Blocks for as long as that takes, while the runtime's threads must go on: call it by `spawn_blocking`.
    pub fn stop_blocking(&self) {
        self.export.stop_blocking();
    }

    /// One AWS call ended.
    pub fn aws_call(&self, action: Action, purpose: Purpose, elapsed: Duration, fault: Option<FaultClass>) {
        self.instruments.aws_call(action, purpose, elapsed, fault);
    }

    /// A receive brought so many messages.
    pub fn received(&self, messages: usize) {
        self.instruments.received(messages);
    }

    /// A message came that had been received before; `near_limit` if the next failure sends it to the dead-letter queue.
    pub fn redelivered(&self, near_limit: bool) {
        self.instruments.redelivered[usize::from(near_limit)].add(1);
    }

    /// The length of a message's body.
    pub fn body_size(&self, bytes: usize) {
        self.instruments.body_size.record(bytes as f64);
    }

    /// From the message's SentTimestamp to its acceptance by the sink.
    pub fn lag(&self, lag: Duration) {
        self.instruments.lag.record(lag.as_secs_f64());
    }

    /// The instruments of POSTs to one destination; the sink records every attempt there by itself.
    pub fn attempts(&self, scheme: &str, host: &str, port: u16) -> Attempts {
        self.instruments.attempts(scheme, host, port)
    }

    /// An event came to its end; `elapsed` since its first attempt.
    pub fn dispatched(&self, result: EventResult, elapsed: Duration) {
        self.instruments.events[result as usize].add(1);
        self.instruments.dispatch[result as usize].record(elapsed.as_secs_f64());
    }

    /// A message came to its end.
    pub fn message(&self, outcome: MessageOutcome) {
        self.instruments.messages[outcome as usize].add(1);
    }

    /// How many pollers are in each state now.
    pub fn pollers(&self, waiting: usize, backoff: usize, paused: usize) {
        self.instruments.levels.set_pollers([waiting, backoff, paused]);
    }

    /// So many more (or fewer) messages are in this stage.
    pub fn in_flight(&self, stage: Stage, delta: i64) {
        self.instruments.levels.add_in_flight(stage, delta);
    }

    /// Bytes of all messages in flight now.
    pub fn in_flight_bytes(&self, bytes: u64) {
        self.instruments.levels.in_flight_bytes.set(bytes);
    }

    /// How many messages may be in flight now.
    pub fn in_flight_limit(&self, messages: u64) {
        self.instruments.levels.in_flight_limit.set(messages);
    }

    /// Age of the message that has been in flight for longest; zero if there is none.
    pub fn oldest(&self, age: Duration) {
        self.instruments.levels.oldest_age.set(age.as_secs_f64());
    }

    /// A lease was lost while its message was in this stage.
    pub fn lease_lost(&self, reason: LeaseLoss, stage: Stage) {
        self.instruments.lease_lost(reason, stage);
    }

    /// A redelivery of an accepted message was deleted without a POST.
    pub fn duplicate_suppressed(&self) {
        self.instruments.duplicates.add(1);
    }

    /// Entries of a batch failed while the call itself succeeded.
    pub fn failed_entries(&self, purpose: Purpose, sender_fault: bool, entries: usize) {
        self.instruments.failed_entries(purpose, sender_fault, entries);
    }

    /// From acceptance to deletion.
    pub fn delete_delay(&self, delay: Duration) {
        self.instruments.delete_delay.record(delay.as_secs_f64());
    }

    /// How many POSTs may run at once, and how many do.
    pub fn concurrency(&self, limit: usize, active: usize) {
        self.instruments.levels.concurrency_limit.set(limit as u64);
        self.instruments.levels.concurrency_active.set(active as u64);
    }

    /// The circuit breaker's state now.
    pub fn breaker(&self, state: BreakerState) {
        self.instruments.levels.breaker.set(state as u64);
    }

    /// The circuit breaker changed its state.
    pub fn breaker_transition(&self, to: BreakerState, reason: &'static str) {
        self.instruments.breaker_transition(to, reason);
    }

    /// FIFO lanes at work and held by a failing head.
    pub fn lanes(&self, active: usize, held: usize) {
        self.instruments.levels.set_lanes([active, held]);
    }

    /// A connection to a sink was opened.
    pub fn connection_opened(&self) {
        self.instruments.connections.add(1);
    }

    /// How long the AWS credentials in use are still good.
    pub fn credentials_remaining(&self, remaining: Duration) {
        self.instruments.levels.credentials_remaining.set(remaining.as_secs_f64());
    }

    /// Message attributes that could not become extensions.
    pub fn extensions_skipped(&self, extensions: u32) {
        self.instruments.extensions_skipped.add(u64::from(extensions));
    }

    /// An event is longer than 64 KiB on the wire, which CloudEvents intermediaries need not forward.
    pub fn event_oversized(&self) {
        self.instruments.events_oversized.add(1);
    }

    /// A message was forgotten without being settled; always a defect.
    pub fn receipt_dropped(&self) {
        self.instruments.receipts_dropped.add(1);
    }
}

#[cfg(test)]
mod tests;
