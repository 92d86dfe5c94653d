//! What a text encodes: its escapes resolved, and what its digits stand for: hexadecimal ones, those of base64 and base32, and
//! numbers. Pure.
//!
//! Bytes are decoded with where they stand or without: most texts encode nothing of interest, and the place of a byte is twenty
//! times as large as it.

use std::ops::Range;

use crate::text::letters;

/// A byte of a text, and perhaps where it stands.
pub(super) trait Spot: Sized {
    fn byte(&self) -> u8;

    /// The byte that those from `first` to `last` stand for.
    fn of(byte: u8, first: &Self, last: &Self) -> Self;

    /// The same byte at the same place.
    fn copy(&self) -> Self {
        Self::of(self.byte(), self, self)
    }
}

impl Spot for u8 {
    fn byte(&self) -> u8 {
        *self
    }

    fn of(byte: u8, _: &u8, _: &u8) -> u8 {
        byte
    }
}

impl Spot for (u8, Range<usize>) {
    fn byte(&self) -> u8 {
        self.0
    }

    fn of(byte: u8, first: &Self, last: &Self) -> Self {
        (byte, first.1.start..last.1.end)
    }
}

/// The longest mark of HTML that shows nothing, and the longest name of a character.
const LONGEST_TAG: usize = 64;
const LONGEST_NAME: usize = 8;

/// What stands for a character that is no letter or digit.
const NO_LETTER: u8 = b' ';

/// Resolves `%41`, `=41`, `\u0041`, `\u{41}`, `\x41`, `\101`, `&#65;`, `&#x41;` and the escapes of white space; the names of
/// characters (`&nbsp;`), marks of HTML (`<b>`) and a byte of zeros (`\0`) are no letters. Anything else stays.
pub(super) fn unescaped<T: Spot>(source: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let (byte, length) = escape(&source[at..]).unwrap_or((source[at].byte(), 1));
        out.push(T::of(byte, &source[at], &source[at + length - 1]));
        at += length;
    }
    out
}

/// The character that the beginning of `rest` stands for, and how many bytes spell it.
fn escape<T: Spot>(rest: &[T]) -> Option<(u8, usize)> {
    let byte = |at: usize| rest.get(at).map(Spot::byte);
    let number = |from: usize, digits: usize, radix: u32| -> Option<u8> {
        let mut value = 0u32;
        for at in from..from + digits {
            value = value.checked_mul(radix)?.checked_add(char::from(byte(at)?).to_digit(radix)?)?;
        }
        Some(u8::try_from(value).unwrap_or_else(|_| char::from_u32(value).and_then(plain).unwrap_or(NO_LETTER)))
    };
    let count = |from: usize, alphabet: fn(&u8) -> bool| {
        (from..).map_while(byte).take(LONGEST_NAME).take_while(alphabet).count()
    };
    match (byte(0)?, byte(1)?) {
        (b'%', _) => Some((number(1, 2, 16)?, 3)),
        // As e-mails have it; at the end of a line, nothing has ended.
        (b'=', b'\n') => Some((NO_LETTER, 2)),
        (b'=', b'0'..=b'9' | b'A'..=b'F') => Some((number(1, 2, 16)?, 3)),
        (b'\\', b'u') if byte(2) == Some(b'{') => {
            let digits = count(3, u8::is_ascii_hexdigit);
            Some((number(3, digits, 16)?, 3 + digits + 1)).filter(|_| byte(3 + digits) == Some(b'}'))
        }
        (b'\\', b'u') => Some((number(2, 4, 16)?, 6)),
        (b'\\', b'x') => Some((number(2, 2, 16)?, 4)),
        (b'\\', b'n' | b'r') => Some((b'\n', 2)),
        (b'\\', b't') => Some((b' ', 2)),
        (b'\\', digit @ b'0'..=b'3') => {
            number(1, 3, 8).map(|read| (read, 4)).or((digit == b'0').then_some((NO_LETTER, 2)))
        }
        (b'&', b'#') => {
            let is_hex = matches!(byte(2)?, b'x' | b'X');
            let (from, radix) = if is_hex { (3, 16) } else { (2, 10) };
            let digits = count(from, if is_hex { u8::is_ascii_hexdigit } else { u8::is_ascii_digit });
            let close = usize::from(byte(from + digits) == Some(b';'));
            Some((number(from, digits, radix)?, from + digits + close)).filter(|_| digits > 0)
        }
        (b'&', _) => {
            let name = count(1, u8::is_ascii_alphabetic);
            (name > 1 && byte(1 + name) == Some(b';')).then_some((NO_LETTER, 1 + name + 1))
        }
        (b'<', b'a'..=b'z' | b'A'..=b'Z' | b'/') => {
            let close = rest.iter().take(LONGEST_TAG).position(|spot| spot.byte() == b'>')?;
            Some((NO_LETTER, close + 1))
        }
        _ => None,
    }
}

pub(super) fn from_hex<T: Spot>(source: &[T], skip: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(source.len() / 2);
    let (mut skipped, mut high) = (0, None);
    for (at, spot) in source.iter().enumerate() {
        let digit = match spot.byte() {
            // The `0` of `0x` is no digit.
            b'0' if source.get(at + 1).is_some_and(|next| b"xX".contains(&next.byte())) => continue,
            byte @ b'0'..=b'9' => byte - b'0',
            byte @ b'a'..=b'f' => byte - b'a' + 10,
            byte @ b'A'..=b'F' => byte - b'A' + 10,
            _ => continue,
        };
        if skipped < skip {
            skipped += 1;
        } else if let Some((first_digit, first)) = high.take() {
            out.push(T::of(first_digit << 4 | digit, first, spot));
        } else {
            high = Some((digit, spot));
        }
    }
    out
}

/// Bytes as numbers: `[99, 111, 103, …]`, `143 157 147`, `01100011`. A number that is no letter's parts what is around it, and
/// one of twice as many digits stands for two bytes, the last one first.
pub(super) fn from_numbers<T: Spot>(source: &[T], base: u32) -> Vec<T> {
    let digits = match base {
        2 => 8,
        _ => 3,
    };
    let mut out = Vec::new();
    for number in source.chunk_by(|one, next| one.byte().is_ascii_digit() == next.byte().is_ascii_digit()) {
        let (Some(first), Some(last)) = (number.first(), number.last()) else { continue };
        if !first.byte().is_ascii_digit() {
            continue;
        }
        let value = if number.len() > 2 * digits { None } else { value(number, base) };
        let [.., high, low] = value.unwrap_or_default().to_be_bytes();
        let is_letter = value.is_some_and(|value| value <= 0xffff);
        for byte in [low, high].into_iter().take(if number.len() > digits && base != 10 { 2 } else { 1 }) {
            out.push(T::of(if is_letter && byte.is_ascii_graphic() { byte } else { 0 }, first, last));
        }
    }
    out
}

/// The number that digits stand for.
fn value<T: Spot>(digits: &[T], base: u32) -> Option<u32> {
    digits
        .iter()
        .try_fold(0u32, |value, spot| value.checked_mul(base)?.checked_add(char::from(spot.byte()).to_digit(base)?))
}

/// A line of base32 that goes on in the next one has so many digits at least.
const LONG_LINE: usize = 32;

/// Base32, in any letter case. Each word is read from its beginning, and a long one goes on behind the end of its line.
pub(super) fn from_base32<T: Spot>(source: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(source.len() / 8 * 5);
    let (mut bits, mut count, mut length) = (0u32, 0, 0);
    let mut first = source.first();
    for spot in source {
        let digit = match spot.byte().to_ascii_uppercase() {
            byte @ b'A'..=b'Z' => byte - b'A',
            byte @ b'2'..=b'7' => byte - b'2' + 26,
            b'\n' | b'\r' if length >= LONG_LINE => continue,
            _ => {
                (bits, count, length) = (0, 0, 0);
                continue;
            }
        };
        if count == 0 {
            first = Some(spot);
        }
        (bits, count, length) = (bits << 5 | u32::from(digit), count + 5, length + 1);
        if count >= 8 {
            count -= 8;
            let [.., byte] = (bits >> count).to_be_bytes();
            out.push(T::of(byte, first.unwrap_or(spot), spot));
            first = Some(spot);
        }
    }
    out
}

/// Letters of other alphabets as the plain ones that they look like; what else is not ASCII shows nothing.
pub(super) fn alike<T: Spot>(source: &[T]) -> Vec<T> {
    let bytes: Vec<u8> = source.iter().map(Spot::byte).collect();
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let last = at + c.len_utf8() - 1;
            out.extend(plain(c).map(|byte| T::of(byte, &source[at], &source[last])));
            at = last + 1;
        }
        at += chunk.invalid().len();
    }
    out
}

/// The byte of the plain character that `c` looks like.
fn plain(c: char) -> Option<u8> {
    let plain = if c.is_ascii() { Some(c) } else { letters::alike(c) };
    plain.and_then(|plain| u8::try_from(plain).ok())
}

pub(super) fn from_base64<T: Spot>(source: &[T], skip: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(source.len() / 4 * 3);
    let digits = source.iter().filter_map(|spot| Some((base64_digit(spot.byte())?, spot)));
    let mut last: Option<(u8, &T)> = None;
    for (nth, (digit, spot)) in digits.skip(skip).enumerate() {
        if let Some((before, first)) = last.filter(|_| !nth.is_multiple_of(4)) {
            // Of the four digits of a group, the second, third and fourth complete a byte each.
            let bits = u16::from(before) << 6 | u16::from(digit);
            let [_, byte] = (bits >> (4 - 2 * (nth % 4 - 1))).to_be_bytes();
            out.push(T::of(byte, first, spot));
        }
        last = Some((digit, spot));
    }
    out
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
