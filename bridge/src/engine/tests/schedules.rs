//! Random faults against the promises: nothing lost, order in a group, no POST without a lease.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::{Reply, Wire, World};
use crate::engine::Command;
use crate::fault::FaultClass;

const FIFO: (&str, &str) = ("AWS_SQS_URL", "https://sqs.eu-north-1.amazonaws.com/123456789012/orders.fifo");
const SEEDS: u64 = 40;
const FAULTS_FOR: Duration = Duration::from_secs(300);

fn faulty(settings: &[(&str, &str)], seed: u64) -> World {
    let mut world = World::seeded(settings, seed);
    let (sink_faults, wire_faults) = (seed % 4 * 10, seed % 3 * 5);
    world.sink = Box::new(move |post, rng| {
        let quick = Duration::from_millis(rng.u64(1..200));
        if post.at >= FAULTS_FOR || rng.u64(0..100) >= sink_faults {
            return Reply::StatusAfter(202, quick);
        }
        match rng.u8(0..5) {
            0 => Reply::Status(503),
            1 => Reply::Wish(429, Duration::from_secs(rng.u64(0..10))),
            2 => Reply::Refused,
            3 => Reply::StatusAfter(500, Duration::from_secs(rng.u64(1..100))),
            _ => Reply::StatusAfter(202, Duration::from_secs(rng.u64(1..100))),
        }
    });
    world.net = Box::new(move |command, at, rng| {
        let droppable = !matches!(command, Command::Deliver(_) | Command::Describe | Command::RefreshIdentity);
        if at >= FAULTS_FOR || !droppable || rng.u64(0..100) >= wire_faults {
            return Wire::Fine;
        }
        match rng.u8(0..3) {
            0 => Wire::Fault(FaultClass::Transient),
            1 => Wire::Fault(FaultClass::Throttle),
            _ => Wire::AnswerLost,
        }
    });
    world
}

fn feed(world: &mut World, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    for n in 0..100 {
        let group = format!("g{}", rng.u8(0..6));
        world.send_to_group(&format!("{group}-{n:03}"), &group);
        world.run(Duration::from_millis(rng.u64(0..4000)));
    }
    world.run(FAULTS_FOR + Duration::from_secs(3600));
}

#[test]
fn nothing_is_lost_whatever_fails() {
    for seed in 0..SEEDS {
        let mut world = faulty(&[], seed);
        feed(&mut world, seed);
        assert_eq!(world.left(), Vec::<&str>::new(), "seed {seed}");
        let accepted: std::collections::BTreeSet<&str> = world.accepted().into_iter().collect();
        assert_eq!(accepted.len(), 100, "seed {seed}");
    }
}

#[test]
fn a_group_keeps_its_order_whatever_fails() {
    for seed in 0..SEEDS {
        let mut world = faulty(&[FIFO], seed);
        feed(&mut world, seed);
        assert_eq!(world.left(), Vec::<&str>::new(), "seed {seed}");
        let mut last: BTreeMap<&str, &str> = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        for id in world.accepted().into_iter().filter(|id| seen.insert(*id)) {
            let group = &id[..2];
            let before = last.insert(group, id);
            assert!(before.is_none_or(|before| before < id), "seed {seed}: {id} after {before:?}");
        }
        assert_eq!(seen.len(), 100, "seed {seed}");
    }
}

#[test]
fn a_bridge_that_is_stopped_at_any_time_leaves_everything_to_the_next() {
    for seed in 0..SEEDS {
        for queue in [&[][..], &[FIFO][..]] {
            let mut world = faulty(queue, seed);
            for n in 0..50 {
                world.send_to_group(&n.to_string(), &(n % 5).to_string());
            }
            world.run(Duration::from_millis(seed * 150));
            let took = world.drain();
            assert!(took <= Duration::from_secs(49), "seed {seed}: {took:?}");
            let accepted: std::collections::BTreeSet<&str> = world.accepted().into_iter().collect();
            for id in world.left() {
                assert!(
                    !accepted.contains(id) || seed % 3 > 0 || took.as_secs() > 30,
                    "seed {seed}: {id} was accepted but stays"
                );
            }
            assert_eq!(world.dead().len(), 0);
        }
    }
}
