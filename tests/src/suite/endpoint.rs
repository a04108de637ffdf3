//! The address of a server -> an SQS client and queues with names of their own. I/O: SQS.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName};

use crate::wait::eventually;

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The simulator of this package.
    Simulator,
    /// ministack (PyPI).
    Ministack,
    /// ElasticMQ (Maven Central).
    ElasticMq,
}

/// A running SQS server.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Whose it is.
    pub server: Server,
    /// Where it listens, such as `http://127.0.0.1:4566`.
    pub url: String,
}

impl Endpoint {
    /// A client for it: static keys, region `us-east-1`, no retries.
    pub fn client(&self) -> Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.url)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    /// A new queue whose name starts with `name` and is used by nobody else.
    ///
    /// # Panics
    ///
    /// When the server refuses to make it.
    pub async fn queue(&self, name: &str, attributes: &[(QueueAttributeName, &str)]) -> QueueUnderTest {
        let client = self.client();
        let fifo = attributes.contains(&(QueueAttributeName::FifoQueue, "true"));
        let name = format!("{name}-{:08x}{}", fastrand::u32(..), if fifo { ".fifo" } else { "" });
        let mut request = client.create_queue().queue_name(&name);
        for (key, value) in attributes {
            request = request.attributes(key.clone(), *value);
        }
        let answer = request.send().await.expect("the server makes a queue");
        let url = answer.queue_url().expect("CreateQueue answers with the queue's URL").to_owned();
        QueueUnderTest { client, name, url }
    }
}

/// A queue of its own for one case.
#[derive(Clone, Debug)]
pub struct QueueUnderTest {
    /// The client to reach it.
    pub client: Client,
    /// Its name.
    pub name: String,
    /// Its URL, as the server gave it.
    pub url: String,
}

impl QueueUnderTest {
    /// Sends one body; answers with the message id.
    pub async fn send(&self, body: &str) -> String {
        let answer = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        answer.expect("the server takes the message").message_id().expect("a message id").to_owned()
    }

    /// Sends one body to a group of a FIFO queue, with a deduplication id of its own; answers with the message id.
    pub async fn send_to_group(&self, group: &str, body: &str) -> String {
        let request = self.client.send_message().queue_url(&self.url).message_body(body).message_group_id(group);
        let answer = request.message_deduplication_id(format!("{:016x}", fastrand::u64(..))).send().await;
        answer.expect("the server takes the message").message_id().expect("a message id").to_owned()
    }

    /// One receive of at most `most` messages that waits `wait` seconds, visibility `visibility` seconds.
    pub async fn receive(&self, most: i32, wait: i32, visibility: i32) -> Vec<Message> {
        let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(most);
        let request = request.wait_time_seconds(wait).visibility_timeout(visibility);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = request.message_attribute_names("All").send().await;
        answer.expect("the server answers a receive").messages.unwrap_or_default()
    }

    /// The one message that a long poll of 5 s brings, invisible for 30 s.
    ///
    /// # Panics
    ///
    /// When none comes.
    pub async fn receive_one(&self) -> Message {
        let messages = self.receive(1, 5, 30).await;
        messages.into_iter().next().expect("a message within 5 s")
    }

    /// Receives until nothing comes for a second; answers with the bodies in the order they came, deleting each.
    pub async fn drain(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let messages = self.receive(10, 1, 30).await;
            if messages.is_empty() {
                return bodies;
            }
            self.delete(&messages).await;
            bodies.extend(messages.into_iter().map(|message| message.body.unwrap_or_default()));
        }
    }

    /// Deletes the messages by one batch.
    ///
    /// # Panics
    ///
    /// When the server refuses one of them.
    pub async fn delete(&self, messages: &[Message]) {
        let entries = messages.iter().enumerate().map(|(index, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(handle(message)).build().expect("id and handle are set")
        });
        let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        let answer = request.send().await.expect("the server answers a delete batch");
        assert_eq!(answer.failed(), &[], "every delete succeeds");
    }

    /// Waits until it holds no message, visible, in flight or delayed. They are counted by one request: between two, a
    /// message can go from where it was not counted yet to where it was counted already.
    ///
    /// # Panics
    ///
    /// When `limit` has passed.
    pub async fn emptied(&self, limit: Duration) {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        eventually(limit, || async {
            let request = self.client.get_queue_attributes().queue_url(&self.url);
            let request = request.set_attribute_names(Some(names.to_vec()));
            let counts = request.send().await.expect("the server tells attributes").attributes.unwrap_or_default();
            let zero = |name| counts.get(name).is_some_and(|count| count == "0");
            if names.iter().all(zero) { Ok(()) } else { Err(counts) }
        })
        .await;
    }

    /// One attribute of the queue.
    pub async fn attribute(&self, name: QueueAttributeName) -> Option<String> {
        let request = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        let answer = request.send().await.expect("the server tells attributes");
        answer.attributes.and_then(|attributes| attributes.get(&name).cloned())
    }
}

/// The message's receipt handle.
///
/// # Panics
///
/// When it has none.
pub fn handle(message: &Message) -> &str {
    message.receipt_handle().expect("a received message has a receipt handle")
}

/// The error code of a call that was refused, without the prefix that some servers leave out.
///
/// # Panics
///
/// When it was not.
pub fn code_of<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> String {
    let error = result.expect_err("the server refuses this");
    let code = error.code().unwrap_or_else(|| panic!("a code in {error:?}"));
    code.trim_start_matches("AWS.SimpleQueueService.").to_owned()
}
