//! Where one message stands. Pure.

use std::sync::Arc;
use std::time::Instant;

use crate::backoff::Backoff;
use crate::deliver::{Parcel, Refusal};
use crate::message::Receipt;
use crate::metrics;

/// One message that is here.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message_id: Arc<str>,
    /// The right to settle it; away while a request that settles it is under way.
    pub(super) receipt: Option<Receipt>,
    /// A newer right, from a redelivery that came while the older one was away.
    pub(super) newer_receipt: Option<Receipt>,
    /// Its FIFO group.
    pub(super) group: Option<Arc<str>>,
    /// What it still counts against the byte budget.
    pub(super) size: u64,
    pub(super) receive_count: u32,
    pub(super) received: Instant,
    pub(super) stage: Stage,
    /// Where each event of the message stands; one until the first POST tells how many there are.
    pub(super) events: Vec<EventState>,
    /// Retries of the event that is being sent.
    pub(super) retries: u32,
    pub(super) first_post: Option<Instant>,
    /// A FIFO head that could not be delivered and keeps its lane waiting.
    pub(super) holding: Option<Holding>,
    pub(super) accepted_at: Option<Instant>,
    /// Failed requests to settle it.
    pub(super) tries: u32,
    /// The lease is gone: once the running POST has ended nothing more is sent.
    pub(super) lost: bool,
}

/// A FIFO head that keeps its lane waiting.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) since: Instant,
    pub(super) backoff: Backoff,
}

/// What is being done with a message.
#[derive(Debug)]
pub(super) enum Stage {
    /// Waits for its turn; `ready` or its lane knows it.
    Ready(Parcel),
    /// Its deadline has passed: one extension decides whether it is still ours.
    Rescue(Parcel),
    /// A POST is under way.
    Posting,
    /// Waits until its next POST.
    Waiting(Parcel),
    /// Accepted; to be deleted.
    Undeleted,
    /// On its way back to the queue.
    Leaving,
}

/// Where one event of a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EventState {
    /// To be sent.
    Pending,
    /// The sink or the dead-letter sink has it.
    Accepted,
    /// The sink will not take it.
    Refused(Refusal),
    /// The sink did not take it in time; the dead-letter sink is to have it.
    Exhausted(Refusal),
}

impl Entry {
    /// The first event to send.
    pub(super) fn pending(&self) -> Option<usize> {
        self.events.iter().position(|event| *event == EventState::Pending)
    }

    /// True if every event was accepted.
    pub(super) fn is_accepted(&self) -> bool {
        self.events.iter().all(|event| *event == EventState::Accepted)
    }

    /// True for each event that was accepted.
    pub(super) fn accepted(&self) -> Vec<bool> {
        self.events.iter().map(|event| *event == EventState::Accepted).collect()
    }
}

impl Stage {
    /// The stage's name in metrics; `None` while it is leaving.
    pub(super) fn label(&self) -> Option<metrics::Stage> {
        match self {
            Self::Ready(_) | Self::Rescue(_) => Some(metrics::Stage::Queued),
            Self::Posting => Some(metrics::Stage::Sending),
            Self::Waiting(_) => Some(metrics::Stage::Retrying),
            Self::Undeleted => Some(metrics::Stage::Undeleted),
            Self::Leaving => None,
        }
    }

    /// The parcel, if it is here.
    pub(super) fn into_parcel(self) -> Option<Parcel> {
        match self {
            Self::Ready(parcel) | Self::Rescue(parcel) | Self::Waiting(parcel) => Some(parcel),
            Self::Posting | Self::Undeleted | Self::Leaving => None,
        }
    }
}
