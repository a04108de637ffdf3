//! Bearer tokens: requested from an API server, read from a file, renewed after a 401, never over plain http.

use std::fs;
use std::time::Instant;

use sqs_bridge::config;
use sqs_bridge::health::Problem;
use sqs_bridge::outcome::{Answer, TransportClass, TransportFailure};
use sqs_bridge::sink::{Sink, Surroundings};
use tempfile::TempDir;
use tests::wait::eventually;

use crate::certificates::Authority;
use crate::server::{Reply, Request, Server, empty, with_body};
use crate::{SOON, Subject, event, identity, nowhere, settings, status};

const AUDIENCE: &str = "eventing.knative.dev/broker/shop/default";

/// A cluster: an API server that makes `token-1`, `token-2`, …, a sink, and the files of a pod's ServiceAccount.
struct Cluster {
    api: Server,
    sink: Server,
    authority: Authority,
    pod: TempDir,
}

impl Cluster {
    async fn new(expires: &'static str, sink: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_api(move |request| token(request.number + 1, expires), sink).await
    }

    async fn with_api(
        api: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        sink: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let authority = Authority::new();
        let api_authority = Authority::new();
        let pod = tempfile::tempdir().unwrap();
        fs::write(pod.path().join("ca.crt"), api_authority.pem()).unwrap();
        fs::write(pod.path().join("token"), "pods-own-token\n").unwrap();
        Self {
            api: Server::tls(api_authority.acceptor(), api).await,
            sink: Server::tls(authority.acceptor(), sink).await,
            authority,
            pod,
        }
    }

    fn settings(&self) -> config::Sink {
        config::Sink {
            ca_certs: Some(self.authority.pem()),
            audience: Some(AUDIENCE.into()),
            oidc_service_account: Some("orders-oidc".into()),
            token_server: Some(self.api.url().parse().unwrap()),
            ..settings(&self.sink.url())
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { service_account: self.pod.path().into(), ..nowhere() }
    }

    fn subject(&self) -> Subject {
        Subject::new(&self.settings(), &self.surroundings()).unwrap()
    }

    fn sent(&self) -> Vec<String> {
        let requests = self.sink.requests();
        requests.iter().map(|request| request.header("Authorization").unwrap_or("none").to_owned()).collect()
    }
}

fn token(number: usize, expires: &str) -> Reply {
    with_body(
        "201 Created",
        &format!(
            r#"{{"kind":"TokenRequest","status":{{"token":"token-{number}","expirationTimestamp":"{expires}"}}}}"#
        ),
    )
}

const FAR: &str = "2100-01-01T00:00:00Z";
const PAST: &str = "2000-01-01T00:00:00Z";

#[tokio::test]
async fn a_token_for_the_audience_is_requested_once_and_sent_with_every_post() {
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let subject = cluster.subject();
    for _ in 0..3 {
        assert_eq!(subject.post().await, status(202));
    }
    assert_eq!(cluster.sent(), ["Bearer token-1"; 3]);
    let [request] = &cluster.api.requests()[..] else { panic!("one request for three POSTs") };
    assert!(
        request.head.starts_with("POST /api/v1/namespaces/shop/serviceaccounts/orders-oidc/token HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    assert_eq!(request.header("authorization"), Some("Bearer pods-own-token"));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [AUDIENCE], "expirationSeconds": 3600},
        })
    );
}

#[tokio::test]
async fn posts_at_once_wait_for_one_request() {
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let subject = cluster.subject();
    let answers = futures::future::join_all((0..8).map(|_| subject.post())).await;
    assert_eq!(answers, vec![status(202); 8]);
    assert_eq!(cluster.api.requests().len(), 1);
}

#[tokio::test]
async fn an_expiring_token_is_renewed() {
    let cluster = Cluster::new(PAST, |_| empty("202 Accepted")).await;
    let subject = cluster.subject();
    subject.post().await;
    subject.post().await;
    assert_eq!(cluster.sent(), ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn after_a_401_a_fresh_token_is_tried_once() {
    let cluster = Cluster::new(FAR, |request| match request.header("Authorization") {
        Some("Bearer token-1") => empty("401 Unauthorized"),
        _ => empty("202 Accepted"),
    })
    .await;
    let subject = cluster.subject();
    assert_eq!(subject.post().await, status(202));
    assert_eq!(subject.post().await, status(202));
    assert_eq!(cluster.sent(), ["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
}

#[tokio::test]
async fn a_second_401_is_final() {
    let cluster = Cluster::new(FAR, |_| empty("401 Unauthorized")).await;
    let subject = cluster.subject();
    assert_eq!(subject.post().await, status(401));
    assert_eq!(cluster.sent(), ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_reason_is_told() {
    let denied = |_: &Request| {
        with_body("403 Forbidden", r#"{"kind":"Status","message":"serviceaccounts \"orders-oidc\" is forbidden"}"#)
    };
    let cluster = Cluster::with_api(denied, |_| empty("202 Accepted")).await;
    let subject = cluster.subject();
    let expected = Answer::Failed(TransportFailure {
        class: TransportClass::Request,
        message: format!(
            "no token for the audience {AUDIENCE}: the API server answers 403 to \
             /api/v1/namespaces/shop/serviceaccounts/orders-oidc/token: serviceaccounts \"orders-oidc\" is forbidden"
        ),
    });
    let answers = futures::future::join_all((0..8).map(|_| subject.post())).await;
    assert_eq!(answers, vec![expected; 8]);
    assert_eq!(cluster.sink.requests().len(), 0);
    assert_eq!(cluster.api.requests().len(), 1, "a failure is not asked for again at once");
}

#[tokio::test]
async fn an_answer_that_is_no_token_does_not_quote_it() {
    let strange = |_: &Request| with_body("201 Created", r#"{"status":{"token":"secret","expirationTimestamp":7}}"#);
    let cluster = Cluster::with_api(strange, |_| empty("202 Accepted")).await;
    let Answer::Failed(TransportFailure { message, .. }) = cluster.subject().post().await else { panic!("no token") };
    assert_eq!(message, format!("no token for the audience {AUDIENCE}: the API server's answer is not a TokenRequest"));
}

#[tokio::test]
async fn a_bound_token_is_read_again_when_it_changes() {
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let token = cluster.pod.path().join("bound");
    let settings = config::Sink { oidc_service_account: None, audience: None, ..cluster.settings() };
    let surroundings = Surroundings { bound_token: Some(token.clone()), ..nowhere() };
    let subject = Subject::new(&settings, &surroundings).unwrap();
    subject.post().await;
    assert_eq!(cluster.sent(), ["none"], "no file, no token");
    for value in ["one", "two"] {
        fs::write(&token, value).unwrap();
        let sent = eventually(SOON, || async {
            subject.post().await;
            let last = cluster.sent().pop();
            if last == Some(format!("Bearer {value}")) { Ok(()) } else { Err(last) }
        });
        tokio::select! {
            () = sent => {}
            () = subject.sink.maintain() => unreachable!("it runs until dropped"),
        }
    }
    assert_eq!(cluster.api.requests().len(), 0);
}

#[tokio::test]
async fn after_a_401_a_bound_token_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "old").unwrap();
    let renewed = token.clone();
    let cluster = Cluster::new(FAR, move |request| match request.header("Authorization") {
        Some("Bearer new") => empty("202 Accepted"),
        _ => {
            fs::write(&renewed, "new").unwrap();
            empty("401 Unauthorized")
        }
    })
    .await;
    let settings = config::Sink { oidc_service_account: None, audience: None, ..cluster.settings() };
    let subject = Subject::new(&settings, &Surroundings { bound_token: Some(token), ..nowhere() }).unwrap();
    assert_eq!(subject.post().await, status(202));
    assert_eq!(cluster.sent(), ["Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn a_token_wins_over_a_header_file_and_over_user_info() {
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let headers = tempfile::tempdir().unwrap();
    fs::write(headers.path().join("Authorization"), "Bearer from-file").unwrap();
    let mut settings = cluster.settings();
    settings.headers_dir = Some(headers.path().into());
    settings.url = cluster.sink.url().replace("://", "://me:pass@").parse().unwrap();
    let with_token = Subject::new(&settings, &cluster.surroundings()).unwrap();
    with_token.post().await;
    settings.audience = None;
    Subject::new(&settings, &cluster.surroundings()).unwrap().post().await;
    settings.headers_dir = None;
    Subject::new(&settings, &cluster.surroundings()).unwrap().post().await;
    assert_eq!(cluster.sent(), ["Bearer token-1", "Bearer from-file", "Basic bWU6cGFzcw=="]);
}

#[tokio::test]
async fn no_token_goes_over_plain_http() {
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let plain = Server::plain(|_| empty("202 Accepted")).await;
    let bound = cluster.pod.path().join("bound");
    fs::write(&bound, "bound").unwrap();
    let settings = config::Sink { url: plain.url().parse().unwrap(), ..cluster.settings() };
    let subject =
        Subject::new(&settings, &Surroundings { bound_token: Some(bound), ..cluster.surroundings() }).unwrap();
    assert_eq!(subject.post().await, status(202));
    assert_eq!(plain.requests()[0].header("Authorization"), None);
    assert_eq!(cluster.api.requests().len(), 0);
    let told: Vec<Problem> = subject.health.readiness(Instant::now()).warnings;
    let message = format!(
        "the sink wants a token for the audience {AUDIENCE}, but none is sent over plain http: give the sink an https \
         address; Knative's Brokers and channels have one while transport-encryption in config-features is permissive \
         or strict"
    );
    assert_eq!(told, [Problem { reason: "SinkTokenNotSent", message }]);
}

/// If it were, the message would go to a dead-letter queue for a setting of the cluster.
#[tokio::test]
async fn an_event_is_not_refused_for_want_of_a_token() {
    let plain = Server::plain(|_| empty("401 Unauthorized")).await;
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let wants_a_token = config::Sink { url: plain.url().parse().unwrap(), ..cluster.settings() };
    let expected = Answer::Failed(TransportFailure {
        class: TransportClass::Request,
        message: "the sink answers 401 to an event without a token".into(),
    });
    assert_eq!(Subject::new(&wants_a_token, &cluster.surroundings()).unwrap().post().await, expected);
    let headers = tempfile::tempdir().unwrap();
    fs::write(headers.path().join("Authorization"), "Bearer wrong").unwrap();
    let has_a_header = config::Sink { headers_dir: Some(headers.path().into()), ..wants_a_token };
    assert_eq!(Subject::new(&has_a_header, &cluster.surroundings()).unwrap().post().await, status(401));
    assert_eq!(Subject::alone(&settings(&plain.url())).post().await, status(401), "it never asked for one");
}

#[tokio::test]
async fn a_mounted_token_that_may_not_be_sent_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = folder.path().join("token");
    let surroundings = Surroundings { bound_token: Some(mounted.clone()), ..nowhere() };
    let reasons = || -> Vec<&str> {
        let subject = Subject::new(&settings("http://localhost/"), &surroundings).unwrap();
        subject.health.readiness(Instant::now()).warnings.iter().map(|warning| warning.reason).collect()
    };
    assert_eq!(reasons(), [""; 0], "without OIDC nothing is mounted");
    fs::write(&mounted, "mounted").unwrap();
    assert_eq!(reasons(), ["SinkTokenNotSent"]);
}

#[tokio::test]
async fn the_dead_letter_sink_gets_no_token_but_one_for_its_own_audience() {
    let cluster = Cluster::new(FAR, |_| empty("202 Accepted")).await;
    let compat = config::IntegrationSource { token_file: Some(cluster.pod.path().join("token")), ca_file: None };
    let settings = config::Sink { audience: None, ..cluster.settings() };
    let Subject { metrics, health, .. } = cluster.subject();
    let main = Sink::new(&settings, &identity(), Some(&compat), metrics.clone(), health.clone()).unwrap();
    let dead_letter = Sink::dead_letter(&settings, &identity(), Some(&compat), metrics, health).unwrap();
    assert_eq!(main.post(&event()).await, status(202));
    assert_eq!(dead_letter.post(&event()).await, status(202));
    assert_eq!(cluster.sent(), ["Bearer pods-own-token", "none"]);
}

#[test]
fn an_identity_without_a_cluster_or_a_namespace_is_a_wrong_setting() {
    let settings = config::Sink {
        audience: Some(AUDIENCE.into()),
        oidc_service_account: Some("orders-oidc".into()),
        ..settings("https://localhost/")
    };
    let error = Subject::new(&settings, &nowhere()).err().unwrap().to_string();
    assert!(error.starts_with("K_OIDC_SERVICE_ACCOUNT needs the Kubernetes API server: "), "{error}");
}
