//! Manifests of eventing-awssqs, as they are, from `kubectl apply` to the bytes at the sink.

use serde_json::{Value, json};
use tests::apiserver::node::Node;
use tests::apiserver::{documents, on_a_runtime, root};
use tests::sink::{Delivery, Sink};
use tests::sqs::attribute::{md5_of, md5_of_attributes};
use tests::sqs::{Attribute, Simulator};
use tests::wait::eventually;

use crate::scene::{SOON, Scene, env_of};
use crate::shared::controlled;

/// Each manifest that people have of eventing-awssqs works without a change, and its events are the same, byte for byte.
#[test]
fn manifests_of_eventing_awssqs_send_the_events_of_eventing_awssqs() {
    on_a_runtime(async {
        let text = std::fs::read_to_string(root().join("tests/fixtures/legacy-sources.yaml")).unwrap();
        let manifests: Vec<Value> = documents(&text);
        assert_eq!(manifests.len(), 4);
        futures::future::join_all(manifests.into_iter().map(delivered_as_before)).await;
    });
}

async fn delivered_as_before(manifest: Value) {
    let name = manifest["metadata"]["name"].as_str().expect("a name").to_owned();
    let scene = Scene::new(controlled(), "legacy").await;
    let (sqs, sink) = (Simulator::start().await, Sink::start().await);
    let queue = sqs.queue_of("123456789012", "orders", &[]);
    let node = Node::start(scene.client.clone(), &scene.namespace);
    // The cluster's own business: where SQS is, and keys for those that bring none.
    node.inject("AWS_ENDPOINT_URL", &sqs.url());
    node.inject("AWS_ACCESS_KEY_ID", "AKIDNODE");
    node.inject("AWS_SECRET_ACCESS_KEY", "secret");
    let file = "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n";
    scene
        .apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "aws-credentials"}, "stringData": {"credentials": file}}))
        .await;
    scene.apply(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "irsa-reader"}})).await;
    scene
        .addressable("messaging.knative.dev/v1", "Channel", "awssqs-test", json!({"address": {"url": sink.url()}}))
        .await;
    let url = manifest["spec"]["queueUrl"].as_str().expect("a queue").to_owned();
    scene.apply(manifest.clone()).await;
    if manifest["spec"]["sink"].is_null() {
        // Accepted as eventing-awssqs did, and told.
        scene.condition(&name, "Ready", "False", "SinkEmpty").await;
        return;
    }
    let id = queue.send_with(BODY, &[("tenant", Attribute::string("blue"))]);
    eventually(SOON, async || if sink.accepted_count() == 1 { Ok(()) } else { Err(scene.read(&name).await.data) })
        .await;
    scene.condition(&name, "Ready", "True", "").await;
    let delivery = sink.accepted().remove(0);
    assert_eq!(
        (headers(&delivery), String::from_utf8_lossy(&delivery.body)),
        expected(&id, &url, &delivery.body),
        "{name}"
    );

    let file = !manifest["spec"]["awsCredsSecret"].is_null();
    let signer = sqs.calls().remove(0).caller.access_key;
    assert_eq!(signer, if file { "AKIDFILE" } else { "AKIDNODE" }, "{name}");
    let deployment = scene.deployment_when(&name, |_| true).await;
    assert_eq!(env_of(&deployment, "AWS_SQS_URL").as_deref(), Some(url.as_str()));
    let pod = &deployment["spec"]["template"];
    assert_eq!(pod["spec"]["containers"][0]["name"], "receive-adapter");
    for (key, value) in manifest["spec"]["annotations"].as_object().into_iter().flatten() {
        assert_eq!(pod["metadata"]["annotations"][key], *value, "{name}");
    }
}

/// Headers of the event in the order of their names, without those of HTTP itself.
fn headers(delivery: &Delivery) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = delivery
        .head
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.clone()))
        .filter(|(name, _)| name.starts_with("ce-") || name == "content-type")
        .collect();
    headers.sort();
    headers
}

/// A body with what Go escapes in JSON for the sake of HTML.
const BODY: &str = "{\"order\": 5,  \"note\": \"\u{e4} <a>\"}";

/// What eventing-awssqs sent for this message, whose receipt handle and time of sending are known from `seen`:
/// <https://github.com/knative-extensions/eventing-awssqs/blob/main/pkg/adapter/adapter.go>.
fn expected<'a>(id: &str, url: &str, seen: &[u8]) -> (Vec<(String, String)>, std::borrow::Cow<'a, str>) {
    let seen: Value = serde_json::from_slice(seen).expect("JSON");
    let sent = seen["Attributes"]["SentTimestamp"].as_str().expect("a time of sending");
    let time = jiff::Timestamp::from_millisecond(sent.parse().expect("milliseconds")).expect("a time").to_string();
    let pairs = [
        ("ce-id", id),
        ("ce-source", url),
        ("ce-specversion", "1.0"),
        ("ce-time", &time),
        ("ce-type", "aws.sqs.message"),
        ("content-type", "application/json"),
    ];
    let tenant = ("tenant".to_owned(), Attribute::string("blue"));
    let body = [
        format!(r#"{{"Attributes":{{"SentTimestamp":"{sent}"}},"#),
        r#""Body":"{\"order\": 5,  \"note\": \"ä \u003ca\u003e\"}","#.to_owned(),
        format!(r#""MD5OfBody":"{}","#, md5_of(BODY.as_bytes())),
        format!(r#""MD5OfMessageAttributes":"{}","#, md5_of_attributes([(&tenant.0, &tenant.1)]).expect("a digest")),
        r#""MessageAttributes":{"tenant":{"BinaryListValues":null,"BinaryValue":null,"DataType":"String","#.to_owned(),
        format!(r#""StringListValues":null,"StringValue":"blue"}}}},"MessageId":"{id}","#),
        format!(r#""ReceiptHandle":{}}}"#, seen["ReceiptHandle"]),
    ];
    (pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), body.concat().into())
}
