//! A source and its resolved sinks -> an `Adapter`, or what is wrong with the source. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::matches::covers;
use super::resolve::Addressable;
use crate::crd::{self, AwsSqsSource, Bytes, Format, Template};
use crate::quantity;
use autoscaling::Autoscaling;
pub use credentials::{AssumeRole, Base, Credentials};
pub use queue::Queue;

pub mod autoscaling;
pub mod certificates;
pub mod credentials;
pub mod queue;

/// The validated source: everything that is needed to build its objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The source that owns everything.
    pub owner: Owner,
    /// Where events go.
    pub sink: Addressable,
    /// Where events go that the sink refuses.
    pub dead_letter_sink: Option<Addressable>,
    /// Where messages come from.
    pub queue: Queue,
    /// Who the adapter is for AWS.
    pub credentials: Credentials,
    /// The Secret whose keys become request headers.
    pub sink_headers_secret: Option<String>,
    /// Attributes set on every event.
    pub extensions: BTreeMap<String, String>,
    /// The mapping in use.
    pub format: Format,
    /// Settings that are only passed on.
    pub tuning: Tuning,
    /// Pods to run, while KEDA does not decide.
    pub replicas: i32,
    /// What the pods get besides.
    pub pod: Pod,
    /// What KEDA is asked for, or what is wrong with the annotations that ask.
    pub autoscaling: Option<Result<Autoscaling, autoscaling::Problem>>,
}

/// The source that owns everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID.
    pub uid: String,
}

/// Settings that are only passed on; an absent one is the adapter's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    /// `event.format`, if the user or a flat sink chose one.
    pub format: Option<Format>,
    /// `event` without its format.
    pub event: crd::Event,
    /// `profile`.
    pub profile: Option<crd::Profile>,
    /// `delivery.retry`.
    pub retry: Option<i32>,
    /// `delivery.backoffPolicy`.
    pub backoff_policy: Option<crd::BackoffPolicy>,
    /// `delivery.backoffDelay`.
    pub backoff_delay: Option<Duration>,
    /// `delivery.timeout`.
    pub timeout: Option<Duration>,
    /// `delivery.retryAfterMax`.
    pub retry_after_max: Option<Duration>,
    /// `receive.waitTime`.
    pub wait_time: Option<Duration>,
    /// `receive.maxMessages`.
    pub max_messages: Option<i32>,
    /// `receive.maxPollers`.
    pub max_pollers: Option<i32>,
    /// `receive.visibilityTimeout`.
    pub visibility_timeout: Option<Duration>,
    /// `flow.maxInFlight`.
    pub max_in_flight: Option<i32>,
    /// `flow.maxInFlightBytes`.
    pub max_in_flight_bytes: Option<u64>,
    /// `flow.maxConcurrency`.
    pub max_concurrency: Option<i32>,
    /// `flow.maxRate`.
    pub max_rate: Option<i32>,
    /// `fifo.onPoison`.
    pub on_poison: Option<crd::OnPoison>,
    /// `drainTimeout`.
    pub drain_timeout: Option<Duration>,
}

/// What the pods get besides; Kubernetes' own types are checked and kept as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// The ServiceAccount.
    pub service_account: String,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the user.
    pub annotations: BTreeMap<String, String>,
    /// Variables of the user.
    pub env: Vec<Value>,
    /// Compute resources.
    pub resources: Value,
    /// `nodeSelector`, `affinity`, … by their names in a PodSpec.
    pub scheduling: BTreeMap<&'static str, Value>,
}

/// Why a source cannot be run as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Fields that are wrong: path and problem.
    Spec(Vec<(String, String)>),
    /// The queue's region cannot be known.
    Region(String),
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spec(problems) => {
                let told: Vec<String> = problems.iter().map(|(path, problem)| format!("{path}: {problem}")).collect();
                f.write_str(&told.join("; "))
            }
            Self::Region(problem) => f.write_str(problem),
        }
    }
}

/// What the API server's rules let through is judged here once more, because objects can be older than the rules, and what rules cannot see.
///
/// # Errors
/// Every field that is wrong.
pub fn validate(
    source: &AwsSqsSource,
    sink: &Addressable,
    dead_letter_sink: Option<&Addressable>,
) -> Result<Adapter, Invalid> {
    let mut judge = Judge::default();
    let spec = &source.spec;
    let tuning = judge.tuning(spec);
    let pod = judge.pod(spec, &tuning);
    judge.certificates(spec);
    if source.metadata.name.as_deref().unwrap_or_default().len() > crate::child_name::LONGEST {
        judge.refuse("metadata.name", "must be at most 63 characters, it becomes a label value: choose a shorter name");
    }
    let queue = match queue::locate(spec) {
        Ok(queue) => Some(queue),
        Err(queue::Unlocated::Region(problem)) if judge.problems.is_empty() => return Err(Invalid::Region(problem)),
        Err(queue::Unlocated::Region(problem)) => judge.refuse_with("spec.region", problem),
        Err(queue::Unlocated::Queue(path, problem)) => judge.refuse_with(&path, problem),
    };
    let owner = owner(source);
    let credentials = credentials::credentials(spec, &owner);
    let (Some(queue), true) = (queue, judge.problems.is_empty()) else { return Err(Invalid::Spec(judge.problems)) };
    let annotations = source.metadata.annotations.clone().unwrap_or_default();
    Ok(Adapter {
        sink: sink.clone(),
        dead_letter_sink: dead_letter_sink.cloned(),
        autoscaling: autoscaling::requested(&annotations, &credentials),
        sink_headers_secret: spec.sink_headers_secret.as_ref().map(|secret| secret.name.clone()),
        extensions: spec.ce_overrides.as_ref().and_then(|overrides| overrides.extensions.clone()).unwrap_or_default(),
        format: tuning.format.unwrap_or(Format::Auto),
        replicas: spec.replicas.unwrap_or(1),
        owner,
        queue,
        credentials,
        tuning,
        pod,
    })
}

fn owner(source: &AwsSqsSource) -> Owner {
    Owner {
        name: source.metadata.name.clone().unwrap_or_default(),
        namespace: source.metadata.namespace.clone().unwrap_or_default(),
        uid: source.metadata.uid.clone().unwrap_or_default(),
    }
}

/// Gathers everything that is wrong, so that the user reads it at once.
#[derive(Default)]
struct Judge {
    problems: Vec<(String, String)>,
}

impl Judge {
    fn refuse(&mut self, path: &str, problem: &str) {
        self.problems.push((path.to_owned(), problem.to_owned()));
    }

    fn refuse_with<T>(&mut self, path: &str, problem: String) -> Option<T> {
        self.problems.push((path.to_owned(), problem));
        None
    }

    fn tuning(&mut self, spec: &crd::AwsSqsSourceSpec) -> Tuning {
        let delivery = spec.delivery.clone().unwrap_or_default();
        let receive = spec.receive.clone().unwrap_or_default();
        let flow = spec.flow.clone().unwrap_or_default();
        let event = spec.event.clone().unwrap_or_default();
        let flat = spec.sink.as_ref().is_some_and(crd::Sink::is_flat);
        Tuning {
            format: event.format.or(flat.then_some(Format::EventingAwssqs)),
            event,
            profile: spec.profile,
            retry: delivery.retry,
            backoff_policy: delivery.backoff_policy,
            backoff_delay: self.duration("spec.delivery.backoffDelay", delivery.backoff_delay.as_deref(), 0, 300),
            timeout: self.duration("spec.delivery.timeout", delivery.timeout.as_deref(), 1, 11 * 3600),
            retry_after_max: self.duration("spec.delivery.retryAfterMax", delivery.retry_after_max.as_deref(), 0, 900),
            wait_time: self.duration("spec.receive.waitTime", receive.wait_time.as_deref(), 1, 20),
            max_messages: receive.max_messages,
            max_pollers: receive.max_pollers,
            visibility_timeout: self.duration(
                "spec.receive.visibilityTimeout",
                receive.visibility_timeout.as_deref(),
                10,
                12 * 3600,
            ),
            max_in_flight: flow.max_in_flight,
            max_in_flight_bytes: flow.max_in_flight_bytes.as_ref().and_then(|bytes| self.bytes(bytes)),
            max_concurrency: flow.max_concurrency,
            max_rate: flow.max_rate,
            on_poison: spec.fifo.as_ref().and_then(|fifo| fifo.on_poison),
            drain_timeout: self.duration("spec.drainTimeout", spec.drain_timeout.as_deref(), 10, 3600),
        }
    }

    /// An ISO 8601 duration of hours, minutes and seconds, within bounds in seconds.
    fn duration(&mut self, path: &str, text: Option<&str>, least: u64, most: u64) -> Option<Duration> {
        let text = text?;
        let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        let within = |duration: &Duration| (Duration::from_secs(least)..=Duration::from_secs(most)).contains(duration);
        match parsed.filter(|_| text.starts_with("PT")).filter(within) {
            Some(duration) => Some(duration),
            None => self.refuse_with(
                path,
                format!("must be an ISO 8601 duration between {least}s and {most}s, such as PT30S, not {text:?}"),
            ),
        }
    }

    fn bytes(&mut self, bytes: &Bytes) -> Option<u64> {
        let text = match bytes {
            Bytes::Number(number) => number.to_string(),
            Bytes::Quantity(text) => text.clone(),
        };
        match quantity::parse(&text).filter(|count| *count >= LEAST_BYTES as f64) {
            Some(count) => Some(count as u64),
            None => self.refuse_with(
                "spec.flow.maxInFlightBytes",
                format!("must be a quantity of at least 12Mi, such as 64Mi, not {text:?}"),
            ),
        }
    }

    fn certificates(&mut self, spec: &crd::AwsSqsSourceSpec) {
        let sink = spec.sink.as_ref().and_then(|sink| sink.ca_certs.as_deref());
        let dead_letter_sink = spec.delivery.as_ref().and_then(|delivery| delivery.dead_letter_sink.as_ref());
        let dead_letter_sink = dead_letter_sink.and_then(|sink| sink.ca_certs.as_deref());
        for (path, pem) in [("spec.sink.CACerts", sink), ("spec.delivery.deadLetterSink.CACerts", dead_letter_sink)] {
            if let Some(Err(problem)) = pem.filter(|pem| !pem.is_empty()).map(certificates::check) {
                self.refuse(path, &problem);
            }
        }
    }

    fn pod(&mut self, spec: &crd::AwsSqsSourceSpec, tuning: &Tuning) -> Pod {
        let template = spec.template.clone().unwrap_or_default();
        let mut annotations = BTreeMap::from([("sidecar.istio.io/inject".to_owned(), "true".to_owned())]);
        annotations.extend(spec.annotations.clone().unwrap_or_default());
        annotations.extend(template.annotations.clone().unwrap_or_default());
        let resources = self
            .checked::<core::ResourceRequirements>(
                "spec.template.resources",
                template.resources.as_ref().map(spelt_out).as_ref(),
            )
            .unwrap_or_else(|| default_resources(tuning.max_in_flight_bytes));
        Pod {
            service_account: spec
                .service_account_name
                .clone()
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "default".to_owned()),
            labels: template.labels.clone().unwrap_or_default(),
            annotations,
            env: self.env(&template),
            resources,
            scheduling: self.scheduling(&template),
        }
    }

    fn env(&mut self, template: &Template) -> Vec<Value> {
        let mut env = Vec::new();
        for (index, variable) in template.env.iter().flatten().enumerate() {
            let value = serde_json::to_value(variable).unwrap_or_default();
            env.extend(self.checked::<core::EnvVar>(&format!("spec.template.env[{index}]"), Some(&value)));
        }
        env
    }

    fn scheduling(&mut self, template: &Template) -> BTreeMap<&'static str, Value> {
        let Template { node_selector, affinity, tolerations, topology_spread_constraints, image_pull_secrets, .. } =
            template;
        let fields = [
            (
                "nodeSelector",
                self.checked::<BTreeMap<String, String>>("spec.template.nodeSelector", node_selector.as_ref()),
            ),
            ("affinity", self.checked::<core::Affinity>("spec.template.affinity", affinity.as_ref())),
            ("tolerations", self.checked::<Vec<core::Toleration>>("spec.template.tolerations", tolerations.as_ref())),
            (
                "topologySpreadConstraints",
                self.checked::<Vec<core::TopologySpreadConstraint>>(
                    "spec.template.topologySpreadConstraints",
                    topology_spread_constraints.as_ref(),
                ),
            ),
            (
                "imagePullSecrets",
                self.checked::<Vec<core::LocalObjectReference>>(
                    "spec.template.imagePullSecrets",
                    image_pull_secrets.as_ref(),
                ),
            ),
            (
                "priorityClassName",
                template.priority_class_name.clone().filter(|name| !name.is_empty()).map(Value::from),
            ),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The value, if it is what Kubernetes has in this place: nothing else, and nothing misspelt.
    fn checked<T: DeserializeOwned + Serialize>(&mut self, path: &str, value: Option<&Value>) -> Option<Value> {
        let value = value?;
        let typed: T = match serde_json::from_value(value.clone()) {
            Ok(typed) => typed,
            Err(error) => return self.refuse_with(path, format!("is not what a PodSpec has there: {error}")),
        };
        let understood = serde_json::to_value(&typed).unwrap_or_default();
        if covers(value, &understood) {
            return Some(value.clone());
        }
        self.refuse_with(path, "has a field that a PodSpec does not have there: correct its spelling".to_owned())
    }
}

/// One ReceiveMessage answer can carry ten messages of 1 MiB: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const LEAST_BYTES: u64 = 12 << 20;

/// The adapter's own default of `flow.maxInFlightBytes`.
const DEFAULT_BYTES: u64 = 64 << 20;

/// Amounts that were written as numbers, as the texts that Kubernetes' types have.
fn spelt_out(resources: &Value) -> Value {
    let mut resources = resources.clone();
    for amounts in ["requests", "limits"] {
        for amount in resources.get_mut(amounts).and_then(Value::as_object_mut).into_iter().flatten() {
            if let Value::Number(number) = &amount.1 {
                *amount.1 = Value::from(number.to_string());
            }
        }
    }
    resources
}

fn default_resources(max_in_flight_bytes: Option<u64>) -> Value {
    let memory = 2 * max_in_flight_bytes.unwrap_or(DEFAULT_BYTES) + (128 << 20);
    json!({
        "requests": {"cpu": "50m", "memory": "64Mi"},
        "limits": {"memory": quantity::bytes(memory)},
    })
}

#[cfg(test)]
mod tests;
