//! Text in any of the forms that `convert` reads -> messages. Pure.

use bytes::Bytes;

use crate::message::{Message, SystemAttributes, json};

/// The whole input, or its lines that are not blank.
pub(super) fn pieces(input: &[u8], lines: bool) -> Box<dyn Iterator<Item = &[u8]> + '_> {
    if !lines {
        return Box::new(std::iter::once(input));
    }
    let lines = input.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Box::new(lines.filter(|line| !line.trim_ascii().is_empty()))
}

/// The messages of one piece; what is not ReceiveMessage's JSON is the body of one.
pub(super) fn messages(piece: &[u8]) -> Vec<Message> {
    let listed = || json::answer(piece);
    let single = || Some(vec![json::message(piece)?]);
    let is_object = piece.trim_ascii_start().first() == Some(&b'{');
    let received = is_object.then(|| single().or_else(listed)).flatten();
    received.unwrap_or_else(|| vec![bare(piece)])
}

/// A message of which only the body is known.
fn bare(body: &[u8]) -> Message {
    Message {
        id: "".into(),
        body: Bytes::copy_from_slice(body),
        receipt_handle: None,
        md5_of_body: None,
        md5_of_message_attributes: None,
        attributes: SystemAttributes::default(),
        message_attributes: Vec::new(),
    }
}
