//! Lanes beside one list of all messages in the order of their arrival. Pure.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Arrive(usize),
    Advance(usize),
    Remove(usize, usize),
    Hold(usize),
    Dissolve(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3usize).prop_map(Step::Arrive),
        4 => (0..3usize).prop_map(Step::Advance),
        2 => (0..3usize, 0..4usize).prop_map(|(group, which)| Step::Remove(group, which)),
        1 => (0..3usize).prop_map(Step::Hold),
        1 => (0..3usize).prop_map(Step::Dissolve),
    ]
}

const GROUPS: [&str; 3] = ["a", "b", "c"];

fn of(all: &[(usize, Key)], group: usize) -> Vec<Key> {
    all.iter().filter(|(of, _)| *of == group).map(|(_, key)| *key).collect()
}

proptest! {
    #[test]
    fn a_lane_is_what_arrived_of_its_group_and_has_not_left(steps in proptest::collection::vec(step(), 1..80)) {
        let mut lanes = Lanes::default();
        let mut all: Vec<(usize, Key)> = Vec::new();
        let mut held = [false; 3];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Arrive(group) => {
                    let key = Key(number as u64);
                    let first = of(&all, group).is_empty();
                    prop_assert_eq!(lanes.arrive(&Arc::from(GROUPS[group]), key), first);
                    all.push((group, key));
                }
                Step::Advance(group) => {
                    let mine = of(&all, group);
                    if let Some(head) = mine.first() {
                        prop_assert_eq!(lanes.advance(GROUPS[group], *head), mine.get(1).copied());
                        all.retain(|(_, key)| key != head);
                        held[group] = false;
                    }
                }
                Step::Remove(group, which) => {
                    if let Some(key) = of(&all, group).get(which) {
                        lanes.remove(GROUPS[group], *key);
                        all.retain(|(_, other)| other != key);
                    }
                }
                Step::Hold(group) => {
                    lanes.hold(GROUPS[group]);
                    held[group] = true;
                }
                Step::Dissolve(group) => {
                    let mut tail_first = of(&all, group);
                    tail_first.reverse();
                    prop_assert_eq!(lanes.dissolve(GROUPS[group]), tail_first);
                    all.retain(|(of, _)| *of != group);
                }
            }
            let (mut active, mut holding) = (0, 0);
            for (group, name) in GROUPS.iter().enumerate() {
                let mine = of(&all, group);
                held[group] &= !mine.is_empty();
                prop_assert_eq!(lanes.head(name), mine.first().copied());
                prop_assert_eq!(lanes.is_empty(name), mine.is_empty());
                active += usize::from(!mine.is_empty() && !held[group]);
                holding += usize::from(held[group]);
            }
            prop_assert_eq!(lanes.count(), (active, holding));
        }
    }
}
