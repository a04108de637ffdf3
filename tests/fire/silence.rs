//! A bridge that lives and does nothing must not go unnoticed.

use std::sync::Arc;

use super::*;
use sqs_bridge::admin::{self, Pages};
use sqs_bridge::config::Identity;
use sqs_bridge::health::Health;
use sqs_bridge::metrics::Metrics;
use tests::schedule::{Plan, Queue, Scale, play};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// An hour of faults of all kinds never stops a bridge for good, nor makes its liveness fail; a deadlock does.
#[test]
fn fail_19_an_hour_of_chaos_stops_nothing_and_a_deadlock_fails_liveness() {
    for queue in [Queue::Standard, Queue::Fifo] {
        let plan = Plan::of(19, queue, &Scale::SOAK);
        timelapse(play::watched(&plan)).unwrap_or_else(|broken| panic!("{queue:?}: {broken}"));
    }
    timelapse(async {
        let now = Instant::now().into_std();
        let health = Arc::new(Health::new(seconds(20), seconds(310), now));
        // The owner of the leases exists and takes no question: it hangs.
        let (ping, _never_read) = mpsc::channel::<oneshot::Sender<()>>(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let metrics = Metrics::new(&identity(), "q").expect("metrics");
        let pages = Pages { health: Arc::clone(&health), metrics, integration_source: false };
        let served = tokio::spawn(admin::serve(listener, pages, std::future::pending()));
        let status = async || {
            let mut stream = TcpStream::connect(address).await.expect("the pages answer");
            let request = b"GET /health HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await.expect("a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer.split(' ').nth(1).map(str::to_owned)
        };
        assert_eq!(status().await.as_deref(), Some("200"));
        health.set_owner_ping(ping);
        assert_eq!(status().await.as_deref(), Some("503"));
        served.abort();
    });
}

fn identity() -> Identity {
    Identity {
        namespace: None,
        name: "adapter".to_owned(),
        uid: None,
        pod_name: None,
        component: "awssqssource".to_owned(),
        resource_group: "adapter.sources.knative.dev".to_owned(),
    }
}
