//! Secrets that stand before the words for them: `… <- deploy token`, `…  # root password`, `… (admin pw)`, `… is what we use for
//! root's password`. Pure.

use std::ops::Range;

use super::said::is_random;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run_within};
use crate::value::generated::is_no_code;
use crate::value::speech::stands_in;
use crate::word::names::{Kind, Name, spaced};
use crate::word::predicate::describes;
use crate::word::random::is_of_names;
use crate::word::shape::{is_identifying, is_label, is_odd};

/// How long such a secret is, and how far the words behind it are followed.
const SHORTEST: usize = 8;
const SHORTEST_UNMARKED: usize = 10;
const LONGEST: usize = 128;
const NOTE: usize = 80;

/// Small letters from this length on may be a word.
const SHORTEST_WORD: usize = 4;

/// How many blanks may stand between both, and how many words a note has, and a sentence.
const MOST_BLANKS: usize = 16;
const MOST_WORDS: usize = 5;
const MOST_WORDS_OF_SENTENCE: usize = 8;

/// What points from a note at what it is about; what begins a remark, which is about a secret that has the line for itself; and
/// what begins a sentence.
const ARROWS: [&str; 12] = ["<-- ", "<- ", "<= ", "← ", "--> ", "-> ", "=> ", "> ", "= ", "- ", "– ", "— "];
const REMARKS: [&str; 3] = ["# ", "// ", "; "];
const SENTENCES: [&str; 2] = ["is what ", "was what "];

/// What goes on behind the name and says for what a secret is.
const FOR: [&str; 4] = [" for ", " of ", " on ", " to "];

/// Words of notes that tell what happens to a secret, what it must not be, or another thing than itself.
const OF_NOTES_ABOUT: &str = "reset resets change changes changed rotate rotates rotated forgot forgotten lost update updates updated fix fixes fixed \
    set sets needs need ask asks asked check checks no not without wrong bad missing expired invalid uses use using requires require \
    see has have had get gets fetch read reads load loads hash hashed encrypt encrypted validate verify store stores send sends \
    hide mask print log remove removes delete add adds create creates generate generates like unlike never";

/// Words of sentences that say more than that somebody uses a password: `… is what happens without a password`.
const OF_SENTENCES_ABOUT: &str = "happens breaks broke fails failed locked resets rotates checks validates hashes stores without no not if when \
    because before after requires caused causes encrypts";

/// The secret before the words that say what it is.
pub(crate) fn named(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let length = run_within(rest, LONGEST, |byte| byte.is_ascii_graphic() && !b"\"'`,;()<>".contains(&byte));
    if !(SHORTEST..LONGEST).contains(&length) || !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let quote = place.before.filter(|byte| b"\"'`".contains(byte)).map(char::from);
    let close = quote.filter(|quote| rest[length..].starts_with(*quote)).map_or(0, char::len_utf8);
    let blanks = run_within(&rest[length + close..], MOST_BLANKS, |byte| byte == b' ' || byte == b'\t');
    let after = &rest[length + close + blanks..];
    if blanks == 0 || quote.is_some() != (close > 0) {
        return None;
    }
    let begins = |words: &[&str]| words.iter().find(|word| after.starts_with(**word)).map(|word| word.len());
    let (lead, is_sentence) = if let Some(arrow) = begins(&ARROWS) {
        (arrow, false)
    } else if let Some(remark) = begins(&REMARKS).filter(|_| is_first(place)) {
        (remark, false)
    } else if let Some(sentence) = begins(&SENTENCES).or_else(|| whose(after)) {
        (sentence, true)
    } else {
        (after.strip_prefix('(').map(|_| 1)?, false)
    };
    let near = &after[lead..boundary(after, lead + NOTE).max(lead)];
    let note = near.split('\n').next().unwrap_or_default();
    let note = if after.starts_with('(') { note.split_once(')')?.0 } else { note };
    let text = &rest[..length];
    let is_told = match (said_of(note, is_sentence)?, text) {
        (Kind::Password, text) => is_password(text),
        (_, text) => is_random(text) && !is_of_names(text) && is_alone(text),
    };
    is_told.then(|| place.at..place.at + length)
}

/// Where a sentence goes on that says whose a secret is: `… is root's password`.
fn whose(after: &str) -> Option<usize> {
    let lead = ["is ", "was "].iter().find(|word| after.starts_with(**word))?.len();
    let whose = run_within(&after[lead..], SHORTEST_WORD * SHORTEST, |byte| DOTTED(byte) || byte == b'\'');
    after[..lead + whose].ends_with("'s").then_some(lead)
}

/// Whether nothing but marks stands before a place on its line.
fn is_first(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(MOST_BLANKS))..place.at];
    looked_at(before.len());
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.bytes().all(|byte| b" \t-*>\"'`$".contains(&byte)) && line.len() < MOST_BLANKS
}

/// The kind of secret that a note names, if it says nothing else.
fn said_of(note: &str, is_sentence: bool) -> Option<Kind> {
    let clause = note.split([',', '.', ';', ')', '!']).next().unwrap_or_default();
    let clause = clause.split(" (").next().unwrap_or_default().trim_end();
    // A sentence says for what a secret is before it names it.
    let clause = if is_sentence {
        clause
    } else {
        FOR.iter().filter_map(|word| clause.find(word)).min().map_or(clause, |at| &clause[..at])
    };
    let last = clause.rsplit(' ').next()?.trim_end_matches([':', '?']);
    let before = &clause[..clause.trim_end_matches([':', '?']).len() - last.len()];
    let (most, about) =
        if is_sentence { (MOST_WORDS_OF_SENTENCE, OF_SENTENCES_ABOUT) } else { (MOST_WORDS, OF_NOTES_ABOUT) };
    let is_about = |word: &str| about.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word));
    let is_word = |word: &str| !word.contains(['=', '"', '{', '[', '(', '<', '/', ':', '$']) && !is_about(word);
    let is_said = before.split_ascii_whitespace().count() < most && before.split_ascii_whitespace().all(is_word);
    // `# DB_PASSWORD`
    let is_name = last.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let named = Name::of(spaced(before, last).as_deref().unwrap_or(last)).filter(|named| !named.is_plural)?;
    let kind = match named.kind {
        Kind::Password if named.core.ends_with("key") => Kind::Token,
        Kind::Token if named.core == "pass" => return None,
        kind => kind,
    };
    (is_said && is_name && matches!(kind, Kind::Password | Kind::Token)).then_some(kind)
}

/// Whether a word is spelled as passwords are and as no name is: it was made by a program, has a mark among letters and digits, or
/// digits between letters.
fn is_password(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let mark = text.find(['!', '#', '$', '%', '^', '&', '*', '?']);
    // `issue#1234`, `PR#7`
    let is_number = mark.is_some_and(|mark| {
        text[mark..].starts_with('#') && text[mark + 1..].bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_marked = mark.is_some() && has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && !is_number;
    // `EC2Instance`, `ipv6addr`, `MacBook2Pro`
    let has_word = || text.split(|c: char| !c.is_ascii_lowercase()).any(|run| run.len() >= SHORTEST_WORD);
    let numbers = text.as_bytes().chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    let is_divided = numbers.filter(|run| run[0].is_ascii_digit()).count() > 1;
    let is_made = is_no_code(text) && !has_word() || is_odd(text) && !is_object(text);
    (is_marked || is_made && is_divided && text.len() >= SHORTEST_UNMARKED) && is_alone(text)
}

/// Whether a word is in parts, as names of things are: `k8s-node-4f2a9`, `x86_64`.
fn is_object(text: &str) -> bool {
    text.contains(['-', '_']) || text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a word is no path, no address, no code and no identifier.
fn is_alone(text: &str) -> bool {
    let is_of_code = text.contains(['/', ':', '=', '{', '[', '\\', '|']) || text.contains('@') && text.contains('.');
    let is_id = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') || is_identifying(text);
    !(is_of_code || is_id || is_label(text) || stands_in(text) || describes("password", text))
}
