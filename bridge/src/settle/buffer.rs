//! Single settlements -> batches of at most ten, by size or by age. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Entries of one batch request.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>.
pub const BATCH: usize = 10;

/// Waits for ten entries, or until the oldest has waited long enough.
#[derive(Debug)]
pub struct Buffer<T> {
    linger: Duration,
    parallel: usize,
    running: usize,
    entries: VecDeque<(Instant, T)>,
    hurried: bool,
}

impl<T> Buffer<T> {
    /// Flushes at ten entries or after `linger`; at most `parallel` batches are under way at once.
    pub fn new(linger: Duration, parallel: usize) -> Self {
        Self { linger, parallel, running: 0, entries: VecDeque::new(), hurried: false }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: T, now: Instant) {
        self.entries.push_back((now, entry));
    }

    /// From here on nothing waits for company until the buffer is empty.
    pub fn hurry(&mut self) {
        self.hurried = !self.entries.is_empty();
    }

    /// The next batch, if one is due and may start.
    pub fn take(&mut self, now: Instant) -> Option<Vec<T>> {
        let due = self.due_at().is_some_and(|at| at <= now);
        if !due || self.running >= self.parallel {
            return None;
        }
        self.running += 1;
        let batch: Vec<T> = self.entries.drain(..self.entries.len().min(BATCH)).map(|(_, entry)| entry).collect();
        self.hurried = self.hurried && !self.entries.is_empty();
        Some(batch)
    }

    /// A batch came back.
    pub fn finished(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// The first waiting entry for which `wanted` says yes.
    pub fn find_mut(&mut self, wanted: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.entries.iter_mut().map(|(_, entry)| entry).find(|entry| wanted(entry))
    }

    /// When `take` has something to give; `None` too while all parallel batches are under way.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (self.running < self.parallel).then(|| self.due_at()).flatten()
    }

    /// True if nothing waits and nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.running == 0
    }

    fn due_at(&self) -> Option<Instant> {
        let (since, _) = self.entries.front()?;
        let full = self.entries.len() >= BATCH || self.hurried;
        Some(if full { *since } else { *since + self.linger })
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_millis(200);

    #[test]
    fn a_batch_goes_when_it_is_full_or_old() {
        let now = Instant::now();
        let mut buffer = Buffer::new(LINGER, 16);
        for n in 0..9 {
            buffer.push(n, now);
        }
        assert_eq!(buffer.take(now), None);
        assert_eq!(buffer.poll_timeout(), Some(now + LINGER));
        buffer.push(9, now);
        buffer.push(10, now);
        assert_eq!(buffer.take(now), Some((0..10).collect()));
        assert_eq!(buffer.take(now), None);
        assert_eq!(buffer.take(now + LINGER), Some(vec![10]));
        assert_eq!(buffer.poll_timeout(), None);
    }

    #[test]
    fn only_so_many_batches_are_under_way() {
        let now = Instant::now();
        let mut buffer = Buffer::new(Duration::ZERO, 1);
        buffer.push(1, now);
        assert_eq!(buffer.take(now), Some(vec![1]));
        buffer.push(2, now);
        assert_eq!((buffer.take(now), buffer.poll_timeout()), (None, None));
        buffer.finished();
        assert_eq!(buffer.take(now), Some(vec![2]));
        assert!(!buffer.is_idle());
        buffer.finished();
        assert!(buffer.is_idle());
    }

    #[test]
    fn a_hurried_buffer_waits_for_nothing() {
        let now = Instant::now();
        let mut buffer = Buffer::new(LINGER, 16);
        buffer.push(1, now);
        buffer.hurry();
        assert_eq!(buffer.take(now), Some(vec![1]));
        buffer.push(2, now);
        assert_eq!(buffer.take(now), None, "the hurry ended with the entries it was for");
    }
}
