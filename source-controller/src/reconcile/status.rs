//! How far a pass came, and what the watches show -> `status`, and its one write. I/O: one patch.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::apply::ApplyError;
use super::build;
use super::progress::{Applied, Progress};
use super::resolve::{Addressable, Unresolved};
use super::validate::{Adapter, Invalid};
use crate::crd::conditions::{
    DEAD_LETTER_SINK_RESOLVED, DEPLOYED, Finding, OIDC_IDENTITY_CREATED, SINK_PROVIDED, TRUST_BUNDLE_PROPAGATED, settle,
};
use crate::crd::{AuthStatus, AwsSqsSource, AwsSqsSourceStatus, CeAttribute, Condition, Format};
use crate::observe::{Known, judge};
use crate::watched::{WatchedCondition, WatchedDeployment};

/// What is known besides the progress of the pass.
pub struct Seen<'a> {
    /// The Deployment, if there is one.
    pub deployment: Option<&'a WatchedDeployment>,
    /// Pods of the current template and their answers.
    pub pods: &'a [Known],
    /// `authentication-oidc` is on.
    pub oidc: bool,
}

/// The status to be. Pure.
pub fn status(
    source: &AwsSqsSource,
    previous: &AwsSqsSourceStatus,
    progress: &Progress,
    seen: &Seen<'_>,
    now: &Time,
) -> AwsSqsSourceStatus {
    let mut status = AwsSqsSourceStatus {
        observed_generation: source.metadata.generation,
        replicas: seen.deployment.map(|deployment| deployment.replicas.unwrap_or(0)),
        selector: Some(build::selector(&source.name_any())),
        ..AwsSqsSourceStatus::default()
    };
    sinks(&mut status, previous, progress);
    match progress.adapter.as_ref() {
        Some(Ok(adapter)) => {
            status.ce_attributes = Some(ce_attributes(adapter));
            status.queue_name = Some(adapter.queue.name.clone());
            status.queue_arn = adapter.queue.known_arn.clone();
        }
        Some(Err(_)) | None => {
            status.ce_attributes = previous.ce_attributes.clone();
            status.queue_name = previous.queue_name.clone();
            status.queue_arn = previous.queue_arn.clone();
        }
    }
    if seen.oidc {
        let account = progress.applied.as_ref().and_then(|applied| applied.identity.as_ref()?.as_ref().ok()?.clone());
        let known = previous.auth.as_ref().and_then(|auth| auth.service_account_name.clone());
        status.auth = account.or(known).map(|name| AuthStatus { service_account_name: Some(name) });
    }
    status.conditions = settle(&previous.conditions, findings(progress, &previous.conditions, seen), now);
    status
}

/// Writes the status, unless the API server has it already.
///
/// # Errors
/// The API server refuses.
pub async fn write(
    client: &Client,
    source: &AwsSqsSource,
    current: &AwsSqsSourceStatus,
    status: &AwsSqsSourceStatus,
) -> Result<bool, kube::Error> {
    if current == status {
        return Ok(false);
    }
    let api: Api<AwsSqsSource> = Api::namespaced(client.clone(), &source.namespace().unwrap_or_default());
    let parameters = PatchParams { field_manager: Some(build::CONTROLLER.to_owned()), ..PatchParams::default() };
    let patch = Patch::Merge(json!({"status": with_absent_fields(status)}));
    api.patch_status(&source.name_any(), &parameters, &patch).await?;
    Ok(true)
}

/// A merge patch removes a field only if it is null.
fn with_absent_fields(status: &AwsSqsSourceStatus) -> Value {
    let mut patch = json!({
        "observedGeneration": null, "conditions": null, "sinkUri": null, "sinkCACerts": null, "sinkAudience": null,
        "deadLetterSinkUri": null, "deadLetterSinkCACerts": null, "deadLetterSinkAudience": null, "auth": null,
        "ceAttributes": null, "queueName": null, "queueArn": null, "replicas": null, "selector": null,
    });
    for (field, value) in serde_json::to_value(status).unwrap_or_default().as_object().into_iter().flatten() {
        patch[field] = value.clone();
    }
    patch
}

/// A sink that is not resolved leaves what the status said about it.
fn sinks(status: &mut AwsSqsSourceStatus, previous: &AwsSqsSourceStatus, progress: &Progress) {
    let kept = |uri: &Option<String>, certificates: &Option<String>, audience: &Option<String>| {
        uri.clone().map(|url| Addressable { url, ca_certs: certificates.clone(), audience: audience.clone() })
    };
    let sink = match &progress.sink {
        Ok(sink) => Some(sink.clone()),
        Err(Unresolved::Empty) => None,
        Err(_) => kept(&previous.sink_uri, &previous.sink_ca_certs, &previous.sink_audience),
    };
    let dead_letter_sink = match &progress.dead_letter_sink {
        Ok(sink) => sink.clone(),
        Err(_) => kept(
            &previous.dead_letter_sink_uri,
            &previous.dead_letter_sink_ca_certs,
            &previous.dead_letter_sink_audience,
        ),
    };
    if let Some(Addressable { url, ca_certs, audience }) = sink {
        (status.sink_uri, status.sink_ca_certs, status.sink_audience) = (Some(url), ca_certs, audience);
    }
    if let Some(Addressable { url, ca_certs, audience }) = dead_letter_sink {
        status.dead_letter_sink_uri = Some(url);
        (status.dead_letter_sink_ca_certs, status.dead_letter_sink_audience) = (ca_certs, audience);
    }
}

/// What events of this format have as type and source, as far as that is known beforehand.
fn ce_attributes(adapter: &Adapter) -> Vec<CeAttribute> {
    let queue = &adapter.queue;
    let (type_, source) = match adapter.format {
        Format::EventingAwssqs => ("aws.sqs.message", queue.event_url.clone()),
        Format::TriggerMesh => ("com.amazon.sqs.message", queue.event_arn.clone()),
        Format::IntegrationSource => ("dev.knative.eventing.aws-sqs", "dev.knative.eventing.aws-sqs-source".to_owned()),
        Format::Auto | Format::Aws => ("com.amazonaws.sqs.message", queue.event_arn.clone()),
    };
    vec![CeAttribute { type_: type_.to_owned(), source }]
}

fn findings(progress: &Progress, previous: &[Condition], seen: &Seen<'_>) -> Vec<Finding> {
    let replicas = seen.deployment.and_then(|deployment| deployment.wanted);
    let mut findings = vec![
        sink_provided(&progress.sink),
        dead_letter_sink_resolved(&progress.dead_letter_sink),
        identity_created(progress, seen.oidc),
        trust_bundle_propagated(progress),
        queue_reachable(progress, previous, seen.pods, replicas),
        deployed(progress, seen.deployment),
        as_before(previous, seen.pods, judge::delivery_healthy(seen.pods, replicas)),
    ];
    findings.extend(progress.applied.as_ref().and_then(|applied| applied.scaling.clone()));
    findings
}

fn sink_provided(sink: &Result<Addressable, Unresolved>) -> Finding {
    match sink {
        Ok(_) => Finding::holds(SINK_PROVIDED),
        Err(Unresolved::Empty) => Finding::fails(SINK_PROVIDED, "SinkEmpty", &Unresolved::Empty.to_string()),
        Err(Unresolved::NotFound(problem)) => Finding::fails(SINK_PROVIDED, "NotFound", problem),
        Err(error @ Unresolved::Unasked(_, cause)) => {
            Finding::unknown(SINK_PROVIDED, "ResolutionFailed", &format!("{error}: {cause}"))
        }
    }
}

fn dead_letter_sink_resolved(sink: &Result<Option<Addressable>, Unresolved>) -> Finding {
    match sink {
        Ok(Some(_)) => Finding::holds(DEAD_LETTER_SINK_RESOLVED),
        Ok(None) => Finding::holds_because(
            DEAD_LETTER_SINK_RESOLVED,
            "DeadLetterSinkNotConfigured",
            "No dead letter sink is configured.",
        ),
        Err(Unresolved::Empty) => Finding::fails(
            DEAD_LETTER_SINK_RESOLVED,
            "SinkEmpty",
            "spec.delivery.deadLetterSink names nothing: set ref or uri",
        ),
        Err(Unresolved::NotFound(problem)) => Finding::fails(DEAD_LETTER_SINK_RESOLVED, "NotFound", problem),
        Err(error @ Unresolved::Unasked(_, cause)) => {
            Finding::unknown(DEAD_LETTER_SINK_RESOLVED, "ResolutionFailed", &format!("{error}: {cause}"))
        }
    }
}

fn identity_created(progress: &Progress, oidc: bool) -> Finding {
    if !oidc {
        return Finding::holds_because(OIDC_IDENTITY_CREATED, "authentication-oidc feature disabled", "");
    }
    match progress.applied.as_ref().and_then(|applied| applied.identity.as_ref()) {
        Some(Ok(_)) => Finding::holds(OIDC_IDENTITY_CREATED),
        Some(Err(error)) => Finding::fails(OIDC_IDENTITY_CREATED, "OIDCIdentityFailed", &error.to_string()),
        None => waiting(OIDC_IDENTITY_CREATED, progress),
    }
}

fn trust_bundle_propagated(progress: &Progress) -> Finding {
    match progress.applied.as_ref().map(|applied| &applied.bundles) {
        Some(Ok(())) => Finding::holds(TRUST_BUNDLE_PROPAGATED),
        Some(Err(error)) => Finding::fails(TRUST_BUNDLE_PROPAGATED, "TrustBundlePropagationFailed", &error.to_string()),
        None => waiting(TRUST_BUNDLE_PROPAGATED, progress),
    }
}

/// What cannot be known because an earlier step failed.
fn waiting(type_: &'static str, progress: &Progress) -> Finding {
    let first = match (&progress.sink, &progress.dead_letter_sink, &progress.adapter) {
        (Err(_), _, _) => "the sink is resolved",
        (_, Err(_), _) => "the dead-letter sink is resolved",
        (_, _, Some(Err(_))) => "the spec is valid",
        _ => "an earlier step succeeds",
    };
    Finding::unknown(type_, "Waiting", &format!("this is looked at when {first}"))
}

fn queue_reachable(progress: &Progress, previous: &[Condition], pods: &[Known], replicas: Option<i32>) -> Finding {
    match &progress.adapter {
        Some(Err(Invalid::Region(problem))) => {
            Finding::fails(crate::crd::conditions::QUEUE_REACHABLE, "RegionUnknown", problem)
        }
        Some(Err(Invalid::Spec(_)) | Ok(_)) | None => as_before(previous, pods, judge::queue_reachable(pods, replicas)),
    }
}

/// What was told before, while no pod has been asked; else what is found now.
fn as_before(previous: &[Condition], pods: &[Known], finding: Finding) -> Finding {
    match previous.iter().find(|before| before.type_ == finding.type_) {
        Some(before) if judge::nobody_asked(pods) => finding.told(before),
        Some(_) | None => finding,
    }
}

fn deployed(progress: &Progress, deployment: Option<&WatchedDeployment>) -> Finding {
    if let Some(Err(invalid @ Invalid::Spec(_))) = &progress.adapter {
        return Finding::fails(DEPLOYED, "InvalidSpec", &invalid.to_string());
    }
    match progress.applied.as_ref().and_then(|applied| applied.deployment.as_ref()) {
        Some(Err(error)) => refused(error),
        Some(Ok(_)) | None => match deployment {
            Some(deployment) => available(deployment),
            None => waiting(DEPLOYED, progress),
        },
    }
}

fn refused(error: &ApplyError) -> Finding {
    let reason = match error {
        ApplyError::Foreign(_) => "DeploymentNotOwned",
        ApplyError::Refused(..) if error.is_invalid() => "InvalidSpec",
        ApplyError::Refused(..) => "DeploymentFailed",
    };
    Finding::fails(DEPLOYED, reason, &error.to_string())
}

/// Knative's reading of a Deployment's conditions; a rollout that cannot make its pods is told too.
fn available(deployment: &WatchedDeployment) -> Finding {
    if deployment.observed_generation.unwrap_or(0) < deployment.generation.unwrap_or(0) {
        return Finding::unknown(DEPLOYED, "DeploymentUpdating", "The Deployment is being rolled out.");
    }
    let behind = deployment.updated.unwrap_or(0) < deployment.wanted.unwrap_or(1);
    if let Some(failure) = deployment.failure.as_deref().filter(|failure| failure.status == "True" && behind) {
        return no_pods(failure);
    }
    let unavailable = deployment.unavailable.unwrap_or(0);
    match deployment.available.as_deref() {
        Some(available) if available.status == "True" && unavailable > 0 => {
            let told = format!("Deployment has {unavailable} unavailable replica(s).");
            Finding::unknown(DEPLOYED, "DeploymentUpdating", &told)
        }
        Some(available) if available.status == "True" => Finding::holds(DEPLOYED),
        Some(available) => copied(available, available.status == "Unknown"),
        None => {
            let told = format!("The Deployment '{}' is unavailable.", deployment.name);
            Finding::unknown(DEPLOYED, "DeploymentUnavailable", &told)
        }
    }
}

/// Pods that the API server refuses to make: what a ReplicaSet says of it names the cause, but not what to do.
fn no_pods(failure: &WatchedCondition) -> Finding {
    let reason = failure.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("ReplicaFailure");
    let message = failure.message.as_deref().unwrap_or_default();
    let told = format!("no pod can be made: {message}: create what is missing, or allow what is refused");
    Finding::fails(DEPLOYED, reason, &told)
}

fn copied(condition: &WatchedCondition, unknown: bool) -> Finding {
    let reason = condition.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("DeploymentUnavailable");
    let message = condition.message.as_deref().unwrap_or_default();
    if unknown { Finding::unknown(DEPLOYED, reason, message) } else { Finding::fails(DEPLOYED, reason, message) }
}

/// What of a pass decides whether the pass has to be made again.
pub fn failure(applied: &Applied) -> Option<&ApplyError> {
    let identity = applied.identity.as_ref().and_then(|identity| identity.as_ref().err());
    let deployment = applied.deployment.as_ref().and_then(|deployment| deployment.as_ref().err());
    applied.bundles.as_ref().err().or(identity).or(deployment)
}

#[cfg(test)]
mod tests;
