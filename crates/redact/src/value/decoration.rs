//! What decorates a value, between its sign and it: markup, tags of YAML, and how languages show a value in a dump. Pure.

use super::generated::is_no_code;
use super::sign::{Sign, is_blank, lead};
use crate::MASK;
use crate::text::alphabet::DOTTED;
use crate::text::place::{boundary, looked_at, run};
use crate::word::random::is_strong;

/// How far the line of a value is looked at.
const NEAR: usize = 200;

/// What languages put around a value that may be absent, that is hidden, or that has a type: `Some("…")`, `string(9) "…"`.
const WRAPPERS: &str = "Some Ok Just Right Present Optional Maybe Secret SecretStr SecretString SecretBytes Sensitive Password Redacted \
    Zeroizing Box Value String Text Literal StringValue string bytes str String.valueOf String::from std::string Buffer.from ENC";

/// How long what decorates a value is, and whether it announces a block: tags and anchors of YAML, emphasis, markup, and the
/// letter before a string. `None` where a tag says that only a reference follows.
pub(crate) fn decoration(text: &str) -> Option<(usize, bool)> {
    let mut at = 0;
    for _ in 0..4 {
        let rest = &text[at..];
        if rest.starts_with(MASK) {
            break;
        }
        let word = match rest.as_bytes().first() {
            Some(b'!' | b'&') => {
                run(&rest[1..boundary(rest, 40).max(1)], |byte| DOTTED(byte) || b"!/:".contains(&byte))
            }
            _ => 0,
        };
        let length = match rest.as_bytes() {
            [b'!', ..]
                if ["!Ref", "!GetAtt", "!Sub", "!Import", "!reference", "!env", "!Find"]
                    .iter()
                    .any(|tag| rest.starts_with(tag)) =>
            {
                return None;
            }
            // A password may begin so, too.
            [b'!' | b'&', ..] if is_strong(&rest[1..1 + word]) || is_no_code(&rest[..1 + word]) => 0,
            [b'!' | b'&', ..] if rest[1 + word..].starts_with(' ') => word + 2,
            [b'!' | b'&', ..] if rest[1 + word..].starts_with('\n') => return Some((at + 1 + word, true)),
            [b'|' | b'>', ..] => {
                let marks = 1 + run(&rest[1..], |byte| b"+-0123456789".contains(&byte));
                let marks = marks + run(&rest[marks..], is_blank);
                return Some(if rest[marks..].starts_with('\n') { (at + marks, true) } else { (at, false) });
            }
            [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => "<![CDATA[".len(),
            // `<%= '…' %>`, but not `<%= ENV['X'] %>`
            [b'<', b'%', b'=', ..] => {
                let blanks = run(&rest[3..], is_blank);
                if rest[3 + blanks..].starts_with(['"', '\'']) { 3 + blanks } else { 0 }
            }
            [b'<', b'<', b'"', ..] => 2,
            [b'<', b'<', ..] if rest[..boundary(rest, 24)].contains('\n') => {
                return Some((at + rest.find('\n').unwrap_or_default(), true));
            }
            [b'<', b'/', ..] => {
                let close = rest[..boundary(rest, 16)].find('>').map_or(0, |close| close + 1);
                close + run(&rest[close..], is_blank)
            }
            [b'<', first, ..] if first.is_ascii_alphabetic() => {
                let close = rest[..boundary(rest, 48)].find('>').filter(|close| !rest[..*close].contains([' ', '@']));
                match close {
                    Some(close) if rest[close + 1..].find("</").is_some_and(|end| end < 128) => close + 1,
                    _ => 0,
                }
            }
            [b'*' | b'_', b'*' | b'_', ..] => 2,
            [b'N' | b'b' | b'u' | b'r' | b'f' | b'@' | b'$' | b'B' | b'E', b'"' | b'\'', ..] => 1,
            _ => wrapper(rest),
        };
        if length == 0 {
            break;
        }
        looked_at(length);
        at += length;
    }
    Some((at, false))
}

/// What makes a secret of a text in PowerShell.
const MAKER: &str = "ConvertTo-SecureString";

/// The length of a call of PowerShell with its options before the text that it makes a secret of:
/// `(ConvertTo-SecureString -AsPlainText "…" -Force)`.
pub(crate) fn secure_string(text: &str) -> usize {
    let open = run(text, |byte| b"( ".contains(&byte));
    let is_call = text[open..].get(..MAKER.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(MAKER));
    let mut at = open + MAKER.len();
    if !is_call || !text[at..].starts_with(' ') {
        return 0;
    }
    while text[at..].starts_with(" ") {
        at += run(&text[at..], is_blank);
        if text[at..].starts_with('-') {
            at += run(&text[at..], |byte| byte.is_ascii_alphabetic() || byte == b'-');
        }
    }
    at
}

/// The value on the next line: after a block's mark, a line's continuation, or a sign at the end of its line.
pub(crate) fn below(text: &str, sign: Sign) -> Option<usize> {
    let open = run(text, |byte| b" \t\\(".contains(&byte));
    if !text[open..].starts_with('\n') && !text[open..].starts_with("\r\n") {
        return None;
    }
    let begin = open + run(&text[open..], |byte| byte.is_ascii_whitespace());
    let begin = begin + if text[begin..].starts_with("- ") { 2 } else { 0 };
    let begin = begin + lead(&text[begin..]);
    let begin = begin + wrapper(&text[begin..]);
    let line = &text[begin..boundary(text, begin + NEAR).max(begin)];
    let line = line[..line.find('\n').unwrap_or(line.len())].trim_end();
    if sign == Sign::Block || line.starts_with(['"', '\'']) {
        return Some(begin);
    }
    let value = line.strip_prefix("value:").or_else(|| line.strip_prefix("\"value\":")).unwrap_or(line).trim_start();
    (!value.contains(' ') && !value.ends_with(':')).then(|| begin + line.len() - value.len())
}

/// How long what wraps the value at the beginning of `text` is: the wrapper's name with its bracket, blank or length.
fn wrapper(text: &str) -> usize {
    if let Some(made) = text.strip_prefix("new ").filter(|made| !made.starts_with("new ")) {
        let length = wrapper(made);
        return if length > 0 { "new ".len() + length } else { 0 };
    }
    let word = run(&text[..boundary(text, 16)], |byte| byte.is_ascii_alphabetic() || b".:".contains(&byte));
    if word == 0 || !WRAPPERS.split_ascii_whitespace().any(|known| known == &text[..word]) {
        return 0;
    }
    let rest = &text[word..];
    let digits = run(rest.get(1..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let is_quote = |at: usize| rest.get(at..).is_some_and(|rest| rest.starts_with(['"', '\'']));
    match rest.as_bytes() {
        [b'(', ..] if digits > 0 && rest[1 + digits..].starts_with(") ") && is_quote(digits + 3) => word + digits + 3,
        [b'(', ..] if text[..word].contains(['.', ':']) && !is_quote(1) => 0,
        // What is in `ENC[…]` is for the owner of a key.
        [b'[', ..] if &text[..word] == "ENC" => 0,
        [b'(' | b'[', ..] => word + 1,
        [b' ', ..] if is_quote(1) => word + 1,
        _ => 0,
    }
}
