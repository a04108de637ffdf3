//! Log settings -> the layer that writes lines. I/O: its writer.

use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{Layer, registry::LookupSpan};

use super::{TelemetryError, trace};
use crate::config::Logging;

/// Lines for people, or one JSON object each; spans that are made for traces are left out.
pub(super) fn layer<S, W>(logging: &Logging, writer: W) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let level = EnvFilter::builder().parse(&logging.level);
    let level = level.map_err(|error| TelemetryError::Level(logging.level.clone(), error))?;
    let filter = level.and(filter_fn(|metadata| metadata.target() != trace::TARGET));
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(logging.color && !logging.json);
    Ok(if logging.json {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter(filter).boxed()
    } else {
        layer.with_filter(filter).boxed()
    })
}
