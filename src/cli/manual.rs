//! The manual's pages, one for each command, in the format of `man`.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

/// The headings of a help text, and the manual's sections that they become.
const SECTIONS: [(&str, &str); 4] = [
    ("Examples:", "EXAMPLES"),
    ("Example:", "EXAMPLES"),
    ("Environment:", "ENVIRONMENT"),
    ("Exit codes:", "EXIT STATUS"),
];

/// The order of those sections on a page.
const ORDER: [&str; 3] = ["EXAMPLES", "ENVIRONMENT", "EXIT STATUS"];

/// Writes a page for `command` and each of its subcommands into `folder`.
///
/// # Errors
/// The file system's.
pub fn write_pages(command: Command, folder: &Path) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let common = sections(&command);
    write_below(&command, None, &common, folder)
}

fn write_below(
    command: &Command,
    parent: Option<&Command>,
    common: &[(&'static str, String)],
    folder: &Path,
) -> io::Result<()> {
    let man = Man::new(command.clone())
        .source(concat!("source-devin-ai ", env!("CARGO_PKG_VERSION")))
        .manual("source-devin-ai");
    std::fs::write(folder.join(man.get_filename()), page(&man, command, parent, common)?)?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_below(below, Some(command), common, folder)?;
    }
    Ok(())
}

/// One page. What its help does not say of the environment and of exit codes is what the whole program's says.
fn page(
    man: &Man,
    command: &Command,
    parent: Option<&Command>,
    common: &[(&'static str, String)],
) -> io::Result<String> {
    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut bytes)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut bytes)?;
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    let own = sections(command);
    for name in ORDER {
        let own = own.iter().find(|(title, _)| *title == name);
        if let Some((_, body)) = own.or_else(|| common.iter().find(|(title, _)| *title == name)) {
            text += &section(name, body);
        }
    }
    text += &see_also(command, parent);
    Ok(text)
}

/// The parts of a command's help that follow its options, each with its section.
fn sections(command: &Command) -> Vec<(&'static str, String)> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut sections: Vec<(&'static str, String)> = Vec::new();
    for line in help.lines() {
        match (SECTIONS.iter().find(|(heading, _)| *heading == line), sections.last_mut()) {
            (Some((_, name)), _) => sections.push((name, String::new())),
            (None, Some((_, body))) => {
                body.push_str(line);
                body.push('\n');
            }
            // A text before the first heading would be lost; a test sees to it that there is none.
            (None, None) => {}
        }
    }
    sections
}

/// A section whose lines stay as they are.
fn section(name: &str, body: &str) -> String {
    let mut text = format!(".SH \"{name}\"\n.nf\n");
    let indent = body.lines().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len()).min();
    for line in body.trim_end().lines() {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{}", escaped(line.get(indent.unwrap_or_default()..).unwrap_or_default()));
    }
    text + ".fi\n"
}

/// The pages of the command above and of those below or beside it.
fn see_also(command: &Command, parent: Option<&Command>) -> String {
    let name = |command: &Command| command.get_display_name().unwrap_or(command.get_name()).to_string();
    let own = name(command);
    let around = if command.has_subcommands() { Some(command) } else { parent };
    let below = around.into_iter().flat_map(Command::get_subcommands).filter(|below| !below.is_hide_set());
    let pages: Vec<String> = parent
        .into_iter()
        .chain(below)
        .map(name)
        .filter(|page| *page != own)
        .map(|page| format!("\\fB{}\\fR(1)", escaped(&page)))
        .collect();
    format!(".SH \"SEE ALSO\"\n{}\n", pages.join(",\n"))
}

/// A line of text for roff: no character of it is an instruction.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
