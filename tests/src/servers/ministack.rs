//! An installed ministack -> a running one. I/O: child processes, TCP.

use std::path::Path;
use std::process::Command;

use super::process::{Running, Start, installed, start};
use crate::host;

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
    let host = host::address().to_string();
    command.env("BIND_HOST", &host).env("MINISTACK_HOST", &host).env("GATEWAY_PORT", port.to_string());
    command.env("SERVICES", "sqs,events,sns,s3,cloudwatch,sts").env("LOG_LEVEL", "WARNING");
    // It writes the number of its process there; the default is a folder that every run would share.
    command.env("TMPDIR", scratch);
    command
}
