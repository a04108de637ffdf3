//! One leaf of the schema: how it is set, what it becomes in the pod, and who sees it.

use futures::future::LocalBoxFuture;
use serde_json::{Value, json};
use source_controller::crd::AwsSqsSource;
use source_controller::operator::{Features, Operator};
use source_controller::reconcile::build::{Surroundings, build};
use source_controller::reconcile::resolve::{Addressable, address};
use source_controller::reconcile::validate::validate;

use crate::stage::Stage;

/// One leaf of the schema.
#[derive(Clone)]
pub struct Row {
    /// Its path below `spec`; `[]` stands for any item of a list.
    pub path: &'static str,
    /// A merge patch of the least spec that sets it.
    pub set: Value,
    /// What it becomes in the Deployment.
    pub becomes: Becomes,
    /// Who sees it.
    pub seen: Seen,
}

/// What a leaf becomes in the Deployment.
#[derive(Clone)]
pub enum Becomes {
    /// A variable of the container with this value.
    Env(&'static str, &'static str),
    /// A value at this place of the Deployment.
    At(String, Value),
}

/// Who sees what a leaf became.
#[derive(Clone, Copy)]
pub enum Seen {
    /// SQS, STS or a sink: the code runs a bridge and fails unless they saw it.
    OnTheWire(fn(Stage) -> LocalBoxFuture<'static, ()>),
    /// The same with the real program and the real time: it reads its own environment.
    OfTheProgram(fn(Stage) -> LocalBoxFuture<'static, ()>),
    /// Kubernetes itself, by the pod: the tier `apiserver` finds it in the Pod that becomes of the Deployment.
    ByKubernetes,
}

/// A row whose effect is on the wire.
pub fn row(path: &'static str, set: Value, becomes: Becomes, wire: fn(Stage) -> LocalBoxFuture<'static, ()>) -> Row {
    Row { path, set, becomes, seen: Seen::OnTheWire(wire) }
}

/// A place in the pod of the Deployment.
pub fn at(pointer: &str, value: Value) -> Becomes {
    Becomes::At(format!("/spec/template/spec{pointer}"), value)
}

/// Code of a row: `wire!(stage => expression)`.
macro_rules! wire {
    ($stage:ident => $run:expr) => {
        |$stage| Box::pin(async move { $run })
    };
}
pub(crate) use wire;

/// The certificate that rows give where nobody connects.
pub const CERTIFICATE: &str = include_str!("../../source-controller/fixtures/ca.pem");

/// A role that rows assume.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// A spec that is as short as can be.
pub fn least() -> Value {
    json!({"queueArn": "arn:aws:sqs:eu-north-1:123456789012:orders", "sink": {"uri": "http://display"}})
}

/// The object of this spec.
pub fn source(spec: &Value) -> AwsSqsSource {
    serde_json::from_value(json!({
        "apiVersion": "sources.knative.dev/v1alpha1",
        "kind": "AwsSqsSource",
        "metadata": {"name": "orders", "namespace": "ns", "uid": "0f3c8f6e-9d8b-4b57-8a0e-2f6a5f1c7d11"},
        "spec": spec,
    }))
    .unwrap()
}

/// What the operator decided: nothing but, perhaps, that sources have identities.
pub fn operator(oidc: bool) -> Operator {
    Operator {
        adapter_image: "registry/sqs-bridge:1".to_owned(),
        system_namespace: "knative-eventing".to_owned(),
        cluster_domain: "cluster.local".to_owned(),
        features: Features { oidc, ..Features::default() },
        logging: None,
        observability: None,
        reference_mapping: std::collections::BTreeMap::new(),
    }
}

/// An object that a sink can name.
#[derive(Clone, Debug)]
pub struct Object {
    /// API version, kind, namespace and name.
    pub is: [&'static str; 4],
    /// Its status.
    pub status: Value,
}

/// The Deployment that becomes of a spec, where these objects exist.
pub fn deployment(spec: &Value, objects: &[Object], operator: &Operator) -> Value {
    let source = source(spec);
    let resolved = |destination: &source_controller::crd::Destination| resolved(destination, objects);
    let sink = resolved(&source.spec.sink.as_ref().unwrap().destination());
    let dead_letter_sink = source.spec.delivery.as_ref().and_then(|delivery| delivery.dead_letter_sink.as_ref());
    let adapter = validate(&source, &sink, dead_letter_sink.map(resolved).as_ref()).unwrap();
    build(&adapter, operator, &Surroundings::default()).deployment
}

fn resolved(destination: &source_controller::crd::Destination, objects: &[Object]) -> Addressable {
    let Some(reference) = &destination.reference else { return address::of_uri(destination).unwrap() };
    let namespace = reference.namespace.clone().unwrap_or_else(|| "ns".to_owned());
    let asked = [&reference.api_version, &reference.kind, &namespace, &reference.name];
    let address = match objects.iter().find(|object| asked.iter().zip(object.is).all(|(asked, is)| *asked == is)) {
        Some(object) => {
            let status = serde_json::from_value(object.status.clone()).unwrap();
            address::of_status(reference, &namespace, destination, &status).unwrap()
        }
        None if asked[0] == "v1" && asked[1] == "Service" => {
            address::of_service(reference, &namespace, destination, "cluster.local")
        }
        None => panic!("nothing is {asked:?}"),
    };
    address::with_relative(address, destination.uri.as_deref()).unwrap()
}
