//! What commands that print a secret print, on the line below them: `gcloud secrets versions access …`, `… | base64 -d`. Pure.

use std::ops::Range;

use super::files::{is_content, shows_secret};
use crate::text::alphabet::{DIGIT, HEX, WORD};
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::speech::stands_in;
use crate::word::random::{is_strong, looks_random};

/// How much of the line of a command is looked at, and of the one below.
const LINE: usize = 256;

/// The shortest secret: a word that is no secret stands alone on a line, too.
const SHORTEST: usize = 12;

/// Words of commands that print nothing but a secret.
const PRINTING: [&str; 14] = [
    "| base64 -d",
    "| base64 --decode",
    "kv get -field=",
    "read -field=",
    "output -raw ",
    "stack output ",
    "secrets versions access ",
    "--query SecretString",
    "--query Parameter.Value",
    "keyvault secret show ",
    "op read ",
    "print-access-token",
    "auth token",
    "create token ",
];

/// Commands of stores of passwords, which print any word: what follows them names it.
const OF_STORES: [&str; 6] = [
    "pass show ",
    "gopass show -o ",
    "secret-tool lookup ",
    "keyring get ",
    "bw get password ",
    "lpass show --password ",
];

/// The only word on the line that begins after this line's end.
pub(crate) fn below(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let near = &place.rest()[1..boundary(place.rest(), LINE).max(1)];
    let line = near.split('\n').next()?;
    let word = line.trim();
    if word.is_empty() || word.contains(|c: char| c.is_whitespace() || "{}:\"'<>|".contains(c)) {
        return None;
    }
    looked_at(before.len());
    let command = before.rsplit('\n').next()?;
    let begin = place.at + 1 + line.find(word)?;
    let is_printed = || word.len() >= SHORTEST && is_strong(word) && PRINTING.iter().any(|word| command.contains(word));
    let is_shown = || is_content(word) && shows_secret(command) || is_stored(command, word);
    (is_printed() || is_shown()).then(|| begin..begin + word.len())
}

/// Whether a word is what a store of passwords printed, and not the name that it was asked for: a plain word only below a prompt.
fn is_stored(command: &str, word: &str) -> bool {
    let Some((before, name)) = OF_STORES.iter().find_map(|known| command.split_once(known)) else { return false };
    let is_prompt = before.trim_end().ends_with(['$', '#', '%', '>', '+']);
    let is_named = name.split(['/', ' ']).any(|part| part == word);
    let is_word = word.len() > 3 && !stands_in(word);
    !name.trim().is_empty() && !name.contains(['|', '>']) && !is_named && (is_content(word) || is_prompt && is_word)
}

/// What programs ask for, at the end of a prompt.
const ASKED: [&str; 5] = ["password", "passphrase", "passwort", "passcode", "passwd"];

/// What ends that which a log writes before each line.
const PREFIXED: [&str; 2] = [": ", "| "];

/// How many words a prompt has at most.
const MOST_WORDS: usize = 6;

/// What was typed at a prompt, behind the same that a log writes before each line: `app[1]: Enter password:` and below `app[1]: …`.
pub(crate) fn typed(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let asked = before.rsplit('\n').next()?.trim_end().strip_suffix(':')?;
    if !ASKED.iter().any(|word| {
        asked.len() >= word.len() && asked.as_bytes()[asked.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes())
    }) {
        return None;
    }
    let near = &place.rest()[1..boundary(place.rest(), LINE).max(1)];
    let line = near.split('\n').next()?.trim_end();
    looked_at(before.len());
    // The program, behind the time.
    let program = |begin: &str| begin.split_ascii_whitespace().next_back().unwrap_or_default().to_string();
    PREFIXED.iter().find_map(|sign| {
        let ((begin, prompt), (other, word)) = (asked.rsplit_once(sign)?, line.rsplit_once(sign)?);
        let is_same = program(begin) == program(other) && !program(begin).is_empty();
        let is_prompt = prompt.split_ascii_whitespace().count() <= MOST_WORDS;
        let is_typed = !word.contains(char::is_whitespace) && looks_random(word, 6) && !stands_in(word);
        let begin = place.at + 1 + line.len() - word.len();
        (is_same && is_prompt && is_typed).then(|| begin..begin + word.len())
    })
}

/// Debuggers, as their prompts call them.
const DEBUGGERS: [&str; 3] = ["(gdb) p", "(lldb) p", "(rr) p"];

/// The text that a debugger prints below a command that names a secret: `(gdb) p cfg->password`, and below `$1 = 0x5581 "…"`.
pub(crate) fn by_debugger(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[1..boundary(place.rest(), LINE).max(1)];
    let line = near.split('\n').next()?;
    let number = "$".len() + run(line.strip_prefix('$')?, DIGIT);
    let sign = number + line[number..].strip_prefix(" = ").map(|_| " = ".len())?;
    let pointer = line[sign..].strip_prefix("0x").map_or(0, |digits| "0x".len() + run(digits, HEX) + " ".len());
    let begin = sign + pointer + line.get(sign + pointer..)?.strip_prefix('"').map(|_| 1)?;
    let length = line[begin..].find('"')?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    looked_at(before.len());
    let command = before.rsplit('\n').next()?.trim_end();
    let name = command.rsplit(|c: char| !c.is_ascii() || !WORD(c as u8)).next()?;
    let is_asked = DEBUGGERS.iter().any(|prompt| command.contains(prompt)) && crate::is_secret_name(name);
    let begin = place.at + 1 + begin;
    let is_secret = is_asked && length > 0 && !stands_in(&line[begin - place.at - 1..][..length]);
    is_secret.then(|| begin..begin + length)
}
