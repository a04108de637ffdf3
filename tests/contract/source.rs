//! A file of the project -> its lines, told apart into code and comment, product and test. I/O: the file system.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Violation;

/// One text file of the project.
#[derive(Debug)]
pub struct Source {
    /// Its path from the project's root, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Lines of code with their numbers, comments cut off.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, without_comment(line)))
    }

    /// [`Self::code`] of what ships: nothing of a test file, and nothing from the first `#[cfg(test)]` on
    /// that opens a module of tests.
    pub fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = if self.is_test_file() { 0 } else { self.first_test_line() };
        self.code().take_while(move |(number, _)| *number < end)
    }

    /// [`Self::code`] of what only tests run.
    pub fn test_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let start = if self.is_test_file() { 0 } else { self.first_test_line() };
        self.code().skip_while(move |(number, _)| *number < start)
    }

    /// The first paragraph of the module's documentation, joined to one line.
    pub fn first_paragraph(&self) -> String {
        let doc = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        let lines: Vec<&str> = doc.map(str::trim).take_while(|line| !line.is_empty()).collect();
        lines.join(" ")
    }

    /// The name that other modules use: the file's, or the folder's for `mod.rs`.
    pub fn module_name(&self) -> &str {
        let path = self.path.strip_suffix("/mod.rs").unwrap_or(&self.path);
        let name = path.rsplit('/').next().unwrap_or(path);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    /// A violation in this file.
    pub fn violation(&self, line: usize, what: impl Into<String>) -> Violation {
        Violation { file: self.path.clone(), line, what: what.into() }
    }

    /// One violation for each of `lines` that holds one of `needles` as a whole word, with `what` after the needle.
    pub fn find<'a>(
        &self,
        lines: impl Iterator<Item = (usize, &'a str)>,
        needles: &[&str],
        what: &str,
    ) -> Vec<Violation> {
        let mut found = Vec::new();
        for (number, line) in lines {
            for needle in needles.iter().filter(|needle| holds_word(line, needle)) {
                found.push(self.violation(number, format!("`{needle}` {what}")));
            }
        }
        found
    }

    fn is_test_file(&self) -> bool {
        let product = self.path.split_once("src/").map(|(_, inside)| inside);
        product.is_none_or(|inside| inside.split('/').any(|part| part == "tests" || part == "tests.rs"))
    }

    fn first_test_line(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let opens = |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod ");
        lines.windows(2).position(opens).map_or(usize::MAX, |index| index + 1)
    }
}

/// Every Rust file of the crates.
pub fn rust() -> Vec<Source> {
    below(&["bridge", "source-controller", "tests"], &["rs"])
}

/// The Rust files of the product.
pub fn product() -> Vec<Source> {
    below(&["bridge/src", "source-controller/src"], &["rs"])
}

/// What people read: documents and scripts.
pub fn documents() -> Vec<Source> {
    let mut sources =
        below(&["bridge", "source-controller", "config", "deploy", "tests"], &["md", "sh", "yaml", "toml"]);
    let root = root();
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Cargo.toml", "deny.toml", "tests/run", ".ci/run"] {
        sources.extend(read(&root, root.join(name)));
    }
    sources
}

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package tests lies in the project").to_owned()
}

fn below(folders: &[&str], extensions: &[&str]) -> Vec<Source> {
    let root = root();
    let mut files = Vec::new();
    for folder in folders {
        walk(&root.join(folder), &mut files);
    }
    files.sort();
    let wanted = |file: &PathBuf| file.extension().is_some_and(|it| extensions.iter().any(|wanted| it == *wanted));
    files.into_iter().filter(wanted).filter_map(|file| read(&root, file)).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        match (path.is_dir(), name.to_str()) {
            (true, Some("target" | "node_modules" | "corpus" | "artifacts")) => {}
            (true, _) => walk(&path, files),
            (false, _) => files.push(path),
        }
    }
}

fn read(root: &Path, file: PathBuf) -> Option<Source> {
    let path = file.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    fs::read_to_string(file).ok().map(|text| Source { path, text })
}

/// The line up to a `//` that stands outside a string.
fn without_comment(line: &str) -> &str {
    let bytes = line.as_bytes();
    let mut quoted = false;
    for index in 0..bytes.len() {
        match bytes[index] {
            b'"' if index == 0 || bytes[index - 1] != b'\\' => quoted = !quoted,
            b'/' if !quoted && bytes.get(index + 1) == Some(&b'/') => return &line[..index],
            _ => {}
        }
    }
    line
}

/// True if `needle` stands in `line` and no letter, digit or `_` joins it to a longer name.
fn holds_word(line: &str, needle: &str) -> bool {
    let joins = |character: Option<char>| character.is_some_and(|it| it.is_alphanumeric() || it == '_');
    let open_start = needle.starts_with(|it: char| !it.is_alphanumeric());
    let open_end = needle.ends_with(|it: char| !it.is_alphanumeric());
    line.match_indices(needle).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + needle.len()..].chars().next();
        (open_start || !joins(before)) && (open_end || !joins(after))
    })
}
