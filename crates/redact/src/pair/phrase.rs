//! Values of several words without quotation marks of their own: passphrases, what is shown in groups, options in quotation marks. Pure.

use std::ops::Range;

use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::sign::Sign;
use crate::word::names::{Kind, Name};
use crate::word::predicate::{describes, is_state};
use crate::word::remark::{is_clause, is_remark};

/// How far a phrase is followed, and how many words it has.
const NEAR: usize = 96;
const FEWEST_WORDS: usize = 3;
const MOST_WORDS: usize = 9;

/// How far the line of a phrase is followed that stands for a key, how many words it has at least, and a seed at most.
const LINE: usize = 512;
const FEWEST_OF_KEY: usize = 12;
const MOST_OF_SEED: usize = 24;

/// How many characters a group has, and groups a password that Google shows, and one that WordPress does.
const GROUP: usize = 4;
const GROUPS: usize = 4;
const GROUPS_OF_WORDPRESS: usize = 6;

/// Words that sentences are built with: none of them is of a phrase that was drawn by lot, and few are of one that somebody made up.
const OF_SENTENCES: &str = "a about after again all already also an and any are as at be because been before being but by can cannot could \
    did do does for from had has have he her his how i if in into is it its just longer may might more must my needs \
    never no nor not of on only or our out please same set shall she should shorter so some than that the their them then there \
    these they this to too under until up use used user via was we were what when where which while who why will with without \
    would you your";

/// Words that sentences about a password have besides: what it has, when, and for whom.
const OF_SENTENCES_ABOUT: &str = "characters character letters digits chars bytes words days day weeks week months month years year hours hour minutes \
    monday tuesday wednesday thursday friday saturday sunday tonight since per till between inside outside during within \
    every each other another both either next last first second once twice off down over across along among around behind \
    below beneath beside besides despite except like near through towards upon versus please site someone anyone everyone \
    nobody according due ask see contact call text plain team policy vault field file string value error case sensitive \
    length minimum maximum account login server database rotation rule rules access page form request requests";

/// The fewest words of a phrase behind the sign of a password's name, and of one that has a word about passwords among them.
const FEWEST_BEHIND_SIGN: usize = 4;

/// The words of a phrase that stands for a password: behind the name of a passphrase; and behind that of a password, if there is
/// no grammar in them: `the password of the console is correct horse battery staple`.
pub(super) fn told(place: Place<'_>, named: &Name, sign: Sign, text: &str) -> Option<Range<usize>> {
    // `PASSPHRASE=… restic backup`
    let is_command = || !place.text[..place.text.len() - text.len()].ends_with(' ');
    if sign == Sign::Equals && is_command() { None } else { of_words(named, sign, text) }
}

fn of_words(named: &Name, sign: Sign, text: &str) -> Option<Range<usize>> {
    let is_passphrase = named.core.ends_with("passphrase");
    let is_linked = matches!(sign, Sign::Word | Sign::Colon) || sign == Sign::Equals && is_passphrase;
    let range = Some(text).filter(|_| is_linked).and_then(|text| words(text, is_passphrase))?;
    if is_passphrase {
        return Some(range);
    }
    let is_about = |word: &str| OF_SENTENCES_ABOUT.split_ascii_whitespace().any(|known| known == word);
    let says = |word: &&str| describes("password", word) || is_state(word);
    let count = text[range.clone()].split(' ').count();
    let said = text[range.clone()].split(' ').filter(says).count();
    let is_phrase = match sign {
        Sign::Word => said == 0 || said == 1 && count >= FEWEST_BEHIND_SIGN,
        _ => said == 0 && count >= FEWEST_BEHIND_SIGN,
    };
    let is_word = named.kind == Kind::Password && !named.core.ends_with("key");
    (is_word && is_phrase && !text[range.clone()].split(' ').any(is_about)).then_some(range)
}

/// Whether a phrase in quotation marks follows a name at once: `passphrase "correct horse battery" was accepted`.
pub(super) fn is_quoted(named: &Name, after: &str) -> bool {
    let Some(quote) = after.chars().next().filter(|c| "\"'`".contains(*c)) else { return false };
    let range = quoted(after, 0, quote);
    let text = &after[range.clone()];
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_word = named.kind == Kind::Password && !named.core.ends_with("key");
    let is_phrase = || of_words(named, Sign::Word, text).is_some_and(|range| range.len() == text.len());
    text.split(' ').count() >= FEWEST_WORDS
        && after[range.end..].starts_with(quote)
        && if quote == '"' {
            named.core == "passphrase"
                || named.kind == Kind::Password && has_digit && !is_clause(text)
                || is_word && is_phrase()
        } else {
            is_word && is_phrase()
        }
}

/// The words of a passphrase at the beginning of `text`, which a name of one stands before: `correct horse battery staple`.
fn words(text: &str, may_be_numbered: bool) -> Option<Range<usize>> {
    let near = &text[..boundary(text, NEAR)];
    let line = &near[..near.find(['\n', '.', ',', ';', ':', '(', ')', '"', '\'', '<']).unwrap_or(near.len())];
    looked_at(line.len());
    let line = line.trim_end();
    let whole = line.len();
    // `Correct Horse Battery Staple 7`
    let line = if may_be_numbered { line.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end() } else { line };
    let is_cut = whole == near.len() && near.len() < text.len();
    // `Correct Horse Battery Staple`
    let is_title = line.split(' ').all(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    let is_word = |word: &str| {
        (2..=12).contains(&word.len())
            && word.bytes().skip(usize::from(is_title)).all(|byte| byte.is_ascii_lowercase())
            && !OF_SENTENCES.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word))
    };
    let mut words = line.split(' ');
    let first = words.next()?;
    // `stored encrypted since yesterday`
    let is_told = !first.ends_with("ed")
        && !first.ends_with("ing")
        && !line.split(' ').any(|word| is_remark(&word.to_lowercase()));
    let count = line.split(' ').count();
    (is_told && !is_cut && (FEWEST_WORDS..=MOST_WORDS).contains(&count) && line.split(' ').all(is_word))
        .then_some(0..whole)
}

/// A phrase of many plain words, which stands for a key, to the end of its line; where the name says little, one of as many
/// words as seeds have.
pub(super) fn mnemonic(text: &str, is_seed_only: bool) -> Option<Range<usize>> {
    let near = &text[..boundary(text, LINE)];
    let begin = run(near, |byte| b"\"'\\".contains(&byte));
    let line = &near[begin..];
    let line = line[..line.find(['\n', '"', '\'', '\\']).unwrap_or(line.len())].trim_end();
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    let count = line.split(' ').count();
    // A seed has so many words, and none of more letters; a sentence about one seldom has as many.
    let is_seed = || {
        count.is_multiple_of(3) && count <= MOST_OF_SEED && line.split(' ').all(|word| (3..=8).contains(&word.len()))
    };
    let is_phrase = line.split(' ').all(is_word) && count >= FEWEST_OF_KEY && (!is_seed_only || is_seed());
    is_phrase.then(|| begin..begin + line.len())
}

/// The length of a password that is shown in groups, as Google shows those of apps: `abcd efgh ijkl mnop`; and of a seed in
/// base32: `JBSW Y3DP EHPK 3PXP`.
pub(super) fn in_groups(text: &str, named: &Name) -> usize {
    if ["seed", "secret", "setupkey", "authenticatorkey"].iter().any(|end| named.core.ends_with(end)) {
        let is_digit = |byte: u8| (b'2'..=b'7').contains(&byte);
        let of_small = || of_groups(text, |byte| byte.is_ascii_lowercase() || is_digit(byte));
        let of_small = || of_small().filter(|length| text[..*length].bytes().any(is_digit));
        return of_groups(text, |byte| byte.is_ascii_uppercase() || is_digit(byte)).or_else(of_small).unwrap_or(0);
    }
    let six = GROUPS_OF_WORDPRESS * (GROUP + 1) - 1;
    let of_any = || of_groups(text, |byte| byte.is_ascii_alphanumeric()).filter(|length| *length >= six);
    if named.kind == Kind::Password && of_any().is_some() && text[..six].split(' ').any(is_mixed) {
        return six;
    }
    let of_letters = || of_groups(text, |byte| byte.is_ascii_lowercase());
    let Some(length) = Some(named.kind).filter(|kind| *kind == Kind::Password).and_then(|_| of_letters()) else {
        return 0;
    };
    let is_word = |group: &str| group.bytes().any(|byte| b"aeiou".contains(&byte));
    let is_sure = named.core.ends_with("apppassword") || !text[..length].split(' ').all(is_word);
    if is_sure && length == GROUPS * (GROUP + 1) - 1 && !text[length..].starts_with(' ') { length } else { 0 }
}

/// Whether a group is no word: it has a digit, or a capital behind a small letter.
fn is_mixed(group: &str) -> bool {
    let bytes = group.as_bytes();
    bytes.iter().any(u8::is_ascii_digit)
        || bytes.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// The length of all groups of so many characters at the beginning of `text`, if there are enough.
fn of_groups(text: &str, alphabet: impl Fn(u8) -> bool) -> Option<usize> {
    let near = &text[..boundary(text, NEAR)];
    let is_group = |group: &&str| group.len() == GROUP && group.bytes().all(&alphabet);
    let is_end = |c: char| !c.is_alphanumeric() && c != ' ';
    let line = &near[..near.find(is_end).unwrap_or(near.len())];
    let count = line.split(' ').take_while(is_group).count();
    looked_at(line.len());
    (count >= GROUPS).then(|| count * (GROUP + 1) - 1)
}

/// The length of a value with blanks where a quotation around the name and it is an option's: `--set 'password=…'`.
pub(super) fn to_the_quotes_end(place: Place<'_>, text: &str) -> usize {
    let Some(quote) = place.before.filter(|byte| b"\"'".contains(byte)).map(char::from) else { return 0 };
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at - 1];
    let option = before.trim_end_matches([' ', '=']).rsplit([' ', '\n']).next().unwrap_or_default();
    let near = &text[..boundary(text, NEAR)];
    let value = near.split(quote).next().filter(|value| value.len() < near.len()).unwrap_or_default();
    looked_at(before.len() + value.len());
    let is_one = !value.contains(['=', '\n', ',', '&', ';', '\\']);
    if option.starts_with('-') && option.len() < before.len() && is_one { value.len() } else { 0 }
}
