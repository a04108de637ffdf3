//! A folder of files -> request headers, one per file. I/O: the file system.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::files;

/// What a folder of header files holds.
#[derive(Debug, Default)]
pub(super) struct HeaderFiles {
    /// The headers to send.
    pub(super) headers: HeaderMap,
    /// Which files cannot be headers and why, in one sentence without their content.
    pub(super) refused: Option<String>,
    /// Why there are no headers at all: the folder is missing.
    pub(super) missing: Option<String>,
}

/// Reads the folder: each file's name is a header's name, its content without surrounding white space the value.
pub(super) fn read(folder: &Path) -> HeaderFiles {
    let files = match files::files(folder) {
        Ok(files) => files,
        Err(error) => return HeaderFiles { missing: Some(missing(folder, &error)), ..HeaderFiles::default() },
    };
    let mut headers = HeaderMap::new();
    let mut refused = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match header(&name, &file) {
            Ok((name, value)) => drop(headers.insert(name, value)),
            Err(reason) => refused.push((name, reason)),
        }
    }
    HeaderFiles { headers, refused: explain_refused(&refused), missing: None }
}

fn header(name: &str, file: &Path) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "not a header name")?;
    if is_reserved(&name) {
        return Err("set by the bridge or the connection");
    }
    let content = fs::read(file).map_err(|_| "not readable")?;
    let mut value = HeaderValue::from_bytes(content.trim_ascii())
        .map_err(|_| "its content has a line break or control character")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Headers that belong to the event, to tracing, to Knative or to the connection (RFC 9110 §7.6.1).
fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("ce-")
        || name.starts_with("content-")
        || matches!(
            name,
            "host"
                | "traceparent"
                | "tracestate"
                | "kn-namespace"
                | "prefer"
                | "expect"
                | "connection"
                | "keep-alive"
                | "proxy-authenticate"
                | "proxy-authorization"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
        )
}

fn explain_refused(refused: &[(String, &'static str)]) -> Option<String> {
    let (first, rest) = refused.split_first()?;
    let mut sentence = format!("header files that are not sent: {} ({})", first.0, first.1);
    for (name, reason) in rest {
        // Writing to a String cannot fail.
        let _infallible = write!(sentence, ", {name} ({reason})");
    }
    Some(sentence)
}

fn missing(folder: &Path, error: &std::io::Error) -> String {
    format!(
        "BRIDGE_SINK_HEADERS_DIR: cannot read {}: {error}; create the Secret that sinkHeadersSecret names",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn files_become_headers_but_for_those_that_belong_to_others() {
        let folder = folder(&[
            ("Authorization", b"Bearer abc\n"),
            ("X-Token", b"  t0ken\r\n"),
            ("ce-id", b"1"),
            ("Content-Type", b"text/plain"),
            ("Transfer-Encoding", b"chunked"),
            ("X-Broken", b"a\nb"),
            ("..data", b"hidden"),
        ]);
        let read = read(folder.path());
        let expected: HeaderMap = [
            (HeaderName::from_static("authorization"), HeaderValue::from_static("Bearer abc")),
            (HeaderName::from_static("x-token"), HeaderValue::from_static("t0ken")),
        ]
        .into_iter()
        .collect();
        assert_eq!(read.headers, expected);
        assert_eq!(
            read.refused.unwrap(),
            "header files that are not sent: Content-Type (set by the bridge or the connection), \
             Transfer-Encoding (set by the bridge or the connection), \
             X-Broken (its content has a line break or control character), \
             ce-id (set by the bridge or the connection)"
        );
        assert_eq!(read.missing, None);
    }

    #[test]
    fn a_value_is_never_shown() {
        let folder = folder(&[("Authorization", b"Bearer abc")]);
        assert!(!format!("{:?}", read(folder.path())).contains("abc"));
    }

    #[test]
    fn a_missing_folder_is_explained() {
        let sentence = read(Path::new("/nowhere/at/all")).missing.unwrap();
        assert!(sentence.starts_with("BRIDGE_SINK_HEADERS_DIR: cannot read /nowhere/at/all: "), "{sentence}");
        assert!(sentence.ends_with("; create the Secret that sinkHeadersSecret names"), "{sentence}");
    }
}
