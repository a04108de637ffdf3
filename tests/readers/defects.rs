//! The defects of readers that are known, each with the effect it has on an attribute. Pure.
//!
//! The table stays true: a defect that no fixture shows any more fails the test.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::meaning::{self, Meaning};
use crate::reader::Reader;

/// Something a reader gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// sdk-go does not decode percent-encoded headers (its issue 1331).
    GoKeepsPercentEncoding,
    /// npm `cloudevents` does not either.
    NodeKeepsPercentEncoding,
    /// JavaScript's Date has milliseconds.
    NodeCutsTime,
    /// npm `cloudevents` refuses a body declared JSON that is none, which the bridge delivers as it is.
    NodeRefusesBadJson,
    /// npm `cloudevents` takes JSON for bare text, and fails on it, when white space stands before it.
    NodeRefusesJsonAfterSpace,
    /// Python's datetime has microseconds.
    PythonCutsTime,
}

impl Defect {
    /// All that are known.
    pub const ALL: [Self; 6] = [
        Self::GoKeepsPercentEncoding,
        Self::NodeKeepsPercentEncoding,
        Self::NodeCutsTime,
        Self::NodeRefusesBadJson,
        Self::NodeRefusesJsonAfterSpace,
        Self::PythonCutsTime,
    ];
}

/// Why `reader` is known to refuse a request.
pub fn refusal(reader: Reader, binary: bool, meaning: &Meaning) -> Option<Defect> {
    let starts_with_space = meaning.data.first().is_some_and(u8::is_ascii_whitespace);
    let parsed = binary && meaning.is_json() && !meaning.data.is_empty();
    match reader {
        Reader::Node if parsed && !meaning.holds_json() => Some(Defect::NodeRefusesBadJson),
        Reader::Node if parsed && starts_with_space => Some(Defect::NodeRefusesJsonAfterSpace),
        Reader::Python | Reader::Node | Reader::Go | Reader::Rust => None,
    }
}

/// What `reader` makes of an attribute, and which defects that shows; `encoded` if it may arrive percent-encoded.
pub fn apply(reader: Reader, encoded: bool, name: &str, value: &str, observed: &mut BTreeSet<Defect>) -> String {
    let (seen, defect) = match (reader, name) {
        (Reader::Python, "time") => (meaning::cut_time(value, 6), Defect::PythonCutsTime),
        (Reader::Node, "time") => (meaning::cut_time(value, 3), Defect::NodeCutsTime),
        (Reader::Node, _) if encoded && name != "datacontenttype" => {
            (percent_encoded(value), Defect::NodeKeepsPercentEncoding)
        }
        (Reader::Go, _) if encoded && name != "datacontenttype" => {
            (percent_encoded(value), Defect::GoKeepsPercentEncoding)
        }
        (Reader::Python | Reader::Node | Reader::Go | Reader::Rust, _) => return value.to_owned(),
    };
    if seen != value {
        observed.insert(defect);
    }
    seen
}

/// A header's value as CloudEvents 1.0.2 wants it: space, `"`, `%` and all beyond printable ASCII percent-encoded.
fn percent_encoded(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'"' | b'%' | 0..=b' ' | 0x7f.. => write!(encoded, "%{byte:02X}").expect("a String takes everything"),
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded
}
