//! A Destination -> where to POST. I/O: reads of Kubernetes objects.

use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, discovery};

use address::AddressStatus;
pub use address::Addressable;

use crate::crd::{Destination, KReference};
use crate::operator::Operator;
use crate::sinks::Target;

pub mod address;

/// Why a Destination has no address.
#[derive(Debug)]
pub enum Unresolved {
    /// None is set.
    Empty,
    /// What it names does not exist or has no address: the sentence says which and what to do.
    NotFound(String),
    /// The API server could not be asked.
    Unasked(String, kube::Error),
}

impl std::fmt::Display for Unresolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("spec.sink is not set: set it to where events shall go"),
            Self::NotFound(problem) => f.write_str(problem),
            Self::Unasked(what, _) => write!(f, "reading {what} from the API server failed"),
        }
    }
}

impl std::error::Error for Unresolved {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Empty | Self::NotFound(_) => None,
            Self::Unasked(_, error) => Some(error),
        }
    }
}

/// The object that a Destination names, with its namespace filled in.
pub fn target(destination: &Destination, namespace: &str) -> Option<Target> {
    let reference = destination.reference.as_ref()?;
    Some(Target {
        api_version: reference.api_version.clone(),
        kind: reference.kind.clone(),
        namespace: reference.namespace.clone().filter(|own| !own.is_empty()).unwrap_or_else(|| namespace.to_owned()),
        name: reference.name.clone(),
    })
}

/// Where to POST for this Destination of a source in `namespace`.
///
/// # Errors
/// Why there is no such place.
pub async fn resolve(
    client: &Client,
    destination: &Destination,
    namespace: &str,
    operator: &Operator,
) -> Result<Addressable, Unresolved> {
    let (Some(reference), Some(target)) = (&destination.reference, target(destination, namespace)) else {
        return address::of_uri(destination).map_err(Unresolved::NotFound);
    };
    let address = match mapped(reference, &target, destination, operator) {
        Some(address) => address,
        None => of_object(client, reference, &target, destination, operator).await?,
    };
    address::with_relative(address, destination.uri.as_deref()).map_err(Unresolved::NotFound)
}

/// The address by `config-kreference-mapping`, whose keys are `<kind>.<version>.<group>`, without a group for core kinds.
fn mapped(
    reference: &KReference,
    target: &Target,
    destination: &Destination,
    operator: &Operator,
) -> Option<Addressable> {
    let key = match reference.api_version.rsplit_once('/') {
        Some((group, version)) => format!("{}.{version}.{group}", reference.kind),
        None => format!("{}.{}", reference.kind, reference.api_version),
    };
    let template = operator.features.reference_mapping.then(|| operator.reference_mapping.get(&key)).flatten()?;
    let values = address::Values {
        name: &target.name,
        namespace: &target.namespace,
        system_namespace: &operator.system_namespace,
    };
    Some(Addressable {
        url: address::of_template(template, &values),
        ca_certs: destination.ca_certs.clone(),
        audience: destination.audience.clone(),
    })
}

async fn of_object(
    client: &Client,
    reference: &KReference,
    target: &Target,
    destination: &Destination,
    operator: &Operator,
) -> Result<Addressable, Unresolved> {
    let what = format!("{} {} {}/{}", target.api_version, target.kind, target.namespace, target.name);
    let resource = served(client, &target.api_version, &target.kind).await?;
    let objects: Api<DynamicObject> = Api::namespaced_with(client.clone(), &target.namespace, &resource);
    let object = match objects.get_opt(&target.name).await {
        Ok(Some(object)) => object,
        Ok(None) => return Err(Unresolved::NotFound(format!("{what} not found: create it or correct the reference"))),
        Err(kube::Error::Api(status)) if status.code == 403 => return Err(forbidden(&what, &resource)),
        Err(error) => return Err(Unresolved::Unasked(what, error)),
    };
    if reference.api_version == "v1" && reference.kind == "Service" {
        return Ok(address::of_service(reference, &target.namespace, destination, &operator.cluster_domain));
    }
    let status = object.data.get("status").cloned().unwrap_or_default();
    let status: AddressStatus = serde_json::from_value(status)
        .map_err(|error| Unresolved::NotFound(format!("the address of {what} cannot be read: {error}")))?;
    address::of_status(reference, &target.namespace, destination, &status).map_err(Unresolved::NotFound)
}

/// How the API server calls a kind, if it serves it.
pub async fn served(client: &Client, api_version: &str, kind: &str) -> Result<ApiResource, Unresolved> {
    if api_version == "v1" && kind == "Service" {
        return Ok(ApiResource::erase::<k8s_openapi::api::core::v1::Service>(&()));
    }
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let unknown = || {
        Unresolved::NotFound(format!(
            "no kind {kind} in {api_version} on this cluster: install it or correct the reference"
        ))
    };
    match discovery::pinned_kind(client, &GroupVersionKind::gvk(group, version, kind)).await {
        Ok((resource, _)) => Ok(resource),
        Err(kube::Error::Api(status)) if status.code == 404 => Err(unknown()),
        Err(kube::Error::Discovery(_)) => Err(unknown()),
        Err(error) => Err(Unresolved::Unasked(format!("the kinds of {api_version}"), error)),
    }
}

fn forbidden(what: &str, resource: &ApiResource) -> Unresolved {
    let resource = match resource.group.as_str() {
        "" => resource.plural.clone(),
        group => format!("{}.{group}", resource.plural),
    };
    Unresolved::NotFound(format!(
        "reading {what} is forbidden: give a ClusterRole with the label duck.knative.dev/addressable=true the verbs get, list and watch on {resource}"
    ))
}
