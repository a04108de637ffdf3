//! Calls of STS that reach the simulator because it is the endpoint of everything. Pure.

use super::cloud::ACCOUNT;
use crate::wire::Answer;

/// Answers GetCallerIdentity of the query protocol; anything else is unknown.
pub fn answer(body: &[u8]) -> Answer {
    let is_identity = String::from_utf8_lossy(body).split('&').any(|field| field == "Action=GetCallerIdentity");
    let (status, xml) = if is_identity { (200, identity()) } else { (404, unknown()) };
    let headers = vec![("content-type".to_owned(), "text/xml".to_owned())];
    Answer { status, headers, body: xml.into() }
}

fn identity() -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/simulated</Arn><UserId>AIDAIENQZJOLO23YVJ4VO</UserId>\
         <Account>{ACCOUNT}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>0</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>"
    )
}

fn unknown() -> String {
    "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>not an action of this server\
     </Message></Error></ErrorResponse>"
        .to_owned()
}
