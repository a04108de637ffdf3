//! How the sink answers over time -> whether it is worth asking it at all. Pure.

use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::backoff::Backoff;

/// Opens at so many connect failures, or so many retryable answers, in a row: a quiet queue never makes
/// `ATTEMPTS` yet would fill its dead-letter queue in half a minute.
const CONNECT_RUN: u32 = 5;
const RETRYABLE_RUN: u32 = 8;
/// Or at half of at least so many attempts within the last `PERIOD` seconds.
const ATTEMPTS: u32 = 20;
const PERIOD: usize = 10;
/// Acceptances that close it again.
const CLOSE_AFTER: u32 = 3;

/// Closed: the sink is asked. Open: only probes are. Half open: one at a time.
#[derive(Debug)]
pub struct Breaker {
    state: State,
    connect_run: u32,
    retryable_run: u32,
    accepted_run: u32,
    seconds: [Second; PERIOD],
    started: Instant,
    tick_at: Option<Instant>,
    ticks: Backoff,
}

/// The three states of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The sink is asked.
    Closed,
    /// Only probes are sent.
    Open,
    /// One POST at a time.
    HalfOpen,
}

/// What one attempt says about the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// 2xx.
    Accepted,
    /// No connection.
    NoConnection,
    /// A retryable status, a reset or a timeout.
    Retryable,
    /// 401 or 403: a sink that refuses everything is an outage, not poison.
    Unauthorized,
    /// Another permanent answer: it is about the event, not about the sink.
    Neutral,
}

/// A change of state and its reason, a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The new state.
    pub to: State,
    /// Why.
    pub reason: &'static str,
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    number: u64,
    attempts: u32,
    retryable: u32,
    unauthorized: u32,
}

impl Breaker {
    /// Closed.
    pub fn new(now: Instant) -> Self {
        Self {
            state: State::Closed,
            connect_run: 0,
            retryable_run: 0,
            accepted_run: 0,
            seconds: [Second::default(); PERIOD],
            started: now,
            tick_at: None,
            ticks: Backoff::new(Duration::from_secs(1), Duration::from_secs(30)),
        }
    }

    /// The state now.
    pub fn state(&self) -> State {
        self.state
    }

    /// One attempt ended.
    pub fn record(&mut self, sign: Sign, now: Instant, rng: &mut Rng) -> Option<Transition> {
        self.count(sign, now);
        match self.state {
            State::Closed => self.reason_to_open(now).map(|reason| self.open(reason, now, rng)),
            State::Open if sign == Sign::Accepted => Some(self.half_open()),
            State::Open => None,
            State::HalfOpen => self.judge_half_open(sign, now, rng),
        }
    }

    /// True if a probe may be sent now; the next is due after a longer wait.
    pub fn tick(&mut self, now: Instant, rng: &mut Rng) -> bool {
        let due = self.tick_at.is_some_and(|at| at <= now);
        if due {
            self.schedule(now, rng);
        }
        due
    }

    /// When the next probe is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.tick_at
    }

    fn count(&mut self, sign: Sign, now: Instant) {
        let number = now.saturating_duration_since(self.started).as_secs();
        let second = &mut self.seconds[number as usize % PERIOD];
        if second.number != number {
            *second = Second { number, ..Second::default() };
        }
        second.attempts += 1;
        let retryable = matches!(sign, Sign::NoConnection | Sign::Retryable);
        second.retryable += u32::from(retryable);
        second.unauthorized += u32::from(sign == Sign::Unauthorized);
        self.connect_run = if sign == Sign::NoConnection { self.connect_run + 1 } else { 0 };
        self.retryable_run = if retryable { self.retryable_run + 1 } else { 0 };
    }

    fn reason_to_open(&self, now: Instant) -> Option<&'static str> {
        if self.connect_run >= CONNECT_RUN {
            return Some("connect_failures");
        }
        if self.retryable_run >= RETRYABLE_RUN {
            return Some("failures_in_a_row");
        }
        let newest = now.saturating_duration_since(self.started).as_secs();
        let recent = self.seconds.iter().filter(|second| newest - second.number < PERIOD as u64);
        let (attempts, retryable, unauthorized) =
            recent.fold((0, 0, 0), |(attempts, retryable, unauthorized), second| {
                (attempts + second.attempts, retryable + second.retryable, unauthorized + second.unauthorized)
            });
        let half = |part: u32| attempts >= ATTEMPTS && part * 2 >= attempts;
        (half(retryable).then_some("failure_rate")).or(half(unauthorized).then_some("unauthorized"))
    }

    fn judge_half_open(&mut self, sign: Sign, now: Instant, rng: &mut Rng) -> Option<Transition> {
        match sign {
            Sign::Accepted => {
                self.accepted_run += 1;
                (self.accepted_run >= CLOSE_AFTER).then(|| self.close())
            }
            Sign::NoConnection | Sign::Retryable | Sign::Unauthorized => Some(self.open("probe_failed", now, rng)),
            Sign::Neutral => None,
        }
    }

    fn open(&mut self, reason: &'static str, now: Instant, rng: &mut Rng) -> Transition {
        if self.state == State::Closed {
            self.ticks.reset();
        }
        self.state = State::Open;
        self.schedule(now, rng);
        Transition { to: State::Open, reason }
    }

    fn half_open(&mut self) -> Transition {
        self.state = State::HalfOpen;
        self.accepted_run = 1;
        self.tick_at = None;
        Transition { to: State::HalfOpen, reason: "probe_accepted" }
    }

    fn close(&mut self) -> Transition {
        self.state = State::Closed;
        self.connect_run = 0;
        self.retryable_run = 0;
        self.seconds = [Second::default(); PERIOD];
        Transition { to: State::Closed, reason: "recovered" }
    }

    /// A tick comes up to a fifth early, so that many bridges do not probe together.
    fn schedule(&mut self, now: Instant, rng: &mut Rng) {
        self.tick_at = Some(now + self.ticks.advance().mul_f64(0.8 + rng.f64() * 0.2));
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Breaker, Instant, Rng) {
        let now = Instant::now();
        (Breaker::new(now), now, Rng::with_seed(3))
    }

    #[test]
    fn it_opens_after_five_connect_failures_or_eight_retryable_answers_in_a_row() {
        for (sign, run, reason) in
            [(Sign::NoConnection, 5, "connect_failures"), (Sign::Retryable, 8, "failures_in_a_row")]
        {
            let (mut breaker, now, mut rng) = breaker();
            for _ in 1..run {
                assert_eq!(breaker.record(sign, now, &mut rng), None);
            }
            assert_eq!(breaker.record(sign, now, &mut rng), Some(Transition { to: State::Open, reason }));
        }
    }

    #[test]
    fn it_opens_when_half_of_twenty_attempts_in_ten_seconds_fail() {
        for (sign, reason) in [(Sign::Retryable, "failure_rate"), (Sign::Unauthorized, "unauthorized")] {
            let (mut breaker, now, mut rng) = breaker();
            let mut transitions = Vec::new();
            for n in 0..20 {
                let sign = if n % 2 == 0 { Sign::Accepted } else { sign };
                transitions.extend(breaker.record(sign, now + Duration::from_millis(n * 100), &mut rng));
            }
            assert_eq!(transitions, [Transition { to: State::Open, reason }]);
        }
    }

    #[test]
    fn slow_failures_among_good_answers_do_not_open_it() {
        let (mut breaker, now, mut rng) = breaker();
        for n in 0..200u64 {
            let sign = if n % 2 == 0 { Sign::Accepted } else { Sign::Retryable };
            assert_eq!(breaker.record(sign, now + Duration::from_secs(n), &mut rng), None);
        }
    }

    #[test]
    fn poison_does_not_open_it() {
        let (mut breaker, now, mut rng) = breaker();
        for _ in 0..100 {
            assert_eq!(breaker.record(Sign::Neutral, now, &mut rng), None);
        }
    }

    #[test]
    fn it_probes_ever_more_rarely_and_closes_after_three_acceptances() {
        let (mut breaker, mut now, mut rng) = breaker();
        for _ in 0..5 {
            breaker.record(Sign::NoConnection, now, &mut rng);
        }
        let mut waits = Vec::new();
        for _ in 0..7 {
            let at = breaker.poll_timeout().expect("a probe is scheduled");
            waits.push((at - now).as_secs_f64());
            now = at;
            assert!(breaker.tick(now, &mut rng));
            assert!(!breaker.tick(now, &mut rng));
            assert_eq!(breaker.record(Sign::NoConnection, now, &mut rng), None);
        }
        for (wait, ceiling) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
            assert!((ceiling * 0.8..=ceiling).contains(wait), "{waits:?}");
        }
        let states: Vec<Option<State>> =
            (0..3).map(|_| breaker.record(Sign::Accepted, now, &mut rng).map(|transition| transition.to)).collect();
        assert_eq!(states, [Some(State::HalfOpen), None, Some(State::Closed)]);
    }

    #[test]
    fn a_failed_probe_of_a_half_open_breaker_opens_it_again() {
        let (mut breaker, now, mut rng) = breaker();
        for _ in 0..5 {
            breaker.record(Sign::NoConnection, now, &mut rng);
        }
        breaker.record(Sign::Accepted, now, &mut rng);
        let transition = breaker.record(Sign::Retryable, now, &mut rng);
        assert_eq!(transition, Some(Transition { to: State::Open, reason: "probe_failed" }));
        assert!(breaker.poll_timeout().is_some());
    }
}
