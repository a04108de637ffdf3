//! The bridge by itself -> what it costs when idle, with a steady feed and with large bodies. I/O: processes, HTTP, files,
//! a writer.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use tokio::time::sleep;

use crate::bench::{Bench, PATIENCE, Subject};
use crate::figures::{latencies, percentile};
use crate::queue::{Feed, Load};

/// What is left of the start is over after this.
const SETTLED: Duration = Duration::from_secs(3);
/// A round trip of SQS within a region, in milliseconds.
const ROUND_TRIP: u64 = 5;
const QUIET: Load = Load { body: 2_048, round_trip: ROUND_TRIP, groups: 0 };

/// Writes all of it.
pub async fn report(out: &mut impl Write, bench: &Bench) -> Result<(), Box<dyn Error>> {
    let size = std::fs::metadata(&bench.bridge)?.len();
    writeln!(out, "binary                            {:>8.1} MB", size as f64 / 1e6)?;
    idle(out, bench).await?;
    for profile in ["balanced", "cost", "latency"] {
        steady(out, bench, profile, 50, 10).await?;
    }
    steady(out, bench, "balanced", 5_000, 5).await?;
    large(out, bench).await
}

/// One long poll.
async fn idle(out: &mut impl Write, bench: &Bench) -> Result<(), Box<dyn Error>> {
    const LONG_POLL: Duration = Duration::from_secs(20);
    bench.servers.load(QUIET, 0).await?;
    let (process, start) = bench.subject(Subject::Bridge, QUIET, &[]).await?;
    sleep(SETTLED).await;
    let (before, asked) = (process.usage()?, bench.servers.queue().await?.requests);
    sleep(LONG_POLL).await;
    let (after, asked) = (process.usage()?, bench.servers.queue().await?.requests - asked);
    drop(process);
    let seconds = LONG_POLL.as_secs_f64();
    writeln!(out, "start to first receive            {start:>8.0} ms")?;
    writeln!(out, "idle: memory                      {:>8.1} MB", megabytes(after.memory))?;
    writeln!(out, "idle: wake-ups                    {:>8.1} /s", (after.switches - before.switches) as f64 / seconds)?;
    writeln!(
        out,
        "idle: CPU                         {:>8.2} %",
        (after.cpu - before.cpu).as_secs_f64() * 100.0 / seconds
    )?;
    writeln!(out, "idle: requests in 20 s            {asked:>8}")?;
    Ok(())
}

async fn steady(
    out: &mut impl Write,
    bench: &Bench,
    profile: &str,
    per_second: u32,
    seconds: u32,
) -> Result<(), Box<dyn Error>> {
    let messages = per_second * seconds;
    let servers = &bench.servers;
    servers.load(QUIET, ROUND_TRIP).await?;
    let (process, _) = bench.subject(Subject::Bridge, QUIET, &[("BRIDGE_PROFILE", profile)]).await?;
    sleep(SETTLED).await;
    let (before, used) = (servers.queue().await?, process.usage()?);
    servers.feed(Feed { messages, per_second: Some(per_second) }).await?;
    let after = servers.wait(PATIENCE, |stats| stats.deleted >= u64::from(messages)).await?;
    let usage = process.usage()?;
    drop(process);
    let latency = latencies(&servers.times().await?.sent, &servers.arrivals().await?);
    let requests = (after.requests - before.requests) as f64 * 1_000.0 / f64::from(messages);
    let cpu = (usage.cpu - used.cpu).as_secs_f64() * 1e6 / f64::from(messages);
    let (median, tail) = (percentile(&latency, 0.5), percentile(&latency, 0.99));
    let memory = megabytes(usage.most_memory);
    writeln!(
        out,
        "{per_second:>5} messages/s, {profile:<9} {requests:>6.0} requests per 1,000, send to sink p50 {median:.1} ms, p99 {tail:.1} ms, {cpu:.0} us of CPU, {memory:.1} MB at most"
    )?;
    Ok(())
}

/// 1 MiB bodies into a slow sink: memory is bounded by the byte budget of 64 MiB.
async fn large(out: &mut impl Write, bench: &Bench) -> Result<(), Box<dyn Error>> {
    const SLOW: u64 = 500;
    let load = Load { body: 1 << 20, ..QUIET };
    bench.servers.load(load, SLOW).await?;
    let (process, _) = bench.subject(Subject::Bridge, load, &[]).await?;
    let idle = process.usage()?.memory;
    let messages = 500;
    bench.servers.feed(Feed { messages, per_second: None }).await?;
    let stats = bench.servers.wait(PATIENCE, |stats| stats.deleted >= u64::from(messages)).await?;
    let most = process.usage()?.most_memory;
    drop(process);
    let (above, deleted) = (megabytes(most.saturating_sub(idle)), stats.deleted);
    writeln!(
        out,
        "1 MiB bodies, sink {SLOW} ms        {above:>8.0} MB above idle at most, {deleted} of {messages} deleted"
    )?;
    Ok(())
}

/// From the kernel's KiB.
fn megabytes(kibibytes: u64) -> f64 {
    kibibytes as f64 * 1_024.0 / 1e6
}
