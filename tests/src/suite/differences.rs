//! Server and case -> why that server is known to answer otherwise than AWS documents. Pure.

use super::Server;

/// Each known difference: the server, the case of the suite, the reason.
const KNOWN: &[(Server, &str, &str)] = &[
    (
        Server::ElasticMq,
        "a_larger_body_is_refused",
        "refuses with InvalidAttributeValue where SQS says InvalidParameterValue",
    ),
    (
        Server::ElasticMq,
        "a_nul_in_a_body_is_refused",
        "refuses with InvalidAttributeValue where SQS says InvalidMessageContents",
    ),
    (Server::ElasticMq, "a_prefix_asks_for_all_attributes_below_it", "knows `All` and whole names only"),
    (
        Server::ElasticMq,
        "a_receive_of_eleven_is_refused",
        "refuses with InvalidAttributeValue where SQS says InvalidParameterValue",
    ),
    (
        Server::ElasticMq,
        "a_released_head_waits_for_the_held_rest_of_its_group",
        "hands the head out although the rest of its group is held; SQS documents that a message in flight blocks its group",
    ),
    (
        Server::ElasticMq,
        "a_repeated_attempt_id_brings_the_same_handles",
        "brings the same messages under new handles, and counts it as another receive",
    ),
    (Server::ElasticMq, "a_repeated_delete_succeeds", "answers ReceiptHandleIsInvalid; SQS documents success"),
    (Server::ElasticMq, "a_visibility_of_more_than_twelve_hours_is_refused", "has no upper limit"),
    (
        Server::ElasticMq,
        "a_wait_of_twenty_one_seconds_is_refused",
        "refuses with InvalidAttributeValue where SQS says InvalidParameterValue",
    ),
    (Server::ElasticMq, "an_empty_batch_is_refused", "answers with no entry instead of EmptyBatchRequest"),
    (
        Server::ElasticMq,
        "an_old_handle_does_not_delete",
        "answers ReceiptHandleIsInvalid; SQS documents success without effect",
    ),
    (
        Server::ElasticMq,
        "the_visibility_of_a_visible_message_cannot_be_changed",
        "hides the message again; SQS documents MessageNotInflight",
    ),
    (Server::ElasticMq, "twelve_hours_are_the_limit_since_the_receive", "has no upper limit"),
    (Server::Ministack, "a_repeated_attempt_id_brings_the_same_handles", "ignores the attempt id"),
    (Server::Ministack, "a_repeated_attempt_id_brings_the_same_messages", "ignores the attempt id"),
    (Server::Ministack, "a_repeated_delete_succeeds", "answers ReceiptHandleIsInvalid; SQS documents success"),
    (Server::Ministack, "a_visibility_of_more_than_twelve_hours_is_refused", "has no upper limit"),
    (Server::Ministack, "a_wait_of_twenty_one_seconds_is_refused", "cuts the wait to 20 s"),
    (
        Server::Ministack,
        "an_old_handle_does_not_delete",
        "answers ReceiptHandleIsInvalid; SQS documents success without effect",
    ),
    (
        Server::Ministack,
        "the_visibility_of_a_visible_message_cannot_be_changed",
        "hides the message again; SQS documents MessageNotInflight",
    ),
    (Server::Ministack, "twelve_hours_are_the_limit_since_the_receive", "has no upper limit"),
];

/// The reason why `server` is known to fail `case`, if it is.
pub fn known(server: Server, case: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(who, what, _)| *who == server && *what == case).map(|(_, _, reason)| *reason)
}
