//! What the demo puts into the queue: a believable morning of an AWS account. Pure.

/// A message, and a few words on where it comes from.
pub struct Message {
    /// Such as `EventBridge: an EC2 instance is running`.
    pub what: &'static str,
    /// The body, as SQS would hold it.
    pub body: &'static str,
}

/// Delivered at once.
pub const MESSAGES: &[Message] = &[
    Message {
        what: "EventBridge: an EC2 instance is running",
        body: r#"{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","time":"2026-11-24T08:15:02Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-0f3e9c41d2b07a6c8"],"detail":{"instance-id":"i-0f3e9c41d2b07a6c8","state":"running"}}"#,
    },
    Message {
        what: "CloudTrail through EventBridge: somebody makes a VPC",
        body: r#"{"version":"0","id":"1d3f0a52-6c0e-8a1b-41c9-0b6a2f8f1e77","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"123456789012","time":"2026-11-24T08:17:40Z","region":"us-east-1","resources":[],"detail":{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","accountId":"123456789012"},"eventTime":"2026-11-24T08:17:40Z","eventSource":"ec2.amazonaws.com","eventName":"CreateVpc","awsRegion":"us-east-1","requestParameters":{"cidrBlock":"10.20.0.0/16"},"responseElements":{"vpc":{"vpcId":"vpc-0d1f4c2ab39e8d7f5","state":"pending"}}}}"#,
    },
    Message {
        what: "CloudWatch through SNS: an alarm",
        body: r#"{"Type":"Notification","MessageId":"95df01b4-ee98-5cb9-9903-4c221d41eb5e","TopicArn":"arn:aws:sns:us-east-1:123456789012:ops-alarms","Subject":"ALARM: \"checkout-5xx\" in US East (N. Virginia)","Message":"{\"AlarmName\":\"checkout-5xx\",\"AlarmDescription\":null,\"AWSAccountId\":\"123456789012\",\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"Threshold Crossed: 2 datapoints were greater than the threshold (5.0).\",\"StateChangeTime\":\"2026-11-24T08:20:11.104+0000\",\"Region\":\"US East (N. Virginia)\",\"AlarmArn\":\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout-5xx\",\"OldStateValue\":\"OK\"}","Timestamp":"2026-11-24T08:20:11.166Z","SignatureVersion":"1"}"#,
    },
    Message {
        what: "S3: a photo was uploaded",
        body: r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-11-24T08:22:54.310Z","eventName":"ObjectCreated:Put","requestParameters":{"sourceIPAddress":"203.0.113.17"},"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"FMyUVURIY8_IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S_JRWeUWerMUE5JgHvANOjpD"},"s3":{"s3SchemaVersion":"1.0","bucket":{"name":"shop-photos","arn":"arn:aws:s3:::shop-photos"},"object":{"key":"2026/11/red+shoes.jpg","size":184211,"eTag":"9f1d2b7c","sequencer":"0055AED6DCD90281E5"}}}]}"#,
    },
    Message { what: "A program: plain text", body: "nightly export finished: 48213 rows in 312 s" },
];

/// Delivered after the sink has come back.
pub const DURING_OUTAGE: Message = Message {
    what: "A program: a CloudEvent of its own",
    body: r#"{"specversion":"1.0","id":"order-4711-placed","source":"/shop/checkout","type":"com.example.order.placed","subject":"order/4711","time":"2026-11-24T08:25:31Z","datacontenttype":"application/json","data":{"order":4711,"total":"59.90","currency":"EUR"}}"#,
};
