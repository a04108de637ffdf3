//! Log and trace settings -> the process's subscriber. I/O: standard error, process-global state, a collector.

mod log;
pub mod otlp;
mod stdout;
mod throttle;
pub mod trace;

use std::fmt;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::runtime;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::{Identity, Logging, Observability, TracesExport};
use otlp::OtlpError;

pub use throttle::Throttle;
pub(crate) use throttle::throttled;

/// Why logs or traces cannot be set up.
#[derive(Debug)]
pub enum TelemetryError {
    /// The level is no filter.
    Level(String, tracing_subscriber::filter::ParseError),
    /// The exporter of traces cannot be made.
    Otlp(OtlpError),
    /// The process has a subscriber already.
    Subscriber(tracing_subscriber::util::TryInitError),
}

impl fmt::Display for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level, _) => {
                write!(f, "the log level `{level}` in K_LOGGING_CONFIG cannot be used: give debug, info, warn or error")
            }
            Self::Otlp(_) => f.write_str(
                "cannot export traces: check tracing-protocol and tracing-endpoint in K_OBSERVABILITY_CONFIG",
            ),
            Self::Subscriber(_) => f.write_str("cannot set up logs"),
        }
    }
}

impl std::error::Error for TelemetryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Level(_, error) => Some(error),
            Self::Otlp(error) => Some(error),
            Self::Subscriber(error) => Some(error),
        }
    }
}

/// What has to be flushed at the end of the process.
#[derive(Debug)]
#[must_use = "spans that were not sent are lost without `stop_blocking`"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Sets the process's subscriber: logs to standard error, spans to where `observability` says.
///
/// Needs a tokio runtime if traces are exported.
///
/// # Errors
///
/// When a setting cannot be used, or the process has a subscriber already.
pub fn start(
    logging: &Logging,
    observability: &Observability,
    identity: &Identity,
) -> Result<Telemetry, TelemetryError> {
    let traces = provider(observability, identity)?;
    let registry = tracing_subscriber::registry();
    // Without traces there is no layer for them at all: an absent one (`None`) would enable every span.
    let set = match &traces {
        Some(provider) => registry.with(spans_to(provider)).with(log::layer(logging, std::io::stderr)?).try_init(),
        None => registry.with(log::layer(logging, std::io::stderr)?).try_init(),
    };
    set.map_err(TelemetryError::Subscriber)?;
    Ok(Telemetry { traces })
}

impl Telemetry {
    /// Sends the spans that are left.
    ///
    /// Blocks for as long as that takes, while the runtime's threads must go on: call it by `spawn_blocking`.
    pub fn stop_blocking(self) {
        let Some(provider) = self.traces else { return };
        if let Err(error) = provider.shutdown() {
            tracing::debug!(%error, "the last export of traces failed");
        }
    }
}

/// Spans of [`trace::TARGET`] and nothing else become traces.
fn spans_to(provider: &SdkTracerProvider) -> Box<dyn Layer<Registry> + Send + Sync> {
    let tracer = provider.tracer("sqs-bridge");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    let layer = layer.with_location(false).with_target(false).with_threads(false).with_tracked_inactivity(false);
    layer.with_filter(tracing_subscriber::filter::filter_fn(|metadata| metadata.target() == trace::TARGET)).boxed()
}

fn provider(observability: &Observability, identity: &Identity) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(observability.sampling_rate)));
    let resource = otlp::resource(&observability.service_name, identity);
    let builder = SdkTracerProvider::builder().with_resource(resource).with_sampler(sampler);
    let builder = match &observability.traces {
        TracesExport::None => return Ok(None),
        TracesExport::Stdout => {
            builder.with_span_processor(BatchSpanProcessor::builder(stdout::SpanLines, runtime::Tokio).build())
        }
        TracesExport::OtlpHttp(endpoint) => {
            let exporter = otlp::http_spans(endpoint).map_err(TelemetryError::Otlp)?;
            builder.with_span_processor(BatchSpanProcessor::builder(exporter, runtime::Tokio).build())
        }
        TracesExport::OtlpGrpc(endpoint) => {
            let exporter = otlp::grpc_spans(endpoint).map_err(TelemetryError::Otlp)?;
            builder.with_span_processor(BatchSpanProcessor::builder(exporter, runtime::Tokio).build())
        }
    };
    let provider = builder.build();
    // Dropping the last handle would block for a last export, and for ever on a runtime of one thread.
    std::mem::forget(provider.clone());
    Ok(Some(provider))
}

/// Held by a test while it has a subscriber: what is enabled at a place in the code is remembered for all subscribers
/// of the process, and one that comes at the same moment on another thread may see the other's answer.
#[cfg(test)]
static ONE_SUBSCRIBER: std::sync::Mutex<()> = std::sync::Mutex::new(());
