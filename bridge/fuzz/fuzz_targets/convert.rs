//! Any bytes -> what the subcommand `convert` prints.

#![no_main]

mod fixture;

use libfuzzer_sys::fuzz_target;
use sqs_bridge::convert::{self, Options, Output};

fuzz_target!(|input: (fixture::Choice, bool, bool, &[u8])| {
    let (choice, lines, http, text) = input;
    let options = Options { lines, output: if http { Output::Http } else { Output::Structured } };
    let mut out = Vec::new();
    convert::convert(text, &fixture::queue(), &fixture::settings(choice), options, &mut out)
        .expect("memory takes everything");
    for line in out.split_inclusive(|&byte| byte == b'\n') {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(line).expect("each line is an object");
        assert!(!object.is_empty());
    }
});
