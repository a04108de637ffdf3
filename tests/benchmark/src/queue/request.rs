//! The body of an SQS request -> what it asks for. Pure.

use std::borrow::Cow;

use serde::Deserialize;

use super::body::read_number;
use super::line::Delivery;

/// The fields of all actions that the load server knows; each action reads its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Request<'a> {
    /// Messages of a receive.
    pub max_number_of_messages: Option<usize>,
    /// Seconds a receive waits.
    pub wait_time_seconds: u64,
    /// Seconds of invisibility.
    pub visibility_timeout: Option<u64>,
    /// System attributes that a receive wants to see.
    #[serde(borrow)]
    pub message_system_attribute_names: Vec<Cow<'a, str>>,
    /// Entries of a batch.
    #[serde(borrow)]
    pub entries: Vec<Entry<'a>>,
}

/// One entry of a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Entry<'a> {
    /// The id that the answer repeats.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// The delivery.
    #[serde(borrow)]
    pub receipt_handle: Cow<'a, str>,
    /// Seconds of invisibility.
    pub visibility_timeout: u64,
}

impl Request<'_> {
    /// True if a receive wants this system attribute.
    pub fn wants(&self, attribute: &str) -> bool {
        self.message_system_attribute_names.iter().any(|name| name == attribute || name == "All")
    }
}

impl Entry<'_> {
    /// The delivery that the receipt handle names: `receive-number`, as the answer to a receive has it.
    pub fn delivery(&self) -> Option<Delivery> {
        let (receive, number) = self.receipt_handle.split_once('-')?;
        Some(Delivery { number: read_number(number)?, receive: receive.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_names_deliveries() {
        let body = r#"{"QueueUrl":"u","Entries":[{"Id":"0","ReceiptHandle":"2-00000000000a"},{"Id":"1","ReceiptHandle":"x"}]}"#;
        let request: Request = serde_json::from_str(body).unwrap();
        let deliveries: Vec<_> = request.entries.iter().map(Entry::delivery).collect();
        assert_eq!(deliveries, [Some(Delivery { number: 10, receive: 2 }), None]);
    }

    #[test]
    fn a_receive_names_the_attributes_it_wants() {
        let request: Request = serde_json::from_str(r#"{"MessageSystemAttributeNames":["SentTimestamp"]}"#).unwrap();
        assert!(request.wants("SentTimestamp") && !request.wants("SenderId"));
    }
}
