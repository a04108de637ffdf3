//! `sqs-bridge`: arguments and environment in, exit code out.

use std::error::Error;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use sqs_bridge::args::{self, Args, Check, Command, DryRun, RunArgs};
use sqs_bridge::check::{self, Grade};
use sqs_bridge::config::{Config, ConfigErrors, Strings, show};
use sqs_bridge::{aws, convert, dry_run, policy, run, telemetry};
use tokio::runtime::{Builder, Runtime};

/// The variables of the process.
struct Environment;

impl Strings for Environment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }
}

fn main() -> ExitCode {
    let Args { command, settings } = match args::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(usage) => {
            // Help and version go to standard output and are no failure; clap knows.
            let printed = usage.print();
            return ExitCode::from(if printed.is_ok() { usage.exit_code() as u8 } else { 1 });
        }
    };
    let settings = RunArgs { terminal: io::stderr().is_terminal(), ..settings };
    execute(command, &settings).unwrap_or_else(|failure| report(failure.as_ref()))
}

fn execute(command: Command, settings: &RunArgs) -> Result<ExitCode, Box<dyn Error>> {
    let mut out = io::stdout();
    match command {
        Command::Run => return bridge(settings),
        Command::DryRun(options) => return look(settings, options),
        Command::Check(options) => return doctor(settings, options),
        Command::PrintConfig => {
            show::print(settings, &Environment, &mut out)?;
            Config::load(settings, &Environment)?;
        }
        Command::Convert(options) => {
            let (queue, event) = Config::load_for_convert(settings, &Environment)?;
            let mut input = Vec::new();
            io::stdin().read_to_end(&mut input)?;
            convert::convert(&input, &queue, &event, options, &mut out.lock())?;
        }
        Command::Policy(mut arns) => {
            arns.queue = arns.queue.or_else(|| Environment.get("AWS_SQS_ARN").filter(|arn| !arn.is_empty()));
            writeln!(out, "{:#}", policy::policies(&arns))?;
        }
        Command::Completions(shell) => args::write_completions(shell, &mut out)?,
        Command::Man => args::write_manual(&mut out)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs until a signal asks for the end.
fn bridge(settings: &RunArgs) -> Result<ExitCode, Box<dyn Error>> {
    let config = Config::load(settings, &Environment)?;
    runtime(config.worker_threads)?.block_on(async {
        let telemetry = telemetry::start(&config.logging, &config.observability, &config.identity)?;
        for warning in &config.warnings {
            tracing::warn!(event = "setting", "{warning}");
        }
        let (stopper, shutdown) = run::shutdown();
        let outcome = tokio::select! {
            outcome = run::run(config, shutdown) => outcome.map_err(Box::from),
            signals = stopper.stop_on_signals() => signals.map_err(Box::from),
        };
        run::finish(telemetry).await;
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

/// Shows messages until there are enough or a signal asks for the end.
fn look(settings: &RunArgs, options: DryRun) -> Result<ExitCode, Box<dyn Error>> {
    let config = Config::load_without_sink(settings, &Environment)?;
    runtime(1)?.block_on(async {
        let clients = aws::connect(&config).await?;
        let (stopper, mut shutdown) = run::shutdown();
        let (mut out, mut notes) = (io::stdout(), io::stderr());
        let looked = dry_run::dry_run(&config, &clients, options, shutdown.requested(), &mut out, &mut notes);
        tokio::select! {
            outcome = looked => outcome?,
            signals = stopper.stop_on_signals() => signals?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Checks, prints, and tells by the exit code what the worst was.
fn doctor(settings: &RunArgs, options: Check) -> Result<ExitCode, Box<dyn Error>> {
    let (report, settings) = runtime(1)?.block_on(check::check(settings, &Environment, options));
    let mut out = io::stdout();
    if options.json {
        report.print_json(&mut out)?
    } else {
        report.print_text(&mut out)?
    }
    Ok(match (settings, report.result) {
        (Err(_), _) => ExitCode::from(2),
        (Ok(()), Grade::Ok) => ExitCode::SUCCESS,
        (Ok(()), Grade::Warning) => ExitCode::from(3),
        (Ok(()), Grade::Failed) => ExitCode::FAILURE,
    })
}

/// One thread if there is one CPU (or a limit of one), else as many as there are, at most four.
fn runtime(worker_threads: usize) -> io::Result<Runtime> {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if worker_threads == 0 { available.min(4) } else { worker_threads };
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

/// Prints the problem and its causes once. Wrong settings end with 2, as wrong usage does, anything else with 1.
fn report(failure: &(dyn Error + 'static)) -> ExitCode {
    let (text, code) = match failure.downcast_ref::<ConfigErrors>() {
        Some(errors) => (errors.to_string(), 2),
        None => (causes(failure), 1),
    };
    let mut out = io::stderr();
    let printed: io::Result<()> = text.lines().try_for_each(|line| writeln!(out, "error: {line}"));
    ExitCode::from(if printed.is_ok() { code } else { 1 })
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
