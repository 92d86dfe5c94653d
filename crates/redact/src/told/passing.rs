//! Passwords that people name in half a sentence, where only what they look like tells them from other words: `try root with …`,
//! `use bob/… to get in`, `reset bob to …`, `old password …, new password …`, `the break-glass one, "…"`. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::speech::stands_in;
use crate::word::predicate::{describes, ends_clause, is_method};
use crate::word::random::is_varied;
use crate::word::remark::is_clause;
use crate::word::shape::{is_identifying, is_label, is_numbered_thing, is_version};

/// How far a sentence is followed, and how far before a place.
const SENTENCE: usize = 128;

/// The shortest of these passwords.
const SHORTEST: usize = 6;

/// Marks that names of things have not.
const MARKS: [char; 7] = ['!', '#', '$', '%', '^', '&', '*'];

/// How much a word has to look like a password.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Digits or marks among its letters.
    Mixed,
    /// A mark that names have not, and letters with capitals or digits.
    Marked,
    /// The same, where a mark may come last.
    Quoted,
}

/// Accounts that every system has.
const ACCOUNTS: [&str; 8] =
    ["administrator", "Administrator", "admin", "root", "sa", "postgres", "sysadmin", "superuser"];

/// What comes before such an account where its password follows, and what stands between.
const TRYING: [&str; 8] = ["try ", "Try ", "tried ", "used ", "use ", "Use ", "ssh as ", "go in as "];
const OTHER_ACCOUNTS: [&str; 4] = ["acct ", "account ", "user ", "the account "];
const USERS: [&str; 5] = ["service", "guest", "operator", "support", "user"];
const WITH: [&str; 3] = [" with ", " and ", " + "];

/// The password of an account that somebody is to try: `try root with …`.
pub(crate) fn tried(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let open = TRYING.iter().find(|word| near.starts_with(**word))?.len();
    let begins = |account: &&&str| near[open..].strip_prefix(**account).is_some_and(|rest| rest.starts_with(' '));
    if let Some(account) = ACCOUNTS.iter().find(begins) {
        let user = open + account.len();
        let begin = user + WITH.iter().find(|word| near[user..].starts_with(**word))?.len();
        return told(place, near, begin, Need::Mixed);
    }
    // Of any other account, what is varied: `use acct svc with …`.
    let named = OTHER_ACCOUNTS.iter().find(|word| near[open..].starts_with(**word));
    let user = match named {
        Some(word) => open + word.len() + run(&near[open + word.len()..], DOTTED),
        None => open + USERS.iter().find(begins)?.len(),
    };
    let begin = user + WITH.iter().find(|word| near[user..].starts_with(**word))?.len();
    let range = word(near, begin, Need::Mixed)?;
    is_varied(&near[range.clone()]).then(|| place.at + range.start..place.at + range.end)
}

/// What a user and a password are used for, behind both.
const TO_SIGN_IN: [&str; 6] = [" to get in", " to log in", " to login", " to log on", " to sign in", " to unlock"];

/// Words before a user with whom somebody signs in.
const SIGNING_IN: [&str; 8] = [
    "log in as ",
    "login as ",
    "Log in as ",
    "Login as ",
    "logged in as ",
    "sign in as ",
    "signed in as ",
    "connect as ",
];

/// Words behind which nothing but an account with its password follows.
const TELLING: [&str; 5] = ["login is ", "logins are ", "credentials (", "creds (", "creds are "];

/// What stands between the word for a password and one in brackets.
const BRACKETS: [&str; 6] = [" you entered (", " entered (", " typed (", " you typed (", " (was ", " (now "];

/// The password behind a user and a stroke: `use bob/… to get in`, `log in as bob / …`.
pub(crate) fn stroked(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let signing = SIGNING_IN.iter().find(|word| near.starts_with(**word));
    let telling = TELLING.iter().find(|word| near.starts_with(**word));
    let using = || ["use ", "Use "].iter().find(|word| near.starts_with(**word));
    let open = signing
        .or(telling)
        .or_else(using)
        .map_or_else(|| near.strip_prefix("as ").map(|_| "as ".len()), |word| Some(word.len()))?;
    let user = open + run(&near[open..], |byte| DOTTED(byte) || byte == b'\\' || byte == b'@');
    let stroke =
        [" / ", "/", " (", ":", ", "].iter().find(|sign| near[user..].starts_with(**sign)).filter(|_| user > open)?;
    let range = word(near, user + stroke.len(), Need::Mixed)?;
    let text = &near[range.clone()];
    let is_told = match *stroke {
        "/" | " / " if TO_SIGN_IN.iter().any(|words| near[range.end..].starts_with(words)) => true,
        " / " => signing.is_some() || telling.is_some(),
        // `log in as bob/admin2`: an instance of Kerberos.
        "/" => telling.is_some() || signing.is_some() && is_varied(text),
        ":" => signing.is_some() && near[range.end..].starts_with([' ', ',']) || telling.is_some(),
        " (" => signing.is_some() && is_varied(text) && near[range.end..].starts_with(')'),
        // `as CORP\bob, …`
        _ => near[open..user].contains('\\') && is_varied(text),
    };
    is_told.then(|| place.at + range.start..place.at + range.end)
}

/// The password in brackets behind words for it: `the password you entered (…)`, `hardcoded password (was …)`.
pub(crate) fn in_brackets(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let name = NAMES.iter().find(|name| near.starts_with(**name))?.len();
    let open = BRACKETS.iter().find(|open| near[name..].starts_with(**open))?.len();
    let range = word(near, name + open, Need::Mixed).filter(|range| near[range.end..].starts_with(')'))?;
    Some(place.at + range.start..place.at + range.end)
}

/// Words with which somebody sets a password without the word for it, and how many words may name the user.
const SETTING: [&str; 3] = ["reset ", "Reset ", "resetting "];
const MOST_OF_USER: usize = 3;

/// The password to which somebody is reset: `reset bob to …`.
pub(crate) fn reset(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let open = SETTING.iter().find(|word| near.starts_with(**word))?.len();
    let turn = open + near[open..].find(" to ")?;
    let user = &near[open..turn];
    let is_user = user.split(' ').count() <= MOST_OF_USER
        && !["it", "this", "that", "them"].contains(&user)
        && user.bytes().all(|byte| DOTTED(byte) || b" '@".contains(&byte));
    told(place, near, turn + " to ".len(), Need::Marked).filter(|_| is_user)
}

/// Words for one of two passwords, and for a password.
const TIMES: [&str; 8] = ["old ", "Old ", "previous ", "Previous ", "new ", "New ", "altes ", "neues "];
const NAMES: [&str; 6] = ["password", "passwort", "passwd", "pass", "pw", "pwd"];

/// The old one of two passwords, or the new one: `old password …, new password …`.
pub(crate) fn changed(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let (time, begin) = named(near)?;
    let range = word(near, begin, Need::Mixed)?;
    let is_new = time.eq_ignore_ascii_case("new ") || time == "neues ";
    let is_other = if is_new {
        let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
        looked_at(before.len());
        let line = before.rsplit('\n').next()?;
        TIMES.iter().filter_map(|time| line.rfind(time)).any(|at| named(&line[at..]).is_some())
    } else {
        let after = near[range.end..].trim_start_matches(['"', '\'', '`', ',', ';', ' ', '/', '-', '>']);
        named(after.strip_prefix("and ").unwrap_or(after)).is_some()
    };
    is_other.then(|| place.at + range.start..place.at + range.end)
}

/// Which of two passwords a text begins with, and where its value begins.
fn named(text: &str) -> Option<(&'static str, usize)> {
    let time = TIMES.iter().find(|time| text.starts_with(**time))?;
    let name = NAMES.iter().find(|name| text[time.len()..].starts_with(**name))?;
    let at = time.len() + name.len();
    let sign = [" is ", " was ", ": ", " = ", " "].iter().find(|sign| text[at..].starts_with(**sign))?;
    Some((time, at + sign.len()))
}

/// How a user is spoken of whom a server does not know, and what follows the name.
const UNKNOWN: [&str; 8] = [
    "bash: ",
    "invalid user ",
    "Invalid user ",
    "illegal user ",
    "unknown user ",
    "Unknown user ",
    "login failed for ",
    "Login failed for user ",
];

/// A password that was typed where the user belongs: names of users have no such marks.
pub(crate) fn typed_as_user(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let open = UNKNOWN.iter().find(|word| near.starts_with(**word))?.len();
    let is_shell = near.starts_with("bash: ");
    let is_quoted = near[open..].starts_with(['"', '\'']) || near.contains(" from ") || is_shell;
    let is_none = is_shell && !near.contains(": command not found");
    told(place, near, open, if is_quoted { Need::Quoted } else { Need::Marked }).filter(|_| !is_none)
}

/// What a password is called that is kept for a purpose, and words that have spoken of one before.
const KEPT: [&str; 8] = ["break-glass", "breakglass", "emergency", "usual", "shared", "spare", "fallback", "backup"];
const SPOKEN_OF: &str = "login logon password passwords passphrase pw root credentials creds credential account unlock";

/// The phrase that somebody used, where a password is spoken of: `I used the break-glass one, "…"`.
pub(crate) fn kept(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let name = KEPT.iter().find(|word| near.starts_with(**word))?.len();
    let one = [" one", " password", " pw", " passphrase"].iter().find(|word| near[name..].starts_with(**word))?.len();
    let sign = [", ", ": ", " (", " - ", " – "].iter().find(|sign| near[name + one..].starts_with(**sign))?.len();
    let begin = name + one + sign;
    let quote = near[begin..].chars().next().filter(|c| "\"'`".contains(*c))?;
    let range = quoted(&near[begin..], 0, quote);
    let text = near.get(begin + range.start..begin + range.end)?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    looked_at(before.len());
    let behind = near[begin + range.end..].split('\n').next()?;
    let lines = [before.rsplit('\n').next()?, behind].map(str::to_ascii_lowercase);
    let mut words = lines.iter().flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()));
    let is_spoken_of = one > " one".len() || words.any(|word| SPOKEN_OF.split(' ').any(|known| known == word));
    let is_closed = near[begin + range.end..].starts_with(quote);
    let is_phrase = text.len() >= SHORTEST && !is_clause(text) && !stands_in(text) && !text.contains(['/', '=']);
    (is_spoken_of && is_closed && is_phrase).then(|| place.at + begin + range.start..place.at + begin + range.end)
}

/// Who signs in at a machine, as notes about it say, and how far before `login` that stands.
const OPERATORS: &str =
    "operator service technician installer maintenance engineer vendor guest shared hmi bms scada panel kiosk";
const WHO: usize = 24;

/// The password of one of these behind a user and a stroke, also a plain word: `operator login OPER1 / …`.
pub(crate) fn of_operator(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let open =
        near.strip_prefix("login ").or_else(|| near.strip_prefix("login: ")).map(|rest| near.len() - rest.len())?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(WHO))..place.at];
    let who = before.split_ascii_whitespace().next_back()?.to_ascii_lowercase();
    OPERATORS.split(' ').any(|known| known == who).then_some(())?;
    let user = open + run(&near[open..], DOTTED);
    let begin = user + near[user..].strip_prefix(" / ").filter(|_| user > open).map(|_| " / ".len())?;
    let length =
        near[begin..].find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(near.len() - begin);
    let text = near[begin..begin + length].trim_end_matches(['.', ':', '?']);
    let is_code = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let stem = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase();
    let is_other = stem(&near[open..user]) != stem(text);
    let is_account = is_other && near[open..user].bytes().any(|byte| byte.is_ascii_digit());
    let is_password = text.len() > 3
        && is_account
        && (is_code(text) || near[open..user].bytes().all(|byte| !byte.is_ascii_lowercase()))
        && ends_clause(&near[begin + text.len()..])
        && !text.contains('/');
    (is_password && !stands_in(text) && !describes("password", text))
        .then(|| place.at + begin..place.at + begin + text.len())
}

fn told(place: Place<'_>, near: &str, begin: usize, need: Need) -> Option<Range<usize>> {
    word(near, begin, need).map(|range| place.at + range.start..place.at + range.end)
}

/// The word at a place, if it is spelled as is needed, and no name, version, host or way to sign in.
fn word(near: &str, at: usize, need: Need) -> Option<Range<usize>> {
    let at = at + run(near.get(at..)?, |byte| b"\"'`".contains(&byte));
    let length = near[at..].find(|c: char| c.is_whitespace() || "\"'`,;()<>".contains(c)).unwrap_or(near.len() - at);
    // The name of a function.
    if near[at + length..].starts_with('(') {
        return None;
    }
    let text = near[at..at + length].trim_end_matches(['.', ':', '?']);
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let inner = text.trim_end_matches(['!', '$']);
    let has_letter = has(u8::is_ascii_alphabetic);
    let is_cased = has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase);
    let is_spelled = match need {
        Need::Mixed => has_letter && (has(u8::is_ascii_digit) || inner.contains(MARKS)),
        Need::Marked => has_letter && inner.contains(MARKS) && is_cased,
        Need::Quoted => has_letter && text.trim_end_matches('$').contains(MARKS) && is_cased,
    };
    let is_object = text.contains(['/', '=', ':', '{', '[', '@', '|', '\\']) || text.starts_with(['-', '$', '%', '#']);
    let lower = text.to_ascii_lowercase();
    let is_thing = is_identifying(text)
        || is_label(text)
        || is_numbered_thing(text)
        || is_version(&lower)
        || is_method(&lower)
        || stands_in(text);
    (text.len() >= SHORTEST && is_spelled && !is_object && !is_thing).then(|| at..at + text.len())
}
