//! A sink that is down -> no receives, a few probes, everything else back to the queue. Pure.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::entry::Stage;
use super::{Command, Engine, Key};
use crate::breaker::{Sign, State};
use crate::deliver::Parcel;
use crate::metrics::{BreakerState, Purpose};
use crate::outcome::{Answer, TransportClass};
use crate::settle::Outcome;

/// Messages are held so long for the sink to come back, then released.
const HOLD_FOR: Duration = Duration::from_secs(120);
/// So many stay leased as probes for the whole outage: fresh ones would burn receive counts.
const PROBES: usize = 3;
/// Releases are spread over this time.
const RELEASE_OVER: f32 = 30.0;

/// What an open breaker allows at the moment.
#[derive(Debug, Default)]
pub(super) struct Outage {
    since: Option<Instant>,
    probe_due: bool,
    receive_due: bool,
}

impl Outage {
    /// A probe started.
    pub(super) fn probing(&mut self) {
        self.probe_due = false;
    }

    /// A receive started.
    pub(super) fn received_one(&mut self) {
        self.receive_due = false;
    }
}

impl Engine {
    /// What this answer says about the sink as a whole.
    pub(super) fn judge_sink(&mut self, answer: &Answer, now: Instant) {
        let Some(transition) = self.breaker.record(sign(answer), now, &mut self.rng) else { return };
        self.metrics.breaker_transition(label(transition.to), transition.reason);
        self.metrics.breaker(label(transition.to));
        match transition.to {
            State::Open => {
                self.outage.since.get_or_insert(now);
                self.admission.shrink();
                warn!(
                    event = "breaker_opened",
                    reason = transition.reason,
                    "the sink is not taking events: receiving stops"
                );
                self.health.breaker_open(Some(cause(answer)));
            }
            State::HalfOpen => self.outage = Outage::default(),
            State::Closed => {
                self.concurrency.restart();
                info!(event = "breaker_closed", "the sink takes events again");
                self.health.breaker_open(None);
            }
        }
    }

    /// Lets a probe go when it is time, and gives back what has been held for long.
    pub(super) fn advance_outage(&mut self, now: Instant) {
        if self.breaker.state() != State::Open {
            return;
        }
        let held = self.idle_messages();
        if self.breaker.tick(now, &mut self.rng) {
            self.health.progress(now);
            self.outage.probe_due = true;
            self.outage.receive_due = held.len() < PROBES;
        }
        if self.outage.since.is_some_and(|since| now >= since + HOLD_FOR) && held.len() > PROBES {
            self.release_held(held, now);
            // What could not be given back now (lanes kept as probes, messages being sent) has its next turn after as
            // long again.
            self.outage.since = Some(now);
        }
    }

    /// When the outage has something to do.
    pub(super) fn outage_timeout(&self) -> Option<Instant> {
        let release = self.outage.since.map(|since| since + HOLD_FOR);
        let release = release.filter(|_| self.breaker.state() == State::Open && self.idle_messages().len() > PROBES);
        [self.breaker.poll_timeout(), release].into_iter().flatten().min()
    }

    /// True if a POST may start as far as the sink's state goes.
    pub(super) fn outage_allows_post(&self) -> bool {
        match self.breaker.state() {
            State::Closed => true,
            State::Open => self.outage.probe_due && self.concurrency.active() == 0,
            State::HalfOpen => self.concurrency.active() == 0,
        }
    }

    /// True if a receive may start as far as the sink's state goes.
    pub(super) fn outage_allows_receive(&self) -> bool {
        match self.breaker.state() {
            State::Closed => true,
            State::Open => self.outage.receive_due && self.pollers.waiting() == 0,
            State::HalfOpen => self.ready.is_empty() && self.pollers.waiting() == 0,
        }
    }

    /// True if this answer is one of those that keep the breaker open.
    pub(super) fn is_outage(&self, answer: &Answer) -> bool {
        self.breaker.state() == State::Open && sign(answer) != Sign::Neutral
    }

    /// An attempt failed and the breaker is open: a probe waits for its next turn; one that failed while the
    /// breaker was half open goes back to the queue, for others to be probes.
    pub(super) fn failed_in_outage(&mut self, key: Key, parcel: Parcel, before: State, now: Instant) {
        if before == State::HalfOpen && !self.settings.fifo {
            return self.give_up(key, Outcome::Exhausted, now);
        }
        self.set_stage(key, Stage::Ready(parcel));
        self.ready.push_back(key);
    }

    /// Messages that are here and not being sent, the oldest first.
    fn idle_messages(&self) -> Vec<Key> {
        let mut idle: Vec<Key> = self
            .entries
            .iter()
            .filter(|(_, entry)| matches!(entry.stage, Stage::Ready(_) | Stage::Waiting(_)))
            .map(|(key, _)| *key)
            .collect();
        idle.sort_unstable();
        idle
    }

    fn release_held(&mut self, held: Vec<Key>, now: Instant) {
        let seconds = (self.rng.f32() * RELEASE_OVER) as u64;
        let timeout = Duration::from_secs(seconds);
        if self.settings.fifo {
            let mut groups = self.lanes.groups();
            groups.sort_unstable_by_key(|group| self.lanes.head(group));
            for group in groups.into_iter().skip(PROBES) {
                self.release_lane(&group, timeout, now);
            }
            return;
        }
        let hides: Vec<_> = held
            .into_iter()
            .skip(PROBES)
            .filter_map(|key| {
                let timeout = Duration::from_secs((self.rng.f32() * RELEASE_OVER) as u64);
                self.take_out_unless_busy(key, timeout, now)
            })
            .collect();
        self.releases_running += 1;
        self.commands.push(Command::Hide(Purpose::Release, hides));
    }
}

fn sign(answer: &Answer) -> Sign {
    match answer {
        Answer::Status { code: 200..=299, .. } => Sign::Accepted,
        Answer::Status { code: 404 | 408 | 409 | 429 | 500..=599, .. } => Sign::Retryable,
        Answer::Status { code: 401 | 403, .. } => Sign::Unauthorized,
        Answer::Status { .. } => Sign::Neutral,
        Answer::Failed(failure) => match failure.class {
            TransportClass::Dns | TransportClass::Refused | TransportClass::Connect | TransportClass::Tls => {
                Sign::NoConnection
            }
            TransportClass::Timeout | TransportClass::Reset | TransportClass::Request => Sign::Retryable,
        },
    }
}

fn cause(answer: &Answer) -> String {
    match answer {
        Answer::Status { code, .. } => format!("it answers {code}"),
        Answer::Failed(failure) => failure.message.clone(),
    }
}

fn label(state: State) -> BreakerState {
    match state {
        State::Closed => BreakerState::Closed,
        State::Open => BreakerState::Open,
        State::HalfOpen => BreakerState::HalfOpen,
    }
}
