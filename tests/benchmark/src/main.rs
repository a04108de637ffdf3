//! What the bridge costs: load server, sink, bare client loops and the runs that set the bridge beside them.

mod alone;
mod bare;
mod bench;
mod cases;
mod control;
mod figures;
mod loaded;
mod process;
mod queue;
mod serve;
mod sink;
mod table;

use std::error::Error;
use std::io;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use bench::Bench;
use cases::Options;
use process::Machine;

/// Measures the bridge beside bare client loops; every figure names what it was measured with.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: Options,
    /// The bridge to measure, a release binary.
    #[arg(long, default_value = "target/release/sqs-bridge")]
    bridge: PathBuf,
}

/// The processes that a run starts; of use by themselves too.
#[derive(Debug, Subcommand)]
enum Part {
    /// An SQS load server with one queue.
    Queue,
    /// A sink that counts.
    Sink,
    /// A loop that receives, POSTs and deletes and does nothing else.
    Bare {
        /// What it is made of.
        parts: bare::Parts,
        /// The queue.
        queue_url: String,
        /// Where to POST.
        sink: String,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    let Args { part, options, bridge } = Args::parse();
    // Every client here is plain HTTP, but none can be built without.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    match part {
        Some(Part::Queue) => Ok(queue::run()?),
        Some(Part::Sink) => Ok(sink::run()?),
        Some(Part::Bare { parts, queue_url, sink }) => bare::run(parts, &queue_url, &sink),
        None => measure(&options, bridge),
    }
}

fn measure(options: &Options, bridge: PathBuf) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let out = &mut io::stdout();
        let bench = Bench::start(Machine::look()?, bridge)?;
        table::write_machine(out, &bench.machine, &bench.bridge)?;
        if !options.only_load {
            alone::report(out, &bench).await?;
        }
        loaded::report(out, &bench, options).await
    })
}
