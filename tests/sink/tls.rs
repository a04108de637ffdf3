//! Whom the client trusts, and what it learns of new certificates without a restart.

use std::fs;

use rustls::version;
use sqs_bridge::config::{Tls, TlsVersion};
use sqs_bridge::outcome::{Answer, TransportClass, TransportFailure};
use sqs_bridge::sink::Surroundings;
use tests::wait::eventually;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::certificates::Authority;
use crate::server::{Server, empty};
use crate::{SOON, Subject, nowhere, settings, status};

async fn server(authority: &Authority) -> Server {
    Server::tls(authority.acceptor(), |_| empty("202 Accepted")).await
}

async fn refusal(subject: &Subject) -> String {
    let answer = subject.post().await;
    let Answer::Failed(TransportFailure { class: TransportClass::Tls, message }) = answer else {
        panic!("not a failure of TLS: {answer:?}")
    };
    message
}

/// Posts until the sink accepts, while somebody looks after the files.
async fn accepted_after_a_while(subject: &Subject) {
    let accepted = eventually(SOON, || async {
        let answer = subject.post().await;
        if answer == status(202) { Ok(()) } else { Err(answer) }
    });
    tokio::select! {
        () = accepted => {}
        () = subject.sink.maintain() => unreachable!("it runs until dropped"),
    }
}

#[tokio::test]
async fn a_certificate_of_k_ca_certs_is_trusted_and_another_is_not() {
    let (trusted, stranger) = (Authority::new(), Authority::new());
    let server = server(&trusted).await;
    let mut settings = settings(&server.url());
    settings.ca_certs = Some(trusted.pem());
    assert_eq!(Subject::alone(&settings).post().await, status(202));

    for other in [None, Some(stranger.pem())] {
        settings.ca_certs = other;
        let message = refusal(&Subject::alone(&settings)).await;
        let expected = format!("TLS with localhost:{} failed: invalid peer certificate: UnknownIssuer", server.port());
        assert_eq!(message, expected);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let acceptor = authority.acceptor_of("elsewhere.example", &[&version::TLS13]);
    let server = Server::tls(acceptor, |_| empty("202 Accepted")).await;
    let mut settings = settings(&server.url());
    settings.ca_certs = Some(authority.pem());
    let message = refusal(&Subject::alone(&settings)).await;
    assert!(message.contains("certificate not valid for name"), "{message}");
}

#[tokio::test]
async fn a_bundle_that_comes_later_is_trusted_without_a_restart() {
    let authority = Authority::new();
    let server = server(&authority).await;
    let bundles = tempfile::tempdir().unwrap();
    let surroundings = Surroundings { trust_bundles: bundles.path().into(), ..nowhere() };
    let subject = Subject::new(&settings(&server.url()), &surroundings).unwrap();
    refusal(&subject).await;
    fs::write(bundles.path().join("kne-bundle.pem"), Authority::new().pem() + &authority.pem()).unwrap();
    accepted_after_a_while(&subject).await;
}

#[tokio::test]
async fn the_file_of_an_integration_source_may_come_later_too() {
    let authority = Authority::new();
    let server = server(&authority).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("knative-eventing-bundle.pem");
    let subject =
        Subject::new(&settings(&server.url()), &Surroundings { ca_file: Some(file.clone()), ..nowhere() }).unwrap();
    refusal(&subject).await;
    assert_eq!(subject.health.readiness(std::time::Instant::now()).warnings, []);
    fs::write(file, authority.pem()).unwrap();
    accepted_after_a_while(&subject).await;
}

#[tokio::test]
async fn a_broken_bundle_is_a_warning_and_the_others_are_trusted() {
    let authority = Authority::new();
    let server = server(&authority).await;
    let bundles = tempfile::tempdir().unwrap();
    let broken = bundles.path().join("a.pem");
    fs::write(&broken, "not a certificate").unwrap();
    fs::write(bundles.path().join("b.pem"), authority.pem()).unwrap();
    let surroundings = Surroundings { trust_bundles: bundles.path().into(), ..nowhere() };
    let subject = Subject::new(&settings(&server.url()), &surroundings).unwrap();
    assert_eq!(subject.post().await, status(202));
    let warnings = || subject.health.readiness(std::time::Instant::now()).warnings;
    assert_eq!(warnings()[0].reason, "TrustBundleInvalid");
    assert_eq!(warnings()[0].message, format!("trust bundle {}: it holds no certificate", broken.display()));

    fs::remove_file(broken).unwrap();
    let mended = eventually(SOON, || async { if warnings().is_empty() { Ok(()) } else { Err(warnings()) } });
    tokio::select! {
        () = mended => {}
        () = subject.sink.maintain() => unreachable!("it runs until dropped"),
    }
}

#[tokio::test]
async fn tls_1_2_is_spoken_only_when_asked_for() {
    let authority = Authority::new();
    let acceptor = authority.acceptor_of("localhost", &[&version::TLS12]);
    let server = Server::tls(acceptor, |_| empty("202 Accepted")).await;
    let mut settings = settings(&server.url());
    settings.ca_certs = Some(authority.pem());
    let message = refusal(&Subject::alone(&settings)).await;
    assert!(message.contains("ProtocolVersion"), "{message}");
    settings.tls = Tls { min_version: TlsVersion::V12, ..Tls::default() };
    assert_eq!(Subject::alone(&settings).post().await, status(202));
    settings.tls.cipher_suites = vec!["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".into()];
    refusal(&Subject::alone(&settings)).await;
    settings.tls.cipher_suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".into()];
    settings.tls.curve_preferences = vec!["CurveP256".into()];
    assert_eq!(Subject::alone(&settings).post().await, status(202));
}

#[tokio::test]
async fn a_port_that_speaks_plain_http_is_a_failure_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let subject = Subject::alone(&settings(&format!("https://localhost:{port}/")));
    let (message, _open) = tokio::join!(refusal(&subject), answering);
    assert_eq!(
        message,
        format!("TLS with localhost:{port} failed: received corrupt message of type InvalidContentType")
    );
}

#[test]
fn k_ca_certs_that_are_none_are_a_wrong_setting() {
    let mut settings = settings("https://localhost/");
    let mut error = |pem: &str| {
        settings.ca_certs = Some(pem.to_owned());
        Subject::new(&settings, &nowhere()).err().unwrap().to_string()
    };
    let expected = "K_CA_CERTS (ca-certs) cannot be used: it holds no certificate; give PEM certificates";
    assert_eq!([error("nonsense"), error("")], [expected, expected]);
    settings.url = "http://localhost/".parse().unwrap();
    assert!(Subject::new(&settings, &nowhere()).is_ok(), "nobody needs certificates for plain http");
}
