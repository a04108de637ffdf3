//! Watch events of objects that belong to sources -> the objects of each source, looked up at once. Pure.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

/// What objects are grouped by: a namespace and, mostly, the name of a source in it.
pub type Group = (String, String);

/// What a cache keeps.
pub trait Named {
    /// The name that it has in its namespace.
    fn name(&self) -> &str;
}

/// The objects of one kind, by group and name.
pub struct Cache<T> {
    state: RwLock<State<T>>,
}

struct State<T> {
    groups: Groups<T>,
    /// What a list that is under way has brought so far.
    coming: Option<Groups<T>>,
    complete: bool,
}

/// The objects of a group are few, in the order of their names.
type Groups<T> = HashMap<Group, Vec<Arc<T>>>;

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { state: RwLock::new(State { groups: HashMap::new(), coming: None, complete: false }) }
    }
}

impl<T: Named> Cache<T> {
    /// The objects of a group, by name.
    pub fn of(&self, group: &Group) -> Vec<Arc<T>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.groups.get(group).cloned().unwrap_or_default()
    }

    /// One object of a group.
    pub fn one(&self, group: &Group, name: &str) -> Option<Arc<T>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.groups.get(group)?.iter().find(|object| object.name() == name).cloned()
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
    pub fn take(&self, event: Event<(Group, T)>) -> Vec<Group> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply((group, object)) => {
                put(&mut state.groups, &group, object);
                vec![group]
            }
            Event::Delete((group, object)) => {
                remove(&mut state.groups, &group, &object);
                vec![group]
            }
            Event::Init => {
                state.coming = Some(HashMap::new());
                Vec::new()
            }
            Event::InitApply((group, object)) => {
                put(state.coming.get_or_insert_default(), &group, object);
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
}

fn put<T: Named>(groups: &mut Groups<T>, group: &Group, object: T) {
    let objects = match groups.get_mut(group) {
        Some(objects) => objects,
        None => groups.entry(group.clone()).or_default(),
    };
    match objects.binary_search_by(|known| known.name().cmp(object.name())) {
        Ok(at) => objects[at] = Arc::new(object),
        Err(at) => objects.insert(at, Arc::new(object)),
    }
}

fn remove<T: Named>(groups: &mut Groups<T>, group: &Group, object: &T) {
    let Some(objects) = groups.get_mut(group) else { return };
    objects.retain(|known| known.name() != object.name());
    if objects.is_empty() {
        groups.remove(group);
    }
}

/// The same event with what is kept of its object; nothing if nothing is.
pub fn kept<K, T>(event: Event<K>, keep: impl Fn(K) -> Option<T>) -> Option<Event<T>> {
    Some(match event {
        Event::Apply(object) => Event::Apply(keep(object)?),
        Event::Delete(object) => Event::Delete(keep(object)?),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(keep(object)?),
        Event::InitDone => Event::InitDone,
    })
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

    impl Named for &str {
        fn name(&self) -> &str {
            self
        }
    }

    fn of(source: &str) -> Group {
        ("ns".to_owned(), source.to_owned())
    }

    fn names(cache: &Cache<&str>, source: &str) -> Vec<String> {
        cache.of(&of(source)).iter().map(|object| object.name().to_owned()).collect()
    }

    #[test]
    fn a_list_replaces_what_was_known_and_concerns_who_lost_and_who_gained() {
        let cache = Cache::default();
        cache.take(Event::Apply((of("a"), "gone")));
        cache.take(Event::Init);
        cache.take(Event::InitApply((of("b"), "b2")));
        cache.take(Event::InitApply((of("b"), "b1")));
        assert_eq!(names(&cache, "a"), ["gone"]);
        assert!(!cache.is_complete());
        assert_eq!(cache.take(Event::InitDone), [of("a"), of("b")]);
        assert_eq!((names(&cache, "a"), names(&cache, "b")), (vec![], vec!["b1".to_owned(), "b2".to_owned()]));
        assert!(cache.is_complete());
    }

    #[test]
    fn single_events_concern_their_source() {
        let cache = Cache::default();
        assert_eq!(cache.take(Event::Apply((of("a"), "a1"))), [of("a")]);
        assert_eq!(cache.one(&of("a"), "a1").as_deref(), Some(&"a1"));
        assert_eq!(cache.take(Event::Delete((of("a"), "a1"))), [of("a")]);
        assert_eq!(cache.groups(), Vec::<Group>::new());
    }

    #[test]
    fn strangers_are_not_kept() {
        let source_of = |object: ConfigMap| by_label(&object, "of");
        let ours = serde_json::from_value(json!({"metadata": {"name": "m", "namespace": "ns", "labels": {"of": "a"}}}));
        assert!(matches!(kept(Event::Apply(ours.unwrap()), source_of), Some(Event::Apply(group)) if group == of("a")));
        assert!(kept(Event::Apply(ConfigMap::default()), source_of).is_none());
    }
}
