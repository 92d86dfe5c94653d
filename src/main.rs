//! Parse, run, and turn the end into an exit code.

// The library forbids it. What looks at stdout before Rust does, below, cannot do without.
#![deny(unsafe_code)]

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use source_devin_ai::cli::{Arguments, Exit, misplaced, not_repeated, not_typed, run};
use source_devin_ai::config::secrets_of_variables;
use source_devin_ai::devin::Token;
use source_devin_ai::output::Output;
use source_devin_ai::stop;

/// What a Unix filter exits with when its reader has gone: 0 would claim that everything was delivered.
const READER_GONE: u8 = 128 + 13;

/// Whether stdout was closed when the process started.
static IS_STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

// Before `main`, Rust opens the null device where stdout is closed; after that nobody can tell that the output is lost.
#[cfg(unix)]
ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn look_at_stdout() {
        let is_closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err();
        IS_STDOUT_CLOSED.store(is_closed, Ordering::Relaxed);
    }
}

fn main() -> ExitCode {
    let output = Output::new();
    if IS_STDOUT_CLOSED.load(Ordering::Relaxed) {
        output.note("error: stdout is closed, so nothing could be reported: redirect it to a file, or to /dev/null");
        output.finish_notes(None);
        return ExitCode::FAILURE;
    }
    for secret in secrets_of_variables(|name| std::env::var(name).ok()) {
        output.hide(&Token::new(&secret));
    }
    let typed: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    for secret in misplaced(&typed, Path::exists) {
        output.hide(&Token::new(secret));
    }
    let exit = match Arguments::try_parse() {
        Ok(arguments) => run(arguments, &output),
        Err(error) => misused(&error, &typed, &output),
    };
    let deadline = matches!(exit, Exit::Signal(_)).then(stop::deadline);
    let written = output.finish(deadline);
    if let (Err(error), Exit::Code(_)) = (&written, &exit)
        && error.kind() != ErrorKind::BrokenPipe
    {
        output.note(&format!("error: cannot write the output: {error}"));
    }
    output.finish_notes(deadline);
    match (written, exit) {
        (_, Exit::Signal(signal)) => stop::die(signal),
        (Err(error), _) if error.kind() == ErrorKind::BrokenPipe => ExitCode::from(READER_GONE),
        (Err(_), _) => ExitCode::FAILURE,
        (Ok(()), Exit::Code(code)) => ExitCode::from(code),
    }
}

/// Shows help, or what was not understood, and answers with the exit code clap has for it. A secret that was typed in the
/// wrong place is not repeated.
fn misused(error: &clap::Error, typed: &[String], output: &Output) -> Exit {
    let text = not_typed(error, typed).unwrap_or_else(|| error.render().to_string());
    if error.use_stderr() {
        output.note(not_repeated(&text, typed).trim_end());
    } else {
        output.line_as_it_is(text.trim_end());
    }
    Exit::Code(u8::try_from(error.exit_code()).unwrap_or(2))
}
