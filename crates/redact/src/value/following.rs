//! Where a value begins after the sign that follows its name. Pure.

use super::decoration::{below, decoration};
use super::generated::{is_generated, is_no_code};
use super::sign::{Sign, is_blank, linking, typed};
use crate::MASK;
use crate::text::alphabet::DOTTED;
use crate::text::place::{boundary, run};

/// How far a value is followed that may be a part of a path of code.
const LONGEST_VALUE: usize = 128;

/// The sign itself: an equals sign, a colon or an arrow, and where the value begins after it.
pub(crate) fn after_sign(rest: &str, at: usize) -> Option<(usize, Sign)> {
    let after = &rest[at..];
    let dots = if after.starts_with("..") { run(after, |byte| b". ".contains(&byte)) } else { 0 };
    let arrow = if after.starts_with("->") || after.starts_with("~>") {
        2
    } else {
        run(&after[dots..], |byte| b":=>".contains(&byte))
    };
    let signs = dots + arrow;
    // `token::tests::parse` is a path of code.
    let is_path = after.starts_with("::") && after[2..].starts_with(|c: char| c.is_ascii_alphabetic());
    if signs == 0 || is_path && !after[2..].starts_with(MASK) && !is_no_path(&after[2..]) {
        return None;
    }
    let mut sign = match &after[..signs] {
        _ if dots > 0 => Sign::Loose,
        ">" if after.starts_with("> ") => Sign::Loose,
        signs if signs.contains('=') => Sign::Equals,
        _ => Sign::Colon,
    };
    let mut begin = at + signs;
    begin += run(&rest[begin..], is_blank);
    if rest[begin..].starts_with(MASK) {
        return Some((begin, sign));
    }
    if rest[begin..].starts_with("***") || is_left_empty(rest, begin, at) {
        return None;
    }
    begin += run(&rest[begin..], |byte| is_blank(byte) || byte == b'*');
    if let Some(linked) = linking(&rest[begin..]) {
        return Some((begin + linked, Sign::Word));
    }
    if sign == Sign::Colon
        && let Some(typed) = typed(&rest[begin..])
    {
        return Some((begin + typed, Sign::Equals));
    }
    let (decoration, is_block) = decoration(&rest[begin..])?;
    let is_document = rest[begin..].starts_with("<<");
    begin += decoration;
    // The lines of a block are indented; what is not may be a word by itself.
    let indented =
        rest[begin..].trim_start_matches('\r').strip_prefix('\n').is_some_and(|line| line.starts_with([' ', '\t']));
    if is_block && (is_document || indented) {
        sign = Sign::Block;
    }
    if let Some(below) = below(&rest[begin..], sign) {
        return Some((begin + below, if sign == Sign::Block { sign } else { Sign::Loose }));
    }
    Some((begin, sign))
}

/// Whether a word after two colons is no part of a path of code, and no call follows: `hunter2Zq9`, but not `Sha256Hasher`.
fn is_no_path(text: &str) -> bool {
    let near = &text[..boundary(text, LONGEST_VALUE)];
    let word = &near[..run(near, |byte| byte.is_ascii_graphic())];
    let is_made =
        if word.starts_with(|c: char| c.is_ascii_lowercase()) { is_generated(word) } else { is_no_code(word) };
    is_made && !word.contains(['(', ':', '<', '.'])
}

/// Whether the value is empty, and the next name, or a request's protocol, follows: `password= host=db`.
fn is_left_empty(rest: &str, begin: usize, at: usize) -> bool {
    let has_blanks =
        rest[..begin].ends_with([' ', '\t']) && !rest[..at].ends_with([' ', '\t']) && rest[at..].starts_with('=');
    let next = &rest[begin..];
    let name = run(next, DOTTED);
    let is_name =
        name > 0 && next.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && next[name..].starts_with('=');
    has_blanks && (is_name && !next[name..].starts_with("==") || next.starts_with("HTTP/"))
}
