//! A folder that Kubernetes fills -> its files, and a cheap sign that they have changed. I/O: the file system.
//!
//! The reads block: these are small files in memory, and asking a thread pool for them would cost more.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Changes when a file comes, goes, or is written anew; the kubelet swaps a symlink, which changes inodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<(PathBuf, Option<SystemTime>, u64, u64)>);

/// The sign of a folder's files; of nothing, if it is missing.
pub(super) fn fingerprint_of_folder(folder: &Path) -> Fingerprint {
    let files = files(folder).unwrap_or_default();
    Fingerprint(files.into_iter().filter_map(mark).collect())
}

/// The sign of one file; of nothing, if it is missing.
pub(super) fn fingerprint_of_file(file: &Path) -> Fingerprint {
    Fingerprint(mark(file.to_owned()).into_iter().collect())
}

/// The files of a folder in the order of their names, without hidden ones such as the kubelet's `..data`.
///
/// # Errors
///
/// When the folder cannot be read.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn mark(file: PathBuf) -> Option<(PathBuf, Option<SystemTime>, u64, u64)> {
    let metadata = fs::metadata(&file).ok()?;
    Some((file, metadata.modified().ok(), metadata.len(), metadata.ino()))
}
