//! The secret that a sentence says somebody has set: `set the redis auth to …`, `reset root's password for the backup to …`, and in
//! other languages `das Passwort wurde auf … geändert`. Pure.

use std::ops::Range;

use super::need::{Need, value};
use crate::text::place::{Place, boundary, looked_at};
use crate::value::certain::{is_certain_key, opens};
use crate::word::ends::may_matter;
use crate::word::names::{Kind, Name, spaced};
use crate::word::predicate::ends_clause;

/// How far a sentence is followed behind a name, and how far before it the verb may stand.
const SENTENCE: usize = 160;
const BEFORE: usize = 96;

/// How many words may stand between a name and what turns to its value.
const MOST_WORDS: usize = 7;
const MOST_IN_OTHERS: usize = 10;

/// How a language says that something was set: the names of passwords, how the verbs begin, and what turns to the value.
struct Setting {
    names: &'static str,
    verbs: &'static str,
    turns: &'static str,
}

/// English, whose verbs are whole words.
const ENGLISH: Setting = Setting {
    names: "",
    verbs: "set sets setting reset resets resetting change changed changes changing update updated updates updating rotate rotated \
        rotating switch switched switching swapped bumped renewed replaced put putting made",
    turns: "to as",
};

const OTHERS: [Setting; 10] = [
    Setting {
        names: "passwort kennwort pw",
        verbs: "gesetzt geändert zurückgesetzt umgestellt gewechselt setz änder",
        turns: "auf",
    },
    Setting { names: "motdepasse", verbs: "chang modifi réinitialis mis mettre remis remplac", turns: "en à par" },
    Setting {
        names: "contraseña contrasena clave",
        verbs: "cambi actualiz actualic restablec puse pusimos",
        turns: "a por en",
    },
    Setting { names: "senha", verbs: "alter mud troc troq redefin", turns: "para" },
    Setting { names: "password", verbs: "cambiat impostat reimpostat modificat", turns: "in a su con" },
    Setting { names: "wachtwoord", verbs: "gewijzig verander gezet aangepast", turns: "naar in op" },
    Setting { names: "lösenord lösenordet", verbs: "ändra satt satte sattes bytt", turns: "till" },
    Setting {
        names: "passord passordet adgangskode adgangskoden kodeord kodeordet",
        verbs: "endre ændre satt sat",
        turns: "til",
    },
    Setting { names: "hasło haslo", verbs: "zmien ustaw", turns: "na" },
    Setting { names: "heslo", verbs: "změn nastav", turns: "na" },
];

/// What may follow a name at once in English: whose it is, and how it came to be set.
const LEADS: &str = "back over again temporarily now for of on in at was is has had got been will should";

/// Words with which `to` means something else: `reset due to inactivity`.
const NO_TURNS: &str = "from due order response prior according subject thanks owing related access able";

/// What a setting of a record is called: its value is in quotation marks or spelled as passwords are.
const FIELDS: [&str; 5] = [" field", " column", " attribute", " property", " variable"];

/// Systems whose password is called `auth`.
const OF_AUTH: [&str; 7] = ["redis", "valkey", "keydb", "dragonfly", "memcached", "sentinel", "snmp"];

/// Types of what a database keeps.
const TYPES: [&str; 6] = ["varchar", "nvarchar", "char", "bytea", "binary", "int"];

/// What was done with a password, with the sign before it.
const NOTED: [&str; 13] = [
    " changed: ",
    " set: ",
    " reset: ",
    " updated: ",
    " rotated: ",
    " entered: ",
    " typed: ",
    " tried: ",
    " attempt: ",
    " attempted: ",
    " gesetzt: ",
    " geändert: ",
    " eingegeben: ",
];

/// What says which password there was, also where it is a plain word, and which one there is to be.
const WAS: &str = " used to be ";
const SHOULD: [&str; 9] = [
    " now ",
    " will be ",
    " had been ",
    " has been ",
    " should be ",
    " shall be ",
    " must be ",
    " would be ",
    " has to be ",
];

/// Words before the password of an account that was made: `created user bob with password …`.
const MADE: [&str; 5] = ["created ", "added ", "provisioned ", "registered ", "creating "];
const ACCOUNTS: [&str; 4] = [" user", " account", " role", " login"];

/// The value that is set of the name at `place`.
pub(crate) fn assigned(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let near = near.split('\n').next().unwrap_or_default();
    let name = near.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).filter(|length| *length > 1)?;
    let (name, after) = near.split_at(name);
    if !after.starts_with([' ', '"', '\'', '`', '*']) {
        return None;
    }
    let is_login = ["login", "logins"].iter().any(|word| name.eq_ignore_ascii_case(word));
    if !is_login && !may_matter(name) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(BEFORE))..place.at];
    looked_at(before.len());
    let before = before.rsplit(['\n', ';']).next().unwrap_or_default();
    let before = before.rsplit(". ").next().unwrap_or_default();
    let spaced = spaced(before, name);
    let named = Name::of(spaced.as_deref().unwrap_or(name));
    let found = match &named {
        Some(named) => {
            let need = need(place, name, named, before)?;
            of_other(near, name.len(), before, &named.core)
                .or_else(|| of_english(near, name.len(), before, need))
                .or_else(|| possessed(near, name.len(), need))
                .or_else(|| noted(near, name.len(), need))
                .or_else(|| meant(near, name.len(), need))
                .or_else(|| of_made(near, name.len(), before, need))
        }
        None if is_login => of_english(near, name.len(), before, Need::Varied),
        None => None,
    };
    found.map(|range| place.at + range.start..place.at + range.end)
}

/// How much the value of a name has to look like a secret, where a sentence sets it.
fn need(place: Place<'_>, name: &str, named: &Name, before: &str) -> Option<Need> {
    let is_of_auth = || OF_AUTH.iter().any(|system| before.trim_end().to_ascii_lowercase().ends_with(system));
    match named.kind {
        Kind::Password if named.core.ends_with("key") => {
            Some(if is_certain_key(named) { Need::Spelled } else { Need::Random })
        }
        Kind::Password => Some(Need::Plain),
        Kind::Token if named.core.ends_with("cred") || named.core.ends_with("credential") => Some(Need::Varied),
        Kind::Token if opens(place, name, named) => Some(Need::Varied),
        Kind::Token => Some(Need::Random),
        Kind::Opaque if named.core == "auth" && is_of_auth() => Some(Need::Spelled),
        Kind::Opaque if named.core.ends_with("auth") => Some(Need::Varied),
        _ => None,
    }
}

/// `set … password … to …`, `password was rotated to …`
fn of_english(near: &str, name: usize, before: &str, need: Need) -> Option<Range<usize>> {
    let mut at = name + near[name..].len() - near[name..].trim_start_matches(['"', '\'', '`', '*']).len();
    let is_verb = |word: &str| ENGLISH.verbs.split_ascii_whitespace().any(|verb| verb.eq_ignore_ascii_case(word));
    let mut is_set = before.split(|c: char| !c.is_alphanumeric()).any(is_verb);
    let field = FIELDS.iter().find(|field| near[at..].starts_with(**field));
    at += field.map_or(0, |field| field.len());
    let need = if field.is_some() { need.max(Need::Spelled) } else { need };
    let mut last = "";
    for nth in 0..MOST_WORDS {
        let after = near[at..].strip_prefix(' ')?;
        let begin = near.len() - after.len();
        let word = &after[..after.find(' ')?];
        at = begin + word.len();
        let plain = word.trim_end_matches(':');
        let is_one_of = |table: &str| table.split_ascii_whitespace().any(|known| known == plain);
        let is_type = || TYPES.iter().any(|kind| near[at..].to_ascii_lowercase().trim_start().starts_with(kind));
        if is_one_of(ENGLISH.turns) && is_set && !(field.is_some() && is_type()) {
            let be = near[at..].strip_prefix(" be").filter(|rest| rest.starts_with(' ')).map_or(0, |_| " be".len());
            // `reset the password as root`
            let need = if plain == "as" { need.max(Need::Varied) } else { need };
            return value(near, at + be + 1, need).filter(|range| !is_alike(last, &near[range.clone()]));
        }
        let is_other = NO_TURNS.split(' ').any(|known| known == word);
        if word.contains([',', ';', ':', '!', '?']) || is_other || nth == 0 && !is_one_of(LEADS) && !is_verb(word) {
            return None;
        }
        is_set |= is_verb(word);
        last = word;
    }
    None
}

/// Whether two words are the ends of a range: `on web-01 to web-12`.
fn is_alike(one: &str, other: &str) -> bool {
    let stem = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let length = stem(one);
    length < one.len() && length == stem(other) && one[..length] == other[..length]
}

/// The same in other languages, where the verb may come last, and only what is spelled as passwords are is told.
fn of_other(near: &str, name: usize, before: &str, core: &str) -> Option<Range<usize>> {
    let is_of = |table: &str, word: &str| table.split(' ').any(|known| known == word);
    OTHERS.iter().filter(|setting| setting.names.split(' ').any(|end| core.ends_with(end))).find_map(|setting| {
        let sets = |text: &str| {
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            words.any(|word| setting.verbs.split(' ').any(|verb| word.to_lowercase().starts_with(verb)))
        };
        let mut at = name;
        for _ in 0..MOST_IN_OTHERS {
            let after = near[at..].strip_prefix(' ')?;
            let begin = near.len() - after.len();
            let word = &after[..after.find(' ')?];
            at = begin + word.len();
            if !is_of(setting.turns, word.trim_end_matches(':')) {
                continue;
            }
            if let Some(range) = value(near, at + 1, Need::Spelled) {
                let behind = near[range.end..].split(['.', ',', ';']).next().unwrap_or_default();
                return (sets(before) || sets(&near[name..begin]) || sets(behind)).then_some(range);
            }
        }
        None
    })
}

/// `my password's …`
fn possessed(near: &str, name: usize, need: Need) -> Option<Range<usize>> {
    let begin = name
        + near[name..]
            .strip_prefix("'s ")
            .or_else(|| near[name..].strip_prefix("’s "))
            .map(|after| near[name..].len() - after.len())?;
    let range = value(near, begin, need.max(Need::Spelled))?;
    ends_clause(near[range.end..].trim_start_matches(['"', '\'', '`'])).then_some(range)
}

/// `password changed: …`, `password entered: …`
fn noted(near: &str, name: usize, need: Need) -> Option<Range<usize>> {
    let word = NOTED.iter().find(|word| near[name..].starts_with(**word))?;
    let range = value(near, name + word.len(), need.max(Need::Spelled))?;
    let text = &near[range.clone()];
    let is_ticket = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    let is_last = ends_clause(near[range.end..].trim_start_matches(['"', '\'', '`']));
    (is_last && !is_ticket).then_some(range)
}

/// `password should be …`, `password used to be …`
fn meant(near: &str, name: usize, need: Need) -> Option<Range<usize>> {
    let (word, need) = if near[name..].starts_with(WAS) {
        (WAS, need)
    } else {
        (*SHOULD.iter().find(|word| near[name..].starts_with(**word))?, need.max(Need::Spelled))
    };
    let range = value(near, name + word.len(), need)?;
    ends_clause(near[range.end..].trim_start_matches(['"', '\'', '`', '?'])).then_some(range)
}

/// `created user bob with password …`
fn of_made(near: &str, name: usize, before: &str, need: Need) -> Option<Range<usize>> {
    let with = ["with ", "with the "].iter().find_map(|with| before.strip_suffix(with))?;
    let is_made = MADE
        .iter()
        .filter_map(|verb| with.to_ascii_lowercase().find(verb))
        .min()
        .is_some_and(|verb| ACCOUNTS.iter().any(|account| with[verb..].contains(account)));
    let begin = name + near[name..].strip_prefix(' ').map(|_| 1).filter(|_| is_made)?;
    value(near, begin, need)
}
