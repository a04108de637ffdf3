//! A message attribute: its value, its size, its share of the MD5. Pure.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// A typed value beside the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, with or without `.suffix`.
    pub data_type: String,
    /// The value of a string or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of a binary attribute in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl Attribute {
    /// Text.
    pub fn string(value: impl Into<String>) -> Self {
        Self { data_type: "String".to_owned(), string_value: Some(value.into()), binary_value: None }
    }

    /// A number, as text.
    pub fn number(value: impl ToString) -> Self {
        Self { data_type: "Number".to_owned(), string_value: Some(value.to_string()), binary_value: None }
    }

    /// Bytes.
    pub fn binary(value: &[u8]) -> Self {
        let value = BASE64_STANDARD.encode(value);
        Self { data_type: "Binary".to_owned(), string_value: None, binary_value: Some(value) }
    }

    /// What counts towards the size of the message, beside the name.
    pub fn size(&self) -> usize {
        self.data_type.len() + self.bytes().len()
    }

    fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }

    fn bytes(&self) -> Vec<u8> {
        if self.is_binary() {
            return BASE64_STANDARD.decode(self.binary_value.as_deref().unwrap_or_default()).unwrap_or_default();
        }
        self.string_value.clone().unwrap_or_default().into_bytes()
    }
}

/// The MD5 of some bytes in lower-case hexadecimal.
pub fn md5_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// The MD5 of attributes as the SQS developer guide defines it (by name; lengths, type byte and value of each);
/// `None` for no attributes.
pub fn md5_of_attributes<'a>(attributes: impl IntoIterator<Item = (&'a String, &'a Attribute)>) -> Option<String> {
    let sorted: BTreeMap<_, _> = attributes.into_iter().collect();
    let mut md5 = Md5::new();
    for (name, attribute) in &sorted {
        update_with_length(&mut md5, name.as_bytes());
        update_with_length(&mut md5, attribute.data_type.as_bytes());
        md5.update([if attribute.is_binary() { 2 } else { 1 }]);
        update_with_length(&mut md5, &attribute.bytes());
    }
    (!sorted.is_empty()).then(|| hex(&md5.finalize()))
}

fn update_with_length(md5: &mut Md5, bytes: &[u8]) {
    md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_md5_of_a_body_is_that_of_its_bytes() {
        assert_eq!(md5_of(b"hello"), "5d41402abc4b2a76b9719d911017c592");
    }

    #[test]
    fn attributes_hash_by_name_and_without_any_there_is_no_hash() {
        let attributes = [("b".to_owned(), Attribute::binary(&[1, 2])), ("a".to_owned(), Attribute::string("x"))];
        let encoded = b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01x\0\0\0\x01b\0\0\0\x06Binary\x02\0\0\0\x02\x01\x02";
        assert_eq!(md5_of_attributes(attributes.iter().map(|(n, a)| (n, a))), Some(md5_of(encoded)));
        assert_eq!(md5_of_attributes([]), None);
    }
}
