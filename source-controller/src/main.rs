//! `source-controller`: arguments and environment in, exit code out.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use source_controller::args::{Args, Command, RunArgs};
use source_controller::{crd, manifests, run, telemetry};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let Args { command, run } = Args::parse();
    match act(command.unwrap_or(Command::Run), run, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let shown = writeln!(std::io::stderr(), "source-controller: {}", chain(error.as_ref()));
            if shown.is_ok() { ExitCode::FAILURE } else { ExitCode::from(2) }
        }
    }
}

fn act(command: Command, args: RunArgs, out: &mut impl Write) -> Result<(), Box<dyn Error + Send + Sync>> {
    match command {
        Command::Crd => out.write_all(crd::manifest::yaml()?.as_bytes())?,
        Command::Manifests => manifests::write(out)?,
        Command::Run => controller(args)?,
    }
    Ok(())
}

/// One thread: a controller waits for the API server nearly all the time.
fn controller(args: RunArgs) -> Result<(), Box<dyn Error + Send + Sync>> {
    telemetry::install(&args.log_level, args.log_json)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok(run::run(args, shutdown).await?)
    })
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}
