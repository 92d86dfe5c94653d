//! A secret beside its name, as another word for it: `its password, which is …`, `the passphrase ("…") does not work`. Pure.

use crate::text::place::{boundary, run};
use crate::value::extent::quoted;
use crate::value::sign::Sign;
use crate::value::speech::stands_in;
use crate::word::names::{Kind, Name};
use crate::word::predicate::{describes, ends_clause, is_state};
use crate::word::random::{is_varied, looks_random};
use crate::word::remark::{is_clause, is_remark};

/// How far such words are followed.
const NEAR: usize = 128;

/// What divides the other word from its name.
const MARKS: [&str; 6] = [", ", " (", " - ", " – ", " — ", " "];

/// Words that say that it is another one, behind such a mark.
const LEADS: [&str; 27] = [
    "it is ",
    "it's ",
    "this is ",
    "which is now ",
    "which is still ",
    "which by the way is ",
    "which, by the way, is ",
    "which is ",
    "which was ",
    "which should be ",
    "which used to be ",
    "which has been ",
    "which I think is ",
    "that is ",
    "that is, ",
    "that's ",
    "i.e. ",
    "i.e., ",
    "ie ",
    "namely ",
    "that being ",
    "this being ",
    "being ",
    "as in ",
    "aka ",
    "a.k.a. ",
    "viz. ",
];

/// The fewest words of a phrase, and the most.
const PHRASE: std::ops::RangeInclusive<usize> = 2..=9;

/// The fewest of a phrase that may have small words.
const LONG_PHRASE: usize = 4;

/// Whether the words that say so are a sentence of their own.
fn is_sentence(lead: &str) -> bool {
    ["it is ", "it's ", "this is "].iter().any(|begin| lead.starts_with(begin))
}

/// Where another word for the secret begins, counted from the end of its name.
pub(super) fn linked(named: &Name, after: &str) -> Option<(usize, Sign)> {
    let near = &after[..boundary(after, NEAR)];
    let mark = MARKS.iter().find(|mark| near.starts_with(**mark))?.len();
    let lead = LEADS.iter().filter(|lead| near[mark..].starts_with(**lead)).map(|lead| lead.len()).max();
    match lead {
        // `the password that is …` says which one it is.
        Some(lead) if mark > 1 || near[mark..].starts_with("that being ") => {
            let begin = mark + lead;
            let text = &near[begin..];
            if is_phrase_at(named, text) {
                return Some((begin, Sign::Equals));
            }
            let is_word = match quotation(text) {
                Some(word) => !word.contains(' '),
                None => is_word_or_phrase(text, is_sentence(&near[mark..])),
            };
            is_word.then_some((begin, Sign::Word))
        }
        _ => (mark > 2 || near.starts_with(" ("))
            .then_some(mark)
            .filter(|mark| is_phrase_at(named, &near[*mark..]) || is_word_at(named, &near[..*mark], &near[*mark..]))
            .map(|mark| (mark, Sign::Equals)),
    }
}

/// Whether several words in quotation marks stand there that may be a passphrase, and are no sentence.
fn is_phrase_at(named: &Name, text: &str) -> bool {
    let Some(phrase) = quotation(text) else { return false };
    let says = |word: &str| {
        let word = word.to_lowercase();
        is_remark(&word) || is_state(&word) || describes("password", &word)
    };
    named.kind == Kind::Password
        && PHRASE.contains(&phrase.split(' ').count())
        && phrase.split(' ').all(|word| word.bytes().any(|byte| byte.is_ascii_alphanumeric()))
        && (!is_clause(phrase) || named.core.ends_with("passphrase") && phrase.split(' ').count() >= LONG_PHRASE)
        && phrase.split(' ').filter(|word| says(word)).count() * 3 < phrase.split(' ').count()
}

/// Whether what begins `text` may be the other word, and no part of what is said of a secret: `root's`, `AES-256 encrypted`,
/// `that being said`; nor, in a sentence of its own, a plain word: `it's strange`.
fn is_word_or_phrase(text: &str, is_sentence: bool) -> bool {
    let length = text.find(char::is_whitespace).unwrap_or(text.len());
    let word = text[..length].trim_end_matches([',', '.', ';', ')']);
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let ends = length > word.len() || ends_clause(&text[length..]);
    !word.ends_with("'s") && word != "said" && (is_varied(word) || !is_sentence && (!has_digit || ends))
}

/// Whether one word stands there that may be a password: it is as varied as they are, or stands in quotation marks between dashes.
fn is_word_at(named: &Name, mark: &str, text: &str) -> bool {
    let length = run(text, |byte| byte.is_ascii_graphic() && !b"\"'`,;()<>/=:".contains(&byte));
    let quotation = quotation(text);
    let word = quotation.unwrap_or(&text[..length]);
    let is_random = looks_random(word, 6) && word.contains(['!', '#', '$', '%', '^', '&', '*']);
    let is_between = mark != " (" && quotation.is_some_and(|word| text[1 + word.len() + 1..].starts_with(mark));
    let is_plain = is_between && word.len() > 3 && !stands_in(word) && !is_state(word) && !describes("password", word);
    named.kind == Kind::Password && !word.contains(' ') && (is_varied(word) || is_random || is_plain)
}

/// What stands in the quotation marks that begin `text`.
fn quotation(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| "\"'`".contains(*c))?;
    let range = quoted(text, 0, quote);
    text[range.end..].starts_with(quote).then(|| &text[range])
}
