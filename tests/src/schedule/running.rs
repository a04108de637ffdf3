//! One bridge of a schedule: in this process, or the real program. I/O: processes.

use std::time::Duration;

use crate::bridge::{BridgeProcess, RunningBridge, Setup};
use crate::wait::until;

/// A bridge that runs, or is on its way out.
#[derive(Debug)]
pub(super) enum Running {
    Here(RunningBridge),
    Process(BridgeProcess),
}

/// Longer than any drain.
const ENDS_WITHIN: Duration = Duration::from_secs(120);

impl Running {
    pub(super) async fn start(setup: &Setup, process: bool) -> Self {
        if process { Self::Process(setup.spawn()) } else { Self::Here(setup.start().await) }
    }

    /// As SIGKILL does it.
    pub(super) async fn kill(self) {
        match self {
            Self::Here(bridge) => bridge.kill(),
            Self::Process(mut bridge) => {
                bridge.kill();
                bridge.ended(ENDS_WITHIN).await;
            }
        }
    }

    /// As SIGTERM does it; does not wait for the end.
    pub(super) fn terminate(&self) {
        match self {
            Self::Here(bridge) => bridge.ask_to_stop(),
            Self::Process(bridge) => bridge.terminate(),
        }
    }

    /// Waits for the end of a bridge that was asked to; anything but an orderly one is told.
    pub(super) async fn ended(self) -> Result<(), String> {
        match self {
            Self::Here(bridge) => {
                until(ENDS_WITHIN, "the bridge has ended", || bridge.has_ended()).await;
                Ok(())
            }
            Self::Process(mut bridge) => match bridge.ended(ENDS_WITHIN).await {
                Some(0) => Ok(()),
                // Asked before it could listen to signals: the system ended it, and it had received nothing.
                None if bridge.output().is_empty() => Ok(()),
                code => Err(format!("the bridge ended with {code:?}: {:#?}", bridge.output())),
            },
        }
    }

    /// What `/health` answers.
    pub(super) async fn health(&self) -> Option<u16> {
        match self {
            Self::Here(bridge) => Some(bridge.page("/health").await.0),
            Self::Process(_) => None,
        }
    }
}
