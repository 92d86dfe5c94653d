//! Values that no sign divides from their names: a blank, a comma, a bar, a line's end, or the words of a sentence. Pure.

use super::{apposition, phrase};
use crate::text::alphabet::{DOTTED, WORD};
use crate::text::place::{Place, boundary, run};
use crate::told::change::misfit;
use crate::told::joined::{chosen, follows_user};
use crate::told::said;
use crate::value::certain::{LONG_HEX, is_certain, is_certain_key, is_elsewhere, is_of_token, is_quoted_secret, opens};
use crate::value::fault::is_refused_token;
use crate::value::following::after_sign;
use crate::value::generated::{self, is_no_code};
use crate::value::sign::{Sign, announced, is_blank, linking, numbered, typed};
use crate::value::speech::stands_in;
use crate::word::names::{Kind, MEANS_IS, Name, takes_none};
use crate::word::predicate::{describes, ends_clause};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::remark::{is_drawn, is_of_code};
use crate::word::shape::{has_mark_inside, is_identifying, is_in_blocks, is_label, is_of_kubeadm, is_uuid};
use crate::word::tongue::{self, is_of_other_letters};

/// A word after `token` is one from this length on, if it is no word of a language and no name with dashes in it.
const LONG_TOKEN: usize = 16;

/// A key in base64 after its name has so many characters at least.
const LONG_KEY: usize = 40;

/// How far a sentence is followed.
const NEAR: usize = 200;

/// How many words may say whose a secret is: `password for user app: …`.
const MOST_WORDS: usize = 3;

/// Words that say where or since when a password is one.
const BESIDE: [&str; 13] = [
    "at ", "in ", "from ", "under ", "behind ", "used ", "since ", "between ", "we use ", "inside ", "by ", "within ",
    "via ",
];

/// How many may where what follows can be nothing but a password.
const MOST_WORDS_FAR: usize = 9;

/// What there may be none of, after a password: `password 0 days`.
const COUNTED: [&str; 8] = ["days", "times", "attempts", "characters", "hours", "minutes", "weeks", "failures"];

/// Words that link a name with its value after no other name: they mean something else in other languages.
const LINKS: [(&str, &str); 12] = [
    ("hasło", "to "),
    ("haslo", "to "),
    ("heslo", "je "),
    ("passord", "er "),
    ("passordet", "er "),
    ("adgangskode", "er "),
    ("adgangskoden", "er "),
    ("kodeord", "er "),
    ("kodeordet", "er "),
    ("пароль", "- "),
    ("пароль", "– "),
    ("пароль", "— "),
];

/// What is said of a password that somebody gave, behind its quotation.
const REFUSED: [&str; 8] = [
    " rejected",
    " refused",
    " denied",
    " accepted",
    " was rejected",
    " was refused",
    " does not match",
    " did not match",
];

/// What a password is called that is quoted because anybody could guess it.
const WEAK: [&str; 5] = ["weak ", "default ", "guessable ", "trivial ", "hardcoded "];

/// A value that only a blank, a comma, a bar or a line's end divides from its name.
pub(super) fn apart(place: Place<'_>, name: &str, named: &Name, at: usize, blanks: usize) -> Option<(usize, Sign)> {
    let rest = place.rest();
    let after = &rest[at + blanks..];
    if name.starts_with('-') && takes_none(name) {
        return None;
    }
    if name.starts_with('-') && rest[..at].ends_with('"') && numbered(after) > 0 {
        return Some((at + blanks + numbered(after), Sign::Blank));
    }
    if name.starts_with('-') && blanks > 0 && !after.starts_with('-') {
        return Some((at + blanks, Sign::Blank));
    }
    if name.starts_with('-') && rest[..at].ends_with(['"', '\'']) && after.starts_with(',') {
        // As a list of JSON.
        let item = at + blanks + run(after, |byte| b", ".contains(&byte));
        let is_value = rest[item..].starts_with(['"', '\'']) && !rest[item + 1..].starts_with('-');
        return is_value.then_some((item, Sign::Blank));
    }
    if name.starts_with('-') && after.starts_with('\n') {
        // The arguments of a command as a list of YAML.
        let item = at + run(&rest[at..], |byte| byte.is_ascii_whitespace());
        if let Some(value) = rest[item..].strip_prefix("- ") {
            return (!value.starts_with('-')).then_some((item + 2, Sign::Blank));
        }
        // Or one on each line.
        let line = &rest[item..boundary(rest, item + NEAR).max(item)];
        let line = line.split('\n').next()?.trim_end();
        return (!line.contains([' ', ':', '=']) && !line.starts_with('-')).then_some((item, Sign::Loose));
    }
    if name.starts_with("CURLOPT_") && after.starts_with(',') {
        // `curl_setopt(handle, CURLOPT_USERPWD, "…")`
        let value = at + blanks + run(after, |byte| b", ".contains(&byte));
        return rest[value..].starts_with(['"', '\'']).then_some((value, Sign::Equals));
    }
    // `密码是 …`
    if name.ends_with(|c| MEANS_IS.contains(c)) || tongue::is_linked(name) {
        return is_of_latin(after).then_some((at + blanks, Sign::Word));
    }
    // `npm config set _authToken …`, `ENV API_TOKEN …`; `password 7 …` of routers.
    let before = place.text[..place.at].trim_end_matches([' ', '"', '\'']);
    let is_set = ["set", "setx", "ENV", "put"].iter().any(|word| before.ends_with(word));
    // `set vpn ipsec … pre-shared-secret '…'` of routers.
    let line = &before[before.floor_char_boundary(before.len().saturating_sub(NEAR))..];
    let line = line.rsplit('\n').next().unwrap_or_default();
    let is_setting = line.starts_with("set ") || line.contains("# set ") || line.contains("$ set ");
    // The value of a registry of Windows: `DefaultPassword    REG_SZ    …`.
    if let Some(value) = ["REG_SZ", "REG_EXPAND_SZ"].iter().find_map(|kind| after.strip_prefix(kind)) {
        let gap = run(value, is_blank);
        return (blanks > 0 && gap > 0 && named.kind >= Kind::Token)
            .then(|| (rest.len() - value.len() + gap, Sign::Equals));
    }
    if blanks > 0 && is_setting && named.kind >= Kind::Token && after.starts_with(['"', '\'']) {
        return Some((at + blanks, Sign::Equals));
    }
    let kind_of_hash =
        if after.starts_with(|c: char| c.is_ascii_digit()) && after[1..].starts_with(' ') { 2 } else { 0 };
    if blanks > 0 && (is_set || kind_of_hash > 0) {
        let begin = at + blanks + kind_of_hash;
        let word = &rest[begin..begin + run(&rest[begin..], |byte| !byte.is_ascii_whitespace())];
        // `env:set AUTH_SECRET zebra-crossing-17`, `ppp chap password 0 …`
        let is_variable =
            is_set && name.len() == at && name.contains('_') && !name.bytes().any(|byte| byte.is_ascii_lowercase());
        let is_last =
            rest[begin + word.len()..].trim_start_matches([' ', '\r']).chars().next().is_none_or(|c| c == '\n');
        let is_plain =
            kind_of_hash > 0 && after.starts_with("0 ") && is_last && word.len() > 3 && !COUNTED.contains(&word);
        // What only a command can have before it.
        let is_command = [":set", ":add", "setx", "ENV"].iter().any(|word| before.ends_with(word));
        let is_told = word.bytes().any(|byte| byte.is_ascii_digit()) || is_command && is_last;
        let is_given = is_variable && is_told && word.len() > 5 || is_plain;
        return ((looks_random(word, 6) || is_varied(word) || word.starts_with("$1$") || is_given)
            && !word.contains(':'))
        .then_some((begin, if is_given { Sign::Equals } else { Sign::Blank }));
    }
    // `temporary password is generated for root@localhost: …`
    if named.kind == Kind::Password
        && let Some(told) = announced(place, after)
    {
        return Some((at + blanks + told, Sign::Equals));
    }
    // `hasło to …`, `heslo je …`, `пароль - …`
    let means_is =
        LINKS.iter().find(|(name, word)| blanks > 0 && named.core.ends_with(name) && after.starts_with(word));
    if let Some((_, word)) = means_is {
        return Some((at + blanks + word.len(), Sign::Word));
    }
    // `lozinka za ruter je …`, `كلمة المرور هي …`
    let is_like_one = |text: &str| chosen(text).is_some() || said::word(&text[..boundary(text, NEAR)], 0).is_some();
    if let Some((linked, is_next)) = tongue::linked(&named.core, after).filter(|_| blanks > 0 && at == name.len()) {
        let value = &after[linked..];
        let is_plain = is_next && is_of_other_letters(&named.core) && is_of_latin(value);
        if is_plain || is_like_one(value) {
            let is_sign = after[..linked].ends_with(": ");
            return Some((at + blanks + linked, if is_sign { Sign::Colon } else { Sign::Word }));
        }
    }
    // Other marks than a password has stand around what is none.
    let is_made = |text: &str| {
        let is_word = named.kind == Kind::Password && !named.core.ends_with("key");
        let begins = !text.starts_with(['-', '"', '\'', '`', '&', '<']);
        let length = generated::unquoted(text, false).filter(|_| is_word && begins).unwrap_or(0);
        length > 0 && is_no_code(&text[..length]) && !is_identifying(&text[..length]) && !is_elsewhere(text)
    };
    let follows =
        |word: &str| !is_elsewhere(word) && (follows_plainly(named, word) || is_uuid(word) && is_certain(place, named));
    if at == name.len()
        && let Some((linked, sign)) = apposition::linked(named, &rest[at..])
    {
        return Some((at + linked, sign));
    }
    if after.starts_with('(')
        && let Some(linked) = described(after).filter(|_| blanks > 0)
    {
        return Some((at + blanks + linked, Sign::Word));
    }
    let divided = match after.chars().next()? {
        '|' | ',' | ';' | '[' => 1,
        '-' if after[1..].starts_with(' ') => 1,
        '/' if name.len() == at => 1,
        '(' => 1 + if after[1..].starts_with("got ") { 4 } else { 0 },
        '\n' | '\r' => run(after, |byte| byte.is_ascii_whitespace()),
        _ => ["to ", "as ", "with "]
            .into_iter()
            .find(|word| after.starts_with(word) && !after.starts_with("to be "))
            .map_or(0, str::len),
    };
    if divided > 0 {
        let begin = at + blanks + divided + run(&after[divided..], is_blank);
        let begin = begin + run(&rest[begin..], |byte| b"\"'`*\\".contains(&byte));
        let word = &rest[begin..boundary(rest, begin + 128).max(begin)];
        let word =
            &word[..word.find(|c: char| c.is_whitespace() || "\"'`|,;()[]<>\\".contains(c)).unwrap_or(word.len())];
        // `/secrets/db-password/…`: the version of a secret.
        // `/password/edit?token=…`
        let word =
            if after.starts_with('/') { word.split(['/', '?', '#', '&']).next().unwrap_or_default() } else { word };
        let is_version = after.starts_with('/') && (word.bytes().all(|byte| byte.is_ascii_hexdigit()) || is_uuid(word));
        let sign = if after.starts_with('(') && !word.contains([':', '=', '.']) { Sign::Blank } else { Sign::Loose };
        let is_cell =
            || !after.starts_with('\n') || !rest[begin..].split('\n').next().is_some_and(|line| line.contains(','));
        let is_value = || named.kind == Kind::Password && is_drawn(word) || is_made(&rest[begin..]) && is_cell();
        if (follows(word) || after.starts_with(['|', '\n', '-']) && is_value()) && !is_version {
            return Some((begin, sign));
        }
        if !after.starts_with("to ") {
            return None;
        }
    }
    if blanks == 0 {
        return None;
    }
    // `password is …`, `password for bob is …`
    let of = [
        "for ", "of ", "on ", "to ", "de ", "do ", "da ", "von ", "für ", "pour ", "от ", "для ", "к ", "del ", "van ",
        "voor ", "du ", "des ", "della ", "vom ", "zum ", "zur ",
    ]
    .into_iter()
    .find(|word| after.starts_with(word))
    .map_or(0, str::len);
    // `password at the site is …`: what is like a password, for these words begin other clauses as well.
    let beside = BESIDE.into_iter().find(|word| after.starts_with(word)).map_or(0, str::len);
    if of + beside > 0 {
        let mut whose = of + beside;
        for nth in 0..MOST_WORDS_FAR {
            whose += run(&after[whose..], |byte| DOTTED(byte) || byte == b'@') + 1;
            let Some(next) = after.get(whose..) else { break };
            let is_near = of > 0 && nth < MOST_WORDS;
            if let Some(linked) = linking(next).filter(|linked| is_near || is_like_one(&next[*linked..])) {
                return Some((at + blanks + whose + linked, Sign::Word));
            }
        }
    }
    if let Some(linked) = linking(after) {
        return Some((at + blanks + linked, Sign::Word));
    }
    // `password you want is …`
    if let Some(linked) = described(after) {
        return Some((at + blanks + linked, Sign::Word));
    }
    // `password for user app: …`
    let of = of + beside;
    if of > 0 && at == name.len() && (named.kind == Kind::Password || named.core.ends_with("code")) {
        let quote = after[of..].chars().next().filter(|c| "\"'".contains(*c));
        let near = &after[..boundary(after, NEAR)];
        let whose = match quote {
            Some(quote) => of + 1 + near[of + 1..].find(quote)? + 1,
            None => of,
        };
        let sign =
            whose + near[whose..].find([':', '=', '\n']).filter(|sign| !near[whose + *sign..].starts_with('\n'))?;
        // `password for the elastic user (…): …`
        let words = near[whose..sign].split('(').next().unwrap_or_default();
        let count = words.split_whitespace().count();
        let is_near = |begin: usize| {
            beside == 0 && count <= MOST_WORDS || count <= MOST_WORDS_FAR && chosen(&rest[begin..]).is_some()
        };
        // `password for app" user=bob`, `password for db host=db1`
        let is_pair =
            near[sign..].starts_with('=') && !near[sign + 1..].starts_with(' ') && near[whose..sign].contains(' ');
        let is_other = quote.is_none() && (near[whose..sign].contains('"') || is_pair);
        return after_sign(rest, at + blanks + sign).filter(|(begin, _)| is_near(*begin) && !is_other);
    }
    // `var password string = "…"`, but not `session error="…"`
    let is_type = |word: &str| word.ends_with([' ', '\t']) || is_of_code(word);
    if !rest[..at].ends_with(['"', '\''])
        && let Some(typed) = typed(after)
        && after.split('=').next().is_some_and(is_type)
    {
        return Some((at + blanks + typed, Sign::Equals));
    }
    // `passphrase "correct horse battery" was accepted`
    if phrase::is_quoted(named, after) {
        return Some((at + blanks, Sign::Equals));
    }
    // `SECRET_KEY must have 32 characters, got "…"`
    if let Some(begin) = misfit(after) {
        return Some((at + blanks + begin, Sign::Equals));
    }
    // `password "…" rejected`, `token … rejected`
    let lead = after.strip_prefix("value ").map_or(0, |_| "value ".len());
    let after = &after[lead..];
    let quote = run(after, |byte| b"\"'(`<".contains(&byte));
    let word = &after[quote..boundary(after, quote + 128).max(quote)];
    let word = &word[..word.find(|c: char| c.is_whitespace() || "\"'`|,;()[]<>\\".contains(c)).unwrap_or(word.len())];
    // `token … : 401`
    let word = word.trim_end_matches(':');
    let is_quoted_password = || {
        let is_random = word.bytes().any(|byte| byte.is_ascii_digit()) && looks_random(word, 6) && !is_label(word);
        let is_refused =
            after.get(quote + word.len() + 1..).is_some_and(|after| REFUSED.iter().any(|word| after.starts_with(word)));
        let is_weak = WEAK.iter().any(|word| place.text[..place.at].ends_with(word));
        let is_given = (is_weak || place.text[..place.at].ends_with("with "))
            && after.get(quote + word.len()..).is_some_and(ends_clause);
        let is_plain = (is_refused || is_given)
            && word.len() > 4
            && word.chars().all(char::is_alphanumeric)
            && !describes("password", word);
        named.kind == Kind::Password && after.starts_with(['"', '\'']) && (is_random || is_plain && !stands_in(word))
    };
    let is_quoted_secret = || lead == 0 && blanks == 1 && is_quoted_secret(place, named, after);
    (follows(word)
        || lead == 0 && blanks > 0 && is_made(after)
        || is_quoted_password()
        || is_quoted_secret()
        || is_of_token(word) && opens(place, name, named)
        || is_refused_token(named, place, word, &after[quote + word.len()..])
        || named.kind == Kind::Password && at == name.len() && follows_user(place, after))
    .then_some((at + blanks + lead + usize::from(after.starts_with(['(', '<'])), Sign::Blank))
}

/// Whether a word of plain letters or digits follows, also in quotation marks.
fn is_of_latin(text: &str) -> bool {
    text.trim_start_matches(['"', '\'', '`', '*']).starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Where the value begins after words that say which secret it is, and a link: `you want is …`, `(temporary) is …`.
fn described(after: &str) -> Option<usize> {
    let near = &after[..boundary(after, 48)];
    if near.starts_with('(') {
        let close = near.find(')')? + 1;
        let gap = close + run(&near[close..], is_blank);
        return linking(near.get(gap..)?).map(|linked| gap + linked);
    }
    let who = ["you ", "we ", "they ", "I ", "he ", "she "].iter().find(|who| near.starts_with(**who))?.len();
    let verb = who + run(&near[who..], |byte| byte.is_ascii_lowercase());
    let next = near[verb..].strip_prefix(' ')?;
    linking(next).map(|linked| verb + 1 + linked)
}

/// Whether a word after a name, without any sign, is its value, and no word about it.
fn follows_plainly(named: &Name, word: &str) -> bool {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let begins = word.starts_with(|c: char| c.is_alphanumeric()) && word.bytes().any(|byte| byte.is_ascii_digit());
    let has_mark = word.contains(['!', '@', '#', '$', '%', '^', '&', '*']);
    let is_base64 =
        || word.len() >= LONG_KEY && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let of_digits = |word: &str, length: usize| word.len() == length && word.bytes().all(|byte| byte.is_ascii_digit());
    // `backup code 4412-9931`
    let is_digits =
        || of_digits(word, 6) || word.split_once('-').is_some_and(|(a, b)| of_digits(a, 4) && of_digits(b, 4));
    match named.kind {
        _ if named.core == "pass" => is_plain && looks_random(word, 6),
        Kind::Password if is_hex && named.core.ends_with("key") => word.len() >= LONG_HEX && is_certain_key(named),
        Kind::Token if named.core.ends_with("licensekey") && is_in_blocks(word) => true,
        // `user elastic, pw changeme!Elastic`
        Kind::Password if named.core == "pw" && has_mark_inside(word) => true,
        Kind::Password => {
            begins
                && word.len() >= 6
                && (is_strong(word) || is_varied(word) || (is_plain || has_mark) && looks_random(word, 6))
        }
        Kind::Token if named.core.ends_with("code") || named.core == "otp" => is_digits(),
        Kind::Token if is_base64() => is_strong(word) && !is_hex,
        Kind::Token if is_of_kubeadm(word) => true,
        Kind::Token => {
            word.bytes().all(WORD)
                && (is_plain || is_strong(word))
                && !is_hex
                && (word.len() >= 10 && is_strong(word)
                    || begins && word.len() >= LONG_TOKEN && looks_random(word, LONG_TOKEN))
        }
        // A personal access token.
        Kind::Opaque if named.core == "pat" => word.len() >= LONG_TOKEN && is_plain && is_strong(word) && !is_hex,
        Kind::Opaque if named.core.ends_with("community") => is_strong(word) || is_varied(word),
        _ => false,
    }
}
