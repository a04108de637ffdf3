//! The table of settings in the README equals the one in the code.

use std::env;
use std::fmt::Write;
use std::fs;

use sqs_bridge::config::settings::{GROUPS, Setting};

use crate::source::root;

const START: &str = "-->\n";
const END: &str = "<!-- end of settings -->";

#[test]
fn the_readme_shows_every_setting_as_the_code_has_it() {
    let path = root().join("bridge/README.md");
    let readme = fs::read_to_string(&path).expect("bridge/README.md");
    let (before, rest) = readme.split_once("<!-- settings:").expect("the mark where the settings start");
    let (mark, rest) = rest.split_once(START).expect("the end of that mark");
    let (shown, after) = rest.split_once(END).expect("the mark where the settings end");
    let expected = tables();
    if env::var_os("UPDATE_README").is_some() {
        let updated = format!("{before}<!-- settings:{mark}{START}{expected}{END}{after}");
        fs::write(&path, updated).expect("bridge/README.md can be written");
    } else {
        let command = "UPDATE_README=1 cargo test -p tests --test contract";
        assert_eq!(shown, expected, "bridge/README.md shows other settings than the code: run {command}");
    }
}

fn tables() -> String {
    let mut text = String::new();
    for (group, settings) in GROUPS {
        write!(text, "\n### {group}\n\n").expect("a String takes everything");
        text.push_str("| Variable | Flag | Default | What it does | In `AwsSqsSource` |\n|---|---|---|---|---|\n");
        for setting in *settings {
            text.push_str(&row(setting));
        }
    }
    text.push('\n');
    text
}

fn row(setting: &Setting) -> String {
    let variable = match setting.fallback_env {
        "" => code(setting.env),
        fallback => format!("{}, else {}", code(setting.env), code(fallback)),
    };
    let flag = if setting.flag.is_empty() { String::new() } else { code(&format!("--{}", setting.flag)) };
    let default = if setting.default.is_empty() { escaped(setting.otherwise) } else { code(setting.default) };
    let field = code(setting.field);
    format!("| {variable} | {flag} | {default} | {} | {field} |\n", escaped(setting.help))
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('|', "\\|")) }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;")
}
