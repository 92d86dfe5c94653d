//! Passwords that a program has made, of all printable characters: what they look like, and where one ends that stands without
//! quotation marks. Pure.

use crate::text::alphabet::DOTTED;
use crate::text::place::{boundary, looked_at, run, run_within};
use crate::word::ends::may_matter;
use crate::word::names::Name;

/// How far behind a word the second one of a name is looked for.
const NEAR: usize = 32;

/// The shortest password that is told by its characters alone, and how far one is followed.
const SHORTEST: usize = 10;
const LONGEST: usize = 160;

/// So many letters and digits without a mark may be a whole password.
const SHORTEST_WHOLE: usize = 8;

/// How many pairs of names and values are looked at that follow a password.
const MOST_PAIRS: usize = 3;

/// The shortest run of letters that may be a word.
const WORD: usize = 4;

/// How much of a password words may be, in hundredths; and how much where code or a template may be meant as well.
const MOST_WORDS: usize = 60;
const MOST_WORDS_OF_CODE: usize = 40;

/// How often the kind of the characters changes at least, in hundredths of all that follow another.
const FEWEST_CHANGES: usize = 34;

/// The shortest name of another value, besides those that are well known, and the shortest word that goes on.
const SHORTEST_NAME: usize = 3;
const SHORT_NAMES: &str = "db id ip os to ts tz az le ns vm pw pwd ssl tls sql cpu dsn http";
const LONG_WORDS: usize = 7;

/// Marks that stand between no words.
const ODD: [char; 14] = ['!', '#', '$', '%', '^', '*', '~', '`', '<', '>', '+', '?', '@', '&'];

/// Marks that no plain value has.
const ODD_OF_VALUES: [char; 11] = ['!', '#', '$', '^', '*', '~', '`', '<', '>', '?', '\\'];

/// Tags that may follow a value at once.
const TAGS: &str = "a b br code div em hr i li p pre span strong td th tr u";

/// What stands around values, and between them; and how much of that which closes nothing is taken for it.
const CLOSING: &str = "\"'`)]}>,;.:/*";
const BRACKETS: &str = "\"')]}\\,";
const MOST_CLOSING: usize = 3;
const DIVIDING: &str = "\"'`)]}>,;|&[({ ?";

/// Whether `text` looks like a password that a program has made: letters of both cases and digits, and few words.
pub(crate) fn is_generated(text: &str) -> bool {
    is_mixed(text) && words(text) * 100 <= text.len() * MOST_WORDS
}

/// The same, where code or a template would look like one, too.
pub(crate) fn is_no_code(text: &str) -> bool {
    is_mixed(text) && words(text) * 100 <= text.len() * MOST_WORDS_OF_CODE
}

/// Whether a text has small letters, capitals and digits.
fn has_all(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

fn is_mixed(text: &str) -> bool {
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        // Each mark is of its own kind.
        mark => *mark,
    };
    let changes = || text.as_bytes().windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    text.len() >= SHORTEST
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && has_all(text)
        && changes() * 100 >= (text.len() - 1) * FEWEST_CHANGES
}

/// How many characters are of runs of letters that may be words: `Values`, `password`, `HOST`.
fn words(text: &str) -> usize {
    let is_one = |one: &u8, next: &u8| {
        one.is_ascii_lowercase() && next.is_ascii_lowercase() || one.is_ascii_uppercase() && next.is_ascii_uppercase()
    };
    let (mut sum, mut capitals) = (0, 0);
    for run in text.as_bytes().chunk_by(is_one) {
        let is_small = run[0].is_ascii_lowercase();
        // A capital before small letters is of their word.
        let length = run.len() + usize::from(is_small && capitals > 0);
        if length >= WORD && run[0].is_ascii_alphabetic() && run.iter().any(|byte| b"aeiouAEIOU".contains(byte)) {
            sum += length;
        }
        capitals = if run[0].is_ascii_uppercase() { run.len() } else { 0 };
    }
    sum
}

/// The length of a generated password that begins `text` and stands without quotation marks: to the next blank, or to where
/// something else begins, in a query the next parameter. `None` where none stands there.
pub(crate) fn unquoted(text: &str, is_query: bool) -> Option<usize> {
    let length = run_within(text, LONGEST, |byte| byte.is_ascii_graphic());
    let word = &text[..length];
    let word = if is_query { &word[..parameter(word).unwrap_or(length)] } else { word };
    if word.len() < SHORTEST
        || !has_all(word)
        || is_access(word)
        || is_template(word)
        || word.contains(crate::MASK)
        || is_pair(word, word.contains('&'), MOST_PAIRS)
    {
        return None;
    }
    let after = &text[word.len()..boundary(text, word.len() + NEAR)];
    let mut marks = word.char_indices().skip(1).filter(|(_, c)| c.is_ascii_punctuation()).map(|(at, _)| at);
    let is_end = |at: &usize| {
        let (before, rest) = word.split_at(*at);
        ends(rest, after, MOST_PAIRS) || is_whole(before) && names(rest)
    };
    let end = marks.find(is_end).unwrap_or(word.len());
    looked_at(word.len());
    let closed = end - closing(&word[..end]);
    is_generated(&word[..end]).then_some(closed)
}

/// Whether a word is code that looks a value up: `ENV["Db1Pass"]`, `getSecret("Db1Pass");`.
fn is_access(word: &str) -> bool {
    let name = run(word, DOTTED);
    let close = match word[name..].chars().next() {
        Some('(') => ')',
        Some('[') => ']',
        _ => return false,
    };
    is_name(&word[..name]) && word.trim_end_matches([',', ';', '"', '}']).ends_with(close)
}

/// The same for a value, with what closes behind it.
pub(crate) fn is_looked_up(value: &str, after: &str) -> bool {
    is_access(&[value, after.split(char::is_whitespace).next().unwrap_or_default()].concat())
}

/// Whether a word begins with a template: `{{.Values.db1.Password}}`.
fn is_template(word: &str) -> bool {
    word.starts_with("{{") && word.contains("}}")
}

/// Whether a text may be all of a password: letters of both cases and digits, and no mark that divides.
fn is_whole(text: &str) -> bool {
    text.len() >= SHORTEST_WHOLE && has_all(text) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a name begins after the dividing mark that begins `text`: `;url=`.
fn names(text: &str) -> bool {
    let name = text.strip_prefix([',', ';', '|', '&']).map(|next| next.split_at(run(next, DOTTED)));
    name.is_some_and(|(name, sign)| is_name(name) && sign.starts_with('='))
}

/// Where the next parameter of a query begins.
fn parameter(text: &str) -> Option<usize> {
    let begins = |at: usize| {
        let name = run(&text[at + 1..], DOTTED);
        name > 0 && text[at + 1 + name..].starts_with('=')
    };
    text.match_indices('&').map(|(at, _)| at).find(|at| begins(*at))
}

/// How many marks at the end of a word stand around it: those that close brackets and quotations, or a few others.
fn closing(word: &str) -> usize {
    let count = |marks: &str| word.len() - word.trim_end_matches(|c| marks.contains(c)).len();
    count(CLOSING).min(MOST_CLOSING).max(count(BRACKETS))
}

/// Whether something else begins with the mark at the beginning of `rest`: the next name with its value, the next member of
/// JSON, a tag, a line, or plain words.
fn ends(rest: &str, after: &str, pairs: usize) -> bool {
    if is_tag(rest) || is_member(rest) || rest.starts_with("\"/>") || is_line(rest, pairs) {
        return true;
    }
    let marks = rest.len() - rest.trim_start_matches(|c| DIVIDING.contains(c) || c == '\\').len();
    let (mark, next) = rest.split_at(marks);
    // `;User ID=bob`
    let is_first = || mark.len() == 1 && is_name(next) && is_second(after);
    marks > 0
        && (is_pair(next, mark == "&", pairs)
            || mark.contains([',', ';', '|', '&', '"', '\'']) && is_words(next)
            || is_first()
            || [")(", "]["].iter().any(|turn| mark.ends_with(turn)) && is_word(next) && next.len() >= SHORTEST_NAME)
}

/// Whether the second word of a name with its equals sign begins `text`, after a blank: `User ID=`.
fn is_second(text: &str) -> bool {
    let word = text.strip_prefix(' ').map_or(0, |word| run(word, |byte| byte.is_ascii_alphabetic()));
    word > 0 && text[1 + word..].starts_with('=')
}

/// Whether the end of a line that is spelled out, and what follows one, begins `text`: `\n`, `\0--port`.
fn is_line(text: &str, pairs: usize) -> bool {
    let line = ["\\n", "\\r", "\\t", "\\0"].into_iter().find_map(|end| text.strip_prefix(end));
    line.is_some_and(|line| {
        line.is_empty()
            || line.starts_with(['"', '\\'])
            || line.starts_with("--")
            || is_pair(line, false, pairs)
            || is_words(line)
            || line.len() >= SHORTEST_NAME && has_vowel(line) && is_word(line)
    })
}

/// Whether a tag of HTML or XML begins `text`: `</td>`, `<br>`.
fn is_tag(text: &str) -> bool {
    let Some(tag) = text.strip_prefix('<') else { return false };
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    let name = run(tag, |byte| byte.is_ascii_alphabetic() || b":_-.".contains(&byte));
    let is_known = text.starts_with("</") || TAGS.split(' ').any(|known| known == &tag[..name]);
    name > 0 && is_known && (tag[name..].starts_with('>') || tag[name..].starts_with("/>"))
}

/// Whether a quotation mark, escaped or not, and what follows a text of JSON begin `text`: `","…`, `"}`.
fn is_member(text: &str) -> bool {
    let text = text.trim_start_matches('\\');
    let Some(after) = text.strip_prefix('"').or_else(|| text.strip_prefix('\'')) else { return false };
    let closed = after.trim_start_matches(['}', ']', ')']);
    let next = closed.strip_prefix([',', ':', ';']).unwrap_or(closed).trim_start_matches(['{', '[', '\\']);
    let is_closed = next.len() < after.len();
    if is_item(text, after) {
        return true;
    }
    // `("…").host("db-1")`
    let is_chained = || {
        closed.len() < after.len()
            && closed.strip_prefix('.').is_some_and(|call| call[run(call, DOTTED)..].starts_with('('))
    };
    let is_quoted = |quote: char| {
        let name = next.strip_prefix(quote).map(|next| (next, run(next, DOTTED)));
        name.is_some_and(|(next, name)| name > 0 && next[name..].trim_start_matches('\\').starts_with(quote))
    };
    is_closed && (next.is_empty() || is_quoted('"') || is_quoted('\'') || is_chained())
}

/// Whether the next item of a list of quotations, or the next quoted value, follows a quotation mark at once: `","make deploy"`,
/// `",le="0.5"`.
fn is_item(text: &str, after: &str) -> bool {
    let quote = text.chars().next();
    let Some(next) = after.strip_prefix(',').map(|next| next.trim_start_matches('\\')) else { return false };
    let name = run(next, DOTTED);
    let value = next[name..].strip_prefix('=').filter(|_| name > 0).map(|value| value.trim_start_matches('\\'));
    let begins = |text: &str| text.chars().next() == quote;
    begins(next) && next.len() > 1 || value.is_some_and(begins)
}

/// Whether names with their values are all that follows: `user=bob`, `host":"db","port":5432}`.
fn is_pair(text: &str, is_parameter: bool, pairs: usize) -> bool {
    if pairs == 0 {
        return true;
    }
    let name = run(text, DOTTED);
    let sign = text[name..].trim_start_matches(['"', '\'', '\\', ']']);
    let signs: &[char] = if is_parameter { &['='] } else { &['=', ':'] };
    let Some(value) =
        sign.strip_prefix(signs).filter(|_| is_parameter && is_short(&text[..name]) || is_name(&text[..name]))
    else {
        return false;
    };
    let value = value.trim_start_matches(['"', '\'', '\\', '=', '[', '{']);
    let length = value.find(|c| ",;&|\"')]}".contains(c)).unwrap_or(value.len());
    let is_plain = || {
        // `bob%40example.com`
        let mut parts = value[..length].split('%').enumerate();
        let is_one = |(nth, part): (usize, &str)| {
            let part = if nth == 0 { Some(part) } else { part.get(2..) };
            part.is_some_and(|part| part.split(|c: char| !c.is_ascii_alphanumeric()).all(is_plain_part))
        };
        let is_address = || value[..length].contains("://");
        length > 0 && (!value[..length].contains(ODD_OF_VALUES) && parts.all(is_one) || is_address())
    };
    let after = &value[length..];
    let is_last = || after.trim_end_matches(|c| CLOSING.contains(c) || c == '\\').is_empty();
    let is_secret = |name: &str| {
        may_matter(name) && (Name::of(name).is_some() || is_parameter && Name::of_parameter(name).is_some())
    };
    (is_plain() || is_secret(&text[..name])) && (is_last() || ends(after, "", pairs - 1))
}

/// Whether a name is made of words: `Host`, `user_id`, `dataSource`, but not `xQ7`.
fn is_name(name: &str) -> bool {
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_part = |part: &str| {
        let words = part.as_bytes().chunk_by(|_, next| !next.is_ascii_uppercase()).count();
        let is_all = |kind: fn(&u8) -> bool| part.bytes().all(|byte| kind(&byte));
        is_all(u8::is_ascii_uppercase)
            || is_all(u8::is_ascii_lowercase)
            || part.bytes().all(|byte| byte.is_ascii_alphabetic()) && words * 3 <= part.len()
    };
    SHORT_NAMES.split(' ').any(|known| known.eq_ignore_ascii_case(name))
        || word.len() >= SHORTEST_NAME && has_vowel(word) && {
            let mut parts = word.split(['-', '_', '.']);
            parts.clone().any(|part| part.len() >= SHORTEST_NAME) && parts.all(is_part)
        }
}

/// Whether a name is so short that only a query has it: `x`, `se`.
fn is_short(name: &str) -> bool {
    (1..SHORTEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn has_vowel(word: &str) -> bool {
    word.bytes().any(|byte| b"aeiouAEIOU".contains(&byte))
}

/// Whether `text`, as far as a tag, is plain words and numbers: `|ERROR|timeout`.
fn is_words(text: &str) -> bool {
    let text = text.split('<').next().unwrap_or_default();
    let parts = || text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let letters = || parts().filter(|part| has_vowel(part)).map(str::len).sum::<usize>();
    let is_long =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) || part.len() >= SHORTEST_NAME && is_word(part);
    !text.contains(ODD) && parts().all(is_long) && letters() >= LONG_WORDS
}

/// Whether letters and digits may be a part of a plain value: a word, a number, a time or an identifier.
fn is_plain_part(part: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
    is_word(part) || !(has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase))
}

/// Whether letters, and digits behind them, may be a word or a number: all small, all capitals, or with one in front.
pub(crate) fn is_word(part: &str) -> bool {
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let rest = word.get(1..).unwrap_or_default();
    word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (rest.bytes().all(|byte| byte.is_ascii_lowercase()) || word.bytes().all(|byte| byte.is_ascii_uppercase()))
}
