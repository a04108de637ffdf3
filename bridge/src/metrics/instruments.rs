//! The instruments behind [`super::Metrics`]: names, units, buckets, labels. Pure.

mod attempts;
mod levels;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter};

use super::labels::{Action, BreakerState, EventResult, Label, LeaseLoss, MessageOutcome, Purpose, Stage};
use crate::config::Identity;
use crate::fault::FaultClass;
use levels::Levels;

pub use attempts::Attempts;

/// Bucket bounds in seconds of OpenTelemetry's HTTP and messaging conventions, which Knative's dashboards expect.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// The same and two more, because a long poll takes up to 20 s.
const POLL_SECONDS: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 25.0];
const LAG_SECONDS: [f64; 14] =
    [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0];
const DELAY_SECONDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];
const BYTES: [f64; 7] = [256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];
const BATCH: [f64; 11] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

/// All instruments; the hot ones bound to their labels.
pub(super) struct Instruments {
    common: Vec<KeyValue>,
    aws_calls: Histogram<f64>,
    http_duration: Histogram<f64>,
    http_body: Histogram<f64>,
    consumed: BoundCounter<u64>,
    batch: BoundHistogram<f64>,
    pub(super) redelivered: [BoundCounter<u64>; 2],
    pub(super) body_size: BoundHistogram<f64>,
    pub(super) lag: BoundHistogram<f64>,
    pub(super) dispatch: Vec<BoundHistogram<f64>>,
    pub(super) events: Vec<BoundCounter<u64>>,
    pub(super) messages: Vec<BoundCounter<u64>>,
    leases_lost: Counter<u64>,
    pub(super) duplicates: BoundCounter<u64>,
    failed_entries: Counter<u64>,
    pub(super) delete_delay: BoundHistogram<f64>,
    breaker_transitions: Counter<u64>,
    pub(super) connections: BoundCounter<u64>,
    pub(super) extensions_skipped: BoundCounter<u64>,
    pub(super) events_oversized: BoundCounter<u64>,
    pub(super) receipts_dropped: BoundCounter<u64>,
    pub(super) levels: Arc<Levels>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter, identity: &Identity, destination: &str) -> Self {
        let make = Maker { meter, common: common(identity, destination) };
        let messages = make.counter("sqs_bridge.messages", "{message}", "Messages that came to their end.");
        let events = make.counter("sqs_bridge.events", "{event}", "Events that came to their end.");
        let redelivered =
            make.counter("sqs_bridge.redeliveries", "{message}", "Messages that had been received before.");
        Self {
            aws_calls: make.histogram(
                "messaging.client.operation.duration",
                "s",
                &POLL_SECONDS,
                "Duration of calls to AWS.",
            ),
            http_duration: make.histogram(
                "http.client.request.duration",
                "s",
                &SECONDS,
                "Duration of each POST to a sink.",
            ),
            http_body: make.histogram("http.client.request.body.size", "By", &BYTES, "Size of each POST's body."),
            consumed: make.bound_counter("messaging.client.consumed.messages", "{message}", "Messages received."),
            batch: make.bound_histogram("sqs_bridge.receive.batch", "{message}", &BATCH, "Messages per receive."),
            redelivered: [false, true].map(|near| redelivered.bind(&make.with([KeyValue::new("near_limit", near)]))),
            body_size: make.bound_histogram("sqs_bridge.body.size", "By", &BYTES, "Size of message bodies."),
            lag: make.bound_histogram(
                "sqs_bridge.queue.lag",
                "s",
                &LAG_SECONDS,
                "From sending a message to its acceptance by the sink.",
            ),
            dispatch: make.dispatch(identity),
            events: make.each::<EventResult>(&events, "result"),
            messages: make.each::<MessageOutcome>(&messages, "outcome"),
            leases_lost: make.counter("sqs_bridge.leases.lost", "{message}", "Leases lost before settlement."),
            duplicates: make.bound_counter(
                "sqs_bridge.duplicates.suppressed",
                "{message}",
                "Redeliveries of accepted messages, deleted without a POST.",
            ),
            failed_entries: make.counter(
                "sqs_bridge.batch.failed_entries",
                "{entry}",
                "Entries that failed in batch calls that succeeded.",
            ),
            delete_delay: make.bound_histogram(
                "sqs_bridge.delete.delay",
                "s",
                &DELAY_SECONDS,
                "From acceptance by the sink to deletion.",
            ),
            breaker_transitions: make.counter(
                "sqs_bridge.breaker.transitions",
                "{transition}",
                "Changes of the circuit breaker's state.",
            ),
            connections: make.bound_counter(
                "sqs_bridge.sink.connections.opened",
                "{connection}",
                "Connections opened to sinks.",
            ),
            extensions_skipped: make.bound_counter(
                "sqs_bridge.extensions.skipped",
                "{attribute}",
                "Message attributes that could not become extensions.",
            ),
            events_oversized: make.bound_counter(
                "sqs_bridge.events.oversized",
                "{event}",
                "Events longer than 64 KiB on the wire.",
            ),
            receipts_dropped: make.bound_counter(
                "sqs_bridge.receipts.dropped",
                "{message}",
                "Messages forgotten without being settled; always a defect.",
            ),
            levels: Levels::observed_by(meter, &make.common),
            common: make.common,
        }
    }

    pub(super) fn aws_call(&self, action: Action, purpose: Purpose, elapsed: Duration, fault: Option<FaultClass>) {
        let mut labels = self.with([
            KeyValue::new("messaging.operation.name", action.as_str()),
            KeyValue::new("purpose", purpose.as_str()),
        ]);
        labels.extend(fault.map(|class| KeyValue::new("error.type", class.as_str())));
        self.aws_calls.record(elapsed.as_secs_f64(), &labels);
        if matches!(action, Action::ReceiveMessage) {
            self.levels.receive_completed();
        }
    }

    pub(super) fn received(&self, messages: usize) {
        self.consumed.add(messages as u64);
        self.batch.record(messages as f64);
    }

    pub(super) fn lease_lost(&self, reason: LeaseLoss, stage: Stage) {
        let labels = [KeyValue::new("reason", reason.as_str()), KeyValue::new("stage", stage.as_str())];
        self.leases_lost.add(1, &self.with(labels));
    }

    pub(super) fn failed_entries(&self, purpose: Purpose, sender_fault: bool, entries: usize) {
        let labels = [KeyValue::new("purpose", purpose.as_str()), KeyValue::new("sender_fault", sender_fault)];
        self.failed_entries.add(entries as u64, &self.with(labels));
    }

    pub(super) fn breaker_transition(&self, to: BreakerState, reason: &'static str) {
        let labels = [KeyValue::new("to", to.as_str()), KeyValue::new("reason", reason)];
        self.breaker_transitions.add(1, &self.with(labels));
    }

    pub(super) fn attempts(&self, scheme: &str, host: &str, port: u16) -> Attempts {
        let labels = self.with([
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("server.address", host.to_owned()),
            KeyValue::new("server.port", i64::from(port)),
            KeyValue::new("url.scheme", scheme.to_owned()),
        ]);
        Attempts::new(self.http_duration.clone(), self.http_body.clone(), labels)
    }

    fn with<const N: usize>(&self, labels: [KeyValue; N]) -> Vec<KeyValue> {
        self.common.iter().cloned().chain(labels).collect()
    }
}

impl std::fmt::Debug for Instruments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instruments").field("common", &self.common).finish_non_exhaustive()
    }
}

/// The labels of every series.
fn common(identity: &Identity, destination: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system", "aws_sqs"),
        KeyValue::new("messaging.destination.name", destination.to_owned()),
        KeyValue::new("kn.source.name", identity.name.clone()),
        KeyValue::new("kn.source.namespace", identity.namespace.clone().unwrap_or_default()),
    ]
}

struct Maker<'a> {
    meter: &'a Meter,
    common: Vec<KeyValue>,
}

impl Maker<'_> {
    fn counter(&self, name: &'static str, unit: &'static str, description: &'static str) -> Counter<u64> {
        self.meter.u64_counter(name).with_unit(unit).with_description(description).build()
    }

    fn bound_counter(&self, name: &'static str, unit: &'static str, description: &'static str) -> BoundCounter<u64> {
        self.counter(name, unit, description).bind(&self.common)
    }

    fn histogram(
        &self,
        name: &'static str,
        unit: &'static str,
        bounds: &[f64],
        description: &'static str,
    ) -> Histogram<f64> {
        let builder = self.meter.f64_histogram(name).with_unit(unit).with_boundaries(bounds.to_vec());
        builder.with_description(description).build()
    }

    fn bound_histogram(
        &self,
        name: &'static str,
        unit: &'static str,
        bounds: &[f64],
        description: &'static str,
    ) -> BoundHistogram<f64> {
        self.histogram(name, unit, bounds, description).bind(&self.common)
    }

    /// Knative's own measure of a source's work.
    fn dispatch(&self, identity: &Identity) -> Vec<BoundHistogram<f64>> {
        let description = "From the first attempt at an event to its end.";
        let histogram = self.histogram("kn.eventing.dispatch.duration", "s", &SECONDS, description);
        let group = KeyValue::new("kn.source.resourcegroup", identity.resource_group.clone());
        let labels = |result: &EventResult| self.with([group.clone(), KeyValue::new("result", result.as_str())]);
        EventResult::ALL.iter().map(|result| histogram.bind(&labels(result))).collect()
    }

    fn each<L: Label>(&self, counter: &Counter<u64>, label: &'static str) -> Vec<BoundCounter<u64>> {
        L::ALL.iter().map(|value| counter.bind(&self.with([KeyValue::new(label, value.as_str())]))).collect()
    }

    fn with<const N: usize>(&self, labels: [KeyValue; N]) -> Vec<KeyValue> {
        self.common.iter().cloned().chain(labels).collect()
    }
}
