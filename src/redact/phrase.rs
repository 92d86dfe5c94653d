//! Passphrases of several words without quotation marks: what tells them from a sentence. Pure.

use std::ops::Range;

use super::place::{boundary, looked_at};
use super::speech::is_remark;

/// How far a phrase is followed, and how many words it has.
const NEAR: usize = 96;
const FEWEST_WORDS: usize = 3;
const MOST_WORDS: usize = 9;

/// Words that sentences are built with: none of them is of a phrase that was drawn by lot, and few are of one that somebody made up.
const OF_SENTENCES: &str = "a about after again all already also an and any are as at be because been before being but by can cannot could \
    did do does for from had has have he her his how i if in into is it its just longer may might more must my needs \
    never no nor not of on only or our out please same set shall she should shorter so some than that the their them then there \
    these they this to too under until up use used user via was we were what when where which while who why will with without \
    would you your";

/// The words of a passphrase at the beginning of `text`, which a name of one stands before: `correct horse battery staple`.
pub(super) fn words(text: &str) -> Option<Range<usize>> {
    let near = &text[..boundary(text, NEAR)];
    let line = &near[..near.find(['\n', '.', ',', ';', ':', '(', ')', '"', '\'', '<']).unwrap_or(near.len())];
    looked_at(line.len());
    let line = line.trim_end();
    let is_cut = line.len() == near.len() && near.len() < text.len();
    let is_word = |word: &str| {
        (2..=12).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_lowercase())
            && !OF_SENTENCES.split_ascii_whitespace().any(|known| known == word)
    };
    let mut words = line.split(' ');
    let first = words.next()?;
    // `stored encrypted since yesterday`
    let is_told = !first.ends_with("ed") && !first.ends_with("ing") && !line.split(' ').any(is_remark);
    let count = line.split(' ').count();
    (is_told && !is_cut && (FEWEST_WORDS..=MOST_WORDS).contains(&count) && line.split(' ').all(is_word))
        .then_some(0..line.len())
}
