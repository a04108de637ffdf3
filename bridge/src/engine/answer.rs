//! The answer to a POST -> the next event, another try, or the end of the delivery. Pure.

use std::time::{Duration, Instant};

use super::entry::{Entry, EventState, Stage};
use super::post::Step;
use super::{Engine, Key, Timer};
use crate::backoff::retry_wait;
use crate::breaker;
use crate::deliver::{Delivered, Destination, Parcel, Refusal, Shipment};
use crate::metrics::EventResult;
use crate::outcome::{Answer, Verdict, is_overload, verdict};
use crate::settle::Outcome;
use crate::telemetry::throttled;

/// Retries after the first attempt, where the user set none.
const RETRIES: u32 = 3;
/// No inline retry starts later than this after the first attempt.
const RETRY_FOR: Duration = Duration::from_secs(900);

impl Engine {
    /// A POST ended.
    pub(super) fn answered(&mut self, delivered: Delivered, now: Instant) {
        let Delivered { shipment: Shipment { key, parcel, index, to }, answer, elapsed } = delivered;
        self.concurrency.finished(elapsed, is_overload(&answer));
        self.health.progress(now);
        self.answered_at = now;
        let before = self.breaker.state();
        if to == Destination::Sink {
            self.health.answered(now, &answer);
            self.judge_sink(&answer, now);
        }
        // One that was given back while it was being sent has no receipt to settle.
        let posting = |entry: &&mut Entry| matches!(entry.stage, Stage::Posting);
        let Some(entry) = self.entries.get_mut(&key).filter(posting) else { return };
        if let Some(events) = parcel.events() {
            entry.events.resize(events, EventState::Pending);
        }
        match verdict(&answer) {
            Verdict::Accepted => self.event_accepted(key, index, &to, now),
            // A sink that refuses everything is an outage, and no event is poison for it.
            Verdict::Refused if to == Destination::Sink && !self.is_outage(&answer) => {
                self.event_refused(key, index, &answer, now);
            }
            Verdict::Refused => return self.not_taken(key, parcel, index, &to, &answer, None, before, now),
            Verdict::Retry { after } => {
                return self.not_taken(key, parcel, index, &to, &answer, after, before, now);
            }
        }
        self.proceed(key, parcel, now);
    }

    /// A POST's task failed by a defect of ours: the message is left to its visibility timeout.
    pub(super) fn broken(&mut self, key: Key, now: Instant) {
        self.concurrency.finished(Duration::ZERO, false);
        self.lose(key, crate::metrics::LeaseLoss::Expired, now);
        self.end(key);
    }

    fn event_accepted(&mut self, key: Key, index: usize, to: &Destination, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.events[index] = EventState::Accepted;
        entry.retries = 0;
        let started = entry.first_post.take().unwrap_or(now);
        let result = match to {
            Destination::Sink => EventResult::Delivered,
            Destination::DeadLetter(_) => EventResult::DeadLettered,
        };
        if result == EventResult::DeadLettered {
            throttled!(warn, now,event = "dead_lettered", message_id = %entry.message_id, "the dead-letter sink has what the sink did not take");
        }
        self.metrics.dispatched(result, now.saturating_duration_since(started));
    }

    fn event_refused(&mut self, key: Key, index: usize, answer: &Answer, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let refusal = Refusal::of(answer);
        throttled!(warn, now,event = "sink_permanent", message_id = %entry.message_id, status = refusal.code, "the sink refuses the event");
        entry.events[index] = EventState::Refused(refusal);
        entry.retries = 0;
        let started = entry.first_post.take().unwrap_or(now);
        self.metrics.dispatched(EventResult::Permanent, now.saturating_duration_since(started));
    }

    /// Goes on with what the message needs next.
    fn proceed(&mut self, key: Key, parcel: Parcel, now: Instant) {
        if self.entries.get(&key).is_some_and(|entry| entry.lost) {
            return self.end_lost(key, now);
        }
        match self.step(key) {
            None => {}
            Some(Step::Send(..)) => {
                self.set_stage(key, Stage::Ready(parcel));
                self.ready.push_front(key);
            }
            Some(Step::Accepted) => self.accepted(key, now),
            Some(Step::Refused) if self.settings.fifo => self.hold(key, parcel, now),
            Some(Step::Refused) => self.give_up(key, Outcome::Refused, now),
        }
    }

    /// The event was not taken, but may be: wait and try again, or end this delivery.
    #[expect(clippy::too_many_arguments, reason = "the parts of one answer, taken apart once by its only caller")]
    fn not_taken(
        &mut self,
        key: Key,
        parcel: Parcel,
        index: usize,
        to: &Destination,
        answer: &Answer,
        wish: Option<Duration>,
        before: breaker::State,
        now: Instant,
    ) {
        let Some(entry) = self.entries.get(&key) else { return };
        if entry.lost {
            return self.end_lost(key, now);
        }
        throttled!(debug, now,event = "sink_retry", message_id = %entry.message_id, retries = entry.retries, "the sink did not take the event");
        if *to == Destination::Sink && self.breaker.state() == breaker::State::Open {
            return self.failed_in_outage(key, parcel, before, now);
        }
        if entry.holding.is_some() {
            return self.hold(key, parcel, now);
        }
        if let Some(wait) = self.wait_before_retry(key, wish, now) {
            self.set_stage(key, Stage::Waiting(parcel));
            self.at(now + wait, Timer::Retry(key));
            return;
        }
        self.exhausted(key, parcel, index, to, answer, now);
    }

    /// How long to wait before the next inline retry; `None` if there is none left.
    fn wait_before_retry(&mut self, key: Key, wish: Option<Duration>, now: Instant) -> Option<Duration> {
        let delivery = &self.settings.delivery;
        let entry = self.entries.get_mut(&key)?;
        if entry.retries >= delivery.retry.unwrap_or(RETRIES) {
            return None;
        }
        let backoff = retry_wait(delivery.backoff_policy, delivery.backoff_delay, entry.retries, &mut self.rng);
        let wait = backoff.max(wish.unwrap_or_default().min(delivery.retry_after_max));
        if now + wait > entry.first_post.unwrap_or(now) + RETRY_FOR {
            return None;
        }
        entry.retries += 1;
        Some(wait)
    }

    /// No inline retry is left.
    fn exhausted(&mut self, key: Key, parcel: Parcel, index: usize, to: &Destination, answer: &Answer, now: Instant) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        let started = entry.first_post.take().unwrap_or(now);
        entry.retries = 0;
        self.metrics.dispatched(EventResult::Exhausted, now.saturating_duration_since(started));
        // Knative's semantics: who sets `retry` wants the dead-letter sink after that many; else the queue is
        // the better place to wait.
        let dead_letter =
            *to == Destination::Sink && self.settings.delivery.retry.is_some() && self.has_dead_letter_sink();
        if dead_letter {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.events[index] = EventState::Exhausted(Refusal::of(answer));
            }
            self.proceed(key, parcel, now);
        } else if self.settings.fifo {
            self.hold(key, parcel, now);
        } else {
            self.give_up(key, Outcome::Exhausted, now);
        }
    }
}
