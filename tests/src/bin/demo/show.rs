//! Events and attempts -> a page for people. Pure but for the stream written to.

use std::io::{self, Write};
use std::time::Instant;

use ::tests::sink::Event;

/// Characters of one line of data.
const WIDTH: usize = 96;

/// Where the demo writes.
pub struct Page<W> {
    out: W,
    color: bool,
    started: Instant,
    refusals: u32,
}

impl<W: Write> Page<W> {
    /// An empty page.
    pub fn new(out: W, color: bool) -> Self {
        Self { out, color, started: Instant::now(), refusals: 0 }
    }

    /// What runs.
    pub fn title(&mut self, queue: &str, sink: &str) -> io::Result<()> {
        let name = self.bold("sqs-bridge");
        writeln!(self.out, "{name}  {queue}  ->  {sink}")
    }

    /// A message was put into the queue.
    pub fn sent(&mut self, what: &str) -> io::Result<()> {
        self.refusals = 0;
        let what = self.bold(what);
        writeln!(self.out, "\n{what}")
    }

    /// The sink has accepted an event.
    pub fn accepted(&mut self, event: &Event) -> io::Result<()> {
        let attempt = self.refusals + 1;
        self.attempt("\x1b[32m", "202 accepted", attempt, event)?;
        let line = |name: &str, value: &str| format!("  {name:<9}{value}");
        writeln!(self.out, "{}", line("type", event.kind()))?;
        writeln!(self.out, "{}", line("source", event.source()))?;
        if let Some(subject) = event.subject() {
            writeln!(self.out, "{}", line("subject", subject))?;
        }
        writeln!(self.out, "{}", line("data", &one_line(&event.text())))?;
        self.out.flush()
    }

    /// The sink has refused an event for now.
    pub fn refused(&mut self, event: &Event) -> io::Result<()> {
        self.refusals += 1;
        self.attempt("\x1b[31m", "503 refused ", self.refusals, event)
    }

    /// Something changes.
    pub fn turn(&mut self, what: &str) -> io::Result<()> {
        let line = self.dyed("\x1b[33m", &format!("-- {what} --"));
        writeln!(self.out, "\n{line}")?;
        self.out.flush()
    }

    /// How it came out.
    pub fn summary(&mut self, sent: usize, delivered: usize, deleted: usize, lost: usize) -> io::Result<()> {
        let line = format!("sent {sent}, delivered {delivered}, deleted {deleted}, lost {lost}");
        let line = self.dyed(if lost == 0 { "\x1b[1;32m" } else { "\x1b[1;31m" }, &line);
        writeln!(self.out, "\n{line}")?;
        self.out.flush()
    }

    /// How to go on.
    pub fn invitation(&mut self, endpoint: &str, queue: &str) -> io::Result<()> {
        writeln!(
            self.out,
            "\nThe queue stays open at {endpoint} until Ctrl-C. Send to it:\n\n  \
             AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo aws sqs send-message --region us-east-1 \\\n    \
             --endpoint-url {endpoint} --queue-url {queue} --message-body hello\n"
        )?;
        self.out.flush()
    }

    fn attempt(&mut self, color: &str, outcome: &str, number: u32, event: &Event) -> io::Result<()> {
        let at = self.started.elapsed().as_secs_f32();
        let outcome = self.dyed(color, outcome);
        writeln!(self.out, "  {outcome}  after {at:>4.1} s, attempt {number}, id {}", event.id())?;
        self.out.flush()
    }

    fn bold(&self, text: &str) -> String {
        self.dyed("\x1b[1m", text)
    }

    fn dyed(&self, color: &str, text: &str) -> String {
        if self.color { format!("{color}{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The beginning of the data, without line breaks.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_event_is_one_block() {
        let attributes = [("type", "t"), ("source", "s"), ("subject", "sub"), ("id", "1")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let event = Event { structured: false, attributes: attributes.into(), data: "a\nb".into() };
        let mut page = Page::new(Vec::new(), false);
        page.refused(&event).unwrap();
        page.accepted(&event).unwrap();
        let expected = "  503 refused   after  0.0 s, attempt 1, id 1\n  202 accepted  after  0.0 s, attempt 2, id 1\n  type     \
                        t\n  source   s\n  subject  sub\n  data     a b\n";
        assert_eq!(String::from_utf8(page.out).unwrap(), expected);
    }

    #[test]
    fn long_data_is_cut_at_a_character() {
        assert_eq!(one_line(&"€".repeat(WIDTH + 1)), format!("{}…", "€".repeat(WIDTH)));
        assert_eq!(one_line(&"€".repeat(WIDTH)), "€".repeat(WIDTH));
    }
}
