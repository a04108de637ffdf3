//! Watches -> passes over the sources that they concern, each as often as needed and no more. I/O: Kubernetes watches.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::channel::mpsc;
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Config as Selection;
use kube::runtime::{Controller, WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::cache::{Cache, Group, Named, by_label, by_namespace, by_owner, kept};
use crate::context::{Context, Watched};
use crate::kept::KeptSource;
use crate::observe;
use crate::operator::{Data, SystemMaps};
use crate::reconcile::build::{CONTROLLER, OWNED_LABEL, SELECTED, SELECTED_LABEL, SOURCE_LABEL};
use crate::reconcile::{Error, bundles, reconcile};
use crate::watched::told::{ToldDeployment, ToldPod};
use crate::watched::{WatchedBundle, WatchedChild, WatchedDeployment, slim};

/// Passes at once.
const CONCURRENCY: u16 = 32;

/// Events that come together are one reason for a pass.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Objects that a list brings at once: a page is held as text and as objects at the same time.
const PAGE: u32 = 100;

/// The first wait after a failed pass; each further failure doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest wait after a failed pass.
const LAST_RETRY: Duration = Duration::from_secs(300);

/// Names of the ConfigMaps of the system namespace.
#[derive(Clone, Debug)]
pub struct MapNames {
    /// Usually `config-features`.
    pub features: String,
    /// Usually `config-logging`.
    pub logging: String,
    /// Usually `config-observability`.
    pub observability: String,
    /// Usually `config-kreference-mapping`.
    pub reference_mapping: String,
}

/// Reconciles all sources until `shutdown`; passes under way are finished.
pub async fn run(
    context: Arc<Context>,
    names: MapNames,
    woken: mpsc::UnboundedReceiver<Group>,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let (all, all_woken) = mpsc::unbounded();
    let (ask, asked) = mpsc::unbounded();
    follow_system_maps(&context, names, &all).await;
    follow_owned(&context, &ask);
    let Watched { pods, deployments, .. } = &context.watched;
    let (pods, deployments) = (Arc::clone(pods), Arc::clone(deployments));
    tokio::spawn(observe::watch(Arc::clone(&context.observations), pods, deployments, asked, context.wake.clone()));
    first_lists(&context.watched).await;
    let (sources, trigger) = sources(&context.client);
    keep_up(&context, sources.clone());
    let woken = woken.map(|source| reference(&source));
    Controller::for_stream(trigger, sources)
        .with_config(Config::default().debounce(DEBOUNCE).concurrency(CONCURRENCY))
        .reconcile_on(woken)
        .reconcile_all_on(all_woken)
        .graceful_shutdown_on(shutdown)
        .run(pass, after_failure, context)
        .for_each(|outcome| async move {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a pass did not end well");
            }
        })
        .await;
}

/// One pass, measured and logged.
async fn pass(source: Arc<KeptSource>, context: Arc<Context>) -> Result<Action, Error> {
    let group = group_of(source.as_ref());
    let began = Instant::now();
    let outcome = reconcile(&source.read(), &context).await;
    context.metrics.duration.observe(began.elapsed().as_secs_f64());
    let result = match &outcome {
        Ok(_) => {
            context.succeeded(&group);
            "ok"
        }
        Err(error) => {
            tracing::warn!(namespace = %group.0, source = %group.1, error = %chain(error), "reconcile failed");
            error.category()
        }
    };
    context.metrics.passes.with_label_values(&[result]).inc();
    outcome
}

fn after_failure(source: Arc<KeptSource>, _: &Error, context: Arc<Context>) -> Action {
    Action::requeue(retry_after(context.failed(&group_of(source.as_ref())), fastrand::f64()))
}

/// Doubles with each failure in a row, up to five minutes; `random` from 0 to 1 spreads sources that failed together.
pub fn retry_after(failures: u32, random: f64) -> Duration {
    let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(LAST_RETRY);
    wait.mul_f64(0.5 + random / 2.0)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

fn group_of<K: Resource>(object: &K) -> Group {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn reference((namespace, name): &Group) -> ObjectRef<KeptSource> {
    ObjectRef::new(name).within(namespace)
}

fn selection() -> Selection {
    Selection::default().page_size(PAGE)
}

/// The sources, and a stream of those whose spec, annotations or deletion changed.
fn sources(client: &Client) -> (Store<KeptSource>, impl Stream<Item = Result<KeptSource, watcher::Error>> + use<>) {
    let (reader, writer) = reflector::store::<KeptSource>();
    let api: Api<KeptSource> = Api::all(client.clone());
    let trigger = watcher(api, selection())
        .default_backoff()
        .modify(KeptSource::settle)
        .reflect(writer)
        .touched_objects()
        .predicate_filter(|source: &KeptSource| Some(source.users_part()), kube::runtime::PredicateConfig::default());
    (reader, trigger)
}

/// Counts the sources, and forgets those that are gone.
fn keep_up(context: &Arc<Context>, sources: Store<KeptSource>) {
    let context = Arc::clone(context);
    tokio::spawn(async move {
        loop {
            context.metrics.sources.set(i64::try_from(sources.len()).unwrap_or(i64::MAX));
            context.tidy(|source| sources.get(&reference(source)).is_some());
            tokio::time::sleep(observe::EVERY).await;
        }
    });
}

/// Fills the caches of what belongs to sources, and wakes a source when something of its own changes.
fn follow_owned(context: &Context, ask: &mpsc::UnboundedSender<Group>) {
    let Context { client, watched, wake, .. } = context;
    let selected = selection().labels(&format!("{SELECTED_LABEL}={SELECTED}"));
    let owned = selection().labels(&format!("{OWNED_LABEL}={CONTROLLER}"));
    let bundles = selection().labels(&format!("{}=true", bundles::LABEL));
    let wakes = vec![wake.clone()];
    fill(client, selected.clone(), &watched.deployments, wakes.clone(), |object: ToldDeployment| {
        Some((by_label(&object, SOURCE_LABEL)?, object.into()))
    });
    fill(client, selected, &watched.pods, vec![wake.clone(), ask.clone()], |object: ToldPod| {
        Some((by_label(&object, SOURCE_LABEL)?, object.into()))
    });
    fill(client, owned.clone(), &watched.accounts, wakes.clone(), child::<ServiceAccount>);
    fill(client, owned.clone(), &watched.roles, wakes.clone(), child::<Role>);
    fill(client, owned, &watched.bindings, wakes, child::<RoleBinding>);
    // A bundle concerns every source of its namespace.
    let (bundle, changed) = mpsc::unbounded();
    fill(client, bundles, &watched.bundles, vec![bundle], |mut object: WatchedBundle| {
        slim(&mut object);
        Some((by_namespace(&object)?, object))
    });
    tokio::spawn(wake_namespaces(Arc::clone(&watched.deployments), changed, wake.clone()));
}

fn child<K: Resource<DynamicType = ()>>(object: PartialObjectMeta<K>) -> Option<(Group, WatchedChild)> {
    Some((by_owner(&object)?, object.into()))
}

fn fill<K, T>(
    client: &Client,
    selection: Selection,
    cache: &Arc<Cache<T>>,
    wake: Vec<mpsc::UnboundedSender<Group>>,
    keep: fn(K) -> Option<(Group, T)>,
) where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + 'static,
    K::DynamicType: Default,
    T: Named + Send + Sync + 'static,
{
    let events = watcher(Api::<K>::all(client.clone()), selection).default_backoff();
    let cache = Arc::clone(cache);
    tokio::spawn(async move {
        let mut events = pin!(events);
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    let concerned = kept(event, keep).map(|event| cache.take(event)).unwrap_or_default();
                    for (source, wake) in
                        concerned.iter().flat_map(|source| wake.iter().map(move |wake| (source, wake)))
                    {
                        // Nobody listens any more only while the process ends.
                        wake.unbounded_send(source.clone()).ok();
                    }
                }
                Err(error) => {
                    let kind = std::any::type_name::<K>();
                    tracing::warn!(%kind, error = %chain(&error), "a watch failed and begins again");
                }
            }
        }
    });
}

async fn wake_namespaces(
    deployments: Arc<Cache<WatchedDeployment>>,
    mut changed: mpsc::UnboundedReceiver<Group>,
    wake: mpsc::UnboundedSender<Group>,
) {
    while let Some((namespace, _)) = changed.next().await {
        for source in deployments.groups().into_iter().filter(|source| source.0 == namespace) {
            wake.unbounded_send(source).ok();
        }
    }
}

/// Until every first list is complete, a missing object could be one that is only not listed yet.
async fn first_lists(watched: &Watched) {
    while !watched.is_complete() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Keeps the operator's settings and the origins of trust bundles current; each change concerns all sources.
async fn follow_system_maps(context: &Arc<Context>, names: MapNames, all: &mpsc::UnboundedSender<()>) {
    let namespace = context.operator().system_namespace.clone();
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), &namespace);
    let (first, done) = futures::channel::oneshot::channel();
    tokio::spawn(keep_system_maps(Arc::clone(context), api, names, all.clone(), first));
    // The task ends only with the process.
    done.await.ok();
}

async fn keep_system_maps(
    context: Arc<Context>,
    api: Api<ConfigMap>,
    names: MapNames,
    all: mpsc::UnboundedSender<()>,
    first: futures::channel::oneshot::Sender<()>,
) {
    let (reader, writer) = reflector::store::<ConfigMap>();
    let events = watcher(api, selection()).default_backoff().modify(move |map| {
        slim(map);
        if !is_of_interest(map) {
            map.data = None;
            map.binary_data = None;
        }
    });
    let mut events = pin!(events.reflect(writer));
    let mut first = Some(first);
    while let Some(event) = events.next().await {
        if let Err(error) = event {
            tracing::warn!(error = %chain(&error), "watching the ConfigMaps of the system namespace failed");
            continue;
        }
        if !matches!(event, Ok(watcher::Event::InitDone)) && first.is_some() {
            continue;
        }
        if take_system_maps(&context, &reader.state(), &names) {
            all.unbounded_send(()).ok();
        }
        if let Some(first) = first.take() {
            first.send(()).ok();
        }
    }
}

/// Other maps of the namespace are watched too, for Kubernetes cannot select by several names, but their contents are not kept.
fn is_of_interest(map: &ConfigMap) -> bool {
    map.name_any().starts_with("config-") || map.labels().get(bundles::LABEL).map(String::as_str) == Some("true")
}

/// True if anything differs from what was known.
fn take_system_maps(context: &Context, maps: &[Arc<ConfigMap>], names: &MapNames) -> bool {
    let data = |name: &str| -> Option<Data> {
        let map = maps.iter().find(|map| map.name_any() == name)?;
        Some(map.data.clone().unwrap_or_else(BTreeMap::new))
    };
    let system = SystemMaps {
        features: data(&names.features),
        logging: data(&names.logging),
        observability: data(&names.observability),
        reference_mapping: data(&names.reference_mapping),
    };
    let operator = context.operator().with_maps(&system);
    for problem in operator.observability.iter().flat_map(|forwarded| &forwarded.problems) {
        tracing::warn!(map = %names.observability, %problem, "a setting makes no sense");
    }
    let origins: Vec<ConfigMap> = maps
        .iter()
        .filter(|map| map.labels().get(bundles::LABEL).map(String::as_str) == Some("true"))
        .map(|map| map.as_ref().clone())
        .collect();
    let operator_differs = context.set_operator(operator);
    context.set_copies(bundles::copies(&origins)) || operator_differs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_are_spread() {
        let waits: Vec<u64> = (0..10).map(|failures| retry_after(failures, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(retry_after(1, 0.0), Duration::from_secs(1));
        assert_eq!(retry_after(u32::MAX, 0.0), Duration::from_secs(150));
    }
}
