//! What was typed and must not be repeated: a secret in the place of an option's value. Pure.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};

use super::Arguments;
use crate::devin::token::holds_key;
use redact::{MASK, is_secret_name, may_be_secret};

/// What the values of options are called that are shown when they cannot be used: names of files and of streams.
const SHOWN: [&str; 2] = ["FILE", "NAMES"];

/// `message`, which is about what was typed, with `****` for each of these words that may be a secret.
pub fn not_repeated(message: &str, words: &[String]) -> String {
    let mut secrets: Vec<&str> = words.iter().filter_map(|word| secret(word)).collect();
    // A word before a part of it.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(message.to_string(), |message, secret| message.replace(secret, MASK))
}

/// The secrets among these words that stand where a file or a stream is named, and name none: whoever says that there is no
/// such thing would repeat them.
pub fn misplaced(words: &[String], exists: impl Fn(&Path) -> bool) -> Vec<&str> {
    let named = words.windows(2).filter(|pair| names_something(&pair[0])).map(|pair| pair[1].as_str());
    let joined = words.iter().filter_map(|word| word.split_once('=')).filter(|(option, _)| names_something(option));
    let values = named.chain(joined.map(|(_, value)| value)).chain(files(words));
    values.filter(|value| may_be_secret(value) && !exists(Path::new(value))).collect()
}

/// What is said of required words that were not typed, with what each of them is and the examples of the command; `None` where
/// something else is wrong.
pub fn not_typed(error: &clap::Error, words: &[String]) -> Option<String> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_missing = error.kind() == ErrorKind::MissingRequiredArgument;
    is_missing.then(|| with_examples(&error.render().to_string(), missing, words))
}

fn with_examples(message: &str, missing: &[String], words: &[String]) -> String {
    let mut root = Arguments::command();
    root.build();
    let command = words.iter().fold(&root, |command, word| command.find_subcommand(word).unwrap_or(command));
    let mut told = String::new();
    for line in message.lines() {
        let is_named = missing.iter().any(|name| line.trim() == name);
        // What can be left out beside something else stands in other brackets.
        let bare = |name: &str| name.trim().replace(['<', '>', '[', ']'], "");
        let argument = command.get_arguments().find(|one| is_named && bare(&one.to_string()) == bare(line));
        match argument.and_then(Arg::get_help) {
            Some(help) => told += &format!("{line}  {help}\n"),
            None => told += &format!("{line}\n"),
        }
        // What it asks for is below its usage.
        if line.starts_with("Usage: ")
            && let Some(examples) = examples(command)
        {
            told += &format!("\n{examples}\n");
        }
    }
    told
}

/// What its help begins with behind the options, where that is how it is typed.
fn examples(command: &Command) -> Option<String> {
    let help = command.get_after_help()?.to_string();
    let first = help.split("\n\n").next()?;
    first.starts_with("Example").then(|| first.to_string())
}

/// What stands alone behind a command that takes the name of a file so.
fn files(words: &[String]) -> Vec<&str> {
    let root = Arguments::command();
    let (mut command, mut files) = (&root, Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(inner) = command.find_subcommand(word) {
            command = inner;
        } else if takes_the_next(command, word) {
            words.next();
        } else if !word.starts_with('-') && command.get_positionals().any(is_shown) {
            files.push(word.as_str());
        }
    }
    files
}

/// Whether a word is an option, perhaps abbreviated, whose value is the next word.
fn takes_the_next(command: &Command, word: &str) -> bool {
    let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) else { return false };
    let is_meant = |argument: &&Arg| argument.get_long().is_some_and(|long| long.starts_with(option));
    command.get_arguments().find(is_meant).is_some_and(|argument| argument.get_action().takes_values())
}

fn is_shown(argument: &Arg) -> bool {
    argument.get_value_names().is_some_and(|names| names.iter().any(|name| SHOWN.contains(&name.as_str())))
}

/// The part of a word that may be a secret: all of it, or what is behind the equals sign of an option.
fn secret(word: &str) -> Option<&str> {
    let (name, value) = word.split_once('=').filter(|_| word.starts_with('-')).unwrap_or(("", word));
    let is_secret = holds_key(value) || may_be_secret(value) || (is_secret_name(name) && !value.is_empty());
    (is_secret && !value.starts_with('-')).then_some(value)
}

/// Whether a word is an option, perhaps abbreviated, of any command whose value is shown when it cannot be used.
fn names_something(word: &str) -> bool {
    fn any(command: &Command, option: &str) -> bool {
        let mut arguments = command.get_arguments().filter(|argument| is_shown(argument));
        arguments.any(|argument| argument.get_long().is_some_and(|long| long.starts_with(option)))
            || command.get_subcommands().any(|command| any(command, option))
    }
    word.strip_prefix("--").is_some_and(|option| !option.is_empty() && any(&Arguments::command(), option))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_string).collect()
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_repeated() {
        let told = |line: &str| not_repeated(&format!("no: {line}"), &words(line));
        let lines = [
            "serve --listen hunter2Zq9",
            "serve --listen=hunter2zq9",
            "run --password=swordfish --poll-interval 90sec",
            "read --format cog_s3cr3t-k3y",
            "run --format pagerdutty --config settings7Xy.json --out /tmp/a1B2c3D4/x",
            "run --max-sessions 0x1f --tag team",
        ];
        insta::assert_snapshot!(lines.map(told).join("\n"), @"
        no: serve --listen ****
        no: serve --listen=****
        no: run --password=**** --poll-interval 90sec
        no: read --format ****
        no: run --format pagerdutty --config settings7Xy.json --out /tmp/a1B2c3D4/x
        no: run --max-sessions 0x1f --tag team
        ");
    }

    #[cfg(feature = "serve")]
    #[test]
    fn what_is_missing_is_told_with_what_it_is_and_how_it_is_typed() {
        let told = |line: &str| {
            let words = words(line);
            let error = <Arguments as clap::Parser>::try_parse_from([&["x".to_string()], &words[..]].concat());
            not_typed(&error.unwrap_err(), &words).unwrap()
        };
        insta::assert_snapshot!(
            ["alert-relay resend", "alert-relay suppress", "alert-relay restore a.backup"].map(told).join("\n")
        );
        // Every command of the relay that cannot do without a word has an example.
        fn each<'a>(command: &'a Command, found: &mut Vec<&'a Command>) {
            found.push(command);
            command.get_subcommands().for_each(|inner| each(inner, found));
        }
        let root = Arguments::command();
        let mut all = Vec::new();
        each(root.find_subcommand("alert-relay").unwrap(), &mut all);
        let needy = all.iter().filter(|command| command.get_arguments().any(Arg::is_required_set));
        let without: Vec<_> = needy.filter(|command| examples(command).is_none()).map(|one| one.get_name()).collect();
        assert_eq!(without, [""; 0]);
    }

    #[test]
    fn a_secret_in_the_place_of_a_file_is_known_before_it_is_looked_for() {
        let line = "serve --rules hunter2Zq9 --config=hunter3Zq9 --tag hunter4Zq9 --conf there5Zq9 --alert a.json";
        let words = words(line);
        assert_eq!(misplaced(&words, |path| path == Path::new("there5Zq9")), ["hunter2Zq9", "hunter3Zq9"]);
    }

    #[cfg(feature = "serve")]
    #[test]
    fn the_address_of_a_store_is_not_the_name_of_a_file() {
        let line = "alert-relay restore hunter2Zq9 --store postgres://relay@127.0.0.1:5499/nosuch";
        assert_eq!(misplaced(&words(line), |_| false), ["hunter2Zq9"]);
        let line = "alert-relay backup --force hunter2Zq9 --store=postgres://relay@127.0.0.1:5499/nosuch";
        assert_eq!(misplaced(&words(line), |_| false), ["hunter2Zq9"]);
    }
}
