//! What people answer each other: a question for a password on a line, and the password on the next one. Pure.

use std::ops::Range;

use super::joined::chosen;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::word::predicate::is_method;

/// How far a line of a chat is followed.
const LINE: usize = 160;

/// Words for a password, and what is asked for where one of these stands behind.
const NAMES: &str = "password passwort passphrase passcode passwd pass pw creds credentials";
const NOT_ASKED: &str = "policy rule rules hint format length field manager age reset rotation expiry";

/// Words of a question for a password, unless something was done with it.
const ASKING: &str =
    "what what's whats which anyone anybody someone somebody know knows send give tell share remember remind dm need";
const DONE: &str = "who why when did changed change reset rotated rotate expired broke leaked";

/// How many words stand before the word for a password where nothing else asks: `the root pw?`.
const MOST_BEFORE: usize = 2;

/// What an answer may begin with, and how many of these words.
const LEADS: &str = "sure yes yep yeah ok okay here it's its it is was still try i think should be this use again";
const MOST_LEADS: usize = 6;

/// The longest name of who answers.
const LONGEST_NAME: usize = 24;

/// The password that answers the line before: `what's the pw?`, and below it `kim: …`.
pub(crate) fn answered(place: Place<'_>) -> Option<Range<usize>> {
    let before = place.text[..place.at].trim_end_matches(['\r', ' ', '"', '\'', '`', '*', ')']);
    if !before.ends_with('?') {
        return None;
    }
    let before = &before[before.floor_char_boundary(before.len().saturating_sub(LINE))..];
    looked_at(before.len());
    asks(before.rsplit('\n').next().unwrap_or_default()).then_some(())?;
    let rest = place.rest();
    let near = &rest[..boundary(rest, LINE)];
    let mut at = run(near, |byte| byte.is_ascii_whitespace());
    at += speaker(&near[at..]);
    for _ in 0..MOST_LEADS {
        let word = run(&near[at..], |byte| byte.is_ascii_alphabetic() || byte == b'\'');
        let gap = run(&near[at + word..], |byte| b" ,:-".contains(&byte));
        let is_lead = LEADS.split(' ').any(|lead| lead.eq_ignore_ascii_case(&near[at..at + word]));
        if !is_lead || gap == 0 {
            break;
        }
        at += word + gap;
    }
    let range = chosen(&near[at..])?;
    let text = &near[at + range.start..at + range.end];
    // `INFRA-4821`
    let is_ticket = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    (!is_ticket && !is_method(&text.to_ascii_lowercase()))
        .then(|| place.at + at + range.start..place.at + at + range.end)
}

/// Whether a line ends with a question for a password.
fn asks(line: &str) -> bool {
    let question = line.trim_end_matches('?').rsplit(['?', '.', '!', ':', '>', ']']).next().unwrap_or_default();
    let is_in = |table: &str, word: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(word));
    let words = || question.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    let Some(nth) = words().position(|word| is_in(NAMES, word)) else { return false };
    let is_asked = nth <= MOST_BEFORE || words().any(|word| is_in(ASKING, word));
    is_asked
        && !words().any(|word| is_in(DONE, word))
        && !words().nth(nth + 1).is_some_and(|word| is_in(NOT_ASKED, word))
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
