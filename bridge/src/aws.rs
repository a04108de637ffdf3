//! The checked settings -> AWS clients that never hang, and their errors -> `Fault`. I/O: SQS, STS, credential files.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{IdentityCache, StalledStreamProtectionConfig};
use aws_sdk_sqs::types::QueueAttributeName;
use url::Url;

pub mod fault;
pub mod identity;
mod source;

pub use fault::fault;
pub use identity::Identity;

use crate::config::flow::POLL_GRACE;
use crate::config::{Config, Credentials, Queue};
use crate::fault::Fault;

/// The clients of one source. Receives and everything else have separate connections and retry budgets, so that
/// failing or waiting receives never hold up a delete.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Long polls: no retries of the SDK, each call ends at most 5 s after its wait time.
    pub receive: aws_sdk_sqs::Client,
    /// Deletes, visibility changes, queue attributes: three attempts of at most 3 s, 10 s in all.
    pub control: aws_sdk_sqs::Client,
    /// Token service of the region, signing with `identity`; for `check`.
    pub sts: aws_sdk_sts::Client,
    /// What signs every request.
    pub identity: Identity,
}

/// The AWS clients could not be built.
#[derive(Debug)]
pub struct ConnectError {
    /// What was wrong.
    pub fault: Fault,
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot set up the AWS clients: {}", self.fault.message)
    }
}

impl std::error::Error for ConnectError {}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const CONTROL_ATTEMPT: Duration = Duration::from_secs(3);
const CONTROL_OPERATION: Duration = Duration::from_secs(10);

/// Builds the clients; asks AWS nothing yet. [`Identity::load`] then tells whether there are credentials.
///
/// Neither `AWS_MAX_ATTEMPTS` nor any other variable changes how often or how long calls are tried.
///
/// # Errors
/// None at present: what is wrong with credentials shows with the first call.
pub async fn connect(config: &Config) -> Result<Clients, ConnectError> {
    let base = sdk_config(&config.queue.region).await;
    let identity =
        Identity::new(source::Source::new(&config.credentials, &base, sts_builder(&base, &config.credentials)).await);
    let receive = sqs_builder(&base, &config.queue, &identity)
        .retry_config(RetryConfig::disabled())
        .retry_partition(RetryPartition::custom("receive").build())
        .timeout_config(receive_timeouts(config.receive.wait_time));
    let control = sqs_builder(&base, &config.queue, &identity)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .retry_partition(RetryPartition::custom("control").build())
        .timeout_config(control_timeouts());
    let sts = sts_builder(&base, &config.credentials).credentials_provider(identity.clone());
    Ok(Clients {
        receive: aws_sdk_sqs::Client::from_conf(receive.build()),
        control: aws_sdk_sqs::Client::from_conf(control.build()),
        sts: aws_sdk_sts::Client::from_conf(sts.build()),
        identity,
    })
}

/// The URL that names the queue in every call: as given, else asked for by name in the account of the ARN.
/// A queue that does not exist is created where IntegrationSource asks for that.
///
/// # Errors
/// What GetQueueUrl or CreateQueue came to; explain it as `sqs:GetQueueUrl`.
pub async fn resolve_queue_url(clients: &Clients, queue: &Queue) -> Result<String, Fault> {
    if let Some(url) = &queue.url {
        return Ok(url.to_string());
    }
    match queue_url_by_name(clients, queue).await {
        Err(fault) if queue.create_missing && crate::fault::is_missing_queue(&fault.code) => {
            create_queue(clients, queue).await
        }
        answer => answer,
    }
}

async fn queue_url_by_name(clients: &Clients, queue: &Queue) -> Result<String, Fault> {
    // Finding credentials may take longer than one attempt of a call.
    clients.identity.load().await?;
    let account = Some(queue.arn.account.clone()).filter(|account| !account.is_empty());
    let request = clients.control.get_queue_url().queue_name(&queue.arn.name).set_queue_owner_aws_account_id(account);
    let answer = request.send().await.map_err(|error| fault(&error))?;
    answer.queue_url.ok_or_else(|| fault::malformed("GetQueueUrl answered without a URL"))
}

async fn create_queue(clients: &Clients, queue: &Queue) -> Result<String, Fault> {
    let fifo = queue.is_fifo().then(|| [(QueueAttributeName::FifoQueue, "true".to_owned())].into());
    let request = clients.control.create_queue().queue_name(&queue.arn.name).set_attributes(fifo);
    let answer = request.send().await.map_err(|error| fault(&error))?;
    answer.queue_url.ok_or_else(|| fault::malformed("CreateQueue answered without a URL"))
}

/// What all clients share: region, FIPS and dual-stack wishes of the environment, a name in the user agent.
async fn sdk_config(region: &str) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .no_credentials()
        .retry_config(RetryConfig::disabled());
    match AppName::new("sqs-bridge") {
        Ok(name) => loader.app_name(name).load().await,
        Err(_) => loader.load().await,
    }
}

/// SQS of the region or the endpoint; `AWS_ENDPOINT_URL` had its say when the settings were read.
fn sqs_builder(base: &SdkConfig, queue: &Queue, identity: &Identity) -> aws_sdk_sqs::config::Builder {
    let mut builder = aws_sdk_sqs::config::Builder::from(base);
    builder.set_endpoint_url(queue.endpoint.as_ref().map(Url::to_string));
    builder
        .identity_cache(IdentityCache::no_cache())
        .credentials_provider(identity.clone())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// STS of the region. The endpoint of SQS never applies to it.
fn sts_builder(base: &SdkConfig, credentials: &Credentials) -> aws_sdk_sts::config::Builder {
    let mut builder = aws_sdk_sts::config::Builder::from(base);
    builder.set_endpoint_url(credentials.sts_endpoint.as_ref().map(Url::to_string));
    builder
        .identity_cache(aws_sdk_sts::config::IdentityCache::no_cache())
        .stalled_stream_protection(aws_sdk_sts::config::StalledStreamProtectionConfig::disabled())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .retry_partition(RetryPartition::custom("sts").build())
        .timeout_config(control_timeouts())
}

fn receive_timeouts(wait_time: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(wait_time + POLL_GRACE).build()
}

fn control_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(CONTROL_ATTEMPT)
        .operation_timeout(CONTROL_OPERATION)
        .build()
}
