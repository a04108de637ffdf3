//! A source that is not what its kind says -> the same said in its `status`. I/O: one patch.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use kube::core::error_boundary::InvalidObject;
use kube::runtime::controller::Action;
use serde_json::json;

use super::{Error, build};
use crate::context::Context;
use crate::crd::AwsSqsSource;
use crate::crd::conditions::{DEPLOYED, Finding, settle};

/// Writes that the source cannot be read; its Deployment stays as it is.
///
/// # Errors
/// The status cannot be written.
pub async fn tell(invalid: &InvalidObject, context: &Context) -> Result<Action, Error> {
    let metadata = &invalid.metadata;
    let (namespace, name) = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
    let told = format!("this object cannot be read as an AwsSqsSource: {}", invalid.error);
    let findings = vec![Finding::fails(DEPLOYED, "InvalidSpec", &told)];
    let status = json!({"status": {
        "observedGeneration": metadata.generation,
        "conditions": settle(&[], findings, &Time(Timestamp::now())),
    }});
    let resource = ApiResource::erase::<AwsSqsSource>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let parameters = PatchParams { field_manager: Some(build::CONTROLLER.to_owned()), ..PatchParams::default() };
    let group = (namespace, name);
    let generation = metadata.generation.unwrap_or_default();
    if context.told_unreadable(&group, generation) {
        return Ok(Action::await_change());
    }
    api.patch_status(&group.1, &parameters, &Patch::Merge(status)).await.map_err(Error::Status)?;
    context.unreadable_told(&group, generation);
    Ok(Action::await_change())
}
