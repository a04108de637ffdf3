//! One queue: which messages can be received, who holds the others and until when. Pure.
//!
//! Time is an argument. Whatever waits for a time stands in one ordered set, so each call costs the logarithm of the
//! messages at most and a queue of a hundred thousand is as quick as an empty one.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::clock::Time;
use super::code::{Code, Refusal};
use super::ledger::{Deed, Ledger};
use super::message::{Content, Handle, Index, Receipt, State, Stored};

mod deduplication;
mod line;
mod settings;
#[cfg(test)]
mod tests;

use deduplication::Deduplication;
use line::Line;
pub use settings::{Redrive, Settings};

/// A message may stay invisible for 12 h after a receive, all changes taken together
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html).
pub const LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);
/// How long a repeated attempt id brings the same messages (API reference of ReceiveMessage).
const ATTEMPT_LIFE: Duration = Duration::from_secs(300);

/// A queue.
#[derive(Debug)]
pub struct Queue {
    /// What is set on it.
    pub settings: Settings,
    /// Marks the handles of this queue.
    pub token: u32,
    messages: HashMap<Index, Stored>,
    line: Line,
    timers: BTreeSet<(Time, Index)>,
    counts: Counts,
    deduplication: Deduplication,
    attempts: HashMap<String, Attempt>,
    last_sequence: u64,
}

/// How many messages there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// That can be received (or wait for their group).
    pub visible: usize,
    /// That a consumer holds.
    pub in_flight: usize,
    /// That were sent with a delay which has not passed.
    pub delayed: usize,
}

/// What a receive asks for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// At most so many messages.
    pub most: usize,
    /// How long they are invisible.
    pub visibility: Duration,
    /// FIFO: repeats the receive of the same id.
    pub attempt: Option<&'a str>,
    /// Hand over the first message twice, under two handles.
    pub twice: bool,
    /// Leave the messages visible: another server hands them out again at once.
    pub leave_visible: bool,
}

/// What a receive brought.
#[derive(Debug, Default)]
pub struct Haul {
    /// The handles, in order of delivery.
    pub handles: Vec<Handle>,
    /// Messages that were received too often and leave for the dead-letter queue.
    pub dead: Vec<Stored>,
}

/// The result of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The id of the message, or of the one that it repeats.
    pub id: std::sync::Arc<str>,
    /// FIFO: its place in the queue.
    pub sequence: Option<u64>,
}

#[derive(Debug)]
struct Attempt {
    ends: Time,
    handles: Vec<Handle>,
}

impl Queue {
    /// An empty queue.
    pub fn new(settings: Settings, token: u32) -> Self {
        let line = if settings.fifo { Line::fifo() } else { Line::standard() };
        Self {
            settings,
            token,
            line,
            messages: HashMap::new(),
            timers: BTreeSet::new(),
            counts: Counts::default(),
            deduplication: Deduplication::default(),
            attempts: HashMap::new(),
            last_sequence: 0,
        }
    }

    /// Takes a message, unless it repeats one.
    pub fn send(&mut self, now: Time, index: Index, new: New, ledger: &mut Ledger) -> Sent {
        let New { id, content, delay } = new;
        if let Some(key) = self.settings.deduplication_key(&content) {
            if let Some(first) = self.deduplication.find(now, &key) {
                return first;
            }
            let sent = Sent { id: id.clone(), sequence: Some(self.last_sequence + 1) };
            self.deduplication.remember(now, key, sent);
        }
        ledger.note(now, &id, Deed::Sent);
        let state = if delay.is_zero() { State::Visible } else { State::Delayed { until: now + delay } };
        let message = Stored {
            id,
            content,
            sent_at: now,
            first_received_at: None,
            receives: 0,
            sequence: None,
            came_from: None,
            state,
            last: Receipt::default(),
        };
        self.put(index, message)
    }

    /// Takes a message from a queue whose redrive policy gave it up.
    pub fn bury(&mut self, index: Index, mut message: Stored, came_from: &str) {
        message.came_from = Some(came_from.to_owned());
        message.state = State::Visible;
        self.put(index, message);
    }

    /// Hands over what can be received.
    pub fn receive(&mut self, now: Time, ask: Ask<'_>, ledger: &mut Ledger) -> Haul {
        self.expire(now, ledger);
        if let Some(handles) = ask.attempt.and_then(|id| self.replay(now, id, ask.visibility, ledger)) {
            return Haul { handles, dead: Vec::new() };
        }
        let mut haul = Haul::default();
        let most = ask.most.min(self.settings.in_flight_limit.saturating_sub(self.in_flight()));
        while haul.handles.len() < most {
            let messages = &self.messages;
            let visible = |index| messages.get(&index).is_some_and(|message| message.state == State::Visible);
            let candidates = self.line.take(most - haul.handles.len(), visible);
            if candidates.is_empty() {
                break;
            }
            for index in candidates {
                if self.settings.gives_up(self.messages[&index].receives) {
                    haul.dead.extend(self.give_up(now, index, ledger));
                } else {
                    haul.handles.push(self.hand_over(now, index, ask, ledger));
                }
            }
        }
        for handle in &haul.handles {
            let message = &self.messages[&handle.index];
            if !message.is_in_flight() {
                self.line.add(handle.index, message.content.group.as_ref());
            }
        }
        self.repeat_first(now, ask, &mut haul, ledger);
        if let (Some(id), false) = (ask.attempt, haul.handles.is_empty()) {
            let attempt = Attempt { ends: now + ATTEMPT_LIFE, handles: haul.handles.clone() };
            self.attempts.retain(|_, attempt| attempt.ends > now);
            self.attempts.insert(id.to_owned(), attempt);
        }
        haul
    }

    /// Deletes the message of a handle; see [`Deed::DeletedInVain`] for what succeeds without doing so.
    pub fn delete(&mut self, now: Time, handle: &str, ledger: &mut Ledger) -> Result<(), Refusal> {
        self.expire(now, ledger);
        let parsed = self.parse(handle)?;
        let Some(message) = self.messages.get(&parsed.index) else { return Ok(()) };
        let newest = message.last.number == parsed.number;
        if self.settings.fifo && !(newest && message.is_in_flight()) {
            return Err(invalid_handle(handle, "The receipt handle has expired."));
        }
        let (id, deed) = (message.id.clone(), if newest { Deed::Deleted } else { Deed::DeletedInVain });
        ledger.note(now, &id, deed);
        if newest {
            self.remove(parsed.index);
        }
        Ok(())
    }

    /// Answers a delete with success and makes the message visible again instead, as SQS rarely does on standard
    /// queues when a server that holds a copy is unavailable.
    pub fn delete_in_vain(&mut self, now: Time, handle: &str, ledger: &mut Ledger) -> Result<(), Refusal> {
        let parsed = self.parse(handle)?;
        if let Some(message) = self.messages.get(&parsed.index) {
            ledger.note(now, &message.id.clone(), Deed::DeletedInVain);
            self.set_state(parsed.index, State::Visible);
        }
        Ok(())
    }

    /// Makes the message of a handle visible after `timeout` from now.
    pub fn change_visibility(
        &mut self,
        now: Time,
        handle: &str,
        timeout: Duration,
        ledger: &mut Ledger,
    ) -> Result<(), Refusal> {
        self.expire(now, ledger);
        let parsed = self.parse(handle)?;
        let Some(message) = self.messages.get_mut(&parsed.index) else {
            let why = "Message does not exist or is not available for visibility timeout change.";
            return Err(invalid_handle(handle, why));
        };
        if !message.is_in_flight() || message.last.number != parsed.number {
            return Err(match self.settings.fifo {
                true => invalid_handle(handle, "The receipt handle has expired."),
                false => Code::MESSAGE_NOT_IN_FLIGHT.because(format!("The message {} is not in flight.", message.id)),
            });
        }
        if now + timeout > message.last.at + LONGEST_VISIBILITY {
            let limit = LONGEST_VISIBILITY.as_secs();
            let why = format!("Total VisibilityTimeout for the message is beyond the limit [{limit} seconds]");
            return Err(Code::INVALID_PARAMETER_VALUE.because(why));
        }
        message.last.changed = true;
        let (id, until) = (message.id.clone(), now + timeout);
        ledger.note(now, &id, Deed::VisibilityChanged { until });
        self.set_state(parsed.index, if timeout.is_zero() { State::Visible } else { State::InFlight { until } });
        Ok(())
    }

    /// Removes all messages.
    pub fn purge(&mut self, now: Time, ledger: &mut Ledger) {
        let mut all: Vec<Index> = self.messages.keys().copied().collect();
        all.sort_unstable();
        for index in all {
            if let Some(message) = self.remove(index) {
                ledger.note(now, &message.id, Deed::Purged);
            }
        }
    }

    /// Makes visible whatever waited for a time that has come.
    pub fn expire(&mut self, now: Time, ledger: &mut Ledger) {
        while let Some(&(_, index)) = self.timers.first().filter(|(due, _)| *due <= now) {
            let message = &self.messages[&index];
            if message.is_in_flight() {
                ledger.note(now, &message.id.clone(), Deed::Expired);
            }
            self.set_state(index, State::Visible);
        }
    }

    /// When the next message becomes visible by itself.
    pub fn next_deadline(&self) -> Option<Time> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// How many messages (FIFO: groups) have become receivable since this was last asked: so many waiting receives can
    /// be woken.
    pub fn take_newly_receivable(&mut self) -> usize {
        self.line.take_newly_receivable()
    }

    /// True if SQS holds messages back because too many are in flight.
    pub fn is_over_limit(&self) -> bool {
        self.in_flight() >= self.settings.in_flight_limit
    }

    /// Messages in flight, also those that other consumers hold.
    pub fn in_flight(&self) -> usize {
        self.counts.in_flight + self.settings.in_flight_elsewhere
    }

    /// How many messages there are of each kind.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The message, if it is still there.
    pub fn message(&self, index: Index) -> Option<&Stored> {
        self.messages.get(&index)
    }

    /// Every message that is still there, in the order of sending.
    pub fn messages(&self) -> Vec<(Index, &Stored)> {
        let mut all: Vec<_> = self.messages.iter().map(|(index, message)| (*index, message)).collect();
        all.sort_unstable_by_key(|(index, _)| *index);
        all
    }

    fn put(&mut self, index: Index, mut message: Stored) -> Sent {
        if self.settings.fifo {
            self.last_sequence += 1;
            message.sequence = Some(self.last_sequence);
        }
        let sent = Sent { id: message.id.clone(), sequence: message.sequence };
        let (state, group) = (message.state, message.content.group.clone());
        self.line.join(index, group.as_ref());
        self.messages.insert(index, message);
        self.enter(index, state);
        sent
    }

    fn hand_over(&mut self, now: Time, index: Index, ask: Ask<'_>, ledger: &mut Ledger) -> Handle {
        let until = now + ask.visibility;
        let stays = ask.visibility.is_zero() || ask.leave_visible;
        let message = self.messages.get_mut(&index).expect("the line holds only messages of this queue");
        message.receives += 1;
        message.first_received_at.get_or_insert(now);
        message.last = Receipt { number: message.last.number + 1, at: now, changed: false };
        let handle = message.handle(index);
        ledger.note(now, &message.id.clone(), Deed::Received { count: message.receives, until });
        if !stays {
            self.leave(index);
            self.enter(index, State::InFlight { until });
        }
        handle
    }

    fn repeat_first(&mut self, now: Time, ask: Ask<'_>, haul: &mut Haul, ledger: &mut Ledger) {
        if let (true, Some(first)) = (ask.twice, haul.handles.first().copied()) {
            haul.handles.push(self.hand_over(now, first.index, ask, ledger));
        }
    }

    /// The messages of an earlier receive with the same attempt id, if nobody has touched them since.
    fn replay(&mut self, now: Time, id: &str, visibility: Duration, ledger: &mut Ledger) -> Option<Vec<Handle>> {
        let attempt = self.attempts.get(id).filter(|attempt| self.settings.fifo && now < attempt.ends)?;
        let handles = attempt.handles.clone();
        let untouched = handles.iter().all(|handle| {
            let message = self.messages.get(&handle.index);
            message.is_some_and(|it| it.is_in_flight() && it.last.number == handle.number && !it.last.changed)
        });
        if !untouched {
            return None;
        }
        for handle in &handles {
            let (until, id) = (now + visibility, self.messages[&handle.index].id.clone());
            ledger.note(now, &id, Deed::VisibilityChanged { until });
            self.set_state(handle.index, State::InFlight { until });
        }
        Some(handles)
    }

    fn give_up(&mut self, now: Time, index: Index, ledger: &mut Ledger) -> Option<Stored> {
        let message = self.remove(index)?;
        ledger.note(now, &message.id, Deed::DeadLettered);
        Some(message)
    }

    fn remove(&mut self, index: Index) -> Option<Stored> {
        self.messages.get(&index)?;
        self.leave(index);
        let message = self.messages.remove(&index)?;
        self.line.remove(index, message.content.group.as_ref());
        Some(message)
    }

    fn set_state(&mut self, index: Index, state: State) {
        if self.messages.contains_key(&index) {
            self.leave(index);
            self.enter(index, state);
        }
    }

    /// Takes the message out of the books of the state it is in.
    fn leave(&mut self, index: Index) {
        let message = &self.messages[&index];
        match message.state {
            State::Visible => self.counts.visible -= 1,
            State::Delayed { until } => {
                self.counts.delayed -= 1;
                self.timers.remove(&(until, index));
            }
            State::InFlight { until } => {
                self.counts.in_flight -= 1;
                self.timers.remove(&(until, index));
                self.line.unlock(message.content.group.as_ref());
            }
        }
    }

    /// Puts the message into the books of a state.
    fn enter(&mut self, index: Index, state: State) {
        let message = self.messages.get_mut(&index).expect("only messages of this queue change their state");
        message.state = state;
        let group = message.content.group.clone();
        match state {
            State::Visible => {
                self.counts.visible += 1;
                self.line.add(index, group.as_ref());
            }
            State::Delayed { until } => {
                self.counts.delayed += 1;
                self.timers.insert((until, index));
            }
            State::InFlight { until } => {
                self.counts.in_flight += 1;
                self.timers.insert((until, index));
                self.line.lock(group.as_ref());
            }
        }
    }

    fn parse(&self, handle: &str) -> Result<Handle, Refusal> {
        Handle::decode(handle, self.token).ok_or_else(|| {
            let why = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
            Code::RECEIPT_HANDLE_IS_INVALID.because(why)
        })
    }
}

/// A message to be sent.
#[derive(Debug)]
pub struct New {
    /// `MessageId`, used if the message repeats none.
    pub id: std::sync::Arc<str>,
    /// Body and attributes.
    pub content: Content,
    /// Invisible at first for so long.
    pub delay: Duration,
}

fn invalid_handle(handle: &str, why: &str) -> Refusal {
    let message = format!("Value {handle} for parameter ReceiptHandle is invalid. Reason: {why}");
    Code::INVALID_PARAMETER_VALUE.because(message)
}
