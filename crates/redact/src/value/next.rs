//! What begins behind a value: a blank, marks that close, or the name of the next one. Pure.

use crate::text::alphabet::DOTTED;
use crate::text::place::run;

/// Whether a value ends before `rest`: at a blank, at more closing marks, or at the name of the next value.
pub(crate) fn separates(rest: &str) -> bool {
    let Some(next) = rest.chars().next() else { return true };
    let name = run(rest, DOTTED);
    // Chinese and Japanese have no blank after a mark.
    next.is_whitespace()
        || !next.is_ascii()
        || "\"',;)]}[(*".contains(next)
        || (name > 0 && name < 64 && rest[name..].starts_with(['=', ':']))
        || (name > 0 && name < 64 && (is_index(&rest[name..]) || is_of_two_words(&rest[name..])))
}

/// Whether the second word of a name begins `text` after a blank, with an equals sign behind: `User ID=`.
fn is_of_two_words(text: &str) -> bool {
    let word = text.strip_prefix(' ').map_or(0, |word| run(word, |byte| byte.is_ascii_alphabetic()));
    word > 0 && text[1 + word..].starts_with('=')
}

/// Whether the index of a name begins `text`, with an equals sign behind: `[]=`, `[name]=`, `%5Bname%5D=`.
fn is_index(text: &str) -> bool {
    let [open, close] = if text.starts_with('[') { ["[", "]="] } else { ["%5B", "%5D="] };
    text.strip_prefix(open).is_some_and(|inner| inner[run(inner, DOTTED)..].starts_with(close))
}
