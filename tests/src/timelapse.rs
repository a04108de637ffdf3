//! A test -> the same test with hours passing in seconds, simulator, sink and bridge alike. I/O: threads, the clock.
//!
//! The runtime's clock stands still while anything happens, and moves on to the next timer when nothing has happened
//! for a moment. So a back-off of a minute costs no time, and nothing is ever late because the machine is slow. All
//! that is under test must run in this process, on this runtime, with tokio's clock.

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// Without anything happening for so long in real time, nothing will until a timer fires: loopback sockets are ready
/// as soon as the other side has written, and threads that read a file are done by then.
const QUIET: Duration = Duration::from_micros(200);
/// A runtime that never rests does not hold the clock for ever: after so many looks it moves on to the next timer.
const MOST_LOOKS: u32 = 500;
/// While the driver waits for a thread, the runtime rests once.
const OWN_RESTS: u64 = 1;
/// The clock moves by so much where there is no timer.
const LONGEST_JUMP: Duration = Duration::from_secs(60);

/// Runs a test on a runtime of its own whose time flies.
///
/// # Panics
///
/// When the test does, or the runtime cannot be built.
pub fn timelapse<F: Future>(test: F) -> F::Output {
    let rests = Arc::new(Rests::default());
    let counted = rests.clone();
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).on_thread_unpark(move || counted.count_one(Instant::now()));
    let runtime = builder.build().expect("a runtime");
    IN_TIMELAPSE.set(true);
    let outcome = runtime.block_on(async {
        let driver = tokio::spawn(drive(rests));
        let outcome = test.await;
        driver.abort();
        outcome
    });
    IN_TIMELAPSE.set(false);
    outcome
}

/// Lets so much time pass: what a test does between two events of its story. It costs nothing.
///
/// # Panics
///
/// Outside of [`timelapse`], where it would be a sleep.
pub async fn pass(time: Duration) {
    assert!(IN_TIMELAPSE.get(), "time passes at once only under timelapse");
    sleep(time).await;
}

thread_local! {
    static IN_TIMELAPSE: Cell<bool> = const { Cell::new(false) };
}

/// How often the runtime has rested, that is waited for a socket, a thread or a timer.
#[derive(Debug, Default)]
struct Rests {
    count: AtomicU64,
    last_ended: Mutex<Option<Instant>>,
    clock_moved: Notify,
}

impl Rests {
    fn count_one(&self, now: Instant) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let last = self.last_ended.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        // To wake a task keeps the clock from moving, so the driver is not woken for less.
        if last != Some(now) {
            self.clock_moved.notify_waiters();
        }
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

async fn drive(rests: Arc<Rests>) {
    loop {
        until_quiet(&rests).await;
        // Nothing else keeps the clock now: the runtime rests, its clock jumps to the next timer, and that ends this.
        tokio::select! {
            () = rests.clock_moved.notified() => {}
            () = sleep(LONGEST_JUMP) => {}
        }
    }
}

/// Waits in real time until nothing happens.
async fn until_quiet(rests: &Rests) {
    for _ in 0..MOST_LOOKS {
        let before = rests.count();
        // While a thread of the runtime works, its clock stands still.
        spawn_blocking(|| std::thread::sleep(QUIET)).await.ok();
        if rests.count() <= before + OWN_RESTS {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Sink;
    use crate::sqs::{Action, Simulator};
    use crate::suite::{Endpoint, Server};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    #[test]
    fn an_hour_passes_at_once() {
        let started = std::time::Instant::now();
        let passed = timelapse(async {
            let start = Instant::now();
            pass(Duration::from_secs(3600)).await;
            start.elapsed()
        });
        assert!(passed >= Duration::from_secs(3600));
        assert!(started.elapsed() < Duration::from_secs(600), "an hour takes no hour");
    }

    /// A client that gives up after 25 s waits for a poll of 20 s over a real socket: time must not outrun the answer.
    #[test]
    fn a_long_poll_ends_when_it_should() {
        timelapse(async {
            let sqs = Simulator::start().await;
            sqs.queue("q");
            let server = Endpoint { server: Server::Simulator, url: sqs.url() };
            let url = sqs.queue("q").url();
            let start = Instant::now();
            let receive = server.client().receive_message().queue_url(url).wait_time_seconds(20).send().await;
            assert_eq!(receive.expect("the poll is answered").messages(), []);
            let took = start.elapsed();
            assert!((Duration::from_secs(20)..Duration::from_millis(20_500)).contains(&took), "it took {took:?}");
            assert_eq!(sqs.count(Action::ReceiveMessage), 1);
        });
    }

    /// Round trips themselves take (nearly) no time.
    #[test]
    fn requests_take_no_time() {
        timelapse(async {
            let sink = Sink::start().await;
            let address = sink.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
            let start = Instant::now();
            let _keeps_time_from_standing_still = tokio::spawn(async {
                loop {
                    sleep(Duration::from_millis(100)).await;
                }
            });
            for _ in 0..50 {
                let mut stream = TcpStream::connect(&address).await.expect("the sink listens");
                stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").await.expect("a request is taken");
                stream.read_u8().await.expect("an answer comes");
            }
            assert!(start.elapsed() < Duration::from_secs(1), "50 requests took {:?}", start.elapsed());
        });
    }
}
