//! The semantic suite against the simulator, over HTTP, by the AWS SDK.

use tests::sqs::Simulator;
use tests::suite::{Endpoint, Server, judge};

macro_rules! on_simulator {
    ($($module:ident::$case:ident,)*) => {$(
        #[tokio::test]
        async fn $case() {
            let sqs = Simulator::start().await;
            let server = Endpoint { server: Server::Simulator, url: sqs.url() };
            judge(stringify!($case), &server, tests::suite::$module::$case(&server)).await;
        }
    )*};
}

tests::for_each_semantic_case!(on_simulator);
