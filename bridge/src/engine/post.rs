//! Messages in line -> POSTs, as many as the sink bears. Pure.

use std::time::Instant;

use super::entry::{EventState, Stage};
use super::{Command, Engine, Key, drain};
use crate::breaker;
use crate::config::OnPoison;
use crate::deliver::{Destination, Shipment};
use crate::lease::Held;
use crate::metrics::LeaseLoss;

/// What a message needs next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A POST.
    Send(usize, Destination),
    /// Nothing: every event was accepted.
    Accepted,
    /// Nothing helps: an event was refused, and there is no dead-letter sink for it.
    Refused,
}

impl Engine {
    /// Starts POSTs while the sink has room for them.
    pub(super) fn start_posts(&mut self, now: Instant) {
        self.rate_free_at = None;
        while self.may_post() {
            let Some(key) = self.next_ready() else { break };
            if !self.holds_lease(key, now) {
                continue;
            }
            if let Some(Err(at)) = self.rate.as_mut().map(|rate| rate.take(now)) {
                self.rate_free_at = Some(at);
                self.ready.push_front(key);
                break;
            }
            self.post(key, now);
        }
    }

    /// The wait before another POST of this message is over.
    pub(super) fn retry_due(&mut self, key: Key) {
        if matches!(self.entries.get(&key).map(|entry| &entry.stage), Some(Stage::Waiting(_)))
            && let Some(parcel) = self.take_parcel(key)
        {
            self.set_stage(key, Stage::Ready(parcel));
            self.ready.push_back(key);
        }
    }

    /// What the message needs next.
    pub(super) fn step(&self, key: Key) -> Option<Step> {
        let entry = self.entries.get(&key)?;
        if let Some(index) = entry.pending() {
            return Some(Step::Send(index, Destination::Sink));
        }
        let unsent = entry.events.iter().enumerate().find_map(|(index, event)| match event {
            EventState::Refused(refusal) | EventState::Exhausted(refusal) => Some((index, refusal)),
            EventState::Pending | EventState::Accepted => None,
        });
        Some(match unsent {
            None => Step::Accepted,
            Some((index, refusal)) if self.has_dead_letter_sink() => {
                Step::Send(index, Destination::DeadLetter(refusal.clone()))
            }
            Some(_) => Step::Refused,
        })
    }

    /// True if there is a dead-letter sink for what this queue's sink will not take: on a FIFO queue only
    /// where the user lets a refused head be skipped.
    pub(super) fn has_dead_letter_sink(&self) -> bool {
        let allowed = !self.settings.fifo || self.settings.on_poison == OnPoison::Skip;
        self.settings.dead_letter_sink && allowed
    }

    fn may_post(&self) -> bool {
        self.phase == drain::Phase::Running
            && !self.delete_denied
            && self.concurrency.has_room()
            && self.outage_allows_post()
    }

    fn next_ready(&mut self) -> Option<Key> {
        loop {
            let key = self.ready.pop_front()?;
            if matches!(self.entries.get(&key).map(|entry| &entry.stage), Some(Stage::Ready(_))) {
                return Some(key);
            }
        }
    }

    /// No POST starts without a held lease; one extension may save an expired one.
    fn holds_lease(&mut self, key: Key, now: Instant) -> bool {
        match self.leases.held(key, now) {
            Held::Yes => return true,
            Held::No => self.lose(key, LeaseLoss::Rejected, now),
            Held::Expired => {
                let rescue = self.leases.rescue(key, now);
                if rescue.is_none() && !self.leases.is_asked(key) {
                    self.lose(key, LeaseLoss::Expired, now);
                    return false;
                }
                if let Some(parcel) = self.take_parcel(key) {
                    self.set_stage(key, Stage::Rescue(parcel));
                }
                if let Some(extension) = rescue {
                    self.extensions.push(extension, now);
                }
            }
        }
        false
    }

    fn post(&mut self, key: Key, now: Instant) {
        let Some(Step::Send(index, to)) = self.step(key) else { return };
        let Some(parcel) = self.take_parcel(key) else { return };
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.first_post.get_or_insert(now);
        }
        self.set_stage(key, Stage::Posting);
        self.concurrency.started();
        if self.breaker.state() == breaker::State::Open {
            self.outage.probing();
        }
        self.commands.push(Command::Deliver(Shipment { key, parcel, index, to }));
    }
}
