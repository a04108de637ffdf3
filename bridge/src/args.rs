//! The command line -> what the user typed, syntax only. Pure.

use std::collections::BTreeMap;

/// The settings given as flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunArgs {
    /// Values by flag name without its dashes, such as `queue-url`.
    pub flags: BTreeMap<&'static str, String>,
    /// `-v` minus `-q`: steps of the log level.
    pub verbosity: i8,
    /// Standard error is a terminal: logs are for people.
    pub terminal: bool,
}
