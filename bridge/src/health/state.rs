//! The facts behind [`super::Health`] and the rules that judge them. Pure.

use std::time::{Duration, Instant};

use super::{Liveness, Pause, Problem, Readiness};
use crate::explain;
use crate::outcome::{Answer, Verdict, verdict};

/// A receive must complete within the larger of this and three waits.
const LIVE_AT_LEAST: Duration = Duration::from_secs(30);
/// On top of the sink's time limit: how long the only POST may be the only sign of life.
const LIVE_MARGIN: Duration = Duration::from_secs(30);
/// No answer but failures to connect for so long: the endpoint is unreachable. Longer than a name server or a proxy
/// needs to be started again, and short enough that a user who mistyped the endpoint reads it within a minute.
const UNREACHABLE_AFTER: Duration = Duration::from_secs(30);
/// A refusal is worth a warning for so long.
const REFUSAL_SHOWN: Duration = Duration::from_secs(300);
/// A POST without an answer for longer than this hangs. The controller looks every ten seconds, so that it is told
/// within half a minute.
const HANGS_AFTER: Duration = Duration::from_secs(10);
/// So many failed attempts in a row make a sink unavailable.
const FAILURES_SHOWN: u32 = 3;

#[derive(Debug)]
pub(super) struct State {
    live_within: Duration,
    progress_within: Duration,
    last_completed: Instant,
    last_progress: Instant,
    pub(super) pause: Option<Pause>,
    succeeded_once: bool,
    unreachable: Option<Unreachable>,
    pub(super) problem: Option<Problem>,
    pub(super) draining: bool,
    posts: Posts,
    failures_in_a_row: u32,
    last_failure: String,
    last_fix: &'static str,
    refused: Option<(Instant, u16)>,
    pub(super) breaker: Option<String>,
    pub(super) heartbeat_denied: bool,
    pub(super) no_dead_letter_queue: bool,
    pub(super) sink_headers: Option<String>,
    pub(super) trust_bundle: Option<String>,
    pub(super) token_not_sent: Option<String>,
}

/// Since when nothing but failures to connect, and the last of them.
#[derive(Debug)]
struct Unreachable {
    since: Instant,
    message: String,
}

impl State {
    pub(super) fn new(wait_time: Duration, sink_timeout: Duration, now: Instant) -> Self {
        let live_within = LIVE_AT_LEAST.max(wait_time.saturating_mul(3));
        Self {
            live_within,
            progress_within: live_within.max(sink_timeout.saturating_add(LIVE_MARGIN)),
            last_completed: now,
            last_progress: now,
            pause: None,
            succeeded_once: false,
            unreachable: None,
            problem: None,
            draining: false,
            posts: Posts::default(),
            failures_in_a_row: 0,
            last_failure: String::new(),
            last_fix: "",
            refused: None,
            breaker: None,
            heartbeat_denied: false,
            no_dead_letter_queue: false,
            sink_headers: None,
            trust_bundle: None,
            token_not_sent: None,
        }
    }

    pub(super) fn received(&mut self, now: Instant) {
        self.completed(now);
        self.succeeded_once = true;
        self.unreachable = None;
        self.problem = None;
    }

    pub(super) fn receive_failed(&mut self, now: Instant, problem: Option<Problem>) {
        self.completed(now);
        self.unreachable = None;
        if problem.is_some() {
            self.problem = problem;
        }
    }

    pub(super) fn endpoint_unreachable(&mut self, now: Instant, message: String) {
        self.completed(now);
        let since = self.unreachable.as_ref().map_or(now, |unreachable| unreachable.since);
        self.unreachable = Some(Unreachable { since, message });
    }

    pub(super) fn progress(&mut self, now: Instant) {
        self.last_progress = self.last_progress.max(now);
    }

    pub(super) fn post_started(&mut self, now: Instant) -> usize {
        self.posts.start(now)
    }

    pub(super) fn post_ended(&mut self, slot: usize) {
        self.posts.end(slot);
    }

    pub(super) fn answered(&mut self, now: Instant, answer: &Answer) {
        self.progress(now);
        match (verdict(answer), answer) {
            (Verdict::Accepted, _) => self.accepted(),
            (Verdict::Refused, Answer::Status { code, .. }) => self.refused = Some((now, *code)),
            (Verdict::Retry { .. }, Answer::Status { code, .. }) => {
                self.failed(format!("the sink answers {code}"), explain::fix(answer));
            }
            (Verdict::Retry { .. } | Verdict::Refused, Answer::Failed(failure)) => {
                self.failed(failure.message.clone(), explain::fix(answer));
            }
        }
    }

    pub(super) fn live(&self, now: Instant) -> Liveness {
        let since_receive = now.saturating_duration_since(self.last_completed);
        if since_receive < self.live_within {
            return Liveness::Alive;
        }
        let seconds = since_receive.as_secs();
        let Some(pause) = self.pause else {
            return Liveness::Stuck(format!("no receive has completed for {seconds} s"));
        };
        let since_progress = now.saturating_duration_since(self.last_progress);
        if since_progress < self.progress_within {
            return Liveness::Alive;
        }
        let (pause, still) = (pause.as_str(), since_progress.as_secs());
        Liveness::Stuck(format!(
            "no receive has completed for {seconds} s (paused: {pause}) and nothing else has ended for {still} s"
        ))
    }

    pub(super) fn readiness(&self, now: Instant) -> Readiness {
        let queue = self.unreachable(now).or_else(|| self.problem.clone());
        Readiness {
            ready: self.succeeded_once && queue.is_none() && !self.draining,
            queue,
            warnings: self.warnings(now),
        }
    }

    /// Judged by the one who looks: the next attempt to connect may be half a minute away.
    fn unreachable(&self, now: Instant) -> Option<Problem> {
        let Unreachable { since, message } = self.unreachable.as_ref()?;
        (now.saturating_duration_since(*since) >= UNREACHABLE_AFTER)
            .then(|| Problem { reason: "EndpointUnreachable", message: message.clone() })
    }

    fn completed(&mut self, now: Instant) {
        self.last_completed = self.last_completed.max(now);
    }

    fn accepted(&mut self) {
        self.failures_in_a_row = 0;
        self.refused = None;
        // The breaker closes only after more of them, which may be a long time in coming.
        self.breaker = None;
    }

    fn failed(&mut self, cause: String, fix: &'static str) {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.last_failure = cause;
        self.last_fix = fix;
    }

    fn warnings(&self, now: Instant) -> Vec<Problem> {
        let problem = |reason, message| Problem { reason, message };
        let fixed = |holds: bool, reason, message: &str| holds.then(|| Problem { reason, message: message.into() });
        [
            self.token_not_sent.clone().map(|message| problem("SinkTokenNotSent", message)),
            self.unavailable().map(|message| problem("SinkUnavailable", message)),
            self.refusal(now).map(|message| problem("SinkRefuses", message)),
            self.hanging(now).map(|message| problem("SinkHangs", message)),
            fixed(self.heartbeat_denied, "HeartbeatDenied", HEARTBEAT_DENIED),
            fixed(self.no_dead_letter_queue, "NoDeadLetterQueue", NO_DEAD_LETTER_QUEUE),
            self.sink_headers.clone().map(|message| problem("SinkHeadersNotFound", message)),
            self.trust_bundle.clone().map(|message| problem("TrustBundleInvalid", message)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Nothing that changes from one look to the next is told, such as a count: readers write down what is new.
    fn unavailable(&self) -> Option<String> {
        let failing = (self.failures_in_a_row >= FAILURES_SHOWN).then_some(&self.last_failure);
        let told = match (&self.breaker, failing) {
            (Some(cause), _) => format!("the circuit breaker is open: {cause}"),
            (None, Some(cause)) => format!("every attempt fails: {cause}"),
            (None, None) => return None,
        };
        Some(with_fix(told, self.last_fix))
    }

    fn refusal(&self, now: Instant) -> Option<String> {
        let (since, code) = self.refused?;
        (now.saturating_duration_since(since) < REFUSAL_SHOWN).then(|| {
            let answer = Answer::Status { code, retry_after: None, body: bytes::Bytes::new() };
            with_fix(format!("the sink refuses events with {code}"), explain::fix(&answer))
        })
    }

    fn hanging(&self, now: Instant) -> Option<String> {
        let waits = now.saturating_duration_since(self.posts.oldest()?);
        (waits > HANGS_AFTER).then(|| HANGS.to_owned())
    }
}

fn with_fix(told: String, fix: &str) -> String {
    if fix.is_empty() { told } else { format!("{told}: {fix}") }
}

const HANGS: &str =
    "a POST has waited more than 10 s for an answer: see the sink's logs; delivery.timeout limits the wait";
const HEARTBEAT_DENIED: &str = "sqs:ChangeMessageVisibility is denied, so messages cannot be held longer than the visibility timeout: \
     allow it in the queue's or the identity's policy";
const NO_DEAD_LETTER_QUEUE: &str = "the sink refused a message for good and the queue has no redrive policy, so it returns every 15 min: \
     set a dead-letter queue or a dead-letter sink";

/// When each POST under way started; a slot is used again once its POST has ended.
#[derive(Debug, Default)]
struct Posts {
    started: Vec<Option<Instant>>,
    free: Vec<usize>,
}

impl Posts {
    fn start(&mut self, now: Instant) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.started.push(None);
            self.started.len() - 1
        });
        self.started[slot] = Some(now);
        slot
    }

    fn end(&mut self, slot: usize) {
        self.started[slot] = None;
        self.free.push(slot);
    }

    fn oldest(&self) -> Option<Instant> {
        self.started.iter().flatten().min().copied()
    }
}

#[cfg(test)]
mod tests;
