//! A shutdown -> no more receives, running POSTs end, everything else goes back to the queue. Pure.

use std::time::{Duration, Instant};

use tracing::info;

use super::entry::Stage;
use super::{Command, Engine, Key};
use crate::metrics::Purpose;
use crate::settle::buffer::BATCH;

/// A long poll is never cancelled, as it may carry messages; but it is not waited for to the very end,
/// so that what it brings can still be given back.
const POLL_MARGIN: Duration = Duration::from_secs(8);
/// After the deadline the last releases get this long.
const LAST_CALLS: Duration = Duration::from_secs(3);

/// How far a shutdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// None was asked for.
    Running,
    /// Finishing what runs until the deadline.
    Draining {
        /// Then everything that is left is given back.
        deadline: Instant,
    },
    /// Giving back the rest.
    Releasing {
        /// Then nothing is waited for any more.
        until: Instant,
    },
    /// Nothing is left to do.
    Finished,
}

impl Engine {
    /// Stop receiving, finish what runs, give back the rest.
    pub(super) fn drain(&mut self, now: Instant) {
        if self.phase == Phase::Running {
            info!(event = "drain_started", messages = self.entries.len(), "no more receives");
            self.phase = Phase::Draining { deadline: now + self.settings.drain_timeout };
            self.health.draining();
        }
    }

    /// Give back everything at once.
    pub(super) fn abort(&mut self, now: Instant) {
        if self.phase != Phase::Finished {
            self.health.draining();
            self.release_rest(now);
        }
    }

    /// Goes on with the shutdown.
    pub(super) fn advance_drain(&mut self, now: Instant) {
        match self.phase {
            Phase::Running | Phase::Finished => {}
            Phase::Draining { deadline } => {
                self.give_back_idle(now);
                self.deletes.hurry();
                self.nacks.hurry();
                self.flush(now);
                let polls_over = self.pollers.waiting() == 0 || now + POLL_MARGIN >= deadline;
                if polls_over && self.is_settled() {
                    self.finish();
                } else if now >= deadline {
                    self.release_rest(now);
                }
            }
            Phase::Releasing { until } => {
                self.give_back_idle(now);
                if self.releases_running == 0 || now >= until {
                    self.finish();
                }
            }
        }
    }

    /// When the shutdown goes on by itself.
    pub(super) fn drain_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running | Phase::Finished => None,
            Phase::Draining { deadline } if self.is_settled() => Some(deadline - POLL_MARGIN),
            Phase::Draining { deadline } => Some(deadline),
            Phase::Releasing { until } => Some(until),
        }
    }

    fn is_settled(&self) -> bool {
        self.entries.is_empty() && self.releases_running == 0
    }

    fn finish(&mut self) {
        info!(event = "drain_finished", left = self.entries.len(), "done");
        self.phase = Phase::Finished;
    }

    /// What is here and not being sent becomes visible at once; FIFO lanes from their tails.
    fn give_back_idle(&mut self, now: Instant) {
        for group in self.lanes.groups() {
            self.release_lane(&group, Duration::ZERO, now);
        }
        let idle: Vec<Key> = self
            .entries
            .iter()
            .filter(|(_, entry)| matches!(entry.stage, Stage::Ready(_) | Stage::Waiting(_) | Stage::Rescue(_)))
            .map(|(key, _)| *key)
            .collect();
        self.give_back(idle, now);
    }

    fn give_back(&mut self, keys: Vec<Key>, now: Instant) {
        for batch in keys.chunks(BATCH) {
            let hides: Vec<_> = batch.iter().filter_map(|key| self.take_out(*key, Duration::ZERO, now)).collect();
            if !hides.is_empty() {
                self.releases_running += 1;
                self.commands.push(Command::Hide(Purpose::Release, hides));
            }
        }
    }

    /// Gives back everything, also what is being sent: it will be sent again, with the same ids.
    fn release_rest(&mut self, now: Instant) {
        self.give_back_idle(now);
        let posting: Vec<Key> = self
            .entries
            .iter()
            .filter(|(_, entry)| matches!(entry.stage, Stage::Posting))
            .map(|(key, _)| *key)
            .collect();
        self.give_back(posting, now);
        self.phase = Phase::Releasing { until: now + LAST_CALLS };
    }
}
