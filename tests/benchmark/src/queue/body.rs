//! The number of a message -> its body, id and digest, rendered once and patched for each message. Pure.

use md5::{Digest, Md5};

/// Digits of the number of a message, as the last group of a UUID.
pub const DIGITS: usize = 12;

/// What every EventBridge event begins with.
const ENVELOPE: &str = r#"{"version":"0","detail-type":"Object Created","source":"aws.s3","account":"123456789012","time":"2026-11-24T10:00:00Z","region":"us-east-1","resources":[],"detail":{"#;
/// A detail such as S3 sends; bodies too small for it go without.
const DETAIL: &str = r#""version":"0","bucket":{"name":"bench-bucket"},"object":{"key":"a/b/c/object.json","size":1048576,"etag":"d41d8cd98f00b204e9800998ecf8427e","sequencer":"0062E99A88DC407460"},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","reason":"PutObject","#;
const PAD: &str = r#""pad":""#;
/// The number comes last, so that the digest of what stands before it is computed once: hashing 1 MiB for each
/// message would make the load server the slowest part.
const ID: &str = r#""},"id":"00000000-0000-4000-8000-"#;
const END: &str = r#""}"#;

/// An EventBridge event of one size whose `id` ends in the number of its message.
#[derive(Debug)]
pub struct Body {
    escaped_head: Vec<u8>,
    escaped_end: Vec<u8>,
    head_digest: Md5,
    length: usize,
}

impl Body {
    /// A body of `size` bytes, or the smallest possible.
    pub fn new(size: usize) -> Self {
        let bare = ENVELOPE.len() + PAD.len() + ID.len() + DIGITS + END.len();
        let detail = if bare + DETAIL.len() <= size { DETAIL } else { "" };
        let pad: String = ('a'..='z').cycle().take(size.saturating_sub(bare + detail.len())).collect();
        let head = [ENVELOPE, detail, PAD, &pad, ID].concat();
        Self {
            escaped_head: escaped(&head),
            escaped_end: escaped(END),
            head_digest: Md5::new_with_prefix(&head),
            length: head.len() + DIGITS + END.len(),
        }
    }

    /// Bytes of each body.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Appends the body of a message as the inside of a JSON string.
    pub fn write_escaped(&self, number: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.escaped_head);
        write_number(number, out);
        out.extend_from_slice(&self.escaped_end);
    }

    /// Appends the MD5 digest of a message's body in hexadecimal.
    pub fn write_digest(&self, number: u32, out: &mut Vec<u8>) {
        let mut digits = Vec::with_capacity(DIGITS);
        write_number(number, &mut digits);
        let digest = self.head_digest.clone().chain_update(&digits).chain_update(END).finalize();
        for byte in digest {
            out.push(digit(byte >> 4));
            out.push(digit(byte));
        }
    }
}

/// Appends the number of a message as [`DIGITS`] hexadecimal digits.
pub fn write_number(number: u32, out: &mut Vec<u8>) {
    for index in (0..DIGITS).rev() {
        out.push(digit((u64::from(number) >> (4 * index)) as u8));
    }
}

/// The number at the end of an id.
pub fn read_number(id: &str) -> Option<u32> {
    let start = id.len().checked_sub(DIGITS)?;
    u32::from_str_radix(id.get(start..)?, 16).ok()
}

fn digit(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value & 15)]
}

fn escaped(text: &str) -> Vec<u8> {
    text.replace('"', "\\\"").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_body_has_its_size_its_number_and_its_digest() {
        for size in [256, 2_048, 1 << 20] {
            let body = Body::new(size);
            let quoted = format!("\"{}\"", text(|out| body.write_escaped(0xabc, out)));
            let raw: String = serde_json::from_str(&quoted).unwrap();
            assert_eq!((raw.len(), body.len()), (size, size));
            let event: serde_json::Value = serde_json::from_str(&raw).unwrap();
            assert_eq!(event["id"].as_str().and_then(read_number), Some(0xabc));
            let digest: String = Md5::digest(&raw).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(text(|out| body.write_digest(0xabc, out)), digest);
        }
    }

    #[test]
    fn an_id_of_another_kind_has_no_number() {
        assert_eq!(read_number("order-17"), None);
        assert_eq!(read_number("00000000-0000-4000-8000-000000000011"), Some(17));
    }
}
