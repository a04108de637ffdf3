//! Kubernetes Events about failed deliveries, as an API server gets them.

use std::fs;

use bytes::Bytes;
use serde_json::{Value, json};
use sqs_bridge::config::Identity;
use sqs_bridge::outcome::{Answer, TransportClass, TransportFailure};
use sqs_bridge::report::Reports;
use sqs_bridge::sink::Surroundings;
use tests::wait::eventually;

use crate::certificates::Authority;
use crate::server::{Server, with_body};
use crate::{SOON, identity, nowhere};

#[tokio::test]
async fn failed_deliveries_become_one_event_of_the_source_object_in_ten_seconds() {
    let authority = Authority::new();
    let api = Server::tls(authority.acceptor(), |_| with_body("201 Created", "{}")).await;
    let pod = tempfile::tempdir().unwrap();
    fs::write(pod.path().join("ca.crt"), authority.pem()).unwrap();
    fs::write(pod.path().join("token"), "pods-own-token\n").unwrap();
    let surroundings = Surroundings { service_account: pod.path().into(), ..nowhere() };
    let reports = Reports::within(&surroundings, &api.url().parse().unwrap(), &source()).unwrap();
    reports.failed(&Answer::Status { code: 503, retry_after: None, body: Bytes::new() });
    reports.failed(&Answer::Failed(TransportFailure {
        class: TransportClass::Refused,
        message: "nobody listens at display:80: connection refused".into(),
    }));
    tokio::select! {
        () = reports.run() => unreachable!("it runs until it is dropped"),
        () = eventually(SOON, || async { if api.requests().is_empty() { Err("no request yet") } else { Ok(()) } }) => {}
    }
    let requests = api.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.head.lines().next(), Some("POST /api/v1/namespaces/shop/events HTTP/1.1"));
    assert_eq!(request.header("authorization"), Some("Bearer pods-own-token"));
    let mut event: Value = serde_json::from_slice(&request.body).unwrap();
    let first = event["firstTimestamp"].take();
    let last = event["lastTimestamp"].take();
    assert_eq!(first, last);
    first.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(
        event,
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": "orders.", "namespace": "shop"},
            "involvedObject": {
                "apiVersion": "sources.knative.dev/v1alpha1", "kind": "AwsSqsSource", "name": "orders", "namespace": "shop",
            },
            "type": "Warning",
            "reason": "SinkSendFailed",
            "message": "503 Error sending cloud event to sink.",
            "source": {"component": "sqs-bridge"},
            "firstTimestamp": null,
            "lastTimestamp": null,
            "count": 1,
        })
    );
}

#[test]
fn without_a_source_object_there_is_nothing_to_report_about() {
    let server = "https://10.0.0.1/".parse().unwrap();
    assert!(Reports::within(&nowhere(), &server, &source()).is_some());
    assert!(Reports::within(&nowhere(), &server, &identity()).is_none(), "a ContainerSource is another kind");
    assert!(Reports::within(&nowhere(), &server, &Identity { namespace: None, ..source() }).is_none());
}

fn source() -> Identity {
    Identity { resource_group: "awssqssources.sources.knative.dev".into(), ..identity() }
}
