//! What users add to the pod, found in the Pod that Kubernetes makes.

use serde_json::{Value, json};
use tests::apiserver::{on_a_runtime, pods};
use tests::merge::merge;
use tests::wait::eventually;

use crate::fields::fields;
use crate::scene::{QUEUE, SOON, Scene};
use crate::shared::controlled;

/// The fields of the spec that only Kubernetes acts on, all at once, from the object to the Pods.
#[test]
fn each_field_for_kubernetes_is_in_the_pod() {
    on_a_runtime(async {
        let scene = Scene::new(controlled(), "fields").await;
        let mut spec = json!({"queueArn": QUEUE, "sink": {"uri": "http://display"}});
        for (_, set, ..) in fields() {
            merge(&mut spec, &set);
        }
        scene.source("orders", spec).await;
        let made = eventually(SOON, || async {
            let pods = pods::of(&scene.client, &scene.namespace, "orders").await;
            if pods.len() == 3 { Ok(pods) } else { Err(pods.len()) }
        })
        .await;
        let pod = serde_json::to_value(&made[0]).unwrap();
        let mut found = 1;
        for (path, _, pointer, value) in fields() {
            // `replicas` is about their number.
            let Some(pointer) = pointer.strip_prefix("/spec/template") else { continue };
            let there = pod.pointer(pointer).unwrap_or(&Value::Null);
            assert!(has(there, &value), "{path}: {there}");
            found += 1;
        }
        assert_eq!(found, fields().len());
    });
}

/// True if everything of `wanted` is there; Kubernetes adds defaults.
fn has(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| there.get(name).is_some_and(|there| has(there, wanted)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| has(there, wanted))
        }
        (there, wanted) => there == wanted,
    }
}
