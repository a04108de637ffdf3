//! The command line -> what the user typed, syntax only. Pure.
//!
//! The flags of settings, their help, variables and defaults come from the table in [`settings`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use clap_complete::Shell;

use crate::config::settings::{self, Setting};
use crate::convert;
use crate::policy::Arns;

/// The settings given as flags, and what is known about the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunArgs {
    /// Values by flag name without its dashes, such as `queue-url`.
    pub flags: BTreeMap<&'static str, String>,
    /// `-v` minus `-q`: steps of the log level.
    pub verbosity: i8,
    /// Standard error is a terminal: logs are for people. Not typed; `main` finds out.
    pub terminal: bool,
}

/// Everything that was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    /// What to do.
    pub command: Command,
    /// Settings given as flags.
    pub settings: RunArgs,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Drain the queue into the sink.
    Run,
    /// Print the settings in force.
    PrintConfig,
    /// Receive, print and give back.
    DryRun(DryRun),
    /// Find out what does not work.
    Check(Check),
    /// Turn messages on standard input into events on standard output.
    Convert(convert::Options),
    /// Print the IAM policies.
    Policy(Arns),
    /// Print a completion script.
    Completions(Shell),
    /// Print the manual page.
    Man,
}

/// How to look at messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// How events are printed.
    pub output: EventOutput,
    /// Stop after this many messages.
    pub max: u32,
}

/// How events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutput {
    /// For people.
    Pretty,
    /// One structured CloudEvent per line.
    Json,
    /// A command that sends the event.
    Curl,
}

/// How to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// POST one event to the sink.
    pub send: bool,
    /// Print JSON instead of lines for people.
    pub json: bool,
}

/// The grammar of the command line.
pub fn command() -> clap::Command {
    let root = clap::Command::new("sqs-bridge")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Drains an Amazon SQS queue into CloudEvents 1.0 at an HTTP sink")
        .after_help(
            "Without a command it runs. Exit codes: 0 ok, 1 failure, 2 wrong usage or settings, 3 check warnings.",
        );
    with_run(root)
        .arg(count("verbose", 'v', "Log more; may be repeated"))
        .arg(count("quiet", 'q', "Log less; may be repeated"))
        .subcommand(with_run(clap::Command::new("run").about("Drain the queue into the sink (the default)")))
        .subcommand(check())
        .subcommand(convert())
        .subcommand(policy())
        .subcommand(
            clap::Command::new("completions")
                .about("Print a completion script")
                .arg(Arg::new("shell").required(true).value_parser(value_parser!(Shell))),
        )
        .subcommand(clap::Command::new("man").about("Print the manual page"))
}

/// Reads the command line, its first word being the program's name.
///
/// # Errors
/// What clap says about wrong usage; also help and version, which are no failures.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let named = matches.subcommand();
    let inner = named.map_or(&matches, |(_, inner)| inner);
    let mut flags = flags(&matches);
    flags.extend(self::flags(inner));
    let verbosity = i16::from(matches.get_count("verbose")) - i16::from(matches.get_count("quiet"));
    let verbosity = verbosity.clamp(i16::from(i8::MIN), i16::from(i8::MAX)) as i8;
    let command = match named.map(|(name, _)| name) {
        Some("check") => Command::Check(Check { send: inner.get_flag("send"), json: text(inner, "output") == "json" }),
        Some("convert") => Command::Convert(convert::Options {
            lines: inner.get_flag("lines"),
            output: if text(inner, "output") == "http" { convert::Output::Http } else { convert::Output::Structured },
        }),
        Some("policy") => Command::Policy(arns(inner)),
        Some("completions") => Command::Completions(inner.get_one("shell").copied().unwrap_or(Shell::Bash)),
        Some("man") => Command::Man,
        Some(_) | None => run_command(&matches, inner),
    };
    Ok(Args { command, settings: RunArgs { flags, verbosity, terminal: false } })
}

/// Writes the completion script of a shell.
///
/// # Errors
/// Only if `out` cannot be written to.
pub fn write_completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "sqs-bridge", &mut script);
    out.write_all(&script)
}

/// Writes the manual page, in roff.
///
/// # Errors
/// Only if `out` cannot be written to.
pub fn write_manual(out: &mut impl Write) -> io::Result<()> {
    clap_mangen::Man::new(command()).render(out)
}

fn run_command(root: &ArgMatches, inner: &ArgMatches) -> Command {
    let wanted = |name: &str| root.get_flag(name) || inner.get_flag(name);
    // What was typed behind the command counts, unless it is a default and something was typed before it.
    let typed = |name: &str| {
        let default = inner.value_source(name) == Some(clap::parser::ValueSource::DefaultValue);
        if default { root } else { inner }
    };
    if wanted("print-config") {
        return Command::PrintConfig;
    }
    if !wanted("dry-run") {
        return Command::Run;
    }
    let output = match text(typed("output"), "output").as_str() {
        "json" => EventOutput::Json,
        "curl" => EventOutput::Curl,
        _ => EventOutput::Pretty,
    };
    Command::DryRun(DryRun { output, max: typed("max").get_one("max").copied().unwrap_or(10) })
}

fn with_run(command: clap::Command) -> clap::Command {
    with_settings(command, |_| true)
        .arg(switch(
            "dry-run",
            "Receive and print events, then give the messages back: nothing is sent, nothing deleted",
        ))
        .arg(output(&["pretty", "json", "curl"], "How --dry-run prints events").requires("dry-run"))
        .arg(
            Arg::new("max")
                .long("max")
                .value_name("N")
                .help("Messages that --dry-run shows, at most")
                .default_value("10")
                .value_parser(value_parser!(u32).range(1..=1_000)),
        )
        .arg(switch("print-config", "Print the settings in force and where they come from, without secrets"))
}

fn check() -> clap::Command {
    let command = clap::Command::new("check")
        .about("Find out what does not work: settings, credentials, queue, permissions, sink")
        .arg(switch("send", "POST one check event to the sink and explain its answer"))
        .arg(output(&["text", "json"], "How the result is printed"));
    with_settings(command, |_| true)
}

fn convert() -> clap::Command {
    let command = clap::Command::new("convert")
        .about("Turn an SQS message or a bare body on standard input into CloudEvents on standard output")
        .arg(switch("lines", "Each line of the input is a message, an answer of ReceiveMessage, or a body"))
        .arg(output(&["structured", "http"], "structured CloudEvents, or HTTP requests as they would be sent"));
    with_settings(command, |setting| {
        let events = settings::GROUPS.iter().filter(|(name, _)| matches!(*name, "Queue" | "Events"));
        events.flat_map(|(_, settings)| settings.iter()).any(|other| *other == setting)
            || *setting == settings::CE_OVERRIDES
    })
}

fn policy() -> clap::Command {
    let arn = |name: &'static str, help| Arg::new(name).long(name).value_name("ARN").help(help);
    clap::Command::new("policy")
        .about("Print the IAM policy of the bridge and the queue policy of the producer, as JSON")
        .arg(arn("queue-arn", "The queue [env: AWS_SQS_ARN]"))
        .arg(arn("kms-arn", "The customer key of the queue, if it has one"))
        .arg(arn("rule-arn", "The EventBridge rule, SNS topic or S3 bucket that sends to the queue"))
}

fn arns(matches: &ArgMatches) -> Arns {
    let get = |name: &str| matches.get_one::<String>(name).cloned();
    Arns { queue: get("queue-arn"), key: get("kms-arn"), producer: get("rule-arn") }
}

/// Adds a flag for every chosen setting that has one, under the heading of its group.
fn with_settings(mut command: clap::Command, chosen: impl Fn(&Setting) -> bool) -> clap::Command {
    for (group, settings) in settings::GROUPS {
        command = command.next_help_heading(*group);
        for setting in settings.iter().filter(|setting| !setting.flag.is_empty() && chosen(setting)) {
            command = command.arg(flag(setting));
        }
    }
    command.next_help_heading(None::<&str>)
}

fn flag(setting: &'static Setting) -> Arg {
    let fallback = if setting.fallback_env.is_empty() { String::new() } else { format!(", {}", setting.fallback_env) };
    let help = format!("{} [env: {}{fallback}] [default: {}]", setting.help, setting.env, setting.shown_default());
    // A value may begin with a dash, so that it is our sentence that says what is wrong with it.
    Arg::new(setting.flag).long(setting.flag).value_name(setting.value).help(help).allow_hyphen_values(true)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn count(name: &'static str, short: char, help: &'static str) -> Arg {
    Arg::new(name).short(short).long(name).help(help).action(ArgAction::Count).global(true)
}

fn output(choices: &'static [&'static str], help: &'static str) -> Arg {
    Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FORM")
        .help(help)
        .default_value(choices[0])
        .value_parser(PossibleValuesParser::new(choices))
}

fn flags(matches: &ArgMatches) -> BTreeMap<&'static str, String> {
    let given = |setting: &'static Setting| {
        let value = matches.try_get_one::<String>(setting.flag).ok().flatten()?;
        Some((setting.flag, value.clone()))
    };
    settings::all().filter(|setting| !setting.flag.is_empty()).filter_map(given).collect()
}

fn text(matches: &ArgMatches, name: &str) -> String {
    matches.get_one::<String>(name).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Args {
        try_parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn try_parsed(line: &str) -> Result<Args, clap::Error> {
        parse(std::iter::once("sqs-bridge").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn the_grammar_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn running_is_the_default() {
        assert_eq!(parsed("").command, Command::Run);
        assert_eq!(parsed("run").command, Command::Run);
    }

    #[test]
    fn every_setting_with_a_flag_is_read_before_and_after_the_command() {
        for setting in settings::all().filter(|setting| !setting.flag.is_empty()) {
            let expected = BTreeMap::from([(setting.flag, "-value".to_owned())]);
            for line in ["", "run", "check"] {
                let line = format!("{line} --{} -value", setting.flag);
                assert_eq!(parsed(&line).settings.flags, expected, "{line}");
            }
            assert_eq!(parsed(&format!("--{} -value check", setting.flag)).settings.flags, expected);
        }
    }

    #[test]
    fn help_shows_variable_and_default_of_every_flag() {
        let help = command().render_long_help().to_string();
        for setting in settings::all().filter(|setting| !setting.flag.is_empty()) {
            let line = help.lines().skip_while(|line| !line.trim_start().starts_with(&format!("--{} ", setting.flag)));
            let text: Vec<_> = line.take(8).collect();
            let text = text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&format!("[env: {}", setting.env)), "{text}");
            assert!(text.contains(&format!("[default: {}]", setting.shown_default())), "{text}");
        }
    }

    #[test]
    fn verbosity_adds_up_on_either_side_of_the_command() {
        assert_eq!(parsed("-vv").settings.verbosity, 2);
        assert_eq!(parsed("run -q").settings.verbosity, -1);
        assert_eq!(parsed("check -v -q -q").settings.verbosity, -1);
    }

    #[test]
    fn a_dry_run_has_its_own_switches() {
        let dry_run = |output, max| Command::DryRun(DryRun { output, max });
        assert_eq!(parsed("--dry-run").command, dry_run(EventOutput::Pretty, 10));
        assert_eq!(parsed("run --dry-run -o curl --max 3").command, dry_run(EventOutput::Curl, 3));
        assert_eq!(parsed("--dry-run -o json run --max 2").command, dry_run(EventOutput::Json, 2));
        assert!(try_parsed("run -o json").is_err());
        assert!(try_parsed("run --dry-run --max 0").is_err());
    }

    #[test]
    fn other_commands_are_read() {
        assert_eq!(parsed("check --send -o json").command, Command::Check(Check { send: true, json: true }));
        let options = convert::Options { lines: true, output: convert::Output::Http };
        assert_eq!(parsed("convert --lines -o http --format aws").command, Command::Convert(options));
        assert_eq!(parsed("completions zsh").command, Command::Completions(Shell::Zsh));
        assert_eq!(parsed("man").command, Command::Man);
        assert_eq!(parsed("--print-config").command, Command::PrintConfig);
        let arns = Arns { queue: Some("q".to_owned()), key: None, producer: Some("r".to_owned()) };
        assert_eq!(parsed("policy --queue-arn q --rule-arn r").command, Command::Policy(arns));
    }

    #[test]
    fn convert_takes_no_setting_without_meaning_to_it() {
        assert!(try_parsed("convert --wait-time 3s").is_err());
        assert_eq!(parsed("convert --queue-arn a").settings.flags, BTreeMap::from([("queue-arn", "a".to_owned())]));
    }
}
