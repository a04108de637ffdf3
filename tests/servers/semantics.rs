//! Every case of the semantic suite on ministack and on ElasticMQ.

mod on_ministack {
    macro_rules! case {
        ($($module:ident::$case:ident,)*) => {$(
            #[tokio::test]
            async fn $case() {
                let watched = tests::servers::ministack();
                let server = watched.endpoint();
                tests::suite::judge(stringify!($case), &server, tests::suite::$module::$case(&server)).await;
            }
        )*};
    }
    tests::for_each_semantic_case!(case);
}

mod on_elasticmq {
    macro_rules! case {
        ($($module:ident::$case:ident,)*) => {$(
            #[tokio::test]
            async fn $case() {
                let watched = tests::servers::elasticmq();
                let server = watched.endpoint();
                tests::suite::judge(stringify!($case), &server, tests::suite::$module::$case(&server)).await;
            }
        )*};
    }
    tests::for_each_semantic_case!(case);
}
