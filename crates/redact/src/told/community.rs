//! The community of SNMP, which is its password: `community string: …`, `SNMP community is …`. Pure.

use std::ops::Range;

use crate::text::alphabet::WORD;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::speech::stands_in;
use crate::word::predicate::{describes, is_state};
use crate::word::remark::is_prose;

/// How far what is said of a community is followed, and how far around it the line must speak of SNMP.
const NEAR: usize = 96;

/// What stands between the word and its value.
const SIGNS: [&str; 8] = [": ", ":", " is: ", " is ", " was ", "=", " = ", " => "];

/// The shortest community.
const SHORTEST: usize = 4;

/// Communities that devices come with, which everybody knows, and words about one.
const NONE: &str =
    "public private string strings name names mismatch unknown bgp large extended standard kubernetes slack";

/// The community that follows the word for it, where it is called a string or the line speaks of SNMP.
pub(crate) fn named(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = run(rest, WORD);
    // `communityString`, `community_string`
    let joined = ["_string", "-string", "string"]
        .into_iter()
        .find(|end| rest.get(word.saturating_sub(end.len())..word).is_some_and(|last| last.eq_ignore_ascii_case(end)));
    let name = word - joined.map_or(0, str::len);
    let is_community = name >= "community".len()
        && rest.get(name - "community".len()..name).is_some_and(|end| end.eq_ignore_ascii_case("community"));
    if !is_community {
        return None;
    }
    let near = &rest[..boundary(rest, name + NEAR)];
    let quote = name + run(&near[name..], |byte| b"\"'`".contains(&byte));
    let string = [" string", "String", "string", "_string", "-string", " name"]
        .iter()
        .find(|word| near[quote..].starts_with(**word));
    let sign = quote + string.map_or(0, |word| word.len());
    let sign = sign + if joined.is_some() { run(&near[sign..], |byte| b"\"'`".contains(&byte)) } else { 0 };
    let is_of_trap = ["trap ", "Trap "].iter().any(|word| place.text[..place.at].ends_with(word));
    let is_quoted = (string.is_some() || is_of_trap) && near[sign..].starts_with(" \"");
    let signs = SIGNS.iter().filter(|begin| near[sign..].starts_with(**begin)).map(|begin| begin.len());
    let sign = sign + if is_quoted { 1 } else { signs.max()? };
    let begin = sign + run(&near[sign..], |byte| b"\"'` ".contains(&byte));
    let length =
        near[begin..].find(|c: char| c.is_whitespace() || "\"'`,;()<>".contains(c)).unwrap_or(near.len() - begin);
    let text = near[begin..begin + length].trim_end_matches(['.', ':']);
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len());
    let line = [before.rsplit('\n').next().unwrap_or_default(), near.split('\n').next().unwrap_or_default()];
    let speaks = |word: &str| line.iter().any(|part| part.to_ascii_lowercase().contains(word));
    let is_of_snmp = string.is_some_and(|word| *word != " name") || speaks("snmp") || speaks("v2c") || is_of_trap;
    let is_route =
        text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') || speaks("bgp") || text.contains("://");
    let is_said = NONE.split(' ').any(|known| known.eq_ignore_ascii_case(text))
        || stands_in(text)
        || describes("password", text)
        || is_state(text)
        || is_prose(text, &near[begin + text.len()..]);
    (text.len() >= SHORTEST && is_of_snmp && !is_route && !is_said)
        .then(|| place.at + begin..place.at + begin + text.len())
}

/// The community that a command of a router adds: `/snmp community add name=…`.
pub(crate) fn added(place: Place<'_>) -> Option<Range<usize>> {
    let value = place.rest().strip_prefix("name=")?;
    let value = &value[..boundary(value, NEAR)];
    let value = value.split(|c: char| c.is_whitespace() || "\"';".contains(c)).next()?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len());
    let is_added = before.rsplit('\n').next()?.contains("/snmp community ");
    let is_known = NONE.split(' ').any(|known| known.eq_ignore_ascii_case(value));
    let begin = place.at + "name=".len();
    (is_added && value.len() >= SHORTEST && !is_known && !stands_in(value)).then(|| begin..begin + value.len())
}
