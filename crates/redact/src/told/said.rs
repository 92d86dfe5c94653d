//! Secrets that a person tells another in a sentence: `use … as password`, `admin / …`, `bob/… on jump1.example`, `the key is …`. Pure.

use std::ops::Range;

use super::joined::chosen;
use crate::text::alphabet::{DOTTED, WORD};
use crate::text::place::{Place, boundary, run};
use crate::value::speech::stands_in;
use crate::word::predicate::{describes, ends_clause, is_method};
use crate::word::random::{is_strong, is_varied};
use crate::word::shape::{is_identifying, is_label, is_odd, is_uuid};

/// How far a sentence is followed.
const SENTENCE: usize = 256;

/// How far a short remark is followed.
const REMARK: usize = 64;

/// Words that a person begins with who tells a password, and what follows it: `use … as password`.
const TOLD: [&str; 9] = ["use ", "used ", "using ", "chose ", "picked ", "with ", "enter ", "try ", "type "];
const TOLD_AS: &str = "password passwd pw pass passphrase login secret pin";
const MOST_WORDS: usize = 4;

/// The same where any word is a password: nothing may follow.
const AS_PASSWORD: [&str; 6] =
    [" as the password", " as password", " as the pw", " as pw", " as the passphrase", " as passphrase"];

/// The same where only what is varied is one.
const FOR_PASSWORD: [&str; 4] = [" for the password", " for password", " for the pw", " for the passphrase"];

/// Words with which a person says as whom to sign in, and with what: `log in as admin with …`.
const SIGN_IN: [&str; 8] = [
    "log in as ",
    "login as ",
    "logging in as ",
    "logged in as ",
    "sign in as ",
    "signed in as ",
    "ssh in as ",
    "connect as ",
];

/// Names before a user, and before the password after it: `u: bob p: …`.
const USER_IS: [&str; 5] = ["u: ", "user: ", "username: ", "usr: ", "login: "];
const PASS_IS: [&str; 5] = ["p: ", "pw: ", "pass: ", "pwd: ", "passwd: "];

/// Words for a password that both know, and what stands between them and it.
const USUAL: [&str; 5] = ["usual", "default", "same old", "same", "old"];
const USUAL_ONE: [&str; 8] =
    [" as before", " as always", " password as always", " password as before", " one", " pw", " pass", " creds"];

const SIGN_IN_WITH: [&str; 8] = [
    "log in with ",
    "login with ",
    "sign in with ",
    "logging in with ",
    "logged in with ",
    "log in using ",
    "login using ",
    "sign in using ",
];

/// Words before a user and before a password of such a sentence.
const A_USER: [&str; 3] = ["user ", "username ", "account "];
const A_PASSWORD: [&str; 5] = ["password ", "pw ", "pass ", "passwd ", "the password "];

/// Accounts that every system has.
const ACCOUNTS: [&str; 6] = ["administrator", "admin", "root", "sa", "postgres", "elastic"];

/// What is said of an account with its password, behind both.
const WORKS: [&str; 6] = [" works", " should work", " still works", " worked", " does not work", " doesn't work"];

/// Words that announce an account with its password, and roles, which stand beside an account, too.
const ANNOUNCING: &str = "login logins creds cred credentials account zugang zugangsdaten anmeldedaten identifiants accès credenciales \
    acceso credenziali accesso credenciais acesso password passwort";
const ROLES: &str = "operator viewer editor user users guest member owner staff root admin administrator developer tester support email";

/// The password that a person tells another: `use … as password`, `log in as admin with …`, `u: admin p: …`.
pub(crate) fn told(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if rest.starts_with(['t', 'T']) && !rest[1..].starts_with("ry ") && !rest[1..].starts_with("ype ") {
        return None;
    }
    let starts = |word: &&str| rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    if ![&TOLD[..], &SIGN_IN, &SIGN_IN_WITH, &USER_IS].into_iter().flatten().any(&starts) {
        return None;
    }
    let near = &rest[..boundary(rest, SENTENCE)];
    let name = |at: usize| at + run(&near[at..], |byte| DOTTED(byte) || byte == b'@');
    let begin = if let Some(open) = TOLD.iter().find(|word| starts(word)) {
        let at = open.len() + run(&near[open.len()..], |byte| b"\"'`".contains(&byte));
        // `use demo@x.example with …`
        let user = name(at);
        if near[at..user].contains('@')
            && let Some(with) = near[user..].strip_prefix(" with ")
        {
            let range = word(near, near.len() - with.len())?;
            return is_varied(&near[range.clone()]).then(|| place.at + range.start..place.at + range.end);
        }
        if let Some(secret) = to_sign_in(near, at) {
            return Some(place.at + secret.start..place.at + secret.end);
        }
        let says = |range: &Range<usize>| {
            let after = near[range.end..].trim_start_matches(['"', '\'', '`']);
            let is_random = || is_random(&near[range.clone()]);
            after.strip_prefix(" as ").is_some_and(|after| says_password(after) || says_token(after) && is_random())
                || FOR_PASSWORD.iter().any(|words| after.strip_prefix(words).is_some_and(ends_clause))
                    && !is_method(&near[range.clone()].to_lowercase())
                || [" when ", " if "].iter().any(|word| after.trim_start_matches('?').starts_with(word))
                    && asks_for_password(after)
        };
        let names = |range: &Range<usize>| {
            AS_PASSWORD.iter().any(|words| {
                near[range.end..].trim_start_matches(['"', '\'', '`']).strip_prefix(words).is_some_and(ends_clause)
            })
        };
        return word(near, at)
            .filter(says)
            .or_else(|| alphanumeric(near, at).filter(names))
            .map(|range| place.at + range.start..place.at + range.end);
    } else if let Some(open) = SIGN_IN.iter().find(|word| starts(word)) {
        let user = name(open.len());
        let begin = user + near[user..].strip_prefix(" with ").map(|_| " with ".len())?;
        if let Some(range) =
            behind(near, begin, &A_PASSWORD).and_then(|begin| word(near, begin).or_else(|| plain(near, begin)))
        {
            return Some(place.at + range.start..place.at + range.end);
        }
        begin
    } else if let Some(open) = SIGN_IN_WITH.iter().find(|word| starts(word)) {
        let range = signing_in_with(near, open.len())?;
        return Some(place.at + range.start..place.at + range.end);
    } else {
        let user = name(USER_IS.iter().find(|sign| starts(sign))?.len());
        let gap = user + run(&near[user..], |byte| b" ,/;|".contains(&byte));
        let sign = PASS_IS.iter().find(|sign| near[gap..].starts_with(**sign)).filter(|_| gap > user)?.len();
        return word(near, gap + sign)
            .or_else(|| plain(near, gap + sign))
            .map(|range| place.at + range.start..place.at + range.end);
    };
    word(near, begin).map(|range| place.at + range.start..place.at + range.end)
}

/// Where a sentence goes on behind one of `words`.
fn behind(near: &str, at: usize, words: &[&str]) -> Option<usize> {
    words.iter().find(|word| near[at..].starts_with(**word)).map(|word| at + word.len())
}

/// The password of a user with whom somebody signs in: `log in with jo and …`, `log in with user jo and password …`.
fn signing_in_with(near: &str, open: usize) -> Option<Range<usize>> {
    let named = behind(near, open, &A_USER);
    let begin = named.unwrap_or(open);
    let user = begin + run(&near[begin..], |byte| DOTTED(byte) || byte == b'@');
    let linked = behind(near, user, &[" and ", " / ", ", "])?;
    let (at, is_named) = behind(near, linked, &A_PASSWORD).map_or((linked, false), |at| (at, named.is_some()));
    let length = run(&near[at..], |byte| byte.is_ascii_graphic() && !b"\"'`,;()".contains(&byte));
    let text = near[at..at + length].trim_end_matches(['.', '?', ':']);
    if is_odd(text) || is_varied(text) {
        return Some(at..at + text.len());
    }
    let closed = |range: &Range<usize>| near[range.end..].starts_with(&near[at..=at]);
    let quoted =
        || if near[at..].starts_with(['"', '\'', '`']) { alphanumeric(near, at + 1).filter(closed) } else { None };
    // `log in with tenant1 and tenant2`
    let stem = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).to_string();
    let is_other = |range: &Range<usize>| {
        stem(&near[range.clone()]) != stem(&near[begin..user]) && !is_method(&near[range.clone()].to_lowercase())
    };
    let has_digit = |range: &Range<usize>| near[range.clone()].bytes().any(|byte| byte.is_ascii_digit());
    let found = chosen(&near[at..]).map(|range| at + range.start..at + range.end).filter(has_digit).or_else(quoted);
    found.or_else(|| plain(near, at).filter(|_| is_named)).filter(is_other)
}

/// Whether one of the first words of a sentence is one for a password: `the shared login`.
fn says_password(text: &str) -> bool {
    let sentence = text.split(['.', ',', ';', ':', '\n', '!', '(']).next().unwrap_or_default();
    let mut words = sentence.split(' ').take(MOST_WORDS);
    words.any(|word| TOLD_AS.split(' ').any(|known| known == word))
}

/// Whether a sentence says that something is a token or a secret, and no key of a thing.
fn says_token(text: &str) -> bool {
    let word = text.strip_prefix("the ").or_else(|| text.strip_prefix("a ")).unwrap_or(text);
    ["token", "secret", "bearer token", "API key", "api key"]
        .iter()
        .any(|known| word.strip_prefix(known).is_some_and(ends_clause))
}

/// Whether it is said when something is typed: `when asked for the password`.
fn asks_for_password(text: &str) -> bool {
    let sentence = text.split(['.', ',', ';', ':', '\n', '!', '(']).next().unwrap_or_default();
    ["for the ", "for a ", "for your ", "for "]
        .iter()
        .filter_map(|word| sentence.split_once(word))
        .any(|(_, asked)| says_password(asked) && !asked.contains("login"))
}

/// The value between the word for it and what it is good for: `use token … to log in`.
fn to_sign_in(near: &str, at: usize) -> Option<Range<usize>> {
    let kind = ["the token ", "token ", "the secret ", "secret ", "the key ", "key ", "the password ", "password "]
        .iter()
        .find(|kind| near[at..].starts_with(**kind))?
        .len();
    let begin = at + kind + run(&near[at + kind..], |byte| b"\"'`".contains(&byte));
    let range = word(near, begin)?;
    let after = near[range.end..].trim_start_matches(['"', '\'', '`']).strip_prefix(" to ")?;
    ["log ", "login", "sign ", "connect", "authenticate", "get in"]
        .iter()
        .any(|verb| after.starts_with(verb))
        .then_some(range)
}

/// The shortest value that is told by nothing but its letters.
const SHORTEST_RANDOM: usize = 16;

/// Whether a word is a value at random, and no name of a thing: letters of both cases and digits among each other.
pub(crate) fn is_random(text: &str) -> bool {
    let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    let is_mixed = |part: &str| {
        let turns = part.as_bytes().windows(2).filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit()).count();
        is_strong(part) && digits(part) > 1 && turns > 3 && part.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    text.len() >= SHORTEST_RANDOM
        && !is_hex
        && !is_identifying(text)
        && text.split(['+', '/', '=', '_', '-']).any(is_mixed)
}

/// What stands between a password and the words that say that it is one: `… - that's the old root password`.
const IS_THE: [&str; 10] = [
    " is the ",
    " was the ",
    " is our ",
    " is my ",
    " is your ",
    " - that's the ",
    ", that's the ",
    " used to be the ",
    " should be the ",
    " as the ",
];

/// The shortest of these passwords.
const SHORTEST_TOLD: usize = 6;

/// The password of which it is said afterwards that it is one: `… is the new root password`.
pub(crate) fn said_after(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let length =
        run(&rest[..boundary(rest, REMARK)], |byte| byte.is_ascii_graphic() && !b"\"'`,;()<>/=:".contains(&byte));
    let quote = place.before.filter(|byte| b"\"'`".contains(byte)).map(char::from);
    let is_quoted = quote.is_some_and(|quote| rest[length..].starts_with(quote));
    if length < SHORTEST_TOLD - usize::from(is_quoted) {
        return None;
    }
    let close = length + usize::from(rest[length..].starts_with(['"', '\'', '`']));
    let link = IS_THE.iter().find(|link| rest[close..].starts_with(**link))?.len();
    let near = &rest[close + link..boundary(rest, close + link + REMARK).max(close + link)];
    // A token or a secret of a sentence is told where its letters are at random.
    let known = ["password", "passphrase", "pw"].iter().find(|word| near.contains(**word));
    let known =
        known.or_else(|| ["secret", "token"].iter().find(|word| near.contains(**word) && is_random(&rest[..length])));
    let end = near.find(known?)?;
    let words = &near[..end];
    let behind = near[end..].trim_start_matches(|c: char| c.is_ascii_lowercase());
    let is_ended = behind.is_empty()
        || behind.starts_with(['.', ',', ';', '!', '\n', ')'])
        || [" for ", " of ", " on "].iter().any(|word| behind.starts_with(word));
    let text = &rest[..length];
    let is_mixed =
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_plain = is_quoted && text.bytes().all(|byte| byte.is_ascii_alphabetic()) && !describes("password", text);
    let is_password = (is_mixed || is_plain) && !is_label(text) && !stands_in(text);
    let is_qualified = words.split(' ').count() <= MOST_WORDS && !words.contains(['.', ',', '\n']);
    (is_password && is_qualified && is_ended).then(|| place.at..place.at + length)
}

/// The password after an account that every system has and a stroke: `admin / …`.
pub(crate) fn of_account(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let user = ACCOUNTS.iter().find(|user| rest.starts_with(**user))?.len();
    let near = &rest[..boundary(rest, SENTENCE)];
    if near[user..].starts_with('/') {
        // `admin/… works`
        let range = word(near, user + 1)?;
        let after = near[range.end..].trim_start_matches(['"', '\'', '`']);
        let is_told = WORKS
            .iter()
            .any(|word| after.strip_prefix(word).is_some_and(|rest| ends_clause(rest) || rest.starts_with(" as ")));
        return is_told.then(|| place.at + range.start..place.at + range.end);
    }
    let begin = user + near[user..].strip_prefix(" / ").map(|_| " / ".len())?;
    let is_told = || {
        let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(REMARK))..place.at];
        let line = before.rsplit('\n').next().unwrap_or_default().to_lowercase();
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        words.any(|word| ANNOUNCING.split_ascii_whitespace().any(|known| known == word))
    };
    let of_form = || Some(begin..begin + run(&near[begin..], WORD)).filter(|range| is_uuid(&near[range.clone()]));
    let range = word(near, begin).or_else(|| of_form().or_else(|| plain(near, begin)).filter(|_| is_told()))?;
    Some(place.at + range.start..place.at + range.end)
}

/// The password between an address that signs in and what is said of both: `mia@example.com / … works`.
pub(crate) fn of_address(place: Place<'_>) -> Option<Range<usize>> {
    let near = &place.rest()[..boundary(place.rest(), SENTENCE)];
    let address = run(near, |byte| DOTTED(byte) || byte == b'@');
    let begin = address + [" / ", "/", ":"].iter().find(|sign| near[address..].starts_with(**sign))?.len();
    let is_address = near[..address].split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    let range = word(near, begin).filter(|_| is_address)?;
    let after = near[range.end..].trim_start_matches(['"', '\'', '`']);
    WORKS.iter().any(|word| after.starts_with(word)).then(|| place.at + range.start..place.at + range.end)
}

/// The password that both know, said once more: `the usual one, …`.
pub(crate) fn usual(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word_end = USUAL.iter().find(|word| rest.starts_with(**word))?.len();
    let near = &rest[..boundary(rest, SENTENCE)];
    let one = word_end + USUAL_ONE.iter().find(|one| near[word_end..].starts_with(**one))?.len();
    let gap = run(&near[one..], |byte| b" ,(:-".contains(&byte));
    let begin = one + gap + near[one + gap..].strip_prefix("is ").map_or(0, |_| "is ".len());
    let begin = begin + run(&near[begin..], |byte| b"\"'`".contains(&byte));
    let range = word(near, begin).filter(|_| gap > 0)?;
    (is_varied(&near[range.clone()])).then(|| place.at + range.start..place.at + range.end)
}

/// Words that another password is told with, where the one before it was spoken of.
const NEW_ONE: [&str; 4] = ["one is ", "one is now ", "one: ", "one was "];
const ANOTHER: [&str; 5] = ["new ", "old ", "current ", "other ", "right "];
const SPOKEN_OF: [&str; 4] = [" is ", " was ", ": ", " has "];

/// The password of a sentence that has spoken of one before: `login is ops and the new one is …`.
pub(crate) fn another(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let open = NEW_ONE.iter().filter(|words| rest.starts_with(**words)).map(|words| words.len()).max()?;
    let near = &rest[..boundary(rest, SENTENCE)];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(SENTENCE))..place.at];
    let line = before.rsplit('\n').next().filter(|line| ANOTHER.iter().any(|word| line.ends_with(word)))?;
    let is_spoken_of = |known: &str| {
        let ends = SPOKEN_OF.iter().flat_map(|sign| line.match_indices(*sign)).map(|(at, _)| &line[..at]);
        ends.filter_map(|before| before.rsplit(|c: char| !c.is_alphanumeric()).next())
            .any(|word| known.split(' ').any(|known| known.eq_ignore_ascii_case(word)))
    };
    let begin = open + run(&near[open..], |byte| b"\"'`".contains(&byte));
    let range = word(near, begin)
        .filter(|_| is_spoken_of(TOLD_AS))
        .or_else(|| plain(near, begin).filter(|_| is_spoken_of("password passwd pw passphrase")))?;
    Some(place.at + range.start..place.at + range.end)
}

/// The password between a user and a host: `bob/… on jump1.example`.
pub(crate) fn on_host(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let begins = place.before.is_none_or(|byte| b" \n\"'(`".contains(&byte));
    let user = run(rest, |byte| byte.is_ascii_lowercase() || byte == b'_');
    let password = rest[user..].strip_prefix('/').filter(|_| begins && (2..=16).contains(&user))?;
    let near = &password[..boundary(password, SENTENCE)];
    let word = word(near, 0)?;
    let host = near[word.end..].strip_prefix(" on ").or_else(|| near[word.end..].strip_prefix(" at "))?;
    let host = &host[..run(host, DOTTED)];
    let is_host = host.trim_end_matches('.').contains('.') || host.bytes().any(|byte| byte.is_ascii_digit());
    let begin = place.at + user + 1;
    (is_host && is_spelled_oddly(&near[word.clone()])).then(|| begin..begin + word.end)
}

/// The word at a place, if it is as varied as passwords are.
pub(crate) fn word(near: &str, at: usize) -> Option<Range<usize>> {
    let text = &near[at..];
    let text = &text[..text.find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(text.len())];
    let text = text.trim_end_matches(['.', ':', '?']);
    let is_place = text.contains(['/', '=', ':', '(']);
    ((is_strong(text) || is_varied(text)) && !is_place && !stands_in(text)).then(|| at..at + text.len())
}

/// The plain word at a place, if it ends its clause and is neither a role nor a word about a password.
fn plain(near: &str, at: usize) -> Option<Range<usize>> {
    alphanumeric(near, at).filter(|range| ends_clause(&near[range.end..]))
}

/// The plain word at a place, if it is neither a role nor a word about a password.
fn alphanumeric(near: &str, at: usize) -> Option<Range<usize>> {
    let length = near[at..].find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(near.len() - at);
    let text = near[at..at + length].trim_end_matches(['.', ':', '?']);
    let is_word = text.chars().all(char::is_alphanumeric) && text.starts_with(char::is_alphabetic);
    let is_role = ROLES.split(' ').any(|role| role.eq_ignore_ascii_case(text));
    let is_told = is_word && !is_role && text.len() > 3 && !stands_in(text) && !describes("password", text);
    is_told.then(|| at..at + text.len())
}

/// Whether a word has a mark that names have not, or digits among its letters more than once: `b0b-on-H0st`, but not `K8s-Agent`.
fn is_spelled_oddly(word: &str) -> bool {
    let inner = word
        .as_bytes()
        .windows(3)
        .filter(|three| three[0].is_ascii_alphabetic() && three[1].is_ascii_digit() && three[2].is_ascii_alphabetic());
    word.contains(['!', '#', '$', '%', '^', '&', '*']) || inner.count() >= 2
}
