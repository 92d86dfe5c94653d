//! What stands in lines: the digits of a dump's rows, and what was divided over the ends of lines. Pure.

use super::encoding::Spot;

/// An address before a dump's row has so many digits at least, and a group of digits one of these lengths.
const SHORTEST_ADDRESS: usize = 4;
const GROUPS: [usize; 4] = [2, 4, 8, 16];

/// A row shows so many bytes at most.
const LONGEST_ROW: usize = 64;

/// The groups of digits of a dump's rows, without what stands before and behind them: `00000010  6f 77 6e 4b  |ownK|`. The
/// bytes of each group may be turned around: most machines keep a number's last byte first.
pub(super) fn groups<T: Spot>(source: &[T], is_turned: bool) -> Vec<T> {
    let mut out = Vec::new();
    for line in lines(source) {
        let mut words = words(line).skip_while(|word| !is_address(word)).skip(1).peekable();
        let width = words.peek().map_or(0, |word| digits(word).len());
        let mut bytes = 0;
        for group in words.map(digits).take_while(|group| is_group(group)) {
            bytes += group.len() / 2;
            if group.len() > width || bytes > LONGEST_ROW {
                break;
            }
            let pairs = group.chunks(2);
            if is_turned {
                pairs.rev().for_each(|pair| out.extend(pair.iter().map(T::copy)));
            } else {
                pairs.for_each(|pair| out.extend(pair.iter().map(T::copy)));
            }
            // A short group is the last one.
            if group.len() < width {
                break;
            }
        }
    }
    out
}

/// The last word of each line, with the line's end behind.
pub(super) fn last_words<T: Spot>(source: &[T]) -> Vec<T> {
    let mut out = Vec::new();
    for line in lines(source) {
        if let Some(word) = line.rsplit(is_blank).find(|word| !word.is_empty()) {
            out.extend(word.iter().map(T::copy));
            out.extend(line.last().map(|last| T::of(b'\n', last, last)));
        }
    }
    out
}

/// Lines without the words that each has in common with the one before it, but for digits: the time, the level, the name of a pod.
pub(super) fn without_prefixes<T: Spot>(source: &[T]) -> Vec<T> {
    let mut out = Vec::new();
    let mut previous: &[T] = &[];
    for line in lines(source) {
        let shared = words(line).zip(words(previous)).take_while(|(word, before)| letters(word).eq(letters(before)));
        // Numbers are of what is told.
        let shared = shared.map(|(word, _)| word).filter(|word| letters(word).next().is_some()).last();
        let told = shared.and_then(<[T]>::last).and_then(|last| line.iter().position(|spot| std::ptr::eq(spot, last)));
        out.extend(line[told.map_or(0, |last| last + 1)..].iter().map(T::copy));
        out.extend(line.last().map(|last| T::of(b'\n', last, last)));
        previous = line;
    }
    out
}

/// What a word has besides digits.
fn letters<T: Spot>(word: &[T]) -> impl Iterator<Item = u8> {
    word.iter().map(Spot::byte).filter(|byte| !byte.is_ascii_digit())
}

fn lines<T: Spot>(source: &[T]) -> impl Iterator<Item = &[T]> {
    source.split(|spot| spot.byte() == b'\n')
}

fn words<T: Spot>(line: &[T]) -> impl Iterator<Item = &[T]> {
    line.split(is_blank).filter(|word| !word.is_empty())
}

fn is_blank<T: Spot>(spot: &T) -> bool {
    spot.byte().is_ascii_whitespace()
}

/// Whether a word ends with what says where a row begins: `00000010`, `0000010:`, `0x7ffe10:`, `key=00000000`.
fn is_address<T: Spot>(word: &&[T]) -> bool {
    let word = match word {
        [word @ .., last] if last.byte() == b':' => word,
        _ => word,
    };
    let digits = word.iter().rev().take_while(|spot| spot.byte().is_ascii_hexdigit()).count();
    let before = word[..word.len() - digits].last().map(Spot::byte);
    digits >= SHORTEST_ADDRESS && before.is_none_or(|byte| byte == b'x' || !byte.is_ascii_alphanumeric())
}

fn is_group<T: Spot>(group: &&[T]) -> bool {
    GROUPS.contains(&group.len()) && group.iter().all(|spot| spot.byte().is_ascii_hexdigit())
}

/// A word without what says that its digits are hexadecimal.
fn digits<T: Spot>(word: &[T]) -> &[T] {
    match word {
        [zero, x, digits @ ..] if zero.byte() == b'0' && x.byte() == b'x' => digits,
        _ => word,
    }
}
