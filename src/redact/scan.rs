//! Finds secrets by their shape, from left to right, looking at every byte a bounded number of times. Pure.

use std::ops::Range;

use super::reading::Reading;
use super::rules::{Alphabet, DOTTED};
use super::{
    address, argument, block, call, change, coded, command, files, header, known, manifest, pair, pem, printed,
    protocol, said, statement, table,
};

/// A text of random parts has so many characters.
const SHORTEST_OF_PARTS: usize = 12;

/// A text of words and digits is varied from this length on.
const SHORTEST_VARIED: usize = 8;

/// What looks at one place of a text, and answers with the secret that is told by it; and the bytes at which it can begin,
/// where none stand for all.
type Rule = (&'static [u8], fn(Place<'_>) -> Option<Range<usize>>);

/// The rules that look at a text: everywhere, where a word begins, and whether names tell secrets, too.
#[derive(Clone, Copy)]
struct Rules {
    everywhere: &'static [&'static [Rule]],
    words: &'static [&'static [Rule]],
    by_names: bool,
}

const ALL: Rules =
    Rules { everywhere: &[&CERTAIN, &SUSPECT], words: &[&CERTAIN_WORDS, &SUSPECT_WORDS], by_names: true };
const ALL_CERTAIN: Rules = Rules { everywhere: &[&CERTAIN], words: &[&CERTAIN_WORDS], by_names: false };

/// Rules that leave no doubt: those that look everywhere, and those that look where a word begins.
const CERTAIN: [Rule; 2] = [(b"-BP", pem::private_key), (b"", known::known_key)];
const CERTAIN_WORDS: [Rule; 1] = [(b"", known::json_web_token)];

/// Rules that go by what stands around a secret.
const SUSPECT: [Rule; 5] = [
    (b":%", address::user_info),
    (b"(", call::argument),
    (b"=", argument::setting),
    (b":#", argument::hidden),
    (b"\n", printed::below),
];
const SUSPECT_WORDS: [Rule; 44] = [
    (b"", address::data_source),
    (b"\"", files::of_pool),
    (b"a", files::of_tunnel),
    (b"PXENR", files::of_ipsec),
    (b"u", files::of_share),
    (b"oOnNpPcC", change::noted),
    (b"ft", change::in_field),
    (b"bBgGsS", address::scheme_credential),
    (b"-/", command::flag),
    (b"haAbBcCeEikKnNprRstuvwS", argument::positional),
    (b"ep<", argument::piped),
    (b">", argument::rule_of_access),
    (b"rov", block::values),
    (b"iI", statement::sql),
    (b"pPrR", statement::of_role),
    (b"osrueicC", statement::oracle),
    (b"$S{", statement::hash),
    (b"sS", statement::set_password),
    (b"vV", statement::inserted),
    (b"(", statement::inserted_row),
    (b"D", statement::duplicate),
    (b"pP", statement::parameters),
    (b"aA", protocol::signing_in),
    (b"3", protocol::asked),
    (b"L", protocol::login),
    (b"P", protocol::pass),
    (b"md", protocol::machine),
    (b"cClLaAuUsSfFeEiIzZ", protocol::user_and_password),
    (b"aApPrRsSeE", protocol::of_account),
    (b"", protocol::password_file),
    (b"sS", header::subprotocol),
    (b"fF", header::form_field),
    (b"uUwWeElLsScC", said::told),
    (b"arspe", said::of_account),
    (b"udso", said::usual),
    (b"", said::said_after),
    (b"c", files::of_contents),
    (b"W", files::of_wireless),
    (b"u", files::of_login_module),
    (b"k", said::key),
    (b"yYG0123456789", said::code),
    (b"abcdefghijklmnopqrstuvwxyz", said::on_host),
    (b"[", protocol::of_relay),
    (b"hw", address::hook),
];

/// A place in a text, and what stands right before it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub text: &'a str,
    pub at: usize,
    /// `None` at the beginning, and after an escaped character such as `%20` or a spelled-out `\n`.
    pub before: Option<u8>,
    /// Whether a parameter of an address begins here.
    pub is_parameter: bool,
}

impl<'a> Place<'a> {
    fn of(text: &'a str, at: usize) -> Place<'a> {
        let (before, is_parameter) = preceding(&text.as_bytes()[..at]);
        Place { text, at, before, is_parameter }
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whether no name or word goes on here.
    pub fn begins(&self) -> bool {
        match self.before {
            Some(byte) if !byte.is_ascii() => !self.text[..self.at].ends_with(char::is_alphanumeric),
            before => before.is_none_or(|byte| !DOTTED(byte)),
        }
    }
}

/// All secrets, in order.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    read(text, ALL)
}

/// The secrets about which there is no doubt, in order.
pub(super) fn certain(text: &str) -> Vec<Range<usize>> {
    read(text, ALL_CERTAIN)
}

/// What the rules find in any reading of `text`.
fn read(text: &str, rules: Rules) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for reading in Reading::all(text) {
        let text_read = &*reading.text;
        let mut secrets = find(text_read, rules);
        secrets.extend(pem::tails(text_read));
        secrets.extend(coded::secrets(text_read, |said| !find(said, rules).is_empty()));
        if rules.by_names {
            secrets.extend(table::below_names(text_read));
            secrets.extend(manifest::secrets(text_read));
            secrets.extend(pem::middles(text_read));
        }
        found.extend(
            secrets
                .into_iter()
                .map(|secret| reading.origin(secret))
                .filter(|secret| &text[secret.clone()] != super::MASK),
        );
    }
    super::merged(found)
}

fn find(text: &str, rules: Rules) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let (place, byte) = (Place::of(text, at), text.as_bytes()[at]);
        let ask = |tables: &[&[Rule]]| {
            let rules = tables.iter().copied().flatten();
            let mut rules = rules.filter(|(first, _)| first.is_empty() || first.contains(&byte));
            rules.find_map(|(_, rule)| rule(place))
        };
        let is_word = place.begins();
        let told = ask(rules.everywhere).or_else(|| if is_word { ask(rules.words) } else { None });
        let told = match told {
            None if is_word && rules.by_names => pair::secrets(place),
            told => told.map(|secret| (vec![secret.clone()], secret.end)),
        };
        at += character.len_utf8();
        let Some((mut secrets, next)) = told else { continue };
        let is_new = |secret: &Range<usize>| !secret.is_empty() && &text[secret.clone()] != super::MASK;
        if let Some(first) = secrets.first_mut().filter(|first| is_new(first)) {
            let further = cut_off(text, first.end);
            first.end += further;
            at = next + if next < first.start { 0 } else { further };
        } else if secrets.first().is_some_and(|first| &text[first.clone()] == super::MASK) {
            at = at.max(next);
        }
        found.extend(secrets.into_iter().filter(is_new));
    }
    found
}

/// How much of a secret goes on behind its end: rules look at a bounded stretch, and a secret may be longer.
fn cut_off(text: &str, end: usize) -> usize {
    let is_inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    if is_inside(bytes.get(end)) && is_inside(bytes.get(end - 1)) {
        run(&text[end..], |byte| DOTTED(byte) || b"+/=~".contains(&byte))
    } else {
        0
    }
}

/// The byte before a place, and whether it opens a parameter.
fn preceding(before: &[u8]) -> (Option<u8>, bool) {
    let opens = |code: &[u8]| [b"26".as_slice(), b"3f", b"3b"].iter().any(|known| code.eq_ignore_ascii_case(known));
    let is_hex = |code: &[u8]| code.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'&', b'a', b'm', b'p', b';'] => (None, true),
        [.., b'\\', b'u', b'0', b'0', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'%', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'%', b'2', b'5', a, b] if is_hex(&[*a, *b]) => (None, opens(&[*a, *b])),
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => (None, false),
        [.., last] => (Some(*last), b"?&;".contains(last)),
        [] => (None, false),
    }
}

/// Whether a part of `body`, at least so long, is no word: digits among letters, capitals inside, or very long.
pub(super) fn looks_random(body: &str, least: usize) -> bool {
    body.split(|c: char| "_-.:/+=~".contains(c)).any(|part| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let capitals_inside = part.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && has(u8::is_ascii_lowercase);
        let mixed = (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)) || capitals_inside;
        (part.len() >= least && mixed) || part.len() >= 20 || (part.len() >= 10 && !has(u8::is_ascii_alphabetic))
    }) || is_random_in_parts(body)
}

/// Whether two parts or more of a text have digits among letters of both cases: `Zk8-Qp1Lm_92xW`, but not `Node12-Web03`.
fn is_random_in_parts(text: &str) -> bool {
    let is_odd = |part: &&str| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && word.bytes().any(|byte| byte.is_ascii_digit())
    };
    text.len() >= SHORTEST_OF_PARTS && text.split(['-', '_']).filter(is_odd).count() >= 2
}

/// Whether a text is as random as keys and generated passwords are: letters of both cases and digits among each other, or a
/// long run of letters and digits.
pub(super) fn is_strong(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        is_mixed && (part.len() >= 20 || part.len() >= 8 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
    }) || is_random_in_parts(text)
}

/// Whether a text has what passwords are told to have, eight characters or more with small letters, capitals and digits among
/// them, and is neither a path nor a name with its value.
pub(super) fn is_varied(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let is_long =
        text.len() >= SHORTEST_VARIED && text.bytes().all(|byte| byte.is_ascii_graphic() && !b":=/\\".contains(&byte));
    is_long && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

/// How many bytes at the beginning of `text` are of the alphabet, which is ASCII.
pub(super) fn run(text: &str, alphabet: Alphabet) -> usize {
    let length = text.bytes().position(|byte| !alphabet(byte)).unwrap_or(text.len());
    looked_at(length);
    length
}

/// The last end of a character within the first `limit` bytes, all of which may be looked at.
pub(super) fn boundary(text: &str, limit: usize) -> usize {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    looked_at(end);
    end
}

/// Counts work where a test compares it.
#[cfg(not(test))]
pub(super) fn looked_at(_bytes: usize) {}

#[cfg(test)]
pub(super) use super::tests::looked_at;
