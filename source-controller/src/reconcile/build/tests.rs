use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::crd::{AwsSqsSource, manifest};
use crate::operator::{Features, observability};
use crate::reconcile::resolve::{Addressable, address};
use crate::reconcile::validate::validate;

const UID: &str = "0f3c8f6e-9d8b-4b57-8a0e-2f6a5f1c7d11";

fn operator() -> Operator {
    Operator {
        adapter_image: "registry/sqs-bridge:1".to_owned(),
        system_namespace: "knative-eventing".to_owned(),
        cluster_domain: "cluster.local".to_owned(),
        features: Features::default(),
        logging: None,
        observability: None,
        reference_mapping: BTreeMap::new(),
    }
}

fn source(spec: &Value) -> AwsSqsSource {
    serde_json::from_value(json!({
        "apiVersion": "sources.knative.dev/v1alpha1",
        "kind": "AwsSqsSource",
        "metadata": {"name": "orders", "namespace": "ns", "uid": UID, "annotations": {}},
        "spec": spec,
    }))
    .unwrap()
}

fn adapter(spec: &Value) -> Adapter {
    let source = source(spec);
    let sink = address::of_uri(&source.spec.sink.as_ref().unwrap().destination()).unwrap();
    validate(&source, &sink, None).unwrap()
}

fn deployed(spec: &Value, operator: &Operator) -> Value {
    build(&adapter(spec), operator, &Surroundings::default()).deployment
}

fn env_of(deployment: &Value) -> BTreeMap<String, String> {
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    env.iter().map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect()
}

fn least() -> Value {
    json!({"queueArn": "arn:aws:sqs:eu-north-1:123456789012:orders", "sink": {"uri": "http://display"}})
}

/// A change here rolls every adapter of every user, so it must be meant.
#[test]
fn the_least_source_becomes_this_deployment() {
    let mut deployment = deployed(&least(), &operator());
    let hash = deployment["metadata"]["annotations"][TEMPLATE_HASH].take();
    assert_eq!(deployment["spec"]["template"]["metadata"]["annotations"][TEMPLATE_HASH].take(), hash);
    assert_eq!(hash.as_str().unwrap().len(), 16);
    let labels = json!({
        "knative-eventing-source": "awssqssource.sources.eventing.knative.dev",
        "knative-eventing-source-name": "orders",
        "eventing.knative.dev/source": "awssqs-source-controller",
        "eventing.knative.dev/sourceName": "orders",
    });
    let mut pod_labels = labels.clone();
    pod_labels["sidecar.istio.io/inject"] = json!("true");
    let field = |path: &str| json!({"fieldRef": {"apiVersion": "v1", "fieldPath": path}});
    let expected = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "awssqs-orders-0f3c8f6e-9d8b-4b57-8a0e-2f6a5f1c7d11",
            "namespace": "ns",
            "labels": labels,
            "annotations": {TEMPLATE_HASH: null, SCALED_BY: "spec"},
            "ownerReferences": [{
                "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "name": "orders", "uid": UID,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {
                "knative-eventing-source": "awssqssource.sources.eventing.knative.dev",
                "knative-eventing-source-name": "orders",
            }},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {
                    "labels": pod_labels,
                    "annotations": {"sidecar.istio.io/inject": "true", TEMPLATE_HASH: null},
                },
                "spec": {
                    "serviceAccountName": "default",
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": 60,
                    "containers": [{
                        "name": "receive-adapter",
                        "image": "registry/sqs-bridge:1",
                        "env": [
                            {"name": "K_SINK", "value": "http://display"},
                            {"name": "AWS_SQS_ARN", "value": "arn:aws:sqs:eu-north-1:123456789012:orders"},
                            {"name": "AWS_REGION", "value": "eu-north-1"},
                            {"name": "NAMESPACE", "valueFrom": field("metadata.namespace")},
                            {"name": "NAME", "value": "orders"},
                            {"name": "POD_NAME", "valueFrom": field("metadata.name")},
                            {"name": "K_COMPONENT", "value": "awssqssource"},
                            {"name": "K_RESOURCE_GROUP", "value": "awssqssources.sources.knative.dev"},
                            {"name": "SYSTEM_NAMESPACE", "value": "knative-eventing"},
                            {"name": "METRICS_DOMAIN", "value": "knative.dev/eventing"},
                        ],
                        "ports": [{"name": "metrics", "containerPort": 9092}, {"name": "probes", "containerPort": 8080}],
                        "readinessProbe": {"httpGet": {"path": "/readiness", "port": "probes"}, "periodSeconds": 5},
                        "livenessProbe": {"httpGet": {"path": "/health", "port": "probes"}, "periodSeconds": 15, "timeoutSeconds": 12},
                        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "runAsNonRoot": true,
                            "capabilities": {"drop": ["ALL"]},
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                    }],
                },
            },
        },
    });
    assert_eq!(deployment, expected);
}

/// The same input gives the same bytes, and any change of the template another hash.
#[test]
fn the_hash_follows_the_template() {
    let hash = |spec: &Value| deployed(spec, &operator())["metadata"]["annotations"][TEMPLATE_HASH].clone();
    assert_eq!(hash(&least()), hash(&least()));
    let mut scaled = least();
    scaled["replicas"] = json!(3);
    assert_eq!(hash(&scaled), hash(&least()));
    let mut other = least();
    other["profile"] = json!("cost");
    assert_ne!(hash(&other), hash(&least()));
}

#[test]
fn with_oidc_the_adapter_gets_an_identity_and_only_the_right_to_use_it() {
    let mut operator = operator();
    operator.features.oidc = true;
    let mut spec = least();
    spec["sink"]["audience"] = json!("me");
    spec["serviceAccountName"] = json!("reader");
    let objects = build(&adapter(&spec), &operator, &Surroundings::default());
    let account = objects.identity.unwrap();
    assert_eq!(account["metadata"]["name"], "orders-oidc-sources.knative.dev-awssqssource");
    assert_eq!(account["metadata"]["ownerReferences"][0]["blockOwnerDeletion"], false);
    let (role, binding) = objects.token_rights.unwrap();
    assert_eq!(
        role["rules"],
        json!([{
            "apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"],
            "resourceNames": ["orders-oidc-sources.knative.dev-awssqssource"],
        }])
    );
    assert_eq!(binding["subjects"], json!([{"kind": "ServiceAccount", "name": "reader", "namespace": "ns"}]));
    let env = env_of(&objects.deployment);
    assert_eq!(env["K_AUDIENCE"], "me");
    assert_eq!(env["K_OIDC_SERVICE_ACCOUNT"], "orders-oidc-sources.knative.dev-awssqssource");
    assert_eq!(objects.deployment["spec"]["template"]["spec"]["automountServiceAccountToken"], true);
    assert_eq!(objects.event_rights, None);
}

#[test]
fn rights_to_report_events_come_with_the_setting() {
    let data = BTreeMap::from([("sink-event-error-reporting.enable".to_owned(), "true".to_owned())]);
    let operator = Operator { observability: Some(observability::forward(&data)), ..operator() };
    let objects = build(&adapter(&least()), &operator, &Surroundings::default());
    assert_eq!(env_of(&objects.deployment)["BRIDGE_SOURCE_UID"], UID);
    let (role, _) = objects.event_rights.unwrap();
    assert_eq!(role["rules"], json!([{"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}]));
    assert_eq!((objects.identity, objects.token_rights), (None, None));
}

#[test]
fn while_keda_decides_replicas_are_not_ours() {
    let surroundings = Surroundings { scaled: true, ..Surroundings::default() };
    let deployment = build(&adapter(&least()), &operator(), &surroundings).deployment;
    assert_eq!(deployment["spec"].get("replicas"), None);
    assert_eq!(deployment["metadata"]["annotations"][SCALED_BY], "keda");
}

#[test]
fn keda_gets_the_queue_and_the_adapters_credentials() {
    let annotations = json!({"autoscaling.knative.dev/class": "keda.autoscaling.knative.dev"});
    let scaling = |auth: Value, irsa: bool| {
        let mut source = source(&least());
        source.metadata.annotations = serde_json::from_value(annotations.clone()).unwrap();
        source.spec.auth = serde_json::from_value(auth).unwrap();
        let sink = Addressable { url: "http://display".to_owned(), ..Addressable::default() };
        let adapter = validate(&source, &sink, None).unwrap();
        let asked = adapter.autoscaling.clone().unwrap().unwrap();
        keda::scaling(&adapter, &asked, "deployment", irsa)
    };
    let ambient = scaling(Value::Null, false);
    assert_eq!(
        ambient.scaled_object["spec"],
        json!({
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "deployment"},
            "minReplicaCount": 0, "maxReplicaCount": 50, "pollingInterval": 30, "cooldownPeriod": 300,
            "triggers": [{
                "type": "aws-sqs-queue",
                "metadata": {
                    "queueURL": "https://sqs.eu-north-1.amazonaws.com/123456789012/orders", "awsRegion": "eu-north-1",
                    "queueLength": "5", "activationQueueLength": "0", "scaleOnInFlight": "true", "scaleOnDelayed": "false",
                },
                "authenticationRef": {"kind": "TriggerAuthentication", "name": format!("ta-{UID}")},
            }],
        })
    );
    let spec = |scaling: keda::Scaling| scaling.authentication.unwrap()["spec"].clone();
    assert_eq!(spec(ambient), json!({"podIdentity": {"provider": "aws"}}));
    assert_eq!(
        spec(scaling(Value::Null, true)),
        json!({"podIdentity": {"provider": "aws", "identityOwner": "workload"}})
    );
    let role = "arn:aws:iam::123456789012:role/r";
    assert_eq!(
        spec(scaling(json!({"webIdentity": {"roleArn": role}}), false)),
        json!({"podIdentity": {"provider": "aws", "roleArn": role}})
    );
    assert_eq!(
        spec(scaling(json!({"assumeRole": {"roleArn": role, "externalId": "ex"}}), true)),
        json!({"podIdentity": {"provider": "aws", "roleArn": role, "externalID": "ex"}})
    );
    let target = |parameter: &str, key: &str| json!({"parameter": parameter, "name": "keys", "key": key});
    assert_eq!(
        spec(scaling(json!({"secret": {"name": "keys", "sessionTokenKey": "t"}}), false)),
        json!({"secretTargetRef": [
            target("awsAccessKeyID", "AWS_ACCESS_KEY_ID"), target("awsSecretAccessKey", "AWS_SECRET_ACCESS_KEY"),
            target("awsSessionToken", "t"),
        ]})
    );
}

/// What `kubectl explain` says of a default is what the adapter does without the field.
#[test]
fn described_defaults_are_the_adapters() {
    let crd = manifest::crd().unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut compared = 0;
    for setting in
        sqs_bridge::config::settings::all().filter(|setting| !setting.field.is_empty() && !setting.default.is_empty())
    {
        let pointer: String = setting.field.split('.').map(|part| format!("/properties/{part}")).collect();
        let Some(field) = schema.pointer(&pointer) else { panic!("{} is not in the schema", setting.field) };
        let description = field["description"].as_str().unwrap();
        let Some((_, said)) = description.split_once("Defaults to ") else { continue };
        let said = said.split([',', ' ']).next().unwrap_or_default().trim_end_matches('.');
        assert_eq!(plain(said), plain(setting.default), "{}: {description}", setting.field);
        compared += 1;
    }
    assert!(compared >= 15, "only {compared} defaults were compared");
}

/// Durations as milliseconds, anything else as it is.
fn plain(text: &str) -> String {
    let iso = text.strip_prefix("PT").and_then(|_| text.parse::<jiff::SignedDuration>().ok());
    let milliseconds = text.strip_suffix("ms").and_then(|number| number.parse::<i128>().ok());
    let seconds = text.strip_suffix('s').and_then(|number| number.parse::<i128>().ok()).map(|seconds| seconds * 1000);
    match iso.map(|duration| duration.as_millis()).or(milliseconds).or(seconds) {
        Some(milliseconds) => format!("{milliseconds} ms"),
        // The adapter's variable is in seconds by its Knative name.
        None if text == "310" => "310000 ms".to_owned(),
        None => text.to_owned(),
    }
}
