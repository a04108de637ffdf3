//! A command line -> a running child process, its output, its end. I/O: processes.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::wait::eventually;

/// A child process; killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
}

impl Program {
    /// Starts it, with nothing to read and its output kept.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let output = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take(), &output);
        collect(child.stderr.take(), &output);
        Ok(Self { child, output })
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

    /// Lets it go on after [`Program::freeze`].
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
        let status: ExitStatus = ended.expect("the program ends in time").expect("its end can be waited for");
        status.code().or_else(|| status.signal().and(None))
    }

    /// How it ended, if it has.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
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

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        self.bytes_of("VmRSS:")
    }

    /// The most resident memory that there was at any time, in bytes.
    pub fn peak_bytes(&self) -> Option<u64> {
        self.bytes_of("VmHWM:")
    }

    fn bytes_of(&self, field: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    }

    /// How often its threads have slept until something woke them; `None` once it has ended.
    pub fn wake_ups(&self) -> Option<u64> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()?)).ok()?;
        let statuses = threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("status")).ok());
        let sleeps = statuses.filter_map(|status| {
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:").map(str::to_owned))?;
            line.trim().parse::<u64>().ok()
        });
        Some(sleeps.sum())
    }

    /// CPU time so far, in seconds.
    pub fn cpu_seconds(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // Behind the name, which may hold spaces: user and system time are the 12th and 13th word, in hundredths.
        let (_, words) = status.rsplit_once(") ")?;
        let mut words = words.split(' ').skip(11);
        let (user, system): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((user + system) / 100.0)
    }

    fn signal(&self, signal: &str) {
        let Some(id) = self.child.id() else { return };
        std::process::Command::new("kill").args([signal, &id.to_string()]).status().expect("signals can be sent");
    }
}

/// A program that cargo builds as a binary of this package before it runs the tests.
///
/// # Panics
///
/// Outside of a test.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps").join(name)
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
