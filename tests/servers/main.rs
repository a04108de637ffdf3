//! The semantic suite and the bridge end to end, on SQS servers that others wrote.

mod bridge;
mod delivery;
mod feeds;
mod semantics;
