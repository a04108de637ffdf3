//! Trust bundles of the system namespace -> their copies in a source's namespace. I/O: Kubernetes reads and writes.
//!
//! Knative's own sources keep the same copies: owners are shared, and users' own bundles are never touched.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, DeleteParams, PostParams, Preconditions};
use kube::{Client, ResourceExt};
use serde_json::json;

use super::apply::ApplyError;
use super::validate::{Owner, certificates};
use crate::cache::Cache;
use crate::child_name;
use crate::watched::{WatchedBundle, digest_of};

/// The label of ConfigMaps that are trust bundles; its value is `true`.
pub const LABEL: &str = "networking.knative.dev/trust-bundle";

/// The bundle that holds the certificates of all the others.
const COMBINED: &str = "kn-combined-kne-bundle";

/// A ConfigMap takes 1 MiB; base64 needs a third more. Knative stops at the same size.
const COMBINED_LIMIT: usize = 1_000_000;

/// One copy as it shall be, but for its owners.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copy {
    /// Labels of the origin.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the origin.
    pub annotations: BTreeMap<String, String>,
    /// Texts of the origin.
    pub data: BTreeMap<String, String>,
    /// Bytes of the origin.
    pub binary_data: BTreeMap<String, ByteString>,
}

/// The copies that every namespace with a source gets, by name.
pub type Copies = BTreeMap<String, Copy>;

/// The copies of these bundles of the system namespace, and one of all their valid certificates. Pure.
pub fn copies(origins: &[ConfigMap]) -> Copies {
    let mut origins: Vec<&ConfigMap> = origins.iter().collect();
    origins.sort_by_key(|origin| origin.name_any());
    let mut copies: Copies =
        origins.iter().map(|origin| (child_name::bundle_copy(&origin.name_any()), copy(origin))).collect();
    let combined = combined(&origins);
    if !combined.is_empty() {
        let copy = Copy {
            labels: BTreeMap::from([(LABEL.to_owned(), "true".to_owned())]),
            binary_data: BTreeMap::from([(format!("{COMBINED}.pem"), ByteString(combined.into_bytes()))]),
            ..Copy::default()
        };
        copies.insert(child_name::bundle_copy(COMBINED), copy);
    }
    copies
}

/// Brings the copies of a namespace up to date for one more owner; returns the names of all bundles there, sorted.
///
/// # Errors
/// The API server refuses.
pub async fn propagate(
    client: &Client,
    cache: &Cache<WatchedBundle>,
    copies: &Copies,
    owner: &Owner,
) -> Result<Vec<String>, ApplyError> {
    let here = cache.of(&(owner.namespace.clone(), String::new()));
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), &owner.namespace);
    let mut names: Vec<String> = here.iter().map(|bundle| bundle.name_any()).collect();
    for (name, copy) in copies {
        let known = here.iter().find(|bundle| bundle.name_any() == *name);
        if !known.is_some_and(|known| is_current(known, copy, owner)) {
            write(&api, name, copy, owner).await?;
        }
        if known.is_none() {
            names.push(name.clone());
        }
    }
    for bundle in here.iter().filter(|bundle| owns(&bundle.metadata.owner_references, owner)) {
        if !copies.contains_key(&bundle.name_any()) {
            delete(&api, bundle).await?;
            names.retain(|name| *name != bundle.name_any());
        }
    }
    names.sort();
    Ok(names)
}

fn copy(origin: &ConfigMap) -> Copy {
    let mut annotations = origin.metadata.annotations.clone().unwrap_or_default();
    annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    Copy {
        labels: origin.metadata.labels.clone().unwrap_or_default(),
        annotations,
        data: origin.data.clone().unwrap_or_default(),
        binary_data: origin.binary_data.clone().unwrap_or_default(),
    }
}

fn combined(origins: &[&ConfigMap]) -> String {
    let mut text = String::new();
    for pem in origins.iter().flat_map(|origin| origin.data.iter().flat_map(BTreeMap::values)) {
        for certificate in certificates::valid(pem) {
            let encoded = certificates::pem(&certificate);
            if text.len() + encoded.len() > COMBINED_LIMIT {
                return text;
            }
            text.push_str(&encoded);
        }
    }
    text
}

fn is_current(known: &WatchedBundle, copy: &Copy, owner: &Owner) -> bool {
    let has = |wanted: &BTreeMap<String, String>, present: &BTreeMap<String, String>| {
        wanted.iter().all(|(key, value)| present.get(key) == Some(value))
    };
    owns(&known.metadata.owner_references, owner)
        && has(&copy.labels, known.labels())
        && has(&copy.annotations, known.annotations())
        && known.data == digest_of(&json!(copy.data))
        && known.binary_data == digest_of(&json!(copy.binary_data))
}

fn owns(references: &Option<Vec<OwnerReference>>, owner: &Owner) -> bool {
    references.iter().flatten().any(|reference| reference.uid == owner.uid)
}

/// One entry for this source beside those of all others.
fn with_owner(references: Option<Vec<OwnerReference>>, owner: &Owner) -> Vec<OwnerReference> {
    let mut references: Vec<OwnerReference> = references.unwrap_or_default();
    references.retain(|reference| !(reference.kind == "AwsSqsSource" && reference.name == owner.name));
    references.push(OwnerReference {
        api_version: "sources.knative.dev/v1alpha1".to_owned(),
        kind: "AwsSqsSource".to_owned(),
        name: owner.name.clone(),
        uid: owner.uid.clone(),
        ..OwnerReference::default()
    });
    references.sort_by(|one, other| one.name.cmp(&other.name));
    references
}

/// Many writers share a copy, so it is read and replaced at its version rather than applied; two rounds settle a race.
async fn write(api: &Api<ConfigMap>, name: &str, copy: &Copy, owner: &Owner) -> Result<(), ApplyError> {
    let refused =
        |error| ApplyError::Refused(format!("writing the trust bundle {}/{name} failed", owner.namespace), error);
    let mut tries = 3;
    loop {
        tries -= 1;
        let live = api.get_opt(name).await.map_err(refused)?;
        let outcome = match live {
            Some(live) => api.replace(name, &PostParams::default(), &wanted(name, copy, owner, Some(&live))).await,
            None => api.create(&PostParams::default(), &wanted(name, copy, owner, None)).await,
        };
        match outcome {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 && tries > 0 => {}
            Err(error) => return Err(refused(error)),
        }
    }
}

fn wanted(name: &str, copy: &Copy, owner: &Owner, live: Option<&ConfigMap>) -> ConfigMap {
    let mut map = ConfigMap {
        data: Some(copy.data.clone()).filter(|data| !data.is_empty()),
        binary_data: Some(copy.binary_data.clone()).filter(|data| !data.is_empty()),
        ..ConfigMap::default()
    };
    map.metadata.name = Some(name.to_owned());
    map.metadata.namespace = Some(owner.namespace.clone());
    map.metadata.labels = Some(copy.labels.clone());
    map.metadata.annotations = Some(copy.annotations.clone()).filter(|annotations| !annotations.is_empty());
    map.metadata.resource_version = live.and_then(|live| live.metadata.resource_version.clone());
    map.metadata.owner_references =
        Some(with_owner(live.and_then(|live| live.metadata.owner_references.clone()), owner));
    map
}

async fn delete(api: &Api<ConfigMap>, bundle: &WatchedBundle) -> Result<(), ApplyError> {
    let name = bundle.name_any();
    let same =
        Preconditions { uid: bundle.metadata.uid.clone(), resource_version: bundle.metadata.resource_version.clone() };
    match api.delete(&name, &DeleteParams { preconditions: Some(same), ..DeleteParams::default() }).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(ApplyError::Refused(format!("deleting the trust bundle {name} failed"), error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const CERTIFICATE: &str = include_str!("../../fixtures/ca.pem");

    fn origin(name: &str, data: &[(&str, &str)]) -> ConfigMap {
        let data: Value =
            data.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into();
        serde_json::from_value(json!({
            "metadata": {
                "name": name,
                "namespace": "knative-eventing",
                "labels": {LABEL: "true"},
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "…", "a": "b"},
            },
            "data": data,
        }))
        .unwrap()
    }

    #[test]
    fn each_bundle_is_copied_and_all_valid_certificates_are_combined() {
        let copies =
            copies(&[origin("z", &[("b", CERTIFICATE), ("a", "junk")]), origin("a", &[("ca.crt", CERTIFICATE)])]);
        let names: Vec<&str> = copies.keys().map(String::as_str).collect();
        assert_eq!(names, ["akne-bundle", "kn-combined-kne-bundlekne-bundle", "zkne-bundle"]);
        let combined = &copies["kn-combined-kne-bundlekne-bundle"].binary_data["kn-combined-kne-bundle.pem"];
        assert_eq!(String::from_utf8(combined.0.clone()).unwrap(), CERTIFICATE.repeat(2));
        assert_eq!(copies["akne-bundle"].annotations, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    }

    #[test]
    fn without_bundles_there_is_nothing_to_combine() {
        assert_eq!(copies(&[]), Copies::new());
    }

    #[test]
    fn owners_are_shared_and_a_source_that_was_made_again_replaces_itself() {
        let owner = |uid: &str| Owner { name: "m".to_owned(), namespace: "ns".to_owned(), uid: uid.to_owned() };
        let other = OwnerReference {
            name: "a".to_owned(),
            kind: "SinkBinding".to_owned(),
            uid: "1".to_owned(),
            ..OwnerReference::default()
        };
        let once = with_owner(Some(vec![other.clone()]), &owner("2"));
        let again = with_owner(Some(once), &owner("3"));
        let seen: Vec<(&str, &str)> = again.iter().map(|owner| (owner.name.as_str(), owner.uid.as_str())).collect();
        assert_eq!(seen, [("a", "1"), ("m", "3")]);
        assert!(again.iter().all(|owner| owner.controller.is_none()));
    }
}
