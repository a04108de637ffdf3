//! Batches of settlements and extensions -> SQS, and its answer split entry by entry. I/O: SQS.
//!
//! The only file that deletes.

use std::time::Duration;

use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};

use crate::aws;
use crate::engine::Key;
use crate::fault::{Fault, FaultClass, classify};
use crate::lease::Extension;
use crate::message::Receipt;

/// A message whose every event was accepted.
#[derive(Debug)]
pub struct Doomed {
    /// The delivery.
    pub key: Key,
    /// The right to delete it.
    pub receipt: Receipt,
}

/// A message that goes back to the queue.
#[derive(Debug)]
pub struct Hide {
    /// The delivery.
    pub key: Key,
    /// The right to release it.
    pub receipt: Receipt,
    /// `VisibilityTimeout`: until then it stays invisible; zero makes it visible at once.
    pub timeout: Duration,
}

/// What became of one entry; a failed one gives its right back.
#[derive(Debug)]
pub enum Written<T> {
    /// Done.
    Done(Key),
    /// SQS refused this entry, or the whole call failed.
    Failed {
        /// The entry.
        entry: T,
        /// Why.
        fault: Fault,
        /// True if SQS blames the request, not itself.
        sender_fault: bool,
    },
}

/// The answer to one batch.
#[derive(Debug)]
pub struct Reply<T> {
    /// Every entry, in the batch's order.
    pub written: Vec<Written<T>>,
    /// The class of the fault that failed the whole call.
    pub call_fault: Option<FaultClass>,
}

/// Deletes up to ten messages.
pub async fn delete(client: &aws_sdk_sqs::Client, queue_url: &str, batch: Vec<Doomed>) -> Reply<Doomed> {
    let entries: Result<Vec<_>, _> = batch
        .iter()
        .enumerate()
        .map(|(index, doomed)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(doomed.receipt.handle().as_ref())
                .build()
        })
        .collect();
    let Ok(entries) = entries else { return all_failed(batch, malformed()) };
    let reply = client.delete_message_batch().queue_url(queue_url).set_entries(Some(entries)).send().await;
    match reply {
        Ok(reply) => split(batch, &reply.failed, |doomed| doomed.key),
        Err(error) => all_failed(batch, aws::fault(&error)),
    }
}

/// Gives up to ten messages back, in the order given.
pub async fn hide(client: &aws_sdk_sqs::Client, queue_url: &str, batch: Vec<Hide>) -> Reply<Hide> {
    let visible = |hide: &Hide| (hide.receipt.handle().to_string(), hide.timeout);
    match change(client, queue_url, batch.iter().map(visible)).await {
        Ok(failed) => split(batch, &failed, |hide| hide.key),
        Err(fault) => all_failed(batch, fault),
    }
}

/// Keeps up to ten messages invisible for longer.
pub async fn extend(client: &aws_sdk_sqs::Client, queue_url: &str, batch: Vec<Extension>) -> Reply<Extension> {
    let visible = |extension: &Extension| (extension.handle.to_string(), extension.timeout);
    match change(client, queue_url, batch.iter().map(visible)).await {
        Ok(failed) => split(batch, &failed, |extension| extension.key),
        Err(fault) => all_failed(batch, fault),
    }
}

async fn change(
    client: &aws_sdk_sqs::Client,
    queue_url: &str,
    entries: impl Iterator<Item = (String, Duration)>,
) -> Result<Vec<BatchResultErrorEntry>, Fault> {
    let entries: Result<Vec<_>, _> = entries
        .enumerate()
        .map(|(index, (handle, timeout))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .visibility_timeout(i32::try_from(timeout.as_secs()).unwrap_or(i32::MAX))
                .build()
        })
        .collect();
    let entries = entries.map_err(|_| malformed())?;
    let reply = client.change_message_visibility_batch().queue_url(queue_url).set_entries(Some(entries)).send().await;
    reply.map(|reply| reply.failed).map_err(|error| aws::fault(&error))
}

/// Pairs each entry with its line in the answer: ids are positions.
fn split<T>(batch: Vec<T>, failed: &[BatchResultErrorEntry], key: impl Fn(&T) -> Key) -> Reply<T> {
    let written = batch
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let refusal = failed.iter().find(|failure| failure.id().parse() == Ok(index));
            match refusal {
                None => Written::Done(key(&entry)),
                Some(failure) => {
                    Written::Failed { entry, fault: entry_fault(failure), sender_fault: failure.sender_fault() }
                }
            }
        })
        .collect();
    Reply { written, call_fault: None }
}

fn entry_fault(failure: &BatchResultErrorEntry) -> Fault {
    Fault {
        class: classify(failure.code(), None),
        code: failure.code().to_owned(),
        message: failure.message().unwrap_or_default().to_owned(),
        status: None,
    }
}

fn all_failed<T>(batch: Vec<T>, fault: Fault) -> Reply<T> {
    let failed = |entry| Written::Failed { entry, fault: fault.clone(), sender_fault: false };
    Reply { written: batch.into_iter().map(failed).collect(), call_fault: Some(fault.class) }
}

/// The SDK's builders fail only on a missing id or handle, and neither can be missing here.
fn malformed() -> Fault {
    Fault {
        class: classify("EmptyBatchRequest", None),
        code: "EmptyBatchRequest".into(),
        message: "a batch entry lacked its id or receipt handle".into(),
        status: None,
    }
}
