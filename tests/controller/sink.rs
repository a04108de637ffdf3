//! Every kind of sink, and what happens when it comes, changes and goes.

use serde_json::json;
use tests::apiserver::on_a_runtime;

use crate::scene::{QUEUE, Scene, env_of};
use crate::shared::controlled;

/// A sink in any shape that a manifest can give it ends as the URL in status and in the pod.
#[test]
fn every_shape_of_a_sink_becomes_its_url() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "sinks").await;
        let elsewhere = Scene::new(controlled(), "elsewhere").await;
        scene.service("display").await;
        elsewhere.service("display").await;
        let broker =
            json!({"address": {"url": "http://ingress/ns/default", "CACerts": "theirs", "audience": "theirs"}});
        scene.addressable("eventing.knative.dev/v1", "Broker", "default", broker).await;
        let addresses =
            json!({"addresses": [{"name": "https", "url": "https://in"}, {"name": "http", "url": "http://in"}]});
        scene.addressable("messaging.knative.dev/v1", "Channel", "inbox", addresses).await;
        scene
            .addressable("serving.knative.dev/v1", "Service", "hello", json!({"address": {"url": "http://hello.ns"}}))
            .await;
        let reference =
            |api_version: &str, kind: &str, name: &str| json!({"apiVersion": api_version, "kind": kind, "name": name});
        let of_broker = reference("eventing.knative.dev/v1", "Broker", "default");
        let of_service = reference("v1", "Service", "display");
        let (here, there) = (&scene.namespace, &elsewhere.namespace);
        let mut abroad = of_service.clone();
        abroad["namespace"] = json!(there);
        let mut named = reference("messaging.knative.dev/v1", "Channel", "inbox");
        named["address"] = json!("http");
        let cases = [
            ("service", json!({"ref": of_service}), format!("http://display.{here}.svc.cluster.local")),
            ("abroad", json!({"ref": abroad}), format!("http://display.{there}.svc.cluster.local")),
            ("broker", json!({"ref": of_broker}), "http://ingress/ns/default".to_owned()),
            ("relative", json!({"ref": of_broker, "uri": "/x?y=z"}), "http://ingress/x?y=z".to_owned()),
            (
                "channel",
                json!({"ref": reference("messaging.knative.dev/v1", "Channel", "inbox")}),
                "https://in".to_owned(),
            ),
            ("named", json!({"ref": named}), "http://in".to_owned()),
            (
                "kservice",
                json!({"ref": reference("serving.knative.dev/v1", "Service", "hello")}),
                "http://hello.ns".to_owned(),
            ),
            ("uri", json!({"uri": "https://example.com/events"}), "https://example.com/events".to_owned()),
            ("flat", of_service.clone(), format!("http://display.{here}.svc.cluster.local")),
        ];
        for (name, sink, _) in &cases {
            scene.source(name, json!({"queueArn": QUEUE, "sink": sink})).await;
        }
        for (name, _, url) in &cases {
            let status = scene.status_when(name, |status| status.0["sinkUri"] == *url).await;
            assert_eq!(status.condition("SinkProvided")["status"], "True", "{name}");
            let deployment = scene.deployment_when(name, |_| true).await;
            assert_eq!(env_of(&deployment, "K_SINK").as_deref(), Some(url.as_str()), "{name}");
        }
        let status = scene.status_when("broker", |_| true).await;
        assert_eq!((&status.0["sinkCACerts"], &status.0["sinkAudience"]), (&json!("theirs"), &json!("theirs")));
        assert_eq!(scene.env("broker", "K_CA_CERTS").await.as_deref(), Some("theirs"));
        assert_eq!(scene.env("broker", "K_AUDIENCE").await.as_deref(), Some("theirs"));
    });
}

/// A sink is followed by watch: what it becomes later reaches status and pod without anybody touching the source.
#[test]
fn a_sink_that_comes_changes_and_goes_is_followed() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "followed").await;
        let sink = json!({"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "late"}});
        scene.source("orders", json!({"queueArn": QUEUE, "sink": sink})).await;
        let missing = scene.condition("orders", "Ready", "False", "NotFound").await;
        let told = format!(
            "eventing.knative.dev/v1 Broker {}/late not found: create it or correct the reference",
            scene.namespace
        );
        assert_eq!(missing.message("SinkProvided"), told);
        assert_eq!(scene.deployments("orders").await.len(), 0);
        assert!(scene.event("orders", "SinkNotFound").await.starts_with("Sink not found: {\"ref\":"));

        scene.addressable("eventing.knative.dev/v1", "Broker", "late", json!({})).await;
        scene.status_when("orders", |status| status.message("SinkProvided").starts_with("address not set for")).await;
        scene.addressable("eventing.knative.dev/v1", "Broker", "late", json!({"address": {"url": "http://one"}})).await;
        scene
            .deployment_when("orders", |deployment| env_of(deployment, "K_SINK").as_deref() == Some("http://one"))
            .await;
        scene.addressable("eventing.knative.dev/v1", "Broker", "late", json!({"address": {"url": "http://two"}})).await;
        scene
            .deployment_when("orders", |deployment| env_of(deployment, "K_SINK").as_deref() == Some("http://two"))
            .await;

        scene.delete("eventing.knative.dev/v1", "Broker", "late").await;
        let lost = scene.condition("orders", "SinkProvided", "False", "NotFound").await;
        assert_eq!(lost.0["sinkUri"], "http://two", "the adapter still sends there, so status says so");
        let deployment = scene.deployment_when("orders", |_| true).await;
        assert_eq!(env_of(&deployment, "K_SINK").as_deref(), Some("http://two"));
    });
}

/// A kind that is installed after the source is followed from then on.
#[test]
fn a_kind_that_is_installed_later_is_found() {
    on_a_runtime(async {
        let cluster = controlled();
        let scene = Scene::new(cluster, "kinds").await;
        let sink = json!({"ref": {"apiVersion": "example.dev/v1", "kind": "Inlet", "name": "main"}});
        scene.source("orders", json!({"queueArn": QUEUE, "sink": sink})).await;
        let unknown = scene.condition("orders", "Ready", "False", "NotFound").await;
        let told = "no kind Inlet in example.dev/v1 on this cluster: install it or correct the reference";
        assert_eq!(unknown.message("SinkProvided"), told);

        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "inlets.example.dev"},
            "spec": {
                "group": "example.dev", "scope": "Namespaced", "names": {"kind": "Inlet", "plural": "inlets"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        });
        tests::apiserver::apply(&scene.client, &definition).await;
        scene.status_when("orders", |status| status.message("SinkProvided").contains("forbidden")).await;
        let reader = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "inlets", "labels": {"duck.knative.dev/addressable": "true"}},
            "rules": [{"apiGroups": ["example.dev"], "resources": ["inlets"], "verbs": ["get", "list", "watch"]}],
        });
        tests::apiserver::apply(&scene.client, &reader).await;
        scene.addressable("example.dev/v1", "Inlet", "main", json!({"address": {"url": "http://inlet"}})).await;
        scene.status_when("orders", |status| status.0["sinkUri"] == "http://inlet").await;
    });
}

/// The dead-letter sink is resolved by the same rules and judged by its own condition.
#[test]
fn the_dead_letter_sink_is_resolved_beside_the_sink() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "dls").await;
        scene.service("display").await;
        let display = json!({"ref": {"apiVersion": "v1", "kind": "Service", "name": "display"}});
        let late = json!({"deadLetterSink": {"ref": {"apiVersion": "v1", "kind": "Service", "name": "late"}}});
        scene.source("orders", json!({"queueArn": QUEUE, "sink": display, "delivery": late})).await;
        let missing = scene.condition("orders", "Ready", "False", "NotFound").await;
        assert_eq!(missing.condition("SinkProvided")["status"], "True");
        assert_eq!(missing.condition("DeadLetterSinkResolved")["status"], "False");
        scene.service("late").await;
        let url = format!("http://late.{}.svc.cluster.local", scene.namespace);
        scene.status_when("orders", |status| status.0["deadLetterSinkUri"] == url).await;
        let deployment = scene.deployment_when("orders", |_| true).await;
        assert_eq!(env_of(&deployment, "BRIDGE_DEAD_LETTER_SINK").as_deref(), Some(url.as_str()));
    });
}
