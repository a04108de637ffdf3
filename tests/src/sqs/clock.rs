//! The runtime's clock -> the time of the simulated SQS, which tests can speed up and move on. I/O: tokio's clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Time since the simulator started.
pub type Time = Duration;

/// The time of the simulated SQS: visibility, delays, long polls and deduplication follow it.
///
/// It runs on tokio's clock, so under [`crate::timelapse`] simulator and bridge keep the same time.
#[derive(Debug)]
pub struct Clock {
    epoch: SystemTime,
    speed: u32,
    anchor: Mutex<Anchor>,
    moved: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    started: Instant,
    skipped: Duration,
}

impl Clock {
    /// A clock that runs `speed` seconds in one second; 1 is as fast as the bridge's.
    pub fn new(speed: u32) -> Self {
        let anchor = Anchor { started: Instant::now(), skipped: Duration::ZERO };
        Self { epoch: SystemTime::now(), speed: speed.max(1), anchor: Mutex::new(anchor), moved: Notify::new() }
    }

    /// The time now.
    pub fn now(&self) -> Time {
        let anchor = *self.anchor();
        anchor.started.elapsed() * self.speed + anchor.skipped
    }

    /// The runtime's time at `time`, provided that nobody has moved the clock on since.
    pub fn instant_at(&self, time: Time) -> Instant {
        let anchor = *self.anchor();
        anchor.started + time.saturating_sub(anchor.skipped) / self.speed
    }

    /// Moves the clock on at once: what would have happened in between happens now.
    pub fn skip(&self, by: Duration) {
        self.anchor().skipped += by;
        self.moved.notify_waiters();
    }

    /// Returns at `time`, also if a skip brings it there.
    pub async fn sleep_until(&self, time: Time) {
        loop {
            let moved = self.moved.notified();
            let left = time.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = sleep_until(Instant::now() + left.div_ceil_by(self.speed)) => {}
                () = moved => {}
            }
        }
    }

    /// `time` as SQS writes it: milliseconds since 1970.
    pub fn millis_since_1970(&self, time: Time) -> u128 {
        (self.epoch + time).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

trait DivCeil {
    fn div_ceil_by(self, divisor: u32) -> Self;
}

impl DivCeil for Duration {
    /// Rounded up, so that a sleep never ends a hair too early and has to be repeated.
    fn div_ceil_by(self, divisor: u32) -> Self {
        self / divisor + Self::from_nanos(1)
    }
}
