//! A namespace with queues, sources and what takes their events.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DynamicObject, ListParams, LogParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tests::apiserver::{apply, namespace, resource_of};
use tests::servers::{Watched, ministack};
use tests::sink::Event;
use tests::suite::QueueUnderTest;
use tests::wait::eventually;
use tests::wire::Head;

/// Long enough for Pods to start on a busy machine; a test that passes does not wait for it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A namespace of its own.
pub struct Scene {
    /// With all rights.
    pub client: Client,
    /// Its name.
    pub namespace: String,
    /// Its AWS.
    pub server: Watched,
}

/// A queue and what it is called.
pub struct Queue {
    /// Its ARN.
    pub arn: String,
    /// To send to it.
    pub inner: QueueUnderTest,
}

impl Scene {
    /// With a Secret `keys` and nothing else.
    pub async fn new(purpose: &str) -> Self {
        let client = Client::try_default().await.expect("KUBECONFIG names the cluster");
        let namespace = namespace(&client, purpose).await;
        let scene = Self { client, namespace, server: ministack() };
        let keys = json!({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"});
        scene.apply("v1", "Secret", "keys", json!({"stringData": keys})).await;
        scene
    }

    /// Applies an object of this namespace: what `content` has beside the four usual fields.
    pub async fn apply(&self, api_version: &str, kind: &str, name: &str, content: Value) -> DynamicObject {
        let mut object = content;
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(kind);
        object["metadata"]["name"] = json!(name);
        object["metadata"]["namespace"] = json!(self.namespace);
        apply(&self.client, &object).await
    }

    /// The objects of a kind.
    pub fn all(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        let resource = resource_of(&json!({"apiVersion": api_version, "kind": kind}));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// The object as it is.
    pub async fn read(&self, api_version: &str, kind: &str, name: &str) -> DynamicObject {
        let found = self.all(api_version, kind).get(name).await;
        found.unwrap_or_else(|error| panic!("{kind} {name}: {error}"))
    }

    /// Waits until an object's status is about its current generation and says Ready; answers with the status.
    pub async fn ready(&self, api_version: &str, kind: &str, name: &str) -> Value {
        eventually(PATIENCE, || async {
            let object = self.read(api_version, kind, name).await;
            let status = object.data["status"].clone();
            let current = status["observedGeneration"].as_i64() == object.metadata.generation;
            if current && condition(&status, "Ready")["status"] == "True" { Ok(status) } else { Err(status) }
        })
        .await
    }

    /// A queue that only this scene uses.
    pub async fn queue(&self, name: &str) -> Queue {
        let queue = self.server.endpoint().queue(name, &[]).await;
        let arn = queue.attribute(QueueAttributeName::QueueArn).await.expect("a queue has an ARN");
        Queue { arn, inner: queue }
    }

    /// The same with a dead-letter queue behind it, for a test in which a message is refused.
    pub async fn queue_with_dead_letters(&self, name: &str) -> Queue {
        let (queue, dead) = (self.queue(name).await, self.queue(&format!("{name}-dead")).await);
        let policy = json!({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5}).to_string();
        let request = queue.inner.client.set_queue_attributes().queue_url(&queue.inner.url);
        let request = request.attributes(QueueAttributeName::RedrivePolicy, policy);
        request.send().await.expect("the server takes the policy");
        queue
    }

    /// What a source of a queue says, with keys and a short poll, so that it stops soon.
    pub fn spec(&self, queue: &Queue, sink: &Value) -> Value {
        json!({
            "queueArn": queue.arn, "endpointUrl": self.server.url(), "auth": {"secret": {"name": "keys"}}, "sink": sink,
            "receive": {"waitTime": "PT2S"},
        })
    }

    /// Applies a source.
    pub async fn apply_source(&self, name: &str, spec: Value) {
        self.apply("sources.knative.dev/v1alpha1", "AwsSqsSource", name, json!({"spec": spec})).await;
    }

    /// Applies a source and waits until it is Ready; answers with its status.
    pub async fn source(&self, name: &str, spec: Value) -> Value {
        self.apply_source(name, spec).await;
        self.ready("sources.knative.dev/v1alpha1", "AwsSqsSource", name).await
    }

    /// The Broker `default`, Ready; answers with what a sink calls it.
    pub async fn broker(&self) -> Value {
        self.apply("eventing.knative.dev/v1", "Broker", "default", json!({})).await;
        self.ready("eventing.knative.dev/v1", "Broker", "default").await;
        json!({"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}})
    }

    /// A Trigger of the Broker, Ready.
    pub async fn trigger(&self, name: &str, filter: Value, subscriber: &Value) {
        let spec = json!({"broker": "default", "filter": {"attributes": filter}, "subscriber": subscriber});
        self.apply("eventing.knative.dev/v1", "Trigger", name, json!({"spec": spec})).await;
        self.ready("eventing.knative.dev/v1", "Trigger", name).await;
    }

    /// An InMemoryChannel with one subscriber, Ready; answers with what a sink calls it.
    pub async fn channel(&self, name: &str, subscriber: &Value) -> Value {
        let channel = json!({"apiVersion": "messaging.knative.dev/v1", "kind": "InMemoryChannel", "name": name});
        self.apply("messaging.knative.dev/v1", "InMemoryChannel", name, json!({})).await;
        let subscription = json!({"channel": channel, "subscriber": subscriber});
        self.apply("messaging.knative.dev/v1", "Subscription", name, json!({"spec": subscription})).await;
        self.ready("messaging.knative.dev/v1", "Subscription", name).await;
        json!({"ref": channel})
    }

    /// Waits until a source has nothing to warn of; the adapter is asked every ten seconds.
    pub async fn delivering(&self, name: &str) {
        eventually(PATIENCE, || async {
            let status = self.read("sources.knative.dev/v1alpha1", "AwsSqsSource", name).await.data["status"].clone();
            let healthy = condition(&status, "DeliveryHealthy");
            if healthy["status"] == "True" { Ok(()) } else { Err(healthy) }
        })
        .await;
    }

    /// A Pod that records events, and a Service before it; answers with what a sink calls it.
    pub async fn recorder(&self, name: &str) -> Value {
        let labels = json!({"app": name});
        let container = json!({
            "name": "sink", "image": "registry.local/sink:1",
            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        });
        let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
        let deployment = json!({"spec": {"selector": {"matchLabels": labels}, "template": template}});
        self.apply("apps/v1", "Deployment", name, deployment).await;
        let ports = json!([{"port": 80, "targetPort": 8080}]);
        self.apply("v1", "Service", name, json!({"spec": {"selector": labels, "ports": ports}})).await;
        eventually(PATIENCE, || async {
            let status = self.read("apps/v1", "Deployment", name).await.data["status"].clone();
            if status["readyReplicas"] == 1 { Ok(()) } else { Err(status) }
        })
        .await;
        json!({"ref": {"apiVersion": "v1", "kind": "Service", "name": name}})
    }

    /// The requests that a recorder had so far, as events.
    pub async fn recorded(&self, name: &str) -> Vec<Event> {
        let mut recorded = Vec::new();
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        for pod in self.pods(&format!("app={name}")).await {
            let log = api.logs(&pod.name_any(), &LogParams::default()).await.expect("the Pod's log");
            recorded.extend(log.lines().map(event_of));
        }
        recorded
    }

    /// The events of a recorder, once there are at least so many.
    pub async fn events(&self, name: &str, count: usize) -> Vec<Event> {
        eventually(PATIENCE, || async {
            let recorded = self.recorded(name).await;
            if recorded.len() >= count { Ok(recorded) } else { Err(recorded) }
        })
        .await
    }

    /// The Pods with these labels.
    pub async fn pods(&self, labels: &str) -> Vec<Pod> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        api.list(&ListParams::default().labels(labels)).await.expect("Pods are listed").items
    }
}

impl Queue {
    /// Waits until it holds no message.
    pub async fn emptied(&self) {
        self.inner.emptied(PATIENCE).await;
    }
}

/// The condition of this name, or null.
pub fn condition(status: &Value, type_: &str) -> Value {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == type_).unwrap_or_default()
}

/// The event in a line of a recorder's log.
fn event_of(line: &str) -> Event {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = line["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), text(value))).collect();
    let head = Head { method: text(&line["method"]), target: text(&line["path"]), headers };
    Event::read(&head, &text(&line["body"]).into())
}
