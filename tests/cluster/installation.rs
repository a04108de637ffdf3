//! The cluster that `tests/run cluster` has started -> the controller on it, installed once for all tests as a user does it.

use std::process::Command;
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::{Value, json};
use tests::apiserver::{documents, root};

/// Where Knative and the controller are.
pub const SYSTEM: &str = "knative-eventing";

/// Settings of the whole cluster.
static SETTINGS: RwLock<()> = RwLock::new(());

/// The cluster, whose settings nobody changes while this is held.
pub fn steady() -> RwLockReadGuard<'static, ()> {
    installed();
    SETTINGS.read().unwrap_or_else(PoisonError::into_inner)
}

/// The cluster, on which nothing else runs while this is held: sources that are left of earlier tests would all follow a
/// change of settings too.
pub fn alone() -> RwLockWriteGuard<'static, ()> {
    installed();
    let settings = SETTINGS.write().unwrap_or_else(PoisonError::into_inner);
    kubectl(&["delete", "awssqssources", "--all", "--all-namespaces"]);
    settings
}

/// Runs kubectl as administrator; answers with its output.
///
/// # Panics
///
/// When it fails, with what it said.
pub fn kubectl(arguments: &[&str]) -> String {
    run(Command::new("kubectl").args(arguments))
}

/// Runs a program; answers with its output.
///
/// # Panics
///
/// When it fails, with what it said.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?} ends with {}:\n{said}\n{complained}", output.status);
    said
}

/// The image of the bridge, by the name that `config/` gives it.
pub fn bridge_image() -> String {
    let text = std::fs::read_to_string(root().join("config/500-controller.yaml")).expect("the controller's manifest");
    let deployment = documents::<Value>(&text).into_iter().find(|object| object["kind"] == "Deployment");
    let deployment = deployment.expect("a Deployment");
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().expect("variables");
    let image = env.iter().find(|variable| variable["name"] == "AWSSQS_RA_IMAGE").expect("the adapter's image");
    image["value"].as_str().expect("a name").to_owned()
}

fn installed() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let config = root().join("config");
        kubectl(&["apply", "-f", config.to_str().expect("text")]);
        let ours = json!({"data": {"aws-sqs-source": bridge_image()}}).to_string();
        let images = ["patch", "configmap", "eventing-integrations-images", "--type=merge", "-p", &ours];
        kubectl(&[&["-n", SYSTEM], &images[..]].concat());
        rolled_out("awssqs-source-controller");
        // It reads the images at its start, and definitions of sources that it could not list then never again.
        kubectl(&["-n", SYSTEM, "rollout", "restart", "deployment/eventing-controller"]);
        rolled_out("eventing-controller");
    });
}

/// Waits until all Pods of a Deployment of the system's namespace are of its newest template.
pub fn rolled_out(deployment: &str) {
    kubectl(&["-n", SYSTEM, "rollout", "status", &format!("deployment/{deployment}"), "--timeout=120s"]);
}

/// Undoes a change of the cluster, for destructors.
///
/// # Panics
///
/// When that fails, unless the test has failed already: a second panic would hide the first.
pub fn restore(undo: impl Fn() + std::panic::UnwindSafe) {
    if std::thread::panicking() {
        std::panic::catch_unwind(undo).ok();
    } else {
        undo();
    }
}
