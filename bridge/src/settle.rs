//! How a message's delivery ended -> what becomes of the message. Pure.

pub mod buffer;
pub mod write;

use std::time::Duration;

use fastrand::Rng;

use crate::backoff::nack_timeout;

/// A refused message of a queue without a dead-letter queue is hidden this long, so that it cannot
/// be received in a loop.
const NO_REDRIVE: Duration = Duration::from_secs(900);

/// How the delivery of a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sink, or the dead-letter sink, has every event.
    Accepted,
    /// Some event was not taken yet; it may be, later.
    Exhausted,
    /// Some event was refused for good, and there is no dead-letter sink.
    Refused,
}

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Delete it.
    Delete,
    /// Give it back; it is visible again after this long.
    Nack {
        /// `VisibilityTimeout`.
        visible_in: Duration,
    },
    /// Do nothing: it becomes visible when its timeout ends.
    Leave,
}

/// What the queue lets us do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// False: accepted messages are never deleted.
    pub delete_accepted: bool,
    /// True if the queue has a dead-letter queue, which takes what was received too often; `None` while that is not known.
    pub redrives: Option<bool>,
}

/// The failure policy in one table.
///
/// | outcome | settlement |
/// |---|---|
/// | accepted | delete |
/// | exhausted | visible again after `2 s × 2^(receives − 1)`, at most 900 s, half of it jitter |
/// | refused, the queue redrives | visible again after 1 to 2 s: SQS moves it to the dead-letter queue |
/// | refused, no dead-letter queue | visible again after 900 s, with a warning |
/// | refused, not known whether the queue redrives | as exhausted |
pub fn decide(policy: Policy, outcome: Outcome, receive_count: u32, rng: &mut Rng) -> Settlement {
    match outcome {
        Outcome::Accepted if policy.delete_accepted => Settlement::Delete,
        Outcome::Accepted => Settlement::Leave,
        Outcome::Exhausted => Settlement::Nack { visible_in: nack_timeout(receive_count, rng) },
        Outcome::Refused => Settlement::Nack {
            visible_in: match policy.redrives {
                Some(true) => nack_timeout(1, rng),
                Some(false) => NO_REDRIVE,
                None => nack_timeout(receive_count, rng),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_acceptance_deletes() {
        let mut rng = Rng::with_seed(1);
        for delete_accepted in [true, false] {
            for redrives in [Some(true), Some(false), None] {
                let policy = Policy { delete_accepted, redrives };
                for outcome in [Outcome::Exhausted, Outcome::Refused] {
                    let settlement = decide(policy, outcome, 3, &mut rng);
                    assert!(matches!(settlement, Settlement::Nack { .. }), "{policy:?} {outcome:?}");
                }
            }
        }
    }

    #[test]
    fn each_outcome_has_its_settlement() {
        let mut rng = Rng::with_seed(1);
        let keep = Policy { delete_accepted: false, redrives: Some(true) };
        let usual = Policy { delete_accepted: true, redrives: Some(false) };
        assert_eq!(decide(usual, Outcome::Accepted, 1, &mut rng), Settlement::Delete);
        assert_eq!(decide(keep, Outcome::Accepted, 1, &mut rng), Settlement::Leave);
        assert_eq!(decide(usual, Outcome::Refused, 1, &mut rng), Settlement::Nack { visible_in: NO_REDRIVE });
        for _ in 0..20 {
            let Settlement::Nack { visible_in } = decide(keep, Outcome::Refused, 9, &mut rng) else {
                panic!("a refused message is given back");
            };
            assert!((1..=2).contains(&visible_in.as_secs()));
        }
        let unknown = Policy { delete_accepted: true, redrives: None };
        let Settlement::Nack { visible_in } = decide(unknown, Outcome::Refused, 5, &mut rng) else {
            panic!("a refused message is given back");
        };
        assert!((16..=32).contains(&visible_in.as_secs()), "{visible_in:?}");
    }
}
