//! A node for the pods of one namespace: each pod is a process of the bridge, with the environment and the volumes that
//! its spec asks for. I/O: Kubernetes, processes, files.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::pods;
use crate::bridge::{BridgeProcess, Setup};
use crate::kubelet::{Container, Stuck, Surroundings};

/// Between two looks at the namespace.
const EVERY: Duration = Duration::from_millis(200);

/// Before an ended container is started again.
const RESTART: Duration = Duration::from_secs(2);

/// Lines of output that become the last words of a container.
const LAST_LINES: usize = 20;

/// Runs the pods of a namespace until it is dropped.
pub struct Node {
    settings: Arc<Mutex<Settings>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Settings {
    variables: BTreeMap<String, String>,
    registry_is_down: bool,
}

impl Node {
    /// Starts it.
    pub fn start(client: Client, namespace: &str) -> Self {
        let settings = Arc::new(Mutex::new(Settings::default()));
        // Without this the SDK asks the machine's own metadata service for credentials.
        lock(&settings).variables.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
        let kubelet = Kubelet {
            client,
            namespace: namespace.to_owned(),
            settings: Arc::clone(&settings),
            running: HashMap::new(),
        };
        Self { settings, task: tokio::spawn(kubelet.run()) }
    }

    /// Adds a variable to containers that start from now on, as a webhook of the cluster would.
    pub fn inject(&self, name: &str, value: &str) {
        lock(&self.settings).variables.insert(name.to_owned(), value.to_owned());
    }

    /// Whether images can be pulled.
    pub fn registry(&self, is_up: bool) {
        lock(&self.settings).registry_is_down = !is_up;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(settings: &Mutex<Settings>) -> std::sync::MutexGuard<'_, Settings> {
    settings.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Kubelet {
    client: Client,
    namespace: String,
    settings: Arc<Mutex<Settings>>,
    running: HashMap<String, Running>,
}

/// A pod that was started at least once.
struct Running {
    address: Ipv4Addr,
    container: Container,
    state: State,
    restarts: i32,
    told: Value,
}

enum State {
    Process(Box<BridgeProcess>),
    Ended { again: Instant, code: i32, last_words: String },
}

impl Kubelet {
    async fn run(mut self) {
        loop {
            let pods = self.pods().await;
            self.running.retain(|name, _| pods.iter().any(|pod| pod.name_any() == *name));
            let secrets = self.secrets().await;
            for pod in pods {
                self.look_after(&pod, &secrets).await;
            }
            sleep(EVERY).await;
        }
    }

    async fn pods(&self) -> Vec<Pod> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let listed = api.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        listed.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect()
    }

    async fn secrets(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let listed = api.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        let texts = |secret: Secret| -> BTreeMap<String, String> {
            let data = secret.data.unwrap_or_default().into_iter();
            data.map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned())).collect()
        };
        listed.into_iter().map(|secret| (secret.name_any(), texts(secret))).collect()
    }

    async fn look_after(&mut self, pod: &Pod, secrets: &BTreeMap<String, BTreeMap<String, String>>) {
        let name = pod.name_any();
        let spec = serde_json::to_value(&pod.spec).unwrap_or_default();
        let around = Surroundings {
            namespace: self.namespace.clone(),
            pod: name.clone(),
            secrets: secrets.clone(),
            roles: BTreeMap::new(),
        };
        if !self.running.contains_key(&name) {
            match self.start(&spec, &around) {
                Ok(running) => drop(self.running.insert(name.clone(), running)),
                Err(stuck) => {
                    return pods::set_status(&self.client, pod, waiting(stuck.reason, &stuck.message, None, 0)).await;
                }
            }
        }
        let client = self.client.clone();
        let Some(running) = self.running.get_mut(&name) else { return };
        // What a Secret no longer holds is gone from the volume too.
        running.container.mount(&spec, &around).ok();
        running.turn();
        let status = running.status().await;
        if status != running.told {
            running.told = status.clone();
            pods::set_status(&client, pod, status).await;
        }
    }

    fn start(&self, spec: &Value, around: &Surroundings) -> Result<Running, Stuck> {
        let image = spec["containers"][0]["image"].as_str().unwrap_or_default();
        let settings = lock(&self.settings);
        if settings.registry_is_down {
            return Err(Stuck { reason: "ImagePullBackOff", message: format!("Back-off pulling image {image:?}") });
        }
        let mut container = Container::of(spec, around)?;
        for (name, value) in &settings.variables {
            container.env.entry(name.clone()).or_insert_with(|| value.clone());
        }
        let address = Ipv4Addr::new(127, fastrand::u8(1..255), fastrand::u8(..), fastrand::u8(1..255));
        container.env.insert("BRIDGE_HEALTH_ADDR".to_owned(), format!("{address}:8080"));
        let state = State::Process(Box::new(Setup::whole(container.env.clone()).spawn()));
        Ok(Running { address, container, state, restarts: 0, told: Value::Null })
    }
}

impl Running {
    /// Notices the end of the process, and starts it again after a while.
    fn turn(&mut self) {
        match &mut self.state {
            State::Process(process) => {
                let Some(end) = process.end() else { return };
                let output = process.output();
                let last = output[output.len().saturating_sub(LAST_LINES)..].join("\n");
                self.state =
                    State::Ended { again: Instant::now() + RESTART, code: end.code().unwrap_or(137), last_words: last };
            }
            State::Ended { again, .. } if *again <= Instant::now() => {
                self.restarts += 1;
                self.state = State::Process(Box::new(Setup::whole(self.container.env.clone()).spawn()));
            }
            State::Ended { .. } => {}
        }
    }

    async fn status(&self) -> Value {
        match &self.state {
            State::Process(process) => {
                let page = process.readiness().await.unwrap_or_default();
                pods::running(self.address, page["ready"] == true)
            }
            State::Ended { code, last_words, .. } => {
                let message = "back-off 10s restarting failed container=receive-adapter";
                let last = json!({"exitCode": code, "reason": "Error", "message": last_words});
                waiting("CrashLoopBackOff", message, Some(last), self.restarts)
            }
        }
    }
}

fn waiting(reason: &str, message: &str, last: Option<Value>, restarts: i32) -> Value {
    let mut container = json!({
        "name": "receive-adapter", "ready": false, "started": false, "restartCount": restarts, "image": "i", "imageID": "",
        "state": {"waiting": {"reason": reason, "message": message}},
    });
    if let Some(last) = last {
        container["lastState"] = json!({"terminated": last});
    }
    json!({
        "phase": "Pending",
        "conditions": [{"type": "Ready", "status": "False"}, {"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [container],
    })
}
