//! What status says about pods and their answers.

use serde_json::json;
use tests::apiserver::on_a_runtime;
use tests::apiserver::pods;

use crate::scene::{QUEUE, Scene, well};
use crate::shared::controlled;

async fn simple(purpose: &str) -> Scene {
    let scene = Scene::new(controlled(), purpose).await;
    scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}})).await;
    scene
}

/// The adapter's own words reach the user, and go when the cause goes.
#[test]
fn answers_of_the_adapter_become_conditions() {
    on_a_runtime(async {
        let scene = simple("answers").await;
        let denied = json!({"reason": "AccessDenied", "message": "sqs:ReceiveMessage denied"});
        let adapter = scene.run_pod("orders", json!({"ready": false, "queue": denied, "warnings": []})).await;
        let status = scene.condition("orders", "Ready", "False", "AccessDenied").await;
        assert_eq!(status.message("Ready"), "sqs:ReceiveMessage denied");
        assert_eq!(status.condition("DeliveryHealthy")["status"], "True");
        let warning = json!({"reason": "SinkUnavailable", "message": "connection refused"});
        adapter.answer(json!({"ready": true, "warnings": [warning]}));
        let status = scene.condition("orders", "DeliveryHealthy", "False", "SinkUnavailable").await;
        assert_eq!(status.condition("DeliveryHealthy")["severity"], "Info");
        assert_eq!(status.condition("QueueReachable")["status"], "True");
        adapter.answer(well());
        scene.condition("orders", "DeliveryHealthy", "True", "").await;
    });
}

/// Pods that never get as far as an answer are told from Kubernetes' own words.
#[test]
fn pods_that_cannot_start_are_told() {
    on_a_runtime(async {
        let scene = simple("stuck").await;
        let pod = scene.new_pod("orders").await;
        let waiting = |reason: &str, message: &str| {
            json!({
                "phase": "Pending",
                "containerStatuses": [{
                    "name": "receive-adapter", "ready": false, "restartCount": 0, "image": "i", "imageID": "",
                    "state": {"waiting": {"reason": reason, "message": message}},
                }],
            })
        };
        pods::set_status(&scene.client, &pod, waiting("ImagePullBackOff", "Back-off pulling image")).await;
        let status = scene.condition("orders", "Ready", "False", "ImagePullBackOff").await;
        assert!(status.message("Ready").contains("Back-off pulling image"), "{}", status.message("Ready"));
        let mut crashing = waiting("CrashLoopBackOff", "back-off 10s");
        crashing["containerStatuses"][0]["lastState"] =
            json!({"terminated": {"exitCode": 2, "reason": "Error", "message": "a\nqueueUrl: is not a URL\n"}});
        pods::set_status(&scene.client, &pod, crashing).await;
        let status = scene.condition("orders", "Ready", "False", "CrashLoopBackOff").await;
        assert!(status.message("Ready").ends_with("queueUrl: is not a URL"), "{}", status.message("Ready"));
    });
}

/// From a laptop, or behind a strict mesh, pods cannot be asked: the kubelet's word counts then.
#[test]
fn a_pod_that_does_not_answer_is_believed_through_the_kubelet() {
    on_a_runtime(async {
        let scene = simple("silent").await;
        let pod = scene.new_pod("orders").await;
        let nobody = std::net::Ipv4Addr::new(127, 1, fastrand::u8(..), fastrand::u8(1..255));
        pods::run(&scene.client, &pod, nobody, false).await;
        let status = scene.condition("orders", "QueueReachable", "Unknown", "NotObserved").await;
        assert!(status.message("QueueReachable").contains(&format!("http://{nobody}:8080/readiness")));
        assert!(status.message("QueueReachable").contains("NetworkPolicy"));
        pods::run(&scene.client, &pod, nobody, true).await;
        let status = scene.condition("orders", "Ready", "True", "").await;
        assert!(status.message("QueueReachable").contains("kubelet"), "{}", status.message("QueueReachable"));
        assert_eq!(status.condition("DeliveryHealthy")["reason"], "NotObserved");
    });
}

/// No replica, no answer, and yet nothing is wrong.
#[test]
fn scaled_to_zero_is_ready() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "zero").await;
        scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "replicas": 0})).await;
        let status = scene.condition("orders", "Ready", "True", "").await;
        let reachable = status.condition("QueueReachable");
        assert_eq!(
            (&reachable["status"], &reachable["reason"], &reachable["severity"]),
            (&json!("Unknown"), &json!("ScaledToZero"), &json!("Info"))
        );
    });
}

/// What rules of the API server cannot see is told by the controller, field by field.
#[test]
fn what_only_the_controller_can_judge_is_told() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "judged").await;
        let hollow = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----";
        let sink = json!({"uri": "https://display", "CACerts": hollow});
        let template = json!({"affinity": {"nodeAfinity": {"a": "b"}}, "tolerations": [{"operator": 5}]});
        scene.source("orders", json!({"queueArn": QUEUE, "sink": sink, "template": template})).await;
        let status = scene.condition("orders", "Ready", "False", "InvalidSpec").await;
        for told in [
            "spec.sink.CACerts: certificate 1 is not an X.509 certificate",
            "spec.template.affinity: has a field that a PodSpec does not have there",
            "spec.template.tolerations: is not what a PodSpec has there",
        ] {
            assert!(status.message("Deployed").contains(told), "{}", status.message("Deployed"));
        }
        scene
            .source("homeless", json!({"queueUrl": "http://localhost:9324/queue/q", "sink": {"uri": "http://display"}}))
            .await;
        let status = scene.condition("homeless", "Ready", "False", "RegionUnknown").await;
        assert!(status.message("Ready").starts_with("spec.region: "), "{}", status.message("Ready"));
        // What the API server refuses only when the Deployment is applied.
        let template = json!({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}});
        scene
            .source("refused", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "template": template}))
            .await;
        let status = scene.condition("refused", "Ready", "False", "InvalidSpec").await;
        assert!(
            status.message("Deployed").contains("must be less than or equal to cpu limit"),
            "{}",
            status.message("Deployed")
        );
    });
}

/// A ServiceAccount that does not exist keeps pods from being made; the ReplicaSet says so, and so do we.
#[test]
fn pods_that_cannot_be_made_are_told() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "failed").await;
        let spec = json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "serviceAccountName": "nobody"});
        scene.source("orders", spec).await;
        let status = scene.condition("orders", "Ready", "False", "FailedCreate").await;
        assert!(status.message("Ready").contains("nobody"), "{}", status.message("Ready"));
        scene.apply(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}})).await;
        let _adapter = scene.run_pod("orders", well()).await;
        scene.condition("orders", "Ready", "True", "").await;
    });
}
