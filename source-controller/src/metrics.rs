//! What the controller counts, and the page that Prometheus reads. Pure.

use prometheus::{Encoder, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use crate::reconcile::apply::Change;

/// What the controller counts.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Passes over sources, by result: `ok` or the static category of the error.
    pub passes: IntCounterVec,
    /// Writes to the API server, by kind and by what became of the object.
    pub writes: IntCounterVec,
    /// How long a pass takes, in seconds.
    pub duration: Histogram,
    /// Sources there are.
    pub sources: IntGauge,
    /// 1 while this replica leads.
    pub leads: IntGauge,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Two instruments have the same name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Self {
            passes: IntCounterVec::new(
                Opts::new("source_controller_reconciles_total", "Passes over sources"),
                &["result"],
            )?,
            writes: IntCounterVec::new(
                Opts::new("source_controller_writes_total", "Writes to the API server"),
                &["kind", "change"],
            )?,
            duration: Histogram::with_opts(HistogramOpts::new(
                "source_controller_reconcile_duration_seconds",
                "Duration of a pass over a source",
            ))?,
            sources: IntGauge::new("source_controller_sources", "Sources there are")?,
            leads: IntGauge::new("source_controller_leads", "1 while this replica leads")?,
            registry,
        };
        let Self { registry, passes, writes, duration, sources, leads } = &metrics;
        registry.register(Box::new(passes.clone()))?;
        registry.register(Box::new(writes.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        registry.register(Box::new(sources.clone()))?;
        registry.register(Box::new(leads.clone()))?;
        Ok(metrics)
    }

    /// Counts what became of an object, unless nothing did.
    pub fn wrote(&self, kind: &str, change: Change) {
        let change = match change {
            Change::Kept => return,
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Adopted => "adopted",
        };
        self.writes.with_label_values(&[kind, change]).inc();
    }

    /// The page that Prometheus reads.
    pub fn page(&self) -> Vec<u8> {
        let mut page = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut page) {
            Ok(()) => page,
            Err(error) => format!("# {error}\n").into_bytes(),
        }
    }
}
