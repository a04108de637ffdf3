//! Events per second that the user allows -> when the next POST may start. Pure.

use std::time::{Duration, Instant};

/// A token bucket that holds one second's worth.
#[derive(Debug)]
pub struct Rate {
    per_second: f64,
    tokens: f64,
    filled_at: Instant,
}

impl Rate {
    /// Full at first; a bucket below one token a second still holds one.
    pub fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, tokens: per_second.max(1.0), filled_at: now }
    }

    /// Takes one token, or says when there will be one.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.per_second.max(1.0));
        self.filled_at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // A microsecond more, so that rounding never makes the wait a little too short.
        Err(now + Duration::from_secs_f64((1.0 - self.tokens) / self.per_second) + Duration::from_micros(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_may_burst_and_then_the_rate_holds() {
        let start = Instant::now();
        for per_second in [0.5, 10.0, 500.0] {
            let mut rate = Rate::new(per_second, start);
            let mut now = start;
            let mut taken = 0;
            while now < start + Duration::from_secs(10) {
                match rate.take(now) {
                    Ok(()) => taken += 1,
                    Err(at) => now = at,
                }
            }
            let expected = (per_second.max(1.0) + per_second * 10.0) as i32;
            assert!((expected - 1..=expected + 1).contains(&taken), "{per_second}: {taken} of {expected}");
        }
    }
}
