//! What the API server tells of the objects of which little is kept. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::core::ObjectMeta;
use serde::Deserialize;

use super::{ContainerStatus, WatchedCondition};

/// What is told of a Deployment.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Deployment")]
pub struct ToldDeployment {
    /// Name, owners, labels, annotations, generation.
    pub metadata: ObjectMeta,
    /// Replicas and selector.
    #[serde(default)]
    pub spec: DeploymentSpec,
    /// How far it has come.
    #[serde(default)]
    pub status: DeploymentStatus,
}

/// What is told of a Deployment's spec.
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

/// What is told of a Deployment's status.
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

/// What is told of a Pod.
#[derive(Clone, Debug, Deserialize, Resource)]
#[resource(inherit = "Pod")]
pub struct ToldPod {
    /// Name, labels, annotations, times.
    pub metadata: ObjectMeta,
    /// How it is.
    #[serde(default)]
    pub status: PodStatus,
}

/// What is told of a Pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodStatus {
    /// Its address.
    #[serde(rename = "podIP")]
    pub pod_ip: Option<String>,
    /// PodScheduled, Ready, …
    pub conditions: Vec<WatchedCondition>,
    /// The containers.
    pub container_statuses: Vec<ContainerStatus>,
}
