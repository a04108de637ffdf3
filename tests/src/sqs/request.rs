//! Target and body of an AWS JSON 1.0 request -> a typed request, with what was absent still absent. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::attribute::Attribute;
use super::code::{Code, Refusal};

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident,)*) => {
        /// What is asked of the server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])* $action,)*
        }

        /// A decoded request.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            $($(#[$doc])* $action($action),)*
        }

        impl Request {
            /// What is asked.
            pub fn action(&self) -> Action {
                match self {
                    $(Self::$action(_) => Action::$action,)*
                }
            }

            /// Decodes the body of a request whose `x-amz-target` is `AmazonSQS.<name>`.
            pub fn parse(name: &str, body: &[u8]) -> Result<Self, Refusal> {
                match name {
                    $(stringify!($action) => Ok(Self::$action(decode(body)?)),)*
                    _ => Err(Code::INVALID_ACTION.because(format!("the action {name} is not one of this server"))),
                }
            }
        }
    };
}

actions! {
    /// Hands over messages.
    ReceiveMessage,
    /// Deletes one message.
    DeleteMessage,
    /// Deletes up to ten messages.
    DeleteMessageBatch,
    /// Sets when one message becomes visible.
    ChangeMessageVisibility,
    /// Sets when up to ten messages become visible.
    ChangeMessageVisibilityBatch,
    /// Tells attributes of a queue.
    GetQueueAttributes,
    /// Changes attributes of a queue.
    SetQueueAttributes,
    /// Tells the URL of a queue.
    GetQueueUrl,
    /// Makes a queue.
    CreateQueue,
    /// Removes a queue.
    DeleteQueue,
    /// Tells the URLs of all queues.
    ListQueues,
    /// Takes one message.
    SendMessage,
    /// Takes up to ten messages.
    SendMessageBatch,
    /// Removes all messages.
    PurgeQueue,
}

/// ReceiveMessage.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReceiveMessage {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10; absent: 1.
    pub max_number_of_messages: Option<i64>,
    /// 0 to 20; absent: the queue's own.
    pub wait_time_seconds: Option<i64>,
    /// 0 to 43,200; absent: the queue's own.
    pub visibility_timeout: Option<i64>,
    /// System attributes, in the old name of the field.
    #[serde(default)]
    pub attribute_names: Vec<String>,
    /// System attributes.
    #[serde(default)]
    pub message_system_attribute_names: Vec<String>,
    /// Message attributes: names, `prefix.*`, `.*` or `All`.
    #[serde(default)]
    pub message_attribute_names: Vec<String>,
    /// FIFO: repeats a receive whose answer was lost.
    pub receive_request_attempt_id: Option<String>,
}

/// DeleteMessage.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteMessage {
    /// The queue.
    pub queue_url: String,
    /// From the receive.
    pub receipt_handle: String,
}

/// DeleteMessageBatch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteMessageBatch {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10 of them.
    pub entries: Vec<DeleteEntry>,
}

/// One entry of DeleteMessageBatch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteEntry {
    /// Names the entry in the answer.
    pub id: String,
    /// From the receive.
    pub receipt_handle: String,
}

/// ChangeMessageVisibility.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeMessageVisibility {
    /// The queue.
    pub queue_url: String,
    /// From the receive.
    pub receipt_handle: String,
    /// Seconds from now.
    pub visibility_timeout: i64,
}

/// ChangeMessageVisibilityBatch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeMessageVisibilityBatch {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10 of them.
    pub entries: Vec<VisibilityEntry>,
}

/// One entry of ChangeMessageVisibilityBatch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VisibilityEntry {
    /// Names the entry in the answer.
    pub id: String,
    /// From the receive.
    pub receipt_handle: String,
    /// Seconds from now; absent: 0.
    pub visibility_timeout: Option<i64>,
}

/// GetQueueAttributes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetQueueAttributes {
    /// The queue.
    pub queue_url: String,
    /// Names, or `All`.
    #[serde(default)]
    pub attribute_names: Vec<String>,
}

/// SetQueueAttributes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetQueueAttributes {
    /// The queue.
    pub queue_url: String,
    /// What to change.
    pub attributes: BTreeMap<String, String>,
}

/// GetQueueUrl.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetQueueUrl {
    /// The queue's name.
    pub queue_name: String,
    /// Its account; absent: the caller's.
    #[serde(rename = "QueueOwnerAWSAccountId")]
    pub queue_owner_aws_account_id: Option<String>,
}

/// CreateQueue.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateQueue {
    /// The queue's name.
    pub queue_name: String,
    /// What differs from the defaults.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// DeleteQueue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteQueue {
    /// The queue.
    pub queue_url: String,
}

/// ListQueues.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListQueues {
    /// Only queues whose name starts so.
    pub queue_name_prefix: Option<String>,
}

/// SendMessage.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendMessage {
    /// The queue.
    pub queue_url: String,
    /// What to send.
    #[serde(flatten)]
    pub message: Outgoing,
}

/// SendMessageBatch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendMessageBatch {
    /// The queue.
    pub queue_url: String,
    /// 1 to 10 of them.
    pub entries: Vec<SendEntry>,
}

/// One entry of SendMessageBatch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendEntry {
    /// Names the entry in the answer.
    pub id: String,
    /// What to send.
    #[serde(flatten)]
    pub message: Outgoing,
}

/// A message as a sender hands it over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outgoing {
    /// The body.
    #[serde(default)]
    pub message_body: String,
    /// Seconds until it becomes visible; absent: the queue's own.
    pub delay_seconds: Option<i64>,
    /// Attributes by name.
    #[serde(default)]
    pub message_attributes: BTreeMap<String, Attribute>,
    /// `AWSTraceHeader`.
    #[serde(default)]
    pub message_system_attributes: BTreeMap<String, Attribute>,
    /// FIFO: what is ordered; standard: the tenant of a fair queue.
    pub message_group_id: Option<String>,
    /// FIFO: two messages with the same id within 5 min are one.
    pub message_deduplication_id: Option<String>,
}

/// PurgeQueue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PurgeQueue {
    /// The queue.
    pub queue_url: String,
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Code::MISSING_PARAMETER.because(error.to_string()))
}
