//! A namespace with one source, a node for its pods, and an SQS, an STS and a sink of its own.

use std::time::Duration;

use futures::future::LocalBoxFuture;
use serde_json::{Value, json};
use tests::apiserver::Cluster;
use tests::apiserver::node::Node;
use tests::fake_aws::FakeAws;
use tests::merge::merge;
use tests::sink::Sink;
use tests::sqs::{SimulatedQueue, Simulator};
use tests::wait::eventually;

use crate::scene::{Scene, Status};
use crate::server::Server;

/// Something that is done in a place.
pub type Act = for<'a> fn(&'a mut Place) -> LocalBoxFuture<'a, ()>;

/// Code of a fault: `act!(place => expression)`.
macro_rules! act {
    ($place:ident => $run:expr) => {
        |$place| Box::pin(async move { $run })
    };
}
pub(crate) use act;

/// Status and reason of Ready, the same of DeliveryHealthy, and a message.
pub type Told = (String, String, (String, String), String);

/// Generous; the controller asks pods every 10 s, and the adapter waits 30 s before it calls an endpoint unreachable.
const LONG: Duration = Duration::from_secs(150);

/// Where one fault happens.
pub struct Place {
    /// The namespace.
    pub scene: Scene,
    /// Runs its pods.
    pub node: Node,
    /// Holds `queue`.
    pub sqs: Simulator,
    /// The queue of the source.
    pub queue: SimulatedQueue,
    /// The sink of the source.
    pub sink: Sink,
    /// STS.
    pub sts: FakeAws,
    /// Another sink, and the certificate by which it is trusted.
    pub tls: Option<(Server, String)>,
    spec: Value,
}

impl Place {
    /// With a Secret of working keys, and no source yet.
    pub async fn new(cluster: &Cluster) -> Self {
        let scene = Scene::new(cluster, "fault").await;
        let node = Node::start(scene.client.clone(), &scene.namespace);
        let (sqs, sink, sts) = (Simulator::start().await, Sink::start().await, FakeAws::start().await);
        let grave = sqs.queue("dead");
        let redrive = json!({"deadLetterTargetArn": grave.arn(), "maxReceiveCount": 1000}).to_string();
        let queue = sqs.queue_with("orders", &[("RedrivePolicy", &redrive)]);
        node.inject("AWS_ENDPOINT_URL_STS", &sts.url());
        let spec = json!({
            "queueUrl": queue.url(), "region": "us-east-1", "sink": {"uri": sink.url()},
            "auth": {"secret": {"name": "aws-keys"}},
        });
        let place = Self { scene, node, sqs, queue, sink, sts, tls: None, spec };
        place.secret("aws-keys", json!({"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"})).await;
        place
    }

    /// Applies a Secret.
    pub async fn secret(&self, name: &str, keys: Value) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": keys});
        self.scene.apply(secret).await;
    }

    /// Applies the source, with this merge patch of a spec that works.
    pub async fn source(&self, patch: Value) {
        let mut spec = self.spec.clone();
        merge(&mut spec, &patch);
        self.scene.source("orders", spec).await;
    }

    /// Waits until something is told.
    ///
    /// # Errors
    ///
    /// It never was: what was told last.
    pub async fn until(&self, ready: &str, condition: impl AsyncFn(&Told) -> bool) -> Result<(), Told> {
        let condition = &condition;
        let told = eventually(LONG + LONG, async || {
            let now = self.told(ready).await;
            if condition(&now).await { Ok(()) } else { Err(now) }
        });
        match tokio::time::timeout(LONG, told).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.told(ready).await),
        }
    }

    /// Status and reason of Ready, the same of DeliveryHealthy, and the message of the one that matters.
    async fn told(&self, ready: &str) -> Told {
        let source = self.scene.read("orders").await;
        let status = Status(source.data["status"].clone());
        let current = status.0["observedGeneration"].as_i64() == source.metadata.generation;
        let word = |type_: &str, field: &str| status.condition(type_)[field].as_str().unwrap_or_default().to_owned();
        let about = if ready == "True" { "DeliveryHealthy" } else { "Ready" };
        let ready = if current { word("Ready", "status") } else { "of an older generation".to_owned() };
        let delivering = (word("DeliveryHealthy", "status"), word("DeliveryHealthy", "reason"));
        (ready, word("Ready", "reason"), delivering, self.plain(&status.message(about)))
    }

    /// A sentence with names that are the same in every run.
    fn plain(&self, sentence: &str) -> String {
        let authority = |url: &str| url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let mut plain = sentence
            .replace(&authority(&self.sink.url()), "sink.example")
            .replace(&authority(&self.sqs.url()), "sqs.example");
        if let Some((server, _)) = &self.tls {
            plain = plain.replace(&format!("localhost:{}", server.port()), "sink.example");
        }
        let plain = without_directories(&plain.replace(&self.scene.namespace, "ns"));
        // Names of pods end in what their Deployment and their ReplicaSet drew.
        let words = plain.split(' ').map(|word| match word.trim_matches('"').starts_with("awssqs-orders-") {
            true => "awssqs-orders-…",
            false => word,
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Paths of volumes as they are in a pod, not where the node of the tests keeps them.
fn without_directories(sentence: &str) -> String {
    let directory = format!("{}/sqs-bridge-pod-", std::env::temp_dir().display());
    let mut parts = sentence.split(directory.as_str());
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, path) = part.split_once('/').unwrap_or_default();
        plain.push_str("/var/secrets/");
        plain.push_str(&path.replacen("aws-credentials", "aws", 1));
    }
    plain
}
