//! Knative's duck types: where an event may go and what may be set on it. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reference to an object that has an address.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KReference {
    /// The API version of the object, such as eventing.knative.dev/v1.
    #[schemars(length(max = 253))]
    pub api_version: String,
    /// The kind of the object, such as Broker, Channel or Service.
    #[schemars(length(max = 63))]
    pub kind: String,
    /// The name of the object.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The namespace of the object. Defaults to the namespace of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub namespace: Option<String>,
    /// The name of one of the object's addresses. Defaults to the first address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub address: Option<String>,
}

/// Where events go: an object with an address, a URI, or a URI relative to the object's address.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// An object that has an address: a Service, or anything that is Addressable, such as a Broker or a Channel.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<KReference>,
    /// An absolute http or https URL, or, with ref, a URI that is resolved against the object's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub uri: Option<String>,
    /// PEM certificates to trust beside the system's and the cluster's trust bundles. They replace those that the object's address names.
    #[serde(rename = "CACerts", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub ca_certs: Option<String>,
    /// The OIDC audience of the destination. It replaces the one that the object's address names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub audience: Option<String>,
}

/// `spec.sink`: a Destination, or the flat reference of eventing-awssqs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sink {
    /// An object that has an address: a Service, or anything that is Addressable, such as a Broker or a Channel.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<KReference>,
    /// An absolute http or https URL, or, with ref, a URI that is resolved against the object's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub uri: Option<String>,
    /// PEM certificates to trust beside the system's and the cluster's trust bundles. They replace those that the object's address names.
    #[serde(rename = "CACerts", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub ca_certs: Option<String>,
    /// The OIDC audience of the sink. It replaces the one that the object's address names.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub audience: Option<String>,
    /// The flat form of eventing-awssqs: the API version of an object in the source's namespace. Use ref instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub api_version: Option<String>,
    /// The flat form of eventing-awssqs: the kind of an object in the source's namespace. Events keep the eventing-awssqs format by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub kind: Option<String>,
    /// The flat form of eventing-awssqs: the name of an object in the source's namespace. Use ref instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub name: Option<String>,
    /// Tolerated in the flat form and not used: a flat sink is in the source's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub namespace: Option<String>,
    /// Tolerated in the flat form and not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub uid: Option<String>,
    /// Tolerated in the flat form and not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub resource_version: Option<String>,
    /// Tolerated in the flat form and not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub field_path: Option<String>,
}

impl Sink {
    /// True for the flat form of eventing-awssqs.
    pub fn is_flat(&self) -> bool {
        self.kind.is_some()
    }

    /// The same sink as a Destination; a flat reference becomes one into the source's own namespace.
    pub fn destination(&self) -> Destination {
        let flat = match (&self.api_version, &self.kind, &self.name) {
            (Some(api_version), Some(kind), Some(name)) => Some(KReference {
                api_version: api_version.clone(),
                kind: kind.clone(),
                name: name.clone(),
                ..KReference::default()
            }),
            _ => None,
        };
        Destination {
            reference: flat.or_else(|| self.reference.clone()),
            uri: self.uri.clone(),
            ca_certs: self.ca_certs.clone(),
            audience: self.audience.clone(),
        }
    }
}

/// A Secret whose keys become request headers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct SinkHeadersSecret {
    /// The Secret's name. It may be missing: then events are sent without these headers, and DeliveryHealthy says so.
    #[schemars(length(max = 253))]
    pub name: String,
}

/// Attributes that are set on every event.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct CloudEventOverrides {
    /// Extension attributes by name, 1 to 20 lower-case letters or digits. The attributes that CloudEvents itself defines cannot be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<BTreeMap<String, String>>,
}
