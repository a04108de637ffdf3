//! The end of a delivery -> delete, or back to the queue; the answers of both. Pure.

use std::time::{Duration, Instant};

use tracing::error;

use super::entry::{Entry, EventState, Stage};
use super::{Command, Engine, Key, Timer};
use crate::explain::explain;
use crate::fault::{Fault, FaultClass};
use crate::health::Problem;
use crate::metrics::{LeaseLoss, MessageOutcome, Purpose};
use crate::settle::write::{Doomed, Hide, Written};
use crate::settle::{self, Outcome, Policy, Settlement};
use crate::telemetry::throttled;

/// Waits before a failed delete is repeated; after the last one, each second.
const DELETE_WAITS: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(250), Duration::from_millis(500)];
const DELETE_AGAIN: Duration = Duration::from_secs(1);
/// A delete that is not permitted is tried this often: someone may mend the policy.
const DENIED_AGAIN: Duration = Duration::from_secs(30);
/// An accepted message is kept leased so long for its delete to succeed.
const DELETE_FOR: Duration = Duration::from_secs(60);

impl Engine {
    /// Every event of the message was accepted: it may be deleted, and its lane goes on.
    pub(super) fn accepted(&mut self, key: Key, now: Instant) {
        self.set_stage(key, Stage::Undeleted);
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.accepted_at = Some(now);
        self.admission.accepted(std::mem::take(&mut entry.size));
        self.cautious.forget(&entry.message_id);
        let receipt = entry.receipt.take();
        let lane_is_empty = entry.group.clone().is_some_and(|group| {
            let next = self.lanes.advance(&group, key);
            self.ready.extend(next);
            next.is_none()
        });
        let settlement = settle::decide(self.policy(), Outcome::Accepted, 1, &mut self.rng);
        match (settlement, receipt) {
            (Settlement::Delete, Some(receipt)) => self.deletes.push(Doomed { key, receipt }, now),
            (Settlement::Delete, None) => {}
            (Settlement::Leave | Settlement::Nack { .. }, _) => self.end(key),
        }
        if lane_is_empty {
            self.deletes.hurry();
        }
    }

    /// This delivery failed: the message goes back to the queue, for later.
    pub(super) fn give_up(&mut self, key: Key, outcome: Outcome, now: Instant) {
        let Some(entry) = self.entries.get(&key) else { return };
        if outcome == Outcome::Refused && self.policy().redrives == Some(false) {
            self.health.no_dead_letter_queue();
        }
        let visible_in = match settle::decide(self.policy(), outcome, entry.receive_count, &mut self.rng) {
            Settlement::Nack { visible_in } => visible_in,
            Settlement::Delete | Settlement::Leave => return self.end(key),
        };
        throttled!(debug, now,event = "nacked", message_id = %entry.message_id, seconds = visible_in.as_secs(), "back to the queue");
        if let Some(hide) = self.take_out(key, visible_in, now) {
            self.nacks.push(hide, now);
        }
    }

    /// Ends the lease and takes the right to release the message.
    pub(super) fn take_out(&mut self, key: Key, timeout: Duration, now: Instant) -> Option<Hide> {
        self.set_stage(key, Stage::Leaving);
        self.leases.forget(key);
        let entry = self.entries.get_mut(&key)?;
        self.memory.remember(entry.message_id.clone(), entry.accepted(), now);
        let receipt = entry.receipt.take()?;
        Some(Hide { key, receipt, timeout })
    }

    /// Sends what is due.
    pub(super) fn flush(&mut self, now: Instant) {
        while let Some(batch) = self.deletes.take(now) {
            self.commands.push(Command::Delete(batch));
        }
        while let Some(batch) = self.nacks.take(now) {
            self.commands.push(Command::Hide(Purpose::Nack, batch));
        }
        while let Some(batch) = self.extensions.take(now) {
            self.commands.push(Command::Extend(batch));
        }
    }

    /// A delete batch ended.
    pub(super) fn deleted(&mut self, written: Vec<Written<Doomed>>, now: Instant) {
        self.deletes.finished();
        let mut denied = false;
        for one in written {
            match one {
                Written::Done(key) => self.gone(key, now),
                Written::Failed { entry, fault, sender_fault } => {
                    self.metrics.failed_entries(Purpose::Delete, sender_fault, 1);
                    denied |= fault.class == FaultClass::FatalConfig;
                    self.not_deleted(entry, &fault, sender_fault, now);
                }
            }
        }
        self.delete_denied = denied;
    }

    /// A release or nack ended.
    pub(super) fn hidden(&mut self, purpose: Purpose, written: Vec<Written<Hide>>, now: Instant) {
        if purpose == Purpose::Nack {
            self.nacks.finished();
        } else {
            self.releases_running = self.releases_running.saturating_sub(1);
        }
        let outcome = if purpose == Purpose::Nack { MessageOutcome::Nacked } else { MessageOutcome::Released };
        for one in written {
            match one {
                Written::Done(key) => {
                    self.metrics.message(outcome);
                    self.end(key);
                }
                Written::Failed { entry, fault, sender_fault } => {
                    self.metrics.failed_entries(purpose, sender_fault, 1);
                    self.not_hidden(entry, &fault, now);
                }
            }
        }
    }

    /// The wait before another delete is over.
    pub(super) fn redelete_due(&mut self, key: Key, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if let Some(receipt) = entry.receipt.take() {
            self.deletes.push(Doomed { key, receipt }, now);
            self.deletes.hurry();
        }
    }

    /// Keeps a message, under its key.
    pub(super) fn insert(&mut self, key: Key, entry: Entry) {
        if let Some(stage) = entry.stage.label() {
            self.metrics.in_flight(stage, 1);
        }
        self.entries.insert(key, entry);
    }

    /// Moves a message on.
    pub(super) fn set_stage(&mut self, key: Key, stage: Stage) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let (from, to) = (entry.stage.label(), stage.label());
        entry.stage = stage;
        if from != to {
            from.inspect(|from| self.metrics.in_flight(*from, -1));
            to.inspect(|to| self.metrics.in_flight(*to, 1));
        }
    }

    /// The message's parcel, leaving its stage to be set at once.
    pub(super) fn take_parcel(&mut self, key: Key) -> Option<crate::deliver::Parcel> {
        let entry = self.entries.get_mut(&key)?;
        let label = entry.stage.label();
        let parcel = std::mem::replace(&mut entry.stage, Stage::Leaving).into_parcel();
        label.inspect(|label| self.metrics.in_flight(*label, -1));
        parcel
    }

    /// The message is no longer here: its permit is free.
    pub(super) fn end(&mut self, key: Key) {
        self.leases.forget(key);
        let Some(entry) = self.entries.remove(&key) else { return };
        entry.stage.label().inspect(|stage| self.metrics.in_flight(*stage, -1));
        self.admission.left(entry.size);
        if self.by_message.get(&entry.message_id) == Some(&key) {
            self.by_message.remove(&entry.message_id);
        }
        if let Some(group) = &entry.group {
            self.lanes.remove(group, key);
        }
    }

    /// The lease went during a POST: an accepted message gets its one delete, everything else comes again.
    pub(super) fn end_lost(&mut self, key: Key, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        self.memory.remember(entry.message_id.clone(), entry.accepted(), now);
        if entry.is_accepted() {
            return self.accepted(key, now);
        }
        self.end(key);
    }

    fn policy(&self) -> Policy {
        Policy {
            delete_accepted: self.settings.queue.delete_accepted,
            redrives: self.facts.as_ref().map(|facts| facts.max_receive_count.is_some()),
        }
    }

    fn gone(&mut self, key: Key, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        // An older handle may "succeed" without deleting; the newest one certainly deletes.
        if let Some(receipt) = entry.newer_receipt.take() {
            self.deletes.push(Doomed { key, receipt }, now);
            return;
        }
        if let Some(accepted) = entry.accepted_at {
            self.metrics.delete_delay(now.saturating_duration_since(accepted));
        }
        self.metrics.message(MessageOutcome::Deleted);
        self.end(key);
    }

    fn not_deleted(&mut self, doomed: Doomed, fault: &Fault, sender_fault: bool, now: Instant) {
        let Doomed { key, receipt } = doomed;
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if let Some(newer) = entry.newer_receipt.take() {
            self.deletes.push(Doomed { key, receipt: newer }, now);
            return;
        }
        entry.receipt = Some(receipt);
        let wait = DELETE_WAITS.get(entry.tries as usize).copied().unwrap_or(DELETE_AGAIN);
        entry.tries += 1;
        let in_time = entry.accepted_at.is_some_and(|accepted| now < accepted + DELETE_FOR);
        match fault.class {
            FaultClass::FatalConfig => {
                self.report_denied_delete(fault);
                self.at(now + DENIED_AGAIN, Timer::Redelete(key));
            }
            FaultClass::Entry | FaultClass::Bug => self.undeletable(key, fault, now),
            FaultClass::Unknown if sender_fault => self.undeletable(key, fault, now),
            FaultClass::Throttle | FaultClass::Transient | FaultClass::Credentials | FaultClass::Unknown => {
                if fault.class == FaultClass::Credentials {
                    self.commands.push(Command::RefreshIdentity);
                }
                if in_time && self.leases.held(key, now) == crate::lease::Held::Yes {
                    self.at(now + wait, Timer::Redelete(key));
                } else {
                    self.undeletable(key, fault, now);
                }
            }
        }
    }

    fn report_denied_delete(&mut self, fault: &Fault) {
        if self.delete_denied {
            return;
        }
        self.delete_denied = true;
        let explanation = explain("sqs:DeleteMessage", fault, &self.settings.queue, None);
        error!(event = "config_fatal", code = fault.code, reason = explanation.reason, "{}", explanation.message);
        self.health.fatal(Problem { reason: explanation.reason, message: explanation.message });
    }

    /// The message will come again; it need not be sent again then.
    fn undeletable(&mut self, key: Key, fault: &Fault, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        throttled!(warn, now,event = "delete_failed", message_id = %entry.message_id, code = fault.code, "accepted but not deleted: it will come again");
        let accepted = vec![true; entry.events.len()];
        self.memory.remember(entry.message_id.clone(), accepted, now);
        let group = entry.group.clone();
        self.metrics.lease_lost(LeaseLoss::Rejected, crate::metrics::Stage::Undeleted);
        self.metrics.message(MessageOutcome::LeaseLost);
        self.end(key);
        if let Some(group) = group {
            self.release_lane(&group, Duration::ZERO, now);
        }
    }

    /// A failed nack is repeated once; then the visibility timeout ends by itself.
    fn not_hidden(&mut self, hide: Hide, fault: &Fault, now: Instant) {
        let Some(entry) = self.entries.get_mut(&hide.key) else { return };
        let again = entry.tries == 0 && entry.group.is_none() && fault.class != FaultClass::Entry;
        entry.tries += 1;
        if again {
            self.nacks.push(hide, now);
        } else {
            self.end(hide.key);
        }
    }
}

impl Entry {
    /// Events refused before are to be sent again.
    pub(super) fn reopen(&mut self) {
        for event in &mut self.events {
            if matches!(event, EventState::Refused(_) | EventState::Exhausted(_)) {
                *event = EventState::Pending;
            }
        }
    }
}
