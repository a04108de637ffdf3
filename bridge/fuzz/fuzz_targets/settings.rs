//! Any environment: it is a configuration, or one sentence per wrong variable that names it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sqs_bridge::config::Config;
use sqs_bridge::config::settings::all;

fuzz_target!(|input: &str| {
    let names: Vec<&str> = all().map(|setting| setting.env).collect();
    // Each line is one variable: its first character picks the name, the rest is the value.
    let variables: Vec<(&str, &str)> = input.lines().filter_map(|line| variable(&names, line)).collect();
    if let Err(errors) = Config::from_env_pairs(variables) {
        assert!(!errors.0.is_empty(), "a refusal has a reason");
        for error in errors.0 {
            assert!(error.to_string().contains(error.env), "the sentence names the variable: {error}");
        }
    }
});

fn variable<'a>(names: &[&'a str], line: &'a str) -> Option<(&'a str, &'a str)> {
    let pick = line.chars().next()?;
    let name = names[(u32::from(pick) as usize) % names.len()];
    Some((name, &line[pick.len_utf8()..]))
}
