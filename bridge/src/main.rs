//! `sqs-bridge`: arguments and environment in, exit code out.
fn main() {}
