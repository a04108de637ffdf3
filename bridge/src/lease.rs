//! Which messages we hold, until when, and whose visibility timeout must be extended now. Pure.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::Key;

/// Taken off every deadline: what a request may take to reach SQS.
const SAFETY: Duration = Duration::from_secs(2);
/// A tick extends everything due within this time, to fill its batches.
const GATHER: Duration = Duration::from_secs(2);
/// After a failed extension, while the lease still holds.
const RETRY: Duration = Duration::from_secs(1);
/// From this extension on a message asks for twice the visibility timeout: it will take long.
const LONG_FROM: u32 = 3;
/// SQS ends every message's invisibility 12 h after its receive; we stop asking a little before.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>.
const MAX_AGE: Duration = Duration::from_secs(11 * 3600 + 50 * 60);

/// Every lease we hold.
#[derive(Debug)]
pub struct Leases {
    visibility: Duration,
    extendable: bool,
    leases: HashMap<Key, Lease>,
    due: BinaryHeap<Reverse<(Instant, Key)>>,
}

/// A request to keep one message invisible for `timeout` from now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The message.
    pub key: Key,
    /// Its receipt handle: good for extending, not for deleting.
    pub handle: Arc<str>,
    /// `VisibilityTimeout`, whole seconds.
    pub timeout: Duration,
}

/// Whether a POST may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The message is ours.
    Yes,
    /// The deadline has passed; one extension may still save it.
    Expired,
    /// It is not ours any more.
    No,
}

#[derive(Debug)]
struct Lease {
    handle: Arc<str>,
    received: Instant,
    deadline: Instant,
    /// When the next extension is due, unless one is under way or was the last; the heap's entry counts only if it says the same.
    due: Option<Instant>,
    extensions: u32,
    /// The timeout of the extension that is under way.
    asked: Option<Duration>,
}

impl Leases {
    /// Leases of `visibility`, whole seconds.
    pub fn new(visibility: Duration) -> Self {
        Self { visibility, extendable: true, leases: HashMap::new(), due: BinaryHeap::new() }
    }

    /// Begins a lease; `invisible_for` is the timeout that the receive asked for.
    pub fn track(&mut self, key: Key, handle: Arc<str>, invisible_for: Duration, now: Instant) {
        let due = now + invisible_for / 2;
        let deadline = deadline(now, invisible_for);
        self.leases.insert(key, Lease { handle, received: now, deadline, due: Some(due), extensions: 0, asked: None });
        self.due.push(Reverse((due, key)));
    }

    /// Whether a POST of this message may start now.
    pub fn held(&self, key: Key, now: Instant) -> Held {
        match self.leases.get(&key) {
            None => Held::No,
            Some(lease) if now < lease.deadline => Held::Yes,
            Some(_) => Held::Expired,
        }
    }

    /// True if an extension of this message is under way.
    pub fn is_asked(&self, key: Key) -> bool {
        self.leases.get(&key).is_some_and(|lease| lease.asked.is_some())
    }

    /// The one extension that may save a lease whose deadline has passed.
    pub fn rescue(&mut self, key: Key, now: Instant) -> Option<Extension> {
        let (visibility, extendable) = (self.visibility, self.extendable);
        let lease = self.leases.get_mut(&key)?;
        (extendable && lease.asked.is_none()).then(|| lease.ask(key, visibility, now)).flatten()
    }

    /// Every extension that is due, each asked for once.
    pub fn take_due(&mut self, now: Instant) -> Vec<Extension> {
        let mut extensions = Vec::new();
        if self.poll_timeout().is_none_or(|at| at > now) {
            return extensions;
        }
        while let Some(&Reverse((at, key))) = self.due.peek() {
            if at > now + GATHER {
                break;
            }
            self.due.pop();
            let visibility = self.visibility;
            let Some(lease) = self.leases.get_mut(&key).filter(|lease| lease.due == Some(at)) else {
                continue;
            };
            extensions.extend(lease.ask(key, visibility, now));
        }
        extensions
    }

    /// The extension was granted; it counts from when it was asked for.
    pub fn extended(&mut self, key: Key, asked_at: Instant) {
        if let Some(lease) = self.leases.get_mut(&key)
            && let Some(timeout) = lease.asked.take()
        {
            lease.extensions += 1;
            lease.deadline = deadline(asked_at, timeout);
            let due = asked_at + timeout / 2;
            lease.due = Some(due);
            self.due.push(Reverse((due, key)));
        }
    }

    /// The extension failed for a passing reason: once more in a second, while the lease holds.
    /// True if it does.
    pub fn retry(&mut self, key: Key, now: Instant) -> bool {
        let Some(lease) = self.leases.get_mut(&key) else { return false };
        lease.asked = None;
        if now + RETRY >= lease.deadline {
            return false;
        }
        lease.due = Some(now + RETRY);
        self.due.push(Reverse((now + RETRY, key)));
        true
    }

    /// The message is deleted, released or lost: nothing of it is ever extended again.
    pub fn forget(&mut self, key: Key) {
        self.leases.remove(&key);
    }

    /// ChangeMessageVisibility is denied: nothing is extended from here on.
    pub fn deny(&mut self) {
        self.extendable = false;
        self.due.clear();
    }

    /// False once ChangeMessageVisibility was denied.
    pub fn is_extendable(&self) -> bool {
        self.extendable
    }

    /// How many messages are leased.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// True if nothing is leased.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// When `take_due` has something to give.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        while let Some(&Reverse((at, key))) = self.due.peek() {
            if self.extendable && self.leases.get(&key).is_some_and(|lease| lease.due == Some(at)) {
                return Some(at);
            }
            self.due.pop();
        }
        None
    }
}

impl Lease {
    /// Asks for more time, unless SQS would grant none.
    fn ask(&mut self, key: Key, visibility: Duration, now: Instant) -> Option<Extension> {
        let left = (self.received + MAX_AGE).saturating_duration_since(now);
        let wished = if self.extensions + 1 >= LONG_FROM { visibility * 2 } else { visibility };
        let timeout = Duration::from_secs(wished.min(left).as_secs());
        if timeout < SAFETY * 2 {
            return None;
        }
        (self.asked, self.due) = (Some(timeout), None);
        Some(Extension { key, handle: Arc::clone(&self.handle), timeout })
    }
}

fn deadline(from: Instant, invisible_for: Duration) -> Instant {
    from + invisible_for.saturating_sub(SAFETY)
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBILITY: Duration = Duration::from_secs(30);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn one_lease(now: Instant) -> (Leases, Key) {
        let mut leases = Leases::new(VISIBILITY);
        let key = Key(1);
        leases.track(key, "handle".into(), VISIBILITY, now);
        (leases, key)
    }

    #[test]
    fn a_rescue_that_fails_too_late_to_be_repeated_was_the_last_extension() {
        let start = Instant::now();
        let (mut leases, key) = one_lease(start);
        let late = start + seconds(27);
        assert!(leases.rescue(key, late).is_some());
        assert!(!leases.retry(key, late));
        assert_eq!((leases.poll_timeout(), leases.take_due(late)), (None, Vec::new()));
    }

    #[test]
    fn a_lease_is_extended_at_half_of_its_period_and_twice_as_long_from_the_third_time() {
        let start = Instant::now();
        let (mut leases, key) = one_lease(start);
        let mut now = start;
        let mut asked = Vec::new();
        for _ in 0..4 {
            now = leases.poll_timeout().expect("a lease is due");
            let extensions = leases.take_due(now);
            assert_eq!(leases.poll_timeout(), None, "nothing is asked for twice");
            asked.push(((now - start).as_secs(), extensions[0].timeout.as_secs()));
            leases.extended(key, now);
        }
        assert_eq!(asked, [(15, 30), (30, 30), (45, 60), (75, 60)]);
        assert_eq!(leases.held(key, now + seconds(57)), Held::Yes);
        assert_eq!(leases.held(key, now + seconds(58)), Held::Expired);
    }

    #[test]
    fn a_message_done_before_half_of_its_lease_costs_no_request() {
        let start = Instant::now();
        let (mut leases, key) = one_lease(start);
        leases.forget(key);
        assert_eq!(leases.take_due(start + seconds(100)), []);
        assert_eq!(leases.poll_timeout(), None);
        assert_eq!(leases.held(key, start), Held::No);
    }

    #[test]
    fn a_tick_gathers_what_is_due_within_two_seconds() {
        let start = Instant::now();
        let mut leases = Leases::new(VISIBILITY);
        for n in 0..4 {
            leases.track(Key(n), "handle".into(), VISIBILITY, start + seconds(n));
        }
        assert_eq!(leases.take_due(start + seconds(14)), []);
        let keys: Vec<Key> = leases.take_due(start + seconds(15)).iter().map(|extension| extension.key).collect();
        assert_eq!(keys, [Key(0), Key(1), Key(2)]);
    }

    #[test]
    fn a_passing_failure_is_retried_each_second_while_the_lease_holds() {
        let start = Instant::now();
        let (mut leases, key) = one_lease(start);
        let mut now = start + seconds(15);
        let mut tries = 0;
        loop {
            assert_eq!(leases.take_due(now).len(), 1);
            tries += 1;
            if !leases.retry(key, now) {
                break;
            }
            now = leases.poll_timeout().expect("the retry is due");
        }
        assert_eq!((tries, leases.held(key, start + seconds(28))), (13, Held::Expired));
    }

    #[test]
    fn an_expired_lease_is_rescued_by_one_extension() {
        let start = Instant::now();
        let (mut leases, key) = one_lease(start);
        let late = start + seconds(29);
        assert_eq!(leases.held(key, late), Held::Expired);
        assert!(leases.rescue(key, late).is_some());
        assert_eq!(leases.rescue(key, late), None);
        leases.extended(key, late);
        assert_eq!(leases.held(key, late), Held::Yes);
    }

    #[test]
    fn nothing_is_extended_past_twelve_hours() {
        let start = Instant::now();
        let (mut leases, _) = one_lease(start);
        let late = start + MAX_AGE - seconds(10);
        assert_eq!(leases.take_due(late)[0].timeout, seconds(10));
        let (mut leases, _) = one_lease(start);
        assert_eq!(leases.take_due(start + MAX_AGE), []);
    }

    #[test]
    fn without_the_right_to_extend_nothing_is_asked() {
        let start = Instant::now();
        let (mut leases, key) = one_lease(start);
        leases.deny();
        assert_eq!(leases.poll_timeout(), None);
        assert_eq!(leases.take_due(start + seconds(20)), []);
        assert_eq!(leases.rescue(key, start + seconds(29)), None);
    }
}
