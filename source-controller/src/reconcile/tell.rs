//! What a pass changed -> Kubernetes Events on the source. I/O: Kubernetes writes; a failure is logged and hides nothing.

use kube::Resource;
use kube::runtime::events::{Event, EventType};

use super::apply::Change;
use super::progress::Progress;
use super::status::failure;
use crate::context::Context;
use crate::crd::conditions::SINK_PROVIDED;
use crate::crd::{AwsSqsSource, AwsSqsSourceStatus};

/// Tells what changed: a lost sink, a Deployment, an error that was not there before.
pub async fn events(
    context: &Context,
    source: &AwsSqsSource,
    before: &AwsSqsSourceStatus,
    after: &AwsSqsSourceStatus,
    progress: &Progress,
) {
    let state = |status: &AwsSqsSourceStatus| {
        let sink = status.conditions.iter().find(|condition| condition.type_ == SINK_PROVIDED);
        sink.map(|sink| (sink.status.clone(), sink.message.clone()))
    };
    if progress.sink.is_err() && state(before) != state(after) {
        let sink = serde_json::to_string(&source.spec.sink).unwrap_or_default();
        publish(context, source, EventType::Warning, "SinkNotFound", &format!("Sink not found: {sink}")).await;
    }
    let Some(applied) = &progress.applied else { return };
    if let Some(error) = failure(applied) {
        publish(context, source, EventType::Warning, "InternalError", &error.to_string()).await;
    }
    let Some(Ok(deployed)) = &applied.deployment else { return };
    let name = deployed.now.as_ref().map(|now| now.name.as_ref()).unwrap_or_default();
    let (reason, what) = match deployed.change {
        Change::Kept => return,
        Change::Created => ("AwsSqsSourceDeploymentCreated", "created"),
        Change::Updated => ("AwsSqsSourceDeploymentUpdated", "updated"),
        Change::Adopted => ("AwsSqsSourceDeploymentAdopted", "adopted"),
    };
    publish(context, source, EventType::Normal, reason, &format!("Deployment {name:?} {what}")).await;
}

/// Tells that the status could not be written.
pub async fn status_not_written(context: &Context, source: &AwsSqsSource, error: &kube::Error) {
    let told = format!("Failed to update status: {error}");
    publish(context, source, EventType::Warning, "UpdateFailed", &told).await;
}

async fn publish(context: &Context, source: &AwsSqsSource, type_: EventType, reason: &str, note: &str) {
    // The API server takes notes of at most 1 KiB.
    let note = note.chars().take(1000).collect();
    let event =
        Event { type_, reason: reason.to_owned(), note: Some(note), action: "Reconcile".to_owned(), secondary: None };
    if let Err(error) = context.recorder.publish(&event, &source.object_ref(&())).await {
        tracing::warn!(%reason, %error, "an Event could not be published");
    }
}
