//! Messages, a queue and settings for the tests of this folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sqs_bridge::config::{Arn, ContentMode, EventSettings, Format, Queue};
use sqs_bridge::message::{AttributeValue, Message, MessageAttribute, SystemAttributes};

/// The queue of the golden outputs.
pub fn queue() -> Queue {
    Queue {
        url: "https://sqs.us-east-2.amazonaws.com/123456789012/MyQueue".parse().ok(),
        arn: Arn {
            partition: "aws".to_owned(),
            region: "us-east-2".to_owned(),
            account: "123456789012".to_owned(),
            name: "MyQueue".to_owned(),
        },
        account_known: true,
        region: "us-east-2".to_owned(),
        endpoint: None,
        create_missing: false,
        delete_accepted: true,
    }
}

/// Default settings, with this format.
pub fn settings(format: Format) -> EventSettings {
    EventSettings {
        format,
        content_mode: ContentMode::default(),
        data: Default::default(),
        type_format: Default::default(),
        sns_unwrap: Default::default(),
        message_attributes: Default::default(),
        overrides: BTreeMap::new(),
    }
}

/// A message that is nothing but its body.
pub fn message(body: impl Into<bytes::Bytes>) -> Message {
    Message {
        id: "059f36b4-87a3-44ab-83d2-661975830a7d".into(),
        body: body.into(),
        receipt_handle: None,
        md5_of_body: None,
        md5_of_message_attributes: None,
        attributes: SystemAttributes {
            sent_timestamp: Some("1545082649183".to_owned()),
            ..SystemAttributes::default()
        },
        message_attributes: Vec::new(),
    }
}

/// A message as ReceiveMessage shows it.
pub fn received(json: &Value) -> Message {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let system = |name: &str| json["Attributes"][name].as_str().map(str::to_owned);
    let attributes = json["MessageAttributes"].as_object().into_iter().flatten();
    Message {
        id: text("MessageId").unwrap().into(),
        body: text("Body").unwrap().into(),
        receipt_handle: text("ReceiptHandle").map(Into::into),
        md5_of_body: text("MD5OfBody"),
        md5_of_message_attributes: text("MD5OfMessageAttributes"),
        attributes: SystemAttributes {
            sent_timestamp: system("SentTimestamp"),
            aws_trace_header: system("AWSTraceHeader"),
            message_group_id: system("MessageGroupId"),
            sequence_number: system("SequenceNumber"),
            ..SystemAttributes::default()
        },
        message_attributes: attributes.map(|(name, value)| attribute(name, value)).collect(),
    }
}

fn attribute(name: &str, json: &Value) -> MessageAttribute {
    let value = match (json["StringValue"].as_str(), json["BinaryValue"].as_str()) {
        (Some(text), _) => AttributeValue::Text(text.to_owned()),
        (None, base64) => AttributeValue::Binary(STANDARD.decode(base64.unwrap()).unwrap().into()),
    };
    MessageAttribute { name: name.to_owned(), data_type: json["DataType"].as_str().unwrap().to_owned(), value }
}

/// The values of a file of published events, one per line; `None`, and a printed line, where there is no such folder.
pub fn published(file: &str) -> Option<Vec<Value>> {
    let Some(folder) = published_folder() else {
        #[expect(clippy::print_stdout, reason = "whoever reads the output must see what was not compared")]
        let () = println!("no folder shared/data beside the project: {file} was not compared");
        return None;
    };
    let text = fs::read_to_string(folder.join(file)).unwrap();
    Some(text.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn published_folder() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    workspace.ancestors().skip(1).map(|folder| folder.join("shared/data")).find(|folder| folder.is_dir())
}
