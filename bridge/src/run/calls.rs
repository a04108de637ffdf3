//! The engine's commands -> calls of SQS, timed and counted, and what came of them. I/O: SQS.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::aws::Clients;
use crate::describe::describe;
use crate::engine::Input;
use crate::fault::FaultClass;
use crate::lease::Extension;
use crate::metrics::{Action, Metrics, Purpose};
use crate::receive::{Poll, receive};
use crate::settle::buffer::BATCH;
use crate::settle::write::{self, Doomed, Hide};

/// The clients of one queue.
#[derive(Debug)]
pub(super) struct Calls {
    clients: Clients,
    queue_url: String,
    fifo: bool,
    metrics: Arc<Metrics>,
}

impl Calls {
    pub(super) fn new(clients: Clients, queue_url: String, fifo: bool, metrics: Arc<Metrics>) -> Self {
        Self { clients, queue_url, fifo, metrics }
    }

    pub(super) async fn receive(&self, poll: Poll) -> Input {
        let started = Instant::now();
        let result = receive(&self.clients.receive, &self.queue_url, self.fifo, &poll).await;
        let fault = result.as_ref().err().map(|fault| fault.class);
        self.count(Action::ReceiveMessage, Purpose::Receive, started, fault);
        if let Some(expiry) = self.clients.identity.expiry() {
            self.metrics.credentials_remaining(expiry.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO));
        }
        Input::Received(poll, result)
    }

    pub(super) async fn delete(&self, batch: Vec<Doomed>) -> Input {
        let started = Instant::now();
        let reply = write::delete(&self.clients.control, &self.queue_url, batch).await;
        self.count(Action::DeleteMessageBatch, Purpose::Delete, started, reply.call_fault);
        Input::Deleted(reply.written)
    }

    pub(super) async fn hide(&self, purpose: Purpose, mut entries: Vec<Hide>) -> Input {
        let mut written = Vec::with_capacity(entries.len());
        while !entries.is_empty() {
            let rest = entries.split_off(entries.len().min(BATCH));
            let started = Instant::now();
            let reply = write::hide(&self.clients.control, &self.queue_url, entries).await;
            self.count(Action::ChangeMessageVisibilityBatch, purpose, started, reply.call_fault);
            written.extend(reply.written);
            entries = rest;
        }
        Input::Hidden(purpose, written)
    }

    pub(super) async fn extend(&self, batch: Vec<Extension>) -> Input {
        let started = Instant::now();
        let reply = write::extend(&self.clients.control, &self.queue_url, batch).await;
        self.count(Action::ChangeMessageVisibilityBatch, Purpose::Heartbeat, started, reply.call_fault);
        Input::Extended(reply.written, started.into_std())
    }

    pub(super) async fn describe(&self) -> Input {
        let started = Instant::now();
        let result = describe(&self.clients.control, &self.queue_url).await;
        let fault = result.as_ref().err().map(|fault| fault.class);
        self.count(Action::GetQueueAttributes, Purpose::Describe, started, fault);
        Input::Described(result)
    }

    pub(super) fn refresh_identity(&self) {
        self.clients.identity.refresh();
    }

    fn count(&self, action: Action, purpose: Purpose, started: Instant, fault: Option<FaultClass>) {
        self.metrics.aws_call(action, purpose, started.elapsed(), fault);
    }
}
