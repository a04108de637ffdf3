//! Attributes of a queue as CreateQueue and SetQueueAttributes take them -> settings, and back. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::sqs::code::{Code, Refusal};
use crate::sqs::message::Content;

/// Messages in flight at once, at most
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
const IN_FLIGHT_LIMIT: usize = 120_000;

/// What is set on a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// True if the name ends in `.fifo`.
    pub fifo: bool,
    /// After so many messages in flight SQS holds the others back. Not an attribute of SQS: tests lower it.
    pub in_flight_limit: usize,
    /// So many more messages are in flight, held by consumers that nobody sees.
    pub in_flight_elsewhere: usize,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    attributes: BTreeMap<String, String>,
}

/// A redrive policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub dead_letter_target_arn: String,
    /// After so many receives the next one finds the message gone.
    #[serde(deserialize_with = "number_or_text")]
    pub max_receive_count: u32,
}

/// Attributes of all queues: name, default, lowest and highest value.
const NUMBERS: [(&str, u64, u64, u64); 5] = [
    ("DelaySeconds", 0, 0, 900),
    ("MaximumMessageSize", 1_048_576, 1024, 1_048_576),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
    ("VisibilityTimeout", 30, 0, 43_200),
];
/// Attributes of FIFO queues: name, default, allowed values.
const CHOICES: [(&str, &str, [&str; 2]); 4] = [
    ("FifoQueue", "true", ["true", "true"]),
    ("ContentBasedDeduplication", "false", ["true", "false"]),
    ("DeduplicationScope", "queue", ["queue", "messageGroup"]),
    ("FifoThroughputLimit", "perQueue", ["perQueue", "perMessageGroupId"]),
];
/// Attributes that are kept and have no effect here.
const KEPT: [&str; 5] =
    ["KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "SqsManagedSseEnabled"];

impl Settings {
    /// The defaults.
    pub fn new(fifo: bool) -> Self {
        let numbers = NUMBERS.iter().map(|(name, default, ..)| ((*name).to_owned(), default.to_string()));
        let choices =
            CHOICES.iter().filter(|_| fifo).map(|(name, default, _)| ((*name).to_owned(), (*default).to_owned()));
        Self {
            fifo,
            in_flight_limit: IN_FLIGHT_LIMIT,
            in_flight_elsewhere: 0,
            redrive: None,
            attributes: numbers.chain(choices).collect(),
        }
    }

    /// Changes what `attributes` names; nothing if one of them is not allowed.
    pub fn apply(&mut self, attributes: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let mut changed = self.clone();
        for (name, value) in attributes {
            changed.set(name, value)?;
        }
        *self = changed;
        Ok(())
    }

    /// Everything that is set, as GetQueueAttributes tells it.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// `VisibilityTimeout`.
    pub fn visibility(&self) -> Duration {
        Duration::from_secs(self.number("VisibilityTimeout"))
    }

    /// `ReceiveMessageWaitTimeSeconds`.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.number("ReceiveMessageWaitTimeSeconds"))
    }

    /// `DelaySeconds`.
    pub fn delay(&self) -> Duration {
        Duration::from_secs(self.number("DelaySeconds"))
    }

    /// `MaximumMessageSize` in bytes.
    pub fn maximum_message_size(&self) -> usize {
        usize::try_from(self.number("MaximumMessageSize")).unwrap_or(usize::MAX)
    }

    /// `ContentBasedDeduplication`.
    pub fn deduplicates_by_content(&self) -> bool {
        self.is("ContentBasedDeduplication", "true")
    }

    /// True if a message that was received so often is given up.
    pub fn gives_up(&self, receives: u32) -> bool {
        self.redrive.as_ref().is_some_and(|redrive| receives >= redrive.max_receive_count)
    }

    /// What two messages must share to be one; `None` on a standard queue.
    pub fn deduplication_key(&self, content: &Content) -> Option<String> {
        let id = content.deduplication_id.as_ref().filter(|_| self.fifo)?;
        match self.is("DeduplicationScope", "messageGroup") {
            true => Some(format!("{}\0{id}", content.group.as_deref().unwrap_or_default())),
            false => Some(id.clone()),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        if name == "RedrivePolicy" {
            self.redrive = parse_redrive(value)?;
        } else if let Some((_, _, least, most)) = NUMBERS.iter().find(|(known, ..)| *known == name) {
            value.parse().ok().filter(|number| (*least..=*most).contains(number)).ok_or_else(|| invalid(name))?;
        } else if let Some((.., allowed)) = CHOICES.iter().filter(|_| self.fifo).find(|(known, ..)| *known == name) {
            allowed.contains(&value).then_some(()).ok_or_else(|| invalid(name))?;
        } else if !KEPT.contains(&name) {
            return Err(Code::INVALID_ATTRIBUTE_NAME.because(format!("Unknown Attribute {name}.")));
        }
        self.attributes.insert(name.to_owned(), value.to_owned());
        if value.is_empty() {
            self.attributes.remove(name);
        }
        Ok(())
    }

    fn number(&self, name: &str) -> u64 {
        self.attributes.get(name).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.attributes.get(name).is_some_and(|set| set == value)
    }
}

fn parse_redrive(text: &str) -> Result<Option<Redrive>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Redrive = serde_json::from_str(text).map_err(|_| invalid("RedrivePolicy"))?;
    (1..=1000).contains(&policy.max_receive_count).then_some(Some(policy)).ok_or_else(|| invalid("RedrivePolicy"))
}

fn invalid(name: &str) -> Refusal {
    Code::INVALID_ATTRIBUTE_VALUE.because(format!("Invalid value for the parameter {name}."))
}

fn number_or_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u32),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
