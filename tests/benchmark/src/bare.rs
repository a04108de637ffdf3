//! A loop that receives, POSTs and deletes and does nothing else: the floor under the bridge. I/O: SQS, HTTP.
//!
//! No leases, no retries, no metrics, no look at the body: whatever goes wrong ends it.

mod lean;
mod sdk;

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::{LocalSet, spawn_local};

/// Receives at the same time.
const POLLERS: usize = 16;
/// POSTs at the same time.
const POSTS: usize = 128;
/// Deletes of one call.
const BATCH: usize = 10;

/// Whatever went wrong.
type Failure = Box<dyn Error>;

/// What a loop needs of a message.
struct Message {
    id: String,
    handle: String,
    sent: String,
    body: Bytes,
}

/// What a loop is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Parts {
    /// The AWS SDK and reqwest.
    Libraries,
    /// Requests made and read by hand, on hyper's connections.
    Lean,
}

enum Client {
    Libraries(sdk::Client),
    Lean(Box<lean::Client>),
}

struct Loop {
    client: Client,
    posts: Arc<Semaphore>,
    done: RefCell<Vec<String>>,
}

/// Runs until it is killed.
///
/// # Errors
///
/// When the runtime cannot be made.
pub fn run(parts: Parts, queue_url: &str, sink: &str) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let client = match parts {
            Parts::Libraries => Client::Libraries(sdk::Client::new(queue_url, sink).await?),
            Parts::Lean => Client::Lean(Box::new(lean::Client::new(queue_url, sink)?)),
        };
        let posts = Arc::new(Semaphore::new(POSTS));
        let shared = Rc::new(Loop { client, posts, done: RefCell::default() });
        let pollers: Vec<_> = (0..POLLERS).map(|_| spawn_local(shared.clone().poll())).collect();
        for poller in pollers {
            poller.await??;
        }
        Ok(())
    })
}

impl Loop {
    async fn poll(self: Rc<Self>) -> Result<(), String> {
        loop {
            for message in self.client.receive().await.map_err(described)? {
                let permit = self.posts.clone().acquire_owned().await.map_err(described)?;
                let shared = self.clone();
                spawn_local(async move {
                    let handle = shared.client.post(message).await.unwrap_or_else(stop);
                    drop(permit);
                    shared.delete(handle).await;
                });
            }
        }
    }

    async fn delete(&self, handle: String) {
        let full = {
            let mut done = self.done.borrow_mut();
            done.push(handle);
            (done.len() == BATCH).then(|| std::mem::take(&mut *done))
        };
        if let Some(handles) = full {
            self.client.delete(handles).await.unwrap_or_else(stop);
        }
    }
}

impl Client {
    async fn receive(&self) -> Result<Vec<Message>, Failure> {
        match self {
            Self::Libraries(client) => client.receive().await,
            Self::Lean(client) => client.receive().await,
        }
    }

    async fn post(&self, message: Message) -> Result<String, Failure> {
        match self {
            Self::Libraries(client) => client.post(message).await,
            Self::Lean(client) => client.post(message).await,
        }
    }

    async fn delete(&self, handles: Vec<String>) -> Result<(), Failure> {
        match self {
            Self::Libraries(client) => client.delete(handles).await,
            Self::Lean(client) => client.delete(handles).await,
        }
    }
}

fn described(error: impl Into<Failure>) -> String {
    error.into().to_string()
}

/// A task's failure ends the process: nobody waits for the task.
fn stop<T>(failure: Failure) -> T {
    panic!("the bare loop failed: {failure}")
}
