//! The controller as a program of its own, under a ServiceAccount's kubeconfig. I/O: processes, files.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use tokio::process::Command;

use crate::program::{Program, built};

/// The controller as a child process; killed when dropped.
#[derive(Debug)]
pub struct ControllerProcess {
    program: Program,
}

impl ControllerProcess {
    /// Starts it with this kubeconfig and these arguments, and with nothing else of our environment.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(kubeconfig: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(built("controller"));
        command.env_clear().env("KUBECONFIG", kubeconfig).env("LOG_LEVEL", "source_controller=debug,info");
        command.args(["--admin-addr", "127.0.0.1:0", "--adapter-image", "registry.local/sqs-bridge:1"]).args(arguments);
        Self { program: Program::start(command).expect("the controller can be started") }
    }
}

impl Deref for ControllerProcess {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for ControllerProcess {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}
