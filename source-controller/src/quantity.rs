//! A Kubernetes quantity such as `64Mi` -> a number, and back. Pure.

/// The number that a quantity stands for, or nothing if it is none.
///
/// Grammar: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
pub fn parse(text: &str) -> Option<f64> {
    let number = |digits: &str, factor: f64| digits.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n * factor);
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit() || b".+-".contains(&byte));
    SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| text.strip_suffix(suffix).filter(|digits| plain(digits)).map(|d| (d, *factor)))
        .map_or_else(|| number(text, 1.0), |(digits, factor)| number(digits, factor))
}

/// A number of bytes, in MiB where that is exact.
pub fn bytes(count: u64) -> String {
    const MEBI: u64 = 1 << 20;
    if count.is_multiple_of(MEBI) { format!("{}Mi", count / MEBI) } else { count.to_string() }
}

const SUFFIXES: &[(&str, f64)] = &[
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_numbers() {
        let cases = [
            ("0", Some(0.0)),
            ("500m", Some(0.5)),
            ("0.5", Some(0.5)),
            ("64Mi", Some(67_108_864.0)),
            ("12e6", Some(12_000_000.0)),
            ("2E", Some(2e18)),
            ("1.5Gi", Some(1_610_612_736.0)),
            ("many", None),
            ("", None),
            ("Mi", None),
            ("inf", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!((bytes(268_435_456), bytes(1_000)), ("256Mi".to_owned(), "1000".to_owned()));
    }
}
