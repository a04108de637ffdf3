//! Rules about documents and scripts: what they promise is there, and they speak of the project alone.

use std::process::Command;

use crate::source::{Source, documents, root};
use crate::{Violation, assert_holds};

#[test]
fn documents_name_no_folder_of_somebodys_machine() {
    assert_holds(&documents(), machine_paths);
}

#[test]
fn the_rule_about_folders_finds_one() {
    let source = Source { path: "README.md".to_owned(), text: "Run\n`/home/me/run`.\n".to_owned() };
    assert_eq!(machine_paths(&source), [source.violation(2, "`/home/` is a folder of somebody's machine")]);
}

#[test]
fn the_readme_has_the_two_commands_that_do_everything() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    for command in ["cargo run --bin demo", "tests/run"] {
        assert!(readme.lines().any(|line| line.trim() == command), "README.md shows `{command}` on a line of its own");
    }
}

#[test]
fn the_readme_lists_every_tier() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let output = Command::new(root().join("tests/run")).arg("--list").output().expect("tests/run starts");
    let list = String::from_utf8(output.stdout).expect("text");
    let tiers: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(tiers.contains(&"unit"), "tests/run --list names the tiers: {list}");
    for tier in tiers {
        assert!(readme.contains(&format!("| `{tier}` |")), "README.md has a row for the tier `{tier}`");
    }
}

#[test]
fn continuous_integration_runs_what_developers_run() {
    let script = std::fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    assert!(script.contains("../tests/run"), ".ci/run calls tests/run");
}

fn machine_paths(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for folder in ["/work/", "/root/", "/home/", "/Users/"] {
            // `$HOME/work/` and `https://host/work/` are no folders of a machine: something stands before the slash.
            let starts_a_path =
                |before: &str| !before.ends_with(|it: char| it.is_alphanumeric() || "}._-*".contains(it));
            if line.match_indices(folder).any(|(start, _)| starts_a_path(&line[..start])) {
                found.push(source.violation(index + 1, format!("`{folder}` is a folder of somebody's machine")));
            }
        }
    }
    found
}
