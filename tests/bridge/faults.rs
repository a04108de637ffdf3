//! What AWS answers when something is wrong, and what the bridge says of it.

use super::*;
use tests::bridge::ACCESS_KEY;
use tests::sqs::{Action, Code, Fault, on, on_any};

/// Each wrong setting of AWS: the reason that readiness gives, and what its sentence names.
#[test]
fn readiness_says_what_is_wrong_with_the_queue() {
    let known = [
        (Code::QUEUE_DOES_NOT_EXIST, "NonExistentQueue", "q"),
        (Code::ACCESS_DENIED, "AccessDenied", "sqs:ReceiveMessage"),
        (Code::KMS_ACCESS_DENIED, "KmsAccessDenied", "kms:Decrypt"),
        (Code::KMS_DISABLED, "KmsAccessDenied", "enable the key"),
        (Code::EXPIRED_TOKEN, "CredentialsRejected", "ExpiredToken"),
        (Code::INVALID_CLIENT_TOKEN, "CredentialsRejected", "InvalidClientTokenId"),
        (Code::SIGNATURE_DOES_NOT_MATCH, "CredentialsRejected", "SignatureDoesNotMatch"),
    ];
    timelapse(async {
        for (code, reason, word) in known {
            let scene = Scene::new().await;
            let fault = scene.sqs.inject(on(Action::ReceiveMessage), Fault::Refuse(code));
            let bridge = scene.start().await;
            let sentence = bridge.unready_because(reason).await;
            assert!(sentence.contains(word), "{code:?}: {sentence}");

            fault.off();
            scene.queue.send("hello");
            scene.drained().await;
            bridge.ready().await;
            bridge.stop().await;
        }
    });
}

/// Whatever passes is waited out, and the work goes on.
#[test]
fn passing_faults_of_sqs_are_waited_out() {
    let faults = [
        Fault::Refuse(Code::REQUEST_THROTTLED),
        Fault::Refuse(Code::THROTTLING),
        Fault::Refuse(Code::KMS_THROTTLING),
        Fault::Refuse(Code::OVER_LIMIT),
        Fault::Refuse(Code::INTERNAL_ERROR),
        Fault::Refuse(Code::SERVICE_UNAVAILABLE),
        Fault::Reset,
        Fault::Swallow,
        Fault::LoseAnswer,
        Fault::HoldAnswer,
        Fault::Nonsense { status: 200, body: "not json" },
        Fault::Nonsense { status: 503, body: "<html>" },
    ];
    timelapse(async {
        for fault in faults {
            let scene = Scene::new().await;
            let switch = scene.sqs.inject(on(Action::ReceiveMessage).times(5), fault.clone());
            let bridge = scene.start().await;
            scene.queue.send_all((0..60).map(|number| number.to_string()));
            scene.drained().await;
            assert!(switch.fired() >= 1, "{fault:?} never happened");
            assert_eq!(scene.sink.acceptances().len(), 60, "{fault:?}");
            assert_eq!(scene.sink.duplicates().len(), 0, "{fault:?}");
            bridge.stop().await;
        }
    });
}

/// An endpoint where nobody listens is told apart from one that refuses.
#[test]
fn readiness_names_an_endpoint_that_does_not_answer() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sqs.partition();
        let bridge = scene.start().await;
        let sentence = bridge.unready_because("EndpointUnreachable").await;
        assert!(sentence.contains(&scene.sqs.url()), "{sentence}");
        bridge.stop().await;
    });
}

/// The log line of the real program names what to do.
#[tokio::test]
async fn the_log_says_what_to_do() {
    let scene = Scene::new().await;
    scene.sqs.inject(on_any().by(ACCESS_KEY), Fault::Refuse(Code::ACCESS_DENIED));
    let bridge = scene.setup().spawn();
    let line = bridge.line_with("sqs:ReceiveMessage denied").await;
    for word in ["receive_failed", r#"\"Action\":\"sqs:ReceiveMessage\""#, "add"] {
        assert!(line.contains(word), "{word} in {line}");
    }
}
