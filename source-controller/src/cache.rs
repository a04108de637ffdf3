//! Watch events of objects that belong to sources -> the objects of each source, looked up at once. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

/// What objects are grouped by: a namespace and, mostly, the name of a source in it.
pub type Group = (String, String);

/// The objects of one kind, by group and name.
pub struct Cache<K> {
    group: fn(&K) -> Option<Group>,
    state: RwLock<State<K>>,
}

struct State<K> {
    groups: Groups<K>,
    /// What a list that is under way has brought so far.
    coming: Option<Groups<K>>,
    complete: bool,
}

type Groups<K> = HashMap<Group, BTreeMap<String, Arc<K>>>;

impl<K: Resource> Cache<K> {
    /// An empty cache; objects for which `group` says nothing are not kept.
    pub fn new(group: fn(&K) -> Option<Group>) -> Self {
        Self { group, state: RwLock::new(State { groups: HashMap::new(), coming: None, complete: false }) }
    }

    /// The objects of a group, by name.
    pub fn of(&self, group: &Group) -> Vec<Arc<K>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.groups.get(group).map(|objects| objects.values().cloned().collect()).unwrap_or_default()
    }

    /// One object of a group.
    pub fn one(&self, group: &Group, name: &str) -> Option<Arc<K>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.groups.get(group)?.get(name).cloned()
    }

    /// Every group that has an object.
    pub fn groups(&self) -> Vec<Group> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.groups.keys().cloned().collect()
    }

    /// True once the first list is complete.
    pub fn is_complete(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).complete
    }

    /// Takes an event in; returns the groups that it concerns.
    pub fn take(&self, event: Event<K>) -> Vec<Group> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply(object) => self.put(&mut state.groups, object).into_iter().collect(),
            Event::Delete(object) => self.remove(&mut state.groups, &object).into_iter().collect(),
            Event::Init => {
                state.coming = Some(HashMap::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                let mut coming = state.coming.take().unwrap_or_default();
                self.put(&mut coming, object);
                state.coming = Some(coming);
                Vec::new()
            }
            Event::InitDone => {
                let before = std::mem::take(&mut state.groups);
                state.groups = state.coming.take().unwrap_or_default();
                state.complete = true;
                let mut concerned: Vec<Group> = before.into_keys().chain(state.groups.keys().cloned()).collect();
                concerned.sort();
                concerned.dedup();
                concerned
            }
        }
    }

    fn put(&self, groups: &mut Groups<K>, object: K) -> Option<Group> {
        let group = (self.group)(&object)?;
        groups.entry(group.clone()).or_default().insert(object.name_any(), Arc::new(object));
        Some(group)
    }

    fn remove(&self, groups: &mut Groups<K>, object: &K) -> Option<Group> {
        let group = (self.group)(object)?;
        let objects = groups.get_mut(&group)?;
        objects.remove(&object.name_any());
        if objects.is_empty() {
            groups.remove(&group);
        }
        Some(group)
    }
}

/// The group of objects that carry the label `label` with the name of a source.
pub fn by_label<K: Resource>(object: &K, label: &str) -> Option<Group> {
    Some((object.namespace()?, object.labels().get(label)?.clone()))
}

/// The group of objects that an `AwsSqsSource` controls.
pub fn by_owner<K: Resource>(object: &K) -> Option<Group> {
    let owner = object
        .owner_references()
        .iter()
        .find(|owner| owner.kind == "AwsSqsSource" && owner.controller == Some(true))?;
    Some((object.namespace()?, owner.name.clone()))
}

/// All objects of a namespace.
pub fn by_namespace<K: Resource>(object: &K) -> Option<Group> {
    Some((object.namespace()?, String::new()))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    use super::*;

    fn map(name: &str, source: &str) -> ConfigMap {
        serde_json::from_value(json!({"metadata": {"name": name, "namespace": "ns", "labels": {"of": source}}}))
            .unwrap()
    }

    fn cache() -> Cache<ConfigMap> {
        Cache::new(|object| by_label(object, "of"))
    }

    fn names(cache: &Cache<ConfigMap>, source: &str) -> Vec<String> {
        cache.of(&("ns".to_owned(), source.to_owned())).iter().map(|object| object.name_any()).collect()
    }

    #[test]
    fn a_list_replaces_what_was_known_and_concerns_who_lost_and_who_gained() {
        let cache = cache();
        cache.take(Event::Apply(map("gone", "a")));
        cache.take(Event::Init);
        cache.take(Event::InitApply(map("b1", "b")));
        assert_eq!(names(&cache, "a"), ["gone"]);
        assert!(!cache.is_complete());
        let concerned = cache.take(Event::InitDone);
        assert_eq!(concerned, [("ns".to_owned(), "a".to_owned()), ("ns".to_owned(), "b".to_owned())]);
        assert_eq!((names(&cache, "a"), names(&cache, "b")), (vec![], vec!["b1".to_owned()]));
        assert!(cache.is_complete());
    }

    #[test]
    fn single_events_concern_their_source_and_strangers_are_not_kept() {
        let cache = cache();
        assert_eq!(cache.take(Event::Apply(map("a1", "a"))), [("ns".to_owned(), "a".to_owned())]);
        assert_eq!(cache.take(Event::Apply(ConfigMap::default())), Vec::<Group>::new());
        assert_eq!(cache.take(Event::Delete(map("a1", "a"))), [("ns".to_owned(), "a".to_owned())]);
        assert_eq!(cache.groups(), Vec::<Group>::new());
    }
}
