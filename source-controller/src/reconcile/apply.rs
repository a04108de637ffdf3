//! Objects that a source wants -> the same objects on the API server, written only if something differs. I/O: Kubernetes writes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::core::ApiResource;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::build::{CONTROLLER, TEMPLATE_HASH};
use super::matches::covers;
use crate::watched::digest_of;

/// How often a write at an old version is tried again.
const TRIES: u32 = 5;
/// How often an object is taken over: what somebody adds between the replacing and the claim to own it alone belongs to
/// nobody then, and no later apply would take it away.
const ROUNDS: u32 = 3;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was right already.
    Kept,
    /// It did not exist.
    Created,
    /// It differed.
    Updated,
    /// It was made by another controller for this source and is ours now.
    Adopted,
}

/// Why an object is not as it should be.
#[derive(Debug)]
pub enum ApplyError {
    /// It exists and belongs to somebody else.
    Foreign(String),
    /// The API server refused or could not be reached: what was done to what.
    Refused(String, kube::Error),
}

impl std::fmt::Display for ApplyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Foreign(problem) => f.write_str(problem),
            Self::Refused(what, kube::Error::Api(status)) => write!(f, "{what}: {}", status.message),
            Self::Refused(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for ApplyError {}

impl ApplyError {
    /// True if the API server understood the object and found it wrong: trying again does not help.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Refused(_, kube::Error::Api(status)) if status.code == 422 || status.code == 400)
    }
}

/// What was written or found right last, so that an unchanged object is not even read again.
#[derive(Debug, Default)]
pub struct Settled(Mutex<HashMap<Place, (String, String)>>);

/// Kind, namespace and name.
type Place = (String, String, String);

impl Settled {
    /// Forgets everything in a namespace that belonged to a source.
    pub fn forget(&self, place: &Place) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    fn holds(&self, place: &Place, desired: &str, version: Option<&str>) -> bool {
        let settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get(place).is_some_and(|(wanted, found)| wanted == desired && Some(found.as_str()) == version)
    }

    fn note(&self, place: Place, desired: String, version: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, (desired, version));
    }
}

/// An object that a source wants.
pub struct Wanted<'a> {
    /// Its kind.
    pub resource: &'a ApiResource,
    /// Its contents.
    pub object: &'a Value,
    /// The UID that its controller must have.
    pub owner: &'a str,
    /// The version of the object that the watch has shown last, as [`version`] makes it; nothing if it has shown none.
    pub seen: Option<String>,
}

/// Makes the object what it shall be. Nothing is sent if nothing changed since the last time; then there is no answer either.
///
/// # Errors
/// It belongs to somebody else, or the API server refuses.
pub async fn ensure(
    client: &Client,
    settled: &Settled,
    wanted: &Wanted<'_>,
) -> Result<(Change, Option<DynamicObject>), ApplyError> {
    let &Wanted { resource, object, owner, ref seen } = wanted;
    let (namespace, name) = named(object);
    let place = (resource.kind.clone(), namespace.to_owned(), name.to_owned());
    let desired = digest_of(object).unwrap_or_default();
    if settled.holds(&place, &desired, seen.as_deref()) {
        return Ok((Change::Kept, None));
    }
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
    let what = format!("{} {namespace}/{name}", resource.kind);
    let live = api.get_opt(name).await.map_err(|error| ApplyError::Refused(format!("reading {what} failed"), error))?;
    if let Some(live) = &live {
        refuse_foreign(live, owner, &what)?;
    }
    let (change, now) = match &live {
        Some(live) if is_half_taken_over(live) => (Change::Updated, take_over(&api, live, object, &what).await?),
        Some(live) if covers(object, &json_of(live)) => (Change::Kept, live.clone()),
        Some(live) if resource.kind == "Deployment" && !live.annotations().contains_key(TEMPLATE_HASH) => {
            (Change::Adopted, take_over(&api, live, object, &what).await?)
        }
        Some(live) => {
            let now = apply(&api, object, &what).await?;
            let leftovers = resource.kind == "Deployment" && !covers(object, &json_of(&now));
            let now = if leftovers { take_over(&api, &now, object, &what).await? } else { now };
            (if version(&now) == version(live) { Change::Kept } else { Change::Updated }, now)
        }
        None => (Change::Created, apply(&api, object, &what).await?),
    };
    settled.note(place, desired, version(&now));
    Ok((change, Some(now)))
}

/// Deletes an object that the source controls and no longer wants.
///
/// # Errors
/// The API server refuses.
pub async fn remove(
    client: &Client,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
    owner: &str,
) -> Result<(), ApplyError> {
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
    let what = format!("deleting {} {namespace}/{name} failed", resource.kind);
    let Some(live) = api.get_opt(name).await.map_err(|error| ApplyError::Refused(what.clone(), error))? else {
        return Ok(());
    };
    if controller(&live) != Some(owner) {
        return Ok(());
    }
    let same = Preconditions { uid: live.metadata.uid.clone(), resource_version: None };
    match api.delete(name, &DeleteParams { preconditions: Some(same), ..DeleteParams::background() }).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(ApplyError::Refused(what, error)),
    }
}

/// What tells whether an object was changed by anybody: its generation where it has one (status does not count then), else its version.
pub fn version<K: kube::Resource>(object: &K) -> String {
    let metadata = object.meta();
    match metadata.generation {
        Some(generation) => {
            let owners = metadata.owner_references.as_ref().map_or(0, Vec::len);
            let marks = json!([metadata.labels, metadata.annotations, owners]);
            format!("{generation}-{}", digest_of(&marks).unwrap_or_default())
        }
        None => metadata.resource_version.clone().unwrap_or_default(),
    }
}

fn named(object: &Value) -> (&str, &str) {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    (field("namespace"), field("name"))
}

fn json_of(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

fn controller(object: &DynamicObject) -> Option<&str> {
    object.owner_references().iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
}

fn refuse_foreign(live: &DynamicObject, owner: &str, what: &str) -> Result<(), ApplyError> {
    if controller(live) == Some(owner) {
        return Ok(());
    }
    let kind = live.types.as_ref().map_or("object", |types| types.kind.as_str()).to_lowercase();
    Err(ApplyError::Foreign(format!(
        "{kind} {:?} is not owned by AwsSqsSource of UID {owner:?}: delete or rename {what}, or rename the source",
        live.name_any()
    )))
}

async fn apply(api: &Api<DynamicObject>, object: &Value, what: &str) -> Result<DynamicObject, ApplyError> {
    let (_, name) = named(object);
    api.patch(name, &PatchParams::apply(CONTROLLER).force(), &Patch::Apply(object))
        .await
        .map_err(|error| ApplyError::Refused(format!("applying {what} failed"), error))
}

/// Replaces what others wrote into the parts that are ours: an apply alone would leave their list items in place.
async fn take_over(
    api: &Api<DynamicObject>,
    live: &DynamicObject,
    object: &Value,
    what: &str,
) -> Result<DynamicObject, ApplyError> {
    let refused = |error| ApplyError::Refused(format!("replacing {what} failed"), error);
    let mut now = live.clone();
    for _ in 0..ROUNDS {
        let replaced = replace(api, now, object).await.map_err(refused)?;
        own_alone(api, replaced).await.map_err(refused)?;
        now = apply(api, object, what).await?;
        if covers(object, &json_of(&now)) {
            break;
        }
    }
    Ok(now)
}

/// Others write status meanwhile, so a write at an old version is tried again with the new one.
async fn replace(
    api: &Api<DynamicObject>,
    mut now: DynamicObject,
    object: &Value,
) -> Result<DynamicObject, kube::Error> {
    let (_, name) = named(object);
    let parameters = PostParams { field_manager: Some(CONTROLLER.to_owned()), ..PostParams::default() };
    for _ in 0..TRIES {
        match api.replace(name, &parameters, &replacing(&now, object)?).await {
            Err(error) if is_conflict(&error) => now = api.get(name).await?,
            outcome => return outcome,
        }
    }
    api.replace(name, &parameters, &replacing(&now, object)?).await
}

/// Says that the fields are ours and nobody else's; tried again as above.
async fn own_alone(api: &Api<DynamicObject>, mut now: DynamicObject) -> Result<DynamicObject, kube::Error> {
    let name = now.name_any();
    let parameters = PatchParams { field_manager: Some(CONTROLLER.to_owned()), ..PatchParams::default() };
    for _ in 0..TRIES {
        match api.patch(&name, &parameters, &Patch::Merge(owned_by_us(&now))).await {
            Err(error) if is_conflict(&error) => now = api.get(&name).await?,
            outcome => return outcome,
        }
    }
    api.patch(&name, &parameters, &Patch::Merge(owned_by_us(&now))).await
}

fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

fn owned_by_us(object: &DynamicObject) -> Value {
    json!({"metadata": {
        "resourceVersion": object.metadata.resource_version,
        "managedFields": applied_by_us(object),
    }})
}

/// The object with our parts as they shall be, and nothing else changed.
fn replacing(now: &DynamicObject, object: &Value) -> Result<DynamicObject, kube::Error> {
    let mut replaced = json_of(now);
    for part in ["labels", "annotations"] {
        for (key, value) in object["metadata"][part].as_object().into_iter().flatten() {
            replaced["metadata"][part][key] = value.clone();
        }
    }
    for (field, value) in object["spec"].as_object().into_iter().flatten() {
        replaced["spec"][field] = value.clone();
    }
    serde_json::from_value(replaced).map_err(kube::Error::SerdeError)
}

/// True if the object was replaced by us and nobody was left to say that its fields are ours alone.
fn is_half_taken_over(object: &DynamicObject) -> bool {
    object.managed_fields().iter().any(|entry| {
        entry.manager.as_deref() == Some(CONTROLLER)
            && entry.operation.as_deref() == Some("Update")
            && entry.subresource.is_none()
    })
}

/// The owners of fields as they are if we had always applied: nobody but us, and whoever writes status.
fn applied_by_us(object: &DynamicObject) -> Vec<Value> {
    let entries = object.managed_fields().iter().filter_map(|entry| {
        let mut entry = serde_json::to_value(entry).ok()?;
        let ours = entry["manager"] == CONTROLLER && entry.get("subresource").is_none();
        if ours {
            entry["operation"] = json!("Apply");
        }
        (ours || entry.get("subresource").is_some()).then_some(entry)
    });
    entries.collect()
}
