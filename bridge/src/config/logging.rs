//! Knative's logging configuration and `-v`/`-q` -> level and form of the logs. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Strings;
use super::parse::Fix;
use super::read::Reader;
use super::settings;
use crate::args::RunArgs;

/// Log level and form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// A `tracing` filter directive such as `info` or `sqs_bridge=debug`.
    pub level: String,
    /// One JSON object per line, or text for people.
    pub json: bool,
    /// ANSI colours (text only).
    pub color: bool,
}

/// The levels, from silence on, as filters: other crates never log more than `info`, their lower levels show requests.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "info,sqs_bridge=debug", "info,sqs_bridge=trace"];
const INFO: usize = 3;

/// What `K_LOGGING_CONFIG` asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    level: Option<usize>,
    json: Option<bool>,
}

/// Reads level and form of the logs. JSON unless standard error is a terminal or the configuration says otherwise.
pub(super) fn read<E: Strings>(
    reader: &mut Reader<E>,
    args: &RunArgs,
    component: &str,
    no_color: bool,
) -> Option<Logging> {
    let wanted = match reader.given(&settings::LOGGING_CONFIG) {
        Some(_) => reader.optional(&settings::LOGGING_CONFIG, |text| wanted(text, component))?,
        None => Wanted::default(),
    };
    let json = wanted.json.unwrap_or(!args.terminal);
    let level =
        (wanted.level.unwrap_or(INFO) as isize + isize::from(args.verbosity)).clamp(0, LEVELS.len() as isize - 1);
    Some(Logging { level: LEVELS[level as usize].to_owned(), json, color: args.terminal && !json && !no_color })
}

/// The part of zap's configuration that has a meaning here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Zap {
    level: Option<String>,
    encoding: Option<String>,
}

fn wanted(text: &str, component: &str) -> Result<Wanted, Fix> {
    let fix = || {
        r#"use a JSON object of strings such as {"zap-logger-config":"{\"level\":\"debug\"}"}, levels debug, info, warn or error"#
            .to_owned()
    };
    let map: Option<BTreeMap<String, String>> = serde_json::from_str(text).map_err(|_| fix())?;
    let map = map.unwrap_or_default();
    let zap: Zap = match map.get("zap-logger-config").filter(|zap| !zap.trim().is_empty()) {
        Some(zap) => serde_json::from_str(zap).map_err(|_| fix())?,
        None => Zap::default(),
    };
    let named = map.get(&format!("loglevel.{component}")).filter(|level| !level.is_empty()).or(zap.level.as_ref());
    let level = named.map(|name| level(name).ok_or_else(fix)).transpose()?;
    Ok(Wanted { level, json: zap.encoding.map(|encoding| encoding != "console") })
}

/// Zap's names: <https://pkg.go.dev/go.uber.org/zap/zapcore#Level>.
fn level(name: &str) -> Option<usize> {
    match name.to_ascii_lowercase().as_str() {
        "debug" => Some(4),
        "info" | "" => Some(INFO),
        "warn" | "warning" => Some(2),
        "error" | "dpanic" | "panic" | "fatal" => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_the_component_wins_over_the_general_one() {
        let text =
            r#"{"zap-logger-config":"{\"level\":\"info\",\"encoding\":\"json\"}","loglevel.awssqssource":"debug"}"#;
        assert_eq!(wanted(text, "awssqssource"), Ok(Wanted { level: Some(4), json: Some(true) }));
        assert_eq!(wanted(text, "other"), Ok(Wanted { level: Some(INFO), json: Some(true) }));
    }

    #[test]
    fn an_empty_configuration_asks_for_nothing() {
        for text in ["{}", "null", r#"{"zap-logger-config":""}"#, r#"{"zap-logger-config":"{}"}"#] {
            assert_eq!(wanted(text, "c"), Ok(Wanted::default()), "{text}");
        }
    }

    #[test]
    fn a_broken_configuration_is_an_error() {
        for text in
            ["x", "[]", r#"{"zap-logger-config":{}}"#, r#"{"zap-logger-config":"{"}"#, r#"{"loglevel.c":"loud"}"#]
        {
            assert!(wanted(text, "c").is_err(), "{text}");
        }
    }
}
