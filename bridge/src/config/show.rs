//! Settings in force -> lines for people: value and origin of each, without secrets. Pure.

use std::io::{self, Write};

use super::Strings;
use super::integration_source;
use super::read::{Origin, Reader, scrub};
use super::settings::{self, Setting};
use crate::args::RunArgs;

/// One setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Which setting.
    pub setting: &'static Setting,
    /// Its value as typed, or its default; secrets and passwords replaced by `***`.
    pub value: String,
    /// Who gave it.
    pub origin: Origin,
}

/// Every setting as it is in force, in the order of the documentation, secrets scrubbed.
pub fn effective(args: &RunArgs, env: &impl Strings) -> Vec<Effective> {
    let mut reader = Reader::new(args, env);
    integration_source::translate(&mut reader);
    settings::all().map(|setting| effective_setting(&reader, setting)).collect()
}

/// Prints every setting with its value and who gave it.
///
/// # Errors
/// Only if `out` cannot be written to.
pub fn print(args: &RunArgs, env: &impl Strings, out: &mut impl Write) -> io::Result<()> {
    let lines = effective(args, env);
    let width = lines.iter().map(|line| line.setting.env.len()).max().unwrap_or_default();
    for Effective { setting, value, origin } in lines {
        writeln!(out, "{:<width$}  {}  ({})", setting.env, one_line(&value), origin_text(setting, &origin))?;
    }
    Ok(())
}

/// Who gave a value, for people.
pub fn origin_text(setting: &Setting, origin: &Origin) -> String {
    match origin {
        Origin::Flag => format!("flag --{}", setting.flag),
        Origin::Env(name) => format!("env {name}"),
        Origin::Default => "default".to_owned(),
    }
}

fn effective_setting<E: Strings>(reader: &Reader<E>, setting: &'static Setting) -> Effective {
    match reader.given(setting) {
        Some(given) if setting.secret => Effective { setting, value: "***".to_owned(), origin: given.origin },
        Some(given) => Effective { setting, value: scrub(&given.value), origin: given.origin },
        None => Effective { setting, value: setting.shown_default().to_owned(), origin: Origin::Default },
    }
}

/// Certificates and JSON may span lines.
fn one_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_setting_is_a_line_with_value_and_origin() {
        let env = BTreeMap::from([
            ("K_SINK".to_owned(), "http://user:hush@sink/".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "hush".to_owned()),
        ]);
        let args = RunArgs { flags: [("wait-time", "3s".to_owned())].into(), ..RunArgs::default() };
        let mut out = Vec::new();
        print(&args, &env, &mut out).expect("memory can be written to");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text.lines().count(), settings::all().count());
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        assert!(line("K_SINK ").ends_with("  http://***@sink/  (env K_SINK)"), "{}", line("K_SINK "));
        assert!(line("AWS_SECRET_ACCESS_KEY ").ends_with("  ***  (env AWS_SECRET_ACCESS_KEY)"));
        assert!(line("BRIDGE_WAIT_TIME ").ends_with("  3s  (flag --wait-time)"));
        assert!(line("BRIDGE_MAX_MESSAGES ").ends_with("  10  (default)"));
    }
}
