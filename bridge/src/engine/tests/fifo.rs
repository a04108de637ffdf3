//! Lives of messages of a FIFO queue.

use std::time::Duration;

use super::world::{MOMENT, Reply, Wire, World};
use crate::engine::Command;
use crate::fault::FaultClass;

const FIFO: (&str, &str) = ("AWS_SQS_URL", "https://sqs.eu-north-1.amazonaws.com/123456789012/orders.fifo");

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[test]
fn a_group_is_sent_in_order_and_groups_do_not_wait_for_each_other() {
    let mut world = World::new(&[FIFO]);
    world.sink = Box::new(|post, _| {
        Reply::StatusAfter(202, if post.message == "a1" { Duration::from_secs(5) } else { Duration::from_millis(5) })
    });
    for (id, group) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b")] {
        world.send_to_group(id, group);
    }
    world.run(Duration::from_secs(3));
    let started: Vec<&str> = world.posts.iter().map(|post| post.message.as_str()).collect();
    assert_eq!(started, ["a1", "b1", "b2"], "a waits for its head, b does not");
    world.run(Duration::from_secs(5));
    assert_eq!(world.accepted(), ["a1", "b1", "b2", "a2", "a3"]);
    assert_eq!(world.left().len(), 0);
}

#[test]
fn a_failing_head_holds_its_group_and_is_tried_for_a_quarter_of_an_hour() {
    let mut world = World::new(&[FIFO]);
    world.sink = Box::new(|post, _| {
        let down = post.message == "a1" && post.at < minutes(10);
        Reply::Status(if down { 500 } else { 202 })
    });
    for (id, group) in [("a1", "a"), ("a2", "a"), ("b1", "b")] {
        world.send_to_group(id, group);
    }
    world.run(minutes(9));
    assert_eq!(world.accepted(), ["b1"]);
    world.run(minutes(3));
    assert_eq!(world.accepted(), ["b1", "a1", "a2"]);
    assert_eq!((world.receives("a1"), world.receives("a2")), (1, 1), "nothing was released");
}

#[test]
fn a_lane_is_released_whole_from_its_tail_and_then_received_one_by_one() {
    let mut world = World::new(&[FIFO]);
    world.sink = Box::new(|post, _| Reply::Status(if post.message == "a1" { 500 } else { 202 }));
    for id in ["a1", "a2", "a3"] {
        world.send_to_group(id, "a");
    }
    for n in 0..102 {
        world.send_to_group(&format!("b{n}"), "b");
        world.run(Duration::from_secs(10));
    }
    let releases: Vec<_> = world.calls.iter().filter(|(_, name, _)| *name == "release").collect();
    let ids: Vec<&str> = releases[0].2.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a3", "a2", "a1"]);
    let timeouts: Vec<u64> = releases[0].2.iter().map(|(_, timeout)| *timeout).collect();
    assert!(timeouts.iter().all(|timeout| *timeout == timeouts[0]), "{timeouts:?}");
    assert_eq!((world.receives("a1"), world.receives("a2"), world.receives("a3")), (2, 1, 1));
}

#[test]
fn a_poison_head_reaches_the_dead_letter_queue_and_its_tail_reaches_the_sink() {
    let mut world = World::new(&[FIFO]);
    world.max_receive_count = Some(3);
    world.sink = Box::new(|post, _| Reply::Status(if post.message == "poison" { 400 } else { 202 }));
    for id in ["poison", "b", "c"] {
        world.send_to_group(id, "g");
    }
    world.run(minutes(90));
    assert_eq!(world.dead(), ["poison"]);
    assert_eq!(world.accepted(), ["b", "c"]);
}

#[test]
fn with_skip_a_poison_head_goes_to_the_dead_letter_sink_and_the_lane_goes_on() {
    let mut world =
        World::new(&[FIFO, ("BRIDGE_DEAD_LETTER_SINK", "http://dead.example/"), ("BRIDGE_FIFO_ON_POISON", "skip")]);
    world.sink =
        Box::new(|post, _| Reply::Status(if post.message == "poison" && !post.dead_letter { 400 } else { 202 }));
    for id in ["poison", "b"] {
        world.send_to_group(id, "g");
    }
    world.run(MOMENT);
    let posts: Vec<(&str, bool)> = world.posts.iter().map(|post| (post.message.as_str(), post.dead_letter)).collect();
    assert_eq!(posts, [("poison", false), ("poison", true), ("b", false)]);
    assert_eq!(world.left().len(), 0);
}

#[test]
fn sigterm_releases_lanes_from_their_tails() {
    let mut world = World::new(&[FIFO]);
    world.sink = Box::new(|_, _| Reply::StatusAfter(202, Duration::from_secs(5)));
    for id in ["a1", "a2", "a3"] {
        world.send_to_group(id, "a");
    }
    world.run(MOMENT);
    world.drain();
    assert_eq!(world.accepted(), ["a1"]);
    let releases: Vec<_> = world.calls.iter().filter(|(_, name, _)| *name == "release").collect();
    let entries: Vec<(&str, u64)> = releases[0].2.iter().map(|(id, timeout)| (id.as_str(), *timeout)).collect();
    assert_eq!(entries, [("a3", 0), ("a2", 0)]);
}

#[test]
fn nothing_overtakes_a_head_whose_lease_was_lost_while_it_is_sent() {
    let mut world = World::new(&[FIFO]);
    let mut refusals = 1;
    world.net = Box::new(move |command, _, _| match command {
        Command::Extend(_) if refusals > 0 => {
            refusals -= 1;
            Wire::Fault(FaultClass::Entry)
        }
        _ => Wire::Fine,
    });
    world.sink =
        Box::new(|post, _| Reply::StatusAfter(202, Duration::from_secs(if post.message == "a1" { 60 } else { 1 })));
    for id in ["a1", "a2"] {
        world.send_to_group(id, "a");
    }
    world.run(minutes(3));
    assert_eq!(world.accepted(), ["a1", "a2"]);
    assert_eq!((world.posts_of("a1"), world.receives("a1"), world.left().len()), (1, 2, 0));
}

#[test]
fn a_group_id_on_a_standard_queue_makes_no_order() {
    let mut world = World::new(&[]);
    world.sink = Box::new(|_, _| Reply::StatusAfter(202, Duration::from_secs(1)));
    for id in ["a", "b", "c"] {
        world.send_to_group(id, "tenant");
    }
    world.run(Duration::from_millis(500));
    assert_eq!(world.posts.len(), 3, "in parallel");
}
