//! What stands between a name and its value: a sign, a type or words. Pure.

use crate::text::place::{Place, boundary, run};
use crate::word::random::looks_random;
use crate::word::shape::is_label;

/// Words that link a name with its value, and those of them after which the value can stand.
const LINKING: &str = "is was now to be set got changed reset rotated updated has been lautet ist est es still currently always temporarily just simply jetzt nun é è är jest war était era \
    übrigens immer noch weiterhin momentan derzeit aktuell nach wie vor toujours encore désormais maintenant actuellement sigue siendo todavía \
    ahora actualmente continua sendo ainda agora atualmente ancora sempre adesso attualmente nog steeds";
const LINKING_LAST: &str = "is was now to be lautet ist est es still currently always temporarily just simply jetzt nun é è är jest war était era \
    übrigens noch weiterhin momentan derzeit aktuell immer vor toujours encore désormais maintenant actuellement siendo todavía ahora \
    actualmente sendo ainda agora atualmente ancora sempre adesso attualmente steeds";

/// Words before a name that announce its value.
const ANNOUNCING: [&str; 6] = ["following", "temporary", "initial", "generated", "new", "default"];

/// How many of these words may follow each other.
const MOST_LINKING: usize = 6;

/// How far a sentence is followed.
const SENTENCE: usize = 200;

/// How many blanks and empty lines may stand before a word on its own line, and how long it is at least.
const MARGIN: usize = 24;
const SHORTEST_ALONE: usize = 4;

/// Words that only go on with a link: they do not begin one.
const ADVERBS: &str = "still currently always temporarily just simply jetzt nun übrigens immer noch weiterhin momentan derzeit aktuell nach wie vor \
    toujours encore désormais maintenant actuellement siendo todavía ahora actualmente sendo ainda agora atualmente ancora sempre \
    adesso attualmente nog steeds";

/// What stands between a name and its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sign {
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
    /// Something that may only separate: the value must look like a secret.
    Loose,
}

/// Whether a byte separates words of one line.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Where the value begins after a type and an equals sign: `password: &str = "…"`.
pub(crate) fn typed(text: &str) -> Option<usize> {
    let kind = run(&text[..boundary(text, 48)], |byte| byte.is_ascii_alphabetic() || b"&<>[]|?:.".contains(&byte));
    let kind = kind + run(&text[kind..], is_blank);
    let begin = kind + 1 + run(text.get(kind + 1..)?, is_blank);
    (kind > 1 && text[kind..].starts_with('=') && text[begin..].starts_with(['"', '\''])).then_some(begin)
}

/// Where the value begins after words that link it with its name: `is`, `is now:`, `was changed to`.
pub(crate) fn linking(text: &str) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    let is_last = |word: &str| LINKING_LAST.split_ascii_whitespace().any(|known| known == word);
    for _ in 0..MOST_LINKING {
        let length = run(&text[at..], |byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
        let is_known = |word: &&str| word.eq_ignore_ascii_case(&text[at..at + length]);
        let Some(word) = LINKING.split_ascii_whitespace().find(is_known) else { break };
        let signs = run(&text[at + length..], |byte| b" :=".contains(&byte));
        let is_first = match word {
            "now" => {
                let after = &text[at + length..];
                after.starts_with([':', '=']) || after.starts_with(" set to ") || after.starts_with(" changed to ")
            }
            "to" => text[at + length..].starts_with(" be "),
            word => word != "be" && !ADVERBS.split_ascii_whitespace().any(|adverb| adverb == word),
        };
        let line = on_its_line(&text[at + length + signs..]).filter(|_| is_last(word));
        if signs == 0 && line.is_none() || last.is_none() && !is_first {
            break;
        }
        at += length + signs + line.unwrap_or(0);
        last = Some(word);
        if line.is_some() {
            break;
        }
    }
    last.filter(|word| is_last(word)).map(|_| at)
}

/// Where the only word of the next line begins that is not empty, which may be in a fence or quoted: `password is:`, and below it
/// the password.
fn on_its_line(text: &str) -> Option<usize> {
    if !text.starts_with(['\n', '\r']) {
        return None;
    }
    let white = run(&text[..boundary(text, MARGIN)], |byte| byte.is_ascii_whitespace());
    let begin = white + lead(&text[white..]);
    let line = &text[begin..boundary(text, begin + SENTENCE).max(begin)];
    let line = line.split('\n').next().unwrap_or_default().trim_end();
    let word = line.trim_matches(['`', '*', '"', '\'']);
    let is_word = word.len() >= SHORTEST_ALONE && !word.contains(char::is_whitespace) && !word.ends_with([':', ',']);
    // `default/web-tls`
    let is_object = word.contains('/') && is_label(word);
    let is_else = word.contains("://") || word.starts_with(['/', '-', '<', '{', '[']);
    (is_word && !is_object && !is_else).then_some(begin)
}

/// How long what people put before a value on its line is: the mark of a quotation, a fence with the line's end, emphasis.
pub(crate) fn lead(text: &str) -> usize {
    let quote = if text.starts_with("> ") { "> ".len() } else { 0 };
    let fence = quote + run(&text[quote..], |byte| byte == b'`');
    let kind = fence + if fence > quote { run(&text[fence..], |byte| byte.is_ascii_alphabetic()) } else { 0 };
    let line = kind + run(&text[kind..], |byte| b" \r".contains(&byte));
    let begin = if fence > quote && text[line..].starts_with('\n') {
        line + run(&text[line..], |byte| byte.is_ascii_whitespace())
    } else {
        quote
    };
    begin + if run(&text[begin..], |byte| byte == b'*') == "**".len() { "**".len() } else { 0 }
}

/// The length of an argument's number with its sign, as auditd shows the arguments of a command: `a2=`.
pub(crate) fn numbered(text: &str) -> usize {
    let number = text.strip_prefix('a').map_or(0, |number| run(number, |byte| byte.is_ascii_digit()));
    if number > 0 && text[1 + number..].starts_with("=\"") { 2 + number } else { 0 }
}

/// Where the value begins after a sentence that announces it and ends with a colon: `temporary password is generated for root: …`.
pub(crate) fn announced(place: Place<'_>, after: &str) -> Option<usize> {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(24))..place.at];
    let near = &after[..boundary(after, SENTENCE)];
    let colon = near.find(": ").into_iter().chain(near.find(":\n")).min()?;
    let sentence = &near[..colon];
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || b"@[]'".contains(&byte));
    let is_announced =
        ANNOUNCING.iter().any(|word| before.trim_end().ends_with(word)) && sentence.split(' ').all(is_word);
    let begin = colon + 1 + run(&near[colon + 1..], |byte| byte.is_ascii_whitespace());
    let word = near[begin..].split(char::is_whitespace).next()?;
    let is_random = word.bytes().any(|byte| byte.is_ascii_digit()) && looks_random(word, 6);
    (is_announced && is_random).then_some(begin)
}
