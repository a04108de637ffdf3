//! Where Kubernetes puts files for a sink. Pure.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::IntegrationSource;

/// Where Kubernetes puts files, and how often they are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Trust bundles: every file in it is PEM. `/knative-custom-certs`.
    pub trust_bundles: PathBuf,
    /// One more PEM file that may be missing: IntegrationSource's.
    pub ca_file: Option<PathBuf>,
    /// The token that a SinkBinding mounts. `/oidc/token`, or where IntegrationSource says.
    pub bound_token: Option<PathBuf>,
    /// The pod's ServiceAccount: `token` and `ca.crt`. `/var/run/secrets/kubernetes.io/serviceaccount`.
    pub service_account: PathBuf,
    /// Between two looks at the files. 5 s.
    pub refresh: Duration,
}

impl Surroundings {
    /// Those of every pod, with what IntegrationSource adds.
    pub fn of_pod(compat: Option<&IntegrationSource>) -> Self {
        let token = compat.and_then(|compat| compat.token_file.clone());
        Self {
            trust_bundles: "/knative-custom-certs".into(),
            ca_file: compat.and_then(|compat| compat.ca_file.clone()),
            bound_token: Some(token.unwrap_or_else(|| "/oidc/token".into())),
            service_account: "/var/run/secrets/kubernetes.io/serviceaccount".into(),
            refresh: Duration::from_secs(5),
        }
    }
}
