//! What a text encodes: its escapes resolved, and what its hexadecimal, decimal and base64 digits stand for. Pure.
//!
//! Bytes are decoded with where they stand or without: most texts encode nothing of interest, and the place of a byte is twenty
//! times as large as it.

use std::ops::Range;

/// A byte of a text, and perhaps where it stands.
pub(super) trait Spot: Sized {
    fn byte(&self) -> u8;

    /// The byte that those from `first` to `last` stand for.
    fn of(byte: u8, first: &Self, last: &Self) -> Self;
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

/// How many ways there are in which digits can be read: hexadecimal from two offsets, base64 from four, and decimal.
pub(super) const DECODINGS: usize = 7;

/// What the digits of `source` stand for, read in one of the ways.
pub(super) fn decoded<T: Spot>(source: &[T], way: usize) -> Vec<T> {
    match way {
        0..2 => from_hex(source, way),
        2..6 => from_base64(source, way - 2),
        _ => from_decimal(source),
    }
}

/// Resolves `%41`, `\u0041`, `\x41`, `\101`, `&#65;`, `&#x41;` and the escapes of white space; anything else stays.
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
        u8::try_from(value).ok()
    };
    match (byte(0)?, byte(1)?) {
        (b'%', _) => Some((number(1, 2, 16)?, 3)),
        (b'\\', b'u') => Some((number(2, 4, 16)?, 6)),
        (b'\\', b'x') => Some((number(2, 2, 16)?, 4)),
        (b'\\', b'n' | b'r') => Some((b'\n', 2)),
        (b'\\', b't') => Some((b' ', 2)),
        (b'\\', b'0'..=b'3') => Some((number(1, 3, 8)?, 4)),
        (b'&', b'#') => {
            let is_hex = matches!(byte(2)?, b'x' | b'X');
            let from = if is_hex { 3 } else { 2 };
            let digits = (1..=6).find(|digits| byte(from + digits) == Some(b';'))?;
            Some((number(from, digits, if is_hex { 16 } else { 10 })?, from + digits + 1))
        }
        _ => None,
    }
}

fn from_hex<T: Spot>(source: &[T], skip: usize) -> Vec<T> {
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

/// Bytes as numbers: `[99, 111, 103, …]`. A number that is no letter's parts what is around it.
fn from_decimal<T: Spot>(source: &[T]) -> Vec<T> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let digits = source[at..].iter().take_while(|spot| spot.byte().is_ascii_digit()).count();
        if digits > 0 {
            let number = source[at..at + digits.min(4)]
                .iter()
                .fold(0, |number, spot| number * 10 + u32::from(spot.byte() - b'0'));
            let byte = u8::try_from(number).ok().filter(u8::is_ascii_graphic).unwrap_or_default();
            out.push(T::of(byte, &source[at], &source[at + digits - 1]));
        }
        at += digits.max(1);
    }
    out
}

fn from_base64<T: Spot>(source: &[T], skip: usize) -> Vec<T> {
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
