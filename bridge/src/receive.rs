//! One long poll -> the messages it brought. I/O: SQS.

mod salvage;

use std::time::{Duration, Instant};

use aws_sdk_sqs::types::MessageSystemAttributeName;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::admit::Grant;
use crate::aws;
use crate::fault::Fault;
use crate::message::{Received, json};
use crate::normalize;
use crate::pollers::Attempt;
use crate::telemetry::trace::ReceiveTrace;

/// One ReceiveMessage call.
#[derive(Debug)]
pub struct Poll {
    /// `WaitTimeSeconds`.
    pub wait: Duration,
    /// `VisibilityTimeout`.
    pub visibility: Duration,
    /// The permits it holds; `messages` is `MaxNumberOfMessages` unless an attempt is repeated.
    pub grant: Grant,
    /// `ReceiveRequestAttemptId`, on FIFO queues.
    pub attempt: Option<Attempt>,
    /// When it started.
    pub started: Instant,
}

impl Poll {
    /// `MaxNumberOfMessages`.
    pub fn messages(&self) -> u32 {
        self.attempt.as_ref().map_or(self.grant.messages, |attempt| attempt.messages)
    }
}

/// Asks SQS once; what it needs is explicit in every request.
pub async fn receive(
    client: &aws_sdk_sqs::Client,
    queue_url: &str,
    fifo: bool,
    poll: &Poll,
) -> Result<Vec<Received>, Fault> {
    let attempt = poll.attempt.as_ref().map(|attempt| attempt.id.clone());
    ask(client, queue_url, fifo, poll.messages(), poll.wait, poll.visibility, attempt).await
}

/// The same without permits.
pub async fn ask(
    client: &aws_sdk_sqs::Client,
    queue_url: &str,
    fifo: bool,
    messages: u32,
    wait: Duration,
    visibility: Duration,
    attempt: Option<String>,
) -> Result<Vec<Received>, Fault> {
    let result = client
        .receive_message()
        .queue_url(queue_url)
        .max_number_of_messages(number(messages))
        .wait_time_seconds(seconds(wait))
        .visibility_timeout(seconds(visibility))
        .set_message_system_attribute_names(Some(system_attributes(fifo)))
        .message_attribute_names("All")
        .set_receive_request_attempt_id(attempt)
        .send()
        .await;
    let mut received: Vec<_> = match result {
        Ok(reply) => reply.messages.unwrap_or_default().into_iter().filter_map(Received::from_sdk).collect(),
        Err(error) => salvaged(&error).ok_or_else(|| aws::fault(&error))?,
    };
    link(queue_url, &mut received);
    Ok(received)
}

/// The messages of an answer that arrived but that the SDK cannot read.
fn salvaged<E>(error: &SdkError<E, HttpResponse>) -> Option<Vec<Received>> {
    let SdkError::ResponseError(answer) = error else { return None };
    let body = answer.raw().body().bytes().filter(|_| answer.raw().status().is_success())?;
    let messages = json::answer(&salvage::mend(body))?;
    Some(messages.into_iter().filter_map(Received::from_message).collect())
}

/// One span for the receive, if there are traces: it links to the producers of all messages, and their POSTs to it.
fn link(queue_url: &str, received: &mut [Received]) {
    if received.is_empty() {
        return;
    }
    let queue = queue_url.rsplit('/').next().unwrap_or(queue_url);
    let producers = received.iter().filter_map(|received| normalize::producer_traceparent(&received.message));
    let receive = ReceiveTrace::record(queue, producers);
    for received in received {
        received.receive = receive.clone();
    }
}

/// Only what the bridge uses: each costs bytes on every message.
fn system_attributes(fifo: bool) -> Vec<MessageSystemAttributeName> {
    let mut names = vec![
        MessageSystemAttributeName::SentTimestamp,
        MessageSystemAttributeName::ApproximateReceiveCount,
        MessageSystemAttributeName::AwsTraceHeader,
        MessageSystemAttributeName::MessageGroupId,
    ];
    if fifo {
        names.push(MessageSystemAttributeName::SequenceNumber);
        names.push(MessageSystemAttributeName::MessageDeduplicationId);
    }
    names
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
