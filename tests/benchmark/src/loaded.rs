//! Cases -> figures of the bridge and of bare loops, interleaved, and their table. I/O: processes, HTTP, a writer.

use std::error::Error;
use std::io::Write;

use crate::bench::{Bench, PATIENCE, Subject};
use crate::cases::{Case, Options};
use crate::figures::{Figures, latencies, percentile};
use crate::queue::Feed;
use crate::table;

/// Runs every case and writes a row as soon as it is known.
pub async fn report(out: &mut impl Write, bench: &Bench, options: &Options) -> Result<(), Box<dyn Error>> {
    table::write_head(out)?;
    for case in options.cases() {
        let mut runs = Subject::ALL.map(|subject| (subject, Vec::new()));
        for _ in 0..options.rounds.max(1) {
            for (subject, figures) in &mut runs {
                figures.push(run(bench, *subject, case).await?);
            }
        }
        let floor = table::row(&runs[0].1);
        for (subject, figures) in &runs {
            table::write_row(out, case, subject.name(), &table::row(figures), &floor)?;
        }
    }
    Ok(())
}

/// Drains one feed. What starts with the process (clients, connections, how many pollers there are) comes before.
async fn run(bench: &Bench, subject: Subject, case: Case) -> Result<Figures, Box<dyn Error>> {
    let servers = &bench.servers;
    servers.load(case.load, case.sink).await?;
    let (process, start) = bench.subject(subject, case.load, &[]).await?;
    let warm = case.messages / 100 * 10;
    servers.feed(Feed { messages: warm, per_second: None }).await?;
    let before = servers.wait(PATIENCE, |stats| stats.deleted >= u64::from(warm)).await?;
    let used = process.usage()?;
    let began = servers.feed(Feed { messages: case.messages, per_second: None }).await?;
    let after = servers.wait(PATIENCE, |stats| stats.deleted >= u64::from(warm + case.messages)).await?;
    let usage = process.usage()?;
    let (times, arrivals, sink) = (servers.times().await?, servers.arrivals().await?, servers.sink().await?);
    drop(process);
    let since = times.received.get(warm as usize..).unwrap_or_default();
    let latency = latencies(since, arrivals.get(warm as usize..).unwrap_or_default());
    let messages = f64::from(case.messages);
    Ok(Figures {
        rate: (after.deleted - before.deleted) as f64 * 1e6 / after.last_delete.saturating_sub(began).max(1) as f64,
        cpu: (usage.cpu - used.cpu).as_secs_f64() * 1e6 / messages,
        requests: (after.requests - before.requests) as f64 * 1_000.0 / messages,
        memory: usage.most_memory as f64,
        median_latency: percentile(&latency, 0.5),
        tail_latency: percentile(&latency, 0.99),
        start,
        duplicates: sink.duplicates,
        lost: after.sent - sink.distinct,
    })
}
