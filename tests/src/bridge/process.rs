//! Settings -> the real program, its output, its end. I/O: processes, files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;

use super::get;
use crate::wait::eventually;

/// The program as a child process; killed when dropped.
#[derive(Debug)]
pub struct BridgeProcess {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    health: SocketAddr,
    _keys: KeyFiles,
}

impl BridgeProcess {
    pub(super) fn start(env: &BTreeMap<String, String>, keys: KeyFiles) -> Self {
        let health = free_address().expect("a port of 127.0.0.1 is free");
        let mut command = tokio::process::Command::new(program());
        command.env_clear().envs(env).env("BRIDGE_HEALTH_ADDR", health.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the bridge can be started");
        let output = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take(), &output);
        collect(child.stderr.take(), &output);
        Self { child, output, health, _keys: keys }
    }

    /// Sends SIGTERM.
    ///
    /// # Panics
    ///
    /// When there is no `kill` on this machine.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGKILL: no drain, no farewell.
    ///
    /// # Panics
    ///
    /// When there is no `kill` on this machine.
    pub fn kill(&self) {
        self.signal("-KILL");
    }

    /// Stops it with SIGSTOP, as a frozen node would.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on after [`BridgeProcess::freeze`].
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Waits for the end; answers with the exit code, `None` if a signal ended it.
    ///
    /// # Panics
    ///
    /// When it has not ended after `deadline`.
    pub async fn ended(&mut self, deadline: Duration) -> Option<i32> {
        let ended = tokio::time::timeout(deadline, self.child.wait()).await;
        let status: ExitStatus = ended.expect("the bridge ends in time").expect("its end can be waited for");
        status.code().or_else(|| status.signal().and(None))
    }

    /// Everything it has written so far, line by line.
    pub fn output(&self) -> Vec<String> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line that contains `text`.
    pub async fn line_with(&self, text: &str) -> String {
        eventually(Duration::from_secs(60), async || {
            let lines = self.output();
            lines.iter().find(|line| line.contains(text)).cloned().ok_or(lines)
        })
        .await
    }

    /// Waits until `/readiness` says 200.
    pub async fn ready(&self) {
        eventually(Duration::from_secs(60), async || match get(self.health, "/readiness").await {
            Ok((200, _)) => Ok(()),
            other => Err((other, self.output())),
        })
        .await;
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    }

    fn signal(&self, signal: &str) {
        let Some(id) = self.child.id() else { return };
        Command::new("kill").args([signal, &id.to_string()]).status().expect("signals can be sent");
    }
}

/// A directory with an access key in files, removed when dropped.
#[derive(Debug)]
pub(super) struct KeyFiles {
    directory: PathBuf,
}

impl KeyFiles {
    pub(super) fn write(access_key: &str) -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("sqs-bridge-keys-{:016x}", fastrand::u64(..)));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("accessKeyId"), access_key)?;
        fs::write(directory.join("secretAccessKey"), "secret")?;
        Ok(Self { directory })
    }

    pub(super) fn path(&self) -> String {
        self.directory.to_string_lossy().into_owned()
    }
}

impl Drop for KeyFiles {
    fn drop(&mut self) {
        // Left behind, it is only a directory too many in a temporary place.
        fs::remove_dir_all(&self.directory).ok();
    }
}

/// The program, which cargo builds as a binary of this package before it runs the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps").join("bridge")
}

fn collect(stream: Option<impl AsyncRead + Unpin + Send + 'static>, output: &Arc<Mutex<Vec<String>>>) {
    let Some(stream) = stream else { return };
    let output = output.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            output.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

fn free_address() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}
