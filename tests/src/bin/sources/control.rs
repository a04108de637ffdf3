//! The controller's release binary as a process, and what its pages and the kernel say of it. I/O: processes, TCP.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tests::page;
use tests::program::Program;
use tests::wait::eventually;
use tokio::process::Command;

/// As long as a slow machine needs.
const LONG: Duration = Duration::from_secs(3_600);

/// A running controller; killed when dropped.
pub struct Controller {
    program: Program,
    pages: SocketAddr,
}

impl Controller {
    /// Starts it with this kubeconfig.
    pub fn start(binary: &Path, kubeconfig: &Path) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let pages = free.expect("a free port");
        let mut command = Command::new(binary);
        command.env_clear().env("KUBECONFIG", kubeconfig);
        command.args(["--no-leader-election", "--admin-addr", &pages.to_string()]);
        Self { program: Program::start(command).expect("the controller starts"), pages }
    }

    /// Waits until as many passes have ended well as there are sources.
    pub async fn looked_at(&self, count: usize) {
        eventually(LONG, async || {
            let passes = self.metric("source_controller_reconciles_total{result=\"ok\"}").await;
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            if passes >= count as f64 { Ok(()) } else { Err((passes, self.program.output().pop())) }
        })
        .await;
    }

    /// Resident memory now, and the most that there was.
    pub fn memory(&self) -> String {
        let megabytes = |bytes: Option<u64>| bytes.unwrap_or_default() / 1_000_000;
        format!("{} MB, at most {} MB", megabytes(self.program.resident_bytes()), megabytes(self.program.peak_bytes()))
    }

    /// CPU time so far, in seconds: what counts on a machine that does other things too.
    pub fn cpu(&self) -> f64 {
        self.program.cpu_seconds().unwrap_or_default()
    }

    async fn metric(&self, name: &str) -> f64 {
        let Ok((_, page)) = page::get(self.pages, "/metrics").await else { return 0.0 };
        let line = page.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    }
}
