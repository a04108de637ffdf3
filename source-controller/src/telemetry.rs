//! Log settings -> the process's subscriber. I/O: standard error, process-global state.

use tracing_subscriber::EnvFilter;

/// Installs the subscriber: one JSON object per line, or text for people.
///
/// # Errors
/// The filter cannot be read, or a subscriber is installed already.
pub fn install(filter: &str, json: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let filter = EnvFilter::try_new(filter)?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { subscriber.json().flatten_event(true).try_init() } else { subscriber.try_init() }
}
