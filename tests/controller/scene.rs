//! A namespace with sources, and questions about them.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tests::apiserver::pods::{self, FakeAdapter};
use tests::apiserver::{Cluster, apply, namespace, sources};
use tests::wait::eventually;

/// How long the controller may take for anything that no clock slows down.
pub const SOON: Duration = Duration::from_secs(30);

/// What the Deployment controller notes on a Deployment and on the ReplicaSet that stands for it.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Which ReplicaSet a pod is of.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// A namespace with sources.
pub struct Scene {
    /// With all rights.
    pub client: Client,
    /// Of its own.
    pub namespace: String,
}

impl Scene {
    /// An empty one.
    pub async fn new(cluster: &Cluster, purpose: &str) -> Self {
        let client = cluster.admin().await;
        let namespace = namespace(&client, purpose).await;
        Self { client, namespace }
    }

    /// Applies an object in this namespace.
    pub async fn apply(&self, mut object: Value) -> DynamicObject {
        object["metadata"]["namespace"] = json!(self.namespace);
        apply(&self.client, &object).await
    }

    /// Applies a source.
    pub async fn source(&self, name: &str, spec: Value) -> DynamicObject {
        self.apply(source(name, spec)).await
    }

    /// A core Service, which is a sink by its existence.
    pub async fn service(&self, name: &str) {
        self.apply(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}))
            .await;
    }

    /// An object with an address.
    pub async fn addressable(&self, api_version: &str, kind: &str, name: &str, status: Value) {
        self.apply(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})).await;
        let resource = tests::apiserver::resource_of(&json!({"apiVersion": api_version, "kind": kind}));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        let patch = kube::api::Patch::Merge(json!({"status": status}));
        api.patch_status(name, &kube::api::PatchParams::default(), &patch).await.expect("an address");
    }

    /// Deletes an object of this namespace.
    pub async fn delete(&self, api_version: &str, kind: &str, name: &str) {
        let resource = tests::apiserver::resource_of(&json!({"apiVersion": api_version, "kind": kind}));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        api.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// The same, if it is there.
    pub async fn delete_if_there(&self, api_version: &str, kind: &str, name: &str) {
        let resource = tests::apiserver::resource_of(&json!({"apiVersion": api_version, "kind": kind}));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        match api.delete(name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("deleting {kind} {name}: {error}"),
        }
    }

    /// Every sentence in the status of a source and in the Kubernetes Events about it.
    pub async fn said(&self, source: &str) -> Vec<String> {
        let status = sources(&self.client, &self.namespace).get_opt(source).await.expect("an answer");
        let conditions = status.and_then(|source| source.data["status"]["conditions"].as_array().cloned());
        let messages = conditions.into_iter().flatten().filter_map(|one| one["message"].as_str().map(str::to_owned));
        messages.chain(self.events(source).await.into_iter().map(|(_, note)| note)).collect()
    }

    /// The source as it is.
    pub async fn read(&self, name: &str) -> DynamicObject {
        sources(&self.client, &self.namespace).get(name).await.expect("the source")
    }

    /// The status, once it is about the source's current generation and `condition` says yes.
    pub async fn status_when(&self, name: &str, condition: impl Fn(&Status) -> bool) -> Status {
        let condition = &condition;
        eventually(SOON, || async move {
            let source = self.read(name).await;
            let status = Status(source.data["status"].clone());
            let current = status.0["observedGeneration"].as_i64() == source.metadata.generation;
            if current && condition(&status) { Ok(status) } else { Err(serde_json::to_string_pretty(&status.0)) }
        })
        .await
    }

    /// The status, once a condition has this status and reason.
    pub async fn condition(&self, name: &str, type_: &str, status: &str, reason: &str) -> Status {
        self.status_when(name, |now| {
            let condition = now.condition(type_);
            condition["status"] == status && condition["reason"].as_str().unwrap_or_default() == reason
        })
        .await
    }

    /// The Deployments of a source.
    pub async fn deployments(&self, source: &str) -> Vec<Deployment> {
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), &self.namespace);
        let selection = ListParams::default().labels(&format!("knative-eventing-source-name={source}"));
        api.list(&selection).await.expect("Deployments are listed").items
    }

    /// The only Deployment of a source, once `condition` says yes.
    pub async fn deployment_when(&self, source: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let condition = &condition;
        eventually(SOON, || async move {
            let mut deployments = self.deployments(source).await;
            let only = if deployments.len() == 1 { deployments.pop() } else { None };
            let Some(only) = only else { return Err(format!("{} Deployments", deployments.len())) };
            let only = serde_json::to_value(only).expect("JSON");
            if condition(&only) { Ok(only) } else { Err(only.to_string()) }
        })
        .await
    }

    /// Runs a pod of the Deployment as it is now, as a kubelet would, with an adapter that answers `page`.
    pub async fn run_pod(&self, source: &str, page: Value) -> FakeAdapter {
        let adapter = FakeAdapter::start(page.clone()).await;
        let pod = self.new_pod(source).await;
        pods::run(&self.client, &pod, adapter.address, page["ready"] == true).await;
        adapter
    }

    /// A pod of the Deployment as it is now that nobody runs yet.
    pub async fn new_pod(&self, source: &str) -> Pod {
        eventually(SOON, || async {
            // One of an older template would hold the rollout: the newer one waits for somebody to run it.
            let template = self.template(source).await.ok_or("no ReplicaSet for the Deployment as it is")?;
            let pods = pods::of(&self.client, &self.namespace, source).await;
            pods.into_iter()
                .find(|pod| {
                    let idle = pod.status.as_ref().is_none_or(|status| status.pod_ip.is_none());
                    idle && pod.labels().get(TEMPLATE_HASH) == Some(&template)
                })
                .ok_or("no new pod")
        })
        .await
    }

    /// The label that pods of the Deployment's present template have, once its ReplicaSet is there.
    async fn template(&self, source: &str) -> Option<String> {
        let deployment = self.deployments(source).await.pop()?;
        let observed = deployment.status.as_ref()?.observed_generation;
        if observed != deployment.metadata.generation {
            return None;
        }
        let revision = deployment.annotations().get(REVISION)?;
        let sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &self.namespace);
        let selection = ListParams::default().labels(&format!("knative-eventing-source-name={source}"));
        let sets = sets.list(&selection).await.expect("ReplicaSets are listed").items;
        let newest = sets.iter().find(|set| set.annotations().get(REVISION) == Some(revision))?;
        newest.labels().get(TEMPLATE_HASH).cloned()
    }

    /// Waits for a Kubernetes Event about a source; answers with its note.
    pub async fn event(&self, source: &str, reason: &str) -> String {
        eventually(SOON, || async {
            let events = self.events(source).await;
            let found = events.iter().find(|(known, _)| known == reason).map(|(_, note)| note.clone());
            found.ok_or(events)
        })
        .await
    }

    /// Reasons and notes of the Kubernetes Events about a source.
    async fn events(&self, source: &str) -> Vec<(String, String)> {
        let api: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let events = api.list(&ListParams::default()).await.expect("Events are listed").items;
        let about = |event: &k8s_openapi::api::events::v1::Event| {
            event.regarding.as_ref().is_some_and(|about| about.name.as_deref() == Some(source))
        };
        events
            .into_iter()
            .filter(about)
            .map(|event| (event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
            .collect()
    }

    /// The environment of a source's container, by name.
    pub async fn env(&self, source: &str, name: &str) -> Option<String> {
        let deployments = self.deployments(source).await;
        let deployment = serde_json::to_value(deployments.first()?).expect("JSON");
        env_of(&deployment, name)
    }
}

/// A status, with its conditions by name.
#[derive(Clone, Debug)]
pub struct Status(pub Value);

impl Status {
    /// The condition of this name, or null.
    pub fn condition(&self, type_: &str) -> Value {
        let conditions = self.0["conditions"].as_array().cloned().unwrap_or_default();
        conditions.into_iter().find(|condition| condition["type"] == type_).unwrap_or_default()
    }

    /// The message of a condition.
    pub fn message(&self, type_: &str) -> String {
        self.condition(type_)["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// A source.
pub fn source(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "metadata": {"name": name}, "spec": spec})
}

/// The value of a variable of the container.
pub fn env_of(deployment: &Value, name: &str) -> Option<String> {
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array()?;
    let variable = env.iter().find(|variable| variable["name"] == name)?;
    Some(variable["value"].as_str().unwrap_or_default().to_owned())
}

/// An ARN of a queue that nobody asks in this tier.
pub const QUEUE: &str = "arn:aws:sqs:eu-north-1:123456789012:orders";

/// What an adapter answers that works.
pub fn well() -> Value {
    json!({"ready": true, "warnings": []})
}

/// The names of objects.
pub fn names<K: ResourceExt>(objects: &[K]) -> Vec<String> {
    objects.iter().map(|object| object.name_any()).collect()
}
