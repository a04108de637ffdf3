use std::collections::BTreeSet;

use url::Url;

use super::settings::Setting;
use super::*;

const URL: (&str, &str) = ("AWS_SQS_URL", "https://sqs.eu-north-1.amazonaws.com/123456789012/orders");
const FIFO: (&str, &str) = ("AWS_SQS_URL", "https://sqs.eu-north-1.amazonaws.com/123456789012/orders.fifo");
const EMULATOR: (&str, &str) = ("AWS_SQS_URL", "http://localhost:4566/123456789012/orders");
const SINK: (&str, &str) = ("K_SINK", "http://broker.example/ns/default");
const DEAD: (&str, &str) = ("BRIDGE_DEAD_LETTER_SINK", "http://dead.example/");
const ROLE: (&str, &str) = ("BRIDGE_ASSUME_ROLE_ROLE_ARN", "arn:aws:iam::210987654321:role/reader");
const TOKEN: (&str, &str) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
const WEB_ROLE: (&str, &str) = ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders");
const OTLP: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
const PROMETHEUS: (&str, &str) = ("K_OBSERVABILITY_CONFIG", r#"{"metrics":{"protocol":"prometheus"}}"#);
const RATIO: (&str, &str) = ("OTEL_TRACES_SAMPLER", "traceidratio");
const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// A value of one setting, what else must be set, and the part of the configuration that must show it.
struct Case {
    setting: &'static Setting,
    beside: &'static [(&'static str, &'static str)],
    value: &'static str,
    shown: fn(&Config) -> String,
    expected: &'static str,
}

fn case(
    setting: &'static Setting,
    beside: &'static [(&'static str, &'static str)],
    value: &'static str,
    shown: fn(&Config) -> String,
    expected: &'static str,
) -> Case {
    Case { setting, beside, value, shown, expected }
}

fn assume_role(config: &Config) -> &AssumeRole {
    config.credentials.assume_role.as_ref().expect("a role")
}

fn dead_letter_sink(config: &Config) -> &Sink {
    config.dead_letter_sink.as_ref().expect("a dead-letter sink")
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    use settings as s;
    const STD: &[(&str, &str)] = &[URL, SINK];
    vec![
        case(&s::QUEUE_URL, &[SINK], "http://sqs.us-east-1.localhost:4566/000000000000/q", |c| format!("{:?}", c.queue.url.as_ref().map(Url::as_str)), r#"Some("http://sqs.us-east-1.localhost:4566/000000000000/q")"#),
        case(&s::QUEUE_ARN, &[SINK], "arn:aws:sqs:us-west-2:123456789012:q", |c| c.queue.arn.to_string(), "arn:aws:sqs:us-west-2:123456789012:q"),
        case(&s::REGION, &[EMULATOR, SINK], "us-west-2", |c| c.queue.region.clone(), "us-west-2"),
        case(&s::ENDPOINT_URL, STD, "http://localhost:4566", |c| format!("{:?}", c.queue.endpoint.as_ref().map(Url::as_str)), r#"Some("http://localhost:4566/")"#),
        case(&s::CREDENTIALS_FILE, STD, "/aws/credentials", |c| format!("{:?}", c.credentials.base), r#"SharedFile { path: "/aws/credentials", optional: false }"#),
        case(&s::CREDENTIALS_OPTIONAL, &[URL, SINK, ("AWS_APPLICATION_CREDENTIALS", "/f")], "true", |c| format!("{:?}", c.credentials.base), r#"SharedFile { path: "/f", optional: true }"#),
        case(&s::KEYS_DIR, STD, "/keys", |c| format!("{:?}", c.credentials.base), r#"KeyFiles { dir: "/keys" }"#),
        case(&s::ASSUME_ROLE_ARN, STD, "arn:aws:iam::210987654321:role/r", |c| assume_role(c).role_arn.clone(), "arn:aws:iam::210987654321:role/r"),
        case(&s::ASSUME_ROLE_EXTERNAL_ID, &[URL, SINK, ROLE], "team-a", |c| format!("{:?}", assume_role(c).external_id), r#"Some("team-a")"#),
        case(&s::ASSUME_ROLE_SESSION_NAME, &[URL, SINK, ROLE], "orders", |c| assume_role(c).session_name.clone(), "orders"),
        case(&s::ACCESS_KEY_ID, &[URL, SINK, ("AWS_SECRET_ACCESS_KEY", "s")], "AKIA1", |c| format!("{:?}", c.credentials.base), r#"Static { access_key_id: "AKIA1", secret_access_key: ***, session_token: None }"#),
        case(&s::SECRET_ACCESS_KEY, &[URL, SINK, ("AWS_ACCESS_KEY_ID", "AKIA1")], "secret", |c| matches!(&c.credentials.base, BaseCredentials::Static { secret_access_key, .. } if secret_access_key.0 == "secret").to_string(), "true"),
        case(&s::SESSION_TOKEN, &[URL, SINK, ("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s")], "token", |c| matches!(&c.credentials.base, BaseCredentials::Static { session_token: Some(token), .. } if token.0 == "token").to_string(), "true"),
        case(&s::WEB_IDENTITY_TOKEN_FILE, &[URL, SINK, WEB_ROLE], "/t", |c| format!("{:?}", c.credentials.base), r#"WebIdentity { token_file: "/t", role_arn: "arn:aws:iam::123456789012:role/orders", session_name: "adapter" }"#),
        case(&s::WEB_IDENTITY_ROLE_ARN, &[URL, SINK, TOKEN], "arn:aws:iam::123456789012:role/x", |c| format!("{:?}", c.credentials.base), r#"WebIdentity { token_file: "/token", role_arn: "arn:aws:iam::123456789012:role/x", session_name: "adapter" }"#),
        case(&s::WEB_IDENTITY_SESSION_NAME, &[URL, SINK, TOKEN, WEB_ROLE], "me", |c| format!("{:?}", c.credentials.base), r#"WebIdentity { token_file: "/token", role_arn: "arn:aws:iam::123456789012:role/orders", session_name: "me" }"#),
        case(&s::STS_ENDPOINT_URL, STD, "http://localhost:4566", |c| format!("{:?}", c.credentials.sts_endpoint.as_ref().map(Url::as_str)), r#"Some("http://localhost:4566/")"#),
        case(&s::SINK, &[URL], "https://sink.example/x", |c| c.sink.url.to_string(), "https://sink.example/x"),
        case(&s::CE_OVERRIDES, STD, r#"{"extensions":{"Team":"payments","id":"x"}}"#, |c| format!("{:?} {:?}", c.event.overrides, c.warnings), r#"{"team": "payments"} ["K_CE_OVERRIDES cannot set context attributes, these are ignored: id"]"#),
        case(&s::SINK_HEADERS_DIR, STD, "/headers", |c| format!("{:?}", c.sink.headers_dir), r#"Some("/headers")"#),
        case(&s::CA_CERTS, STD, PEM, |c| format!("{:?}", c.sink.ca_certs.as_deref() == Some(PEM)), "true"),
        case(&s::AUDIENCE, STD, "broker", |c| format!("{:?}", c.sink.audience), r#"Some("broker")"#),
        case(&s::OIDC_SERVICE_ACCOUNT, STD, "orders-oidc", |c| format!("{:?}", c.sink.oidc_service_account), r#"Some("orders-oidc")"#),
        case(&s::SINK_TIMEOUT, STD, "45", |c| format!("{:?}", c.sink.timeout), "45s"),
        case(&s::DEAD_LETTER_SINK, STD, "http://dls.example/", |c| dead_letter_sink(c).url.to_string(), "http://dls.example/"),
        case(&s::DEAD_LETTER_SINK_CA_CERTS, &[URL, SINK, DEAD], PEM, |c| format!("{:?}", dead_letter_sink(c).ca_certs.as_deref() == Some(PEM)), "true"),
        case(&s::DEAD_LETTER_SINK_AUDIENCE, &[URL, SINK, DEAD], "dls", |c| format!("{:?}", dead_letter_sink(c).audience), r#"Some("dls")"#),
        case(&s::TLS_MIN_VERSION, STD, "1.2", |c| format!("{:?}", c.sink.tls.min_version), "V12"),
        case(&s::TLS_MAX_VERSION, &[URL, SINK, ("TLS_MIN_VERSION", "1.2")], "1.2", |c| format!("{:?}", c.sink.tls.max_version), "V12"),
        case(&s::TLS_CIPHER_SUITES, STD, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", |c| format!("{:?}", c.sink.tls.cipher_suites), r#"["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]"#),
        case(&s::TLS_CURVE_PREFERENCES, &[URL, SINK, DEAD], "CurveP384,X25519", |c| format!("{:?}", dead_letter_sink(c).tls.curve_preferences), r#"["CurveP384", "X25519"]"#),
        case(&s::KUBERNETES_HOST, STD, "fd00::1", |c| format!("{:?}", c.sink.token_server.as_ref().map(Url::as_str)), r#"Some("https://[fd00::1]/")"#),
        case(&s::KUBERNETES_PORT, &[URL, SINK, DEAD, ("KUBERNETES_SERVICE_HOST", "10.0.0.1")], "6443", |c| format!("{:?}", dead_letter_sink(c).token_server.as_ref().map(Url::as_str)), r#"Some("https://10.0.0.1:6443/")"#),
        case(&s::DELIVERY_RETRY, STD, "3", |c| format!("{:?}", c.delivery.retry), "Some(3)"),
        case(&s::DELIVERY_BACKOFF_POLICY, STD, "linear", |c| format!("{:?}", c.delivery.backoff_policy), "Linear"),
        case(&s::DELIVERY_BACKOFF_DELAY, STD, "1s", |c| format!("{:?}", c.delivery.backoff_delay), "1s"),
        case(&s::DELIVERY_RETRY_AFTER_MAX, STD, "0s", |c| format!("{:?}", c.delivery.retry_after_max), "0ns"),
        case(&s::FORMAT, STD, "triggermesh", |c| format!("{:?}", c.event.format), "TriggerMesh"),
        case(&s::CONTENT_MODE, STD, "structured", |c| format!("{:?}", c.event.content_mode), "Structured"),
        case(&s::DATA, STD, "detail", |c| format!("{:?}", c.event.data), "Detail"),
        case(&s::TYPE_FORMAT, STD, "detail-type", |c| format!("{:?}", c.event.type_format), "DetailType"),
        case(&s::MESSAGE_ATTRIBUTES, STD, "tenant, trace.*", |c| format!("{:?}", c.event.message_attributes), r#"Named(["tenant", "trace.*"])"#),
        case(&s::SNS_UNWRAP, STD, "never", |c| format!("{:?}", c.event.sns_unwrap), "Never"),
        case(&s::PROFILE, STD, "cost", |c| format!("{:?}", c.receive.profile), "Cost"),
        case(&s::WAIT_TIME, STD, "5s", |c| format!("{:?}", c.receive.wait_time), "5s"),
        case(&s::MAX_MESSAGES, STD, "3", |c| c.receive.max_messages.to_string(), "3"),
        case(&s::MAX_POLLERS, STD, "64", |c| c.receive.max_pollers.to_string(), "64"),
        case(&s::VISIBILITY_TIMEOUT, STD, "2m", |c| format!("{:?}", c.receive.visibility_timeout), "120s"),
        case(&s::MAX_IN_FLIGHT, STD, "20000", |c| c.flow.max_in_flight.to_string(), "20000"),
        case(&s::MAX_IN_FLIGHT_BYTES, STD, "12Mi", |c| c.flow.max_in_flight_bytes.to_string(), "12582912"),
        case(&s::MAX_CONCURRENCY, STD, "1", |c| c.flow.max_concurrency.to_string(), "1"),
        case(&s::MAX_RATE, STD, "0.5", |c| format!("{:?}", c.flow.max_rate), "Some(0.5)"),
        case(&s::FIFO_ON_POISON, &[FIFO, SINK, DEAD], "skip", |c| format!("{:?}", c.on_poison), "Skip"),
        case(&s::DRAIN_TIMEOUT, STD, "1h", |c| format!("{:?}", c.drain_timeout), "3600s"),
        case(&s::NAMESPACE, &[URL, SINK, ROLE], "ns", |c| format!("{:?} {}", c.identity.namespace, assume_role(c).session_name), r#"Some("ns") ns.adapter"#),
        case(&s::NAME, STD, "orders", |c| c.identity.name.clone(), "orders"),
        case(&s::SOURCE_UID, STD, "0d5f", |c| format!("{:?}", c.identity.uid), r#"Some("0d5f")"#),
        case(&s::POD_NAME, STD, "pod-1", |c| format!("{:?}", c.identity.pod_name), r#"Some("pod-1")"#),
        case(&s::COMPONENT, STD, "mine", |c| format!("{} {}", c.identity.component, c.observability.service_name), "mine mine"),
        case(&s::RESOURCE_GROUP, STD, "awssqssources.sources.knative.dev", |c| c.identity.resource_group.clone(), "awssqssources.sources.knative.dev"),
        case(&s::LOGGING_CONFIG, STD, r#"{"zap-logger-config":"{\"level\":\"error\"}"}"#, |c| c.logging.level.clone(), "error"),
        case(&s::OBSERVABILITY_CONFIG, STD, r#"{"tracing":{"protocol":"grpc","endpoint":"http://c:4317","samplingRate":0.1},"metrics":{"protocol":"http/protobuf","endpoint":"http://c:4318","exportInterval":15000000000},"enableSinkEventErrorReporting":true}"#, |c| format!("{:?}", c.observability), r#"Observability { metrics: OtlpHttp { endpoint: "http://c:4318/v1/metrics", interval: 15s }, traces: OtlpGrpc("http://c:4317"), sampling_rate: 0.1, service_name: "awssqssource", sink_event_error_reporting: true }"#),
        case(&s::HEALTH_ADDR, STD, "127.0.0.1:0", |c| c.health_addr.to_string(), "127.0.0.1:0"),
        case(&s::WORKER_THREADS, STD, "2", |c| c.worker_threads.to_string(), "2"),
        case(&s::OTEL_SERVICE_NAME, STD, "orders", |c| c.observability.service_name.clone(), "orders"),
        case(&s::OTEL_ENDPOINT, STD, "http://c:4318/", |c| format!("{:?} {:?}", c.observability.metrics, c.observability.traces), r#"OtlpHttp { endpoint: "http://c:4318/v1/metrics", interval: 60s } OtlpHttp("http://c:4318/v1/traces")"#),
        case(&s::OTEL_METRICS_ENDPOINT, STD, "http://m:4318/v1/metrics", |c| format!("{:?} {:?}", c.observability.metrics, c.observability.traces), r#"OtlpHttp { endpoint: "http://m:4318/v1/metrics", interval: 60s } None"#),
        case(&s::OTEL_TRACES_ENDPOINT, STD, "http://t:4318/v1/traces", |c| format!("{:?} {:?}", c.observability.metrics, c.observability.traces), r#"None OtlpHttp("http://t:4318/v1/traces")"#),
        case(&s::OTEL_PROTOCOL, &[URL, SINK, OTLP], "grpc", |c| format!("{:?}", c.observability.traces), r#"OtlpGrpc("http://collector:4318")"#),
        case(&s::OTEL_METRIC_EXPORT_INTERVAL, &[URL, SINK, OTLP], "1000", |c| format!("{:?}", c.observability.metrics), r#"OtlpHttp { endpoint: "http://collector:4318/v1/metrics", interval: 1s }"#),
        case(&s::OTEL_TRACES_SAMPLER, &[URL, SINK, OTLP], "parentbased_always_off", |c| c.observability.sampling_rate.to_string(), "0"),
        case(&s::OTEL_TRACES_SAMPLER_ARG, &[URL, SINK, OTLP, RATIO], "0.25", |c| c.observability.sampling_rate.to_string(), "0.25"),
        case(&s::PROMETHEUS_HOST, &[URL, SINK, PROMETHEUS], "127.0.0.1", |c| format!("{:?}", c.observability.metrics), "Prometheus(127.0.0.1:9092)"),
        case(&s::PROMETHEUS_PORT, &[URL, SINK, PROMETHEUS], "9999", |c| format!("{:?}", c.observability.metrics), "Prometheus([::]:9999)"),
    ]
}

fn load_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::from_env_pairs(pairs.iter().copied())
}

fn load_flag(setting: &'static Setting, value: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let env: BTreeMap<_, _> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let args = RunArgs { flags: [(setting.flag, value.to_owned())].into(), ..RunArgs::default() };
    Config::load(&args, &env)
}

fn sentences(result: Result<Config, ConfigErrors>) -> Vec<String> {
    result.err().map(|errors| errors.0.into_iter().map(|error| error.message).collect()).unwrap_or_default()
}

#[test]
fn every_setting_reaches_the_configuration_by_variable_and_by_flag() {
    for Case { setting, beside, value, shown, expected } in cases() {
        let by_env = load_env(&[beside, &[(setting.env, value)]].concat()).expect(setting.env);
        assert_eq!(shown(&by_env), expected, "{}", setting.env);
        if !setting.flag.is_empty() {
            let by_flag = load_flag(setting, value, beside).expect(setting.flag);
            assert_eq!(shown(&by_flag), expected, "--{}", setting.flag);
        }
    }
}

#[test]
fn every_setting_has_a_case_and_a_value_that_is_not_its_default() {
    let tested: BTreeSet<_> = cases().iter().map(|case| case.setting.env).collect();
    let all: BTreeSet<_> = settings::all().map(|setting| setting.env).collect();
    assert_eq!(tested, all);
    for Case { setting, value, .. } in cases() {
        assert_ne!(value, setting.default, "{}", setting.env);
    }
}

#[test]
fn a_flag_wins_over_its_variable() {
    let pairs = [URL, SINK, ("BRIDGE_WAIT_TIME", "7s")];
    let config = load_flag(&settings::WAIT_TIME, "3s", &pairs).expect("a configuration");
    assert_eq!(config.receive.wait_time, Duration::from_secs(3));
}

#[test]
fn queue_and_sink_alone_suffice_and_give_the_documented_defaults() {
    let config = load_env(&[URL, SINK]).expect("a configuration");
    assert_eq!(config.credentials.base, BaseCredentials::DefaultChain);
    assert_eq!(config.dead_letter_sink, None);
    assert_eq!(config.sink.timeout, Duration::from_secs(310));
    assert_eq!(
        config.delivery,
        Delivery {
            retry: None,
            backoff_policy: BackoffPolicy::Exponential,
            backoff_delay: Duration::from_millis(200),
            retry_after_max: Duration::from_secs(30),
        }
    );
    assert_eq!(
        config.receive,
        Receive {
            profile: Profile::Balanced,
            wait_time: Duration::from_secs(20),
            max_messages: 10,
            max_pollers: 16,
            visibility_timeout: Duration::from_secs(30),
        }
    );
    assert_eq!(
        config.flow,
        Flow { max_in_flight: 1024, max_in_flight_bytes: 64 << 20, max_concurrency: 128, max_rate: None }
    );
    assert_eq!(config.on_poison, OnPoison::Block);
    assert_eq!(config.logging, Logging { level: "info".to_owned(), json: true, color: false });
    assert_eq!(config.observability.metrics, MetricsExport::None);
    assert_eq!(config.health_addr.to_string(), "[::]:8080");
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn empty_variables_count_as_unset() {
    let mut pairs: Vec<_> = settings::all().map(|setting| (setting.env, "")).collect();
    pairs.retain(|(name, _)| *name != URL.0 && *name != SINK.0);
    pairs.extend([URL, SINK]);
    assert_eq!(
        format!("{:?}", load_env(&pairs).expect("a configuration")),
        format!("{:?}", load_env(&[URL, SINK]).expect("a configuration"))
    );
}

#[test]
fn every_wrong_value_is_one_sentence_with_variable_flag_field_and_fix() {
    #[rustfmt::skip]
    let cases = [
        (&settings::WAIT_TIME, "40s", r#"BRIDGE_WAIT_TIME (flag --wait-time, field receive.waitTime) is "40s": use whole seconds from 1s to 20s, such as 1s"#),
        (&settings::WAIT_TIME, "1500ms", r#"BRIDGE_WAIT_TIME (flag --wait-time, field receive.waitTime) is "1500ms": use whole seconds from 1s to 20s, such as 1s"#),
        (&settings::VISIBILITY_TIMEOUT, "25s", r#"BRIDGE_VISIBILITY_TIMEOUT (flag --visibility-timeout, field receive.visibilityTimeout): must exceed the wait time of 20s by more than 5s: use 26s or more, or a shorter BRIDGE_WAIT_TIME (flag --wait-time)"#),
        (&settings::VISIBILITY_TIMEOUT, "13h", r#"BRIDGE_VISIBILITY_TIMEOUT (flag --visibility-timeout, field receive.visibilityTimeout) is "13h": use whole seconds from 10s to 12h, such as 10s"#),
        (&settings::MAX_MESSAGES, "0", r#"BRIDGE_MAX_MESSAGES (flag --max-messages, field receive.maxMessages) is "0": use a whole number from 1 to 10"#),
        (&settings::MAX_POLLERS, "65", r#"BRIDGE_MAX_POLLERS (flag --max-pollers, field receive.maxPollers) is "65": use a whole number from 1 to 64"#),
        (&settings::PROFILE, "fast", r#"BRIDGE_PROFILE (flag --profile, field profile) is "fast": use one of balanced, latency, cost"#),
        (&settings::MAX_IN_FLIGHT, "-1", r#"BRIDGE_MAX_IN_FLIGHT (flag --max-in-flight, field flow.maxInFlight) is "-1": use a whole number from 1 to 20000"#),
        (&settings::MAX_IN_FLIGHT_BYTES, "1Mi", r#"BRIDGE_MAX_IN_FLIGHT_BYTES (flag --max-in-flight-bytes, field flow.maxInFlightBytes) is "1Mi": use a quantity of bytes of at least 12Mi, such as 64Mi"#),
        (&settings::MAX_CONCURRENCY, "1025", r#"BRIDGE_MAX_CONCURRENCY (flag --max-concurrency, field flow.maxConcurrency) is "1025": use a whole number from 1 to 1024"#),
        (&settings::MAX_RATE, "0", r#"BRIDGE_MAX_RATE (flag --max-rate, field flow.maxRate) is "0": use a number of events per second above 0"#),
        (&settings::DELIVERY_RETRY, "many", r#"BRIDGE_DELIVERY_RETRY (flag --delivery-retry, field delivery.retry) is "many": use a whole number from 0 to 100"#),
        (&settings::DELIVERY_BACKOFF_POLICY, "none", r#"BRIDGE_DELIVERY_BACKOFF_POLICY (flag --delivery-backoff-policy, field delivery.backoffPolicy) is "none": use one of exponential, linear"#),
        (&settings::DELIVERY_BACKOFF_DELAY, "6m", r#"BRIDGE_DELIVERY_BACKOFF_DELAY (flag --delivery-backoff-delay, field delivery.backoffDelay) is "6m": use a duration from 0s to 5m, such as 200ms, 30s or 15m"#),
        (&settings::DELIVERY_RETRY_AFTER_MAX, "1h", r#"BRIDGE_DELIVERY_RETRY_AFTER_MAX (flag --delivery-retry-after-max, field delivery.retryAfterMax) is "1h": use a duration from 0s to 15m, such as 200ms, 30s or 15m"#),
        (&settings::DRAIN_TIMEOUT, "5s", r#"BRIDGE_DRAIN_TIMEOUT (flag --drain-timeout, field drainTimeout) is "5s": use a duration from 10s to 1h, such as 200ms, 30s or 15m"#),
        (&settings::FORMAT, "json", r#"BRIDGE_FORMAT (flag --format, field event.format) is "json": use one of auto, eventing-awssqs, triggermesh, aws, integrationsource"#),
        (&settings::CONTENT_MODE, "batch", r#"BRIDGE_CONTENT_MODE (flag --content-mode, field event.contentMode) is "batch": use one of auto, binary, structured"#),
        (&settings::DATA, "all", r#"BRIDGE_DATA (flag --data, field event.data) is "all": use one of event, detail, envelope"#),
        (&settings::TYPE_FORMAT, "x", r#"BRIDGE_TYPE_FORMAT (flag --type-format, field event.typeFormat) is "x": use one of slug, detail-type"#),
        (&settings::SNS_UNWRAP, "always", r#"BRIDGE_SNS_UNWRAP (flag --sns-unwrap, field event.snsUnwrap) is "always": use one of auto, never"#),
        (&settings::MESSAGE_ATTRIBUTES, "a b", r#"BRIDGE_MESSAGE_ATTRIBUTES (flag --message-attributes, field event.messageAttributes) is "a b": use all, none, or attribute names separated by commas, such as tenant,trace.*"#),
        (&settings::SINK, "broker", r#"K_SINK (flag --sink, field sink) is "broker": use an absolute http or https URL"#),
        (&settings::SINK, "ftp://user:secret@host/", r#"K_SINK (flag --sink, field sink) is "ftp://***@host/": use an absolute http or https URL"#),
        (&settings::CA_CERTS, "certificate", r#"K_CA_CERTS (flag --ca-certs, field sink.CACerts) is "certificate": use PEM certificates, from -----BEGIN CERTIFICATE----- on"#),
        (&settings::CE_OVERRIDES, "{", r#"K_CE_OVERRIDES (flag --ce-overrides, field ceOverrides) is "{": use JSON such as {"extensions":{"team":"payments"}}, names of letters and digits, values in quotes"#),
        (&settings::CE_OVERRIDES, r#"{"extensions":{"a-b":"c"}}"#, r#"K_CE_OVERRIDES (flag --ce-overrides, field ceOverrides) is "{\"extensions\":{\"a-b\":\"c\"}}": use JSON such as {"extensions":{"team":"payments"}}, names of letters and digits, values in quotes"#),
        (&settings::SINK_TIMEOUT, "40000", r#"K_SINK_TIMEOUT (flag --sink-timeout, field delivery.timeout) is "40000": use whole seconds from 1 to 39600, such as 310"#),
        (&settings::DEAD_LETTER_SINK, "dls", r#"BRIDGE_DEAD_LETTER_SINK (flag --dead-letter-sink, field delivery.deadLetterSink) is "dls": use an absolute http or https URL"#),
        (&settings::DEAD_LETTER_SINK_AUDIENCE, "x", r#"BRIDGE_DEAD_LETTER_SINK_AUDIENCE (flag --dead-letter-sink-audience, field delivery.deadLetterSink.audience): has no effect without a dead-letter sink: set BRIDGE_DEAD_LETTER_SINK (flag --dead-letter-sink) too"#),
        (&settings::DEAD_LETTER_SINK_CA_CERTS, "x", r#"BRIDGE_DEAD_LETTER_SINK_CA_CERTS (flag --dead-letter-sink-ca-certs, field delivery.deadLetterSink.CACerts) is "x": use PEM certificates, from -----BEGIN CERTIFICATE----- on"#),
        (&settings::TLS_MIN_VERSION, "1.1", r#"TLS_MIN_VERSION is "1.1": use one of 1.2, 1.3"#),
        (&settings::TLS_MAX_VERSION, "1.2", r#"TLS_MAX_VERSION: is below TLS_MIN_VERSION: raise it, or set TLS_MIN_VERSION to 1.2"#),
        (&settings::TLS_CURVE_PREFERENCES, "P224", r#"TLS_CURVE_PREFERENCES is "P224": use one or more of X25519MLKEM768, X25519, CurveP256, P256, CurveP384, P384, separated by commas"#),
        (&settings::FIFO_ON_POISON, "block", r#"BRIDGE_FIFO_ON_POISON (flag --fifo-on-poison, field fifo.onPoison): has no effect on a queue whose name does not end in .fifo: leave it out"#),
        (&settings::QUEUE_ARN, "orders", r#"AWS_SQS_ARN (flag --queue-arn, field queueArn): "orders" is not valid, use a queue's ARN, arn:aws:sqs:<region>:<account>:<queue>"#),
        (&settings::REGION, "Frankfurt", r#"AWS_REGION (flag --region, field region): "Frankfurt" is not valid, use a region such as eu-north-1"#),
        (&settings::ENDPOINT_URL, "localhost", r#"AWS_ENDPOINT_URL_SQS (flag --endpoint-url, field endpointUrl): "localhost" is not valid, use an http or https URL without a path, such as http://localhost:4566"#),
        (&settings::CREDENTIALS_OPTIONAL, "perhaps", r#"BRIDGE_CREDENTIALS_OPTIONAL (field awsCredsSecret.optional) is "perhaps": use true or false"#),
        (&settings::ASSUME_ROLE_ARN, "reader", r#"BRIDGE_ASSUME_ROLE_ROLE_ARN (flag --assume-role-role-arn, field auth.assumeRole.roleArn) is "reader": use a role's ARN, arn:aws:iam::<account>:role/<name>"#),
        (&settings::ASSUME_ROLE_EXTERNAL_ID, "team-a", r#"BRIDGE_ASSUME_ROLE_EXTERNAL_ID (flag --assume-role-external-id, field auth.assumeRole.externalId): has no effect without a role: set BRIDGE_ASSUME_ROLE_ROLE_ARN (flag --assume-role-role-arn) too"#),
        (&settings::ACCESS_KEY_ID, "AKIA1", r#"AWS_SECRET_ACCESS_KEY is not set: set it beside AWS_ACCESS_KEY_ID, or neither"#),
        (&settings::SECRET_ACCESS_KEY, "hush", r#"AWS_ACCESS_KEY_ID is not set: set it beside AWS_SECRET_ACCESS_KEY, or neither"#),
        (&settings::WEB_IDENTITY_TOKEN_FILE, "/token", r#"AWS_ROLE_ARN (field auth.webIdentity.roleArn) is not set: set the role that AWS_WEB_IDENTITY_TOKEN_FILE is for"#),
        (&settings::STS_ENDPOINT_URL, "sts", r#"AWS_ENDPOINT_URL_STS is "sts": use an http or https URL without a path, such as http://localhost:4566"#),
        (&settings::LOGGING_CONFIG, "debug", r#"K_LOGGING_CONFIG (flag --logging-config) is "debug": use a JSON object of strings such as {"zap-logger-config":"{\"level\":\"debug\"}"}, levels debug, info, warn or error"#),
        (&settings::OBSERVABILITY_CONFIG, "{", r#"K_OBSERVABILITY_CONFIG (flag --observability-config) is "{": use JSON such as {"metrics":{"protocol":"prometheus","endpoint":":9092"},"tracing":{"protocol":"none"}}, durations in nanoseconds"#),
        (&settings::OBSERVABILITY_CONFIG, r#"{"metrics":{"protocol":"opencensus"}}"#, r#"K_OBSERVABILITY_CONFIG (flag --observability-config): metrics.protocol "opencensus" is unknown, use none, prometheus, http/protobuf or grpc"#),
        (&settings::OBSERVABILITY_CONFIG, r#"{"tracing":{"protocol":"grpc"}}"#, r#"K_OBSERVABILITY_CONFIG (flag --observability-config): tracing.endpoint is missing, OTLP needs the collector's URL such as http://collector:4318"#),
        (&settings::HEALTH_ADDR, "8080", r#"BRIDGE_HEALTH_ADDR (flag --health-addr) is "8080": use an address such as :8080, 127.0.0.1:8080 or [::]:8080"#),
        (&settings::WORKER_THREADS, "65", r#"BRIDGE_WORKER_THREADS (flag --worker-threads) is "65": use a whole number from 0 to 64"#),
        (&settings::OTEL_ENDPOINT, "collector:4318", r#"OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318": use an http or https URL such as http://collector:4318"#),
        (&settings::OTEL_PROTOCOL, "http/json", r#"OTEL_EXPORTER_OTLP_PROTOCOL is "http/json": use one of http/protobuf, grpc"#),
        (&settings::OTEL_METRIC_EXPORT_INTERVAL, "1m", r#"OTEL_METRIC_EXPORT_INTERVAL is "1m": use a whole number from 1 to 86400000"#),
        (&settings::OTEL_TRACES_SAMPLER, "xray", r#"OTEL_TRACES_SAMPLER is "xray": use one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio"#),
        (&settings::OTEL_TRACES_SAMPLER_ARG, "2", r#"OTEL_TRACES_SAMPLER_ARG is "2": use a number from 0 to 1"#),
        (&settings::PROMETHEUS_PORT, "http", r#"METRICS_PROMETHEUS_PORT is "http": use a whole number from 1 to 65535"#),
    ];
    for (setting, value, expected) in cases {
        let given = sentences(load_env(&[URL, SINK, (setting.env, value)]));
        assert_eq!(given.first().map(String::as_str), Some(expected), "{}", setting.env);
    }
}

#[test]
fn missing_queue_and_sink_are_both_reported() {
    let expected = [
        "AWS_SQS_URL (flag --queue-url, field queueUrl): no queue is named: set this or the ARN, such as https://sqs.eu-north-1.amazonaws.com/123456789012/orders",
        "K_SINK (flag --sink, field sink) is not set: set it to the http or https URL that receives the events",
    ];
    assert_eq!(sentences(load_env(&[])), expected);
}

#[test]
fn a_wrong_flag_is_named_first() {
    let given = sentences(load_flag(&settings::WAIT_TIME, "x", &[URL, SINK]));
    let expected = r#"flag --wait-time (BRIDGE_WAIT_TIME, field receive.waitTime) is "x": use whole seconds from 1s to 20s, such as 1s"#;
    assert_eq!(given, [expected]);
}

#[test]
fn an_unknown_region_says_so() {
    let expected = r#"AWS_REGION (flag --region, field region): the region is unknown, the host "localhost" of the queue URL names none: set it, such as eu-north-1"#;
    assert_eq!(sentences(load_env(&[EMULATOR, SINK])), [expected]);
}

#[test]
fn options_that_a_fixed_format_ignores_are_refused() {
    let pairs = [URL, SINK, ("BRIDGE_FORMAT", "aws"), ("BRIDGE_DATA", "event")];
    let expected = "BRIDGE_DATA (flag --data, field event.data): has no effect unless BRIDGE_FORMAT (flag --format) is auto: leave out one of the two";
    assert_eq!(sentences(load_env(&pairs)), [expected]);
}

#[test]
fn skipping_poison_needs_a_dead_letter_sink() {
    let expected = "BRIDGE_FIFO_ON_POISON (flag --fifo-on-poison, field fifo.onPoison): skip needs a place for refused messages: set BRIDGE_DEAD_LETTER_SINK (flag --dead-letter-sink) or use block";
    assert_eq!(sentences(load_env(&[FIFO, SINK, ("BRIDGE_FIFO_ON_POISON", "skip")])), [expected]);
}

#[test]
fn two_sources_of_credentials_are_refused() {
    let pairs = [URL, SINK, ("AWS_APPLICATION_CREDENTIALS", "/a"), ("BRIDGE_KEYS_DIR", "/b")];
    let expected = "BRIDGE_KEYS_DIR (field auth.secret): credentials are also given by AWS_APPLICATION_CREDENTIALS: leave out one of the two";
    assert_eq!(sentences(load_env(&pairs)), [expected]);
}

#[test]
fn files_win_over_ambient_keys_and_a_profile_over_web_identity() {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let config = load_env(&[&[URL, SINK, ("BRIDGE_KEYS_DIR", "/k")][..], &keys].concat()).expect("a configuration");
    assert_eq!(config.credentials.base, BaseCredentials::KeyFiles { dir: "/k".into() });
    let config = load_env(&[URL, SINK, TOKEN, WEB_ROLE, ("AWS_PROFILE", "dev")]).expect("a configuration");
    assert_eq!(config.credentials.base, BaseCredentials::DefaultChain);
}

#[test]
fn knatives_way_to_write_no_time_limit_means_the_default() {
    for value in ["-1", "0", "none"] {
        let config = load_env(&[URL, SINK, ("K_SINK_TIMEOUT", value)]).expect("a configuration");
        assert_eq!(config.sink.timeout, Duration::from_secs(310), "{value}");
    }
    assert!(load_flag(&settings::SINK_TIMEOUT, "0", &[URL, SINK]).is_err());
    let config = load_flag(&settings::SINK_TIMEOUT, "2m", &[URL, SINK]).expect("a configuration");
    assert_eq!(config.sink.timeout, Duration::from_secs(120));
}

#[test]
fn verbosity_moves_the_level_and_a_terminal_gets_text() {
    let env = BTreeMap::from([URL, SINK].map(|(name, value)| (name.to_owned(), value.to_owned())));
    let logging = |verbosity, terminal| {
        let args = RunArgs { verbosity, terminal, ..RunArgs::default() };
        Config::load(&args, &env).expect("a configuration").logging
    };
    assert_eq!(logging(1, true), Logging { level: "info,sqs_bridge=debug".to_owned(), json: false, color: true });
    assert_eq!(logging(9, false).level, "info,sqs_bridge=trace");
    assert_eq!(logging(-1, false).level, "warn");
    assert_eq!(logging(-9, false).level, "off");
    let plain = load_env(&[URL, SINK, ("NO_COLOR", "1")]).expect("a configuration");
    assert!(!plain.logging.color);
}

#[test]
fn secrets_are_shown_nowhere() {
    let pairs = [
        ("AWS_SECRET_ACCESS_KEY", "hush1"),
        ("AWS_SESSION_TOKEN", "hush2"),
        ("AWS_ACCESS_KEY_ID", "AKIA1"),
        ("K_SINK", "http://user:hush3@sink.example/"),
        URL,
    ];
    let env: BTreeMap<_, _> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let shown = format!("{:?}", show::effective(&RunArgs::default(), &env));
    let config = format!("{:?}", Config::load(&RunArgs::default(), &env).expect("a configuration").credentials);
    assert!(!shown.contains("hush") && !config.contains("hush"), "{shown} {config}");
}

#[test]
fn convert_needs_no_queue_and_no_sink() {
    let load = |pairs: &[(&str, &str)]| {
        let env: BTreeMap<_, _> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::load_for_convert(&RunArgs::default(), &env)
    };
    assert_eq!(load(&[]).expect("settings").0.arn.to_string(), PLACEHOLDER_ARN);
    assert_eq!(load(&[URL]).expect("settings").0.arn.name, "orders");
    assert_eq!(load(&[("BRIDGE_FORMAT", "aws")]).expect("settings").1.format, Format::Aws);
    assert_eq!(load(&[("BRIDGE_FORMAT", "x"), ("AWS_REGION", "y")]).expect_err("two problems").0.len(), 2);
}

mod integration_source {
    use super::*;

    /// The environment that Knative 1.23 gives the container when the user sets ARN, region and keys.
    const KNATIVE: [(&str, &str); 16] = [
        ("K_SINK", "http://sink.example/"),
        ("K_CE_OVERRIDES", ""),
        ("CAMEL_KNATIVE_CLIENT_SSL_ENABLED", "true"),
        ("CAMEL_KNATIVE_CLIENT_SSL_CERT_PATH", "/knative-custom-certs/knative-eventing-bundle.pem"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_QUEUE_NAME_OR_ARN", "arn:aws:sqs:us-west-1::queue"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_REGION", "us-west-1"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_AMAZONAWSHOST", "amazonaws.com"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_AUTOCREATEQUEUE", "false"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_DELETEAFTERREAD", "true"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_MAXMESSAGESPERPOLL", "1"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_OVERRIDEENDPOINT", "false"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_PROTOCOL", "https"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_WAITTIMESECONDS", "0"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_VISIBILITYTIMEOUT", "0"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_ACCESSKEY", "AKIA1"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_SECRETKEY", "hush"),
    ];

    fn load(more: &[(&str, &str)]) -> Config {
        let mut pairs = KNATIVE.to_vec();
        pairs.extend(more);
        load_env(&pairs).expect("a configuration")
    }

    fn with(suffix: &str, value: &str) -> Config {
        let name = format!("CAMEL_KAMELET_AWS_SQS_SOURCE_{suffix}");
        load(&[(&name, value)])
    }

    #[test]
    fn the_environment_of_knative_is_understood_as_it_stands() {
        let config = load(&[]);
        assert_eq!(config.queue.arn.to_string(), "arn:aws:sqs:us-west-1::queue");
        assert!(!config.queue.account_known && !config.queue.create_missing && config.queue.delete_accepted);
        assert_eq!(config.queue.endpoint, None);
        assert_eq!(config.event.format, Format::IntegrationSource);
        assert_eq!(config.receive, load_env(&[URL, SINK]).expect("a configuration").receive);
        assert_eq!(
            config.credentials.base,
            BaseCredentials::Static {
                access_key_id: "AKIA1".to_owned(),
                secret_access_key: Secret("hush".to_owned()),
                session_token: None,
            }
        );
        assert_eq!(
            config.integration_source,
            Some(IntegrationSource {
                ca_file: Some("/knative-custom-certs/knative-eventing-bundle.pem".into()),
                token_file: None,
            })
        );
        assert_eq!(config.warnings, Vec::<String>::new());
    }

    #[test]
    fn every_variable_has_its_meaning() {
        assert_eq!(with("QUEUE_NAME_OR_ARN", "orders").queue.arn.to_string(), "arn:aws:sqs:us-west-1::orders");
        let by_url = with("QUEUEURL", "https://sqs.us-west-1.amazonaws.com/123456789012/other");
        assert_eq!(by_url.queue.arn.to_string(), "arn:aws:sqs:us-west-1:123456789012:other");
        assert!(with("AUTOCREATEQUEUE", "true").queue.create_missing);
        assert!(!with("DELETEAFTERREAD", "false").queue.delete_accepted);
        assert_eq!(with("MAXMESSAGESPERPOLL", "5").receive.max_messages, 5);
        assert_eq!(with("WAITTIMESECONDS", "3").receive.wait_time, Duration::from_secs(3));
        assert_eq!(with("VISIBILITYTIMEOUT", "120").receive.visibility_timeout, Duration::from_secs(120));
        assert_eq!(with("GREEDY", "true").warnings.len(), 1);
        assert_eq!(with("DELAY", "1000").warnings.len(), 1);
    }

    #[test]
    fn the_endpoint_override_needs_its_switch() {
        let url = ("CAMEL_KAMELET_AWS_SQS_SOURCE_URIENDPOINTOVERRIDE", "http://localhost:4566");
        assert_eq!(load(&[url]).queue.endpoint, None);
        let on = load(&[url, ("CAMEL_KAMELET_AWS_SQS_SOURCE_OVERRIDEENDPOINT", "true")]);
        assert_eq!(on.queue.endpoint, Url::parse("http://localhost:4566").ok());
        let made = load(&[
            ("CAMEL_KAMELET_AWS_SQS_SOURCE_AMAZONAWSHOST", "aws.test:4566"),
            ("CAMEL_KAMELET_AWS_SQS_SOURCE_PROTOCOL", "http"),
        ]);
        assert_eq!(made.queue.endpoint, Url::parse("http://sqs.us-west-1.aws.test:4566").ok());
    }

    #[test]
    fn a_short_visibility_timeout_shortens_the_poll_instead_of_failing() {
        let config = with("VISIBILITYTIMEOUT", "5");
        assert_eq!(config.receive.visibility_timeout, Duration::from_secs(10));
        assert_eq!(config.receive.wait_time, Duration::from_secs(4));
        assert_eq!(config.warnings.len(), 1);
        assert_eq!(with("VISIBILITYTIMEOUT", "20").receive.wait_time, Duration::from_secs(14));
    }

    #[test]
    fn tokens_are_read_where_knative_mounts_them() {
        let config = load(&[
            ("CAMEL_KNATIVE_CLIENT_OIDC_ENABLED", "true"),
            ("CAMEL_KNATIVE_CLIENT_OIDC_TOKEN_PATH", "file:///oidc/token"),
        ]);
        assert_eq!(config.integration_source.expect("compatibility mode").token_file, Some("/oidc/token".into()));
    }

    #[test]
    fn a_wrong_value_is_reported_under_the_name_that_was_used() {
        let mut pairs = KNATIVE.to_vec();
        pairs.push(("CAMEL_KAMELET_AWS_SQS_SOURCE_WAITTIMESECONDS", "21"));
        let expected = r#"CAMEL_KAMELET_AWS_SQS_SOURCE_WAITTIMESECONDS (flag --wait-time, field receive.waitTime) is "21s": use whole seconds from 1s to 20s, such as 1s"#;
        assert_eq!(sentences(load_env(&pairs)), [expected]);
    }

    #[test]
    fn without_a_queue_the_prefix_alone_changes_nothing() {
        let config =
            load_env(&[URL, SINK, ("CAMEL_KAMELET_AWS_SQS_SOURCE_WAITTIMESECONDS", "3")]).expect("a configuration");
        assert_eq!(config.receive.wait_time, Duration::from_secs(20));
        assert_eq!(config.integration_source, None);
    }
}

mod any_input {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Vec<&'static str> {
        let camel = ["QUEUE_NAME_OR_ARN", "QUEUEURL", "REGION", "VISIBILITYTIMEOUT", "PROTOCOL", "AMAZONAWSHOST"];
        let camel = camel.map(|suffix| &*Box::leak(format!("CAMEL_KAMELET_AWS_SQS_SOURCE_{suffix}").into_boxed_str()));
        settings::all().map(|setting| setting.env).chain(camel).collect()
    }

    proptest! {
        /// Breaks if any text in any variable can bring the process down before it says what is wrong.
        #[test]
        fn never_panics_and_always_explains(values in proptest::collection::btree_map(0_usize..200, any::<String>(), 0..12)) {
            let names = names();
            let env: BTreeMap<_, _> =
                values.into_iter().map(|(index, value)| (names[index % names.len()].to_owned(), value)).collect();
            if let Err(errors) = Config::load(&RunArgs::default(), &env) {
                prop_assert!(!errors.0.is_empty());
            }
            prop_assert_eq!(show::effective(&RunArgs::default(), &env).len(), settings::all().count());
        }

        #[test]
        fn values_near_the_right_form_do_not_panic_either(value in r#"[0-9]{0,25}(\.[0-9]{0,3})?(ms|s|m|h|Mi|Gi|e[0-9]{1,4}|:[0-9]*)?"#) {
            for name in names() {
                let env = BTreeMap::from([(name.to_owned(), value.clone())]);
                prop_assert!(Config::load(&RunArgs::default(), &env).is_err());
            }
        }
    }
}
