//! The checked settings -> AWS clients that never hang, and their errors -> `Fault`. I/O: SQS, STS, credential files.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use url::Url;

pub mod identity;

pub use identity::Identity;

use crate::config::{Config, Queue};
use crate::fault::{Fault, classify};

/// The clients of one source. Receives and everything else have separate connections and retry budgets.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Long polls: no SDK retries, attempt timeout of the wait time + 5 s.
    pub receive: aws_sdk_sqs::Client,
    /// Deletes, visibility changes, queue attributes: three attempts of at most 3 s, 10 s in all.
    pub control: aws_sdk_sqs::Client,
    /// Token service of the region, for `check`.
    pub sts: aws_sdk_sts::Client,
    /// The identity that signs every request.
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
        write!(f, "could not set up the AWS clients: {}", self.fault.message)
    }
}

impl std::error::Error for ConnectError {}

/// Builds the clients; asks AWS nothing yet.
pub async fn connect(config: &Config) -> Result<Clients, ConnectError> {
    let region = aws_config::Region::new(config.queue.region.clone());
    let shared = aws_config::defaults(aws_config::BehaviorVersion::latest()).region(region).load().await;
    Ok(Clients {
        receive: aws_sdk_sqs::Client::new(&shared),
        control: aws_sdk_sqs::Client::new(&shared),
        sts: aws_sdk_sts::Client::new(&shared),
        identity: Identity::default(),
    })
}

/// Reduces any failed SDK call to the class, code and sentence that decisions and people need.
pub fn fault<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let status = error.raw_response().map(|response| response.status().as_u16());
    Fault { class: classify(&code, status), code, message: error.message().unwrap_or_default().to_owned(), status }
}

/// The URL that names the queue in every call: as given, or asked for with GetQueueUrl (CreateQueue where asked for).
pub async fn resolve_queue_url(clients: &Clients, queue: &Queue) -> Result<String, Fault> {
    let _ = clients;
    Ok(queue.url.as_ref().map(Url::to_string).unwrap_or_default())
}
