//! The requests that the bridge would send, read by CloudEvents libraries that others wrote: PyPI and npm
//! `cloudevents`, Go's as a Knative broker uses it, and for structured ones the crate `cloudevents-sdk`.
//!
//! Every message is converted in each content mode. What the structured event says is what the bridge means; every
//! reader of every mode must read the same attributes, but for the defects listed in `defects`.

#![expect(clippy::print_stdout, reason = "what was compared, or why nothing was, belongs to the report of the run")]

mod defects;
mod meaning;
mod messages;
mod reader;

use std::collections::{BTreeMap, BTreeSet};

use defects::Defect;
use meaning::{Meaning, Request};
use messages::NamedMessage;
use reader::{Reader, Reading};
use sqs_bridge::config::ContentMode;

const MODES: [ContentMode; 3] = [ContentMode::Auto, ContentMode::Binary, ContentMode::Structured];

/// Enough to see what is wrong.
const SHOWN: usize = 40;

#[test]
fn awkward_messages_are_read_as_the_bridge_means_them() {
    let observed = compare(&messages::own());
    let missing: Vec<_> = Defect::ALL.iter().filter(|defect| !observed.contains(defect)).collect();
    assert!(missing.is_empty(), "no longer seen, so take it out of the table: {missing:?}");
}

#[test]
fn real_messages_are_read_as_the_bridge_means_them() {
    let messages = messages::shared();
    if !messages.is_empty() {
        compare(&messages);
    }
}

/// Fails with everything that a reader reads otherwise than the bridge means it, and answers with the defects seen.
fn compare(messages: &[NamedMessage]) -> BTreeSet<Defect> {
    let cases = cases(messages);
    let mut observed = BTreeSet::new();
    let mut wrong = Vec::new();
    for reader in Reader::ALL {
        let asked: Vec<&Case> = cases.iter().filter(|case| reader.takes(&case.request)).collect();
        let requests: Vec<&Request> = asked.iter().map(|case| &case.request).collect();
        for (case, reading) in asked.iter().zip(reader.read(&requests)) {
            let verdict = judge(reader, case, &reading, &mut observed);
            wrong.extend(verdict.map(|what| format!("{reader:?}, {:?}, {}: {what}", case.mode, case.name)));
        }
    }
    let shown = wrong[..wrong.len().min(SHOWN)].join("\n");
    assert!(wrong.is_empty(), "{} of {} requests are read otherwise:\n{shown}", wrong.len(), cases.len());
    println!("{} requests of {} messages are read alike", cases.len(), messages.len());
    observed
}

/// One event in one content mode.
struct Case {
    name: String,
    mode: ContentMode,
    meaning: Meaning,
    request: Request,
}

fn cases(messages: &[NamedMessage]) -> Vec<Case> {
    let mut cases = Vec::new();
    for message in messages {
        let structured = message.requests(ContentMode::Structured);
        let binary = message.requests(ContentMode::Binary);
        assert!(!structured.is_empty(), "{} becomes at least one event", message.name);
        let meant: Vec<Meaning> =
            structured.iter().zip(&binary).map(|(structured, binary)| Meaning::of(structured, binary)).collect();
        for mode in MODES {
            let requests = message.requests(mode);
            assert_eq!(requests.len(), meant.len(), "{}: as many events in {mode:?}", message.name);
            for (index, (request, meaning)) in requests.into_iter().zip(&meant).enumerate() {
                let name = format!("{}[{index}]", message.name);
                cases.push(Case { name, mode, meaning: meaning.clone(), request });
            }
        }
    }
    cases
}

fn judge(reader: Reader, case: &Case, reading: &Reading, observed: &mut BTreeSet<Defect>) -> Option<String> {
    let binary = case.request.is_binary();
    match (&reading.error, defects::refusal(reader, binary, &case.meaning)) {
        (None, None) => {}
        (Some(error), None) => return Some(error.clone()),
        (None, Some(defect)) => return Some(format!("{defect:?} is gone")),
        (Some(_), Some(defect)) => {
            observed.insert(defect);
            return None;
        }
    }
    // `auto` chooses the mode so that nobody needs to decode anything.
    let encoded = binary && case.mode != ContentMode::Auto;
    let expected: BTreeMap<String, String> = (case.meaning.attributes.iter())
        .map(|(name, value)| (name.clone(), defects::apply(reader, encoded, name, value, observed)))
        .collect();
    let read = meaning::comparable(&reading.attributes);
    if read != expected {
        return Some(difference(&expected, &read));
    }
    reader.is_broker().then(|| judge_broker(case, reading, &read)).flatten()
}

/// What a broker must do beyond reading: keep the data byte for byte, and send the event on.
fn judge_broker(case: &Case, reading: &Reading, read: &BTreeMap<String, String>) -> Option<String> {
    let (meant, data) = match case.request.is_binary() {
        true => (case.meaning.data.as_slice(), reading.data.as_slice()),
        false => (case.meaning.comparable(&case.meaning.data), case.meaning.comparable(&reading.data)),
    };
    if data != meant {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        return Some(format!("data: meant {}, read {}", text(meant), text(data)));
    }
    // The broker percent-encodes nothing and its next receiver decodes nothing, so what it read arrives.
    let forwarded = meaning::comparable(&reading.forwarded);
    (forwarded != *read).then(|| format!("sent on: {}", difference(read, &forwarded)))
}

fn difference(expected: &BTreeMap<String, String>, read: &BTreeMap<String, String>) -> String {
    let names: BTreeSet<&String> = expected.keys().chain(read.keys()).collect();
    let differing = names.into_iter().filter(|name| expected.get(*name) != read.get(*name));
    let lines: Vec<String> =
        differing.map(|name| format!("{name}: expected {:?}, read {:?}", expected.get(name), read.get(name))).collect();
    lines.join("; ")
}
