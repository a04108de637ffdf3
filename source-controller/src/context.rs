//! What every pass over a source needs: the client, what is watched, what is remembered. I/O: none by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures::channel::mpsc;
use kube::Client;
use kube::runtime::events::Recorder;

use crate::cache::{Cache, Group};
use crate::crd::AwsSqsSourceStatus;
use crate::follow::Follower;
use crate::metrics::Metrics;
use crate::observe::Observations;
use crate::operator::Operator;
use crate::reconcile::apply::Settled;
use crate::reconcile::bundles::Copies;
use crate::watched::{WatchedBundle, WatchedChild, WatchedDeployment, WatchedPod};

/// How long a status that was just written is trusted over what the watch shows.
const WATCH_LAG: Duration = Duration::from_secs(5);

/// What every pass over a source needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What is watched.
    pub watched: Watched,
    /// Objects that sources look at.
    pub follower: Follower,
    /// What pods answered.
    pub observations: Arc<Observations>,
    /// What was written last.
    pub settled: Settled,
    /// Kubernetes Events.
    pub recorder: Recorder,
    /// Numbers.
    pub metrics: Metrics,
    /// Sources to look at again.
    pub wake: mpsc::UnboundedSender<Group>,
    operator: RwLock<Arc<Operator>>,
    copies: RwLock<Arc<Copies>>,
    written: Mutex<HashMap<Group, (Instant, AwsSqsSourceStatus)>>,
    failures: Mutex<HashMap<Group, u32>>,
    unreadable: Mutex<HashMap<Group, i64>>,
}

/// The caches of objects that belong to sources.
#[derive(Default)]
pub struct Watched {
    /// Adapters' Deployments.
    pub deployments: Arc<Cache<WatchedDeployment>>,
    /// Adapters' pods.
    pub pods: Arc<Cache<WatchedPod>>,
    /// Trust bundles, by namespace.
    pub bundles: Arc<Cache<WatchedBundle>>,
    /// ServiceAccounts that sources control.
    pub accounts: Arc<Cache<WatchedChild>>,
    /// Roles that sources control.
    pub roles: Arc<Cache<WatchedChild>>,
    /// RoleBindings that sources control.
    pub bindings: Arc<Cache<WatchedChild>>,
}

impl Watched {
    /// True once each first list is complete.
    pub fn is_complete(&self) -> bool {
        let Self { deployments, pods, bundles, accounts, roles, bindings } = self;
        deployments.is_complete()
            && pods.is_complete()
            && bundles.is_complete()
            && accounts.is_complete()
            && roles.is_complete()
            && bindings.is_complete()
    }
}

/// What a context is made of.
pub struct Parts {
    /// The API server.
    pub client: Client,
    /// What is watched.
    pub watched: Watched,
    /// Objects that sources look at.
    pub follower: Follower,
    /// What pods answered.
    pub observations: Arc<Observations>,
    /// Kubernetes Events.
    pub recorder: Recorder,
    /// Numbers.
    pub metrics: Metrics,
    /// Sources to look at again.
    pub wake: mpsc::UnboundedSender<Group>,
    /// What the operator decided.
    pub operator: Operator,
}

impl Context {
    /// Nothing is remembered yet.
    pub fn new(parts: Parts) -> Self {
        let Parts { client, watched, follower, observations, recorder, metrics, wake, operator } = parts;
        Self {
            client,
            watched,
            follower,
            observations,
            settled: Settled::default(),
            recorder,
            metrics,
            wake,
            operator: RwLock::new(Arc::new(operator)),
            copies: RwLock::default(),
            written: Mutex::default(),
            failures: Mutex::default(),
            unreadable: Mutex::default(),
        }
    }

    /// What the operator decided.
    pub fn operator(&self) -> Arc<Operator> {
        Arc::clone(&self.operator.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new decision of the operator; true if it differs.
    pub fn set_operator(&self, operator: Operator) -> bool {
        let mut current = self.operator.write().unwrap_or_else(PoisonError::into_inner);
        let differs = **current != operator;
        *current = Arc::new(operator);
        differs
    }

    /// The trust bundles that every namespace with a source gets.
    pub fn copies(&self) -> Arc<Copies> {
        Arc::clone(&self.copies.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes new trust bundles; true if they differ.
    pub fn set_copies(&self, copies: Copies) -> bool {
        let mut current = self.copies.write().unwrap_or_else(PoisonError::into_inner);
        let differs = **current != copies;
        *current = Arc::new(copies);
        differs
    }

    /// The status that the API server has: what was just written, until the watch shows it.
    pub fn current_status(&self, source: &Group, shown: Option<&AwsSqsSourceStatus>) -> AwsSqsSourceStatus {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        match written.get(source) {
            Some((at, status)) if at.elapsed() < WATCH_LAG && Some(status) != shown => status.clone(),
            Some(_) => {
                written.remove(source);
                shown.cloned().unwrap_or_default()
            }
            None => shown.cloned().unwrap_or_default(),
        }
    }

    /// Remembers a status until the watch shows it.
    pub fn status_written(&self, source: &Group, status: AwsSqsSourceStatus) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(source.clone(), (Instant::now(), status));
    }

    /// Counts one more failure in a row; returns how many there were before.
    pub fn failed(&self, source: &Group) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(source.clone()).or_default();
        *count += 1;
        *count - 1
    }

    /// Ends a row of failures.
    pub fn succeeded(&self, source: &Group) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }

    /// True if it was told already that this generation of a source cannot be read.
    pub fn told_unreadable(&self, source: &Group, generation: i64) -> bool {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).get(source) == Some(&generation)
    }

    /// It was told that this generation of a source cannot be read.
    pub fn unreadable_told(&self, source: &Group, generation: i64) {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).insert(source.clone(), generation);
    }

    /// Drops everything that is remembered of a source that is gone.
    pub fn forget(&self, source: &Group) {
        self.succeeded(source);
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
        self.settled.forget(source);
        self.follower.forget(source);
    }

    /// Drops what is remembered of sources that went unseen, and statuses that nobody trusts any more.
    pub fn tidy(&self, exists: impl Fn(&Group) -> bool) {
        let is_trusted = |at: &Instant| at.elapsed() < WATCH_LAG;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (at, _)| is_trusted(at));
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).retain(|source, _| exists(source));
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).retain(|source, _| exists(source));
        self.settled.retain(&exists);
        self.follower.retain(&exists);
    }
}
