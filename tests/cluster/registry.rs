//! What Knative's registry and its conformance tests find of the source.

use std::path::PathBuf;
use std::process::Command;

use kube::api::{Api, DynamicObject, ListParams};
use serde_json::{Value, json};
use tests::apiserver::{on_a_runtime, resource_of};
use tests::servers::installed;
use tests::wait::eventually;

use crate::installation::{SYSTEM, run, steady};
use crate::scene::{PATIENCE, Scene};

/// What `ceAttributes` says becomes an EventType.
#[test]
fn the_registry_knows_what_a_source_sends() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("registry").await;
        let queue = scene.queue("orders").await;
        let broker = scene.broker().await;
        scene.source("orders", scene.spec(&queue, &broker)).await;

        let resource = resource_of(&json!({"apiVersion": "eventing.knative.dev/v1beta2", "kind": "EventType"}));
        let types: Api<DynamicObject> = Api::namespaced_with(scene.client.clone(), &scene.namespace, &resource);
        let known = eventually(PATIENCE, || async {
            let listed = types.list(&ListParams::default()).await.expect("EventTypes are listed").items;
            if listed.is_empty() { Err("no EventType") } else { Ok(listed) }
        })
        .await;
        let told: Vec<Value> =
            known.iter().map(|known| json!([known.data["spec"]["type"], known.data["spec"]["source"]])).collect();
        assert_eq!(told, [json!(["com.amazonaws.sqs.message", queue.arn])]);
    });
}

/// `kn source list` and `kn source list-types` show it like Knative's own.
#[test]
fn kn_lists_the_kind_and_its_sources() {
    let _steady = steady();
    on_a_runtime(async {
        let scene = Scene::new("kn").await;
        let queue = scene.queue("orders").await;
        let broker = scene.broker().await;
        scene.source("orders", scene.spec(&queue, &broker)).await;

        let definition = "awssqssources.sources.knative.dev";
        let types = kn(&["list-types"]);
        assert!(types.contains(&vec!["AwsSqsSource".to_owned(), definition.to_owned()]), "{types:?}");
        let listed = kn(&["list", "--namespace", &scene.namespace]);
        assert_eq!(listed, [["orders", "AwsSqsSource", definition, "broker:default", "True"]]);
    });
}

/// Knative's own tests of sources' definitions, as they are.
#[test]
fn the_definition_conforms() {
    let _steady = steady();
    let said = conformance("conformance.test", &["-test.run=TestSourceCRD", &format!("-sources={}", source())], &[]);
    for test in ["TestSourceCRDMetadata", "TestSourceCRDRegistry", "TestSourceCRDRBAC"] {
        assert!(said.contains(&format!("--- PASS: {test} ")), "{test} passes:\n{said}");
    }
}

/// Knative's own test of a source's status.
#[test]
fn the_status_conforms() {
    let _steady = steady();
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("source.json");
    let spec = json!({"queueArn": "arn:aws:sqs:us-east-1:000000000000:none", "sink": {"uri": "http://example.com/"}});
    let object = json!({
        "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "spec": spec,
        "metadata": {"name": "awssqssource", "namespace": "{{namespace}}"},
    });
    std::fs::write(&manifest, object.to_string()).expect("the manifest is written");
    let env = [("SOURCE", source()), ("SOURCE_YAML", manifest.display().to_string())];
    let said = conformance("source.test", &["-test.run=TestStatus"], &env);
    assert!(said.contains("--- PASS: TestStatus "), "{said}");
}

/// The rows of a table of `kn source`, without its head.
fn kn(arguments: &[&str]) -> Vec<Vec<String>> {
    let program = installed("kn", "TESTS_KN", "cluster").join("kn");
    let table = run(Command::new(program).arg("source").args(arguments));
    table.lines().skip(1).map(|row| row.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The definition as those tests call it.
fn source() -> String {
    "sources.knative.dev/v1alpha1:AwsSqsSource".to_owned()
}

fn conformance(program: &str, arguments: &[&str], env: &[(&str, String)]) -> String {
    let program: PathBuf =
        installed("Knative's conformance suite", "TESTS_KNATIVE_CONFORMANCE", "cluster").join(program);
    let mut command = Command::new(program);
    command.args(arguments).arg("-test.v").env("SYSTEM_NAMESPACE", SYSTEM).env("KO_DOCKER_REPO", "registry.local/test");
    run(command.envs(env.iter().map(|(name, value)| (name, value))))
}
