//! A queue and a sink -> a bridge between them: in this process, or as the real program. I/O: TCP, files, processes.
//!
//! ```ignore
//! let bridge = Setup::between(&queue, &sink).set("BRIDGE_VISIBILITY_TIMEOUT", "30s").start().await;
//! // …
//! bridge.stop().await; // drains
//! ```

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use sqs_bridge::config::Config;
use sqs_bridge::run::{Bridge, RunError, Stopper, shutdown};
use tokio::task::JoinHandle;

mod process;

pub use process::BridgeProcess;

use crate::page::get;
use crate::sink::Sink;
use crate::sqs::SimulatedQueue;
use crate::wait::eventually;
use process::KeyFiles;

/// The access key that a bridge of the tests signs with unless it is told otherwise.
pub const ACCESS_KEY: &str = "AKIDBRIDGE";

/// The settings of a bridge that has not been started.
#[derive(Clone, Debug)]
pub struct Setup {
    env: BTreeMap<String, String>,
    /// Nothing is added but an address for the pages.
    whole: bool,
}

/// A bridge in this process; it is aborted, without a drain, when dropped.
#[derive(Debug)]
pub struct RunningBridge {
    stopper: Stopper,
    task: JoinHandle<Result<(), RunError>>,
    health: SocketAddr,
    _keys: KeyFiles,
}

impl Setup {
    /// A bridge from a simulated queue to a sink, all else by default.
    pub fn between(queue: &SimulatedQueue, sink: &Sink) -> Self {
        Self::to(sink).set("AWS_SQS_URL", &queue.url())
    }

    /// A bridge to a sink, its queue still unnamed.
    pub fn to(sink: &Sink) -> Self {
        let setup = Self { env: BTreeMap::new(), whole: false };
        setup.set("K_SINK", &sink.url()).set("AWS_REGION", "us-east-1").set("NAME", "test-source")
    }

    /// A bridge with exactly this environment, such as that of a pod: no keys are added.
    pub fn whole(env: BTreeMap<String, String>) -> Self {
        Self { env, whole: true }
    }

    /// Sets an environment variable.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Takes an environment variable away.
    pub fn unset(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Starts it in this process, with health pages on a port of its own.
    ///
    /// # Panics
    ///
    /// When it refuses its settings or cannot be built.
    pub async fn start(&self) -> RunningBridge {
        let keys = KeyFiles::write(ACCESS_KEY).expect("a temporary directory for the keys");
        let setup = self.clone().with_defaults(&keys);
        let pairs = setup.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let config = Config::from_env_pairs(pairs).expect("the bridge accepts the settings of the test");
        let bridge = Bridge::build(config).await.expect("the bridge can be built");
        let health = bridge.health_addr().expect("the bridge tells where its pages are");
        let health = SocketAddr::from((Ipv4Addr::LOCALHOST, health.port()));
        let (stopper, wish) = shutdown();
        RunningBridge { stopper, task: tokio::spawn(bridge.run(wish)), health, _keys: keys }
    }

    /// Starts the real program with these settings and nothing else in its environment.
    ///
    /// # Panics
    ///
    /// When it cannot be built or started.
    pub fn spawn(&self) -> BridgeProcess {
        let keys = KeyFiles::write(ACCESS_KEY).expect("a temporary directory for the keys");
        let setup = self.clone().with_defaults(&keys);
        BridgeProcess::start(&setup.env, keys)
    }

    fn with_defaults(mut self, keys: &KeyFiles) -> Self {
        if !self.whole && !self.env.contains_key("AWS_APPLICATION_CREDENTIALS") {
            self.env.entry("BRIDGE_KEYS_DIR".to_owned()).or_insert_with(|| keys.path());
        }
        self.env.entry("BRIDGE_HEALTH_ADDR".to_owned()).or_insert_with(|| "127.0.0.1:0".to_owned());
        self
    }
}

impl RunningBridge {
    /// Asks it to drain and waits until it has ended.
    ///
    /// # Panics
    ///
    /// When it ends with an error.
    pub async fn stop(mut self) {
        self.stopper.stop();
        let ended = (&mut self.task).await.expect("the bridge does not panic");
        ended.expect("the bridge ends without an error");
    }

    /// Asks for the end and does not wait for it; asked twice, it does not drain.
    pub fn ask_to_stop(&self) {
        self.stopper.stop();
    }

    /// True once it has ended.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(self) {
        self.task.abort();
    }

    /// `GET` from its health pages: status and body.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub async fn page(&self, path: &str) -> (u16, String) {
        get(self.health, path).await.expect("the bridge answers on its health address")
    }

    /// What `/readiness` says: status and JSON.
    ///
    /// # Panics
    ///
    /// When it does not answer with JSON.
    pub async fn readiness(&self) -> (u16, Value) {
        let (status, body) = self.page("/readiness").await;
        (status, serde_json::from_str(&body).expect("readiness is JSON"))
    }

    /// Waits until `/readiness` says 200.
    pub async fn ready(&self) {
        eventually(Duration::from_secs(30), async || {
            let (status, page) = self.readiness().await;
            if status == 200 { Ok(()) } else { Err(page) }
        })
        .await;
    }

    /// Waits until `/readiness` gives this reason for not being ready, and returns its message.
    pub async fn unready_because(&self, reason: &str) -> String {
        eventually(Duration::from_secs(120), async || {
            let (status, page) = self.readiness().await;
            let message = page["queue"]["message"].as_str().unwrap_or_default().to_owned();
            if status == 503 && page["queue"]["reason"] == reason { Ok(message) } else { Err(page) }
        })
        .await
    }

    /// The value of the first sample of `/metrics` whose line starts so, such as `name{label="x"`.
    pub async fn metric(&self, start: &str) -> Option<f64> {
        let (_, page) = self.page("/metrics").await;
        let line = page.lines().find(|line| line.starts_with(start))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

impl Drop for RunningBridge {
    fn drop(&mut self) {
        self.task.abort();
    }
}
