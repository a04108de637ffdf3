//! What happens -> lines for people. Pure.

use std::io::{self, Write};

use tests::sink::Delivery;

const LINE: usize = 100;

/// What this is.
pub fn opening(out: &mut impl Write, sqs: &str, sink: &str) -> io::Result<()> {
    writeln!(out, "sqs-bridge demo: a simulated SQS at {sqs}, a sink at {sink}, and the bridge between them")
}

/// What comes next.
pub fn chapter(out: &mut impl Write, title: &str) -> io::Result<()> {
    writeln!(out, "\n── {title}\n")
}

/// An event that the sink accepts.
pub fn event(out: &mut impl Write, delivery: &Delivery) -> io::Result<()> {
    let event = &delivery.event;
    let mode = if event.structured { "structured" } else { "binary" };
    writeln!(out, "  ✓ {}", event.kind())?;
    writeln!(out, "      source   {}", event.source())?;
    if let Some(subject) = event.subject() {
        writeln!(out, "      subject  {subject}")?;
    }
    writeln!(out, "      id       {}", event.id())?;
    writeln!(out, "      data     {}   ({mode})\n", cut(&event.text()))
}

/// An event that the sink does not take at the moment.
pub fn refusal(out: &mut impl Write, delivery: &Delivery) -> io::Result<()> {
    writeln!(out, "  ✗ 503 for id {}", delivery.event.id())
}

/// How to go on.
pub fn invitation(out: &mut impl Write, endpoint: &str, queue: &str) -> io::Result<()> {
    writeln!(out, "\n── The queue is open; send something of your own (Ctrl-C ends):\n")?;
    writeln!(
        out,
        "  AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws sqs send-message --region us-east-1 \\\n    --endpoint-url {endpoint} --queue-url {queue} --message-body '{{\"hello\":\"world\"}}'\n"
    )
}

/// The verdict.
pub fn summary(out: &mut impl Write, sent: usize, delivered: usize, deleted: usize, lost: usize) -> io::Result<()> {
    writeln!(out, "── sent {sent} messages, delivered {delivered} events, deleted {deleted} messages, lost {lost}")
}

/// The SQS message that an event was made from, if it tells.
pub fn message_id(delivery: &Delivery) -> Option<&str> {
    delivery.event.get("sqsmessageid")
}

/// One line of data, short enough to read.
fn cut(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LINE) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}
