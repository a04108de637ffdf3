//! The table of all settings: field, environment variable, flag, default and help of each, in one place. Pure.
//!
//! Flags, `--help`, the table in the README, `--print-config` and every error message are made from it.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Field of `AwsSqsSource.spec` that the controller turns into the variable; empty if there is none.
    pub field: &'static str,
    /// Environment variable.
    pub env: &'static str,
    /// Variable that is read when `env` is unset; empty if there is none.
    pub fallback_env: &'static str,
    /// Flag without its dashes; empty if there is none.
    pub flag: &'static str,
    /// What kind of value is expected, for `--help`.
    pub value: &'static str,
    /// The default, in the form that could be typed; empty if there is none.
    pub default: &'static str,
    /// What happens without a value, where `default` is empty.
    pub otherwise: &'static str,
    /// What the setting does.
    pub help: &'static str,
    /// The value is never shown.
    pub secret: bool,
}

impl Setting {
    const fn new(field: &'static str, env: &'static str, flag: &'static str, value: &'static str) -> Self {
        Self { field, env, flag, value, fallback_env: "", default: "", otherwise: "none", help: "", secret: false }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    const fn otherwise(self, otherwise: &'static str) -> Self {
        Self { otherwise, ..self }
    }

    const fn fallback(self, fallback_env: &'static str) -> Self {
        Self { fallback_env, ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// Default as shown to people.
    pub fn shown_default(&self) -> &'static str {
        if self.default.is_empty() { self.otherwise } else { self.default }
    }
}

macro_rules! settings {
    ($($group:literal { $($name:ident = $setting:expr;)+ })+) => {
        $($(
            #[doc = concat!("Setting of the group \"", $group, "\"; its `help` says what it does.")]
            pub static $name: Setting = $setting;
        )+)+

        /// Every setting under the heading of its group, in the order of the documentation.
        pub static GROUPS: &[(&str, &[&Setting])] = &[$(($group, &[$(&$name),+])),+];
    };
}

/// Every setting, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|(_, settings)| settings.iter().copied())
}

settings! {
    "Queue" {
        QUEUE_URL = Setting::new("queueUrl", "AWS_SQS_URL", "queue-url", "URL")
            .otherwise("this or the ARN is required")
            .help("Queue to drain, by URL; used in every call as it is");
        QUEUE_ARN = Setting::new("queueArn", "AWS_SQS_ARN", "queue-arn", "ARN")
            .otherwise("this or the URL is required")
            .help("Queue to drain, by ARN; its URL is asked for with GetQueueUrl in the ARN's account");
        REGION = Setting::new("region", "AWS_REGION", "region", "REGION")
            .otherwise("from the ARN, else the URL")
            .help("Region of SQS and STS; the variable gives way to the region of an ARN or of an AWS host name");
        ENDPOINT_URL = Setting::new("endpointUrl", "AWS_ENDPOINT_URL_SQS", "endpoint-url", "URL")
            .fallback("AWS_ENDPOINT_URL")
            .otherwise("AWS's own; the URL's host if that is not AWS's")
            .help("SQS endpoint: a VPC endpoint or an emulator; never used for STS");
    }
    "AWS credentials" {
        CREDENTIALS_FILE = Setting::new("awsCredsSecret", "AWS_APPLICATION_CREDENTIALS", "aws-credentials-file", "FILE")
            .help("Shared-credentials file of which profile default is used and nothing else; re-read when it changes");
        CREDENTIALS_OPTIONAL = Setting::new("awsCredsSecret.optional", "BRIDGE_CREDENTIALS_OPTIONAL", "", "BOOL")
            .default("false")
            .help("Use the default credentials chain while that file is missing");
        KEYS_DIR = Setting::new("auth.secret", "BRIDGE_KEYS_DIR", "", "DIR")
            .help("Folder with files accessKeyId, secretAccessKey and perhaps sessionToken; re-read when they change");
        ASSUME_ROLE_ARN = Setting::new("auth.assumeRole.roleArn", "BRIDGE_ASSUME_ROLE_ROLE_ARN", "assume-role-role-arn", "ARN")
            .help("Role to assume on top of whatever credentials there are");
        ASSUME_ROLE_EXTERNAL_ID = Setting::new("auth.assumeRole.externalId", "BRIDGE_ASSUME_ROLE_EXTERNAL_ID", "assume-role-external-id", "ID")
            .help("External id that the role's trust policy asks for");
        ASSUME_ROLE_SESSION_NAME = Setting::new("auth.assumeRole.sessionName", "BRIDGE_ASSUME_ROLE_SESSION_NAME", "assume-role-session-name", "NAME")
            .otherwise("<namespace>.<name>, cut to 64 characters")
            .help("Session name that CloudTrail shows");
        ACCESS_KEY_ID = Setting::new("", "AWS_ACCESS_KEY_ID", "", "KEY").secret()
            .otherwise("the rest of the SDK's default chain")
            .help("Static keys, with the next two");
        SECRET_ACCESS_KEY = Setting::new("", "AWS_SECRET_ACCESS_KEY", "", "KEY").secret()
            .help("Secret of the key");
        SESSION_TOKEN = Setting::new("", "AWS_SESSION_TOKEN", "", "TOKEN").secret()
            .help("Token of temporary keys");
        WEB_IDENTITY_TOKEN_FILE = Setting::new("auth.webIdentity", "AWS_WEB_IDENTITY_TOKEN_FILE", "", "FILE")
            .help("Token for AssumeRoleWithWebIdentity, re-read for each call; also set by the webhook of EKS (IRSA)");
        WEB_IDENTITY_ROLE_ARN = Setting::new("auth.webIdentity.roleArn", "AWS_ROLE_ARN", "", "ARN")
            .help("Role of the web identity");
        WEB_IDENTITY_SESSION_NAME = Setting::new("", "AWS_ROLE_SESSION_NAME", "", "NAME")
            .otherwise("<namespace>.<name>, cut to 64 characters")
            .help("Session name of the web identity");
        STS_ENDPOINT_URL = Setting::new("", "AWS_ENDPOINT_URL_STS", "", "URL")
            .otherwise("AWS's own of the region")
            .help("STS endpoint, for emulators");
    }
    "Sink" {
        SINK = Setting::new("sink", "K_SINK", "sink", "URL")
            .otherwise("required")
            .help("Where events are POSTed");
        CE_OVERRIDES = Setting::new("ceOverrides", "K_CE_OVERRIDES", "ce-overrides", "JSON")
            .help("Attributes set on every event: {\"extensions\":{\"name\":\"value\"}}");
        SINK_HEADERS_DIR = Setting::new("sinkHeadersSecret", "BRIDGE_SINK_HEADERS_DIR", "sink-headers-dir", "DIR")
            .help("Folder of files, each a header of every POST to the sink; re-read when they change");
        CA_CERTS = Setting::new("sink.CACerts", "K_CA_CERTS", "ca-certs", "PEM")
            .help("Certificates trusted beside the system's and those under /knative-custom-certs");
        AUDIENCE = Setting::new("sink.audience", "K_AUDIENCE", "audience", "AUDIENCE")
            .help("OIDC audience of the sink");
        OIDC_SERVICE_ACCOUNT = Setting::new("", "K_OIDC_SERVICE_ACCOUNT", "oidc-service-account", "NAME")
            .help("ServiceAccount whose token is requested for the audience");
        SINK_TIMEOUT = Setting::new("delivery.timeout", "K_SINK_TIMEOUT", "sink-timeout", "SECONDS")
            .default("310")
            .help("Limit of one POST, 1 s to 11 h; the variable at 0 or below means the default");
        DEAD_LETTER_SINK = Setting::new("delivery.deadLetterSink", "BRIDGE_DEAD_LETTER_SINK", "dead-letter-sink", "URL")
            .help("Where events go that the sink refuses for good, and those whose retries are used up if the number of retries is set");
        DEAD_LETTER_SINK_CA_CERTS = Setting::new("delivery.deadLetterSink.CACerts", "BRIDGE_DEAD_LETTER_SINK_CA_CERTS", "dead-letter-sink-ca-certs", "PEM")
            .help("Certificates trusted for the dead-letter sink");
        DEAD_LETTER_SINK_AUDIENCE = Setting::new("delivery.deadLetterSink.audience", "BRIDGE_DEAD_LETTER_SINK_AUDIENCE", "dead-letter-sink-audience", "AUDIENCE")
            .help("OIDC audience of the dead-letter sink");
    }
    "TLS of the sinks" {
        TLS_MIN_VERSION = Setting::new("", "TLS_MIN_VERSION", "", "VERSION")
            .default("1.3")
            .help("Least version: 1.2 or 1.3");
        TLS_MAX_VERSION = Setting::new("", "TLS_MAX_VERSION", "", "VERSION")
            .default("1.3")
            .help("Greatest version: 1.2 or 1.3");
        TLS_CIPHER_SUITES = Setting::new("", "TLS_CIPHER_SUITES", "", "NAMES")
            .otherwise("all that are safe")
            .help("Suites of TLS 1.2 by their names in Go, separated by commas");
        TLS_CURVE_PREFERENCES = Setting::new("", "TLS_CURVE_PREFERENCES", "", "NAMES")
            .otherwise("the TLS library's own order")
            .help("Key exchanges, best first: X25519MLKEM768, X25519, CurveP256, CurveP384");
    }
    "Delivery" {
        DELIVERY_RETRY = Setting::new("delivery.retry", "BRIDGE_DELIVERY_RETRY", "delivery-retry", "N")
            .otherwise("3")
            .help("Retries of a POST while its message is held, 0 to 100; set with a dead-letter sink, an event whose retries are used up goes there");
        DELIVERY_BACKOFF_POLICY = Setting::new("delivery.backoffPolicy", "BRIDGE_DELIVERY_BACKOFF_POLICY", "delivery-backoff-policy", "POLICY")
            .default("exponential")
            .help("How waits between retries grow: exponential or linear");
        DELIVERY_BACKOFF_DELAY = Setting::new("delivery.backoffDelay", "BRIDGE_DELIVERY_BACKOFF_DELAY", "delivery-backoff-delay", "DURATION")
            .default("200ms")
            .help("The wait they grow from, at most 5m");
        DELIVERY_RETRY_AFTER_MAX = Setting::new("delivery.retryAfterMax", "BRIDGE_DELIVERY_RETRY_AFTER_MAX", "delivery-retry-after-max", "DURATION")
            .default("30s")
            .help("Longest wait that a Retry-After can ask for, at most 15m; 0s ignores the header");
    }
    "Events" {
        FORMAT = Setting::new("event.format", "BRIDGE_FORMAT", "format", "FORMAT")
            .default("auto")
            .help("auto recognises each message; eventing-awssqs, triggermesh, aws and integrationsource write events as those sources do");
        CONTENT_MODE = Setting::new("event.contentMode", "BRIDGE_CONTENT_MODE", "content-mode", "MODE")
            .default("auto")
            .help("HTTP content mode: auto, binary or structured");
        DATA = Setting::new("event.data", "BRIDGE_DATA", "data", "DATA")
            .default("event")
            .help("What of the message is the event's data: event, detail or envelope");
        TYPE_FORMAT = Setting::new("event.typeFormat", "BRIDGE_TYPE_FORMAT", "type-format", "FORMAT")
            .default("slug")
            .help("How a detail-type becomes a type: slug or detail-type");
        MESSAGE_ATTRIBUTES = Setting::new("event.messageAttributes", "BRIDGE_MESSAGE_ATTRIBUTES", "message-attributes", "NAMES")
            .default("all")
            .help("Which message attributes become extensions: all, none, or names separated by commas (trace.* is a prefix)");
        SNS_UNWRAP = Setting::new("event.snsUnwrap", "BRIDGE_SNS_UNWRAP", "sns-unwrap", "MODE")
            .default("auto")
            .help("auto unwraps known events from SNS envelopes, never leaves them");
    }
    "Receiving" {
        PROFILE = Setting::new("profile", "BRIDGE_PROFILE", "profile", "PROFILE")
            .default("balanced")
            .help("balanced; latency keeps two pollers; cost waits up to 500 ms for fuller batches");
        WAIT_TIME = Setting::new("receive.waitTime", "BRIDGE_WAIT_TIME", "wait-time", "DURATION")
            .default("20s")
            .help("Long poll, whole seconds from 1s to 20s");
        MAX_MESSAGES = Setting::new("receive.maxMessages", "BRIDGE_MAX_MESSAGES", "max-messages", "N")
            .default("10")
            .help("Messages of one receive, at most, 1 to 10");
        MAX_POLLERS = Setting::new("receive.maxPollers", "BRIDGE_MAX_POLLERS", "max-pollers", "N")
            .default("16")
            .help("Receives at once, at most, 1 to 64");
        VISIBILITY_TIMEOUT = Setting::new("receive.visibilityTimeout", "BRIDGE_VISIBILITY_TIMEOUT", "visibility-timeout", "DURATION")
            .default("30s")
            .help("How long a received message is hidden, and extended by, whole seconds from 10s to 12h");
    }
    "Flow" {
        MAX_IN_FLIGHT = Setting::new("flow.maxInFlight", "BRIDGE_MAX_IN_FLIGHT", "max-in-flight", "N")
            .default("1024")
            .help("Messages received and not yet settled, at most, 1 to 20000");
        MAX_IN_FLIGHT_BYTES = Setting::new("flow.maxInFlightBytes", "BRIDGE_MAX_IN_FLIGHT_BYTES", "max-in-flight-bytes", "QUANTITY")
            .default("64Mi")
            .help("Bytes of the same, at least 12Mi");
        MAX_CONCURRENCY = Setting::new("flow.maxConcurrency", "BRIDGE_MAX_CONCURRENCY", "max-concurrency", "N")
            .default("128")
            .help("POSTs at once, at most, 1 to 1024");
        MAX_RATE = Setting::new("flow.maxRate", "BRIDGE_MAX_RATE", "max-rate", "EVENTS/S")
            .otherwise("no limit")
            .help("Events per second to the sink, at most");
        FIFO_ON_POISON = Setting::new("fifo.onPoison", "BRIDGE_FIFO_ON_POISON", "fifo-on-poison", "ACTION")
            .otherwise("block")
            .help("FIFO queues: block holds a group whose first message is refused for good; skip sends it to the dead-letter sink");
        DRAIN_TIMEOUT = Setting::new("drainTimeout", "BRIDGE_DRAIN_TIMEOUT", "drain-timeout", "DURATION")
            .default("45s")
            .help("From SIGTERM to exit, at most, 10s to 1h");
    }
    "Process" {
        NAMESPACE = Setting::new("", "NAMESPACE", "namespace", "NAME")
            .help("Namespace of the source: sent as Kn-Namespace, and where tokens are requested");
        NAME = Setting::new("", "NAME", "name", "NAME")
            .default("adapter")
            .help("Name of the source, in metrics and session names");
        SOURCE_UID = Setting::new("", "BRIDGE_SOURCE_UID", "", "UID")
            .help("UID of the AwsSqsSource, in Kubernetes Events about it");
        POD_NAME = Setting::new("", "POD_NAME", "", "NAME")
            .help("Name of the pod, in traces and metrics");
        COMPONENT = Setting::new("", "K_COMPONENT", "", "NAME")
            .default("awssqssource")
            .help("Component whose level the logging configuration may give");
        RESOURCE_GROUP = Setting::new("", "K_RESOURCE_GROUP", "", "NAME")
            .default("adapter.sources.knative.dev")
            .help("Resource group, a label of Knative's metrics");
        LOGGING_CONFIG = Setting::new("", "K_LOGGING_CONFIG", "logging-config", "JSON")
            .otherwise("level info")
            .help("Knative's logging configuration: a map with zap-logger-config and loglevel.<component>");
        OBSERVABILITY_CONFIG = Setting::new("", "K_OBSERVABILITY_CONFIG", "observability-config", "JSON")
            .otherwise("no export")
            .help("Knative's observability configuration: metrics, tracing, enableSinkEventErrorReporting");
        HEALTH_ADDR = Setting::new("", "BRIDGE_HEALTH_ADDR", "health-addr", "ADDRESS")
            .default(":8080")
            .help("Where /health, /readiness and /metrics are served");
        WORKER_THREADS = Setting::new("", "BRIDGE_WORKER_THREADS", "worker-threads", "N")
            .default("0")
            .help("Threads, at most 64; 0 takes one per CPU, at most 4");
    }
    "Set by Kubernetes" {
        KUBERNETES_HOST = Setting::new("", "KUBERNETES_SERVICE_HOST", "", "HOST")
            .otherwise("no tokens are requested")
            .help("API server that makes tokens for the sink's audience");
        KUBERNETES_PORT = Setting::new("", "KUBERNETES_SERVICE_PORT", "", "PORT")
            .default("443")
            .help("Its port");
    }
    "OpenTelemetry" {
        OTEL_SERVICE_NAME = Setting::new("", "OTEL_SERVICE_NAME", "", "NAME")
            .otherwise("K_COMPONENT")
            .help("Resource attribute service.name");
        OTEL_ENDPOINT = Setting::new("", "OTEL_EXPORTER_OTLP_ENDPOINT", "", "URL")
            .help("Collector, where the observability configuration names none; alone it turns on OTLP for metrics and traces");
        OTEL_METRICS_ENDPOINT = Setting::new("", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "", "URL")
            .help("The same for metrics only, used as it is");
        OTEL_TRACES_ENDPOINT = Setting::new("", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "URL")
            .help("The same for traces only, used as it is");
        OTEL_PROTOCOL = Setting::new("", "OTEL_EXPORTER_OTLP_PROTOCOL", "", "PROTOCOL")
            .default("http/protobuf")
            .help("http/protobuf or grpc, where the observability configuration is absent");
        OTEL_METRIC_EXPORT_INTERVAL = Setting::new("", "OTEL_METRIC_EXPORT_INTERVAL", "", "MILLISECONDS")
            .default("60000")
            .help("Between two exports of metrics, where the observability configuration names none");
        OTEL_TRACES_SAMPLER = Setting::new("", "OTEL_TRACES_SAMPLER", "", "SAMPLER")
            .otherwise("tracing.samplingRate")
            .help("always_on, always_off, traceidratio, or one of these behind parentbased_");
        OTEL_TRACES_SAMPLER_ARG = Setting::new("", "OTEL_TRACES_SAMPLER_ARG", "", "RATIO")
            .default("1")
            .help("Share of traces kept by traceidratio, 0 to 1");
        PROMETHEUS_HOST = Setting::new("", "METRICS_PROMETHEUS_HOST", "", "HOST")
            .otherwise("from metrics.endpoint, else all addresses")
            .help("Address of the Prometheus page, where metrics.protocol is prometheus");
        PROMETHEUS_PORT = Setting::new("", "METRICS_PROMETHEUS_PORT", "", "PORT")
            .otherwise("from metrics.endpoint, else 9092")
            .help("Port of the Prometheus page, where metrics.protocol is prometheus");
    }
}
