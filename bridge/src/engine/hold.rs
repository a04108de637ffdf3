//! A FIFO head that cannot be delivered -> its lane waits, and is released as a whole in the end. Pure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::entry::{Holding, Stage};
use super::{Command, Engine, Key, Timer};
use crate::backoff::{Backoff, nack_timeout};
use crate::deliver::Parcel;
use crate::metrics::Purpose;
use crate::telemetry::throttled;

/// A head is retried here for so long: a release would burn a receive of every message behind it too.
const HOLD_FOR: Duration = Duration::from_secs(900);
/// What a long poll may take beyond its wait time.
const POLL_MARGIN: Duration = Duration::from_secs(2);
/// A released head that does not come again within this time went to the dead-letter queue, or elsewhere.
const UNSEEN_FOR: Duration = Duration::from_secs(1200);

/// Heads whose lanes were released: while one is expected back, receives ask for one message,
/// so that its tail is not received with it and burnt too.
#[derive(Debug, Default)]
pub(super) struct Cautious {
    heads: HashMap<Arc<str>, Instant>,
}

impl Cautious {
    /// True while a released head is expected back.
    pub(super) fn is_active(&mut self, now: Instant) -> bool {
        self.heads.retain(|_, until| now < *until);
        !self.heads.is_empty()
    }

    /// The message came again: it is waited for anew.
    pub(super) fn seen(&mut self, message: &str, now: Instant) {
        if let Some(until) = self.heads.get_mut(message) {
            *until = now + UNSEEN_FOR;
        }
    }

    /// The message was accepted.
    pub(super) fn forget(&mut self, message: &str) {
        self.heads.remove(message);
    }
}

impl Engine {
    /// The head could not be delivered: it stays, its lane waits, and it is tried again, until it is
    /// time to release the whole lane.
    pub(super) fn hold(&mut self, key: Key, parcel: Parcel, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.reopen();
        let (group, id) = (entry.group.clone().unwrap_or_default(), Arc::clone(&entry.message_id));
        if entry.holding.is_none() {
            throttled!(warn, now,event = "lane_held", message_id = %id, "the group waits: its first message could not be delivered");
        }
        let holding = entry.holding.get_or_insert_with(|| Holding {
            since: now,
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(30)),
        });
        let wait = holding.backoff.advance();
        if now + wait > holding.since + HOLD_FOR {
            // Long enough that no receive which is out already, and asked for more than one, brings the tail too.
            let least = self.settings.receive.wait_time + POLL_MARGIN;
            let timeout = nack_timeout(entry.receive_count, &mut self.rng).max(least);
            self.set_stage(key, Stage::Waiting(parcel));
            self.cautious.heads.insert(id, now + UNSEEN_FOR);
            return self.release_lane(&group, timeout, now);
        }
        self.set_stage(key, Stage::Waiting(parcel));
        self.lanes.hold(&group);
        self.at(now + wait, Timer::Retry(key));
    }

    /// Gives every message of the lane back, the last first, so that none is visible before its predecessor.
    /// One that is being sent stays the head, so that nothing overtakes it.
    pub(super) fn release_lane(&mut self, group: &Arc<str>, timeout: Duration, now: Instant) {
        let keys = self.lanes.dissolve(group);
        let posting = |key: &Key| matches!(self.entries.get(key).map(|entry| &entry.stage), Some(Stage::Posting));
        if let Some(head) = keys.last().copied().filter(posting) {
            self.lanes.arrive(group, head);
        }
        let hides: Vec<_> = keys.into_iter().filter_map(|key| self.take_out_unless_busy(key, timeout, now)).collect();
        if hides.is_empty() {
            return;
        }
        throttled!(
            warn,
            now,
            event = "lane_released",
            messages = hides.len(),
            seconds = timeout.as_secs(),
            "the group goes back to the queue"
        );
        self.releases_running += 1;
        self.commands.push(Command::Hide(Purpose::Release, hides));
    }

    /// Takes a message out unless it is being sent, deleted or released.
    pub(super) fn take_out_unless_busy(
        &mut self,
        key: Key,
        timeout: Duration,
        now: Instant,
    ) -> Option<crate::settle::write::Hide> {
        let entry = self.entries.get(&key)?;
        match &entry.stage {
            Stage::Ready(_) | Stage::Rescue(_) | Stage::Waiting(_) => self.take_out(key, timeout, now),
            Stage::Posting | Stage::Undeleted | Stage::Leaving => None,
        }
    }
}
