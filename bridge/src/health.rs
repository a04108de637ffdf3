//! What happened to receives and POSTs -> is the bridge alive, is it ready, what should people know. Pure.

mod owner;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::outcome::Answer;
use owner::Owner;
use state::State;

pub use owner::OwnerPing;

/// The health of one bridge, written by the engine and the sink and read by the admin pages.
///
/// Every method takes the time it happened at; none waits.
#[derive(Debug)]
pub struct Health {
    state: Mutex<State>,
    owner: Owner,
}

/// Why no receive is running although the bridge is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// As many messages are in flight as the window allows.
    NoPermits,
    /// The circuit breaker is open.
    Breaker,
    /// Waiting after a failed receive.
    Backoff,
    /// Waiting for more messages to gather.
    BatchWindow,
    /// Shutting down.
    Drain,
}

impl Pause {
    /// The name shown by `/health`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPermits => "no permits",
            Self::Breaker => "breaker",
            Self::Backoff => "back-off",
            Self::BatchWindow => "batch window",
            Self::Drain => "drain",
        }
    }
}

/// One reason and the sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A fixed word in CamelCase, such as `AccessDenied`.
    pub reason: &'static str,
    /// What is wrong with what, and what to do; no secret, no message content.
    pub message: String,
}

/// Whether the process should go on living.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Receives complete, or pause for a reason while work goes on.
    Alive,
    /// Neither: the sentence says since when.
    Stuck(String),
}

/// The body of `/readiness`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// One receive succeeded, nothing fatal holds, and no shutdown has begun.
    pub ready: bool,
    /// Why the queue cannot be read, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Problem>,
    /// What people should know about delivery; never makes the bridge unready.
    pub warnings: Vec<Problem>,
}

impl Readiness {
    /// At most this many bytes of JSON, so that the controller need not read more.
    pub const LIMIT: usize = 4_096;

    /// The body of `/readiness`: long sentences are cut so that it stays within [`Readiness::LIMIT`].
    pub fn to_json(&self) -> String {
        let mut longest = Self::LIMIT;
        loop {
            let json = serde_json::to_string(&self.cut(longest)).unwrap_or_default();
            if json.len() <= Self::LIMIT {
                return json;
            }
            longest /= 2;
        }
    }

    fn cut(&self, longest: usize) -> Self {
        let cut = |problem: &Problem| Problem { message: cut(&problem.message, longest), ..problem.clone() };
        Self {
            ready: self.ready,
            queue: self.queue.as_ref().map(cut),
            warnings: self.warnings.iter().map(cut).collect(),
        }
    }
}

/// A POST under way; dropping it means that it has ended, whatever came of it.
#[derive(Debug)]
#[must_use = "dropping this at once says that the POST has ended"]
pub struct PostGuard<'a> {
    health: &'a Health,
    slot: usize,
}

impl Health {
    /// A bridge that starts at `now`, long-polls for `wait_time` and gives a POST `sink_timeout`.
    pub fn new(wait_time: Duration, sink_timeout: Duration, now: Instant) -> Self {
        Self { state: Mutex::new(State::new(wait_time, sink_timeout, now)), owner: Owner::default() }
    }

    /// A receive completed and succeeded, with or without messages.
    pub fn received(&self, now: Instant) {
        self.state().received(now);
    }

    /// A receive completed and failed; `problem` if its class is fatal, or credentials three times in a row.
    pub fn receive_failed(&self, now: Instant, problem: Option<Problem>) {
        self.state().receive_failed(now, problem);
    }

    /// A receive got no answer (DNS, connect, TLS, timeout); 30 s of nothing else is `EndpointUnreachable`.
    pub fn endpoint_unreachable(&self, now: Instant, message: String) {
        self.state().endpoint_unreachable(now, message);
    }

    /// Something other than a receive cannot go on until a human mends it, such as a refused delete.
    pub fn fatal(&self, problem: Problem) {
        self.state().problem = Some(problem);
    }

    /// Receives pause for a reason, or (`None`) go on.
    pub fn paused(&self, pause: Option<Pause>) {
        self.state().pause = pause;
    }

    /// A heartbeat, probe, delete or timer tick ended: work goes on.
    pub fn progress(&self, now: Instant) {
        self.state().progress(now);
    }

    /// A POST starts.
    pub fn post_started(&self, now: Instant) -> PostGuard<'_> {
        PostGuard { slot: self.state().post_started(now), health: self }
    }

    /// The sink (not the dead-letter sink) answered, or did not.
    pub fn answered(&self, now: Instant, answer: &Answer) {
        self.state().answered(now, answer);
    }

    /// The circuit breaker opened because of this, or (`None`) closed.
    pub fn breaker_open(&self, cause: Option<String>) {
        self.state().breaker = cause;
    }

    /// IAM refuses ChangeMessageVisibility; holds from then on.
    pub fn heartbeat_denied(&self) {
        self.state().heartbeat_denied = true;
    }

    /// A message was refused for good and nothing can take it; holds from then on.
    pub fn no_dead_letter_queue(&self) {
        self.state().no_dead_letter_queue = true;
    }

    /// The folder of header files is missing, or (`None`) there again.
    pub fn sink_headers_not_found(&self, problem: Option<String>) {
        self.state().sink_headers = problem;
    }

    /// A trust file cannot be used, or (`None`) all can.
    pub fn trust_bundle_invalid(&self, problem: Option<String>) {
        self.state().trust_bundle = problem;
    }

    /// Shutdown has begun: not ready from now on.
    pub fn draining(&self) {
        self.state().draining = true;
    }

    /// A sink asks for a token and gets none; holds from then on.
    pub fn sink_token_not_sent(&self, message: String) {
        self.state().token_not_sent.get_or_insert(message);
    }

    /// Where `/health` asks the owner of the lease table for a sign of life.
    pub fn set_owner_ping(&self, owner: OwnerPing) {
        self.owner.set(owner);
    }

    /// Whether the owner of the lease table answers within 10 s, else one sentence.
    ///
    /// # Errors
    ///
    /// When it does not, or has ended.
    pub async fn owner_answers(&self) -> Result<(), String> {
        self.owner.answers().await
    }

    /// Whether receives complete, or pause for a reason while work goes on.
    pub fn live(&self, now: Instant) -> Liveness {
        self.state().live(now)
    }

    /// Whether the bridge does its work, and what people should know.
    pub fn readiness(&self, now: Instant) -> Readiness {
        self.state().readiness(now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PostGuard<'_> {
    fn drop(&mut self) {
        self.health.state().post_ended(self.slot);
    }
}

fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
