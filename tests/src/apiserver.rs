//! A real etcd, kube-apiserver and kube-controller-manager on loopback, and the controller on them. I/O: child processes, TCP.
//!
//! There is no node: Deployments become Pods that never start, so tests write the Pods' status themselves
//! ([`pods`]) and answer `/readiness` at the addresses they write there.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub mod controller;
pub mod cut;
pub mod node;
pub mod pods;
pub mod process;

/// The environment variable that `tests/run` sets to the folder with the binaries.
const BINARIES: &str = "TESTS_KUBE";

/// A running control plane; it ends with this value, or with the process.
pub struct Cluster {
    /// Where logs and kubeconfigs are.
    pub dir: PathBuf,
    server: Child,
    config: Kubeconfig,
}

impl Cluster {
    /// Starts a control plane that knows `config/`'s definition and these further manifests.
    ///
    /// # Panics
    ///
    /// When it is not installed or does not start.
    pub fn start(name: &str, manifests: &[&Path]) -> Self {
        let binaries = binaries();
        let dir = std::env::temp_dir().join(format!("sqs-bridge-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the control plane");
        let definition = root().join("config/300-awssqssource.yaml");
        let manifests: Vec<String> = std::iter::once(definition.as_path())
            .chain(manifests.iter().copied())
            .map(|path| path.display().to_string())
            .collect();
        let mut server = Command::new(root().join("tests/cluster-parts/kube.sh"))
            .arg("serve")
            .env("KUBE_BIN", &binaries)
            .env("KUBE_DIR", &dir)
            .env("KUBE_PORTS", free_ports().map(|port| port.to_string()).join(" "))
            .env("KUBE_CRDS", manifests.join(" "))
            // As on OpenShift: who lets an owner's deletion wait must be allowed to change the owner's finalizers.
            .env("KUBE_APISERVER_ARGS", "--enable-admission-plugins=OwnerReferencesPermissionEnforcement")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kube.sh runs");
        let mut line = String::new();
        let output = server.stdout.take().expect("its standard output");
        BufReader::new(output).read_line(&mut line).expect("a line of kube.sh");
        assert_eq!(line, "ready\n", "the control plane starts; its logs are in {}", dir.display());
        let config = Kubeconfig::read_from(dir.join("admin.kubeconfig")).expect("the administrator's kubeconfig");
        Self { dir, server, config }
    }

    /// A client with all rights.
    pub async fn admin(&self) -> Client {
        Client::try_from(self.configuration().await).expect("a client")
    }

    /// A client with the rights of a ServiceAccount.
    pub async fn client_of(&self, namespace: &str, account: &str) -> Client {
        let mut config = self.configuration().await;
        config.auth_info = kube::config::AuthInfo {
            token: Some(self.token_of(namespace, account).await.into()),
            ..kube::config::AuthInfo::default()
        };
        Client::try_from(config).expect("a client")
    }

    /// A kubeconfig with the rights of a ServiceAccount, for a server at this address, such as a proxy before the real one.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub async fn kubeconfig_of(&self, namespace: &str, account: &str, server: Option<SocketAddr>) -> PathBuf {
        let mut config = serde_json::to_value(&self.config).expect("JSON");
        config["users"][0]["user"] = json!({"token": self.token_of(namespace, account).await});
        if let Some(server) = server {
            config["clusters"][0]["cluster"]["server"] = json!(format!("https://{server}"));
        }
        let path = self.dir.join(format!("{account}-{:08x}.kubeconfig", fastrand::u32(..)));
        std::fs::write(&path, config.to_string()).expect("a kubeconfig can be written");
        path
    }

    /// Where the API server listens.
    ///
    /// # Panics
    ///
    /// When its kubeconfig does not say so.
    pub fn address(&self) -> SocketAddr {
        let cluster = self.config.clusters.first().and_then(|named| named.cluster.clone()).expect("a cluster");
        let server = cluster.server.expect("a server");
        server.trim_start_matches("https://").parse().expect("an address")
    }

    /// A token that the API server gives.
    async fn token_of(&self, namespace: &str, account: &str) -> String {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin().await, namespace);
        let request =
            serde_json::from_value(json!({"spec": {"audiences": [], "expirationSeconds": 7200}})).expect("a request");
        let answer = accounts.create_token_request(account, &PostParams::default(), &request).await.expect("a token");
        answer.status.expect("a status").token
    }

    /// Runs kubectl as administrator; answers with its output.
    ///
    /// # Panics
    ///
    /// When it fails, with what it said.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// The same, whether or not it fails.
    pub fn try_kubectl(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(binaries().join("kubectl"))
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig())
            .env("KUBECACHEDIR", self.dir.join("kubectl"))
            .output()
            .expect("kubectl runs")
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("admin.kubeconfig")
    }

    async fn configuration(&self) -> Config {
        kube::Config::from_custom_kubeconfig(self.config.clone(), &KubeConfigOptions::default())
            .await
            .expect("a configuration")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its standard input ends, so it takes its servers down.
        drop(self.server.stdin.take());
        self.server.wait().ok();
        if !std::thread::panicking() {
            std::fs::remove_dir_all(&self.dir).ok();
        }
    }
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// A new namespace with a default ServiceAccount.
pub async fn namespace(client: &Client, purpose: &str) -> String {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(format!("{purpose}-{:08x}", fastrand::u32(..)));
    let name = namespaces.create(&PostParams::default(), &namespace).await.expect("a namespace").metadata.name;
    name.expect("a name")
}

/// How the API server calls a kind: `plural.version.group`, without a group for core kinds.
pub fn kind(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// The sources of a namespace, as JSON.
pub fn sources(client: &Client, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(
        client.clone(),
        namespace,
        &kind("sources.knative.dev/v1alpha1", "AwsSqsSource", "awssqssources"),
    )
}

/// Applies an object as a user does; its kind must be one that [`resource_of`] knows.
pub async fn apply(client: &Client, object: &Value) -> DynamicObject {
    try_apply(client, object).await.unwrap_or_else(|error| panic!("applying {object}: {error}"))
}

/// The same, whether or not the API server takes it.
pub async fn try_apply(client: &Client, object: &Value) -> Result<DynamicObject, kube::Error> {
    let resource = resource_of(object);
    let name = object["metadata"]["name"].as_str().expect("a name");
    let api: Api<DynamicObject> = match object["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    api.patch(name, &PatchParams::apply("user").force(), &Patch::Apply(object)).await
}

/// Applies every document of a file of manifests.
pub async fn apply_file(client: &Client, path: &Path) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for object in documents(&text) {
        apply(client, &object).await;
    }
}

/// The documents of a YAML text.
pub fn documents<T: DeserializeOwned>(text: &str) -> Vec<T> {
    // As Kubernetes reads it: `y` is a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_multiple_with_options(text, options).expect("YAML")
}

/// How the API server calls the kind of this object, by the usual rules of English.
pub fn resource_of(object: &Value) -> ApiResource {
    let name = object["kind"].as_str().expect("a kind");
    let lower = name.to_lowercase();
    let plural = match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with('s') => format!("{lower}es"),
        None => format!("{lower}s"),
    };
    kind(object["apiVersion"].as_str().expect("an API version"), name, &plural)
}

/// Labels of an object, for comparisons.
pub fn labels(object: &DynamicObject) -> BTreeMap<String, String> {
    object.metadata.labels.clone().unwrap_or_default()
}

/// Drives a future on a runtime of its own: tests of a binary share servers, but no runtime.
pub fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

fn binaries() -> PathBuf {
    let path = std::env::var_os(BINARIES).unwrap_or_else(|| panic!("{BINARIES} is not set: run `tests/run apiserver`"));
    PathBuf::from(path)
}

/// Three ports that were free a moment ago.
fn free_ports() -> [u16; 3] {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| listener.local_addr().expect("its address").port())
}
