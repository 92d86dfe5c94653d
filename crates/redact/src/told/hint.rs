//! Passwords that a sentence or a script tells far from the word for them: `password hint: same as staging, …`, `what's the pw?
//! it's …`, `expect "assword:"; send "…\r"`. Pure.

use std::ops::Range;

use super::joined::chosen;
use super::said::word;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::speech::{is_stand_in, stands_in};
use crate::word::predicate::{describes, ends_clause, is_method};
use crate::word::random::looks_random;
use crate::word::remark::is_remark;
use crate::word::shape::is_identifying;

/// How far a sentence is followed.
const SENTENCE: usize = 160;

/// How far before the word for a password it stands that one is asked for.
const PROMPT: usize = 20;

/// How many words may stand between the word for a password and what turns to its value.
const MOST_WORDS: usize = 7;

/// Words for a password.
const NAMES: [&str; 7] = ["password", "passphrase", "passwort", "passcode", "passwd", "pass", "pw"];

/// What turns to the value at once, what does after some words, and the last of such words.
const TURNS: [&str; 3] = ["-- ", "– ", "— "];
const TYPED: [&str; 4] = ["enter ", "type ", "use ", "try "];
const LAST: [&str; 3] = ["still", "not", "isn't"];

/// Words of which one stands before a colon or a comma that turns to the value.
const HINTS: &str = "hint default usual same last before always accident mistake";

/// What an answer may begin with.
const ANSWERS: [&str; 11] = [
    "it's still ",
    "it's ",
    "its ",
    "it is ",
    "it was ",
    "es ist ",
    "still ",
    "try ",
    "use ",
    "should be ",
    "i think ",
];

/// Words that ask for a password right before the word for it, words that do before an article, and articles.
const WHICH: &str = "which what welches";
const WHAT_IS: &str = "what's whats is was are";
const THE: &str = "the our your my a";

/// How many words may stand between them and the word for a password, and behind it in the question.
const MOST_BEFORE: usize = 2;
const MOST_ASKED: usize = 9;

/// What is asked for where one of these words stands behind the word for a password.
const NOT_ASKED: [&str; 9] = ["policy", "rule", "rules", "hint", "format", "length", "field", "manager", "age"];

/// The password that the sentence turns to after the word for it at this place.
pub(crate) fn far(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name =
        NAMES.iter().find(|name| rest.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)))?.len();
    let near = &rest[..boundary(rest, SENTENCE)];
    if let Some(asked) = near[name..].strip_prefix('?') {
        let asked = near.len() - asked.len();
        let range = answered(near, asked).or_else(|| told(near, asked).filter(|_| asks(place)))?;
        return Some(place.at + range.start..place.at + range.end);
    }
    if let Some(range) = prompted(place, near, name) {
        return Some(place.at + range.start..place.at + range.end);
    }
    if let Some(range) = question(&near[name..]).filter(|_| asks(place)).and_then(|length| told(near, name + length)) {
        return Some(place.at + range.start..place.at + range.end);
    }
    let (mut at, mut words) = (name, Vec::new());
    let range = loop {
        let after = near[at..].strip_prefix(' ')?;
        let begin = near.len() - after.len();
        let turn = |turns: &[&str]| turns.iter().find(|turn| after.starts_with(**turn)).map(|turn| begin + turn.len());
        if let Some(turn) = turn(&TURNS).filter(|_| words.is_empty()).or_else(|| turn(&TYPED)) {
            break ended(near, turn)?;
        }
        if let Some(range) = ended(near, begin).filter(|_| words.last().is_some_and(|word| LAST.contains(word))) {
            break range;
        }
        let length = run(after, |byte| byte.is_ascii_lowercase() || byte == b'\'');
        words.push(&after[..length]);
        at = begin + length;
        if length == 0 || words.len() > MOST_WORDS {
            return None;
        }
        if near[at..].starts_with([':', ',']) {
            at += 1;
            let is_hint = words.iter().any(|word| HINTS.split(' ').any(|hint| hint == *word));
            if let Some(range) = near[at..].strip_prefix(' ').filter(|_| is_hint).and_then(|_| ended(near, at + 1)) {
                break range;
            }
        }
    };
    Some(place.at + range.start..place.at + range.end)
}

/// What answers a question for a password: `pw? it's …`, `password? …`, `password?` and on the next line `kim> …`.
fn answered(near: &str, asked: usize) -> Option<Range<usize>> {
    let (begin, has_words) = answer_to(near, asked);
    if begin == asked {
        return None;
    }
    ended(near, begin).or_else(|| mixed(near, begin).filter(|_| has_words))
}

/// The same where words say that an answer follows, and the question may have gone on behind the word for a password:
/// `which password does the admin have? it is …`.
fn told(near: &str, asked: usize) -> Option<Range<usize>> {
    let (begin, _) = Some(answer_to(near, asked)).filter(|(_, has_words)| *has_words)?;
    chosen(&near[begin..]).map(|range| begin + range.start..begin + range.end)
}

/// Where the answer begins to a question that ends at `asked`, behind who gives it and the words that it begins with; and
/// whether there are any.
fn answer_to(near: &str, asked: usize) -> (usize, bool) {
    let mut at = asked + run(&near[asked..], |byte| byte.is_ascii_whitespace() || b"\"'`)@".contains(&byte));
    let who = run(&near[at..], |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_said = near[asked..at].contains('\n') && who > 0;
    at += [">", ":"]
        .iter()
        .find(|sign| is_said && near[at + who..].strip_prefix(**sign).is_some_and(|rest| rest.starts_with(' ')))
        .map_or(0, |_| who + ": ".len());
    let begins =
        |answer: &&&str| near.get(at..at + answer.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(answer));
    let answer = ANSWERS.iter().find(begins).map_or(0, |answer| answer.len());
    (at + answer + run(&near[at + answer..], |byte| b"\"'`".contains(&byte)), answer > 0)
}

/// What says before the word for a password that one is asked for, what turns to the one to type, and other ways to go on.
const PROMPTED: [&str; 7] = [
    "asks for a ",
    "asks for the ",
    "asked for a ",
    "asked for the ",
    "prompted for a ",
    "prompted for the ",
    "asks for ",
];
const TO_TYPE: [&str; 3] = ["use ", "enter ", "type "];
const OTHER_WAYS: &str = "vault sso ldap yours mine nothing anything none whatever something escape enter return that this it them kerberos \
    okta keepass lastpass bitwarden onepassword keychain ssh root sudo admin twice again always ctrl cancel";

/// The plain word to type where a password is asked for: `asks for a password, use …`.
fn prompted(place: Place<'_>, near: &str, name: usize) -> Option<Range<usize>> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(PROMPT))..place.at];
    PROMPTED.iter().find(|words| before.ends_with(**words))?;
    let gap = name + run(&near[name..], |byte| b",:; ".contains(&byte));
    let begin = gap + TO_TYPE.iter().find(|word| near[gap..].starts_with(**word)).filter(|_| gap > name)?.len();
    let begin = begin + run(&near[begin..], |byte| b"\"'`".contains(&byte));
    let length = run(&near[begin..], |byte| byte.is_ascii_alphanumeric());
    let word = &near[begin..begin + length];
    let is_other = OTHER_WAYS.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word));
    let is_told = length > 2 && !is_other && !stands_in(word) && !is_method(word) && !describes("password", word);
    (is_told && ends_clause(&near[begin + length..])).then(|| begin..begin + length)
}

/// Where a question ends whose words are all that follows: ` does the staging admin have?`.
fn question(text: &str) -> Option<usize> {
    let end = text.find('?').filter(|end| text[..*end].starts_with(' '))?;
    let words = || text[1..end].split(' ');
    let is_one = words().count() <= MOST_ASKED && words().all(|word| !word.is_empty() && word.bytes().all(DOTTED));
    (is_one && words().next().is_some_and(|word| !NOT_ASKED.contains(&word))).then_some(end + 1)
}

/// Whether what stands before the word for a password asks for it: `which`, `what is the root`.
fn asks(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    looked_at(before.len());
    let line = before.rsplit(['\n', '?', '.', ',']).next().unwrap_or_default().to_ascii_lowercase();
    let mut words =
        line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '\'')).rev().filter(|word| !word.is_empty());
    let is_in = |table: &str, word: &str| table.split(' ').any(|known| known == word);
    for _ in 0..=MOST_BEFORE {
        match words.next() {
            Some(word) if is_in(WHICH, word) => return true,
            Some(word) if is_in(THE, word) => return words.next().is_some_and(|word| is_in(WHAT_IS, word)),
            Some(_) => {}
            None => return false,
        }
    }
    false
}

/// The word at a place that is as varied as passwords are, or nearly so, and ends its clause.
fn ended(near: &str, begin: usize) -> Option<Range<usize>> {
    let begin = begin + run(&near[begin..], |byte| b"\"'`".contains(&byte));
    let is_end = |range: &Range<usize>| {
        let after = &near[range.end..];
        ends_clause(after) || after.starts_with('?') || after.starts_with(" but ") || after.starts_with(" when ")
    };
    let has_capital = |range: &Range<usize>| near[range.clone()].bytes().any(|byte| byte.is_ascii_uppercase());
    word(near, begin)
        .filter(is_end)
        .or_else(|| mixed(near, begin).filter(has_capital))
        .filter(|range| !is_identifying(&near[range.clone()]))
}

/// The word of letters and digits at a place that ends its clause.
fn mixed(near: &str, begin: usize) -> Option<Range<usize>> {
    let length = run(&near[begin..], |byte| byte.is_ascii_alphanumeric() || b"!$#%".contains(&byte));
    let text = &near[begin..begin + length];
    let has_letter = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_told = text.len() > 5 && has_letter && looks_random(text, 6) && !stands_in(text);
    (is_told && ends_clause(&near[begin + length..])).then(|| begin..begin + length)
}

/// The other one of two passwords: `password is not … but …`.
pub(crate) fn but(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    near.strip_prefix("but ")?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    looked_at(before.len());
    let mut words = before.rsplit('\n').next()?.split_ascii_whitespace().rev().skip(1);
    let is_denied = match words.next()? {
        "not" => ["is", "was"].contains(&words.next()?),
        word => ["isn't", "wasn't"].contains(&word),
    };
    let mut is_named = || words.next().is_some_and(|word| NAMES.iter().any(|name| name.eq_ignore_ascii_case(word)));
    let range = ended(near, "but ".len()).filter(|_| is_denied && is_named())?;
    Some(place.at + range.start..place.at + range.end)
}

/// What a script of expect types where a password is asked for: `expect "assword:"; send "…\r"`.
pub(crate) fn sent(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let open = ["send -- ", "send "].iter().find(|word| rest.starts_with(**word))?.len();
    let near = &rest[..boundary(rest, SENTENCE)];
    let quote = near[open..].chars().next().filter(|c| "\"'".contains(*c))?;
    let typed = quoted(&near[open..], 0, quote);
    let typed = open + typed.start..open + typed.end;
    let text = near.get(typed.clone())?;
    let password = text.strip_suffix("\\r").or_else(|| text.strip_suffix("\\n"))?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    looked_at(before.len());
    let asks = |text: &str| {
        let text = text.to_ascii_lowercase();
        ["assword", "assphrase", "asscode"].iter().any(|word| text.contains(word))
    };
    let after = near[typed.end..].split(['\n', ';']).next().unwrap_or_default();
    let is_asked = before.rsplit_once("expect").is_some_and(|(_, asked)| asks(asked) && !asked.contains("send"))
        || after.trim_start_matches(quote).starts_with(" after ") && asks(after);
    let is_password =
        password.len() > 2 && !is_stand_in(password) && !password.starts_with('$') && !password.contains(['[', '{']);
    (is_asked && is_password).then(|| place.at + typed.start..place.at + typed.start + password.len())
}

/// A word that is as varied as passwords are, behind the picture of a key or a lock.
pub(crate) fn beside_key(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let picture = ["🔑", "🔐", "🗝"].iter().find(|picture| near.starts_with(**picture))?.len();
    let sign = near[picture..].trim_start_matches('\u{fe0f}').trim_start_matches([':', ' ', '"', '\'', '`']);
    let begin = near.len() - sign.len();
    let range = ended(near, begin).filter(|_| begin > picture)?;
    Some(place.at + range.start..place.at + range.end)
}

/// How the answer to a question that stands for a password is called, and what links it with its words.
const ANSWER: [&str; 4] =
    ["security answer", "secret answer", "security question answer", "answer to the security question"];
const ANSWER_IS: [&str; 8] = [": ", ") is ", " is ", " was ", " = ", " is: ", ":", " "];

/// Questions that are asked for a password.
const QUESTIONS: [&str; 3] = ["security question", "secret question", "challenge question"];

/// The answer to a question that stands for a password: `security answer: …`, `Security question: first pet? Answer: …`.
pub(crate) fn answer(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let begins = |name: &&&str| near.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    let name = match ANSWER.iter().find(begins) {
        Some(name) => name.len(),
        None => ["answer"].iter().find(begins).filter(|_| follows_question(place))?.len(),
    };
    let signs = ANSWER_IS.iter().filter(|sign| near[name..].starts_with(**sign));
    let sign = signs.max_by_key(|sign| sign.len())?;
    let begin = name + sign.len();
    if let Some(quote) = near[begin..].chars().next().filter(|c| "\"'`".contains(*c)) {
        let range = quoted(&near[begin..], 0, quote);
        let text = &near[begin + range.start..begin + range.end];
        let is_closed = near[begin + range.end..].starts_with(quote);
        let is_told = text.len() > 2 && text.split(' ').count() <= MOST_WORDS && !is_said(text);
        return (is_closed && is_told).then(|| place.at + begin + range.start..place.at + begin + range.end);
    }
    let line = near[begin..].split(['\n', ',', ';', '.', '"', '(', '<']).next()?.trim_end();
    // A sentence about an answer has small letters.
    let is_name = |word: &str| word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    let count = line.split(' ').count();
    let is_word = line.len() > 2 && count == 1 && sign.len() > 1;
    let is_told = (2..MOST_WORDS).contains(&count) && line.split(' ').all(is_name) || is_word;
    (is_told && !is_said(line)).then(|| place.at + begin..place.at + begin + line.len())
}

/// Whether words only say something of an answer: `wrong`, `not set`.
fn is_said(text: &str) -> bool {
    stands_in(text) || text.split(' ').any(|word| describes("password", word) || is_remark(&word.to_lowercase()))
}

/// Whether a question that is asked for a password stands before, on the line of a place or the one above.
fn follows_question(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    looked_at(before.len());
    let mut lines = before.trim_end_matches([' ', '\t']).rsplit('\n');
    let asks = |line: Option<&str>| {
        let line = line.unwrap_or_default().to_ascii_lowercase();
        QUESTIONS.iter().any(|question| line.contains(question))
    };
    asks(lines.next()) || asks(lines.next())
}
