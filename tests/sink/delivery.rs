//! One POST over plain HTTP: what goes out, what each answer becomes, what connections are used.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::future::join_all;
use sqs_bridge::outcome::{Answer, TransportClass, TransportFailure};
use tests::wait::until;

use crate::server::{Reply, Server, empty, with_body, with_headers};
use crate::{SOON, Subject, settings, status};

fn failure(class: TransportClass, message: String) -> Answer {
    Answer::Failed(TransportFailure { class, message })
}

#[tokio::test]
async fn a_post_looks_as_knative_expects_it() {
    let server = Server::plain(|_| empty("202 Accepted")).await;
    let subject = Subject::alone(&settings(&(server.url() + "a/b?c=d")));
    assert_eq!(subject.post().await, status(202));
    let [request] = &server.requests()[..] else { panic!("one request") };
    let mut lines: Vec<_> = request.head.trim_end().lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /a/b?c=d HTTP/1.1",
            "Ce-Id: 1",
            "Ce-Type: order",
            "Content-Length: 7",
            "Content-Type: application/json",
            &format!("Host: localhost:{}", server.port()),
            "Kn-Namespace: shop",
            concat!("User-Agent: sqs-bridge/", env!("CARGO_PKG_VERSION")),
        ],
        "names in title case, no Prefer, no Traceparent while traces are off"
    );
    assert_eq!(request.body, b"{\"a\":1}");
}

#[tokio::test]
async fn user_info_of_the_url_becomes_basic_authentication_and_is_never_shown() {
    let server = Server::plain(|_| empty("200 OK")).await;
    let url = server.url().replace("://", "://me:p%40ss@");
    let subject = Subject::alone(&settings(&url));
    assert_eq!(subject.post().await, status(200));
    assert_eq!(server.requests()[0].header("Authorization"), Some("Basic bWU6cEBzcw=="));
    assert_eq!(subject.sink.url_without_user_info(), server.url());
    let shown = format!("{:?}", subject.sink);
    assert!(!shown.contains("p%40ss") && !shown.contains("bWU6cEBzcw"), "{shown}");
}

#[tokio::test]
async fn each_status_line_is_an_answer_and_a_redirect_is_not_followed() {
    let statuses = ["200 OK", "202 Accepted", "301 Moved", "307 Elsewhere", "400 Bad", "404 No", "413 Big", "503 Busy"];
    let server = Server::plain(move |request| {
        let location = "Location: /elsewhere\r\n";
        with_headers(statuses[request.number], location)
    })
    .await;
    let subject = Subject::alone(&settings(&server.url()));
    for code in [200, 202, 301, 307, 400, 404, 413, 503] {
        assert_eq!(subject.post().await, status(code));
    }
    assert_eq!(server.requests().len(), statuses.len());
}

#[tokio::test]
async fn a_401_without_anything_to_refresh_is_not_repeated() {
    let server = Server::plain(|_| empty("401 Unauthorized")).await;
    let subject = Subject::alone(&settings(&server.url()));
    assert_eq!(subject.post().await, status(401));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn retry_after_is_a_wait_in_both_forms() {
    let server = Server::plain(|request| {
        let later = SystemTime::now() + Duration::from_secs(100);
        match request.number {
            0 => with_headers("429 Slow Down", "Retry-After: 7\r\n"),
            _ => with_headers("503 Busy", &format!("Retry-After: {}\r\n", httpdate::fmt_http_date(later))),
        }
    })
    .await;
    let subject = Subject::alone(&settings(&server.url()));
    let seven = Answer::Status { code: 429, retry_after: Some(Duration::from_secs(7)), body: Bytes::new() };
    assert_eq!(subject.post().await, seven);
    let Answer::Status { code: 503, retry_after: Some(wait), .. } = subject.post().await else {
        panic!("503 with a wait")
    };
    assert!(wait > Duration::from_secs(60) && wait <= Duration::from_secs(100), "{wait:?}");
}

#[tokio::test]
async fn the_beginning_of_a_refusals_body_is_kept_and_that_of_an_acceptance_is_not() {
    let server = Server::plain(|request| match request.number {
        0 => with_body("200 OK", "thank you"),
        1 => with_body("400 Bad Request", "no such field"),
        _ => with_body("500 Oops", &"x".repeat(2_000)),
    })
    .await;
    let subject = Subject::alone(&settings(&server.url()));
    assert_eq!(subject.post().await, status(200));
    let refused = Answer::Status { code: 400, retry_after: None, body: Bytes::from_static(b"no such field") };
    assert_eq!(subject.post().await, refused);
    let failed = Answer::Status { code: 500, retry_after: None, body: Bytes::from("x".repeat(768)) };
    assert_eq!(subject.post().await, failed);
    assert_eq!(server.connections(), 1, "bodies that are read leave the connection usable");
}

#[tokio::test]
async fn a_body_longer_than_64_kib_costs_its_connection_and_nothing_else() {
    let server = Server::plain(|_| with_body("500 Oops", &"x".repeat(1_024 * 1_024))).await;
    let subject = Subject::alone(&settings(&server.url()));
    for _ in 0..2 {
        let failed = Answer::Status { code: 500, retry_after: None, body: Bytes::from("x".repeat(768)) };
        assert_eq!(subject.post().await, failed);
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn the_status_line_decides_though_the_body_never_comes() {
    let server = Server::plain(|request| match request.number {
        0 => Reply::Answer("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\n".into()),
        _ => Reply::AnswerAndClose("HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\nhalf".into()),
    })
    .await;
    let subject = Subject::alone(&settings(&server.url()));
    assert_eq!(subject.post().await, status(202));
    let refused = Answer::Status { code: 400, retry_after: None, body: Bytes::from_static(b"half") };
    assert_eq!(subject.post().await, refused);
}

#[tokio::test]
async fn a_hanging_sink_is_a_timeout() {
    let server = Server::plain(|_| Reply::Hang).await;
    let mut settings = settings(&server.url());
    settings.timeout = Duration::from_millis(250);
    let subject = Subject::alone(&settings);
    let message = format!("no answer from localhost:{} within 0.25 s", server.port());
    assert_eq!(subject.post().await, failure(TransportClass::Timeout, message));
}

#[tokio::test]
async fn a_broken_connection_is_a_reset_and_is_not_tried_again() {
    let server = Server::plain(|_| Reply::Reset).await;
    let subject = Subject::alone(&settings(&server.url()));
    let Answer::Failed(TransportFailure { class, message }) = subject.post().await else { panic!("no answer") };
    assert_eq!(class, TransportClass::Reset);
    assert!(message.starts_with(&format!("the connection to localhost:{} broke: ", server.port())), "{message}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_peer_that_does_not_speak_http_is_a_reset() {
    let server = Server::plain(|_| Reply::AnswerAndClose("SSH-2.0-OpenSSH\r\n\r\n".into())).await;
    let subject = Subject::alone(&settings(&server.url()));
    let Answer::Failed(TransportFailure { class, .. }) = subject.post().await else { panic!("no answer") };
    assert_eq!(class, TransportClass::Reset);
}

#[tokio::test]
async fn nobody_who_listens_is_a_refused_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let subject = Subject::alone(&settings(&format!("http://127.0.0.1:{port}/")));
    let Answer::Failed(TransportFailure { class, message }) = subject.post().await else { panic!("no answer") };
    assert_eq!(class, TransportClass::Refused);
    assert!(message.starts_with(&format!("nobody listens at 127.0.0.1:{port}: ")), "{message}");
}

#[tokio::test]
async fn a_host_without_an_address_is_a_failure_of_dns() {
    // A label of more than 63 characters is no name: the system says so without asking anybody.
    let host = format!("{}.example", "a".repeat(64));
    let subject = Subject::alone(&settings(&format!("http://{host}/secret-path?token=x")));
    let Answer::Failed(TransportFailure { class, message }) = subject.post().await else { panic!("no answer") };
    assert_eq!(class, TransportClass::Dns);
    assert!(message.starts_with(&format!("the host of {host}:80 has no address: ")), "{message}");
    assert!(!message.contains("secret-path"), "{message}");
}

#[tokio::test]
async fn one_connection_serves_posts_one_after_the_other() {
    let server = Server::plain(|_| empty("202 Accepted")).await;
    let subject = Subject::alone(&settings(&server.url()));
    for _ in 0..50 {
        assert_eq!(subject.post().await, status(202));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(subject.count("sqs_bridge_sink_connections_opened_total"), 1.0);
}

#[tokio::test]
async fn posts_at_once_use_no_more_connections_than_posts() {
    let server = Server::plain(|_| empty("202 Accepted")).await;
    let subject = Subject::alone(&settings(&server.url()));
    for _ in 0..5 {
        let answers = join_all((0..8).map(|_| subject.post())).await;
        assert_eq!(answers, vec![status(202); 8]);
    }
    let opened = server.connections();
    assert!((1..=8).contains(&opened), "{opened} connections for 8 POSTs at once");
    assert_eq!(subject.count("sqs_bridge_sink_connections_opened_total"), opened as f64);
}

#[tokio::test]
async fn a_connection_that_the_sink_closed_while_idle_fails_nothing() {
    let server =
        Server::plain(|_| Reply::AnswerAndClose("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".into())).await;
    let subject = Subject::alone(&settings(&server.url()));
    for post in 1..=5 {
        assert_eq!(subject.post().await, status(202));
        until(SOON, "the sink has closed the connection", || server.closed() == post).await;
    }
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn every_attempt_is_measured() {
    let server = Server::plain(|request| if request.number < 2 { empty("202 Accepted") } else { Reply::Reset }).await;
    let subject = Subject::alone(&settings(&server.url()));
    for _ in 0..3 {
        subject.post().await;
    }
    let page = subject.metrics.page();
    let counts: Vec<_> =
        page.lines().filter(|line| line.starts_with("http_client_request_duration_seconds_count")).collect();
    let count = |label: &str| {
        let line = counts.iter().find(|line| line.contains(label)).unwrap_or_else(|| panic!("{label} in {counts:?}"));
        line.rsplit_once(' ').unwrap().1
    };
    assert_eq!(count(r#"http_response_status_code="202""#), "2");
    assert_eq!(count(r#"error_type="reset""#), "1");
    assert!(counts.iter().all(|line| line.contains(&format!(r#"server_port="{}""#, server.port()))));
    assert_eq!(subject.count("http_client_request_body_size_bytes_sum"), 14.0);
}
