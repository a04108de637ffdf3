//! What carries a producer's trace -> W3C `traceparent` and `tracestate`. Pure.

use crate::message::{Message, MessageAttribute};

/// Where an event's trace started; never a hop of its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace<'a> {
    /// A valid `traceparent`.
    pub parent: String,
    /// The `tracestate` beside it.
    pub state: Option<&'a str>,
}

/// The trace that OpenTelemetry's producers put into the attributes of the message, else X-Ray's.
pub(super) fn of_message(message: &Message) -> Option<Trace<'_>> {
    let text = |name| message.attribute(name).and_then(MessageAttribute::text);
    let w3c = || from_w3c(text("traceparent")?, text("tracestate"));
    w3c().or_else(|| from_xray(message.attributes.aws_trace_header.as_deref()?))
}

/// The trace of `traceparent` and `tracestate` as OpenTelemetry's producers send them.
pub(super) fn from_w3c<'a>(parent: &str, state: Option<&'a str>) -> Option<Trace<'a>> {
    let state = state.filter(|state| is_tracestate(state));
    is_traceparent(parent).then(|| Trace { parent: parent.to_owned(), state })
}

/// The trace of an X-Ray header, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
///
/// Without a parent there is none, since W3C has no span id for it; without a decision to sample, not sampled.
pub(super) fn from_xray(header: &str) -> Option<Trace<'static>> {
    let field = |name: &str| {
        let fields = header.split(';').filter_map(|field| field.trim().split_once('='));
        fields.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    let (epoch, unique) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let (span, sampled) = (field("Parent")?, field("Sampled") == Some("1"));
    let flags = if sampled { "01" } else { "00" };
    let parent = format!("00-{epoch}{unique}-{span}-{flags}").to_ascii_lowercase();
    let lengths = (epoch.len(), unique.len()) == (8, 24);
    (lengths && is_traceparent(&parent)).then_some(Trace { parent, state: None })
}

/// W3C Trace Context, level 1: version 00, or a later one of the same length.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    let &[version, trace, span, flags] = &parts[..] else { return false };
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let nonzero = |part: &str| part.bytes().any(|byte| byte != b'0');
    hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && nonzero(trace)
        && hex(span, 16)
        && nonzero(span)
        && hex(flags, 2)
}

/// Printable ASCII of at most 512 characters, the size that vendors must pass on.
fn is_tracestate(text: &str) -> bool {
    (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_valid_traceparent_is_kept_with_its_state() {
        let trace = |parent: &str, state| Some(Trace { parent: parent.to_owned(), state });
        assert_eq!(from_w3c(PARENT, Some("a=1,b=2")), trace(PARENT, Some("a=1,b=2")));
        assert_eq!(from_w3c(PARENT, Some("a=é")), trace(PARENT, None));
        assert_eq!(from_w3c(PARENT, Some("")), trace(PARENT, None));
        for invalid in [
            "",
            "x",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert_eq!(from_w3c(invalid, Some("a=1")), None, "{invalid}");
        }
    }

    #[test]
    fn an_xray_header_becomes_a_traceparent() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let parent = |header: String| from_xray(&header).map(|trace| trace.parent);
        let expected = |flags| Some(format!("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-{flags}"));
        assert_eq!(parent(format!("{root};Parent=53995c3f42cd8ad8;Sampled=1")), expected("01"));
        assert_eq!(parent(format!("Self=1-x; {root}; parent=53995C3F42CD8AD8;Sampled=?;Lineage=a:1")), expected("00"));
        assert_eq!(parent(format!("Parent=53995c3f42cd8ad8;Sampled=0;{root}")), expected("00"));
        assert_eq!(parent(format!("{root};Parent=53995c3f42cd8ad8")), expected("00"));
        for header in [
            String::new(),
            root.to_owned(),
            format!("{root};Parent=0000000000000000;Sampled=1"),
            format!("{root};Parent=53995c3f42cd8ad;Sampled=1"),
            "Root=1-5759e98-bbd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8".to_owned(),
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8".to_owned(),
            "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8".to_owned(),
        ] {
            assert_eq!(parent(header.clone()), None, "{header}");
        }
    }
}
