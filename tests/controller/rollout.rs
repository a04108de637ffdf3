//! From an object to running pods: created, changed, repaired, adopted, replaced, gone; and never written without need.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};
use tests::apiserver::on_a_runtime;
use tests::wait::eventually;

use crate::scene::{QUEUE, SOON, Scene, env_of, names, well};
use crate::shared::controlled;

fn spec() -> Value {
    json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}})
}

/// The whole life of a source whose adapter works.
#[test]
fn a_source_goes_ready_rolls_and_goes() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "life").await;
        scene.source("orders", spec()).await;
        let created = scene.deployment_when("orders", |_| true).await;
        assert_eq!(created["spec"]["strategy"]["rollingUpdate"], json!({"maxSurge": 1, "maxUnavailable": 0}));
        let _first = scene.run_pod("orders", well()).await;
        let ready = scene.condition("orders", "Ready", "True", "").await;
        let expected = [
            "DeadLetterSinkResolved",
            "DeliveryHealthy",
            "Deployed",
            "OIDCIdentityCreated",
            "QueueReachable",
            "Ready",
            "SinkProvided",
            "TrustBundlePropagated",
        ];
        let types: Vec<&str> =
            ready.0["conditions"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
        assert_eq!(types, expected);
        assert_eq!(ready.0["ceAttributes"], json!([{"type": "com.amazonaws.sqs.message", "source": QUEUE}]));
        assert_eq!(
            (&ready.0["queueName"], &ready.0["queueArn"], &ready.0["replicas"]),
            (&json!("orders"), &json!(QUEUE), &json!(1))
        );

        scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "profile": "cost"})).await;
        let rolling = scene.condition("orders", "Ready", "Unknown", "Checking").await;
        assert_eq!(rolling.condition("Deployed")["reason"], "DeploymentUpdating");
        let _second = scene.run_pod("orders", well()).await;
        scene.condition("orders", "Ready", "True", "").await;
        for reason in ["AwsSqsSourceDeploymentCreated", "AwsSqsSourceDeploymentUpdated"] {
            scene.event("orders", reason).await;
        }

        scene.delete("sources.knative.dev/v1alpha1", "AwsSqsSource", "orders").await;
        eventually(SOON, || async {
            let left = scene.deployments("orders").await;
            if left.is_empty() { Ok(()) } else { Err(names(&left)) }
        })
        .await;
    });
}

/// What others change in what is ours comes back; what they add beside it stays.
#[test]
fn drift_is_repaired() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "drift").await;
        scene.source("orders", spec()).await;
        let before = scene.deployment_when("orders", |_| true).await;
        let api: Api<Deployment> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let name = before["metadata"]["name"].as_str().unwrap();
        let edits = [
            json!({"spec": {"replicas": 5}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "receive-adapter", "image": "other"}]}}}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "receive-adapter", "env": [{"name": "K_SINK", "value": "http://other"}]}]}}}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "receive-adapter", "env": [{"name": "INTRUDER", "value": "1"}]}]}}}}),
            json!({"spec": {"template": {"spec": {"containers": [{"name": "intruder", "image": "other"}]}}}}),
            json!({"metadata": {"labels": {"eventing.knative.dev/sourceName": "other"}}}),
        ];
        for edit in edits {
            let by_hand = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
            api.patch(name, &by_hand, &Patch::Strategic(&edit)).await.unwrap();
            let after = scene.deployment_when("orders", |now| ours(now) == ours(&before)).await;
            assert_eq!(ours(&after), ours(&before), "{edit}");
        }
        let mark = json!({"metadata": {"annotations": {"team": "payments"}}});
        api.patch(name, &PatchParams::default(), &Patch::Merge(&mark)).await.unwrap();
        scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://other"}})).await;
        let after =
            scene.deployment_when("orders", |now| env_of(now, "K_SINK").as_deref() == Some("http://other")).await;
        assert_eq!(after["metadata"]["annotations"]["team"], "payments");

        scene.delete("apps/v1", "Deployment", name).await;
        let again = scene.deployment_when("orders", |now| now["metadata"]["uid"] != before["metadata"]["uid"]).await;
        assert_eq!(again["metadata"]["name"], name);
    });
}

fn ours(deployment: &Value) -> Value {
    let spec = &deployment["spec"];
    json!([spec["replicas"], spec["template"]["spec"]["containers"], deployment["metadata"]["labels"]])
}

/// A setting that is removed from the spec is removed from the pod.
#[test]
fn what_is_no_longer_wanted_is_removed() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "removed").await;
        let mut full = spec();
        full["profile"] = json!("cost");
        full["auth"] = json!({"secret": {"name": "keys"}});
        full["template"] =
            json!({"nodeSelector": {"disk": "ssd"}, "env": [{"name": "HTTPS_PROXY", "value": "http://p"}]});
        scene.source("orders", full).await;
        scene.deployment_when("orders", |now| env_of(now, "BRIDGE_KEYS_DIR").is_some()).await;
        scene.source("orders", spec()).await;
        let after = scene.deployment_when("orders", |now| env_of(now, "BRIDGE_PROFILE").is_none()).await;
        let pod = &after["spec"]["template"]["spec"];
        assert_eq!((env_of(&after, "HTTPS_PROXY"), env_of(&after, "BRIDGE_KEYS_DIR")), (None, None));
        assert_eq!((&pod["nodeSelector"], &pod["volumes"]), (&Value::Null, &Value::Null));
    });
}

/// Deployments of eventing-awssqs are kept by name; what the old controller wrote into them is replaced.
#[test]
fn a_deployment_of_eventing_awssqs_is_adopted() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "legacy").await;
        // Its controller is stopped, its objects are there: first the source without a sink, so that nothing is made.
        let source = scene
            .source("orders", json!({"queueUrl": "https://sqs.us-west-2.amazonaws.com/123456789012/orders"}))
            .await;
        scene.condition("orders", "Ready", "False", "SinkEmpty").await;
        let old = legacy_deployment(&scene.namespace, &source.metadata.uid.unwrap());
        let by_old_controller =
            kube::api::PostParams { field_manager: Some("controller".to_owned()), ..Default::default() };
        let api: Api<Deployment> = Api::namespaced(scene.client.clone(), &scene.namespace);
        api.create(&by_old_controller, &serde_json::from_value(old).unwrap()).await.unwrap();
        let sink = json!({"apiVersion": "v1", "kind": "Service", "name": "display"});
        scene.service("display").await;
        scene
            .source(
                "orders",
                json!({"queueUrl": "https://sqs.us-west-2.amazonaws.com/123456789012/orders", "sink": sink}),
            )
            .await;
        let adopted = scene.deployment_when("orders", |now| env_of(now, "K_RESOURCE_GROUP").is_some()).await;
        assert_eq!(adopted["metadata"]["name"], "awssqs-orders-old");
        assert_eq!(env_of(&adopted, "K_METRICS_CONFIG"), None, "what only the old controller set is gone");
        assert_eq!(env_of(&adopted, "BRIDGE_FORMAT").as_deref(), Some("eventing-awssqs"));
        assert_eq!(adopted["spec"]["template"]["spec"]["volumes"], Value::Null);
        scene.event("orders", "AwsSqsSourceDeploymentAdopted").await;
        // From then on it is ours alone: removing a setting removes it.
        let status = scene.status_when("orders", |status| !status.0["ceAttributes"].is_null()).await;
        let expected =
            json!([{"type": "aws.sqs.message", "source": "https://sqs.us-west-2.amazonaws.com/123456789012/orders"}]);
        assert_eq!(status.0["ceAttributes"], expected);
    });
}

/// A Deployment as eventing-awssqs made it.
pub fn legacy_deployment(namespace: &str, uid: &str) -> Value {
    let labels = json!({
        "knative-eventing-source": "awssqssource.sources.eventing.knative.dev",
        "knative-eventing-source-name": "orders",
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "awssqs-orders-old", "namespace": namespace, "labels": labels,
            "ownerReferences": [{
                "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "name": "orders", "uid": uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"sidecar.istio.io/inject": "true"}},
                "spec": {
                    "serviceAccountName": "default",
                    "containers": [{
                        "name": "receive-adapter", "image": "old",
                        "env": [
                            {"name": "AWS_SQS_URL", "value": "https://old"}, {"name": "K_SINK", "value": "http://old"},
                            {"name": "K_METRICS_CONFIG", "value": "{}"},
                        ],
                        "volumeMounts": [{"name": "aws-credentials", "mountPath": "/var/secrets/aws"}],
                    }],
                    "volumes": [{"name": "aws-credentials", "secret": {"secretName": "aws"}}],
                },
            },
        },
    })
}

/// One that selects other pods cannot be changed: a new one comes first, and the old one goes when the new one is available.
#[test]
fn a_deployment_with_another_selector_is_replaced() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "replaced").await;
        let source = scene.source("orders", json!({"queueArn": QUEUE})).await;
        scene.condition("orders", "Ready", "False", "SinkEmpty").await;
        let mut old = legacy_deployment(&scene.namespace, &source.metadata.uid.unwrap());
        old["spec"]["selector"]["matchLabels"]["more"] = json!("1");
        old["spec"]["template"]["metadata"]["labels"]["more"] = json!("1");
        scene.apply(old).await;
        scene.source("orders", spec()).await;
        let both = eventually(SOON, || async {
            let deployments = scene.deployments("orders").await;
            if deployments.len() == 2 { Ok(names(&deployments)) } else { Err(names(&deployments)) }
        })
        .await;
        assert!(both.contains(&"awssqs-orders-old".to_owned()), "{both:?}");
        let pod = eventually(SOON, || async {
            let pods = tests::apiserver::pods::of(&scene.client, &scene.namespace, "orders").await;
            let new = pods
                .into_iter()
                .find(|pod| pod.metadata.labels.as_ref().is_some_and(|labels| !labels.contains_key("more")));
            new.ok_or("no pod of the new Deployment")
        })
        .await;
        let adapter = tests::apiserver::pods::FakeAdapter::start(well()).await;
        tests::apiserver::pods::run(&scene.client, &pod, adapter.address, true).await;
        let left = scene.deployment_when("orders", |_| true).await;
        assert_ne!(left["metadata"]["name"], "awssqs-orders-old");
        scene.condition("orders", "Ready", "True", "").await;
    });
}

/// A Deployment of somebody else under our name is left alone, and status says so.
#[test]
fn a_foreign_deployment_is_refused() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "foreign").await;
        let source = scene.source("orders", json!({"queueArn": QUEUE})).await;
        scene.condition("orders", "Ready", "False", "SinkEmpty").await;
        let mut foreign = legacy_deployment(&scene.namespace, "x");
        foreign["metadata"]["name"] =
            json!(source_controller::child_name::deployment("orders", &source.metadata.uid.unwrap()));
        foreign["metadata"]["ownerReferences"] = json!([]);
        scene.apply(foreign).await;
        scene.source("orders", spec()).await;
        let refused = scene.condition("orders", "Ready", "False", "DeploymentNotOwned").await;
        assert!(
            refused.message("Deployed").contains("is not owned by AwsSqsSource"),
            "{}",
            refused.message("Deployed")
        );
        let kept = scene.deployment_when("orders", |_| true).await;
        assert_eq!(env_of(&kept, "K_SINK").as_deref(), Some("http://old"));
    });
}
