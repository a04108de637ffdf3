//! An installed ministack -> a running one. I/O: child processes, TCP.

use std::path::Path;
use std::process::Command;

use super::process::{Running, Start, installed, start};

/// Starts it with the services that feed a queue.
pub(super) fn start_ministack() -> Running {
    let folder = installed("ministack", "TESTS_MINISTACK", "servers");
    start(Start {
        name: "ministack",
        ready: "/_localstack/health",
        command: &|port, scratch| command(&folder, port, scratch),
    })
}

fn command(folder: &Path, port: u16, scratch: &Path) -> Command {
    let mut command = Command::new(folder.join("bin/ministack"));
    command.env("BIND_HOST", "127.0.0.1").env("MINISTACK_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
    command.env("SERVICES", "sqs,events,sns,s3,cloudwatch,sts").env("LOG_LEVEL", "WARNING");
    // It writes the number of its process there; the default is a folder that every run would share.
    command.env("TMPDIR", scratch);
    command
}
