//! What is wrong with a sink that has an address.

use serde_json::json;
use tests::sink::Reply;

use super::place::{Act, Place, Told, act};
use super::{Fault, fault};
use crate::certificates::Authority;
use crate::server::{Server, empty};

/// The sink answers so, and there is something to answer.
async fn answers(place: &mut Place, reply: Reply) {
    place.sink.always(reply);
    place.queue.send("hello");
    place.source(json!({})).await;
}

/// The sink takes events again, and there is one: nothing else can tell.
const ACCEPT: Act = act!(place => {
    place.sink.accept_everything();
    place.queue.send("hello again");
});

pub fn faults() -> Vec<Fault> {
    vec![
        fault(
            "The sink's certificate is not trusted",
            "SinkUnavailable",
            "the circuit breaker is open: TLS with sink.example failed: invalid peer certificate: UnknownIssuer: give its CA in K_CA_CERTS (sink.CACerts), and use a host name that is in its certificate",
            "give its authority in `sink.CACerts` or in a trust bundle",
            act!(place => {
                let authority = Authority::new();
                let server = Server::tls(authority.acceptor(), |_| empty("202 Accepted")).await;
                let sink = json!({"uri": server.url()});
                place.tls = Some((server, authority.pem()));
                place.queue.send("hello");
                place.source(json!({"sink": sink})).await;
            }),
            act!(place => {
                let (server, pem) = place.tls.as_ref().expect("the sink");
                let sink = json!({"uri": server.url(), "CACerts": pem});
                place.source(json!({"sink": sink})).await;
            }),
        )
        .of_deliveries(),
        fault(
            "The sink wants a token",
            "SinkRefuses",
            "the sink refuses events with 401: it wants a token, set the sink's audience or give an Authorization header (sinkHeadersSecret)",
            "set `sink.audience`, or give a header in `sinkHeadersSecret`",
            act!(place => answers(place, Reply::status(401)).await),
            ACCEPT,
        )
        .of_deliveries(),
        fault(
            "Nothing listens at the sink",
            "SinkUnavailable",
            "the circuit breaker is open: nobody listens at sink.example: Connection refused (os error 111): check host and port, and that it is running",
            "start it, or correct its address; events wait in the queue",
            act!(place => {
                place.sink.down();
                answers(place, Reply::accept()).await;
            }),
            act!(place => {
                place.sink.up();
                place.queue.send("hello again");
            }),
        )
        .of_deliveries(),
        fault(
            "The sink does not answer",
            "SinkHangs",
            "a POST has waited more than 10 s for an answer: see the sink's logs; delivery.timeout limits the wait",
            "see its logs; `delivery.timeout` ends a POST",
            act!(place => {
                place.sink.script([Reply::hang()]);
                answers(place, Reply::accept()).await;
            }),
            act!(place => {
                // A sink that is started again resets its connections.
                place.sink.down();
                let reset = async |now: &Told| now.2.1 != "SinkHangs";
                place.until("True", reset).await.expect("the POST ends");
                place.sink.up();
                place.queue.send("hello again");
            }),
        )
        .of_deliveries(),
    ]
}
