//! A question asked again and again -> its answer, or a panic that shows the last one. I/O: time.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between two questions at first; later a twentieth of the time since the first, so that a long wait costs little.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
/// And at last.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Asks `probe` until it answers `Ok`, and returns what it holds.
///
/// # Panics
///
/// When `deadline` has passed, with the last `Err`.
pub async fn eventually<T, E, F>(deadline: Duration, mut probe: impl FnMut() -> F) -> T
where
    E: Debug,
    F: Future<Output = Result<T, E>>,
{
    let start = Instant::now();
    loop {
        match probe().await {
            Ok(answer) => return answer,
            Err(last) if start.elapsed() >= deadline => panic!("not within {deadline:?}; the last answer was {last:?}"),
            Err(_) => sleep((start.elapsed() / 20).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await,
        }
    }
}

/// Asks `condition` until it is true; `what` names it in the panic.
///
/// # Panics
///
/// When `deadline` has passed.
pub async fn until(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    eventually(deadline, || {
        let answer = if condition() { Ok(()) } else { Err(what) };
        std::future::ready(answer)
    })
    .await
}
