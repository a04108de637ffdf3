//! An ARN -> its parts. Pure.

/// The parts of `arn:partition:service:region:account:resource` that events are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// Such as `sns`.
    pub service: &'a str,
    /// Empty for global resources.
    pub region: &'a str,
    /// Empty for some resources, such as S3 buckets.
    pub account: &'a str,
}

impl<'a> Arn<'a> {
    /// The parts of an ARN; `None` if the text is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let arn =
            Self { partition: parts.next()?, service: parts.next()?, region: parts.next()?, account: parts.next()? };
        parts.next().filter(|resource| !resource.is_empty())?;
        (!arn.partition.is_empty() && !arn.service.is_empty()).then_some(arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_six_parts_of_which_region_and_account_may_be_empty() {
        assert_eq!(
            Arn::parse("arn:aws:sns:eu-west-1:123456789012:topic:x"),
            Some(Arn { partition: "aws", service: "sns", region: "eu-west-1", account: "123456789012" })
        );
        assert_eq!(
            Arn::parse("arn:aws:s3:::bucket"),
            Some(Arn { partition: "aws", service: "s3", region: "", account: "" })
        );
        for text in ["", "arn:", "arn:aws:s3::", "arn:aws:s3:::", "urn:aws:s3:::b", "arn::s3:::b", "arn:aws::::b"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
