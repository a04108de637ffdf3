//! Messages as text -> their events as text, for the subcommand `convert`. Pure.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use crate::config::{EventSettings, Queue};

/// What to read and print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Each line of the input is one message (or answer); else the whole input is.
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
    /// One request per line: `{"headers":{…},"body":"…"}`.
    Http,
}

/// The events could not be written.
#[derive(Debug)]
pub struct ConvertError(io::Error);

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("writing the converted events")
    }
}

impl Error for ConvertError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Prints the events of the messages in `input`.
pub fn convert(
    _input: &[u8],
    _queue: &Queue,
    _settings: &EventSettings,
    _options: Options,
    _out: &mut impl Write,
) -> Result<(), ConvertError> {
    Ok(())
}
