//! Deliveries that failed -> Kubernetes Events `SinkSendFailed` on the source object. I/O: the Kubernetes API server.
//!
//! Only where `sink-event-error-reporting.enable` of Knative's ConfigMap `config-observability` asks for them.

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use crate::api_server::ApiServer;
use crate::config::{Config, Identity};
use crate::outcome::Answer;
use crate::sink::Surroundings;
use crate::telemetry::Throttle;

/// The value of `K_RESOURCE_GROUP` by which the controller of this project names the kind of its source objects.
const RESOURCE_GROUP: &str = "awssqssources.sources.knative.dev";
/// More than these would wait for an API server that is slow; then none is worth it.
const WAITING: usize = 4;

/// What is told about failed deliveries.
#[derive(Debug)]
pub struct Reports {
    server: ApiServer,
    events: Url,
    name: String,
    namespace: String,
    uid: Option<String>,
    throttle: Throttle,
    sender: mpsc::Sender<Failure>,
    receiver: Mutex<mpsc::Receiver<Failure>>,
}

/// Failures that are told together.
#[derive(Debug)]
struct Failure {
    message: String,
    count: u64,
}

impl Reports {
    /// `None` where nobody asked for reports, or where there is no source object or no API server to tell.
    pub fn new(config: &Config) -> Option<Self> {
        let server = config.sink.token_server.as_ref().filter(|_| config.observability.sink_event_error_reporting)?;
        Self::within(&Surroundings::of_pod(config.integration_source.as_ref()), server, &config.identity)
    }

    /// Reports to `server` in other surroundings than those of a pod.
    pub fn within(surroundings: &Surroundings, server: &Url, identity: &Identity) -> Option<Self> {
        let namespace = identity.namespace.clone().filter(|_| identity.resource_group == RESOURCE_GROUP)?;
        let server = ApiServer::new(server.clone(), surroundings.service_account.clone());
        let events = server.url_of(&["api", "v1", "namespaces", &namespace, "events"])?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let (name, uid, receiver) = (identity.name.clone(), identity.uid.clone(), Mutex::new(receiver));
        Some(Self { server, events, name, namespace, uid, throttle: Throttle::new(), sender, receiver })
    }

    /// The sink did not accept an event. One Event per 10 s tells of all.
    pub fn failed(&self, answer: &Answer) {
        if let Some(suppressed) = self.throttle.pass(Instant::now().into_std()) {
            // Nobody waits for an Event: one that finds no room is left out.
            let _sent = self.sender.try_send(Failure { message: message(answer), count: suppressed + 1 });
        }
    }

    /// Creates the Events; runs until dropped.
    pub async fn run(&self) {
        let mut failures = self.receiver.lock().await;
        while let Some(failure) = failures.recv().await {
            if let Err(reason) = self.server.create(&self.events, self.event(&failure, Timestamp::now())).await {
                warn!(event = "report_failed", "no Kubernetes Event about a failed delivery: {reason}");
            }
        }
    }

    /// <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>, in its older form, which Knative's
    /// adapters use.
    fn event(&self, failure: &Failure, now: Timestamp) -> String {
        let now = format!("{now:.0}");
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": format!("{}.", self.name), "namespace": self.namespace},
            "involvedObject": {
                "apiVersion": "sources.knative.dev/v1alpha1",
                "kind": "AwsSqsSource",
                "name": self.name,
                "namespace": self.namespace,
                "uid": self.uid,
            },
            "type": "Warning",
            "reason": "SinkSendFailed",
            "message": failure.message,
            "source": {"component": "sqs-bridge"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": failure.count,
        })
        .to_string()
    }
}

/// Begins as Knative's adapters have it, for those who look for that.
/// Source: knative/eventing `pkg/adapter/v2/util/crstatusevent/eventsstatus.go`.
fn message(answer: &Answer) -> String {
    match answer {
        Answer::Status { code, .. } => format!("{code} Error sending cloud event to sink."),
        Answer::Failed(failure) => format!("500 Error sending cloud event to sink. {}", failure.message),
    }
}
