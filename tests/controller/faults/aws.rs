//! What is wrong with the queue, with permissions and with credentials.

use serde_json::json;
use tests::sqs::{Action, Code, Fault as SqsFault, on};

use super::place::{Act, Place, act};
use super::{Fault, fault};

/// Refuses receives with this code until [`Simulator::recover`](tests::sqs::Simulator::recover).
async fn refuse(place: &mut Place, code: Code) {
    place.sqs.inject(on(Action::ReceiveMessage), SqsFault::Refuse(code));
    place.source(json!({})).await;
}

const RECOVER: Act = act!(place => place.sqs.recover());

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

pub fn faults() -> Vec<Fault> {
    let mut faults = queue();
    faults.extend(credentials());
    faults
}

fn queue() -> Vec<Fault> {
    vec![
        fault(
            "The queue does not exist",
            "NonExistentQueue",
            "queue missing does not exist in region us-east-1 and account 123456789012 (URL http://sqs.example/123456789012/missing): check the name, and whether region and account are those of the queue",
            "create the queue, or correct `queueUrl` or `queueArn`",
            act!(place => place.source(json!({"queueUrl": place.queue.url().replace("orders", "missing")})).await),
            act!(place => drop(place.sqs.queue("missing"))),
        ),
        fault(
            "The caller may not receive",
            "AccessDenied",
            "sqs:ReceiveMessage denied to the caller on arn:aws:sqs:us-east-1:123456789012:orders: add {\"Effect\":\"Allow\",\"Action\":\"sqs:ReceiveMessage\",\"Resource\":\"arn:aws:sqs:us-east-1:123456789012:orders\"} to the caller's policy, and for a queue of another account to the queue's policy too",
            "add the statement to the policy of the role, and for a queue of another account to the queue's policy",
            act!(place => refuse(place, Code::ACCESS_DENIED).await),
            RECOVER,
        ),
        fault(
            "The caller may not use the queue's KMS key",
            "KmsAccessDenied",
            "sqs:ReceiveMessage on arn:aws:sqs:us-east-1:123456789012:orders failed with KMS.AccessDeniedException, the queue uses a customer key: allow the caller kms:Decrypt on the key, in its policy and in the key's",
            "allow `kms:Decrypt` in the key's policy",
            act!(place => refuse(place, Code::KMS_ACCESS_DENIED).await),
            RECOVER,
        ),
        fault(
            "The region is not the endpoint's",
            "CredentialsRejected",
            "AWS rejects the credentials with SignatureDoesNotMatch, the secret key does not belong to the access key, the region is not the endpoint's, or the clock is wrong: give keys that are valid, set the region to the queue's, or set the clock",
            "correct `region`, or `endpointUrl`",
            act!(place => {
                place.sqs.reject_region("eu-west-1");
                place.source(json!({"region": "eu-west-1"})).await;
            }),
            act!(place => place.source(json!({})).await),
        ),
        fault(
            "Nothing answers at the endpoint",
            "EndpointUnreachable",
            "the endpoint http://sqs.example cannot be reached (Connection refused (os error 111)): check the endpoint URL, DNS, and that egress to it is allowed",
            "correct `endpointUrl`, or open the way to it (NetworkPolicy, proxy, VPC endpoint)",
            act!(place => {
                place.sqs.partition();
                place.source(json!({})).await;
            }),
            RECOVER,
        ),
    ]
}

fn credentials() -> Vec<Fault> {
    vec![
        fault(
            "The credentials have expired",
            "CredentialsRejected",
            "AWS rejects the credentials with ExpiredToken, they have expired: give keys that are valid, or restart the pod so that it gets new ones",
            "put new keys into the Secret; they are taken up without a restart",
            act!(place => {
                place.sqs.reject_access_key("AKID", Code::EXPIRED_TOKEN);
                place.source(json!({})).await;
            }),
            act!(place => place.secret("aws-keys", json!({"AWS_ACCESS_KEY_ID": "AKIDNEW", "AWS_SECRET_ACCESS_KEY": "s"})).await),
        ),
        fault(
            "The Secret with the keys does not exist",
            "CredentialsNotFound",
            "no AWS credentials were found (cannot read /var/secrets/aws-keys/accessKeyId: No such file or directory (os error 2)): correct that file, in a cluster by creating the Secret of awsCredsSecret or auth.secret or correcting its key; no restart is needed",
            "create the Secret, or correct `auth.secret.name`",
            act!(place => place.source(json!({"auth": {"secret": {"name": "absent"}}})).await),
            act!(place => place.secret("absent", json!({"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"})).await),
        ),
        fault(
            "The Secret lacks a key",
            "CredentialsNotFound",
            "no AWS credentials were found (cannot read /var/secrets/aws-keys/secretAccessKey: No such file or directory (os error 2)): correct that file, in a cluster by creating the Secret of awsCredsSecret or auth.secret or correcting its key; no restart is needed",
            "add the key to the Secret, or name the right one in `auth.secret`",
            act!(place => {
                place.secret("partial", json!({"AWS_ACCESS_KEY_ID": "AKID"})).await;
                place.source(json!({"auth": {"secret": {"name": "partial"}}})).await;
            }),
            act!(place => place.secret("partial", json!({"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"})).await),
        ),
        fault(
            "The credentials file cannot be read",
            "CredentialsNotFound",
            "no AWS credentials were found (profile default of /var/secrets/aws/credentials has no usable keys): correct that file, in a cluster by creating the Secret of awsCredsSecret or auth.secret or correcting its key; no restart is needed",
            "correct the file in the Secret of `awsCredsSecret`",
            act!(place => {
                place.secret("aws-file", json!({"credentials": "[default\nkey"})).await;
                place.source(json!({"auth": null, "awsCredsSecret": {"name": "aws-file", "key": "credentials"}})).await;
            }),
            act!(place => {
                let file = "[default]\naws_access_key_id = AKID\naws_secret_access_key = s\n";
                place.secret("aws-file", json!({"credentials": file})).await;
            }),
        ),
        fault(
            "The role cannot be assumed",
            "AssumeRoleDenied",
            "the role could not be assumed (STS answered AccessDenied: refused by the double): check its ARN, that its trust policy names the caller, and the external id",
            "correct the role's ARN, its trust policy or the external id",
            act!(place => {
                place.sts.refuse("AssumeRole", 403, "AccessDenied", 10_000);
                place.source(json!({"auth": {"assumeRole": {"roleArn": ROLE}}})).await;
            }),
            act!(place => place.sts.accept()),
        ),
    ]
}
