//! Instructions that the pure parts of the bridge take, counted by valgrind: the same on a busy machine.
//!
//! In the test profile, which does not optimise: a limit shows a part that became half as expensive again,
//! not what it costs in a release.

#![expect(clippy::unwrap_used, reason = "what is missing in a test is a failure")]

use std::process::Command;

use tests::program::built;

/// Instructions of one more round.
fn per_round(part: &str) -> u64 {
    let (few, many) = (100, 300);
    (instructions(part, many) - instructions(part, few)) / (many - few)
}

fn instructions(part: &str, times: u64) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(built("steps"));
    let output = valgrind.args([part, &times.to_string()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{part} {times}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected :")).unwrap().1;
    collected.trim().parse().unwrap()
}

fn assert_at_most(part: &str, most: u64) {
    let count = per_round(part);
    assert!(count > 0, "{part} does something");
    assert!(count <= most, "{part}: {count} instructions a round, at most {most} were allowed");
}

#[test]
fn mapping_an_event_of_eventbridge() {
    assert_at_most("mapping", 400_000);
}

#[test]
fn a_lease_from_its_begin_to_its_end() {
    assert_at_most("leases", 20_000);
}

#[test]
fn a_delete_on_its_way_into_a_batch() {
    assert_at_most("batches", 1_000);
}
