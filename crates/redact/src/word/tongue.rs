//! Names of passwords in languages whose sentences are not read, what links them with a value, and what only speaks of one. Pure.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::languages::{TONGUES, Tongue};
use crate::text::letters::{goes_on, is_latin};
use crate::text::place::{boundary, looked_at};

/// Words of Chinese between the one for a password and `为`: `密码已改为`.
const TURNING: &str = "就应已改更设置重修被成定";

/// How far a sentence is followed from the word for a password to `is`, and how many words there may be between.
const SENTENCE: usize = 120;
const MOST_WORDS: usize = 4;

/// A word for a password, or for other things, too; and its language.
struct Word {
    name: &'static str,
    is_doubtful: bool,
    tongue: &'static Tongue,
}

/// All words by their last letters: most words of a text end with no such one.
static BY_LAST: LazyLock<HashMap<char, Vec<Word>>> = LazyLock::new(|| {
    let mut by_last: HashMap<char, Vec<Word>> = HashMap::new();
    for tongue in &TONGUES {
        for (names, is_doubtful) in [(tongue.names, false), (tongue.doubtful, true)] {
            for name in names.split_ascii_whitespace() {
                let last = name.chars().next_back().unwrap_or_default();
                by_last.entry(last).or_default().push(Word { name, is_doubtful, tongue });
            }
        }
    }
    by_last
});

/// All words that have the last letter of `word`.
fn like(word: &str) -> impl Iterator<Item = &'static Word> {
    word.chars().next_back().and_then(|last| BY_LAST.get(&last)).into_iter().flatten()
}

/// The word of these languages that the words of a name, as one, end with.
fn of(core: &str) -> Option<&'static Word> {
    like(core).find(|word| ends(core, word.name))
}

/// Whether a name ends with a word for a password.
pub(crate) fn is_password(core: &str) -> bool {
    of(core).is_some_and(|word| !word.is_doubtful)
}

/// Whether it ends with one that means other things, too.
pub(crate) fn is_doubtful(core: &str) -> bool {
    of(core).is_some_and(|word| word.is_doubtful)
}

/// All these words, as they are joined.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let tables = TONGUES.iter().flat_map(|tongue| [tongue.names, tongue.doubtful]);
    tables.flat_map(str::split_ascii_whitespace)
}

/// Whether a name ends with a word that is written as one in it.
fn ends(core: &str, name: &str) -> bool {
    let mut rest = core;
    name.rsplit('_').all(|part| {
        let before = rest.strip_suffix(part);
        rest = before.unwrap_or(rest);
        before.is_some()
    })
}

/// The name that a word makes with those before it, where a language has several for a password: `kata sandi`.
pub(crate) fn spaced(before: &str, word: &str) -> Option<String> {
    let (first, second) = like(word)
        .filter_map(|known| known.name.rsplit_once('_'))
        .find(|(first, second)| *second == word && ends_with_words(before, first))?;
    Some(format!("{}{second}", first.replace('_', "")))
}

fn ends_with_words(before: &str, words: &str) -> bool {
    let before = lower(before);
    let mut rest = before.as_str();
    words.rsplit('_').all(|word| {
        let found = rest.strip_suffix([' ', '-', '_']).and_then(|rest| rest.strip_suffix(word));
        rest = found.unwrap_or(rest);
        found.is_some()
    })
}

/// A word in small letters, as the tables have it.
pub(crate) fn lower(text: &str) -> String {
    text.chars().flat_map(small).collect()
}

/// The small letters of a character: the dot of the Turkish `İ` is left out, and `ς` is `σ`.
pub(crate) fn small(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().filter(|c| *c != '\u{307}').map(|c| if c == 'ς' { 'σ' } else { c })
}

/// A name without the word for `is` that a language without blanks puts at its end: `密码是`, `รหัสผ่านคือ`.
pub(crate) fn unlinked<'a>(name: &'a str, means_is: &str) -> &'a str {
    let linked = name.trim_end_matches(|c: char| means_is.contains(c));
    if linked.len() < name.len() {
        return linked.trim_end_matches(|c: char| TURNING.contains(c));
    }
    let glued = ["คือ", "เป็น"].iter().find_map(|link| name.strip_suffix(link));
    // `รหัสผ่านของเราเตอร์คือ`
    let thai = glued.and_then(|name| Some(&name[..name.find("รหัสผ่าน")? + "รหัสผ่าน".len()]));
    thai.unwrap_or(name)
}

/// Whether a name ends with such a word.
pub(crate) fn is_linked(name: &str) -> bool {
    ["คือ", "เป็น"].iter().any(|link| name.ends_with(link))
}

/// Where the value begins after the word for `is` of the language that a name is of, or after a colon behind words that say whose
/// password it is; and whether no other word stands between.
pub(crate) fn linked(core: &str, after: &str) -> Option<(usize, bool)> {
    let is_english = core == "password";
    let (links, of) = match of(core) {
        Some(word) => (word.tongue.links, word.tongue.of),
        // `ang password ay …`
        None if is_english => ("ay", ""),
        None => return None,
    };
    let near = &after[..boundary(after, SENTENCE)];
    let has = |words: &str, word: &str| words.split_ascii_whitespace().any(|known| known == lower(word));
    let (mut at, mut is_whose) = (0, false);
    for nth in 0..=MOST_WORDS {
        let word = &near[at..];
        let word = &word[..word.find(' ')?];
        at += word.len() + 1;
        looked_at(word.len());
        let named = word.trim_end_matches(':');
        is_whose |= nth == 0 && has(of, named);
        if has(links, named) || is_whose && named.len() < word.len() {
            return Some((at, nth == 0 && !is_whose));
        }
        if is_english || word.ends_with(|c: char| c != '-' && !goes_on(c)) {
            return None;
        }
    }
    None
}

/// Whether a name is of letters that are not Latin.
pub(crate) fn is_of_other_letters(name: &str) -> bool {
    name.chars().any(|c| c.is_alphabetic() && !is_latin(c))
}

/// Whether a name is of a language that has its row here, and of Latin letters: plain words behind `is` are not read.
pub(crate) fn is_unread(name: &str) -> bool {
    !is_of_other_letters(name) && is_password(name)
}

/// The longest number with a word behind it that counts something, and how far such a word is followed.
const MOST_COUNTED: usize = 5;
const COUNTING: usize = 48;

/// What says `is` behind a number.
const COPULAS: [&str; 5] = ["です", "だ", "でした", "입니다", "이다"];

/// Whether a value only counts something in words that follow a number at once: `8文字以上`, `至少8位`.
pub(crate) fn counts(text: &str) -> bool {
    let near = &text[..boundary(text, COUNTING)];
    let is_other = |c: char| c.is_alphabetic() && !is_latin(c);
    let count = near.trim_start_matches(|c: char| is_other(c) && !c.is_lowercase() && !c.is_uppercase());
    let unit = count.trim_start_matches(|c: char| c.is_numeric() || "-~".contains(c));
    let is_number = (1..=MOST_COUNTED).contains(&(count.len() - unit.len()));
    let is_word = unit.starts_with(is_other) && !COPULAS.iter().any(|word| unit.starts_with(word));
    is_number && (is_word || unit.is_empty() && !count.is_ascii())
}

/// Whether a value is words of the letters that its name is of, which passwords almost never are, or only counts something:
/// `8文字以上`. A plain word of Russian may be one behind `—`.
pub(crate) fn speaks(name: &str, text: &str, is_behind_word: bool) -> bool {
    let is_other = |c: char| c.is_alphabetic() && !is_latin(c);
    let is_plain = || text.chars().any(is_other) && !text.chars().any(|c| c.is_alphanumeric() && !is_other(c));
    let is_read = is_behind_word && name.ends_with("пароль");
    counts(text) || !is_read && is_of_other_letters(name) && is_plain()
}

/// Whether a word says in what state a password is.
pub(crate) fn is_state(word: &str) -> bool {
    TONGUES.iter().any(|tongue| tongue.states.split_ascii_whitespace().any(|state| state == word))
}
