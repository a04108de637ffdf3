//! A stream of equal log lines -> one per 10 s with the number of those left out. Pure.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line per kind and this long.
const PERIOD: Duration = Duration::from_secs(10);

/// Lets one log line of a kind through per 10 s and counts the others.
///
/// ```
/// # use std::time::{Duration, Instant};
/// # use sqs_bridge::telemetry::Throttle;
/// static NACKED: Throttle = Throttle::new();
/// let now = Instant::now();
/// assert_eq!(NACKED.pass(now), Some(0));
/// assert_eq!(NACKED.pass(now), None);
/// assert_eq!(NACKED.pass(now + Duration::from_secs(10)), Some(1));
/// ```
#[derive(Debug, Default)]
pub struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    suppressed: u64,
}

impl Throttle {
    /// A kind of line that has not been written yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State { last: None, suppressed: 0 }))
    }

    /// Whether a line may be written now: if so, how many were left out since the last one, for the field `suppressed`.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < PERIOD) {
            state.suppressed += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.suppressed))
    }
}

/// Writes a line of `tracing` at most once per 10 s for each place it stands, with the field `suppressed`.
macro_rules! throttled {
    ($level:ident, $now:expr, $($line:tt)+) => {{
        static THROTTLE: $crate::telemetry::Throttle = $crate::telemetry::Throttle::new();
        if let Some(suppressed) = THROTTLE.pass($now) {
            tracing::$level!(suppressed, $($line)+);
        }
    }};
}
pub(crate) use throttled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_becomes_one_line_per_period_with_the_number_left_out() {
        let (throttle, start) = (Throttle::new(), Instant::now());
        let at = |seconds| throttle.pass(start + Duration::from_secs(seconds));
        let passed: Vec<_> = [0, 1, 9, 10, 11, 20, 45].map(at).into();
        assert_eq!(passed, [Some(0), None, None, Some(2), None, Some(1), Some(0)]);
    }
}
