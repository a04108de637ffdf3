//! A media type -> whether it is one, and what it says about the data. Pure.

use super::Text;

/// The media type of JSON, as it is sent: without parameters, so that an exact filter finds it.
pub const JSON: Text = Text::Borrowed("application/json");
/// The media type of a body that is not JSON.
pub const TEXT: Text = Text::Borrowed("text/plain; charset=utf-8");
/// The media type of a body that is not even text.
pub const BYTES: Text = Text::Borrowed("application/octet-stream");

/// True for `type/subtype` with any parameters, in printable ASCII.
pub fn is_valid(media_type: &str) -> bool {
    let (essence, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    let essence = essence.trim_end_matches([' ', '\t']);
    essence.split_once('/').is_some_and(|(ty, subtype)| is_token(ty) && is_token(subtype)) && is_parameters(parameters)
}

/// True if the data is JSON: `*/json` or `*/*+json`, whatever the parameters.
pub fn is_json(media_type: &str) -> bool {
    let subtype = essence(media_type).split_once('/').map_or("", |(_, subtype)| subtype);
    let suffix = subtype.rsplit('+').next().unwrap_or_default();
    suffix.eq_ignore_ascii_case("json")
}

/// True if a receiver takes a body of this type for a whole event or a batch of events.
pub fn is_cloudevents(media_type: &str) -> bool {
    const PREFIX: &str = "application/cloudevents";
    media_type.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// `application/json` for `application/json` with any parameters, else the media type as it is.
pub fn without_json_parameters(media_type: &str) -> Text {
    if essence(media_type).eq_ignore_ascii_case(&JSON) { JSON } else { Text::Owned(media_type.to_owned()) }
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim_matches([' ', '\t'])
}

fn is_parameters(parameters: &str) -> bool {
    parameters.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t')
}

/// RFC 9110 5.6.2.
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_two_tokens_and_printable_parameters() {
        for valid in ["text/csv", "application/vnd.x+json; charset=utf-8", "Text/Plain ;q=\"a b\""] {
            assert!(is_valid(valid), "{valid}");
        }
        for invalid in ["", "text", "text/", "/csv", "te xt/csv", "text/csv; x=é", "text/csv;\n", "a/b/c", " text/csv"]
        {
            assert!(!is_valid(invalid), "{invalid:?}");
        }
    }

    #[test]
    fn json_is_told_by_the_last_part_of_the_subtype() {
        for json in ["application/json", "text/JSON; charset=utf-8", "application/vnd.x+json", "a/b+c+json"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["text/plain", "application/jsonl", "json", "application/json+xml", "a/b; c=d/json"] {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn json_loses_its_parameters_and_nothing_else_does() {
        assert_eq!(without_json_parameters("Application/JSON; charset=utf-8"), "application/json");
        assert_eq!(without_json_parameters("text/csv; header=present"), "text/csv; header=present");
    }

    #[test]
    fn structured_and_batch_events_are_told_apart_from_data() {
        assert!(is_cloudevents("application/CloudEvents+json"));
        assert!(is_cloudevents("application/cloudevents-batch+json; charset=utf-8"));
        assert!(!is_cloudevents("application/json"));
    }
}
