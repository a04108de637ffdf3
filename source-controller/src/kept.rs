//! A source as the API server tells it -> one text, which each pass reads again: as an object it takes four times as much. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use kube::Resource;
use kube::core::error_boundary::InvalidObject;
use kube::core::{DeserializeGuard, ObjectMeta};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::crd::AwsSqsSource;
use crate::watched::KUBECTL_COPY;

/// A source that was read; one that cannot be read does not hide the others.
pub type Guarded = DeserializeGuard<AwsSqsSource>;

/// A source as it is kept.
#[derive(Clone, Debug, Resource)]
#[resource(inherit = "AwsSqsSource")]
pub struct KeptSource {
    /// Name and namespace; what the watch needs too goes with [`KeptSource::settle`].
    metadata: ObjectMeta,
    users_part: u64,
    text: Box<str>,
}

impl KeptSource {
    /// The source.
    pub fn read(&self) -> Guarded {
        serde_json::from_str(&self.text).unwrap_or_else(|error| {
            DeserializeGuard(Err(InvalidObject { error: error.to_string(), metadata: self.metadata.clone() }))
        })
    }

    /// A number that differs when the user changed the object; what the controller writes does not count.
    pub fn users_part(&self) -> u64 {
        self.users_part
    }

    /// Drops what only the watch needs.
    pub fn settle(&mut self) {
        self.metadata.resource_version = None;
    }
}

impl<'de> Deserialize<'de> for KeptSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(deserializer)?;
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(KUBECTL_COPY);
            }
        }
        let metadata = ObjectMeta::deserialize(&object["metadata"]).map_err(D::Error::custom)?;
        let mut hasher = DefaultHasher::new();
        metadata.generation.hash(&mut hasher);
        metadata.uid.hash(&mut hasher);
        metadata.annotations.hash(&mut hasher);
        metadata.deletion_timestamp.is_some().hash(&mut hasher);
        let ObjectMeta { name, namespace, resource_version, .. } = metadata;
        Ok(Self {
            metadata: ObjectMeta { name, namespace, resource_version, ..ObjectMeta::default() },
            users_part: hasher.finish(),
            text: object.to_string().into_boxed_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(json: Value) -> KeptSource {
        serde_json::from_value(json).unwrap()
    }

    fn object(generation: i64, version: &str, annotation: &str) -> Value {
        json!({
            "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource",
            "metadata": {"name": "n", "generation": generation, "resourceVersion": version, "annotations": {"a": annotation}},
            "spec": {"queueArn": "arn:aws:sqs:eu-north-1:123456789012:orders"},
            "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]},
        })
    }

    #[test]
    fn what_the_controller_writes_is_no_change_of_the_users() {
        let users_part = |json: Value| kept(json).users_part();
        let before = users_part(object(1, "1", "x"));
        assert_eq!(users_part(object(1, "2", "x")), before);
        assert_ne!(users_part(object(2, "2", "x")), before);
        assert_ne!(users_part(object(1, "2", "y")), before);
    }

    #[test]
    fn a_source_is_read_as_it_was_told_without_what_grows() {
        let told = object(1, "1", "x");
        let mut grown = told.clone();
        grown["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
        grown["metadata"]["annotations"][KUBECTL_COPY] = json!("{}");
        let expected: AwsSqsSource = serde_json::from_value(told).unwrap();
        assert_eq!(kept(grown).read().0.unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_read_says_so_with_its_name() {
        let mut told = object(1, "1", "x");
        told["spec"]["replicas"] = json!("many");
        let invalid = kept(told).read().0.unwrap_err();
        assert_eq!(invalid.metadata.name.as_deref(), Some("n"));
        assert!(invalid.error.contains("many"), "{}", invalid.error);
    }
}
