//! A sink that is down for long.

use std::time::Duration;

use super::world::{MOMENT, Reply, World};

fn outage(settings: &[(&str, &str)], down: Duration, reply: Reply) -> World {
    let mut world = World::new(settings);
    world.max_receive_count = Some(3);
    world.sink = Box::new(move |post, _| if post.at < down { reply } else { Reply::Status(202) });
    world
}

#[test]
fn an_outage_of_thirty_visibility_timeouts_sends_nothing_to_the_dead_letter_queue() {
    for reply in [Reply::Refused, Reply::Status(503), Reply::Status(401)] {
        let down = Duration::from_secs(30 * 30);
        let mut world = outage(&[], down, reply);
        for n in 0..400 {
            world.send(&n.to_string());
        }
        world.run(down + Duration::from_secs(35));
        assert_eq!(world.dead(), Vec::<&str>::new(), "{reply:?}");
        assert!(world.most_receives() <= 3, "{reply:?}: {} receives", world.most_receives());
        assert_eq!(world.left().len(), 0, "{reply:?}: everything is delivered within 35 s of the recovery");
    }
}

#[test]
fn an_open_breaker_stops_receives_and_probes_ever_more_rarely() {
    let mut world = outage(&[], Duration::from_secs(600), Reply::Refused);
    for n in 0..20 {
        world.send(&n.to_string());
    }
    world.run(Duration::from_secs(60));
    let opened = world.posts.len();
    world.run(Duration::from_secs(300));
    let probes = world.posts.len() - opened;
    assert!((9..=14).contains(&probes), "{probes} probes in five minutes");
}

#[test]
fn a_quiet_queue_survives_an_outage_too() {
    let down = Duration::from_secs(1800);
    let mut world = outage(&[], down, Reply::Refused);
    world.send("only");
    world.run(down + Duration::from_secs(35));
    assert_eq!((world.dead().len(), world.left().len()), (0, 0));
    assert!(world.receives("only") <= 3, "{} receives", world.receives("only"));
}

#[test]
fn exhausted_retries_go_to_the_dead_letter_sink_only_if_retry_was_set() {
    for (settings, dead_letters) in [
        (vec![("BRIDGE_DEAD_LETTER_SINK", "http://dead.example/")], 0),
        (vec![("BRIDGE_DEAD_LETTER_SINK", "http://dead.example/"), ("BRIDGE_DELIVERY_RETRY", "2")], 1),
    ] {
        let mut world = World::new(&settings);
        world.sink = Box::new(|post, _| Reply::Status(if post.dead_letter { 202 } else { 500 }));
        world.send("a");
        world.run(Duration::from_secs(3));
        let sent = world.posts.iter().filter(|post| post.dead_letter).count();
        assert_eq!((sent, world.left().is_empty()), (dead_letters, dead_letters == 1));
    }
}

#[test]
fn a_refused_event_goes_to_the_dead_letter_sink_and_its_message_is_deleted() {
    let mut world = World::new(&[("BRIDGE_DEAD_LETTER_SINK", "http://dead.example/")]);
    world.sink = Box::new(|post, _| Reply::Status(if post.dead_letter { 202 } else { 400 }));
    world.send("a");
    world.run(MOMENT);
    assert_eq!((world.posts.len(), world.left().len()), (2, 0));
}
