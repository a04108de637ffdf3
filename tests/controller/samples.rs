//! Every manifest that people copy: it is applied as it is, reconciled, and its pods may be what clusters allow at most.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::apiserver::{apply, documents, on_a_runtime, root};
use tests::wait::eventually;

use crate::keda::{controller, with_keda};
use crate::scene::{SOON, Scene, well};

fn samples() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("config/samples")).expect("config/samples");
    let mut samples: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    samples.sort();
    samples
}

/// If this fails, a user copies a manifest that does not work. Each has a namespace of its own where pods are restricted.
#[test]
fn each_sample_is_taken_and_reconciled() {
    let cluster = with_keda();
    on_a_runtime(async {
        let _controller = controller(cluster).await;
        let samples = samples();
        assert!(samples.len() >= 8, "{samples:?}");
        let mut sources = 0;
        for sample in samples {
            let scene = Scene::new(cluster, "sample").await;
            restrict(&scene.client, &scene.namespace).await;
            scene.service("display").await;
            let address = || json!({"address": {"url": "http://broker"}});
            scene.addressable("eventing.knative.dev/v1", "Broker", "default", address()).await;
            scene.addressable("messaging.knative.dev/v1", "Channel", "orders", address()).await;
            let text = std::fs::read_to_string(&sample).expect("a sample");
            assert!(text.starts_with("# "), "{} says what it is for", sample.display());
            for object in documents::<Value>(&text) {
                let is_source = object["kind"] == "AwsSqsSource";
                scene.apply(object).await;
                if is_source {
                    let _adapter = scene.run_pod("orders", well()).await;
                    scene.condition("orders", "Ready", "True", "").await;
                    sources += 1;
                }
            }
        }
        assert!(sources >= 7, "{sources} sources are among the samples");
    });
}

/// The controller's own pods too are made where pods are restricted.
#[test]
fn the_controllers_pods_are_restricted() {
    let cluster = with_keda();
    on_a_runtime(async {
        let client = cluster.admin().await;
        let namespace = tests::apiserver::namespace(&client, "restricted").await;
        restrict(&client, &namespace).await;
        let text = std::fs::read_to_string(root().join("config/500-controller.yaml")).expect("the manifest");
        let mut deployment: Value =
            documents::<Value>(&text).into_iter().find(|one| one["kind"] == "Deployment").expect("it");
        deployment["metadata"]["namespace"] = json!(namespace);
        deployment["spec"]["template"]["spec"]["serviceAccountName"] = json!("default");
        apply(&client, &deployment).await;
        let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(client.clone(), &namespace);
        eventually(SOON, async || {
            let made = pods.list(&Default::default()).await.expect("a list").items.len();
            if made == 2 { Ok(()) } else { Err(made) }
        })
        .await;
        // The limit is real: a pod that asks for more is refused.
        let privileged = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "more", "namespace": namespace},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        });
        let refused = tests::apiserver::try_apply(&client, &privileged).await.expect_err("it is refused");
        assert!(refused.to_string().contains("violates PodSecurity \"restricted"), "{refused}");
    });
}

async fn restrict(client: &kube::Client, namespace: &str) {
    let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    apply(client, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}))
        .await;
}
