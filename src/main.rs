//! Parse, run, and turn the end into an exit code.

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use source_devin_ai::cli::{Arguments, Exit, run};
use source_devin_ai::output::Output;
use source_devin_ai::stop;

/// What a Unix filter exits with when its reader has gone: 0 would claim that everything was delivered.
const READER_GONE: u8 = 128 + 13;

/// How long a reader that stands still may hold up a process that was told to stop.
const PATIENCE: Duration = Duration::from_millis(1500);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new();
    let exit = run(arguments, &output);
    let patience = matches!(exit, Exit::Signal(_)).then_some(PATIENCE);
    match (output.finish(patience), exit) {
        (_, Exit::Signal(signal)) => stop::die(signal),
        (Err(error), _) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(READER_GONE),
        (Err(error), _) => {
            output.note(&format!("error: cannot write the output: {error}"));
            ExitCode::FAILURE
        }
        (Ok(()), Exit::Code(code)) => ExitCode::from(code),
    }
}
