//! Options -> the cases to measure. Pure.

use clap::Args;

use crate::queue::Load;

/// What is measured.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Only bodies of 2 KiB, a round trip of 5 ms, a standard queue, sinks of 0 and 5 ms.
    #[arg(long)]
    quick: bool,
    /// Rounds of every case; the table has the median and the spread.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Bytes of the bodies.
    #[arg(long, value_delimiter = ',', default_values_t = [256, 2_048, 65_536, 1_048_576])]
    bodies: Vec<usize>,
    /// Milliseconds of SQS's round trips.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 5, 15])]
    round_trips: Vec<u64>,
    /// Milliseconds that the sink takes.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 5])]
    sinks: Vec<u64>,
    /// Message groups; 0 is a standard queue.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1_000])]
    groups: Vec<usize>,
    /// Messages of a run, fewer where the bodies are large.
    #[arg(long, default_value_t = 30_000)]
    messages: u32,
    /// Not the figures of an idle bridge and of steady feeds, which take minutes.
    #[arg(long)]
    pub only_load: bool,
}

/// One case of a loaded queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The queue.
    pub load: Load,
    /// Milliseconds that the sink takes.
    pub sink: u64,
    /// Messages of a run.
    pub messages: u32,
}

/// All bodies of a run together are about so large at most, in bytes.
const MOST_BYTES: usize = 1 << 30;

impl Options {
    /// Every case, in the order of the table.
    pub fn cases(&self) -> Vec<Case> {
        if self.quick {
            return [0, 5].map(|sink| self.case(2_048, 5, sink, 0)).to_vec();
        }
        let mut cases = Vec::new();
        for &groups in &self.groups {
            for &body in &self.bodies {
                for &round_trip in &self.round_trips {
                    cases.extend(self.sinks.iter().map(|&sink| self.case(body, round_trip, sink, groups)));
                }
            }
        }
        cases
    }

    fn case(&self, body: usize, round_trip: u64, sink: u64, groups: usize) -> Case {
        let most = u32::try_from(MOST_BYTES / body.max(1)).unwrap_or(u32::MAX);
        // Whole batches: a bare loop deletes nothing else.
        let messages = self.messages.min(most) / 10 * 10;
        Case { load: Load { body, round_trip, groups }, sink, messages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn cases(arguments: &[&str]) -> Vec<Case> {
        Line::parse_from([&["benchmark"], arguments].concat()).options.cases()
    }

    #[test]
    fn quick_is_what_a_note_about_a_change_needs() {
        let load = Load { body: 2_048, round_trip: 5, groups: 0 };
        let expected = [0, 5].map(|sink| Case { load, sink, messages: 30_000 });
        assert_eq!(cases(&["--quick"]), expected);
    }

    #[test]
    fn large_bodies_come_in_smaller_numbers() {
        let arguments = ["--bodies", "1048576", "--round-trips", "0", "--sinks", "5", "--groups", "7"];
        let load = Load { body: 1 << 20, round_trip: 0, groups: 7 };
        assert_eq!(cases(&arguments), [Case { load, sink: 5, messages: 1_020 }]);
    }

    #[test]
    fn the_whole_matrix_is_the_product_of_its_sides() {
        assert_eq!(cases(&[]).len(), 4 * 3 * 2 * 2);
    }
}
