//! One pass over one source: resolve, validate, build, apply, and tell in `status` how far it came. I/O: Kubernetes.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;

use crate::cache::Group;
use crate::context::Context;
use crate::crd::{AwsSqsSource, AwsSqsSourceStatus};
use crate::kept::Guarded;
use crate::observe::hash_of;
use crate::operator::Operator;
use apply::ApplyError;
use progress::Progress;
use resolve::{Addressable, Unresolved};
use status::Seen;

pub mod apply;
pub mod build;
pub mod bundles;
pub mod matches;
pub mod objects;
pub mod progress;
pub mod resolve;
pub mod scaling;
pub mod status;
pub mod tell;
pub mod unreadable;
pub mod validate;

/// A source is looked at again after this time even if nothing woke it.
const SLOW: Duration = Duration::from_secs(600);

/// A source whose sink has no address is looked at again after this time, for what it waits for may be of a kind that cannot be watched.
const WAITING: Duration = Duration::from_secs(20);

/// Why a pass has to be made again.
#[derive(Debug)]
pub enum Error {
    /// The sink could not be asked for.
    Resolve(Unresolved),
    /// Objects could not be written.
    Apply(String),
    /// The status could not be written.
    Status(kube::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resolve(_) => f.write_str("resolving the sink failed"),
            Self::Apply(problem) => f.write_str(problem),
            Self::Status(_) => f.write_str("writing the status failed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Resolve(error) => Some(error),
            Self::Apply(_) => None,
            Self::Status(error) => Some(error),
        }
    }
}

impl Error {
    /// A static word for metrics.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Resolve(_) => "resolve_failed",
            Self::Apply(_) => "apply_failed",
            Self::Status(_) => "status_failed",
        }
    }
}

/// Brings one source to what its spec says, as far as that is possible, and tells how far that was.
///
/// # Errors
/// The pass has to be made again.
pub async fn reconcile(source: &Guarded, context: &Context) -> Result<Action, Error> {
    let source = match &source.0 {
        Ok(source) => source,
        Err(invalid) => return unreadable::tell(invalid, context).await,
    };
    let group = (source.namespace().unwrap_or_default(), source.name_any());
    if source.metadata.deletion_timestamp.is_some() {
        context.forget(&group);
        return Ok(Action::await_change());
    }
    let current = context.current_status(&group, source.status.as_ref());
    // Read once, so that a pass does not begin with one setting and end with another.
    let operator = context.operator();
    let progress = advance(source, &group, context, &operator).await;
    let next = next_status(source, &group, &current, &progress, context, &operator);
    tell::events(context, source, &current, &next, &progress).await;
    match status::write(&context.client, source, &current, &next).await {
        Ok(true) => context.status_written(&group, next),
        Ok(false) => {}
        Err(error) => {
            tell::status_not_written(context, source, &error).await;
            return Err(Error::Status(error));
        }
    }
    into_action(progress)
}

/// Resolve, validate, build, apply; stops at the first step that fails.
async fn advance(source: &AwsSqsSource, group: &Group, context: &Context, operator: &Operator) -> Progress {
    let (sink, dead_letter_sink) = resolve_both(source, group, context, operator).await;
    let mut progress = Progress { sink, dead_letter_sink, adapter: None, applied: None };
    if let (Ok(sink), Ok(dead_letter_sink)) = (&progress.sink, &progress.dead_letter_sink) {
        progress.adapter = Some(validate::validate(source, sink, dead_letter_sink.as_ref()));
    }
    if let Some(Ok(adapter)) = &progress.adapter {
        progress.applied = Some(objects::apply(context, operator, adapter).await);
    }
    progress
}

/// Both sinks, each with its own result; what they name is tracked first, so that no later change is missed.
async fn resolve_both(
    source: &AwsSqsSource,
    group: &Group,
    context: &Context,
    operator: &Operator,
) -> (Result<Addressable, Unresolved>, Result<Option<Addressable>, Unresolved>) {
    let sink = source.spec.sink.as_ref().map(crate::crd::Sink::destination);
    let dead_letter_sink = source.spec.delivery.as_ref().and_then(|delivery| delivery.dead_letter_sink.clone());
    let sinks = sink.iter().chain(&dead_letter_sink);
    let mut targets: BTreeSet<_> = sinks.filter_map(|destination| resolve::target(destination, &group.0)).collect();
    targets.extend(scaling::targets(source));
    context.follower.track(group, targets);
    let resolved = match &sink {
        Some(sink) => resolve::resolve(&context.client, sink, &group.0, operator).await,
        None => Err(Unresolved::Empty),
    };
    let dead_letters = match &dead_letter_sink {
        Some(sink) => resolve::resolve(&context.client, sink, &group.0, operator).await.map(Some),
        None => Ok(None),
    };
    (resolved, dead_letters)
}

fn next_status(
    source: &AwsSqsSource,
    group: &Group,
    current: &AwsSqsSourceStatus,
    progress: &Progress,
    context: &Context,
    operator: &Operator,
) -> AwsSqsSourceStatus {
    let deployed = progress.applied.as_ref().and_then(|applied| applied.deployment.as_ref()?.as_ref().ok());
    let watched = objects::chosen(context, group);
    let hash = deployed.map(|deployed| deployed.hash.clone()).or_else(|| hash_of(&context.watched.deployments, group));
    let pods = context.observations.of(&context.watched.pods, group, hash.as_deref());
    let seen = Seen {
        deployment: deployed.and_then(|deployed| deployed.now.as_ref()).or(watched.as_deref()),
        pods: &pods,
        oidc: operator.features.oidc,
    };
    status::status(source, current, progress, &seen, &Time(Timestamp::now()))
}

fn into_action(progress: Progress) -> Result<Action, Error> {
    let failed = progress.applied.as_ref().and_then(status::failure);
    if let Some(error) = failed.filter(|error| is_worth_another_try(error)) {
        return Err(Error::Apply(error.to_string()));
    }
    match (progress.sink, progress.dead_letter_sink) {
        (Err(error @ Unresolved::Unasked(..)), _) | (_, Err(error @ Unresolved::Unasked(..))) => {
            Err(Error::Resolve(error))
        }
        (Err(Unresolved::NotFound(_)), _) | (_, Err(Unresolved::NotFound(_))) => Ok(Action::requeue(WAITING)),
        _ => Ok(Action::requeue(SLOW)),
    }
}

/// What the API server understood and refused stays refused until somebody changes something.
fn is_worth_another_try(error: &ApplyError) -> bool {
    !error.is_invalid()
}
