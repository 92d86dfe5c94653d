//! The secrets among the pairs of a connection: `"Server=db;User Id=app;Password=…"`. The others say which connection it is. Pure.

use std::ops::Range;

use crate::MASK;
use crate::text::place::{looked_at, run};
use crate::value::extent::quoted;
use crate::value::sign::Sign;
use crate::word::names::{Kind, Name};
use crate::word::placeholder::is_placeholder;
use crate::word::random::is_strong;
use crate::word::shape::is_identifying;

/// The longest name of a pair.
const LONGEST_NAME: usize = 40;

/// The secrets among the pairs of a quoted connection: `connectionString="Server=…;Password=…"`. `None` where it is not made of pairs.
pub(super) fn quoted_pairs(named: &Name, sign: Sign, text: &str) -> Option<Vec<Range<usize>>> {
    let slashes = run(text, |byte| byte == b'\\');
    let is_connection = named.core.ends_with("connectionstring") && matches!(sign, Sign::Equals | Sign::Colon);
    let quote = text[slashes..].chars().next().filter(|c| is_connection && "\"'`".contains(*c))?;
    let range = quoted(text, slashes, quote);
    let pairs = secrets(text.get(range.clone())?)?;
    Some(pairs.into_iter().map(|pair| range.start + pair.start..range.start + pair.end).collect())
}

/// The values that are secrets among the pairs of `text`; `None` where it is not made of pairs, so that all of it may be one.
fn secrets(text: &str) -> Option<Vec<Range<usize>>> {
    looked_at(text.len());
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut at, mut count) = (0, 0);
    for pair in apart(text) {
        let begin = at;
        at += pair.len() + 1;
        let is_address = pair.contains("://") && !pair.split("://").next().unwrap_or_default().contains('=');
        if pair.trim().is_empty() || is_address {
            // The password of an address is looked for by itself.
            count += usize::from(is_address);
            continue;
        }
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| is_name(name)) else {
            // A host stands by itself; what follows a secret is the end of it.
            let is_host = count == 0 && pair.contains('.') && !pair.contains(['/', '@', ' ', '=']);
            count += usize::from(is_host);
            match found.last_mut() {
                Some(last) if begin == last.end + 1 => last.end += 1 + pair.trim_end().len(),
                _ if is_host => {}
                _ => return None,
            }
            continue;
        };
        count += 1;
        let value = within_marks(value);
        let range = begin + name.len() + 1 + value.start..begin + name.len() + 1 + value.end;
        if is_secret(name, &text[range.clone()]) {
            found.push(range);
        }
    }
    (count > 0).then_some(found)
}

/// The pairs of a text, which semicolons, or where there are none commas, divide that stand neither in quotation marks nor in
/// braces.
fn apart(text: &str) -> Vec<&str> {
    let (mut pairs, mut begin, mut open) = (Vec::new(), 0, None);
    let divider = if text.contains(';') { ';' } else { ',' };
    let mut before = divider;
    for (at, c) in text.char_indices() {
        match open {
            Some(close) if c == close => open = None,
            Some(_) => {}
            None if c == divider => {
                pairs.push(&text[begin..at]);
                begin = at + 1;
            }
            None if before == '=' && "\"'{".contains(c) => {
                let close = if c == '{' { '}' } else { c };
                open = Some(close).filter(|close| text[at + 1..].contains(*close));
            }
            None if before == '}' && c == '}' => open = Some('}').filter(|_| text[at + 1..].contains('}')),
            None => {}
        }
        before = c;
    }
    pairs.push(&text[begin..]);
    pairs
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    let is_of_name = |c: char| c.is_alphanumeric() || "_-. ".contains(c);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_of_name)
}

/// Where a value stands in its quotation marks or braces, without the blanks around it.
fn within_marks(value: &str) -> Range<usize> {
    let begin = value.len() - value.trim_start().len();
    let end = value.trim_end().len().max(begin);
    let is_closed = [('"', '"'), ('\'', '\''), ('{', '}')]
        .iter()
        .any(|(open, close)| end > begin + 1 && value[begin..].starts_with(*open) && value[..end].ends_with(*close));
    if is_closed { begin + 1..end - 1 } else { begin..end }
}

/// Whether the value of a pair is a secret: by its name, or because it looks like nothing else.
fn is_secret(name: &str, value: &str) -> bool {
    let name: String = name.split_whitespace().collect();
    let is_named = Name::of(&name).is_some_and(|name| name.kind >= Kind::Token) || Name::of_parameter(&name).is_some();
    let is_address = || value.contains(['.', ':', '/', '\\', '@', ',']);
    !value.is_empty()
        && !value.contains(MASK)
        && !is_placeholder(value)
        && (is_named || is_strong(value) && !is_identifying(value) && !is_address())
}
