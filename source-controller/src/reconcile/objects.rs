//! An `Adapter` -> its objects on the API server, in a stated order, and nothing left that it no longer wants. I/O: Kubernetes.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Resource;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use serde_json::Value;

use super::apply::{self, ApplyError, Change, Wanted};
use super::build::{self, Surroundings, TEMPLATE_HASH};
use super::bundles;
use super::progress::{Applied, Deployed};
use super::scaling::{self, Scaler};
use super::validate::{Adapter, Owner};
use crate::cache::{Cache, Group};
use crate::child_name;
use crate::context::Context;
use crate::operator::Operator;
use crate::watched::{Digest, WatchedChild, WatchedDeployment};

/// Trust bundles, identity, rights, Deployment, KEDA; stops at the first that fails.
pub async fn apply(context: &Context, operator: &Operator, adapter: &Adapter) -> Applied {
    let mut applied = Applied { bundles: Ok(()), identity: None, deployment: None, scaling: None };
    let copies = context.copies();
    let trust_bundles =
        match bundles::propagate(&context.client, &context.watched.bundles, &copies, &adapter.owner).await {
            Ok(names) => names,
            Err(error) => {
                applied.bundles = Err(error);
                return applied;
            }
        };
    let scaler = scaling::decide(context, adapter).await;
    let owned = owned(context, &adapter.owner);
    let surroundings =
        Surroundings { deployment: Some(owned.name(&adapter.owner)), trust_bundles, scaled: scaler.is_keda() };
    let wanted = build::build(adapter, operator, &surroundings);
    let identity = rights(context, operator, adapter, &wanted).await;
    let failed = identity.is_err();
    applied.identity = Some(identity);
    if failed {
        return applied;
    }
    let deployment = deploy(context, adapter, &wanted.deployment, &owned, &scaler).await;
    if let Ok((_, scaling)) = &deployment {
        applied.scaling = scaling.clone();
    }
    applied.deployment = Some(deployment.map(|(deployed, _)| deployed));
    applied
}

/// The Deployment that runs a source's adapter, as the watch shows it.
pub fn chosen(context: &Context, group: &Group) -> Option<Arc<WatchedDeployment>> {
    let mut selecting: Vec<_> =
        context.watched.deployments.of(group).into_iter().filter(|one| one.selects_its_source).collect();
    selecting.sort_by_key(|deployment| age(deployment));
    selecting.into_iter().next()
}

/// The Deployments that a source controls.
struct Owned {
    /// The one that runs the adapter, if there is one.
    chosen: Option<Arc<WatchedDeployment>>,
    /// Others, which go when the chosen one is available.
    others: Vec<Arc<WatchedDeployment>>,
}

impl Owned {
    fn name(&self, owner: &Owner) -> String {
        let regular = child_name::deployment(&owner.name, &owner.uid);
        match &self.chosen {
            Some(chosen) => chosen.name.to_string(),
            // Selectors never change, so a Deployment with another one keeps its name until it goes.
            None if self.others.iter().any(|other| *other.name == *regular) => {
                child_name::child_name(&format!("awssqs-{}-2-", owner.name), &owner.uid)
            }
            None => regular,
        }
    }
}

fn owned(context: &Context, owner: &Owner) -> Owned {
    let group = (owner.namespace.clone(), owner.name.clone());
    let ours = context
        .watched
        .deployments
        .of(&group)
        .into_iter()
        .filter(|one| one.controller.as_deref() == Some(owner.uid.as_str()));
    let (mut selecting, mut others): (Vec<_>, Vec<_>) = ours.partition(|deployment| deployment.selects_its_source);
    selecting.sort_by_key(|deployment| age(deployment));
    let mut selecting = selecting.into_iter();
    let chosen = selecting.next();
    others.extend(selecting);
    Owned { chosen, others }
}

fn age(deployment: &WatchedDeployment) -> (Option<Time>, Box<str>) {
    (deployment.created.clone(), deployment.name.clone())
}

/// The Deployment, then KEDA's objects, which name it, then the end of Deployments that it replaces.
async fn deploy(
    context: &Context,
    adapter: &Adapter,
    wanted: &Value,
    owned: &Owned,
    scaler: &Scaler,
) -> Result<(Deployed, Option<crate::crd::conditions::Finding>), ApplyError> {
    let owner = &adapter.owner;
    let name = wanted["metadata"]["name"].as_str().unwrap_or_default();
    let scaled_before = owned.chosen.as_ref().is_some_and(|chosen| chosen.scaled_by_keda);
    let scaling = match scaler.is_keda() {
        // KEDA's object must be gone before we write replicas, and may only come when its Deployment is there.
        false => scaling::apply(context, adapter, scaler, name, scaled_before).await?,
        true => None,
    };
    let resource = ApiResource::erase::<Deployment>(&());
    let (change, now) =
        ensure(context, &resource, wanted, owner, owned.chosen.as_ref().map(|chosen| chosen.version)).await?;
    let scaling = match scaler.is_keda() {
        true => scaling::apply(context, adapter, scaler, name, scaled_before).await?,
        false => scaling,
    };
    let now = now.and_then(|now| serde_json::to_value(now).ok()).and_then(|now| serde_json::from_value(now).ok());
    retire(context, owner, owned, &resource).await?;
    let hash = wanted["metadata"]["annotations"][TEMPLATE_HASH].as_str().unwrap_or_default().to_owned();
    Ok((Deployed { change, hash, now }, scaling))
}

/// Deletes the Deployments that the chosen one replaces, once it is available.
async fn retire(context: &Context, owner: &Owner, owned: &Owned, resource: &ApiResource) -> Result<(), ApplyError> {
    let available = |deployment: &WatchedDeployment| {
        deployment.available.as_ref().is_some_and(|available| available.status == "True")
            && deployment.observed_generation >= deployment.generation
    };
    if !owned.chosen.as_deref().is_some_and(available) {
        return Ok(());
    }
    for other in &owned.others {
        apply::remove(&context.client, resource, &owner.namespace, &other.name, &owner.uid).await?;
    }
    Ok(())
}

/// The OIDC ServiceAccount and the adapter's rights: those that are wanted, and no others.
async fn rights(
    context: &Context,
    operator: &Operator,
    adapter: &Adapter,
    wanted: &build::Objects,
) -> Result<Option<String>, ApplyError> {
    let owner = &adapter.owner;
    let watched = &context.watched;
    let account = child_name::oidc_service_account(&owner.name);
    settle::<ServiceAccount>(context, &watched.accounts, wanted.identity.as_ref(), owner, &account).await?;
    let rights = [
        (&wanted.token_rights, child_name::oidc_role(&owner.name)),
        (&wanted.event_rights, child_name::events_role(&owner.name)),
    ];
    for (wanted, name) in rights {
        let (role, binding) = wanted.as_ref().map_or((None, None), |(role, binding)| (Some(role), Some(binding)));
        settle::<Role>(context, &watched.roles, role, owner, &name).await?;
        settle::<RoleBinding>(context, &watched.bindings, binding, owner, &name).await?;
    }
    Ok(operator.features.oidc.then_some(account))
}

/// Applies the object, or deletes it if it is not wanted and the watch shows one.
async fn settle<K>(
    context: &Context,
    cache: &Cache<WatchedChild>,
    wanted: Option<&Value>,
    owner: &Owner,
    name: &str,
) -> Result<(), ApplyError>
where
    K: Resource<DynamicType = ()>,
{
    let resource = ApiResource::erase::<K>(&());
    let known = cache.one(&(owner.namespace.clone(), owner.name.clone()), name);
    match wanted {
        Some(wanted) => ensure(context, &resource, wanted, owner, known.map(|known| known.version)).await.map(|_| ()),
        None if known.is_some_and(|known| known.controller.as_deref() == Some(owner.uid.as_str())) => {
            apply::remove(&context.client, &resource, &owner.namespace, name, &owner.uid).await
        }
        None => Ok(()),
    }
}

async fn ensure(
    context: &Context,
    resource: &ApiResource,
    object: &Value,
    owner: &Owner,
    seen: Option<Digest>,
) -> Result<(Change, Option<DynamicObject>), ApplyError> {
    let wanted = Wanted { resource, object, owner, seen };
    let (change, now) = apply::ensure(&context.client, &context.settled, &wanted).await?;
    context.metrics.wrote(&resource.kind, change);
    Ok((change, now))
}
