//! The definition on a real API server: what it takes and refuses, what kubectl shows, how it scales.

use std::collections::BTreeSet;

use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use kube::core::response::Status;
use serde::Deserialize;
use serde_json::{Value, json};
use tests::apiserver::{documents, namespace, on_a_runtime, root, sources};

use crate::shared::cluster;

/// If this fails, a manifest is refused that is good, or accepted that is not, or the user reads another sentence.
#[test]
fn each_case_of_the_fixture_is_answered_with_its_sentence() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        #[serde(default)]
        metadata: Option<Value>,
        #[serde(default)]
        spec: Option<Value>,
        #[serde(default)]
        old: Option<Value>,
        #[serde(default)]
        refused: BTreeSet<String>,
    }
    let text = std::fs::read_to_string(root().join("tests/fixtures/api-cases.yaml")).unwrap();
    let cases: Vec<Case> = documents::<Vec<Case>>(&text).remove(0);
    on_a_runtime(async {
        let client = cluster().admin().await;
        let namespace = namespace(&client, "cases").await;
        let api = sources(&client, &namespace);
        for Case { name, metadata, spec, old, refused } in cases {
            let metadata = metadata.unwrap_or_else(|| json!({"name": "orders"}));
            let causes = refusals(&api, &metadata, spec.as_ref(), old.as_ref()).await;
            let told: BTreeSet<String> = causes
                .iter()
                .map(|(field, message)| match refused.contains(field) {
                    true => field.clone(),
                    false => message.clone(),
                })
                .collect();
            assert_eq!(told, refused, "{name}: {causes:?}");
        }
    });
}

/// The cases that the project shares with others, if they are at hand: the same verdicts, whatever the words.
#[test]
fn the_shared_cases_behave_one_by_one() {
    #[derive(Deserialize)]
    struct Shared {
        n: String,
        e: BTreeSet<String>,
        o: Value,
        #[serde(default)]
        old: Option<Value>,
    }
    let Some(text) =
        root().ancestors().find_map(|folder| std::fs::read_to_string(folder.join("shared/data/api/cases.yaml")).ok())
    else {
        println!("no shared data at hand");
        return;
    };
    let cases: Vec<Shared> = documents::<Vec<Shared>>(&text).remove(0);
    on_a_runtime(async {
        let client = cluster().admin().await;
        let namespace = namespace(&client, "shared").await;
        let api = sources(&client, &namespace);
        for Shared { n, e, o, old } in cases {
            let old = old.map(|old| old["spec"].clone());
            let causes = refusals(&api, &o["metadata"], o.get("spec"), old.as_ref()).await;
            let by_rule = causes.iter().filter(|(_, message)| is_a_rule(message)).count();
            let by_schema = causes.len() - by_rule;
            let expected = e.iter().filter(|id| *id != "S").count();
            assert_eq!((by_rule, by_schema > 0), (expected, e.contains("S")), "{n}: {causes:?}");
        }
    });
}

/// What kubectl prints is all that many people ever see of a source.
#[test]
fn kubectl_explains_lists_and_scales() {
    let cluster = cluster();
    let explained = cluster.kubectl(&["explain", "awssqssource.spec.receive.waitTime"]);
    assert!(explained.contains("How long one ReceiveMessage call waits for messages, PT1S to PT20S."), "{explained}");
    assert!(explained.split_whitespace().collect::<Vec<_>>().join(" ").contains("Defaults to PT20S."), "{explained}");
    on_a_runtime(async {
        let client = cluster.admin().await;
        let namespace = namespace(&client, "kubectl").await;
        let object = json!({
            "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "metadata": {"name": "orders"},
            "spec": {"queueArn": "arn:aws:sqs:eu-north-1:123456789012:orders"},
        });
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        sources(&client, &namespace).create(&PostParams::default(), &object).await.unwrap();
        let listed = cluster.kubectl(&["get", "sources", "-n", &namespace, "-o", "wide"]);
        let columns: Vec<&str> = listed.lines().next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(
            columns,
            ["NAME", "QUEUE", "SINK", "READY", "REASON", "DELIVERING", "AGE", "REPLICAS", "WARNING", "ARN"],
            "{listed}"
        );
        cluster.kubectl(&["scale", "awssqssource/orders", "--replicas=7", "-n", &namespace]);
        let scaled =
            cluster.kubectl(&["get", "awssqssource/orders", "-n", &namespace, "-o", "jsonpath={.spec.replicas}"]);
        assert_eq!(scaled, "7");
    });
}

/// Field and message of everything that the API server finds wrong.
async fn refusals(
    api: &Api<DynamicObject>,
    metadata: &Value,
    spec: Option<&Value>,
    old: Option<&Value>,
) -> Vec<(String, String)> {
    let name = metadata["name"].as_str().expect("a name").to_owned();
    let object = |spec: Option<&Value>, version: Option<&str>| -> DynamicObject {
        let mut object =
            json!({"apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "metadata": metadata});
        if let Some(spec) = spec {
            object["spec"] = spec.clone();
        }
        if let Some(version) = version {
            object["metadata"]["resourceVersion"] = json!(version);
        }
        serde_json::from_value(object).expect("an object")
    };
    let parameters = PostParams::default();
    let outcome = match old {
        Some(old) => {
            let before = api.create(&parameters, &object(Some(old), None)).await.expect("the old object is taken");
            api.replace(&name, &parameters, &object(spec, before.metadata.resource_version.as_deref())).await
        }
        None => api.create(&parameters, &object(spec, None)).await,
    };
    let causes = match outcome {
        Ok(_) => Vec::new(),
        Err(kube::Error::Api(status)) => causes(&status),
        Err(error) => panic!("{name}: {error}"),
    };
    match api.delete(&name, &DeleteParams::default()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => panic!("{name}: {error}"),
    }
    causes
}

fn causes(status: &Status) -> Vec<(String, String)> {
    let causes = status.details.as_ref().map(|details| details.causes.clone()).unwrap_or_default();
    let told: Vec<(String, String)> = causes
        .into_iter()
        // A note that rules were passed over because of what else is wrong.
        .filter(|cause| !cause.message.contains("some validation rules were not checked"))
        .map(|cause| {
            // The API server puts the value and its kind before the message of a rule.
            let message = cause.message.split_once("\": ").map_or(cause.message.as_str(), |(_, message)| message);
            (cause.field, message.to_owned())
        })
        .collect();
    if told.is_empty() { vec![(String::new(), status.message.clone())] } else { told }
}

fn is_a_rule(message: &str) -> bool {
    source_controller::crd::rules::all().iter().any(|rule| message.ends_with(&rule.message))
}
