//! An `Adapter` -> the environment of its container, always in the same order. Pure.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::operator::{Operator, logging};
use crate::reconcile::resolve::Addressable;
use crate::reconcile::validate::{Adapter, Base, Tuning};

/// Where the Secret with the credentials file is mounted.
pub const CREDENTIALS_DIR: &str = "/var/secrets/aws";
/// Where static keys are mounted.
pub const KEYS_DIR: &str = "/var/secrets/aws-keys";
/// Where the token for web identity is mounted.
pub const TOKEN_DIR: &str = "/var/run/secrets/aws-web-identity";
/// Where the Secret with request headers is mounted.
pub const HEADERS_DIR: &str = "/var/secrets/sink-headers";

/// The variables; an absent setting has none, so that the adapter's own default applies.
pub fn env(adapter: &Adapter, operator: &Operator) -> Vec<Value> {
    let mut env = Env(vec![variable("K_SINK", &adapter.sink.url)]);
    queue(&mut env, adapter);
    credentials(&mut env, adapter);
    tuning(&mut env, &adapter.tuning);
    env.put("BRIDGE_SINK_HEADERS_DIR", adapter.sink_headers_secret.as_ref().map(|_| HEADERS_DIR));
    dead_letters(&mut env, adapter.dead_letter_sink.as_ref());
    identity(&mut env, adapter, operator);
    env.put("K_CA_CERTS", adapter.sink.ca_certs.as_deref());
    env.put("K_AUDIENCE", adapter.sink.audience.as_deref());
    env.put("K_OIDC_SERVICE_ACCOUNT", super::oidc_service_account(&adapter.owner, operator).as_deref());
    env.put("K_LOGGING_CONFIG", operator.logging.as_deref());
    env.put("K_OBSERVABILITY_CONFIG", operator.observability.as_ref().map(|forwarded| forwarded.config.as_str()));
    let overrides = json!({"extensions": adapter.extensions}).to_string();
    env.put("K_CE_OVERRIDES", (!adapter.extensions.is_empty()).then_some(overrides.as_str()));
    env.0.extend(adapter.pod.env.iter().cloned());
    env.0
}

struct Env(Vec<Value>);

impl Env {
    fn put(&mut self, name: &str, value: Option<&str>) {
        self.0.extend(value.map(|value| variable(name, value)));
    }

    fn put_shown<T: std::fmt::Display>(&mut self, name: &str, value: Option<T>) {
        self.put(name, value.map(|value| value.to_string()).as_deref());
    }

    /// The word that the field of `spec` has.
    fn put_word<T: Serialize>(&mut self, name: &str, value: Option<T>) {
        let word = value.and_then(|value| serde_json::to_value(value).ok());
        self.put(name, word.as_ref().and_then(Value::as_str));
    }

    fn put_duration(&mut self, name: &str, value: Option<Duration>) {
        self.put(name, value.map(shown).as_deref());
    }
}

fn variable(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn field(name: &str, path: &str) -> Value {
    json!({"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}})
}

/// Whole seconds as `30s`, anything else in milliseconds.
fn shown(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

fn queue(env: &mut Env, adapter: &Adapter) {
    let queue = &adapter.queue;
    env.put("AWS_SQS_URL", queue.url.as_deref());
    env.put("AWS_SQS_ARN", queue.arn.as_deref());
    // Always, for a cluster may inject its own region into pods, and that need not be the queue's.
    env.put("AWS_REGION", Some(&queue.region));
    env.put("AWS_ENDPOINT_URL_SQS", queue.endpoint_url.as_deref());
}

fn credentials(env: &mut Env, adapter: &Adapter) {
    match &adapter.credentials.base {
        Base::Ambient => {}
        Base::File { key, optional, .. } => {
            env.put("AWS_APPLICATION_CREDENTIALS", Some(&format!("{CREDENTIALS_DIR}/{key}")));
            env.put("BRIDGE_CREDENTIALS_OPTIONAL", optional.then_some("true"));
        }
        Base::Keys { .. } => env.put("BRIDGE_KEYS_DIR", Some(KEYS_DIR)),
        Base::WebIdentity { role_arn, session_name, .. } => {
            env.put("AWS_WEB_IDENTITY_TOKEN_FILE", Some(&format!("{TOKEN_DIR}/token")));
            env.put("AWS_ROLE_ARN", Some(role_arn));
            env.put("AWS_ROLE_SESSION_NAME", Some(session_name));
        }
    }
    if let Some(role) = &adapter.credentials.assume_role {
        env.put("BRIDGE_ASSUME_ROLE_ROLE_ARN", Some(&role.role_arn));
        env.put("BRIDGE_ASSUME_ROLE_EXTERNAL_ID", role.external_id.as_deref());
        env.put("BRIDGE_ASSUME_ROLE_SESSION_NAME", Some(&role.session_name));
    }
}

fn tuning(env: &mut Env, tuning: &Tuning) {
    let seconds_rounded_up = tuning.timeout.map(|timeout| timeout.as_millis().div_ceil(1000));
    env.put_shown("K_SINK_TIMEOUT", seconds_rounded_up);
    env.put_shown("BRIDGE_DELIVERY_RETRY", tuning.retry);
    env.put_word("BRIDGE_DELIVERY_BACKOFF_POLICY", tuning.backoff_policy);
    env.put_duration("BRIDGE_DELIVERY_BACKOFF_DELAY", tuning.backoff_delay);
    env.put_duration("BRIDGE_DELIVERY_RETRY_AFTER_MAX", tuning.retry_after_max);
    env.put_word("BRIDGE_FORMAT", tuning.format);
    env.put_word("BRIDGE_CONTENT_MODE", tuning.event.content_mode);
    env.put_word("BRIDGE_DATA", tuning.event.data);
    env.put_word("BRIDGE_TYPE_FORMAT", tuning.event.type_format);
    env.put_word("BRIDGE_SNS_UNWRAP", tuning.event.sns_unwrap);
    env.put("BRIDGE_MESSAGE_ATTRIBUTES", message_attributes(tuning).as_deref());
    env.put_word("BRIDGE_PROFILE", tuning.profile);
    env.put_duration("BRIDGE_WAIT_TIME", tuning.wait_time);
    env.put_shown("BRIDGE_MAX_MESSAGES", tuning.max_messages);
    env.put_shown("BRIDGE_MAX_POLLERS", tuning.max_pollers);
    env.put_duration("BRIDGE_VISIBILITY_TIMEOUT", tuning.visibility_timeout);
    env.put_shown("BRIDGE_MAX_IN_FLIGHT", tuning.max_in_flight);
    env.put_shown("BRIDGE_MAX_IN_FLIGHT_BYTES", tuning.max_in_flight_bytes);
    env.put_shown("BRIDGE_MAX_CONCURRENCY", tuning.max_concurrency);
    env.put_shown("BRIDGE_MAX_RATE", tuning.max_rate);
    env.put_word("BRIDGE_FIFO_ON_POISON", tuning.on_poison);
    env.put_duration("BRIDGE_DRAIN_TIMEOUT", tuning.drain_timeout);
}

fn message_attributes(tuning: &Tuning) -> Option<String> {
    let names = tuning.event.message_attributes.as_ref()?;
    Some(if names.is_empty() { "none".to_owned() } else { names.join(",") })
}

fn dead_letters(env: &mut Env, sink: Option<&Addressable>) {
    let Some(sink) = sink else { return };
    env.put("BRIDGE_DEAD_LETTER_SINK", Some(&sink.url));
    env.put("BRIDGE_DEAD_LETTER_SINK_CA_CERTS", sink.ca_certs.as_deref());
    env.put("BRIDGE_DEAD_LETTER_SINK_AUDIENCE", sink.audience.as_deref());
}

fn identity(env: &mut Env, adapter: &Adapter, operator: &Operator) {
    env.0.push(field("NAMESPACE", "metadata.namespace"));
    env.put("NAME", Some(&adapter.owner.name));
    env.put("BRIDGE_SOURCE_UID", operator.wants_reports().then_some(&adapter.owner.uid));
    env.0.push(field("POD_NAME", "metadata.name"));
    env.put("K_COMPONENT", Some(logging::COMPONENT));
    env.put("K_RESOURCE_GROUP", Some("awssqssources.sources.knative.dev"));
    env.put("SYSTEM_NAMESPACE", Some(&operator.system_namespace));
    env.put("METRICS_DOMAIN", Some("knative.dev/eventing"));
}
