//! Secrets in what is sent to sign in: SMTP, IMAP, FTP, POP3 and Redis; and in the files and sentences that name a user beside. Pure.

use std::ops::Range;

use super::statement::begins;
use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run};
use crate::text::shell::words;
use crate::value::generated;
use crate::value::speech::stands_in;
use crate::word::predicate::{describes, ends_clause, is_state};
use crate::word::random::{is_strong, is_varied, looks_random};
use crate::word::shape::{is_label, is_odd, is_uuid};

/// What follows a password in a `.netrc` on the same line.
const AFTER_PASSWORD: [&str; 4] = ["machine ", "default ", "macdef ", "account "];

/// How far what is said of a machine is followed.
const MACHINE: usize = 256;

/// How far a dialog is followed.
const DIALOG: usize = 1024;

/// What signs in with one secret after it: SMTP, IMAP and Redis.
const MECHANISMS: [&str; 5] = ["default", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];

/// The secret of `AUTH …`, `AUTH default …`, `AUTH PLAIN …` and `AUTHENTICATE PLAIN …`.
pub(crate) fn signing_in(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let verb = ["authenticate", "auth"].into_iter().find(|verb| begins(rest, verb))?.len();
    let near = &rest[..boundary(rest, DIALOG)];
    if let Some(secret) = quoted_command(place, near) {
        return Some(secret);
    }
    let gap = run(&near[verb..], |byte| b"\"' ".contains(&byte));
    if gap == 0 {
        return None;
    }
    let mut at = verb + gap;
    let word = |at: usize| {
        &near[at..at + near[at..].find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c)).unwrap_or(near.len() - at)]
    };
    let is_mechanism = MECHANISMS.iter().any(|mechanism| mechanism.eq_ignore_ascii_case(word(at)));
    if is_mechanism {
        at += word(at).len();
        // What the server asks stands on a line of its own.
        at += run(&near[at..], |byte| b"\"' \r".contains(&byte));
        at += near[at..].strip_prefix("\n334").map_or(0, |asked| {
            let line = asked.find('\n').unwrap_or(asked.len());
            "\n334".len() + line + usize::from(line < asked.len())
        });
    }
    let line = near[at..].split('\n').next().unwrap_or_default();
    let is_command = is_mechanism || rest.starts_with("AUTH") || line[word(at).len()..].trim().is_empty();
    // `stats auth admin:…`, `AUTH bob …`
    at += match line.split_once(' ') {
        _ if is_mechanism => 0,
        Some((user, password)) if rest.starts_with("AUTH ") && is_varied(password) => user.len() + 1,
        _ => word(at).find(':').map_or(0, |sign| sign + 1),
    };
    let secret = word(at).len();
    (is_command && (looks_random(word(at), 6) || rest.starts_with("AUTH ") && is_odd(word(at))))
        .then(|| place.at + at..place.at + at + secret)
}

/// The password of a command of Redis in quotation marks, whatever it looks like: `unknown command 'AUTH bob …'`.
fn quoted_command(place: Place<'_>, near: &str) -> Option<Range<usize>> {
    let quote = char::from(place.before.filter(|byte| b"\"'`".contains(byte))?);
    let command = near[..near.find(quote)?].strip_prefix("AUTH ")?;
    let (user, password) = command.split_once(' ')?;
    let is_name =
        |word: &str| !word.is_empty() && !word.contains(' ') && !stands_in(word) && word != word.to_uppercase();
    let begin = place.at + "AUTH ".len() + user.len() + 1;
    (is_name(user) && is_name(password) && password.len() > 3).then(|| begin..begin + password.len())
}

/// What a server of SMTP asks for in base64: `Username:` and `Password:`.
const ASKED: [&str; 4] = ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "334 dXNlcm5hbWU6", "334 cGFzc3dvcmQ6"];

/// The answer on the line below what a server asks, behind whatever a log puts before it.
pub(crate) fn asked(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let asked = ASKED.iter().find(|asked| rest.starts_with(**asked))?.len();
    let near = &rest[..boundary(rest, DIALOG)];
    let begin = asked + run(&near[asked..], |byte| byte.is_ascii_whitespace());
    let line = near[begin..].split('\n').next()?.trim_end();
    let answer = line.rsplit(' ').next()?;
    let is_base64 = answer.len() >= 4
        && answer.len().is_multiple_of(4)
        && answer.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let end = place.at + begin + line.len();
    (near[asked..begin].contains('\n') && is_base64).then(|| end - answer.len()..end)
}

/// The password of FTP and POP3, on a line of its own below that of its user: `USER bob`, `PASS …`.
pub(crate) fn pass(place: Place<'_>) -> Option<Range<usize>> {
    let value = place.rest().strip_prefix("PASS ")?;
    let value = &value[..boundary(value, DIALOG)];
    let value = value.split('\n').next()?.trim_end_matches(['\r', '"', '\'', ' ']);
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(256))..place.at];
    looked_at(before.len());
    let mut lines = before.rsplit('\n').skip(1).take(3);
    let has_user = lines.clone().any(|line| line.contains("USER "));
    let is_answered = lines.any(|line| line.contains("331") || line.contains("+OK"));
    let is_word = value.bytes().all(|byte| byte.is_ascii_lowercase()) && !is_answered && !is_right_below_user(before);
    let begin = place.at + "PASS ".len();
    (has_user && !is_word && !value.contains(' ') && !stands_in(value)).then(|| begin..begin + value.len())
}

/// Whether the line above has nothing but a user, behind the same marks and as many digits as this line has: `C: USER bob`.
fn is_right_below_user(before: &str) -> bool {
    let mut lines = before.rsplit('\n');
    let (Some(mark), Some(above)) = (lines.next(), lines.next()) else { return false };
    let Some((other, user)) = above.split_once("USER ") else { return false };
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let user = user.trim_end();
    shape(mark) == shape(other) && !user.is_empty() && user.bytes().all(|byte| DOTTED(byte) || byte == b'@')
}

/// The password of IMAP's `a1 LOGIN bob …`.
pub(crate) fn login(place: Place<'_>) -> Option<Range<usize>> {
    let arguments = place.rest().strip_prefix("LOGIN ")?;
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(32))..place.at];
    let tag = before.strip_suffix(' ')?.rsplit(char::is_whitespace).next()?;
    let words = words(arguments, "");
    let password = match words.as_slice() {
        [_, password] => password,
        // What the server answers, on the same line of a log.
        [user, password, ..] if user.is_quoted && password.is_quoted => password,
        _ => return None,
    };
    let begin = place.at + "LOGIN ".len();
    let is_tag = tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) && tag.bytes().any(|byte| byte.is_ascii_digit());
    let is_secret = is_tag && !stands_in(&arguments[password.range.clone()]);
    is_secret.then(|| begin + password.range.start..begin + password.range.end)
}

/// The password that somebody tried at a honeypot: `login attempt [root/…] failed`, `login attempt [b'root'/b'…']`.
pub(crate) fn tried(place: Place<'_>) -> Option<Range<usize>> {
    let tried = place.rest().strip_prefix("login attempt [")?;
    let tried = &tried[..boundary(tried, 128)];
    let user = tried
        .find('/')
        .filter(|sign| !tried[..*sign].contains([' ', ']', '\n']) && tried.starts_with(char::is_alphabetic))?;
    let quote = tried[user + 1..].strip_prefix("b'").map_or(0, |_| "b'".len());
    let password = &tried[user + 1 + quote..];
    let end = password.find(']').filter(|end| !password[..*end].contains('\n'))?;
    let end = password[..end].trim_end_matches(|c| quote > 0 && c == '\'').len();
    let begin = place.at + "login attempt [".len() + user + 1 + quote;
    (end > 0).then(|| begin..begin + end)
}

/// The password of a machine in a `.netrc`: `machine host login bob password …`.
pub(crate) fn machine(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let mut at = ["machine ", "default "].into_iter().find(|word| rest.starts_with(word))?.len();
    let near = &rest[..boundary(rest, MACHINE)];
    let mut next = || {
        let begin = at + run(&near[at..], |byte| byte.is_ascii_whitespace());
        at = begin + run(&near[begin..], |byte| !byte.is_ascii_whitespace());
        (begin < at).then_some(begin..at)
    };
    if rest.starts_with('m') {
        // Its name.
        next()?;
    }
    let mut has_login = false;
    loop {
        let (name, value) = (next()?, next()?);
        match &near[name] {
            "login" | "account" => has_login = true,
            "password" if has_login => {
                let password = near[value.clone()].trim_end_matches(['"', '\'']);
                let rest = near[value.end..].trim_start_matches([' ', '\r']);
                // Of a sentence, more words follow.
                let is_last = rest.is_empty()
                    || rest.starts_with('\n')
                    || AFTER_PASSWORD.iter().any(|word| rest.starts_with(word));
                let begin = place.at + value.start;
                return (is_last && !stands_in(password)).then(|| begin..begin + password.len());
            }
            _ => return None,
        }
    }
}

/// Accounts that every system has.
const ACCOUNTS: &str = "root admin administrator sa postgres elastic";

/// The password of an account that every system has: `admin:…`.
pub(crate) fn of_account(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let user = ACCOUNTS.split(' ').find(|user| {
        rest.get(..user.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(user))
            && rest[user.len()..].starts_with(':')
    })?;
    let begin = user.len() + 1;
    let near = &rest[begin..boundary(rest, begin + 128)];
    let password = &near[..near.find(|c: char| c.is_whitespace() || "\"'`,;()<>".contains(c)).unwrap_or(near.len())];
    // `root:…@10.0.0.5`
    let is_host = |host: &str| host.contains('.') && host.bytes().all(|byte| DOTTED(byte) || byte == b':');
    let of_host = password.rsplit_once('@').filter(|(_, host)| is_host(host)).map(|(password, _)| password);
    let password = of_host.unwrap_or(password);
    let is_varied = is_strong(password) || is_varied(password) || of_host.is_some() && looks_random(password, 6);
    let is_password = is_varied && !password.contains(['/', ':', '.', '@', '=']);
    is_password.then(|| place.at + begin..place.at + begin + password.len())
}

/// Words that a user and a password follow.
const OF_BOTH: &str = "credentials credential creds login account sftp ftp zugang zugangsdaten anmeldedaten identifiants credenciales credenziali \
    credenciais inloggegevens";

/// Words for users and for passwords, of which one of each, with a sign between, is followed by one of each: `user/pass: bob/…`.
const USER: &str = "username user login account email id";
const PASSWORD: &str = "mdp passwort kennwort password passwd pass pwd pw passphrase";

/// Words of them that say that a password follows, however plain; and users after whose name one does as well.
const OF_ACCOUNTS: &str = "credentials credential creds zugangsdaten anmeldedaten identifiants credenciales credenziali credenciais inloggegevens";
const USUAL_USERS: &str = "backup operator service guest monitor monitoring nagios zabbix icinga ftp ubuntu oracle support pi ansible jenkins \
    grafana deploy";

/// What is told of two things beside each other, and is no password of the first.
const OTHERS: &str = "restore recovery replica replication archive snapshot service operator admin user owner viewer editor guest monitor \
    monitoring support logout signup account billing weekend oncall";

/// Whether a plain word is a password behind a user and a stroke, and ends what is said: `backup / …  (NAS in rack 4)`.
fn is_spoken(word: &str, after: &str) -> bool {
    let is_plain = word.len() > 4 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_other = OTHERS.split_ascii_whitespace().any(|known| known == word);
    let is_last = ends_clause(after) || after.trim_start_matches(' ').starts_with('(');
    is_plain && !is_other && !stands_in(word) && !describes("password", word) && !is_state(word) && is_last
}

/// The shortest of these words.
const SHORTEST_NAME: usize = 2;

/// The password of `creds: bob / …`, `user/pass: bob/…` and `login bob:…`.
pub(crate) fn user_and_password(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let is_one_of = |table: &str, word: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(word));
    let first = run(rest, |byte| byte.is_ascii_alphabetic());
    if first < SHORTEST_NAME || !is_one_of(USER, &rest[..first]) && !is_one_of(OF_BOTH, &rest[..first]) {
        return None;
    }
    let near = &rest[..boundary(rest, DIALOG)];
    let word = |at: usize| run(&near[at..], |byte| byte.is_ascii_alphabetic());
    let and = |at: usize| near[at..].strip_prefix(" and ").map(|_| " and ".len());
    let joined = first + and(first).unwrap_or_else(|| run(&near[first..], |byte| b" /:&+,|".contains(&byte)));
    let both = joined + word(joined);
    let names_both =
        both > joined && joined > first && is_one_of(USER, &near[..first]) && is_one_of(PASSWORD, &near[joined..both]);
    let named = if names_both { both } else { first };
    if !names_both && !is_one_of(OF_BOTH, &near[..first]) {
        return None;
    }
    // `creds for staging: bob / …`
    let is_labelled = || {
        let label = near[named..].strip_prefix(' ').map_or(0, |label| run(label, DOTTED));
        label > 0 && near[named + 1 + label..].starts_with(": ")
    };
    let whose = if near[named..].starts_with(" for ") { " for ".len() } else { usize::from(is_labelled()) };
    let of = if whose > 0 { whose + whose_end(&near[named + whose..]) } else { 0 };
    let named = if near[named + of..].starts_with([':', ' ']) && of > 0 || near[named..].starts_with(':') {
        named + of
    } else {
        named
    };
    let open = named + run(&near[named..], |byte| b" :=>\"'*".contains(&byte));
    let open = open
        + ["with ", "as ", "is ", "are "]
            .iter()
            .find(|word| near[open..].starts_with(**word))
            .map_or(0, |word| word.len());
    let user = run(&near[open..], |byte| DOTTED(byte) || byte == b'@');
    let sign = open + user;
    let gap = and(sign).unwrap_or_else(|| run(&near[sign..], |byte| b" :/".contains(&byte)));
    let password = &near[sign + gap..];
    let end = password.find(|c: char| c.is_whitespace() || "\"'`,;)<".contains(c)).unwrap_or(password.len());
    let end = match password[..end].rfind('@') {
        None if near[..first].to_ascii_lowercase().ends_with("ftp") => return None,
        _ if near[sign..sign + gap].contains('/') => end,
        None => end,
        // `login: bob:…@10.0.0.3`
        Some(at) => at,
    };
    // One that a program has made may have any mark.
    let made = generated::unquoted(password, false).filter(|_| near[sign..].starts_with(" / "));
    let end = made.unwrap_or(end);
    let told = &password[..end];
    let is_pair = open > named && user > 0 && (near[sign..sign + gap].contains([':', '/']) || and(sign).is_some());
    let has_mark = looks_random(told, 6) && told.contains(['!', '#', '$', '%', '^', '&', '*']);
    let is_account = is_one_of(ACCOUNTS, &near[open..sign]) && near[sign..].starts_with(':');
    let names_account = is_one_of(OF_ACCOUNTS, &near[..first]);
    let is_secret = made.is_some()
        || is_strong(told)
        || is_varied(told)
        || is_uuid(told)
        || has_mark
        || (names_both || is_account || names_account && near[sign..].starts_with(" / ")) && looks_random(told, 6);
    let is_spoken = || {
        let is_user = names_both || names_account || is_one_of(USUAL_USERS, &near[open..sign]);
        is_user && near[sign..].starts_with(" / ") && is_spoken(told, &password[end..])
    };
    let is_secret = is_secret || is_spoken();
    // What is masked already says that the user before it is none.
    let is_secret = is_secret && !told.contains("://") && !stands_in(told) || told == crate::MASK;
    (is_pair && is_secret).then(|| place.at + sign + gap..place.at + sign + gap + end)
}

/// The length of the few words that say whose credentials follow, up to a colon where there is one: `the sandbox:`.
fn whose_end(text: &str) -> usize {
    let near = &text[..boundary(text, 40)];
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(DOTTED);
    let told = near
        .find(": ")
        .or_else(|| near.find(" >"))
        .filter(|colon| near[..*colon].split(' ').count() <= 3 && near[..*colon].split(' ').all(is_word));
    told.unwrap_or_else(|| run(near, DOTTED))
}

/// The password of a host as Postfix has it: `[smtp.example]:587 user:…`.
pub(crate) fn of_relay(place: Place<'_>) -> Option<Range<usize>> {
    let host = 1 + run(&place.rest()[1..], DOTTED);
    if !place.rest()[host..].starts_with("]:") {
        return None;
    }
    let near = &place.rest()[..boundary(place.rest(), host + DIALOG)];
    let port = near[host..].strip_prefix("]:").map(|port| host + 2 + run(port, |byte| byte.is_ascii_digit()))?;
    let open = port + run(&near[port..], |byte| b" \t".contains(&byte));
    let user = open + run(&near[open..], |byte| DOTTED(byte) || b"@+".contains(&byte));
    let password = near[user..].strip_prefix(':').filter(|_| user > open && open > port)?;
    let password =
        &password[..password.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(password.len())];
    let has_mark = password.len() > 5 && password.contains(['!', '#', '$', '%', '^', '&', '*']);
    let of_mail = near[open..user].contains('@') && password.len() > 3 && !stands_in(password);
    let is_password = is_strong(password) || is_varied(password) || looks_random(password, 6) || has_mark || of_mail;
    let begin = place.at + user + 1;
    (is_password && !password.starts_with('/') && !password.contains(':')).then(|| begin..begin + password.len())
}

/// The password of `~/.pgpass: host:5432:database:user:…`: all that is behind the fourth colon. `None` where the value that begins
/// `text` is no such line.
pub(crate) fn fifth_field(text: &str) -> Option<Range<usize>> {
    let near = &text[..boundary(text, DIALOG)];
    let open = run(near, |byte| b"\"'".contains(&byte));
    let line = near[open..].split(|c: char| c.is_whitespace() || "\"'`".contains(c)).next()?;
    let fields: Vec<&str> = line.splitn(5, ':').collect();
    let [host, port, database, user, password] = fields[..] else { return None };
    let is_name = |name: &str| name.bytes().all(|byte| DOTTED(byte) || byte == b'*');
    let is_port = port == "*" || port == "port" || !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_line = is_port && is_name(host) && is_name(database) && is_name(user);
    is_line.then(|| open + line.len() - password.len()..open + line.len())
}

/// The password of `host:5432:database:user:…`, as files of PostgreSQL's clients have it.
pub(crate) fn password_file(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let host = run(rest, |byte| DOTTED(byte) || byte == b'*');
    if host == 0 || host > 128 || !rest[host..].starts_with(':') || rest[host + 1..].starts_with('/') {
        return None;
    }
    // What a text of many colons has at each of them is told before more is looked at.
    let port = &rest[host + 1..];
    let port = &port[..run(port, |byte| byte.is_ascii_digit() || byte == b'*')];
    if port != "*" && (port.len() < 4 || port.contains('*')) || !rest[host + 1 + port.len()..].starts_with(':') {
        return None;
    }
    let near = &rest[..boundary(rest, DIALOG)];
    let quote = place.before.filter(|byte| b"\"'".contains(byte)).map(char::from);
    let near = &near[..near.find(|c: char| c.is_whitespace() || Some(c) == quote).unwrap_or(near.len())];
    let mut parts = near.splitn(5, ':').skip(2);
    let (database, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    let is_name = |name: &str| !name.is_empty() && (name == "*" || name.bytes().all(DOTTED));
    let is_file = is_name(&rest[..host]) && is_name(database) && is_name(user);
    let has = |kind: fn(&u8) -> bool| password.bytes().any(|byte| kind(&byte));
    let is_mixed = password.len() > 5 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !is_label(password);
    let is_plain = password.bytes().all(|byte| byte.is_ascii_graphic() && !b"/:=,".contains(&byte));
    (is_file && (is_strong(password) || is_varied(password) || is_odd(password) || is_mixed && is_plain))
        .then(|| place.at + near.len() - password.len()..place.at + near.len())
}
