//! What links a name with its value, with what decorates both. Pure.

use super::apart::apart;
use super::beside::{tuple, value_beside};
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::decoration::{below, decoration};
use crate::value::following::after_sign;
use crate::value::generated;
use crate::value::sign::{Sign, is_blank};
use crate::word::names::{Kind, Name};

/// How far the end of a tag, or the sign after a name, is looked for.
const NEAR: usize = 200;

/// Words that say where a value comes from, between its name and a sign.
const GIVEN: [&str; 36] = [
    " that works",
    " again",
    " provided",
    " given",
    " supplied",
    " used",
    " received",
    " I used",
    " we used",
    " contents",
    " content",
    " temporal",
    " provisional",
    " temporaire",
    " provisoire",
    " temporanea",
    " temporária",
    " inicial",
    " nueva",
    " nova",
    " nuova",
    " actual",
    " actuel",
    " attuale",
    " atual",
    " nouveau",
    " novo",
    " nou",
    " mới",
    " moi",
    " baru",
    " baharu",
    " mpya",
    " jipya",
    " الجديدة",
    " جدید",
];

/// Comparisons, and what gives another value: the value behind is a quoted one.
const OPERATORS: [&str; 12] = ["!==", "!=", "||=", "?:", "<>", "??", "||", "+=", "~=", "?=", "&lt;", "%"];

/// Where the value of `name` begins, counted from the name, and what comes before it.
pub(super) fn link(place: Place<'_>, name: &str, named: &Name) -> Option<(usize, Sign)> {
    // `-----BEGIN PGP SIGNATURE-----`
    if name.ends_with("-----") {
        return None;
    }
    let (at, sign) = linked(place, name, named)?;
    // A private key is told by its own form.
    if place.rest()[at..].starts_with("-----BEGIN ") {
        return None;
    }
    // `The password is:`, and the value on the next line.
    let next = Some(sign).filter(|sign| *sign == Sign::Word).and_then(|sign| below(&place.rest()[at..], sign));
    Some(next.map_or((at, sign), |next| (at + next, Sign::Loose)))
}

/// The same on the line of the name.
fn linked(place: Place<'_>, name: &str, named: &Name) -> Option<(usize, Sign)> {
    let rest = place.rest();
    let mut at = name.len() + run(&rest[name.len()..], |byte| b"\\\"'`*_".contains(&byte));
    let is_quoted = rest[name.len()..at].contains(['"', '\'']);
    at += ["[]", "]", ")", "}}", "}", "%"]
        .into_iter()
        .find(|index| rest[at..].starts_with(index) && is_index(place, index, &rest[at + index.len()..]))
        .map_or(0, str::len);
    at += key(&rest[at..]);
    at += if named.core.ends_with("community") && rest[at..].starts_with(" string") { " string".len() } else { 0 };
    if let Some(begin) = in_tag(place, at) {
        return Some(begin);
    }
    let closed = tags(&rest[at..]);
    at += closed;
    let blanks = run(&rest[at..], is_blank);
    let after = &rest[at + blanks..];
    if closed > 0
        && rest[..at].trim_end().ends_with('>')
        && !after.starts_with([':', '=', '\n'])
        && !rest[at - closed..at].trim_end().ends_with("</")
    {
        // `<td>password</td><td>…`, but not `<b>password</b> …`.
        return rest[at - closed..at].matches('<').nth(1).map(|_| (at + blanks, Sign::Loose));
    }
    if let Some(begin) = value_beside(rest, at) {
        return Some(begin);
    }
    // Without a blank before, a bracket opens the arguments of a call.
    if after.starts_with('(')
        && (blanks > 0 || !after.contains(','))
        && let Some(remark) = remark(after)
    {
        return after_sign(rest, at + blanks + remark);
    }
    if place.text[..place.at].ends_with("${") && after.starts_with(":-") {
        return Some((at + blanks + ":-".len(), Sign::Equals));
    }
    // `${API_KEY:?is required}`, `${API_KEY:+set}`
    let asks = [":?", ":+", "?", "+"].iter().any(|sign| after.starts_with(sign));
    if place.text[..place.at].ends_with("${") && asks {
        return None;
    }
    // `{:password :hidden}`
    let is_keyword = blanks > 0 && place.before == Some(b':') && after.starts_with(':');
    if let Some(found) = after_sign(rest, at + blanks).filter(|_| !is_keyword) {
        return Some(found);
    }
    // A password may begin like an operator.
    if blanks > 0
        && name.starts_with('-')
        && named.kind == Kind::Password
        && generated::unquoted(after, false).is_some()
    {
        return Some((at + blanks, Sign::Equals));
    }
    if let Some(operator) = OPERATORS.iter().find(|operator| after.starts_with(**operator)) {
        let begin = at + blanks + operator.len();
        let begin = begin + run(&rest[begin..], is_blank);
        let is_quoted = rest[begin..].starts_with(['"', '\'']);
        return (is_quoted || operator.ends_with('='))
            .then_some((begin, if is_quoted { Sign::Equals } else { Sign::Loose }));
    }
    if let Some(begin) = ["| default ", "IN (", "in (", "LIKE ", "like ", "eq "]
        .iter()
        .find(|word| after.starts_with(**word))
        .map(|word| word.len())
    {
        return after[begin..].starts_with(['"', '\'']).then_some((at + blanks + begin, Sign::Equals));
    }
    if let Some(begin) =
        of_lisp(place, after).or_else(|| serialized(after).or_else(|| numbered(after)).filter(|_| is_quoted))
    {
        return Some((at + blanks + begin, Sign::Equals));
    }
    let is_atom = place.before == Some(b'{') && after.starts_with(',');
    if (is_quoted || is_atom)
        && !name.starts_with('-')
        && let Some(begin) = tuple(place, at + blanks, named.kind == Kind::Password)
    {
        return Some(begin);
    }
    apart(place, name, named, at, blanks)
}

/// Where the value begins after a keyword or variable of Lisp: `:password "…"`, `(setq password "…")`.
fn of_lisp(place: Place<'_>, after: &str) -> Option<usize> {
    let before = place.text[..place.at].trim_end_matches(' ');
    let is_set = ["(setq", "(setf", "(def", "(defvar", "(define"].iter().any(|word| before.ends_with(word));
    ((place.before == Some(b':') || is_set) && after.starts_with('"')).then_some(0)
}

/// Where the value begins in what PHP serializes: `s:8:"password";s:7:"…"`.
fn serialized(after: &str) -> Option<usize> {
    let length = run(after.strip_prefix(";s:")?, |byte| byte.is_ascii_digit());
    after[";s:".len() + length..].starts_with(":\"").then_some(";s:".len() + length + 1)
}

/// Where the value begins in a list whose items are numbered: `1) "requirepass" 2) "…"`.
fn numbered(after: &str) -> Option<usize> {
    let gap = run(after, |byte| byte.is_ascii_whitespace());
    let number = run(&after[gap..], |byte| byte.is_ascii_digit());
    let begin = gap + number + ") ".len();
    (number > 0 && after[gap + number..].starts_with(") \"")).then_some(begin)
}

/// Whether a bracket after a name is that of an index, or the end of a macro whose value is told: `api_key[]=`,
/// `config["password"] =`, `{$API_TOKEN} was set to`.
fn is_index(place: Place<'_>, bracket: &str, after: &str) -> bool {
    let is_told = |after: &str| {
        ["=", " = ", " => ", " was ", " is ", " has ", " value "].iter().any(|word| after.starts_with(word))
    };
    let opening = place.text[..place.at].trim_end_matches(['"', '\'', '\\', ':']);
    match bracket {
        "]" => opening.ends_with('['),
        ")" => opening.ends_with('('),
        "}" => (opening.ends_with("{$") || opening.ends_with("${")) && is_told(after),
        "}}" => opening.trim_end().ends_with("{{") && is_told(after),
        "%" => opening.ends_with('%') && is_told(after),
        _ => true,
    }
}

/// The length of what stands between a name and its sign: what tells one of several apart, or that it was given:
/// `PASSWORD[prod]=`, `Unseal Key 1:`, `API key provided:`.
fn key(text: &str) -> usize {
    let ends = |at: usize| text[at..].trim_start_matches(' ').starts_with([':', '=']);
    if let Some(word) = GIVEN.iter().find(|word| text.starts_with(**word) && ends(word.len())) {
        return word.len();
    }
    let number = run(text.strip_prefix(' ').unwrap_or_default(), |byte| byte.is_ascii_digit());
    if (1..=2).contains(&number) && text[1 + number..].starts_with(": ") {
        return 1 + number;
    }
    // Before the sign, `aws configure` shows what there is already: `AWS Secret Access Key [None]: …`.
    let open = run(text, |byte| byte == b' ').min(1);
    let Some(inner) = text[open..].strip_prefix('[') else { return 0 };
    let word = run(inner, |byte| DOTTED(byte) || b"\"'*".contains(&byte));
    if word > 0 && inner[word..].starts_with(']') && ends(open + word + 2) { open + word + 2 } else { 0 }
}

/// In a tag, what follows its name: `<Password encrypted="false">…`, and of an attribute nothing.
fn in_tag(place: Place<'_>, at: usize) -> Option<(usize, Sign)> {
    let rest = place.rest();
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(24))..place.at];
    looked_at(before.len());
    let prefix = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == ':');
    if !prefix.ends_with('<') || !rest[at..].starts_with([' ', '>']) {
        return None;
    }
    let near = &rest[at..boundary(rest, at + NEAR).max(at)];
    let close = near.find('>').filter(|close| !near[..*close].contains('<') && !near[..*close].ends_with('/'))?;
    let begin = at + close + 1;
    // On a line of its own it may be an element that was cut off.
    let is_behind = || {
        let line = prefix[..prefix.len() - 1].rsplit('\n').next().unwrap_or_default();
        !line.trim_end().is_empty() && !line.ends_with('>') && !line.contains("</")
    };
    let is_followed = match rest.as_bytes().get(begin).copied().unwrap_or_default() {
        b'\n' | b'\r' => is_behind(),
        byte => is_blank(byte),
    };
    if is_followed && !rest[begin..boundary(rest, begin + NEAR)].contains("</") {
        // `AUTH <password> called`, and `password=<password>` at the end of a line: a placeholder.
        return None;
    }
    let begin = begin + run(&rest[begin..], |byte| byte.is_ascii_whitespace());
    let (decoration, _) = decoration(&rest[begin..])?;
    Some((begin + decoration, Sign::Equals))
}

/// How long the tags are that begin `text`, if the first of them closes.
fn tags(text: &str) -> usize {
    let near = &text[..boundary(text, NEAR)];
    let mut at = 0;
    while near[at..].starts_with(if at == 0 { "</" } else { "<" }) {
        let Some(close) = near[at..].find('>') else { break };
        at += close + 1;
        let white = run(&near[at..], |byte| byte.is_ascii_whitespace());
        if near[at + white..].starts_with('<') {
            at += white;
        }
    }
    looked_at(at);
    at
}

/// The length of a remark in brackets before a sign: `password (root): …`.
fn remark(text: &str) -> Option<usize> {
    let near = &text[..boundary(text, 40)];
    let close = near.find(')')?;
    let blanks = run(&near[close + 1..], is_blank);
    near[close + 1 + blanks..].starts_with([':', '=']).then_some(close + 1 + blanks)
}
