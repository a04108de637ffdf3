//! A wish to stop -> the engine's `Drain`, and its repetition -> `Abort`. I/O: signals.

use tokio::sync::watch;

use crate::engine::Input;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Wish {
    GoOn,
    Drain,
    Abort,
}

/// Makes a way to stop a bridge.
pub fn shutdown() -> (Stopper, Shutdown) {
    let (sender, receiver) = watch::channel(Wish::GoOn);
    (Stopper { sender }, Shutdown { receiver, heard: Wish::GoOn })
}

/// Stops a bridge; dropping it stops nothing.
#[derive(Debug)]
pub struct Stopper {
    sender: watch::Sender<Wish>,
}

/// Hears of the wish to stop.
#[derive(Debug)]
pub struct Shutdown {
    receiver: watch::Receiver<Wish>,
    heard: Wish,
}

impl Stopper {
    /// Asks for a drain; asked again, for an end at once.
    pub fn stop(&self) {
        self.sender.send_modify(|wish| *wish = if *wish == Wish::GoOn { Wish::Drain } else { Wish::Abort });
    }

    /// Stops at each SIGTERM or SIGINT: the first drains, the second ends at once. Runs until dropped.
    ///
    /// # Errors
    ///
    /// When the process may not listen to signals.
    pub async fn stop_on_signals(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        loop {
            tokio::select! {
                _ = terminate.recv() => self.stop(),
                _ = interrupt.recv() => self.stop(),
            }
        }
    }
}

impl Shutdown {
    /// Returns once a stop was asked for, now or before.
    pub async fn requested(&mut self) {
        if self.receiver.wait_for(|wish| *wish != Wish::GoOn).await.is_err() {
            // The stopper is gone: nobody will ever ask.
            std::future::pending().await
        }
    }

    /// The next thing that was asked for; each is told once.
    pub(super) async fn changed(&mut self) -> Input {
        let heard = self.heard;
        let Ok(wish) = self.receiver.wait_for(|wish| *wish > heard).await.map(|wish| *wish) else {
            return std::future::pending().await;
        };
        self.heard = wish;
        if wish == Wish::Abort { Input::Abort } else { Input::Drain }
    }
}
