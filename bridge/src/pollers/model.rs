//! Pollers beside the plain list of receives under way. I/O: the clock.

use fastrand::Rng;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Start,
    Finish(usize, u32, bool),
    Fail(usize, FaultClass),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![
        3 => Just(FaultClass::Transient),
        2 => Just(FaultClass::Throttle),
        1 => Just(FaultClass::FatalConfig),
        1 => Just(FaultClass::Credentials),
    ];
    prop_oneof![
        8 => Just(Step::Start),
        6 => (0..16usize, prop_oneof![Just(10u32), 0..11u32], any::<bool>())
            .prop_map(|(which, got, room)| Step::Finish(which, got, room)),
        2 => (0..16usize, class).prop_map(|(which, class)| Step::Fail(which, class)),
        4 => (0..3_000u64).prop_map(Step::Wait),
        1 => (0..40_000u64).prop_map(Step::Wait),
    ]
}

fn profile() -> impl Strategy<Value = Profile> {
    prop_oneof![Just(Profile::Balanced), Just(Profile::Latency), Just(Profile::Cost)]
}

proptest! {
    #[test]
    fn as_many_receives_run_as_there_are_pollers_and_one_while_they_fail(
        profile in profile(),
        max in 1..17u32,
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let mut now = Instant::now();
        let mut rng = Rng::with_seed(7);
        let settings = Receive {
            profile,
            wait_time: Duration::from_secs(20),
            max_messages: 10,
            max_pollers: max,
            visibility_timeout: Duration::from_secs(30),
        };
        let mut pollers = Pollers::new(&settings, now);
        let least = if profile == Profile::Latency { 2.min(max as usize) } else { 1 };
        let mut running: Vec<Instant> = Vec::new();
        let mut one_has_ended = false;
        for step in steps {
            match step {
                Step::Start => {
                    if let Some(ask) = pollers.next(now) {
                        prop_assert!(!pollers.is_failing() || running.is_empty(), "one probe at a time");
                        prop_assert!(pollers.is_failing() || running.len() < pollers.alive());
                        prop_assert!(pollers.is_failing() || ask.wait.is_zero() != one_has_ended, "only the first is short");
                        pollers.started(false);
                        running.push(now);
                    } else if one_has_ended {
                        prop_assert!(pollers.poll_timeout().is_none_or(|due| due > now), "what is due can start");
                    }
                }
                Step::Finish(which, got, room) if !running.is_empty() => {
                    running.remove(which % running.len());
                    let before = pollers.alive();
                    pollers.finished(got, 10, room, now);
                    one_has_ended = true;
                    prop_assert!(!pollers.is_failing(), "a success ends the failing");
                    prop_assert!(pollers.alive() <= before || (room && got == 10), "only full receives add pollers");
                    prop_assert!(pollers.alive() >= before || got < 10, "a full receive retires none");
                }
                Step::Fail(which, class) if !running.is_empty() => {
                    let started = running.remove(which % running.len());
                    pollers.failed(started, class, None, now, &mut rng);
                    prop_assert!(pollers.is_failing());
                }
                Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                Step::Finish(..) | Step::Fail(..) => {}
            }
            prop_assert_eq!(pollers.waiting(), running.len());
            prop_assert!((least..=max as usize).contains(&pollers.alive()));
        }
    }
}
