//! Whether a text is as random as keys and generated passwords are. Pure.

/// A text of random parts has so many characters.
const SHORTEST_OF_PARTS: usize = 12;

/// A text of words and digits is varied from this length on.
const SHORTEST_VARIED: usize = 8;

/// So many small letters in a row may be a word of a name.
const SHORTEST_OF_NAMES: usize = 5;

/// Whether a part of `body`, at least so long, is no word: digits among letters, capitals inside, or very long.
pub(crate) fn looks_random(body: &str, least: usize) -> bool {
    body.split(|c: char| "_-.:/+=~".contains(c)).any(|part| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let capitals_inside = part.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()) && has(u8::is_ascii_lowercase);
        let mixed = (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)) || capitals_inside;
        (part.len() >= least && mixed) || part.len() >= 20 || (part.len() >= 10 && !has(u8::is_ascii_alphabetic))
    }) || is_random_in_parts(body)
}

/// Whether two parts or more of a text have digits among letters of both cases: `Zk8-Qp1Lm_92xW`, but not `Node12-Web03`.
fn is_random_in_parts(text: &str) -> bool {
    let is_odd = |part: &&str| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && word.bytes().any(|byte| byte.is_ascii_digit())
    };
    text.len() >= SHORTEST_OF_PARTS && text.split(['-', '_']).filter(is_odd).count() >= 2
}

/// Whether most of a text is words, as in the names of things: `Checkout2ApiV3Service`.
pub(crate) fn is_of_names(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_lowercase()).filter(|run| run.len() >= SHORTEST_OF_NAMES);
    words.map(|run| run.len() + 1).sum::<usize>() * 2 > text.len()
}

/// Whether a text is as random as keys and generated passwords are: letters of both cases and digits among each other, or a
/// long run of letters and digits.
pub(crate) fn is_strong(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        is_mixed && (part.len() >= 20 || part.len() >= 8 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
    }) || is_random_in_parts(text)
}

/// Whether a text has what passwords are told to have, eight characters or more with small letters, capitals and digits among
/// them, and is neither a path nor a name with its value.
pub(crate) fn is_varied(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    let is_long =
        text.len() >= SHORTEST_VARIED && text.bytes().all(|byte| byte.is_ascii_graphic() && !b":=/\\".contains(&byte));
    is_long && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}
