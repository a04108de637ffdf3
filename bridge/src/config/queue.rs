//! Queue URL, ARN, region and endpoint as typed -> one queue and how to reach it. Pure.

use url::Url;

use super::parse;
use super::read::{Origin, Reader};
use super::settings::{self, Setting};
use super::{Strings, integration_source};

/// The queue and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The queue's URL, as given; absent when only an ARN or a name was given (then GetQueueUrl is asked).
    pub url: Option<Url>,
    /// The queue's ARN: as given, or put together from URL and region.
    pub arn: Arn,
    /// True if the account in `arn` is certain (false: an ARN with an empty account, or a foreign URL).
    pub account_known: bool,
    /// Signing region of SQS and STS.
    pub region: String,
    /// SQS endpoint, if not the public one of the region. Never used for STS.
    pub endpoint: Option<Url>,
    /// CreateQueue when it does not exist (IntegrationSource's AUTOCREATEQUEUE only).
    pub create_missing: bool,
    /// False: accepted messages are never deleted (IntegrationSource's DELETEAFTERREAD=false only).
    pub delete_accepted: bool,
}

impl Queue {
    /// FIFO iff the queue's name ends in `.fifo` (AWS's own rule).
    pub fn is_fifo(&self) -> bool {
        self.arn.name.ends_with(".fifo")
    }
}

/// The ARN of an SQS queue, in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The region, such as `eu-north-1`.
    pub region: String,
    /// Twelve digits, or empty when unknown.
    pub account: String,
    /// The queue's name.
    pub name: String,
}

impl std::fmt::Display for Arn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { partition, region, account, name } = self;
        write!(f, "arn:{partition}:sqs:{region}:{account}:{name}")
    }
}

/// What was typed about the queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueSettings<'a> {
    /// The queue's URL.
    pub url: Option<&'a str>,
    /// The queue's ARN.
    pub arn: Option<&'a str>,
    /// The region.
    pub region: Option<&'a str>,
    /// True if the region comes from a variable that platforms inject too, such as EKS for the region of the cluster:
    /// it gives way to the region that an ARN or AWS's own host name states.
    pub region_is_ambient: bool,
    /// Another endpoint than AWS's own.
    pub endpoint: Option<&'a str>,
}

/// What is wrong about the queue's settings, by setting; the clause ends in the fix.
pub type QueueProblem = (&'static Setting, String);

/// Works out which queue is meant, its region and its endpoint.
///
/// Region: as given, else the ARN's, else the URL's host.
/// Endpoint: as given, else the URL's host unless that is a public regional name of SQS.
/// Names of endpoints: <https://docs.aws.amazon.com/general/latest/gr/sqs-service.html>.
///
/// # Errors
/// Every setting that is malformed, missing or at odds with another.
pub fn locate(given: &QueueSettings) -> Result<Queue, Vec<QueueProblem>> {
    let mut problems = Vec::new();
    let url = check(&settings::QUEUE_URL, given.url, queue_url, &mut problems);
    let arn = check(&settings::QUEUE_ARN, given.arn, queue_arn, &mut problems);
    let region = check(&settings::REGION, given.region, region_name, &mut problems);
    let endpoint = check(&settings::ENDPOINT_URL, given.endpoint, parse::origin_url, &mut problems);
    if given.url.is_none() && given.arn.is_none() {
        problems.push((
            &settings::QUEUE_URL,
            "no queue is named: set this or the ARN, such as https://sqs.eu-north-1.amazonaws.com/123456789012/orders"
                .to_owned(),
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let stated = stated_region(url.as_ref(), arn.as_ref(), endpoint.as_ref());
    let region = choose_region(region, given.region_is_ambient, stated, url.as_ref())?;
    agree(url.as_ref(), arn.as_ref())?;
    let endpoint = endpoint.or_else(|| url.as_ref().filter(|url| !is_public(url)).map(origin));
    let arn = match (arn, &url) {
        (Some(arn), _) => arn,
        (None, Some(url)) => arn_of(url, &region),
        (None, None) => return Err(problems),
    };
    let account_known = !arn.account.is_empty();
    Ok(Queue { url, arn, account_known, region, endpoint, create_missing: false, delete_accepted: true })
}

/// Reads the queue's settings.
pub(super) fn read<E: Strings>(
    reader: &mut Reader<E>,
    compatibility: Option<&integration_source::Wishes>,
) -> Option<Queue> {
    let url = reader.given(&settings::QUEUE_URL);
    let arn = reader.given(&settings::QUEUE_ARN);
    let region = reader.given(&settings::REGION);
    let endpoint = reader.given(&settings::ENDPOINT_URL);
    let located = locate(&QueueSettings {
        url: url.as_ref().map(|given| given.value.as_str()),
        arn: arn.as_ref().map(|given| given.value.as_str()),
        region: region.as_ref().map(|given| given.value.as_str()),
        region_is_ambient: region.as_ref().is_some_and(|given| given.origin != Origin::Flag),
        endpoint: endpoint.as_ref().map(|given| given.value.as_str()),
    });
    match located {
        Ok(queue) => Some(Queue {
            create_missing: compatibility.is_some_and(|wishes| wishes.create_missing),
            delete_accepted: compatibility.is_none_or(|wishes| wishes.delete_accepted),
            ..queue
        }),
        Err(problems) => {
            for (setting, problem) in problems {
                reader.reject(setting, &problem);
            }
            None
        }
    }
}

/// The ARN of an SQS queue; the account may be empty.
///
/// # Errors
/// What an ARN looks like.
pub fn queue_arn(text: &str) -> Result<Arn, String> {
    let parts: Vec<_> = text.trim().split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "sqs", region, account, name]
            if partition.starts_with("aws") && is_region(region) && is_account_or_empty(account) && is_name(name) =>
        {
            Ok(Arn {
                partition: (*partition).to_owned(),
                region: (*region).to_owned(),
                account: (*account).to_owned(),
                name: (*name).to_owned(),
            })
        }
        _ => Err("use a queue's ARN, arn:aws:sqs:<region>:<account>:<queue>".to_owned()),
    }
}

/// The region that a host name states, if any.
pub fn region_of_host(host: &str) -> Option<&str> {
    let labels: Vec<_> = host.split('.').collect();
    match labels.as_slice() {
        ["sqs" | "sqs-fips", region, ..] | [region, "queue", ..] if is_region(region) => Some(region),
        ["queue", "amazonaws", "com"] => Some("us-east-1"),
        [vpce, "sqs", region, "vpce", ..] if vpce.starts_with("vpce-") && is_region(region) => Some(region),
        [_, second, ..] if is_region(second) => Some(second),
        _ => None,
    }
}

/// The partition that a region belongs to.
///
/// Prefixes: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
pub fn partition_of(region: &str) -> &'static str {
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    partitions.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

fn check<T>(
    setting: &'static Setting,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, String>,
    problems: &mut Vec<QueueProblem>,
) -> Option<T> {
    let text = text?;
    parse(text)
        .map_err(|fix| problems.push((setting, format!("{} is not valid, {fix}", super::read::quote(text)))))
        .ok()
}

fn queue_url(text: &str) -> Result<Url, String> {
    let fix = "use a queue's URL, https://sqs.<region>.amazonaws.com/<account>/<queue>";
    let url = parse::http_url(text).map_err(|_| fix.to_owned())?;
    let named = url.path_segments().and_then(|mut segments| segments.next_back()).is_some_and(|name| !name.is_empty());
    let plain = url.query().is_none() && url.fragment().is_none();
    if named && plain { Ok(url) } else { Err(fix.to_owned()) }
}

fn region_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_region(text) { Ok(text.to_owned()) } else { Err("use a region such as eu-north-1".to_owned()) }
}

/// The region that the ARN states or that AWS's own host name binds requests to.
fn stated_region(url: Option<&Url>, arn: Option<&Arn>, endpoint: Option<&Url>) -> Option<String> {
    let host = || url.filter(|url| endpoint.is_none() && is_public(url))?.host_str().and_then(region_of_host);
    arn.map(|arn| arn.region.clone()).or_else(|| host().map(str::to_owned))
}

fn choose_region(
    given: Option<String>,
    ambient: bool,
    stated: Option<String>,
    url: Option<&Url>,
) -> Result<String, Vec<QueueProblem>> {
    match (given, stated) {
        (Some(given), Some(stated)) if given != stated && !ambient => Err(vec![(
            &settings::REGION,
            format!("{given} differs from {stated}, the region of the queue: leave it out or use {stated}"),
        )]),
        (_, Some(stated)) => Ok(stated),
        (Some(given), None) => Ok(given),
        (None, None) => url.and_then(Url::host_str).and_then(region_of_host).map(str::to_owned).ok_or_else(|| {
            let host = url.and_then(Url::host_str).unwrap_or_default();
            vec![(
                &settings::REGION,
                format!(
                    "the region is unknown, the host {host:?} of the queue URL names none: set it, such as eu-north-1"
                ),
            )]
        }),
    }
}

fn agree(url: Option<&Url>, arn: Option<&Arn>) -> Result<(), Vec<QueueProblem>> {
    let (Some(url), Some(arn)) = (url, arn) else { return Ok(()) };
    let of_url = arn_of(url, &arn.region);
    let regions_agree = !is_public(url) || url.host_str().and_then(region_of_host) == Some(arn.region.as_str());
    let accounts_agree = of_url.account.is_empty() || arn.account.is_empty() || of_url.account == arn.account;
    if of_url.name == arn.name && accounts_agree && regions_agree {
        return Ok(());
    }
    Err(vec![(&settings::QUEUE_ARN, format!("{arn} is not the queue of the URL {url}: leave out one of the two"))])
}

/// The queue's ARN by its URL: the last two parts of the path are account and name.
fn arn_of(url: &Url, region: &str) -> Arn {
    let segments: Vec<_> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let (account, name) = match segments.as_slice() {
        [.., account, name] if is_account(account) => (*account, *name),
        [.., name] => ("", *name),
        [] => ("", ""),
    };
    Arn {
        partition: partition_of(region).to_owned(),
        region: region.to_owned(),
        account: account.to_owned(),
        name: name.to_owned(),
    }
}

/// True if AWS's SDK reaches the same queue without an endpoint override.
fn is_public(url: &Url) -> bool {
    let Some(host) = url.host_str().filter(|_| url.port().is_none()) else { return false };
    let Some(name) = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn")) else {
        return false;
    };
    match name.split('.').collect::<Vec<_>>().as_slice() {
        ["sqs", region] | [region, "queue"] => is_region(region),
        ["queue"] => true,
        _ => false,
    }
}

fn origin(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("");
    origin
}

/// `eu-north-1`, `us-gov-west-1`, `us-isob-east-1`: letters, letters, …, a number.
fn is_region(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [first, middle @ .., number] if !middle.is_empty() => {
            (2..=4).contains(&first.len())
                && letters(first)
                && middle.iter().all(letters)
                && (1..=2).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_account_or_empty(text: &str) -> bool {
    text.is_empty() || is_account(text)
}

/// Form: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>.
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix(".fifo").unwrap_or(text);
    (1..=80).contains(&text.len())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests;
