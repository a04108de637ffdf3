use bytes::Bytes;

use super::*;
use crate::health::Health;
use crate::outcome::{TransportClass, TransportFailure};

const WAIT: Duration = Duration::from_secs(20);
const SINK_TIMEOUT: Duration = Duration::from_secs(310);

/// A bridge and the instant at which it started.
fn start() -> (Health, Instant) {
    let start = Instant::now();
    (Health::new(WAIT, SINK_TIMEOUT, start), start)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after: None, body: Bytes::new() }
}

fn refused() -> Answer {
    let message = "nobody listens at sink:80: connection refused".to_owned();
    Answer::Failed(TransportFailure { class: TransportClass::Refused, message })
}

fn problem(reason: &'static str, message: &str) -> Problem {
    Problem { reason, message: message.into() }
}

fn reasons(health: &Health, now: Instant) -> Vec<&'static str> {
    health.readiness(now).warnings.iter().map(|warning| warning.reason).collect()
}

#[test]
fn receives_that_complete_keep_the_process_alive_whatever_they_bring() {
    let (health, start) = start();
    assert_eq!(health.live(start + seconds(59)), Liveness::Alive);
    health.received(start + seconds(59));
    assert_eq!(health.live(start + seconds(118)), Liveness::Alive);
    health.receive_failed(start + seconds(118), None);
    assert_eq!(health.live(start + seconds(177)), Liveness::Alive);
    health.endpoint_unreachable(start + seconds(177), "no answer".into());
    assert_eq!(health.live(start + seconds(236)), Liveness::Alive);
    assert_eq!(
        health.live(start + seconds(237)),
        Liveness::Stuck("no receive has completed for 60 s".into()),
        "three waits without a receive and without a reason"
    );
}

#[test]
fn a_short_wait_still_gives_a_receive_thirty_seconds() {
    let start = Instant::now();
    let health = Health::new(seconds(1), seconds(1), start);
    assert_eq!(health.live(start + seconds(29)), Liveness::Alive);
    assert_eq!(health.live(start + seconds(30)), Liveness::Stuck("no receive has completed for 30 s".into()));
}

#[test]
fn a_pause_with_a_name_keeps_the_process_alive_while_work_goes_on() {
    let (health, start) = start();
    for pause in [Pause::NoPermits, Pause::Breaker, Pause::Backoff, Pause::BatchWindow, Pause::Drain] {
        health.paused(Some(pause));
        assert_eq!(health.live(start + seconds(339)), Liveness::Alive, "{pause:?}");
    }
    health.paused(Some(Pause::NoPermits));
    assert_eq!(
        health.live(start + seconds(340)),
        Liveness::Stuck(
            "no receive has completed for 340 s (paused: no permits) and nothing else has ended for 340 s".into()
        )
    );
    health.progress(start + seconds(340));
    assert_eq!(health.live(start + seconds(679)), Liveness::Alive);
    health.answered(start + seconds(679), &refused());
    assert_eq!(health.live(start + seconds(1_018)), Liveness::Alive);
    health.paused(None);
    assert_eq!(
        health.live(start + seconds(1_018)),
        Liveness::Stuck("no receive has completed for 1018 s".into()),
        "progress counts only while receives pause"
    );
}

#[test]
fn ready_is_after_the_first_successful_receive_and_until_the_drain() {
    let (health, now) = start();
    let readiness = |ready| Readiness { ready, queue: None, warnings: Vec::new() };
    assert_eq!(health.readiness(now), readiness(false));
    health.receive_failed(now, None);
    assert_eq!(health.readiness(now), readiness(false));
    health.received(now);
    assert_eq!(health.readiness(now), readiness(true));
    health.receive_failed(now, None);
    assert_eq!(health.readiness(now), readiness(true), "a throttle or a passing failure is no reason");
    health.draining();
    assert_eq!(health.readiness(now), readiness(false));
}

#[test]
fn a_fatal_problem_holds_until_a_receive_succeeds() {
    let (health, now) = start();
    health.received(now);
    let denied = problem("AccessDenied", "sqs:ReceiveMessage denied");
    health.receive_failed(now, Some(denied.clone()));
    health.receive_failed(now, None);
    let expected = Readiness { ready: false, queue: Some(denied), warnings: Vec::new() };
    assert_eq!(health.readiness(now), expected);
    health.received(now);
    assert_eq!(health.readiness(now), Readiness { ready: true, queue: None, warnings: Vec::new() });
    let undeletable = problem("AccessDenied", "sqs:DeleteMessage denied");
    health.fatal(undeletable.clone());
    assert_eq!(health.readiness(now).queue, Some(undeletable));
}

#[test]
fn an_endpoint_is_unreachable_after_half_a_minute_of_nothing_else() {
    let (health, start) = start();
    let failed = |at| health.endpoint_unreachable(start + seconds(at), format!("no address, at {at} s"));
    let told = |at| health.readiness(start + seconds(at)).queue;
    failed(0);
    assert_eq!(told(29), None);
    health.receive_failed(start + seconds(29), None);
    failed(30);
    assert_eq!(told(59), None, "an answer came in between");
    failed(45);
    let at_last = problem("EndpointUnreachable", "no address, at 45 s");
    assert_eq!(told(60), Some(at_last), "without waiting for the next attempt");
    health.received(start + seconds(61));
    failed(62);
    assert_eq!(told(91), None);
}

#[test]
fn an_endpoint_that_cannot_be_reached_hides_what_it_said_before() {
    let (health, start) = start();
    let denied = problem("AccessDenied", "sqs:ReceiveMessage denied");
    health.receive_failed(start, Some(denied.clone()));
    health.endpoint_unreachable(start, "no address".into());
    assert_eq!(health.readiness(start + seconds(29)).queue, Some(denied.clone()));
    let unreachable = problem("EndpointUnreachable", "no address");
    assert_eq!(health.readiness(start + seconds(30)).queue, Some(unreachable));
    health.receive_failed(start + seconds(31), None);
    assert_eq!(health.readiness(start + seconds(31)).queue, Some(denied));
}

#[test]
fn a_sink_is_unavailable_after_three_failures_and_until_it_accepts() {
    let (health, now) = start();
    health.answered(now, &status(503));
    health.answered(now, &refused());
    assert_eq!(health.readiness(now).warnings, []);
    health.answered(now, &refused());
    assert_eq!(
        health.readiness(now).warnings,
        [problem(
            "SinkUnavailable",
            "every attempt fails: nobody listens at sink:80: connection refused: check host and port, and that it is running"
        )]
    );
    health.answered(now, &status(502));
    assert_eq!(
        health.readiness(now).warnings,
        [problem(
            "SinkUnavailable",
            "every attempt fails: the sink answers 502: it has a problem of its own, see its logs; the event is repeated"
        )]
    );
    health.answered(now, &status(202));
    assert_eq!(health.readiness(now).warnings, []);
}

#[test]
fn an_open_breaker_is_a_warning_and_no_reason_to_be_unready() {
    let (health, now) = start();
    health.received(now);
    health.breaker_open(Some("TLS with sink:443 failed: UnknownIssuer".into()));
    let warning = problem("SinkUnavailable", "the circuit breaker is open: TLS with sink:443 failed: UnknownIssuer");
    assert_eq!(health.readiness(now), Readiness { ready: true, queue: None, warnings: vec![warning] });
    health.breaker_open(None);
    assert_eq!(health.readiness(now), Readiness { ready: true, queue: None, warnings: Vec::new() });

    health.breaker_open(Some("it answers 503".into()));
    assert_eq!(reasons(&health, now), ["SinkUnavailable"]);
    health.answered(now, &status(202));
    assert_eq!(reasons(&health, now), [""; 0], "one accepted event tells that the sink is back");
}

#[test]
fn a_refusal_is_shown_for_five_minutes_or_until_the_sink_accepts() {
    let (health, start) = start();
    for code in [400, 401, 403, 413, 301] {
        health.answered(start, &status(code));
        let told = format!("the sink refuses events with {code}: {}", explain::fix(&status(code)));
        let expected = [problem("SinkRefuses", &told)];
        assert_eq!(health.readiness(start + seconds(299)).warnings, expected);
    }
    assert_eq!(health.readiness(start + seconds(300)).warnings, []);
    health.answered(start + seconds(300), &status(403));
    assert_eq!(reasons(&health, start + seconds(300)), ["SinkRefuses"]);
    health.answered(start + seconds(300), &status(200));
    assert_eq!(reasons(&health, start + seconds(300)), [""; 0]);
}

#[test]
fn the_oldest_post_hangs_after_ten_seconds() {
    let (health, start) = start();
    let first = health.post_started(start);
    let second = health.post_started(start + seconds(5));
    assert_eq!(reasons(&health, start + seconds(10)), [""; 0]);
    assert_eq!(health.readiness(start + seconds(11)).warnings, [problem("SinkHangs", HANGS)]);
    drop(first);
    assert_eq!(reasons(&health, start + seconds(15)), [""; 0]);
    assert_eq!(reasons(&health, start + seconds(16)), ["SinkHangs"]);
    drop(second);
    assert_eq!(reasons(&health, start + seconds(16)), [""; 0]);
    let third = health.post_started(start + seconds(16));
    assert_eq!(reasons(&health, start + seconds(17)), [""; 0], "a slot is used again with its own start");
    drop(third);
}

#[test]
fn conditions_of_the_surroundings_are_warnings_in_a_fixed_order() {
    let (health, now) = start();
    health.trust_bundle_invalid(Some("trust bundle a.pem: it is not PEM".into()));
    health.sink_headers_not_found(Some("BRIDGE_SINK_HEADERS_DIR: cannot read /h".into()));
    health.no_dead_letter_queue();
    health.heartbeat_denied();
    health.sink_token_not_sent("no token goes over plain http".into());
    let expected =
        ["SinkTokenNotSent", "HeartbeatDenied", "NoDeadLetterQueue", "SinkHeadersNotFound", "TrustBundleInvalid"];
    assert_eq!(reasons(&health, now), expected);
    health.trust_bundle_invalid(None);
    health.sink_headers_not_found(None);
    assert_eq!(reasons(&health, now), ["SinkTokenNotSent", "HeartbeatDenied", "NoDeadLetterQueue"]);
}

#[test]
fn readiness_is_the_json_that_the_controller_reads() {
    let (health, now) = start();
    assert_eq!(health.readiness(now).to_json(), r#"{"ready":false,"warnings":[]}"#);
    health.receive_failed(now, Some(problem("AccessDenied", "sqs:ReceiveMessage denied to \"x\"")));
    health.answered(now, &status(403));
    assert_eq!(
        health.readiness(now).to_json(),
        r#"{"ready":false,"queue":{"reason":"AccessDenied","message":"sqs:ReceiveMessage denied to \"x\""},"warnings":[{"reason":"SinkRefuses","message":"the sink refuses events with 403: the token or header it got does not allow this, check its policy"}]}"#
    );
}

#[test]
fn long_sentences_are_cut_so_that_the_json_stays_within_its_limit() {
    let (health, now) = start();
    let long = "é\"\n".repeat(3_000);
    health.receive_failed(now, Some(problem("QueueError", &long)));
    health.breaker_open(Some(long.clone()));
    health.trust_bundle_invalid(Some(long.clone()));
    health.sink_headers_not_found(Some(long));
    let json = health.readiness(now).to_json();
    assert!(json.len() <= Readiness::LIMIT && json.len() > Readiness::LIMIT / 4, "{} bytes", json.len());
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["queue"]["reason"], "QueueError");
    assert!(value["queue"]["message"].as_str().unwrap().ends_with('…'));
}
