use bytes::Bytes;

use super::*;
use crate::config::Config;
use crate::fault::classify;
use crate::outcome::TransportFailure;

fn config(queue: &str) -> Config {
    let url = format!("https://sqs.eu-north-1.amazonaws.com/123456789012/{queue}");
    Config::from_env_pairs([("AWS_SQS_URL", url.as_str()), ("K_SINK", "https://sink.example/")]).expect("settings")
}

fn fault(code: &str) -> Fault {
    let status = (!code.is_empty()).then_some(400);
    Fault { class: classify(code, status), code: code.to_owned(), message: "why".to_owned(), status }
}

fn of(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn graded(finding: &Finding) -> (Grade, &str, Option<&str>) {
    (finding.grade, finding.message.as_str(), finding.fix.as_deref())
}

#[test]
fn credentials_tell_their_source_and_how_long_they_last() {
    let queue = config("orders").queue;
    let now = SystemTime::UNIX_EPOCH;
    let lasting = credentials("the keys of the environment", &Ok(None), now, &queue);
    assert_eq!(graded(&lasting), (Grade::Ok, "credentials from the keys of the environment", None));
    let ending = credentials("role x", &Ok(Some(now + Duration::from_secs(600))), now, &queue);
    assert_eq!(graded(&ending), (Grade::Ok, "credentials from role x, for 10 more minutes", None));
    let missing = credentials("x", &Err(fault("CredentialsNotFound")), now, &queue);
    assert_eq!(missing.grade, Grade::Failed);
    assert_eq!(missing.message, "no AWS credentials were found (why)");
    assert!(missing.fix.is_some_and(|fix| fix.starts_with("set serviceAccountName")));
}

#[test]
fn the_caller_is_named_and_an_account_that_is_not_the_queues() {
    let queue = config("orders").queue;
    let of_account = |account: &str| {
        caller(&Ok(Caller { account: account.to_owned(), arn: "arn:aws:iam::1:user/x".to_owned() }), &queue).message
    };
    assert_eq!(of_account("123456789012"), "arn:aws:iam::1:user/x in account 123456789012");
    assert_eq!(
        of_account("1"),
        "arn:aws:iam::1:user/x in account 1, the queue is in another: its policy must allow this caller"
    );
    assert_eq!(caller(&Err(fault("")), &queue).grade, Grade::Warning);
    assert_eq!(caller(&Err(fault("InvalidClientTokenId")), &queue).grade, Grade::Failed);
}

#[test]
fn attributes_that_are_refused_are_a_warning_and_a_queue_that_is_not_there_is_the_end() {
    let queue = config("orders").queue;
    assert_eq!(unreadable(&fault("AccessDenied"), &queue, None).grade, Grade::Warning);
    let missing = unreadable(&fault("QueueDoesNotExist"), &queue, None);
    assert_eq!((missing.category, missing.grade), ("queue", Grade::Failed));
    assert_eq!(unreadable(&fault(""), &queue, None).grade, Grade::Failed);
}

#[test]
fn a_dead_letter_queue_needs_enough_receives() {
    let orders = config("orders").queue;
    let fifo = config("orders.fifo").queue;
    let with = |count: &str| of(&[("RedrivePolicy", &format!(r#"{{"maxReceiveCount":{count}}}"#))]);
    assert_eq!(redrive(&of(&[]), &orders).grade, Grade::Warning);
    assert_eq!(redrive(&with("2"), &orders).grade, Grade::Warning);
    assert_eq!(graded(&redrive(&with("3"), &orders)), (Grade::Ok, "dead-letter queue after 3 receives", None));
    assert_eq!(redrive(&with("\"5\""), &fifo).grade, Grade::Warning);
    assert_eq!(redrive(&with("10"), &fifo).grade, Grade::Ok);
}

#[test]
fn a_key_that_no_producer_can_use_is_a_failure() {
    let key = |id: &str| encryption(&of(&[("KmsMasterKeyId", id)])).grade;
    assert_eq!(key("alias/aws/sqs"), Grade::Failed);
    assert_eq!(key("arn:aws:kms:eu-north-1:123456789012:alias/aws/sqs"), Grade::Failed);
    assert_eq!(key("arn:aws:kms:eu-north-1:123456789012:key/1"), Grade::Ok);
    assert_eq!(encryption(&of(&[("SqsManagedSseEnabled", "true")])).grade, Grade::Ok);
}

#[test]
fn producers_are_those_that_the_queues_policy_lets_send() {
    let names = |policy: &str| producers(&of(&[("Policy", policy)]));
    let two = names(
        r#"{"Statement":[
            {"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage"},
            {"Effect":"Allow","Principal":{"AWS":["1","2"]},"Action":["SQS:*"]},
            {"Effect":"Deny","Principal":"*","Action":"sqs:*"}]}"#,
    );
    assert_eq!(graded(&two), (Grade::Ok, "the queue's policy lets 1, 2, events.amazonaws.com send", None));
    let single = names(r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}}"#);
    assert_eq!(single.message, "the queue's policy lets * send");
    for nobody in ["", "{", r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:ReceiveMessage"}]}"#] {
        assert_eq!(names(nobody).grade, Grade::Warning, "{nobody}");
    }
}

#[test]
fn retention_below_a_day_is_a_warning() {
    let kept = |seconds: &str| retention(&of(&[("MessageRetentionPeriod", seconds)]));
    assert_eq!(graded(&kept("345600")), (Grade::Ok, "messages are kept for 4 days", None));
    assert_eq!(kept("86400").message, "messages are kept for 24 hours");
    assert_eq!(kept("3600").grade, Grade::Warning);
    assert_eq!(kept("60").message, "messages are kept for 1 minutes only, a longer outage of the sink loses them");
}

#[test]
fn the_backlog_is_told() {
    let attributes = of(&[("ApproximateNumberOfMessages", "7"), ("ApproximateNumberOfMessagesNotVisible", "2")]);
    let expected = "7 messages wait, 2 are being worked on (the age of the oldest is in CloudWatch only)";
    assert_eq!(backlog(&attributes).message, expected);
}

#[test]
fn a_refused_handle_means_that_the_caller_was_let_in() {
    let config = config("orders");
    let asked = |answer: Result<(), Fault>| delete(&answer, &config.queue, None);
    assert_eq!(graded(&asked(Ok(()))), (Grade::Ok, "sqs:DeleteMessage is permitted", None));
    let probably = asked(Err(fault("ReceiptHandleIsInvalid")));
    assert_eq!(graded(&probably), (Grade::Ok, "sqs:DeleteMessage is probably permitted", None));
    assert_eq!(asked(Err(fault("AccessDenied"))).grade, Grade::Failed);
}

#[test]
fn without_the_right_to_extend_the_bridge_works_another_way() {
    let config = config("orders");
    let asked = |code: &str| extend(&Err(fault(code)), &config.queue, Some("arn:x"), &config.sink);
    let denied = asked("AccessDenied");
    assert_eq!(denied.grade, Grade::Warning);
    assert_eq!(
        denied.message,
        "sqs:ChangeMessageVisibility denied to arn:x on arn:aws:sqs:eu-north-1:123456789012:orders; until then each message is hidden for 340 s and a crash delays it by that"
    );
    assert_eq!(asked("MessageNotInflight").grade, Grade::Ok);
    assert_eq!(asked("").grade, Grade::Failed);
}

fn transport(class: TransportClass) -> Answer {
    Answer::Failed(TransportFailure { class, message: "why".to_owned() })
}

#[test]
fn any_answer_shows_that_a_sink_is_there() {
    let url = Url::parse("https://user:hush@sink.example/path").expect("a URL");
    let answer = Answer::Status { code: 405, retry_after: None, body: Bytes::new() };
    let reached = reachable("reachable", &answer, &url);
    let expected = "https://***@sink.example/path answers, and its certificate is trusted";
    assert_eq!(graded(&reached), (Grade::Ok, expected, None));
    for class in [TransportClass::Dns, TransportClass::Refused, TransportClass::Connect, TransportClass::Tls] {
        assert_eq!(reachable("reachable", &transport(class), &url).grade, Grade::Failed, "{class:?}");
    }
    for class in [TransportClass::Timeout, TransportClass::Reset] {
        assert_eq!(reachable("reachable", &transport(class), &url).grade, Grade::Warning, "{class:?}");
    }
}

#[test]
fn the_answer_to_the_check_event_is_explained() {
    let url = Url::parse("http://sink.example/").expect("a URL");
    let trial = |code, reply| {
        let answer = Answer::Status { code, retry_after: None, body: Bytes::new() };
        sent(&Trial { answer, reply }, &url)
    };
    assert_eq!(trial(202, Reply::Empty).grade, Grade::Ok);
    assert_eq!(trial(200, Reply::CloudEvent).grade, Grade::Ok);
    assert_eq!(trial(200, Reply::Other).grade, Grade::Warning);
    let refused = trial(401, Reply::Empty);
    let fix = "it wants a token, set the sink's audience or give an Authorization header (sinkHeadersSecret)";
    assert_eq!(graded(&refused), (Grade::Failed, "the sink http://sink.example/ answers 401", Some(fix)));
}
