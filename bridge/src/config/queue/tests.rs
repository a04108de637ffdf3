use super::*;

fn by_url(url: &str) -> QueueSettings<'_> {
    QueueSettings { url: Some(url), ..QueueSettings::default() }
}

fn region(given: &QueueSettings) -> Option<String> {
    locate(given).ok().map(|queue| queue.region)
}

fn arn_text(given: &QueueSettings) -> Option<String> {
    locate(given).ok().map(|queue| queue.arn.to_string())
}

#[test]
fn the_region_of_a_url_is_read_from_every_kind_of_host() {
    let cases = [
        ("https://sqs.eu-north-1.amazonaws.com/123456789012/q", Some("eu-north-1")),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/q", Some("us-gov-west-1")),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/q", Some("eu-west-1")),
        ("https://queue.amazonaws.com/123456789012/q", Some("us-east-1")),
        ("https://vpce-0a1b-x.sqs.eu-central-1.vpce.amazonaws.com/123456789012/q", Some("eu-central-1")),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", Some("cn-north-1")),
        ("https://proxy.ap-southeast-2.example.com/123456789012/q", Some("ap-southeast-2")),
        ("http://localhost:9324/000000000000/q", None),
        ("http://10.1.2.3/q", None),
    ];
    for (url, expected) in cases {
        assert_eq!(region(&by_url(url)), expected.map(str::to_owned), "{url}");
    }
}

#[test]
fn a_host_that_is_no_public_name_becomes_the_endpoint() {
    let cases = [
        ("https://sqs.eu-north-1.amazonaws.com/123456789012/q", None),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/q", None),
        ("https://sqs-fips.us-east-1.amazonaws.com/123456789012/q", Some("https://sqs-fips.us-east-1.amazonaws.com/")),
        (
            "https://vpce-0a1b.sqs.eu-north-1.vpce.amazonaws.com/1/q",
            Some("https://vpce-0a1b.sqs.eu-north-1.vpce.amazonaws.com/"),
        ),
        ("http://sqs.us-east-1.localhost:4566/000000000000/q", Some("http://sqs.us-east-1.localhost:4566/")),
    ];
    for (url, expected) in cases {
        let queue = locate(&by_url(url)).expect(url);
        assert_eq!(queue.endpoint.map(String::from), expected.map(str::to_owned), "{url}");
    }
}

#[test]
fn an_endpoint_that_is_given_wins_over_the_host_of_the_url() {
    let given = QueueSettings { endpoint: Some("http://localhost:4566"), ..by_url("http://other:1/123456789012/q") };
    let given = QueueSettings { region: Some("eu-north-1"), ..given };
    assert_eq!(locate(&given).expect("a queue").endpoint, Url::parse("http://localhost:4566").ok());
}

#[test]
fn the_arn_is_put_together_from_url_and_region() {
    let cases = [
        (
            "https://sqs.eu-north-1.amazonaws.com/123456789012/orders.fifo",
            "arn:aws:sqs:eu-north-1:123456789012:orders.fifo",
        ),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "arn:aws-cn:sqs:cn-north-1:123456789012:q"),
        ("http://sqs.us-east-1.elasticmq:9324/queue/q", "arn:aws:sqs:us-east-1::q"),
    ];
    for (url, expected) in cases {
        assert_eq!(arn_text(&by_url(url)).as_deref(), Some(expected));
    }
}

#[test]
fn an_arn_alone_names_queue_region_and_account() {
    let given = QueueSettings { arn: Some("arn:aws:sqs:eu-north-1:123456789012:orders"), ..QueueSettings::default() };
    let expected = Queue {
        url: None,
        arn: Arn {
            partition: "aws".to_owned(),
            region: "eu-north-1".to_owned(),
            account: "123456789012".to_owned(),
            name: "orders".to_owned(),
        },
        account_known: true,
        region: "eu-north-1".to_owned(),
        endpoint: None,
        create_missing: false,
        delete_accepted: true,
    };
    assert_eq!(locate(&given), Ok(expected));
}

#[test]
fn an_arn_without_account_is_looked_up_by_name() {
    let given = QueueSettings { arn: Some("arn:aws:sqs:us-west-1::eventing-e2e"), ..QueueSettings::default() };
    assert!(!locate(&given).expect("a queue").account_known);
}

#[test]
fn a_region_that_the_platform_injects_gives_way_to_what_the_queue_states() {
    let ambient = QueueSettings { region: Some("us-east-1"), region_is_ambient: true, ..QueueSettings::default() };
    let arn = QueueSettings { arn: Some("arn:aws:sqs:eu-north-1:123456789012:q"), ..ambient };
    assert_eq!(region(&arn).as_deref(), Some("eu-north-1"));
    let public = QueueSettings { url: Some("https://sqs.eu-north-1.amazonaws.com/123456789012/q"), ..ambient };
    assert_eq!(region(&public).as_deref(), Some("eu-north-1"));
    let emulator = QueueSettings { url: Some("http://localhost:4566/123456789012/q"), ..ambient };
    assert_eq!(region(&emulator).as_deref(), Some("us-east-1"));
}

#[test]
fn a_region_that_was_typed_must_agree_with_the_queue() {
    let given = QueueSettings {
        arn: Some("arn:aws:sqs:eu-north-1:123456789012:q"),
        region: Some("us-east-1"),
        ..QueueSettings::default()
    };
    let problems = locate(&given).expect_err("two regions");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].0.env, "AWS_REGION");
    assert_eq!(
        problems[0].1,
        "us-east-1 differs from eu-north-1, the region of the queue: leave it out or use eu-north-1"
    );
}

#[test]
fn url_and_arn_must_name_the_same_queue() {
    let url = "https://sqs.eu-north-1.amazonaws.com/123456789012/orders";
    let both = |arn| locate(&QueueSettings { arn: Some(arn), ..by_url(url) });
    assert!(both("arn:aws:sqs:eu-north-1:123456789012:orders").is_ok());
    for other in [
        "arn:aws:sqs:eu-north-1:123456789012:invoices",
        "arn:aws:sqs:eu-north-1:999999999999:orders",
        "arn:aws:sqs:eu-west-1:123456789012:orders",
    ] {
        assert_eq!(both(other).expect_err(other)[0].0.env, "AWS_SQS_ARN", "{other}");
    }
}

#[test]
fn malformed_values_are_all_reported() {
    let given = QueueSettings {
        url: Some("sqs.eu-north-1/q"),
        arn: Some("orders"),
        region: Some("Frankfurt"),
        region_is_ambient: false,
        endpoint: Some("localhost:4566"),
    };
    let names: Vec<_> = locate(&given).expect_err("nothing is right").iter().map(|(setting, _)| setting.env).collect();
    assert_eq!(names, ["AWS_SQS_URL", "AWS_SQS_ARN", "AWS_REGION", "AWS_ENDPOINT_URL_SQS"]);
}

#[test]
fn arns_are_those_of_queues() {
    for right in [
        "arn:aws:sqs:eu-north-1:123456789012:orders",
        "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:a_b-C.fifo",
        "arn:aws-iso-b:sqs:us-isob-east-1:123456789012:q",
    ] {
        assert_eq!(queue_arn(right).map(|arn| arn.to_string()), Ok(right.to_owned()));
    }
    for wrong in [
        "",
        "arn:aws:sns:eu-north-1:123456789012:orders",
        "arn:aws:sqs:eu-north-1:12345:orders",
        "arn:aws:sqs:Frankfurt:123456789012:orders",
        "arn:aws:sqs:eu-north-1:123456789012:.fifo",
        "arn:aws:sqs:eu-north-1:123456789012:a/b",
        "arn:aws:sqs:eu-north-1:123456789012:a:b",
    ] {
        assert!(queue_arn(wrong).is_err(), "{wrong}");
    }
}
