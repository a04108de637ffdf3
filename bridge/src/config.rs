//! What the user typed -> a `Config` whose fields cannot be wrong. Pure.
//!
//! One file per group of settings, each with its types; [`settings`] is the table of them all.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::args::RunArgs;

pub mod credentials;
pub mod event;
pub mod flow;
pub mod integration_source;
pub mod logging;
pub mod observability;
pub mod parse;
pub mod process;
pub mod queue;
pub mod read;
pub mod settings;
pub mod show;
pub mod sink;
pub mod tls;

pub use credentials::{AssumeRole, BaseCredentials, Credentials, Secret};
pub use event::{ContentMode, DataSetting, EventSettings, Format, MessageAttributes, SnsUnwrap, TypeFormat};
pub use flow::{Flow, OnPoison, Profile, Receive};
pub use integration_source::IntegrationSource;
pub use logging::Logging;
pub use observability::{MetricsExport, Observability, TracesExport};
pub use process::Identity;
pub use queue::{Arn, Queue};
pub use read::{ConfigError, Origin};
pub use sink::{BackoffPolicy, Delivery, Sink};
pub use tls::{Tls, TlsVersion};

use read::{Given, Reader};

/// Everything the bridge needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where messages come from.
    pub queue: Queue,
    /// Who we are for AWS.
    pub credentials: Credentials,
    /// Where events go.
    pub sink: Sink,
    /// Where events go that the sink refuses or never takes.
    pub dead_letter_sink: Option<Sink>,
    /// Retries of one POST.
    pub delivery: Delivery,
    /// How messages become events.
    pub event: EventSettings,
    /// How messages are received.
    pub receive: Receive,
    /// How much may be under way at once.
    pub flow: Flow,
    /// What a FIFO lane does with a head that the sink refuses for good.
    pub on_poison: OnPoison,
    /// From SIGTERM to exit, at most. Default 45 s (10 s to 1 h).
    pub drain_timeout: Duration,
    /// What we are called in Kubernetes.
    pub identity: Identity,
    /// Log level and form.
    pub logging: Logging,
    /// Metrics and traces.
    pub observability: Observability,
    /// Where health, readiness and (if configured) metrics are served. Default `:8080`, every address.
    pub health_addr: SocketAddr,
    /// Tokio worker threads; 0: one thread if one CPU is available, else up to 4.
    pub worker_threads: usize,
    /// What was accepted without effect or with a changed value, one sentence each; to be logged once and shown by `check`.
    pub warnings: Vec<String>,
    /// What Knative's IntegrationSource asks for beyond the above; `Some` in compatibility mode.
    pub integration_source: Option<IntegrationSource>,
}

/// The queue that `convert` takes messages to be from when none is named.
pub const PLACEHOLDER_ARN: &str = "arn:aws:sqs:us-east-1:123456789012:queue";

/// Stands for the sink where none is needed; nothing is ever sent there.
pub const NO_SINK: &str = "http://no-sink.invalid/";

/// Environment variables by name; nothing below `main` reads the process's own.
pub trait Strings {
    /// The variable's value. An empty one counts as unset.
    fn get(&self, name: &str) -> Option<String>;
}

impl Strings for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

/// Every setting that is wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// One line per problem.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads every setting: flag, else environment, else default.
    ///
    /// # Errors
    /// All problems at once, each one sentence that names flag, variable and fix.
    pub fn load(args: &RunArgs, env: &impl Strings) -> Result<Self, ConfigErrors> {
        load(Reader::new(args, env), args, None)
    }

    /// Reads every setting like [`Config::load`], for what sends nothing: without a sink it is [`NO_SINK`].
    ///
    /// # Errors
    /// As [`Config::load`], but for a missing sink.
    pub fn load_without_sink(args: &RunArgs, env: &impl Strings) -> Result<Self, ConfigErrors> {
        load(Reader::new(args, env), args, Some(NO_SINK))
    }

    /// Reads what `convert` needs: which queue the messages are said to be from, and how they become events.
    /// Without a queue it is [`PLACEHOLDER_ARN`].
    ///
    /// # Errors
    /// Problems of these settings.
    pub fn load_for_convert(args: &RunArgs, env: &impl Strings) -> Result<(Queue, EventSettings), ConfigErrors> {
        let mut reader = Reader::new(args, env);
        if reader.given(&settings::QUEUE_URL).is_none() {
            let placeholder = Given { value: PLACEHOLDER_ARN.to_owned(), origin: Origin::Default };
            reader.translated.insert(settings::QUEUE_ARN.env, placeholder);
        }
        let queue = queue::read(&mut reader, None);
        let event = event::read(&mut reader);
        queue.zip(event).filter(|_| reader.errors.is_empty()).ok_or(ConfigErrors(reader.errors))
    }

    /// Reads every setting from these variables alone, without flags.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_env_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigErrors> {
        let env: BTreeMap<_, _> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::load(&RunArgs::default(), &env)
    }
}

fn load<E: Strings>(
    mut reader: Reader<E>,
    args: &RunArgs,
    placeholder: Option<&'static str>,
) -> Result<Config, ConfigErrors> {
    let config = read_all(&mut reader, args, placeholder);
    match config {
        Some(config) if reader.errors.is_empty() => Ok(Config { warnings: reader.warnings, ..config }),
        _ => Err(ConfigErrors(reader.errors)),
    }
}

/// Reads every group before it gives up on any, so that all problems are found. `None` only after an error.
fn read_all<E: Strings>(reader: &mut Reader<E>, args: &RunArgs, placeholder: Option<&'static str>) -> Option<Config> {
    let wishes = integration_source::translate(reader);
    let identity = process::read_identity(reader);
    let queue = queue::read(reader, wishes.as_ref());
    let credentials = credentials::read(reader, &identity, wishes.as_ref());
    let sink = sink::read_sink(reader, placeholder);
    let dead_letter_sink = sink::read_dead_letter_sink(reader, sink.as_ref());
    let delivery = sink::read_delivery(reader);
    let event = event::read(reader);
    let receive = flow::read_receive(reader, wishes.as_ref());
    let flow = flow::read_flow(reader);
    let on_poison = flow::read_on_poison(reader, queue.as_ref());
    let drain_timeout = process::read_drain_timeout(reader);
    let no_color = reader.has_variable("NO_COLOR");
    let logging = logging::read(reader, args, &identity.component, no_color);
    let observability = observability::read(reader, &identity.component);
    let health_addr = process::read_health_addr(reader);
    let worker_threads = process::read_worker_threads(reader);
    Some(Config {
        queue: queue?,
        credentials: credentials?,
        sink: sink?,
        dead_letter_sink: dead_letter_sink?,
        delivery: delivery?,
        event: event?,
        receive: receive?,
        flow: flow?,
        on_poison: on_poison?,
        drain_timeout: drain_timeout?,
        identity,
        logging: logging?,
        observability: observability?,
        health_addr: health_addr?,
        worker_threads: worker_threads?,
        warnings: Vec::new(),
        integration_source: wishes.map(|wishes| wishes.source),
    })
}

#[cfg(test)]
mod tests;
