//! What ReceiveMessage hands over, split at birth into data and the right to settle it. Pure.
//!
//! The only module that reads a message of the AWS SDK.

pub(crate) mod json;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_sdk_sqs::types::MessageSystemAttributeName;
use bytes::Bytes;

use crate::telemetry::trace::ReceiveTrace;

/// One received SQS message: its data, and the one right to end its stay in the queue.
#[derive(Debug)]
pub struct Received {
    /// What the message says.
    pub message: Message,
    /// The right to delete or release it, once.
    pub receipt: Receipt,
    /// The receive that brought it, if that is traced.
    pub receive: ReceiveTrace,
}

/// The data of one SQS message. Only `id` and `body` are certain: AWS may leave out any attribute.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// `MessageId`: the same on every delivery of this message from this queue.
    pub id: Arc<str>,
    /// `Body`, always valid UTF-8, as received.
    pub body: Bytes,
    /// `ReceiptHandle`, for the `eventing-awssqs` profile only, whose body shows it.
    /// Never to be logged and never in an attribute.
    pub receipt_handle: Option<Arc<str>>,
    /// `MD5OfBody`, as SQS computed it.
    pub md5_of_body: Option<String>,
    /// `MD5OfMessageAttributes`, as SQS computed it.
    pub md5_of_message_attributes: Option<String>,
    /// The system attributes that the bridge asks for.
    pub attributes: SystemAttributes,
    /// The producer's attributes, at most 10, in the order of their names.
    pub message_attributes: Vec<MessageAttribute>,
}

/// The system attributes that the bridge asks for; each may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemAttributes {
    /// `SentTimestamp`: milliseconds since the Unix epoch, kept as sent by SQS.
    pub sent_timestamp: Option<String>,
    /// `ApproximateReceiveCount`: 1 on the first delivery.
    pub approximate_receive_count: Option<u32>,
    /// `AWSTraceHeader`: the X-Ray trace of the producer.
    pub aws_trace_header: Option<String>,
    /// `MessageGroupId`: the FIFO group, or the tenant on a standard (fair) queue.
    pub message_group_id: Option<String>,
    /// `SequenceNumber`: 20 digits, FIFO queues only.
    pub sequence_number: Option<String>,
    /// `MessageDeduplicationId`: FIFO queues only.
    pub message_deduplication_id: Option<String>,
}

/// One message attribute of the producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageAttribute {
    /// The attribute's name, as sent.
    pub name: String,
    /// `String`, `Number` or `Binary`, perhaps with a suffix such as `Number.int`.
    pub data_type: String,
    /// The value in the form its data type calls for.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// `StringValue`, for String and Number.
    Text(String),
    /// `BinaryValue`, decoded from base64.
    Binary(Bytes),
}

impl Received {
    /// Splits a message of the AWS SDK; `None` if it lacks its id or its receipt handle, without which
    /// nothing can be done with it.
    pub fn from_sdk(message: aws_sdk_sqs::types::Message) -> Option<Self> {
        let id: Arc<str> = message.message_id?.into();
        let handle: Arc<str> = message.receipt_handle?.into();
        let mut message_attributes: Vec<MessageAttribute> = message
            .message_attributes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(name, value)| MessageAttribute::from_sdk(name, value))
            .collect();
        message_attributes.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        let message = Message {
            id: Arc::clone(&id),
            body: Bytes::from(message.body.unwrap_or_default()),
            receipt_handle: Some(Arc::clone(&handle)),
            md5_of_body: message.md5_of_body,
            md5_of_message_attributes: message.md5_of_message_attributes,
            attributes: SystemAttributes::from_sdk(message.attributes.unwrap_or_default()),
            message_attributes,
        };
        Some(Self { message, receipt: Receipt::new(id, handle), receive: ReceiveTrace::default() })
    }

    /// As [`Received::from_sdk`], for a message that was read without the SDK.
    pub fn from_message(message: Message) -> Option<Self> {
        let receipt = Receipt::new(Arc::clone(&message.id), Arc::clone(message.receipt_handle.as_ref()?));
        Some(Self { message, receipt, receive: ReceiveTrace::default() })
    }
}

impl SystemAttributes {
    fn from_sdk(mut attributes: HashMap<MessageSystemAttributeName, String>) -> Self {
        let mut take = |name: MessageSystemAttributeName| attributes.remove(&name);
        Self {
            sent_timestamp: take(MessageSystemAttributeName::SentTimestamp),
            approximate_receive_count: take(MessageSystemAttributeName::ApproximateReceiveCount)
                .and_then(|count| count.parse().ok()),
            aws_trace_header: take(MessageSystemAttributeName::AwsTraceHeader),
            message_group_id: take(MessageSystemAttributeName::MessageGroupId),
            sequence_number: take(MessageSystemAttributeName::SequenceNumber),
            message_deduplication_id: take(MessageSystemAttributeName::MessageDeduplicationId),
        }
    }

    /// `SentTimestamp` in milliseconds since the Unix epoch, if it is a number.
    pub fn sent_ms(&self) -> Option<u64> {
        self.sent_timestamp.as_deref().and_then(|sent| sent.parse().ok())
    }
}

impl MessageAttribute {
    fn from_sdk(name: String, value: aws_sdk_sqs::types::MessageAttributeValue) -> Option<Self> {
        let data_type = value.data_type;
        let value = match (value.string_value, value.binary_value) {
            (Some(text), _) => AttributeValue::Text(text),
            (None, Some(binary)) => AttributeValue::Binary(Bytes::from(binary.into_inner())),
            (None, None) => return None,
        };
        Some(Self { name, data_type, value })
    }
}

impl Message {
    /// The body as text; SQS bodies are XML characters, always UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The message attribute of exactly this name.
    pub fn attribute(&self, name: &str) -> Option<&MessageAttribute> {
        self.message_attributes.iter().find(|attribute| attribute.name == name)
    }

    /// What one message counts against the byte budget: body and message attributes.
    pub fn size(&self) -> usize {
        self.body.len() + self.message_attributes.iter().map(MessageAttribute::size).sum::<usize>()
    }
}

impl MessageAttribute {
    /// The value of a String or Number attribute.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            AttributeValue::Text(text) => Some(text),
            AttributeValue::Binary(_) => None,
        }
    }

    fn size(&self) -> usize {
        let value = match &self.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Binary(bytes) => bytes.len(),
        };
        self.name.len() + self.data_type.len() + value
    }
}

/// Shows what identifies a message, never its body, attributes or receipt handle.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("size", &self.size()).finish_non_exhaustive()
    }
}

/// The right to settle one delivery of a message. It is not `Clone`: whoever deletes or
/// releases a message gives this up, so no message is settled twice.
#[must_use = "a receipt that is dropped leaves its message invisible until the visibility timeout ends"]
pub struct Receipt {
    message_id: Arc<str>,
    handle: Arc<str>,
}

impl Receipt {
    /// Takes the receipt handle of one delivery.
    pub fn new(message_id: Arc<str>, handle: Arc<str>) -> Self {
        Self { message_id, handle }
    }

    /// The message that this receipt settles.
    pub fn message_id(&self) -> &Arc<str> {
        &self.message_id
    }

    /// The handle, for the request that settles or extends; never for a log.
    pub fn handle(&self) -> &Arc<str> {
        &self.handle
    }
}

/// Names the message, never the handle.
impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("message_id", &self.message_id).finish_non_exhaustive()
    }
}
