//! Secrets of words, where the syntax of a setting leaves no doubt that they are values: `COOKIE_SECRET="chocolate-chip"`,
//! `/job/shop/build?token=…`. Pure.

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, looked_at, run};
use crate::value::sign::Sign;
use crate::value::speech::{Value, is_stand_in};
use crate::word::names::Name;
use crate::word::predicate::describes;
use crate::word::remark::is_remark;
use crate::word::shape::{is_cause, is_label};

/// Whose secrets people choose, and those of them whose names objects of a cluster do not have.
const OWNERS: [&str; 7] = ["jwt", "session", "cookie", "hmac", "webhook", "signing", "app"];
const OWNERS_OF_TWO_WORDS: [&str; 5] = ["jwt", "session", "cookie", "hmac", "signing"];

/// Words of the names of things: what keeps a secret, where it is kept, and what has one.
const THINGS: &str = "secret secrets key keys tls cert certs token tokens auth creds credentials config prod production staging dev test \
    live default main name ref path file id store manager vault service server client api app web db database redis postgres mysql \
    environment master state jwt hmac session cookie webhook hook signing access request response exception error provider change me replace here todo";

/// How an address ends, before its parameters, that starts a job for whoever has the token that its owner chose.
const JOBS: [&str; 4] = ["/build?", "/buildWithParameters?", "/polling?", "/generic-webhook-trigger/invoke?"];

/// How far an address is looked back.
const ADDRESS: usize = 160;

/// Whether words are the value of the name at `place` and no name of a thing.
pub(super) fn is_chosen(place: Place<'_>, named: &Name, value: Value<'_>) -> bool {
    if value.is_parameter {
        return named.core == "token" && starts_job(place) && !is_stand_in(value.text) && !is_remark(value.text);
    }
    let name = &place.rest()[..run(place.rest(), DOTTED)];
    let is_of_environment = name.contains('_') && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_key = named.core.ends_with("secretkey") || named.core.ends_with("secretkeybase");
    let owns = |owners: &[&str]| {
        named.core.strip_suffix("secret").is_some_and(|owner| owners.iter().any(|known| owner.ends_with(known)))
    };
    let parts = value.text.split('-').count();
    let is_owned = match parts {
        1 => is_of_environment && owns(&OWNERS_OF_TWO_WORDS),
        2 => owns(&OWNERS_OF_TWO_WORDS),
        _ => owns(&OWNERS) || is_key,
    };
    let is_words = if parts == 1 { is_compound(value.text) } else { is_label(value.text) && !is_place(value.text) };
    value.sign == Sign::Equals
        && (is_of_environment || value.is_quoted)
        && is_owned
        && is_words
        && (!says(value.text) || value.is_quoted && parts > 2 && value.text.starts_with("my-"))
}

/// Whether two words or more are written as one: `OpenSesame`.
fn is_compound(text: &str) -> bool {
    let capitals = text.bytes().filter(u8::is_ascii_uppercase).count();
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && (2..text.len() / 3).contains(&capitals)
        && is_cause(text)
}

/// Whether words have a stroke or a dot, as places and files have.
fn is_place(text: &str) -> bool {
    text.contains(['/', '.', '_'])
}

/// Whether the last of the words is one for a thing, or any of them says something about a secret.
fn says(text: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if (c.is_ascii_uppercase() || "-_".contains(c)) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphabetic()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    let is_thing = |word: &String| THINGS.split_ascii_whitespace().any(|known| known == word);
    let things = words.iter().filter(|word| is_thing(word)).count();
    words.last().is_some_and(is_thing)
        || things > 1
        || things > 0 && words.len() == 2
        || words.iter().any(|word| is_remark(word) || word.len() > 4 && describes("password", word))
}

/// Whether the parameter at `place` is one of an address that starts a job.
fn starts_job(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(ADDRESS))..place.at];
    looked_at(before.len());
    let address = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    JOBS.iter().any(|job| address.contains(job))
}
