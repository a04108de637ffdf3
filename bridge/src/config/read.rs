//! Flags and variables -> the value of each setting and where it came from; collects every problem. Pure.

use std::collections::BTreeMap;
use std::fmt;

use super::Strings;
use super::parse::Fix;
use super::settings::Setting;
use crate::args::RunArgs;

/// The value of a setting as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The text.
    pub value: String,
    /// Who gave it.
    pub origin: Origin,
}

/// Who gave a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The flag.
    Flag,
    /// This environment variable.
    Env(&'static str),
    /// Nobody.
    Default,
}

/// One setting that is wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Environment variable of the setting, whoever gave the value.
    pub env: &'static str,
    /// One sentence that names flag, variable, field and fix; holds no secret.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Reads settings one by one and remembers what was wrong.
pub(super) struct Reader<'a, E> {
    args: &'a RunArgs,
    pub env: &'a E,
    /// Values that another product's variables stand for, below our own variables and above defaults.
    pub translated: BTreeMap<&'static str, Given>,
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<String>,
}

impl<'a, E: Strings> Reader<'a, E> {
    pub fn new(args: &'a RunArgs, env: &'a E) -> Self {
        Self { args, env, translated: BTreeMap::new(), errors: Vec::new(), warnings: Vec::new() }
    }

    /// The setting as it was typed: flag, else variable, else translated variable.
    pub fn given(&self, setting: &'static Setting) -> Option<Given> {
        if let Some(value) = self.args.flags.get(setting.flag) {
            return Some(Given { value: value.clone(), origin: Origin::Flag });
        }
        let variables = [setting.env, setting.fallback_env].into_iter().filter(|name| !name.is_empty());
        variables
            .filter_map(|name| self.env.get(name).filter(|value| !value.is_empty()).map(|value| (name, value)))
            .map(|(name, value)| Given { value, origin: Origin::Env(name) })
            .next()
            .or_else(|| self.translated.get(setting.env).cloned())
    }

    /// True if this variable, which is no setting of ours, has a value.
    pub fn has_variable(&self, name: &str) -> bool {
        self.env.get(name).is_some_and(|value| !value.is_empty())
    }

    /// The parsed setting, if it was given. A value that does not parse is recorded and `None`.
    pub fn optional<T>(&mut self, setting: &'static Setting, parse: impl Fn(&str) -> Result<T, Fix>) -> Option<T> {
        let given = self.given(setting)?;
        self.parse(setting, &given, parse)
    }

    /// The parsed setting or its default. `None` only after an error was recorded.
    pub fn value<T>(&mut self, setting: &'static Setting, parse: impl Fn(&str) -> Result<T, Fix>) -> Option<T> {
        let default = || Given { value: setting.default.to_owned(), origin: Origin::Default };
        let given = self.given(setting).unwrap_or_else(default);
        self.parse(setting, &given, parse)
    }

    /// Records that a setting is wrong: `problem` is a clause that ends in the fix.
    pub fn reject(&mut self, setting: &'static Setting, problem: &str) {
        let origin = self.given(setting).map_or(Origin::Default, |given| given.origin);
        self.errors.push(ConfigError { env: setting.env, message: format!("{}: {problem}", names(setting, &origin)) });
    }

    /// Records that a required setting is missing.
    pub fn missing(&mut self, setting: &'static Setting, fix: &str) {
        let message = format!("{} is not set: {fix}", names(setting, &Origin::Default));
        self.errors.push(ConfigError { env: setting.env, message });
    }

    fn parse<T>(
        &mut self,
        setting: &'static Setting,
        given: &Given,
        parse: impl Fn(&str) -> Result<T, Fix>,
    ) -> Option<T> {
        match parse(&given.value) {
            Ok(value) => Some(value),
            Err(fix) => {
                let names = names(setting, &given.origin);
                let message = if setting.secret {
                    format!("{names} is not valid: {fix}")
                } else {
                    format!("{names} is {}: {fix}", quote(&given.value))
                };
                self.errors.push(ConfigError { env: setting.env, message });
                None
            }
        }
    }
}

/// Whatever was used first, then the other names of the setting in brackets.
fn names(setting: &Setting, origin: &Origin) -> String {
    let flag = Some(setting.flag).filter(|flag| !flag.is_empty()).map(|flag| format!("--{flag}"));
    let field = Some(setting.field).filter(|field| !field.is_empty()).map(|field| format!("field {field}"));
    let (first, others) = match origin {
        Origin::Flag => (format!("flag --{}", setting.flag), vec![Some(setting.env.to_owned()), field]),
        Origin::Env(name) => ((*name).to_owned(), vec![flag.map(|flag| format!("flag {flag}")), field]),
        Origin::Default => (setting.env.to_owned(), vec![flag.map(|flag| format!("flag {flag}")), field]),
    };
    let others: Vec<_> = others.into_iter().flatten().collect();
    if others.is_empty() { first } else { format!("{first} ({})", others.join(", ")) }
}

/// The value in quotes, cut to what fits a sentence and without the password of a URL.
pub(super) fn quote(value: &str) -> String {
    const MOST: usize = 80;
    let scrubbed = scrub(value);
    let shown: String = scrubbed.chars().take(MOST).collect();
    let rest = if shown.len() < scrubbed.len() { "…" } else { "" };
    format!("{shown:?}{rest}")
}

/// The text without user name and password of a URL.
pub(crate) fn scrub(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => value.to_owned(),
    }
}
