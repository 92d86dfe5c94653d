//! What must not be shown or sent: this program's own keys in any spelling, and what has the shape of a secret. Pure.
//!
//! One redactor for text on its way to Devin and for text on its way to a terminal or a log. It knows no alert, no
//! message format and no API, and it leaves alone what the caller must not change: it answers, the caller decides.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![forbid(unsafe_code)]

mod known;
mod own;
mod pair;
mod program;
mod scan;
mod text;
mod told;
mod value;
mod word;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use own::key::OwnKey;
use own::ring::KeyRing;

pub use pair::named::{is_secret, is_secret_name, is_secret_within, keeps_secrets};

/// What stands where a secret stood.
pub const MASK: &str = "****";

/// How often own keys are looked for in what is left without them.
const MOST_ROUNDS: usize = 8;

/// Longer words are letters at random.
const LONGEST_WORD: usize = 14;

/// Finds secrets: those it was told, and those that can be told by their shape.
#[derive(Clone, Default)]
pub struct Redactor {
    own: KeyRing,
}

impl Redactor {
    /// A redactor that also knows these keys, whatever their shape. Keys with fewer than four characters are not looked for.
    pub fn new<'a>(own_keys: impl IntoIterator<Item = &'a str>) -> Redactor {
        let mut redactor = Redactor::default();
        own_keys.into_iter().for_each(|key| redactor.add(key));
        redactor
    }

    /// A redactor that knows these secrets as wholes, for what may be none after all: no part of one is taken for it.
    pub fn of_wholes<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Redactor {
        let mut redactor = Redactor::default();
        secrets.into_iter().for_each(|secret| redactor.add_whole(secret));
        redactor
    }

    /// From now on, knows this secret too, as a whole: no part of it is one.
    pub fn add_whole(&mut self, secret: &str) {
        self.own.add(OwnKey::undivided(secret));
    }

    /// From now on, knows this key too.
    pub fn add(&mut self, own_key: &str) {
        self.own.add(OwnKey::new(own_key));
    }

    /// `text` with `****` for every secret. No own key stands in the answer, whatever was put around or into one.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_keeping(text, &mut BTreeSet::new())
    }

    /// The same; the secrets that are found join `removed`.
    pub fn redact_keeping<'a>(&self, text: &'a str, removed: &mut BTreeSet<String>) -> Cow<'a, str> {
        let secrets = self.secrets(text);
        removed.extend(secrets.iter().map(|secret| text[secret.clone()].to_string()));
        match masked(text, &secrets) {
            Cow::Owned(masked) => Cow::Owned(self.redact_own(masked).0),
            text @ Cow::Borrowed(_) => text,
        }
    }

    /// `text` with `****` for every own key, and how many there were. What is left where one was can be another one, as where
    /// a key was put into a key; where there is no end of that, nothing stays.
    pub fn redact_own(&self, mut text: String) -> (String, usize) {
        let mut count = 0;
        for _ in 0..MOST_ROUNDS {
            let found = self.own.find(&text);
            if found.is_empty() {
                return (text, count);
            }
            count += found.len();
            text = masked(&text, &found).into_owned();
        }
        (MASK.to_string(), count)
    }

    /// Whether something in `text` is certainly a secret: an own key, or the shape of a vendor's key. A word that only a
    /// name such as `password=` makes suspicious is not certain.
    pub fn contains_secret(&self, text: &str) -> bool {
        self.contains_own_key(text) || !scan::certain(text).is_empty()
    }

    /// `text` with `****` for what is certainly a secret, for texts of this program's own, which only quote others.
    pub fn redact_certain<'a>(&self, text: &'a str) -> Cow<'a, str> {
        masked(text, &self.with_own(text, scan::certain(text)))
    }

    /// Whether one of the own keys stands in `text`.
    pub fn contains_own_key(&self, text: &str) -> bool {
        !self.own.find(text).is_empty()
    }

    fn secrets(&self, text: &str) -> Vec<Range<usize>> {
        self.with_own(text, scan::secrets(text))
    }

    fn with_own(&self, text: &str, found: Vec<Range<usize>>) -> Vec<Range<usize>> {
        let own = self.own.find(text);
        if own.is_empty() { found } else { merged(own.into_iter().chain(found).collect()) }
    }
}

/// Whether a word that stands by itself may be a secret: it is certainly one, or as random as one and no path.
pub fn may_be_secret(word: &str) -> bool {
    let is_ending =
        |ending: &str| (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_path =
        word.starts_with(['/', '.', '~']) || word.rsplit_once('.').is_some_and(|(_, ending)| is_ending(ending));
    !scan::certain(word).is_empty()
        || !is_path && word.bytes().any(|byte| byte.is_ascii_digit()) && word::random::looks_random(word, 6)
}

/// Whether a secret has letters and digits enough to be found in every spelling, and in nothing else.
pub fn is_found_in_any_spelling(secret: &str) -> bool {
    OwnKey::is_found_in_any_spelling(secret)
}

/// Whether a key is made of words, with a number behind or without: other texts may have them, too.
pub fn is_of_words(key: &str) -> bool {
    let is_word = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() <= LONGEST_WORD
            && part.len() - word.len() <= 4
            && word.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let has_capitals_inside = |part: &str| {
        part.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
            && part.bytes().any(|byte| byte.is_ascii_lowercase())
            && !word::shape::is_cause(part)
    };
    let mut parts = key.split(|c: char| c.is_ascii_whitespace() || "-_.".contains(c));
    !key.is_empty() && parts.all(|part| is_word(part) && !has_capitals_inside(part))
}

/// Text that comes from elsewhere, redacted without knowing any key.
pub fn redact(text: &str) -> Cow<'_, str> {
    masked(text, &scan::secrets(text))
}

fn masked<'a>(text: &'a str, secrets: &[Range<usize>]) -> Cow<'a, str> {
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for secret in secrets {
        out.push_str(&text[at..secret.start]);
        out.push_str(MASK);
        at = secret.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// In order, and those that overlap as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests;
