//! Receive, flow and FIFO settings -> how much is asked for and may be under way. Pure.

use std::time::Duration;

use super::Strings;
use super::integration_source::Wishes;
use super::parse;
use super::queue::Queue;
use super::read::Reader;
use super::settings;

/// How messages are received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    /// Preset of least pollers and batch window. Default balanced.
    pub profile: Profile,
    /// `WaitTimeSeconds` of a long poll, whole seconds. Default 20 s (1 to 20).
    pub wait_time: Duration,
    /// `MaxNumberOfMessages`, an upper bound. Default 10 (1 to 10).
    pub max_messages: u32,
    /// ReceiveMessage calls at once, at most. Default 16 (1 to 64).
    pub max_pollers: u32,
    /// `VisibilityTimeout`, whole seconds. Default 30 s (10 s to 12 h); more than `wait_time` + 5 s.
    pub visibility_timeout: Duration,
}

/// Preset of least pollers and batch window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// One poller at least, no batch window.
    #[default]
    Balanced,
    /// Two pollers at least.
    Latency,
    /// A batch window of 500 ms: fewer, fuller receives.
    Cost,
}

/// How much may be under way at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Messages received and not yet settled. Default 1,024 (1 to 20,000).
    pub max_in_flight: u32,
    /// Bytes of the same. Default 64 MiB (at least 12 MiB).
    pub max_in_flight_bytes: u64,
    /// POSTs at once. Default 128 (1 to 1,024).
    pub max_concurrency: u32,
    /// Events per second to the sink. Default: no limit.
    pub max_rate: Option<f64>,
}

/// What a FIFO lane does with a head that the sink refuses for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPoison {
    /// Hold the lane until SQS moves the message to the dead-letter queue.
    #[default]
    Block,
    /// Send the head to the dead-letter sink and go on.
    Skip,
}

impl Profile {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("balanced", Self::Balanced), ("latency", Self::Latency), ("cost", Self::Cost)];
}

impl OnPoison {
    /// The names of the values.
    pub const NAMES: &'static [(&'static str, Self)] = &[("block", Self::Block), ("skip", Self::Skip)];
}

/// A long poll is given up this long after its wait time, so the visibility timeout must be longer than both.
pub const POLL_GRACE: Duration = Duration::from_secs(5);

/// Reads the receive settings.
pub(super) fn read_receive<E: Strings>(reader: &mut Reader<E>, compatibility: Option<&Wishes>) -> Option<Receive> {
    let profile = reader.value(&settings::PROFILE, parse::choice(Profile::NAMES));
    let wait_time = reader.value(&settings::WAIT_TIME, parse::seconds(1..=20));
    let max_messages = reader.value(&settings::MAX_MESSAGES, parse::integer(1..=10));
    let max_pollers = reader.value(&settings::MAX_POLLERS, parse::integer(1..=64));
    let visibility_timeout = reader.value(&settings::VISIBILITY_TIMEOUT, parse::seconds(10..=43_200));
    let (mut wait_time, visibility_timeout) = (wait_time?, visibility_timeout?);
    if visibility_timeout <= wait_time + POLL_GRACE {
        // IntegrationSource knows no such rule: there a shorter poll keeps what was asked for.
        if compatibility.is_some() {
            wait_time = visibility_timeout.saturating_sub(POLL_GRACE + Duration::from_secs(1));
        } else {
            reject_short_visibility(reader, wait_time);
        }
    }
    Some(Receive {
        profile: profile?,
        wait_time,
        max_messages: max_messages?,
        max_pollers: max_pollers?,
        visibility_timeout,
    })
}

/// Reads the flow settings.
pub(super) fn read_flow<E: Strings>(reader: &mut Reader<E>) -> Option<Flow> {
    let max_in_flight = reader.value(&settings::MAX_IN_FLIGHT, parse::integer(1..=20_000));
    let max_in_flight_bytes = reader.value(&settings::MAX_IN_FLIGHT_BYTES, parse::quantity(12 << 20));
    let max_concurrency = reader.value(&settings::MAX_CONCURRENCY, parse::integer(1..=1_024));
    let limited = reader.given(&settings::MAX_RATE).is_some();
    let max_rate = reader.optional(&settings::MAX_RATE, parse::rate);
    if limited && max_rate.is_none() {
        return None;
    }
    Some(Flow {
        max_in_flight: max_in_flight?,
        max_in_flight_bytes: max_in_flight_bytes?,
        max_concurrency: max_concurrency?,
        max_rate,
    })
}

/// Reads what a FIFO lane does with a refused head.
pub(super) fn read_on_poison<E: Strings>(reader: &mut Reader<E>, queue: Option<&Queue>) -> Option<OnPoison> {
    if reader.given(&settings::FIFO_ON_POISON).is_none() {
        return Some(OnPoison::default());
    }
    let on_poison = reader.optional(&settings::FIFO_ON_POISON, parse::choice(OnPoison::NAMES))?;
    if queue.is_some_and(|queue| !queue.is_fifo()) {
        reader.reject(
            &settings::FIFO_ON_POISON,
            "has no effect on a queue whose name does not end in .fifo: leave it out",
        );
    }
    if on_poison == OnPoison::Skip && reader.given(&settings::DEAD_LETTER_SINK).is_none() {
        reader.reject(
            &settings::FIFO_ON_POISON,
            "skip needs a place for refused messages: set BRIDGE_DEAD_LETTER_SINK (flag --dead-letter-sink) or use block",
        );
    }
    Some(on_poison)
}

fn reject_short_visibility<E: Strings>(reader: &mut Reader<E>, wait_time: Duration) {
    let least = parse::show_duration(wait_time + POLL_GRACE + Duration::from_secs(1));
    let wait = parse::show_duration(wait_time);
    let problem = format!(
        "must exceed the wait time of {wait} by more than 5s: use {least} or more, or a shorter BRIDGE_WAIT_TIME (flag --wait-time)"
    );
    reader.reject(&settings::VISIBILITY_TIMEOUT, &problem);
}
