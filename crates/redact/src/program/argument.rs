//! Secrets that commands take among their arguments, or from another command. Pure.

use std::ops::Range;

use super::command::is_of;
use super::positions::Which::{After, Nth, OfFile, OfUser, Random};
use super::positions::{COMMANDS, STAND_INS, SURE, Which};
use crate::known::coded::is_secret_word;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary};
use crate::text::shell::{Word, word, words};
use crate::value::series::is_plain;
use crate::value::speech::stands_in;
use crate::word::random::{is_strong, is_varied};

/// How much of a line is looked at.
const LINE: usize = 200;

/// The longest secret.
const LONGEST: usize = 1024;

/// How many words a phrase has at most that stands for a password.
const MOST_WORDS: usize = 8;

/// Commands all of whose settings are secrets.
const SETTING_SECRETS: [&str; 8] = [
    "secrets set ",
    "secret set ",
    "secrets:set ",
    "create secret generic ",
    "vault kv put ",
    "vault kv patch ",
    "bao kv put ",
    "vault write secret/",
];

/// Commands that read a password or a token where another one writes it: `echo … | docker login --password-stdin`.
const READERS: [&str; 17] = [
    "password-stdin",
    "--stdin",
    "passwd",
    "chpasswd",
    "sudo -S",
    "with-token",
    "kinit",
    "-fd 0",
    "pass-file -",
    "stdin:",
    "login",
    "-passin",
    "secrets versions add",
    "--data-file",
    "cryptsetup",
    "realm join",
    "runas ",
];

/// Commands that decode what they are given.
const DECODERS: [&str; 3] = ["base64 -d", "base64 -D", "base64 --decode"];

/// The secret among the arguments of the command that begins here.
pub(crate) fn positional(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let begins = |name: &str| {
        let after =
            rest.get(..name.len()).filter(|begin| begin.eq_ignore_ascii_case(name)).map(|_| &rest[name.len()..]);
        after.is_some_and(|after| after.starts_with([' ', '(']))
    };
    let mut commands = COMMANDS.iter().filter(|(name, with, _)| begins(name) && is_of(place, with));
    commands.find_map(|(name, _, which)| argument(place, name, *which))
}

/// The secret among the arguments of a command that is called `name`.
fn argument(place: Place<'_>, name: &str, which: Which) -> Option<Range<usize>> {
    let begin = place.at + name.len();
    let text = &place.text[begin..];
    let is_call = text.starts_with('(') || name.contains('-') && !name.contains(' ') || name.starts_with("sp_");
    let words = words(text, if is_call { "()," } else { "" });
    let told = |word: &Word| &text[word.range.clone()];
    // What begins a literal of SQL counts no more than an option: `N'…'`.
    let begins_literal = |word: &Word| told(word) == "N" && text[word.range.end..].starts_with('\'');
    let is_option = |word: &Word| {
        !word.is_quoted && (told(word).starts_with(['-', '/']) && told(word).len() > 1 || begins_literal(word))
    };
    let is_kind = |word: &Word| told(word).len() == 1 && told(word).bytes().all(|byte| byte.is_ascii_digit());
    let arguments = || words.iter().filter(|word| !is_option(word));
    // Of a share that a user is named for: `net use z: \\fs\s … /user:mia`.
    let shares = name == "net use" && words.iter().any(|word| told(word).to_ascii_lowercase().starts_with("/user:"));
    let secret = match which {
        Nth(nth) | OfUser(nth) => arguments().filter(|word| !is_kind(word)).nth(nth - 1),
        After(keyword) => {
            let nth = arguments().position(|word| told(word) == keyword)?;
            let mut values = arguments().skip(nth + 1).filter(|word| !is_kind(word));
            // `username or password" …`: there a quotation ends.
            let is_apart = |word: &&Word| text[..word.range.start].trim_end_matches(['"', '\'']).ends_with([' ', '\t']);
            values.next().filter(|_| nth > 0 && values.next().is_none()).filter(is_apart)
        }
        OfFile(option) => {
            let is_letters = |word: &str| word.bytes().skip(1).all(|byte| byte.is_ascii_alphabetic());
            let has = |letter: &str| {
                words.iter().map(told).any(|word| word.starts_with('-') && is_letters(word) && word.contains(letter))
            };
            // The cost of a hash stands behind its option.
            let skipped = if has("C") { 1 } else { 0 };
            // The path of a file begins as options of Windows do.
            let mut arguments = words.iter().filter(|word| word.is_quoted || !told(word).starts_with('-'));
            arguments.nth(if has("n") { 1 } else { 2 } + skipped).filter(|_| has(option))
        }
        Random => {
            let is_place = |word: &Word| told(word).contains(['/', '\\', ':']);
            let is_random = |word: &Word| is_strong(told(word)) || is_varied(told(word));
            arguments().find(|word| !is_place(word) && (shares || is_random(word)))
        }
    }?;
    let user = if matches!(which, OfUser(_)) { told(secret).find(':')? + 1 } else { 0 };
    let value = &told(secret)[user..];
    // `enable password rotation for …` is no setting of a switch.
    let is_prose = name.starts_with("enable ") && arguments().filter(|word| !is_kind(word)).count() > 1;
    let is_sure = (shares || SURE.contains(&name) && !is_prose)
        && !STAND_INS.split(' ').any(|word| word.eq_ignore_ascii_case(value));
    let is_word = !is_sure
        && value.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !secret.is_quoted
        && !matches!(which, OfFile(_));
    // `rasdial failed with 691`
    let is_number = name == "rasdial" && value.bytes().all(|byte| byte.is_ascii_digit());
    // `htpasswd -b failed for user mia`
    let is_said = matches!(which, OfFile(_)) && value == "user";
    let is_secret =
        value.len() >= 3 && !is_word && !is_number && !is_said && !stands_in(value) && !value.starts_with('@');
    is_secret.then(|| begin + secret.range.start + user..begin + secret.range.end)
}

/// The value of a setting in a command that sets secrets, whatever its name is: `fly secrets set A=…`.
pub(crate) fn setting(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let line = near.rsplit('\n').next()?;
    let before = line.trim_end_matches(|c: char| c.is_ascii() && DOTTED(c as u8));
    let name = &line[before.len()..];
    let is_setting = !name.is_empty()
        && !name.starts_with('-')
        && before.ends_with([' ', '=', '"', '\''])
        && !before.ends_with("-file=")
        && !is_plain(name)
        && SETTING_SECRETS.iter().any(|command| before.contains(command));
    if !is_setting {
        return None;
    }
    let begin = place.at + 1;
    let near = &place.text[begin..begin + boundary(&place.text[begin..], LONGEST)];
    let value = word(near, char::is_whitespace);
    let text = &near[value.range.clone()];
    (!text.is_empty() && !stands_in(text)).then(|| begin + value.range.start..begin + value.range.end)
}

/// What a build server is told to hide: `::add-mask::…`, `##vso[task.setvariable variable=a;issecret=true]…`.
pub(crate) fn hidden(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = ["::add-mask::", "##vso[task.setvariable "].into_iter().find(|word| rest.starts_with(word))?;
    let near = &rest[..boundary(rest, LONGEST)];
    let line = &near[..near.find('\n').unwrap_or(near.len())];
    let begin = if word.ends_with(':') {
        word.len()
    } else {
        let close = line.find(']')?;
        line[..close].to_ascii_lowercase().contains("issecret=true").then_some(close + 1)?
    };
    let value = line[begin..].trim_end_matches(['"', '\'', '\r', ' ']);
    (!value.is_empty() && !stands_in(value)).then(|| place.at + begin..place.at + begin + value.len())
}
/// What `echo` writes, or a here-string holds, for a command that reads a password.
pub(crate) fn piped(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = [
        "echo -n ",
        "echo -e ",
        "echo ",
        "printf '%s' ",
        "printf \"%s\" ",
        "printf %s ",
        "printf ",
        "<<< $'",
        "<<<$'",
        "<<< ",
        "<<<",
    ]
    .into_iter()
    .find(|word| rest.starts_with(word))?;
    let near = &rest[..boundary(rest, LONGEST)];
    let line = &near[..near.find('\n').unwrap_or(near.len())];
    let is_ansi = word.ends_with('\'') && word.starts_with('<');
    let quote = usize::from(!is_ansi && line[word.len()..].starts_with(['"', '\'']));
    let begin = word.len() + quote;
    let is_end = |c: char| {
        if is_ansi {
            // `$'…\n…'`: one on each line.
            c == '\'' || c == '\\'
        } else if quote > 0 {
            line[word.len()..].starts_with(c)
        } else {
            c.is_whitespace() || "\"'`|;)".contains(c)
        }
    };
    let length = line[begin..].find(is_end).unwrap_or(line.len() - begin);
    let length = if quote > 0 { length } else { length.max(phrase_before_bar(&line[begin..])) };
    let is_variable = line[begin..].starts_with('$');
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let before = before.rsplit('\n').next().unwrap_or_default();
    let other = if word.starts_with('<') {
        before
    } else {
        let behind = line[begin + length..].trim_start_matches(['"', '\'', ' ']);
        // `restic -p <(echo …)`
        let behind = if before.ends_with("<(") { "|" } else { behind };
        // A shell that tells what it runs writes both sides of a pipe on a line of their own.
        let traced = behind.is_empty() && before.trim_end().ends_with('+');
        // `(echo …; echo …) | passwd jo`
        let grouped = before
            .rsplit(['|', '&'])
            .next()
            .is_some_and(|before| before.trim_start().starts_with(['(', '{']) || before.contains(" ("));
        let behind = behind
            .split_once(") |")
            .filter(|(more, _)| grouped && more.is_empty() || more.starts_with(';'))
            .map_or(behind, |(_, reader)| &behind[behind.len() - reader.len() - 1..]);
        if gives_password(before) {
            "passwd"
        } else if traced {
            near[line.len()..].strip_prefix("\n+ ")?.split('\n').next()?
        } else {
            behind.strip_prefix('|')?
        }
    };
    let is_file = before.ends_with("<(") && (before.contains("pass") || before.ends_with(" -p <("));
    let is_given = word.starts_with('<') && before.trim_end().ends_with("--password");
    let is_read = is_file || is_given || READERS.iter().any(|reader| other.contains(reader));
    let is_decoded = || DECODERS.iter().any(|decoder| other.contains(decoder));
    // `TOKEN=$(echo … | base64 -d)`
    let is_named = || {
        before.rsplit_once("=$(").is_some_and(|(name, rest)| {
            let name = name.rsplit(|c: char| !c.is_ascii() || !DOTTED(c as u8)).next();
            rest.is_empty() && name.is_some_and(crate::is_secret_name)
        })
    };
    let is_secret = is_read || is_decoded() && (is_named() || is_secret_word(&line[begin..begin + length]));
    (length > 0 && !is_variable && is_secret).then(|| place.at + begin..place.at + begin + length)
}

/// Whether what begins here is the command that an option or a setting gives a password by: `--ldap_password_cmd="echo …"`.
fn gives_password(before: &str) -> bool {
    let option = before.trim_end_matches(['"', '\'', ' ', '=', ':']);
    let name = option.rsplit(|c: char| !c.is_ascii() || !DOTTED(c as u8)).next().unwrap_or_default();
    let named = ["_cmd", "-cmd", "_command", "-command"].iter().find_map(|end| name.strip_suffix(end));
    option.len() < before.len() && named.is_some_and(crate::is_secret_name)
}

/// The length of the words without quotation marks that `echo` hands on: `correct horse | …`.
fn phrase_before_bar(text: &str) -> usize {
    let Some(length) = text.find(" | ") else { return 0 };
    let is_phrase = text[..length].bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_.!".contains(&byte));
    if is_phrase && !text.starts_with('-') && text[..length].split(' ').count() <= MOST_WORDS { length } else { 0 }
}

/// The password of `radtest bob … server 0 …`; and at the port, the secret of the server.
pub(crate) fn of_radtest(place: Place<'_>) -> Option<Range<usize>> {
    let port = place.rest().find(|c: char| !c.is_ascii_digit())?;
    if port > 0 && !place.rest()[port..].starts_with(' ') {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let line = place.at - before.rsplit('\n').next()?.len();
    let command = if place.rest().starts_with("radtest ") {
        place.at
    } else {
        line + place.text[line..place.at].rfind("radtest ")?
    };
    let begin = command + "radtest ".len();
    let words = words(&place.text[begin..], "");
    let told = |word: &Word| &place.text[begin + word.range.start..begin + word.range.end];
    // Only `-t` has a word of its own.
    let is_of_option = |nth: usize| told(&words[nth]).starts_with('-') || nth > 0 && told(&words[nth - 1]) == "-t";
    let options = (0..words.len()).take_while(|nth| is_of_option(*nth)).count();
    let [_, password, server, port, secret, ..] = &words[options..] else { return None };
    // Words of a sentence have no digits.
    let is_host =
        told(server).contains(|c: char| ".:".contains(c) || c.is_ascii_digit()) || told(server) == "localhost";
    let is_port = is_host && told(port).bytes().all(|byte| byte.is_ascii_digit());
    let at = if command == place.at { password } else { secret };
    let is_here = command == place.at || begin + port.range.start == place.at;
    (is_port && is_here && !stands_in(told(at))).then(|| begin + at.range.start..begin + at.range.end)
}

/// The password of a user of Redis: `ACL SETUSER bob on >…`.
pub(crate) fn rule_of_access(place: Place<'_>) -> Option<Range<usize>> {
    let secret = place.rest().strip_prefix('>')?;
    let secret = &secret[..boundary(secret, LONGEST)];
    let length = secret.find(char::is_whitespace).unwrap_or(secret.len());
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let before = before.rsplit('\n').next()?;
    let is_rule = ["SETUSER ", "setuser ", "user "].iter().any(|word| before.contains(word)) && before.contains(" on ");
    (is_rule && length > 2).then(|| place.at + 1..place.at + 1 + length)
}
