//! Settings -> a running controller, until `shutdown` or until another replica leads. I/O: everything.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use futures::channel::mpsc;
use futures::future::{Either, select};
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};

use crate::admin::{self, Pages};
use crate::args::RunArgs;
use crate::cluster_domain;
use crate::context::{Context, Parts, Watched};
use crate::controller::{self, MapNames};
use crate::follow::Follower;
use crate::leader::Election;
use crate::metrics::Metrics;
use crate::observe::Observations;
use crate::operator::{Features, Operator};
use crate::reconcile::build::CONTROLLER;

/// Why the controller does not run.
#[derive(Debug)]
pub enum RunError {
    /// No cluster is configured, or its certificates cannot be used.
    Cluster(Box<dyn std::error::Error + Send + Sync>),
    /// The admin pages cannot be served.
    Admin(std::net::SocketAddr, std::io::Error),
    /// Metrics cannot be made.
    Setup(Box<dyn std::error::Error + Send + Sync>),
    /// Another replica leads now.
    LeadershipLost,
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster(_) => f.write_str("finding a cluster failed: set KUBECONFIG or run in a pod"),
            Self::Admin(address, _) => write!(f, "serving pages at {address} failed: choose another --admin-addr"),
            Self::Setup(_) => f.write_str("setting up metrics failed"),
            Self::LeadershipLost => f.write_str("the lease was lost: another replica leads, this one starts again"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Cluster(error) | Self::Setup(error) => Some(error.as_ref()),
            Self::Admin(_, error) => Some(error),
            Self::LeadershipLost => None,
        }
    }
}

/// Runs until `shutdown`: passes under way are finished and the lease is given back.
///
/// # Errors
/// It could not start, or another replica leads.
pub async fn run(args: RunArgs, shutdown: impl Future<Output = ()> + Send + Sync + 'static) -> Result<(), RunError> {
    let client = Client::try_default().await.map_err(|error| RunError::Cluster(error.into()))?;
    run_with(client, args, shutdown).await
}

/// The same with a client at hand.
///
/// # Errors
/// As [`run`].
pub async fn run_with(
    client: Client,
    args: RunArgs,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<(), RunError> {
    let RunArgs {
        adapter_image,
        system_namespace,
        cluster_domain,
        admin_addr,
        identity,
        no_leader_election,
        config_logging,
        config_observability,
        log_level: _,
        log_json: _,
    } = args;
    let metrics = Metrics::new().map_err(|error| RunError::Setup(error.into()))?;
    let listener = sqs_bridge::admin::listen(admin_addr).await.map_err(|error| RunError::Admin(admin_addr, error))?;
    let pages = Pages { metrics: metrics.clone(), ready: Arc::new(AtomicBool::new(false)) };
    let shutdown = shutdown.shared();
    tokio::spawn(admin::serve(listener, pages.clone(), shutdown.clone()));

    // The first answer of the API server tells that certificates and address are right.
    client.apiserver_version().await.map_err(|error| RunError::Cluster(error.into()))?;
    pages.ready.store(true, Ordering::Relaxed);

    let me = identity.unwrap_or_else(|| format!("{}-{}", host_name(), fastrand::u32(..)));
    let election = Election::new(client.clone(), &system_namespace, CONTROLLER, me.clone());
    if !no_leader_election {
        tracing::info!(lease = CONTROLLER, namespace = %system_namespace, %me, "waiting for the lease");
        if let Either::Right(_) = select(Box::pin(election.win()), shutdown.clone()).await {
            return Ok(());
        }
    }
    metrics.leads.set(1);
    tracing::info!(%adapter_image, "reconciling");

    let (wake, woken) = mpsc::unbounded();
    let context = Context::new(Parts {
        follower: Follower::new(client.clone(), wake.clone()),
        recorder: Recorder::new(client.clone(), Reporter { controller: CONTROLLER.to_owned(), instance: Some(me) }),
        watched: Watched::default(),
        observations: Arc::new(Observations::default()),
        metrics: metrics.clone(),
        operator: Operator {
            adapter_image,
            system_namespace,
            cluster_domain: cluster_domain::discover(cluster_domain, "/etc/resolv.conf"),
            features: Features::default(),
            logging: None,
            observability: None,
            reference_mapping: std::collections::BTreeMap::new(),
        },
        client,
        wake,
    });
    let names = MapNames {
        features: "config-features".to_owned(),
        logging: config_logging,
        observability: config_observability,
        reference_mapping: "config-kreference-mapping".to_owned(),
    };
    let reconciling = controller::run(Arc::new(context), names, woken, shutdown);
    if no_leader_election {
        reconciling.await;
        return Ok(());
    }
    let lost = matches!(select(Box::pin(reconciling), Box::pin(election.lose())).await, Either::Right(_));
    metrics.leads.set(0);
    if lost {
        return Err(RunError::LeadershipLost);
    }
    if let Err(error) = election.release().await {
        tracing::warn!(%error, "the lease could not be given back, it expires by itself");
    }
    Ok(())
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .unwrap_or_else(|_| "controller".to_owned())
}
