//! Every way to AWS credentials, on the wire: what STS and the endpoint of a pod were asked, and which key then signs
//! the calls of SQS.

use std::collections::BTreeMap;
use std::path::Path;

use sqs_bridge::aws::{self, Clients};
use sqs_bridge::config::Config;
use sqs_bridge::fault::{Fault, FaultClass};
use tests::fake_aws::{Asked, FakeAws};
use tests::sqs::{Action, Caller, Simulator};

mod files;
mod pods;
mod roles;

/// Settings for a queue of the simulator and what else the test says.
fn config(sqs: &Simulator, more: &[(&str, &str)]) -> Config {
    let url = sqs.queue("orders").url();
    let pairs = [("AWS_SQS_URL", url.as_str()), ("AWS_REGION", "eu-north-1"), ("K_SINK", "http://127.0.0.1:9/")];
    Config::from_env_pairs(pairs.into_iter().chain(more.iter().copied())).expect("settings")
}

async fn connect(sqs: &Simulator, more: &[(&str, &str)]) -> Clients {
    aws::connect(&config(sqs, more)).await.expect("clients")
}

/// Calls SQS once with each client and answers with who signed; both are the same identity.
async fn signer(sqs: &Simulator, clients: &Clients) -> Caller {
    let url = sqs.queue("orders").url();
    let signer = receive(sqs, clients).await;
    clients.control.get_queue_attributes().queue_url(&url).send().await.expect("attributes");
    assert_eq!(sqs.calls_of(Action::GetQueueAttributes)[0].caller.access_key, signer.access_key);
    signer
}

/// Receives once and answers with who signed.
async fn receive(sqs: &Simulator, clients: &Clients) -> Caller {
    sqs.forget_calls();
    clients.receive.receive_message().queue_url(sqs.queue("orders").url()).send().await.expect("messages");
    sqs.calls_of(Action::ReceiveMessage)[0].caller.clone()
}

/// What a call comes to that cannot be signed, or that SQS refuses.
async fn fault(sqs: &Simulator, clients: &Clients) -> Fault {
    let url = sqs.queue("orders").url();
    let outcome = clients.receive.receive_message().queue_url(&url).send().await;
    aws::fault(&outcome.expect_err("a fault"))
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file");
}

fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn keys_of_the_environment_sign_with_their_token_in_the_region_of_the_queue() {
    let sqs = Simulator::start().await;
    let keys = [("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "token")];
    let caller = signer(&sqs, &connect(&sqs, &keys).await).await;
    assert_eq!(caller.access_key, "AKIA1");
    assert_eq!(caller.session_token.as_deref(), Some("token"));
    assert_eq!(caller.region, "eu-north-1");
}

#[tokio::test]
async fn keys_of_an_integration_source_sign() {
    let sqs = Simulator::start().await;
    let keys = [
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_QUEUE_NAME_OR_ARN", "orders"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_ACCESSKEY", "AKIACAMEL"),
        ("CAMEL_KAMELET_AWS_SQS_SOURCE_SECRETKEY", "s"),
    ];
    let endpoint = sqs.url();
    let pairs =
        [("AWS_REGION", "us-east-1"), ("K_SINK", "http://127.0.0.1:9/"), ("AWS_ENDPOINT_URL", endpoint.as_str())];
    let config = Config::from_env_pairs(pairs.into_iter().chain(keys)).expect("settings");
    sqs.queue("orders");
    let clients = aws::connect(&config).await.expect("clients");
    assert_eq!(aws::resolve_queue_url(&clients, &config.queue).await, Ok(sqs.queue("orders").url()));
    let asked = &sqs.calls_of(Action::GetQueueUrl)[0];
    assert_eq!(asked.caller.access_key, "AKIACAMEL");
}
