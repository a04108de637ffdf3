//! Messages as text -> their events as text, for the subcommand `convert`. Pure.
//!
//! A bare body is taken byte for byte, with the line end that a shell may have put after it.
//! It has neither MessageId nor SentTimestamp: its id is made from its content, and its time is
//! the Unix epoch, so that the same input always prints the same.

mod input;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::config::{EventSettings, Queue};
use crate::event::{Encoded, Event};
use crate::normalize;

/// The time of a message that does not tell when it was sent: the Unix epoch.
const UNKNOWN_TIME_MS: u64 = 0;

/// What to read and print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Each line of the input is one message, answer or body; else the whole input is. Blank lines are none.
    pub lines: bool,
    /// How events are printed.
    pub output: Output,
}

/// How `convert` prints an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// One structured CloudEvent per line.
    #[default]
    Structured,
    /// One request per line, in the content mode of the settings: `{"headers":{…},"body":"…"}`,
    /// or `body_base64` for a body that is not UTF-8.
    Http,
}

/// The events could not be written.
#[derive(Debug)]
pub struct ConvertError(io::Error);

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not write the converted events")
    }
}

impl Error for ConvertError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Prints the events of the messages in `input`, in their order.
///
/// The input (or each line) is a message as ReceiveMessage shows it, an object with `MessageId`
/// and `Body`; a whole answer `{"Messages":[…]}`; or else a body. Any bytes will do.
///
/// # Errors
/// Only if `out` cannot be written to.
pub fn convert(
    input: &[u8],
    queue: &Queue,
    settings: &EventSettings,
    options: Options,
    out: &mut impl Write,
) -> Result<(), ConvertError> {
    for message in input::pieces(input, options.lines).flat_map(input::messages) {
        for event in normalize::events(&message, queue, settings, UNKNOWN_TIME_MS).iter() {
            let mut line = match options.output {
                Output::Structured => on_one_line(event.to_json()),
                Output::Http => request(event, settings),
            };
            line.push(b'\n');
            out.write_all(&line).map_err(ConvertError)?;
        }
    }
    Ok(())
}

/// The same JSON without line ends, which stand between its values only: inside strings they are escaped.
fn on_one_line(mut json: Vec<u8>) -> Vec<u8> {
    json.retain(|byte| !b"\r\n".contains(byte));
    json
}

#[derive(Serialize)]
struct Request<'a> {
    headers: BTreeMap<String, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

fn request(event: &Event, settings: &EventSettings) -> Vec<u8> {
    let Encoded { headers, body } = event.encode(settings.content_mode);
    let header = |(name, value): (&http::HeaderName, &'_ http::HeaderValue)| (title_case(name.as_str()), value.clone());
    let headers: Vec<_> = headers.iter().map(header).collect();
    let text = std::str::from_utf8(&body).ok();
    let request = Request {
        headers: headers.iter().filter_map(|(name, value)| Some((name.clone(), value.to_str().ok()?))).collect(),
        body: text,
        body_base64: text.is_none().then(|| STANDARD.encode(&body)),
    };
    // Writing strings to memory cannot fail.
    serde_json::to_vec(&request).unwrap_or_default()
}

/// `Ce-Id` for `ce-id`, as HTTP/1 requests carry it.
pub(crate) fn title_case(name: &str) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}
