//! The few fields of other objects that we watch, so that a cache of thousands of them stays small. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Resource;
use kube::core::ObjectMeta;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What is watched of a Deployment.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Deployment")]
pub struct WatchedDeployment {
    /// Name, owners, labels, annotations, generation.
    pub metadata: ObjectMeta,
    /// Replicas and selector.
    #[serde(default)]
    pub spec: DeploymentSpec,
    /// How far it has come.
    #[serde(default)]
    pub status: DeploymentStatus,
}

/// What is watched of a Deployment's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DeploymentSpec {
    /// Pods wanted.
    pub replicas: Option<i32>,
    /// Which pods are its own.
    pub selector: Selector,
}

/// A label selector.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    /// Labels that a pod must have.
    pub match_labels: BTreeMap<String, String>,
}

/// What is watched of a Deployment's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentStatus {
    /// The generation that the other fields are about.
    pub observed_generation: Option<i64>,
    /// Pods there are.
    pub replicas: Option<i32>,
    /// Pods that are missing or not available yet.
    pub unavailable_replicas: Option<i32>,
    /// Pods of the current template.
    pub updated_replicas: Option<i32>,
    /// Available, Progressing, ReplicaFailure.
    pub conditions: Vec<WatchedCondition>,
}

/// A condition of any kind of object.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct WatchedCondition {
    /// Its name.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// One word.
    pub reason: Option<String>,
    /// A sentence.
    pub message: Option<String>,
}

/// What is watched of a Pod.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Pod")]
pub struct WatchedPod {
    /// Name, labels, annotations, times.
    pub metadata: ObjectMeta,
    /// How it is.
    #[serde(default)]
    pub status: PodStatus,
}

/// What is watched of a Pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodStatus {
    /// Pending, Running, …
    pub phase: Option<String>,
    /// Its address.
    #[serde(rename = "podIP")]
    pub pod_ip: Option<String>,
    /// PodScheduled, Ready, …
    pub conditions: Vec<WatchedCondition>,
    /// The containers.
    pub container_statuses: Vec<ContainerStatus>,
}

/// What is watched of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// How often it was started again.
    pub restart_count: i32,
    /// How it is.
    pub state: ContainerState,
    /// How it was before it was started again.
    pub last_state: ContainerState,
}

/// How a container is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ContainerState {
    /// It cannot start, and why.
    pub waiting: Option<Stopped>,
    /// It has ended, and how.
    pub terminated: Option<Stopped>,
}

/// Why a container does not run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Stopped {
    /// One word.
    pub reason: Option<String>,
    /// A sentence, or the last lines of its log.
    pub message: Option<String>,
    /// Exit code, if it ended.
    pub exit_code: Option<i32>,
}

/// What is watched of a ConfigMap with trust bundles: a digest stands for its contents.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "ConfigMap")]
pub struct WatchedBundle {
    /// Name, owners, labels, annotations.
    pub metadata: ObjectMeta,
    /// Stands for `data`.
    #[serde(default, rename = "data", deserialize_with = "digest")]
    pub data: Option<String>,
    /// Stands for `binaryData`.
    #[serde(default, rename = "binaryData", deserialize_with = "digest")]
    pub binary_data: Option<String>,
}

/// A digest of any value; nothing for nothing and for what is empty.
pub fn digest_of(value: &Value) -> Option<String> {
    let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    (!empty).then(|| {
        Sha256::digest(value.to_string().as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    })
}

/// Removes what nobody reads and what grows: the history of field owners, and kubectl's copy of the object.
pub fn slim<K: Resource>(object: &mut K) {
    let metadata = object.meta_mut();
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(digest_of(&Value::deserialize(deserializer)?))
}
