use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::cel::Validator;

use super::*;

/// One line of `tests/fixtures/api-cases.yaml`.
#[derive(serde::Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    metadata: Option<Value>,
    #[serde(default)]
    spec: Option<Value>,
    #[serde(default)]
    old: Option<Value>,
    #[serde(default)]
    refused: Vec<String>,
    #[serde(default)]
    by: By,
}

#[derive(Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    #[default]
    Rule,
    Schema,
}

fn schema() -> Value {
    crd().unwrap()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

fn object(metadata: Option<&Value>, spec: Option<&Value>) -> Value {
    let mut object = json!({"metadata": metadata.cloned().unwrap_or_else(|| json!({"name": "orders"}))});
    if let Some(spec) = spec {
        object["spec"] = spec.clone();
    }
    object
}

fn messages(schema: &Value, object: &Value, old: Option<&Value>) -> Vec<String> {
    let mut messages: Vec<String> = match Validator::new().validate(schema, object, old) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    };
    messages.sort();
    messages
}

/// If this fails, a manifest is refused that is good, or accepted that is not, or the user reads another sentence.
#[test]
fn rules_answer_each_case_of_the_fixture_with_its_sentence() {
    let text = include_str!("../../../../tests/fixtures/api-cases.yaml");
    let cases: Vec<Case> = serde_saphyr::from_str(text).unwrap();
    let schema = schema();
    for Case { name, metadata, spec, old, refused, by: _ } in cases.into_iter().filter(|case| case.by == By::Rule) {
        let object = object(metadata.as_ref(), spec.as_ref());
        let old = old.map(|old| self::object(metadata.as_ref(), Some(&old)));
        let mut expected = refused;
        expected.sort();
        assert_eq!(messages(&schema, &object, old.as_ref()), expected, "{name}");
    }
}

/// The cases that the project shares with others, if they are at hand: the same verdicts, whatever the words.
#[test]
fn rules_agree_with_the_shared_cases() {
    #[derive(serde::Deserialize)]
    struct Shared {
        n: String,
        e: Vec<String>,
        o: Value,
        #[serde(default)]
        old: Option<Value>,
    }
    let Some(text) = shared("api/cases.yaml") else {
        println!("no shared data at hand");
        return;
    };
    let schema = schema();
    let strict = serde_saphyr::options! { strict_booleans: true };
    for Shared { n, e, o, old } in serde_saphyr::from_str_with_options::<Vec<Shared>>(&text, strict).unwrap() {
        let expected = e.iter().filter(|id| *id != "S").count();
        assert_eq!(messages(&schema, &o, old.as_ref()).len(), expected, "{n}");
    }
}

fn shared(file: &str) -> Option<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    root.ancestors().find_map(|folder| std::fs::read_to_string(folder.join("shared/data").join(file)).ok())
}

/// If this fails, Kubernetes would not take the manifest at all.
#[test]
fn the_manifest_is_a_definition_and_small_enough_for_client_side_apply() {
    let manifest = crd().unwrap();
    let definition: CustomResourceDefinition = serde_json::from_value(manifest.clone()).unwrap();
    assert_eq!(definition.spec.preserve_unknown_fields, Some(false));
    assert_eq!(definition.spec.versions.len(), 1);
    assert!(manifest.to_string().len() < 256 * 1024);
    let types: Vec<Value> =
        serde_json::from_str(manifest["metadata"]["annotations"]["registry.knative.dev/eventTypes"].as_str().unwrap())
            .unwrap();
    assert!(types.iter().all(|entry| entry["type"].is_string()));
}

/// If this fails, run `cargo run -p source-controller -- crd > config/300-awssqssource.yaml`.
#[test]
fn the_committed_manifest_is_the_generated_one() {
    assert_eq!(include_str!("../../../../config/300-awssqssource.yaml"), yaml().unwrap());
}

/// `kubectl explain` shows these texts: each is a sentence, and each optional leaf says what happens without it.
#[test]
fn every_field_is_described_in_sentences_with_its_default() {
    let mut leaves = Vec::new();
    walk("spec", &schema()["properties"]["spec"], &mut leaves);
    assert!(leaves.len() > 60, "{leaves:?}");
    for (path, description, required, leaf) in leaves {
        assert!(description.ends_with('.'), "{path}: {description:?}");
        assert!(description.starts_with(|first: char| first.is_uppercase()), "{path}: {description:?}");
        let says_default = [
            "Defaults to",
            "Absent",
            "Set exactly one",
            "Tolerated",
            "flat form",
            "replace",
            "Labels of",
            "Annotations of",
        ]
        .iter()
        .any(|words| description.contains(words));
        let free =
            ["spec.sink.uri", "spec.delivery.deadLetterSink.uri", "spec.ceOverrides.extensions", "spec.template.env"];
        let free = required || !leaf || path.contains("env[].valueFrom") || free.contains(&path.as_str());
        assert!(free || says_default, "{path} does not say what happens without it: {description:?}");
    }
}

fn walk(path: &str, schema: &Value, leaves: &mut Vec<(String, String, bool, bool)>) {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let description = field["description"].as_str().unwrap_or_default().to_owned();
        leaves.push((path.clone(), description, required.contains(&name.as_str()), field.get("properties").is_none()));
        walk(&path, field, leaves);
        walk(&format!("{path}[]"), &field["items"], leaves);
    }
}
