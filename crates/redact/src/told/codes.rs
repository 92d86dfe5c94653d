//! Numbers that open something: codes that are good for once, of doors and of cards. Pure.

use std::ops::Range;

use super::said::word;
use crate::text::place::{Place, boundary, looked_at, run, run_within};
use crate::word::predicate::ends_clause;
use crate::word::shape::is_in_blocks;

/// How far a sentence about a code is followed.
const CODE: usize = 64;

/// How long the number of a drive is.
const DRIVE: usize = 8 * 7 - 1;

/// How long the code of a thing at home is.
const LONGEST_OF_THING: usize = 4 + 3 + 4 + 2;

/// How long the key of a product is, and how far before it the word for it stands.
const PRODUCT: std::ops::RangeInclusive<usize> = 15..=48;
const NAMED: usize = 40;

/// What a key is of that has the form of a product's, and other words for it.
const PRODUCTS: &str =
    "license licence product activation serial windows office software registration number cd volume mak kms";
const WORDS_FOR_KEY: [&str; 7] =
    ["/ipk", "activation code", "license", "licence", "registration code", "unlock code", "productkey"];

/// What opens with a code, and what a sentence says between.
const DOORS: &str = "door gate keypad entry access garage building cage lockbox safe disarm lock vault closet rack";
const MOST_BETWEEN: usize = 6;

/// What has no other codes, so that no sign is needed: `gate code 4821`.
const LOCKED_DOORS: &str = "door gate keypad garage lockbox";

/// What has a combination, so that no sign is needed behind this word.
const COMBINED: &str = "door gate keypad garage lockbox safe vault locker padlock";

/// The same for a PIN, which nothing but a lock or a card has.
const LOCKED: &str = "hsm alarm panel smartcard token";
const MOST_BEFORE_PIN: usize = 9;

/// A code that is good for once: `your code is 123456`, `123456 is your verification code`.
pub(crate) fn code(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, CODE)];
    let digits = |at: usize| run(&near[at..], |byte| byte.is_ascii_digit());
    let is_code = |length: usize| (4..=8).contains(&length);
    if let Some(open) =
        ["your code is ", "Your code is ", "your code: ", "Your code: "].iter().find(|words| near.starts_with(**words))
    {
        let length = digits(open.len());
        let begin = place.at + open.len();
        return is_code(length).then(|| begin..begin + length);
    }
    // Google's begin with a letter.
    let open = near.strip_prefix("G-").map_or(0, |_| "G-".len());
    let length = digits(open);
    let after = near[open + length..].strip_prefix(" is your ").filter(|_| is_code(length))?;
    after.split(['.', '\n']).next()?.contains("code").then(|| place.at + open..place.at + open + length)
}

/// The number with which an encrypted drive is opened again: eight groups of six digits, as BitLocker has it.
pub(crate) fn of_drive(place: Place<'_>) -> Option<Range<usize>> {
    let length = run_within(place.rest(), DRIVE + 1, |byte| byte.is_ascii_digit() || byte == b'-');
    let mut groups = place.rest()[..length].split('-');
    (length == DRIVE && groups.all(|group| group.len() == 6)).then(|| place.at..place.at + length)
}

/// The code with which a thing at home is taken in, as HomeKit and Matter have it: `setup code 204-51-873`.
pub(crate) fn of_thing(place: Place<'_>) -> Option<Range<usize>> {
    let length = run_within(place.rest(), LONGEST_OF_THING + 1, |byte| byte.is_ascii_digit() || byte == b'-');
    let groups = place.rest()[..length].split('-').map(str::len);
    if !groups.clone().eq([3, 2, 3]) && !groups.eq([4, 3, 4]) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NAMED))..place.at];
    looked_at(before.len());
    let before = before.trim_end_matches([' ', ':', '=', '"', '\'']).to_ascii_lowercase();
    let before = before.strip_suffix(" is").unwrap_or(&before);
    ["setup code", "pairing code", "homekit code", "homekit pin"]
        .iter()
        .any(|name| before.ends_with(name))
        .then(|| place.at..place.at + length)
}

/// How the key is called that whoever has it may send a film with, and how many blocks it has: `stream key: cd12-ef34-…`.
const OF_STREAMS: [&str; 5] = ["stream key", "Stream key", "streamKey", "stream_key", "stream-key"];
const BLOCKS: std::ops::RangeInclusive<usize> = 4..=6;

/// Such a key, in blocks of four small letters and digits.
pub(crate) fn of_stream(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let name = OF_STREAMS.iter().find(|name| rest.starts_with(**name))?.len();
    let sign = name + run_within(&rest[name..], 8, |byte| b"\\\"': =".contains(&byte));
    let sign = sign + rest[sign..].strip_prefix("is ").map_or(0, |_| "is ".len());
    let is_of_key = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let length = run_within(&rest[sign..], CODE, is_of_key);
    let key = &rest[sign..sign + length];
    let is_key = BLOCKS.contains(&key.split('-').count())
        && key.split('-').all(|block| block.len() == 4)
        && key.bytes().any(|byte| byte.is_ascii_digit());
    (sign > name && is_key).then(|| place.at + sign..place.at + sign + length)
}

/// The code of a door: `the door code is …`, `combination for the safe: …`.
pub(crate) fn of_door(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, CODE)];
    let open = ["code", "combination", "combo", "pin"]
        .into_iter()
        .find(|word| near.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word)))?
        .len();
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(16))..place.at];
    let line = near.split('\n').next()?;
    let is_locked = || {
        let door = before.split_ascii_whitespace().next_back().unwrap_or_default();
        let doors = if open > "code".len() { COMBINED } else { LOCKED_DOORS };
        doors.split(' ').any(|known| known.eq_ignore_ascii_case(door))
            && line[open..].strip_prefix(' ').is_some_and(|code| code.starts_with(|c: char| c.is_ascii_digit()))
    };
    let signs = [": ", " is ", " is now ", " was "].iter().filter_map(|sign| Some((line.find(*sign)?, sign.len())));
    let sign = signs.min().or_else(|| is_locked().then_some((open, 1)))?;
    let between = line.get(open..sign.0)?;
    let mut words = before.split_ascii_whitespace().next_back().into_iter().chain(between.split(' '));
    let is_pin = open == "pin".len();
    let is_in = |table: &str, word: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(word));
    let is_door = words.any(|word| is_in(DOORS, word) || is_pin && is_in(LOCKED, word));
    let begin = sign.0 + sign.1 + run(&line[sign.0 + sign.1..], |byte| b"\"'`now ".contains(&byte));
    let length = run(&line[begin..], |byte| byte.is_ascii_digit() || b"#*-".contains(&byte));
    let digits = line[begin..begin + length].bytes().filter(u8::is_ascii_digit).count();
    // `keypad PIN: 4821 stopped working`
    let is_entered = || line[begin..begin + length].ends_with('#');
    let goes_on = || (rest.starts_with("PIN") || is_entered()) && line[begin + length..].starts_with(' ');
    let is_code = (4..=8).contains(&digits) && length <= 12 && (ends_clause(&line[begin + length..]) || goes_on());
    (is_door && is_code && between.split(' ').count() <= if is_pin { MOST_BEFORE_PIN } else { MOST_BETWEEN })
        .then(|| place.at + begin..place.at + begin + length)
}

/// The number of a card that opens it, or with which it is opened again: `PUK 12345678`, `PIN code: 4821`. Pins of other things
/// have small letters, or fewer digits.
pub(crate) fn of_card(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let near = &rest[..boundary(rest, CODE)];
    let is_puk = ["PUK", "puk", "Puk"].iter().any(|word| near.starts_with(word));
    let number = |at: usize| at + run(&near[at..], |byte| b"12".contains(&byte));
    let open = if is_puk { number("PUK".len()) } else { near.strip_prefix("PIN").map(|_| number("PIN".len()))? };
    let open = open
        + [" code", " number", "-Code"]
            .iter()
            .find(|word| near[open..].starts_with(**word))
            .map_or(0, |word| word.len());
    let sign = [": ", "=", " = ", " is ", " ist ", " "].iter().find(|sign| near[open..].starts_with(**sign))?;
    let begin = open + sign.len();
    let digits = run(&near[begin..], |byte| byte.is_ascii_digit());
    let after = &near[begin + digits..];
    let is_number = if is_puk {
        digits == 8 && !after.starts_with(|c: char| c.is_alphanumeric())
    } else {
        // `use PIN 482913 to open …`
        let before = place.text[..place.at].trim_end();
        let is_used = ["use", "Use", "with", "enter", "Enter", "type"].iter().any(|word| before.ends_with(word));
        // `PIN 448812#`
        let is_typed = after.strip_prefix('#').is_some_and(ends_clause);
        (4..=8).contains(&digits) && (ends_clause(after) || is_typed || is_used && after.starts_with(' '))
    };
    // `PIN is Falcon26#`
    if !is_puk && digits == 0 {
        let range = word(near, begin)?;
        let is_told = near[range.clone()].contains(['!', '@', '#', '$', '%']) && ends_clause(&near[range.end..]);
        return is_told.then(|| place.at + range.start..place.at + range.end);
    }
    let is_of_board = place.text[..place.at].trim_end().ends_with("GPIO");
    (is_number && !is_of_board).then(|| place.at + begin..place.at + begin + digits)
}

/// The key of a product, in four blocks or more of capitals and digits, behind a word for one: `license key: …`.
pub(crate) fn of_product(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    // Most words have no such block.
    rest.as_bytes().get(4..7).filter(|ends| ends.contains(&b'-'))?;
    let length =
        run_within(rest, PRODUCT.end() + 1, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-');
    let key = &rest[..length];
    let is_even = |key: &str| key.split('-').all(|block| Some(block.len()) == key.find('-'));
    let has_letter = key.bytes().any(|byte| byte.is_ascii_uppercase());
    if !PRODUCT.contains(&length) || !has_letter || !is_even(key) || !is_in_blocks(key) {
        return None;
    }
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NAMED))..place.at];
    looked_at(before.len());
    let line = before.rsplit('\n').next().unwrap_or_default().to_ascii_lowercase();
    let words = line.trim_end_matches([' ', ':', '=', '"', '\'', '`']);
    let words = [" is", " was"].iter().find_map(|verb| words.strip_suffix(verb)).unwrap_or(words);
    let is_owned = |words: &str| {
        let owner = words.trim_end_matches([' ', '_', '-', '.']).rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        owner.is_some_and(|owner| PRODUCTS.split(' ').any(|known| known == owner))
    };
    let is_named =
        words.strip_suffix("key").is_some_and(is_owned) || WORDS_FOR_KEY.iter().any(|word| words.ends_with(word));
    is_named.then(|| place.at..place.at + length)
}

/// What messages say before a code that is good for once.
const MESSAGES: [&str; 14] = [
    "Bestätigungscode lautet ",
    "Bestätigungscode ist ",
    "Ihr Code lautet ",
    "Dein Code lautet ",
    "Ihr Code ist ",
    "Dein Code ist ",
    "Votre code est ",
    "votre code est ",
    "code de vérification est ",
    "code de confirmation est ",
    "Tu código es ",
    "código de verificación es ",
    "codice di verifica è ",
    "Il tuo codice è ",
];

/// What is done with a code, before and behind it.
const DONE_WITH: [&str; 6] = ["use ", "use code ", "enter ", "enter code ", "type ", "input "];
const DONE_FOR: [&str; 9] = [
    " as your verification code",
    " as your code",
    " as your login code",
    " as your security code",
    " as the verification code",
    " to verify your ",
    " to confirm your ",
    " to complete your sign",
    " as your one-time ",
];

/// A code that is good for once: `Use 551204 as your verification code`, `Ihr Bestätigungscode lautet 551204`.
pub(crate) fn of_message(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), CODE)];
    let code = |begin: usize| {
        let length = run(&near[begin..], |byte| byte.is_ascii_digit() || byte == b'-');
        let digits = near[begin..begin + length].bytes().filter(u8::is_ascii_digit).count();
        ((4..=8).contains(&digits) && length <= digits + 1).then_some(begin..begin + length)
    };
    let range = if let Some(open) = ["passcode ", "Passcode "].iter().find(|word| near.starts_with(**word)) {
        code(open.len()).filter(|range| range.len() > 4 && ends_clause(&near[range.end..]))?
    } else if let Some(open) = MESSAGES.iter().find(|words| near.starts_with(**words)) {
        code(open.len()).filter(|range| ends_clause(&near[range.end..]))?
    } else {
        let begins = |words: &&&str| near.get(..words.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(words));
        let open = DONE_WITH.iter().filter(begins).map(|words| words.len()).max()?;
        let is_done = |words: &&str, range: &Range<usize>| {
            let after = near[range.end..].strip_prefix(*words);
            after.is_some_and(|after| range.len() > 5 || words.starts_with(" as ") && ends_clause(after))
        };
        code(open).filter(|range| DONE_FOR.iter().any(|words| is_done(words, range)))?
    };
    Some(place.at + range.start..place.at + range.end)
}

/// Words for the code of a door in other languages, and what stands between one and the code.
const ENTRANCES: [&str; 13] = [
    "Türcode",
    "Torcode",
    "Tresorcode",
    "code de la porte",
    "Code de la porte",
    "code du portail",
    "Code du portail",
    "code de l'immeuble",
    "code d'entrée",
    "Code d'entrée",
    "código de la puerta",
    "codice del cancello",
    "Schließfachcode",
];
const ENTRANCE_IS: [&str; 9] =
    [": ", " lautet ", " ist ", " est ", " : ", " es ", " è ", " lautet jetzt ", " ist jetzt "];

/// What is opened with a code that stands before it: `code 4471 to disarm`.
const TO_OPEN: [&str; 7] = [
    " to disarm",
    " to open the door",
    " to open the gate",
    " to open the safe",
    " to unlock the door",
    " at the door",
    " at the gate",
];

/// The code of a door in another language, or before what it opens: `le code de la porte est A1357`, `code 4471 to disarm`.
pub(crate) fn of_entrance(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), CODE)];
    let code = |begin: usize| {
        let length =
            run(&near[begin..], |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || b"#*".contains(&byte));
        let digits = near[begin..begin + length].bytes().filter(u8::is_ascii_digit).count();
        ((4..=8).contains(&digits) && length <= 10).then_some(begin..begin + length)
    };
    let range = if let Some(name) = ENTRANCES.iter().find(|name| near.starts_with(**name)) {
        let signs = ENTRANCE_IS.iter().filter(|sign| near[name.len()..].starts_with(**sign));
        code(name.len() + signs.map(|sign| sign.len()).max()?).filter(|range| ends_clause(&near[range.end..]))?
    } else {
        let open = ["code ", "Code "].iter().find(|word| near.starts_with(**word))?.len();
        let is_opened = |words: &&str, after: &str| {
            after.strip_prefix(*words).is_some_and(|after| ends_clause(after) || after.starts_with(" the alarm"))
        };
        let before = place.text[..place.at].trim_end();
        if ["error", "exit", "return", "status", "fault", "alarm", "Error"].iter().any(|word| before.ends_with(word)) {
            return None;
        }
        code(open).filter(|range| TO_OPEN.iter().any(|words| is_opened(words, &near[range.end..])))?
    };
    Some(place.at + range.start..place.at + range.end)
}
