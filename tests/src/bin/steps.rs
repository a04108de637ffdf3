//! A pure part of the bridge and a number -> the part done so many times, to be counted from outside. Pure.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqs_bridge::config::{Config, ContentMode};
use sqs_bridge::engine::Key;
use sqs_bridge::lease::Leases;
use sqs_bridge::normalize;
use sqs_bridge::settle::buffer::Buffer;
use tests::sample::{EVENTBRIDGE, message};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (part, times) = (arguments.next().unwrap_or_default(), arguments.next().and_then(|times| times.parse().ok()));
    let times: u64 = times.unwrap_or_default();
    let done = match part.as_str() {
        "mapping" => mapping(times),
        "leases" => leases(times),
        "batches" => batches(times),
        _ => 0,
    };
    if done == times { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Messages -> headers and bodies.
fn mapping(times: u64) -> u64 {
    let arn = ("AWS_SQS_ARN", "arn:aws:sqs:us-east-1:123456789012:orders");
    let Ok(config) = Config::from_env_pairs([arn, ("K_SINK", "http://display")]) else { return 0 };
    let message = message(EVENTBRIDGE);
    let encoded = (0..times).map(|_| {
        let events = normalize::events(&message, &config.queue, &config.event, 0);
        events.iter().map(|event| event.encode(ContentMode::Auto).body.len()).sum::<usize>()
    });
    encoded.filter(|sent| *sent == EVENTBRIDGE.len()).count() as u64
}

/// Leases that begin, are looked at before a POST, and end, a hundred at a time.
fn leases(times: u64) -> u64 {
    let now = Instant::now();
    let (mut leases, handle) = (Leases::new(Duration::from_secs(30)), Arc::<str>::from("handle"));
    let mut held = 0;
    for key in 0..times {
        leases.track(Key(key), Arc::clone(&handle), Duration::from_secs(30), now);
        held += u64::from(leases.held(Key(key), now) == sqs_bridge::lease::Held::Yes);
        leases.forget(Key(key.wrapping_sub(100)));
        leases.poll_timeout();
    }
    held
}

/// Single entries -> batches of ten.
fn batches(times: u64) -> u64 {
    let now = Instant::now();
    let mut buffer = Buffer::new(Duration::from_millis(200), 16);
    let mut taken = 0;
    for number in 0..times {
        buffer.push(number, now);
        if let Some(batch) = buffer.take(now) {
            taken += batch.len() as u64;
            buffer.finished();
        }
    }
    taken + times % 10
}
