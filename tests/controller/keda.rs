//! Sources that KEDA scales, against KEDA's own definitions; KEDA itself does not run here.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tests::apiserver::controller::Running;
use tests::apiserver::{Cluster, kind, on_a_runtime};
use tests::wait::eventually;
use tokio::sync::{Mutex, MutexGuard};

use crate::scene::{QUEUE, SOON, Scene, source, well};
use crate::shared::{ACCOUNT, controlled, install, kinds};

/// KEDA's definitions, which `tests/run` fetches.
pub fn keda() -> Vec<PathBuf> {
    let folder =
        std::env::var_os("TESTS_KEDA").unwrap_or_else(|| panic!("TESTS_KEDA is not set: run `tests/run apiserver`"));
    let names = ["scaledobjects", "triggerauthentications", "clustertriggerauthentications"];
    names.map(|name| PathBuf::from(&folder).join(format!("keda.sh_{name}.yaml"))).to_vec()
}

const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// One cluster with KEDA's definitions, and one controller on it, for the tests of this file.
pub fn with_keda() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let (keda, kinds) = (keda(), kinds());
        let manifests: Vec<&Path> = std::iter::once(kinds.as_path()).chain(keda.iter().map(PathBuf::as_path)).collect();
        let cluster = Cluster::start("keda", &manifests);
        on_a_runtime(install(&cluster));
        cluster
    })
}

/// One controller at a time on that cluster.
pub async fn controller(cluster: &Cluster) -> (Running, MutexGuard<'static, ()>) {
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    (Running::start(cluster.client_of(ACCOUNT.0, ACCOUNT.1).await, &["--no-leader-election"]), turn)
}

fn on() -> Value {
    json!({"autoscaling.knative.dev/class": "keda.autoscaling.knative.dev"})
}

fn scaled(annotations: Value, more: Value) -> Value {
    let mut object = source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "replicas": 2}));
    tests::merge::merge(&mut object["spec"], &more);
    object["metadata"]["annotations"] = on();
    tests::merge::merge(&mut object["metadata"]["annotations"], &annotations);
    object
}

fn api(scene: &Scene, name: &str, plural: &str) -> Api<DynamicObject> {
    Api::namespaced_with(scene.client.clone(), &scene.namespace, &kind("keda.sh/v1alpha1", name, plural))
}

fn objects(scene: &Scene) -> Api<DynamicObject> {
    api(scene, "ScaledObject", "scaledobjects")
}

fn authentications(scene: &Scene) -> Api<DynamicObject> {
    api(scene, "TriggerAuthentication", "triggerauthentications")
}

/// The only object of a kind, once `condition` says yes of its spec.
async fn one(api: &Api<DynamicObject>, condition: impl Fn(&Value) -> bool) -> DynamicObject {
    let condition = &condition;
    eventually(SOON, async || {
        let mut found = api.list(&Default::default()).await.expect("a list").items;
        let only = if found.len() == 1 { found.pop() } else { None };
        only.filter(|only| condition(&only.data["spec"])).ok_or(found)
    })
    .await
}

/// Settings in annotations and credentials of the spec, one after the other on one source: each is in KEDA's objects as
/// KEDA's own schema has it, and nothing that was asked for before is left.
#[test]
fn annotations_and_credentials_become_kedas_objects() {
    let cluster = with_keda();
    on_a_runtime(async {
        let scene = Scene::new(cluster, "keda").await;
        let _controller = controller(cluster).await;
        for (name, annotations) in [("plain", json!({})), ("irsa", json!({"eks.amazonaws.com/role-arn": ROLE}))] {
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "annotations": annotations}});
            scene.apply(account).await;
        }
        scene.apply(scaled(json!({}), json!({}))).await;
        let object = one(&objects(&scene), |_| true).await;
        let uid = scene.read("orders").await.metadata.uid.expect("a UID");
        assert_eq!(object.metadata.name.as_deref(), Some(format!("so-{uid}").as_str()));
        let deployment = scene.deployment_when("orders", |_| true).await;
        let expected = |trigger: Value, numbers: [u32; 4]| {
            let [least, most, polling, cooldown] = numbers;
            let mut metadata = json!({
                "queueURL": "https://sqs.eu-north-1.amazonaws.com/123456789012/orders", "awsRegion": "eu-north-1",
                "queueLength": "5", "activationQueueLength": "0", "scaleOnInFlight": "true", "scaleOnDelayed": "false",
            });
            tests::merge::merge(&mut metadata, &trigger);
            json!({
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]},
                "minReplicaCount": least, "maxReplicaCount": most, "pollingInterval": polling, "cooldownPeriod": cooldown,
                "triggers": [{
                    "type": "aws-sqs-queue", "metadata": metadata,
                    "authenticationRef": {"kind": "TriggerAuthentication", "name": format!("ta-{uid}")},
                }],
            })
        };
        assert_eq!(object.data["spec"], expected(json!({}), [0, 50, 30, 300]));

        let all = json!({
            "autoscaling.knative.dev/minScale": "1", "autoscaling.knative.dev/maxScale": "9",
            "keda.autoscaling.knative.dev/pollingInterval": "10", "keda.autoscaling.knative.dev/cooldownPeriod": "60",
            "keda.autoscaling.knative.dev/awsSqsQueueLength": "20",
            "keda.autoscaling.knative.dev/awsSqsActivationQueueLength": "3",
            "keda.autoscaling.knative.dev/awsSqsScaleOnInFlight": "false",
            "keda.autoscaling.knative.dev/awsSqsScaleOnDelayed": "true",
        });
        scene.apply(scaled(all.clone(), json!({"endpointUrl": "https://vpce.example"}))).await;
        let object = one(&objects(&scene), |spec| spec["maxReplicaCount"] == 9).await;
        let trigger = json!({
            "queueLength": "20", "activationQueueLength": "3", "scaleOnInFlight": "false", "scaleOnDelayed": "true",
            "awsEndpoint": "https://vpce.example",
        });
        assert_eq!(object.data["spec"], expected(trigger, [1, 9, 10, 60]));
        scene.apply(scaled(json!({}), json!({}))).await;
        let object = one(&objects(&scene), |spec| spec["maxReplicaCount"] == 50).await;
        assert_eq!(object.data["spec"], expected(json!({}), [0, 50, 30, 300]), "what is no longer asked for is gone");

        let target = |parameter: &str, key: &str| json!({"parameter": parameter, "name": "keys", "key": key});
        let credentials = [
            (json!({"serviceAccountName": "plain"}), json!({"podIdentity": {"provider": "aws"}})),
            (
                json!({"serviceAccountName": "irsa"}),
                json!({"podIdentity": {"provider": "aws", "identityOwner": "workload"}}),
            ),
            (
                json!({"auth": {"webIdentity": {"roleArn": ROLE}}}),
                json!({"podIdentity": {"provider": "aws", "roleArn": ROLE}}),
            ),
            (
                json!({"auth": {"assumeRole": {"roleArn": ROLE, "externalId": "ex"}}}),
                json!({"podIdentity": {"provider": "aws", "roleArn": ROLE, "externalID": "ex"}}),
            ),
            (
                json!({"auth": {"secret": {"name": "keys", "sessionTokenKey": "t"}}}),
                json!({"secretTargetRef": [
                    target("awsAccessKeyID", "AWS_ACCESS_KEY_ID"), target("awsSecretAccessKey", "AWS_SECRET_ACCESS_KEY"),
                    target("awsSessionToken", "t"),
                ]}),
            ),
        ];
        for (spec, expected) in credentials {
            scene.apply(scaled(json!({}), spec.clone())).await;
            let authentication = one(&authentications(&scene), |now| *now == expected).await;
            assert_eq!(authentication.data["spec"], expected, "{spec}");
        }
    });
}

/// Drift is repaired, KEDA's word is passed on, and what is no longer wanted goes.
#[test]
fn kedas_objects_are_owned_judged_and_removed() {
    let cluster = with_keda();
    on_a_runtime(async {
        let scene = Scene::new(cluster, "keda").await;
        let _controller = controller(cluster).await;
        scene.apply(scaled(json!({}), json!({}))).await;
        let _adapter = scene.run_pod("orders", well()).await;
        let status = scene.condition("orders", "AutoscalerReady", "Unknown", "Checking").await;
        assert_eq!(status.condition("AutoscalerReady")["severity"], "Info");
        scene.condition("orders", "Ready", "True", "").await;
        let object = one(&objects(&scene), |_| true).await;
        let name = object.metadata.name.expect("a name");
        let said = |status: &str, reason: &str, message: &str| json!({"status": {"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": message}]}});
        for (patch, truth, reason) in [
            (
                said("False", "TriggerError", "Triggers defined in ScaledObject are not working correctly"),
                "False",
                "TriggerError",
            ),
            (said("True", "ScaledObjectReady", "ScaledObject is defined correctly"), "True", ""),
        ] {
            objects(&scene)
                .patch_status(&name, &PatchParams::default(), &Patch::Merge(&patch))
                .await
                .expect("KEDA's word");
            scene.condition("orders", "AutoscalerReady", truth, reason).await;
        }
        let by_hand = json!({"spec": {"maxReplicaCount": 99}});
        objects(&scene).patch(&name, &PatchParams::default(), &Patch::Merge(&by_hand)).await.expect("an edit");
        one(&objects(&scene), |spec| spec["maxReplicaCount"] == 50).await;
        objects(&scene).delete(&name, &Default::default()).await.expect("it is deleted");
        one(&objects(&scene), |_| true).await;

        // KEDA, or its HPA, decides about replicas.
        let deployment = scene.deployment_when("orders", |_| true).await;
        let named = deployment["metadata"]["name"].as_str().expect("a name");
        let deployments: Api<k8s_openapi::api::apps::v1::Deployment> =
            Api::namespaced(scene.client.clone(), &scene.namespace);
        let hpa = PatchParams { field_manager: Some("hpa".to_owned()), ..PatchParams::default() };
        deployments.patch(named, &hpa, &Patch::Merge(json!({"spec": {"replicas": 7}}))).await.expect("it is scaled");
        scene.status_when("orders", |status| status.0["replicas"] == 7).await;

        let own = json!({"keda.autoscaling.knative.dev/triggerAuthentication": "ClusterTriggerAuthentication/aws"});
        scene.apply(scaled(own, json!({}))).await;
        let object = one(&objects(&scene), |spec| spec["triggers"][0]["authenticationRef"]["name"] == "aws").await;
        assert_eq!(object.data["spec"]["triggers"][0]["authenticationRef"]["kind"], "ClusterTriggerAuthentication");
        eventually(SOON, async || {
            let left = authentications(&scene).list(&Default::default()).await.expect("a list").items.len();
            if left == 0 { Ok(()) } else { Err(left) }
        })
        .await;
        scene.deployment_when("orders", |now| now["spec"]["replicas"] == 7).await;

        // Annotations that make no sense leave what was asked for before.
        scene.apply(scaled(json!({"autoscaling.knative.dev/minScale": "60"}), json!({}))).await;
        let status = scene.condition("orders", "AutoscalerReady", "False", "InvalidAnnotation").await;
        let told = "metadata.annotations: autoscaling.knative.dev/minScale (60) must not exceed autoscaling.knative.dev/maxScale (50)";
        assert_eq!(status.message("AutoscalerReady"), told);
        assert_eq!(one(&objects(&scene), |_| true).await.data["spec"]["minReplicaCount"], 0);

        let mut off = scaled(json!({}), json!({}));
        off["metadata"]["annotations"] = json!({});
        scene.apply(off).await;
        scene.deployment_when("orders", |now| now["spec"]["replicas"] == 2).await;
        let status = scene.status_when("orders", |status| status.condition("AutoscalerReady").is_null()).await;
        assert_eq!(status.condition("Ready")["severity"], Value::Null);
        for api in [objects(&scene), authentications(&scene)] {
            assert_eq!(api.list(&Default::default()).await.expect("a list").items.len(), 0);
        }
    });
}

/// Credentials that KEDA cannot read, and a cluster without KEDA: told, and `spec.replicas` applies.
#[test]
fn what_keda_cannot_do_is_told_and_spec_replicas_applies() {
    let cluster = with_keda();
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "no-keda").await;
        scene.apply(scaled(json!({}), json!({}))).await;
        let status = scene.condition("orders", "AutoscalerReady", "False", "KedaNotInstalled").await;
        let told = "KEDA's kinds are not installed: install KEDA or remove the annotation autoscaling.knative.dev/class; spec.replicas applies";
        assert_eq!(status.message("AutoscalerReady"), told);
        scene.deployment_when("orders", |now| now["spec"]["replicas"] == 2).await;
        let _adapters = [scene.run_pod("orders", well()).await, scene.run_pod("orders", well()).await];
        scene.condition("orders", "Ready", "True", "").await;

        let scene = Scene::new(cluster, "file").await;
        let _controller = controller(cluster).await;
        scene.apply(scaled(json!({}), json!({"awsCredsSecret": {"name": "aws", "key": "credentials"}}))).await;
        let status = scene.condition("orders", "AutoscalerReady", "False", "AuthenticationMissing").await;
        let told = "KEDA cannot read a credentials file: name a TriggerAuthentication in the annotation keda.autoscaling.knative.dev/triggerAuthentication; spec.replicas applies";
        assert_eq!(status.message("AutoscalerReady"), told);
        scene.deployment_when("orders", |now| now["spec"]["replicas"] == 2).await;
        assert_eq!(objects(&scene).list(&Default::default()).await.expect("a list").items.len(), 0);
    });
}
