//! The definition against the table.

use std::collections::BTreeSet;

use futures::future::LocalBoxFuture;
use serde_json::Value;
use source_controller::crd::manifest;
use sqs_bridge::config::Config;
use tests::kubelet::Container;
use tests::merge::merge;
use tests::timelapse::timelapse;

use crate::row::{Becomes, Object, Row, Seen, deployment, least, operator};
use crate::stage::Stage;
use crate::{credentials, delivery, event, flow, queue, rows, sink};

/// A flat sink of eventing-awssqs may carry what an object reference carries; its source does not use it either.
const TOLERATED: [&str; 4] = ["sink.namespace", "sink.uid", "sink.resourceVersion", "sink.fieldPath"];

/// If this fails, the schema has a leaf without a row, or the table has a row without a leaf.
#[test]
fn every_leaf_of_the_schema_has_a_row() {
    let crd = manifest::crd().unwrap();
    let mut found = BTreeSet::new();
    walk("", &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], &mut found);
    let rows: BTreeSet<String> =
        rows().iter().map(|row| row.path.to_owned()).chain(TOLERATED.map(str::to_owned)).collect();
    assert_eq!(found, rows);
}

/// If this fails, a field of the schema does nothing to the pod, or not what its row says.
#[test]
fn every_leaf_becomes_what_its_row_says_and_the_adapter_understands_it() {
    let base = deployment(&least(), &objects(), &operator(false));
    for Row { path, set, becomes, .. } in rows() {
        let mut spec = least();
        merge(&mut spec, &set);
        let deployment = deployment(&spec, &objects(), &operator(false));
        assert_ne!(deployment, base, "{path} changes nothing");
        match becomes {
            Becomes::Env(name, value) => {
                let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
                let variable = env.iter().find(|variable| variable["name"] == name).unwrap_or(&Value::Null);
                assert_eq!(variable["value"], value, "{path}");
            }
            Becomes::At(pointer, value) => assert_eq!(deployment.pointer(&pointer), Some(&value), "{path}"),
        }
        let mut around = tests::kubelet::Surroundings { namespace: "ns".to_owned(), ..Default::default() };
        around.secrets.insert("keys".to_owned(), [("id".to_owned(), "AKID".to_owned())].into());
        let container = Container::of(&deployment["spec"]["template"]["spec"], &around).expect("the pod starts");
        let pairs = container.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Config::from_env_pairs(pairs.filter(|(_, value)| !value.is_empty()))
            .unwrap_or_else(|errors| panic!("{path}: the adapter refuses its settings: {errors}"));
    }
}

/// Every variable that the adapter knows by a field of the spec is the one that the field becomes.
#[test]
fn fields_and_variables_are_paired_as_the_adapter_documents_them() {
    let rows = rows();
    for setting in sqs_bridge::config::settings::all().filter(|setting| !setting.field.is_empty()) {
        let named = |path: &str| path == setting.field || path.starts_with(&format!("{}.", setting.field));
        let found = rows.iter().any(|row| match row.becomes {
            Becomes::Env(name, _) => name == setting.env && named(row.path),
            Becomes::At(..) => false,
        });
        let by_volume =
            ["BRIDGE_KEYS_DIR", "AWS_WEB_IDENTITY_TOKEN_FILE", "BRIDGE_SINK_HEADERS_DIR"].contains(&setting.env);
        assert!(found || by_volume, "{} is documented as {}", setting.env, setting.field);
    }
}

#[test]
fn queue_and_region_are_seen_on_the_wire() {
    all_seen(queue::rows());
}

#[test]
fn credentials_are_seen_on_the_wire() {
    all_seen(credentials::rows());
}

#[test]
fn sinks_are_seen_on_the_wire() {
    all_seen(sink::rows());
}

#[test]
fn delivery_is_seen_on_the_wire() {
    all_seen(delivery::rows());
}

#[test]
fn event_options_are_seen_on_the_wire() {
    all_seen(event::rows());
}

#[test]
fn receiving_and_flow_are_seen_on_the_wire() {
    all_seen(flow::rows());
}

#[test]
fn variables_of_the_template_are_seen_on_the_wire() {
    all_seen(crate::pod::rows());
}

fn all_seen(rows: Vec<Row>) {
    for Row { path, seen, .. } in rows {
        let seen_by = async |run: fn(Stage) -> LocalBoxFuture<'static, ()>| {
            let (stage, used) = Stage::new(path).await;
            run(stage).await;
            assert!(used.happened(), "the row of {path} runs no bridge with it");
        };
        match seen {
            Seen::OnTheWire(run) => timelapse(seen_by(run)),
            Seen::OfTheProgram(run) => {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(seen_by(run));
            }
            Seen::ByKubernetes => {}
        }
    }
}

/// Objects that the `set` of rows names.
fn objects() -> Vec<Object> {
    let status = serde_json::json!({"addresses": [{"name": "http", "url": "http://first"}, {"name": "other", "url": "http://second"}]});
    vec![Object { is: ["eventing.knative.dev/v1", "Broker", "ns", "b"], status }]
}

fn walk(path: &str, schema: &Value, leaves: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if field["properties"].is_object() {
            walk(&path, field, leaves);
        } else if field["items"]["properties"].is_object() {
            walk(&format!("{path}[]"), &field["items"], leaves);
        } else {
            leaves.insert(path);
        }
    }
}
