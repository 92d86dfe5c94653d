//! Keys and passwords that calls of libraries take at a place of their own: `jwt.sign(payload, '…')`, `hmac.new(b'…')`,
//! `ftplib.FTP('h', 'jo', '…')`, `child.sendline('…')` behind a prompt for a password. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::value::extent::quoted;
use crate::value::speech::stands_in;
use crate::word::remark::is_remark;
use crate::word::shape::is_identifying;

/// How far a call is followed, and how far before it the prompt stands that it answers.
const CALL: usize = 384;
const PROMPT: usize = 200;

/// How the names of such calls end, and which argument is the secret, counted from zero.
const CALLS: [(&str, usize); 14] = [
    ("jwt.sign", 1),
    ("jwt.verify", 1),
    ("jwt.encode", 1),
    ("jwt.decode", 1),
    ("createhmac", 1),
    ("hmac.new", 0),
    ("hash_hmac", 2),
    ("secretkeyspec", 0),
    ("fernet", 0),
    ("hmacsha256", 0),
    ("ftplib.ftp", 2),
    ("ftplib.ftp_tls", 2),
    ("ftp.login", 1),
    ("telnet.login", 1),
];

/// Calls that type what is asked for.
const TYPING: [&str; 6] = [".sendline", ".send", ".write", ".send_command", ".puts", ".sendall"];
const PROMPTS: [&str; 3] = ["assword", "assphrase", "asscode"];

/// Words that stand for a key, where no key is shown.
const STAND_INS: &str = "key mykey my-key your-key yourkey secretkey secret-key secret_key privatekey private_key publickey public_key data \
    message payload sha1 sha256 sha384 sha512 md5 utf8 utf-8 hex base64 exit quit yes";

/// The key or the password among the arguments in the brackets that open here.
pub(crate) fn argument(place: Place<'_>) -> Option<Range<usize>> {
    let before = &place.text.as_bytes()[place.at.saturating_sub(32)..place.at];
    looked_at(before.len());
    let length = before.iter().rev().take_while(|byte| DOTTED(**byte)).count();
    let name = String::from_utf8_lossy(&before[before.len() - length..]).to_ascii_lowercase();
    let name = name.trim_start_matches('.');
    let is_of = |end: &str| {
        let lead = name.strip_suffix(end);
        lead.is_some_and(|lead| lead.is_empty() || lead.ends_with('.') || end == "createhmac")
    };
    let nth = match CALLS.iter().find(|(end, _)| is_of(end)) {
        Some((_, nth)) => *nth,
        None if TYPING.iter().any(|end| name.ends_with(end)) && is_asked(place) => 0,
        None => return None,
    };
    let text = &place.rest()[..boundary(place.rest(), CALL)];
    let at = nth_argument(text, nth)?;
    let at = at + usize::from(text[at..].starts_with(['b', 'r', 'u']));
    let quote = text[at..].chars().next().filter(|c| "\"'`".contains(*c))?;
    let range = quoted(&text[at..], 0, quote);
    let range = at + range.start..at + range.end;
    text[range.end..].starts_with(quote).then_some(())?;
    let told = &text[range.clone()];
    let told = ["\\r\\n", "\\n", "\\r"].iter().find_map(|end| told.strip_suffix(end)).unwrap_or(told);
    is_key(told).then(|| place.at + range.start..place.at + range.start + told.len())
}

/// Where an argument begins, counted from zero, of a call whose brackets open `text`.
fn nth_argument(text: &str, nth: usize) -> Option<usize> {
    let (mut at, mut depth, mut passed) = (1, 0, 0);
    at += run(text.get(at..)?, |byte| b" \n".contains(&byte));
    while passed < nth {
        let c = text[at..].chars().next()?;
        at += c.len_utf8();
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return None,
            ')' | ']' | '}' => depth -= 1,
            '"' | '\'' | '`' => at = (at + quoted(&text[at - 1..], 0, c).end).min(text.len()),
            ',' if depth == 0 => {
                passed += 1;
                at += run(&text[at..], |byte| b" \n".contains(&byte));
            }
            _ => {}
        }
    }
    Some(at)
}

/// Whether a literal can be the key, and is no name of a file or of a way to make one.
fn is_key(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_file = [".pem", ".key", ".pub", ".txt", ".json", ".crt"].iter().any(|end| lower.ends_with(end));
    let is_stand_in = STAND_INS.split_ascii_whitespace().any(|word| word == lower) || is_remark(&lower);
    let is_template = text.contains(['{', '<']) || text.starts_with(['$', '%', '-', '@']);
    let is_address = text.contains('@') && text.contains('.');
    text.len() >= 4
        && !is_address
        && !is_file
        && !is_stand_in
        && !is_template
        && !stands_in(text)
        && !is_identifying(text)
}

/// Whether a password is asked for right before, by a call that waits for the prompt.
fn is_asked(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(PROMPT))..place.at];
    looked_at(before.len());
    let waits = ["expect(", "read_until(", "wait_for(", "expect_exact("];
    let asked = waits.iter().filter_map(|wait| before.rfind(wait)).max().map(|at| &before[at..]);
    let is_first =
        |asked: &&str| TYPING.iter().map(|typing| asked.matches(&format!("{typing}(")).count()).sum::<usize>() == 0;
    let is_prompt = |asked: &str| PROMPTS.iter().any(|word| asked.contains(word));
    let after = place.rest().get(..boundary(place.rest(), PROMPT)).unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    let is_told = || after.split_once(") after ").is_some_and(|(_, prompt)| is_prompt(prompt));
    // The call that is being made ends the text before.
    let asked = asked.map(|asked| asked.trim_end_matches(|c: char| c.is_ascii() && DOTTED(c as u8)));
    asked.filter(is_first).is_some_and(is_prompt) || is_told()
}
