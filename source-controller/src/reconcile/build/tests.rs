use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sqs_bridge::config::Config;

use super::*;
use crate::crd::{AwsSqsSource, manifest};
use crate::operator::{Features, observability};
use crate::reconcile::resolve::{Addressable, address};
use crate::reconcile::validate::validate;

const UID: &str = "0f3c8f6e-9d8b-4b57-8a0e-2f6a5f1c7d11";
const CERTIFICATE: &str = include_str!("../../../fixtures/ca.pem");

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

/// The address that a Destination has if everything it names exists.
fn resolved(destination: &crate::crd::Destination) -> Addressable {
    let Some(reference) = &destination.reference else { return address::of_uri(destination).unwrap() };
    let namespace = reference.namespace.clone().unwrap_or_else(|| "ns".to_owned());
    let status =
        json!({"addresses": [{"name": "http", "url": "http://first"}, {"name": "other", "url": "http://second"}]});
    let address = match (reference.api_version.as_str(), reference.kind.as_str()) {
        ("v1", "Service") => address::of_service(reference, &namespace, destination, "cluster.local"),
        _ => address::of_status(reference, &namespace, destination, &serde_json::from_value(status).unwrap()).unwrap(),
    };
    address::with_relative(address, destination.uri.as_deref()).unwrap()
}

fn adapter(spec: &Value) -> Adapter {
    let source = source(spec);
    let sink = resolved(&source.spec.sink.as_ref().unwrap().destination());
    let dead_letter_sink =
        source.spec.delivery.as_ref().and_then(|delivery| delivery.dead_letter_sink.as_ref()).map(resolved);
    validate(&source, &sink, dead_letter_sink.as_ref()).unwrap()
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

/// One leaf of the schema: a spec that sets it, and what it becomes.
struct Leaf {
    path: &'static str,
    set: Value,
    becomes: Becomes,
}

enum Becomes {
    /// A variable with this value.
    Env(&'static str, &'static str),
    /// A value somewhere in the Deployment.
    At(&'static str, Value),
}

use Becomes::{At, Env};

const POD: &str = "/spec/template/spec";

fn at(pointer: &str, value: Value) -> Becomes {
    At(Box::leak(format!("{POD}{pointer}").into_boxed_str()), value)
}

fn leaf(path: &'static str, set: Value, becomes: Becomes) -> Leaf {
    Leaf { path, set, becomes }
}

fn leaves() -> Vec<Leaf> {
    let role = "arn:aws:iam::123456789012:role/r";
    let fifo = "arn:aws:sqs:eu-north-1:123456789012:orders.fifo";
    let broker = json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "b"});
    let service = |namespace: &str| json!({"apiVersion": "v1", "kind": "Service", "name": "s", "namespace": namespace});
    let other_address =
        json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "b", "address": "other"});
    let secret =
        json!({"name": "keys", "accessKeyIdKey": "id", "secretAccessKeyKey": "secret", "sessionTokenKey": "token"});
    let items = |index: usize, key: &str, path: &str| {
        let pointer = format!("/volumes/0/projected/sources/0/secret/items/{index}");
        at(&pointer, json!({"key": key, "path": path}))
    };
    let token =
        |field: &str, value: Value| at(&format!("/volumes/0/projected/sources/0/serviceAccountToken/{field}"), value);
    let dls = |sink: Value| json!({"delivery": {"deadLetterSink": sink}});
    vec![
        leaf(
            "queueUrl",
            json!({"queueArn": null, "queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/q"}),
            Env("AWS_SQS_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/q"),
        ),
        leaf("queueArn", json!({"queueArn": fifo}), Env("AWS_SQS_ARN", fifo)),
        leaf(
            "region",
            json!({"queueArn": null, "queueUrl": "http://localhost:9324/queue/q", "region": "ap-south-1"}),
            Env("AWS_REGION", "ap-south-1"),
        ),
        leaf(
            "endpointUrl",
            json!({"endpointUrl": "http://localhost:4566"}),
            Env("AWS_ENDPOINT_URL_SQS", "http://localhost:4566"),
        ),
        leaf("serviceAccountName", json!({"serviceAccountName": "reader"}), at("/serviceAccountName", json!("reader"))),
        leaf(
            "awsCredsSecret.name",
            json!({"awsCredsSecret": {"name": "n", "key": "k"}}),
            at("/volumes/0/secret/secretName", json!("n")),
        ),
        leaf(
            "awsCredsSecret.key",
            json!({"awsCredsSecret": {"name": "n", "key": "k"}}),
            Env("AWS_APPLICATION_CREDENTIALS", "/var/secrets/aws/k"),
        ),
        leaf(
            "awsCredsSecret.optional",
            json!({"awsCredsSecret": {"name": "n", "key": "k", "optional": true}}),
            Env("BRIDGE_CREDENTIALS_OPTIONAL", "true"),
        ),
        leaf(
            "auth.secret.name",
            json!({"auth": {"secret": secret}}),
            at("/volumes/0/projected/sources/0/secret/name", json!("keys")),
        ),
        leaf("auth.secret.accessKeyIdKey", json!({"auth": {"secret": secret}}), items(0, "id", "accessKeyId")),
        leaf(
            "auth.secret.secretAccessKeyKey",
            json!({"auth": {"secret": secret}}),
            items(1, "secret", "secretAccessKey"),
        ),
        leaf("auth.secret.sessionTokenKey", json!({"auth": {"secret": secret}}), items(2, "token", "sessionToken")),
        leaf(
            "auth.webIdentity.roleArn",
            json!({"auth": {"webIdentity": {"roleArn": role}}}),
            Env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
        ),
        leaf(
            "auth.webIdentity.audience",
            json!({"auth": {"webIdentity": {"roleArn": role, "audience": "me"}}}),
            token("audience", json!("me")),
        ),
        leaf(
            "auth.webIdentity.expirationSeconds",
            json!({"auth": {"webIdentity": {"roleArn": role, "expirationSeconds": 900}}}),
            token("expirationSeconds", json!(900)),
        ),
        leaf(
            "auth.assumeRole.roleArn",
            json!({"auth": {"assumeRole": {"roleArn": role}}}),
            Env("BRIDGE_ASSUME_ROLE_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
        ),
        leaf(
            "auth.assumeRole.externalId",
            json!({"auth": {"assumeRole": {"roleArn": role, "externalId": "ex"}}}),
            Env("BRIDGE_ASSUME_ROLE_EXTERNAL_ID", "ex"),
        ),
        leaf(
            "auth.assumeRole.sessionName",
            json!({"auth": {"assumeRole": {"roleArn": role, "sessionName": "me"}}}),
            Env("BRIDGE_ASSUME_ROLE_SESSION_NAME", "me"),
        ),
        leaf("sink.ref.apiVersion", json!({"sink": {"uri": null, "ref": broker}}), Env("K_SINK", "http://first")),
        leaf(
            "sink.ref.kind",
            json!({"sink": {"uri": null, "ref": service("ns")}}),
            Env("K_SINK", "http://s.ns.svc.cluster.local"),
        ),
        leaf(
            "sink.ref.name",
            json!({"sink": {"uri": null, "ref": service("ns")}}),
            Env("K_SINK", "http://s.ns.svc.cluster.local"),
        ),
        leaf(
            "sink.ref.namespace",
            json!({"sink": {"uri": null, "ref": service("other")}}),
            Env("K_SINK", "http://s.other.svc.cluster.local"),
        ),
        leaf("sink.ref.address", json!({"sink": {"uri": null, "ref": other_address}}), Env("K_SINK", "http://second")),
        leaf("sink.uri", json!({"sink": {"uri": "https://other/x"}}), Env("K_SINK", "https://other/x")),
        leaf(
            "sink.CACerts",
            json!({"sink": {"uri": "https://display", "CACerts": CERTIFICATE}}),
            Env("K_CA_CERTS", CERTIFICATE),
        ),
        leaf("sink.audience", json!({"sink": {"uri": "https://display", "audience": "me"}}), Env("K_AUDIENCE", "me")),
        leaf(
            "sink.apiVersion",
            json!({"sink": {"uri": null, "apiVersion": "v1", "kind": "Service", "name": "flat"}}),
            Env("K_SINK", "http://flat.ns.svc.cluster.local"),
        ),
        leaf(
            "sink.kind",
            json!({"sink": {"uri": null, "apiVersion": "v1", "kind": "Service", "name": "flat"}}),
            Env("BRIDGE_FORMAT", "eventing-awssqs"),
        ),
        leaf(
            "sink.name",
            json!({"sink": {"uri": null, "apiVersion": "v1", "kind": "Service", "name": "flat"}}),
            Env("K_SINK", "http://flat.ns.svc.cluster.local"),
        ),
        leaf(
            "sinkHeadersSecret.name",
            json!({"sinkHeadersSecret": {"name": "token"}}),
            at("/volumes/0/projected/sources/0/secret", json!({"name": "token", "optional": true})),
        ),
        leaf(
            "ceOverrides.extensions",
            json!({"ceOverrides": {"extensions": {"team": "payments"}}}),
            Env("K_CE_OVERRIDES", r#"{"extensions":{"team":"payments"}}"#),
        ),
        leaf(
            "delivery.deadLetterSink.ref.apiVersion",
            dls(json!({"ref": broker})),
            Env("BRIDGE_DEAD_LETTER_SINK", "http://first"),
        ),
        leaf(
            "delivery.deadLetterSink.ref.kind",
            dls(json!({"ref": service("ns")})),
            Env("BRIDGE_DEAD_LETTER_SINK", "http://s.ns.svc.cluster.local"),
        ),
        leaf(
            "delivery.deadLetterSink.ref.name",
            dls(json!({"ref": service("ns")})),
            Env("BRIDGE_DEAD_LETTER_SINK", "http://s.ns.svc.cluster.local"),
        ),
        leaf(
            "delivery.deadLetterSink.ref.namespace",
            dls(json!({"ref": service("other")})),
            Env("BRIDGE_DEAD_LETTER_SINK", "http://s.other.svc.cluster.local"),
        ),
        leaf(
            "delivery.deadLetterSink.ref.address",
            dls(json!({"ref": other_address})),
            Env("BRIDGE_DEAD_LETTER_SINK", "http://second"),
        ),
        leaf(
            "delivery.deadLetterSink.uri",
            dls(json!({"uri": "http://dls/x"})),
            Env("BRIDGE_DEAD_LETTER_SINK", "http://dls/x"),
        ),
        leaf(
            "delivery.deadLetterSink.CACerts",
            dls(json!({"uri": "https://dls", "CACerts": CERTIFICATE})),
            Env("BRIDGE_DEAD_LETTER_SINK_CA_CERTS", CERTIFICATE),
        ),
        leaf(
            "delivery.deadLetterSink.audience",
            dls(json!({"uri": "https://dls", "audience": "me"})),
            Env("BRIDGE_DEAD_LETTER_SINK_AUDIENCE", "me"),
        ),
        leaf("delivery.retry", json!({"delivery": {"retry": 7}}), Env("BRIDGE_DELIVERY_RETRY", "7")),
        leaf(
            "delivery.backoffPolicy",
            json!({"delivery": {"backoffPolicy": "linear"}}),
            Env("BRIDGE_DELIVERY_BACKOFF_POLICY", "linear"),
        ),
        leaf(
            "delivery.backoffDelay",
            json!({"delivery": {"backoffDelay": "PT1.5S"}}),
            Env("BRIDGE_DELIVERY_BACKOFF_DELAY", "1500ms"),
        ),
        leaf("delivery.timeout", json!({"delivery": {"timeout": "PT1M0.2S"}}), Env("K_SINK_TIMEOUT", "61")),
        leaf(
            "delivery.retryAfterMax",
            json!({"delivery": {"retryAfterMax": "PT1M"}}),
            Env("BRIDGE_DELIVERY_RETRY_AFTER_MAX", "60s"),
        ),
        leaf("event.format", json!({"event": {"format": "triggermesh"}}), Env("BRIDGE_FORMAT", "triggermesh")),
        leaf(
            "event.contentMode",
            json!({"event": {"contentMode": "structured"}}),
            Env("BRIDGE_CONTENT_MODE", "structured"),
        ),
        leaf("event.data", json!({"event": {"data": "detail"}}), Env("BRIDGE_DATA", "detail")),
        leaf(
            "event.typeFormat",
            json!({"event": {"typeFormat": "detail-type"}}),
            Env("BRIDGE_TYPE_FORMAT", "detail-type"),
        ),
        leaf(
            "event.messageAttributes",
            json!({"event": {"messageAttributes": ["a", "b.*"]}}),
            Env("BRIDGE_MESSAGE_ATTRIBUTES", "a,b.*"),
        ),
        leaf(
            "event.messageAttributes",
            json!({"event": {"messageAttributes": []}}),
            Env("BRIDGE_MESSAGE_ATTRIBUTES", "none"),
        ),
        leaf("event.snsUnwrap", json!({"event": {"snsUnwrap": "never"}}), Env("BRIDGE_SNS_UNWRAP", "never")),
        leaf("profile", json!({"profile": "cost"}), Env("BRIDGE_PROFILE", "cost")),
        leaf("receive.waitTime", json!({"receive": {"waitTime": "PT5S"}}), Env("BRIDGE_WAIT_TIME", "5s")),
        leaf("receive.maxMessages", json!({"receive": {"maxMessages": 3}}), Env("BRIDGE_MAX_MESSAGES", "3")),
        leaf("receive.maxPollers", json!({"receive": {"maxPollers": 2}}), Env("BRIDGE_MAX_POLLERS", "2")),
        leaf(
            "receive.visibilityTimeout",
            json!({"receive": {"visibilityTimeout": "PT2M"}}),
            Env("BRIDGE_VISIBILITY_TIMEOUT", "120s"),
        ),
        leaf("flow.maxInFlight", json!({"flow": {"maxInFlight": 9}}), Env("BRIDGE_MAX_IN_FLIGHT", "9")),
        leaf(
            "flow.maxInFlightBytes",
            json!({"flow": {"maxInFlightBytes": "32Mi"}}),
            Env("BRIDGE_MAX_IN_FLIGHT_BYTES", "33554432"),
        ),
        leaf(
            "flow.maxInFlightBytes",
            json!({"flow": {"maxInFlightBytes": "32Mi"}}),
            at("/containers/0/resources/limits/memory", json!("192Mi")),
        ),
        leaf("flow.maxConcurrency", json!({"flow": {"maxConcurrency": 4}}), Env("BRIDGE_MAX_CONCURRENCY", "4")),
        leaf("flow.maxRate", json!({"flow": {"maxRate": 500}}), Env("BRIDGE_MAX_RATE", "500")),
        leaf(
            "fifo.onPoison",
            json!({"queueArn": fifo, "fifo": {"onPoison": "skip"}, "delivery": {"deadLetterSink": {"uri": "http://dls"}}}),
            Env("BRIDGE_FIFO_ON_POISON", "skip"),
        ),
        leaf("drainTimeout", json!({"drainTimeout": "PT1M"}), Env("BRIDGE_DRAIN_TIMEOUT", "60s")),
        leaf("drainTimeout", json!({"drainTimeout": "PT1M"}), at("/terminationGracePeriodSeconds", json!(75))),
        leaf("replicas", json!({"replicas": 3}), At("/spec/replicas", json!(3))),
        leaf(
            "annotations",
            json!({"annotations": {"iam.amazonaws.com/role": "r"}}),
            At("/spec/template/metadata/annotations/iam.amazonaws.com~1role", json!("r")),
        ),
        leaf(
            "template.labels",
            json!({"template": {"labels": {"team": "a"}}}),
            At("/spec/template/metadata/labels/team", json!("a")),
        ),
        leaf(
            "template.annotations",
            json!({"annotations": {"a": "1"}, "template": {"annotations": {"a": "2"}}}),
            At("/spec/template/metadata/annotations/a", json!("2")),
        ),
        leaf(
            "template.env[].name",
            json!({"template": {"env": [{"name": "HTTPS_PROXY", "value": "http://p"}]}}),
            Env("HTTPS_PROXY", "http://p"),
        ),
        leaf(
            "template.env[].value",
            json!({"template": {"env": [{"name": "HTTPS_PROXY", "value": "http://p"}]}}),
            Env("HTTPS_PROXY", "http://p"),
        ),
        leaf(
            "template.env[].valueFrom",
            json!({"template": {"env": [{"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]}}),
            at("/containers/0/env/10/valueFrom/fieldRef/fieldPath", json!("status.hostIP")),
        ),
        leaf(
            "template.resources",
            json!({"template": {"resources": {"limits": {"cpu": 2}}}}),
            at("/containers/0/resources", json!({"limits": {"cpu": "2"}})),
        ),
        leaf(
            "template.nodeSelector",
            json!({"template": {"nodeSelector": {"disk": "ssd"}}}),
            at("/nodeSelector", json!({"disk": "ssd"})),
        ),
        leaf(
            "template.affinity",
            json!({"template": {"affinity": {"podAntiAffinity": {}}}}),
            at("/affinity", json!({"podAntiAffinity": {}})),
        ),
        leaf(
            "template.tolerations",
            json!({"template": {"tolerations": [{"operator": "Exists"}]}}),
            at("/tolerations", json!([{"operator": "Exists"}])),
        ),
        leaf(
            "template.topologySpreadConstraints",
            json!({"template": {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}}),
            at("/topologySpreadConstraints/0/topologyKey", json!("zone")),
        ),
        leaf(
            "template.imagePullSecrets",
            json!({"template": {"imagePullSecrets": [{"name": "r"}]}}),
            at("/imagePullSecrets", json!([{"name": "r"}])),
        ),
        leaf(
            "template.priorityClassName",
            json!({"template": {"priorityClassName": "high"}}),
            at("/priorityClassName", json!("high")),
        ),
    ]
}

/// A flat sink of eventing-awssqs may carry what an object reference carries; its source does not use it either.
const TOLERATED: [&str; 4] = ["sink.namespace", "sink.uid", "sink.resourceVersion", "sink.fieldPath"];

/// If this fails, a field of the schema does nothing, or not what its case says.
#[test]
fn every_leaf_of_the_schema_reaches_the_pod_and_the_adapter_understands_it() {
    let base = deployed(&least(), &operator());
    for Leaf { path, set, becomes } in leaves() {
        let mut spec = least();
        merge(&mut spec, &set);
        let deployment = deployed(&spec, &operator());
        assert_ne!(deployment, base, "{path} changes nothing");
        match becomes {
            Env(name, value) => assert_eq!(env_of(&deployment).get(name).map(String::as_str), Some(value), "{path}"),
            At(pointer, value) => assert_eq!(deployment.pointer(pointer), Some(&value), "{path}"),
        }
        let env = env_of(&deployment);
        let known =
            env.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.as_str(), value.as_str()));
        Config::from_env_pairs(known)
            .unwrap_or_else(|errors| panic!("{path}: the adapter refuses its settings: {errors}"));
    }
}

/// If this fails, the schema has a leaf without a case above.
#[test]
fn every_leaf_of_the_schema_has_a_case() {
    let crd = manifest::crd().unwrap();
    let mut found = BTreeSet::new();
    walk("", &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], &mut found);
    let cases: BTreeSet<String> =
        leaves().iter().map(|leaf| leaf.path.to_owned()).chain(TOLERATED.map(str::to_owned)).collect();
    assert_eq!(found, cases);
}

/// Every variable that the adapter knows by a field of the spec is the one that the field becomes.
#[test]
fn fields_and_variables_are_paired_as_the_adapter_documents_them() {
    let pairs: BTreeSet<(&str, &str)> = leaves()
        .iter()
        .filter_map(|leaf| match leaf.becomes {
            Env(name, _) => Some((leaf.path, name)),
            At(..) => None,
        })
        .collect();
    for setting in sqs_bridge::config::settings::all().filter(|setting| !setting.field.is_empty()) {
        let named = |path: &str| path == setting.field || path.starts_with(&format!("{}.", setting.field));
        let found = pairs.iter().any(|(path, name)| *name == setting.env && named(path));
        let by_volume =
            ["BRIDGE_KEYS_DIR", "AWS_WEB_IDENTITY_TOKEN_FILE", "BRIDGE_SINK_HEADERS_DIR"].contains(&setting.env);
        assert!(found || by_volume, "{} is documented as {}", setting.env, setting.field);
    }
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

/// A JSON merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}
