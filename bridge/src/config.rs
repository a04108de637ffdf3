//! What the user typed -> a `Config` whose fields cannot be wrong. Pure.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::args::RunArgs;

/// Environment variables by name; nothing below `main` reads the process's own.
pub trait Strings {
    /// The variable's value; empty counts as unset.
    fn get(&self, name: &str) -> Option<String>;
}

impl Strings for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).filter(|value| !value.is_empty()).cloned()
    }
}

/// Every setting that is wrong or missing, one sentence each.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<String>);

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads every setting: flag, else environment, else default. Reports all problems at once.
    pub fn load(args: &RunArgs, env: &impl Strings) -> Result<Self, ConfigErrors> {
        let _ = (args, env.get("AWS_SQS_URL"));
        Err(ConfigErrors(vec!["settings are not read yet".to_owned()]))
    }

    /// Reads every setting from these variables alone, without flags.
    pub fn from_env_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigErrors> {
        let env: BTreeMap<_, _> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::load(&RunArgs::default(), &env)
    }
}

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
    /// Where health, readiness and (if configured) metrics are served. Default `0.0.0.0:8080`.
    pub health_addr: SocketAddr,
    /// Tokio worker threads; 0: one thread if one CPU is available, else up to 4.
    pub worker_threads: usize,
    /// What Knative's IntegrationSource asks for beyond the above; `Some` in compatibility mode.
    pub integration_source: Option<IntegrationSource>,
}

/// The queue and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The queue's URL, as given; absent when only an ARN or a name was given (then GetQueueUrl is asked).
    pub url: Option<Url>,
    /// The queue's ARN: as given, or put together from URL and region.
    pub arn: Arn,
    /// True if the account in `arn` is certain (false: an ARN with an empty account, or a foreign URL).
    pub account_known: bool,
    /// Signing region of SQS and STS.
    pub region: String,
    /// SQS endpoint, if not the public one of the region. Never used for STS.
    pub endpoint: Option<Url>,
    /// CreateQueue when it does not exist (IntegrationSource's AUTOCREATEQUEUE only).
    pub create_missing: bool,
    /// False: accepted messages are never deleted (IntegrationSource's DELETEAFTERREAD=false only).
    pub delete_accepted: bool,
}

impl Queue {
    /// FIFO iff the queue's name ends in `.fifo` (AWS's own rule).
    pub fn is_fifo(&self) -> bool {
        self.arn.name.ends_with(".fifo")
    }
}

/// The ARN of an SQS queue, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The region, such as `eu-north-1`.
    pub region: String,
    /// Twelve digits, or empty when unknown.
    pub account: String,
    /// The queue's name.
    pub name: String,
}

impl std::fmt::Display for Arn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { partition, region, account, name } = self;
        write!(f, "arn:{partition}:sqs:{region}:{account}:{name}")
    }
}

/// Where AWS credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The base identity.
    pub base: BaseCredentials,
    /// A role to assume on top of it.
    pub assume_role: Option<AssumeRole>,
}

/// The identity that is used, or that assumes a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseCredentials {
    /// The SDK's own chain: env, profile files, web identity, container credentials, IMDS.
    DefaultChain,
    /// Profile `default` of this shared-credentials file only, re-read when it changes.
    SharedFile {
        /// `AWS_APPLICATION_CREDENTIALS`.
        path: PathBuf,
        /// Fall back to the default chain if the file is missing.
        optional: bool,
    },
    /// Files `accessKeyId`, `secretAccessKey`, `sessionToken` (optional) in this folder, re-read when they change.
    KeyFiles {
        /// `BRIDGE_KEYS_DIR`.
        dir: PathBuf,
    },
    /// Keys given in the environment of IntegrationSource's container.
    Static {
        /// `CAMEL_KAMELET_AWS_SQS_SOURCE_ACCESSKEY`.
        access_key_id: String,
        /// `CAMEL_KAMELET_AWS_SQS_SOURCE_SECRETKEY`.
        secret_access_key: Secret,
    },
}

/// A string that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// STS AssumeRole on top of the base identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Shown in CloudTrail; default `<namespace>.<name>` cut to 64 characters.
    pub session_name: String,
}

/// One HTTP destination of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Where to POST; http or https.
    pub url: Url,
    /// PEM certificates trusted beside the system's and `/knative-custom-certs/*`.
    pub ca_certs: Option<String>,
    /// OIDC audience of the destination.
    pub audience: Option<String>,
    /// ServiceAccount whose token is requested; only used with an audience.
    pub oidc_service_account: Option<String>,
    /// Folder of files that become request headers (`BRIDGE_SINK_HEADERS_DIR`); never for the dead-letter sink.
    pub headers_dir: Option<PathBuf>,
    /// Limit of one POST. Default 310 s (1 s to 11 h).
    pub timeout: Duration,
    /// Which TLS is spoken.
    pub tls: Tls,
    /// The Kubernetes API server that makes tokens for `audience`:
    /// `https://KUBERNETES_SERVICE_HOST:KUBERNETES_SERVICE_PORT`; absent outside a cluster.
    pub token_server: Option<Url>,
}

/// Which TLS is spoken with sinks: Knative's `TLS_*` variables, spelled as Go spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// `TLS_MIN_VERSION`: `1.2` or `1.3`. Default 1.3.
    pub min_version: TlsVersion,
    /// `TLS_MAX_VERSION`: `1.2` or `1.3`. Default 1.3.
    pub max_version: TlsVersion,
    /// `TLS_CIPHER_SUITES`, comma-separated, such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; only chooses among
    /// those of TLS 1.2, as in Go. Empty: all that are safe.
    pub cipher_suites: Vec<String>,
    /// `TLS_CURVE_PREFERENCES`, comma-separated, best first: `X25519MLKEM768`, `X25519`, `CurveP256` (`P256`),
    /// `CurveP384`. Empty: the TLS library's own order.
    pub curve_preferences: Vec<String>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    V12,
    /// RFC 8446.
    #[default]
    V13,
}

/// Retries of one POST while its message is leased (Knative's DeliverySpec arithmetic).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Retries after the first attempt, as the user set them; `None`: not set, 3 (0 to 100).
    /// Set, and with a dead-letter sink: an exhausted event goes there.
    pub retry: Option<u32>,
    /// How waits grow. Default exponential.
    pub backoff_policy: BackoffPolicy,
    /// The first wait. Default 200 ms (at most 5 min).
    pub backoff_delay: Duration,
    /// Longest wait that a `Retry-After` of 429 or 503 can ask for. Default 30 s (at most 15 min); zero ignores the header.
    pub retry_after_max: Duration,
}

/// How waits between attempts grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackoffPolicy {
    /// delay × 2^i for retry i = 0, 1, …
    Exponential,
    /// delay × i: the first retry at once.
    Linear,
}

/// How messages become events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// Recognition, or one of the compatibility profiles.
    pub format: Format,
    /// HTTP content mode.
    pub content_mode: ContentMode,
    /// What of the message is the event's data.
    pub data: DataSetting,
    /// How the detail-type of an EventBridge event becomes a CloudEvents type.
    pub type_format: TypeFormat,
    /// Whether a known event inside an SNS envelope is unwrapped.
    pub sns_unwrap: SnsUnwrap,
    /// Which message attributes become extensions.
    pub message_attributes: MessageAttributes,
    /// `K_CE_OVERRIDES`: extensions set on every event, names in lower case.
    pub overrides: BTreeMap<String, String>,
}

/// Recognition and mapping as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Recognise each message.
    #[default]
    Auto,
    /// As knative-extensions/eventing-awssqs, byte for byte.
    EventingAwssqs,
    /// As triggermesh/triggermesh.
    TriggerMesh,
    /// EventBridge's own attributes.
    Aws,
    /// As Knative's IntegrationSource.
    IntegrationSource,
}

/// HTTP content mode of a POST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentMode {
    /// Binary when every attribute survives every receiver, else structured.
    #[default]
    Auto,
    /// Always binary, percent-encoded where the specification says so.
    Binary,
    /// Always structured.
    Structured,
}

/// What of the message is the event's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataSetting {
    /// The whole event.
    #[default]
    Event,
    /// The `detail` of an EventBridge event.
    Detail,
    /// The message as ReceiveMessage JSON, without its receipt handle.
    Envelope,
}

/// How the detail-type of an EventBridge event becomes a CloudEvents type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TypeFormat {
    /// `com.amazonaws.ec2.EC2InstanceStateChangeNotification`.
    #[default]
    Slug,
    /// `EC2 Instance State-change Notification`.
    DetailType,
}

/// Whether a known event inside an SNS envelope is unwrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnsUnwrap {
    /// A recognised inner event is delivered as itself.
    #[default]
    Auto,
    /// The envelope is the event.
    Never,
}

/// Which message attributes become extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MessageAttributes {
    /// All of them.
    #[default]
    All,
    /// These: exact names, or prefixes ending in `.*`.
    Named(Vec<String>),
    /// None.
    None,
}

/// How messages are received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    /// Preset of least pollers and batch window. Default balanced.
    pub profile: Profile,
    /// `WaitTimeSeconds` of a long poll, whole seconds. Default 20 s (1 to 20).
    pub wait_time: Duration,
    /// `MaxNumberOfMessages`, an upper bound. Default 10 (1 to 10).
    pub max_messages: u32,
    /// ReceiveMessage calls at once, at most. Default 16 (1 to 64).
    pub max_pollers: u32,
    /// `VisibilityTimeout`, whole seconds. Default 30 s (10 s to 12 h); more than `wait_time` + 5 s.
    pub visibility_timeout: Duration,
}

/// Preset of least pollers and batch window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// One poller at least, no batch window.
    #[default]
    Balanced,
    /// Two pollers at least.
    Latency,
    /// A batch window of 500 ms: fewer, fuller receives.
    Cost,
}

/// How much may be under way at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Messages received and not yet settled. Default 1,024 (1 to 20,000).
    pub max_in_flight: u32,
    /// Bytes of the same. Default 64 MiB (at least 12 MiB).
    pub max_in_flight_bytes: u64,
    /// POSTs at once. Default 128 (1 to 1,024).
    pub max_concurrency: u32,
    /// Events per second to the sink. Default: no limit.
    pub max_rate: Option<f64>,
}

/// What a FIFO lane does with a head that the sink refuses for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPoison {
    /// Hold the lane until SQS moves the message to the dead-letter queue.
    #[default]
    Block,
    /// Send the head to the dead-letter sink and go on.
    Skip,
}

/// What we are called in Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `NAMESPACE`: sent as `Kn-Namespace`, and where tokens are requested.
    pub namespace: Option<String>,
    /// `NAME` of the source; default `adapter`.
    pub name: String,
    /// `POD_NAME`.
    pub pod_name: Option<String>,
    /// `K_COMPONENT`; default `awssqssource`.
    pub component: String,
    /// `K_RESOURCE_GROUP`; default `adapter.sources.knative.dev`.
    pub resource_group: String,
}

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

/// Metrics and traces (`K_OBSERVABILITY_CONFIG`).
#[derive(Clone, Debug, PartialEq)]
pub struct Observability {
    /// Where metrics go.
    pub metrics: MetricsExport,
    /// Where traces go.
    pub traces: TracesExport,
    /// Share of traces kept, 0 to 1.
    pub sampling_rate: f64,
    /// Kubernetes Events `SinkSendFailed` on the source object.
    pub sink_event_error_reporting: bool,
}

/// Where metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsExport {
    /// Nowhere but `/metrics` of the health address.
    None,
    /// A Prometheus page at this address, beside the health address. Default `0.0.0.0:9092`.
    Prometheus(SocketAddr),
    /// OTLP over HTTP with protobuf.
    OtlpHttp {
        /// The full URL of the collector.
        endpoint: String,
        /// Between two exports. Default 60 s.
        interval: Duration,
    },
    /// OTLP over gRPC.
    OtlpGrpc {
        /// The collector, `http://host:4317`.
        endpoint: String,
        /// Between two exports. Default 60 s.
        interval: Duration,
    },
}

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TracesExport {
    /// Nowhere.
    None,
    /// One line per span on standard output.
    Stdout,
    /// OTLP over HTTP with protobuf.
    OtlpHttp(String),
    /// OTLP over gRPC.
    OtlpGrpc(String),
}

/// What Knative's IntegrationSource asks for beyond the common settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrationSource {
    /// `CAMEL_KNATIVE_CLIENT_SSL_CERT_PATH`, if SSL is enabled; the file may be missing.
    pub ca_file: Option<PathBuf>,
    /// `CAMEL_KNATIVE_CLIENT_OIDC_TOKEN_PATH`, if OIDC is enabled.
    pub token_file: Option<PathBuf>,
}
