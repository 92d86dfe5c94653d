//! Secrets on command lines, in SQL, in Oracle's connection strings and in files of accounts: told by what takes them. Pure.

use std::ops::Range;

use super::rules::{DOTTED, WORD};
use super::scan::{Place, boundary, run};
use super::value::quoted;

/// How much of the line before an option is looked at for its command.
const COMMAND: usize = 200;

/// Options that take a secret after a blank, and the words that their commands have.
const OPTIONS: [(&str, &[&[&str]]); 8] = [
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
        ],
    ),
    ("-P", &[&["sqlcmd"], &["bcp"], &["ipmitool"], &["zip"], &["unzip"], &["tsql"]]),
    ("-a", &[&["redis-cli"], &["valkey-cli"]]),
    ("-w", &[&["ldapsearch"], &["ldapmodify"], &["ldapadd"], &["ldapdelete"], &["ldapwhoami"], &["ldappasswd"]]),
    ("-N", &[&["ssh-keygen"]]),
    ("-A", &[&["snmpget"], &["snmpwalk"]]),
    ("-X", &[&["snmpget"], &["snmpwalk"]]),
    ("-c", &[&["snmpget"], &["snmpwalk"]]),
];

/// Options that a secret follows without a blank.
const ATTACHED: [(&str, &[&[&str]]); 2] = [
    ("-p", &[&["mysql"], &["mysqldump"], &["mysqladmin"], &["mariadb"], &["sshpass"], &["7z"]]),
    ("-a", &[&["redis-cli"]]),
];

/// How hashes of passwords begin in files of accounts.
const HASHES: [&str; 11] = ["$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$apr1$", "$argon2", "$pbkdf2"];

/// The shortest hash of a password.
const SHORTEST_HASH: usize = 28;

/// The password of `curl -u user:…`, `--user user:…`, `smbclient -U user%…`, `mysql -p…`, `docker login -p …` and their kind.
pub(super) fn flag(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !place.begins() || !rest.starts_with('-') {
        return None;
    }
    if let Some(option) = ["-u", "--user", "--proxy-user", "-U"].into_iter().find(|option| {
        rest.strip_prefix(option).is_some_and(|after| after.starts_with([' ', '=', '"', '\'']) || option.len() == 2)
    }) {
        return user(place, option);
    }
    let option = rest.get(..2)?;
    let blanks = run(&rest[2..], |byte| byte == b' ');
    let table = if blanks == 0 { &ATTACHED[..] } else { &OPTIONS[..] };
    let (_, commands) = table.iter().find(|(known, _)| *known == option)?;
    let begin = 2 + blanks;
    let quote = rest[begin..].chars().next().filter(|c| "\"'".contains(*c));
    let value = begin + usize::from(quote.is_some());
    let near = &rest[value..boundary(rest, value + 128)];
    let length = near.find(|c: char| quote.map_or(c.is_whitespace(), |quote| c == quote)).unwrap_or(near.len());
    let is_password = (3..128).contains(&length) && !near.starts_with('-') && is_of(place, commands)?;
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
    let sign = near[..end].find(if is_share { '%' } else { ':' })?;
    let password = &near[sign + 1..end];
    let is_password = sign > 0 && !password.starts_with('/') && !password.bytes().all(|byte| byte.is_ascii_digit());
    is_password.then(|| place.at + open + sign + 1..place.at + open + end)
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
    let at = at + if begins(&rest[at..], "password ") { "password ".len() } else { 0 };
    let slashes = run(&rest[at..], |byte| byte == b'\\');
    let quote = rest[at + slashes..].chars().next().filter(|c| "\"'".contains(*c))?;
    let range = quoted(&rest[at..], slashes, quote);
    (!range.is_empty()).then(|| place.at + at + range.start..place.at + at + range.end)
}

/// The password of Oracle's `jdbc:oracle:thin:user/…@` and `sqlplus user/…@`.
pub(super) fn oracle(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let words = ["oracle:thin:", "oracle:oci:", "sqlplus "].into_iter().find(|words| rest.starts_with(words))?.len();
    let near = &rest[words..boundary(rest, words + COMMAND)];
    let user = run(near, DOTTED);
    let password = near[user..].strip_prefix('/').filter(|_| user > 0)?;
    let end = password.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(password.len());
    let length = password[..end].rfind('@').filter(|length| *length > 0)?;
    let begin = place.at + words + user + 1;
    Some(begin..begin + length)
}

/// The hash of a password in `root:$6$…` and its kind.
pub(super) fn hash(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    if !rest.starts_with('$') || !HASHES.iter().any(|hash| rest.starts_with(hash)) {
        return None;
    }
    let length = run(rest, |byte| DOTTED(byte) || b"$/+=,".contains(&byte));
    let length = rest[..length].trim_end_matches([',', '.']).len();
    let is_hash = length >= SHORTEST_HASH && rest[1..length].matches('$').count() >= 2;
    is_hash.then(|| place.at..place.at + length)
}
