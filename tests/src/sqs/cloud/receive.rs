//! ReceiveMessage: which messages, and of each what was asked for. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Cloud, Done, Name, in_range, missing_queue};
use crate::sqs::attribute::{Attribute, md5_of_attributes};
use crate::sqs::clock::Time;
use crate::sqs::code::{Code, Refusal};
use crate::sqs::fault::Twist;
use crate::sqs::message::{Handle, Stored};
use crate::sqs::queue::{Ask, Queue};
use crate::sqs::request::ReceiveMessage;

/// Who sent every message, as SQS names a user.
const SENDER: &str = "AIDAIENQZJOLO23YVJ4VO";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    message_id: &'a str,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: &'a str,
    body: &'a RawValue,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<&'a String, &'a Attribute>,
}

impl Cloud {
    /// How long a receive may wait for a message.
    pub fn wait_of(&self, ask: &ReceiveMessage) -> Duration {
        let queue = Name::from_url(&ask.queue_url).and_then(|name| self.queues.get(&name));
        let default = queue.map(|queue| queue.settings.wait()).unwrap_or_default();
        let asked = ask.wait_time_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        asked.map_or(default, Duration::from_secs)
    }

    pub(super) fn receive(&mut self, now: Time, ask: &ReceiveMessage, twist: &Twist) -> Result<Done, Refusal> {
        let name = Name::from_url(&ask.queue_url).ok_or_else(missing_queue)?;
        let queue = self.queues.get_mut(&name).ok_or_else(missing_queue)?;
        let wait = in_range("WaitTimeSeconds", ask.wait_time_seconds, queue.settings.wait().as_secs(), 0, 20)?;
        let visibility = queue.settings.visibility().as_secs();
        let visibility = in_range("VisibilityTimeout", ask.visibility_timeout, visibility, 0, 43_200)?;
        let most = in_range("MaxNumberOfMessages", ask.max_number_of_messages, 1, 1, 10)?;
        queue.expire(now, &mut self.ledger);
        if wait == 0 && queue.is_over_limit() && !queue.settings.fifo {
            return Err(Code::OVER_LIMIT.because("Too many messages are in flight."));
        }
        let demand = Ask {
            most: usize::try_from(most).unwrap_or(1),
            visibility: Duration::from_secs(visibility),
            attempt: ask.receive_request_attempt_id.as_deref(),
            twice: twist.hands_over_twice,
            leave_visible: twist.leaves_visible,
        };
        let haul = queue.receive(now, demand, &mut self.ledger);
        let done = render(queue, &haul.handles, ask, twist, self.epoch_millis);
        self.bury(haul.dead, &name);
        Ok(done)
    }
}

fn render(queue: &Queue, handles: &[Handle], ask: &ReceiveMessage, twist: &Twist, epoch_millis: u128) -> Done {
    if handles.is_empty() {
        return Done::empty();
    }
    let stored: Vec<_> = handles.iter().filter_map(|handle| Some((handle, queue.message(handle.index)?))).collect();
    let messages = stored.iter().map(|(handle, message)| {
        let mut shown = show(message, handle.encode(queue.token), ask, epoch_millis);
        if twist.omits_attributes {
            shown.attributes.clear();
        }
        shown
    });
    let mut done = Done::answer(&Answer { messages: messages.collect() });
    done.messages = stored.iter().map(|(_, message)| message.id.clone()).collect();
    done
}

fn show<'a>(stored: &'a Stored, receipt_handle: String, ask: &ReceiveMessage, epoch_millis: u128) -> Message<'a> {
    let wanted = |name: &str| ask.message_attribute_names.iter().any(|asked| asks_for(asked, name));
    let message_attributes: BTreeMap<_, _> =
        stored.content.attributes.iter().filter(|(name, _)| wanted(name)).collect();
    let asked: Vec<&String> = ask.attribute_names.iter().chain(&ask.message_system_attribute_names).collect();
    let mut attributes = system_attributes(stored, epoch_millis);
    attributes.retain(|name, _| asked.iter().any(|asked| *asked == "All" || asked.as_str() == *name));
    Message {
        message_id: &stored.id,
        receipt_handle,
        md5_of_body: &stored.content.md5,
        body: &stored.content.body,
        attributes,
        md5_of_message_attributes: md5_of_attributes(message_attributes.iter().map(|(name, value)| (*name, *value))),
        message_attributes,
    }
}

fn asks_for(asked: &str, name: &str) -> bool {
    asked == "All" || asked == name || asked.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
}

fn system_attributes(stored: &Stored, epoch_millis: u128) -> BTreeMap<&'static str, String> {
    let millis = |time: Time| (epoch_millis + time.as_millis()).to_string();
    let content = &stored.content;
    let known = [
        ("AWSTraceHeader", content.trace_header.clone()),
        ("ApproximateFirstReceiveTimestamp", stored.first_received_at.map(millis)),
        ("ApproximateReceiveCount", Some(stored.receives.to_string())),
        ("DeadLetterQueueSourceArn", stored.came_from.clone()),
        ("MessageDeduplicationId", content.deduplication_id.clone()),
        ("MessageGroupId", content.group.as_deref().map(str::to_owned)),
        ("SenderId", Some(SENDER.to_owned())),
        ("SentTimestamp", Some(millis(stored.sent_at))),
        ("SequenceNumber", stored.sequence.map(sequence_number)),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Twenty digits, as on SQS.
pub(super) fn sequence_number(sequence: u64) -> String {
    format!("{:020}", 18_870_000_000_000_000_000 + u128::from(sequence) * 256)
}
