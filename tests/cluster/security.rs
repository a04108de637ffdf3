//! What Knative's features ask of those who send events: TLS, and tokens that say who they are.

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::apiserver::{on_a_runtime, root};
use tests::wait::eventually;

use crate::hosts::bound;
use crate::installation::{SYSTEM, alone, kubectl, restore, run};
use crate::scene::{PATIENCE, Queue, Scene, condition};

/// Where Brokers and channels take events.
const INGRESS: &str = "broker-ingress.knative-eventing.svc.cluster.local";
const DISPATCHER: &str = "imc-dispatcher.knative-eventing.svc.cluster.local";
/// Where the Broker `default` keeps what its Triggers get.
const TRIGGER_CHANNEL: &str = "default-kne-trigger";
/// A Broker that cannot pass an event on answers after ten more attempts, between which it waits 0.2 s and twice as long
/// each time. Source: Knative's ConfigMap `config-br-defaults`.
const BROKER_GIVES_UP: Duration = Duration::from_secs(205);

/// With `authentication-oidc` alone a channel wants a token and has no TLS to send it over. That is told, and the message
/// that the channel refuses meanwhile arrives when there is TLS.
#[test]
fn a_token_goes_to_a_channel_and_a_broker_over_tls_only() {
    let _alone = alone();
    on_a_runtime(async {
        let authority = Authority::shared();
        let _features = Features::of("enabled", "disabled");
        let scene = Scene::new("tokens").await;
        let returns = scene.queue("returns").await;
        let channel = scene.channel("returns", &scene.recorder("collector").await).await;
        scene.source("returns", scene.spec(&returns, &channel)).await;
        let plain = format!("http://returns-kn-channel.{}.svc.cluster.local", scene.namespace);
        let encrypted = format!("https://{DISPATCHER}/{}/returns", scene.namespace);
        let audience = format!("messaging.knative.dev/inmemorychannel/{}/returns", scene.namespace);
        resolved(&scene, "returns", json!([plain, null, audience])).await;
        authority.anonymous_event_gets("401", &plain).await;
        let id = returns.inner.send("without TLS there is no token").await;
        let sentence = warned(&scene, "returns", "SinkTokenNotSent", "401").await;
        for part in [&audience, "none is sent over plain http", "transport-encryption"] {
            assert!(sentence.contains(part), "{part} in {sentence}");
        }

        set_features("enabled", "permissive");
        resolved(&scene, "returns", json!([encrypted, authority.pem(), audience])).await;
        let [event] = scene.events("collector", 1).await.try_into().expect("one event");
        assert_eq!(event.id(), id);
        returns.emptied().await;
        authority.anonymous_event_gets("401", &encrypted).await;
        scene.delivering("returns").await;

        let (orders, broker) = (scene.queue("orders").await, scene.broker().await);
        scene.trigger("messages", messages(), &scene.recorder("subscriber").await).await;
        scene.source("orders", scene.spec(&orders, &broker)).await;
        let address = format!("https://{INGRESS}/{}/default", scene.namespace);
        let audience = format!("eventing.knative.dev/broker/{}/default", scene.namespace);
        resolved(&scene, "orders", json!([address, authority.pem(), audience])).await;
        arrives(&scene, &orders, "with a token").await;
        authority.anonymous_event_gets("401", &address).await;
        orders.inner.emptied(PATIENCE + BROKER_GIVES_UP).await;

        let others = scene.queue("others").await;
        bound(&scene, &others, &broker).await;
        token_mounted(&scene).await;
        arrives(&scene, &others, "with the token that a SinkBinding mounts").await;
        others.inner.emptied(PATIENCE + BROKER_GIVES_UP).await;

        set_features("disabled", "disabled");
        followed(&scene, "http").await;
    });
}

/// With `transport-encryption: strict` nothing takes events in the clear, and a source that is there already follows.
#[test]
fn events_reach_a_broker_that_speaks_nothing_but_tls() {
    let _alone = alone();
    on_a_runtime(async {
        let authority = Authority::shared();
        let scene = Scene::new("strict").await;
        let (queue, broker) = (scene.queue("orders").await, scene.broker().await);
        scene.trigger("messages", messages(), &scene.recorder("subscriber").await).await;
        scene.source("orders", scene.spec(&queue, &broker)).await;
        let place = format!("{INGRESS}/{}/default", scene.namespace);
        let [plain, encrypted] = [format!("http://{place}"), format!("https://{place}")];
        resolved(&scene, "orders", json!([plain, null, null])).await;
        queue.inner.send("in the clear").await;
        scene.events("subscriber", 1).await;

        let _features = Features::of("disabled", "strict");
        resolved(&scene, "orders", json!([encrypted, authority.pem(), null])).await;
        let status = scene.read("eventing.knative.dev/v1", "Broker", "default").await.data["status"].clone();
        let urls: Vec<&Value> = status["addresses"].as_array().into_iter().flatten().map(|it| &it["url"]).collect();
        assert_eq!(urls, [&json!(encrypted)]);
        authority.anonymous_event_gets("404", &plain).await;
        followed(&scene, "https").await;
        arrives(&scene, &queue, "over TLS").await;
        queue.inner.emptied(PATIENCE + BROKER_GIVES_UP).await;
        scene.delivering("orders").await;

        set_features("disabled", "disabled");
        followed(&scene, "http").await;
    });
}

/// What a Trigger lets through: what the source sends, and no event of strangers.
fn messages() -> Value {
    json!({"type": "com.amazonaws.sqs.message"})
}

/// Waits until a source sends to this address: its URL, certificates and audience.
async fn resolved(scene: &Scene, source: &str, address: Value) {
    eventually(PATIENCE, || async {
        let status = scene.ready("sources.knative.dev/v1alpha1", "AwsSqsSource", source).await;
        let now = json!([status["sinkUri"], status["sinkCACerts"], status["sinkAudience"]]);
        if now == address { Ok(()) } else { Err(now) }
    })
    .await;
}

/// Waits until the scene's Broker takes events at such an address and its Trigger gets them at such a one. On a change of
/// features Knative makes the Trigger another Subscription, and what the Broker accepts between the two is lost in it.
async fn followed(scene: &Scene, scheme: &str) {
    let subscriptions = scene.all("messaging.knative.dev/v1", "Subscription");
    let scheme_of = |url: &Value| url.as_str().and_then(|url| url.split_once(':')).map(|(scheme, _)| scheme.to_owned());
    let wanted = json!([scheme, [[scheme, "True"]]]);
    eventually(PATIENCE, || async {
        let broker = scene.read("eventing.knative.dev/v1", "Broker", "default").await.data;
        let listed = subscriptions.list(&ListParams::default()).await.expect("Subscriptions are listed");
        let of_trigger = listed.iter().map(|it| &it.data).filter(|it| it["spec"]["channel"]["name"] == TRIGGER_CHANNEL);
        let subscribed: Vec<Value> = of_trigger
            .map(|it| json!([scheme_of(&it["spec"]["subscriber"]["uri"]), condition(&it["status"], "Ready")["status"]]))
            .collect();
        let now = json!([scheme_of(&broker["status"]["address"]["url"]), subscribed]);
        if now == wanted { Ok(()) } else { Err(now) }
    })
    .await;
}

/// Sends this again and again until it arrives behind the Broker, with the id of a message that was sent: Knative's servers
/// follow a change of features one by one, and what one of them accepts before the next has followed is lost between the two
/// or waits until the first gives up.
async fn arrives(scene: &Scene, queue: &Queue, body: &str) {
    let sent = RefCell::new(Vec::new());
    let arrived = eventually(PATIENCE, || async {
        let id = queue.inner.send(body).await;
        sent.borrow_mut().push(id);
        let mut events = scene.recorded("subscriber").await;
        events.retain(|event| event.data == body.as_bytes());
        if events.is_empty() { Err("it has not arrived") } else { Ok(events) }
    })
    .await;
    let sent = sent.into_inner();
    assert!(arrived.iter().all(|event| sent.iter().any(|id| id == event.id())), "{arrived:?} of {sent:?}");
}

/// Waits until a source warns for this reason with a sentence that has this part; answers with the sentence.
async fn warned(scene: &Scene, source: &str, reason: &str, part: &str) -> String {
    eventually(PATIENCE, || async {
        let status = scene.read("sources.knative.dev/v1alpha1", "AwsSqsSource", source).await.data["status"].clone();
        let told = condition(&status, "DeliveryHealthy");
        let sentence = told["message"].as_str().unwrap_or_default().to_owned();
        if told["reason"] == reason && sentence.contains(part) { Ok(sentence) } else { Err(told) }
    })
    .await
}

/// Waits until the only Pod of the bridge under the SinkBinding has the token; the first may be there before the token is.
async fn token_mounted(scene: &Scene) {
    eventually(PATIENCE, || async {
        let pods = scene.pods("app=bridge").await;
        let volumes = |pod: &Pod| pod.spec.clone().and_then(|spec| spec.volumes).unwrap_or_default();
        let mounted: Vec<bool> =
            pods.iter().map(|pod| volumes(pod).iter().any(|volume| volume.name == "oidc-token")).collect();
        if mounted == [true] { Ok(()) } else { Err(mounted) }
    })
    .await;
}

/// Features of Knative that are off again when this is dropped.
struct Features;

impl Features {
    fn of(oidc: &str, encryption: &str) -> Self {
        set_features(oidc, encryption);
        Self
    }
}

impl Drop for Features {
    fn drop(&mut self) {
        restore(|| set_features("disabled", "disabled"));
    }
}

fn set_features(oidc: &str, encryption: &str) {
    let patch = json!({"data": {"authentication-oidc": oidc, "transport-encryption": encryption}}).to_string();
    kubectl(&["-n", SYSTEM, "patch", "configmap", "config-features", "--type=merge", "-p", &patch]);
}

/// The authority that vouches for Knative's servers.
struct Authority(TempDir);

impl Authority {
    /// The servers get their certificates when it is first asked for.
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Authority> = OnceLock::new();
        SHARED.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder");
            run(Command::new(root().join("tests/cluster-parts/tls.sh")).arg(folder.path()));
            Self(folder)
        })
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("authority.pem")
    }

    fn pem(&self) -> String {
        std::fs::read_to_string(self.file()).expect("its certificate")
    }

    /// Waits until a server answers so to an event without a token.
    async fn anonymous_event_gets(&self, wanted: &str, url: &str) {
        eventually(PATIENCE, async || {
            let answer = self.answer_to_anonymous(url);
            if answer == wanted { Ok(()) } else { Err(answer) }
        })
        .await;
    }

    fn answer_to_anonymous(&self, url: &str) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"]);
        for header in ["specversion: 1.0", "id: 1", "source: nobody", "type: anonymous"] {
            curl.args(["-H", &format!("ce-{header}")]);
        }
        run(curl.arg("--cacert").arg(self.file()).arg(url))
    }
}
