//! Values that go up and down: set by the engine, read when a page or an export asks. I/O: the clock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::metrics::labels::{BreakerState, Label, Stage};

const POLLER_STATES: [&str; 3] = ["waiting", "backoff", "paused"];
const LANE_STATES: [&str; 2] = ["active", "held"];

#[derive(Debug)]
pub(in crate::metrics) struct Levels {
    pollers: [AtomicI64; 3],
    lanes: [AtomicI64; 2],
    in_flight: [AtomicI64; Stage::ALL.len()],
    pub(in crate::metrics) in_flight_bytes: Whole,
    pub(in crate::metrics) in_flight_limit: Whole,
    pub(in crate::metrics) oldest_age: Fraction,
    pub(in crate::metrics) concurrency_limit: Whole,
    pub(in crate::metrics) concurrency_active: Whole,
    pub(in crate::metrics) breaker: Whole,
    pub(in crate::metrics) credentials_remaining: Fraction,
    started: Instant,
    /// Milliseconds from `started` to the last completed receive.
    last_receive: OnceLock<AtomicU64>,
}

/// An unsigned value, unknown until it is first set.
#[derive(Debug)]
pub(in crate::metrics) struct Whole(AtomicU64);

/// Seconds, unknown until they are first set.
#[derive(Debug)]
pub(in crate::metrics) struct Fraction(AtomicU64);

/// Name, unit and description.
struct Shown(&'static str, &'static str, &'static str);

const UNSET: u64 = u64::MAX;

impl Levels {
    /// Levels that a meter reads whenever it is asked for values.
    pub(super) fn observed_by(meter: &Meter, common: &[KeyValue]) -> Arc<Self> {
        let levels = Arc::new(Self::new());
        levels.observe_counts(meter, common);
        levels.observe_gauges(meter, common);
        levels.observe_breaker(meter, common);
        levels
    }

    pub(in crate::metrics) fn set_pollers(&self, pollers: [usize; 3]) {
        set_all(&self.pollers, pollers);
    }

    pub(in crate::metrics) fn set_lanes(&self, lanes: [usize; 2]) {
        set_all(&self.lanes, lanes);
    }

    pub(in crate::metrics) fn add_in_flight(&self, stage: Stage, delta: i64) {
        self.in_flight[stage as usize].fetch_add(delta, Ordering::Relaxed);
    }

    pub(super) fn receive_completed(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_receive.get_or_init(AtomicU64::default).store(now, Ordering::Relaxed);
    }

    fn new() -> Self {
        Self {
            pollers: Default::default(),
            lanes: Default::default(),
            in_flight: Default::default(),
            in_flight_bytes: Whole::unset(),
            in_flight_limit: Whole::unset(),
            oldest_age: Fraction::unset(),
            concurrency_limit: Whole::unset(),
            concurrency_active: Whole::unset(),
            breaker: Whole::unset(),
            credentials_remaining: Fraction::unset(),
            started: Instant::now(),
            last_receive: OnceLock::new(),
        }
    }

    fn receive_age(&self) -> Option<f64> {
        let last = self.last_receive.get()?.load(Ordering::Relaxed);
        Some((self.started.elapsed().as_secs_f64() - last as f64 / 1_000.0).max(0.0))
    }

    fn observe_counts(self: &Arc<Self>, meter: &Meter, common: &[KeyValue]) {
        let stages = Stage::ALL.iter().map(|stage| stage.as_str());
        let messages = Shown("sqs_bridge.in_flight.messages", "{message}", "Messages received and not settled.");
        self.observe_states(meter, messages, ("stage", stages), common, |levels| &levels.in_flight);
        let pollers = Shown("sqs_bridge.pollers", "{poller}", "Tasks that call ReceiveMessage.");
        self.observe_states(meter, pollers, ("state", POLLER_STATES.into_iter()), common, |levels| &levels.pollers);
        let lanes = Shown("sqs_bridge.fifo.lanes", "{lane}", "Message groups of a FIFO queue that have messages here.");
        self.observe_states(meter, lanes, ("state", LANE_STATES.into_iter()), common, |levels| &levels.lanes);
        let (levels, labels) = (Arc::clone(self), common.to_vec());
        // Without its unit: the Prometheus exporter would call it `…_bytes_bytes`.
        let bytes = meter.i64_observable_up_down_counter("sqs_bridge.in_flight.bytes");
        bytes
            .with_description("Bytes of messages received and not settled.")
            .with_callback(move |observer| {
                if let Some(bytes) = levels.in_flight_bytes.get() {
                    observer.observe(i64::try_from(bytes).unwrap_or(i64::MAX), &labels);
                }
            })
            .build();
    }

    fn observe_states(
        self: &Arc<Self>,
        meter: &Meter,
        Shown(name, unit, description): Shown,
        (label, words): (&'static str, impl Iterator<Item = &'static str>),
        common: &[KeyValue],
        values: impl Fn(&Self) -> &[AtomicI64] + Send + Sync + 'static,
    ) {
        let labels: Vec<_> = words.map(|word| with(common, KeyValue::new(label, word))).collect();
        let levels = Arc::clone(self);
        let builder = meter.i64_observable_up_down_counter(name).with_unit(unit).with_description(description);
        builder
            .with_callback(move |observer| {
                for (value, labels) in values(&levels).iter().zip(&labels) {
                    observer.observe(value.load(Ordering::Relaxed), labels);
                }
            })
            .build();
    }

    fn observe_gauges(self: &Arc<Self>, meter: &Meter, common: &[KeyValue]) {
        let whole = |Shown(name, unit, description), value: fn(&Self) -> &Whole| {
            let (levels, labels) = (Arc::clone(self), common.to_vec());
            let builder = meter.u64_observable_gauge(name).with_unit(unit).with_description(description);
            builder
                .with_callback(move |observer| {
                    value(&levels).get().into_iter().for_each(|value| observer.observe(value, &labels))
                })
                .build();
        };
        let limit = Shown("sqs_bridge.in_flight.limit", "{message}", "Messages that may be in flight.");
        whole(limit, |levels| &levels.in_flight_limit);
        let limit = Shown("sqs_bridge.concurrency.limit", "{request}", "POSTs that may run at once.");
        whole(limit, |levels| &levels.concurrency_limit);
        let active = Shown("sqs_bridge.concurrency.active", "{request}", "POSTs that run.");
        whole(active, |levels| &levels.concurrency_active);
        let seconds = |Shown(name, unit, description), value: fn(&Self) -> Option<f64>| {
            let (levels, labels) = (Arc::clone(self), common.to_vec());
            let builder = meter.f64_observable_gauge(name).with_unit(unit).with_description(description);
            builder
                .with_callback(move |observer| {
                    value(&levels).into_iter().for_each(|value| observer.observe(value, &labels))
                })
                .build();
        };
        let age = Shown("sqs_bridge.receive.last_completed.age", "s", "Since the last receive ended, well or not.");
        seconds(age, Self::receive_age);
        let age = Shown("sqs_bridge.in_flight.oldest.age", "s", "Age of the message in flight for longest.");
        seconds(age, |levels| levels.oldest_age.get());
        let remaining = Shown("sqs_bridge.credentials.remaining", "s", "Until the AWS credentials in use expire.");
        seconds(remaining, |levels| levels.credentials_remaining.get());
    }

    /// One series per state, 1 for the state that holds and 0 for the others.
    fn observe_breaker(self: &Arc<Self>, meter: &Meter, common: &[KeyValue]) {
        let state = |state: &BreakerState| with(common, KeyValue::new("state", state.as_str()));
        let labels: Vec<_> = BreakerState::ALL.iter().map(state).collect();
        let levels = Arc::clone(self);
        let builder = meter
            .u64_observable_gauge("sqs_bridge.breaker.state")
            .with_unit("1")
            .with_description("1 for the circuit breaker's state, 0 for the others.");
        builder
            .with_callback(move |observer| {
                let Some(now) = levels.breaker.get() else { return };
                for (state, labels) in labels.iter().enumerate() {
                    observer.observe(u64::from(state as u64 == now), labels);
                }
            })
            .build();
    }
}

impl Whole {
    fn unset() -> Self {
        Self(AtomicU64::new(UNSET))
    }

    pub(in crate::metrics) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|value| *value != UNSET)
    }
}

impl Fraction {
    fn unset() -> Self {
        Self(AtomicU64::new(UNSET))
    }

    pub(in crate::metrics) fn set(&self, seconds: f64) {
        self.0.store(seconds.to_bits(), Ordering::Relaxed);
    }

    fn get(&self) -> Option<f64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|bits| *bits != UNSET).map(f64::from_bits)
    }
}

fn set_all<const N: usize>(levels: &[AtomicI64; N], values: [usize; N]) {
    for (level, value) in levels.iter().zip(values) {
        level.store(i64::try_from(value).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

fn with(common: &[KeyValue], label: KeyValue) -> Vec<KeyValue> {
    common.iter().cloned().chain([label]).collect()
}
