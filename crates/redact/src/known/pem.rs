//! Private keys: the lines between `BEGIN … PRIVATE KEY` and `END`, whatever a log, a quotation or a page put around them,
//! also where one of the two is cut off. Pure.

use std::ops::Range;

use crate::text::alphabet::Alphabet;
use crate::text::place::{Place, boundary, looked_at, run};

/// How far after `BEGIN` the words `PRIVATE KEY` may stand.
const HEADING: usize = 80;

/// The longest line, and the most lines, of one key.
const LONGEST_LINE: usize = 8192;
const MOST_LINES: usize = 200;

/// A run of base64 from this length on is a line of a key.
const TELLING_RUN: usize = 16;

/// How long the first line of a block without marks is, of how many lines it is, and how far before it the words stand that
/// say what it is.
const SHORTEST_LINE: usize = 60;
const FEWEST_LINES: usize = 2;
const ANNOUNCED: usize = 160;
const ANNOUNCING: [&str; 11] = [
    "private key",
    "private-key",
    "private_key",
    "privatekey",
    ".key",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "ssh key",
    "key file",
    "keyfile",
];

/// How the marks of a block begin.
const MARKS: [&str; 2] = ["-----", "---- "];

/// Lines between the heading of a key and its body.
const HEADERS: [&str; 7] = ["Proc-Type:", "DEK-Info:", "Comment:", "Version:", "Subject:", "Hash:", "X-"];

const BASE64: Alphabet = |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);

/// A block from its heading to its end. A sentence that only names the heading is none.
pub(crate) fn private_key(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if let Some(length) = of_tunnel(rest) {
        return Some(place.at..place.at + length);
    }
    let heading = match rest.strip_prefix("Private-Lines:") {
        Some(lines) => rest.len() - lines.len() + run(lines, |byte| byte == b' ' || byte.is_ascii_digit()),
        None => mark(rest, "BEGIN", place.begins())?,
    };
    body(&rest[heading..]).map(|length| place.at..place.at + heading + length)
}

/// How the heading of a key of OpenVPN begins, what its name ends with, and how much of a line is looked at.
const OF_TUNNEL: &str = "-----BEGIN OpenVPN ";
const KINDS_OF_TUNNEL: [&str; 4] =
    ["Static key V1", "tls-crypt-v2 client key", "tls-crypt-v2 server key", "Static key"];
const LINE_OF_TUNNEL: usize = 256;

/// The length of a key that OpenVPN's two sides share: a heading, and lines of hexadecimal digits or of base64 to its end.
fn of_tunnel(text: &str) -> Option<usize> {
    let heading = text.strip_prefix(OF_TUNNEL)?;
    let kind = KINDS_OF_TUNNEL.iter().find(|kind| heading.starts_with(**kind))?;
    let open = OF_TUNNEL.len() + kind.len();
    let (mut at, mut end) = (open, None);
    for nth in 0..MOST_LINES {
        let near = &text[at..boundary(text, at + LINE_OF_TUNNEL).max(at)];
        let line = near.split('\n').next().unwrap_or_default();
        if let Some(mark) = line.find("-----END OpenVPN ") {
            let kind = &line[mark + "-----END ".len()..];
            return Some(
                at + line.len() - kind.len() + kind.find("-----").map_or(kind.len(), |close| close + "-----".len()),
            );
        }
        let word = line.trim_end_matches(['\r', '"', '\'', ',', ' ']);
        let key = word.rsplit(|c: char| !c.is_ascii() || !BASE64(c as u8)).next().unwrap_or_default();
        if nth > 0 && key.len() >= TELLING_RUN {
            end = Some(at + word.len());
        } else if nth > 0 && !line.trim_start().starts_with('#') {
            break;
        }
        if line.len() == near.len() {
            break;
        }
        at += line.len() + 1;
    }
    end
}

/// The lines before every `END … PRIVATE KEY`, the beginning of which is cut off.
pub(crate) fn tails(text: &str) -> Vec<Range<usize>> {
    let ends = text.match_indices("END ").filter_map(|(at, _)| {
        let open = MARKS.iter().find(|dashes| text[..at].ends_with(**dashes))?.len();
        let end = at - open + mark(&text[at - open..], "END", true)?;
        Some(at - open..text[..end].trim_end_matches(' ').len())
    });
    looked_at(text.len());
    let mut floor = 0;
    let mut found = Vec::new();
    for mut end in ends {
        // The dashes of one mark may be those of the next.
        end.start = end.start.max(floor);
        let (mut begin, mut lines) = (None, text[floor..end.start].rsplit('\n'));
        // What stands before the mark on its own line decorates it, or is a line itself.
        let own = lines.next().unwrap_or_default();
        let mut at = end.start - own.len();
        if let Some(run) = last_run(own) {
            begin = Some(at + run.start);
        }
        let mut lines = lines.take(MOST_LINES).enumerate().peekable();
        while let Some((nth, line)) = lines.next() {
            at -= line.len() + 1;
            looked_at(line.len());
            let above = lines.peek().filter(|_| nth == 0).and_then(|(_, above)| last_run(above));
            let short = || lone(line).filter(|_| nth == 0).or_else(|| short_last(line, above?.start, true));
            let Some(run) = last_run(line).or_else(short) else { break };
            if line.contains(" KEY") {
                break;
            }
            begin = Some(at + run.start);
        }
        found.extend(begin.map(|begin| begin..end.end));
        floor = end.end;
    }
    found
}

/// Lines of a key both ends of which are cut off, below words that say whose they are.
pub(crate) fn middles(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut at, mut lines) = (0, 0);
    let mut block: Option<Range<usize>> = None;
    let mut take = |block: Option<Range<usize>>, lines: usize| {
        found.extend(block.filter(|block| lines >= FEWEST_LINES && is_announced(&text[..block.start])));
    };
    for line in text.split('\n') {
        let end = line.trim_end_matches(|c: char| c.is_whitespace() || "\"',+\\".contains(c)).len();
        let least = if block.is_some() { TELLING_RUN } else { SHORTEST_LINE };
        let run = last_run(line).filter(|run| run.end == end && run.len() >= least);
        // What a name has is told by it.
        let is_named = |run: &Range<usize>| line[..run.start].trim_end_matches([' ', '"', '\'']).ends_with([':', '=']);
        if let Some(run) = run.filter(|run| run.start <= HEADING && !is_named(run)) {
            let begin = block.as_ref().map_or(at + run.start, |block| block.start);
            block = Some(begin..at + run.end);
            lines += 1;
        } else {
            take(block.take(), lines);
            lines = 0;
        }
        at += line.len() + 1;
    }
    take(block, lines);
    found
}

/// Whether the few words before a block say that it is a private key, and no certificate or public key.
fn is_announced(before: &str) -> bool {
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(ANNOUNCED))..];
    looked_at(near.len());
    let near = near.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| near.contains(word));
    has(&ANNOUNCING) && !has(&["-----", "certificate", "public", ".pub", "ssh-", "csr"])
}

/// The length of the further lines of a key that began like this, where it is one that is broken into lines.
pub(crate) fn continued(beginning: &str, text: &str) -> usize {
    if !["LS0t", "MI", "MHc", "MC4", "b3Bl"].iter().any(|base64| beginning.starts_with(base64)) {
        return 0;
    }
    let mut length = 0;
    for line in text[..boundary(text, LONGEST_LINE)].split_inclusive('\n').skip(1).take(MOST_LINES) {
        let Some(found) = last_run(line).filter(|found| line[..found.start].trim().len() < 4) else { break };
        length += text[length..].find('\n').map_or(0, |end| end + 1);
        length += found.end;
    }
    length
}

/// The length of `-----BEGIN RSA PRIVATE KEY-----`, or of the same without dashes.
fn mark(text: &str, word: &str, may_be_bare: bool) -> Option<usize> {
    let dashes = MARKS.iter().find(|dashes| text.starts_with(**dashes)).map_or(0, |dashes| dashes.len());
    let named = text[dashes..].strip_prefix(word).filter(|_| dashes > 0 || may_be_bare)?;
    let near = &named[..boundary(named, HEADING)];
    let near = &near[..near.find('\n').unwrap_or(near.len())];
    let key = ["PRIVATE KEY", "PRIVATE+KEY"].iter().find_map(|words| near.find(words).map(|at| at + words.len()))?;
    let kind = &near[..key];
    let is_kind = kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" +".contains(&byte));
    let block = if near[key..].starts_with(" BLOCK") { " BLOCK".len() } else { 0 };
    let after = text.len() - named.len() + key + block;
    let close = run(&text[after..], |byte| b" -".contains(&byte));
    (is_kind && (dashes == 0 || close > 0)).then_some(after + close)
}

/// The length of what follows a heading and is the key.
fn body(text: &str) -> Option<usize> {
    let (mut at, mut secret, mut is_doubtful, mut column) = (0, None, false, 0);
    for nth in 0..MOST_LINES {
        let near = &text[at..text.floor_char_boundary(at + LONGEST_LINE)];
        // The next heading first: what comes after it is looked at from there.
        let block = near.find("BEGIN ").unwrap_or(near.len());
        let end = near[..block].find('\n').into_iter().chain(near[..block].find("<br")).min();
        let line = &near[..end.unwrap_or(block)];
        looked_at(block);
        if let Some((before, closing)) = closed(line) {
            let is_key = secret.is_some()
                || is_doubtful
                || last_run(&line[..before]).is_some()
                || lone(&line[..before]).is_some();
            return is_key.then_some(at + closing);
        }
        let is_header = HEADERS.iter().any(|header| line.trim_start_matches([' ', '|', '>', '"']).starts_with(header));
        if let Some(run) = last_run(line).filter(|_| !is_header) {
            secret = Some(at + run.end);
            column = run.start;
        } else if let Some(run) =
            lone(line).or_else(|| secret.and_then(|_| short_last(line, column, ends_below(&near[..block], end))))
        {
            // A short line, the last one as a rule.
            is_doubtful = true;
            secret = secret.map(|_| at + run.end);
        } else if !(is_header || nth == 0 && is_of_a_log(line)) && line.bytes().any(|byte| byte.is_ascii_alphanumeric())
        {
            break;
        }
        let Some(end) = end else { break };
        at += end + if near[end..].starts_with("<br") { near[end..].find('>').map_or(3, |close| close + 1) } else { 1 };
    }
    secret
}

/// Where the mark of the end begins and ends in a line.
fn closed(line: &str) -> Option<(usize, usize)> {
    let at = line.find("END ").filter(|at| MARKS.iter().any(|dashes| line[..*at].ends_with(dashes)))?;
    Some((at - 5, line[..at + mark(&line[at..], "END", true)?].trim_end_matches(' ').len()))
}

/// The last run of base64 in a line that is long and mixed enough to be one of a key's.
fn last_run(line: &str) -> Option<Range<usize>> {
    let mut at = 0;
    let mut found: Option<Range<usize>> = None;
    for part in line.split(|c: char| !c.is_ascii() || !BASE64(c as u8)) {
        let has = |kind: fn(&u8) -> bool| part.bytes().any(|byte| kind(&byte));
        let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
        if part.len() >= TELLING_RUN && is_mixed && (part.len() >= 32 || has(u8::is_ascii_digit)) {
            found = Some(found.map_or(at, |first| first.start)..at + part.len());
        }
        at += part.len() + line[at + part.len()..].chars().next().map_or(0, char::len_utf8);
    }
    looked_at(line.len());
    found
}

/// The short last line of a key behind what a log puts before every line: it begins below the line before it, or it is filled
/// up with equals signs, or the mark of the end follows.
fn short_last(line: &str, column: usize, is_closed: bool) -> Option<Range<usize>> {
    let word_at = |begin: usize| {
        let rest = line.get(begin..)?;
        let word = rest.split([' ', '\\', '"', '\r']).next().unwrap_or_default();
        let goes_on = rest[word.len()..].starts_with(' ') && !rest[word.len()..].trim().is_empty();
        let is_apart = line[..begin].ends_with(|c: char| !(c.is_ascii() && BASE64(c as u8)));
        let has = |kind: fn(&u8) -> bool| word.bytes().skip(1).any(|byte| kind(&byte));
        let is_mixed = has(u8::is_ascii_uppercase) && word.bytes().any(|byte| byte.is_ascii_lowercase())
            || has(u8::is_ascii_digit) && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        let is_base64 = word.len() % 4 == 0
            && word.bytes().all(BASE64)
            && (is_mixed || is_closed || begin == column && word.ends_with('='));
        looked_at(word.len());
        (!word.is_empty() && !goes_on && is_apart && is_base64).then(|| begin..begin + word.len())
    };
    let last = || line.trim_end().rfind(char::is_whitespace).map(|blank| blank + 1);
    let is_told = |word: &Range<usize>| is_closed || line[word.clone()].ends_with('=');
    word_at(column).or_else(|| word_at(last()?).filter(is_told))
}

/// Whether what follows a heading on its line is the end of one of a log's lines as an object: `\n","stream":"stdout"}`.
fn is_of_a_log(line: &str) -> bool {
    line.starts_with("\\n\"") || line.starts_with("\\r\\n\"")
}

/// Whether the line below the one that ends at `end` has the mark of the end.
fn ends_below(text: &str, end: Option<usize>) -> bool {
    let Some(below) = end.and_then(|end| text.get(end + 1..)) else { return false };
    let line = below.split('\n').next().unwrap_or_default();
    looked_at(line.len());
    closed(line).is_some()
}

/// The only word of a line, where it may be base64.
fn lone(line: &str) -> Option<Range<usize>> {
    let word = line.trim_matches(|c: char| c.is_whitespace() || "|>\"',+\\<".contains(c));
    let is_word = !word.starts_with('=') && word.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    let is_base64 = !word.is_empty() && word.len() < 128 && word.bytes().all(BASE64) && !(is_word && word.len() > 4);
    let at = line.find(word).filter(|_| is_base64)?;
    Some(at..at + word.len())
}
