//! A sink that accepts every event after a while and counts. I/O: HTTP.
//!
//! An event is known by the number at the end of its `ce-id`. Control: `POST /delay` forgets everything and sets the
//! milliseconds that an answer takes, `GET /stats` and `GET /arrivals` tell what came.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::queue::body::read_number;
use crate::serve::{Answer, delay_until, json, serve, unix_us};

/// What came since the last `POST /delay`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// POSTs of events.
    pub requests: u64,
    /// Different messages among them.
    pub distinct: u64,
    /// Events of a message that had come before.
    pub duplicates: u64,
    /// Events whose id names no message.
    pub unknown: u64,
    /// The most that were answered at the same time.
    pub most_at_once: u64,
}

#[derive(Default)]
struct Sink {
    delay: Duration,
    stats: Stats,
    open: u64,
    /// When each message first came, in microseconds since the Unix epoch, by number; 0 if it did not.
    arrivals: Vec<u64>,
}

/// Runs the sink.
///
/// # Errors
///
/// When no port can be had.
pub fn run() -> io::Result<()> {
    let sink = Rc::new(RefCell::new(Sink::default()));
    serve(move |head, body| answer(sink.clone(), head, body))
}

async fn answer(sink: Rc<RefCell<Sink>>, head: Parts, body: Bytes) -> Answer {
    let arrived = Instant::now();
    match (&head.method, head.uri.path()) {
        (&Method::GET, "/stats") => json(200, serde_json::to_vec(&sink.borrow().stats).unwrap_or_default()),
        (&Method::GET, _) => json(200, serde_json::to_vec(&sink.borrow().arrivals).unwrap_or_default()),
        (_, "/delay") => {
            let delay = Duration::from_millis(serde_json::from_slice(&body).unwrap_or_default());
            *sink.borrow_mut() = Sink { delay, ..Sink::default() };
            json(200, Vec::new())
        }
        _ => {
            let id = head.headers.get("ce-id").and_then(|id| id.to_str().ok());
            sink.borrow_mut().begin(id.and_then(read_number));
            let due = arrived + sink.borrow().delay;
            delay_until(due).await;
            let mut sink = sink.borrow_mut();
            sink.open = sink.open.saturating_sub(1);
            json(202, Vec::new())
        }
    }
}

impl Sink {
    fn begin(&mut self, number: Option<u32>) {
        self.open += 1;
        self.stats.requests += 1;
        self.stats.most_at_once = self.stats.most_at_once.max(self.open);
        let Some(number) = number else {
            self.stats.unknown += 1;
            return;
        };
        let number = number as usize;
        if self.arrivals.len() <= number {
            self.arrivals.resize(number + 1, 0);
        }
        if self.arrivals[number] == 0 {
            self.arrivals[number] = unix_us();
            self.stats.distinct += 1;
        } else {
            self.stats.duplicates += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_is_a_duplicate() {
        let mut sink = Sink::default();
        for number in [Some(3), Some(0), Some(3), None] {
            sink.begin(number);
        }
        let stats = Stats { requests: 4, distinct: 2, duplicates: 1, unknown: 1, most_at_once: 4 };
        assert_eq!(sink.stats, stats);
        let seen: Vec<bool> = sink.arrivals.iter().map(|at| *at > 0).collect();
        assert_eq!(seen, [true, false, false, true]);
    }
}
