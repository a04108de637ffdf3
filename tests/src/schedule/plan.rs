//! A seed -> what goes wrong and when. Pure.

use std::time::Duration;

use fastrand::Rng;

use crate::sink::Reply;
use crate::sink::reply::Ending;
use crate::sqs::{Action, Code, FailEntries, Fault, Latency, Which};

/// The kind of queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// At least once, in no order.
    Standard,
    /// In order within a group.
    Fifo,
}

/// How large a schedule is.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Faults begin and end within this time, and messages are sent in it.
    pub lasts: Duration,
    /// How many messages are sent.
    pub messages: usize,
    /// How many windows of trouble there are at most, of SQS and of the sink each.
    pub troubles: usize,
    /// How long one window is at most.
    pub longest: Duration,
    /// How often the bridge is killed or asked to end, at most.
    pub crashes: usize,
    /// The sink's time limit, whole seconds.
    pub sink_timeout: Duration,
    /// How long the sink takes at most when it is slow; beyond the limit its answer is lost.
    pub slowest: Duration,
    /// The sink may refuse an event for good; its message is then hidden for a quarter of an hour.
    pub refusals: bool,
}

/// Everything that is going to happen.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was made from.
    pub seed: u64,
    /// The kind of queue.
    pub queue: Queue,
    /// Its size.
    pub scale: Scale,
    /// Environment variables of the bridge.
    pub settings: Vec<(&'static str, String)>,
    /// When each message is sent, and to which group.
    pub sends: Vec<(Duration, usize)>,
    /// Faults of SQS.
    pub wire: Vec<(Window, Action, Fault, f64)>,
    /// Times without a network to SQS; true if it is silent, false if it refuses.
    pub network: Vec<(Window, bool)>,
    /// What the sink answers instead of 202, and with what probability.
    pub sink: Vec<(Window, Reply, f64)>,
    /// Times in which the sink refuses connections.
    pub sink_down: Vec<Window>,
    /// When the bridge is killed or asked to end, and how much later the next one starts.
    pub crashes: Vec<Crash>,
}

/// From when until when, from the start of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Begins.
    pub from: Duration,
    /// Ends.
    pub until: Duration,
}

/// One end of the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// When.
    pub at: Duration,
    /// True for SIGKILL, false for SIGTERM.
    pub kill: bool,
    /// The next one starts so much later; after SIGTERM perhaps before the old one has ended.
    pub back_after: Duration,
}

impl Scale {
    /// For virtual time.
    pub const VIRTUAL: Self = Self {
        lasts: Duration::from_secs(90),
        messages: 50,
        troubles: 7,
        longest: Duration::from_secs(15),
        crashes: 2,
        sink_timeout: Duration::from_secs(5),
        slowest: Duration::from_secs(7),
        refusals: true,
    };
    /// For processes in real time.
    pub const REAL: Self = Self {
        lasts: Duration::from_secs(7),
        messages: 60,
        troubles: 5,
        longest: Duration::from_secs(2),
        crashes: 3,
        sink_timeout: Duration::from_secs(5),
        slowest: Duration::from_millis(1500),
        refusals: false,
    };
    /// An hour of virtual time without crashes.
    pub const SOAK: Self = Self {
        lasts: Duration::from_secs(3600),
        messages: 200,
        troubles: 60,
        longest: Duration::from_secs(60),
        crashes: 0,
        sink_timeout: Duration::from_secs(20),
        slowest: Duration::from_secs(30),
        refusals: true,
    };
}

impl Plan {
    /// The plan of a seed; the same seed makes the same plan.
    pub fn of(seed: u64, queue: Queue, scale: &Scale) -> Self {
        let mut rng = Rng::with_seed(seed);
        let rng = &mut rng;
        let mut sends: Vec<_> = (0..scale.messages).map(|_| (time(rng, scale.lasts), rng.usize(..6))).collect();
        sends.sort_unstable();
        let troubles = rng.usize(1..=scale.troubles);
        let moods = rng.usize(1..=scale.troubles);
        let crashes = rng.usize(..=scale.crashes);
        Self {
            seed,
            queue,
            scale: scale.clone(),
            settings: settings(rng, scale),
            sends,
            wire: (0..troubles).map(|_| trouble(rng, queue, scale)).collect(),
            network: apart(rng, scale).into_iter().map(|window| (window, rng.bool())).collect(),
            sink: (0..moods).map(|_| mood(rng, scale)).collect(),
            sink_down: apart(rng, scale),
            crashes: (0..crashes).map(|_| crash(rng, scale)).collect(),
        }
    }
}

fn settings(rng: &mut Rng, scale: &Scale) -> Vec<(&'static str, String)> {
    let real = scale.lasts < Duration::from_secs(30);
    let (visibility, wait) = if real || rng.bool() { (10, rng.u64(1..=3)) } else { (30, 20) };
    let concurrency = [1, 4, 128][rng.usize(..3)];
    let profile = ["balanced", "latency", "cost"][rng.usize(..3)];
    vec![
        ("BRIDGE_VISIBILITY_TIMEOUT", format!("{visibility}s")),
        ("BRIDGE_WAIT_TIME", format!("{wait}s")),
        ("BRIDGE_MAX_CONCURRENCY", concurrency.to_string()),
        ("BRIDGE_PROFILE", profile.to_owned()),
        ("BRIDGE_DRAIN_TIMEOUT", "12s".to_owned()),
        ("K_SINK_TIMEOUT", scale.sink_timeout.as_secs().to_string()),
    ]
}

fn trouble(rng: &mut Rng, queue: Queue, scale: &Scale) -> (Window, Action, Fault, f64) {
    let actions = [Action::ReceiveMessage, Action::DeleteMessageBatch, Action::ChangeMessageVisibilityBatch];
    let action = actions[rng.usize(..3)];
    let standard = queue == Queue::Standard;
    let fault = match rng.u8(..14) {
        0 | 1 => Fault::LoseAnswer,
        2 => Fault::HoldAnswer,
        3 => Fault::Reset,
        4 => Fault::Swallow,
        5 => Fault::Refuse(Code::REQUEST_THROTTLED),
        6 => Fault::Refuse(Code::INTERNAL_ERROR),
        7 => Fault::Refuse(Code::SERVICE_UNAVAILABLE),
        8 => Fault::Nonsense { status: 503, body: "<html>" },
        9 => Fault::Delay(Latency::around(Duration::from_millis(rng.u64(5..1_000)))),
        10 if action == Action::ReceiveMessage && standard => Fault::HandOverTwice,
        11 if action == Action::ReceiveMessage && standard => Fault::LeaveVisible,
        12 if action == Action::DeleteMessageBatch && standard => Fault::DeleteInVain,
        _ if action == Action::ReceiveMessage => Fault::LoseAnswer,
        _ => Fault::FailEntries(FailEntries {
            which: Which::Share(rng.f64()),
            code: Code::INTERNAL_ERROR,
            sender_fault: false,
        }),
    };
    (window(rng, scale), action, fault, rng.f64())
}

fn mood(rng: &mut Rng, scale: &Scale) -> (Window, Reply, f64) {
    let reply = match rng.u8(..10) {
        0 => Reply::status(429).retry_after(&rng.u8(..3).to_string()),
        1 => Reply::status(503),
        2 => Reply::status(500),
        3 => Reply::status(404),
        4 if scale.refusals => Reply::status(401),
        4 => Reply::status(503),
        5 => Reply::hang(),
        6 => Reply::reset(),
        7 => Reply::accept().body("cut").ending(Ending::CutShort),
        8 => Reply::accept().ending(Ending::AnsweredAndClosed),
        _ => Reply::accept().after(time(rng, scale.slowest)),
    };
    (window(rng, scale), reply, rng.f64())
}

fn crash(rng: &mut Rng, scale: &Scale) -> Crash {
    Crash { at: time(rng, scale.lasts), kill: rng.u8(..3) > 0, back_after: time(rng, scale.longest) }
}

/// At most two windows, one after the other.
fn apart(rng: &mut Rng, scale: &Scale) -> Vec<Window> {
    let half = scale.lasts / 2;
    let mut windows = Vec::new();
    for start in [Duration::ZERO, half] {
        if rng.u8(..4) == 0 {
            let from = start + time(rng, half);
            windows.push(Window { from, until: (from + time(rng, scale.longest)).min(start + half) });
        }
    }
    windows
}

fn window(rng: &mut Rng, scale: &Scale) -> Window {
    let from = time(rng, scale.lasts);
    Window { from, until: (from + time(rng, scale.longest)).min(scale.lasts) }
}

fn time(rng: &mut Rng, below: Duration) -> Duration {
    Duration::from_millis(rng.u64(..u64::try_from(below.as_millis()).unwrap_or(u64::MAX)))
}
