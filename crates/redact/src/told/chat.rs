//! What people answer each other: a question for a password on a line, and the password on the next one or behind it. Pure.

use std::ops::Range;

use super::joined::chosen;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::speech::stands_in;
use crate::word::predicate::{ends_clause, is_method};
use crate::word::random::{is_strong, is_varied};
use crate::word::shape::{is_identifying, is_label, is_numbered_thing, is_version};

/// How far a line of a chat is followed.
const LINE: usize = 160;

/// Words for a password, and what is asked for where one of these stands behind.
const NAMES: &str = "password passwort passphrase passcode passwd pass pw creds credentials";
const NOT_ASKED: &str = "policy rule rules hint format length field manager age reset rotation expiry hash prompt";

/// Words of a question for a password, unless something was done with it.
const ASKING: &str =
    "what what's whats which anyone anybody someone somebody know knows send give tell share remember remind dm need";
const DONE: &str = "who why when did changed change reset rotated rotate expired broke leaked forgot forgotten lost";

/// Words with which a question without its mark goes on behind the word for a password, and how many may follow.
const OF_QUESTIONS: &str = "for of on to again please pls now currently";
const MOST_BEHIND: usize = 4;

/// How many words stand before the word for a password where nothing else asks: `the root pw?`.
const MOST_BEFORE: usize = 2;

/// What an answer may begin with, and how many of these words.
const LEADS: &str = "sure yes yep yeah ok okay here it's its it is was still try i think should be this use again";
const MOST_LEADS: usize = 6;

/// The longest name of who answers.
const LONGEST_NAME: usize = 24;

/// What stands between a question and its answer on one line.
const ANSWERS: [&str; 10] = [" A: ", " a: ", "\tA: ", " – ", " — ", " - ", " -> ", " > ", " => ", " "];

/// How long an answer is that is spelled as no word is.
const ANSWER: std::ops::RangeInclusive<usize> = 6..=40;

/// How many words the line has that says who speaks and when: `Kim Huber  10:01 AM`.
const MOST_OF_SPEAKER: usize = 6;

/// The password that answers the line before: `what's the pw?`, and below it `kim: …`, also with a line that says who speaks
/// between them, or in a list of lines that commas divide.
pub(crate) fn answered(place: Place<'_>) -> Option<Range<usize>> {
    let before = place.text[..place.at].trim_end_matches(['\r', ' ', '"', '\'', '`', '*', ')']);
    let before = &before[before.floor_char_boundary(before.len().saturating_sub(LINE))..];
    let is_list = place.rest().starts_with(',');
    let question = before.rsplit('\n').next().unwrap_or_default();
    looked_at(question.len());
    let question = if is_list { question.rsplit(", ").next().unwrap_or_default() } else { question };
    let has_mark = question.ends_with('?');
    (if has_mark { asks(question) } else { asks_plainly(question) }).then_some(())?;
    let rest = place.rest();
    let near = &rest[..boundary(rest, LINE)];
    let mut at = run(near, |byte| byte.is_ascii_whitespace() || b",>\"".contains(&byte));
    let named = speaker(&near[at..]);
    if is_list && named == 0 {
        return None;
    }
    at += named;
    at += if named == 0 { who_and_when(&near[at..]) } else { 0 };
    at += leads(&near[at..]);
    if let Some(range) = whole(near, at).filter(|range| !is_list || is_sure(&near[range.clone()])) {
        return Some(place.at + range.start..place.at + range.end);
    }
    let range = chosen(&near[at..]).filter(|_| has_mark && !is_list)?;
    let text = &near[at + range.start..at + range.end];
    (!is_ticket(text) && !is_method(&text.to_ascii_lowercase()))
        .then(|| place.at + at + range.start..place.at + at + range.end)
}

/// The password that answers on the same line: `Q: what's the pw? A: …`, `admin password? …`.
pub(crate) fn answered_at_once(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[1..boundary(place.rest(), LINE).max(1)];
    let sign = ANSWERS.iter().find(|sign| near.starts_with(**sign))?.len();
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    looked_at(before.len());
    let question = before.rsplit('\n').next().filter(|question| asks(question))?;
    // `… reset password? …` offers something.
    let has_else = question.split(['?', '.', '!']).count() > 1 && sign == 1;
    let at = sign + leads(&near[sign..]);
    let range = whole(near, at).filter(|_| !has_else)?;
    Some(place.at + 1 + range.start..place.at + 1 + range.end)
}

/// The length of the words with which an answer begins.
fn leads(near: &str) -> usize {
    let mut at = 0;
    for _ in 0..MOST_LEADS {
        let word = run(&near[at..], |byte| byte.is_ascii_alphabetic() || byte == b'\'');
        let gap = run(&near[at + word..], |byte| b" ,:-".contains(&byte));
        let is_lead = LEADS.split(' ').any(|lead| lead.eq_ignore_ascii_case(&near[at..at + word]));
        if !is_lead || gap == 0 {
            break;
        }
        at += word + gap;
    }
    at
}

/// The word at a place, if it ends its clause, has digits or marks among its letters, and is no name of a thing.
fn whole(near: &str, at: usize) -> Option<Range<usize>> {
    let at = at + run(&near[at..], |byte| b"\"'`".contains(&byte));
    let length = near[at..].find(|c: char| c.is_whitespace() || "\"'`,;()<>".contains(c)).unwrap_or(near.len() - at);
    let text = near[at..at + length].trim_end_matches(['.', ':', '?']);
    let after = near[at + text.len()..].trim_start_matches(['"', '\'', '`', ' ', '\r']);
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let has_mark = text.trim_end_matches('!').contains(['!', '#', '$', '%', '&', '*']);
    let is_mixed = has(u8::is_ascii_alphabetic) && (has(u8::is_ascii_digit) || has_mark);
    let is_object = text.contains(['/', '=', ':', '@', '|', '{', '[']) || text.starts_with(['-', '#', '$', '<']);
    let is_told = ANSWER.contains(&text.len()) && is_mixed && !is_object && !is_ticket(text);
    let is_end = after.is_empty() || after.starts_with('\n') || ends_clause(after);
    (is_told && is_end && !is_thing(text)).then(|| at..at + text.len())
}

/// Whether a word is the name of a thing, a version, a time or a way to sign in.
fn is_thing(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    is_identifying(text)
        || is_label(text)
        || is_numbered_thing(text)
        || is_version(&lower)
        || is_method(&lower)
        || stands_in(text)
}

fn is_sure(text: &str) -> bool {
    is_strong(text) || is_varied(text)
}

/// Whether a word is the number of a ticket: `INFRA-4821`.
fn is_ticket(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_in(table: &str, word: &str) -> bool {
    table.split(' ').any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a line ends with a question for a password.
fn asks(line: &str) -> bool {
    let question = line.trim_end_matches('?').rsplit(['?', '.', '!', ':', '>', ']']).next().unwrap_or_default();
    let words = || question.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    let Some(nth) = words().position(|word| is_in(NAMES, word)) else { return false };
    let is_asked = nth <= MOST_BEFORE || words().any(|word| is_in(ASKING, word));
    is_asked
        && !words().any(|word| is_in(DONE, word))
        && !words().nth(nth + 1).is_some_and(|word| is_in(NOT_ASKED, word))
}

/// The same without the mark of a question: a word that asks stands before the one for a password, and little behind it.
fn asks_plainly(line: &str) -> bool {
    let question = line.rsplit(['?', '.', '!', ':', '>', ']']).next().unwrap_or_default();
    let words = || question.split_ascii_whitespace();
    let Some(nth) = words().position(|word| is_in(NAMES, word)) else { return false };
    let behind = words().count() - nth - 1;
    asks(line)
        && words().take(nth).any(|word| is_in(ASKING, word))
        && behind <= MOST_BEHIND
        && words().nth(nth + 1).is_none_or(|word| is_in(OF_QUESTIONS, word))
}

/// The length of what stands before an answer: a time in brackets, and who gives it.
fn speaker(text: &str) -> usize {
    let stamp = text.strip_prefix('[').and_then(|rest| rest.find("] ")).map_or(0, |end| end + "[] ".len());
    let name = text[stamp..].strip_prefix(['<', '@']).map_or(stamp, |_| stamp + 1);
    let length = run(&text[name..], |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let is_name =
        (1..=LONGEST_NAME).contains(&length) && [": ", "> "].iter().any(|sign| text[name + length..].starts_with(sign));
    if is_name { name + length + ": ".len() } else { stamp }
}

/// The length of a line that says only who speaks and when: `Bob  10:02 AM`.
fn who_and_when(text: &str) -> usize {
    let Some(end) = text.find('\n') else { return 0 };
    let line = text[..end].trim_end();
    let is_time = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        let parts = || word.split(':');
        (2..=3).contains(&parts().count())
            && parts().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut words = line.split_ascii_whitespace();
    let is_short = line.split_ascii_whitespace().count() <= MOST_OF_SPEAKER;
    if is_short && words.any(is_time) && !line.contains(['?', '=']) { end + 1 } else { 0 }
}
