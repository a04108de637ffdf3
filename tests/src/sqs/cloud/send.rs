//! SendMessage and its batch: what SQS checks of a message, and what it answers. Pure.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::receive::sequence_number;
use super::settle::{Failure, check_entries};
use super::{Cloud, Done, Name, in_range, invalid_parameter, missing_queue};
use crate::sqs::attribute::{md5_of, md5_of_attributes};
use crate::sqs::clock::Time;
use crate::sqs::code::{Code, Refusal};
use crate::sqs::fault::Twist;
use crate::sqs::message::Content;
use crate::sqs::queue::{Queue, Sent};
use crate::sqs::request::{Outgoing, SendMessage, SendMessageBatch};

/// Bytes of all messages of a batch, at most
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
const LARGEST_BATCH: usize = 1_048_576;

#[derive(Serialize)]
struct Receipt {
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "MessageId")]
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_body: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_attributes: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_system_attributes: Option<String>,
    #[serde(rename = "SequenceNumber", skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchAnswer {
    successful: Vec<Receipt>,
    failed: Vec<Failure>,
}

impl Content {
    /// The content of a message as a sender gave it.
    pub fn new(message: &Outgoing) -> Self {
        let body = to_raw_value(&message.message_body).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let attributes = message.message_attributes.iter();
        let trace = message.message_system_attributes.get("AWSTraceHeader");
        Self {
            body,
            md5: md5_of(message.message_body.as_bytes()),
            size: message.message_body.len() + attributes.map(|(name, it)| name.len() + it.size()).sum::<usize>(),
            attributes: message.message_attributes.clone(),
            trace_header: trace.and_then(|attribute| attribute.string_value.clone()),
            group: message.message_group_id.as_deref().map(Into::into),
            deduplication_id: message.message_deduplication_id.clone(),
        }
    }
}

impl Cloud {
    pub(super) fn send_message(&mut self, now: Time, ask: &SendMessage) -> Result<Done, Refusal> {
        let receipt = self.take(now, &ask.queue_url, None, &ask.message)?;
        Ok(Done { messages: vec![receipt.message_id.as_str().into()], ..Done::answer(&receipt) })
    }

    pub(super) fn send_batch(&mut self, now: Time, ask: &SendMessageBatch, twist: &Twist) -> Result<Done, Refusal> {
        self.at(&ask.queue_url)?;
        check_entries(ask.entries.iter().map(|entry| entry.id.as_str()))?;
        if ask.entries.iter().map(|entry| Content::new(&entry.message).size).sum::<usize>() > LARGEST_BATCH {
            return Err(Code::BATCH_TOO_LONG.because("Batch requests cannot be longer than 1048576 bytes."));
        }
        let mut answer = BatchAnswer { successful: Vec::new(), failed: Vec::new() };
        for (position, entry) in ask.entries.iter().enumerate() {
            let outcome = match twist.fails(position) {
                Some(failure) => Err(failure),
                None => self.take(now, &ask.queue_url, Some(entry.id.clone()), &entry.message).map_err(Into::into),
            };
            match outcome {
                Ok(receipt) => answer.successful.push(receipt),
                Err(failure) => answer.failed.push(Failure::new(&entry.id, failure)),
            }
        }
        let messages = answer.successful.iter().map(|receipt| receipt.message_id.as_str().into()).collect();
        let failed = answer.failed.iter().map(|failure| failure.code).collect();
        Ok(Done { messages, failed, ..Done::answer(&answer) })
    }

    fn take(&mut self, now: Time, url: &str, id: Option<String>, message: &Outgoing) -> Result<Receipt, Refusal> {
        let name = Name::from_url(url).ok_or_else(missing_queue)?;
        let queue = self.queues.get(&name).ok_or_else(missing_queue)?;
        let mut content = Content::new(message);
        check_content(queue, message, &content)?;
        content.deduplication_id = deduplication_id(queue, message)?;
        let delay = delay_of(queue, message)?;
        let (md5_of_body, attributes_hash) = (content.md5.clone(), md5_of_attributes(&content.attributes));
        let Sent { id: message_id, sequence } = self.send(now, &name, content, delay)?;
        Ok(Receipt {
            id,
            message_id: message_id.to_string(),
            md5_of_body,
            md5_of_attributes: attributes_hash,
            md5_of_system_attributes: md5_of_attributes(&message.message_system_attributes),
            sequence_number: sequence.map(sequence_number),
        })
    }
}

fn check_content(queue: &Queue, message: &Outgoing, content: &Content) -> Result<(), Refusal> {
    if message.message_body.is_empty() {
        return Err(Code::MISSING_PARAMETER.because("The request must contain the parameter MessageBody."));
    }
    let most = queue.settings.maximum_message_size();
    if content.size > most {
        let why = format!("One or more parameters are invalid. Reason: Message must be shorter than {most} bytes.");
        return Err(Code::INVALID_PARAMETER_VALUE.because(why));
    }
    if message.message_body.chars().any(is_forbidden) {
        return Err(Code::INVALID_MESSAGE_CONTENTS.because("Invalid characters found."));
    }
    if message.message_attributes.len() > 10 {
        let why = "Number of message attributes exceeds the allowed maximum [10].";
        return Err(Code::INVALID_PARAMETER_VALUE.because(why));
    }
    Ok(())
}

/// SQS takes what XML 1.0 does (API reference of SendMessage).
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn deduplication_id(queue: &Queue, message: &Outgoing) -> Result<Option<String>, Refusal> {
    let given = message.message_deduplication_id.clone();
    if !queue.settings.fifo {
        return Ok(given);
    }
    if message.message_group_id.is_none() {
        return Err(Code::MISSING_PARAMETER.because("The request must contain the parameter MessageGroupId."));
    }
    match given {
        Some(id) => Ok(Some(id)),
        None if queue.settings.deduplicates_by_content() => Ok(Some(sha256_of(&message.message_body))),
        None => {
            let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                       provided explicitly";
            Err(Code::INVALID_PARAMETER_VALUE.because(why))
        }
    }
}

fn delay_of(queue: &Queue, message: &Outgoing) -> Result<Duration, Refusal> {
    if let (true, Some(delay)) = (queue.settings.fifo, message.delay_seconds) {
        let why = "The request include parameter that is not valid for this queue type";
        return if delay == 0 {
            Ok(queue.settings.delay())
        } else {
            Err(invalid_parameter("DelaySeconds", delay, why))
        };
    }
    let delay = in_range("DelaySeconds", message.delay_seconds, queue.settings.delay().as_secs(), 0, 900)?;
    Ok(Duration::from_secs(delay))
}

fn sha256_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
