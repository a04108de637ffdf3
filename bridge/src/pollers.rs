//! What receives bring -> how many long polls run at once, and when the next may start. Pure.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::backoff::Backoff;
use crate::config::{Profile, Receive};
use crate::fault::FaultClass;

/// Between two probes of something that only a person can mend.
const FATAL_PAUSE: Duration = Duration::from_secs(30);
/// The batch window of profile `cost`.
const COST_WINDOW: Duration = Duration::from_millis(500);
/// A receive of fewer messages than this is a low one; so many in a row retire a poller.
const LOW: u32 = 3;
const LOW_RUN: u32 = 3;
const BACKLOG_RUN: u32 = 3;
/// Over which the arrival rate is averaged.
const RATE_TAU: f64 = 2.0;
/// SQS repeats the answer of one attempt id for five minutes.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
const ATTEMPT_LIFE: Duration = Duration::from_secs(300);

/// The pollers of one queue, as counts: they are alike.
#[derive(Debug)]
pub struct Pollers {
    min: usize,
    max: usize,
    full: u32,
    wait_time: Duration,
    window: Duration,
    alive: usize,
    waiting: usize,
    resting: BinaryHeap<Reverse<Instant>>,
    low_run: u32,
    full_run: u32,
    rate: f64,
    rated_at: Instant,
    untried: bool,
    failing: Option<Failing>,
    backoff: Backoff,
    repeats: VecDeque<Attempt>,
}

/// One logical receive on a FIFO queue: repeated after a lost answer, SQS answers alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `ReceiveRequestAttemptId`.
    pub id: String,
    /// `MaxNumberOfMessages` of the first try; a repeat must not change it.
    pub messages: u32,
    /// When the first try started.
    pub started: Instant,
}

/// What the next receive should look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// `WaitTimeSeconds`: zero for the first receive and for the probe of a fatal fault, to know soon.
    pub wait: Duration,
    /// The attempt to repeat.
    pub repeat: Option<Attempt>,
}

#[derive(Debug)]
struct Failing {
    resume_at: Instant,
    since: Instant,
    fatal: bool,
}

impl Pollers {
    /// One poller at first, or as many as the profile keeps at least.
    pub fn new(receive: &Receive, now: Instant) -> Self {
        let max = receive.max_pollers as usize;
        let (min, window) = match receive.profile {
            Profile::Balanced => (1, Duration::ZERO),
            Profile::Latency => (2.min(max), Duration::ZERO),
            Profile::Cost => (1, COST_WINDOW),
        };
        Self {
            min,
            max,
            full: receive.max_messages,
            wait_time: receive.wait_time,
            window,
            alive: min,
            waiting: 0,
            resting: BinaryHeap::new(),
            low_run: 0,
            full_run: 0,
            rate: 0.0,
            rated_at: now,
            untried: true,
            failing: None,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(30)),
            repeats: VecDeque::new(),
        }
    }

    /// The next receive, if a poller is free and due.
    pub fn next(&mut self, now: Instant) -> Option<Ask> {
        while self.resting.peek().is_some_and(|Reverse(until)| *until <= now) {
            self.resting.pop();
        }
        let free = match &self.failing {
            Some(failing) => failing.resume_at <= now && self.waiting == 0,
            None => self.waiting + self.resting.len() < self.alive,
        };
        if !free || (self.untried && self.waiting > 0) {
            return None;
        }
        let probe = self.untried || self.failing.as_ref().is_some_and(|failing| failing.fatal);
        let wait = if probe { Duration::ZERO } else { self.wait_time };
        while self.repeats.front().is_some_and(|attempt| now >= attempt.started + ATTEMPT_LIFE) {
            self.repeats.pop_front();
        }
        Some(Ask { wait, repeat: self.repeats.front().cloned() })
    }

    /// The receive started; one that repeats an attempt takes it.
    pub fn started(&mut self, repeated: bool) {
        self.waiting += 1;
        if repeated {
            self.repeats.pop_front();
        }
    }

    /// A receive that asked for `asked` brought `got`; `room` means that permits are left.
    ///
    /// Where messages are let gather, a receive that is not full shows that fewer pollers suffice.
    pub fn finished(&mut self, got: u32, asked: u32, room: bool, now: Instant) {
        self.waiting -= 1;
        self.untried = false;
        if self.failing.take().is_some() {
            self.backoff.reset();
        }
        self.observe_rate(got, now);
        self.low_run = if got < LOW { self.low_run + 1 } else { 0 };
        let full = got == asked && asked == self.full;
        self.full_run = if full { self.full_run + 1 } else { 0 };
        if self.has_backlog() && room {
            self.alive = (self.alive + 1).min(self.max);
        } else if got == 0 || self.low_run >= LOW_RUN || (!full && !self.window.is_zero()) {
            self.low_run = 0;
            self.alive = (self.alive - 1).max(self.min);
        }
        self.rest(got, now);
    }

    /// A receive that started at `started` failed.
    pub fn failed(
        &mut self,
        started: Instant,
        class: FaultClass,
        attempt: Option<Attempt>,
        now: Instant,
        rng: &mut Rng,
    ) {
        self.waiting -= 1;
        self.repeats.extend(attempt);
        let known = self.failing.as_ref().is_some_and(|failing| started < failing.since);
        if known {
            return;
        }
        let fatal = class == FaultClass::FatalConfig;
        let pause = if fatal { FATAL_PAUSE } else { self.backoff.advance_with_full_jitter(rng) };
        self.alive = if class == FaultClass::Throttle { (self.alive / 2).max(self.min) } else { self.min };
        self.failing = Some(Failing { resume_at: now + pause, since: now, fatal });
    }

    /// When `next` has something to give.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.failing {
            Some(failing) => (self.waiting == 0).then_some(failing.resume_at),
            None if self.waiting >= self.alive => None,
            None => self.resting.peek().map(|Reverse(until)| *until),
        }
    }

    /// Receives under way.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// True while receives fail.
    pub fn is_failing(&self) -> bool {
        self.failing.is_some()
    }

    /// Pollers that rest to let messages gather.
    pub fn resting(&self) -> usize {
        self.resting.len()
    }

    /// Pollers there are.
    pub fn alive(&self) -> usize {
        self.alive
    }

    fn observe_rate(&mut self, got: u32, now: Instant) {
        let elapsed = now.saturating_duration_since(self.rated_at).as_secs_f64();
        self.rate = self.rate * (-elapsed / RATE_TAU).exp() + f64::from(got) / RATE_TAU;
        self.rated_at = now;
    }

    /// Where messages are let gather, a full receive is what was waited for; only several in a row are a backlog.
    fn has_backlog(&self) -> bool {
        self.full_run >= if self.window.is_zero() { 1 } else { BACKLOG_RUN }
    }

    /// Until another full batch should have gathered: what was received is gone from the queue.
    fn rest(&mut self, got: u32, now: Instant) {
        if self.window.is_zero() || got == 0 || self.has_backlog() {
            return;
        }
        let gather = f64::from(self.full) / self.rate.max(f64::MIN_POSITIVE);
        let rest = self.window.min(Duration::try_from_secs_f64(gather).unwrap_or(self.window));
        self.resting.push(Reverse(now + rest));
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(profile: Profile) -> Receive {
        Receive {
            profile,
            wait_time: Duration::from_secs(20),
            max_messages: 10,
            max_pollers: 16,
            visibility_timeout: Duration::from_secs(30),
        }
    }

    fn start_all(pollers: &mut Pollers, now: Instant) -> usize {
        let mut started = 0;
        while pollers.next(now).is_some() {
            pollers.started(false);
            started += 1;
        }
        started
    }

    /// Past the first, short receive.
    fn running(profile: Profile, now: Instant) -> Pollers {
        let mut pollers = Pollers::new(&receive(profile), now);
        assert_eq!(pollers.next(now).map(|ask| ask.wait), Some(Duration::ZERO));
        pollers.started(false);
        pollers.finished(0, 10, true, now);
        pollers
    }

    #[test]
    fn full_receives_double_the_pollers_and_empty_ones_retire_them() {
        let now = Instant::now();
        let mut pollers = running(Profile::Balanced, now);
        let mut counts = Vec::new();
        for got in [10, 10, 10, 10, 10, 0, 0] {
            let started = start_all(&mut pollers, now);
            for _ in 0..started {
                pollers.finished(got, 10, true, now);
            }
            counts.push(started);
        }
        assert_eq!(counts, [1, 2, 4, 8, 16, 16, 1]);
    }

    #[test]
    fn three_low_receives_in_a_row_retire_a_poller() {
        let now = Instant::now();
        let mut pollers = running(Profile::Balanced, now);
        start_all(&mut pollers, now);
        pollers.finished(10, 10, true, now);
        assert_eq!(pollers.alive(), 2);
        for got in [2, 2, 5, 2, 2, 2] {
            assert_eq!(pollers.alive(), 2);
            start_all(&mut pollers, now);
            pollers.finished(got, 10, true, now);
        }
        assert_eq!(pollers.alive(), 1);
    }

    #[test]
    fn without_permits_no_poller_is_added() {
        let now = Instant::now();
        let mut pollers = running(Profile::Balanced, now);
        start_all(&mut pollers, now);
        pollers.finished(10, 10, false, now);
        assert_eq!(pollers.alive(), 1);
    }

    #[test]
    fn profile_latency_keeps_two() {
        let now = Instant::now();
        let mut pollers = running(Profile::Latency, now);
        assert_eq!(start_all(&mut pollers, now), 2);
    }

    #[test]
    fn profile_cost_lets_a_batch_gather() {
        let now = Instant::now();
        let mut pollers = running(Profile::Cost, now);
        start_all(&mut pollers, now);
        pollers.finished(1, 10, true, now);
        assert_eq!((pollers.next(now), pollers.poll_timeout()), (None, Some(now + COST_WINDOW)));
        assert!(pollers.next(now + COST_WINDOW).is_some());
        pollers.started(false);
        pollers.finished(0, 10, true, now + COST_WINDOW);
        assert!(pollers.next(now + COST_WINDOW).is_some(), "an empty receive is followed at once");
    }

    #[test]
    fn one_poller_probes_while_receives_fail() {
        let mut rng = Rng::with_seed(1);
        let mut now = Instant::now();
        let mut pollers = running(Profile::Balanced, now);
        for _ in 0..3 {
            let started = start_all(&mut pollers, now);
            for _ in 0..started {
                pollers.finished(10, 10, true, now);
            }
        }
        let polls = start_all(&mut pollers, now);
        assert_eq!(polls, 8);
        let started_at = now;
        now += Duration::from_secs(1);
        for _ in 0..polls {
            pollers.failed(started_at, FaultClass::Transient, None, now, &mut rng);
        }
        let resume = pollers.poll_timeout().expect("a probe is due");
        assert!(resume <= now + Duration::from_millis(100), "eight failures at once count as one");
        assert_eq!(start_all(&mut pollers, resume), 1);
        pollers.finished(10, 10, true, resume);
        assert_eq!(start_all(&mut pollers, resume), 2);
    }

    #[test]
    fn what_only_a_person_can_mend_is_probed_each_half_minute_by_a_short_poll() {
        let mut rng = Rng::with_seed(1);
        let now = Instant::now();
        let mut pollers = running(Profile::Balanced, now);
        start_all(&mut pollers, now);
        pollers.failed(now, FaultClass::FatalConfig, None, now, &mut rng);
        assert_eq!(pollers.poll_timeout(), Some(now + FATAL_PAUSE));
        assert_eq!(pollers.next(now + FATAL_PAUSE).map(|ask| ask.wait), Some(Duration::ZERO));
    }

    #[test]
    fn a_lost_fifo_receive_is_repeated_with_its_attempt_id_for_five_minutes() {
        let mut rng = Rng::with_seed(1);
        let now = Instant::now();
        let attempt = Attempt { id: "a".into(), messages: 4, started: now };
        let mut pollers = running(Profile::Balanced, now);
        start_all(&mut pollers, now);
        pollers.failed(now, FaultClass::Transient, Some(attempt.clone()), now, &mut rng);
        let later = now + Duration::from_secs(31);
        assert_eq!(pollers.next(later).and_then(|ask| ask.repeat), Some(attempt));
        pollers.started(true);
        assert_eq!(pollers.next(later), None);
    }
}
