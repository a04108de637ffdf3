//! Commands -> processes on CPUs of their own, and what the kernel counts for them. I/O: processes, /proc.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The kernel counts CPU time in ticks of 10 ms on every architecture that it still tells about.
/// Source: `man 5 proc_pid_stat`, USER_HZ.
const TICK: Duration = Duration::from_millis(10);

/// The machine that measures.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What its CPUs are called.
    pub model: String,
    /// How many there are.
    pub cpus: usize,
    /// Processes that wanted to run in the last minute, before anything was measured.
    pub load: f64,
}

/// Which CPU a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// That of load server and sink.
    Servers,
    /// That of what is measured.
    Measured,
}

/// A process that is killed when dropped.
#[derive(Debug)]
pub struct Process(Child);

/// What a process has used up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, of user and kernel.
    pub cpu: Duration,
    /// Memory now, in KiB.
    pub memory: u64,
    /// Most memory so far, in KiB.
    pub most_memory: u64,
    /// How often one of its threads went to sleep or was interrupted.
    pub switches: u64,
}

impl Machine {
    /// Reads what the kernel says.
    pub fn look() -> io::Result<Self> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("CPU");
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            model: model.trim_start_matches([' ', '\t', ':']).to_owned(),
            cpus: std::thread::available_parallelism()?.get(),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
        })
    }

    fn cpu(&self, place: Place) -> usize {
        match place {
            Place::Servers => 0,
            Place::Measured => self.cpus.min(2) - 1,
        }
    }
}

impl Process {
    /// Starts a program with these variables and no others.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(
        machine: &Machine,
        place: Place,
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut command = Command::new("taskset");
        command.arg("--cpu-list").arg(machine.cpu(place).to_string()).arg(program).args(arguments);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(variables.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value))));
        command.stdin(Stdio::null());
        match place {
            Place::Servers => command.stdout(Stdio::piped()),
            // Its log would stand between the lines of the table.
            Place::Measured => command.stdout(Stdio::null()).stderr(Stdio::null()),
        };
        Ok(Self(command.spawn()?))
    }

    /// The first line that it prints.
    ///
    /// # Errors
    ///
    /// When it ends before.
    pub fn first_line(&mut self) -> io::Result<String> {
        let out = self.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        BufReader::new(out).lines().next().ok_or(io::ErrorKind::UnexpectedEof)?
    }

    /// What it has used up to now.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn usage(&self) -> Result<Usage, Box<dyn Error>> {
        let folder = format!("/proc/{}", self.0.id());
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let mut switches = 0;
        for thread in fs::read_dir(format!("{folder}/task"))? {
            switches += context_switches(&fs::read_to_string(thread?.path().join("status"))?);
        }
        Ok(Usage {
            cpu: TICK * ticks(&fs::read_to_string(format!("{folder}/stat"))?).ok_or("no CPU time in /proc")?,
            memory: number(&status, "VmRSS:").ok_or("no memory in /proc")?,
            most_memory: number(&status, "VmHWM:").ok_or("no memory in /proc")?,
            switches,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has ended.
        drop((self.0.kill(), self.0.wait()));
    }
}

/// Ticks of user and kernel time: fields 14 and 15, of which the second may hold spaces and is in parentheses.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

fn context_switches(status: &str) -> u64 {
    let names = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
    names.iter().filter_map(|name| number(status, name)).sum()
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 12 30 0 0 20 0 1 0 5 9 9";
        assert_eq!(ticks(stat), Some(42));
        let status = "Name:\tx\nVmHWM:\t   2048 kB\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!((number(status, "VmHWM:"), context_switches(status)), (Some(2_048), 7));
    }
}
