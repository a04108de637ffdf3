//! `EC2 Instance State-change Notification` -> `EC2InstanceStateChangeNotification`. Pure.

/// The words of a detail-type, each with a capital first letter, joined; `Event` if there is none.
///
/// Everything but ASCII letters and digits separates words.
pub(super) fn slug(detail_type: &str) -> String {
    let mut slug = String::with_capacity(detail_type.len());
    for word in detail_type.split(|character: char| !character.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        slug.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        slug.push_str(letters.as_str());
    }
    if slug.is_empty() { "Event".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_capitalised_and_joined() {
        for (detail_type, expected) in [
            ("EC2 Instance State-change Notification", "EC2InstanceStateChangeNotification"),
            ("AWS API Call via CloudTrail", "AWSAPICallViaCloudTrail"),
            ("object:created", "ObjectCreated"),
            ("Größe 2x", "GrE2x"),
            ("", "Event"),
            (" –", "Event"),
        ] {
            assert_eq!(slug(detail_type), expected);
        }
    }
}
