//! How often something failed -> how long to wait before the next try. Pure.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use fastrand::Rng;

use crate::config::BackoffPolicy;

/// Longest visibility timeout of a nack: what SQS allows as a delay elsewhere, and a quarter of an hour for people.
const MAX_NACK_SECONDS: f64 = 900.0;

/// A wait that doubles from `min` to `max` and starts over after a success.
#[derive(Debug)]
pub struct Backoff {
    builder: ExponentialBuilder,
    schedule: ExponentialBackoff,
}

impl Backoff {
    /// Doubles from `min` up to `max`, for ever.
    pub fn new(min: Duration, max: Duration) -> Self {
        let builder =
            ExponentialBuilder::new().with_min_delay(min).with_max_delay(max).with_factor(2.0).without_max_times();
        Self { builder, schedule: builder.build() }
    }

    /// The next wait, without jitter.
    pub fn advance(&mut self) -> Duration {
        self.schedule.next().unwrap_or(Duration::from_secs(30))
    }

    /// The next wait, spread over zero to its full length, so that many bridges do not return together.
    pub fn advance_with_full_jitter(&mut self, rng: &mut Rng) -> Duration {
        self.advance().mul_f64(rng.f64())
    }

    /// Starts over.
    pub fn reset(&mut self) {
        self.schedule = self.builder.build();
    }
}

/// The wait before retry number `retry` (from 0) of one POST: Knative's arithmetic plus up to half of it as jitter.
///
/// `delay × 2^retry`, or `delay × retry` when linear (so the first linear retry is at once).
/// Source: knative/eventing `pkg/kncloudevents/retries.go`.
pub fn retry_wait(policy: BackoffPolicy, delay: Duration, retry: u32, rng: &mut Rng) -> Duration {
    let wait = match policy {
        BackoffPolicy::Exponential => delay.saturating_mul(2u32.saturating_pow(retry.min(20))),
        BackoffPolicy::Linear => delay.saturating_mul(retry),
    };
    wait.mul_f64(1.0 + rng.f64() * 0.5)
}

/// How long a message that could not be delivered stays invisible: `2 s × 2^(receives − 1)`, at most 900 s,
/// of which a half to the whole is taken; whole seconds, at least one.
pub fn nack_timeout(receive_count: u32, rng: &mut Rng) -> Duration {
    let ceiling = (2.0 * 2f64.powi(receive_count.saturating_sub(1).min(30) as i32)).min(MAX_NACK_SECONDS);
    let seconds = (ceiling * (0.5 + rng.f64() * 0.5)).ceil().max(1.0);
    Duration::from_secs_f64(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backoff_doubles_to_its_maximum_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<u64> = (0..6).map(|_| backoff.advance().as_millis() as u64).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.advance(), Duration::from_millis(100));
    }

    #[test]
    fn retries_follow_knatives_arithmetic_and_jitter_only_adds() {
        let mut rng = Rng::with_seed(1);
        let delay = Duration::from_millis(200);
        for (policy, bases) in
            [(BackoffPolicy::Exponential, [200, 400, 800, 1600]), (BackoffPolicy::Linear, [0, 200, 400, 600])]
        {
            for (retry, base) in bases.into_iter().enumerate() {
                let wait = retry_wait(policy, delay, retry as u32, &mut rng).as_secs_f64() * 1000.0;
                let base = f64::from(base);
                assert!((base - 0.1..=base * 1.5 + 0.1).contains(&wait), "{policy:?} {retry}: {wait} of {base}");
            }
        }
    }

    #[test]
    fn a_nack_lasts_at_least_half_of_its_ceiling_and_never_more_than_a_quarter_of_an_hour() {
        let mut rng = Rng::with_seed(7);
        for (count, least, most) in
            [(0, 1, 2), (1, 1, 2), (2, 2, 4), (5, 16, 32), (10, 450, 900), (4_000_000, 450, 900)]
        {
            for _ in 0..50 {
                let seconds = nack_timeout(count, &mut rng).as_secs();
                assert!((least..=most).contains(&seconds), "{count}: {seconds}");
            }
        }
    }
}
