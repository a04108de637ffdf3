//! Log settings -> the process's subscriber. I/O: standard error, process-global state.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

/// Installs the subscriber: one JSON object per line, or text for people.
///
/// # Errors
/// The filter cannot be read, or a subscriber is installed already.
pub fn install(filter: &str, json: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter: Targets = filter.parse()?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if json { lines.json().flatten_event(true).boxed() } else { lines.boxed() };
    Ok(registry().with(lines.with_filter(filter)).try_init()?)
}
