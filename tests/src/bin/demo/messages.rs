//! What an AWS account and the programs in it put into a queue. Pure.

use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// One of each kind.
pub fn mix() -> Vec<String> {
    [instance_stopped(), vpc_created(), alarm_through_sns(), object_uploaded(), order_placed()]
        .iter()
        .map(Value::to_string)
        .chain(["backup of host-7 finished in 42 s".to_owned()])
        .collect()
}

/// What arrives while the sink is out of order.
pub fn during_the_outage() -> Vec<String> {
    vec![node_added().to_string()]
}

fn instance_stopped() -> Value {
    from_event_bridge(
        "7b1c1a0e-0c3b-4a52-9d3b-2f1f3e6f6b10",
        "aws.ec2",
        "EC2 Instance State-change Notification",
        &["arn:aws:ec2:us-east-1:123456789012:instance/i-0a1b2c3d4e5f60718"],
        &json!({"instance-id": "i-0a1b2c3d4e5f60718", "state": "stopped"}),
    )
}

fn vpc_created() -> Value {
    from_event_bridge(
        "b5f0c9d4-52f7-4d7c-8f0e-4f4c8d1f2a33",
        "aws.ec2",
        "AWS API Call via CloudTrail",
        &[],
        &json!({
            "eventVersion": "1.09", "eventSource": "ec2.amazonaws.com", "eventName": "CreateVpc",
            "requestParameters": {"cidrBlock": "10.1.0.0/16"},
            "responseElements": {"vpc": {"vpcId": "vpc-0f1e2d3c4b5a69788", "tagSet": {}}}
        }),
    )
}

fn alarm_through_sns() -> Value {
    let alarm = json!({
        "AlarmName": "api-5xx", "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:api-5xx",
        "AWSAccountId": ACCOUNT, "NewStateValue": "ALARM", "OldStateValue": "OK",
        "NewStateReason": "Threshold Crossed: 3 datapoints were greater than the threshold (5.0).",
        "StateChangeTime": "2026-11-24T10:00:00.000+0000", "Region": "US East (N. Virginia)"
    });
    json!({
        "Type": "Notification", "MessageId": "0f3c8f6e-9d8b-5b57-8a0e-2f6a5f1c7d11",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:alarms", "Subject": "ALARM: \"api-5xx\" in US East (N. Virginia)",
        "Message": alarm.to_string(), "Timestamp": "2026-11-24T10:00:00.120Z", "SignatureVersion": "1"
    })
}

fn object_uploaded() -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": REGION, "eventTime": "2026-11-24T10:00:01.000Z",
        "eventName": "ObjectCreated:Put",
        "responseElements": {"x-amz-request-id": "N4N7GDK58NMKJ12R", "x-amz-id-2": "Y2xvdWRldmVudHM"},
        "s3": {
            "bucket": {"name": "invoices", "arn": "arn:aws:s3:::invoices"},
            "object": {"key": "2026/11/invoice-4711.pdf", "size": 48213, "sequencer": "0062E99A88DC407460"}
        }
    }]})
}

fn order_placed() -> Value {
    json!({
        "specversion": "1.0", "id": "order-4711", "source": "/shop/checkout", "type": "com.example.order.placed",
        "time": "2026-11-24T10:00:02Z", "datacontenttype": "application/json",
        "data": {"order": 4711, "total": "129.90"}
    })
}

fn node_added() -> Value {
    from_event_bridge(
        "e0a7a5b1-7c55-4c0b-9a59-3a0f5a1c9e77",
        "aws.autoscaling",
        "EC2 Instance Launch Successful",
        &["arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0f1e:autoScalingGroupName/nodes"],
        &json!({"AutoScalingGroupName": "nodes", "EC2InstanceId": "i-0f9e8d7c6b5a43210", "StatusCode": "InProgress"}),
    )
}

fn from_event_bridge(id: &str, source: &str, kind: &str, resources: &[&str], detail: &Value) -> Value {
    json!({
        "version": "0", "id": id, "detail-type": kind, "source": source, "account": ACCOUNT,
        "time": "2026-11-24T10:00:00Z", "region": REGION, "resources": resources, "detail": detail
    })
}
