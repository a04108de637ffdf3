//! An `Adapter` -> the ServiceAccount whose tokens it sends, and the rights that it needs. Pure.

use serde_json::{Value, json};

use super::{CONTROLLER, OWNED_LABEL, owned_by};
use crate::child_name;
use crate::reconcile::validate::{Adapter, Owner};

/// The label that Knative puts on everything that belongs to an OIDC identity.
pub const OIDC_LABEL: &str = "eventing.knative.dev/oidc";

/// The label on the rights to report failed deliveries.
pub const EVENTS_LABEL: &str = "sources.knative.dev/event-reporting";

/// The ServiceAccount that stands for the source.
pub fn service_account(owner: &Owner) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": child_name::oidc_service_account(&owner.name),
            "namespace": owner.namespace,
            "labels": {OIDC_LABEL: "enabled", OWNED_LABEL: CONTROLLER},
            "annotations": {
                "description": format!("Service Account for OIDC Authentication for AwsSqsSource {:?}", owner.name),
            },
            "ownerReferences": owned_by(owner, false),
        },
    })
}

/// The right to request tokens of that ServiceAccount, and of no other.
pub fn token_rights(adapter: &Adapter) -> (Value, Value) {
    let owner = &adapter.owner;
    let rules = json!([{
        "apiGroups": [""],
        "resources": ["serviceaccounts/token"],
        "resourceNames": [child_name::oidc_service_account(&owner.name)],
        "verbs": ["create"],
    }]);
    rights(adapter, &child_name::oidc_role(&owner.name), OIDC_LABEL, &rules)
}

/// The right to report failed deliveries as Kubernetes Events.
pub fn event_rights(adapter: &Adapter) -> (Value, Value) {
    let rules = json!([{"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}]);
    rights(adapter, &child_name::events_role(&adapter.owner.name), EVENTS_LABEL, &rules)
}

fn rights(adapter: &Adapter, name: &str, label: &str, rules: &Value) -> (Value, Value) {
    let metadata = json!({
        "name": name,
        "namespace": adapter.owner.namespace,
        "labels": {label: "enabled", OWNED_LABEL: CONTROLLER},
        "ownerReferences": owned_by(&adapter.owner, true),
    });
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{
            "kind": "ServiceAccount",
            "name": adapter.pod.service_account,
            "namespace": adapter.owner.namespace,
        }],
    });
    (role, binding)
}
