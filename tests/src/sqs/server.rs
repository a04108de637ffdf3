//! Connections -> requests carried out by the simulated SQS, with the faults that tests set. I/O: TCP, the clock.

use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::clock::{Clock, Time};
use super::cloud::{Cloud, Done, Name};
use super::code::{Code, Refusal};
use super::fault::{Fate, Faults, Twist};
use super::log::{Call, Caller, without_bodies};
use super::request::Request;
use super::sts;
use crate::port::{self, Port};
use crate::wire::{Answer, Connection, Head};

/// More waiting receives than these are not woken at once: no bridge has more.
const MOST_WOKEN: usize = 128;

/// Whether the network between the server and its clients works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// It does.
    Up,
    /// Connections are refused, and those that were open are reset.
    Down,
    /// Connections are taken and nothing ever comes back; those that were open are as dead.
    Silent,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) port: Port,
    pub(super) clock: Clock,
    pub(super) network: watch::Sender<Network>,
    state: Mutex<State>,
    deadline_changed: Notify,
}

/// What a request reads and changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) cloud: Cloud,
    pub(super) faults: Faults,
    pub(super) log: Vec<Call>,
    forgotten: usize,
    pub(super) rejected_keys: HashMap<String, Code>,
    pub(super) foreign_regions: Vec<String>,
    pub(super) connections: u64,
    waiting: HashMap<Name, Arc<Notify>>,
    next_deadline: Option<Time>,
}

/// How a request ended for its connection.
enum End {
    Answered,
    Closed,
    Reset,
    Silence,
}

/// What becomes of the answer to a request that was carried out.
struct Executed {
    result: Result<Done, Refusal>,
    fate: Fate,
}

impl Shared {
    pub(super) fn new(port: Port, clock: Clock, seed: u64) -> Self {
        let url = format!("http://{}", port.address());
        let state = State {
            cloud: Cloud::new(&url, clock.millis_since_1970(Time::ZERO), seed),
            faults: Faults::new(seed),
            log: Vec::new(),
            forgotten: 0,
            rejected_keys: HashMap::new(),
            foreign_regions: Vec::new(),
            connections: 0,
            waiting: HashMap::new(),
            next_deadline: None,
        };
        let (network, _) = watch::channel(Network::Up);
        Self { port, clock, network, state: Mutex::new(state), deadline_changed: Notify::new() }
    }

    /// Changes the state at the time now, and wakes the receives that wait for what has become receivable.
    pub(super) fn change<T>(&self, change: impl FnOnce(Time, &mut State) -> T) -> T {
        let mut state = self.state();
        let outcome = change(self.clock.now(), &mut state);
        for (name, count) in state.cloud.take_newly_receivable() {
            let waiting = state.waiting.entry(name).or_default();
            (0..count.min(MOST_WOKEN)).for_each(|_| waiting.notify_one());
        }
        let next = state.cloud.next_deadline();
        if next != state.next_deadline {
            state.next_deadline = next;
            self.deadline_changed.notify_one();
        }
        outcome
    }

    /// Reads the state.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self, name: &Name) -> Arc<Notify> {
        self.state().waiting.entry(name.clone()).or_default().clone()
    }
}

impl State {
    /// Forgets the calls so far.
    pub(super) fn forget_calls(&mut self) {
        self.forgotten += self.log.len();
        self.log.clear();
    }

    /// Notes a call; answers with its place among all calls ever.
    fn note(&mut self, call: Call) -> usize {
        self.log.push(call);
        self.forgotten + self.log.len() - 1
    }

    /// The call at a place, unless it is forgotten.
    fn call_mut(&mut self, place: usize) -> Option<&mut Call> {
        self.log.get_mut(place.checked_sub(self.forgotten)?)
    }
}

/// Accepts connections while the network is up; ends when dropped.
pub(super) async fn listen(shared: Arc<Shared>, first: TcpListener) {
    let mut network = shared.network.subscribe();
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stream = accepted => {
                if let Ok((stream, _)) = stream {
                    connections.spawn(serve(shared.clone(), stream));
                }
            }
            _ = network.changed() => {
                let down = *network.borrow_and_update() == Network::Down;
                listener = if down { None } else { listener.or_else(|| shared.port.listen().ok()) };
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Makes messages visible when their time comes, so that waiting receives find them.
pub(super) async fn watch_deadlines(shared: Arc<Shared>) {
    loop {
        let changed = shared.deadline_changed.notified();
        let next = shared.state().next_deadline;
        let due = async {
            match next {
                Some(time) => shared.clock.sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => shared.change(|now, state| state.cloud.expire(now)),
            () = changed => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let number = shared.change(|_, state| {
        state.connections += 1;
        state.connections
    });
    let mut connection = Connection::new(stream);
    let mut network = shared.network.subscribe();
    loop {
        let end = tokio::select! {
            biased;
            end = lost(&mut network) => end,
            end = answer_one(&shared, number, &mut connection) => end.unwrap_or(End::Closed),
        };
        match end {
            End::Answered => {}
            End::Closed => return,
            End::Reset => return port::reset(connection.into_stream()),
            End::Silence => return connection.wait_for_end().await,
        }
    }
}

async fn lost(network: &mut watch::Receiver<Network>) -> End {
    match network.wait_for(|network| *network != Network::Up).await.map(|network| *network) {
        Ok(Network::Silent) => End::Silence,
        Ok(Network::Up | Network::Down) | Err(_) => End::Reset,
    }
}

async fn answer_one(shared: &Shared, number: u64, connection: &mut Connection<TcpStream>) -> io::Result<End> {
    let Some(head) = connection.read_head().await? else { return Ok(End::Closed) };
    let body = connection.read_body(&head).await?;
    let answer = match head.header("x-amz-target").and_then(|target| target.strip_prefix("AmazonSQS.")) {
        Some(action) => match Request::parse(action, &body) {
            Ok(request) => match answer_request(shared, number, &head, request).await {
                Ok(answer) => answer,
                Err(end) => return Ok(end),
            },
            Err(refusal) => refuse(&refusal),
        },
        None => sts::answer(&body),
    };
    connection.write(&answer, true).await?;
    Ok(End::Answered)
}

async fn answer_request(shared: &Shared, number: u64, head: &Head, request: Request) -> Result<Answer, End> {
    let caller = Caller::read(|name| head.header(name));
    let (place, verdict) = shared.change(|now, state| {
        let mut verdict = state.faults.judge_arrival(now, &request, &caller.access_key);
        if let Some(code) = state.rejected_keys.get(&caller.access_key) {
            verdict.fate = Fate::Refused(*code);
        }
        if state.foreign_regions.contains(&caller.region) {
            verdict.fate = Fate::Refused(Code::SIGNATURE_DOES_NOT_MATCH);
        }
        let place = state.note(new_call(now, number, &request, &caller, verdict.fate.name()));
        (place, verdict)
    });
    sleep_unless_zero(verdict.delay / 2).await;
    let result = match verdict.fate {
        Fate::Answered | Fate::Twisted(_) | Fate::AnswerLost | Fate::AnswerHeld => {
            let executed = execute(shared, place, &request, &caller.access_key).await;
            match executed.fate {
                Fate::AnswerLost => return Err(End::Reset),
                Fate::AnswerHeld => return Err(End::Silence),
                Fate::Answered
                | Fate::Twisted(_)
                | Fate::Refused(_)
                | Fate::Reset
                | Fate::Swallowed
                | Fate::Nonsense { .. } => executed.result,
            }
        }
        Fate::Refused(code) => Err(code.because("The test wants this request to fail.")),
        Fate::Reset => return Err(End::Reset),
        Fate::Swallowed => return Err(End::Silence),
        Fate::Nonsense { status, body } => {
            return Ok(Answer { status, headers: Vec::new(), body: body.into() });
        }
    };
    sleep_unless_zero(verdict.delay / 2).await;
    let error = result.as_ref().err().map(|refusal| refusal.code.query);
    let answer = result.map_or_else(|refusal| refuse(&refusal), accept);
    if let Some(call) = shared.state().call_mut(place) {
        call.answered = Some(Instant::now());
        call.status = Some(answer.status);
        call.error = error;
    }
    Ok(answer)
}

/// Carries a request out; a receive waits for messages as long as it asks to.
async fn execute(shared: &Shared, place: usize, request: &Request, access_key: &str) -> Executed {
    let Request::ReceiveMessage(ask) = request else {
        return execute_now(shared, place, request, access_key, false).unwrap_or_else(nothing);
    };
    let name = Name::from_url(&ask.queue_url).unwrap_or_else(|| Name::of(""));
    let waiting = shared.waiting(&name);
    let deadline = shared.clock.now() + shared.state().cloud.wait_of(ask);
    loop {
        let mut woken = pin!(waiting.notified());
        woken.as_mut().enable();
        let may_wait = shared.clock.now() < deadline;
        if let Some(executed) = execute_now(shared, place, request, access_key, may_wait) {
            return executed;
        }
        tokio::select! {
            () = &mut woken => {}
            () = shared.clock.sleep_until(deadline) => {}
        }
    }
}

/// Carries a request out at once; `None` for a receive that brought nothing and may wait.
fn execute_now(shared: &Shared, place: usize, request: &Request, access_key: &str, may_wait: bool) -> Option<Executed> {
    shared.change(|now, state| {
        let execution = state.faults.judge_execution(now, request, access_key);
        let usual = Twist::default();
        let twist = if let Fate::Twisted(twist) = &execution.fate { twist } else { &usual };
        let result = state.cloud.act(now, request, twist);
        let came_to_nothing = result.as_ref().is_ok_and(|done| done.messages.is_empty());
        let receives = matches!(request, Request::ReceiveMessage(_));
        if receives && came_to_nothing {
            state.faults.spare(&execution, request, access_key);
            return (!may_wait).then_some(Executed { result, fate: Fate::Answered });
        }
        if let Some(call) = state.call_mut(place) {
            note(call, &result, &execution.fate);
        }
        Some(Executed { result, fate: execution.fate })
    })
}

fn note(call: &mut Call, result: &Result<Done, Refusal>, fate: &Fate) {
    call.fault = call.fault.or(fate.name());
    if let Ok(done) = result {
        call.messages = done.messages.clone();
        call.failed = done.failed.clone();
    }
}

fn nothing() -> Executed {
    Executed { result: Ok(Done::default()), fate: Fate::Answered }
}

fn new_call(now: Time, connection: u64, request: &Request, caller: &Caller, fault: Option<&'static str>) -> Call {
    Call {
        at: now,
        came: Instant::now(),
        answered: None,
        connection,
        request: without_bodies(request),
        caller: caller.clone(),
        status: None,
        error: None,
        fault,
        messages: Vec::new(),
        failed: Vec::new(),
    }
}

async fn sleep_unless_zero(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

fn accept(done: Done) -> Answer {
    Answer { status: 200, headers: vec![json_header()], body: done.body.into() }
}

fn refuse(refusal: &Refusal) -> Answer {
    let body = serde_json::json!({ "__type": refusal.code.wire_type(), "message": refusal.message });
    let headers = vec![json_header(), ("x-amzn-query-error".to_owned(), refusal.code.query_error())];
    Answer { status: refusal.code.status, headers, body: body.to_string().into() }
}

fn json_header() -> (String, String) {
    ("content-type".to_owned(), "application/x-amz-json-1.0".to_owned())
}
