//! Parse, run, and turn the end into an exit code.

#![forbid(unsafe_code)]

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
    let output = Output::new();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misused(&error, &output),
    };
    let exit = run(arguments, &output);
    let patience = matches!(exit, Exit::Signal(_)).then_some(PATIENCE);
    let written = output.finish(patience);
    if let (Err(error), Exit::Code(_)) = (&written, &exit)
        && error.kind() != ErrorKind::BrokenPipe
    {
        output.note(&format!("error: cannot write the output: {error}"));
    }
    output.finish_notes(patience);
    match (written, exit) {
        (_, Exit::Signal(signal)) => stop::die(signal),
        (Err(error), _) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(READER_GONE),
        (Err(_), _) => ExitCode::FAILURE,
        (Ok(()), Exit::Code(code)) => ExitCode::from(code),
    }
}

/// Shows help, or what was not understood, with the exit code clap has for it. A key that was typed in the wrong place is
/// not repeated.
fn misused(error: &clap::Error, output: &Output) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        let is_key = |word: &&str| word.contains("cog_") || word.contains("apk_");
        let keys: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == '\'').filter(is_key).collect();
        output.note(keys.iter().fold(text.clone(), |text, key| text.replace(key, "****")).trim_end());
    } else {
        output.line_as_it_is(text.trim_end());
    }
    let written = output.finish(None).is_ok();
    output.finish_notes(None);
    ExitCode::from(if written { u8::try_from(error.exit_code()).unwrap_or(2) } else { READER_GONE })
}
