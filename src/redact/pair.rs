//! Secrets that are told by a name: `password=…`, `"token": "…"`, `--secret …`, `IDENTIFIED BY '…'`. Pure.

use std::ops::Range;
use std::sync::LazyLock;

use super::names::{HARMLESS_NAMES, KEY_OWNERS, PARAMETERS, PHRASES, SECRET_NAMES, SECRET_SUFFIXES, SECRET_WORDS};
use super::rules::DOTTED;
use super::scan::{Place, looked_at, looks_random, run};
use super::value::{extent, header, is_harmless, phrase};

/// Quotation marks as addresses and pages have them.
const QUOTES: [&str; 3] = ["%22", "&quot;", "&#34;"];

/// Names after which a secret may stand without any sign.
const PLAIN_NAMES: [&str; 7] =
    ["password", "passwd", "passphrase", "requirepass", "secretaccesskey", "apikey", "secretkey"];

/// A word after `token` is one from this length on, if it is no word of a language and no name with dashes in it.
const LONG_TOKEN: usize = 16;

/// Words that link a name with its value, and those of them after which the value can stand.
const LINKING: [&str; 10] = ["is", "was", "now", "to", "be", "set", "changed", "reset", "has", "been"];
const LINKING_LAST: [&str; 5] = ["is", "was", "now", "to", "be"];

/// Whether what belongs to `name` is a secret: `db_password`, `X-Api-Key`, `token`.
pub fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let core = core(&words);
    is_secret_bare(&core) || is_secret_word(&words) && !core.ends_with("auth")
}

/// Whether `value` under `name` is a secret, and not only a word about one: `token: expired`, `license.key: mit`.
pub fn is_secret(name: &str, value: &str) -> bool {
    is_secret_name(name) && !is_harmless(&core(&words(name)), value, Sign::Equals, true)
}

fn is_secret_bare(name: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    (ends(&SECRET_NAMES) || owner(name).is_some()) && !ends(&HARMLESS_NAMES)
}

/// Whether the last word of a name is a short one that says secret only by itself: `bind_pw`.
fn is_secret_word(words: &[String]) -> bool {
    words.last().is_some_and(|word| SECRET_WORDS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
}

/// Whose key a name says that it is.
pub(super) fn owner(name: &str) -> Option<&'static str> {
    let before = name.strip_suffix("key")?;
    KEY_OWNERS.into_iter().find(|owner| before.ends_with(owner))
}

/// The ends of all names that matter, up to four letters of each, hashed: most words of a text have none of them, and are
/// not taken apart.
static ENDS: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let mut ends = vec![false; 4096];
    let others = ["key", "session", "sessionid", "privatemac"];
    let tables = [&SECRET_NAMES[..], &SECRET_WORDS, &PARAMETERS, &PHRASES, &others];
    for name in tables.into_iter().flatten() {
        let end = name.bytes().fold(0u32, |end, byte| end << 8 | u32::from(byte));
        ends[place_of(end)] = true;
    }
    ends
});

fn place_of(end: u32) -> usize {
    (end.wrapping_mul(0x9e37_79b1) >> 20) as usize
}

/// Whether a name may be one that matters: all that matter pass.
fn may_matter(name: &str) -> bool {
    let mut end = 0u32;
    name.bytes().filter(|byte| !b"-_.".contains(byte)).any(|byte| {
        end = end << 8 | u32::from(byte.to_ascii_lowercase());
        [u32::MAX, 0xff_ffff, 0xffff].into_iter().any(|letters| ENDS[place_of(end & letters)])
    })
}

/// The words of a name in lower case, without those that may follow the one that says secret.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_lower = false;
    for c in name.chars() {
        let is_separator = "-_.".contains(c);
        if is_separator || (was_lower && c.is_ascii_uppercase()) || words.is_empty() {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if let Some(word) = words.last_mut().filter(|_| !is_separator) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
        words.pop();
    }
    words
}

/// The words of a name as one, without a number behind.
fn core(words: &[String]) -> String {
    let joined = words.concat();
    joined.trim_end_matches(|c: char| c.is_ascii_digit()).to_string()
}

fn is_suffix(word: &str) -> bool {
    SECRET_SUFFIXES.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value that belongs to the name at `place`.
pub(super) fn pair(place: Place<'_>) -> Option<Range<usize>> {
    if !place.begins() {
        return None;
    }
    let rest = place.rest();
    let name = &rest[..run(rest, DOTTED)];
    if name.is_empty() || name.len() > 128 || !may_matter(name) {
        return None;
    }
    let words = words(name);
    let core = spaced(place, core(&words));
    let is_parameter_name = PARAMETERS.contains(&core.as_str()) && (core != "auth" || place.is_parameter);
    let is_phrase = PHRASES.iter().any(|ending| core.ends_with(ending));
    let is_cookie = name == "sessionid" || core.ends_with("session") && words.len() > 1;
    let is_secret = is_secret_bare(&core) || is_secret_word(&words) || core == "privatemac";
    if !(is_parameter_name || is_phrase || is_cookie || is_secret) || is_closing_tag(place) {
        return None;
    }
    let (at, sign) = sign(place, name, &core)?;
    if is_phrase {
        let begin = place.at + at;
        return phrase(&place.text[begin..]).map(|range| begin + range.start..begin + range.end);
    }
    if core == "secret" && sign == Sign::Colon && is_in_arn(place) {
        return None;
    }
    if is_parameter_name && !(sign == Sign::Equals && (place.is_parameter || core == "sid")) {
        return None;
    }
    let begin = place.at + at;
    let value = &place.text[begin..];
    if core.ends_with("authorization") {
        return header(value, true).map(|range| begin + range.start..begin + range.end);
    }
    if core.ends_with("cookie") {
        return header(value, false).map(|range| begin + range.start..begin + range.end);
    }
    let mut range = extent(value, sign)?;
    if is_cookie
        && !is_secret
        && !(sign == Sign::Equals && looks_random(&value[range.clone()], 8) && !is_identifier(value))
    {
        return None;
    }
    if (place.is_parameter || core == "jsessionid") && range.start == 0 {
        // The value of a parameter ends with the query.
        range.end = value[..range.end].find(['#', '?']).unwrap_or(range.end);
    }
    let is_quoted = range.start > 0 && !value.starts_with(['(', '{']);
    let hidden = &value[range.clone()];
    if core.ends_with("auth") && !place.is_parameter && !is_credential(&core, hidden, sign, is_quoted) {
        return None;
    }
    let says_secret = !is_harmless(&core, hidden, sign, is_quoted);
    says_secret.then(|| begin + range.start..begin + range.end)
}

/// Whether what `auth` keeps is a credential, and not how one signs in.
fn is_credential(name: &str, value: &str, sign: Sign, is_quoted: bool) -> bool {
    let least = if name.len() > "_auth".len() { 6 } else { 12 };
    (sign == Sign::Equals || is_quoted) && value.len() >= least && looks_random(value, least)
}

/// Whether a value begins as identifiers do: 32 hexadecimal digits, or after a word and a dash.
fn is_identifier(value: &str) -> bool {
    let digits = value.split_once('-').filter(|(word, _)| *word == "devin").map_or(value, |(_, digits)| digits);
    run(digits, |byte| byte.is_ascii_hexdigit() || byte == b'-') >= 32
}

/// Whether the name stands in a tag that closes: `</password>`, `</ns:password>`.
fn is_closing_tag(place: Place<'_>) -> bool {
    let before = &place.text.as_bytes()[place.at.saturating_sub(32)..place.at];
    looked_at(before.len());
    let space = before.iter().rev().take_while(|byte| DOTTED(**byte) || **byte == b':').count();
    before[..before.len() - space].ends_with(b"</")
}

/// Whether the name is a part of `arn:aws:secretsmanager:…:secret:…`, after which a secret's name stands.
fn is_in_arn(place: Place<'_>) -> bool {
    let before = &place.text.as_bytes()[place.at.saturating_sub(64)..place.at];
    looked_at(before.len());
    before.ends_with(b":") && before.windows(16).any(|window| window == b":secretsmanager:")
}

/// The name with the word before it, where that is a blank away: `API key`.
fn spaced(place: Place<'_>, core: String) -> String {
    let before = &place.text.as_bytes()[..place.at];
    let owner = ["api", "access", "secret", "private"].into_iter().find(|owner| {
        before.strip_suffix(b" ").is_some_and(|before| {
            before.len() >= owner.len() && before[before.len() - owner.len()..].eq_ignore_ascii_case(owner.as_bytes())
        })
    });
    match owner {
        Some(owner) if core == "key" => format!("{owner}{core}"),
        _ => core,
    }
}

/// What stands between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Equals,
    Colon,
    /// A blank after the name of an option.
    Blank,
    /// The word `is`.
    Word,
    /// Two quoted texts beside each other, in brackets.
    Beside,
    /// A block of YAML: the value is on the next line.
    Block,
}

/// Where the value of `name` begins, counted from the name, and what comes before it.
fn sign(place: Place<'_>, name: &str, core: &str) -> Option<(usize, Sign)> {
    let rest = place.rest();
    let mut at = name.len();
    at += run(&rest[at..], |byte| b"\\\"'`".contains(&byte));
    let is_quoted = at > name.len();
    at += QUOTES.into_iter().find(|quote| rest[at..].starts_with(quote)).map_or(0, str::len);
    let blanks = run(&rest[at..], |byte| byte == b' ' || byte == b'\t');
    let after = &rest[at + blanks..];
    let coded = ["%3D", "%3d", "%253D", "%253d", "%3A", "\\u003d", "\\u003D", "&#61;"];
    if let Some(code) = coded.into_iter().find(|code| after.starts_with(code)) {
        let mut begin = at + blanks + code.len();
        for coded in ["%20", "%22"] {
            begin += if rest[begin..].starts_with(coded) { 3 } else { 0 };
        }
        return Some((begin, Sign::Equals));
    }
    let signs = if after.starts_with("->") { 2 } else { run(after, |byte| b":=>".contains(&byte)) };
    if signs > 0 {
        let sign = if after[..signs].contains('=') { Sign::Equals } else { Sign::Colon };
        let mut begin = at + blanks + signs;
        begin += run(&rest[begin..], |byte| byte == b' ' || byte == b'\t');
        if let Some(linked) = linking(&rest[begin..]) {
            return Some((begin + linked, Sign::Word));
        }
        begin += QUOTES.into_iter().find(|quote| rest[begin..].starts_with(quote)).map_or(0, str::len);
        let block = &rest[begin..];
        if sign == Sign::Colon && (block.starts_with("|\n") || block.starts_with(">\n") || block.starts_with("|-\n")) {
            begin += run(block, |byte| byte.is_ascii_whitespace() || b"|>-".contains(&byte));
            return Some((begin, Sign::Block));
        }
        return Some((begin, sign));
    }
    if is_quoted {
        return beside(place, at + blanks);
    }
    if let Some(value) = value_below(place, after) {
        return Some((at + blanks + value, Sign::Colon));
    }
    if name.starts_with('-') && blanks > 0 && !after.starts_with('-') {
        return Some((at + blanks, Sign::Blank));
    }
    if blanks == 0 {
        return None;
    }
    // `password is …`, `password for bob is …`
    let of = ["for ", "of "].into_iter().find(|word| after.starts_with(word)).map_or(0, str::len);
    let whose = if of > 0 { of + run(&after[of..], DOTTED) + 1 } else { 0 };
    if let Some(linked) = after.get(whose..).and_then(linking) {
        return Some((at + blanks + whose + linked, Sign::Word));
    }
    // `password "…" rejected`, `token … rejected`
    let quote = run(after, |byte| b"\"'(".contains(&byte));
    let word = &after[quote..][..run(&after[quote..], DOTTED)];
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_token = ["token", "secret"].iter().any(|ending| core.ends_with(ending))
        && word.len() >= LONG_TOKEN
        && !is_hex
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_password = PLAIN_NAMES.iter().any(|ending| core.ends_with(ending)) && word.len() >= 6;
    let begin = at + blanks + if after.starts_with('(') { 1 } else { 0 };
    (is_mixed && (is_password || is_token)).then_some((begin, Sign::Blank))
}

/// Where the value begins after words that link it with its name: `is`, `is now:`, `was changed to`.
fn linking(text: &str) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    for _ in 0..5 {
        let length = run(&text[at..], |byte| byte.is_ascii_alphabetic());
        let is_known = |word: &&&str| word.eq_ignore_ascii_case(&text[at..at + length]);
        let Some(word) = LINKING.iter().find(is_known) else { break };
        let signs = run(&text[at + length..], |byte| b" :=".contains(&byte));
        if signs == 0 || last.is_none() && ["now", "to", "be"].contains(word) {
            break;
        }
        at += length + signs;
        last = Some(word);
    }
    last.filter(|word| LINKING_LAST.contains(word)).map(|_| at)
}

/// `- name: PASSWORD`, and `value: …` on the line below.
fn value_below(place: Place<'_>, after: &str) -> Option<usize> {
    let before = &place.text[..place.at];
    if !after.starts_with('\n') || !(before.ends_with("name: ") || before.ends_with("key: ")) {
        return None;
    }
    let gap = run(after, |byte| byte.is_ascii_whitespace());
    let value = after[gap..].strip_prefix("value:")?;
    Some(after.len() - value.len() + run(value, |byte| byte == b' '))
}

/// `"Password" value="…"`, `"name": "PASSWORD", "value": "…"`, `('Password', '…')`.
fn beside(place: Place<'_>, at: usize) -> Option<(usize, Sign)> {
    let rest = place.rest();
    let gap = run(&rest[at..], |byte| b" ,\n\t\\\"'".contains(&byte));
    let after = &rest[at + gap..];
    if after.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("value")) {
        let close = run(&after[5..], |byte| b"\\\"'".contains(&byte));
        let signs = run(&after[5 + close..], |byte| b" :=".contains(&byte));
        return (signs > 0).then_some((at + gap + 5 + close + signs, Sign::Equals));
    }
    let between = &rest[at..at + gap];
    let opening = place.text[..place.at].trim_end_matches(['"', '\'', '\\']).bytes().next_back();
    let comma = between.find(',')?;
    let value = comma + 1 + run(&between[comma + 1..], |byte| byte == b' ');
    let is_tuple = matches!(opening, Some(b'(' | b'[')) && value < between.len();
    is_tuple.then_some((at + value, Sign::Beside))
}
