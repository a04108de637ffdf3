//! An AWS error code -> the class that says what to do about it. Pure.

/// What to do about a failed AWS call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// AWS asks for fewer calls: fewer pollers, then back-off.
    Throttle,
    /// The service or the network: back-off.
    Transient,
    /// The identity is refused or expired: refresh it, back-off, a condition after three in a row.
    Credentials,
    /// Nothing but a human can mend it: not ready, one probe per 30 s.
    FatalConfig,
    /// This receipt handle is no longer good: the lease is lost.
    Entry,
    /// The request was malformed.
    Bug,
    /// An unknown code: transient; a 4xx is fatal after three in a row.
    Unknown,
}

impl FaultClass {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::Transient => "transient",
            Self::Credentials => "credentials",
            Self::FatalConfig => "fatal_config",
            Self::Entry => "entry",
            Self::Bug => "bug",
            Self::Unknown => "unknown",
        }
    }
}

/// One failed AWS call, reduced to what decisions and people need; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What to do about it.
    pub class: FaultClass,
    /// The error code, such as `AccessDenied`; empty when no answer came.
    pub code: String,
    /// AWS's own sentence, or what the connection said.
    pub message: String,
    /// HTTP status, if an answer came.
    pub status: Option<u16>,
}

/// The class of an error code of SQS, STS or KMS (with or without its `AWS.SimpleQueueService.` or `com.amazonaws.sqs#` prefix).
///
/// Codes: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>.
pub fn classify(code: &str, status: Option<u16>) -> FaultClass {
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    match code {
        "RequestThrottled"
        | "Throttling"
        | "ThrottlingException"
        | "KMS.ThrottlingException"
        | "KmsThrottled"
        | "OverLimit"
        | "TooManyRequestsException"
        | "SlowDown" => FaultClass::Throttle,
        "InternalError" | "InternalFailure" | "ServiceUnavailable" | "RequestTimeout" => FaultClass::Transient,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidSecurity"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "CredentialsNotFound"
        | "AssumeRoleDenied" => FaultClass::Credentials,
        "QueueDoesNotExist"
        | "NonExistentQueue"
        | "AccessDenied"
        | "AccessDeniedException"
        | "InvalidAddress"
        | "UnsupportedOperation"
        | "KMS.AccessDeniedException"
        | "KMS.DisabledException"
        | "KMS.InvalidStateException"
        | "KMS.InvalidKeyUsageException"
        | "KMS.NotFoundException"
        | "KMS.OptInRequired"
        | "KmsAccessDenied"
        | "KmsDisabled"
        | "KmsInvalidState"
        | "KmsInvalidKeyUsage"
        | "KmsNotFound"
        | "KmsOptInRequired" => FaultClass::FatalConfig,
        "ReceiptHandleIsInvalid" | "MessageNotInflight" | "InvalidParameterValue" => FaultClass::Entry,
        "EmptyBatchRequest" | "TooManyEntriesInBatchRequest" | "BatchEntryIdsNotDistinct" | "InvalidBatchEntryId" => {
            FaultClass::Bug
        }
        "" => FaultClass::Transient,
        _ if status.is_some_and(|status| status >= 500) => FaultClass::Transient,
        _ => FaultClass::Unknown,
    }
}

/// A fault in the light of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What to do about it.
    pub class: FaultClass,
    /// True if people should be told that the queue cannot be read.
    pub report: bool,
}

/// Faults of one kind of call in a row.
#[derive(Debug, Default)]
pub struct FaultRun {
    credentials: u32,
    unknown: u32,
}

/// So many refused identities, or unknown 4xx answers, in a row are no accident.
const RUN: u32 = 3;

impl FaultRun {
    /// Counts a fault.
    pub fn observe(&mut self, fault: &Fault) -> Judged {
        self.credentials = if fault.class == FaultClass::Credentials { self.credentials + 1 } else { 0 };
        self.unknown = if fault.class == FaultClass::Unknown { self.unknown + 1 } else { 0 };
        match fault.class {
            FaultClass::FatalConfig => Judged { class: fault.class, report: true },
            FaultClass::Credentials => Judged { class: fault.class, report: self.credentials >= RUN },
            FaultClass::Unknown if self.unknown >= RUN => Judged { class: FaultClass::FatalConfig, report: true },
            FaultClass::Unknown => Judged { class: FaultClass::Transient, report: false },
            FaultClass::Throttle | FaultClass::Transient | FaultClass::Entry | FaultClass::Bug => {
                Judged { class: fault.class, report: false }
            }
        }
    }

    /// A call succeeded.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// True for the codes that say that the queue does not exist.
pub fn is_missing_queue(code: &str) -> bool {
    let code = code.rsplit('#').next().unwrap_or(code);
    matches!(code, "QueueDoesNotExist" | "NonExistentQueue" | "AWS.SimpleQueueService.NonExistentQueue")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(class: FaultClass) -> Fault {
        Fault { class, code: "Code".into(), message: String::new(), status: Some(400) }
    }

    #[test]
    fn refused_identities_and_unknown_answers_are_reported_from_the_third_on() {
        let mut run = FaultRun::default();
        for (class, acted, reports) in [
            (FaultClass::FatalConfig, FaultClass::FatalConfig, [true, true, true]),
            (FaultClass::Credentials, FaultClass::Credentials, [false, false, true]),
            (FaultClass::Transient, FaultClass::Transient, [false, false, false]),
        ] {
            run.succeeded();
            let judged = reports.map(|_| run.observe(&fault(class)));
            assert_eq!(judged, reports.map(|report| Judged { class: acted, report }));
        }
        let unknown = [(); 3].map(|()| run.observe(&fault(FaultClass::Unknown)).class);
        assert_eq!(unknown, [FaultClass::Transient, FaultClass::Transient, FaultClass::FatalConfig]);
    }

    #[test]
    fn codes_are_known_by_every_spelling_of_the_wire() {
        let cases = [
            ("AWS.SimpleQueueService.NonExistentQueue", Some(400), FaultClass::FatalConfig),
            ("com.amazonaws.sqs#QueueDoesNotExist", Some(400), FaultClass::FatalConfig),
            ("KmsThrottled", Some(400), FaultClass::Throttle),
            ("ExpiredToken", Some(403), FaultClass::Credentials),
            ("ReceiptHandleIsInvalid", Some(400), FaultClass::Entry),
            ("Brandnew", Some(503), FaultClass::Transient),
            ("Brandnew", Some(400), FaultClass::Unknown),
            ("", None, FaultClass::Transient),
        ];
        for (code, status, expected) in cases {
            assert_eq!(classify(code, status), expected, "{code} {status:?}");
        }
    }
}
