//! The adapters' `/readiness` pages -> what is known of their queues and deliveries. I/O: HTTP to pods.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use futures::channel::mpsc;
use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::cache::{Cache, Group};
use crate::watched::{WatchedDeployment, WatchedPod};
pub use judge::{Answer, Known};

pub mod judge;

/// Between two rounds of questions to all pods.
pub const EVERY: Duration = Duration::from_secs(10);

/// How long a pod may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Pods asked at once.
const AT_ONCE: usize = 64;

/// Pods asked per source.
const PODS_PER_SOURCE: usize = 3;

/// Bytes of an answer that are read; adapters send less.
const LONGEST_ANSWER: usize = 16 * 1024;

/// What the pods answered last, by namespace and name.
pub struct Observations {
    answers: Mutex<HashMap<Group, Answer>>,
    /// Plain HTTP: the pages hold nothing secret, and a client that knows TLS wants certificates that an image need not have.
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Default for Observations {
    fn default() -> Self {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { answers: Mutex::new(HashMap::new()), client }
    }
}

impl Observations {
    async fn page(&self, url: &str) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let request = http::Request::get(url).header(http::header::CONNECTION, "close").body(Empty::new())?;
        let response = self.client.request(request).await?;
        let body = Limited::new(response.into_body(), LONGEST_ANSWER);
        Ok(body.collect().await?.to_bytes())
    }

    /// The pods of a source that run its current template, the newest first, and what they answered.
    pub fn of(&self, pods: &Cache<WatchedPod>, source: &Group, hash: Option<&str>) -> Vec<Known> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        current(pods, source, hash)
            .into_iter()
            .map(|pod| {
                let answer = answers.get(&(source.0.clone(), pod.name.to_string())).cloned();
                Known { pod, answer }
            })
            .collect()
    }

    /// Asks the pods of one source; true if any answers something new.
    pub async fn ask(&self, pods: &Cache<WatchedPod>, source: &Group, hash: Option<&str>) -> bool {
        let mut changed = false;
        for pod in current(pods, source, hash).into_iter().take(PODS_PER_SOURCE) {
            let Some(address) = &pod.address else { continue };
            let answer = self.ask_pod(address).await;
            let key = (source.0.clone(), pod.name.to_string());
            let before = self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer.clone());
            changed |= before.as_ref() != Some(&answer);
        }
        changed
    }

    fn retain(&self, pods: &Cache<WatchedPod>) {
        let known: std::collections::HashSet<Group> = pods
            .groups()
            .iter()
            .flat_map(|group| {
                pods.of(group).into_iter().map(|pod| (group.0.clone(), pod.name.to_string())).collect::<Vec<_>>()
            })
            .collect();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).retain(|pod, _| known.contains(pod));
    }

    async fn ask_pod(&self, address: &str) -> Answer {
        let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let url = format!("http://{host}:8080/readiness");
        match tokio::time::timeout(TIMEOUT, self.page(&url)).await {
            Ok(Ok(body)) => judge::read(&url, &body),
            Ok(Err(error)) => Answer::Silent(format!("{url} did not answer: {}", innermost(error.as_ref()))),
            Err(_) => Answer::Silent(format!("{url} did not answer within {} seconds", TIMEOUT.as_secs())),
        }
    }
}

/// Asks all pods in rounds, and those of a source at once when `woken` names it; tells `changed` whose answers are new.
pub async fn watch(
    observations: Arc<Observations>,
    pods: Arc<Cache<WatchedPod>>,
    deployments: Arc<Cache<WatchedDeployment>>,
    woken: mpsc::UnboundedReceiver<Group>,
    changed: mpsc::UnboundedSender<Group>,
) {
    let ask = |source: Group| {
        let (observations, pods, deployments) = (&observations, &pods, &deployments);
        async move {
            let hash = hash_of(deployments, &source);
            observations.ask(pods, &source, hash.as_deref()).await.then_some(source)
        }
    };
    let rounds = rounds().flat_map(|()| {
        observations.retain(&pods);
        stream::iter(pods.groups())
    });
    let mut answers = pin!(stream::select(woken, rounds).map(ask).buffer_unordered(AT_ONCE));
    while let Some(news) = answers.next().await {
        if let Some(source) = news
            && changed.unbounded_send(source).is_err()
        {
            return;
        }
    }
}

fn rounds() -> impl Stream<Item = ()> {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    stream::unfold(interval, |mut interval| async move {
        interval.tick().await;
        Some(((), interval))
    })
}

/// The hash of the template that a source's Deployment has now.
pub fn hash_of(deployments: &Cache<WatchedDeployment>, source: &Group) -> Option<String> {
    deployments.of(source).iter().find_map(|deployment| deployment.template_hash.as_deref().map(str::to_owned))
}

/// The pods of a source that run its current template and are not on their way out, the newest first.
fn current(pods: &Cache<WatchedPod>, source: &Group, hash: Option<&str>) -> Vec<Arc<WatchedPod>> {
    let mut current: Vec<Arc<WatchedPod>> = pods
        .of(source)
        .into_iter()
        .filter(|pod| !pod.going && hash.is_some() && pod.template_hash.as_deref() == hash)
        .collect();
    current.sort_by(|one, other| other.created.cmp(&one.created));
    current
}

/// The last of an error's causes, which says what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
