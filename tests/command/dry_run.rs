use super::*;

/// Shows messages; nothing waits long for more of them.
fn look(world: &World, words: &[&str]) -> Command {
    world.command(&[&["run", "--dry-run", "--wait-time", "1s"], words].concat())
}

#[tokio::test]
async fn messages_are_shown_and_given_back() {
    let world = World::start().await;
    world.queue.send_all(["one", "two"]);
    let said = said(look(&world, &["-o", "json"])).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let mut data: Vec<String> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["data"].as_str().expect("text").to_owned())
        .collect();
    data.sort_unstable();
    assert_eq!(data, ["one", "two"]);
    assert!(said.err.contains("nothing is sent, nothing deleted"), "{}", said.err);
    assert!(said.err.contains(": receive 1/-"), "{}", said.err);
    assert!(said.err.ends_with("# 2 shown, all given back\n"), "{}", said.err);
    assert_eq!(world.queue.counts(), Counts { visible: 2, ..Counts::default() });
    assert_eq!(world.sqs.count(Action::DeleteMessageBatch) + world.sqs.count(Action::DeleteMessage), 0);
    assert_eq!(world.sink.count(), 0);
}

#[tokio::test]
async fn it_needs_no_sink_and_stops_at_the_number_asked_for() {
    let world = World::start().await;
    world.queue.send_all(["one", "two", "three"]);
    let mut command = look(&world, &["--max", "2", "-o", "curl"]);
    let said = said({
        command.env_remove("K_SINK");
        command
    })
    .await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    assert!(said.out.lines().all(|line| line.starts_with("curl -X POST \"$K_SINK\" -H ")), "{}", said.out);
    assert_eq!(world.queue.counts(), Counts { visible: 3, ..Counts::default() });
}

#[tokio::test]
async fn the_dead_letter_queue_is_warned_of() {
    let world = World::start().await;
    let dead = world.sqs.queue("dead");
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"4"}}"#, dead.arn());
    let queue = world.sqs.queue_with("fragile", &[("RedrivePolicy", &policy)]);
    queue.send("one");
    let mut command = look(&world, &[]);
    command.env("AWS_SQS_URL", queue.url());
    let said = said(command).await;
    assert!(said.err.contains("after 4 receives the queue moves it to its dead-letter queue"), "{}", said.err);
    assert!(said.err.contains(": receive 1/4"), "{}", said.err);
    assert!(said.out.contains("  data             text/plain"), "{}", said.out);
}

/// Breaks if Ctrl-C leaves people's messages hidden.
#[tokio::test]
async fn an_interrupt_gives_the_messages_back() {
    let world = World::start().await;
    world.queue.send("one");
    // A receive after the first takes its time, so that the interrupt comes while one is under way.
    let child = world.command(&["--dry-run", "--max", "5"]).spawn().expect("it starts");
    until(PATIENCE, "the message is received", || world.queue.counts().in_flight == 1).await;
    signal(&child, "INT").await;
    let said =
        said_by(tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("in time").expect("an end"));
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.ends_with("# 1 shown, all given back\n"), "{}", said.err);
    assert_eq!(world.queue.counts(), Counts { visible: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_refusal_of_aws_is_explained() {
    let world = World::start().await;
    world.sqs.inject(on(Action::ReceiveMessage), Fault::Refuse(Code::ACCESS_DENIED));
    let said = said(look(&world, &[])).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("error: sqs:ReceiveMessage denied to "), "{}", said.err);
    assert!(said.err.contains(r#"add {"Effect":"Allow","Action":"sqs:ReceiveMessage""#), "{}", said.err);
}
