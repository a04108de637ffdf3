//! Connections that die, and connections that are not needed.

use super::*;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// When receives came.
fn receives(scene: &Scene) -> Vec<Instant> {
    scene.sqs.calls_of(Action::ReceiveMessage).iter().map(|call| call.came).collect()
}

/// A long poll of 20 s may take 25 s, and a retry waits a tenth of a second at first.
#[test]
fn fail_01_a_receive_on_a_dead_connection_is_given_up_after_25_seconds() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;
        bridge.ready().await;
        pass(seconds(65)).await;
        let hung = *receives(&scene).last().expect("a long poll is out");
        scene.sqs.go_silent();
        pass(seconds(10)).await;
        scene.sqs.heal();
        scene.queue.send("after the silence");
        scene.drained().await;
        let next = receives(&scene).into_iter().find(|came| *came > hung).expect("another receive");
        assert!(next - hung <= millis(25_200), "the next receive came {:?} after the one that hung", next - hung);
        bridge.stop().await;
    });
}

/// Nothing can be reached for five minutes; then everything that has gathered goes through at full rate.
#[test]
fn fail_02_after_a_partition_of_five_minutes_the_bridge_is_at_full_rate_within_35_seconds() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sqs.inject(on(Action::ReceiveMessage), Fault::Delay(Latency::exactly(millis(15))));
        let bridge = scene.start().await;
        bridge.ready().await;
        scene.sqs.partition();
        pass(seconds(300)).await;
        assert_eq!(bridge.page("/health").await.0, 200, "an outage of AWS is no reason to restart");
        scene.queue.send_all(numbered(500));
        scene.sqs.forget_calls();
        scene.sqs.heal();
        let healed = Instant::now();
        scene.drained().await;
        assert!(healed.elapsed() <= seconds(35), "500 messages were gone {:?} after the network", healed.elapsed());
        let first = receives(&scene)[0];
        assert!(first.elapsed() <= seconds(1), "500 messages took {:?} from the first receive on", first.elapsed());
        bridge.stop().await;
    });
}

/// The sink's connection was closed long ago by the time the message comes.
#[test]
fn fail_17_after_ten_idle_minutes_a_message_arrives_within_50_milliseconds() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.close_idle_after(seconds(10));
        let bridge = scene.start().await;
        bridge.ready().await;
        for number in 0..3 {
            pass(seconds(600)).await;
            let sent = Instant::now();
            scene.queue.send(number.to_string());
            scene.drained().await;
            let took = scene.sink.deliveries()[number].came - sent;
            assert!(took <= millis(50), "it took {took:?}");
        }
        bridge.stop().await;
    });
}

/// A connection per POST would exhaust ports and handshakes.
#[test]
fn fail_22_the_sink_sees_no_more_connections_than_posts_at_once() {
    timelapse(async {
        let scene = Scene::new().await;
        scene.sink.always(Reply::accept().taking(Latency::around(millis(20))));
        scene.queue.send_all(numbered(600));
        let bridge = scene.setup().set("BRIDGE_MAX_CONCURRENCY", "16").start().await;
        scene.drained().await;
        assert_eq!(scene.sink.accepted_count(), 600);
        assert!(scene.sink.connections() <= 20, "{} connections for 16 POSTs at once", scene.sink.connections());
        bridge.stop().await;
    });
}

/// A receiver that closes after 10 idle seconds resets what is sent on a connection that it has just closed.
#[test]
fn fail_23_a_message_each_ten_seconds_never_meets_a_connection_that_the_sink_has_closed() {
    timelapse(async {
        let scene = Scene::new().await;
        let mut idle_since = std::collections::BTreeMap::new();
        scene.sink.decide(move |delivery| {
            let before = idle_since.insert(delivery.connection, delivery.came);
            before.is_some_and(|before| delivery.came - before > millis(9_900)).then(Reply::reset)
        });
        let bridge = scene.start().await;
        bridge.ready().await;
        for number in 0..60 {
            scene.queue.send(number.to_string());
            pass(millis(9_000 + number * 34)).await;
        }
        scene.drained().await;
        let failed = scene.sink.deliveries().iter().filter(|delivery| !delivery.is_accepted()).count();
        assert_eq!((failed, scene.sink.accepted_count()), (0, 60));
        bridge.stop().await;
    });
}

/// One hung answer holds one slot, and a peer that takes no bytes any more is cut off by the kernel. Real time: the
/// limit is a timer of the kernel.
#[tokio::test]
async fn fail_39_a_hung_sink_holds_one_post_and_a_black_hole_is_cut_within_35_seconds() {
    let hole = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/", hole.local_addr().expect("an address"));
    let scene = Scene::new().await;
    // More than the buffers of both kernels hold.
    scene.queue.send("x".repeat(1_000_000));
    for body in ["a", "b", "c"] {
        scene.queue.send(body);
    }
    let bridge = scene.setup().set("K_SINK", &address).set("K_SINK_TIMEOUT", "60").start().await;
    let mut swallowed = Vec::new();
    let mut others = 0;
    let (mut opened, mut cut) = (None, None);
    while cut.is_none() {
        let (mut stream, _) = hole.accept().await.expect("a connection");
        let mut head = [0; 2048];
        let read = stream.read(&mut head).await.expect("a request");
        let request = String::from_utf8_lossy(&head[..read]).to_lowercase();
        if !request.contains("content-length: 1000000") {
            answer(&mut stream).await;
            others += 1;
            continue;
        }
        if opened.is_some() {
            cut = Some(Instant::now());
        }
        opened.get_or_insert_with(Instant::now);
        swallowed.push(stream);
    }
    let (opened, cut) = (opened.expect("the first"), cut.expect("the second"));
    assert_eq!(others, 3, "the other messages went past the one that hung");
    assert!(cut - opened <= seconds(35), "the dead peer was cut after {:?}", cut - opened);
    bridge.kill();
}

async fn answer(stream: &mut tokio::net::TcpStream) {
    use tokio::io::AsyncWriteExt;
    let accepted = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(accepted).await.expect("the bridge reads");
}
