//! The ways in which a text can be read: as a person sees it, and with its escapes resolved once and twice. Pure.
//!
//! What stands between a name and its value differs less in a reading than in the text: colors are gone, full-width letters are
//! plain ones, and `%22`, `\u0022`, `\"` and `&quot;` are quotation marks. Every byte of a reading knows where it comes from.

use std::borrow::Cow;
use std::ops::Range;

use super::place::{boundary, looked_at, run};
use super::{composed, letters};

/// How often escapes are resolved.
const MOST_LEVELS: usize = 2;

/// The longest escape of a color without its beginning: `[38;2;255;255;255m`.
const LONGEST_COLOR: usize = 20;

/// Entities of HTML and XML with a name.
const ENTITIES: [(&str, char); 7] = [
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&nbsp;", ' '),
    ("&colon;", ':'),
];

/// Tags of HTML that show nothing, or end a line.
const TAGS: [(&str, Option<char>); 6] = [
    ("<wbr>", None),
    ("<wbr/>", None),
    ("<wbr />", None),
    ("<br>", Some('\n')),
    ("<br/>", Some('\n')),
    ("<br />", Some('\n')),
];

/// How terminals' escape character is spelled in logs.
const SPELLED_ESCAPES: [&str; 9] = ["\u{1b}", "^[", "#033", "\\033", "\\e", "\\u001b", "\\u001B", "\\x1b", "\\x1B"];

/// A text as it is read, with where each of its bytes comes from.
pub(crate) struct Reading<'a> {
    pub text: Cow<'a, str>,
    /// Empty where the reading is the text.
    origins: Vec<Range<u32>>,
}

/// How many bytes are read in another way, and the character that is read in their place.
type Read = (usize, Option<char>);

/// What is read in another way than it is written.
struct Step {
    /// Whether something of the kind may begin with this byte.
    may_begin: fn(u8) -> bool,
    /// What stands at a place of a text, where it is of the kind.
    read: fn(&str, usize) -> Option<Read>,
}

/// What tells that soft breaks end the lines of a mail: an equals sign that is written as quoted-printable text has it.
const QUOTED_PRINTABLE: &str = "=3D";

/// Tags of HTML that only emphasize, without their brackets.
const EMPHASIS: [&str; 12] = ["b", "strong", "i", "em", "u", "span", "mark", "font", "tt", "code", "kbd", "samp"];

/// How long a tag may be.
const LONGEST_TAG: usize = 160;

/// How labels end behind which the arguments of a command stand, divided by commas, and how far before one it is looked for.
const QUOTED_ARGUMENTS: [&str; 5] = ["args\"", "argv\"", "command\"", "Cmd\"", "cmd\""];
const ARGUMENTS: [&str; 7] = ["args: ", "argv: ", "arguments: ", "command: ", "cmd: ", "cmdline: ", "entrypoint: "];
const LIST: usize = 200;

const SEEN: Step = Step { may_begin: |byte| !byte.is_ascii() || b"\x1b[^#\\<".contains(&byte), read: seen };
const ESCAPED: Step = Step { may_begin: |byte| b"\\%&".contains(&byte), read: escaped };

/// Readings besides these: a mail without its soft breaks, HTML without emphasis, and lists of arguments as command lines.
const APART: [(&str, Step); 4] = [
    (QUOTED_PRINTABLE, Step { may_begin: |byte| byte == b'=', read: unbroken }),
    ("</", Step { may_begin: |byte| byte == b'<', read: plain }),
    (": ", Step { may_begin: |byte| byte == b',', read: listed }),
    ("\":", Step { may_begin: |byte| byte == b'"', read: quoted }),
];

impl<'a> Reading<'a> {
    /// All readings of `text` that differ.
    pub fn all(text: &'a str) -> Vec<Reading<'a>> {
        let mut readings = vec![Reading::as_seen(text)];
        while let Some(resolved) = readings.last().and_then(|last| last.after(&ESCAPED)) {
            readings.push(resolved.after(&SEEN).unwrap_or(resolved).composed());
            if readings.len() > MOST_LEVELS {
                break;
            }
        }
        let apart = |(sign, step): &(&str, Step)| {
            let of = [readings.first(), readings.last().filter(|_| readings.len() > 1)];
            let of = of.into_iter().flatten().filter(|reading| reading.text.contains(sign));
            of.filter_map(|reading| reading.after(step)).collect::<Vec<_>>()
        };
        let apart: Vec<_> = APART.iter().flat_map(apart).collect();
        readings.extend(apart);
        readings
    }

    /// The text without what a person does not see.
    pub fn as_seen(text: &'a str) -> Reading<'a> {
        let as_it_is = Reading { text: Cow::Borrowed(text), origins: Vec::new() };
        as_it_is.after(&SEEN).unwrap_or(as_it_is).composed()
    }

    /// Where a part of the reading stands in the text.
    pub fn origin(&self, part: Range<usize>) -> Range<usize> {
        match (self.origins.get(part.start), self.origins.get(part.end.wrapping_sub(1))) {
            (Some(first), Some(last)) => first.start as usize..last.end as usize,
            _ => part,
        }
    }

    /// The reading after every such step; `None` where there is none to take.
    fn after(&self, step: &Step) -> Option<Reading<'a>> {
        let text = &*self.text;
        let mut out: Option<(String, Vec<Range<u32>>)> = None;
        let (mut copied, mut at) = (0, 0);
        while let Some(next) = text.as_bytes()[at..].iter().position(|byte| (step.may_begin)(*byte)) {
            at += next;
            let Some((length, read)) = (step.read)(text, at) else {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let (out, origins) = out.get_or_insert_default();
            out.push_str(&text[copied..at]);
            origins.extend((copied..at).map(|at| self.place(at..at + 1)));
            let length_before = out.len();
            out.extend(read);
            let origin = self.place(at..at + length);
            origins.extend((length_before..out.len()).map(|_| origin.clone()));
            at += length;
            copied = at;
        }
        if let Some((out, origins)) = &mut out {
            out.push_str(&text[copied..]);
            origins.extend((copied..text.len()).map(|at| self.place(at..at + 1)));
        }
        looked_at(text.len());
        out.map(|(text, origins)| Reading { text: Cow::Owned(text), origins })
    }

    /// The reading with every letter and its marks as one.
    fn composed(self) -> Reading<'a> {
        let is_mark = |(at, letter): (usize, char)| {
            let mark = self.text[at + letter.len_utf8()..].chars().next();
            mark.is_some_and(|mark| composed::with(letter, mark).is_some())
        };
        if !self.text.bytes().any(composed::may_begin) || !self.text.char_indices().any(is_mark) {
            return self;
        }
        let (mut out, mut origins) = (String::new(), Vec::new());
        let mut last: Option<(char, usize)> = None;
        for (at, c) in self.text.char_indices() {
            let marked = last.and_then(|(letter, begin)| Some((composed::with(letter, c)?, begin)));
            let (read, begin) = marked.unwrap_or((c, at));
            if let Some((letter, _)) = last.filter(|_| marked.is_some()) {
                out.truncate(out.len() - letter.len_utf8());
                origins.truncate(out.len());
            }
            out.push(read);
            let origin = self.place(begin..at + c.len_utf8());
            origins.extend((0..read.len_utf8()).map(|_| origin.clone()));
            last = Some((read, begin));
        }
        looked_at(self.text.len());
        Reading { text: Cow::Owned(out), origins }
    }

    fn place(&self, part: Range<usize>) -> Range<u32> {
        let origin = self.origin(part);
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        short(origin.start)..short(origin.end)
    }
}

/// What a person does not see, or sees as another character: colors, invisible characters, wide and curly ones.
fn seen(text: &str, at: usize) -> Option<Read> {
    let rest = &text[at..];
    let first = rest.chars().next()?;
    if let Some((tag, read)) = TAGS.iter().find(|(tag, _)| rest.starts_with(tag)) {
        return Some((tag.len(), *read));
    }
    if matches!(first, '\u{1b}' | '[' | '^' | '#' | '\\') {
        return color(rest).map(|length| (length, None));
    }
    if first.is_ascii() {
        return None;
    }
    let read = match first {
        '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => None,
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' => None,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        '“' | '”' | '„' | '‟' | '«' | '»' | '「' | '」' => Some('"'),
        '‘' | '’' | '‚' | '‹' | '›' => Some('\''),
        '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        '→' | '⟶' | '⇒' | '➜' | '➔' | '►' => Some('>'),
        '│' | '┃' | '║' => Some('|'),
        '•' | '‣' | '·' => Some('*'),
        _ => Some(letters::plain(first)?),
    };
    Some((first.len_utf8(), read))
}

/// The length of a color's escape, with or without the escape character, which cleaning may have removed: `[1;31m`.
fn color(rest: &str) -> Option<usize> {
    let open = SPELLED_ESCAPES.iter().find(|spelled| rest.starts_with(**spelled)).map_or(0, |spelled| spelled.len());
    let body = rest[open..].strip_prefix('[')?;
    let codes =
        run(&body[..body.len().min(LONGEST_COLOR).min(ascii(body))], |byte| byte.is_ascii_digit() || byte == b';');
    let after = &body[codes..];
    // `[missing]` is a word.
    let is_word = open == 0
        && codes == 0
        && after.strip_prefix('m').is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let is_color = after.starts_with('m') && !after.starts_with("m]") && !is_word
        || (open > 0 && after.starts_with(['K', 'J', 'H']));
    is_color.then_some(open + 1 + codes + 1)
}

/// How many bytes at the beginning of `text`, as far as a color's escape goes, are ASCII.
fn ascii(text: &str) -> usize {
    text.bytes().take(LONGEST_COLOR).take_while(u8::is_ascii).count()
}

/// An escape of JSON, of addresses or of pages.
fn escaped(text: &str, at: usize) -> Option<Read> {
    let rest = &text[at..];
    match rest.as_bytes() {
        [b'\\', b'"' | b'\'' | b'\\' | b'/' | b'`', ..] => Some((2, rest[1..].chars().next())),
        // Of files of properties.
        [b'\\', b'=' | b':', ..] => Some((2, rest[1..].chars().next())),
        [b'\\', b'n' | b'r', ..] => Some((2, Some('\n'))),
        [b'\\', b't', ..] => Some((2, Some(' '))),
        // Between the arguments of a command, as the kernel keeps them.
        [b'\\', b'0', next, ..] if !next.is_ascii_digit() => Some((2, Some(' '))),
        [b'\\', b'u', ..] => Some((6, number(rest.get(2..6)?, 16))).filter(|(_, read)| read.is_some()),
        [b'\\', b'x', ..] => Some((4, number(rest.get(2..4)?, 16))).filter(|(_, read)| read.is_some()),
        [b'%', ..] => Some((3, number(rest.get(1..3)?, 16).filter(char::is_ascii))).filter(|(_, read)| read.is_some()),
        [b'&', b'#', ..] => {
            let digits = &rest[2..];
            let end = digits.bytes().take(8).position(|byte| byte == b';')?;
            let digits = &digits[..end];
            let read =
                digits.strip_prefix(['x', 'X']).map_or_else(|| number(digits, 10), |digits| number(digits, 16))?;
            Some((2 + end + 1, Some(read)))
        }
        [b'&', ..] => {
            ENTITIES.iter().find(|(name, _)| rest.starts_with(name)).map(|(name, read)| (name.len(), Some(*read)))
        }
        _ => None,
    }
}

fn number(digits: &str, radix: u32) -> Option<char> {
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| is_number).and_then(char::from_u32).filter(|read| *read != '\0')
}

/// A soft break of a mail, which is no part of its text, and the sign that begins one.
fn unbroken(text: &str, at: usize) -> Option<Read> {
    let rest = &text[at..];
    let is_break = |known: &&&str| rest.starts_with(**known);
    let soft = ["=\n", "=\r\n"].iter().find(is_break).map(|soft| (soft.len(), None));
    soft.or_else(|| rest.starts_with(QUOTED_PRINTABLE).then_some((QUOTED_PRINTABLE.len(), Some('='))))
}

/// A tag of HTML that only emphasizes.
fn plain(text: &str, at: usize) -> Option<Read> {
    let tag = &text[at + 1..];
    let slash = usize::from(tag.starts_with('/'));
    let name = run(&tag[slash..], |byte| byte.is_ascii_lowercase());
    let after = &tag[slash + name..];
    let is_plain = EMPHASIS.contains(&&tag[slash..slash + name]) && after.starts_with(['>', ' ']);
    let near = &after[..boundary(after, if is_plain { LONGEST_TAG } else { 0 })];
    near.find(['>', '<']).filter(|end| near[*end..].starts_with('>')).map(|end| (1 + slash + name + end + 1, None))
}

/// A comma between the arguments of a command.
fn listed(text: &str, at: usize) -> Option<Read> {
    text[at..].strip_prefix(", ")?;
    let before = &text[text.floor_char_boundary(at.saturating_sub(LIST))..at];
    looked_at(before.len());
    let line = before.rsplit('\n').next()?;
    ARGUMENTS.iter().any(|label| line.contains(label)).then_some((", ".len(), Some(' ')))
}

/// The same between those of a list of JSON, with the marks that open and close the list.
fn quoted(text: &str, at: usize) -> Option<Read> {
    let before = &text[text.floor_char_boundary(at.saturating_sub(LIST))..at];
    looked_at(before.len());
    let (label, items) = before.rsplit_once('[')?;
    let label = label.trim_end_matches([' ', ':']);
    let rest = &text[at..];
    let is_list = QUOTED_ARGUMENTS.iter().any(|known| label.ends_with(known)) && !items.contains([']', '\n']);
    let gap = ["\",\"", "\", \""].iter().find(|gap| rest.starts_with(**gap)).map(|gap| (gap.len(), Some(' ')));
    let end = || (items.is_empty() || rest.starts_with("\"]")).then_some((1, Some(' ')));
    gap.or_else(end).filter(|_| is_list)
}
