//! The controller as a task of the test, under the ServiceAccount of `config/`. I/O: TCP.

use clap::Parser;
use futures::channel::oneshot;
use kube::Client;
use source_controller::args::Args;
use source_controller::run::run_with;
use tokio::task::JoinHandle;

/// The controller, running; it stops with this value.
pub struct Running {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Running {
    /// Starts it with this client.
    pub fn start(client: Client, arguments: &[&str]) -> Self {
        let usual =
            ["source-controller", "--admin-addr", "127.0.0.1:0", "--adapter-image", "registry.local/sqs-bridge:1"];
        let Args { run, .. } = Args::try_parse_from(usual.iter().chain(arguments)).expect("arguments");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            stopped.await.ok();
        };
        let task = tokio::spawn(async move {
            if let Err(error) = run_with(client, run, shutdown).await {
                panic!("the controller stops: {error}");
            }
        });
        Self { task, stop: Some(stop) }
    }

    /// Stops it as SIGTERM does, and waits until it has ended.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        (&mut self.task).await.expect("the controller ends well");
    }

    /// Stops it in the middle of whatever it does.
    pub fn kill(self) {
        self.task.abort();
    }

    /// Returns when it has ended by itself.
    ///
    /// # Panics
    ///
    /// When it ended with an error.
    pub async fn ended(mut self) {
        (&mut self.task).await.expect("the controller ends well");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
