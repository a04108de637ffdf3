//! A question asked again and again -> its answer, or a panic that shows the last one. I/O: time.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

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
    let end = Instant::now() + deadline;
    loop {
        match probe().await {
            Ok(answer) => return answer,
            Err(last) if Instant::now() >= end => panic!("not within {deadline:?}; the last answer was {last:?}"),
            Err(_) => sleep(PAUSE).await,
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
