use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;

use super::*;
use crate::observe::{Answer, judge::Page};
use crate::reconcile::apply::Change;
use crate::reconcile::progress::Deployed;
use crate::reconcile::validate::validate;
use crate::watched::WatchedPod;

const QUEUE: &str = "arn:aws:sqs:eu-north-1:123456789012:orders";

/// Type, status, reason and message of conditions.
type Told = Vec<(String, String, String, String)>;

fn at(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn source() -> AwsSqsSource {
    serde_json::from_value(json!({
        "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource",
        "metadata": {"name": "orders", "namespace": "ns", "uid": "u", "generation": 3},
        "spec": {"queueArn": QUEUE, "sink": {"uri": "http://display"}},
    }))
    .unwrap()
}

fn sink() -> Addressable {
    Addressable { url: "http://display".to_owned(), ..Addressable::default() }
}

fn deployment(spec: Value, status: Value) -> WatchedDeployment {
    serde_json::from_value(
        json!({"metadata": {"name": "awssqs-orders-u", "generation": 2}, "spec": spec, "status": status}),
    )
    .unwrap()
}

fn running() -> WatchedDeployment {
    let available = json!([{"type": "Available", "status": "True"}]);
    deployment(
        json!({"replicas": 1}),
        json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "conditions": available}),
    )
}

fn ready_pod() -> Known {
    let pod = Arc::new(serde_json::from_value(json!({"metadata": {"name": "p"}})).unwrap());
    Known { pod, answer: Some(Answer::Page(Page { ready: true, ..Page::default() })) }
}

/// A pass in which everything went well.
fn well() -> Progress {
    let deployed = Deployed { change: Change::Kept, hash: "h".to_owned(), now: None };
    Progress {
        sink: Ok(sink()),
        dead_letter_sink: Ok(None),
        adapter: Some(validate(&source(), &sink(), None)),
        applied: Some(Applied {
            bundles: Ok(()),
            identity: Some(Ok(None)),
            deployment: Some(Ok(deployed)),
            scaling: None,
        }),
    }
}

/// A pass that ended before anything was applied.
fn stopped(progress: Progress) -> Progress {
    Progress { applied: None, ..progress }
}

fn refused(code: u16, message: &str) -> ApplyError {
    let status = kube::core::Status { code, message: message.to_owned(), ..kube::core::Status::default() };
    ApplyError::Refused("applying Deployment ns/d failed".to_owned(), kube::Error::Api(Box::new(status)))
}

fn conditions(progress: &Progress, deployment: Option<&WatchedDeployment>, pods: &[Known], oidc: bool) -> Told {
    let seen = Seen { deployment, pods, oidc };
    let status = status(&source(), &AwsSqsSourceStatus::default(), progress, &seen, &at(1));
    let text = |text: Option<String>| text.unwrap_or_default();
    status
        .conditions
        .into_iter()
        .map(|condition| (condition.type_, condition.status, text(condition.reason), text(condition.message)))
        .collect()
}

/// All conditions of a source that works, with these in place of the same.
fn otherwise(different: &[(&str, &str, &str, &str)]) -> Told {
    let off = "authentication-oidc feature disabled";
    let mut usual = [
        ("DeadLetterSinkResolved", "True", "DeadLetterSinkNotConfigured", "No dead letter sink is configured."),
        ("DeliveryHealthy", "True", "", ""),
        ("Deployed", "True", "", ""),
        ("OIDCIdentityCreated", "True", off, ""),
        ("QueueReachable", "True", "", ""),
        ("Ready", "True", "", ""),
        ("SinkProvided", "True", "", ""),
        ("TrustBundlePropagated", "True", "", ""),
    ];
    for one in usual.iter_mut() {
        if let Some(other) = different.iter().find(|other| other.0 == one.0) {
            *one = *other;
        }
    }
    usual.into_iter().map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned())).collect()
}

/// The whole status, field by field, as people and Knative read it.
#[test]
fn a_source_that_works_has_this_status() {
    let deployment = running();
    let pods = [ready_pod()];
    let seen = Seen { deployment: Some(&deployment), pods: &pods, oidc: true };
    let mut progress = well();
    progress.sink = Ok(Addressable { ca_certs: Some("pem".to_owned()), audience: Some("me".to_owned()), ..sink() });
    let dead_letters = Addressable {
        url: "https://dls".to_owned(),
        ca_certs: Some("dls pem".to_owned()),
        audience: Some("dls".to_owned()),
    };
    progress.dead_letter_sink = Ok(Some(dead_letters));
    progress.applied.as_mut().unwrap().identity = Some(Ok(Some("orders-oidc".to_owned())));
    progress.applied.as_mut().unwrap().scaling = Some(Finding::holds("AutoscalerReady"));
    let status = status(&source(), &AwsSqsSourceStatus::default(), &progress, &seen, &at(0));
    let holds = |type_: &str| json!({"type": type_, "status": "True", "lastTransitionTime": "1970-01-01T00:00:00Z"});
    let informs = |type_: &str| json!({"type": type_, "status": "True", "severity": "Info", "lastTransitionTime": "1970-01-01T00:00:00Z"});
    let expected = json!({
        "observedGeneration": 3,
        "conditions": [
            informs("AutoscalerReady"), holds("DeadLetterSinkResolved"), informs("DeliveryHealthy"), holds("Deployed"),
            holds("OIDCIdentityCreated"), holds("QueueReachable"), holds("Ready"), holds("SinkProvided"),
            holds("TrustBundlePropagated"),
        ],
        "sinkUri": "http://display", "sinkCACerts": "pem", "sinkAudience": "me",
        "deadLetterSinkUri": "https://dls", "deadLetterSinkCACerts": "dls pem", "deadLetterSinkAudience": "dls",
        "auth": {"serviceAccountName": "orders-oidc"},
        "ceAttributes": [{"type": "com.amazonaws.sqs.message", "source": QUEUE}],
        "queueName": "orders", "queueArn": QUEUE, "replicas": 1,
        "selector": "knative-eventing-source=awssqssource.sources.eventing.knative.dev,knative-eventing-source-name=orders",
    });
    assert_eq!(serde_json::to_value(status).unwrap(), expected);
}

/// A controller that starts anew has asked nobody: a source that it has told of stays as it is until a pod is asked.
#[test]
fn a_start_of_the_controller_changes_no_condition() {
    let pod = json!({"metadata": {"name": "p"}, "status": {"podIP": "10.0.0.1"}});
    let pod: Arc<WatchedPod> = Arc::new(serde_json::from_value(pod).unwrap());
    let page = json!({"ready": false, "queue": {"reason": "AccessDenied", "message": "denied"}, "warnings": []});
    let asked = [Known { pod: pod.clone(), answer: Some(Answer::Page(serde_json::from_value(page).unwrap())) }];
    let deployment = running();
    let told = |before: &AwsSqsSourceStatus, pods: &[Known], second: i64| {
        status(&source(), before, &well(), &Seen { deployment: Some(&deployment), pods, oidc: false }, &at(second))
    };
    let before = told(&AwsSqsSourceStatus::default(), &asked, 1);
    assert_eq!(told(&before, &[Known { pod, answer: None }], 2), before);
    let started = Known { pod: ready_pod().pod, answer: None };
    assert_ne!(told(&before, &[started], 2), before, "one without an address cannot be asked");
}

/// Each sink that is not found, with what is told of everything that waits for it.
#[test]
fn a_sink_without_an_address_stops_the_pass_and_is_the_reason() {
    let waits = "this is looked at when the sink is resolved";
    let empty = "spec.sink is not set: set it to where events shall go";
    let cases = [
        (Unresolved::Empty, "False", "SinkEmpty", empty.to_owned()),
        (
            Unresolved::NotFound("v1 Service ns/s not found".to_owned()),
            "False",
            "NotFound",
            "v1 Service ns/s not found".to_owned(),
        ),
        (
            Unresolved::Unasked("v1 Service ns/s".to_owned(), kube::Error::LinesCodecMaxLineLengthExceeded),
            "Unknown",
            "ResolutionFailed",
            format!(
                "reading v1 Service ns/s from the API server failed: {}",
                kube::Error::LinesCodecMaxLineLengthExceeded
            ),
        ),
    ];
    for (error, truth, reason, message) in cases {
        let progress = stopped(Progress { sink: Err(error), adapter: None, ..well() });
        let checking = "the adapter has not received from the queue yet";
        let expected = otherwise(&[
            ("SinkProvided", truth, reason, &message),
            ("Ready", truth, reason, &message),
            ("TrustBundlePropagated", "Unknown", "Waiting", waits),
            ("Deployed", "Unknown", "Waiting", waits),
            ("QueueReachable", "Unknown", "Checking", checking),
            ("DeliveryHealthy", "Unknown", "NotObserved", "no adapter has answered yet"),
        ]);
        assert_eq!(conditions(&progress, None, &[], false), expected, "{reason}");
    }
}

/// An adapter that runs goes on while its sink cannot be resolved, and the status says both.
#[test]
fn what_runs_already_is_told_although_the_sink_is_gone() {
    let gone = "v1 Service ns/s not found";
    let progress = stopped(Progress { sink: Err(Unresolved::NotFound(gone.to_owned())), adapter: None, ..well() });
    let expected = otherwise(&[
        ("SinkProvided", "False", "NotFound", gone),
        ("Ready", "False", "NotFound", gone),
        ("TrustBundlePropagated", "Unknown", "Waiting", "this is looked at when the sink is resolved"),
    ]);
    assert_eq!(conditions(&progress, Some(&running()), &[ready_pod()], false), expected);
}

#[test]
fn a_dead_letter_sink_without_an_address_is_the_reason() {
    let waits = "this is looked at when the dead-letter sink is resolved";
    let cases = [
        (Unresolved::NotFound("gone".to_owned()), "False", "NotFound", "gone".to_owned()),
        (
            Unresolved::Empty,
            "False",
            "SinkEmpty",
            "spec.delivery.deadLetterSink names nothing: set ref or uri".to_owned(),
        ),
        (
            Unresolved::Unasked("v1 Service ns/s".to_owned(), kube::Error::LinesCodecMaxLineLengthExceeded),
            "Unknown",
            "ResolutionFailed",
            format!(
                "reading v1 Service ns/s from the API server failed: {}",
                kube::Error::LinesCodecMaxLineLengthExceeded
            ),
        ),
    ];
    for (error, truth, reason, message) in cases {
        let progress = stopped(Progress { dead_letter_sink: Err(error), adapter: None, ..well() });
        let expected = otherwise(&[
            ("DeadLetterSinkResolved", truth, reason, &message),
            ("Ready", truth, reason, &message),
            ("TrustBundlePropagated", "Unknown", "Waiting", waits),
        ]);
        assert_eq!(conditions(&progress, Some(&running()), &[ready_pod()], false), expected, "{reason}");
    }
}

#[test]
fn an_invalid_spec_is_told_where_and_what_runs_goes_on() {
    let invalid =
        Invalid::Spec(vec![("spec.a".to_owned(), "is wrong".to_owned()), ("spec.b".to_owned(), "too".to_owned())]);
    let progress = stopped(Progress { adapter: Some(Err(invalid)), ..well() });
    let told = "spec.a: is wrong; spec.b: too";
    let expected = otherwise(&[
        ("Deployed", "False", "InvalidSpec", told),
        ("Ready", "False", "InvalidSpec", told),
        ("TrustBundlePropagated", "Unknown", "Waiting", "this is looked at when the spec is valid"),
    ]);
    assert_eq!(conditions(&progress, Some(&running()), &[ready_pod()], false), expected);
}

#[test]
fn an_unknown_region_is_the_queues_problem() {
    let progress =
        stopped(Progress { adapter: Some(Err(Invalid::Region("spec.region: set it".to_owned()))), ..well() });
    let waits = "this is looked at when the spec is valid";
    let expected = otherwise(&[
        ("QueueReachable", "False", "RegionUnknown", "spec.region: set it"),
        ("Ready", "False", "RegionUnknown", "spec.region: set it"),
        ("TrustBundlePropagated", "Unknown", "Waiting", waits),
        ("Deployed", "Unknown", "Waiting", waits),
        ("DeliveryHealthy", "Unknown", "NotObserved", "no adapter has answered yet"),
    ]);
    assert_eq!(conditions(&progress, None, &[], false), expected);
}

#[test]
fn each_step_that_the_api_server_refuses_has_its_condition() {
    let told = "applying Deployment ns/d failed: no";
    let running = running();
    let applied = |bundles, identity, deployment| {
        let applied = Applied { bundles, identity, deployment, scaling: None };
        conditions(&Progress { applied: Some(applied), ..well() }, Some(&running), &[ready_pod()], true)
    };
    let identity = || Some(Ok(Some("a".to_owned())));
    let on = ("OIDCIdentityCreated", "True", "", "");
    let waits = ("OIDCIdentityCreated", "Unknown", "Waiting", "this is looked at when an earlier step succeeds");
    assert_eq!(
        applied(Err(refused(500, "no")), None, None),
        otherwise(&[
            waits,
            ("TrustBundlePropagated", "False", "TrustBundlePropagationFailed", told),
            ("Ready", "False", "TrustBundlePropagationFailed", told),
        ])
    );
    assert_eq!(
        applied(Ok(()), Some(Err(refused(403, "no"))), None),
        otherwise(&[
            ("OIDCIdentityCreated", "False", "OIDCIdentityFailed", told),
            ("Ready", "False", "OIDCIdentityFailed", told),
        ])
    );
    let deployments = [
        (refused(403, "no"), "DeploymentFailed", told),
        (refused(422, "no"), "InvalidSpec", told),
        (
            ApplyError::Foreign("deployment \"d\" is not owned".to_owned()),
            "DeploymentNotOwned",
            "deployment \"d\" is not owned",
        ),
    ];
    for (error, reason, message) in deployments {
        let expected = otherwise(&[on, ("Deployed", "False", reason, message), ("Ready", "False", reason, message)]);
        assert_eq!(applied(Ok(()), identity(), Some(Err(error))), expected, "{reason}");
    }
}

/// Knative's reading of a Deployment, and what of it decides when the queue is reached.
#[test]
fn the_deployment_is_read_as_knative_reads_it() {
    let one = || json!({"replicas": 1});
    let condition = |type_: &str, status: &str, reason: &str, message: &str| json!({"type": type_, "status": status, "reason": reason, "message": message});
    let of = |conditions: Value| json!({"observedGeneration": 2, "updatedReplicas": 1, "conditions": conditions});
    let unavailable =
        condition("Available", "False", "MinimumReplicasUnavailable", "does not have minimum availability.");
    let failure = condition("ReplicaFailure", "True", "FailedCreate", "serviceaccount \"x\" not found");
    let waiting = json!({
        "observedGeneration": 2, "updatedReplicas": 1, "unavailableReplicas": 1,
        "conditions": [condition("Available", "True", "", "")],
    });
    let behind = json!({"observedGeneration": 2, "updatedReplicas": 0, "conditions": [condition("Available", "True", "", ""), failure]});
    let cases = [
        (json!({"observedGeneration": 1}), ("Unknown", "DeploymentUpdating", "The Deployment is being rolled out.")),
        (of(json!([])), ("Unknown", "DeploymentUnavailable", "The Deployment 'awssqs-orders-u' is unavailable.")),
        (of(json!([condition("Available", "True", "", "")])), ("True", "", "")),
        (waiting, ("Unknown", "DeploymentUpdating", "Deployment has 1 unavailable replica(s).")),
        (of(json!([unavailable])), ("False", "MinimumReplicasUnavailable", "does not have minimum availability.")),
        (of(json!([condition("Available", "Unknown", "", "why")])), ("Unknown", "DeploymentUnavailable", "why")),
        (
            behind,
            (
                "False",
                "FailedCreate",
                "no pod can be made: serviceaccount \"x\" not found: create what is missing, or allow what is refused",
            ),
        ),
    ];
    for (status, (truth, reason, message)) in cases {
        let told = conditions(&well(), Some(&deployment(one(), status.clone())), &[ready_pod()], false);
        let expected = otherwise(&[("Deployed", truth, reason, message), ("Ready", truth, reason, message)]);
        assert_eq!(told, expected, "{status}");
    }
}

/// A source that nothing runs for is Ready, for that is what was asked for.
#[test]
fn scaled_to_zero_is_well() {
    let available = json!({"observedGeneration": 2, "conditions": [{"type": "Available", "status": "True"}]});
    let told = conditions(&well(), Some(&deployment(json!({"replicas": 0}), available)), &[], false);
    let expected = otherwise(&[
        ("QueueReachable", "Unknown", "ScaledToZero", "the source is scaled to zero, so nothing asks the queue"),
        ("DeliveryHealthy", "Unknown", "NotObserved", "the source is scaled to zero, so nothing is delivered"),
    ]);
    assert_eq!(told, expected);
}

/// What was known of a sink and a queue stays while they cannot be looked at, and goes when they are no longer asked for.
#[test]
fn what_cannot_be_looked_at_now_keeps_what_was_known() {
    let before = AwsSqsSourceStatus {
        sink_uri: Some("http://before".to_owned()),
        sink_audience: Some("before".to_owned()),
        dead_letter_sink_uri: Some("http://dls".to_owned()),
        queue_name: Some("before".to_owned()),
        queue_arn: Some("arn".to_owned()),
        ce_attributes: Some(vec![CeAttribute { type_: "t".to_owned(), source: "s".to_owned() }]),
        auth: Some(AuthStatus { service_account_name: Some("before".to_owned()) }),
        ..AwsSqsSourceStatus::default()
    };
    let after = |sink, dead_letter_sink, oidc| {
        let progress = stopped(Progress { sink, dead_letter_sink, adapter: None, ..well() });
        let seen = Seen { deployment: None, pods: &[], oidc };
        AwsSqsSourceStatus {
            conditions: Vec::new(),
            observed_generation: None,
            selector: None,
            ..status(&source(), &before, &progress, &seen, &at(1))
        }
    };
    let gone = || Unresolved::NotFound("gone".to_owned());
    assert_eq!(after(Err(gone()), Err(gone()), true), before);
    let forgotten = AwsSqsSourceStatus {
        sink_uri: None,
        sink_audience: None,
        dead_letter_sink_uri: None,
        auth: None,
        ..before.clone()
    };
    assert_eq!(after(Err(Unresolved::Empty), Ok(None), false), forgotten);
}

#[test]
fn event_types_follow_the_format() {
    let url = "https://sqs.eu-north-1.amazonaws.com/123456789012/orders";
    let cases = [
        (Format::Auto, "com.amazonaws.sqs.message", QUEUE),
        (Format::Aws, "com.amazonaws.sqs.message", QUEUE),
        (Format::EventingAwssqs, "aws.sqs.message", url),
        (Format::TriggerMesh, "com.amazon.sqs.message", QUEUE),
        (Format::IntegrationSource, "dev.knative.eventing.aws-sqs", "dev.knative.eventing.aws-sqs-source"),
    ];
    for (format, type_, event_source) in cases {
        let adapter = Adapter { format, ..validate(&source(), &sink(), None).unwrap() };
        let expected = CeAttribute { type_: type_.to_owned(), source: event_source.to_owned() };
        assert_eq!(ce_attributes(&adapter), [expected], "{format:?}");
    }
}

/// What is absent from a status is removed from the object.
#[test]
fn the_patch_names_every_field() {
    let patch = with_absent_fields(&AwsSqsSourceStatus { replicas: Some(2), ..AwsSqsSourceStatus::default() });
    let schema = crate::crd::manifest::crd().unwrap();
    let known = &schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"];
    let names = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names(&patch), names(known));
    assert_eq!((&patch["replicas"], &patch["sinkUri"]), (&json!(2), &Value::Null));
}
