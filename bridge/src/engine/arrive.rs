//! A received message -> its lease and its place in line. Pure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::entry::{Entry, EventState, Stage};
use super::{Engine, Key, drain};
use crate::deliver::Parcel;
use crate::message::{Receipt, Received};
use crate::telemetry::throttled;

impl Engine {
    /// A message arrived; it stays invisible to others for `invisible_for`.
    pub(super) fn arrive(&mut self, received: Received, invisible_for: Duration, now: Instant) {
        let Received { message, receipt, receive } = received;
        let count = message.attributes.approximate_receive_count.unwrap_or(1);
        if count > 1 {
            self.metrics.redelivered(self.is_near_limit(count));
        }
        if let Some(&key) = self.by_message.get(&message.id)
            && !matches!(self.entries.get(&key).map(|entry| &entry.stage), None | Some(Stage::Leaving))
        {
            self.admission.left(message.size() as u64);
            self.renew(key, receipt, count, invisible_for, now);
            return;
        }
        let key = self.new_key();
        self.leases.track(key, Arc::clone(receipt.handle()), invisible_for, now);
        self.by_message.insert(Arc::clone(&message.id), key);
        let events = self.memory.recall(&message.id, now).map_or_else(|| vec![EventState::Pending], recalled);
        let entry = Entry {
            message_id: Arc::clone(&message.id),
            receipt: Some(receipt),
            newer_receipt: None,
            group: self.group_of(message.attributes.message_group_id.as_deref()),
            size: message.size() as u64,
            receive_count: count,
            received: now,
            stage: Stage::Ready(Parcel::new(message, receive)),
            events,
            retries: 0,
            first_post: None,
            holding: None,
            accepted_at: None,
            tries: 0,
            lost: false,
        };
        self.cautious.seen(&entry.message_id, now);
        self.admit(key, entry, now);
    }

    /// A FIFO message belongs to a lane; on a standard queue a group id is a tenant and makes no order.
    fn group_of(&self, group: Option<&str>) -> Option<Arc<str>> {
        self.settings.fifo.then(|| Arc::from(group.unwrap_or_default()))
    }

    fn admit(&mut self, key: Key, entry: Entry, now: Instant) {
        let accepted = entry.is_accepted();
        let group = entry.group.clone();
        self.insert(key, entry);
        if self.phase != drain::Phase::Running {
            if let Some(group) = group {
                self.lanes.arrive(&group, key);
            }
            return;
        }
        let first = group.as_ref().is_none_or(|group| self.lanes.arrive(group, key));
        if accepted {
            throttled!(debug, now,event = "duplicate_suppressed", message_id = %self.entries[&key].message_id, "the sink has it already");
            self.metrics.duplicate_suppressed();
            self.accepted(key, now);
        } else if first {
            self.ready.push_back(key);
        }
    }

    /// The message is here already: the newest receipt handle is the one that counts.
    fn renew(&mut self, key: Key, receipt: Receipt, count: u32, invisible_for: Duration, now: Instant) {
        self.leases.track(key, Arc::clone(receipt.handle()), invisible_for, now);
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.receive_count = count;
        entry.lost = false;
        let old = match (&entry.stage, &mut entry.receipt) {
            (Stage::Undeleted, None) => match self.deletes.find_mut(|doomed| doomed.key == key) {
                Some(doomed) => Some(std::mem::replace(&mut doomed.receipt, receipt)),
                None => entry.newer_receipt.replace(receipt),
            },
            (_, held) => held.replace(receipt),
        };
        if old.is_some() {
            self.metrics.receipt_dropped();
        }
        if matches!(entry.stage, Stage::Rescue(_)) {
            self.rescued(key);
        }
    }

    fn is_near_limit(&self, count: u32) -> bool {
        let limit = self.facts.as_ref().and_then(|facts| facts.max_receive_count);
        limit.is_some_and(|limit| count >= limit.saturating_sub(1))
    }

    fn new_key(&mut self) -> Key {
        self.next_key += 1;
        Key(self.next_key)
    }
}

fn recalled(accepted: Vec<bool>) -> Vec<EventState> {
    accepted.into_iter().map(|accepted| if accepted { EventState::Accepted } else { EventState::Pending }).collect()
}
