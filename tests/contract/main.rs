//! What the compiler cannot check: layout, purity, who may do what, and documents that must agree with the code.
//!
//! A rule names the file and the line that breaks it. `tidy` holds the rules, `source` how a file is read.

mod conditions;
mod documents;
mod promises;
mod settings;
mod source;
mod tidy;

use source::Source;

/// A line that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: String,
    line: usize,
    what: String,
}

/// Fails with every violation of `rule` in `sources`, one a line.
fn assert_holds(sources: &[Source], rule: impl Fn(&Source) -> Vec<Violation>) {
    assert!(!sources.is_empty(), "the rule looks at no file at all");
    let violations: Vec<String> = sources.iter().flat_map(rule).map(|violation| violation.to_string()).collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}
