//! The lease table beside one that looks at every lease each time. I/O: the clock.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Track(u64, u64),
    Wait(u64),
    TakeDue,
    Extended(usize),
    Retry(usize),
    Rescue(u64),
    Forget(u64),
    Deny,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6u64, 10..90u64).prop_map(|(key, visible)| Step::Track(key, visible)),
        6 => (0..20_000u64).prop_map(Step::Wait),
        1 => (0..40_000_000u64).prop_map(Step::Wait),
        6 => Just(Step::TakeDue),
        5 => (0..6usize).prop_map(Step::Extended),
        3 => (0..6usize).prop_map(Step::Retry),
        2 => (0..6u64).prop_map(Step::Rescue),
        2 => (0..6u64).prop_map(Step::Forget),
        1 => Just(Step::Deny),
    ]
}

/// One lease as the rules have it, without a heap.
#[derive(Clone, Debug)]
struct Known {
    key: Key,
    received: Instant,
    deadline: Instant,
    /// `None` while an extension is under way, and once SQS would grant no more.
    due: Option<Instant>,
    asked: Option<Duration>,
    extensions: u32,
}

struct Table {
    known: Vec<Known>,
    extendable: bool,
}

const VISIBILITY: Duration = Duration::from_secs(30);

impl Table {
    fn find(&mut self, key: Key) -> Option<&mut Known> {
        self.known.iter_mut().find(|known| known.key == key)
    }

    fn next_due(&self) -> Option<Instant> {
        self.known.iter().filter_map(|known| known.due).min().filter(|_| self.extendable)
    }

    fn take_due(&mut self, now: Instant) -> Vec<(Key, Duration)> {
        if self.next_due().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let due = self.known.iter_mut().filter(|known| known.due.is_some_and(|at| at <= now + Duration::from_secs(2)));
        due.filter_map(|known| known.ask(now)).collect()
    }
}

impl Known {
    fn ask(&mut self, now: Instant) -> Option<(Key, Duration)> {
        self.due = None;
        let wished = if self.extensions < 2 { 30 } else { 60 };
        let left = (self.received + Duration::from_secs(42_600)).saturating_duration_since(now).as_secs();
        let timeout = Duration::from_secs(left.min(wished));
        (timeout >= Duration::from_secs(4)).then(|| {
            self.asked = Some(timeout);
            (self.key, timeout)
        })
    }
}

proptest! {
    #[test]
    fn the_heap_of_leases_says_what_a_look_at_each_lease_says(steps in proptest::collection::vec(step(), 1..120)) {
        let mut now = Instant::now();
        let mut leases = Leases::new(VISIBILITY);
        let mut table = Table { known: Vec::new(), extendable: true };
        let mut asked: Vec<Key> = Vec::new();
        for step in steps {
            match step {
                Step::Track(key, visible) => {
                    let (key, visible) = (Key(key), Duration::from_secs(visible));
                    leases.track(key, "handle".into(), visible, now);
                    table.known.retain(|known| known.key != key);
                    asked.retain(|known| *known != key);
                    table.known.push(Known {
                        key,
                        received: now,
                        deadline: now + visible - Duration::from_secs(2),
                        due: Some(now + visible / 2),
                        asked: None,
                        extensions: 0,
                    });
                }
                Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                Step::TakeDue => {
                    let mut got: Vec<_> = leases.take_due(now).iter().map(|one| (one.key, one.timeout)).collect();
                    let mut expected = table.take_due(now);
                    got.sort();
                    expected.sort();
                    prop_assert_eq!(&got, &expected);
                    asked.extend(got.iter().map(|(key, _)| *key));
                }
                Step::Extended(which) if !asked.is_empty() => {
                    let key = asked.remove(which % asked.len());
                    leases.extended(key, now);
                    if let Some(known) = table.find(key) && let Some(timeout) = known.asked.take() {
                        known.extensions += 1;
                        known.deadline = now + timeout - Duration::from_secs(2);
                        known.due = Some(now + timeout / 2);
                    }
                }
                Step::Retry(which) if !asked.is_empty() => {
                    let key = asked.remove(which % asked.len());
                    let again = leases.retry(key, now);
                    let second = now + Duration::from_secs(1);
                    let expected = table.find(key).is_some_and(|known| {
                        known.asked = None;
                        known.due = Some(second).filter(|second| *second < known.deadline);
                        known.due.is_some()
                    });
                    prop_assert_eq!(again, expected);
                }
                Step::Rescue(key) => {
                    let got = leases.rescue(Key(key), now).map(|one| (one.key, one.timeout));
                    let extendable = table.extendable;
                    let free = table.find(Key(key)).filter(|known| extendable && known.asked.is_none());
                    let expected = free.and_then(|known| {
                        let due = known.due;
                        let asked = known.ask(now);
                        // One that SQS would not grant changes nothing.
                        known.due = if asked.is_some() { None } else { due };
                        asked
                    });
                    prop_assert_eq!(got, expected);
                    asked.extend(got.map(|(key, _)| key));
                }
                Step::Forget(key) => {
                    leases.forget(Key(key));
                    table.known.retain(|known| known.key != Key(key));
                    asked.retain(|known| *known != Key(key));
                }
                Step::Deny => {
                    leases.deny();
                    table.extendable = false;
                }
                Step::Extended(_) | Step::Retry(_) => {}
            }
            prop_assert_eq!(leases.poll_timeout(), table.next_due());
            for key in (0..6).map(Key) {
                let expected = match table.find(key) {
                    None => Held::No,
                    Some(known) if now < known.deadline => Held::Yes,
                    Some(_) => Held::Expired,
                };
                prop_assert_eq!(leases.held(key, now), expected);
                let asked = table.find(key).is_some_and(|known| known.asked.is_some());
                prop_assert_eq!(leases.is_asked(key), asked);
            }
            prop_assert_eq!(leases.len(), table.known.len());
        }
    }
}
