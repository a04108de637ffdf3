//! Random schedules of faults against what the bridge promises.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use futures::future::join_all;
use tests::schedule::{Plan, Queue, Scale, play};

/// Set by `tests/run --long`: twenty times as many schedules.
const LONG_RUN: &str = "TESTS_LONG";
/// Replays one schedule.
const SEED: &str = "FIRE_SEED";
/// Schedules with real processes that run at once.
const AT_ONCE: usize = 6;

/// As many schedules as asked for, or the one that is to be replayed.
fn chosen(ordinary: Range<u64>, long: Range<u64>) -> Range<u64> {
    let one = std::env::var(SEED).ok().map(|seed| seed.parse().expect("FIRE_SEED is a number"));
    match one {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os(LONG_RUN).is_some() => long,
        None => ordinary,
    }
}

fn queue(seed: u64) -> Queue {
    if seed.is_multiple_of(2) { Queue::Standard } else { Queue::Fifo }
}

/// Plays one schedule with a bridge in this process.
pub fn in_virtual_time(seed: u64, queue: Queue) -> Result<(), String> {
    let plan = Plan::of(seed, queue, &Scale::VIRTUAL);
    catch_unwind(AssertUnwindSafe(|| timelapse(play::in_process(&plan)))).unwrap_or_else(|panic| Err(said(&*panic)))
}

/// Plays the schedules of all seeds, as many at once as there are processors, and fails with the ways to replay those
/// that break a promise.
pub fn assert_seeds_hold(test: &str, seeds: Range<u64>, play: &(dyn Fn(u64) -> Result<(), String> + Sync)) {
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    if let Err(why) = play(seed) {
                        failed.lock().expect("no worker panics here").push((seed, why));
                    }
                }
            });
        }
    });
    report(test, &failed.into_inner().expect("no worker panics here"));
}

fn report(test: &str, failed: &[(u64, String)]) {
    let lines: Vec<String> = failed
        .iter()
        .map(|(seed, why)| format!("{SEED}={seed} cargo test --workspace --test fire {test}\n{why}"))
        .collect();
    assert!(failed.is_empty(), "\n{} schedules broke a promise; replay one by\n{}\n", failed.len(), lines.join("\n"));
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// Everything at once, in virtual time.
#[test]
fn nothing_is_lost_reordered_or_doubled_without_a_reason_under_random_faults() {
    let test = "nothing_is_lost_reordered_or_doubled";
    assert_seeds_hold(test, chosen(0..44, 0..940), &|seed| in_virtual_time(seed, queue(seed)));
}

/// The same with the real program, which is killed or asked to end at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_and_restarted_program_keeps_the_promises_under_random_faults() {
    let seeds: Vec<u64> = chosen(0..6, 0..60).collect();
    let mut failed = Vec::new();
    for batch in seeds.chunks(AT_ONCE) {
        let played = batch.iter().map(async |seed| {
            let plan = Plan::of(*seed, queue(*seed), &Scale::REAL);
            (*seed, play::with_processes(&plan).await)
        });
        let broken = join_all(played).await.into_iter().filter_map(|(seed, played)| Some((seed, played.err()?)));
        failed.extend(broken);
    }
    report("a_killed_and_restarted_program", &failed);
}

/// A schedule that is never the same twice could not be replayed.
#[test]
fn a_seed_makes_the_same_schedule_each_time() {
    let plan = |seed| format!("{:?}", Plan::of(seed, Queue::Fifo, &Scale::VIRTUAL));
    assert_eq!(plan(7), plan(7));
    assert_ne!(plan(7), plan(8));
}
