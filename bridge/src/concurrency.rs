//! How the sink answers -> how many POSTs may be under way at once. Pure.

use std::time::Duration;

const START: f64 = 8.0;
const DECREASE: f64 = 0.7;

/// Additive increase, multiplicative decrease; it doubles until the first decrease.
#[derive(Debug)]
pub struct Concurrency {
    max: f64,
    limit: f64,
    active: usize,
    steep: bool,
    window: Window,
    least_latency: Option<Duration>,
}

/// As many completions as the limit was when the window began.
#[derive(Debug)]
struct Window {
    length: usize,
    completions: usize,
    latency: Duration,
    decreased: bool,
    filled: bool,
}

impl Concurrency {
    /// Starts at 8, never exceeds `max`.
    pub fn new(max: u32) -> Self {
        let max = f64::from(max);
        let limit = START.min(max);
        Self { max, limit, active: 0, steep: true, window: Window::of(limit), least_latency: None }
    }

    /// True if one more POST may start.
    pub fn has_room(&self) -> bool {
        self.active < self.limit()
    }

    /// A POST starts.
    pub fn started(&mut self) {
        self.active += 1;
        if self.active >= self.limit() {
            self.window.filled = true;
        }
    }

    /// A POST ended; `overloaded` means 429, 503 or a timeout.
    pub fn finished(&mut self, latency: Duration, overloaded: bool) {
        self.active = self.active.saturating_sub(1);
        self.window.completions += 1;
        self.window.latency += latency;
        if overloaded {
            self.decrease();
        } else {
            self.least_latency = Some(self.least_latency.map_or(latency, |least| least.min(latency)));
        }
        if self.window.completions >= self.window.length {
            self.end_window();
        }
    }

    /// Starts over, after an outage.
    pub fn restart(&mut self) {
        self.limit = START.min(self.max);
        self.steep = true;
        self.window = Window::of(self.limit);
        self.least_latency = None;
    }

    /// POSTs that may be under way at once.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// POSTs under way.
    pub fn active(&self) -> usize {
        self.active
    }

    fn decrease(&mut self) {
        if !self.window.decreased {
            self.window.decreased = true;
            self.steep = false;
            self.limit = (self.limit * DECREASE).max(1.0);
        }
    }

    fn end_window(&mut self) {
        let window = std::mem::replace(&mut self.window, Window::of(self.limit));
        if !window.decreased && window.filled {
            self.increase(&window);
            self.window = Window::of(self.limit);
        }
    }

    fn increase(&mut self, window: &Window) {
        if self.steep {
            self.limit = (self.limit * 2.0).min(self.max);
            return;
        }
        let mean = window.latency / u32::try_from(window.completions).unwrap_or(u32::MAX).max(1);
        if self.least_latency.is_some_and(|least| mean < least * 2) {
            self.limit = (self.limit + 1.0).min(self.max);
        }
    }
}

impl Window {
    fn of(limit: f64) -> Self {
        Self { length: limit as usize, completions: 0, latency: Duration::ZERO, decreased: false, filled: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(5);

    /// One window of POSTs that fill the limit.
    fn window(concurrency: &mut Concurrency, latency: Duration, overloaded: bool) {
        let posts = concurrency.limit();
        for _ in 0..posts {
            concurrency.started();
        }
        for _ in 0..posts {
            concurrency.finished(latency, overloaded);
        }
    }

    #[test]
    fn it_doubles_to_the_first_sign_of_overload_and_then_creeps() {
        let mut concurrency = Concurrency::new(128);
        let mut limits = vec![concurrency.limit()];
        for overloaded in [false, false, true, false, false] {
            window(&mut concurrency, QUICK, overloaded);
            limits.push(concurrency.limit());
        }
        assert_eq!(limits, [8, 16, 32, 22, 23, 24]);
    }

    #[test]
    fn it_does_not_creep_while_answers_get_slower() {
        let mut concurrency = Concurrency::new(128);
        window(&mut concurrency, QUICK, true);
        window(&mut concurrency, QUICK, false);
        let limit = concurrency.limit();
        window(&mut concurrency, QUICK * 3, false);
        assert_eq!(concurrency.limit(), limit);
    }

    #[test]
    fn it_stays_between_one_and_its_maximum() {
        let mut concurrency = Concurrency::new(20);
        for _ in 0..5 {
            window(&mut concurrency, QUICK, false);
        }
        assert_eq!(concurrency.limit(), 20);
        for _ in 0..20 {
            window(&mut concurrency, QUICK, true);
        }
        assert_eq!(concurrency.limit(), 1);
        assert!(concurrency.has_room());
    }

    #[test]
    fn it_does_not_grow_while_it_is_not_needed() {
        let mut concurrency = Concurrency::new(128);
        for _ in 0..100 {
            concurrency.started();
            concurrency.finished(QUICK, false);
        }
        assert_eq!(concurrency.limit(), 8);
    }
}
