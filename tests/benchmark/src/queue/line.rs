//! The messages of a queue by number: waiting, in flight or deleted, as SQS would have them. Pure.
//!
//! Times are microseconds since the Unix epoch. A message of a FIFO queue belongs to the group `number % groups`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// One delivery of a message, which its receipt handle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which message.
    pub number: u32,
    /// How often it has been received.
    pub receive: u32,
}

/// What became of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The message is gone.
    Deleted,
    /// It was gone before.
    Again,
    /// A newer delivery exists: the call succeeds and deletes nothing, as on SQS.
    Stale,
}

/// Why a visibility timeout could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotInFlight;

/// One message.
#[derive(Clone, Debug)]
pub struct Slot {
    state: State,
    receives: u32,
    /// Changes with each receive and each visibility change: older deadlines are void.
    generation: u32,
    /// When it was sent.
    pub sent: u64,
    /// When it was first received; 0 before.
    pub received: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    InFlight,
    Deleted,
}

/// All messages of a queue.
#[derive(Debug)]
pub struct Line {
    slots: Vec<Slot>,
    waiting: Waiting,
    deadlines: BinaryHeap<Reverse<(u64, u32, u32)>>,
}

#[derive(Debug)]
enum Waiting {
    Standard(VecDeque<u32>),
    Fifo { groups: Vec<Group>, free: VecDeque<usize> },
}

/// A FIFO group: locked while one of its messages is in flight.
#[derive(Clone, Debug, Default)]
struct Group {
    waiting: VecDeque<u32>,
    in_flight: usize,
}

impl Line {
    /// An empty queue; FIFO if it has groups.
    pub fn new(groups: usize) -> Self {
        let waiting = match groups {
            0 => Waiting::Standard(VecDeque::new()),
            _ => Waiting::Fifo { groups: vec![Group::default(); groups], free: VecDeque::new() },
        };
        Self { slots: Vec::new(), waiting, deadlines: BinaryHeap::new() }
    }

    /// Sends messages.
    pub fn feed(&mut self, messages: u32, now: u64) {
        for _ in 0..messages {
            let number = self.slots.len() as u32;
            self.slots.push(Slot { state: State::Waiting, receives: 0, generation: 0, sent: now, received: 0 });
            self.waiting.arrive(number);
        }
    }

    /// Every message that was ever sent, by number.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The group of a message, on a FIFO queue.
    pub fn group(&self, number: u32) -> Option<usize> {
        match &self.waiting {
            Waiting::Standard(_) => None,
            Waiting::Fifo { groups, .. } => Some(number as usize % groups.len()),
        }
    }

    /// Receives up to `most` messages and hides them until `visible_at`.
    pub fn receive(&mut self, most: usize, now: u64, visible_at: u64) -> Vec<Delivery> {
        let mut taken = Vec::with_capacity(most);
        while taken.len() < most {
            let Some(number) = self.waiting.next() else { break };
            let slot = &mut self.slots[number as usize];
            // Deleted by an older handle while it waited.
            if slot.state != State::Waiting {
                self.waiting.leave(number);
                continue;
            }
            slot.state = State::InFlight;
            slot.receives += 1;
            slot.generation += 1;
            if slot.received == 0 {
                slot.received = now;
            }
            self.deadlines.push(Reverse((visible_at, number, slot.generation)));
            taken.push(Delivery { number, receive: slot.receives });
        }
        self.waiting.lock();
        taken
    }

    /// Deletes a message by one of its deliveries; `None` if there is no such message.
    pub fn delete(&mut self, delivery: Delivery) -> Option<Deletion> {
        let slot = self.slots.get_mut(delivery.number as usize)?;
        if slot.state == State::Deleted {
            return Some(Deletion::Again);
        }
        if slot.receives != delivery.receive {
            return Some(Deletion::Stale);
        }
        if slot.state == State::InFlight {
            self.waiting.leave(delivery.number);
        }
        slot.state = State::Deleted;
        Some(Deletion::Deleted)
    }

    /// Hides a message in flight until `visible_at`, or makes it visible if that is not after `now`.
    ///
    /// # Errors
    ///
    /// When this delivery is not in flight.
    pub fn hide(&mut self, delivery: Delivery, now: u64, visible_at: u64) -> Result<(), NotInFlight> {
        let slot = self.slots.get_mut(delivery.number as usize).ok_or(NotInFlight)?;
        if slot.state != State::InFlight || slot.receives != delivery.receive {
            return Err(NotInFlight);
        }
        slot.generation += 1;
        self.deadlines.push(Reverse((visible_at, delivery.number, slot.generation)));
        self.expire(now);
        Ok(())
    }

    /// Makes messages visible whose timeout has passed; true if there were any.
    pub fn expire(&mut self, now: u64) -> bool {
        let mut any = false;
        while let Some(&Reverse((visible_at, number, generation))) = self.deadlines.peek() {
            if visible_at > now {
                break;
            }
            self.deadlines.pop();
            let slot = &mut self.slots[number as usize];
            if slot.state == State::InFlight && slot.generation == generation {
                slot.state = State::Waiting;
                self.waiting.come_back(number);
                any = true;
            }
        }
        any
    }
}

impl Waiting {
    fn arrive(&mut self, number: u32) {
        match self {
            Self::Standard(numbers) => numbers.push_back(number),
            Self::Fifo { groups, free } => {
                let index = number as usize % groups.len();
                let group = &mut groups[index];
                group.waiting.push_back(number);
                if group.in_flight == 0 && group.waiting.len() == 1 {
                    free.push_back(index);
                }
            }
        }
    }

    /// The next message to hand over. A receive takes as many of a group as it can.
    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Standard(numbers) => numbers.pop_front(),
            Self::Fifo { groups, free } => {
                let group = &mut groups[*free.front()?];
                let number = group.waiting.pop_front()?;
                group.in_flight += 1;
                if group.waiting.is_empty() {
                    free.pop_front();
                }
                Some(number)
            }
        }
    }

    /// Ends a receive: what is left of its last group waits until the group is free.
    fn lock(&mut self) {
        let Self::Fifo { groups, free } = self else { return };
        if free.front().is_some_and(|index| groups[*index].in_flight > 0) {
            free.pop_front();
        }
    }

    /// The message is no longer in flight and does not wait.
    fn leave(&mut self, number: u32) {
        self.unlock(number, |_| {});
    }

    /// The message is no longer in flight and waits again, where it stood.
    fn come_back(&mut self, number: u32) {
        if let Self::Standard(numbers) = self {
            numbers.push_back(number);
        }
        self.unlock(number, |waiting| {
            let place = waiting.partition_point(|other| *other < number);
            waiting.insert(place, number);
        });
    }

    fn unlock(&mut self, number: u32, change: impl FnOnce(&mut VecDeque<u32>)) {
        let Self::Fifo { groups, free } = self else { return };
        let index = number as usize % groups.len();
        let group = &mut groups[index];
        change(&mut group.waiting);
        group.in_flight -= 1;
        if group.in_flight == 0 && !group.waiting.is_empty() && !free.contains(&index) {
            free.push_back(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(taken: &[Delivery]) -> Vec<u32> {
        taken.iter().map(|delivery| delivery.number).collect()
    }

    #[test]
    fn a_message_is_received_again_after_its_timeout_and_an_old_handle_deletes_nothing() {
        let mut line = Line::new(0);
        line.feed(1, 5);
        assert_eq!(line.receive(10, 10, 20), [Delivery { number: 0, receive: 1 }]);
        assert!(!line.expire(19));
        assert!(line.expire(20));
        assert_eq!(line.receive(10, 30, 40), [Delivery { number: 0, receive: 2 }]);
        assert_eq!(line.delete(Delivery { number: 0, receive: 1 }), Some(Deletion::Stale));
        assert_eq!(line.delete(Delivery { number: 0, receive: 2 }), Some(Deletion::Deleted));
        assert_eq!(line.delete(Delivery { number: 0, receive: 2 }), Some(Deletion::Again));
        assert_eq!(line.delete(Delivery { number: 1, receive: 1 }), None);
        assert_eq!((line.slots()[0].sent, line.slots()[0].received), (5, 10));
    }

    #[test]
    fn hiding_longer_voids_the_old_deadline_and_hiding_for_no_time_releases() {
        let mut line = Line::new(0);
        line.feed(1, 0);
        let first = line.receive(1, 0, 10)[0];
        assert_eq!(line.hide(first, 5, 50), Ok(()));
        assert!(!line.expire(10));
        assert_eq!(line.hide(first, 20, 20), Ok(()));
        assert_eq!(line.hide(first, 20, 90), Err(NotInFlight));
        assert_eq!(numbers(&line.receive(1, 20, 90)), [0]);
    }

    #[test]
    fn a_group_is_locked_while_one_of_its_messages_is_in_flight() {
        let mut line = Line::new(2);
        line.feed(6, 0);
        let even = line.receive(2, 0, 100);
        assert_eq!(numbers(&even), [0, 2]);
        let odd = line.receive(10, 0, 50);
        assert_eq!(numbers(&odd), [1, 3, 5], "4 waits for 0 and 2");
        assert_eq!(line.hide(odd[0], 10, 10), Ok(()));
        assert_eq!(line.receive(10, 10, 100), [], "3 and 5 are in flight");
        assert!(line.expire(50));
        assert_eq!(numbers(&line.receive(10, 60, 100)), [1, 3, 5], "in the order of sending");
        assert_eq!(line.delete(even[0]), Some(Deletion::Deleted));
        assert_eq!(line.receive(10, 60, 100), []);
        assert_eq!(line.delete(even[1]), Some(Deletion::Deleted));
        assert_eq!(numbers(&line.receive(10, 60, 100)), [4]);
    }
}
