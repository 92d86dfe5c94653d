//! The command line described for others: completion scripts for shells, pages for `man`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory, ValueHint};
use clap_complete::Shell;

use super::{Arguments, Exit, FAILURE, SUCCESS, manual};
use crate::output::Output;

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Folder for the pages, created if needed. man finds them in ~/.cargo/share/man/man1
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub fn print_completions(completions: &Completions, output: &Output) -> Exit {
    let mut command = hinted(Arguments::command());
    let name = command.get_name().to_string();
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut command, &name, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if completions.shell == Shell::Bash {
        // The script spells a program's hyphens in two ways, and so knows no option of a command (clap's issue 6421).
        script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    output.line_as_it_is(script.trim_end());
    SUCCESS
}

/// The command line with a word on each value, by its name in the help: only where a file or a folder is wanted does a shell
/// offer any.
fn hinted(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        if !argument.get_action().takes_values() {
            return argument;
        }
        let hint = match argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str()) {
            Some("FILE") => ValueHint::FilePath,
            Some("FOLDER") => ValueHint::DirPath,
            _ => ValueHint::Other,
        };
        argument.value_hint(hint)
    });
    command.mut_subcommands(hinted)
}

pub fn write_manual(man: &Man, output: &Output) -> Exit {
    match pages(&man.out) {
        Ok(()) => SUCCESS,
        Err(problem) => {
            output.note(&format!("error: {problem:#}"));
            FAILURE
        }
    }
}

fn pages(folder: &Path) -> anyhow::Result<()> {
    let name = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {name}"))?;
    manual::write_pages(Arguments::command(), folder)
        .with_context(|| format!("cannot write the manual's pages into {name}"))
}
