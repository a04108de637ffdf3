//! The bridge where no AwsSqsSource is: in Pods that Knative's own sources make of its image.

use serde_json::{Value, json};
use tests::apiserver::on_a_runtime;
use tests::sink::Event;

use crate::installation::{bridge_image, steady};
use crate::scene::{Queue, Scene};

/// A Deployment that a SinkBinding tells where to send.
#[test]
fn it_runs_under_a_sink_binding() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("binding").await;
        let (queue, sink) = (scene.queue("orders").await, scene.recorder("sink").await);
        bound(&scene, &queue, &sink).await;

        let event = only_event(&scene, &queue).await;
        assert_eq!((event.kind(), event.get("team")), ("com.amazonaws.sqs.message", Some("blue")));
    });
}

/// A ContainerSource with nothing but the image and the queue.
#[test]
fn it_runs_under_a_container_source() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("container").await;
        let (queue, sink) = (scene.queue("orders").await, scene.recorder("sink").await);
        let template = json!({"spec": {"containers": [container(&scene, &queue)]}});
        let spec = json!({"sink": sink, "template": template});
        scene.apply("sources.knative.dev/v1", "ContainerSource", "bridge", json!({"spec": spec})).await;
        scene.ready("sources.knative.dev/v1", "ContainerSource", "bridge").await;

        let event = only_event(&scene, &queue).await;
        assert_eq!((event.source(), event.kind()), (queue.arn.as_str(), "com.amazonaws.sqs.message"));
    });
}

/// Knative's IntegrationSource, whose image for SQS is ours.
#[test]
fn it_is_the_image_of_an_integration_source() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("integration").await;
        let (queue, sink) = (scene.queue("orders").await, scene.recorder("sink").await);
        let keys = json!({"aws.accessKey": "test", "aws.secretKey": "test"});
        scene.apply("v1", "Secret", "kamelet", json!({"stringData": keys})).await;
        let sqs = json!({
            "arn": queue.arn, "region": "us-east-1", "uriEndpointOverride": scene.server.url(), "overrideEndpoint": true,
        });
        let aws = json!({"sqs": sqs, "auth": {"secret": {"ref": {"name": "kamelet"}}}});
        let spec = json!({"aws": aws, "sink": sink});
        scene.apply("sources.knative.dev/v1alpha1", "IntegrationSource", "bridge", json!({"spec": spec})).await;
        // Only if its probes are answered too.
        scene.ready("sources.knative.dev/v1alpha1", "IntegrationSource", "bridge").await;

        let event = only_event(&scene, &queue).await;
        let told = [event.source(), event.kind(), event.subject().unwrap_or_default()];
        assert_eq!(told, ["dev.knative.eventing.aws-sqs-source", "dev.knative.eventing.aws-sqs", "aws-sqs-source"]);
    });
}

/// A Deployment of the bridge that a SinkBinding tells where to send, and to add an attribute.
pub async fn bound(scene: &Scene, queue: &Queue, sink: &Value) {
    let subject = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "bridge"});
    let overrides = json!({"extensions": {"team": "blue"}});
    let spec = json!({"subject": subject, "sink": sink, "ceOverrides": overrides});
    scene.apply("sources.knative.dev/v1", "SinkBinding", "bridge", json!({"spec": spec})).await;
    let labels = json!({"app": "bridge"});
    let pod = json!({"containers": [container(scene, queue)]});
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let deployment = json!({"spec": {"selector": {"matchLabels": labels}, "template": template}});
    scene.apply("apps/v1", "Deployment", "bridge", deployment).await;
}

/// The bridge's container, as people write it who have no controller.
fn container(scene: &Scene, queue: &Queue) -> Value {
    let endpoint = scene.server.url();
    let env = [
        ("AWS_SQS_ARN", queue.arn.as_str()),
        ("AWS_ENDPOINT_URL_SQS", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("BRIDGE_WAIT_TIME", "2s"),
    ]
    .map(|(name, value)| json!({"name": name, "value": value}));
    json!({"name": "bridge", "image": bridge_image(), "env": env})
}

/// What arrives of one message, after which the queue is empty.
async fn only_event(scene: &Scene, queue: &Queue) -> Event {
    let body = json!({"message": "Hello from AWS SQS!"}).to_string();
    let id = queue.inner.send(&body).await;
    let [event] = scene.events("sink", 1).await.try_into().expect("one event");
    assert_eq!((event.id(), event.text()), (id.as_str(), body));
    queue.emptied().await;
    event
}
