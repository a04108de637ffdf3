//! Log settings -> the process's subscriber; how often a line may be repeated. I/O: standard error, process-global state, a collector.

pub mod otlp;
mod throttle;

pub use throttle::Throttle;
