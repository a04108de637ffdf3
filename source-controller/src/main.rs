//! `source-controller`: arguments and environment in, exit code out.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use source_controller::args::{Args, Command};
use source_controller::crd::manifest;

fn main() -> ExitCode {
    let Args { command } = Args::parse();
    match act(command, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let shown = writeln!(std::io::stderr(), "source-controller: {error}");
            if shown.is_ok() { ExitCode::FAILURE } else { ExitCode::from(2) }
        }
    }
}

fn act(command: Option<Command>, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Some(Command::Crd) => out.write_all(manifest::yaml()?.as_bytes())?,
        None => {}
    }
    Ok(())
}
