//! A cluster that adds a sidecar to every Deployment that is written: it stays, and is not fought over.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tests::apiserver::{apply, on_a_runtime};
use tests::wait::eventually;

use crate::certificates::Authority;
use crate::rollout::legacy_deployment;
use crate::scene::{QUEUE, SOON, Scene, env_of, well};
use crate::server::{Reply, Request, Server};
use crate::shared::{ACCOUNT, controlled};

#[test]
fn a_sidecar_that_the_cluster_adds_stays_and_is_not_fought_over() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "injected").await;
        let injector = injector(&scene).await;
        for profile in ["cost", "latency"] {
            assert_eq!(containers(&rolled_out(&scene, profile).await), ["receive-adapter", "sidecar"]);
        }
        let _adapter = scene.run_pod("orders", well()).await;
        scene.condition("orders", "Ready", "True", "").await;
        assert_eq!(replacements(&injector), 0);

        // What people add beside the sidecar still goes, by one replacement.
        let deployment = scene.deployment_when("orders", |_| true).await;
        let name = deployment["metadata"]["name"].as_str().unwrap();
        let intruder = json!({"spec": {"template": {"spec": {"containers": [{"name": "intruder", "image": "i"}]}}}});
        let by_hand = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
        let api: Api<Deployment> = Api::namespaced(scene.client.clone(), &scene.namespace);
        let edited = api.patch(name, &by_hand, &Patch::Strategic(&intruder)).await.unwrap();
        assert_eq!(containers(&serde_json::to_value(edited).unwrap()).len(), 3);
        scene.deployment_when("orders", |now| containers(now) == ["receive-adapter", "sidecar"]).await;
        let replaced = replacements(&injector);
        assert!(replaced > 0);
        rolled_out(&scene, "balanced").await;
        assert_eq!(replacements(&injector), replaced);
    });
}

/// Changes the source; answers with the Deployment once it has followed, which is after all that was done for earlier changes.
async fn rolled_out(scene: &Scene, profile: &str) -> Value {
    scene.source("orders", json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}, "profile": profile})).await;
    scene.deployment_when("orders", |now| env_of(now, "BRIDGE_PROFILE").as_deref() == Some(profile)).await
}

fn containers(deployment: &Value) -> Vec<&str> {
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
    containers.filter_map(|container| container["name"].as_str()).collect()
}

/// How often the controller has replaced a Deployment, which is how it takes one over; what it applies has the sidecar already.
fn replacements(injector: &Server) -> usize {
    let controller = format!("system:serviceaccount:{}:{}", ACCOUNT.0, ACCOUNT.1);
    let reviews = injector.requests().into_iter().map(|request| review(&request));
    let is_replacement = |review: &Value| {
        review["userInfo"]["username"] == controller
            && review["operation"] == "UPDATE"
            && review["dryRun"] == false
            && containers(&review["object"]) == ["receive-adapter"]
    };
    reviews.filter(is_replacement).count()
}

/// A webhook that adds a container, as injectors of sidecars do; returns when the API server asks it.
async fn injector(scene: &Scene) -> Server {
    let authority = Authority::new();
    let server = Server::tls(authority.acceptor(), |request| inject(&review(request))).await;
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": scene.namespace},
        "webhooks": [{
            "name": "injector.example.com",
            "clientConfig": {"url": server.url(), "caBundle": BASE64_STANDARD.encode(authority.pem())},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}},
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    });
    apply(&scene.client, &configuration).await;
    let api: Api<Deployment> = Api::namespaced(scene.client.clone(), &scene.namespace);
    let trial: Deployment = serde_json::from_value(legacy_deployment(&scene.namespace, "x")).expect("a Deployment");
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    eventually(SOON, async || {
        let made = serde_json::to_value(api.create(&dry, &trial).await.expect("a Deployment")).expect("JSON");
        if containers(&made).contains(&"sidecar") { Ok(()) } else { Err(made) }
    })
    .await;
    server
}

fn review(request: &Request) -> Value {
    let review: Value = serde_json::from_slice(&request.body).expect("an AdmissionReview");
    review["request"].clone()
}

fn inject(review: &Value) -> Reply {
    let mut response = json!({"uid": review["uid"], "allowed": true});
    if !containers(&review["object"]).contains(&"sidecar") {
        let sidecar = json!({"name": "sidecar", "image": "registry.local/sidecar:1"});
        let patch = json!([{"op": "add", "path": "/spec/template/spec/containers/-", "value": sidecar}]);
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(BASE64_STANDARD.encode(patch.to_string()));
    }
    let body =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).to_string();
    let head = format!("Content-Type: application/json\r\nContent-Length: {}", body.len());
    Reply::Answer(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}"))
}
