//! One control plane with one controller for all tests of this binary that change nothing cluster-wide.

use std::path::PathBuf;
use std::sync::OnceLock;

use tests::apiserver::controller::Running;
use tests::apiserver::{Cluster, apply_file, on_a_runtime, root};

/// The namespace and the name of the controller's ServiceAccount in `config/`.
pub const ACCOUNT: (&str, &str) = ("knative-eventing", "awssqs-source-controller");

/// The control plane; each test works in namespaces of its own.
pub fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start("controller", &[&kinds()]))
}

/// The same with everything of `config/` applied and the controller running.
pub fn controlled() -> &'static Cluster {
    static CONTROLLER: OnceLock<()> = OnceLock::new();
    let cluster = cluster();
    CONTROLLER.get_or_init(|| {
        let (started, running) = std::sync::mpsc::channel();
        // On a thread and a runtime of its own: it outlives the test that happens to come first.
        std::thread::spawn(move || {
            on_a_runtime(async {
                install(cluster).await;
                let client = cluster.client_of(ACCOUNT.0, ACCOUNT.1).await;
                let controller = Running::start(client, &[]);
                started.send(()).expect("the test waits");
                controller.ended().await;
            });
        });
        running.recv().expect("the controller starts");
    });
    cluster
}

/// Applies `config/`, as a user does.
pub async fn install(cluster: &Cluster) {
    let client = cluster.admin().await;
    for (name, _) in source_controller::manifests::FILES {
        apply_file(&client, &root().join("config").join(name)).await;
    }
}

/// Kinds that take events, as a cluster with Knative has them.
pub fn kinds() -> PathBuf {
    root().join("tests/fixtures/addressable-kinds.yaml")
}
