//! The ways in which a text may spell something, one inside of the other: base64 of base64, hexadecimal digits in the rows of a
//! dump, percent signs around either. Pure.

use super::encoding::{Spot, alike, from_base32, from_base64, from_hex, from_numbers, unescaped};
use super::rows;

/// How many ways may lie inside of each other.
const MOST_STEPS: usize = 3;

/// What was decoded is read on where so many of its characters in a row are printable: bytes at random have no such row.
const READABLE: usize = 16;

/// One way to read bytes as others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Escapes resolved, marks of HTML left out, and letters of other alphabets as the plain ones that they look like.
    Escapes,
    /// The groups of digits of a dump's rows, without what stands before and behind them.
    Groups,
    /// The same, the bytes of each group turned around, as machines keep numbers.
    Turned,
    /// The last word of each line: what was divided over lines, without what a log puts before them.
    LastWords,
    /// Lines without what each begins with as the one before it does.
    Unprefixed,
    /// Hexadecimal digits, from the nth one.
    Hex(usize),
    /// Base64, from the nth digit.
    Base64(usize),
    Base32,
    /// Numbers of bytes, with this base.
    Numbers(u32),
}

use Way::{Base32, Base64, Escapes, Groups, Hex, LastWords, Numbers, Turned, Unprefixed};

const WAYS: [Way; 15] = [
    Escapes,
    Groups,
    Turned,
    LastWords,
    Unprefixed,
    Hex(0),
    Hex(1),
    Base64(0),
    Base64(1),
    Base64(2),
    Base64(3),
    Base32,
    Numbers(10),
    Numbers(8),
    Numbers(2),
];

/// Calls `visit` with `source`, and with all that it may stand for: each time with the ways that lead there.
pub(super) fn each(source: &[u8], visit: &mut impl FnMut(&[u8], &[Way])) {
    follow(&alike(source), &mut Vec::new(), visit);
}

/// What `source` stands for, read in these ways one after the other.
pub(super) fn along<T: Spot>(source: &[T], ways: &[Way]) -> Vec<T> {
    ways.iter().fold(alike(source), |source, way| way.read(&source))
}

fn follow(bytes: &[u8], ways: &mut Vec<Way>, visit: &mut impl FnMut(&[u8], &[Way])) {
    visit(bytes, ways);
    let is_last = ways.len() == MOST_STEPS;
    if is_last || ways.last().is_some_and(|way| way.decodes()) && !is_readable(bytes) {
        return;
    }
    let last = ways.last().copied();
    for way in WAYS.into_iter().filter(|way| last.is_none_or(|last| way.may_follow(last))) {
        let read = way.read(bytes);
        if read.is_empty() || !way.decodes() && read.len() == bytes.len() {
            continue;
        }
        ways.push(way);
        follow(&read, ways, visit);
        ways.pop();
    }
}

impl Way {
    /// Whether other bytes come out, and not only some of the same.
    fn decodes(self) -> bool {
        self != Escapes && !self.lays_out()
    }

    /// Whether it goes by lines.
    fn lays_out(self) -> bool {
        matches!(self, Groups | Turned | LastWords | Unprefixed)
    }

    /// Whether there may be something new in this way after that one.
    fn may_follow(self, last: Way) -> bool {
        !last.lays_out() || self.decodes()
    }

    fn read<T: Spot>(self, source: &[T]) -> Vec<T> {
        match self {
            Escapes => alike(&unescaped(source)),
            Groups => rows::groups(source, false),
            Turned => rows::groups(source, true),
            LastWords => rows::last_words(source),
            Unprefixed => rows::without_prefixes(source),
            Hex(skip) => from_hex(source, skip),
            Base64(skip) => from_base64(source, skip),
            Base32 => from_base32(source),
            Numbers(base) => from_numbers(source, base),
        }
    }
}

/// Whether text may have come out, somewhere at least.
fn is_readable(bytes: &[u8]) -> bool {
    let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    bytes.split(|byte| !is_printable(byte)).any(|part| part.len() >= READABLE)
}
