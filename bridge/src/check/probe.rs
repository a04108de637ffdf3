//! One question to AWS or a sink -> its answer, not yet judged. I/O: SQS, STS, HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use aws_sdk_sqs::types::QueueAttributeName;

use crate::aws::{self, Clients};
use crate::config::{self, Config, MetricsExport, Observability, TracesExport};
use crate::event::{Data, Event, timestamp};
use crate::fault::Fault;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::outcome::Answer;
use crate::sink::{Sink, Trial};

/// Who signs the calls, by STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account of the identity.
    pub account: String,
    /// Its ARN.
    pub arn: String,
}

/// What the queue says of itself, by the names of AWS.
pub type Attributes = BTreeMap<String, String>;

/// A handle that no receive ever gave out: SQS checks the caller's permission before it looks at the handle.
const NO_HANDLE: &str = "sqs-bridge-check";

/// Asks STS who the caller is, for which nobody needs a permission.
pub async fn caller(clients: &Clients) -> Result<Caller, Fault> {
    let answer = clients.sts.get_caller_identity().send().await.map_err(|error| aws::fault(&error))?;
    Ok(Caller { account: answer.account.unwrap_or_default(), arn: answer.arn.unwrap_or_default() })
}

/// All attributes of the queue.
pub async fn attributes(clients: &Clients, queue_url: &str) -> Result<Attributes, Fault> {
    let request = clients.control.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::All);
    let answer = request.send().await.map_err(|error| aws::fault(&error))?;
    let attributes = answer.attributes.unwrap_or_default();
    Ok(attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect())
}

/// Tries to delete with a handle that is none.
pub async fn delete(clients: &Clients, queue_url: &str) -> Result<(), Fault> {
    let request = clients.control.delete_message().queue_url(queue_url).receipt_handle(NO_HANDLE);
    request.send().await.map(drop).map_err(|error| aws::fault(&error))
}

/// Tries to extend with a handle that is none.
pub async fn extend(clients: &Clients, queue_url: &str) -> Result<(), Fault> {
    let request = clients.control.change_message_visibility().queue_url(queue_url).receipt_handle(NO_HANDLE);
    request.visibility_timeout(30).send().await.map(drop).map_err(|error| aws::fault(&error))
}

/// The client of a sink, as the bridge makes it, or why it cannot be made.
pub fn sink(config: &Config, settings: &config::Sink, dead_letter: bool) -> Result<Sink, String> {
    // Nothing is exported of a check.
    let observability =
        Observability { metrics: MetricsExport::None, traces: TracesExport::None, ..config.observability.clone() };
    let metrics = Metrics::start(&observability, &config.identity, &config.queue.arn.name);
    let metrics = metrics.map_err(|error| error.to_string())?;
    let health = Arc::new(Health::new(config.receive.wait_time, config.sink.timeout, Instant::now()));
    let compat = config.integration_source.as_ref();
    let make = if dead_letter { Sink::dead_letter } else { Sink::new };
    make(settings, &config.identity, compat, metrics, health).map_err(|error| error.to_string())
}

/// Asks the sink something that changes nothing.
pub async fn reach(sink: &Sink) -> Answer {
    sink.reach().await
}

/// Sends the check event.
pub async fn send(sink: &Sink, config: &Config) -> Trial {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let event = check_event(&config.queue.arn.to_string(), i64::try_from(now).unwrap_or_default(), fastrand::u64(..));
    sink.try_out(&event.encode(config.event.content_mode)).await
}

/// An event that says what it is; it goes through the content mode of the settings, but through no format.
fn check_event(source: &str, now_ms: i64, nonce: u64) -> Event {
    let data = Data::json(bytes::Bytes::from_static(br#"{"message":"sqs-bridge check --send"}"#));
    Event::new(format!("check-{nonce:016x}"), source.to_owned(), CHECK_TYPE, timestamp::from_millis(now_ms))
        .with_data("application/json", data)
}

/// Type of the event that `check --send` sends.
pub const CHECK_TYPE: &str = "com.amazonaws.sqs.bridge-check";
