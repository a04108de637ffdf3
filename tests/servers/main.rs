//! The semantic suite and the bridge end to end, on SQS servers that others wrote.

/// Each case on each server.
macro_rules! on_both {
    ($($case:ident,)*) => {
        mod on_ministack {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::ministack()).await;
            })*
        }
        mod on_elasticmq {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::elasticmq()).await;
            })*
        }
    };
}

mod bridge;
mod delivery;
mod failures;
mod feeds;
mod semantics;
