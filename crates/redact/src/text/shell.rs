//! The words of a command line, as a shell takes it apart. Pure.

use std::ops::Range;

use super::place::{boundary, looked_at};

/// How far a command line is followed.
const LINE: usize = 400;

/// A word of a command line: where it stands, without its quotation marks.
pub(crate) struct Word {
    pub range: Range<usize>,
    pub is_quoted: bool,
}

/// The words that begin `text`, to the end of the line or of the command. What is in `divides` parts words, too.
pub(crate) fn words(text: &str, divides: &str) -> Vec<Word> {
    let line = &text[..boundary(text, LINE)];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let is_gap = |c: char| c.is_whitespace() || divides.contains(c);
    let (mut words, mut at) = (Vec::new(), 0);
    while let Some(c) = line[at..].chars().next() {
        if is_gap(c) {
            at += c.len_utf8();
            continue;
        }
        if "|;&<>".contains(c) {
            break;
        }
        let word = word(&line[at..], is_gap);
        let end = at + word.range.end;
        words.push(Word { range: at + word.range.start..end, is_quoted: word.is_quoted });
        at = end + usize::from(word.is_quoted && end < line.len());
    }
    looked_at(at);
    words
}

/// The word that begins `text`, up to where `is_gap` says that it ends, or to its other quotation mark.
pub(crate) fn word(text: &str, is_gap: impl Fn(char) -> bool) -> Word {
    let Some(quote) = text.chars().next().filter(|c| "\"'".contains(*c)) else {
        let length = text.find(|c: char| is_gap(c) || "\"'`|;".contains(c)).unwrap_or(text.len());
        return Word { range: 0..length.max(text.chars().next().map_or(0, char::len_utf8)), is_quoted: false };
    };
    let mut is_escaped = false;
    let end = text[1..].find(|c: char| {
        let is_end = (c == quote || c == '\n') && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    Word { range: 1..end.map_or(text.len(), |end| 1 + end), is_quoted: true }
}
