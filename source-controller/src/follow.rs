//! Kinds that sources look at -> wake-ups of those sources when one of their objects changes. I/O: Kubernetes watches.

use std::collections::{BTreeSet, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, PartialObjectMeta};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};

use crate::cache::Group;
use crate::reconcile::resolve::served;
use crate::sinks::{Kind, Sinks, Target};

/// How long to wait before a kind that is not served, or may not be watched, is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Watches every kind that a source looks at, from the first time on.
pub struct Follower {
    client: Client,
    sinks: Arc<Sinks>,
    wake: mpsc::UnboundedSender<Group>,
    followed: Mutex<HashSet<Kind>>,
}

impl Follower {
    /// Follows nothing yet; wakes sources through `wake`.
    pub fn new(client: Client, wake: mpsc::UnboundedSender<Group>) -> Self {
        Self { client, sinks: Arc::default(), wake, followed: Mutex::default() }
    }

    /// `source` looks at exactly these objects from now on. Call it before the objects are read, so that no change is missed.
    pub fn track(&self, source: &Group, targets: BTreeSet<Target>) {
        let kinds: Vec<Kind> = targets.iter().map(|target| (target.api_version.clone(), target.kind.clone())).collect();
        self.sinks.track(source, targets);
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds {
            if followed.insert(kind.clone()) {
                tokio::spawn(follow(self.client.clone(), kind, Arc::clone(&self.sinks), self.wake.clone()));
            }
        }
    }

    /// `source` is gone.
    pub fn forget(&self, source: &Group) {
        self.sinks.track(source, BTreeSet::new());
    }

    /// All others are gone.
    pub fn retain(&self, exists: impl Fn(&Group) -> bool) {
        for source in self.sinks.sources().iter().filter(|source| !exists(source)) {
            self.forget(source);
        }
    }
}

/// Watches one kind for ever; its definition may come later, or go and come back.
async fn follow(client: Client, kind: Kind, sinks: Arc<Sinks>, wake: mpsc::UnboundedSender<Group>) {
    let (api_version, name) = &kind;
    let mut absent = false;
    loop {
        match served(&client, api_version, name).await {
            Ok(resource) => {
                if absent {
                    wake_all(&wake, sinks.sources_of_kind(&kind));
                }
                follow_served(&client, &kind, &resource, &sinks, &wake).await;
            }
            Err(error) => tracing::debug!(%api_version, kind = %name, %error, "kind cannot be watched"),
        }
        absent = true;
        tokio::time::sleep(AGAIN).await;
    }
}

/// Returns when the watch cannot go on as it is.
async fn follow_served(
    client: &Client,
    kind: &Kind,
    resource: &ApiResource,
    sinks: &Sinks,
    wake: &mpsc::UnboundedSender<Group>,
) {
    let objects: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(client.clone(), resource);
    let mut events = pin!(watcher(objects, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object) | Event::Delete(object)) => {
                wake_all(wake, sinks.sources_of(&target(kind, &object)));
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => {
                tracing::warn!(kind = %kind.1, api_version = %kind.0, %error, "watching a kind of sinks failed");
                if gone(&error) {
                    return;
                }
            }
        }
    }
}

/// True if the kind is no longer served, or may not be watched: then the watch begins again, later.
fn gone(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => matches!(status.code, 403..=405),
        watcher::Error::InitialListFailed(_)
        | watcher::Error::WatchStartFailed(_)
        | watcher::Error::WatchError(_)
        | watcher::Error::WatchFailed(_)
        | watcher::Error::NoResourceVersion => false,
    }
}

fn target((api_version, kind): &Kind, object: &PartialObjectMeta<DynamicObject>) -> Target {
    Target {
        api_version: api_version.clone(),
        kind: kind.clone(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

fn wake_all(wake: &mpsc::UnboundedSender<Group>, sources: impl IntoIterator<Item = Group>) {
    for source in sources {
        // Nobody listens any more only while the process ends.
        wake.unbounded_send(source).ok();
    }
}
