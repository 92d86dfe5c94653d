//! Values that are all of an element, of a quotation or of a line of YAML, whatever marks they have. Pure.

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::sign::Sign;
use crate::word::predicate::describes;
use crate::word::remark::is_clause;

/// How long a line is that is looked at.
const LINE: usize = 160;

/// The longest value of an element or a quotation.
const LONGEST: usize = 128;

/// How many words of an element may be a value.
const MOST_WORDS: usize = 5;

/// How long a value is that begins inside of a quotation or an element and ends with it: `"X-Api-Key: …"`, `<password>…</password>`.
pub(super) fn enclosed(place: Place<'_>, sign: Sign, text: &str) -> usize {
    let near = &text[..boundary(text, LONGEST)];
    let before = &place.text[..place.text.len() - text.len()];
    let quote = place.before.filter(|byte| b"\"'`".contains(byte)).map(char::from);
    let end = match quote {
        _ if before.ends_with("<![CDATA[") => near.find("]]>"),
        _ if before.ends_with('>') => near.find("</"),
        Some(quote) if sign == Sign::Colon && before.ends_with(": ") => near.find(quote),
        _ => None,
    };
    let value = end.map_or("", |end| near[..end].trim_end_matches('\\'));
    looked_at(value.len());
    let is_words =
        || before.ends_with('>') && !is_clause(value) && !value.split(' ').any(|word| describes("password", word));
    let is_one = !value.contains(char::is_whitespace) || is_words() && value.split(' ').count() <= MOST_WORDS;
    if is_one && !value.contains('\n') { value.len() } else { 0 }
}

/// How long a value is that stands without quotation marks on a line of its own, among other lines of YAML: `password: a;b>`.
pub(super) fn to_the_lines_end(place: Place<'_>, text: &str) -> usize {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LINE))..place.at];
    let after = &text[..boundary(text, 2 * LINE)];
    looked_at(before.len());
    let Some((above, indent)) = before.rsplit_once('\n') else { return 0 };
    let (line, below) = after.split_once('\n').unwrap_or((after, ""));
    let value = line.split(" #").next().unwrap_or_default().trim_end();
    let begins = indent.strip_suffix("- ").unwrap_or(indent).bytes().all(|byte| byte == b' ');
    let is_one =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'`,{}[]".contains(&byte));
    let has_marks = || value.ends_with([';', '>', '<', '|', ')']);
    let is_among_others = || {
        let above = above.rsplit('\n').next().unwrap_or_default();
        let below = below.split('\n').next().unwrap_or_default();
        [above, below].iter().any(|line| is_yaml(line))
            && ![above, below].iter().any(|line| line.trim_end().ends_with([';', '>']))
    };
    if begins && is_one && has_marks() && is_among_others() { value.len() } else { 0 }
}

/// Whether a line is a name and its value, or a name that opens a map.
fn is_yaml(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '-']);
    let name = run(line, DOTTED);
    name > 0 && (line[name..].starts_with(": ") || line[name..].trim_end() == ":")
}
