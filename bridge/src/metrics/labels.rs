//! The fixed words of metric labels. Pure.

/// An enum whose values are all the values of one label.
pub(super) trait Label: Copy + 'static {
    /// In the order of their discriminants.
    const ALL: &'static [Self];
    /// The word.
    fn as_str(self) -> &'static str;
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$value_doc])* $value),+ }

        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$value),+];

            fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }
        }
    };
}

label! {
    /// The SQS actions that the engine calls.
    Action {
        /// A long or short poll.
        ReceiveMessage = "ReceiveMessage",
        /// Deletes.
        DeleteMessageBatch = "DeleteMessageBatch",
        /// Heartbeats, nacks and releases.
        ChangeMessageVisibilityBatch = "ChangeMessageVisibilityBatch",
        /// Redrive policy and depth.
        GetQueueAttributes = "GetQueueAttributes",
        /// The URL of a queue known by its ARN.
        GetQueueUrl = "GetQueueUrl",
    }
}

label! {
    /// What an AWS call is for.
    Purpose {
        /// Getting messages.
        Receive = "receive",
        /// Deleting accepted ones.
        Delete = "delete",
        /// Extending leases.
        Heartbeat = "heartbeat",
        /// Hiding a failed one for a while.
        Nack = "nack",
        /// Giving one back at once.
        Release = "release",
        /// Asking about the queue.
        Describe = "describe",
    }
}

label! {
    /// How an event ended.
    EventResult {
        /// The sink accepted it.
        Delivered = "delivered",
        /// The sink refused it for good.
        Permanent = "permanent",
        /// All retries failed.
        Exhausted = "exhausted",
        /// The dead-letter sink accepted it.
        DeadLettered = "dead_lettered",
    }
}

label! {
    /// How a message ended.
    MessageOutcome {
        /// Deleted from the queue.
        Deleted = "deleted",
        /// Hidden for a while, then delivered again.
        Nacked = "nacked",
        /// Given back at once.
        Released = "released",
        /// No longer ours.
        LeaseLost = "lease_lost",
    }
}

label! {
    /// Where a message is between its receive and its end.
    Stage {
        /// Waiting for its first POST.
        Queued = "queued",
        /// In its first POST.
        Sending = "sending",
        /// Waiting for or in a repeated POST.
        Retrying = "retrying",
        /// Held while the circuit breaker is open or its lane's head fails.
        Held = "held",
        /// Accepted, not yet deleted.
        Undeleted = "undeleted",
    }
}

label! {
    /// Why a lease was lost.
    LeaseLoss {
        /// Its deadline passed.
        Expired = "expired",
        /// SQS says that the receipt handle is not good.
        Rejected = "rejected",
        /// SQS holds no message for longer than 12 h.
        MaxAge = "max_age",
    }
}

label! {
    /// The circuit breaker's states.
    BreakerState {
        /// Everything goes through.
        Closed = "closed",
        /// Nothing but probes.
        Open = "open",
        /// One after the other.
        HalfOpen = "half_open",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_order<L: Label + PartialEq + std::fmt::Debug>(index: impl Fn(L) -> usize) {
        let indices: Vec<usize> = L::ALL.iter().map(|label| index(*label)).collect();
        assert_eq!(indices, (0..L::ALL.len()).collect::<Vec<_>>());
    }

    /// Bound instruments stand in arrays; a label out of place would count under another's name.
    #[test]
    fn all_stands_in_the_order_of_discriminants() {
        in_order(|label: Action| label as usize);
        in_order(|label: Purpose| label as usize);
        in_order(|label: EventResult| label as usize);
        in_order(|label: MessageOutcome| label as usize);
        in_order(|label: Stage| label as usize);
        in_order(|label: LeaseLoss| label as usize);
        in_order(|label: BreakerState| label as usize);
    }
}
