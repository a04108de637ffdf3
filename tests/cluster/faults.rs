//! What goes wrong on a node -> what `kubectl get awssqssource` and the status say about it, and that this goes with the cause.

use std::pin::Pin;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::apiserver::on_a_runtime;
use tests::sink::{Reply, Sink};
use tests::wait::eventually;
use tokio::net::TcpStream;

use crate::installation::{alone, steady};
use crate::rollout::Release;
use crate::scene::{PATIENCE, Queue, Scene};
use crate::tls_sink::TlsSink;
use crate::told::{Row, Watch, report};

/// Where the kubelet must bring a Secret into a Pod first.
const WITH_A_SECRET: Duration = Duration::from_secs(120);

/// The adapter tries for half a minute before it calls an endpoint unreachable.
const OF_AN_ENDPOINT: Duration = Duration::from_secs(60);

#[test]
fn faults_are_told_and_their_repair_too() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = &Scene::new("faults").await;
        let rows: [Pin<Box<dyn Future<Output = Row>>>; 8] = [
            Box::pin(crash_at_start(scene)),
            Box::pin(missing_service_account(scene)),
            Box::pin(missing_secret(scene)),
            Box::pin(unreachable_endpoint(scene)),
            Box::pin(refusing_sink(scene)),
            Box::pin(hanging_sink(scene)),
            Box::pin(unauthorized(scene)),
            Box::pin(untrusted_sink(scene)),
        ];
        report("faults", &join_all(rows).await);
    });
}

/// The Pod that runs goes on, and the trouble of the new one is told.
#[test]
fn a_missing_image_is_told() {
    let _alone = alone();
    on_a_runtime(async {
        let scene = Scene::new("image").await;
        let (queue, sink) = working(&scene, "image").await;
        let release = Release::of("next", "missing");
        let watch = Watch::start(&scene, "image", "image cannot be pulled");
        let told = watch
            .told(["False", "ErrImagePull or ImagePullBackOff", "Unknown"], &["cannot start", "sqs-bridge:missing"])
            .await;
        queue.inner.send("while the image is missing").await;
        queue.emptied().await;
        assert_eq!(sink.accepted_count(), 1);
        drop(release);
        report("image", &[told.gone().await]);
    });
}

async fn crash_at_start(scene: &Scene) -> Row {
    let (queue, sink) = (scene.queue("crash").await, Sink::start().await);
    let good = scene.spec(&queue, &json!({"uri": sink.url()}));
    let mut bad = good.clone();
    bad["template"] = json!({"env": [{"name": "TLS_MIN_VERSION", "value": "0.9"}]});
    scene.apply_source("crash", bad).await;
    let watch = Watch::start(scene, "crash", "adapter ends at its start");
    let told = watch.told(["False", "CrashLoopBackOff", "Unknown"], &["TLS_MIN_VERSION", "1.2, 1.3"]).await;
    scene.apply_source("crash", good).await;
    told.gone().await
}

async fn missing_service_account(scene: &Scene) -> Row {
    let (queue, sink) = (scene.queue("account").await, Sink::start().await);
    let mut spec = scene.spec(&queue, &json!({"uri": sink.url()}));
    spec["serviceAccountName"] = json!("reader");
    scene.apply_source("account", spec).await;
    let watch = Watch::start(scene, "account", "ServiceAccount missing");
    let told = watch.told(["False", "FailedCreate", "Unknown"], &["serviceaccount \"reader\" not found"]).await;
    scene.apply("v1", "ServiceAccount", "reader", json!({})).await;
    told.gone().await
}

async fn missing_secret(scene: &Scene) -> Row {
    let (queue, sink) = (scene.queue("secret").await, Sink::start().await);
    let mut spec = scene.spec(&queue, &json!({"uri": sink.url()}));
    spec["auth"]["secret"]["name"] = json!("late");
    scene.apply_source("secret", spec).await;
    let watch = Watch::start(scene, "secret", "Secret missing");
    let told = watch.told(["False", "CredentialsNotFound", "True"], &["accessKeyId"]).await;
    let keys = json!({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"});
    scene.apply("v1", "Secret", "late", json!({"stringData": keys})).await;
    told.gone_within(WITH_A_SECRET).await
}

async fn unreachable_endpoint(scene: &Scene) -> Row {
    let (queue, sink, nobody) = (scene.queue("unreachable").await, Sink::start().await, Sink::start().await);
    nobody.down();
    let (good, url) = (scene.spec(&queue, &json!({"uri": sink.url()})), nobody.url());
    let mut bad = good.clone();
    bad["endpointUrl"] = json!(url);
    scene.apply_source("unreachable", bad).await;
    let watch = Watch::start(scene, "unreachable", "nobody listens at the endpoint");
    let parts = ["cannot be reached", address(&url)];
    let told = watch.told_within(OF_AN_ENDPOINT, ["False", "EndpointUnreachable", "True"], &parts).await;
    scene.apply_source("unreachable", good).await;
    told.gone().await
}

async fn refusing_sink(scene: &Scene) -> Row {
    let (queue, sink) = working(scene, "refusing").await;
    sink.down();
    queue.inner.send("refused").await;
    let watch = Watch::start(scene, "refusing", "sink refuses connections");
    let told = watch.told(["True", "", "False"], &["nobody listens at", address(&sink.url())]).await;
    sink.up();
    told.gone().await
}

async fn hanging_sink(scene: &Scene) -> Row {
    let (queue, sink) = working(scene, "hanging").await;
    sink.always(Reply::hang());
    queue.inner.send("hanging").await;
    let watch = Watch::start(scene, "hanging", "sink does not answer");
    let told = watch.told(["True", "", "False"], &["a POST has waited"]).await;
    // Started again, as people do with what hangs.
    sink.accept_everything();
    sink.down();
    eventually(PATIENCE, async || match TcpStream::connect(address(&sink.url())).await {
        Ok(_) => Err("it still listens"),
        Err(_) => Ok(()),
    })
    .await;
    sink.up();
    told.gone().await
}

async fn unauthorized(scene: &Scene) -> Row {
    let (queue, sink) = (scene.queue_with_dead_letters("unauthorized").await, Sink::start().await);
    scene.source("unauthorized", scene.spec(&queue, &json!({"uri": sink.url()}))).await;
    sink.always(Reply::status(401));
    queue.inner.send("unauthorized").await;
    let watch = Watch::start(scene, "unauthorized", "sink answers 401");
    let told = watch.told(["True", "", "False"], &["401"]).await;
    sink.accept_everything();
    queue.inner.send("authorized").await;
    told.gone().await
}

async fn untrusted_sink(scene: &Scene) -> Row {
    let (queue, sink) = (scene.queue("untrusted").await, TlsSink::start().await);
    let mut spec = scene.spec(&queue, &json!({"uri": sink.url()}));
    scene.source("untrusted", spec.clone()).await;
    queue.inner.send("untrusted").await;
    let watch = Watch::start(scene, "untrusted", "sink's certificate not trusted");
    let told = watch.told(["True", "", "False"], &["TLS with", address(&sink.url()), "certificate"]).await;
    spec["sink"]["CACerts"] = json!(sink.authority());
    scene.apply_source("untrusted", spec).await;
    told.gone().await
}

/// Host and port of a URL.
fn address(url: &str) -> &str {
    let (_, rest) = url.split_once("://").expect("a scheme");
    rest.trim_end_matches('/')
}

/// A source that is Ready, with its queue and its sink.
async fn working(scene: &Scene, name: &str) -> (Queue, Sink) {
    let (queue, sink) = (scene.queue(name).await, Sink::start().await);
    scene.source(name, scene.spec(&queue, &json!({"uri": sink.url()}))).await;
    (queue, sink)
}
