//! Kubernetes Events about failed deliveries, as an API server gets them.

use std::collections::BTreeMap;
use std::fs;

use bytes::Bytes;
use serde_json::{Value, json};
use sqs_bridge::args::RunArgs;
use sqs_bridge::config::{Config, Identity};
use sqs_bridge::deliver::{Courier, Destination, Parcel, Shipment};
use sqs_bridge::engine::Key;
use sqs_bridge::message::Message;
use sqs_bridge::outcome::{Answer, TransportClass, TransportFailure};
use sqs_bridge::report::Reports;
use sqs_bridge::sink::Surroundings;
use sqs_bridge::telemetry::trace::ReceiveTrace;
use tempfile::TempDir;
use tests::sample::message;
use tests::wait::eventually;

use crate::certificates::Authority;
use crate::server::{Server, empty, with_body};
use crate::{SOON, Subject, identity, nowhere, settings};

#[tokio::test]
async fn failed_deliveries_become_one_event_of_the_source_object_in_ten_seconds() {
    let authority = Authority::new();
    let api = Server::tls(authority.acceptor(), |_| with_body("201 Created", "{}")).await;
    let (_files, surroundings) = pod(&authority);
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
                "uid": "0d5f",
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

#[tokio::test]
async fn a_delivery_tells_of_what_the_sink_does_not_take_and_of_nothing_else() {
    let authority = Authority::new();
    let api = Server::tls(authority.acceptor(), |_| with_body("201 Created", "{}")).await;
    let (_files, surroundings) = pod(&authority);
    let sink = Server::plain(|request| match request.header("Ce-Id") {
        Some("refused") => empty("422 Unprocessable Entity"),
        _ => empty("202 Accepted"),
    })
    .await;
    let arn = BTreeMap::from([("AWS_SQS_ARN".to_owned(), "arn:aws:sqs:eu-north-1:111122223333:orders".to_owned())]);
    let (queue, event) = Config::load_for_convert(&RunArgs::default(), &arn).unwrap();
    let Subject { sink: client, metrics, health } = Subject::alone(&settings(&sink.url()));
    let courier = Courier {
        sink: client,
        dead_letter_sink: None,
        queue,
        settings: event,
        reports: Reports::within(&surroundings, &api.url().parse().unwrap(), &source()),
        health,
        metrics,
    };
    let reports = courier.reports.as_ref().unwrap();
    for id in ["taken", "refused"] {
        let parcel = Parcel::new(Message { id: id.into(), ..message("text") }, ReceiveTrace::default());
        courier.deliver(Shipment { key: Key(1), parcel, index: 0, to: Destination::Sink }).await;
    }
    tokio::select! {
        () = reports.run() => unreachable!("it runs until it is dropped"),
        () = eventually(SOON, || async { if api.requests().is_empty() { Err("no request yet") } else { Ok(()) } }) => {}
    }
    assert_eq!(sink.requests().len(), 2);
    let told: Vec<Value> =
        api.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    let told: Vec<_> = told.iter().map(|event| (&event["message"], &event["count"])).collect();
    assert_eq!(told, [(&json!("422 Error sending cloud event to sink."), &json!(1))]);
}

#[test]
fn without_a_source_object_there_is_nothing_to_report_about() {
    let server = "https://10.0.0.1/".parse().unwrap();
    assert!(Reports::within(&nowhere(), &server, &source()).is_some());
    assert!(Reports::within(&nowhere(), &server, &identity()).is_none(), "a ContainerSource is another kind");
    assert!(Reports::within(&nowhere(), &server, &Identity { namespace: None, ..source() }).is_none());
}

/// A pod with an account whose API server `authority` vouches for.
fn pod(authority: &Authority) -> (TempDir, Surroundings) {
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("ca.crt"), authority.pem()).unwrap();
    fs::write(files.path().join("token"), "pods-own-token\n").unwrap();
    let surroundings = Surroundings { service_account: files.path().into(), ..nowhere() };
    (files, surroundings)
}

fn source() -> Identity {
    Identity { resource_group: "awssqssources.sources.knative.dev".into(), uid: Some("0d5f".into()), ..identity() }
}
