//! What the operator of the cluster decided once for all sources. Pure.

use std::collections::BTreeMap;

pub use features::{Features, TransportEncryption};

pub mod features;
pub mod logging;
pub mod observability;

/// The data of a ConfigMap.
pub type Data = BTreeMap<String, String>;

/// What the operator of the cluster decided once for all sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// The image that adapters run.
    pub adapter_image: String,
    /// The namespace of the controller, of Knative's settings and of trust bundles.
    pub system_namespace: String,
    /// The domain of the cluster's services, usually `cluster.local`.
    pub cluster_domain: String,
    /// `config-features`.
    pub features: Features,
    /// `config-logging`, as adapters get it.
    pub logging: Option<String>,
    /// `config-observability`, as adapters get it, or why it cannot be used.
    pub observability: Option<observability::Forwarded>,
    /// `config-kreference-mapping`: kind -> URL template.
    pub reference_mapping: Data,
}

/// The ConfigMaps of the system namespace, as they are now; absent ones are `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemMaps {
    /// `config-features`.
    pub features: Option<Data>,
    /// `config-logging`.
    pub logging: Option<Data>,
    /// `config-observability`.
    pub observability: Option<Data>,
    /// `config-kreference-mapping`.
    pub reference_mapping: Option<Data>,
}

impl Operator {
    /// The same operator after its ConfigMaps changed.
    pub fn with_maps(&self, maps: &SystemMaps) -> Self {
        let empty = Data::new();
        Self {
            features: Features::parse(maps.features.as_ref().unwrap_or(&empty)),
            logging: maps.logging.as_ref().and_then(logging::forward),
            observability: maps.observability.as_ref().map(observability::forward),
            reference_mapping: maps.reference_mapping.clone().unwrap_or_default(),
            ..self.clone()
        }
    }

    /// Whether adapters tell of failed deliveries in Kubernetes Events.
    pub fn wants_reports(&self) -> bool {
        self.observability.as_ref().is_some_and(|forwarded| forwarded.reports_failed_deliveries)
    }
}
