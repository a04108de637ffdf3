//! Requests -> what a CloudEvents library reads. I/O: child processes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloudevents::Event;
use serde::Deserialize;
use serde_json::Value;
use tests::servers::installed;

use crate::meaning::Request;
use crate::messages;

/// Whose library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// PyPI `cloudevents`, with the JSON Schema of CloudEvents where it is at hand.
    Python,
    /// npm `cloudevents`.
    Node,
    /// Go `cloudevents/sdk-go`, as a Knative broker uses it.
    Go,
    /// The crate `cloudevents-sdk`, in this process; structured events only.
    Rust,
}

/// What a reader makes of one request.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// As the library gives them.
    pub attributes: BTreeMap<String, Value>,
    /// The event's data; the broker only.
    pub data: Vec<u8>,
    /// The attributes that reach the receiver behind the broker; the broker only.
    pub forwarded: BTreeMap<String, Value>,
    /// Why the request or the event is refused.
    pub error: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
    #[serde(default)]
    data: String,
    #[serde(default)]
    forwarded: BTreeMap<String, Value>,
    error: Option<String>,
}

impl Reader {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Python, Self::Node, Self::Go, Self::Rust];

    /// False for a request that it cannot be asked about.
    pub fn takes(self, request: &Request) -> bool {
        self != Self::Rust || !request.is_binary()
    }

    /// True for the one that stands for a Knative broker.
    pub fn is_broker(self) -> bool {
        self == Self::Go
    }

    /// Reads all requests.
    ///
    /// # Panics
    ///
    /// When the reader is not installed, or ends before it has read all.
    pub fn read(self, requests: &[&Request]) -> Vec<Reading> {
        let command = match self {
            Self::Python => python(),
            Self::Node => node(),
            Self::Go => Command::new(installed("the Go reader", "TESTS_READER_GO", "readers").join("reader")),
            Self::Rust => return requests.iter().map(|request| read_here(request)).collect(),
        };
        self.read_by(command, requests)
    }

    fn read_by(self, mut command: Command, requests: &[&Request]) -> Vec<Reading> {
        let lines: String = requests.iter().map(|request| line(request)).collect();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the reader starts");
        let mut input = child.stdin.take().expect("a pipe");
        let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = child.wait_with_output().expect("the reader runs");
        assert!(output.status.success(), "{self:?}: {}", output.status);
        writer.join().expect("the writer").expect("the reader reads all");
        let text = String::from_utf8(output.stdout).expect("lines of text");
        let readings: Vec<Reading> = text.split('\n').filter(|line| !line.is_empty()).map(parse).collect();
        assert_eq!(readings.len(), requests.len(), "{self:?} answers every request");
        readings
    }
}

fn python() -> Command {
    let folder = installed("the Python reader", "TESTS_READER_PYTHON", "readers");
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(sources().join("python/reader.py")).args(messages::schema());
    command
}

fn node() -> Command {
    let folder = installed("the Node reader", "TESTS_READER_NODE", "readers");
    let mut command = Command::new("node");
    command.arg(sources().join("node/reader.cjs")).env("NODE_PATH", folder.join("node_modules"));
    command
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("readers")
}

/// The crate's JSON format; its HTTP binding would bring a second major version of `futures` into every build.
fn read_here(request: &Request) -> Reading {
    let event = serde_json::from_slice::<Event>(&request.bytes()).map_err(|error| error.to_string());
    let json = event.and_then(|event| serde_json::to_value(event).map_err(|error| error.to_string()));
    match json {
        Ok(Value::Object(mut members)) => {
            members.retain(|name, _| name != "data" && name != "data_base64");
            Reading { attributes: members.into_iter().collect(), ..Reading::default() }
        }
        Ok(other) => panic!("an event is an object: {other}"),
        Err(error) => Reading { error: Some(error), ..Reading::default() },
    }
}

fn line(request: &Request) -> String {
    format!("{}\n", serde_json::to_string(request).expect("a request is JSON"))
}

fn parse(line: &str) -> Reading {
    let Line { attributes, data, forwarded, error } =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Reading { attributes, data: STANDARD.decode(data).expect("base64"), forwarded, error }
}
