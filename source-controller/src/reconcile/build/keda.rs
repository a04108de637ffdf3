//! An `Adapter` that asks for KEDA -> its ScaledObject and TriggerAuthentication. Pure.

use serde_json::{Value, json};

use super::owned_by;
use crate::reconcile::validate::autoscaling::Autoscaling;
use crate::reconcile::validate::{Adapter, Base, Queue};

/// The objects of KEDA that a source wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// What is scaled, how far and by which queue.
    pub scaled_object: Value,
    /// How KEDA signs in at AWS; absent if the user has an own one.
    pub authentication: Option<Value>,
}

/// What the ServiceAccount of the pods says about IRSA.
pub const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";

/// The name of a source's ScaledObject.
pub fn scaled_object_name(uid: &str) -> String {
    format!("so-{uid}")
}

/// The name of a source's TriggerAuthentication.
pub fn authentication_name(uid: &str) -> String {
    format!("ta-{uid}")
}

/// The objects of KEDA; `uses_irsa` if the pods' ServiceAccount names a role.
pub fn scaling(adapter: &Adapter, asked: &Autoscaling, deployment: &str, uses_irsa: bool) -> Scaling {
    let uid = &adapter.owner.uid;
    let own = asked.authentication.clone();
    let (kind, name) = own.unwrap_or_else(|| ("TriggerAuthentication".to_owned(), authentication_name(uid)));
    let scaled_object = json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(adapter, &scaled_object_name(uid)),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
            "minReplicaCount": asked.least,
            "maxReplicaCount": asked.most,
            "pollingInterval": asked.polling_interval,
            "cooldownPeriod": asked.cooldown_period,
            "triggers": [{
                "type": "aws-sqs-queue",
                "metadata": trigger(&adapter.queue, asked),
                "authenticationRef": {"kind": kind, "name": name},
            }],
        },
    });
    let authentication = asked.authentication.is_none().then(|| {
        json!({
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "TriggerAuthentication",
            "metadata": metadata(adapter, &authentication_name(uid)),
            "spec": authentication(adapter, uses_irsa),
        })
    });
    Scaling { scaled_object, authentication }
}

fn metadata(adapter: &Adapter, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": adapter.owner.namespace,
        "labels": super::deployment::selector(&adapter.owner),
        "ownerReferences": owned_by(&adapter.owner, true),
    })
}

/// Names and meaning: <https://keda.sh/docs/latest/scalers/aws-sqs/>. All values are texts.
fn trigger(queue: &Queue, asked: &Autoscaling) -> Value {
    let mut trigger = json!({
        "queueURL": queue.event_url,
        "awsRegion": queue.region,
        "queueLength": asked.queue_length.to_string(),
        "activationQueueLength": asked.activation_queue_length.to_string(),
        "scaleOnInFlight": asked.scale_on_in_flight.to_string(),
        "scaleOnDelayed": asked.scale_on_delayed.to_string(),
    });
    if let Some(endpoint) = &queue.endpoint {
        trigger["awsEndpoint"] = json!(endpoint);
    }
    trigger
}

/// How KEDA signs in: as the adapter does where it can, else as itself.
fn authentication(adapter: &Adapter, uses_irsa: bool) -> Value {
    if let Some(role) = &adapter.credentials.assume_role {
        let mut identity = json!({"provider": "aws", "roleArn": role.role_arn});
        if let Some(external_id) = &role.external_id {
            identity["externalID"] = json!(external_id);
        }
        return json!({"podIdentity": identity});
    }
    match &adapter.credentials.base {
        Base::WebIdentity { role_arn, .. } => json!({"podIdentity": {"provider": "aws", "roleArn": role_arn}}),
        Base::Keys { secret, access_key_id, secret_access_key, session_token } => {
            let target = |parameter: &str, key: &str| json!({"parameter": parameter, "name": secret, "key": key});
            let mut targets =
                vec![target("awsAccessKeyID", access_key_id), target("awsSecretAccessKey", secret_access_key)];
            targets.extend(session_token.as_ref().map(|key| target("awsSessionToken", key)));
            json!({"secretTargetRef": targets})
        }
        Base::Ambient if uses_irsa => json!({"podIdentity": {"provider": "aws", "identityOwner": "workload"}}),
        Base::Ambient | Base::File { .. } => json!({"podIdentity": {"provider": "aws"}}),
    }
}
