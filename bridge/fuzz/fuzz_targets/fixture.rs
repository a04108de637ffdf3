//! A queue and settings for the targets.

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use sqs_bridge::config::{
    Arn, ContentMode, DataSetting, EventSettings, Format, MessageAttributes, Queue, SnsUnwrap, TypeFormat,
};

/// Which of the options are on.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Choice {
    format: u8,
    data: u8,
    detail_type: bool,
    never_unwrap: bool,
    no_attributes: bool,
}

pub fn settings(choice: Choice) -> EventSettings {
    let formats = [Format::EventingAwssqs, Format::TriggerMesh, Format::Aws, Format::IntegrationSource];
    EventSettings {
        format: formats.get(usize::from(choice.format)).copied().unwrap_or_default(),
        content_mode: ContentMode::Auto,
        data: [DataSetting::Event, DataSetting::Detail, DataSetting::Envelope][usize::from(choice.data % 3)],
        type_format: if choice.detail_type { TypeFormat::DetailType } else { TypeFormat::Slug },
        sns_unwrap: if choice.never_unwrap { SnsUnwrap::Never } else { SnsUnwrap::Auto },
        message_attributes: if choice.no_attributes { MessageAttributes::None } else { MessageAttributes::All },
        overrides: BTreeMap::new(),
    }
}

pub fn queue() -> Queue {
    Queue {
        url: None,
        arn: Arn {
            partition: "aws".to_owned(),
            region: "eu-north-1".to_owned(),
            account: String::new(),
            name: "q".to_owned(),
        },
        account_known: false,
        region: "eu-north-1".to_owned(),
        endpoint: None,
        create_missing: false,
        delete_accepted: true,
    }
}
