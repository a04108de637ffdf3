//! The servers, and what is measured against them, each in a process of its own. I/O: processes.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use crate::control::Servers;
use crate::process::{Machine, Place, Process};
use crate::queue::Load;
use crate::serve::unix_us;

/// Without progress for so long, a run is over.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The AWS SDK and reqwest in a loop that does nothing else.
    Bare,
    /// The same with requests made by hand.
    Lean,
    /// The bridge.
    Bridge,
}

/// Everything that a run needs.
#[derive(Debug)]
pub struct Bench {
    /// Where it runs.
    pub machine: Machine,
    /// Load server and sink.
    pub servers: Servers,
    /// The bridge's binary.
    pub bridge: PathBuf,
}

impl Subject {
    /// In the order of the table.
    pub const ALL: [Self; 3] = [Self::Bare, Self::Lean, Self::Bridge];

    /// What the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::Lean => "lean loop",
            Self::Bridge => "bridge",
        }
    }
}

impl Bench {
    /// Starts the servers.
    pub fn start(machine: Machine, bridge: PathBuf) -> Result<Self, Box<dyn Error>> {
        let servers = Servers::start(&machine)?;
        Ok(Self { machine, servers, bridge })
    }

    /// Starts what is measured and waits for its first receive: the process, and the milliseconds that took.
    pub async fn subject(
        &self,
        subject: Subject,
        load: Load,
        more: &[(&str, &str)],
    ) -> Result<(Process, f64), Box<dyn Error>> {
        let began = unix_us();
        let process = match subject {
            Subject::Bare => self.bare("libraries", load)?,
            Subject::Lean => self.bare("lean", load)?,
            Subject::Bridge => self.bridge(load, more)?,
        };
        let stats = self.servers.wait(PATIENCE, |stats| stats.first_receive > 0).await?;
        let first = stats.first_receive.checked_sub(began);
        let first = first
            .ok_or_else(|| format!("the {} asks the queue for nothing; start it by hand to see why", subject.name()))?;
        Ok((process, first as f64 / 1_000.0))
    }

    fn bare(&self, parts: &str, load: Load) -> Result<Process, Box<dyn Error>> {
        let arguments = ["bare", parts, &self.servers.queue_url(load), &self.servers.sink_url()];
        Ok(Process::start(&self.machine, Place::Measured, &std::env::current_exe()?, &arguments, &[])?)
    }

    fn bridge(&self, load: Load, more: &[(&str, &str)]) -> Result<Process, Box<dyn Error>> {
        let (queue, sink) = (self.servers.queue_url(load), self.servers.sink_url());
        let mut variables = vec![
            ("AWS_SQS_URL", queue.as_str()),
            ("AWS_ENDPOINT_URL_SQS", self.servers.endpoint()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("K_SINK", sink.as_str()),
            ("BRIDGE_HEALTH_ADDR", "127.0.0.1:0"),
        ];
        variables.extend(more);
        Ok(Process::start(&self.machine, Place::Measured, &self.bridge, &[], &variables)?)
    }
}
