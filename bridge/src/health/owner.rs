//! The owner of the lease table <- a sign of life, asked for by `/health`. I/O: a channel.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// Asks the owner of the lease table for a sign of life; it answers by sending `()`.
pub type OwnerPing = mpsc::Sender<oneshot::Sender<()>>;

/// How long the owner may take to answer before the process counts as stuck.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Whom to ask; nobody until the engine runs.
#[derive(Debug, Default)]
pub(super) struct Owner(Mutex<Option<OwnerPing>>);

impl Owner {
    pub(super) fn set(&self, ping: OwnerPing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ping);
    }

    /// Nothing is wrong with an engine that does not run yet.
    pub(super) async fn answers(&self) -> Result<(), String> {
        let owner = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(owner) = owner else { return Ok(()) };
        let (pong, answer) = oneshot::channel();
        let asked = async { owner.send(pong).await.is_ok() && answer.await.is_ok() };
        match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the owner of the leases has ended".into()),
            Err(_) => Err(format!("the owner of the leases has not answered for {} s", ANSWERS_WITHIN.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_owner_that_answers_lives_and_one_that_does_not_is_stuck() {
        let owner = Owner::default();
        assert_eq!(owner.answers().await, Ok(()));
        let (ping, mut pings) = mpsc::channel::<oneshot::Sender<()>>(1);
        owner.set(ping);
        let answering = async { pings.recv().await.unwrap().send(()).unwrap() };
        assert_eq!(tokio::join!(owner.answers(), answering).0, Ok(()));
        assert_eq!(owner.answers().await, Err("the owner of the leases has not answered for 10 s".into()));
        drop(pings);
        assert_eq!(owner.answers().await, Err("the owner of the leases has ended".into()));
    }
}
