//! Who is next: any visible message on a standard queue, the head of an unlocked group on a FIFO queue. Pure.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::sqs::message::Index;

/// The messages that wait to be received.
#[derive(Debug)]
pub enum Line {
    /// No order worth promising: whoever became visible first is next.
    Standard(Standard),
    /// Order within a group, and one batch of a group at a time.
    Fifo(Fifo),
}

/// Visible messages, in the order in which they became visible.
#[derive(Debug, Default)]
pub struct Standard {
    waiting: VecDeque<(u64, Index)>,
    tickets: HashMap<Index, u64>,
    last_ticket: u64,
    newly_receivable: usize,
}

/// Groups, those that can be served in the order in which they became so.
#[derive(Debug, Default)]
pub struct Fifo {
    groups: HashMap<Arc<str>, Group>,
    ready: VecDeque<Arc<str>>,
    newly_receivable: usize,
}

#[derive(Debug, Default)]
struct Group {
    members: BTreeSet<Index>,
    in_flight: usize,
    is_ready: bool,
}

impl Line {
    /// For a standard queue.
    pub fn standard() -> Self {
        Self::Standard(Standard::default())
    }

    /// For a FIFO queue.
    pub fn fifo() -> Self {
        Self::Fifo(Fifo::default())
    }

    /// A message has come into the queue.
    pub fn join(&mut self, index: Index, group: Option<&Arc<str>>) {
        if let (Self::Fifo(fifo), Some(group)) = (self, group) {
            fifo.groups.entry(group.clone()).or_default().members.insert(index);
        }
    }

    /// A message has become visible.
    pub fn add(&mut self, index: Index, group: Option<&Arc<str>>) {
        match self {
            Self::Standard(standard) => standard.add(index),
            Self::Fifo(fifo) => fifo.offer(group),
        }
    }

    /// A message has left the queue.
    pub fn remove(&mut self, index: Index, group: Option<&Arc<str>>) {
        match self {
            Self::Standard(standard) => {
                standard.tickets.remove(&index);
            }
            Self::Fifo(fifo) => fifo.remove(index, group),
        }
    }

    /// A message of the group is in flight.
    pub fn lock(&mut self, group: Option<&Arc<str>>) {
        if let (Self::Fifo(fifo), Some(group)) = (self, group) {
            fifo.groups.entry(group.clone()).or_default().in_flight += 1;
        }
    }

    /// A message of the group is no longer in flight.
    pub fn unlock(&mut self, group: Option<&Arc<str>>) {
        if let Self::Fifo(fifo) = self {
            if let Some(group) = group.and_then(|group| fifo.groups.get_mut(group)) {
                group.in_flight -= 1;
            }
            fifo.offer(group);
        }
    }

    /// How many messages, or groups, have become receivable since this was last asked.
    pub fn take_newly_receivable(&mut self) -> usize {
        match self {
            Self::Standard(standard) => std::mem::take(&mut standard.newly_receivable),
            Self::Fifo(fifo) => std::mem::take(&mut fifo.newly_receivable),
        }
    }

    /// Takes up to `most` messages out of the line: on a FIFO queue all of one group, its first ones.
    pub fn take(&mut self, most: usize, visible: impl Fn(Index) -> bool) -> Vec<Index> {
        match self {
            Self::Standard(standard) => std::iter::from_fn(|| standard.pop()).take(most).collect(),
            Self::Fifo(fifo) => fifo.take(most, visible),
        }
    }
}

impl Standard {
    fn add(&mut self, index: Index) {
        self.last_ticket += 1;
        self.tickets.insert(index, self.last_ticket);
        self.waiting.push_back((self.last_ticket, index));
        self.newly_receivable += 1;
    }

    fn pop(&mut self) -> Option<Index> {
        loop {
            let (ticket, index) = self.waiting.pop_front()?;
            if self.tickets.get(&index) == Some(&ticket) {
                self.tickets.remove(&index);
                return Some(index);
            }
        }
    }
}

impl Fifo {
    fn take(&mut self, most: usize, visible: impl Fn(Index) -> bool) -> Vec<Index> {
        while let Some(name) = self.ready.pop_front() {
            let Some(group) = self.groups.get_mut(&name) else { continue };
            group.is_ready = false;
            if group.in_flight > 0 {
                continue;
            }
            let first: Vec<Index> =
                group.members.iter().copied().take_while(|index| visible(*index)).take(most).collect();
            if !first.is_empty() {
                return first;
            }
        }
        Vec::new()
    }

    fn offer(&mut self, name: Option<&Arc<str>>) {
        let Some((name, group)) = name.and_then(|name| self.groups.get_mut(name).map(|group| (name, group))) else {
            return;
        };
        if group.in_flight == 0 && !group.is_ready && !group.members.is_empty() {
            group.is_ready = true;
            self.ready.push_back(name.clone());
            self.newly_receivable += 1;
        }
    }

    fn remove(&mut self, index: Index, name: Option<&Arc<str>>) {
        let Some(name) = name else { return };
        let Some(group) = self.groups.get_mut(name) else { return };
        group.members.remove(&index);
        if group.members.is_empty() && group.in_flight == 0 {
            self.groups.remove(name);
        } else {
            self.offer(Some(name));
        }
    }
}
