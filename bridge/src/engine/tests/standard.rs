//! Lives of messages of a standard queue.

use std::time::Duration;

use super::world::{MOMENT, Reply, Wire, World};
use crate::engine::Command;
use crate::fault::FaultClass;

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn calls(world: &World, name: &str) -> usize {
    world.calls.iter().filter(|(_, call, _)| *call == name).count()
}

#[test]
fn a_message_is_sent_once_and_deleted_within_the_linger() {
    let mut world = World::new(&[]);
    world.send("a");
    world.run(MOMENT);
    assert_eq!((world.accepted(), world.left()), (vec!["a"], vec![]));
    assert_eq!(calls(&world, "delete"), 1);
    assert_eq!(calls(&world, "extend"), 0);
}

#[test]
fn ten_messages_cost_two_requests_and_no_more_under_load() {
    let mut world = World::new(&[]);
    for n in 0..1000 {
        world.send(&n.to_string());
    }
    world.run(Duration::from_secs(5));
    assert_eq!(world.left(), Vec::<&str>::new());
    let busy = world.calls.iter().filter(|(_, name, _)| *name == "receive" || *name == "delete").count();
    assert!(busy <= 200 + 20, "{busy} requests for 1,000 messages and the long polls after them");
}

#[test]
fn a_failing_sink_is_retried_and_then_the_message_goes_back_with_a_growing_wait() {
    let mut world = World::new(&[("BRIDGE_MAX_POLLERS", "1")]);
    world.sink = Box::new(|post, _| if post.message == "bad" { Reply::Status(500) } else { Reply::Status(202) });
    world.send("bad");
    for n in 0..600 {
        world.send(&format!("good {n}"));
        world.run(MOMENT);
    }
    assert!(world.receives("bad") <= 10, "{} receives in ten minutes", world.receives("bad"));
    let posts = world.posts_of("bad");
    assert!(posts > world.receives("bad") as usize * 3 && posts <= world.receives("bad") as usize * 4, "{posts} POSTs");
    assert_eq!(world.left(), ["bad"]);
}

#[test]
fn the_sinks_wish_is_respected_up_to_the_maximum() {
    for (wish, waits) in [(5, 5.0..6.0), (300, 30.0..31.0)] {
        let mut world = World::new(&[]);
        let mut first = true;
        world.sink = Box::new(move |_, _| {
            if std::mem::take(&mut first) { Reply::Wish(429, Duration::from_secs(wish)) } else { Reply::Status(202) }
        });
        world.send("a");
        world.run(minutes(2));
        let wait = (world.posts[1].at - world.posts[0].at).as_secs_f64();
        assert!(waits.contains(&wait), "{wish}: {wait}");
    }
}

#[test]
fn a_refused_message_is_handed_to_redrive_or_hidden_for_long() {
    let mut world = World::new(&[]);
    world.max_receive_count = Some(3);
    world.sink = Box::new(|_, _| Reply::Status(400));
    world.send("poison");
    world.run(minutes(1));
    assert_eq!((world.dead(), world.posts_of("poison")), (vec!["poison"], 3));

    let mut world = World::new(&[]);
    world.sink = Box::new(|_, _| Reply::Status(400));
    world.send("poison");
    world.run(minutes(10));
    assert_eq!(world.posts_of("poison"), 1);
}

#[test]
fn a_slow_sink_gets_each_message_once() {
    for seconds in [12, 29, 300] {
        let mut world = World::new(&[]);
        world.sink = Box::new(move |_, _| Reply::StatusAfter(202, Duration::from_secs(seconds)));
        world.send("slow");
        world.run(minutes(10));
        assert_eq!((world.posts_of("slow"), world.receives("slow"), world.left().len()), (1, 1, 0), "{seconds} s");
    }
}

#[test]
fn a_message_whose_last_event_is_not_accepted_is_not_deleted_and_only_the_rest_is_sent_again() {
    let records = r#"{"Records":[
        {"eventSource":"aws:s3","awsRegion":"r","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"0"}}},
        {"eventSource":"aws:s3","awsRegion":"r","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"1"}}},
        {"eventSource":"aws:s3","awsRegion":"r","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"2"}}}]}"#;
    let mut world = World::new(&[("BRIDGE_DELIVERY_RETRY", "0")]);
    let mut failures = 2;
    world.sink = Box::new(move |post, _| {
        if post.index == 1 && failures > 0 {
            failures -= 1;
            return Reply::Status(503);
        }
        Reply::Status(202)
    });
    world.send_body("s3", "", records);
    world.run(minutes(5));
    let sent: Vec<(usize, bool)> = world.posts.iter().map(|post| (post.index, post.accepted)).collect();
    assert_eq!(sent, [(0, true), (1, false), (1, false), (1, true), (2, true)]);
    assert_eq!(world.left(), Vec::<&str>::new());
}

#[test]
fn failed_delete_entries_are_repeated_without_another_post() {
    let mut world = World::new(&[]);
    let mut failures = 2;
    world.net = Box::new(move |command, _, _| match command {
        Command::Delete(_) if failures > 0 => {
            failures -= 1;
            Wire::Fault(FaultClass::Transient)
        }
        _ => Wire::Fine,
    });
    world.send("a");
    world.run(minutes(1));
    assert_eq!((world.posts_of("a"), calls(&world, "delete"), world.left().len()), (1, 3, 0));
}

#[test]
fn a_redelivery_while_the_delete_is_pending_uses_the_newest_handle() {
    let mut world = World::new(&[]);
    world.net = Box::new(|command, at, _| match command {
        Command::Delete(_) if at < Duration::from_secs(5) => Wire::Fault(FaultClass::Transient),
        _ => Wire::Fine,
    });
    world.send("a");
    world.run(MOMENT);
    world.show_again("a");
    world.run(minutes(1));
    assert_eq!((world.posts_of("a"), world.receives("a"), world.left().len()), (1, 2, 0));
}

#[test]
fn an_accepted_message_that_could_not_be_deleted_is_not_sent_again_when_it_returns() {
    let mut world = World::new(&[]);
    world.net = Box::new(|command, at, _| match command {
        Command::Delete(_) if at < minutes(2) => Wire::Fault(FaultClass::Transient),
        _ => Wire::Fine,
    });
    world.send("a");
    world.run(minutes(10));
    assert_eq!((world.posts_of("a"), world.left().len()), (1, 0));
    assert!(world.receives("a") > 1);
}

#[test]
fn a_denied_delete_stops_everything_until_it_is_permitted() {
    let mut world = World::new(&[]);
    world.net = Box::new(|command, at, _| match command {
        Command::Delete(_) if at < minutes(3) => Wire::Fault(FaultClass::FatalConfig),
        _ => Wire::Fine,
    });
    world.send("a");
    world.run(MOMENT);
    let problem = world.health.readiness(std::time::Instant::now()).queue;
    assert!(problem.is_some(), "readiness names the problem");
    world.send("b");
    world.run(minutes(2));
    assert_eq!(world.posts_of("b"), 0);
    world.run(minutes(2));
    assert_eq!((world.posts_of("a"), world.posts_of("b"), world.left().len()), (1, 1, 0));
}

#[test]
fn without_the_right_to_extend_receives_hide_messages_for_a_whole_post() {
    let mut world = World::new(&[("K_SINK_TIMEOUT", "100")]);
    world.net = Box::new(|command, _, _| match command {
        Command::Extend(_) => Wire::Fault(FaultClass::FatalConfig),
        _ => Wire::Fine,
    });
    world.sink = Box::new(|_, _| Reply::StatusAfter(202, Duration::from_secs(90)));
    world.send("a");
    world.run(minutes(1));
    world.send("b");
    world.run(minutes(10));
    assert_eq!(calls(&world, "extend"), 1);
    assert_eq!(world.posts_of("b"), 1);
    assert_eq!(world.left(), Vec::<&str>::new());
}

#[test]
fn sigterm_gives_back_what_has_not_started_and_waits_for_what_runs() {
    let mut world = World::new(&[("BRIDGE_MAX_CONCURRENCY", "1")]);
    world.sink = Box::new(|_, _| Reply::StatusAfter(202, Duration::from_secs(10)));
    for id in ["a", "b", "c"] {
        world.send(id);
    }
    world.run(Duration::from_secs(2));
    let took = world.drain();
    assert!(took <= Duration::from_secs(37), "{took:?}");
    assert_eq!(world.accepted(), ["a"]);
    assert_eq!(world.left(), ["b", "c"]);
    assert!(world.is_visible("b") && world.is_visible("c"));
}

#[test]
fn sigterm_in_a_long_poll_gives_back_what_it_brings() {
    let mut world = World::new(&[]);
    world.run(Duration::from_secs(3));
    world.terminate();
    world.send("late");
    world.drain();
    assert_eq!((world.posts_of("late"), world.receives("late")), (0, 1));
    assert!(world.is_visible("late"));
}

#[test]
fn a_hanging_sink_does_not_outlast_the_drain_timeout() {
    let mut world = World::new(&[("BRIDGE_DRAIN_TIMEOUT", "20s")]);
    world.sink = Box::new(|_, _| Reply::StatusAfter(202, Duration::from_secs(300)));
    world.send("hung");
    world.run(MOMENT);
    let took = world.drain();
    assert!(took <= Duration::from_secs(21), "{took:?}");
    assert!(world.is_visible("hung"));
}

/// Hidden for a quarter of an hour each time, the message would reach the queue's dead-letter queue hours later.
#[test]
fn a_refused_message_comes_again_soon_while_nobody_knows_whether_the_queue_redrives() {
    for (known, dead, warnings) in [(false, vec!["poison"], vec![]), (true, vec![], vec!["NoDeadLetterQueue"])] {
        let mut world = World::new(&[]);
        let denied = Wire::Fault(FaultClass::FatalConfig);
        world.net = Box::new(
            move |command, _, _| if !known && matches!(command, Command::Describe) { denied } else { Wire::Fine },
        );
        world.max_receive_count = (!known).then_some(3);
        world.sink = Box::new(|_, _| Reply::Status(422));
        world.run(MOMENT);
        world.send("poison");
        world.run(minutes(2));
        let told = world.health.readiness(std::time::Instant::now()).warnings;
        let told: Vec<_> =
            told.iter().map(|warning| warning.reason).filter(|reason| *reason != "SinkRefuses").collect();
        assert_eq!((world.dead(), told), (dead, warnings), "known: {known}");
    }
}

#[test]
fn an_idle_queue_costs_one_long_poll_in_twenty_seconds() {
    let mut world = World::new(&[]);
    world.run(minutes(24 * 60));
    let requests = world.calls.len();
    assert!(requests <= 4_400, "{requests} requests a day");
}

#[test]
fn fifty_messages_a_second_cost_few_requests_in_profile_cost() {
    for (profile, most) in [("cost", 300), ("balanced", 1_100)] {
        let mut world = World::new(&[("BRIDGE_PROFILE", profile)]);
        world.run(MOMENT);
        world.calls.clear();
        for n in 0..1000 {
            world.send(&n.to_string());
            world.run(Duration::from_millis(20));
        }
        world.run(MOMENT);
        let requests = world.calls.len();
        let kinds = ["receive", "delete", "extend", "nack"].map(|name| (name, calls(&world, name)));
        assert!(requests <= most, "{profile}: {requests} requests for 1,000 messages: {kinds:?}");
        assert_eq!(world.left().len(), 0);
    }
}
