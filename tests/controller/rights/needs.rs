//! What needs each right, in the order in which the controller comes to it.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, DynamicObject};
use serde_json::{Value, json};
use tests::apiserver::pods::{self, FakeAdapter};
use tests::apiserver::{apply, kind};
use tests::wait::eventually;

use super::Right;
use crate::rollout::legacy_deployment;
use crate::scene::{QUEUE, SOON, Scene, env_of, well};
use crate::shared::ACCOUNT;

const CERTIFICATE: &str = include_str!("../../../source-controller/fixtures/ca.pem");

/// The settings of a cluster where nothing is asked for.
pub async fn nothing(scene: &Scene) {
    for map in ["config-features", "config-observability"] {
        set(scene, map, json!({})).await;
    }
    system(scene).delete_if_there("v1", "ConfigMap", "corp").await;
}

/// Does what needs the right, and waits until it is done; it never is, unless the right is not needed.
pub async fn needing(scene: &Scene, right: &Right) {
    match (right.group.as_str(), right.resource.as_str(), right.verb.as_str()) {
        ("apps", "deployments", "update") => adopted(scene).await,
        ("apps", "deployments", "delete") => replaced(scene).await,
        ("events.k8s.io", "events", _) => events(scene).await,
        ("", "configmaps", _) => bundles(scene).await,
        ("", "serviceaccounts" | "serviceaccounts/token", _) | (_, "roles" | "rolebindings", _) => {
            identity(scene).await
        }
        ("", "events", _) => reporting(scene).await,
        ("keda.sh", ..) => scaled(scene).await,
        ("coordination.k8s.io", "leases", "update") => renewed(scene).await,
        ("", "services", _) => service(scene).await,
        _ => ready(scene).await,
    }
}

fn spec(sink: Value) -> Value {
    json!({"queueArn": QUEUE, "sink": sink})
}

fn uri() -> Value {
    json!({"uri": "http://display"})
}

/// A source as far as Ready, and changed once.
async fn ready(scene: &Scene) {
    scene.source("orders", spec(uri())).await;
    let _adapter = scene.run_pod("orders", well()).await;
    scene.condition("orders", "Ready", "True", "").await;
    scene.source("orders", spec(json!({"uri": "http://other"}))).await;
    scene.deployment_when("orders", |now| env_of(now, "K_SINK").as_deref() == Some("http://other")).await;
}

/// A lease that is held for longer than what the controller does first.
async fn renewed(scene: &Scene) {
    ready(scene).await;
    let leases: Api<Lease> = Api::namespaced(scene.client.clone(), ACCOUNT.0);
    let renewed_at = async || {
        let lease = leases.get_opt(ACCOUNT.1).await.expect("an answer");
        lease.and_then(|lease| lease.spec?.renew_time)
    };
    let before = renewed_at().await;
    eventually(SOON, async || {
        let now = renewed_at().await;
        if now != before { Ok(()) } else { Err(now) }
    })
    .await;
}

/// Three changes of one kind, of which the later ones only count up.
async fn events(scene: &Scene) {
    for profile in ["cost", "latency", "balanced", "cost", "latency"] {
        let mut spec = spec(uri());
        spec["profile"] = json!(profile);
        scene.source("orders", spec).await;
        scene.deployment_when("orders", |now| env_of(now, "BRIDGE_PROFILE").as_deref() == Some(profile)).await;
    }
    scene.event("orders", "AwsSqsSourceDeploymentUpdated").await;
}

/// A Deployment of eventing-awssqs.
async fn adopted(scene: &Scene) {
    let source = scene.source("orders", json!({"queueArn": QUEUE})).await;
    scene.condition("orders", "Ready", "False", "SinkEmpty").await;
    scene.apply(legacy_deployment(&scene.namespace, &source.metadata.uid.expect("a UID"))).await;
    scene.source("orders", spec(uri())).await;
    scene.deployment_when("orders", |now| env_of(now, "K_METRICS_CONFIG").is_none()).await;
}

/// A Deployment that selects other pods.
async fn replaced(scene: &Scene) {
    let source = scene.source("orders", json!({"queueArn": QUEUE})).await;
    scene.condition("orders", "Ready", "False", "SinkEmpty").await;
    let mut old = legacy_deployment(&scene.namespace, &source.metadata.uid.expect("a UID"));
    old["spec"]["selector"]["matchLabels"]["more"] = json!("1");
    old["spec"]["template"]["metadata"]["labels"]["more"] = json!("1");
    scene.apply(old).await;
    scene.source("orders", spec(uri())).await;
    let pod = eventually(SOON, async || {
        let pods = pods::of(&scene.client, &scene.namespace, "orders").await;
        let is_new = |pod: &k8s_openapi::api::core::v1::Pod| {
            pod.metadata.labels.as_ref().is_some_and(|labels| !labels.contains_key("more"))
        };
        pods.into_iter().find(is_new).ok_or("no pod of the new Deployment")
    })
    .await;
    let adapter = FakeAdapter::start(well()).await;
    pods::run(&scene.client, &pod, adapter.address, true).await;
    scene.deployment_when("orders", |now| now["metadata"]["name"] != "awssqs-orders-old").await;
}

/// A trust bundle that comes, changes and goes.
async fn bundles(scene: &Scene) {
    let label = json!({"networking.knative.dev/trust-bundle": "true"});
    let origin = |data: String| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"ca.pem": data},
            "metadata": {"name": "corp", "namespace": "knative-eventing", "labels": label},
        })
    };
    scene.source("orders", spec(uri())).await;
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let copy_is = async |expected: Option<String>| {
        eventually(SOON, async || {
            let copy = maps.get_opt("corpkne-bundle").await.expect("an answer");
            let data = copy.and_then(|copy| copy.data?.get("ca.pem").cloned());
            if data == expected { Ok(()) } else { Err(data) }
        })
        .await;
    };
    for data in [CERTIFICATE.to_owned(), CERTIFICATE.repeat(2)] {
        apply(&scene.client, &origin(data.clone())).await;
        copy_is(Some(data)).await;
    }
    system(scene).delete_if_there("v1", "ConfigMap", "corp").await;
    copy_is(None).await;
}

/// An OIDC identity that comes, is changed by somebody else, and goes.
async fn identity(scene: &Scene) {
    set(scene, "config-features", json!({"authentication-oidc": "enabled"})).await;
    scene.source("orders", spec(uri())).await;
    let account = "orders-oidc-sources.knative.dev-awssqssource";
    let accounts: Api<ServiceAccount> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let roles: Api<Role> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let bindings: Api<RoleBinding> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let there = async |expected: bool| {
        eventually(SOON, async || {
            let there = [
                accounts.get_opt(account).await.expect("an answer").is_some(),
                roles.get_opt("orders-create-oidc-token").await.expect("an answer").is_some(),
                bindings.get_opt("orders-create-oidc-token").await.expect("an answer").is_some(),
            ];
            if there == [expected; 3] { Ok(()) } else { Err(there) }
        })
        .await;
    };
    there(true).await;
    set(scene, "config-features", json!({})).await;
    there(false).await;
}

/// Rights of adapters to report failed deliveries.
async fn reporting(scene: &Scene) {
    set(scene, "config-observability", json!({"sink-event-error-reporting.enable": "true"})).await;
    scene.source("orders", spec(uri())).await;
    let roles: Api<Role> = Api::namespaced(scene.client.clone(), &scene.namespace);
    eventually(SOON, async || roles.get("orders-create-events").await.map(|_| ())).await;
}

/// KEDA's objects, which come and go.
async fn scaled(scene: &Scene) {
    let source = |annotations: Value| {
        let mut source = crate::scene::source("orders", spec(uri()));
        source["metadata"]["annotations"] = annotations;
        source
    };
    scene.apply(source(json!({"autoscaling.knative.dev/class": "keda.autoscaling.knative.dev"}))).await;
    let api = |kind_name: &str, plural: &str| -> Api<DynamicObject> {
        Api::namespaced_with(scene.client.clone(), &scene.namespace, &kind("keda.sh/v1alpha1", kind_name, plural))
    };
    let (objects, authentications) =
        (api("ScaledObject", "scaledobjects"), api("TriggerAuthentication", "triggerauthentications"));
    let there = async |expected: usize| {
        eventually(SOON, async || {
            let count =
                async |api: &Api<DynamicObject>| api.list(&Default::default()).await.expect("a list").items.len();
            let there = [count(&objects).await, count(&authentications).await];
            if there == [expected; 2] { Ok(()) } else { Err(there) }
        })
        .await;
    };
    there(1).await;
    scene.apply(source(json!({}))).await;
    there(0).await;
}

/// A Service as sink, which comes later.
async fn service(scene: &Scene) {
    let sink = json!({"ref": {"apiVersion": "v1", "kind": "Service", "name": "display"}});
    scene.source("orders", spec(sink)).await;
    scene.condition("orders", "Ready", "False", "NotFound").await;
    scene.service("display").await;
    scene.condition("orders", "SinkProvided", "True", "").await;
}

async fn set(scene: &Scene, map: &str, data: Value) {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": map, "namespace": "knative-eventing"}, "data": data,
    });
    apply(&scene.client, &map).await;
}

fn system(scene: &Scene) -> Scene {
    Scene { client: scene.client.clone(), namespace: "knative-eventing".to_owned() }
}
