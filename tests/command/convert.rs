use super::*;

async fn convert(words: &[&str], input: &str) -> Said {
    let mut command = bridge(&[&["convert"], words].concat());
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("standard input");
    stdin.write_all(input.as_bytes()).await.expect("it reads");
    drop(stdin);
    said_by(tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("in time").expect("an end"))
}

#[tokio::test]
async fn a_body_becomes_an_event_without_queue_and_sink() {
    let said = convert(&[], "{\"a\": 1}\n").await;
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let event: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(event["source"], "arn:aws:sqs:us-east-1:123456789012:queue");
    assert_eq!(event["data"], serde_json::json!({"a": 1}));
}

#[tokio::test]
async fn lines_become_requests_of_the_queue_that_is_named() {
    let arn = "arn:aws:sqs:eu-north-1:123456789012:orders";
    let words = ["--lines", "-o", "http", "--queue-arn", arn, "--content-mode", "binary"];
    let said = convert(&words, "one\n\ntwo\n").await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let requests: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let bodies: Vec<&Value> = requests.iter().map(|request| &request["body"]).collect();
    assert_eq!(bodies, ["one", "two"]);
    assert_eq!(requests[0]["headers"]["Ce-Source"], arn);
}

#[tokio::test]
async fn a_wrong_setting_is_one_sentence() {
    let said = convert(&["--format", "xml"], "x").await;
    let expected = "error: flag --format (BRIDGE_FORMAT, field event.format) is \"xml\": use one of auto, eventing-awssqs, triggermesh, aws, integrationsource\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(2), "", expected));
}
