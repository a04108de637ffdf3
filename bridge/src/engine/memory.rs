//! What was accepted of messages that could not be deleted -> what a redelivery need not send again. Pure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;

const MESSAGES: usize = 10_000;
const LIFE: Duration = Duration::from_secs(3600);

/// Best effort: the last 10,000 such messages, for an hour.
#[derive(Debug)]
pub(super) struct Memory {
    accepted: LruCache<Arc<str>, Remembered>,
}

#[derive(Debug)]
struct Remembered {
    at: Instant,
    events: Vec<bool>,
}

impl Default for Memory {
    fn default() -> Self {
        // Unbounded in the cache's sense so that it grows with need; `remember` keeps the bound.
        Self { accepted: LruCache::unbounded() }
    }
}

impl Memory {
    /// Notes which events of a message were accepted; nothing, if none was.
    pub(super) fn remember(&mut self, message: Arc<str>, events: Vec<bool>, now: Instant) {
        if !events.contains(&true) {
            return;
        }
        self.accepted.put(message, Remembered { at: now, events });
        if self.accepted.len() > MESSAGES {
            self.accepted.pop_lru();
        }
    }

    /// What was accepted of a message that comes again; it is forgotten here, as its entry knows it now.
    pub(super) fn recall(&mut self, message: &str, now: Instant) -> Option<Vec<bool>> {
        let remembered = self.accepted.pop(message)?;
        (now < remembered.at + LIFE).then_some(remembered.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_what_was_accepted_for_an_hour() {
        let now = Instant::now();
        let mut memory = Memory::default();
        memory.remember("a".into(), vec![true, false], now);
        memory.remember("b".into(), vec![true], now);
        memory.remember("c".into(), vec![false, false], now);
        assert_eq!(memory.recall("a", now), Some(vec![true, false]));
        assert_eq!(memory.recall("a", now), None);
        assert_eq!(memory.recall("b", now + LIFE), None);
        assert_eq!(memory.recall("c", now), None);
    }

    #[test]
    fn it_keeps_the_newest_ten_thousand() {
        let now = Instant::now();
        let mut memory = Memory::default();
        for n in 0..=MESSAGES {
            memory.remember(n.to_string().into(), vec![true], now);
        }
        assert_eq!(memory.recall("0", now), None);
        assert_eq!(memory.recall("1", now), Some(vec![true]));
    }
}
