//! One message of every kind through the whole bridge: what the sink sees of it.

use super::*;
use tests::sink::Event;

/// Sends one body and returns the events that it becomes.
async fn events_of(scene: &Scene, body: &str) -> Vec<Event> {
    let before = scene.sink.count();
    scene.queue.send(body);
    scene.drained().await;
    scene.sink.accepted().into_iter().skip(before).map(|delivery| delivery.event).collect()
}

fn shown(event: &Event) -> (&str, &str, &str, Option<&str>) {
    (event.kind(), event.source(), event.id(), event.subject())
}

const EC2: &str = r#"{"version":"0","id":"7bf73129-1428-4cd3-a780-95db273d1602","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","time":"2026-11-24T10:00:00Z","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-0abc"],"detail":{"instance-id":"i-0abc","state":"running"}}"#;
const ALARM: &str = r#"{"AlarmName":"cpu-high","AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-high","AWSAccountId":"123456789012","NewStateValue":"ALARM","OldStateValue":"OK","StateChangeTime":"2026-11-24T10:00:00.000+0000"}"#;
const S3: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-11-24T10:00:00.000Z","eventName":"ObjectCreated:Put","responseElements":{"x-amz-request-id":"REQ1","x-amz-id-2":"HOST1"},"s3":{"bucket":{"name":"photos"},"object":{"key":"a+b.png","sequencer":"01"}}}]}"#;
const CLOUD_EVENT: &str =
    r#"{"specversion":"1.0","id":"ce-1","source":"/shop","type":"order.placed","subject":"o-1","data":{"total":1}}"#;

fn in_sns(message: &str) -> String {
    serde_json::json!({
        "Type": "Notification", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:alarms", "Subject": "about", "Message": message,
        "Timestamp": "2026-11-24T10:00:00.000Z", "SignatureVersion": "1"
    })
    .to_string()
}

/// The whole mapping has its own tests; this proves that each kind finds its way through receive, POST and delete.
#[test]
fn every_kind_of_message_is_drained_as_what_it_is() {
    timelapse(async {
        let scene = Scene::new().await;
        let bridge = scene.start().await;

        let ec2 = events_of(&scene, EC2).await;
        let instance = "arn:aws:ec2:us-east-1:123456789012:instance/i-0abc";
        let id = "7bf73129-1428-4cd3-a780-95db273d1602";
        let kind = "com.amazonaws.ec2.EC2InstanceStateChangeNotification";
        assert_eq!(shown(&ec2[0]), (kind, "aws.ec2", id, Some(instance)));
        assert_eq!(ec2[0].text(), EC2);

        let alarm = events_of(&scene, &in_sns(ALARM)).await;
        let source = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-high";
        let (kind, id) = ("com.amazonaws.cloudwatch.AlarmNotification", "95df01b4-ee98-5cb9-9903-4c221d41eb5e");
        assert_eq!(shown(&alarm[0]), (kind, source, id, Some("cpu-high")));

        let s3 = events_of(&scene, S3).await;
        let kind = "com.amazonaws.s3.ObjectCreated:Put";
        assert_eq!(shown(&s3[0]), (kind, "aws:s3.us-east-1.photos", "REQ1.HOST1", Some("a+b.png")));

        let plain = events_of(&scene, &in_sns("hello")).await;
        let topic = "arn:aws:sns:us-east-1:123456789012:alarms";
        assert_eq!((plain[0].kind(), plain[0].source()), ("com.amazonaws.sns.Notification", topic));

        let passed = events_of(&scene, CLOUD_EVENT).await;
        assert_eq!(shown(&passed[0]), ("order.placed", "/shop", "ce-1", Some("o-1")));

        let arn = scene.queue.arn();
        for body in ["plain text", r#"{"some":"json"}"#, "[1,2]"] {
            let generic = events_of(&scene, body).await;
            assert_eq!((generic[0].kind(), generic[0].source()), ("com.amazonaws.sqs.message", arn.as_str()));
            assert_eq!(generic[0].text(), body);
        }
        scene.assert_nothing_lost();
        bridge.stop().await;
    });
}
