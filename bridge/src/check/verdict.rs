//! Answers of AWS and the sinks -> findings: is it well, why not, what to do. Pure.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use url::Url;

use super::probe::{Attributes, Caller};
use super::{Finding, Grade};
use crate::config::{Queue, Sink};
use crate::explain::{Explanation, explain, explain_answer, without_user_info};
use crate::fault::{Fault, FaultClass};
use crate::outcome::{Answer, TransportClass};
use crate::policy::QUEUE_ACTIONS;
use crate::sink::{Reply, Trial};

const CREDENTIALS: &str = "credentials";
const QUEUE: &str = "queue";
const ATTRIBUTES: &str = "attributes";
const PERMISSIONS: &str = "permissions";
const SINK: &str = "sink";

/// Messages should outlive an outage that nobody notices for a night.
const SHORT_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether there are credentials, where from and until when; `loaded` holds their end, if they have one.
pub fn credentials(
    source: &str,
    loaded: &Result<Option<SystemTime>, Fault>,
    now: SystemTime,
    queue: &Queue,
) -> Finding {
    match loaded {
        Ok(expiry) => {
            let left = expiry.map(|expiry| expiry.duration_since(now).unwrap_or_default().as_secs() / 60);
            let left = left.map_or_else(String::new, |minutes| format!(", for {minutes} more minutes"));
            Finding::ok(CREDENTIALS, "provider", format!("credentials from {source}{left}"))
        }
        Err(fault) => failed(CREDENTIALS, "provider", explain("sts:AssumeRole", fault, queue, None)),
    }
}

/// Who the caller is. STS may be out of reach for a bridge that needs it for nothing else.
pub fn caller(answer: &Result<Caller, Fault>, queue: &Queue) -> Finding {
    match answer {
        Ok(Caller { account, arn }) => {
            let other = queue.account_known && *account != queue.arn.account;
            let other = if other { ", the queue is in another: its policy must allow this caller" } else { "" };
            Finding::ok(CREDENTIALS, "identity", format!("{arn} in account {account}{other}"))
        }
        Err(fault) if fault.class == FaultClass::Credentials => {
            failed(CREDENTIALS, "identity", explain("sts:GetCallerIdentity", fault, queue, None))
        }
        Err(fault) => Finding::warning(
            CREDENTIALS,
            "identity",
            format!("STS does not tell who the caller is ({})", fault.message),
            "allow egress to STS of the region; only roles and web identity need it",
        ),
    }
}

/// Whether the queue exists where it is said to be.
pub fn exists(url: &Result<String, Fault>, queue: &Queue, caller: Option<&str>) -> Finding {
    match url {
        Ok(url) => {
            let kind = if queue.is_fifo() { "FIFO" } else { "standard" };
            Finding::ok(QUEUE, "exists", format!("{kind} queue {url} in {}", queue.region))
        }
        Err(fault) => failed(QUEUE, "exists", explain("sqs:GetQueueUrl", fault, queue, caller)),
    }
}

/// Attributes that could not be read: the bridge runs without them, but a queue that is not there is the end.
pub fn unreadable(fault: &Fault, queue: &Queue, caller: Option<&str>) -> Finding {
    let explanation = explain("sqs:GetQueueAttributes", fault, queue, caller);
    match explanation.reason {
        "AccessDenied" => Finding {
            grade: Grade::Warning,
            message: format!(
                "{}; the bridge runs without it, and does not know of a dead-letter queue",
                explanation.message
            ),
            ..failed(ATTRIBUTES, "readable", explanation)
        },
        _ => failed(QUEUE, "exists", explanation),
    }
}

/// What the attributes say about keeping messages, encryption, producers and work to be done.
pub fn attributes(attributes: &Attributes, queue: &Queue) -> Vec<Finding> {
    vec![
        redrive(attributes, queue),
        retention(attributes),
        encryption(attributes),
        producers(attributes),
        backlog(attributes),
    ]
}

fn redrive(attributes: &Attributes, queue: &Queue) -> Finding {
    let policy: Option<Value> = attributes.get("RedrivePolicy").and_then(|policy| serde_json::from_str(policy).ok());
    let count = policy.as_ref().map(|policy| {
        let count = &policy["maxReceiveCount"];
        count.as_u64().or_else(|| count.as_str()?.parse().ok()).unwrap_or_default()
    });
    let least = if queue.is_fifo() { 10 } else { 3 };
    match count {
        None => Finding::warning(
            ATTRIBUTES,
            "redrive",
            "the queue has no dead-letter queue, what the sink refuses for good comes back every 15 minutes".to_owned(),
            "give it a RedrivePolicy with maxReceiveCount 5 to 10 (10 or more on FIFO), or set a dead-letter sink",
        ),
        Some(count) if count < least => Finding::warning(
            ATTRIBUTES,
            "redrive",
            format!(
                "messages leave for the dead-letter queue after {count} receives, an outage of the sink costs some"
            ),
            format!("raise maxReceiveCount to {least} or more"),
        ),
        Some(count) => Finding::ok(ATTRIBUTES, "redrive", format!("dead-letter queue after {count} receives")),
    }
}

fn retention(attributes: &Attributes) -> Finding {
    let seconds = attributes.get("MessageRetentionPeriod").and_then(|seconds| seconds.parse().ok());
    match seconds.map(Duration::from_secs) {
        None => Finding::ok(ATTRIBUTES, "retention", "messages are kept for a time that is not told".to_owned()),
        Some(kept) if kept < SHORT_RETENTION => Finding::warning(
            ATTRIBUTES,
            "retention",
            format!("messages are kept for {} only, a longer outage of the sink loses them", hours(kept)),
            "raise MessageRetentionPeriod, AWS's default is 4 days",
        ),
        Some(kept) => Finding::ok(ATTRIBUTES, "retention", format!("messages are kept for {}", hours(kept))),
    }
}

fn encryption(attributes: &Attributes) -> Finding {
    match attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty()) {
        None => Finding::ok(ATTRIBUTES, "encryption", "no customer key: nothing to permit".to_owned()),
        Some(key) if key.ends_with("alias/aws/sqs") => Finding::failed(
            ATTRIBUTES,
            "encryption",
            format!(
                "the queue is encrypted with {key}, which EventBridge, SNS and S3 cannot use: they cannot send to it"
            ),
            "use SSE-SQS (SqsManagedSseEnabled, needs no permission) or a customer key that allows the producer",
        ),
        Some(key) => Finding::ok(
            ATTRIBUTES,
            "encryption",
            format!("customer key {key}: the caller needs kms:Decrypt on it (not checked, it would take a message)"),
        ),
    }
}

/// EventBridge, SNS and S3 need the queue's own policy; programs of the account do not.
fn producers(attributes: &Attributes) -> Finding {
    let policy: Value =
        attributes.get("Policy").and_then(|policy| serde_json::from_str(policy).ok()).unwrap_or_default();
    let mut names: Vec<String> =
        items(&policy["Statement"]).iter().filter(|it| allows_sending(it)).flat_map(principals).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Finding::warning(
            ATTRIBUTES,
            "producers",
            "the queue's policy lets nobody send, EventBridge, SNS and S3 drop what they may not send".to_owned(),
            "add the statement that `sqs-bridge policy` prints as queuePolicy, unless only programs of the account send",
        );
    }
    Finding::ok(ATTRIBUTES, "producers", format!("the queue's policy lets {} send", names.join(", ")))
}

fn allows_sending(statement: &Value) -> bool {
    let sends = |action: &Value| {
        let action = action.as_str().unwrap_or_default().to_ascii_lowercase();
        matches!(action.as_str(), "*" | "sqs:*" | "sqs:send*" | "sqs:sendmessage")
    };
    statement["Effect"] == "Allow" && items(&statement["Action"]).iter().any(sends)
}

fn principals(statement: &Value) -> Vec<String> {
    let texts = |value| items(value).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let principal = &statement["Principal"];
    principal.as_object().map_or_else(|| texts(principal), |kinds| kinds.values().flat_map(texts).collect())
}

/// IAM writes one thing as itself, several as a list.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn backlog(attributes: &Attributes) -> Finding {
    let number = |name: &str| attributes.get(name).map_or("?", String::as_str);
    let (visible, in_flight) = (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"));
    let message = format!(
        "{visible} messages wait, {in_flight} are being worked on (the age of the oldest is in CloudWatch only)"
    );
    Finding::ok(ATTRIBUTES, "backlog", message)
}

/// Whether messages may be deleted; without that nothing can be done.
pub fn delete(answer: &Result<(), Fault>, queue: &Queue, caller: Option<&str>) -> Finding {
    permission("delete", QUEUE_ACTIONS[1], answer, queue, caller)
}

/// Whether messages may be extended; without that the bridge hides each for the longest a sink may take.
pub fn extend(answer: &Result<(), Fault>, queue: &Queue, caller: Option<&str>, sink: &Sink) -> Finding {
    let finding = permission("extend", QUEUE_ACTIONS[2], answer, queue, caller);
    if finding.grade != Grade::Failed || !matches!(answer, Err(fault) if fault.class == FaultClass::FatalConfig) {
        return finding;
    }
    let hidden = sink.timeout.as_secs() + 30;
    Finding {
        grade: Grade::Warning,
        message: format!(
            "{}; until then each message is hidden for {hidden} s and a crash delays it by that",
            finding.message
        ),
        ..finding
    }
}

fn permission(
    name: &'static str,
    action: &'static str,
    answer: &Result<(), Fault>,
    queue: &Queue,
    caller: Option<&str>,
) -> Finding {
    match answer {
        Ok(()) => Finding::ok(PERMISSIONS, name, format!("{action} is permitted")),
        // Refused for its handle, not for its caller.
        Err(fault) if fault.class == FaultClass::Entry => {
            Finding::ok(PERMISSIONS, name, format!("{action} is probably permitted"))
        }
        Err(fault) => failed(PERMISSIONS, name, explain(action, fault, queue, caller)),
    }
}

/// Whether a sink's name, port and certificate work; any status is an answer.
pub fn reachable(name: &'static str, answer: &Answer, url: &Url) -> Finding {
    let shown = without_user_info(url);
    match answer {
        Answer::Status { .. } => {
            let tls = if url.scheme() == "https" { ", and its certificate is trusted" } else { "" };
            Finding::ok(SINK, name, format!("{shown} answers{tls}"))
        }
        // It was there and took the question: only the answer is missing.
        Answer::Failed(failure) if matches!(failure.class, TransportClass::Reset | TransportClass::Timeout) => {
            Finding::warning(
                SINK,
                name,
                format!("{shown} does not answer OPTIONS ({})", failure.message),
                "try `check --send`, which POSTs as the bridge does",
            )
        }
        Answer::Failed(_) => match explain_answer(answer, url) {
            Some(explanation) => failed(SINK, name, explanation),
            None => Finding::ok(SINK, name, format!("{shown} answers")),
        },
    }
}

/// A sink whose client cannot be made.
pub fn unusable(name: &'static str, error: String) -> Finding {
    Finding::failed(SINK, name, error, "correct the setting that is named")
}

/// What the sink made of the check event.
pub fn sent(trial: &Trial, url: &Url) -> Finding {
    if let Some(explanation) = explain_answer(&trial.answer, url) {
        return failed(SINK, "event", explanation);
    }
    match trial.reply {
        Reply::Empty | Reply::CloudEvent => Finding::ok(SINK, "event", "the check event was accepted".to_owned()),
        Reply::Other => Finding::warning(
            SINK,
            "event",
            "the check event was accepted with a reply that is no CloudEvent".to_owned(),
            "that is well for a bridge, but behind a Knative Trigger it counts as failed: let the sink answer without a body (Ansible's webhook does at the path /)",
        ),
    }
}

fn failed(category: &'static str, name: &'static str, explanation: Explanation) -> Finding {
    let Explanation { message, fix, .. } = explanation;
    let cause = message.strip_suffix(&fix).and_then(|cause| cause.strip_suffix(": ")).unwrap_or(&message).to_owned();
    Finding::failed(category, name, cause, fix)
}

fn hours(time: Duration) -> String {
    let hours = time.as_secs() / 3_600;
    match (hours / 24, hours) {
        (0, 0) => format!("{} minutes", time.as_secs() / 60),
        (0 | 1, hours) => format!("{hours} hours"),
        (days, _) => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests;
