//! Parse, run, and turn the end into an exit code.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use source_devin_ai::cli::{Arguments, Exit, run};
use source_devin_ai::output::Output;
use source_devin_ai::stop;

/// What a Unix filter exits with when its reader has gone: 0 would claim that everything was delivered.
const READER_GONE: u8 = 128 + 13;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new();
    let exit = run(arguments, &output);
    match output.finish() {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return ExitCode::from(READER_GONE),
        Err(error) => {
            output.note(&format!("error: cannot write the output: {error}"));
            return ExitCode::FAILURE;
        }
        Ok(()) => {}
    }
    match exit {
        Exit::Code(code) => ExitCode::from(code),
        Exit::Signal(signal) => stop::die(signal),
    }
}
