//! The program as people start it: words and variables in, output and exit code out.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tests::sink::{Reply, Sink};
use tests::sqs::{Action, Code, Counts, Fault, SimulatedQueue, Simulator, on};
use tests::wait::until;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

mod check;
mod convert;
mod dry_run;
mod run;

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A queue of the simulator and a sink.
struct World {
    sqs: Simulator,
    queue: SimulatedQueue,
    sink: Sink,
}

impl World {
    async fn start() -> Self {
        let sqs = Simulator::start().await;
        let queue = sqs.queue("orders");
        Self { sqs, queue, sink: Sink::start().await }
    }

    /// The program with these words, for the queue and the sink.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = bridge(words);
        command.env("AWS_SQS_URL", self.queue.url()).env("K_SINK", self.sink.url());
        command.env("AWS_ENDPOINT_URL_STS", self.sqs.url());
        command
    }
}

/// The program with these words and nothing in its environment but keys and a region.
fn bridge(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args(words).env_clear().kill_on_drop(true);
    command.env("AWS_ACCESS_KEY_ID", "AKIA1").env("AWS_SECRET_ACCESS_KEY", "s").env("AWS_REGION", "us-east-1");
    command.env("BRIDGE_HEALTH_ADDR", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn output(mut command: Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends in time").expect("it starts")
}

/// What ended with which code, and what it said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn said(command: Command) -> Said {
    said_by(output(command).await)
}

fn said_by(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Sends a signal such as `TERM`.
async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status().await.expect("kill starts");
    assert!(sent.success());
}

#[tokio::test]
async fn help_is_no_failure_and_a_wrong_word_is_wrong_usage() {
    let help = said(bridge(&["--help"])).await;
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    assert!(help.out.contains("[env: AWS_SQS_URL]"), "{}", help.out);
    let wrong = said(bridge(&["--no-such-flag"])).await;
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
}

#[tokio::test]
async fn settings_in_force_are_printed_without_secrets() {
    let mut command = bridge(&["--print-config", "--wait-time", "3s"]);
    command.env("K_SINK", "http://user:hush@sink.example/");
    command.env("AWS_SQS_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/orders");
    let printed = said(command).await;
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    assert!(printed.out.contains("  3s  (flag --wait-time)"), "{}", printed.out);
    assert!(printed.out.contains("  http://***@sink.example/  (env K_SINK)"), "{}", printed.out);
    assert!(printed.out.contains("  ***  (env AWS_SECRET_ACCESS_KEY)"), "{}", printed.out);
}

#[tokio::test]
async fn policies_completions_and_the_manual_are_printed() {
    let policy = said(bridge(&["policy", "--queue-arn", "arn:aws:sqs:us-east-1:123456789012:q"])).await;
    let policies: Value = serde_json::from_str(&policy.out).expect("JSON");
    let resource = &policies["identityPolicy"]["Statement"][0]["Resource"];
    assert_eq!((policy.code, resource), (Some(0), &Value::from("arn:aws:sqs:us-east-1:123456789012:q")));
    let completions = said(bridge(&["completions", "bash"])).await;
    assert!(completions.out.contains("--visibility-timeout"));
    let manual = said(bridge(&["man"])).await;
    assert!(manual.out.contains(".TH sqs-bridge 1"));
}
