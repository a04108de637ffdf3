//! A message as the simulator keeps it: content, counters, and whether it can be received. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::attribute::Attribute;
use super::clock::Time;

/// Names a message inside the simulator; ascends in the order of sending.
pub type Index = u64;

/// A message in a queue.
#[derive(Clone, Debug)]
pub struct Stored {
    /// `MessageId`; stays the same in a dead-letter queue.
    pub id: Arc<str>,
    /// What the sender gave.
    pub content: Content,
    /// When it was sent.
    pub sent_at: Time,
    /// When it was first received.
    pub first_received_at: Option<Time>,
    /// How often it was received.
    pub receives: u32,
    /// FIFO: ascends in the queue.
    pub sequence: Option<u64>,
    /// The ARN of the queue from which a redrive policy brought it.
    pub came_from: Option<String>,
    /// Whether it can be received.
    pub state: State,
    /// The last receive.
    pub last: Receipt,
}

/// Body and attributes, unchanged from sending to the last receive.
#[derive(Clone, Debug)]
pub struct Content {
    /// The body as a JSON string.
    pub body: Box<RawValue>,
    /// MD5 of the body.
    pub md5: String,
    /// Bytes of body and attributes, as SQS counts them.
    pub size: usize,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
    /// `AWSTraceHeader`.
    pub trace_header: Option<String>,
    /// `MessageGroupId`.
    pub group: Option<Arc<str>>,
    /// `MessageDeduplicationId`.
    pub deduplication_id: Option<String>,
}

/// Whether a message can be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can, if its group is not locked.
    Visible,
    /// Not before the delay it was sent with has passed.
    Delayed {
        /// When that is.
        until: Time,
    },
    /// Not before its visibility timeout has passed.
    InFlight {
        /// When that is.
        until: Time,
    },
}

/// What a receive left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Which receive of this message it was, so which handle is the newest; 0 before the first.
    pub number: u32,
    /// When it was: visibility may last 12 h from here.
    pub at: Time,
    /// Set by a change of visibility: an attempt id no longer replays the message.
    pub changed: bool,
}

impl Stored {
    /// The handle of the last receive.
    pub fn handle(&self, index: Index) -> Handle {
        Handle { index, number: self.last.number }
    }

    /// True while a receive keeps it from others.
    pub fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight { .. })
    }
}

/// What a receipt handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    /// The message.
    pub index: Index,
    /// Which receive of it.
    pub number: u32,
}

impl Handle {
    /// The handle as text that only this queue (told by its `token`) takes back.
    pub fn encode(self, token: u32) -> String {
        format!("AQEB{token:08x}{:016x}{:08x}SIM+/==", self.index, self.number)
    }

    /// Reads what [`Handle::encode`] wrote for the same queue.
    pub fn decode(text: &str, token: u32) -> Option<Self> {
        let digits = text.strip_prefix("AQEB")?.strip_suffix("SIM+/==")?;
        if digits.len() != 32 || !digits.is_ascii() || u32::from_str_radix(&digits[..8], 16).ok()? != token {
            return None;
        }
        let index = Index::from_str_radix(&digits[8..24], 16).ok()?;
        let number = u32::from_str_radix(&digits[24..], 16).ok()?;
        Some(Self { index, number })
    }
}
