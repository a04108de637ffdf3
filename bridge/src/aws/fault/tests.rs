use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

fn response(status: u16, header: Option<(&'static str, &'static str)>, body: &str) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    if let Some((name, value)) = header {
        response.headers_mut().insert(name, value);
    }
    response
}

fn refused(code: Option<&str>, message: &str, response: HttpResponse) -> SdkError<ReceiveMessageError, HttpResponse> {
    let mut meta = ErrorMetadata::builder().message(message);
    if let Some(code) = code {
        meta = meta.code(code);
    }
    SdkError::service_error(ReceiveMessageError::generic(meta.build()), response)
}

fn expect(
    error: &SdkError<ReceiveMessageError, HttpResponse>,
    class: FaultClass,
    code: &str,
    message: &str,
    status: u16,
) {
    let expected = Fault { class, code: code.to_owned(), message: message.to_owned(), status: Some(status) };
    assert_eq!(fault(error), expected);
}

#[test]
fn the_code_of_the_body_counts_first() {
    let error = refused(Some("AccessDenied"), "no", response(403, None, ""));
    expect(&error, FaultClass::FatalConfig, "AccessDenied", "no", 403);
}

#[test]
fn without_a_code_the_header_of_the_query_protocol_counts() {
    let header = ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender");
    let error = refused(None, "no such queue", response(400, Some(header), ""));
    expect(&error, FaultClass::FatalConfig, "AWS.SimpleQueueService.NonExistentQueue", "no such queue", 400);
}

#[test]
fn xml_in_place_of_json_is_understood() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not\nauthorized</Message></Error></ErrorResponse>";
    let error = SdkError::response_error("not JSON", response(403, None, body));
    expect(&error, FaultClass::FatalConfig, "AccessDenied", "User: x is not authorized", 403);
}

#[test]
fn an_answer_that_says_nothing_is_judged_by_its_status() {
    let error = SdkError::response_error("not JSON", response(502, None, "<html>"));
    expect(&error, FaultClass::Transient, "UnknownError", "", 502);
}

#[test]
fn receipt_handles_do_not_get_out() {
    let error = refused(
        Some("ReceiptHandleIsInvalid"),
        r#"The input receipt handle "AQEBsecret" is not a valid receipt handle."#,
        response(400, None, ""),
    );
    expect(&error, FaultClass::Entry, "ReceiptHandleIsInvalid", "the receipt handle is not valid or has expired", 400);
}

#[test]
fn time_and_connections_that_run_out_are_transient() {
    let timeout = SdkError::<ReceiveMessageError, HttpResponse>::timeout_error("late");
    assert_eq!(fault(&timeout).class, FaultClass::Transient);
    assert_eq!(fault(&timeout).code, "");
    let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
    let dispatch = SdkError::<ReceiveMessageError, HttpResponse>::dispatch_failure(ConnectorError::io(refused.into()));
    let expected = Fault {
        class: FaultClass::Transient,
        code: String::new(),
        message: "connection refused".to_owned(),
        status: None,
    };
    assert_eq!(fault(&dispatch), expected);
}

#[test]
fn a_missing_identity_keeps_its_own_fault() {
    let missing = not_found("cannot read /keys/accessKeyId".to_owned());
    let inner = CredentialsError::provider_error(IdentityError { fault: missing.clone() });
    let error = SdkError::<ReceiveMessageError, HttpResponse>::construction_failure(inner);
    assert_eq!(fault(&error), missing);
}

#[test]
fn an_empty_chain_says_what_was_tried() {
    let fault = credentials_fault(&CredentialsError::not_loaded("nothing"));
    assert_eq!(fault.code, CREDENTIALS_NOT_FOUND);
    assert!(fault.message.contains("instance metadata"), "{}", fault.message);
}

fn sts_refusal(code: &str, status: u16) -> Fault {
    let meta = ErrorMetadata::builder().code(code).message("no").build();
    sts_fault(&SdkError::service_error(AssumeRoleError::generic(meta), response(status, None, "")))
}

#[test]
fn a_refusal_of_sts_is_told_from_one_of_sqs() {
    let denied = sts_refusal("AccessDenied", 403);
    let expected = Fault {
        class: FaultClass::Credentials,
        code: ASSUME_ROLE_DENIED.to_owned(),
        message: "STS answered AccessDenied: no".to_owned(),
        status: Some(403),
    };
    assert_eq!(denied, expected);
    assert_eq!(sts_refusal("InvalidIdentityToken", 400).code, ASSUME_ROLE_DENIED);
    assert_eq!(sts_refusal("InvalidClientTokenId", 403).code, "InvalidClientTokenId");
    assert_eq!(sts_refusal("Throttling", 400).class, FaultClass::Throttle);
    assert_eq!(sts_refusal("InternalFailure", 500).class, FaultClass::Transient);
}
