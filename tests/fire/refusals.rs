//! What SQS, KMS and STS refuse.

use super::*;
use tests::fake_aws::FakeAws;
use tests::log_lines::LogLines;

/// Nothing that only a person can mend is asked more than twice a minute.
#[test]
fn fail_18_a_refused_permission_is_asked_for_twice_a_minute_and_shows_in_readiness() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sqs.inject(on(Action::ReceiveMessage), Fault::Refuse(Code::ACCESS_DENIED));
        let bridge = scene.start().await;
        bridge.unready_because("AccessDenied").await;
        scene.sqs.forget_calls();
        pass(seconds(600)).await;
        let calls = scene.sqs.count(Action::ReceiveMessage);
        assert!((10..=20).contains(&calls), "{calls} receives in ten minutes");
        assert_eq!(bridge.readiness().await.0, 503);
        bridge.stop().await;
    });
}

/// At about 120,000 messages in flight a long poll brings nothing and says nothing: a look at the queue's attributes
/// after a quiet minute tells.
#[test]
fn fail_25_the_silent_limit_of_messages_in_flight_is_noticed() {
    timelapse(async {
        let log = LogLines::listen();
        let scene = Scene::new().await;
        scene.queue.set_in_flight_elsewhere(120_000);
        scene.queue.send("held back");
        scene.sqs.inject(on(Action::ReceiveMessage).once(), Fault::Nonsense { status: 200, body: "{}" });
        let bridge = scene.start().await;
        pass(seconds(50)).await;
        assert_eq!(log.with("queue_in_flight_limit"), Vec::<String>::new());
        pass(seconds(50)).await;
        let lines = log.with("queue_in_flight_limit");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("visible=1 in_flight=120000"), "{lines:?}");
        assert_eq!(bridge.page("/health").await.0, 200);
        scene.queue.set_in_flight_elsewhere(0);
        scene.drained().await;
        bridge.stop().await;
    });
}

/// A throttled key passes by itself, a denied one only by a person: only the second is a condition.
#[test]
fn fail_26_a_throttled_key_is_waited_for_and_a_denied_one_is_reported() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        bridge.ready().await;
        let throttled = scene.sqs.inject(on(Action::ReceiveMessage), Fault::Refuse(Code::KMS_THROTTLING));
        scene.sqs.forget_calls();
        pass(seconds(120)).await;
        let calls = scene.sqs.count(Action::ReceiveMessage);
        assert!((5..=40).contains(&calls), "{calls} receives in two minutes of throttling");
        assert_eq!(bridge.readiness().await.0, 200, "throttling passes by itself");
        throttled.off();
        scene.queue.send("after the throttling");
        scene.drained_within(seconds(35)).await;

        let denied = scene.sqs.inject(on(Action::ReceiveMessage), Fault::Refuse(Code::KMS_ACCESS_DENIED));
        let sentence = bridge.unready_because("KmsAccessDenied").await;
        assert!(sentence.contains("kms:Decrypt"), "{sentence}");
        denied.off();
        bridge.ready().await;
        bridge.stop().await;
    });
}

/// A FIFO queue allows 300 receives a second; beyond, fewer pollers ask, and none of them hammers.
#[test]
fn fail_30_throttled_receives_of_a_fifo_queue_make_pollers_fewer() {
    timelapse(async {
        let scene = Scene::fifo().await;
        let quota = on(Action::ReceiveMessage).above_per_second(30.0);
        let throttled = scene.sqs.inject(quota, Fault::Refuse(Code::REQUEST_THROTTLED));
        scene.sqs.inject(on(Action::ReceiveMessage), Fault::Delay(Latency::exactly(millis(15))));
        let sent = scene.send_groups(200, 5);
        let bridge = scene.setup().set("BRIDGE_MAX_MESSAGES", "5").start().await;
        let start = Instant::now();
        scene.drained().await;
        let (calls, took) = (scene.sqs.count(Action::ReceiveMessage), start.elapsed());
        assert!(throttled.fired() > 0, "the quota was reached");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = calls as f64 / took.as_secs_f64();
        assert!(per_second <= 90.0, "{per_second} receives a second where 30 are allowed; unhindered it is 1,000");
        assert_eq!(scene.sink.order_by_group(), sent);
        bridge.stop().await;
    });
}

/// The session of a web identity ends before its time: one receive fails, the next has a new one.
#[test]
fn fail_32_a_session_that_expires_costs_one_receive() {
    timelapse(async {
        let (scene, sts) = (Scene::new().await, FakeAws::start().await);
        let folder = tempfile::tempdir().expect("a folder");
        let token = folder.path().join("token");
        std::fs::write(&token, "jwt").expect("a token");
        let setup = scene
            .setup()
            .set("BRIDGE_KEYS_DIR", "")
            .set("AWS_ENDPOINT_URL_STS", &sts.url())
            .set("AWS_WEB_IDENTITY_TOKEN_FILE", &token.to_string_lossy())
            .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/orders");
        let bridge = setup.start().await;
        bridge.ready().await;
        pass(seconds(100)).await;
        let before = scene.sqs.calls().pop().expect("there were calls").caller.access_key;
        scene.sqs.reject_access_key(&before, Code::EXPIRED_TOKEN);
        scene.queue.send("with the new session");
        scene.drained().await;
        pass(seconds(100)).await;
        let calls = scene.sqs.calls_of(Action::ReceiveMessage);
        let failed: Vec<_> = calls.iter().filter_map(|call| call.error).collect();
        assert!(failed.len() <= 1, "receives that failed: {failed:?}");
        let after = &calls.last().expect("there were calls").caller.access_key;
        assert_ne!(*after, before);
        bridge.stop().await;
    });
}
