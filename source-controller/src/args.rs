//! What the user typed -> what to do. Pure.

use std::net::SocketAddr;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Reconciles AwsSqsSource objects into sqs-bridge adapters.
#[derive(Debug, Parser)]
#[command(name = "source-controller", version, about)]
pub struct Args {
    /// What to do; without a command the controller runs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of the controller.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the controller against the cluster of KUBECONFIG, or the one it runs in (the default).
    Run,
    /// Print the CustomResourceDefinition of AwsSqsSource as YAML.
    Crd,
    /// Print every manifest that a cluster needs, in the order to apply them.
    Manifests,
}

/// Settings of the controller.
#[derive(Clone, Debug, ClapArgs)]
pub struct RunArgs {
    /// Image that adapters run.
    #[arg(long, env = "AWSSQS_RA_IMAGE", default_value = "registry.local/sqs-bridge:1", value_name = "IMAGE")]
    pub adapter_image: String,
    /// Namespace of the controller's lease, of Knative's settings and of trust bundles.
    #[arg(long, env = "SYSTEM_NAMESPACE", default_value = "knative-eventing", value_name = "NAMESPACE")]
    pub system_namespace: String,
    /// Domain of the cluster's services; by default the one of /etc/resolv.conf, else cluster.local.
    #[arg(long, env = "CLUSTER_DOMAIN", value_name = "DOMAIN")]
    pub cluster_domain: Option<String>,
    /// Where /health, /readiness and /metrics are served.
    #[arg(long, env = "ADMIN_ADDR", default_value = "[::]:8080", value_name = "ADDRESS")]
    pub admin_addr: SocketAddr,
    /// Name of this replica in the lease; by default the host's name and a random number.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub identity: Option<String>,
    /// Reconcile without asking for the lease: only when no other replica runs.
    #[arg(long)]
    pub no_leader_election: bool,
    /// Name of the ConfigMap with log settings of adapters.
    #[arg(long, env = "CONFIG_LOGGING_NAME", default_value = "config-logging", value_name = "NAME")]
    pub config_logging: String,
    /// Name of the ConfigMap with metrics and trace settings of adapters.
    #[arg(long, env = "CONFIG_OBSERVABILITY_NAME", default_value = "config-observability", value_name = "NAME")]
    pub config_observability: String,
    /// Which log lines are written, such as info or source_controller=debug.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_name = "FILTER")]
    pub log_level: String,
    /// Write log lines as JSON.
    #[arg(long, env = "LOG_JSON")]
    pub log_json: bool,
}
