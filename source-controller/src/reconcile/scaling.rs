//! What a source asks of KEDA -> its objects on the API server, and what to tell about them. I/O: Kubernetes reads and writes.

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use serde_json::Value;

use super::apply::{self, ApplyError, Wanted};
use super::build::keda::{self, Scaling};
use super::resolve::{Unresolved, served};
use super::validate::autoscaling::{Autoscaling, KEDA_CLASS, Problem};
use super::validate::{Adapter, Base, Owner};
use crate::context::Context;
use crate::crd::AwsSqsSource;
use crate::crd::conditions::{AUTOSCALER_READY, Finding};
use crate::sinks::Target;

/// Who decides about the replicas of a source, found out before its Deployment is built.
pub enum Scaler {
    /// `spec.replicas`.
    Spec,
    /// `spec.replicas`, although the source asks for KEDA: the finding says why.
    SpecBecause(Finding),
    /// KEDA, with what was asked before: the finding says why not with what is asked now.
    KedaAsBefore(Finding),
    /// KEDA.
    Keda(Box<(Autoscaling, Kinds)>),
}

/// How the API server calls KEDA's kinds.
pub struct Kinds {
    scaled_object: ApiResource,
    authentication: ApiResource,
}

impl Scaler {
    /// True if the Deployment's replicas are not ours to write.
    pub fn is_keda(&self) -> bool {
        matches!(self, Self::Keda(..) | Self::KedaAsBefore(_))
    }
}

/// The API version of KEDA's kinds.
const VERSION: &str = "keda.sh/v1alpha1";

/// The objects of KEDA that a source looks at, if it asks for KEDA.
pub fn targets(source: &AwsSqsSource) -> Vec<Target> {
    if source.annotations().get("autoscaling.knative.dev/class").map(String::as_str) != Some(KEDA_CLASS) {
        return Vec::new();
    }
    let uid = source.uid().unwrap_or_default();
    let target = |kind: &str, name: String| Target {
        api_version: VERSION.to_owned(),
        kind: kind.to_owned(),
        namespace: source.namespace().unwrap_or_default(),
        name,
    };
    vec![
        target("ScaledObject", keda::scaled_object_name(&uid)),
        target("TriggerAuthentication", keda::authentication_name(&uid)),
    ]
}

/// Finds out who decides about the replicas.
pub async fn decide(context: &Context, adapter: &Adapter) -> Scaler {
    let asked = match &adapter.autoscaling {
        None => return Scaler::Spec,
        Some(asked) => asked,
    };
    let kinds = match kinds(context).await {
        Ok(kinds) => kinds,
        Err(Unresolved::NotFound(_) | Unresolved::Empty) => {
            let told = "KEDA's kinds are not installed: install KEDA or remove the annotation autoscaling.knative.dev/class; spec.replicas applies";
            return Scaler::SpecBecause(Finding::fails(AUTOSCALER_READY, "KedaNotInstalled", told));
        }
        Err(error @ Unresolved::Unasked(..)) => {
            return Scaler::KedaAsBefore(Finding::unknown(AUTOSCALER_READY, "NotObserved", &error.to_string()));
        }
    };
    match asked {
        Ok(asked) => Scaler::Keda(Box::new((asked.clone(), kinds))),
        Err(Problem::Annotation(problem)) => {
            Scaler::KedaAsBefore(Finding::fails(AUTOSCALER_READY, "InvalidAnnotation", problem))
        }
        Err(Problem::Authentication) => {
            let told = "KEDA cannot read a credentials file: name a TriggerAuthentication in the annotation keda.autoscaling.knative.dev/triggerAuthentication; spec.replicas applies";
            Scaler::SpecBecause(Finding::fails(AUTOSCALER_READY, "AuthenticationMissing", told))
        }
    }
}

/// Brings KEDA's objects to what the scaler wants; `scaled_before` if the Deployment says that KEDA decided until now.
pub async fn apply(
    context: &Context,
    adapter: &Adapter,
    scaler: &Scaler,
    deployment: &str,
    scaled_before: bool,
) -> Result<Option<Finding>, ApplyError> {
    match scaler {
        Scaler::Spec | Scaler::SpecBecause(_) if scaled_before => {
            remove(context, adapter).await?;
            Ok(finding(scaler))
        }
        Scaler::Spec | Scaler::SpecBecause(_) | Scaler::KedaAsBefore(_) => Ok(finding(scaler)),
        Scaler::Keda(asked_with) => {
            let (asked, kinds) = asked_with.as_ref();
            let scaling = keda::scaling(adapter, asked, deployment, uses_irsa(context, adapter).await?);
            match ensure(context, adapter, kinds, &scaling).await {
                Ok(finding) => Ok(Some(finding)),
                Err(error) => Ok(Some(Finding::fails(AUTOSCALER_READY, "ScalingFailed", &error.to_string()))),
            }
        }
    }
}

fn finding(scaler: &Scaler) -> Option<Finding> {
    match scaler {
        Scaler::Spec | Scaler::Keda(..) => None,
        Scaler::SpecBecause(finding) | Scaler::KedaAsBefore(finding) => Some(finding.clone()),
    }
}

async fn kinds(context: &Context) -> Result<Kinds, Unresolved> {
    Ok(Kinds {
        scaled_object: served(&context.client, VERSION, "ScaledObject").await?,
        authentication: served(&context.client, VERSION, "TriggerAuthentication").await?,
    })
}

async fn ensure(context: &Context, adapter: &Adapter, kinds: &Kinds, scaling: &Scaling) -> Result<Finding, ApplyError> {
    let owner = &adapter.owner;
    match &scaling.authentication {
        Some(authentication) => {
            let now = one(context, &kinds.authentication, authentication, owner).await?;
            let wanted = &authentication["spec"]["podIdentity"]["externalID"];
            if !wanted.is_null() && now.is_some_and(|now| now.data["spec"]["podIdentity"]["externalID"].is_null()) {
                let told = "this KEDA does not know podIdentity.externalID: install KEDA 2.20 or newer, or assume a role without an external id";
                return Ok(Finding::fails(AUTOSCALER_READY, "KedaTooOld", told));
            }
        }
        None => {
            let name = keda::authentication_name(&owner.uid);
            apply::remove(&context.client, &kinds.authentication, &owner.namespace, &name, &owner.uid).await?;
        }
    }
    let now = one(context, &kinds.scaled_object, &scaling.scaled_object, owner).await?;
    Ok(ready(now.as_ref().map(|now| &now.data["status"])))
}

/// Nothing is cached of KEDA's objects: `seen` is empty, so that each pass looks at them.
async fn one(
    context: &Context,
    resource: &ApiResource,
    object: &Value,
    owner: &Owner,
) -> Result<Option<DynamicObject>, ApplyError> {
    let wanted = Wanted { resource, object, owner, seen: None };
    let (change, now) = apply::ensure(&context.client, &context.settled, &wanted).await?;
    context.metrics.wrote(&resource.kind, change);
    Ok(now)
}

async fn remove(context: &Context, adapter: &Adapter) -> Result<(), ApplyError> {
    // Without KEDA's kinds there is nothing to remove.
    let Ok(kinds) = kinds(context).await else { return Ok(()) };
    let owner = &adapter.owner;
    let names = [
        (&kinds.scaled_object, keda::scaled_object_name(&owner.uid)),
        (&kinds.authentication, keda::authentication_name(&owner.uid)),
    ];
    for (resource, name) in names {
        apply::remove(&context.client, resource, &owner.namespace, &name, &owner.uid).await?;
    }
    Ok(())
}

/// What KEDA says about its object.
fn ready(status: Option<&Value>) -> Finding {
    let conditions = status.and_then(|status| status["conditions"].as_array()).cloned().unwrap_or_default();
    let Some(ready) = conditions.iter().find(|condition| condition["type"] == "Ready") else {
        return Finding::unknown(AUTOSCALER_READY, "Checking", "KEDA has not looked at the ScaledObject yet");
    };
    let text = |field: &str| ready[field].as_str().unwrap_or_default();
    match text("status") {
        "True" => Finding::holds(AUTOSCALER_READY),
        "False" => Finding::fails(AUTOSCALER_READY, or(text("reason"), "NotReady"), text("message")),
        _ => Finding::unknown(AUTOSCALER_READY, or(text("reason"), "Checking"), text("message")),
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// Whether the pods' ServiceAccount carries a role, which KEDA can then use as they do.
async fn uses_irsa(context: &Context, adapter: &Adapter) -> Result<bool, ApplyError> {
    if !matches!(adapter.credentials.base, Base::Ambient) || adapter.credentials.assume_role.is_some() {
        return Ok(false);
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(context.client.clone(), &adapter.owner.namespace);
    let what = format!("reading ServiceAccount {}/{} failed", adapter.owner.namespace, adapter.pod.service_account);
    let account =
        accounts.get_opt(&adapter.pod.service_account).await.map_err(|error| ApplyError::Refused(what, error))?;
    Ok(account.is_some_and(|account| account.annotations().contains_key(keda::ROLE_ANNOTATION)))
}
