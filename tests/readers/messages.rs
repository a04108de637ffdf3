//! Messages of the tests -> the requests that the bridge makes of them. I/O: files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sqs_bridge::config::{Arn, ContentMode, EventSettings, Format, MessageAttributes, Queue};
use sqs_bridge::convert::{Options, Output, convert};

use crate::meaning::Request;

/// One message of the ReceiveMessage API, and what to call it in a report.
#[derive(Clone, Debug)]
pub struct NamedMessage {
    /// The file it comes from.
    pub name: String,
    message: Value,
}

impl NamedMessage {
    /// One request per event.
    pub fn requests(&self, content_mode: ContentMode) -> Vec<Request> {
        let settings = EventSettings { content_mode, ..settings() };
        let options = Options { lines: true, output: Output::Http };
        let mut printed = Vec::new();
        convert(self.message.to_string().as_bytes(), &queue(), &settings, options, &mut printed).expect("it converts");
        let printed = String::from_utf8(printed).expect("lines of text");
        // Not `str::lines`: a JSON text may hold a bare carriage return nowhere, but readers split at LF alone.
        let lines = printed.split('\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

/// Our own fixtures: one per shape, and what is hard to carry in a header.
pub fn own() -> Vec<NamedMessage> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).expect("the fixtures").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("a fixture");
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        NamedMessage { message: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")), name }
    };
    files.iter().map(read).collect()
}

/// The messages and bodies of the shared data, where it lies beside the project; else none, with a line that says so.
pub fn shared() -> Vec<NamedMessage> {
    let Some(folder) = shared_folder() else {
        println!("no shared/data above the project: real messages are not compared");
        return Vec::new();
    };
    let messages = lines(&folder.join("oracles/inputs.jsonl")).into_iter().enumerate().map(|(index, mut message)| {
        let origin = message.as_object_mut().and_then(|message| message.remove("origin")).unwrap_or_default();
        NamedMessage { name: format!("inputs.jsonl:{} {origin}", index + 1), message }
    });
    let bodies = lines(&folder.join("bodies.jsonl")).into_iter().enumerate().map(|(index, line)| NamedMessage {
        name: format!("bodies.jsonl:{} {}", index + 1, line["file"]),
        message: json!({
            "MessageId": format!("00000000-0000-4000-8000-{index:012}"),
            "Body": line["body"],
            "Attributes": {"SentTimestamp": "1772366400045"},
        }),
    });
    messages.chain(bodies).collect()
}

/// The JSON Schema of CloudEvents, where it lies beside the project.
pub fn schema() -> Option<PathBuf> {
    shared_folder().map(|folder| folder.join("oracles/cloudevents-1.0.2.schema.json")).filter(|file| file.exists())
}

fn shared_folder() -> Option<PathBuf> {
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    ancestors.map(|folder| folder.join("shared/data")).find(|folder| folder.is_dir())
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn settings() -> EventSettings {
    EventSettings {
        format: Format::Auto,
        content_mode: ContentMode::Auto,
        data: Default::default(),
        type_format: Default::default(),
        sns_unwrap: Default::default(),
        message_attributes: MessageAttributes::All,
        overrides: Default::default(),
    }
}

fn queue() -> Queue {
    Queue {
        url: None,
        arn: Arn {
            partition: "aws".to_owned(),
            region: "eu-north-1".to_owned(),
            account: "111122223333".to_owned(),
            name: "orders".to_owned(),
        },
        account_known: true,
        region: "eu-north-1".to_owned(),
        endpoint: None,
        create_missing: false,
        delete_accepted: true,
    }
}
