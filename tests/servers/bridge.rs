//! A queue of a real server -> a bridge that drains it, and what came of that. I/O: files, TCP.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqs_bridge::config::Config;
use sqs_bridge::run::{RunError, Stopper, run, shutdown};
use tests::servers::Watched;
use tests::sink::{Event, Sink};
use tests::suite::QueueUnderTest;
use tests::wait::eventually;
use tokio::task::JoinHandle;

/// Long enough for a busy machine; a test that passes does not wait for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A bridge in this process.
pub struct Bridge {
    stopper: Stopper,
    task: JoinHandle<Result<(), RunError>>,
    keys: PathBuf,
}

impl Bridge {
    /// Asks it to end and waits until it has.
    ///
    /// # Panics
    ///
    /// When it ended by an error.
    pub async fn stop(self) {
        self.stopper.stop();
        let ended = self.task.await.expect("the bridge does not panic");
        ended.expect("the bridge ends without an error");
        fs::remove_dir_all(self.keys).expect("the keys can be removed");
    }
}

/// A bridge from the queue to the sink, whose polls are short so that it stops soon.
pub fn start(server: &Watched, queue: &QueueUnderTest, sink: &Sink) -> Bridge {
    start_with(server, queue, sink, &[("AWS_SQS_URL", queue.url.as_str())])
}

/// The same, with the queue and whatever else by these variables.
pub fn start_with(server: &Watched, queue: &QueueUnderTest, sink: &Sink, more: &[(&str, &str)]) -> Bridge {
    let keys = write_keys(&queue.name);
    let (endpoint, sink) = (server.url(), sink.url());
    let settings = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_SQS", endpoint.as_str()),
        ("BRIDGE_KEYS_DIR", keys.to_str().expect("the folder's name is text")),
        ("BRIDGE_HEALTH_ADDR", "127.0.0.1:0"),
        ("BRIDGE_WAIT_TIME", "1s"),
        ("BRIDGE_DRAIN_TIMEOUT", "12s"),
        ("K_SINK", sink.as_str()),
    ];
    let settings = settings.into_iter().chain(more.iter().copied());
    let config = Config::from_env_pairs(settings).unwrap_or_else(|errors| panic!("{errors}"));
    let (stopper, shutdown) = shutdown();
    Bridge { stopper, task: tokio::spawn(run(config, shutdown)), keys }
}

/// The events that the sink has accepted, once there are at least so many.
pub async fn accepted(sink: &Sink, count: usize) -> Vec<Event> {
    let accepted = eventually(PATIENCE, async || {
        let accepted = sink.accepted();
        if accepted.len() >= count { Ok(accepted) } else { Err(sink.deliveries()) }
    });
    accepted.await.into_iter().map(|delivery| delivery.event).collect()
}

/// Waits until the queue holds no message.
pub async fn emptied(queue: &QueueUnderTest) {
    queue.emptied(PATIENCE).await;
}

fn write_keys(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{:08x}", fastrand::u32(..)));
    fs::create_dir_all(&folder).expect("a folder for the keys");
    for file in ["accessKeyId", "secretAccessKey"] {
        fs::write(folder.join(file), "test").expect("a key");
    }
    folder
}
