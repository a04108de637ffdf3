//! A command -> a server that answers, on a port of its own, killed when nobody holds it. I/O: child processes, TCP.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use super::{http, state};
use crate::host;

/// A JVM on a busy machine takes a dozen seconds.
const START_WITHIN: Duration = Duration::from_secs(90);
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(20);
const LAST_LINES: usize = 40;
/// Another process may take the port between the moment it was found free and the moment the server binds it.
const ATTEMPTS: usize = 3;

/// Becomes the server, and leaves a guard behind that kills it once the pipe to us closes: also when this process is
/// killed, and destructors do not run.
const UNTIL_WE_END: &str = r#"exec 3<&0 </dev/null; (cat <&3 >/dev/null; kill -9 $$) & exec 3<&-; exec "$@""#;

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    address: SocketAddr,
    log: PathBuf,
    child: Child,
}

/// What is needed to start a server.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    /// Its name in messages and in the name of its log.
    pub name: &'static str,
    /// A path that answers 200 once the server is ready.
    pub ready: &'a str,
    /// The command for a port; files that it needs may be written into the folder.
    pub command: &'a dyn Fn(u16, &Path) -> Command,
}

impl Running {
    /// Where it listens, such as `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Prints the state of every queue and the last lines of the log, for the report of a failed test.
    pub(super) fn print_evidence(&self) {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        let queues = state::describe_queues(self.address).unwrap_or_else(|error| format!("not known: {error}"));
        let text =
            format!("--- {} ({})\nqueues: {queues}\nlog {}:\n{last}\n---\n", self.name, self.url(), self.log.display());
        // The report is a courtesy: if standard error is gone there is nobody to tell.
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

/// Starts a server and waits until it answers.
///
/// # Panics
///
/// When it does not, with the end of its log.
pub(super) fn start(what: Start) -> Running {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        match attempt(what) {
            Ok(running) => return running,
            Err(reason) => last = reason,
        }
    }
    panic!("{} did not start: {last}", what.name);
}

/// The folder where `tests/run` has installed a part.
///
/// # Panics
///
/// When `variable` does not name one, with the command that mends it.
pub fn installed(part: &str, variable: &str, tier: &str) -> PathBuf {
    let folder = env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_dir());
    folder.unwrap_or_else(|| {
        panic!(
            "{part} is not installed ({variable} names no folder): run `tests/run {tier}`, \
             or once per shell `eval \"$(tests/run --env {tier})\"`"
        )
    })
}

fn attempt(what: Start) -> Result<Running, String> {
    let address = free_address().map_err(|error| format!("no free port: {error}"))?;
    let folder = log_folder().join(format!("{}-{}", what.name, address.port()));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let log = folder.join("log");
    let child =
        spawn(&(what.command)(address.port(), &folder), &log).map_err(|error| format!("cannot start: {error}"))?;
    let running = Running { name: what.name, address, log, child };
    wait_until_ready(running, what.ready)
}

fn wait_until_ready(mut running: Running, path: &str) -> Result<Running, String> {
    let end = Instant::now() + START_WITHIN;
    loop {
        if http::get(running.address, path).is_ok_and(|answer| answer.status == 200) {
            return Ok(running);
        }
        let log = || fs::read_to_string(&running.log).unwrap_or_default();
        match running.child.try_wait() {
            Ok(Some(status)) => return Err(format!("it ended with {status}:\n{}", log())),
            Ok(None) | Err(_) if Instant::now() >= end => {
                return Err(format!("no answer on {path} within {START_WITHIN:?}:\n{}", log()));
            }
            Ok(None) | Err(_) => thread::sleep(BETWEEN_QUESTIONS),
        }
    }
}

fn spawn(command: &Command, log: &Path) -> std::io::Result<Child> {
    let output = File::create(log)?;
    let mut guarded = Command::new("sh");
    guarded.args(["-c", UNTIL_WE_END, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    guarded.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output).spawn()
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((host::address(), 0))?.local_addr()
}

/// Where logs of servers are kept: beside those of `tests/run`.
fn log_folder() -> PathBuf {
    let folder = env::var_os("TESTS_LOGS").map(PathBuf::from);
    folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tests-logs")).join("servers")
}
