//! Figures -> lines of text. I/O: a writer.

use std::io::{self, Write};
use std::path::Path;

use crate::cases::Case;
use crate::figures::{Figures, Middle, middle};
use crate::process::Machine;

/// The middle of each figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    rate: Middle,
    cpu: Middle,
    requests: f64,
    memory: f64,
    median_latency: f64,
    tail_latency: f64,
    start: f64,
    duplicates: u64,
    lost: u64,
}

/// Several rounds of the same, of which there must be one.
pub fn row(rounds: &[Figures]) -> Row {
    let middle_of = |figure: fn(&Figures) -> f64| middle(rounds.iter().map(figure));
    Row {
        rate: middle_of(|figures| figures.rate),
        cpu: middle_of(|figures| figures.cpu),
        requests: middle_of(|figures| figures.requests).value,
        memory: middle_of(|figures| figures.memory).value,
        median_latency: middle_of(|figures| figures.median_latency).value,
        tail_latency: middle_of(|figures| figures.tail_latency).value,
        start: middle_of(|figures| figures.start).value,
        duplicates: rounds.iter().map(|figures| figures.duplicates).sum(),
        lost: rounds.iter().map(|figures| figures.lost).sum(),
    }
}

/// What was measured where.
pub fn write_machine(out: &mut impl Write, machine: &Machine, bridge: &Path) -> io::Result<()> {
    let Machine { model, cpus, load } = machine;
    writeln!(out, "{} on {model}, {cpus} CPUs; load servers on CPU 0", bridge.display())?;
    writeln!(out, "load average {load} before the first run: ratios within a case are what counts")?;
    if *cpus < 2 {
        writeln!(out, "only one CPU: the servers take from the bridge what they need")?;
    }
    writeln!(out)
}

/// The head of the table of cases.
pub fn write_head(out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "latency is from the receive's answer to the arrival at the sink; +- is half the range over all rounds"
    )?;
    writeln!(
        out,
        "{:>8} {:>5} {:>5} {:>6}  {:<10} {:>7} {:>4} {:>5} {:>7} {:>4} {:>5} {:>7} {:>6} {:>7} {:>7} {:>6} {:>4} {:>4}",
        "body",
        "trip",
        "sink",
        "groups",
        "",
        "msg/s",
        "+-%",
        "bare",
        "us CPU",
        "+-%",
        "bare",
        "req/1k",
        "MB",
        "p50 ms",
        "p99 ms",
        "start",
        "dup",
        "lost"
    )
}

/// One line, with ratios to the bare loop's.
pub fn write_row(out: &mut impl Write, case: Case, subject: &str, row: &Row, bare: &Row) -> io::Result<()> {
    let Case { load, sink, .. } = case;
    write!(out, "{:>8} {:>5} {sink:>5} {:>6}  {subject:<10}", load.body, load.round_trip, load.groups)?;
    write!(out, " {}", ratio(row.rate, bare.rate, 0))?;
    write!(out, " {}", ratio(row.cpu, bare.cpu, 1))?;
    write!(out, " {:>7.1} {:>6.1}", row.requests, row.memory * 1_024.0 / 1e6)?;
    write!(out, " {:>7.1} {:>7.1} {:>6.0}", row.median_latency, row.tail_latency, row.start)?;
    writeln!(out, " {:>4} {:>4}", row.duplicates, row.lost)?;
    out.flush()
}

fn ratio(middle: Middle, bare: Middle, digits: usize) -> String {
    let (spread, times) = (middle.spread * 100.0, middle.value / bare.value);
    format!("{:>7.digits$} {spread:>4.0} {times:>5.2}", middle.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Load;

    #[test]
    fn a_row_shows_medians_and_ratios_and_sums_up_what_must_not_happen() {
        let run = |rate: f64| Figures { rate, cpu: 50.0, memory: 20_000.0, duplicates: 1, ..Figures::default() };
        let bare = row(&[Figures { rate: 400.0, cpu: 25.0, ..Figures::default() }]);
        let load = Load { body: 2_048, round_trip: 5, groups: 0 };
        let mut line = Vec::new();
        let bridge = row(&[run(100.0), run(300.0), run(200.0)]);
        write_row(&mut line, Case { load, sink: 0, messages: 10 }, "bridge", &bridge, &bare).unwrap();
        let words: Vec<_> = std::str::from_utf8(&line).unwrap().split_whitespace().collect();
        let rate = ["200", "50", "0.50"];
        let cpu = ["50.0", "0", "2.00"];
        let rest = ["0.0", "20.5", "0.0", "0.0", "0", "3", "0"];
        assert_eq!(words, [&["2048", "5", "0", "0", "bridge"][..], &rate, &cpu, &rest].concat());
    }
}
