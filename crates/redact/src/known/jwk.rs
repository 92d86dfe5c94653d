//! The private members of a JSON Web Key: `{"kty":"EC",…,"d":"…"}`. Pure.

use std::ops::Range;

use crate::text::alphabet::WORD;
use crate::text::place::{Place, looked_at, run};

/// The members that are private in every kind of key that has two halves, and the one of a key that has a single one.
const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];
const SYMMETRIC: &str = "k";

/// The shortest value, and how far the other members are looked for: those of a long key are long.
const SHORTEST: usize = 20;
const BEFORE: usize = 1536;
const AFTER: usize = 768;

/// The value of a private member.
pub(crate) fn private(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let quote = rest.chars().next()?;
    let name = PRIVATE
        .iter()
        .chain([&SYMMETRIC])
        .find(|name| rest[1..].strip_prefix(**name).is_some_and(|after| after.starts_with(quote)))?;
    let open = name.len() + 2;
    let open = open + run(&rest[open..], |byte| b" :\n\t".contains(&byte));
    let begin = open + rest[open..].strip_prefix(quote).map(|_| 1)?;
    let length = run(&rest[begin..], WORD);
    if length < SHORTEST || !rest[begin + length..].starts_with([quote, '=']) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(BEFORE))..place.at];
    let after = &rest[begin + length..rest.floor_char_boundary(begin + length + AFTER)];
    looked_at(before.len() + after.len());
    let members = [before.rsplit('{').next()?, after.split('}').next()?];
    let has = |text: &str| members.iter().any(|members| members.contains(text));
    let is_key = has("kty") && (*name != SYMMETRIC || has("oct"));
    is_key.then(|| place.at + begin..place.at + begin + length)
}
