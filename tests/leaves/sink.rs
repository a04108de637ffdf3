//! Where events go, and how the adapter is believed there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqs_bridge::config::{self, Config};
use sqs_bridge::health::Health;
use sqs_bridge::metrics::Metrics;
use sqs_bridge::outcome::Answer;
use sqs_bridge::sink::{Sink, Surroundings};
use tests::sink::Reply;

use crate::certificates::Authority;
use crate::row::{Becomes, Becomes::Env, CERTIFICATE, Object, Row, at, row, wire};
use crate::server::{Request, Server, empty, with_body};
use crate::stage::Stage;

const BROKER: [&str; 4] = ["eventing.knative.dev/v1", "Broker", "ns", "b"];

fn broker() -> Value {
    json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "b"})
}

/// A source whose sink names `reference`; it is the object `named`, and an object that differs from it in one word has
/// another address.
async fn named(mut stage: Stage, reference: Value, named: [&'static str; 4], differs: [&'static str; 4], flat: bool) {
    let (url, other) = (stage.sink.url(), stage.other.url());
    stage.addressable(differs, &other);
    stage.addressable(named, &url);
    let mut sink = json!({"uri": null});
    let sink_of = if flat { reference } else { json!({"ref": reference}) };
    tests::merge::merge(&mut sink, &sink_of);
    sink["uri"] = Value::Null;
    stage.queue.send("hello");
    let _pod = stage.start(&json!({"sink": sink})).await;
    stage.drained().await;
    assert_eq!((stage.sink.accepted_count(), stage.other.count()), (1, 0));
}

/// The same of the dead-letter sink; the sink refuses everything.
async fn dead_letters_named(mut stage: Stage, reference: Value, named: [&'static str; 4], differs: [&'static str; 4]) {
    let third = tests::sink::Sink::start().await;
    let (other, wrong) = (stage.other.url(), third.url());
    stage.addressable(differs, &wrong);
    stage.addressable(named, &other);
    dead_lettered(&stage, &json!({"delivery": {"deadLetterSink": {"ref": reference}}})).await;
    assert_eq!(third.count(), 0);
}

/// What the sink refuses goes to `stage.other`.
async fn dead_lettered(stage: &Stage, set: &Value) -> tests::sink::Delivery {
    stage.sink.always(Reply::status(422));
    stage.queue.send("refused");
    let _pod = stage.start(set).await;
    stage.drained().await;
    let delivery = stage.other.accepted().remove(0);
    assert_eq!((stage.other.count(), delivery.event.get("knativeerrorcode")), (1, Some("422")));
    delivery
}

/// An address that has a name beside one that is preferred.
fn two_addresses(preferred: &str, other: &str) -> Vec<Object> {
    let status = json!({"addresses": [{"name": "http", "url": preferred}, {"name": "other", "url": other}]});
    vec![Object { is: BROKER, status }]
}

/// One POST of the sink that the pod's environment describes, with the files of an API server's client.
async fn posted(stage: &Stage, set: &Value, token_server: Option<&Server>, dead_letters: bool, api_ca: &str) -> Answer {
    let mut container = stage.container(set);
    if let Some(server) = token_server {
        let address = [
            ("KUBERNETES_SERVICE_HOST", "localhost".to_owned()),
            ("KUBERNETES_SERVICE_PORT", server.port().to_string()),
        ];
        container.env.extend(address.map(|(name, value)| (name.to_owned(), value)));
    }
    let pairs = container.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let config = Config::from_env_pairs(pairs).unwrap();
    let settings: config::Sink =
        if dead_letters { config.dead_letter_sink.clone().unwrap() } else { config.sink.clone() };
    let account = tempfile::tempdir().unwrap();
    std::fs::write(account.path().join("ca.crt"), api_ca).unwrap();
    std::fs::write(account.path().join("token"), "pods-own-token").unwrap();
    let around = Surroundings {
        trust_bundles: "/nowhere/bundles".into(),
        ca_file: None,
        bound_token: None,
        service_account: account.path().into(),
        refresh: Duration::from_secs(10),
    };
    let metrics = Metrics::new(&config.identity, "q").unwrap();
    let health = Arc::new(Health::new(Duration::from_secs(20), settings.timeout, Instant::now()));
    let sink = Sink::within(&around, &settings, &config.identity, metrics, health).unwrap();
    let headers = [("ce-id", "1"), ("ce-type", "order")];
    let headers =
        headers.map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
    let event = sqs_bridge::event::Encoded { headers: headers.into_iter().collect(), body: "{}".into() };
    sink.post(&event).await
}

/// The token that the API server gave for the audience of a sink.
async fn token_sent(mut stage: Stage, dead_letters: bool) -> Vec<String> {
    stage.oidc = true;
    let (authority, api_authority) = (Authority::new(), Authority::new());
    let api = Server::tls(api_authority.acceptor(), token_for).await;
    let sink = Server::tls(authority.acceptor(), |_| empty("202 Accepted")).await;
    let address = json!({"uri": sink.url(), "CACerts": authority.pem(), "audience": "me"});
    let set = match dead_letters {
        true => json!({"delivery": {"deadLetterSink": address}}),
        false => json!({"sink": address}),
    };
    let answer = posted(&stage, &set, Some(&api), dead_letters, &api_authority.pem()).await;
    assert!(matches!(answer, Answer::Status { code: 202, .. }), "{answer:?}");
    sink.requests().iter().map(|request| request.header("Authorization").unwrap_or("none").to_owned()).collect()
}

/// A token that tells for which ServiceAccount and audience it was asked.
fn token_for(request: &Request) -> crate::server::Reply {
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    let account = request.head.split('/').nth(6).unwrap_or_default();
    let token = format!("{account}-for-{}", asked["spec"]["audiences"][0].as_str().unwrap());
    let status =
        json!({"kind": "TokenRequest", "status": {"token": token, "expirationTimestamp": "2100-01-01T00:00:00Z"}});
    with_body("201 Created", &status.to_string())
}

async fn trusted(stage: Stage, dead_letters: bool) {
    let authority = Authority::new();
    let server = Server::tls(authority.acceptor(), |_| empty("202 Accepted")).await;
    let address = json!({"uri": server.url(), "CACerts": authority.pem()});
    let set = match dead_letters {
        true => json!({"delivery": {"deadLetterSink": address}}),
        false => json!({"sink": address}),
    };
    let answer = posted(&stage, &set, None, dead_letters, "").await;
    assert!(matches!(answer, Answer::Status { code: 202, .. }), "{answer:?}");
}

pub fn rows() -> Vec<Row> {
    let mut rows = references();
    rows.extend(flat());
    rows.extend(believed());
    rows.extend(dead_letters());
    rows
}

fn references() -> Vec<Row> {
    let service = |namespace: &str| json!({"apiVersion": "v1", "kind": "Service", "name": "s", "namespace": namespace});
    let named_address =
        json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "b", "address": "other"});
    vec![
        row(
            "sink.ref.apiVersion",
            json!({"sink": {"uri": null, "ref": broker()}}),
            Env("K_SINK", "http://first"),
            wire!(stage => {
                named(stage, broker(), BROKER, ["eventing.knative.dev/v2", "Broker", "ns", "b"], false).await;
            }),
        ),
        row(
            "sink.ref.kind",
            json!({"sink": {"uri": null, "ref": service("ns")}}),
            Env("K_SINK", "http://s.ns.svc.cluster.local"),
            wire!(stage => {
                named(stage, broker(), BROKER, ["eventing.knative.dev/v1", "Bucket", "ns", "b"], false).await;
            }),
        ),
        row(
            "sink.ref.name",
            json!({"sink": {"uri": null, "ref": service("ns")}}),
            Env("K_SINK", "http://s.ns.svc.cluster.local"),
            wire!(stage => {
                named(stage, broker(), BROKER, ["eventing.knative.dev/v1", "Broker", "ns", "c"], false).await;
            }),
        ),
        row(
            "sink.ref.namespace",
            json!({"sink": {"uri": null, "ref": service("other")}}),
            Env("K_SINK", "http://s.other.svc.cluster.local"),
            wire!(stage => {
                let mut elsewhere = broker();
                elsewhere["namespace"] = json!("elsewhere");
                named(stage, elsewhere, ["eventing.knative.dev/v1", "Broker", "elsewhere", "b"], BROKER, false).await;
            }),
        ),
        row(
            "sink.ref.address",
            json!({"sink": {"uri": null, "ref": named_address}}),
            Env("K_SINK", "http://second"),
            wire!(stage => {
                let mut stage = stage;
                stage.objects = two_addresses(&stage.other.url(), &stage.sink.url());
                let mut reference = broker();
                reference["address"] = json!("other");
                stage.queue.send("hello");
                let _pod = stage.start(&json!({"sink": {"uri": null, "ref": reference}})).await;
                stage.drained().await;
                assert_eq!((stage.sink.accepted_count(), stage.other.count()), (1, 0));
            }),
        ),
        row(
            "sink.uri",
            json!({"sink": {"uri": "https://other/x"}}),
            Env("K_SINK", "https://other/x"),
            wire!(stage => {
                stage.queue.send("hello");
                let _pod = stage.start(&json!({"sink": {"uri": format!("{}path?q=1", stage.other.url())}})).await;
                stage.drained().await;
                assert_eq!((stage.sink.count(), stage.other.accepted()[0].head.target.as_str()), (0, "/path?q=1"));
            }),
        ),
    ]
}

fn flat() -> Vec<Row> {
    let flat = || json!({"sink": {"uri": null, "apiVersion": "v1", "kind": "Service", "name": "flat"}});
    let address = || Env("K_SINK", "http://flat.ns.svc.cluster.local");
    vec![
        row(
            "sink.apiVersion",
            flat(),
            address(),
            wire!(stage => {
                named(stage, broker(), BROKER, ["eventing.knative.dev/v2", "Broker", "ns", "b"], true).await;
            }),
        ),
        row(
            "sink.kind",
            flat(),
            Env("BRIDGE_FORMAT", "eventing-awssqs"),
            wire!(stage => {
                let mut stage = stage;
                let url = stage.sink.url();
                stage.addressable(BROKER, &url);
                stage.queue.send("hello");
                let mut sink = broker();
                sink["uri"] = Value::Null;
                let _pod = stage.start(&json!({"sink": sink})).await;
                stage.drained().await;
                assert_eq!(stage.sink.accepted()[0].event.kind(), "aws.sqs.message", "the mapping of eventing-awssqs");
            }),
        ),
        row(
            "sink.name",
            flat(),
            address(),
            wire!(stage => {
                named(stage, broker(), BROKER, ["eventing.knative.dev/v1", "Broker", "ns", "c"], true).await;
            }),
        ),
    ]
}

fn believed() -> Vec<Row> {
    vec![
        row(
            "sink.CACerts",
            json!({"sink": {"uri": "https://display", "CACerts": CERTIFICATE}}),
            Env("K_CA_CERTS", CERTIFICATE),
            wire!(stage => trusted(stage, false).await),
        ),
        row(
            "sink.audience",
            json!({"sink": {"uri": "https://display", "audience": "me"}}),
            Env("K_AUDIENCE", "me"),
            wire!(stage => {
                let sent = token_sent(stage, false).await;
                assert_eq!(sent, ["Bearer orders-oidc-sources.knative.dev-awssqssource-for-me"]);
            }),
        ),
        row(
            "sinkHeadersSecret.name",
            json!({"sinkHeadersSecret": {"name": "token"}}),
            at("/volumes/0/projected/sources/0/secret", json!({"name": "token", "optional": true})),
            wire!(stage => {
                let mut stage = stage;
                stage.secret("token", &[("Authorization", "Bearer t")]);
                stage.queue.send("hello");
                let _pod = stage.start(&json!({"sinkHeadersSecret": {"name": "token"}})).await;
                stage.drained().await;
                assert_eq!(stage.sink.accepted()[0].head.header("authorization"), Some("Bearer t"));
            }),
        ),
        row(
            "ceOverrides.extensions",
            json!({"ceOverrides": {"extensions": {"team": "payments"}}}),
            Env("K_CE_OVERRIDES", r#"{"extensions":{"team":"payments"}}"#),
            wire!(stage => {
                stage.queue.send("hello");
                let _pod = stage.start(&json!({"ceOverrides": {"extensions": {"team": "payments"}}})).await;
                stage.drained().await;
                assert_eq!(stage.sink.accepted()[0].event.get("team"), Some("payments"));
            }),
        ),
    ]
}

fn dead_letters() -> Vec<Row> {
    let service = |namespace: &str| json!({"apiVersion": "v1", "kind": "Service", "name": "s", "namespace": namespace});
    let named_address =
        json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "b", "address": "other"});
    let set = |sink: Value| json!({"delivery": {"deadLetterSink": sink}});
    let env = |value: &'static str| -> Becomes { Env("BRIDGE_DEAD_LETTER_SINK", value) };
    vec![
        row(
            "delivery.deadLetterSink.ref.apiVersion",
            set(json!({"ref": broker()})),
            env("http://first"),
            wire!(stage => {
                dead_letters_named(stage, broker(), BROKER, ["eventing.knative.dev/v2", "Broker", "ns", "b"]).await;
            }),
        ),
        row(
            "delivery.deadLetterSink.ref.kind",
            set(json!({"ref": service("ns")})),
            env("http://s.ns.svc.cluster.local"),
            wire!(stage => {
                dead_letters_named(stage, broker(), BROKER, ["eventing.knative.dev/v1", "Bucket", "ns", "b"]).await;
            }),
        ),
        row(
            "delivery.deadLetterSink.ref.name",
            set(json!({"ref": service("ns")})),
            env("http://s.ns.svc.cluster.local"),
            wire!(stage => {
                dead_letters_named(stage, broker(), BROKER, ["eventing.knative.dev/v1", "Broker", "ns", "c"]).await;
            }),
        ),
        row(
            "delivery.deadLetterSink.ref.namespace",
            set(json!({"ref": service("other")})),
            env("http://s.other.svc.cluster.local"),
            wire!(stage => {
                let mut elsewhere = broker();
                elsewhere["namespace"] = json!("elsewhere");
                dead_letters_named(stage, elsewhere, ["eventing.knative.dev/v1", "Broker", "elsewhere", "b"], BROKER).await;
            }),
        ),
        row(
            "delivery.deadLetterSink.ref.address",
            set(json!({"ref": named_address})),
            env("http://second"),
            wire!(stage => {
                let mut stage = stage;
                let third = tests::sink::Sink::start().await;
                stage.objects = two_addresses(&third.url(), &stage.other.url());
                let mut reference = broker();
                reference["address"] = json!("other");
                dead_lettered(&stage, &json!({"delivery": {"deadLetterSink": {"ref": reference}}})).await;
                assert_eq!(third.count(), 0);
            }),
        ),
        row(
            "delivery.deadLetterSink.uri",
            set(json!({"uri": "http://dls/x"})),
            env("http://dls/x"),
            wire!(stage => {
                let set = json!({"delivery": {"deadLetterSink": {"uri": format!("{}x", stage.other.url())}}});
                assert_eq!(dead_lettered(&stage, &set).await.head.target, "/x");
            }),
        ),
        row(
            "delivery.deadLetterSink.CACerts",
            set(json!({"uri": "https://dls", "CACerts": CERTIFICATE})),
            Env("BRIDGE_DEAD_LETTER_SINK_CA_CERTS", CERTIFICATE),
            wire!(stage => trusted(stage, true).await),
        ),
        row(
            "delivery.deadLetterSink.audience",
            set(json!({"uri": "https://dls", "audience": "me"})),
            Env("BRIDGE_DEAD_LETTER_SINK_AUDIENCE", "me"),
            wire!(stage => {
                let sent = token_sent(stage, true).await;
                assert_eq!(sent, ["Bearer orders-oidc-sources.knative.dev-awssqssource-for-me"]);
            }),
        ),
    ]
}
