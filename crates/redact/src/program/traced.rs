//! Passwords in what was typed and passed, as traces of it show them: the keys of a terminal, what a program read behind a prompt,
//! the parameters of PowerShell, and the targets of tools that sign in at a host. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::speech::stands_in;
use crate::word::random::looks_random;
use crate::word::shape::is_identifying;

/// How far a trace is followed, and how far before a place the prompt stands.
const NEAR: usize = 256;

/// What a prompt for a password has.
const PROMPTS: [&str; 5] = ["assword", "assphrase", "asswort", "asscode", "mot de passe"];

/// Commands that ask for a password as the first thing.
const ASKING: [&str; 8] = ["su", "su -", "sudo -i", "sudo su", "sudo su -", "passwd", "sudo -s", "login"];

/// How a return is written between the keys of a terminal.
const RETURN: &str = ",<ret>,\"";

/// What was typed behind a command that asks for a password: `data="su -",<ret>,"…",<ret>`.
pub(crate) fn keys(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let command = near.strip_prefix("data=\"")?;
    let (command, typed) = command.split_once('"')?;
    let typed = typed.strip_prefix(RETURN)?;
    let length = typed.find('"')?;
    let text = &typed[..length];
    let first = command.split(' ').next().unwrap_or_default();
    let asks = ASKING.contains(&command) || ["su", "sudo", "ssh", "passwd"].contains(&first);
    let is_told = text.len() > 3 && !text.contains(' ') && text.bytes().any(|byte| !byte.is_ascii_lowercase());
    let begin = place.at + near.len() - typed.len();
    (asks && is_told && !text.contains('/') && !stands_in(text)).then(|| begin..begin + length)
}

/// What a program read behind a prompt for a password, as strace shows it: `read(0, "…\n", 1024)`.
pub(crate) fn read(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let calls = before.strip_suffix("read").filter(|before| !before.ends_with(|c: char| c.is_alphanumeric()))?;
    let near = &place.rest()[1..boundary(place.rest(), NEAR).max(1)];
    let number = run(near, |byte| byte.is_ascii_digit());
    let typed = near[number..].strip_prefix(", \"").filter(|_| number > 0)?;
    let end = typed.find('"')?;
    let told = &typed[..end];
    let text = ["\\r\\n", "\\n", "\\r", "\n"].iter().find_map(|end| told.strip_suffix(end)).unwrap_or(told);
    looked_at(before.len());
    let has_prompt = |text: &str| PROMPTS.iter().any(|word| text.contains(word));
    // Between the prompt and this call nothing else was read.
    let prompt = calls.rsplit("read(").next().unwrap_or_default();
    let behind = typed[end..].split('\n').next().unwrap_or_default();
    let is_asked = has_prompt(prompt) || behind.contains("after ") && has_prompt(behind);
    let begin = place.at + 1 + near.len() - typed.len();
    (is_asked && text.len() > 2 && text.len() < told.len() && !text.contains('\\') && !stands_in(text))
        .then(|| begin..begin + text.len())
}

/// What PowerShell shows of a parameter that becomes a secret: `ParameterBinding(ConvertTo-SecureString): name="String"; value="…"`.
pub(crate) fn parameter(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let binding = near.strip_prefix("ParameterBinding")?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len());
    let is_of = |text: &str| text.contains("(ConvertTo-SecureString)");
    let (head, value) = binding.split_once("value=\"")?;
    let is_here = head.starts_with(':') && is_of(before) || is_of(head);
    let is_named = head.contains("name=\"String\"") && !head.contains('\n');
    let length = value.find('"')?;
    let begin = place.at + near.len() - value.len();
    (is_here && is_named && length > 0 && !stands_in(&value[..length])).then(|| begin..begin + length)
}

/// Tools that take a target with a user and a password, without the ends of their names.
const TOOLS: [&str; 26] = [
    "psexec",
    "wmiexec",
    "smbexec",
    "atexec",
    "dcomexec",
    "secretsdump",
    "GetUserSPNs",
    "GetNPUsers",
    "getTGT",
    "getST",
    "smbclient",
    "mssqlclient",
    "lookupsid",
    "samrdump",
    "rpcdump",
    "reg",
    "services",
    "ticketer",
    "ntlmrelayx",
    "GetADUsers",
    "addcomputer",
    "netview",
    "rdp_check",
    "smbserver",
    "changepasswd",
    "dacledit",
];

/// The password in the target of such a tool: `psexec.py ACME/bob:…@10.0.0.1`.
pub(crate) fn target(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    let user = before.trim_end_matches(|c: char| c.is_ascii() && DOTTED(c as u8) || c == '/' || c == '$');
    let is_user = before.len() > user.len() && user.ends_with([' ', '"', '\'']);
    if !is_user || place.rest().starts_with("://") {
        return None;
    }
    looked_at(before.len());
    let line = user.rsplit(['\n', '|', ';']).next().unwrap_or_default();
    let is_tool = |word: &str| {
        let word = word.rsplit(['/', '\\']).next().unwrap_or_default();
        let tool = word.strip_suffix(".py").or_else(|| word.strip_prefix("impacket-"));
        tool.is_some_and(|tool| TOOLS.contains(&tool))
    };
    line.split_ascii_whitespace().any(is_tool).then_some(())?;
    let near = &place.rest()[1..boundary(place.rest(), NEAR).max(1)];
    let quote = user.chars().next_back().filter(|c| "\"'".contains(*c));
    let end =
        near.find(|c: char| quote.map_or(c.is_whitespace(), |quote| c == quote || c == '\n')).unwrap_or(near.len());
    let target = &near[..end];
    // Of a ticket only the domain is told, before the user.
    let length = target.rfind('@').or_else(|| before[user.len()..].contains('/').then_some(target.len()))?;
    let text = &target[..length];
    (length > 2 && !stands_in(text) && !text.contains('/')).then(|| place.at + 1..place.at + 1 + length)
}

/// What a log shows of a file with a user and a password, behind the same that it writes before each line: `ovpn: auth-user-pass
/// up.txt`, then `ovpn: bob` and `ovpn: …`.
pub(crate) fn of_shown_file(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), NEAR)];
    let file = near.strip_prefix("auth-user-pass ")?.split('\n').next()?.trim_end();
    let name = file.rsplit('/').next()?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len());
    let prefix = before.rsplit('\n').next()?;
    // The time may differ, and the program does not.
    let program = prefix.split_ascii_whitespace().next_back().filter(|program| program.ends_with(':'))?;
    let mut at = near.find('\n')? + 1;
    let mut shown = Vec::new();
    while let Some(line) =
        near.get(at..).map(|rest| rest.split('\n').next().unwrap_or_default()).filter(|_| shown.len() < 2)
    {
        let open = line.find(program)? + program.len() + 1;
        let told = line.get(open..)?.trim_end();
        if !told.contains(name) {
            shown.push(at + open..at + open + told.len());
        }
        at += line.len() + 1;
    }
    let [user, password] = &shown[..] else { return None };
    let text = &near[password.clone()];
    let is_word = |text: &str| text.len() > 2 && !text.contains(' ') && !text.ends_with(':');
    let is_told = looks_random(text, 6) || text.contains(['!', '#', '$', '%', '&', '*']);
    let is_secret =
        is_word(&near[user.clone()]) && is_word(text) && is_told && !is_identifying(text) && !stands_in(text);
    is_secret.then(|| place.at + password.start..place.at + password.end)
}
