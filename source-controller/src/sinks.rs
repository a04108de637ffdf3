//! Which sources look at which objects, so that a change of an object wakes its sources. Pure.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cache::Group;

/// An object that a source looks at; it need not exist.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An API version and a kind.
pub type Kind = (String, String);

/// Which sources look at which objects.
#[derive(Debug, Default)]
pub struct Sinks {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    of_target: HashMap<Target, BTreeSet<Group>>,
    of_source: HashMap<Group, BTreeSet<Target>>,
}

impl Sinks {
    /// `source` looks at exactly these objects from now on.
    pub fn track(&self, source: &Group, targets: BTreeSet<Target>) {
        let mut state = self.state();
        let before = state.of_source.remove(source).unwrap_or_default();
        for target in before.difference(&targets) {
            state.forget(target, source);
        }
        for target in &targets {
            state.of_target.entry(target.clone()).or_default().insert(source.clone());
        }
        if !targets.is_empty() {
            state.of_source.insert(source.clone(), targets);
        }
    }

    /// The sources that look at anything.
    pub fn sources(&self) -> Vec<Group> {
        self.state().of_source.keys().cloned().collect()
    }

    /// The sources that look at this object.
    pub fn sources_of(&self, target: &Target) -> Vec<Group> {
        self.state().of_target.get(target).into_iter().flatten().cloned().collect()
    }

    /// The sources that look at any object of this kind.
    pub fn sources_of_kind(&self, (api_version, kind): &Kind) -> BTreeSet<Group> {
        let state = self.state();
        let of_kind = |target: &Target| target.api_version == *api_version && target.kind == *kind;
        let sources = state.of_target.iter().filter(|(target, _)| of_kind(target)).flat_map(|(_, sources)| sources);
        sources.cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, target: &Target, source: &Group) {
        if let Some(sources) = self.of_target.get_mut(target) {
            sources.remove(source);
            if sources.is_empty() {
                self.of_target.remove(target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: &str, name: &str) -> Target {
        Target {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: "ns".to_owned(),
            name: name.to_owned(),
        }
    }

    fn source(name: &str) -> Group {
        ("ns".to_owned(), name.to_owned())
    }

    #[test]
    fn a_source_is_woken_by_what_it_looks_at_now_and_by_nothing_else() {
        let sinks = Sinks::default();
        sinks.track(&source("a"), BTreeSet::from([target("Service", "x"), target("Broker", "y")]));
        sinks.track(&source("b"), BTreeSet::from([target("Service", "x")]));
        assert_eq!(sinks.sources_of(&target("Service", "x")), [source("a"), source("b")]);
        sinks.track(&source("a"), BTreeSet::from([target("Broker", "y")]));
        assert_eq!(sinks.sources_of(&target("Service", "x")), [source("b")]);
        assert_eq!(sinks.sources_of(&target("Broker", "y")), [source("a")]);
        let services = sinks.sources_of_kind(&("v1".to_owned(), "Service".to_owned()));
        assert_eq!(services, BTreeSet::from([source("b")]));
        sinks.track(&source("b"), BTreeSet::new());
        assert_eq!(sinks.sources_of(&target("Service", "x")), Vec::<Group>::new());
        assert_eq!(sinks.sources(), [source("a")]);
    }
}
