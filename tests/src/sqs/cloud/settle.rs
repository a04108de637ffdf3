//! Deletes and changes of visibility, one by one and in batches of which some entries may fail. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::{Cloud, Done, in_range};
use crate::sqs::clock::Time;
use crate::sqs::code::{Code, Refusal};
use crate::sqs::fault::{EntryFault, Twist};
use crate::sqs::message::Handle;
use crate::sqs::queue::Queue;
use crate::sqs::request::{ChangeMessageVisibility, ChangeMessageVisibilityBatch, DeleteMessage, DeleteMessageBatch};

/// Entries of a batch, at most (API references of the batch actions).
const MOST_ENTRIES: usize = 10;

/// An entry of a batch that failed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failure {
    id: String,
    pub(super) code: &'static str,
    message: String,
    sender_fault: bool,
}

/// The message that an entry settled (none if it was gone), or why it failed.
type Outcome = Result<Option<Arc<str>>, EntryFault>;

impl Failure {
    pub(super) fn new(id: &str, fault: EntryFault) -> Self {
        let EntryFault { refusal, sender_fault } = fault;
        Self { id: id.to_owned(), code: refusal.code.query, message: refusal.message, sender_fault }
    }
}

impl From<Refusal> for EntryFault {
    fn from(refusal: Refusal) -> Self {
        Self { sender_fault: refusal.code.is_senders_fault(), refusal }
    }
}

impl Cloud {
    pub(super) fn delete(&mut self, now: Time, ask: &DeleteMessage, twist: &Twist) -> Result<Done, Refusal> {
        let id = self.delete_one(now, &ask.queue_url, &ask.receipt_handle, twist)?;
        Ok(Done { messages: id.into_iter().collect(), ..Done::empty() })
    }

    pub(super) fn delete_batch(&mut self, now: Time, ask: &DeleteMessageBatch, twist: &Twist) -> Result<Done, Refusal> {
        self.at(&ask.queue_url)?;
        check_entries(ask.entries.iter().map(|entry| entry.id.as_str()))?;
        let outcomes = ask.entries.iter().enumerate().map(|(position, entry)| {
            let outcome = match twist.fails(position) {
                Some(failure) => Err(failure),
                None => self.delete_one(now, &ask.queue_url, &entry.receipt_handle, twist).map_err(Into::into),
            };
            (entry.id.as_str(), outcome)
        });
        Ok(answer(outcomes.collect()))
    }

    pub(super) fn change_visibility(&mut self, now: Time, ask: &ChangeMessageVisibility) -> Result<Done, Refusal> {
        let id = self.change_one(now, &ask.queue_url, &ask.receipt_handle, Some(ask.visibility_timeout))?;
        Ok(Done { messages: id.into_iter().collect(), ..Done::empty() })
    }

    pub(super) fn change_visibility_batch(
        &mut self,
        now: Time,
        ask: &ChangeMessageVisibilityBatch,
        twist: &Twist,
    ) -> Result<Done, Refusal> {
        self.at(&ask.queue_url)?;
        check_entries(ask.entries.iter().map(|entry| entry.id.as_str()))?;
        let outcomes = ask.entries.iter().enumerate().map(|(position, entry)| {
            let timeout = entry.visibility_timeout;
            let outcome = match twist.fails(position) {
                Some(failure) => Err(failure),
                None => self.change_one(now, &ask.queue_url, &entry.receipt_handle, timeout).map_err(Into::into),
            };
            (entry.id.as_str(), outcome)
        });
        Ok(answer(outcomes.collect()))
    }

    fn delete_one(&mut self, now: Time, url: &str, handle: &str, twist: &Twist) -> Result<Option<Arc<str>>, Refusal> {
        let (queue, ledger) = self.at(url)?;
        let id = id_of(queue, handle);
        match twist.deletes_in_vain {
            true => queue.delete_in_vain(now, handle, ledger),
            false => queue.delete(now, handle, ledger),
        }?;
        Ok(id)
    }

    fn change_one(&mut self, now: Time, url: &str, handle: &str, to: Option<i64>) -> Result<Option<Arc<str>>, Refusal> {
        let timeout = Duration::from_secs(in_range("VisibilityTimeout", to, 0, 0, 43_200)?);
        let (queue, ledger) = self.at(url)?;
        let id = id_of(queue, handle);
        queue.change_visibility(now, handle, timeout, ledger)?;
        Ok(id)
    }
}

/// What SQS checks of a batch before it looks at the entries.
pub(super) fn check_entries<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Refusal> {
    let count = ids.len();
    if count == 0 {
        return Err(Code::EMPTY_BATCH.because("There should be at least one entry in the request."));
    }
    if count > MOST_ENTRIES {
        let why = format!("Maximum number of entries per request are 10. You have sent {count}.");
        return Err(Code::TOO_MANY_ENTRIES.because(why));
    }
    let mut seen = BTreeSet::new();
    for id in ids {
        if id.is_empty() || id.len() > 80 || !id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_') {
            let why = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
                       most 80 letters long.";
            return Err(Code::INVALID_ENTRY_ID.because(why));
        }
        if !seen.insert(id) {
            return Err(Code::ENTRY_IDS_NOT_DISTINCT.because(format!("Id {id} repeated.")));
        }
    }
    Ok(())
}

fn id_of(queue: &Queue, handle: &str) -> Option<Arc<str>> {
    let handle = Handle::decode(handle, queue.token)?;
    queue.message(handle.index).map(|message| message.id.clone())
}

fn answer(outcomes: Vec<(&str, Outcome)>) -> Done {
    let (mut successful, mut failed, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for (entry, outcome) in outcomes {
        match outcome {
            Ok(id) => {
                successful.push(json!({ "Id": entry }));
                messages.extend(id);
            }
            Err(fault) => failed.push(Failure::new(entry, fault)),
        }
    }
    let codes = failed.iter().map(|failure| failure.code).collect();
    Done { messages, failed: codes, ..Done::answer(&json!({ "Successful": successful, "Failed": failed })) }
}
