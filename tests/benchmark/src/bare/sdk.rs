//! The AWS SDK and reqwest as they come, without settings but those that the bare loop cannot do without. I/O: SQS, HTTP.

use aws_config::BehaviorVersion;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, MessageSystemAttributeName};
use bytes::Bytes;

use super::{Failure, Message};

/// Clients of one queue and one sink.
pub struct Client {
    sqs: aws_sdk_sqs::Client,
    http: reqwest::Client,
    queue_url: String,
    sink: String,
}

impl Client {
    pub async fn new(queue_url: &str, sink: &str) -> Result<Self, Failure> {
        let endpoint = reqwest::Url::parse(queue_url)?.join("/")?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region("us-east-1")
            .credentials_provider(Credentials::new("test", "test", None, None, "benchmark"))
            .load()
            .await;
        let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
        Ok(Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            http,
            queue_url: queue_url.to_owned(),
            sink: sink.to_owned(),
        })
    }

    pub async fn receive(&self) -> Result<Vec<Message>, Failure> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(20)
            .visibility_timeout(30)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await?;
        Ok(received.messages.unwrap_or_default().into_iter().filter_map(message).collect())
    }

    /// Gives the receipt handle back.
    pub async fn post(&self, message: Message) -> Result<String, Failure> {
        let request = self
            .http
            .post(&self.sink)
            .header("ce-specversion", "1.0")
            .header("ce-id", message.id)
            .header("ce-type", "aws.sqs.message")
            .header("ce-source", "arn:aws:sqs:us-east-1:123456789012:benchmark")
            .header("ce-time", message.sent)
            .header("content-type", "application/json")
            .body(message.body);
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(message.handle)
    }

    pub async fn delete(&self, handles: Vec<String>) -> Result<(), Failure> {
        let entries: Result<Vec<_>, _> = handles.into_iter().enumerate().map(entry).collect();
        self.sqs.delete_message_batch().queue_url(&self.queue_url).set_entries(Some(entries?)).send().await?;
        Ok(())
    }
}

fn message(mut received: aws_sdk_sqs::types::Message) -> Option<Message> {
    let attributes = received.attributes.as_mut();
    let sent = attributes.and_then(|attributes| attributes.remove(&MessageSystemAttributeName::SentTimestamp));
    Some(Message {
        id: received.message_id?,
        handle: received.receipt_handle?,
        sent: sent.unwrap_or_default(),
        body: Bytes::from(received.body?),
    })
}

fn entry((index, handle): (usize, String)) -> Result<DeleteMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(handle).build()
}
