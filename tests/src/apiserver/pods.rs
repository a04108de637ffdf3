//! What a kubelet and an adapter would do: Pods become ready, and `/readiness` is answered. I/O: TCP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An adapter that only answers `/readiness`, at port 8080 of a loopback address of its own.
pub struct FakeAdapter {
    /// Its address.
    pub address: Ipv4Addr,
    page: Arc<Mutex<Value>>,
    task: JoinHandle<()>,
}

impl FakeAdapter {
    /// Answers with this page until another is set.
    pub async fn start(page: Value) -> Self {
        let (address, listener) = loop {
            let address = Ipv4Addr::new(127, fastrand::u8(1..255), fastrand::u8(..), fastrand::u8(1..255));
            if let Ok(listener) = TcpListener::bind(SocketAddr::from((address, 8080))).await {
                break (address, listener);
            }
        };
        let page = Arc::new(Mutex::new(page));
        let router = Router::new().route("/readiness", get(readiness)).with_state(Arc::clone(&page));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("pages are served");
        });
        Self { address, page, task }
    }

    /// Answers with this page from now on.
    pub fn answer(&self, page: Value) {
        *self.page.lock().expect("no panic holds it") = page;
    }
}

impl Drop for FakeAdapter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn readiness(State(page): State<Arc<Mutex<Value>>>) -> (StatusCode, String) {
    let page = page.lock().expect("no panic holds it").clone();
    let status = if page["ready"] == true { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, page.to_string())
}

/// The pods of a source that are not on their way out.
pub async fn of(client: &Client, namespace: &str, source: &str) -> Vec<Pod> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let selection = ListParams::default().labels(&format!("knative-eventing-source-name={source}"));
    let listed = pods.list(&selection).await.expect("pods are listed").items;
    listed.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect()
}

/// Does what the kubelet does when a pod of these containers runs at `address` and its readiness probe succeeds or fails.
pub async fn run(client: &Client, pod: &Pod, address: Ipv4Addr, ready: bool) {
    set_status(client, pod, running(address, ready)).await;
}

/// The status of a pod that runs at `address` and whose readiness probe succeeds or fails.
pub fn running(address: Ipv4Addr, ready: bool) -> Value {
    let ready_now = if ready { "True" } else { "False" };
    json!({
        "phase": "Running",
        "podIP": address.to_string(),
        "podIPs": [{"ip": address.to_string()}],
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Initialized", "status": "True"},
            {"type": "ContainersReady", "status": ready_now},
            {"type": "Ready", "status": ready_now},
        ],
        "containerStatuses": [{
            "name": "receive-adapter", "ready": ready, "started": true, "restartCount": 0, "image": "i", "imageID": "i",
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        }],
    })
}

/// Writes the status of a pod.
pub async fn set_status(client: &Client, pod: &Pod, status: Value) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().expect("a namespace"));
    let patch = Patch::Merge(json!({"status": status}));
    match pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await {
        Ok(_) => {}
        // A pod that is gone meanwhile needs no status.
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => panic!("writing the status of a pod: {error}"),
    }
}
