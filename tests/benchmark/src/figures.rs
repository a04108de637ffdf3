//! Runs -> medians, spreads and percentiles. Pure.

/// What one run of one case showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Messages deleted per second.
    pub rate: f64,
    /// CPU time of the process per message, in microseconds.
    pub cpu: f64,
    /// Calls of SQS per 1,000 messages.
    pub requests: f64,
    /// The most memory the process held since its start, in KiB.
    pub memory: f64,
    /// Half of all messages arrived so soon, in milliseconds.
    pub median_latency: f64,
    /// 99 of 100 messages arrived so soon, in milliseconds.
    pub tail_latency: f64,
    /// From the start of the process to its first receive, in milliseconds.
    pub start: f64,
    /// Events that came twice.
    pub duplicates: u64,
    /// Messages that did not come.
    pub lost: u64,
}

/// The middle of several values, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Middle {
    /// The median.
    pub value: f64,
    /// Half of the distance from least to greatest, as a share of the median.
    pub spread: f64,
}

/// The median of values, of which there must be one.
pub fn middle(values: impl Iterator<Item = f64>) -> Middle {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let value = percentile(&values, 0.5);
    let (least, greatest) = (percentile(&values, 0.0), percentile(&values, 1.0));
    Middle { value, spread: if value == 0.0 { 0.0 } else { (greatest - least) / 2.0 / value } }
}

/// The value below which this share of sorted values lies; 0 without values.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

/// From `since` to `arrived` for each message that arrived, sorted, in milliseconds; both in microseconds.
pub fn latencies(since: &[u64], arrived: &[u64]) -> Vec<f64> {
    let pairs = since.iter().zip(arrived).filter(|(since, arrived)| **since > 0 && **arrived > 0);
    let mut all: Vec<f64> = pairs.map(|(since, arrived)| arrived.saturating_sub(*since) as f64 / 1_000.0).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_five_is_the_third() {
        let middle = middle([5.0, 1.0, 4.0, 2.0, 3.0].into_iter());
        assert_eq!(middle, Middle { value: 3.0, spread: 2.0 / 3.0 });
    }

    #[test]
    fn latencies_leave_out_what_did_not_arrive() {
        let all = latencies(&[1_000, 2_000, 0, 4_000], &[3_500, 0, 9, 5_000]);
        assert_eq!(all, [1.0, 2.5]);
        assert_eq!((percentile(&all, 0.5), percentile(&all, 0.99), percentile(&[], 0.5)), (2.5, 2.5, 0.0));
    }
}
