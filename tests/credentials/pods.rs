//! What the SDK reads from the environment of a process, in a process of its own.

use std::process::{Output, Stdio};

use tokio::process::Command;

use super::*;

/// Runs `sqs-bridge check -o json` with these variables and no others.
async fn check(sqs: &Simulator, more: &[(&str, &str)]) -> serde_json::Value {
    let url = sqs.queue("orders").url();
    let output: Output = Command::new(env!("CARGO_BIN_EXE_bridge"))
        .args(["check", "-o", "json"])
        .env_clear()
        .envs([("AWS_SQS_URL", url.as_str()), ("AWS_REGION", "eu-north-1"), ("K_SINK", "http://127.0.0.1:9/")])
        .envs([("HOME", "/nowhere"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .envs(more.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the bridge starts");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn grades(report: &serde_json::Value) -> BTreeMap<String, String> {
    let checks = report["checks"].as_array().expect("checks");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    checks.iter().map(|check| (text(&check["check"]), text(&check["grade"]))).collect()
}

#[tokio::test]
async fn the_credentials_endpoint_of_a_pod_is_asked_with_the_token_of_its_file() {
    let (sqs, pod) = (Simulator::start().await, FakeAws::start().await);
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "token", "pod-token");
    let uri = format!("{}/v1/credentials", pod.url());
    let settings = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &folder.path().join("token").display().to_string()),
        ("AWS_ENDPOINT_URL_STS", &pod.url()),
    ];
    let report = check(&sqs, &settings).await;
    assert_eq!(grades(&report).get("exists").map(String::as_str), Some("ok"), "{report:#}");
    let asked = pod.asked();
    assert_eq!(asked[0].action, "GET /v1/credentials");
    assert_eq!(asked[0].authorization, "pod-token");
    assert_eq!(asked[1].action, "GetCallerIdentity");
    let signers: Vec<String> = sqs.calls().into_iter().map(|call| call.caller.access_key).collect();
    assert!(!signers.is_empty());
    assert!(signers.iter().all(|key| key == "ASIAGETVCREDENTIALS1"), "{signers:?}");
}

#[tokio::test]
async fn a_role_is_assumed_on_top_of_pod_identity() {
    let (sqs, pod) = (Simulator::start().await, FakeAws::start().await);
    let uri = format!("{}/v1/credentials", pod.url());
    let settings = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        ("AWS_ENDPOINT_URL_STS", &pod.url()),
        ("BRIDGE_ASSUME_ROLE_ROLE_ARN", "arn:aws:iam::210987654321:role/reader"),
    ];
    check(&sqs, &settings).await;
    let asked = pod.asked();
    assert_eq!((asked[1].action.as_str(), asked[1].access_key.as_str()), ("AssumeRole", "ASIAGETVCREDENTIALS1"));
    assert!(sqs.calls().iter().all(|call| call.caller.access_key == "ASIAASSUMEROLE2"));
}

#[tokio::test]
async fn without_any_provider_the_doctor_says_what_was_tried() {
    let sqs = Simulator::start().await;
    let report = check(&sqs, &[]).await;
    let finding = &report["checks"][1];
    assert_eq!(finding["grade"], "failed", "{report:#}");
    assert_eq!(
        finding["message"],
        "no AWS credentials were found (tried the environment, profile files, web identity, container credentials and instance metadata)"
    );
    assert_eq!(sqs.calls().len(), 0);
}

#[tokio::test]
async fn the_credentials_file_may_be_missing_if_the_chain_shall_stand_in() {
    let (sqs, pod) = (Simulator::start().await, FakeAws::start().await);
    let uri = format!("{}/v1/credentials", pod.url());
    let settings = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        ("AWS_APPLICATION_CREDENTIALS", "/nowhere/credentials"),
        ("BRIDGE_CREDENTIALS_OPTIONAL", "true"),
        ("AWS_ENDPOINT_URL_STS", &pod.url()),
    ];
    check(&sqs, &settings).await;
    assert_eq!(pod.asked()[0].action, "GET /v1/credentials");
    assert!(sqs.calls().iter().all(|call| call.caller.access_key == "ASIAGETVCREDENTIALS1"));
}

/// Breaks if variables that the SDK obeys can change how often a receive is tried.
#[tokio::test]
async fn variables_of_the_sdk_add_no_retries() {
    let sqs = Simulator::start().await;
    let keys = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let retries = [("AWS_MAX_ATTEMPTS", "9"), ("AWS_NEW_RETRIES_2026", "true"), ("AWS_RETRY_MODE", "adaptive")];
    sqs.inject(tests::sqs::on(Action::GetQueueAttributes), tests::sqs::Fault::Refuse(tests::sqs::Code::INTERNAL_ERROR));
    check(&sqs, &[&keys[..], &retries].concat()).await;
    assert_eq!(sqs.count(Action::GetQueueAttributes), 3);
}
