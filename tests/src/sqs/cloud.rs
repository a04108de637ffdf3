//! All queues, and one request at a time with the time it comes at -> its answer. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::clock::Time;
use super::code::{Code, Refusal};
use super::fault::Twist;
use super::ledger::Ledger;
use super::message::{Content, Index, Stored};
use super::queue::{New, Queue, Sent};
use super::request::Request;

mod manage;
mod receive;
mod send;
mod settle;
#[cfg(test)]
mod tests;

/// The account whose queues these are unless something else is said.
pub const ACCOUNT: &str = "123456789012";
/// The region in their ARNs.
pub const REGION: &str = "us-east-1";

/// All queues of all accounts.
#[derive(Debug)]
pub struct Cloud {
    /// What became of all messages.
    pub ledger: Ledger,
    base_url: String,
    epoch_millis: u128,
    random: fastrand::Rng,
    queues: BTreeMap<Name, Queue>,
    last_index: Index,
}

/// Account and name of a queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Twelve digits.
    pub account: Arc<str>,
    /// The queue's name.
    pub queue: Arc<str>,
}

/// What a request came to.
#[derive(Debug, Default)]
pub struct Done {
    /// The answer, in JSON.
    pub body: Vec<u8>,
    /// Ids of the messages that were handed over, taken or settled, in order.
    pub messages: Vec<Arc<str>>,
    /// Codes of the entries of a batch that failed.
    pub failed: Vec<&'static str>,
}

impl Name {
    /// A queue of [`ACCOUNT`].
    pub fn of(queue: &str) -> Self {
        Self { account: ACCOUNT.into(), queue: queue.into() }
    }

    /// The queue that a URL or path ends in.
    pub fn from_url(url: &str) -> Option<Self> {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let (queue, account) = (parts.next()?, parts.next()?);
        (!queue.is_empty()).then(|| Self { account: account.into(), queue: queue.into() })
    }

    /// `arn:aws:sqs:…`.
    pub fn arn(&self) -> String {
        format!("arn:aws:sqs:{REGION}:{}:{}", self.account, self.queue)
    }

    fn from_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.rsplit(':');
        let (queue, account) = (parts.next()?, parts.next()?);
        Some(Self { account: account.into(), queue: queue.into() })
    }
}

impl Cloud {
    /// No queues yet. Times are shown as milliseconds after `epoch_millis`; ids come from `seed`.
    pub fn new(base_url: &str, epoch_millis: u128, seed: u64) -> Self {
        Self {
            ledger: Ledger::default(),
            base_url: base_url.to_owned(),
            epoch_millis,
            random: fastrand::Rng::with_seed(seed),
            queues: BTreeMap::new(),
            last_index: 0,
        }
    }

    /// Answers a request.
    pub fn act(&mut self, now: Time, request: &Request, twist: &Twist) -> Result<Done, Refusal> {
        match request {
            Request::ReceiveMessage(ask) => self.receive(now, ask, twist),
            Request::DeleteMessage(ask) => self.delete(now, ask, twist),
            Request::DeleteMessageBatch(ask) => self.delete_batch(now, ask, twist),
            Request::ChangeMessageVisibility(ask) => self.change_visibility(now, ask),
            Request::ChangeMessageVisibilityBatch(ask) => self.change_visibility_batch(now, ask, twist),
            Request::GetQueueAttributes(ask) => self.tell_attributes(now, ask),
            Request::SetQueueAttributes(ask) => self.set_attributes(ask),
            Request::GetQueueUrl(ask) => self.tell_url(ask),
            Request::CreateQueue(ask) => self.create(ask),
            Request::DeleteQueue(ask) => self.drop_queue(ask),
            Request::ListQueues(ask) => Ok(self.list(ask)),
            Request::SendMessage(ask) => self.send_message(now, ask),
            Request::SendMessageBatch(ask) => self.send_batch(now, ask, twist),
            Request::PurgeQueue(ask) => self.purge(now, ask),
        }
    }

    /// Takes a message as it is, without the checks that SQS makes.
    pub fn send(&mut self, now: Time, name: &Name, content: Content, delay: Time) -> Result<Sent, Refusal> {
        let id = self.message_id();
        self.last_index += 1;
        let index = self.last_index;
        let queue = self.queues.get_mut(name).ok_or_else(missing_queue)?;
        Ok(queue.send(now, index, New { id, content, delay }, &mut self.ledger))
    }

    /// Makes visible whatever waited for a time that has come.
    pub fn expire(&mut self, now: Time) {
        for queue in self.queues.values_mut() {
            queue.expire(now, &mut self.ledger);
        }
    }

    /// When the next message becomes visible by itself.
    pub fn next_deadline(&self) -> Option<Time> {
        self.queues.values().filter_map(Queue::next_deadline).min()
    }

    /// Queues in which messages have become receivable since this was last asked, and how many.
    pub fn take_newly_receivable(&mut self) -> Vec<(Name, usize)> {
        let counted = self.queues.iter_mut().map(|(name, queue)| (name.clone(), queue.take_newly_receivable()));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// A queue.
    pub fn queue(&self, name: &Name) -> Option<&Queue> {
        self.queues.get(name)
    }

    /// A queue, to be changed.
    pub fn queue_mut(&mut self, name: &Name) -> Option<&mut Queue> {
        self.queues.get_mut(name)
    }

    /// All queues.
    pub fn queues(&self) -> impl Iterator<Item = (&Name, &Queue)> {
        self.queues.iter()
    }

    /// The URL under which the queue is reached.
    pub fn url(&self, name: &Name) -> String {
        format!("{}/{}/{}", self.base_url, name.account, name.queue)
    }

    fn at(&mut self, url: &str) -> Result<(&mut Queue, &mut Ledger), Refusal> {
        let name = Name::from_url(url).ok_or_else(missing_queue)?;
        let queue = self.queues.get_mut(&name).ok_or_else(missing_queue)?;
        Ok((queue, &mut self.ledger))
    }

    fn bury(&mut self, dead: Vec<Stored>, from: &Name) {
        let redrive = self.queues.get(from).and_then(|queue| queue.settings.redrive.clone());
        let target = redrive.and_then(|redrive| Name::from_arn(&redrive.dead_letter_target_arn));
        let Some(grave) = target.and_then(|target| self.queues.get_mut(&target)) else { return };
        for message in dead {
            self.last_index += 1;
            grave.bury(self.last_index, message, &from.arn());
        }
    }

    fn message_id(&mut self) -> Arc<str> {
        let (high, low) = (self.random.u64(..), self.random.u64(..));
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
        let (d, e) = (0x8000 | (low >> 48 & 0x3fff), low & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}").into()
    }
}

impl Done {
    fn answer(body: &impl Serialize) -> Self {
        Self { body: serde_json::to_vec(body).unwrap_or_default(), ..Self::default() }
    }

    fn empty() -> Self {
        Self { body: b"{}".to_vec(), ..Self::default() }
    }
}

fn missing_queue() -> Refusal {
    Code::QUEUE_DOES_NOT_EXIST.because("The specified queue does not exist.")
}

fn invalid_parameter(name: &str, value: impl std::fmt::Display, reason: &str) -> Refusal {
    Code::INVALID_PARAMETER_VALUE.because(format!("Value {value} for parameter {name} is invalid. Reason: {reason}"))
}

/// The value of a parameter that must lie in a range, or its default.
fn in_range(name: &str, value: Option<i64>, default: u64, least: u64, most: u64) -> Result<u64, Refusal> {
    let Some(given) = value else { return Ok(default) };
    let fits = u64::try_from(given).ok().filter(|given| (least..=most).contains(given));
    fits.ok_or_else(|| invalid_parameter(name, given, &format!("Must be between {least} and {most}, if provided.")))
}
