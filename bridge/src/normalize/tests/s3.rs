use super::*;

fn record(event_name: &str, key: &str, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z","eventName":"{event_name}","responseElements":{{"x-amz-request-id":"C3D13FE5","x-amz-id-2":"FMyUVURI/x+1="}},"s3":{{"bucket":{{"name":"bkt"}},"object":{{"key":"{key}"{more}}}}}}}"#
    )
}

fn notification(records: &[String]) -> Message {
    message(format!("{{\"Records\": [{}]}}", records.join(", ")))
}

#[test]
fn each_record_is_an_event_whose_data_is_that_record() {
    let records = [
        record("ObjectCreated:Put", "a%40b", r#","sequencer":"0055AED6DCD90281E5""#),
        record("ObjectTagging:Put", "c", ""),
    ];
    let events = mapped(&notification(&records), &settings());
    let own = |subject, ty, sequencer: Option<&str>| {
        expected(json!({
            "id": "C3D13FE5.FMyUVURI/x+1=",
            "source": "aws:s3.us-west-2.bkt",
            "type": ty,
            "subject": subject,
            "time": "1970-01-01T00:00:00.000Z",
            "awsregion": "us-west-2",
            "s3sequencer": sequencer,
        }))
    };
    let created = own("a%40b", "com.amazonaws.s3.ObjectCreated:Put", Some("0055AED6DCD90281E5"));
    let tagged = own("c", "com.amazonaws.s3.ObjectTagging:Put", None);
    assert_eq!(events.iter().map(attributes).collect::<Vec<_>>(), [created, tagged]);
    assert_eq!(events.iter().map(Event::data).collect::<Vec<_>>(), records);
}

#[test]
fn the_id_is_that_of_the_request_alone_only_where_it_touches_one_object() {
    let id = |name: &str, key: &str, more: &str| {
        mapped(&notification(&[record(name, key, more)]), &settings())[0].id().to_owned()
    };
    for name in ["ObjectCreated:CompleteMultipartUpload", "ObjectTagging:Delete", "ObjectAcl:Put", "ObjectRestore:Post"]
    {
        assert_eq!(id(name, "k", ""), "C3D13FE5.FMyUVURI/x+1=", "{name}");
    }
    let hashed = |content: &str| format!("C3D13FE5.FMyUVURI/x+1=.{}", identity::short_hash::<8>(content.as_bytes()));
    assert_eq!(id("ObjectRemoved:Delete", "k", ""), hashed("ObjectRemoved:Delete\0k\0\0"));
    assert_eq!(
        id("ObjectRemoved:Delete", "k", r#","versionId":"v1","sequencer":"00""#),
        hashed("ObjectRemoved:Delete\0k\0v1\x0000")
    );
    assert_eq!(hashed("").len(), "C3D13FE5.FMyUVURI/x+1=.".len() + 16);
}

#[test]
fn the_deletes_of_one_request_have_different_ids() {
    let records: Vec<_> = ["a", "b", "c"].map(|key| record("ObjectRemoved:Delete", key, "")).into();
    let events = mapped(&notification(&records), &settings());
    let ids: std::collections::HashSet<_> = events.iter().map(Event::id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn stores_that_name_no_request_or_region_take_those_of_the_message() {
    let record = r#"{"eventSource":"minio:s3","eventName":"ObjectRemoved:Delete","eventTime":"now","responseElements":[],"s3":{"bucket":{"name":"b k"},"object":{"key":""}}}"#;
    let events = mapped(&notification(&[record.to_owned(), record.to_owned()]), &settings());
    let own = |index| {
        expected(json!({
            "id": format!("{MESSAGE_ID}.{index}"),
            "source": "minio:s3.eu-north-1.b%20k",
            "type": "com.amazonaws.s3.ObjectRemoved:Delete",
        }))
    };
    assert_eq!(events.iter().map(attributes).collect::<Vec<_>>(), [own(0), own(1)]);
}

#[test]
fn records_of_other_services_are_json() {
    let good = record("ObjectCreated:Put", "k", "");
    for body in [
        r#"{"Records":[{"kinesis":{"data":"x"},"eventName":"aws:kinesis:record","eventSource":"aws:kinesis"}]}"#
            .to_owned(),
        format!(r#"{{"Records":[{good},{{"s3":{{}}}}]}}"#),
        format!(r#"{{"Records":[{good},"x"]}}"#),
        r#"{"Records":[["a","b"]]}"#.to_owned(),
        good.replace(r#""key":"k""#, r#""key":1"#),
        good.replace(r#"{"name":"bkt"}"#, r#"["bkt"]"#),
    ] {
        assert_eq!(only(&message(body.clone()), &settings()).ty(), "com.amazonaws.sqs.message", "{body}");
    }
}

#[test]
fn the_test_message_of_s3_is_an_event_too() {
    let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"bkt","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwc"}"#;
    let event = only(&message(body), &settings());
    let own = json!({
        "id": "5582815E1AEA5ADF.8cLeGAmw098X5cv4Zkwc",
        "source": "aws:s3.eu-north-1.bkt",
        "type": "com.amazonaws.s3.TestEvent",
        "time": "2014-10-13T15:57:02.089Z",
    });
    assert_eq!(attributes(&event), expected(own));
    assert_eq!(event.data(), body);
    let bare = r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#;
    let own = json!({ "source": "arn:aws:sqs:eu-north-1:111122223333:orders", "type": "com.amazonaws.s3.TestEvent" });
    assert_eq!(attributes(&only(&message(bare), &settings())), expected(own));
}
