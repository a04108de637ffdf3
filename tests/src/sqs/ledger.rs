//! What became of each message, in order. Pure.

use std::sync::Arc;

use super::clock::Time;

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub at: Time,
    /// `MessageId`.
    pub id: Arc<str>,
    /// What happened.
    pub deed: Deed,
}

/// What can happen to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A sender handed it over.
    Sent,
    /// It was handed to a consumer.
    Received {
        /// How often by now.
        count: u32,
        /// When it becomes visible again unless somebody changes that.
        until: Time,
    },
    /// A consumer changed when it becomes visible.
    VisibilityChanged {
        /// When it does now.
        until: Time,
    },
    /// Its visibility timeout passed.
    Expired,
    /// It was deleted.
    Deleted,
    /// A delete with an old handle, or of a message already gone, was answered with success and changed nothing.
    DeletedInVain,
    /// A redrive policy moved it to its dead-letter queue.
    DeadLettered,
    /// PurgeQueue removed it.
    Purged,
}

/// All that became of all messages.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// Adds a line.
    pub fn note(&mut self, at: Time, id: &Arc<str>, deed: Deed) {
        self.entries.push(Entry { at, id: id.clone(), deed });
    }

    /// Everything, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
