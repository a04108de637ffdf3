//! Permits beside the plain lists of receives under way and of messages held. I/O: the clock.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Grant(u32),
    Arrive(usize, Vec<u64>),
    Accept(usize),
    Leave(usize),
    Wait(u64),
    Adjust(u32),
    Shrink,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..11u32).prop_map(Step::Grant),
        5 => (0..8usize, proptest::collection::vec(0..300_000u64, 0..11))
            .prop_map(|(which, sizes)| Step::Arrive(which, sizes)),
        6 => (0..64usize).prop_map(Step::Accept),
        6 => (0..64usize).prop_map(Step::Leave),
        3 => (0..2_000u64).prop_map(Step::Wait),
        1 => (0..128u32).prop_map(Step::Adjust),
        1 => Just(Step::Shrink),
    ]
}

const MOST: u32 = 60;
const MOST_BYTES: u64 = 4_000_000;

proptest! {
    #[test]
    fn permits_are_what_is_not_taken_and_bytes_are_bounded(steps in proptest::collection::vec(step(), 1..200)) {
        let mut now = Instant::now();
        let flow = Flow { max_in_flight: MOST, max_in_flight_bytes: MOST_BYTES, max_concurrency: 128, max_rate: None };
        let mut admission = Admission::new(&flow, Duration::from_secs(30), now);
        // The bytes of an accepted message are free, its permit is not.
        let (mut receives, mut held) = (Vec::<Grant>::new(), Vec::<u64>::new());
        for step in steps {
            let (_, _, window) = admission.usage();
            let taken = held.len() as u32 + receives.iter().map(|grant| grant.messages).sum::<u32>();
            let bytes = held.iter().sum::<u64>() + receives.iter().map(|grant| grant.bytes).sum::<u64>();
            match step {
                Step::Grant(wanted) => match admission.grant(wanted, now) {
                    Some(grant) => {
                        prop_assert!(grant.messages >= 1 && grant.messages <= wanted);
                        prop_assert!(taken + grant.messages <= window, "never more than the window");
                        let alone = receives.is_empty() && held.is_empty();
                        prop_assert!(alone || bytes + grant.bytes <= MOST_BYTES, "never more than the byte budget");
                        receives.push(grant);
                    }
                    None => {
                        let short = window.saturating_sub(taken) < wanted;
                        let heavy = !(receives.is_empty() && held.is_empty());
                        prop_assert!(short || heavy, "a first receive is always possible");
                    }
                },
                Step::Arrive(which, mut sizes) if !receives.is_empty() => {
                    let grant = receives.remove(which % receives.len());
                    sizes.truncate(grant.messages as usize);
                    admission.arrived(grant, sizes.iter().copied());
                    held.extend(sizes);
                }
                Step::Accept(which) if !held.is_empty() => {
                    let which = which % held.len();
                    admission.accepted(std::mem::take(&mut held[which]));
                }
                Step::Leave(which) if !held.is_empty() => admission.left(held.remove(which % held.len())),
                Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                Step::Adjust(concurrency) => admission.adjust(concurrency, now),
                Step::Shrink => admission.shrink(),
                Step::Arrive(..) | Step::Accept(_) | Step::Leave(_) => {}
            }
            let (messages, bytes, window) = admission.usage();
            prop_assert_eq!((messages as usize, bytes), (held.len(), held.iter().sum::<u64>()));
            prop_assert!((1..=MOST).contains(&window));
        }
    }
}
