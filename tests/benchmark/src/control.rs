//! Knobs and counts of load server and sink. I/O: HTTP.

use std::error::Error;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use crate::process::{Machine, Place, Process};
use crate::queue::{Feed, Load, Stats, Times};
use crate::sink;

/// Between two looks at the counts.
const LOOK: Duration = Duration::from_millis(10);

/// A running load server and a running sink.
#[derive(Debug)]
pub struct Servers {
    http: reqwest::Client,
    queue: String,
    sink: String,
    _processes: [Process; 2],
}

impl Servers {
    /// Starts both.
    pub fn start(machine: &Machine) -> Result<Self, Box<dyn Error>> {
        let program = std::env::current_exe()?;
        let start = |part| Process::start(machine, Place::Servers, &program, &[part], &[]);
        let (mut queue, mut sink) = (start("queue")?, start("sink")?);
        Ok(Self {
            http: reqwest::Client::builder().build()?,
            queue: format!("http://{}", queue.first_line()?),
            sink: format!("http://{}", sink.first_line()?),
            _processes: [queue, sink],
        })
    }

    /// Empties both and sets their knobs.
    pub async fn load(&self, load: Load, sink_delay: u64) -> Result<(), Box<dyn Error>> {
        self.post(&self.queue, "load", &load).await?;
        self.post(&self.sink, "delay", &sink_delay).await?;
        Ok(())
    }

    /// The queue's URL; its name tells whether it is a FIFO queue.
    pub fn queue_url(&self, load: Load) -> String {
        let suffix = if load.groups > 0 { ".fifo" } else { "" };
        format!("{}/123456789012/benchmark{suffix}", self.queue)
    }

    /// The endpoint of SQS.
    pub fn endpoint(&self) -> &str {
        &self.queue
    }

    /// The sink's URL.
    pub fn sink_url(&self) -> String {
        format!("{}/", self.sink)
    }

    /// Sends messages; the answer is when that began, in microseconds since the Unix epoch.
    pub async fn feed(&self, feed: Feed) -> Result<u64, Box<dyn Error>> {
        Ok(serde_json::from_slice(&self.post(&self.queue, "feed", &feed).await?)?)
    }

    /// The queue's counts.
    pub async fn queue(&self) -> Result<Stats, Box<dyn Error>> {
        self.get(&self.queue, "stats").await
    }

    /// When the queue sent and handed over each message.
    pub async fn times(&self) -> Result<Times, Box<dyn Error>> {
        self.get(&self.queue, "times").await
    }

    /// The sink's counts.
    pub async fn sink(&self) -> Result<sink::Stats, Box<dyn Error>> {
        self.get(&self.sink, "stats").await
    }

    /// When each message came to the sink.
    pub async fn arrivals(&self) -> Result<Vec<u64>, Box<dyn Error>> {
        self.get(&self.sink, "arrivals").await
    }

    /// Looks at the queue's counts until they are as wished, or until nothing was deleted for `patience`.
    pub async fn wait(&self, patience: Duration, wished: impl Fn(&Stats) -> bool) -> Result<Stats, Box<dyn Error>> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let stats = self.queue().await?;
            if wished(&stats) || moved.elapsed() > patience {
                return Ok(stats);
            }
            if stats.deleted > last {
                (last, moved) = (stats.deleted, Instant::now());
            }
            sleep(LOOK).await;
        }
    }

    async fn get<T: DeserializeOwned>(&self, server: &str, path: &str) -> Result<T, Box<dyn Error>> {
        let answer = self.http.get(format!("{server}/{path}")).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    async fn post(
        &self,
        server: &str,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<bytes::Bytes, Box<dyn Error>> {
        let body = serde_json::to_vec(body)?;
        let answer = self.http.post(format!("{server}/{path}")).body(body).send().await?.error_for_status()?;
        Ok(answer.bytes().await?)
    }
}
