use super::*;

#[tokio::test]
async fn every_wrong_setting_is_a_sentence_and_nothing_starts() {
    let world = World::start().await;
    let mut command = world.command(&["--wait-time", "1h"]);
    command.env("K_SINK", "sink").env("BRIDGE_DELIVERY_RETRY", "-1");
    let said = said(command).await;
    let expected = "\
error: K_SINK (flag --sink, field sink) is \"sink\": use an absolute http or https URL
error: BRIDGE_DELIVERY_RETRY (flag --delivery-retry, field delivery.retry) is \"-1\": use a whole number from 0 to 100
error: flag --wait-time (BRIDGE_WAIT_TIME, field receive.waitTime) is \"1h\": use whole seconds from 1s to 20s, such as 1s
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(2), "", expected));
    assert_eq!(world.sqs.calls().len(), 0);
}

#[tokio::test]
async fn the_queue_is_drained_until_a_signal_asks_for_the_end() {
    let world = World::start().await;
    let bodies: Vec<String> = (0..20).map(|number| format!("message {number}")).collect();
    world.queue.send_all(bodies);
    let child = world.command(&["--wait-time", "1s"]).spawn().expect("it starts");
    until(PATIENCE, "the queue is drained", || world.queue.is_empty()).await;
    signal(&child, "TERM").await;
    let said =
        said_by(tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("in time").expect("an end"));
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(world.sink.accepted_count(), 20);
    assert!(world.sink.duplicates().is_empty());
    let lines: Vec<Value> = said.err.lines().map(|line| serde_json::from_str(line).expect("a JSON log line")).collect();
    assert!(!lines.is_empty());
}

#[tokio::test]
async fn the_image_of_integration_source_works_as_it_is_started_by_knative() {
    let world = World::start().await;
    world.queue.send(r#"{"message": "Hello from AWS SQS!"}"#);
    let mut command = bridge(&[]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_REGION");
    let endpoint = world.sqs.url();
    for (name, value) in [
        ("QUEUE_NAME_OR_ARN", "arn:aws:sqs:us-east-1::orders"),
        ("REGION", "us-east-1"),
        ("URIENDPOINTOVERRIDE", endpoint.as_str()),
        ("OVERRIDEENDPOINT", "true"),
        ("AMAZONAWSHOST", "amazonaws.com"),
        ("PROTOCOL", "https"),
        ("AUTOCREATEQUEUE", "false"),
        ("DELETEAFTERREAD", "true"),
        ("MAXMESSAGESPERPOLL", "1"),
        ("WAITTIMESECONDS", "0"),
        ("VISIBILITYTIMEOUT", "0"),
        ("GREEDY", "false"),
        ("DELAY", "500"),
        ("ACCESSKEY", "AKIACAMEL"),
        ("SECRETKEY", "hush"),
    ] {
        command.env(format!("CAMEL_KAMELET_AWS_SQS_SOURCE_{name}"), value);
    }
    command.env("CAMEL_KNATIVE_CLIENT_SSL_ENABLED", "true");
    command.env("CAMEL_KNATIVE_CLIENT_SSL_CERT_PATH", "/knative-custom-certs/knative-eventing-bundle.pem");
    command.env("K_SINK", world.sink.url()).env("K_CE_OVERRIDES", "");
    let child = command.spawn().expect("it starts");
    until(PATIENCE, "the queue is drained", || world.queue.is_empty()).await;
    signal(&child, "TERM").await;
    let said =
        said_by(tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("in time").expect("an end"));
    assert_eq!(said.code, Some(0), "{}", said.err);
    let accepted = world.sink.accepted();
    let event = &accepted[0].event;
    assert_eq!((event.kind(), event.source()), ("dev.knative.eventing.aws-sqs", "dev.knative.eventing.aws-sqs-source"));
    assert!(world.sqs.calls().iter().all(|call| call.caller.access_key == "AKIACAMEL"));
    assert!(!said.err.contains("hush"));
}

#[tokio::test]
async fn a_queue_that_integration_source_wants_is_created() {
    let world = World::start().await;
    let mut command = bridge(&[]);
    let endpoint = world.sqs.url();
    command.env("CAMEL_KAMELET_AWS_SQS_SOURCE_QUEUE_NAME_OR_ARN", "fresh.fifo");
    command.env("CAMEL_KAMELET_AWS_SQS_SOURCE_REGION", "us-east-1");
    command.env("CAMEL_KAMELET_AWS_SQS_SOURCE_AUTOCREATEQUEUE", "true");
    command.env("AWS_ENDPOINT_URL_SQS", endpoint).env("K_SINK", world.sink.url());
    let child = command.spawn().expect("it starts");
    until(PATIENCE, "the new queue is read", || world.sqs.count(Action::ReceiveMessage) > 0).await;
    assert_eq!(world.sqs.count(Action::CreateQueue), 1);
    signal(&child, "TERM").await;
    signal(&child, "TERM").await;
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("in time").expect("an end");
    assert_eq!(ended.status.code(), Some(0));
}
