//! Messages as SQS hands them over, for tests of what becomes of one. Pure.

use std::sync::Arc;

use bytes::Bytes;
use sqs_bridge::message::{Message, SystemAttributes};

/// What EventBridge puts into a queue about an instance that stopped.
pub const EVENTBRIDGE: &str = r#"{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","time":"2026-11-11T21:29:54Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],"detail":{"instance-id":"i-abcd1111","state":"stopped"}}"#;

/// A message that is delivered for the first time.
pub fn message(body: &'static str) -> Message {
    Message {
        id: Arc::from("059f36b4-87a3-44ab-83d2-661975830a7d"),
        body: Bytes::from_static(body.as_bytes()),
        receipt_handle: Some(Arc::from("handle")),
        md5_of_body: None,
        md5_of_message_attributes: None,
        attributes: SystemAttributes {
            sent_timestamp: Some("1762896594000".to_owned()),
            approximate_receive_count: Some(1),
            ..SystemAttributes::default()
        },
        message_attributes: Vec::new(),
    }
}
