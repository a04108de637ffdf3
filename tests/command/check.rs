use super::*;

async fn report(command: Command) -> (Option<i32>, Value) {
    let said = said(command).await;
    let report = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("JSON: {} {}", said.out, said.err));
    (said.code, report)
}

fn finding<'a>(report: &'a Value, check: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no check {check}: {report:#}"))
}

fn grade<'a>(report: &'a Value, check: &str) -> &'a str {
    finding(report, check)["grade"].as_str().unwrap_or_default()
}

/// A queue at which there is nothing to complain about.
fn well(world: &World) -> SimulatedQueue {
    let dead = world.sqs.queue("dead");
    let redrive = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"5"}}"#, dead.arn());
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage"}]}"#;
    world.sqs.queue_with("well", &[("RedrivePolicy", &redrive), ("Policy", policy)])
}

#[tokio::test]
async fn all_is_well_is_told_line_by_line_and_nothing_is_touched() {
    let world = World::start().await;
    let queue = well(&world);
    queue.send("one");
    let mut command = world.command(&["check", "--send"]);
    command.env("AWS_SQS_URL", queue.url());
    let said = said(command).await;
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    for line in [
        "√ settings are valid, queue arn:aws:sqs:us-east-1:",
        "√ credentials from the keys of the environment",
        "√ arn:aws:iam::",
        "√ standard queue http://",
        "√ dead-letter queue after 5 receives",
        "√ the queue's policy lets events.amazonaws.com send",
        "√ 1 messages wait, 0 are being worked on",
        "√ sqs:DeleteMessage is probably permitted",
        "√ sqs:ChangeMessageVisibility is probably permitted",
        "√ http://127.0.0.1:",
        "√ the check event was accepted",
        "0 failed, 0 warnings",
    ] {
        assert!(said.out.lines().any(|it| it.starts_with(line)), "{line}: {}", said.out);
    }
    assert_eq!(queue.counts(), Counts { visible: 1, ..Counts::default() });
    assert_eq!(world.sqs.count(Action::ReceiveMessage), 0);
    let accepted = world.sink.accepted();
    assert_eq!(accepted.last().map(|delivery| delivery.event.kind()), Some("com.amazonaws.sqs.bridge-check"));
}

#[tokio::test]
async fn warnings_have_an_exit_code_of_their_own() {
    let world = World::start().await;
    let (code, report) = report(world.command(&["check", "-o", "json"])).await;
    assert_eq!((code, &report["result"]), (Some(3), &Value::from("warning")));
    assert_eq!((grade(&report, "redrive"), grade(&report, "producers")), ("warning", "warning"));
    let wait = report["settings"].as_array().and_then(|all| all.iter().find(|it| it["env"] == "BRIDGE_WAIT_TIME"));
    assert_eq!(wait, Some(&serde_json::json!({"env": "BRIDGE_WAIT_TIME", "value": "20s", "origin": "default"})));
    let deliveries = world.sink.deliveries();
    assert!(
        deliveries.iter().all(|delivery| delivery.event.id().is_empty()),
        "no event without --send: {deliveries:?}"
    );
}

#[tokio::test]
async fn a_queue_that_does_not_exist_lists_where_it_was_looked_for() {
    let world = World::start().await;
    let mut command = world.command(&["check", "-o", "json"]);
    let url = format!("{}/123456789012/missing", world.sqs.url());
    command.env("AWS_SQS_URL", &url);
    let (code, report) = report(command).await;
    assert_eq!(code, Some(1));
    let expected = format!("queue missing does not exist in region us-east-1 and account 123456789012 (URL {url})");
    assert_eq!(finding(&report, "exists")["message"], expected);
    let fix = "check the name, and whether region and account are those of the queue";
    assert_eq!(finding(&report, "exists")["fix"], fix);
}

#[tokio::test]
async fn every_missing_permission_is_named_with_its_statement() {
    let world = World::start().await;
    for action in [Action::GetQueueAttributes, Action::DeleteMessage, Action::ChangeMessageVisibility] {
        world.sqs.inject(on(action), Fault::Refuse(Code::ACCESS_DENIED));
    }
    let (code, report) = report(world.command(&["check", "-o", "json"])).await;
    assert_eq!(code, Some(1));
    assert_eq!(grade(&report, "readable"), "warning");
    assert_eq!(grade(&report, "extend"), "warning");
    assert_eq!(grade(&report, "delete"), "failed");
    let fix = finding(&report, "delete")["fix"].as_str().unwrap_or_default();
    assert!(fix.starts_with(r#"add {"Effect":"Allow","Action":"sqs:DeleteMessage","Resource":"arn:aws:sqs:"#), "{fix}");
}

#[tokio::test]
async fn rejected_keys_a_dead_endpoint_and_an_encrypted_queue_are_told_apart() {
    let world = World::start().await;
    let rejected = world.sqs.inject(on(Action::GetQueueAttributes), Fault::Refuse(Code::INVALID_CLIENT_TOKEN));
    let (_, report) = report(world.command(&["check", "-o", "json"])).await;
    let message = finding(&report, "exists")["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("AWS rejects the credentials with "), "{message}");
    rejected.off();

    world.sqs.inject(on(Action::DeleteMessage), Fault::Refuse(Code::KMS_ACCESS_DENIED));
    let (_, report) = self::report(world.command(&["check", "-o", "json"])).await;
    let message = finding(&report, "delete")["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("the queue uses a customer key"), "{message}");

    let mut command = world.command(&["check", "-o", "json"]);
    command.env("AWS_SQS_URL", "http://127.0.0.1:9/123456789012/orders");
    let (code, report) = self::report(command).await;
    let message = finding(&report, "exists")["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("the endpoint http://127.0.0.1:9 cannot be reached (Connection refused"), "{message}");
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn a_sink_that_refuses_or_is_not_there_is_explained() {
    let world = World::start().await;
    world.sink.decide(|delivery| (!delivery.event.id().is_empty()).then(|| Reply::status(401)));
    let (code, report) = report(world.command(&["check", "--send", "-o", "json"])).await;
    assert_eq!((code, grade(&report, "reachable"), grade(&report, "event")), (Some(1), "ok", "failed"));
    let fix = finding(&report, "event")["fix"].as_str().unwrap_or_default();
    assert!(fix.starts_with("it wants a token"), "{fix}");

    world.sink.down();
    let (_, report) = self::report(world.command(&["check", "-o", "json"])).await;
    let message = finding(&report, "reachable")["message"].as_str().unwrap_or_default();
    assert!(message.contains(" refuses connections ("), "{message}");
}

#[tokio::test]
async fn a_reply_that_a_trigger_would_stumble_over_is_a_warning() {
    let world = World::start().await;
    world.sink.always(Reply::status(200).body("thanks"));
    let (_, report) = report(world.command(&["check", "--send", "-o", "json"])).await;
    assert_eq!(grade(&report, "event"), "warning");
    world.sink.always(Reply::status(200).header("ce-specversion", "1.0").body("{}"));
    let (_, report) = self::report(world.command(&["check", "--send", "-o", "json"])).await;
    assert_eq!(grade(&report, "event"), "ok");
}

#[tokio::test]
async fn without_a_sink_the_queue_is_checked_all_the_same() {
    let world = World::start().await;
    let mut command = world.command(&["check", "-o", "json"]);
    command.env_remove("K_SINK");
    let (code, report) = report(command).await;
    assert_eq!((code, grade(&report, "valid"), grade(&report, "exists")), (Some(2), "failed", "ok"));
}
