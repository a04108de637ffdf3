//! Which queue is drained, where, and in whose name requests are signed.

use serde_json::json;
use tests::sqs::{Action, Request};

use crate::row::{Becomes::Env, Row, row, wire};

const FIFO: &str = "arn:aws:sqs:eu-north-1:123456789012:orders.fifo";

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "queueUrl",
            json!({"queueArn": null, "queueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/q"}),
            Env("AWS_SQS_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/q"),
            wire!(stage => {
                let other = stage.sqs.queue("other");
                let _pod = stage.start(&json!({"queueUrl": other.url()})).await;
                assert_eq!(stage.long_poll().await.receive().unwrap().queue_url, other.url());
            }),
        ),
        row(
            "queueArn",
            json!({"queueArn": FIFO}),
            Env("AWS_SQS_ARN", FIFO),
            wire!(stage => {
                let other = stage.sqs.queue_of("999999999999", "q", &[]);
                let set = json!({"queueUrl": null, "queueArn": other.arn(), "endpointUrl": stage.sqs.url()});
                let _pod = stage.start(&set).await;
                assert_eq!(stage.long_poll().await.receive().unwrap().queue_url, other.url());
                let asked = stage.sqs.calls_of(Action::GetQueueUrl).remove(0).request;
                let Request::GetQueueUrl(asked) = asked else { panic!("{asked:?}") };
                assert_eq!(asked.queue_owner_aws_account_id.as_deref(), Some("999999999999"));
            }),
        ),
        row(
            "region",
            json!({"queueArn": null, "queueUrl": "http://localhost:9324/queue/q", "region": "ap-south-1"}),
            Env("AWS_REGION", "ap-south-1"),
            wire!(stage => {
                let _pod = stage.start(&json!({"region": "ap-south-1"})).await;
                assert_eq!(stage.long_poll().await.caller.region, "ap-south-1");
            }),
        ),
        row(
            "endpointUrl",
            json!({"endpointUrl": "http://localhost:4566"}),
            Env("AWS_ENDPOINT_URL_SQS", "http://localhost:4566"),
            wire!(stage => {
                let url = "https://sqs.us-east-1.amazonaws.com/123456789012/q";
                let _pod = stage.start(&json!({"queueUrl": url, "endpointUrl": stage.sqs.url()})).await;
                let call = stage.long_poll().await;
                assert_eq!(format!("http://{}", call.caller.host), stage.sqs.url());
                assert_eq!(call.receive().unwrap().queue_url, url);
            }),
        ),
    ]
}
