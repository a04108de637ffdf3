//! What is promised has a test: each known failure of consumers of SQS one of its own, each guarantee at least one.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{root, rust};

/// Rows FAIL-1 to FAIL-39 of the delivery reference.
const FAILURES: std::ops::RangeInclusive<u32> = 1..=39;

/// `target::module::name` of every test of the package `tests`.
fn tests() -> Vec<String> {
    let mut tests = Vec::new();
    for source in rust() {
        let Some(path) = source.path.strip_prefix("tests/").and_then(|path| path.strip_suffix(".rs")) else { continue };
        let module = path.replace('/', "::");
        let mut is_test = false;
        for (_, line) in source.code() {
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            match name {
                Some(name) if is_test => tests.push(format!("{module}::{name}")),
                _ => {}
            }
            is_test = line.starts_with("#[test]") || line.starts_with("#[tokio::test") || (is_test && name.is_none());
        }
    }
    tests
}

#[test]
fn each_known_failure_has_one_test() {
    let mut found: BTreeMap<u32, usize> = BTreeMap::new();
    for test in tests() {
        let number = test.strip_prefix("fire::").and_then(|test| test.split("::fail_").nth(1));
        if let Some(number) = number.and_then(|name| name.split('_').next()?.parse().ok()) {
            *found.entry(number).or_default() += 1;
        }
    }
    assert_eq!(found, FAILURES.map(|number| (number, 1)).collect(), "tests/fire has one test fail_NN_… for each");
}

#[test]
fn each_guarantee_of_the_readme_names_tests_that_exist() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let section = readme.split("\n## Guarantees\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.expect("README.md has a section Guarantees");
    let tests: BTreeSet<String> = tests().into_iter().collect();
    let guarantees: Vec<&str> = section.split("\n* **").skip(1).collect();
    assert_eq!(guarantees.len(), 4, "at least once, order, bounds, what is not promised");
    for guarantee in guarantees {
        let named: Vec<&str> = guarantee.split("\n  + `").skip(1).filter_map(|rest| rest.split('`').next()).collect();
        let missing: Vec<&&str> = named.iter().filter(|name| !tests.contains(**name)).collect();
        let title = guarantee.split("**").next();
        assert!(!named.is_empty() && missing.is_empty(), "{title:?} names {named:?}; these do not exist: {missing:?}");
    }
}
