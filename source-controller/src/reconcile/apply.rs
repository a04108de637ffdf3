//! Objects that a source wants -> the same objects on the API server, written only if something differs. I/O: Kubernetes writes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::core::ApiResource;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::build::{CONTROLLER, TEMPLATE_HASH};
use super::matches::covers;
use super::validate::Owner;
use crate::cache::Group;
use crate::watched::{Digest, controller, digest_of, version};

/// How often a write at an old version is tried again.
const TRIES: u32 = 5;
/// How often an object is taken over: what somebody adds between the replacing and the claim to own it alone belongs to
/// nobody then, and no later apply would take it away. The bound is for admission that adds something else each time.
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

/// What was written or found right last, by source, so that an unchanged object is not even read again.
#[derive(Debug, Default)]
pub struct Settled(Mutex<HashMap<Group, Vec<Settlement>>>);

/// One object of a source; digests stand for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settlement {
    /// Of its kind and name.
    place: Digest,
    /// Of what was wanted.
    desired: Digest,
    /// What [`version`] said of what was found.
    found: Digest,
}

impl Settled {
    /// Forgets a source.
    pub fn forget(&self, source: &Group) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }

    /// Forgets all other sources.
    pub fn retain(&self, exists: impl Fn(&Group) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|source, _| exists(source));
    }

    fn holds(&self, source: &Group, settlement: &Settlement) -> bool {
        let settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get(source).is_some_and(|known| known.contains(settlement))
    }

    fn note(&self, source: Group, settlement: Settlement) {
        let mut settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = settled.entry(source).or_default();
        known.retain(|other| other.place != settlement.place);
        known.push(settlement);
    }
}

/// An object that a source wants.
pub struct Wanted<'a> {
    /// Its kind.
    pub resource: &'a ApiResource,
    /// Its contents.
    pub object: &'a Value,
    /// The source, which must be its controller.
    pub owner: &'a Owner,
    /// The version of the object that the watch has shown last, as [`version`] makes it; nothing if it has shown none.
    pub seen: Option<Digest>,
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
    let &Wanted { resource, object, owner, seen } = wanted;
    let (namespace, name) = named(object);
    let source = (owner.namespace.clone(), owner.name.clone());
    let place = digest_of(&json!([resource.kind, name])).unwrap_or_default();
    let desired = digest_of(object).unwrap_or_default();
    if seen.is_some_and(|found| settled.holds(&source, &Settlement { place, desired, found })) {
        return Ok((Change::Kept, None));
    }
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
    let what = format!("{} {namespace}/{name}", resource.kind);
    let live = api.get_opt(name).await.map_err(|error| ApplyError::Refused(format!("reading {what} failed"), error))?;
    if let Some(live) = &live {
        refuse_foreign(live, &owner.uid, &what)?;
    }
    let (change, now) = match &live {
        Some(live) if is_half_taken_over(live) => (Change::Updated, take_over(&api, live, object, &what).await?),
        Some(live) if covers(object, &json_of(live)) => (Change::Kept, live.clone()),
        Some(live) if resource.kind == "Deployment" && !live.annotations().contains_key(TEMPLATE_HASH) => {
            (Change::Adopted, take_over(&api, live, object, &what).await?)
        }
        Some(live) => {
            let now = apply(&api, object, &what).await?;
            let leftovers = resource.kind == "Deployment" && !is_as_far_as_possible(&api, &now, object).await;
            let now = if leftovers { take_over(&api, &now, object, &what).await? } else { now };
            (if version(&now.metadata) == version(&live.metadata) { Change::Kept } else { Change::Updated }, now)
        }
        None => (Change::Created, apply(&api, object, &what).await?),
    };
    settled.note(source, Settlement { place, desired, found: version(&now.metadata) });
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
    if controller(&live.metadata) != Some(owner) {
        return Ok(());
    }
    let same = Preconditions { uid: live.metadata.uid.clone(), resource_version: None };
    match api.delete(name, &DeleteParams { preconditions: Some(same), ..DeleteParams::background() }).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(ApplyError::Refused(what, error)),
    }
}

fn named(object: &Value) -> (&str, &str) {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    (field("namespace"), field("name"))
}

fn json_of(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

fn refuse_foreign(live: &DynamicObject, owner: &str, what: &str) -> Result<(), ApplyError> {
    if controller(&live.metadata) == Some(owner) {
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
        if is_as_far_as_possible(api, &now, object).await {
            break;
        }
    }
    Ok(now)
}

/// True if nothing differs, or if replacing would change nothing, which the API server is asked in a dry run: the
/// cluster's own admission adds the rest, such as a sidecar, to whatever we write.
async fn is_as_far_as_possible(api: &Api<DynamicObject>, now: &DynamicObject, object: &Value) -> bool {
    if covers(object, &json_of(now)) {
        return true;
    }
    let Ok(mut replaced) = replacing(now, object) else { return false };
    // Whoever writes status meanwhile makes no difference.
    replaced.metadata.resource_version = None;
    let parameters = PostParams { dry_run: true, field_manager: Some(CONTROLLER.to_owned()) };
    let would_be = api.replace(&now.name_any(), &parameters, &replaced).await;
    would_be.is_ok_and(|would_be| covers(&contents(&would_be), &contents(now)))
}

/// What people and admission write.
fn contents(object: &DynamicObject) -> Value {
    json!([object.metadata.labels, object.metadata.annotations, object.data["spec"]])
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str) -> Group {
        ("ns".to_owned(), name.to_owned())
    }

    fn settlement(place: u8, found: u8) -> Settlement {
        Settlement { place: [place; 16], desired: [0; 16], found: [found; 16] }
    }

    #[test]
    fn the_last_settlement_of_each_object_holds_until_its_source_goes() {
        let settled = Settled::default();
        for (name, settlement) in [("a", settlement(1, 1)), ("a", settlement(1, 2)), ("a", settlement(2, 1))] {
            settled.note(source(name), settlement);
        }
        settled.note(source("b"), settlement(1, 1));
        let holds = |name: &str, place, found| settled.holds(&source(name), &settlement(place, found));
        assert_eq!([holds("a", 1, 1), holds("a", 1, 2), holds("a", 2, 1)], [false, true, true]);
        settled.retain(|source| source.1 == "b");
        assert_eq!([holds("a", 1, 2), holds("b", 1, 1)], [false, true]);
        settled.forget(&source("b"));
        assert!(!holds("b", 1, 1));
    }
}
