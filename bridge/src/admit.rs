//! What is in flight -> how many messages the next receive may ask for. Pure.

use std::time::{Duration, Instant};

use crate::config::Flow;

/// The window a bridge starts with, and never shrinks under.
const START_WINDOW: u32 = 320;
const LEAST_WINDOW: u32 = 32;
/// How long a receive waits for a full batch of permits before it asks for what is free.
const PATIENCE: Duration = Duration::from_millis(5);
/// What a message is assumed to weigh before any was seen, and the least that one receive reserves.
const FIRST_SIZE: f64 = 256.0 * 1024.0;
const LEAST_RESERVATION: u64 = 64 * 1024;
const WINDOW_PERIOD: Duration = Duration::from_secs(1);

/// Permits for messages and bytes. A receive reserves before it starts; what arrives is held
/// until it is deleted, released or lost. There is no other buffer.
#[derive(Debug)]
pub struct Admission {
    max: u32,
    max_bytes: u64,
    visibility: Duration,
    window: u32,
    held: u32,
    reserved: u32,
    held_bytes: u64,
    reserved_bytes: u64,
    mean_size: f64,
    short_since: Option<Instant>,
    period_started: Instant,
    completed: u32,
}

/// The right to receive up to `messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `MaxNumberOfMessages`, at least 1.
    pub messages: u32,
    bytes: u64,
}

impl Admission {
    /// Nothing in flight.
    pub fn new(flow: &Flow, visibility: Duration, now: Instant) -> Self {
        Self {
            max: flow.max_in_flight,
            max_bytes: flow.max_in_flight_bytes,
            visibility,
            window: START_WINDOW.min(flow.max_in_flight),
            held: 0,
            reserved: 0,
            held_bytes: 0,
            reserved_bytes: 0,
            mean_size: FIRST_SIZE,
            short_since: None,
            period_started: now,
            completed: 0,
        }
    }

    /// Permits for one receive of up to `wanted` messages; none while too little is free.
    pub fn grant(&mut self, wanted: u32, now: Instant) -> Option<Grant> {
        let free = self.window.saturating_sub(self.held + self.reserved);
        if free == 0 {
            return None;
        }
        if free < wanted && now < *self.short_since.get_or_insert(now) + PATIENCE {
            return None;
        }
        let messages = wanted.min(free);
        let bytes = ((f64::from(messages) * self.mean_size) as u64).max(LEAST_RESERVATION);
        let idle = self.held + self.reserved == 0;
        if !idle && self.held_bytes + self.reserved_bytes + bytes > self.max_bytes {
            return None;
        }
        self.short_since = None;
        self.reserved += messages;
        self.reserved_bytes += bytes;
        Some(Grant { messages, bytes })
    }

    /// A receive came back: its reservation becomes what really arrived.
    pub fn arrived(&mut self, grant: Grant, sizes: impl Iterator<Item = u64>) {
        self.reserved -= grant.messages;
        self.reserved_bytes -= grant.bytes;
        for size in sizes {
            self.held += 1;
            self.held_bytes += size;
            self.mean_size += (size as f64 - self.mean_size) * 0.05;
        }
    }

    /// The sink has the event: its bytes are no longer needed.
    pub fn accepted(&mut self, size: u64) {
        self.held_bytes -= size;
        self.completed += 1;
    }

    /// A message left: deleted, released or lost; `size` is 0 if its bytes were returned before.
    pub fn left(&mut self, size: u64) {
        self.held -= 1;
        self.held_bytes -= size;
    }

    /// Once a second the window follows what was completed: a quarter of the visibility timeout's worth
    /// may wait, beside what is being posted (`concurrency`), so that waiting alone never needs an extension.
    pub fn adjust(&mut self, concurrency: u32, now: Instant) {
        let period = now.saturating_duration_since(self.period_started);
        if period < WINDOW_PERIOD {
            return;
        }
        if self.held > 0 {
            let rate = f64::from(self.completed) / period.as_secs_f64();
            let waiting = rate * self.visibility.as_secs_f64() / 4.0;
            let window = waiting.clamp(f64::from(LEAST_WINDOW), f64::from(u32::MAX / 2)) as u32;
            self.window = window.saturating_add(concurrency).min(self.max);
        }
        self.period_started = now;
        self.completed = 0;
    }

    /// Shrinks to the least: nothing more is wanted for now.
    pub fn shrink(&mut self) {
        self.window = LEAST_WINDOW.min(self.max);
    }

    /// True if one more message could be received.
    pub fn has_room(&self) -> bool {
        self.held + self.reserved < self.window && self.held_bytes + self.reserved_bytes < self.max_bytes
    }

    /// When a receive that waits for a full batch may ask for what is free.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.held + self.reserved < self.window).then_some(self.short_since).flatten().map(|since| since + PATIENCE)
    }

    /// Messages held, bytes held, and the window.
    pub fn usage(&self) -> (u32, u64, u32) {
        (self.held, self.held_bytes, self.window)
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(max_in_flight: u32, max_in_flight_bytes: u64) -> Flow {
        Flow { max_in_flight, max_in_flight_bytes, max_concurrency: 128, max_rate: None }
    }

    fn admission(max: u32, bytes: u64) -> (Admission, Instant) {
        let now = Instant::now();
        (Admission::new(&flow(max, bytes), Duration::from_secs(30), now), now)
    }

    #[test]
    fn a_receive_waits_briefly_for_a_full_batch_and_then_takes_what_is_free() {
        let (mut admission, now) = admission(13, 1 << 40);
        assert_eq!(admission.grant(10, now).map(|grant| grant.messages), Some(10));
        assert_eq!(admission.grant(10, now), None);
        assert_eq!(admission.poll_timeout(), Some(now + PATIENCE));
        assert_eq!(admission.grant(10, now + PATIENCE).map(|grant| grant.messages), Some(3));
        assert_eq!(admission.grant(10, now + PATIENCE * 10), None);
        assert_eq!(admission.poll_timeout(), None);
    }

    #[test]
    fn permits_are_held_until_a_message_leaves() {
        let (mut admission, now) = admission(10, 1 << 40);
        let grant = admission.grant(10, now).expect("all free");
        admission.arrived(grant, [100, 200].into_iter());
        assert_eq!(admission.usage(), (2, 300, 10));
        admission.accepted(100);
        assert_eq!(admission.usage(), (2, 200, 10));
        admission.left(0);
        admission.left(200);
        assert_eq!(admission.usage(), (0, 0, 10));
    }

    #[test]
    fn bytes_bound_what_is_received_but_one_receive_is_always_possible() {
        let mib = 1 << 20;
        let (mut admission, now) = admission(1024, 2 * mib);
        let grant = admission.grant(10, now).expect("nothing is in flight");
        admission.arrived(grant, (0..10).map(|_| mib));
        assert_eq!(admission.grant(1, now + PATIENCE), None, "10 MiB are held of a budget of 2");
        for _ in 0..9 {
            admission.accepted(mib);
            admission.left(0);
        }
        assert_eq!(admission.grant(10, now + PATIENCE), None);
        admission.accepted(mib);
        admission.left(0);
        assert!(admission.grant(10, now + PATIENCE).is_some());
    }

    #[test]
    fn the_window_follows_the_sink() {
        let (mut admission, now) = admission(1024, 1 << 40);
        let grant = admission.grant(320, now).expect("free");
        admission.arrived(grant, (0..320).map(|_| 1));
        for _ in 0..20 {
            admission.accepted(1);
        }
        admission.adjust(8, now + WINDOW_PERIOD);
        assert_eq!(admission.usage().2, 20 * 30 / 4 + 8);
        admission.adjust(8, now + WINDOW_PERIOD * 2);
        assert_eq!(admission.usage().2, LEAST_WINDOW + 8);
    }
}
