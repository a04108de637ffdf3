//! A queue and a sink as the engine sees them, in virtual time: every command is answered later.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;

use crate::config::Config;
use crate::deliver::{Delivered, Destination, Shipment};
use crate::describe::QueueFacts;
use crate::engine::{Command, Engine, Input, Key};
use crate::fault::{Fault, FaultClass};
use crate::health::Health;
use crate::message::{Message, Receipt, Received, SystemAttributes};
use crate::metrics::{Metrics, Purpose};
use crate::outcome::{Answer, TransportClass, TransportFailure};
use crate::receive::Poll;
use crate::settle::write::Written;
use crate::telemetry::trace::ReceiveTrace;

/// What the sink does with one POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Status(u16),
    StatusAfter(u16, Duration),
    Wish(u16, Duration),
    Refused,
}

/// What happens to one AWS call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Fine,
    Fault(FaultClass),
    /// The call has its effect, but the answer is lost.
    AnswerLost,
}

/// One POST as the sink saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) message: String,
    pub(super) index: usize,
    pub(super) at: Duration,
    pub(super) accepted: bool,
    pub(super) dead_letter: bool,
}

#[derive(Debug)]
struct Stored {
    id: String,
    group: String,
    body: String,
    invisible_until: Option<Instant>,
    receives: u32,
    deleted: bool,
    dead: bool,
}

/// When, which call, and its entries with their timeouts.
type Call = (Duration, &'static str, Vec<(String, u64)>);
type Sink = Box<dyn FnMut(&Post, &mut Rng) -> Reply>;
type Net = Box<dyn FnMut(&Command, Duration, &mut Rng) -> Wire>;

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) health: Arc<Health>,
    pub(super) posts: Vec<Post>,
    /// Each AWS call with its time: name, entries.
    pub(super) calls: Vec<Call>,
    pub(super) max_receive_count: Option<u32>,
    pub(super) sink: Sink,
    pub(super) net: Net,
    pub(super) rtt: Duration,
    config: Config,
    fifo: bool,
    start: Instant,
    now: Instant,
    messages: Vec<Stored>,
    handles: BTreeMap<String, (usize, u32)>,
    answers: BinaryHeap<Reverse<(Instant, u64)>>,
    pending: BTreeMap<u64, Pending>,
    sequence: u64,
    rng: Rng,
}

#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
enum Pending {
    Input(Input),
    /// A long poll that waits for messages until its time is over.
    Poll(Poll),
}

impl World {
    pub(super) fn new(settings: &[(&str, &str)]) -> Self {
        Self::seeded(settings, 1)
    }

    pub(super) fn seeded(settings: &[(&str, &str)], seed: u64) -> Self {
        let defaults = [
            ("AWS_SQS_URL", "https://sqs.eu-north-1.amazonaws.com/123456789012/orders"),
            ("K_SINK", "http://sink.example/"),
        ];
        let config =
            Config::from_env_pairs(defaults.into_iter().chain(settings.iter().copied())).expect("valid settings");
        let now = Instant::now();
        let health = Arc::new(Health::new(config.receive.wait_time, config.sink.timeout, now));
        let metrics = Metrics::new(&config.identity, "orders").expect("metrics");
        let engine = Engine::new(&config, Arc::clone(&health), metrics, Rng::with_seed(seed), now);
        Self {
            engine,
            health,
            posts: Vec::new(),
            calls: Vec::new(),
            max_receive_count: None,
            sink: Box::new(|_, _| Reply::Status(202)),
            net: Box::new(|_, _, _| Wire::Fine),
            rtt: Duration::from_millis(10),
            fifo: config.queue.is_fifo(),
            config,
            start: now,
            now,
            messages: Vec::new(),
            handles: BTreeMap::new(),
            answers: BinaryHeap::new(),
            pending: BTreeMap::new(),
            sequence: 0,
            rng: Rng::with_seed(seed ^ 0x5eed),
        }
    }

    pub(super) fn send(&mut self, id: &str) {
        self.send_to_group(id, "");
    }

    pub(super) fn send_to_group(&mut self, id: &str, group: &str) {
        self.send_body(id, group, "hello");
    }

    pub(super) fn send_body(&mut self, id: &str, group: &str, body: &str) {
        self.messages.push(Stored {
            id: id.into(),
            group: group.into(),
            body: body.into(),
            invisible_until: None,
            receives: 0,
            deleted: false,
            dead: false,
        });
        self.wake_polls();
    }

    /// Runs for `duration` of virtual time.
    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.turn();
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            self.deliver_due();
            self.turn();
        }
        self.now = end;
        self.turn();
    }

    /// SIGTERM.
    pub(super) fn terminate(&mut self) {
        self.engine.handle(Input::Drain, self.now);
        self.turn();
    }

    /// Runs until a shutdown has ended; gives its length.
    pub(super) fn drain(&mut self) -> Duration {
        let began = self.now;
        self.terminate();
        while !self.engine.is_finished() {
            let next = self.next_event().expect("a drain that waits for nothing would never end");
            assert!(next < began + Duration::from_secs(4000), "the drain does not end");
            self.now = next.max(self.now);
            self.deliver_due();
            self.turn();
        }
        self.now - began
    }

    pub(super) fn now(&self) -> Duration {
        self.now - self.start
    }

    /// Messages neither deleted nor in the dead-letter queue.
    pub(super) fn left(&self) -> Vec<&str> {
        self.messages.iter().filter(|m| !m.deleted && !m.dead).map(|m| m.id.as_str()).collect()
    }

    pub(super) fn dead(&self) -> Vec<&str> {
        self.messages.iter().filter(|m| m.dead).map(|m| m.id.as_str()).collect()
    }

    pub(super) fn receives(&self, id: &str) -> u32 {
        self.messages.iter().find(|m| m.id == id).map_or(0, |m| m.receives)
    }

    pub(super) fn most_receives(&self) -> u32 {
        self.messages.iter().map(|m| m.receives).max().unwrap_or_default()
    }

    /// Ids in the order of their acceptance by the sink.
    pub(super) fn accepted(&self) -> Vec<&str> {
        self.posts.iter().filter(|post| post.accepted && !post.dead_letter).map(|post| post.message.as_str()).collect()
    }

    pub(super) fn posts_of(&self, id: &str) -> usize {
        self.posts.iter().filter(|post| post.message == id).count()
    }

    pub(super) fn is_visible(&self, id: &str) -> bool {
        let now = self.now;
        self.messages.iter().any(|m| m.id == id && m.invisible_until.is_none_or(|until| until <= now))
    }

    /// Makes a message visible as if its timeout had ended, or SQS handed it out twice.
    pub(super) fn show_again(&mut self, id: &str) {
        for message in self.messages.iter_mut().filter(|m| m.id == id) {
            message.invisible_until = None;
        }
        self.wake_polls();
    }

    fn turn(&mut self) {
        loop {
            self.engine.advance(self.now);
            let commands: Vec<Command> = self.engine.take_commands().collect();
            if commands.is_empty() {
                return;
            }
            for command in commands {
                self.execute(command);
            }
        }
    }

    fn next_event(&mut self) -> Option<Instant> {
        let answer = self.answers.peek().map(|Reverse((at, _))| *at);
        let visible = self.messages.iter().filter_map(|m| m.invisible_until.filter(|_| !m.deleted && !m.dead));
        let polls = self.pending.values().any(|pending| matches!(pending, Pending::Poll(_)));
        let visible = visible.min().filter(|_| polls).filter(|at| *at > self.now);
        [answer, visible, self.engine.poll_timeout()].into_iter().flatten().min()
    }

    fn deliver_due(&mut self) {
        self.wake_polls();
        while let Some(&Reverse((at, sequence))) = self.answers.peek() {
            if at > self.now {
                break;
            }
            self.answers.pop();
            let input = match self.pending.remove(&sequence) {
                None => continue,
                Some(Pending::Input(input)) => input,
                Some(Pending::Poll(poll)) => Input::Received(poll, Ok(Vec::new())),
            };
            self.engine.handle(input, self.now);
        }
    }

    fn later(&mut self, after: Duration, pending: Pending) {
        self.sequence += 1;
        self.pending.insert(self.sequence, pending);
        self.answers.push(Reverse((self.now + after, self.sequence)));
    }

    fn execute(&mut self, command: Command) {
        let at = self.now();
        let wire = (self.net)(&command, at, &mut self.rng);
        match command {
            Command::Receive(poll) => self.receive(poll, wire),
            Command::Deliver(shipment) => self.post(shipment),
            Command::Delete(batch) => {
                let entries = batch.into_iter().map(|doomed| {
                    let handle = doomed.receipt.handle().to_string();
                    (doomed.key, handle, 0, doomed)
                });
                let written = self.settle("delete", entries.collect(), wire, Self::delete);
                self.later(self.rtt, Pending::Input(Input::Deleted(written)));
            }
            Command::Hide(purpose, batch) => {
                let entries = batch.into_iter().map(|hide| {
                    let (handle, timeout) = (hide.receipt.handle().to_string(), hide.timeout.as_secs());
                    (hide.key, handle, timeout, hide)
                });
                let name = if purpose == Purpose::Nack { "nack" } else { "release" };
                let written = self.settle(name, entries.collect(), wire, Self::change);
                self.later(self.rtt, Pending::Input(Input::Hidden(purpose, written)));
            }
            Command::Extend(batch) => {
                let entries = batch.into_iter().map(|extension| {
                    let (handle, timeout) = (extension.handle.to_string(), extension.timeout.as_secs());
                    (extension.key, handle, timeout, extension)
                });
                let asked = self.now;
                let written = self.settle("extend", entries.collect(), wire, Self::change);
                self.later(self.rtt, Pending::Input(Input::Extended(written, asked)));
            }
            Command::Describe => {
                self.note("describe", Vec::new());
                let facts = QueueFacts { max_receive_count: self.max_receive_count, visible: 0, in_flight: 0 };
                let described = match wire {
                    Wire::Fine | Wire::AnswerLost => Ok(facts),
                    Wire::Fault(class) => Err(fault(class)),
                };
                self.later(self.rtt, Pending::Input(Input::Described(described)));
            }
            Command::RefreshIdentity => self.note("refresh", Vec::new()),
        }
    }

    fn note(&mut self, name: &'static str, entries: Vec<(String, u64)>) {
        self.calls.push((self.now(), name, entries));
    }

    fn receive(&mut self, poll: Poll, wire: Wire) {
        self.note("receive", vec![(poll.messages().to_string(), poll.wait.as_secs())]);
        match wire {
            Wire::Fault(class) => {
                return self.later(self.rtt, Pending::Input(Input::Received(poll, Err(fault(class)))));
            }
            Wire::AnswerLost => {
                let _lost = self.take(&poll);
                return self.later(self.rtt, Pending::Input(Input::Received(poll, Err(fault(FaultClass::Transient)))));
            }
            Wire::Fine => {}
        }
        let got = self.take(&poll);
        if got.is_empty() && !poll.wait.is_zero() {
            let wait = poll.wait + self.rtt;
            return self.later(wait, Pending::Poll(poll));
        }
        self.later(self.rtt, Pending::Input(Input::Received(poll, Ok(got))));
    }

    fn wake_polls(&mut self) {
        let waiting: Vec<u64> =
            self.pending.iter().filter(|(_, pending)| matches!(pending, Pending::Poll(_))).map(|(n, _)| *n).collect();
        for sequence in waiting {
            let Some(Pending::Poll(poll)) = self.pending.remove(&sequence) else { continue };
            let got = self.take(&poll);
            if got.is_empty() {
                self.pending.insert(sequence, Pending::Poll(poll));
                return;
            }
            self.later(self.rtt, Pending::Input(Input::Received(poll, Ok(got))));
        }
    }

    fn take(&mut self, poll: &Poll) -> Vec<Received> {
        let mut got = Vec::new();
        for index in 0..self.messages.len() {
            if got.len() == poll.messages() as usize {
                break;
            }
            if self.receivable(index, &got) {
                got.extend(self.hand_over(index, poll.visibility));
            }
        }
        got
    }

    /// In a FIFO group only what follows messages of the same answer may be received while some are in flight.
    fn receivable(&self, index: usize, got: &[Received]) -> bool {
        let message = &self.messages[index];
        let hidden = |m: &Stored| m.invisible_until.is_some_and(|until| until > self.now);
        if message.deleted || message.dead || hidden(message) {
            return false;
        }
        let in_answer = |m: &Stored| got.iter().any(|received| *received.message.id == *m.id);
        !self.fifo
            || self.messages.iter().enumerate().all(|(other, m)| {
                m.group != message.group || m.deleted || m.dead || other >= index && !hidden(m) || in_answer(m)
            })
    }

    fn hand_over(&mut self, index: usize, visibility: Duration) -> Option<Received> {
        let message = &mut self.messages[index];
        if self.max_receive_count.is_some_and(|max| message.receives >= max) {
            message.dead = true;
            return None;
        }
        message.receives += 1;
        message.invisible_until = Some(self.now + visibility);
        let handle = format!("{}#{}", message.id, message.receives);
        self.handles.insert(handle.clone(), (index, message.receives));
        let id: Arc<str> = message.id.as_str().into();
        let handle: Arc<str> = handle.into();
        let attributes = SystemAttributes {
            approximate_receive_count: Some(message.receives),
            message_group_id: (!message.group.is_empty()).then(|| message.group.clone()),
            sequence_number: self.fifo.then(|| format!("{index:020}")),
            ..SystemAttributes::default()
        };
        let data = Message {
            id: Arc::clone(&id),
            body: Bytes::from(message.body.clone()),
            receipt_handle: Some(Arc::clone(&handle)),
            md5_of_body: None,
            md5_of_message_attributes: None,
            attributes,
            message_attributes: Vec::new(),
        };
        Some(Received { message: data, receipt: Receipt::new(id, handle), receive: ReceiveTrace::default() })
    }

    fn settle<T>(
        &mut self,
        name: &'static str,
        entries: Vec<(Key, String, u64, T)>,
        wire: Wire,
        act: impl Fn(&mut Self, &str, u64) -> Result<(), FaultClass>,
    ) -> Vec<Written<T>> {
        let ids = entries.iter().map(|(_, handle, timeout, _)| (id_of(handle), *timeout)).collect();
        self.note(name, ids);
        let mut written = Vec::new();
        for (key, handle, timeout, entry) in entries {
            let result = match wire {
                Wire::Fault(class) => Err(class),
                Wire::Fine => act(self, &handle, timeout),
                Wire::AnswerLost => act(self, &handle, timeout).and(Err(FaultClass::Transient)),
            };
            written.push(match result {
                Ok(()) => Written::Done(key),
                Err(class) => Written::Failed { entry, fault: fault(class), sender_fault: class == FaultClass::Entry },
            });
        }
        self.wake_polls();
        written
    }

    fn delete(&mut self, handle: &str, _: u64) -> Result<(), FaultClass> {
        let Some(&(index, receive)) = self.handles.get(handle) else { return Err(FaultClass::Entry) };
        let id = self.messages[index].id.clone();
        assert!(
            self.posts.iter().any(|post| post.message == id && post.accepted),
            "{id} is deleted before any event of it was accepted"
        );
        let expired = self.messages[index].invisible_until.is_none_or(|until| until <= self.now);
        if self.fifo && !self.messages[index].deleted && (expired || self.messages[index].receives != receive) {
            return Err(FaultClass::Entry);
        }
        if self.messages[index].receives == receive {
            self.messages[index].deleted = true;
        }
        Ok(())
    }

    fn change(&mut self, handle: &str, timeout: u64) -> Result<(), FaultClass> {
        let Some(&(index, receive)) = self.handles.get(handle) else { return Err(FaultClass::Entry) };
        let message = &mut self.messages[index];
        let expired = message.invisible_until.is_none_or(|until| until <= self.now);
        if message.deleted || message.receives != receive || expired {
            return Err(FaultClass::Entry);
        }
        message.invisible_until = (timeout > 0).then(|| self.now + Duration::from_secs(timeout));
        Ok(())
    }

    fn post(&mut self, mut shipment: Shipment) {
        let id = shipment.parcel.message().id.to_string();
        let handle = shipment.parcel.message().receipt_handle.clone().unwrap_or_default();
        self.assert_ours(&id, &handle);
        shipment.parcel.open(&self.config.queue, &self.config.event, 0);
        let dead_letter = shipment.to != Destination::Sink;
        let mut post = Post { message: id, index: shipment.index, at: self.now(), accepted: false, dead_letter };
        let reply = (self.sink)(&post, &mut self.rng);
        let (answer, elapsed) = match reply {
            Reply::Status(code) => (status(code, None), Duration::from_millis(5)),
            Reply::StatusAfter(code, after) => (status(code, None), after),
            Reply::Wish(code, wish) => (status(code, Some(wish)), Duration::from_millis(5)),
            Reply::Refused => (refused(), Duration::from_millis(1)),
        };
        post.accepted = matches!(answer, Answer::Status { code: 200..=299, .. });
        self.posts.push(post);
        self.later(elapsed, Pending::Input(Input::Delivered(Delivered { shipment, answer, elapsed })));
    }

    /// No POST starts without a lease that SQS would confirm.
    fn assert_ours(&self, id: &str, handle: &str) {
        let message = self.messages.iter().find(|m| m.id == id).expect("a message that was sent");
        let newest = self.handles.get(handle).is_some_and(|(_, receive)| *receive <= message.receives);
        let invisible = message.invisible_until.is_some_and(|until| until > self.now);
        assert!(newest && invisible, "{id} is sent at {:?} though its lease is over", self.now());
    }
}

fn id_of(handle: &str) -> String {
    handle.split('#').next().unwrap_or_default().to_owned()
}

fn status(code: u16, retry_after: Option<Duration>) -> Answer {
    Answer::Status { code, retry_after, body: Bytes::new() }
}

fn refused() -> Answer {
    Answer::Failed(TransportFailure { class: TransportClass::Refused, message: "connection refused".into() })
}

pub(super) fn fault(class: FaultClass) -> Fault {
    Fault { class, code: "Code".into(), message: "no".into(), status: (class != FaultClass::Transient).then_some(400) }
}

/// Runs a short while: long enough for anything that does not wait on purpose.
pub(super) const MOMENT: Duration = Duration::from_secs(1);
