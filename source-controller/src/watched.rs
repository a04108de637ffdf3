//! The few fields of other objects that we watch, so that a cache of thousands of them stays small. Pure.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;
use kube::core::{ObjectMeta, PartialObjectMeta};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cache::Named;
use crate::reconcile::build::{SCALED_BY, SELECTED, SELECTED_LABEL, SOURCE_LABEL, TEMPLATE_HASH};
use told::{ToldDeployment, ToldPod};

pub mod told;

/// The annotation that holds what was last given to `kubectl apply`.
pub const KUBECTL_COPY: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Stands for a value that is only compared.
pub type Digest = [u8; 16];

/// What is kept of a Deployment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "ToldDeployment")]
pub struct WatchedDeployment {
    /// Its name.
    pub name: Box<str>,
    /// When it was made.
    pub created: Option<Time>,
    /// Counts changes of its spec.
    pub generation: Option<i64>,
    /// The UID of its controller.
    pub controller: Option<Box<str>>,
    /// What [`version`] says of it.
    pub version: Digest,
    /// Stands for its template, if we made it.
    pub template_hash: Option<Box<str>>,
    /// KEDA decides about its replicas.
    pub scaled_by_keda: bool,
    /// Its pods are those of the source that its labels name, and its selector says so as we say it.
    pub selects_its_source: bool,
    /// Pods wanted.
    pub wanted: Option<i32>,
    /// The generation that what follows is about.
    pub observed_generation: Option<i64>,
    /// Pods there are.
    pub replicas: Option<i32>,
    /// Pods that are missing or not available yet.
    pub unavailable: Option<i32>,
    /// Pods of the current template.
    pub updated: Option<i32>,
    /// The condition Available.
    pub available: Option<Box<WatchedCondition>>,
    /// The condition ReplicaFailure.
    pub failure: Option<Box<WatchedCondition>>,
}

impl From<ToldDeployment> for WatchedDeployment {
    fn from(told: ToldDeployment) -> Self {
        let version = version(&told.metadata);
        let ToldDeployment { metadata, spec, mut status } = told;
        let labels = &spec.selector.match_labels;
        let named = metadata.labels.as_ref().and_then(|labels| labels.get(SOURCE_LABEL));
        let selects_its_source = labels.len() == 2
            && labels.get(SELECTED_LABEL).map(String::as_str) == Some(SELECTED)
            && named.is_some_and(|named| labels.get(SOURCE_LABEL) == Some(named));
        let mut condition = |type_: &str| {
            let at = status.conditions.iter().position(|condition| condition.type_ == type_)?;
            Some(Box::new(status.conditions.swap_remove(at)))
        };
        let (available, failure) = (condition("Available"), condition("ReplicaFailure"));
        Self {
            created: metadata.creation_timestamp.clone(),
            generation: metadata.generation,
            controller: controller(&metadata).map(Into::into),
            version,
            template_hash: annotation(&metadata, TEMPLATE_HASH),
            scaled_by_keda: annotation(&metadata, SCALED_BY).as_deref() == Some("keda"),
            selects_its_source,
            wanted: spec.replicas,
            observed_generation: status.observed_generation,
            replicas: status.replicas,
            unavailable: status.unavailable_replicas,
            updated: status.updated_replicas,
            available,
            failure,
            name: name(metadata),
        }
    }
}

/// What is kept of a Pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "ToldPod")]
pub struct WatchedPod {
    /// Its name.
    pub name: Box<str>,
    /// When it was made.
    pub created: Option<Time>,
    /// It is on its way out.
    pub going: bool,
    /// Stands for the template that it was made from.
    pub template_hash: Option<Box<str>>,
    /// Its address.
    pub address: Option<Box<str>>,
    /// The kubelet finds it ready.
    pub ready: bool,
    /// The condition PodScheduled, if there is no node for it.
    pub unscheduled: Option<Box<WatchedCondition>>,
    /// Containers that do not run.
    pub stopped: Box<[ContainerStatus]>,
}

impl From<ToldPod> for WatchedPod {
    fn from(ToldPod { metadata, status }: ToldPod) -> Self {
        let is = |condition: &WatchedCondition, type_: &str, status: &str| {
            condition.type_ == type_ && condition.status == status
        };
        Self {
            created: metadata.creation_timestamp.clone(),
            going: metadata.deletion_timestamp.is_some(),
            template_hash: annotation(&metadata, TEMPLATE_HASH),
            address: status.pod_ip.map(String::into_boxed_str),
            ready: status.conditions.iter().any(|condition| is(condition, "Ready", "True")),
            unscheduled: status
                .conditions
                .into_iter()
                .find(|condition| is(condition, "PodScheduled", "False"))
                .map(Box::new),
            stopped: status.container_statuses.into_iter().filter(ContainerStatus::is_stopped).collect(),
            name: name(metadata),
        }
    }
}

/// What is kept of an object that a source controls and of which only that counts.
#[derive(Clone, Debug, Default)]
pub struct WatchedChild {
    /// Its name.
    pub name: Box<str>,
    /// The UID of its controller.
    pub controller: Option<Box<str>>,
    /// What [`version`] says of it.
    pub version: Digest,
}

impl<K: Resource> From<PartialObjectMeta<K>> for WatchedChild {
    fn from(object: PartialObjectMeta<K>) -> Self {
        let version = version(&object.metadata);
        Self { controller: controller(&object.metadata).map(Into::into), version, name: name(object.metadata) }
    }
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

/// What is watched of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    /// How it is.
    pub state: ContainerState,
    /// How it was before it was started again.
    pub last_state: ContainerState,
}

impl ContainerStatus {
    fn is_stopped(&self) -> bool {
        self.state.waiting.is_some() || self.state.terminated.is_some()
    }
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
    pub data: Option<Digest>,
    /// Stands for `binaryData`.
    #[serde(default, rename = "binaryData", deserialize_with = "digest")]
    pub binary_data: Option<Digest>,
}

impl Named for WatchedDeployment {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for WatchedPod {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for WatchedChild {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for WatchedBundle {
    fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }
}

/// What tells whether an object was changed by anybody: its generation where it has one (status does not count then), else its version.
pub fn version(metadata: &ObjectMeta) -> Digest {
    let told = match metadata.generation {
        Some(generation) => {
            let owners = metadata.owner_references.as_ref().map_or(0, Vec::len);
            json!([generation, metadata.labels, metadata.annotations, owners])
        }
        None => json!(metadata.resource_version),
    };
    digest_of(&told).unwrap_or_default()
}

/// The UID of an object's controller.
pub fn controller(metadata: &ObjectMeta) -> Option<&str> {
    let mut owners = metadata.owner_references.iter().flatten();
    owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
}

/// A digest of any value; nothing for nothing and for what is empty.
pub fn digest_of(value: &Value) -> Option<Digest> {
    let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    (!empty).then(|| {
        let whole = Sha256::digest(value.to_string().as_bytes());
        std::array::from_fn(|at| whole[at])
    })
}

/// Removes what nobody reads and what grows: the history of field owners, and kubectl's copy of the object.
pub fn slim<K: Resource>(object: &mut K) {
    let metadata = object.meta_mut();
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove(KUBECTL_COPY);
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    Ok(digest_of(&Value::deserialize(deserializer)?))
}

fn annotation(metadata: &ObjectMeta, name: &str) -> Option<Box<str>> {
    metadata.annotations.as_ref()?.get(name).map(|value| value.as_str().into())
}

fn name(metadata: ObjectMeta) -> Box<str> {
    metadata.name.unwrap_or_default().into_boxed_str()
}
