//! Messages of a queue -> their events on standard output; the messages go back. I/O: SQS, clock.
//!
//! Nothing is sent and nothing deleted, but looking is not free: every receive counts towards the redrive policy.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::args::DryRun;
use crate::aws::{self, Clients};
use crate::config::Config;
use crate::describe::{QueueFacts, describe};
use crate::engine::Key;
use crate::explain::explain;
use crate::fault::Fault;
use crate::message::{Receipt, Received};
use crate::settle::write::{Hide, Written, hide};
use crate::{normalize, print, receive};

/// How long a message that is shown stays hidden if this process dies before it gives it back.
const VISIBILITY: Duration = Duration::from_secs(30);
/// One poll, short enough that the end need not be waited for.
const POLL: Duration = Duration::from_secs(2);
/// AWS's limit of messages in one call.
const BATCH: usize = 10;

/// Why looking came to an end before its time.
#[derive(Debug)]
pub enum DryRunError {
    /// AWS refused; what it means and what to do.
    Aws(String),
    /// The events could not be written.
    Output(io::Error),
}

impl fmt::Display for DryRunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws(message) => f.write_str(message),
            Self::Output(_) => f.write_str("could not write what was received"),
        }
    }
}

impl std::error::Error for DryRunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Aws(_) => None,
            Self::Output(error) => Some(error),
        }
    }
}

/// Receives up to `options.max` messages, prints their events to `out` and what people should know to `notes`, and
/// gives the messages back: at the end, after an error, and when `stop` is done.
///
/// Ends before `options.max` when the queue has had nothing to offer for the wait time of the settings, or for one
/// poll after something was shown.
///
/// # Errors
/// When AWS refuses a call, or the output cannot be written to.
pub async fn dry_run(
    config: &Config,
    clients: &Clients,
    options: DryRun,
    stop: impl Future<Output = ()>,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> Result<(), DryRunError> {
    let refused = |action: &str, fault: &Fault| DryRunError::Aws(explain(action, fault, &config.queue, None).message);
    let queue_url =
        aws::resolve_queue_url(clients, &config.queue).await.map_err(|fault| refused("sqs:GetQueueUrl", &fault))?;
    let facts = describe(&clients.control, &queue_url).await.ok();
    notes
        .write_all(print::notice(&config.queue, facts.as_ref(), options.max).as_bytes())
        .map_err(DryRunError::Output)?;
    let mut look =
        Look { config, clients, queue_url: &queue_url, options, facts, held: Vec::new(), seen: HashSet::new() };
    let looked = look.look(stop, out, notes).await;
    let (shown, held) = (look.seen.len(), std::mem::take(&mut look.held));
    let left = give_back(clients, &queue_url, held).await;
    let counted = writeln!(notes, "{}", print::summary(shown, left));
    looked.and(counted.map_err(Failure::Output)).map_err(|failure| match failure {
        Failure::Aws(fault) => refused("sqs:ReceiveMessage", &fault),
        Failure::Output(error) => DryRunError::Output(error),
    })
}

enum Failure {
    Aws(Fault),
    Output(io::Error),
}

struct Look<'a> {
    config: &'a Config,
    clients: &'a Clients,
    queue_url: &'a str,
    options: DryRun,
    facts: Option<QueueFacts>,
    held: Vec<Receipt>,
    seen: HashSet<Arc<str>>,
}

impl Look<'_> {
    async fn look(
        &mut self,
        stop: impl Future<Output = ()>,
        out: &mut impl Write,
        notes: &mut impl Write,
    ) -> Result<(), Failure> {
        let mut stop = pin!(stop);
        let mut stopped = false;
        let mut patience = self.config.receive.wait_time;
        while !stopped && !patience.is_zero() && self.seen.len() < self.options.max as usize {
            let wait = POLL.min(patience);
            let received = {
                // A poll that is under way may have taken messages: it is waited for, never dropped.
                let mut poll = pin!(self.poll(wait));
                tokio::select! {
                    received = &mut poll => received,
                    () = &mut stop => {
                        stopped = true;
                        poll.await
                    }
                }
            };
            let received = received.map_err(Failure::Aws)?;
            patience = match (received.is_empty(), self.seen.is_empty()) {
                (false, _) => self.config.receive.wait_time,
                (true, true) => patience.saturating_sub(wait),
                (true, false) => Duration::ZERO,
            };
            for one in received {
                self.show(one, out, notes).map_err(Failure::Output)?;
            }
        }
        Ok(())
    }

    async fn poll(&self, wait: Duration) -> Result<Vec<Received>, Fault> {
        let wanted = (self.options.max as usize).saturating_sub(self.seen.len()).clamp(1, BATCH) as u32;
        let fifo = self.config.queue.is_fifo();
        receive::ask(&self.clients.receive, self.queue_url, fifo, wanted, wait, VISIBILITY, None).await
    }

    /// Shows a message once, however often it comes, and keeps the right to give it back.
    fn show(&mut self, received: Received, out: &mut impl Write, notes: &mut impl Write) -> io::Result<()> {
        let Received { message, receipt, receive: _ } = received;
        self.held.push(receipt);
        if !self.seen.insert(Arc::clone(&message.id)) {
            return Ok(());
        }
        let events = normalize::events(&message, &self.config.queue, &self.config.event, now_ms());
        let shown = print::Shown {
            message: &message,
            events: &events,
            max_receive_count: self.facts.as_ref().and_then(|facts| facts.max_receive_count),
        };
        writeln!(notes, "{}", print::headline(&shown))?;
        out.write_all(&print::events(&shown, self.options.output, self.config))?;
        out.flush()
    }
}

/// Makes the messages visible again; answers with how many stay hidden until their time is over.
async fn give_back(clients: &Clients, queue_url: &str, held: Vec<Receipt>) -> usize {
    let mut left = 0;
    let mut held = held.into_iter().peekable();
    while held.peek().is_some() {
        let batch: Vec<_> = held.by_ref().take(BATCH).collect();
        let batch = batch.into_iter().map(|receipt| Hide { key: Key(0), receipt, timeout: Duration::ZERO }).collect();
        let reply = hide(&clients.control, queue_url, batch).await;
        left += reply.written.iter().filter(|written| matches!(written, Written::Failed { .. })).count();
    }
    left
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
