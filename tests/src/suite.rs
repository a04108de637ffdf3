//! Questions that every SQS server must answer as AWS documents -> a panic where one does not. I/O: the server asked.
//!
//! The same cases run against the simulator, ministack and ElasticMQ, so that the simulator cannot drift from the
//! servers that others wrote. Where a server is known to differ, [`differences`] says so and why; a difference that
//! has gone fails the case as well, so the table stays true.
//!
//! To run them, a test binary writes what becomes of one case and hands it to [`for_each_semantic_case!`]:
//!
//! ```ignore
//! macro_rules! on_ministack {
//!     ($($module:ident::$case:ident,)*) => {$(
//!         #[tokio::test]
//!         async fn $case() {
//!             let server = ministack().await; // suite::Endpoint
//!             tests::suite::judge(stringify!($case), &server, tests::suite::$module::$case(&server)).await;
//!         }
//!     )*};
//! }
//! tests::for_each_semantic_case!(on_ministack);
//! ```

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

pub mod attributes;
pub mod basics;
pub mod batches;
pub mod differences;
mod endpoint;
pub mod fifo;
pub mod polling;
pub mod redrive;
pub mod visibility;

pub use endpoint::{Endpoint, QueueUnderTest, Server};

/// Calls the macro `$each` once with every case of the suite, written `module::case,`.
#[macro_export]
macro_rules! for_each_semantic_case {
    ($each:ident) => {
        $each! {
            basics::a_sent_message_is_received_and_deleted_once,
            basics::the_url_of_a_queue_is_told_with_and_without_its_account,
            basics::a_missing_queue_is_called_so,
            basics::a_repeated_delete_succeeds,
            basics::what_is_no_receipt_handle_is_refused,
            basics::a_purged_queue_is_empty,
            basics::counts_tell_visible_and_held_messages,
            attributes::message_attributes_come_back_as_sent,
            attributes::message_attributes_are_hashed,
            attributes::only_the_message_attributes_asked_for_come,
            attributes::a_prefix_asks_for_all_attributes_below_it,
            attributes::system_attributes_come_when_asked_for,
            attributes::no_system_attribute_comes_unasked,
            attributes::the_trace_header_comes_back,
            attributes::a_standard_queue_keeps_the_group_id,
            attributes::a_body_of_one_mebibyte_arrives_whole,
            attributes::a_larger_body_is_refused,
            attributes::any_text_that_xml_allows_arrives_as_sent,
            attributes::a_nul_in_a_body_is_refused,
            visibility::a_received_message_is_invisible,
            visibility::an_unfinished_message_comes_again_with_another_handle,
            visibility::a_longer_visibility_keeps_the_message_away,
            visibility::a_visibility_of_zero_releases_the_message,
            visibility::the_queues_own_visibility_holds_by_default,
            visibility::a_visibility_of_more_than_twelve_hours_is_refused,
            visibility::twelve_hours_are_the_limit_since_the_receive,
            visibility::the_visibility_of_a_visible_message_cannot_be_changed,
            visibility::an_old_handle_does_not_delete,
            visibility::the_newest_handle_deletes_a_visible_message,
            visibility::a_delayed_message_comes_later,
            polling::a_long_poll_wakes_when_a_message_comes,
            polling::an_empty_poll_waits_and_brings_nothing,
            polling::the_queues_own_wait_holds_by_default,
            polling::a_wait_of_zero_goes_before_the_queues_own,
            polling::a_receive_brings_ten_messages_at_most,
            polling::a_receive_of_eleven_is_refused,
            polling::a_wait_of_twenty_one_seconds_is_refused,
            batches::a_batch_of_sends_is_taken_entry_by_entry,
            batches::one_wrong_handle_does_not_spoil_a_batch_of_deletes,
            batches::one_wrong_handle_does_not_spoil_a_batch_of_changes,
            batches::entry_ids_must_differ,
            batches::an_empty_batch_is_refused,
            batches::a_batch_of_eleven_is_refused,
            redrive::a_message_received_too_often_moves_to_the_dead_letter_queue,
            redrive::a_dead_message_tells_where_it_comes_from,
            redrive::the_group_goes_on_when_its_head_has_left,
            redrive::the_redrive_policy_is_told,
            fifo::messages_of_a_group_come_in_order,
            fifo::a_held_message_locks_its_group_and_no_other,
            fifo::a_delete_unlocks_the_group,
            fifo::a_released_head_comes_before_its_followers,
            fifo::a_group_released_from_its_tail_comes_again_in_order,
            fifo::a_released_head_waits_for_the_held_rest_of_its_group,
            fifo::a_repeated_deduplication_id_is_taken_once,
            fifo::a_deduplication_id_outlives_its_message,
            fifo::equal_bodies_are_one_message_where_the_content_decides,
            fifo::sequence_numbers_ascend_and_are_received,
            fifo::group_and_deduplication_id_are_received,
            fifo::a_message_without_a_group_is_refused,
            fifo::an_expired_handle_is_refused,
            fifo::a_repeated_attempt_id_brings_the_same_messages,
            fifo::a_repeated_attempt_id_brings_the_same_handles,
        }
    };
}

/// Runs one case and compares what comes of it with what is known about this server.
///
/// # Panics
///
/// When the case fails and the server is not known to differ, or passes although it is.
pub async fn judge(case: &str, server: &Endpoint, run: impl Future<Output = ()>) {
    let result = AssertUnwindSafe(run).catch_unwind().await;
    match (result, differences::known(server.server, case)) {
        (Ok(()), None) | (Err(_), Some(_)) => {}
        (Err(panic), None) => resume_unwind(panic),
        (Ok(()), Some(reason)) => {
            panic!("{case}: {:?} no longer differs ({reason}): take it out of the table", server.server)
        }
    }
}
