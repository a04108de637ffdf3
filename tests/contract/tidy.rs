//! Rules about Rust files: purity, names, who may spawn, delete and read messages, what tests may not do.

use crate::source::{Source, product, rust};
use crate::{Violation, assert_holds};

type Rule = fn(&Source) -> Vec<Violation>;

/// Decisions that must stay pure: everything with a branch worth a unit test.
const PURE: &[&str] = &[
    "admit",
    "args",
    "backoff",
    "breaker",
    "config",
    "decode",
    "event",
    "fault",
    "health",
    "lane",
    "lease",
    "message",
    "normalize",
    "outcome",
    "policy",
    "pollers",
    "profile",
    "settle",
];

/// Clients, runtimes, clocks and randomness of its own, which pure code never names.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_util",
    "reqwest",
    "hyper",
    "hyper_util",
    "axum",
    "kube::Client",
    "std::env",
    "env::var",
    "std::fs",
    "std::net::TcpStream",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "Rng::new",
    "fastrand::bool",
    "fastrand::f64",
    "fastrand::u32",
    "fastrand::u64",
    "fastrand::usize",
    "aws_sdk_sqs",
    "aws_sdk_sts",
    "aws_config",
    "aws_credential_types",
    "aws_smithy_runtime_api",
    "aws_types",
];

const VAGUE: &[&str] =
    &["utils", "util", "common", "helpers", "helper", "types", "manager", "handler", "processor", "misc"];

#[test]
fn pure_modules_name_no_client_no_runtime_and_no_clock() {
    assert_holds(&product(), purity);
}

#[test]
fn decisions_say_that_they_are_pure() {
    for name in PURE {
        let path = format!("bridge/src/{name}.rs");
        let sources = product();
        let source = sources.iter().find(|source| source.path == path);
        let source = source.unwrap_or_else(|| panic!("{path} is in the list of pure modules and does not exist"));
        assert!(is_pure(source), "{path}:1: the first paragraph must end with `Pure.`");
    }
}

#[test]
fn a_module_says_what_it_touches() {
    assert_holds(&rust(), opening);
}

#[test]
fn modules_have_names_that_say_something() {
    assert_holds(&rust(), names);
}

#[test]
fn tests_neither_sleep_nor_hide() {
    assert_holds(&rust(), patience);
}

#[test]
fn no_trait_is_made_async_by_a_macro() {
    assert_holds(&rust(), async_traits);
}

#[test]
fn only_run_spawns() {
    assert_holds(&product(), spawning);
}

#[test]
fn only_settle_write_deletes() {
    assert_holds(&product(), deleting);
}

#[test]
fn only_message_reads_what_the_sdk_received() {
    assert_holds(&product(), reading_messages);
}

/// Each rule is shown a file that breaks it, so that a rule which sees nothing is noticed.
#[test]
fn rules_find_what_they_look_for() {
    let cases: &[(Rule, &str, &str, usize)] = &[
        (purity, "bridge/src/lane.rs", "//! Order. Pure.\n\nuse tokio::time;\n", 3),
        (purity, "bridge/src/lane.rs", "//! Order. Pure.\nfn f() -> u64 {\n    Instant::now()\n}\n", 3),
        (opening, "bridge/src/lane.rs", "//! Order\n//! of things.\n\n//! Pure.\n", 1),
        (names, "tests/src/utils.rs", "", 1),
        (names, "bridge/src/types/mod.rs", "", 1),
        (patience, "tests/bridge/retry.rs", "use std::thread;\nthread::sleep(pause);\n", 2),
        (patience, "bridge/src/lane.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    #[ignore]\n}\n", 4),
        (async_traits, "bridge/src/sink.rs", "#[async_trait]\n", 1),
        (spawning, "bridge/src/sink.rs", "tokio::spawn(f());\n", 1),
        (deleting, "bridge/src/handle.rs", "client.delete_message_batch();\n", 1),
        (reading_messages, "bridge/src/receive.rs", "use aws_sdk_sqs::types::{\n    A,\n    Message,\n};\n", 1),
    ];
    for (index, (rule, path, text, line)) in cases.iter().enumerate() {
        let source = Source { path: (*path).to_owned(), text: (*text).to_owned() };
        let lines: Vec<usize> = rule(&source).iter().map(|violation| violation.line).collect();
        assert_eq!(lines, [*line], "case {index}: {path}");
    }
}

#[test]
fn rules_leave_alone_what_only_looks_like_a_violation() {
    let cases: &[(Rule, &str, &str)] = &[
        (
            purity,
            "bridge/src/lane.rs",
            "//! Order. Pure.\n// no tokio here\n#[cfg(test)]\nmod tests {\n    use tokio;\n}\n",
        ),
        (purity, "bridge/src/run.rs", "//! All. I/O: everything.\nuse tokio::time;\n"),
        (patience, "tests/src/wait.rs", "tokio::time::sleep(pause).await;\n"),
        (spawning, "bridge/src/run.rs", "tasks.spawn(f());\n"),
        (reading_messages, "bridge/src/receive.rs", "use aws_sdk_sqs::types::MessageSystemAttributeName;\n"),
    ];
    for (rule, path, text) in cases {
        let source = Source { path: (*path).to_owned(), text: (*text).to_owned() };
        assert_eq!(rule(&source), [], "{path}");
    }
}

fn purity(source: &Source) -> Vec<Violation> {
    // The one module that turns messages of the SDK into our own names their types, and nothing else of it.
    let may_read_messages = source.path == "bridge/src/message.rs";
    let impure: Vec<&str> =
        IMPURE.iter().copied().filter(|needle| !(may_read_messages && *needle == "aws_sdk_sqs")).collect();
    match is_pure(source) {
        // An error of a client is a value like any other.
        true => {
            let code = source.product_code().filter(|(_, line)| !line.contains("reqwest::Error"));
            source.find(code, &impure, "in a module that says it is pure")
        }
        false => Vec::new(),
    }
}

fn opening(source: &Source) -> Vec<Violation> {
    let is_module = source.path.contains("/src/") && !source.path.contains("/src/bin/");
    let is_crate = matches!(source.module_name(), "lib" | "main");
    let is_test = source.test_code().next().is_some_and(|(number, _)| number == 1);
    if !is_module || is_crate || is_test || is_pure(source) {
        return Vec::new();
    }
    let paragraph = source.first_paragraph();
    match paragraph.rsplit_once(" I/O: ") {
        Some((_, which)) if which.ends_with('.') => Vec::new(),
        _ => vec![source.violation(1, "the first paragraph must end with `Pure.` or `I/O: <which>.`")],
    }
}

fn names(source: &Source) -> Vec<Violation> {
    match VAGUE.contains(&source.module_name()) {
        true => {
            vec![source.violation(1, format!("`{}` says nothing: name the step or the noun", source.module_name()))]
        }
        false => Vec::new(),
    }
}

fn patience(source: &Source) -> Vec<Violation> {
    if source.path.starts_with("tests/contract/") || source.path.starts_with("tests/src/") {
        return Vec::new();
    }
    let needles = ["thread::sleep", "time::sleep", "sleep(", "sleep_until(", "#[ignore"];
    let mut found = source.find(source.test_code(), &needles, "in a test: wait for what must happen, run always");
    found.dedup_by_key(|violation| violation.line);
    found
}

fn async_traits(source: &Source) -> Vec<Violation> {
    match source.path.starts_with("tests/contract/") {
        true => Vec::new(),
        false => source.find(source.code(), &["async_trait"], "boxes every call: write the future's type"),
    }
}

fn spawning(source: &Source) -> Vec<Violation> {
    if source.path == "bridge/src/run.rs" || source.path.starts_with("source-controller/") {
        return Vec::new();
    }
    let needles = ["spawn(", "spawn_blocking(", "spawn_local("];
    source.find(source.product_code(), &needles, "outside bridge/src/run.rs, the only file that spawns")
}

fn deleting(source: &Source) -> Vec<Violation> {
    // `check` asks whether deleting is permitted, with a receipt handle that no receive ever gave out.
    if matches!(source.path.as_str(), "bridge/src/settle/write.rs" | "bridge/src/check/probe.rs") {
        return Vec::new();
    }
    let needles = ["delete_message(", "delete_message_batch(", "purge_queue("];
    source.find(source.product_code(), &needles, "outside bridge/src/settle/write.rs, the only file that deletes")
}

fn reading_messages(source: &Source) -> Vec<Violation> {
    if source.path == "bridge/src/message.rs" {
        return Vec::new();
    }
    let code: Vec<(usize, &str)> = source.product_code().collect();
    let mut found = Vec::new();
    for (index, (number, line)) in code.iter().enumerate() {
        if !line.contains("aws_sdk_sqs::types::") {
            continue;
        }
        let statement: String = code[index..].iter().map(|(_, line)| *line).collect();
        let statement = statement.split(';').next().unwrap_or_default();
        let names: Vec<&str> = statement.split(|it: char| !it.is_alphanumeric()).collect();
        if names.contains(&"Message") || names.contains(&"MessageAttributeValue") {
            found.push(source.violation(*number, "only bridge/src/message.rs reads a message of the SDK"));
        }
    }
    found
}

fn is_pure(source: &Source) -> bool {
    source.first_paragraph().ends_with(" Pure.")
}
