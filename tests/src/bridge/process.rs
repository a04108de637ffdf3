//! Settings -> the real program and its pages. I/O: processes, files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::page::get;
use crate::program::{Program, built};
use crate::wait::eventually;

/// The program as a child process; killed when dropped.
#[derive(Debug)]
pub struct BridgeProcess {
    program: Program,
    health: SocketAddr,
    _keys: KeyFiles,
}

impl BridgeProcess {
    pub(super) fn start(env: &BTreeMap<String, String>, keys: KeyFiles) -> Self {
        let chosen = env.get("BRIDGE_HEALTH_ADDR").and_then(|address| address.parse().ok());
        let health = chosen.filter(|address: &SocketAddr| address.port() != 0);
        let health = health.unwrap_or_else(|| free_address().expect("a port of 127.0.0.1 is free"));
        let mut command = Command::new(built("bridge"));
        command.env_clear().envs(env).env("BRIDGE_HEALTH_ADDR", health.to_string());
        let program = Program::start(command).expect("the bridge can be started");
        Self { program, health, _keys: keys }
    }

    /// Waits until `/readiness` says 200.
    pub async fn ready(&self) {
        eventually(Duration::from_secs(60), async || match get(self.health, "/readiness").await {
            Ok((200, _)) => Ok(()),
            other => Err((other, self.output())),
        })
        .await;
    }

    /// What `/readiness` says, if it answers.
    pub async fn readiness(&self) -> Option<Value> {
        let (_, body) = get(self.health, "/readiness").await.ok()?;
        serde_json::from_str(&body).ok()
    }
}

impl Deref for BridgeProcess {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for BridgeProcess {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
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

fn free_address() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}
