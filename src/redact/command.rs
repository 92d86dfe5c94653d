//! Secrets on command lines: told by the commands and options that take them. Pure.

use std::ops::Range;

use super::rules::WORD;
use super::scan::{Place, boundary, is_strong, run};

/// How much of the line before an option is looked at for its command.
const COMMAND: usize = 200;

/// The longest secret.
const LONGEST: usize = 1024;

/// Options that take a secret after a blank, and the words that their commands have.
const OPTIONS: [(&str, &[&[&str]]); 13] = [
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
            &["cqlsh"],
            &["useradd"],
            &["usermod"],
        ],
    ),
    (
        "-P",
        &[
            &["sqlcmd"],
            &["bcp"],
            &["ipmitool"],
            &["zip"],
            &["unzip"],
            &["tsql"],
            &["mosquitto_pub"],
            &["mosquitto_sub"],
        ],
    ),
    ("-a", &[&["redis-cli"], &["valkey-cli"]]),
    (
        "-w",
        &[
            &["ldapsearch"],
            &["ldapmodify"],
            &["ldapadd"],
            &["ldapdelete"],
            &["ldapwhoami"],
            &["ldappasswd"],
            &["add-generic-password"],
        ],
    ),
    ("-N", &[&["ssh-keygen"]]),
    ("-k", &[&["openssl", "enc"]]),
    ("-K", &[&["openssl", "enc"]]),
    ("-b", &[&["gh", "secret", "set"]]),
    ("--body", &[&["gh", "secret", "set"]]),
    ("--value", &[&["ssm", "put-parameter", "SecureString"], &["keyvault", "secret", "set"]]),
    ("-A", &[&["snmpget"], &["snmpwalk"]]),
    ("-X", &[&["snmpget"], &["snmpwalk"]]),
    ("-c", &[&["snmpget"], &["snmpwalk"]]),
];

/// Options that a secret follows without a blank.
const ATTACHED: [(&str, &[&[&str]]); 2] = [
    ("-p", &[&["mysql"], &["mysqldump"], &["mysqladmin"], &["mariadb"], &["sshpass"], &["7z"], &["cqlsh"]]),
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
    "rclone obscure ",
    "snmp-server community ",
];

/// Commands that read a password or a token where another one writes it: `echo … | docker login --password-stdin`.
const READERS: [&str; 13] = [
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
    "secrets versions add",
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
    let (option, commands, gap) = with_gap(rest).or_else(|| attached(rest))?;
    let begin = option.len() + gap;
    let quote = rest[begin..].chars().next().filter(|c| "\"'".contains(*c));
    let value = begin + usize::from(quote.is_some());
    let near = &rest[value..boundary(rest, value + LONGEST)];
    let length = near.find(|c: char| quote.map_or(c.is_whitespace(), |quote| c == quote)).unwrap_or(near.len());
    let is_password = (3..=LONGEST).contains(&length) && !near.starts_with('-') && is_of(place, commands)?;
    is_password.then(|| place.at + value..place.at + value + length)
}

/// An option, the words of its commands, and how much divides it from its value.
type Known = (&'static str, &'static [&'static [&'static str]], usize);

/// The option that begins `rest`, its commands, and how much divides it from its value.
fn with_gap(rest: &str) -> Option<Known> {
    OPTIONS.iter().find_map(|(option, commands)| {
        let gap = gap(rest.strip_prefix(option)?);
        (gap > 0).then_some((*option, *commands, gap))
    })
}

/// The same where its value follows at once.
fn attached(rest: &str) -> Option<Known> {
    let (option, commands) = ATTACHED.iter().find(|(option, _)| rest.starts_with(option))?;
    Some((*option, *commands, 0))
}

/// What divides an option from its value: blanks, or what stands between the items of a list: `"-p", "…"`.
fn gap(text: &str) -> usize {
    if !text.starts_with(['"', '\'']) {
        return run(text, |byte| byte == b' ');
    }
    let close = 1 + run(&text[1..], |byte| b", ".contains(&byte));
    if close > 1 && text[close..].starts_with(['"', '\'']) { close } else { 0 }
}

/// Whether the line of `place` has all the words of one of these commands.
fn is_of(place: Place<'_>, commands: &[&[&str]]) -> Option<bool> {
    let from = place.at.saturating_sub(COMMAND);
    let before = &place.text[(from..=place.at).find(|at| place.text.is_char_boundary(*at))?..place.at];
    let after = &place.rest()[..boundary(place.rest(), COMMAND)];
    let line = [before.rsplit('\n').next()?, after.split('\n').next()?];
    let words: Vec<&str> = line.iter().flat_map(|part| part.split(|c: char| !c.is_ascii() || !WORD(c as u8))).collect();
    Some(commands.iter().any(|command| command.iter().all(|word| words.contains(word))))
}

/// The password of a user of Redis: `ACL SETUSER bob on >…`.
pub(super) fn rule_of_access(place: Place<'_>) -> Option<Range<usize>> {
    let secret = place.rest().strip_prefix('>')?;
    let secret = &secret[..boundary(secret, LONGEST)];
    let length = secret.find(char::is_whitespace).unwrap_or(secret.len());
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(COMMAND))..place.at];
    let before = before.rsplit('\n').next()?;
    let is_rule = ["SETUSER ", "setuser ", "user "].iter().any(|word| before.contains(word)) && before.contains(" on ");
    (is_rule && length > 2).then(|| place.at + 1..place.at + 1 + length)
}

/// The password after a user's name: behind a colon, and for Windows shares behind a percent sign.
fn user(place: Place<'_>, option: &str) -> Option<Range<usize>> {
    let rest = place.rest();
    let open = option.len() + run(&rest[option.len()..], |byte| b" =\"'\\,".contains(&byte));
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
    let word =
        ["echo -n ", "echo -e ", "echo ", "printf '%s' ", "printf \"%s\" ", "printf %s ", "printf ", "<<< ", "<<<"]
            .into_iter()
            .find(|word| rest.starts_with(word))?;
    let near = &rest[..boundary(rest, LONGEST)];
    let line = &near[..near.find('\n').unwrap_or(near.len())];
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
        let behind = line[begin + length..].trim_start_matches(['"', '\'', ' ']);
        // A shell that tells what it runs writes both sides of a pipe on a line of their own.
        let traced = behind.is_empty() && before.trim_end().ends_with('+');
        if traced { near[line.len()..].strip_prefix("\n+ ")?.split('\n').next()? } else { behind.strip_prefix('|')? }
    };
    let is_read = READERS.iter().any(|reader| other.contains(reader));
    (is_read && length > 0 && !is_variable).then(|| place.at + begin..place.at + begin + length)
}
