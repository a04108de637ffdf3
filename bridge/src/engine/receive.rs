//! Permits and pollers -> receives; what a receive brought -> arrivals, or a fault. Pure.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::{Command, DESCRIBE_EVERY, Engine, Timer, drain};
use crate::breaker;
use crate::describe::QueueFacts;
use crate::explain::explain;
use crate::fault::{Fault, FaultClass};
use crate::health::{Pause, Problem};
use crate::message::Received;
use crate::pollers::{Ask, Attempt};
use crate::receive::Poll;
use crate::telemetry::throttled;

/// After so long without a message the depth is looked at once, for the silent limit of messages in flight.
const QUIET: Duration = Duration::from_secs(60);
/// SQS stops handing out messages at about 120,000 in flight, and a long poll does not say so.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const IN_FLIGHT_LIMIT: u64 = 110_000;
/// Without the right to extend, a message must stay invisible for a whole POST and a little more.
const UNEXTENDABLE_MARGIN: Duration = Duration::from_secs(30);

/// Since when receives bring nothing.
#[derive(Debug)]
pub(super) struct Quiet {
    since: Instant,
    described: bool,
    /// True while the timer that adjusts the window runs.
    pub(super) adjusting: bool,
    /// True while a poller is due but has no permits: then only permits can wake it.
    starved: bool,
}

impl Quiet {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, described: false, adjusting: true, starved: false }
    }
}

impl Engine {
    /// Starts every receive that pollers and permits allow.
    pub(super) fn start_receives(&mut self, now: Instant) {
        self.quiet.starved = false;
        while self.may_receive() {
            let Some(ask) = self.pollers.next(now) else { break };
            let wanted = ask.repeat.as_ref().map_or_else(|| self.wanted(now), |attempt| attempt.messages);
            let Some(grant) = self.admission.grant(wanted, now) else {
                self.quiet.starved = true;
                break;
            };
            self.pollers.started(ask.repeat.is_some());
            self.outage.received_one();
            let attempt = self.attempt(&ask, grant.messages, now);
            let poll = Poll { wait: ask.wait, visibility: self.visibility(), grant, attempt, started: now };
            self.commands.push(Command::Receive(poll));
        }
    }

    /// When the next receive may start.
    pub(super) fn receive_timeout(&self) -> Option<Instant> {
        if !self.may_receive() {
            return None;
        }
        if self.quiet.starved { self.admission.poll_timeout() } else { self.pollers.poll_timeout() }
    }

    /// A receive ended.
    pub(super) fn received(&mut self, poll: Poll, result: Result<Vec<Received>, Fault>, now: Instant) {
        match result {
            Ok(messages) => self.received_messages(&poll, messages, now),
            Err(fault) => self.receive_failed(poll, &fault, now),
        }
    }

    /// Why no receive is under way, if none is.
    pub(super) fn pause(&self) -> Option<Pause> {
        if self.pollers.waiting() > 0 {
            None
        } else if self.phase != drain::Phase::Running {
            Some(Pause::Drain)
        } else if self.breaker.state() != breaker::State::Closed {
            Some(Pause::Breaker)
        } else if self.pollers.is_failing() || self.delete_denied {
            Some(Pause::Backoff)
        } else if self.pollers.resting() > 0 {
            Some(Pause::BatchWindow)
        } else {
            Some(Pause::NoPermits)
        }
    }

    /// Asks for the queue's attributes, and again in half an hour.
    pub(super) fn describe(&mut self, now: Instant) {
        self.commands.push(Command::Describe);
        self.at(now + DESCRIBE_EVERY, Timer::Describe);
    }

    /// The queue's attributes were read, or may not be: the bridge runs without them.
    pub(super) fn described(&mut self, result: Result<QueueFacts, Fault>) {
        match result {
            Ok(facts) => {
                if self.quiet.described && facts.visible > 0 && facts.in_flight >= IN_FLIGHT_LIMIT {
                    warn!(
                        event = "queue_in_flight_limit",
                        visible = facts.visible,
                        in_flight = facts.in_flight,
                        "SQS hands out nothing more: about 120,000 messages are in flight; delete or release some"
                    );
                }
                self.facts = Some(facts);
            }
            Err(fault) => info!(
                event = "queue_attributes_unknown",
                code = fault.code,
                "running without the queue's attributes: sqs:GetQueueAttributes failed"
            ),
        }
    }

    fn may_receive(&self) -> bool {
        self.phase == drain::Phase::Running && !self.delete_denied && self.outage_allows_receive()
    }

    fn wanted(&mut self, now: Instant) -> u32 {
        let careful = self.cautious.is_active(now) || self.breaker.state() != breaker::State::Closed;
        if careful { 1 } else { self.settings.receive.max_messages }
    }

    fn visibility(&self) -> Duration {
        if self.leases.is_extendable() {
            return self.settings.receive.visibility_timeout;
        }
        self.settings.receive.visibility_timeout.max(self.settings.sink_timeout + UNEXTENDABLE_MARGIN)
    }

    fn attempt(&mut self, ask: &Ask, messages: u32, now: Instant) -> Option<Attempt> {
        if !self.settings.fifo {
            return None;
        }
        ask.repeat.clone().or_else(|| Some(Attempt { id: attempt_id(&mut self.rng), messages, started: now }))
    }

    fn received_messages(&mut self, poll: &Poll, messages: Vec<Received>, now: Instant) {
        let got = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        self.admission.arrived(poll.grant, messages.iter().map(|received| received.message.size() as u64));
        let room = self.admission.has_room();
        let pollers = self.pollers.alive();
        self.pollers.finished(got, poll.messages(), room, now);
        if self.pollers.alive() != pollers {
            throttled!(
                debug,
                now,
                event = "poller_scaled",
                pollers = self.pollers.alive(),
                "more or fewer receives at once"
            );
        }
        self.faults.succeeded();
        self.health.received(now);
        self.metrics.received(messages.len());
        self.note_quiet(got, now);
        for received in messages {
            self.arrive(received, poll.visibility, now);
        }
    }

    fn note_quiet(&mut self, got: u32, now: Instant) {
        if got > 0 {
            self.quiet.since = now;
            self.quiet.described = false;
            if !self.quiet.adjusting {
                self.quiet.adjusting = true;
                self.at(now + super::ADJUST_EVERY, Timer::Adjust);
            }
        } else if !self.quiet.described && now >= self.quiet.since + QUIET {
            self.quiet.described = true;
            self.commands.push(Command::Describe);
        }
    }

    fn receive_failed(&mut self, poll: Poll, fault: &Fault, now: Instant) {
        self.admission.arrived(poll.grant, std::iter::empty());
        let judged = self.faults.observe(fault);
        let explanation = explain("sqs:ReceiveMessage", fault, &self.settings.queue, None);
        throttled!(
            warn,
            now,
            event = "receive_failed",
            class = judged.class.as_str(),
            code = fault.code,
            reason = explanation.reason,
            "{}",
            explanation.message
        );
        if judged.class == FaultClass::Credentials {
            self.commands.push(Command::RefreshIdentity);
        }
        if fault.status.is_none() && judged.class == FaultClass::Transient {
            self.health.endpoint_unreachable(now, explanation.message.clone());
        } else {
            let problem = Problem { reason: explanation.reason, message: explanation.message };
            self.health.receive_failed(now, judged.report.then_some(problem));
        }
        let repeatable = matches!(judged.class, FaultClass::Transient | FaultClass::Throttle);
        let attempt = poll.attempt.filter(|_| repeatable);
        self.pollers.failed(poll.started, judged.class, attempt, now, &mut self.rng);
    }
}

/// A random UUID, version 4.
fn attempt_id(rng: &mut fastrand::Rng) -> String {
    let bits = rng.u128(..) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
