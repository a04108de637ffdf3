//! Order inside a FIFO group: one message at a time, the next only once its predecessor was accepted. Pure.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::engine::Key;

/// The lanes of all groups that have messages here; a lane is one `MessageGroupId`.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: HashMap<Arc<str>, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    /// In sending order; the first is the head, the only one that may be under way.
    messages: VecDeque<Key>,
    held: bool,
}

impl Lanes {
    /// Puts a message at the end of its lane. True if it is the head and may start.
    pub fn arrive(&mut self, group: &Arc<str>, key: Key) -> bool {
        let lane = self.lanes.entry(Arc::clone(group)).or_default();
        lane.messages.push_back(key);
        lane.messages.len() == 1
    }

    /// The head was accepted: the lane goes on with the one returned.
    pub fn advance(&mut self, group: &str, head: Key) -> Option<Key> {
        let lane = self.lanes.get_mut(group)?;
        lane.held = false;
        if lane.messages.front() == Some(&head) {
            lane.messages.pop_front();
        }
        let next = lane.messages.front().copied();
        if next.is_none() {
            self.lanes.remove(group);
        }
        next
    }

    /// The head failed and stays: nothing behind it moves.
    pub fn hold(&mut self, group: &str) {
        if let Some(lane) = self.lanes.get_mut(group) {
            lane.held = true;
        }
    }

    /// A message left without having been accepted.
    pub fn remove(&mut self, group: &str, key: Key) {
        if let Some(lane) = self.lanes.get_mut(group) {
            lane.messages.retain(|message| *message != key);
            if lane.messages.is_empty() {
                self.lanes.remove(group);
            }
        }
    }

    /// Ends the lane: all its messages, the last first, so that none becomes visible before its predecessor.
    pub fn dissolve(&mut self, group: &str) -> Vec<Key> {
        self.lanes.remove(group).map(|lane| lane.messages.into_iter().rev().collect()).unwrap_or_default()
    }

    /// The first message of the group that is here.
    pub fn head(&self, group: &str) -> Option<Key> {
        self.lanes.get(group).and_then(|lane| lane.messages.front().copied())
    }

    /// True if nothing of this group is here.
    pub fn is_empty(&self, group: &str) -> bool {
        !self.lanes.contains_key(group)
    }

    /// Every group that has messages here.
    pub fn groups(&self) -> Vec<Arc<str>> {
        self.lanes.keys().cloned().collect()
    }

    /// How many lanes move, and how many wait for their head.
    pub fn count(&self) -> (usize, usize) {
        let held = self.lanes.values().filter(|lane| lane.held).count();
        (self.lanes.len() - held, held)
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_moves_one_by_one_and_other_lanes_do_not_wait_for_it() {
        let mut lanes = Lanes::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let starts: Vec<bool> =
            [(&a, 1), (&a, 2), (&b, 3)].into_iter().map(|(group, key)| lanes.arrive(group, Key(key))).collect();
        assert_eq!(starts, [true, false, true]);
        assert_eq!(lanes.advance("a", Key(1)), Some(Key(2)));
        assert_eq!(lanes.advance("a", Key(2)), None);
        assert!(lanes.is_empty("a"));
        assert!(!lanes.is_empty("b"));
    }

    #[test]
    fn a_lane_is_dissolved_from_its_tail() {
        let mut lanes = Lanes::default();
        let group: Arc<str> = "a".into();
        for key in 1..=3 {
            lanes.arrive(&group, Key(key));
        }
        lanes.hold("a");
        assert_eq!(lanes.count(), (0, 1));
        assert_eq!(lanes.dissolve("a"), [Key(3), Key(2), Key(1)]);
        assert!(lanes.is_empty("a"));
    }

    #[test]
    fn a_message_that_left_holds_nobody_up() {
        let mut lanes = Lanes::default();
        let group: Arc<str> = "a".into();
        lanes.arrive(&group, Key(1));
        lanes.arrive(&group, Key(2));
        lanes.remove("a", Key(1));
        assert_eq!(lanes.head("a"), Some(Key(2)));
        lanes.remove("a", Key(2));
        assert!(lanes.is_empty("a"));
    }
}
