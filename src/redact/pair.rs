//! Secrets that are told by a name: `password=…`, `"token": "…"`, `--secret …`, `IDENTIFIED BY '…'`. Pure.

use std::ops::Range;

use super::rules::{
    DOTTED, HARMLESS_NAMES, HARMLESS_VALUES, KEY_OWNERS, PARAMETERS, SCHEMES, SECRET_NAMES, SECRET_SUFFIXES,
    TALKATIVE_NAMES,
};
use super::scan::{Place, boundary, looked_at, looks_random, run};

/// How far a line is followed in search of its sense.
const LINE: usize = 512;

/// Quotation marks as addresses and pages have them.
const QUOTES: [&str; 3] = ["%22", "&quot;", "&#34;"];

/// Names after which a secret may stand without any sign.
const PLAIN_NAMES: [&str; 6] = ["password", "passwd", "passphrase", "secretaccesskey", "apikey", "secretkey"];

/// Owners whose keys are as often names of queues and places as secrets.
const DOUBTFUL_OWNERS: [&str; 6] = ["routing", "integration", "service", "session", "account", "app"];

/// Whether what belongs to `name` is a secret: `db_password`, `X-Api-Key`, `token`.
pub fn is_secret_name(name: &str) -> bool {
    is_secret_bare(&core(name))
}

fn is_secret_bare(name: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    (ends(&SECRET_NAMES) || owner(name).is_some()) && !ends(&HARMLESS_NAMES)
}

/// Whose key a name says that it is.
fn owner(name: &str) -> Option<&'static str> {
    let before = name.strip_suffix("key")?;
    KEY_OWNERS.into_iter().find(|owner| before.ends_with(owner))
}

/// `name` in lower case without separators, and without what may follow the word that says secret.
fn core(name: &str) -> String {
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
    let joined = words.concat();
    let trimmed = joined.trim_end_matches(|c: char| c.is_ascii_digit());
    trimmed.to_string()
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
    if name.is_empty() || name.len() > 128 {
        return None;
    }
    let core = spaced(place, core(name));
    let is_parameter_name = PARAMETERS.contains(&core.as_str());
    if !is_parameter_name && !is_secret_bare(&core) && core != "privatemac" {
        return None;
    }
    let (at, sign) = sign(place, name, &core)?;
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
    if (place.is_parameter || core == "jsessionid") && range.start == 0 {
        // The value of a parameter ends with the query.
        range.end = value[..range.end].find(['#', '?']).unwrap_or(range.end);
    }
    let is_quoted = range.start > 0 && !value.starts_with(['(', '{']);
    let hidden = &value[range.clone()];
    let says_secret = !is_harmless(&core, hidden, sign, is_quoted);
    says_secret.then(|| begin + range.start..begin + range.end)
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
enum Sign {
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
    if name.starts_with('-') && blanks > 0 && !after.starts_with('-') {
        return Some((at + blanks, Sign::Blank));
    }
    if blanks == 0 {
        return None;
    }
    // `password is …`, `password for bob is …`
    let of = ["for ", "of "].into_iter().find(|word| after.starts_with(word)).map_or(0, str::len);
    let whose = if of > 0 { of + run(&after[of..], DOTTED) + 1 } else { 0 };
    if let Some(word) = after.get(whose..).and_then(|after| after.strip_prefix("is ")) {
        return Some((rest.len() - word.len(), Sign::Word));
    }
    let quote = run(after, |byte| b"\"'".contains(&byte));
    let word = &after[quote..][..run(&after[quote..], DOTTED)];
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let is_mixed = word.len() >= 6 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_password = PLAIN_NAMES.iter().any(|ending| core.ends_with(ending));
    (is_password && is_mixed).then_some((at + blanks, Sign::Blank))
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

/// Where the value stands, without its quotation marks.
fn extent(text: &str, sign: Sign) -> Option<Range<usize>> {
    let slashes = run(text, |byte| byte == b'\\');
    let quote = text[slashes..].chars().next()?;
    if "\"'`".contains(quote) {
        return Some(quoted(text, slashes, quote));
    }
    if sign == Sign::Beside {
        return None;
    }
    let line = &text[..boundary(text, LINE)];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    match quote {
        '(' => Some(1..line.find(')').unwrap_or(line.len()).max(1)),
        '{' if sign == Sign::Equals && !line.starts_with("{{") => Some(1..line.find('}').unwrap_or(line.len()).max(1)),
        '[' if sign == Sign::Equals => Some(1..line.find(']').unwrap_or(line.len()).max(1)),
        '{' | '[' => None,
        _ if sign == Sign::Block => Some(0..line.trim_end().len()),
        _ => Some(0..unquoted(text)),
    }
}

fn quoted(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let range = quotation(text, slashes, quote);
    looked_at(range.end);
    range
}

fn quotation(text: &str, slashes: usize, quote: char) -> Range<usize> {
    let open = slashes + 1;
    let inner = &text[open..];
    let mut preceding = 0;
    for (at, character) in inner.char_indices() {
        match character {
            '\\' => preceding += 1,
            '\n' => return open..open + at,
            _ if character == quote && preceding <= slashes => return open..open + at - preceding,
            _ => preceding = 0,
        }
    }
    open..text.len()
}

/// The length of a value without quotation marks, which may have punctuation in it.
fn unquoted(text: &str) -> usize {
    let ends_here = |rest: &str| {
        let coded = [
            "%26", "%23", "%20", "%22", "%3B", "%0A", "%2526", "&amp;", "&quot;", "&#34;", "\\u0026", "\\n", "\\r",
            "\\t", "\\\"",
        ];
        coded.iter().any(|code| rest.starts_with(code))
    };
    let (mut length, mut is_open) = (text.len(), false);
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let is_end = match c {
            '"' | '`' | '|' => true,
            '\'' | ';' => !goes_on(&rest[1..]),
            '<' if is_tag(&rest[1..]) || !goes_on(&rest[1..]) => true,
            '<' => {
                is_open = true;
                false
            }
            '>' => !is_open,
            '%' | '\\' => ends_here(rest),
            '&' => ends_here(rest) || separates(&rest[1..]),
            ',' | ')' | ']' | '}' => separates(&rest[1..]),
            c => c.is_whitespace(),
        };
        if is_end {
            length = at;
            break;
        }
    }
    looked_at(length);
    text[..length].trim_end_matches([',', ')', ']', '}']).len()
}

/// Whether a value has a quotation mark or semicolon in its midst: neither its end nor another name comes after it.
fn goes_on(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && !separates(rest)
}

/// Whether a tag of HTML follows its bracket.
fn is_tag(rest: &str) -> bool {
    let name = run(rest, |byte| byte.is_ascii_alphabetic());
    name > 0 && rest[name..].starts_with(['>', ' ', '/'])
}

/// Whether a value ends before `rest`: at a blank, at more closing marks, or at the name of the next value.
fn separates(rest: &str) -> bool {
    let Some(next) = rest.chars().next() else { return true };
    let name = run(rest, DOTTED);
    next.is_whitespace()
        || "\"',;)]}(".contains(next)
        || (name > 0 && name < 64 && rest[name..].starts_with(['=', ':']))
}

/// Whether `value` only says something about the secret that `name` keeps.
fn is_harmless(name: &str, value: &str, sign: Sign, is_quoted: bool) -> bool {
    let word = value.trim_matches(|c: char| c.is_ascii_punctuation() && c != '*').to_ascii_lowercase();
    if HARMLESS_VALUES.contains(&word.as_str()) || (word.is_empty() && value.len() < 4) {
        return true;
    }
    if value.starts_with("${") || value.starts_with("{{") || value.starts_with("$(") || value.starts_with(super::MASK) {
        return true;
    }
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = word.bytes().any(|byte| byte.is_ascii_digit());
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let has_capitals = value.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    if is_number && word.len() <= 4 && (PARAMETERS.contains(&name) || name.ends_with("pass")) {
        return true;
    }
    if name == "code" && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        return true;
    }
    if name == "pwd" && value.starts_with(['/', '~']) {
        return true;
    }
    match sign {
        Sign::Word => (is_plain && !has_capitals) || word.len() < 4,
        Sign::Beside => !looks_random(value, 4),
        Sign::Colon if !is_quoted => {
            let is_word = !has_capitals || is_cause(value);
            is_plain && is_word && TALKATIVE_NAMES.iter().any(|talkative| name.ends_with(talkative))
        }
        _ => owner(name).is_some_and(|owner| DOUBTFUL_OWNERS.contains(&owner)) && !has_capitals && !has_digits,
    }
}

/// Whether a plain value is a cause such as `AccessDenied`, or an abbreviation such as `JWT`.
fn is_cause(value: &str) -> bool {
    let is_word = |word: &[u8]| word.len() >= 3 && word[1..].iter().all(u8::is_ascii_lowercase);
    let is_short = value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_uppercase());
    is_short || value.as_bytes().chunk_by(|_, next| next.is_ascii_lowercase()).all(is_word)
}

/// The value of an `Authorization` or `Cookie` header, to the end of its line; `None` for a sentence about one.
fn header(text: &str, is_authorization: bool) -> Option<Range<usize>> {
    let slashes = run(text, |byte| byte == b'\\');
    if let Some(quote) = text[slashes..].chars().next().filter(|c| "\"'".contains(*c)) {
        let range = quoted(text, slashes, quote);
        return (!range.is_empty()).then_some(range);
    }
    let near = &text[..boundary(text, LINE)];
    let line = &near[..near.find(['\n', '\r']).unwrap_or(near.len())];
    let line = &line[..line.find("\\n").or_else(|| line.find("\\r")).unwrap_or(line.len())];
    let first = line.split_whitespace().next()?;
    let is_scheme = SCHEMES.contains(&first.to_ascii_lowercase().as_str());
    let has_parts = is_scheme && line.contains("=\"");
    // In a quotation the header ends with it; a digest has quotation marks of its own.
    let line = if has_parts { line } else { &line[..line.find(['"', '\'', '<']).unwrap_or(line.len())] };
    let line = line.trim_end();
    let words = line.split_whitespace().count();
    let is_header = match is_authorization {
        true => is_scheme && words > 1 || words == 1 && !is_harmless("token", line, Sign::Colon, false),
        false => first.trim_end_matches(';').contains('=') || (words == 1 && looks_random(line, 6)),
    };
    if is_header {
        // The line may be longer than what was looked at.
        let end = if line.len() == near.len() { text.find('\n').unwrap_or(text.len()) } else { line.len() };
        return Some(0..end);
    }
    let word = line.split_whitespace().find(|word| looks_random(word, 8) && word.len() >= 12)?;
    let at = line.find(word)?;
    Some(at..at + word.len())
}

/// The password of `curl -u user:…`, `--user user:…`, `mysql -p…`, `sshpass -p …` and `redis-cli -a …`.
pub(super) fn flag(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !place.begins() || !rest.starts_with('-') {
        return None;
    }
    if let Some(option) = ["-u", "--user", "--proxy-user", "-U"].into_iter().find(|option| {
        rest.strip_prefix(option).is_some_and(|after| after.starts_with([' ', '=', '"', '\'']) || option.len() == 2)
    }) {
        let open = option.len() + run(&rest[option.len()..], |byte| b" =\"'\\".contains(&byte));
        let near = &rest[open..boundary(rest, open + 512)];
        let quote = rest[..open].chars().next_back().filter(|c| "\"'".contains(*c));
        let is_end = |c: char| quote.map_or(c.is_whitespace() || "\"'`\\".contains(c), |quote| c == quote || c == '\n');
        let end = near.find(is_end).unwrap_or(near.len());
        let colon = near[..end].find(':')?;
        let password = &near[colon + 1..end];
        let is_password =
            colon > 0 && !password.starts_with('/') && !password.bytes().all(|byte| byte.is_ascii_digit());
        return is_password.then(|| place.at + open + colon + 1..place.at + open + end);
    }
    let (option, commands): (_, &[&str]) = match rest.as_bytes().get(1) {
        Some(b'p') => ("-p", &["mysql", "mariadb", "sshpass"]),
        Some(b'a') => ("-a", &["redis-cli"]),
        _ => return None,
    };
    let blanks = run(&rest[2..], |byte| byte == b' ');
    let begin = option.len() + if blanks == 1 { 1 } else { 0 };
    let password = &rest[begin..];
    let length = password.find(char::is_whitespace).unwrap_or(password.len());
    let from = place.at.saturating_sub(200);
    let before = &place.text[(from..=place.at).find(|at| place.text.is_char_boundary(*at))?..place.at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    // `mysql -p NAME` asks for the password and names a database.
    let takes_blank = |command: &&&str| begin == 2 || ["sshpass", "redis-cli"].contains(*command);
    let is_command = commands.iter().filter(takes_blank).any(|command| line.contains(command));
    (is_command && (3..128).contains(&length)).then(|| place.at + begin..place.at + begin + length)
}

/// The password of `IDENTIFIED BY '…'`.
pub(super) fn sql(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let begins =
        |text: &str, words: &str| text.get(..words.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(words));
    let words = ["identified by ", "identified with "].into_iter().find(|words| begins(rest, words))?.len();
    let plugin = run(&rest[words..], DOTTED);
    // `IDENTIFIED WITH plugin BY '…'`
    let by = words + if begins(&rest[words + plugin..], " by ") { plugin + " by ".len() } else { 0 };
    let at = by + run(&rest[by..], |byte| byte == b' ');
    let at = at
        + if rest[at..].get(..9).is_some_and(|word| word.eq_ignore_ascii_case("password ")) {
            "password ".len()
        } else {
            0
        };
    let slashes = run(&rest[at..], |byte| byte == b'\\');
    let quote = rest[at + slashes..].chars().next().filter(|c| "\"'".contains(*c))?;
    let range = quoted(&rest[at..], slashes, quote);
    (!range.is_empty()).then(|| place.at + at + range.start..place.at + at + range.end)
}
