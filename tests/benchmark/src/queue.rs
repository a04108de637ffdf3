//! An SQS load server: one queue on one thread, answers rendered in advance, with a round trip. I/O: HTTP.
//!
//! It speaks AWS JSON 1.0 and knows what the bridge calls: ReceiveMessage, DeleteMessageBatch,
//! ChangeMessageVisibilityBatch and GetQueueAttributes. Signatures are not checked. `tests/src/sqs` is the faithful
//! simulator; this one is fast enough to be no part of what is measured.
//!
//! Control: `POST /load` empties the queue and sets the knobs, `POST /feed` sends messages, `GET /stats` tells the
//! counts and `GET /times` when each message was sent and first received.

pub mod body;

mod answer;
mod line;
mod request;

use std::cell::{Ref, RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::serve::{Answer, delay_until, json, serve, unix_us};
use body::Body;
use line::{Deletion, Line};
use request::{Entry, Request};

/// How often timeouts are looked for.
const EXPIRE_EVERY: Duration = Duration::from_millis(50);
/// How often a steady feed is topped up.
const FEED_EVERY: Duration = Duration::from_millis(1);

/// What the queue is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Bytes of each body.
    pub body: usize,
    /// Milliseconds that every answer takes.
    pub round_trip: u64,
    /// Message groups; 0 for a standard queue.
    pub groups: usize,
}

/// Messages to send.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Feed {
    /// How many.
    pub messages: u32,
    /// How many a second; all at once without.
    pub per_second: Option<u32>,
}

/// Counts since the last [`Load`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls of SQS.
    pub requests: u64,
    /// ReceiveMessage.
    pub receives: u64,
    /// Those that brought nothing.
    pub empty_receives: u64,
    /// Receives that wait now.
    pub waiting: u64,
    /// DeleteMessageBatch.
    pub deletes: u64,
    /// ChangeMessageVisibilityBatch.
    pub visibility_changes: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages deleted.
    pub deleted: u64,
    /// Deliveries that were not the first of their message.
    pub redelivered: u64,
    /// When the first receive came, in microseconds since the Unix epoch; 0 before.
    pub first_receive: u64,
    /// When the last message was deleted.
    pub last_delete: u64,
}

/// When each message was sent and first received, in microseconds since the Unix epoch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Times {
    /// By number.
    pub sent: Vec<u64>,
    /// By number; 0 if it was not received.
    pub received: Vec<u64>,
}

/// Runs the server.
///
/// # Errors
///
/// When no port can be had.
pub fn run() -> io::Result<()> {
    let server = Rc::new(Server {
        queue: RefCell::new(Queue::new(Load { body: 2_048, round_trip: 0, groups: 0 })),
        visible: Notify::new(),
    });
    serve(move |head, body| server.clone().answer(head, body))
}

struct Server {
    queue: RefCell<Queue>,
    /// Told whenever messages may have become visible.
    visible: Notify,
}

struct Queue {
    load: Load,
    body: Rc<Body>,
    line: Line,
    stats: Stats,
    /// Told to feeds that belong to an earlier load.
    age: Rc<()>,
}

impl Queue {
    fn new(load: Load) -> Self {
        Self {
            load,
            body: Rc::new(Body::new(load.body)),
            line: Line::new(load.groups),
            stats: Stats::default(),
            age: Rc::new(()),
        }
    }

    fn feed(&mut self, messages: u32) {
        self.line.feed(messages, unix_us());
        self.stats.sent += u64::from(messages);
    }

    fn delete(&mut self, entry: &Entry) -> Option<&'static str> {
        match entry.delivery().and_then(|delivery| self.line.delete(delivery)) {
            Some(Deletion::Deleted) => {
                self.stats.deleted += 1;
                self.stats.last_delete = unix_us();
                None
            }
            Some(Deletion::Again | Deletion::Stale) => None,
            None => Some("ReceiptHandleIsInvalid"),
        }
    }

    fn hide(&mut self, entry: &Entry) -> Option<&'static str> {
        let now = unix_us();
        let Some(delivery) = entry.delivery() else { return Some("ReceiptHandleIsInvalid") };
        let hidden = self.line.hide(delivery, now, now + entry.visibility_timeout * 1_000_000);
        hidden.err().map(|line::NotInFlight| "MessageNotInflight")
    }

    fn times(&self) -> Times {
        let slots = self.line.slots();
        Times {
            sent: slots.iter().map(|slot| slot.sent).collect(),
            received: slots.iter().map(|slot| slot.received).collect(),
        }
    }
}

impl Server {
    async fn answer(self: Rc<Self>, head: Parts, body: Bytes) -> Answer {
        let arrived = Instant::now();
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let Some(action) = target.and_then(|target| target.strip_prefix("AmazonSQS.")) else {
            return self.control(head.uri.path(), &body);
        };
        let Ok(request) = serde_json::from_slice(&body) else { return json(400, answer::error("InvalidRequest")) };
        self.queue().stats.requests += 1;
        let round_trip = Duration::from_millis(self.look().load.round_trip);
        let mut due = arrived + round_trip;
        let answer = match action {
            "ReceiveMessage" => {
                let (answer, waited) = self.receive(&request, arrived).await;
                if waited {
                    due = Instant::now() + round_trip / 2;
                }
                json(200, answer)
            }
            "DeleteMessageBatch" => {
                self.queue().stats.deletes += 1;
                self.batch(&request, Queue::delete)
            }
            "ChangeMessageVisibilityBatch" => {
                self.queue().stats.visibility_changes += 1;
                self.batch(&request, Queue::hide)
            }
            "GetQueueAttributes" => json(200, answer::attributes(&self.look().line, VISIBILITY)),
            _ => json(400, answer::error("UnsupportedOperation")),
        };
        delay_until(due).await;
        answer
    }

    /// The answer, and whether it had to wait for messages.
    async fn receive(&self, request: &Request<'_>, arrived: Instant) -> (Vec<u8>, bool) {
        self.begin_receive();
        let end = arrived + Duration::from_secs(request.wait_time_seconds.min(20));
        let mut taken = self.take(request);
        let waits = taken.is_empty();
        while taken.is_empty() && Instant::now() < end {
            // Nothing became visible: the loop ends by its condition.
            timeout_at(end, self.visible.notified()).await.ok();
            taken = self.take(request);
        }
        let mut queue = self.queue();
        queue.stats.waiting = queue.stats.waiting.saturating_sub(1);
        queue.stats.empty_receives += u64::from(taken.is_empty());
        queue.stats.redelivered += taken.iter().filter(|delivery| delivery.receive > 1).count() as u64;
        (answer::messages(&queue.line, &queue.body, &taken, request), waits)
    }

    fn begin_receive(&self) {
        let stats = &mut self.queue().stats;
        stats.receives += 1;
        stats.waiting += 1;
        if stats.first_receive == 0 {
            stats.first_receive = unix_us();
        }
    }

    fn take(&self, request: &Request) -> Vec<line::Delivery> {
        let now = unix_us();
        let visible_at = now + request.visibility_timeout.unwrap_or(VISIBILITY) * 1_000_000;
        self.queue().line.receive(request.max_number_of_messages.unwrap_or(1).clamp(1, 10), now, visible_at)
    }

    fn batch(&self, request: &Request, write: impl Fn(&mut Queue, &Entry) -> Option<&'static str>) -> Answer {
        let mut queue = self.queue();
        let entries = request.entries.iter();
        let written = entries.map(|entry| (&*entry.id, write(&mut queue, entry))).collect();
        self.visible.notify_waiters();
        json(200, answer::batch(&written))
    }

    fn control(self: Rc<Self>, path: &str, body: &[u8]) -> Answer {
        match path {
            "/load" => match serde_json::from_slice(body) {
                Ok(load) => self.load(load),
                Err(error) => json(400, error.to_string().into_bytes()),
            },
            "/feed" => match serde_json::from_slice(body) {
                Ok(feed) => self.feed(feed),
                Err(error) => json(400, error.to_string().into_bytes()),
            },
            "/stats" => shown(&self.look().stats),
            "/times" => shown(&self.look().times()),
            _ => json(404, Vec::new()),
        }
    }

    fn load(self: Rc<Self>, load: Load) -> Answer {
        let new = Queue::new(load);
        *self.queue() = new;
        tokio::task::spawn_local(self.clone().expire());
        json(200, Vec::new())
    }

    /// Answers with the time at which the feed began.
    fn feed(self: Rc<Self>, feed: Feed) -> Answer {
        let began = unix_us();
        match feed.per_second {
            None => {
                self.queue().feed(feed.messages);
                self.visible.notify_waiters();
            }
            Some(per_second) => drop(tokio::task::spawn_local(self.feed_steadily(feed.messages, per_second))),
        }
        shown(&began)
    }

    async fn feed_steadily(self: Rc<Self>, messages: u32, per_second: u32) {
        let (age, began, mut sent) = (self.look().age.clone(), Instant::now(), 0);
        while sent < messages && Rc::ptr_eq(&age, &self.look().age) {
            let due = (began.elapsed().as_secs_f64() * f64::from(per_second)) as u32;
            let due = due.min(messages);
            if due > sent {
                self.queue().feed(due - sent);
                self.visible.notify_waiters();
                sent = due;
            }
            tokio::time::sleep(FEED_EVERY).await;
        }
    }

    /// Looks for timeouts until the next load.
    async fn expire(self: Rc<Self>) {
        let age = self.look().age.clone();
        while Rc::ptr_eq(&age, &self.look().age) {
            tokio::time::sleep(EXPIRE_EVERY).await;
            if self.queue().line.expire(unix_us()) {
                self.visible.notify_waiters();
            }
        }
    }

    fn look(&self) -> Ref<'_, Queue> {
        self.queue.borrow()
    }

    fn queue(&self) -> RefMut<'_, Queue> {
        self.queue.borrow_mut()
    }
}

/// Seconds of invisibility where a receive does not say.
const VISIBILITY: u64 = 30;

fn shown(value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => json(200, body),
        Err(error) => json(500, error.to_string().into_bytes()),
    }
}
