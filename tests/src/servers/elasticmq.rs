//! An installed ElasticMQ -> a running one. I/O: child processes, files, TCP.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::process::{Running, Start, installed, start};

/// Starts it with limits as strict as AWS's.
pub(super) fn start_elasticmq() -> Running {
    let folder = installed("ElasticMQ", "TESTS_ELASTICMQ", "servers");
    start(Start { name: "elasticmq", ready: "/health", command: &|port, scratch| command(&folder, port, scratch) })
}

fn command(folder: &Path, port: u16, scratch: &Path) -> Command {
    let config = scratch.join("elasticmq.conf");
    fs::write(&config, configuration(port)).expect("the folder of the log takes a file");
    let mut command = Command::new("java");
    command.args(["-Xmx1g", "-XX:+UseSerialGC"]).arg(format!("-Dconfig.file={}", config.display()));
    command.arg("-cp").arg(folder.join("lib/*")).arg("org.elasticmq.server.Main");
    command
}

/// The packaged request timeout of 21 s is just over a long poll of 20 s; on a busy machine that is too close.
fn configuration(port: u16) -> String {
    format!(
        r#"include classpath("application.conf")
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-hostname = "127.0.0.1", bind-port = {port}, sqs-limits = strict }}
rest-stats {{ enabled = false }}
aws {{ region = "us-east-1", accountId = "000000000000" }}
pekko.loglevel = "WARNING"
pekko.http.server.max-connections = 20000
pekko.http.server.request-timeout = 25 s
"#
    )
}
