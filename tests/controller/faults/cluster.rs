//! What is wrong in the cluster: objects that do not exist, pods that do not start, specs that make no sense.

use serde_json::{Value, json};

use super::place::act;
use super::{Fault, fault};

fn broker() -> Value {
    json!({"sink": {"uri": null, "ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "events"}}})
}

pub fn faults() -> Vec<Fault> {
    let mut faults = objects();
    faults.extend(pods());
    faults
}

fn objects() -> Vec<Fault> {
    vec![
        fault(
            "The sink does not exist",
            "NotFound",
            "eventing.knative.dev/v1 Broker ns/events not found: create it or correct the reference",
            "create it, or correct `sink.ref`",
            act!(place => place.source(broker()).await),
            act!(place => {
                let url = place.sink.url();
                let status = json!({"address": {"url": url}});
                place.scene.addressable("eventing.knative.dev/v1", "Broker", "events", status).await;
            }),
        )
        .unobserved(),
        fault(
            "The sink has no address",
            "NotFound",
            "address not set for eventing.knative.dev/v1 Broker ns/events: see why it is not ready, or name something that takes events",
            "see why it is not ready, or name another sink",
            act!(place => {
                place.scene.addressable("eventing.knative.dev/v1", "Broker", "events", json!({})).await;
                place.source(broker()).await;
            }),
            act!(place => {
                let url = place.sink.url();
                let status = json!({"address": {"url": url}});
                place.scene.addressable("eventing.knative.dev/v1", "Broker", "events", status).await;
            }),
        )
        .unobserved(),
        fault(
            "The sink is deleted later",
            "NotFound",
            "eventing.knative.dev/v1 Broker ns/events not found: create it or correct the reference",
            "create it again, or name another sink; until then events go to the old address",
            act!(place => {
                let status = json!({"address": {"url": place.sink.url()}});
                place.scene.addressable("eventing.knative.dev/v1", "Broker", "events", status).await;
                place.source(broker()).await;
                place.scene.condition("orders", "Ready", "True", "").await;
                place.scene.delete("eventing.knative.dev/v1", "Broker", "events").await;
            }),
            act!(place => {
                let status = json!({"address": {"url": place.sink.url()}});
                place.scene.addressable("eventing.knative.dev/v1", "Broker", "events", status).await;
            }),
        ),
        fault(
            "The spec makes no sense",
            "InvalidSpec",
            "spec.template.affinity: has a field that a PodSpec does not have there: correct its spelling",
            "correct the field; a running adapter goes on as it was",
            act!(place => {
                let affinity = json!({"nodeAfinity": {"required": true}});
                place.source(json!({"template": {"affinity": affinity}})).await;
            }),
            act!(place => place.source(json!({})).await),
        )
        .unobserved(),
    ]
}

fn pods() -> Vec<Fault> {
    vec![
        fault(
            "The ServiceAccount does not exist",
            "FailedCreate",
            "no pod can be made: pods awssqs-orders-… is forbidden: error looking up service account ns/reader: serviceaccount \"reader\" not found: create what is missing, or allow what is refused",
            "create it, or correct `serviceAccountName`",
            act!(place => place.source(json!({"serviceAccountName": "reader"})).await),
            act!(place => {
                place.scene.apply(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader"}})).await;
            }),
        )
        .unobserved(),
        fault(
            "The image cannot be pulled",
            "ImagePullBackOff",
            "pod awssqs-orders-… cannot start: Back-off pulling image \"registry.local/sqs-bridge:1\": correct the adapter's image or its registry, or give spec.template.imagePullSecrets",
            "correct the controller's `--adapter-image`, or give `template.imagePullSecrets`",
            act!(place => {
                place.node.registry(false);
                place.source(json!({})).await;
            }),
            act!(place => place.node.registry(true)),
        )
        .unobserved(),
        fault(
            "The adapter does not start",
            "CrashLoopBackOff",
            "pod awssqs-orders-… cannot start: error: TLS_MIN_VERSION is \"1.9\": use one of 1.2, 1.3",
            "correct what its last line names",
            act!(place => {
                place.source(json!({"template": {"env": [{"name": "TLS_MIN_VERSION", "value": "1.9"}]}})).await;
            }),
            act!(place => place.source(json!({})).await),
        )
        .unobserved(),
    ]
}
