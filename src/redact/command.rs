//! Secrets on command lines: told by the commands and options that take them. Pure.

use std::ops::Range;

use super::rules::WORD;
use super::scan::{Place, boundary, is_strong, run};

/// How much of the line before an option is looked at for its command.
const COMMAND: usize = 200;

/// The longest secret.
const LONGEST: usize = 1024;

/// Options that take a secret after a blank, and the words that their commands have.
const OPTIONS: [(&str, &[&[&str]]); 9] = [
    (
        "-p",
        &[
            &["docker", "login"],
            &["podman", "login"],
            &["buildah", "login"],
            &["skopeo", "login"],
            &["nerdctl", "login"],
            &["helm", "login"],
            &["az", "login"],
            &["oc", "login"],
            &["cf", "login"],
            &["sshpass"],
            &["mongo"],
            &["mongosh"],
            &["mongodump"],
            &["mongorestore"],
            &["rabbitmqadmin"],
            &["psexec"],
        ],
    ),
    ("-P", &[&["sqlcmd"], &["bcp"], &["ipmitool"], &["zip"], &["unzip"], &["tsql"]]),
    ("-a", &[&["redis-cli"], &["valkey-cli"]]),
    ("-w", &[&["ldapsearch"], &["ldapmodify"], &["ldapadd"], &["ldapdelete"], &["ldapwhoami"], &["ldappasswd"]]),
    ("-N", &[&["ssh-keygen"]]),
    ("-k", &[&["openssl", "enc"]]),
    ("-A", &[&["snmpget"], &["snmpwalk"]]),
    ("-X", &[&["snmpget"], &["snmpwalk"]]),
    ("-c", &[&["snmpget"], &["snmpwalk"]]),
];

/// Options that a secret follows without a blank.
const ATTACHED: [(&str, &[&[&str]]); 2] = [
    ("-p", &[&["mysql"], &["mysqldump"], &["mysqladmin"], &["mariadb"], &["sshpass"], &["7z"]]),
    ("-a", &[&["redis-cli"]]),
];

/// Commands that take a secret among their arguments without an option, and how they begin.
const POSITIONAL: [&str; 15] = [
    "htpasswd ",
    "rabbitmqctl add_user ",
    "rabbitmqctl change_password ",
    "net user ",
    "net use ",
    "runas ",
    "vncpasswd ",
    "smbpasswd ",
    "LOGIN ",
    "ConvertTo-SecureString ",
    "PSCredential(",
    "NetworkCredential(",
    "Credentials(",
    "login(",
    "authenticate(",
];

/// Commands that read a password or a token where another one writes it: `echo … | docker login --password-stdin`.
const READERS: [&str; 12] = [
    "password-stdin",
    "--stdin",
    "passwd",
    "chpasswd",
    "sudo -S",
    "with-token",
    "kinit",
    "-fd 0",
    "pass-file -",
    "stdin:",
    "login",
    "-passin",
];

/// The password of `curl -u user:…`, `--user user:…`, `smbclient -U user%…`, `mysql -p…`, `docker login -p …` and their kind.
pub(super) fn flag(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !rest.starts_with('-') {
        return None;
    }
    let is_option = |option: &&str| {
        rest.strip_prefix(*option).is_some_and(|after| after.starts_with([' ', '=', '"', '\'']) || option.len() == 2)
    };
    if let Some(option) = ["-u", "--user", "--proxy-user", "-U"].into_iter().find(is_option) {
        return user(place, option);
    }
    if let Some(option) = ["-a", "--auth"].into_iter().find(is_option)
        && is_of(place, &[&["http"], &["https"], &["xh"], &["xhs"]])?
    {
        return user(place, option);
    }
    let option = rest.get(..2)?;
    let blanks = run(&rest[2..], |byte| byte == b' ');
    let table = if blanks == 0 { &ATTACHED[..] } else { &OPTIONS[..] };
    let (_, commands) = table.iter().find(|(known, _)| *known == option)?;
    let begin = 2 + blanks;
    let quote = rest[begin..].chars().next().filter(|c| "\"'".contains(*c));
    let value = begin + usize::from(quote.is_some());
    let near = &rest[value..boundary(rest, value + LONGEST)];
    let length = near.find(|c: char| quote.map_or(c.is_whitespace(), |quote| c == quote)).unwrap_or(near.len());
    let is_password = (3..=LONGEST).contains(&length) && !near.starts_with('-') && is_of(place, commands)?;
    is_password.then(|| place.at + value..place.at + value + length)
}

/// Whether the line before `place` has all the words of one of these commands.
fn is_of(place: Place<'_>, commands: &[&[&str]]) -> Option<bool> {
    let from = place.at.saturating_sub(COMMAND);
    let before = &place.text[(from..=place.at).find(|at| place.text.is_char_boundary(*at))?..place.at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let words: Vec<&str> = line.split(|c: char| !c.is_ascii() || !WORD(c as u8)).collect();
    Some(commands.iter().any(|command| command.iter().all(|word| words.contains(word))))
}

/// The password after a user's name: behind a colon, and for Windows shares behind a percent sign.
fn user(place: Place<'_>, option: &str) -> Option<Range<usize>> {
    let rest = place.rest();
    let open = option.len() + run(&rest[option.len()..], |byte| b" =\"'\\".contains(&byte));
    let near = &rest[open..boundary(rest, open + 512)];
    let quote = rest[..open].chars().next_back().filter(|c| "\"'".contains(*c));
    let is_end = |c: char| quote.map_or(c.is_whitespace() || "\"'`\\".contains(c), |quote| c == quote || c == '\n');
    let end = near.find(is_end).unwrap_or(near.len());
    let is_share = option == "-U" && is_of(place, &[&["smbclient"], &["rpcclient"], &["smbmap"], &["net"]])?;
    let is_transfer = option == "-u" && is_of(place, &[&["lftp"]])?;
    let sign = near[..end].find(if is_share {
        '%'
    } else if is_transfer {
        ','
    } else {
        ':'
    })?;
    let password = &near[sign + 1..end];
    let is_password = sign > 0 && !password.starts_with('/') && !password.bytes().all(|byte| byte.is_ascii_digit());
    is_password.then(|| place.at + open + sign + 1..place.at + open + end)
}

/// The first argument of such a command that is as random as passwords are.
pub(super) fn positional(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let begin = POSITIONAL.iter().find(|command| rest.starts_with(**command))?.len();
    let line = &rest[begin..boundary(rest, COMMAND).max(begin)];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let words = line.split(|c: char| c.is_whitespace() || "\"'`,;()".contains(c));
    let word = words.filter(|word| !word.contains(['/', '\\', ':'])).find(|word| is_strong(word))?;
    let at = place.at + begin + line.find(word)?;
    Some(at..at + word.len())
}

/// What `echo` writes, or a here-string holds, for a command that reads a password.
pub(super) fn piped(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let word = ["echo -n ", "echo -e ", "echo ", "printf %s ", "printf ", "<<< ", "<<<"]
        .into_iter()
        .find(|word| rest.starts_with(word))?;
    let line = &rest[..boundary(rest, LONGEST)];
    let line = &line[..line.find('\n').unwrap_or(line.len())];
    let quote = usize::from(line[word.len()..].starts_with(['"', '\'']));
    let begin = word.len() + quote;
    let is_end = |c: char| {
        if quote > 0 { line[word.len()..].starts_with(c) } else { c.is_whitespace() || "\"'`|;)".contains(c) }
    };
    let length = line[begin..].find(is_end).unwrap_or(line.len() - begin);
    let is_variable = line[begin..].starts_with('$');
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(COMMAND))..place.at];
    let before = before.rsplit('\n').next().unwrap_or_default();
    let other = if word.starts_with('<') {
        before
    } else {
        line[begin + length..].trim_start_matches(['"', '\'', ' ']).strip_prefix('|')?
    };
    let is_read = READERS.iter().any(|reader| other.contains(reader));
    (is_read && length > 0 && !is_variable).then(|| place.at + begin..place.at + begin + length)
}
