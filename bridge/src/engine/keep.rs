//! Leases that run out -> extensions; their answers -> more time, or a lost lease. Pure.

use std::time::{Duration, Instant};

use tracing::warn;

use super::entry::Stage;
use super::{Engine, Key};
use crate::fault::FaultClass;
use crate::lease::Extension;
use crate::metrics::{LeaseLoss, MessageOutcome, Purpose};
use crate::settle::write::Written;
use crate::telemetry::throttled;

impl Engine {
    /// Asks for more time where half of it is over.
    pub(super) fn extend_leases(&mut self, now: Instant) {
        for extension in self.leases.take_due(now) {
            self.extensions.push(extension, now);
        }
    }

    /// Extensions ended.
    pub(super) fn extended(&mut self, written: Vec<Written<Extension>>, asked_at: Instant, now: Instant) {
        self.extensions.finished();
        self.health.progress(now);
        for one in written {
            match one {
                Written::Done(key) => {
                    self.leases.extended(key, asked_at);
                    self.rescued(key);
                }
                Written::Failed { entry, fault, sender_fault } => {
                    self.metrics.failed_entries(Purpose::Heartbeat, sender_fault, 1);
                    self.not_extended(&entry, fault.class, now);
                }
            }
        }
    }

    /// A message whose deadline had passed is ours again: it may be sent.
    pub(super) fn rescued(&mut self, key: Key) {
        let Some(entry) = self.entries.get(&key) else { return };
        if matches!(entry.stage, Stage::Rescue(_))
            && let Some(parcel) = self.take_parcel(key)
        {
            self.set_stage(key, Stage::Ready(parcel));
            self.ready.push_front(key);
        }
    }

    /// The message is not ours any more: nothing of it is sent from here on, and nothing of its lane.
    pub(super) fn lose(&mut self, key: Key, reason: LeaseLoss, now: Instant) {
        self.leases.forget(key);
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let Some(stage) = entry.stage.label() else { return };
        throttled!(warn, now,event = "lease_lost", message_id = %entry.message_id, stage = ?stage, "SQS may hand the message to someone else");
        self.metrics.lease_lost(reason, stage);
        let group = entry.group.clone();
        match &entry.stage {
            Stage::Posting => entry.lost = true,
            Stage::Undeleted | Stage::Leaving => return,
            Stage::Ready(_) | Stage::Rescue(_) | Stage::Waiting(_) => {
                self.memory.remember(entry.message_id.clone(), entry.accepted(), now);
                self.metrics.message(MessageOutcome::LeaseLost);
                self.end(key);
            }
        }
        if let Some(group) = group {
            self.release_lane(&group, Duration::ZERO, now);
        }
    }

    fn not_extended(&mut self, extension: &Extension, class: FaultClass, now: Instant) {
        let key = extension.key;
        match class {
            FaultClass::Entry | FaultClass::Bug => self.lose(key, LeaseLoss::Rejected, now),
            FaultClass::FatalConfig => {
                self.deny_extensions();
                self.fail_rescue(key, now);
            }
            FaultClass::Throttle | FaultClass::Transient | FaultClass::Credentials | FaultClass::Unknown => {
                if !self.leases.retry(key, now) {
                    self.fail_rescue(key, now);
                }
            }
        }
    }

    fn fail_rescue(&mut self, key: Key, now: Instant) {
        if matches!(self.entries.get(&key).map(|entry| &entry.stage), Some(Stage::Rescue(_))) {
            self.lose(key, LeaseLoss::Expired, now);
        }
    }

    fn deny_extensions(&mut self) {
        if self.leases.is_extendable() {
            warn!(
                event = "cmv_denied",
                "sqs:ChangeMessageVisibility is denied: receives ask for a visibility timeout longer than the sink timeout instead; allow it to have slow events extended and failed ones given back"
            );
            self.leases.deny();
            self.health.heartbeat_denied();
        }
    }
}
