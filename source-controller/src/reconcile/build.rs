//! An `Adapter` -> the objects that run it: names, owners and contents follow from the input alone. Pure.

use serde_json::{Value, json};

use super::validate::{Adapter, Owner};
use crate::child_name;
use crate::operator::Operator;

pub mod deployment;
pub mod env;
pub mod identity;
pub mod keda;

/// The name under which the controller owns fields and is known to people.
pub const CONTROLLER: &str = "awssqs-source-controller";

/// The annotation of pod and Deployment that tells which template a pod was made from.
pub const TEMPLATE_HASH: &str = "sources.knative.dev/template-hash";

/// The annotation of a Deployment that tells who decides about its replicas: `spec` or `keda`.
pub const SCALED_BY: &str = "sources.knative.dev/scaled-by";

/// The label on everything that the controller makes; its value is [`CONTROLLER`].
pub const OWNED_LABEL: &str = "eventing.knative.dev/source";

/// The value of the label by which eventing-awssqs and we select pods.
pub const SELECTED: &str = "awssqssource.sources.eventing.knative.dev";

/// The label whose value is [`SELECTED`].
pub const SELECTED_LABEL: &str = "knative-eventing-source";

/// The label whose value is the source's name.
pub const SOURCE_LABEL: &str = "knative-eventing-source-name";

/// The objects that a source wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// ServiceAccount for OIDC; absent while the feature is off.
    pub identity: Option<Value>,
    /// Role and RoleBinding that the adapter needs for its tokens.
    pub token_rights: Option<(Value, Value)>,
    /// Role and RoleBinding that the adapter needs for Kubernetes Events.
    pub event_rights: Option<(Value, Value)>,
    /// The adapter.
    pub deployment: Value,
}

/// What is known of the source's namespace when its objects are built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The Deployment that the source has already, by name.
    pub deployment: Option<String>,
    /// ConfigMaps with trust bundles in the source's namespace, sorted.
    pub trust_bundles: Vec<String>,
    /// KEDA decides about replicas.
    pub scaled: bool,
}

/// The objects that run the adapter.
pub fn build(adapter: &Adapter, operator: &Operator, surroundings: &Surroundings) -> Objects {
    Objects {
        identity: operator.features.oidc.then(|| identity::service_account(&adapter.owner)),
        token_rights: operator.features.oidc.then(|| identity::token_rights(adapter)),
        event_rights: operator.wants_reports().then(|| identity::event_rights(adapter)),
        deployment: deployment::deployment(adapter, operator, surroundings),
    }
}

/// The name of the OIDC ServiceAccount, while the feature is on.
pub fn oidc_service_account(owner: &Owner, operator: &Operator) -> Option<String> {
    operator.features.oidc.then(|| child_name::oidc_service_account(&owner.name))
}

/// The selector of a source's pods, as a label query.
pub fn selector(source: &str) -> String {
    format!("{SELECTED_LABEL}={SELECTED},{SOURCE_LABEL}={source}")
}

/// The reference that makes the source the owner and controller of an object.
fn owned_by(owner: &Owner, blocks_deletion: bool) -> Value {
    json!([{
        "apiVersion": "sources.knative.dev/v1alpha1",
        "kind": "AwsSqsSource",
        "name": owner.name,
        "uid": owner.uid,
        "controller": true,
        "blockOwnerDeletion": blocks_deletion,
    }])
}

#[cfg(test)]
mod tests;
