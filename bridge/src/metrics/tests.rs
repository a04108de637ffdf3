use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::outcome::{Answer, TransportClass, TransportFailure};

fn metrics() -> Arc<Metrics> {
    let identity = Identity {
        namespace: Some("shop".into()),
        name: "orders".into(),
        uid: None,
        pod_name: Some("orders-1".into()),
        component: "awssqssource".into(),
        resource_group: "awssqssources.sources.knative.dev".into(),
    };
    Metrics::new(&identity, "orders-queue").unwrap()
}

/// The samples of one family without the labels that all have, in the order of the page.
fn samples(metrics: &Metrics, family: &str) -> Vec<String> {
    let common = [
        r#"kn_source_name="orders""#,
        r#"kn_source_namespace="shop""#,
        r#"messaging_destination_name="orders-queue""#,
        r#"messaging_system="aws_sqs""#,
    ];
    let page = metrics.page();
    let lines = page.lines().filter(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with([' ', '{'])));
    lines
        .map(|line| {
            let (labels, value) = line[family.len()..].rsplit_once(' ').unwrap();
            let labels: Vec<_> = labels.trim_matches(['{', '}']).split(',').collect();
            for common in common {
                assert!(labels.contains(&common), "{line} lacks {common}");
            }
            let own: Vec<_> = labels.into_iter().filter(|label| !common.contains(label)).collect();
            format!("{} {value}", own.join(","))
        })
        .collect()
}

fn sorted(mut samples: Vec<String>) -> Vec<String> {
    samples.sort();
    samples
}

#[test]
fn counters_count_under_their_labels() {
    let metrics = metrics();
    metrics.received(10);
    metrics.received(0);
    metrics.redelivered(false);
    metrics.redelivered(true);
    metrics.dispatched(EventResult::DeadLettered, Duration::from_millis(20));
    metrics.message(MessageOutcome::Nacked);
    metrics.lease_lost(LeaseLoss::MaxAge, Stage::Held);
    metrics.duplicate_suppressed();
    metrics.failed_entries(Purpose::Delete, true, 3);
    metrics.breaker_transition(BreakerState::Open, "connect_failures");
    metrics.connection_opened();
    metrics.extensions_skipped(2);
    metrics.event_oversized();
    metrics.receipt_dropped();
    let cases: [(&str, &[&str]); 12] = [
        ("messaging_client_consumed_messages_total", &[" 10"]),
        ("sqs_bridge_receive_batch_count", &[" 2"]),
        ("sqs_bridge_redeliveries_total", &[r#"near_limit="false" 1"#, r#"near_limit="true" 1"#]),
        ("sqs_bridge_leases_lost_total", &[r#"reason="max_age",stage="held" 1"#]),
        ("sqs_bridge_duplicates_suppressed_total", &[" 1"]),
        ("sqs_bridge_batch_failed_entries_total", &[r#"purpose="delete",sender_fault="true" 3"#]),
        ("sqs_bridge_breaker_transitions_total", &[r#"reason="connect_failures",to="open" 1"#]),
        ("sqs_bridge_sink_connections_opened_total", &[" 1"]),
        ("sqs_bridge_extensions_skipped_total", &[" 2"]),
        ("sqs_bridge_events_oversized_total", &[" 1"]),
        ("sqs_bridge_receipts_dropped_total", &[" 1"]),
        (
            "kn_eventing_dispatch_duration_seconds_sum",
            &[r#"kn_source_resourcegroup="awssqssources.sources.knative.dev",result="dead_lettered" 0.02"#],
        ),
    ];
    for (family, expected) in cases {
        let mut found = sorted(samples(&metrics, family));
        found.retain(|sample| !sample.ends_with(" 0"));
        assert_eq!(found, expected, "{family}");
    }
    assert!(samples(&metrics, "sqs_bridge_events_total").contains(&r#"result="dead_lettered" 1"#.to_owned()));
    assert!(samples(&metrics, "sqs_bridge_messages_total").contains(&r#"outcome="nacked" 1"#.to_owned()));
}

#[test]
fn calls_to_aws_are_told_apart_by_action_purpose_and_fault() {
    let metrics = metrics();
    let call = |purpose, fault| {
        metrics.aws_call(Action::ChangeMessageVisibilityBatch, purpose, Duration::from_millis(15), fault);
    };
    call(Purpose::Heartbeat, None);
    call(Purpose::Nack, Some(FaultClass::Throttle));
    assert_eq!(
        sorted(samples(&metrics, "messaging_client_operation_duration_seconds_sum")),
        [
            r#"error_type="throttle",messaging_operation_name="ChangeMessageVisibilityBatch",purpose="nack" 0.015"#,
            r#"messaging_operation_name="ChangeMessageVisibilityBatch",purpose="heartbeat" 0.015"#,
        ]
    );
    assert_eq!(samples(&metrics, "sqs_bridge_receive_last_completed_age_seconds"), [""; 0]);
    metrics.aws_call(Action::ReceiveMessage, Purpose::Receive, Duration::from_secs(20), None);
    assert_eq!(samples(&metrics, "sqs_bridge_receive_last_completed_age_seconds").len(), 1);
}

#[test]
fn attempts_have_the_labels_of_the_http_conventions() {
    let metrics = metrics();
    let attempts = metrics.attempts("https", "broker.example", 443);
    let status = |code| Answer::Status { code, retry_after: None, body: Bytes::new() };
    let failure = TransportFailure { class: TransportClass::Dns, message: "no address".into() };
    for answer in [status(202), status(202), status(503), Answer::Failed(failure)] {
        attempts.record(&answer, Duration::from_millis(4), 2_048);
    }
    let sink = r#"http_request_method="POST""#;
    let server = r#"server_address="broker.example",server_port="443",url_scheme="https""#;
    assert_eq!(
        sorted(samples(&metrics, "http_client_request_duration_seconds_count")),
        [
            format!(r#"error_type="503",{sink},http_response_status_code="503",{server} 1"#),
            format!(r#"error_type="dns",{sink},{server} 1"#),
            format!(r#"{sink},http_response_status_code="202",{server} 2"#),
        ]
    );
    assert_eq!(
        sorted(samples(&metrics, "http_client_request_body_size_bytes_sum"))[2].rsplit_once(' ').unwrap().1,
        "4096"
    );
}

#[test]
fn levels_are_shown_as_they_were_last_set() {
    let metrics = metrics();
    assert_eq!(samples(&metrics, "sqs_bridge_concurrency_limit"), [""; 0], "nothing is shown before it is known");
    metrics.pollers(2, 1, 0);
    metrics.in_flight(Stage::Sending, 3);
    metrics.in_flight(Stage::Sending, -1);
    metrics.in_flight_bytes(4_096);
    metrics.in_flight_limit(320);
    metrics.oldest(Duration::from_millis(1_500));
    metrics.concurrency(8, 5);
    metrics.breaker(BreakerState::HalfOpen);
    metrics.lanes(4, 1);
    metrics.credentials_remaining(Duration::from_secs(3_600));
    let cases: [(&str, &[&str]); 10] = [
        ("sqs_bridge_pollers", &[r#"state="backoff" 1"#, r#"state="paused" 0"#, r#"state="waiting" 2"#]),
        (
            "sqs_bridge_in_flight_messages",
            &[
                r#"stage="held" 0"#,
                r#"stage="queued" 0"#,
                r#"stage="retrying" 0"#,
                r#"stage="sending" 2"#,
                r#"stage="undeleted" 0"#,
            ],
        ),
        ("sqs_bridge_in_flight_bytes", &[" 4096"]),
        ("sqs_bridge_in_flight_limit", &[" 320"]),
        ("sqs_bridge_in_flight_oldest_age_seconds", &[" 1.5"]),
        ("sqs_bridge_concurrency_limit", &[" 8"]),
        ("sqs_bridge_concurrency_active", &[" 5"]),
        ("sqs_bridge_breaker_state_ratio", &[r#"state="closed" 0"#, r#"state="half_open" 1"#, r#"state="open" 0"#]),
        ("sqs_bridge_fifo_lanes", &[r#"state="active" 4"#, r#"state="held" 1"#]),
        ("sqs_bridge_credentials_remaining_seconds", &[" 3600"]),
    ];
    for (family, expected) in cases {
        assert_eq!(sorted(samples(&metrics, family)), expected, "{family}");
    }
}

#[test]
fn distributions_have_buckets_that_fit_what_they_measure() {
    let metrics = metrics();
    metrics.body_size(2_048);
    metrics.lag(Duration::from_secs(45));
    metrics.delete_delay(Duration::from_millis(150));
    let first_full = |family: &str| {
        let samples = samples(&metrics, &format!("{family}_bucket"));
        samples.into_iter().find(|sample| sample.ends_with(" 1"))
    };
    assert_eq!(first_full("sqs_bridge_body_size_bytes").unwrap(), r#"le="4096" 1"#);
    assert_eq!(first_full("sqs_bridge_queue_lag_seconds").unwrap(), r#"le="60" 1"#);
    assert_eq!(first_full("sqs_bridge_delete_delay_seconds").unwrap(), r#"le="0.2" 1"#);
}

/// The README is where people look a metric up.
#[test]
fn the_readme_lists_every_metric_with_its_labels() {
    let metrics = metrics();
    touch_everything(&metrics);
    let section = include_str!("../../README.md").split("\n## ").find(|section| section.starts_with("Health, metrics"));
    let rows = section.unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeMap<&str, &str> = rows
        .filter_map(|row| row.split_once("` | "))
        .filter(|(name, _)| !name.starts_with('/') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(|(name, rest)| (name, rest.split(" |").next().unwrap_or_default()))
        .collect();
    let page = metrics.page();
    let shown: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let shown: Vec<&str> = shown.into_iter().filter(|name| *name != "target_info").collect();
    assert_eq!(listed.keys().copied().collect::<Vec<_>>(), shown);
    for (name, labels) in listed {
        let sample =
            [name.to_owned(), format!("{name}_count")].into_iter().find_map(|name| samples(&metrics, &name).pop());
        let sample = sample.unwrap();
        let own = sample.rsplit_once(' ').unwrap().0.split(',').filter_map(|label| Some(label.split_once('=')?.0));
        for label in own {
            assert!(labels.contains(&format!("`{label}`")) || labels == "the same", "{name} lacks {label}: {labels}");
        }
    }
}

fn touch_everything(metrics: &Metrics) {
    let second = Duration::from_secs(1);
    metrics.aws_call(Action::ReceiveMessage, Purpose::Receive, second, Some(FaultClass::Throttle));
    metrics.received(1);
    metrics.redelivered(true);
    metrics.body_size(1);
    metrics.lag(second);
    let answer = Answer::Status { code: 500, retry_after: None, body: Bytes::new() };
    metrics.attempts("http", "sink", 80).record(&answer, second, 1);
    metrics.dispatched(EventResult::Delivered, second);
    metrics.message(MessageOutcome::Deleted);
    metrics.pollers(1, 0, 0);
    metrics.in_flight(Stage::Queued, 1);
    metrics.in_flight_bytes(1);
    metrics.in_flight_limit(1);
    metrics.oldest(second);
    metrics.lease_lost(LeaseLoss::Expired, Stage::Sending);
    metrics.duplicate_suppressed();
    metrics.failed_entries(Purpose::Delete, false, 1);
    metrics.delete_delay(second);
    metrics.concurrency(1, 1);
    metrics.breaker(BreakerState::Closed);
    metrics.breaker_transition(BreakerState::Open, "probe");
    metrics.lanes(1, 0);
    metrics.connection_opened();
    metrics.credentials_remaining(second);
    metrics.extensions_skipped(1);
    metrics.event_oversized();
    metrics.receipt_dropped();
}

#[test]
fn the_page_says_who_we_are() {
    let page = metrics().page();
    let info = page.lines().find(|line| line.starts_with("target_info{")).unwrap();
    let expected = [
        r#"k8s_namespace_name="shop""#,
        r#"k8s_pod_name="orders-1""#,
        r#"service_name="awssqssource""#,
        concat!(r#"service_version=""#, env!("CARGO_PKG_VERSION"), '"'),
    ];
    for label in expected {
        assert!(info.contains(label), "{info} lacks {label}");
    }
}
