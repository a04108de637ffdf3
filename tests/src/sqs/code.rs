//! The errors of SQS: shape, code of the query protocol, status. Pure.

/// One error code as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The shape, the part of `__type` after `#`.
    pub shape: &'static str,
    /// The namespace, the part of `__type` before `#`.
    pub namespace: &'static str,
    /// The code of the query protocol: header `x-amzn-query-error`, and `Code` of an entry that failed.
    pub query: &'static str,
    /// The HTTP status.
    pub status: u16,
}

const SQS: &str = "com.amazonaws.sqs";
const CORAL: &str = "com.amazon.coral.service";

/// Shapes, query codes and statuses follow the SQS service model (`@awsQueryError`) where it has them.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $namespace:ident $shape:literal, $query:literal, $status:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self =
                Self { shape: $shape, namespace: $namespace, query: $query, status: $status };)*
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    /// Throttled.
    REQUEST_THROTTLED = SQS "RequestThrottled", "RequestThrottled", 400;
    /// Throttled by the front end.
    THROTTLING = CORAL "ThrottlingException", "ThrottlingException", 400;
    /// KMS throttled the decryption of a message.
    KMS_THROTTLING = SQS "KmsThrottled", "KMS.ThrottlingException", 400;
    /// Too many messages in flight (short polls only).
    OVER_LIMIT = SQS "OverLimit", "OverLimit", 400;
    /// A server's fault.
    INTERNAL_ERROR = CORAL "InternalFailure", "InternalError", 500;
    /// A server's fault.
    SERVICE_UNAVAILABLE = CORAL "ServiceUnavailable", "ServiceUnavailable", 503;
    /// Session credentials have run out.
    EXPIRED_TOKEN = CORAL "ExpiredTokenException", "ExpiredToken", 403;
    /// The request was signed too long ago.
    REQUEST_EXPIRED = CORAL "RequestExpired", "RequestExpired", 400;
    /// Refused by the security checks.
    INVALID_SECURITY = SQS "InvalidSecurity", "InvalidSecurity", 403;
    /// No such access key.
    INVALID_CLIENT_TOKEN = CORAL "UnrecognizedClientException", "InvalidClientTokenId", 403;
    /// No such access key, in its other name.
    UNRECOGNIZED_CLIENT = CORAL "UnrecognizedClientException", "UnrecognizedClientException", 400;
    /// The signature is wrong.
    SIGNATURE_DOES_NOT_MATCH = CORAL "SignatureDoesNotMatch", "SignatureDoesNotMatch", 403;
    /// The signature is wrong, in its other name.
    INVALID_SIGNATURE = CORAL "InvalidSignatureException", "InvalidSignatureException", 403;
    /// No such queue.
    QUEUE_DOES_NOT_EXIST = SQS "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400;
    /// No right to do this.
    ACCESS_DENIED = CORAL "AccessDeniedException", "AccessDenied", 403;
    /// The account id in the URL is wrong.
    INVALID_ADDRESS = SQS "InvalidAddress", "InvalidAddress", 404;
    /// Not possible on this queue.
    UNSUPPORTED_OPERATION = SQS "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400;
    /// No right on the key of the queue.
    KMS_ACCESS_DENIED = SQS "KmsAccessDenied", "KMS.AccessDeniedException", 400;
    /// The key is disabled.
    KMS_DISABLED = SQS "KmsDisabled", "KMS.DisabledException", 400;
    /// The key is in a state in which it cannot be used.
    KMS_INVALID_STATE = SQS "KmsInvalidState", "KMS.InvalidStateException", 400;
    /// The key is for something else.
    KMS_INVALID_KEY_USAGE = SQS "KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException", 400;
    /// The key does not exist.
    KMS_NOT_FOUND = SQS "KmsNotFound", "KMS.NotFoundException", 400;
    /// The account has no subscription to KMS.
    KMS_OPT_IN_REQUIRED = SQS "KmsOptInRequired", "KMS.OptInRequired", 403;
    /// The receipt handle is not one of this queue.
    RECEIPT_HANDLE_IS_INVALID = SQS "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400;
    /// The message is visible, so its visibility cannot be changed.
    MESSAGE_NOT_IN_FLIGHT = SQS "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400;
    /// A parameter has a value that is not allowed.
    INVALID_PARAMETER_VALUE = SQS "InvalidParameterValueException", "InvalidParameterValue", 400;
    /// A parameter is missing.
    MISSING_PARAMETER = SQS "MissingRequiredParameterException", "MissingParameter", 400;
    /// A batch without entries.
    EMPTY_BATCH = SQS "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400;
    /// A batch of more than ten entries.
    TOO_MANY_ENTRIES = SQS "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400;
    /// Two entries of a batch with the same id.
    ENTRY_IDS_NOT_DISTINCT = SQS "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400;
    /// An id of an entry with characters that are not allowed.
    INVALID_ENTRY_ID = SQS "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400;
    /// A batch of more than 1 MiB.
    BATCH_TOO_LONG = SQS "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400;
    /// A body with characters that are not allowed.
    INVALID_MESSAGE_CONTENTS = SQS "InvalidMessageContents", "InvalidMessageContents", 400;
    /// No such queue attribute.
    INVALID_ATTRIBUTE_NAME = SQS "InvalidAttributeName", "InvalidAttributeName", 400;
    /// A queue attribute with a value that is not allowed.
    INVALID_ATTRIBUTE_VALUE = SQS "InvalidAttributeValue", "InvalidAttributeValue", 400;
    /// The queue exists with other attributes.
    QUEUE_NAME_EXISTS = SQS "QueueNameExists", "QueueAlreadyExists", 400;
    /// No such action.
    INVALID_ACTION = CORAL "UnknownOperationException", "InvalidAction", 400;
}

impl Code {
    /// True if the caller is to blame.
    pub fn is_senders_fault(&self) -> bool {
        self.status < 500
    }

    /// The value of `__type`.
    pub fn wire_type(&self) -> String {
        format!("{}#{}", self.namespace, self.shape)
    }

    /// The value of `x-amzn-query-error`.
    pub fn query_error(&self) -> String {
        format!("{};{}", self.query, if self.is_senders_fault() { "Sender" } else { "Receiver" })
    }

    /// This error with a sentence.
    pub fn because(self, message: impl Into<String>) -> Refusal {
        Refusal { code: self, message: message.into() }
    }
}

/// Why a request, or one entry of a batch, was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// The sentence that goes with it.
    pub message: String,
}
