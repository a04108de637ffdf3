//! Header files: what is sent of them, and when a new Secret is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Instant;

use sqs_bridge::config;
use sqs_bridge::health::Problem;
use sqs_bridge::sink::Sink;
use tests::wait::eventually;

use crate::server::{Reply, Server, empty};
use crate::{SOON, Subject, event, identity, nowhere, settings, status};

/// Writes a Secret as the kubelet does: files are links through `..data`, which is swapped at once.
fn project(folder: &Path, version: &str, files: &[(&str, &str)]) {
    let (data, link) = (folder.join(format!("..{version}")), folder.join("..data"));
    fs::create_dir(&data).unwrap();
    for (name, content) in files {
        fs::write(data.join(name), content).unwrap();
        if !folder.join(name).exists() {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
    }
    let next = folder.join("..data_tmp");
    symlink(format!("..{version}"), &next).unwrap();
    fs::rename(next, link).unwrap();
}

fn with_headers(server: &Server, folder: &Path) -> config::Sink {
    config::Sink { headers_dir: Some(folder.into()), ..settings(&server.url()) }
}

fn last_header(server: &Server, name: &str) -> Option<String> {
    server.requests().last().unwrap().header(name).map(str::to_owned)
}

#[tokio::test]
async fn header_files_are_sent_and_a_new_secret_is_without_a_restart() {
    let server = Server::plain(|_| empty("202 Accepted")).await;
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), "1", &[("Authorization", "Bearer one\n"), ("x-team", "shop"), ("ce-id", "forged")]);
    let subject = Subject::alone(&with_headers(&server, folder.path()));
    assert_eq!(subject.post().await, status(202));
    assert_eq!(last_header(&server, "Authorization").unwrap(), "Bearer one");
    assert_eq!(last_header(&server, "X-Team").unwrap(), "shop");
    assert_eq!(last_header(&server, "Ce-Id").unwrap(), "1", "what belongs to the event is not for files");

    project(folder.path(), "2", &[("Authorization", "Bearer two\n")]);
    let renewed = eventually(SOON, || async {
        subject.post().await;
        match last_header(&server, "Authorization") {
            Some(token) if token == "Bearer two" => Ok(()),
            other => Err(other),
        }
    });
    tokio::select! {
        () = renewed => {}
        () = subject.sink.maintain() => unreachable!("it runs until dropped"),
    }
    assert_eq!(last_header(&server, "X-Team"), None, "a key that left the Secret is no longer sent");
}

#[tokio::test]
async fn after_a_401_header_files_are_read_again_and_one_repeat_is_made_if_they_changed() {
    let folder = tempfile::tempdir().unwrap();
    let rotated = folder.path().to_owned();
    let server = Server::plain(move |request| match request.header("Authorization") {
        Some("Bearer new") => empty("202 Accepted"),
        _ => {
            fs::write(rotated.join("Authorization"), "Bearer new").unwrap();
            empty("401 Unauthorized")
        }
    })
    .await;
    fs::write(folder.path().join("Authorization"), "Bearer old!").unwrap();
    let subject = Subject::alone(&with_headers(&server, folder.path()));
    assert_eq!(subject.post().await, status(202));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_401_with_the_same_header_files_is_final() {
    let server = Server::plain(|_| empty("401 Unauthorized")).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Authorization"), "Bearer old").unwrap();
    let subject = Subject::alone(&with_headers(&server, folder.path()));
    assert_eq!(subject.post().await, status(401));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_missing_folder_is_a_warning_until_it_comes() {
    let server = Server::plain(|_| empty("202 Accepted")).await;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("sink-headers");
    let subject = Subject::alone(&with_headers(&server, &folder));
    assert_eq!(subject.post().await, status(202), "events go out without the headers");
    let warnings = || subject.health.readiness(Instant::now()).warnings;
    let [Problem { reason: "SinkHeadersNotFound", message }] = &warnings()[..] else { panic!("{:?}", warnings()) };
    assert!(message.contains(folder.to_str().unwrap()), "{message}");

    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("X-Token"), "t").unwrap();
    let found = eventually(SOON, || async { if warnings().is_empty() { Ok(()) } else { Err(warnings()) } });
    tokio::select! {
        () = found => {}
        () = subject.sink.maintain() => unreachable!("it runs until dropped"),
    }
    subject.post().await;
    assert_eq!(last_header(&server, "X-Token").unwrap(), "t");
}

#[tokio::test]
async fn the_dead_letter_sink_gets_no_header_files() {
    let server = Server::plain(|_| empty("202 Accepted")).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Authorization"), "Bearer secret").unwrap();
    let Subject { metrics, health, .. } = Subject::alone(&settings(&server.url()));
    let settings = with_headers(&server, folder.path());
    let sink = Sink::dead_letter(&settings, &identity(), None, metrics, health).unwrap();
    assert_eq!(sink.post(&event()).await, status(202));
    assert_eq!(last_header(&server, "Authorization"), None);
}

#[tokio::test]
async fn a_refused_request_leaves_no_trace_of_its_headers() {
    let server = Server::plain(|_| Reply::Reset).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Authorization"), "Bearer secret").unwrap();
    let subject = Subject::new(&with_headers(&server, folder.path()), &nowhere()).unwrap();
    let answer = subject.post().await;
    let shown = format!("{answer:?} {:?} {}", subject.sink, subject.metrics.page());
    assert!(!shown.contains("secret"), "{shown}");
}
