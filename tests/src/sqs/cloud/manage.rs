//! Queues themselves: made, found, told about, changed, emptied, removed. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{ACCOUNT, Cloud, Done, Name, invalid_parameter, missing_queue};
use crate::sqs::clock::Time;
use crate::sqs::code::{Code, Refusal};
use crate::sqs::queue::{Counts, Queue, Settings};
use crate::sqs::request::{
    CreateQueue, DeleteQueue, GetQueueAttributes, GetQueueUrl, ListQueues, PurgeQueue, SetQueueAttributes,
};

/// Attributes that a queue has beside its settings.
const TOLD: [&str; 5] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
];

impl Cloud {
    /// Makes a queue of an account; the same one again if it exists with the same settings.
    pub fn create_queue(&mut self, name: &Name, attributes: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let fifo = check_name(&name.queue, attributes)?;
        let mut settings = Settings::new(fifo);
        settings.apply(attributes)?;
        self.check_redrive(&settings, attributes)?;
        if let Some(queue) = self.queues.get(name) {
            let same = attributes.iter().all(|(key, value)| queue.settings.attributes().get(key) == Some(value));
            let why = "A queue already exists with the same name and a different value for an attribute";
            return if same { Ok(()) } else { Err(Code::QUEUE_NAME_EXISTS.because(why)) };
        }
        let token = self.random.u32(..);
        self.queues.insert(name.clone(), Queue::new(settings, token));
        Ok(())
    }

    pub(super) fn create(&mut self, ask: &CreateQueue) -> Result<Done, Refusal> {
        let name = Name::of(&ask.queue_name);
        self.create_queue(&name, &ask.attributes)?;
        Ok(Done::answer(&json!({ "QueueUrl": self.url(&name) })))
    }

    pub(super) fn drop_queue(&mut self, ask: &DeleteQueue) -> Result<Done, Refusal> {
        let name = Name::from_url(&ask.queue_url).ok_or_else(missing_queue)?;
        self.queues.remove(&name).map(|_| Done::empty()).ok_or_else(missing_queue)
    }

    pub(super) fn list(&self, ask: &ListQueues) -> Done {
        let prefix = ask.queue_name_prefix.as_deref().unwrap_or_default();
        let found = self.queues.keys().filter(|name| &*name.account == ACCOUNT && name.queue.starts_with(prefix));
        let urls: Vec<String> = found.map(|name| self.url(name)).collect();
        if urls.is_empty() { Done::empty() } else { Done::answer(&json!({ "QueueUrls": urls })) }
    }

    pub(super) fn tell_url(&self, ask: &GetQueueUrl) -> Result<Done, Refusal> {
        let account = ask.queue_owner_aws_account_id.as_deref().unwrap_or(ACCOUNT);
        let name = Name { account: account.into(), queue: ask.queue_name.as_str().into() };
        self.queues.get(&name).ok_or_else(missing_queue)?;
        Ok(Done::answer(&json!({ "QueueUrl": self.url(&name) })))
    }

    pub(super) fn tell_attributes(&mut self, now: Time, ask: &GetQueueAttributes) -> Result<Done, Refusal> {
        self.expire(now);
        let name = Name::from_url(&ask.queue_url).ok_or_else(missing_queue)?;
        let queue = self.queues.get(&name).ok_or_else(missing_queue)?;
        let all = self.all_attributes(&name, queue);
        if let Some(unknown) = ask.attribute_names.iter().find(|asked| !is_attribute(asked, &all)) {
            return Err(Code::INVALID_ATTRIBUTE_NAME.because(format!("Unknown Attribute {unknown}.")));
        }
        let asked = |key: &String| ask.attribute_names.iter().any(|asked| asked == "All" || asked == key);
        let told: BTreeMap<_, _> = all.into_iter().filter(|(key, _)| asked(key)).collect();
        Ok(Done::answer(&Told { attributes: Some(told).filter(|told| !told.is_empty()) }))
    }

    pub(super) fn set_attributes(&mut self, ask: &SetQueueAttributes) -> Result<Done, Refusal> {
        let mut settings = self.at(&ask.queue_url)?.0.settings.clone();
        settings.apply(&ask.attributes)?;
        self.check_redrive(&settings, &ask.attributes)?;
        self.at(&ask.queue_url)?.0.settings = settings;
        Ok(Done::empty())
    }

    pub(super) fn purge(&mut self, now: Time, ask: &PurgeQueue) -> Result<Done, Refusal> {
        let (queue, ledger) = self.at(&ask.queue_url)?;
        queue.purge(now, ledger);
        Ok(Done::empty())
    }

    fn all_attributes(&self, name: &Name, queue: &Queue) -> BTreeMap<String, String> {
        let Counts { visible, delayed, .. } = queue.counts();
        let in_flight = queue.in_flight();
        let created = (self.epoch_millis / 1000).to_string();
        let values = [visible.to_string(), delayed.to_string(), in_flight.to_string(), created.clone(), created];
        let mut all = queue.settings.attributes().clone();
        all.extend(TOLD.iter().map(|key| (*key).to_owned()).zip(values));
        all.insert("QueueArn".to_owned(), name.arn());
        all
    }

    fn check_redrive(&self, settings: &Settings, attributes: &BTreeMap<String, String>) -> Result<(), Refusal> {
        let Some(redrive) = settings.redrive.as_ref().filter(|_| attributes.contains_key("RedrivePolicy")) else {
            return Ok(());
        };
        let target = Name::from_arn(&redrive.dead_letter_target_arn).and_then(|name| self.queues.get(&name));
        match target {
            Some(grave) if grave.settings.fifo == settings.fifo => Ok(()),
            Some(_) | None => Err(invalid_parameter(
                "RedrivePolicy",
                &attributes["RedrivePolicy"],
                "Dead letter target does not exist.",
            )),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<BTreeMap<String, String>>,
}

fn is_attribute(name: &str, all: &BTreeMap<String, String>) -> bool {
    const OTHERS: [&str; 10] = [
        "All",
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "FifoQueue",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "Policy",
        "RedriveAllowPolicy",
        "RedrivePolicy",
    ];
    all.contains_key(name) || OTHERS.contains(&name) || name == "SqsManagedSseEnabled"
}

/// True if it is a name of a FIFO queue.
fn check_name(name: &str, attributes: &BTreeMap<String, String>) -> Result<bool, Refusal> {
    let fifo = name.ends_with(".fifo");
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if stem.is_empty() || name.len() > 80 || !stem.chars().all(allowed) {
        let why = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(Code::INVALID_PARAMETER_VALUE.because(why));
    }
    if fifo != attributes.contains_key("FifoQueue") {
        let why = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end \
                   with .fifo suffix and be 1 to 80 in length.";
        return Err(Code::INVALID_PARAMETER_VALUE.because(why));
    }
    Ok(fifo)
}
