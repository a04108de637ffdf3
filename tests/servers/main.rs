//! The semantic suite and the bridge end to end, on SQS servers that others wrote.

mod feeds;
mod semantics;
