//! Settings -> what does not work, why and what to do: the doctor. I/O: SQS, STS, HTTP, standard output.
//!
//! Probes ask, verdicts judge. No message is received and none deleted.

use std::io::{self, Write};
use std::time::SystemTime;

use serde::Serialize;

use crate::args::{self, RunArgs};
use crate::aws::{self, Clients};
use crate::config::show::{Effective, effective, origin_text};
use crate::config::{Config, ConfigErrors, NO_SINK, Strings};

mod probe;
mod verdict;

pub use probe::CHECK_TYPE;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// It works.
    Ok,
    /// It works, but.
    Warning,
    /// It does not work.
    Failed,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it belongs to: configuration, credentials, queue, attributes, permissions, sink.
    pub category: &'static str,
    /// What was checked; stable.
    pub check: &'static str,
    /// How well it is.
    pub grade: Grade,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// Where to read more.
    pub hint: String,
}

/// Everything that was checked.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The worst grade.
    pub result: Grade,
    /// What was checked, in order.
    pub checks: Vec<Finding>,
    /// Every setting in force.
    pub settings: Vec<ShownSetting>,
}

/// One setting in force, without secrets.
#[derive(Clone, Debug, Serialize)]
pub struct ShownSetting {
    /// Its environment variable.
    pub env: &'static str,
    /// Its value.
    pub value: String,
    /// Who gave it.
    pub origin: String,
}

const README: &str = "https://github.com/knative-extensions/sqs-bridge/blob/main/bridge/README.md";

impl Finding {
    fn new(category: &'static str, check: &'static str, grade: Grade, message: String, fix: Option<String>) -> Self {
        Self { category, check, grade, message, fix, hint: format!("{README}#check-{category}") }
    }

    fn ok(category: &'static str, check: &'static str, message: String) -> Self {
        Self::new(category, check, Grade::Ok, message, None)
    }

    fn warning(category: &'static str, check: &'static str, message: String, fix: impl Into<String>) -> Self {
        Self::new(category, check, Grade::Warning, message, Some(fix.into()))
    }

    fn failed(category: &'static str, check: &'static str, message: String, fix: impl Into<String>) -> Self {
        Self::new(category, check, Grade::Failed, message, Some(fix.into()))
    }
}

/// Checks everything. Wrong settings end it; if all that is wrong is that there is no sink, the rest is checked.
///
/// # Errors
/// Wrong settings, which are in the report too.
pub async fn check(settings: &RunArgs, env: &impl Strings, options: args::Check) -> (Report, Result<(), ConfigErrors>) {
    let loaded = Config::load(settings, env);
    let mut checks = loaded.as_ref().err().map(configuration_errors).unwrap_or_default();
    if let Ok(config) = Config::load_without_sink(settings, env) {
        checks.extend(check_all(&config, options).await);
    }
    let result = checks.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Ok);
    let shown = effective(settings, env).into_iter().map(ShownSetting::from).collect();
    (Report { result, checks, settings: shown }, loaded.map(drop))
}

async fn check_all(config: &Config, options: args::Check) -> Vec<Finding> {
    let mut checks = Vec::new();
    if config.sink.url.as_str() != NO_SINK {
        checks.extend(configuration(config));
    }
    match aws::connect(config).await {
        Ok(clients) => checks.extend(check_aws(config, &clients).await),
        Err(error) => checks.push(Finding::failed("credentials", "provider", error.to_string(), "see the settings")),
    }
    checks.extend(check_sinks(config, options).await);
    checks
}

fn configuration(config: &Config) -> Vec<Finding> {
    let valid = Finding::ok("configuration", "valid", format!("settings are valid, queue {}", config.queue.arn));
    let ignored = config.warnings.iter().map(|warning| {
        Finding::warning("configuration", "effect", warning.clone(), "remove the setting or correct it")
    });
    std::iter::once(valid).chain(ignored).collect()
}

fn configuration_errors(errors: &ConfigErrors) -> Vec<Finding> {
    let finding = |error: &crate::config::ConfigError| {
        let (cause, fix) = error.message.rsplit_once(": ").unwrap_or((&error.message, "see the table of settings"));
        Finding::failed("configuration", "valid", cause.to_owned(), fix)
    };
    errors.0.iter().map(finding).collect()
}

/// Each answer decides whether the next question makes sense.
async fn check_aws(config: &Config, clients: &Clients) -> Vec<Finding> {
    let queue = &config.queue;
    let loaded = clients.identity.load().await.map(|credentials| credentials.expiry());
    let mut checks = vec![verdict::credentials(&clients.identity.describe(), &loaded, SystemTime::now(), queue)];
    if loaded.is_err() {
        return checks;
    }
    let caller = probe::caller(clients).await;
    checks.push(verdict::caller(&caller, queue));
    let caller = caller.ok().map(|caller| caller.arn);
    let caller = caller.as_deref();
    let url = aws::resolve_queue_url(clients, queue).await;
    let Ok(queue_url) = &url else {
        checks.push(verdict::exists(&url, queue, caller));
        return checks;
    };
    match probe::attributes(clients, queue_url).await {
        Ok(attributes) => {
            checks.push(verdict::exists(&url, queue, caller));
            checks.extend(verdict::attributes(&attributes, queue));
        }
        Err(fault) => {
            let finding = verdict::unreadable(&fault, queue, caller);
            let end = finding.grade == Grade::Failed;
            checks.push(finding);
            if end {
                return checks;
            }
        }
    }
    checks.push(verdict::delete(&probe::delete(clients, queue_url).await, queue, caller));
    checks.push(verdict::extend(&probe::extend(clients, queue_url).await, queue, caller, &config.sink));
    checks
}

async fn check_sinks(config: &Config, options: args::Check) -> Vec<Finding> {
    let mut checks = Vec::new();
    let url = &config.sink.url;
    if url.as_str() == NO_SINK {
        return checks;
    }
    match probe::sink(config, &config.sink, false) {
        Ok(sink) => {
            let reachable = verdict::reachable("reachable", &probe::reach(&sink).await, url);
            let sends = options.send && reachable.grade != Grade::Failed;
            checks.push(reachable);
            if sends {
                checks.push(verdict::sent(&probe::send(&sink, config).await, url));
            }
        }
        Err(error) => checks.push(verdict::unusable("reachable", error)),
    }
    if let Some(dead_letter_sink) = &config.dead_letter_sink {
        checks.push(match probe::sink(config, dead_letter_sink, true) {
            Ok(sink) => verdict::reachable("dead-letter", &probe::reach(&sink).await, &dead_letter_sink.url),
            Err(error) => verdict::unusable("dead-letter", error),
        });
    }
    checks
}

impl From<Effective> for ShownSetting {
    fn from(Effective { setting, value, origin }: Effective) -> Self {
        Self { env: setting.env, value, origin: origin_text(setting, &origin) }
    }
}

impl Report {
    /// Prints the report as JSON.
    ///
    /// # Errors
    /// Only if `out` cannot be written to.
    pub fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// Prints the report for people: the settings that were given, then one line per check.
    ///
    /// # Errors
    /// Only if `out` cannot be written to.
    pub fn print_text(&self, out: &mut impl Write) -> io::Result<()> {
        let mut category = "";
        for finding in &self.checks {
            if category != finding.category {
                category = finding.category;
                writeln!(out, "{category}")?;
                if category == "configuration" {
                    self.print_settings(out)?;
                }
            }
            print_finding(finding, out)?;
        }
        let count = |grade| self.checks.iter().filter(|finding| finding.grade == grade).count();
        writeln!(out, "{} failed, {} warnings", count(Grade::Failed), count(Grade::Warning))
    }

    fn print_settings(&self, out: &mut impl Write) -> io::Result<()> {
        for ShownSetting { env, value, origin } in self.settings.iter().filter(|setting| setting.origin != "default") {
            let value: String = value.split_whitespace().collect::<Vec<_>>().join(" ");
            writeln!(out, "    {env} = {value} ({origin})")?;
        }
        Ok(())
    }
}

fn print_finding(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let sign = match finding.grade {
        Grade::Ok => "√",
        Grade::Warning => "‼",
        Grade::Failed => "×",
    };
    writeln!(out, "{sign} {}", finding.message)?;
    if let Some(fix) = &finding.fix {
        writeln!(out, "    {fix}")?;
        writeln!(out, "    see {}", finding.hint)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
