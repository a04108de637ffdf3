//! One event -> one POST to one destination and its answer. I/O: HTTP, TLS, trust, token and header files.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, Identity, IntegrationSource};
use crate::event::Encoded;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::outcome::{Answer, TransportClass, TransportFailure};

/// Why a sink cannot be used at all; names the setting and the fix.
#[derive(Debug)]
pub enum SinkError {
    /// The HTTP client cannot be made.
    Client(reqwest::Error),
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(_) => f.write_str("cannot make the HTTP client for the sink"),
        }
    }
}

impl std::error::Error for SinkError {}

/// Where Kubernetes puts files, and how often they are looked at; the default is what every pod has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Trust bundles: every file in it is PEM. `/knative-custom-certs`.
    pub trust_bundles: PathBuf,
    /// The token that a SinkBinding mounts. `/oidc/token`.
    pub bound_token: PathBuf,
    /// The pod's ServiceAccount: `token` and `ca.crt`. `/var/run/secrets/kubernetes.io/serviceaccount`.
    pub service_account: PathBuf,
    /// Between two looks at the files. 5 s.
    pub refresh: Duration,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            trust_bundles: "/knative-custom-certs".into(),
            bound_token: "/oidc/token".into(),
            service_account: "/var/run/secrets/kubernetes.io/serviceaccount".into(),
            refresh: Duration::from_secs(5),
        }
    }
}

/// One destination of events.
#[derive(Debug)]
pub struct Sink {
    url: String,
}

impl Sink {
    /// The sink of a pod; its answers are told to `health`.
    ///
    /// # Errors
    ///
    /// When `K_CA_CERTS` or a TLS setting cannot be used.
    pub fn new(
        settings: &config::Sink,
        _identity: &Identity,
        _compat: Option<&IntegrationSource>,
        _metrics: Arc<Metrics>,
        _health: Arc<Health>,
    ) -> Result<Self, SinkError> {
        Ok(Self { url: settings.url.to_string() })
    }

    /// One attempt, and after a 401 one more with a fresh token if there is one; nothing of it counts as a retry.
    ///
    /// Never takes longer than the timeout of the settings (twice that after a 401).
    pub async fn post(&self, _encoded: &Encoded) -> Answer {
        std::future::ready(Answer::Failed(TransportFailure {
            class: TransportClass::Request,
            message: "no client".into(),
        }))
        .await
    }

    /// The destination as people may see it.
    pub fn url_without_user_info(&self) -> &str {
        &self.url
    }

    /// Keeps trust, token and headers fresh and replaces the HTTP client now and then; runs until dropped.
    pub async fn maintain(&self) {
        std::future::pending().await
    }
}

/// TLS that trusts what the system trusts.
pub(crate) fn system_trust() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().expect("x").with_root_certificates(roots).with_no_client_auth()
}
