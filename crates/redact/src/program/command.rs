//! Secrets that commands take as values of their options. Pure.

use std::ops::Range;

use crate::text::alphabet::{DOTTED, WORD};
use crate::text::place::{Place, boundary, run};
use crate::text::shell::word;
use crate::value::extent::quoted;
use crate::value::generated;
use crate::value::sign::numbered;
use crate::value::speech::{is_stand_in, stands_in};
use crate::word::random::{is_strong, looks_random};
use crate::word::remark::is_prose;
use crate::word::shape::is_label;

/// How much of the line before an option is looked at for its command.
const COMMAND: usize = 200;

/// The longest secret.
const LONGEST: usize = 1024;

/// Commands that ask a device by SNMP.
const SNMP: &str = "snmpget, snmpgetnext, snmpwalk, snmpset, snmpbulkget, snmpbulkwalk, snmptable, snmptrap, snmpinform, snmpstatus, snmpdf, \
    snmptest, check_snmp, snmpcheck, snmp-check";

/// Options that take a secret after a blank or an equals sign, and the commands with which they do: the words that the line has.
const OPTIONS: [(&str, &str); 33] = [
    (
        "-p",
        "docker login, podman login, buildah login, skopeo login, nerdctl login, helm login, az login, oc login, cf login, \
         sshpass, mongo, mongosh, mongodump, mongorestore, rabbitmqadmin, psexec, cqlsh, useradd, usermod, twine, ncftpput, \
         ncftpget, psexec64, poetry publish, tabcmd login, certutil, check_mysql, check_pgsql, check_imap, beeline, esxcli, govc, racadm, ipmi-sensors, ipmipower, security unlock-keychain, security create-keychain, security set-key-partition-list",
    ),
    (
        "-P",
        "sqlcmd, bcp, isql, ipmitool, zip, unzip, tsql, mosquitto_pub, mosquitto_sub, security import, security export, check_ldap",
    ),
    ("-a", "redis-cli, valkey-cli"),
    ("-w", "ldapsearch, ldapmodify, ldapadd, ldapdelete, ldapwhoami, ldappasswd, add-generic-password, kadmin"),
    ("-s", "ldappasswd, check_nt"),
    ("-H", "nxc, netexec, crackmapexec, cme, evil-winrm"),
    ("-hashes", "psexec, wmiexec, smbexec, atexec, dcomexec, secretsdump, GetUserSPNs, getTGT, smbclient, mssqlclient"),
    ("-N", "ssh-keygen"),
    ("-k", "openssl enc"),
    ("-K", "openssl enc"),
    ("-b", "gh secret set"),
    ("--body", "gh secret set"),
    ("--value", "ssm put-parameter SecureString, keyvault secret set, eas secret"),
    ("-A", SNMP),
    ("-X", SNMP),
    ("-c", SNMP),
    ("-C", "check_snmp"),
    ("-t", "codecov, doctl auth init"),
    ("--key", "gem push"),
    ("-v", "iscsiadm password"),
    ("/rp", "schtasks"),
    ("/RP", "schtasks"),
    ("-encrypt", "consul, nomad, serf"),
    ("-use", "keyring"),
    ("-install", "keyring"),
    ("/p", "signtool"),
    ("/d", "reg DefaultPassword"),
    ("/de", "dtexec"),
    ("-k", "choco apikey"),
    ("-k", "ss-server"),
    ("-k", "ss-local"),
    ("-gp", "vmrun"),
    ("-vp", "vmrun"),
];

/// Options that a secret follows without a blank.
const ATTACHED: [(&str, &str); 16] = [
    ("-p", "mysql, mysqldump, mysqladmin, mariadb, mariadb-dump, sshpass, 7z, 7za, 7zz, rar, unrar, cqlsh"),
    ("-hp", "rar, unrar"),
    ("-a", "redis-cli"),
    ("-P", "sqlcmd, bcp, isql"),
    ("-b", "gh secret set"),
    ("/pass:", "cmdkey, net"),
    ("/password:", "wmic, mstsc, psexec, cmdkey"),
    ("-p:", "winrs, winrm"),
    ("/rc4:", "Rubeus, rubeus, kerberos"),
    ("/ntlm:", "mimikatz, sekurlsa, lsadump"),
    ("/aes256:", "Rubeus, rubeus, sekurlsa"),
    ("/pth:", "xfreerdp, xfreerdp3, wlfreerdp"),
    ("-passin pass:", ""),
    ("-passout pass:", ""),
    ("-pass pass:", ""),
    ("/p:", "xfreerdp, xfreerdp3, wlfreerdp, wfreerdp, sdl-freerdp"),
];

/// Options that take a user with a password behind, and the commands for which these do; all, where none are named.
const USERS: [(&str, &str); 14] = [
    ("-u", ""),
    ("-auth", "splunk, jenkins-cli, jenkins"),
    ("-A", "ab"),
    ("--web-login", ""),
    ("--creds", ""),
    ("--src-creds", ""),
    ("--dest-creds", ""),
    ("--basic-auth", ""),
    ("--proxy-auth", ""),
    ("--user", ""),
    ("--proxy-user", ""),
    ("-U", ""),
    ("-a", "http, https, xh, xhs, check_http"),
    ("--auth", "http, https, xh, xhs"),
];

/// Commands that take a user with a percent sign and a password behind.
const SHARES: &str =
    "smbclient, rpcclient, smbmap, smbget, smbcacls, net ads, net rpc, net, wmic, winexe, nmblookup, samba";

/// Commands whose `-u` and `--user` take a user with a group behind.
const OF_GROUPS: &str = "docker run, docker exec, docker create, podman run, podman exec, podman create, nerdctl run, nerdctl exec, \
    compose run, compose exec, rsync, chroot, setpriv, install";

/// What stands in the place of a password where a key in the place of the user is enough.
const KEYS_ALONE: [&str; 9] = ["", "x", "X", "_", "-", "api_token", "unused", "ignored", "none"];

/// The shortest of these keys.
const SHORTEST_KEY: usize = 16;

/// The password of `curl -u user:…`, `--user user:…`, `smbclient -U user%…`, `mysql -p…`, `docker login -p …` and their kind.
pub(crate) fn flag(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let follows = |option: &str| {
        rest.strip_prefix(option).is_some_and(|after| after.starts_with([' ', '=', '"', '\'']) || option.len() == 2)
    };
    for (option, commands) in USERS {
        if follows(option) && !rest.starts_with("-use ") && (commands.is_empty() || is_of(place, commands)) {
            return user(place, option);
        }
    }
    let known = OPTIONS.iter().chain(&ATTACHED).enumerate().find_map(|(nth, (option, commands))| {
        let after = rest.strip_prefix(option)?;
        let gap = gap(after);
        let is_attached = nth >= OPTIONS.len();
        if (gap == 0) != is_attached {
            return None;
        }
        let begin = option.len() + gap;
        let near = &rest[begin..boundary(rest, begin + LONGEST)];
        let value = word(near, char::is_whitespace);
        let (text, after) = (&near[value.range.clone()], &near[value.range.end..]);
        let only_speaks = if is_attached { is_stand_in(text) } else { stands_in(text) }
            || is_default_community(option, text)
            || !value.is_quoted && is_prose(text, after);
        let is_secret = text.len() >= 3
            && (!text.starts_with('-') || value.is_quoted && is_dashed(text))
            && !only_speaks
            && !is_port(place, option, text)
            && is_of(place, commands);
        is_secret.then(|| place.at + begin + value.range.start..place.at + begin + value.range.end)
    });
    known.or_else(|| of_any_command(place))
}

/// Whether a quoted word that begins as an option does is none: no option is as random.
fn is_dashed(text: &str) -> bool {
    !text.starts_with("--") && !text.contains([' ', '=']) && looks_random(&text[1..], 6) || generated::is_no_code(text)
}

/// Whether a number is the port of a command that another one gives its password: `sshpass -p … ssh -p 2222 bob@web-3`.
fn is_port(place: Place<'_>, option: &str, text: &str) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(COMMAND))..place.at];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && ["-p", "-P"].contains(&option) && line.split(' ').any(|word| ["ssh", "scp", "sftp"].contains(&word))
}

/// Whether a community of SNMP is one that devices come with, which everybody knows.
fn is_default_community(option: &str, text: &str) -> bool {
    ["-c", "-C"].contains(&option) && ["public", "private"].contains(&text)
}

/// What follows `-p` and its kind in commands that nobody knows, if it can be nothing but a password.
fn of_any_command(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let option = ["-p", "-P", "-w", "-pw"]
        .into_iter()
        .find(|option| rest.strip_prefix(*option).is_some_and(|after| after.starts_with(' ') || gap(after) > 1))?;
    let begin = option.len() + gap(&rest[option.len()..]);
    let near = &rest[begin..boundary(rest, begin + LONGEST)];
    let value = word(near, char::is_whitespace);
    let text = &near[value.range.clone()];
    let is_name = text.contains(['/', '\\', '.', ':', '=', ' ', ',', '-', '_', '{', '(', '$', '@', '*'])
        || text.len() < 4
        || text.bytes().all(|byte| byte.is_ascii_digit());
    let inner = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_mark = text.contains(['!', '#', '%', '^', '&']) && looks_random(text, 6);
    let is_password = (!is_name && (is_strong(inner) || has_mark || is_of_user(place) && !stands_in(text))
        || is_beside_user(place, text))
        && !is_prose(text, &near[value.range.end..]);
    is_password.then(|| place.at + begin + value.range.start..place.at + begin + value.range.end)
}

/// Whether the command that an option belongs to signs in: it says so, or names a user right before.
fn is_of_user(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(COMMAND))..place.at];
    let command = before.rsplit(['\n', '|', ';', '&', '`', '(']).next().unwrap_or_default();
    let mut words = command.split_ascii_whitespace().rev();
    let (user, option) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // `sudo -u bob -p prompt`
    let is_of_sudo = words.next().is_some_and(|word| word == "sudo");
    let names_user = ["-u", "-U", "--user", "--username"].contains(&option) && !user.starts_with('-') && !is_of_sudo;
    let has = |known: &[&str]| command.split_ascii_whitespace().any(|word| known.contains(&word));
    // `mysql -u root -p orders` asks for the password.
    (names_user || has(&["login", "logon"])) && !has(&["mysql", "mysqldump", "mysqladmin", "mariadb", "ssh", "psql"])
}

/// Options that take a user, and what the names of the commands of monitoring begin with.
const USER: [&str; 6] = ["-u", "-U", "-l", "-D", "--user", "--username"];
const PLUGIN: &str = "check_";

/// Whether the value right behind a user is a password: in a plugin of monitoring if it is no number and no path, elsewhere if it
/// looks like one and is no file and no port, either.
fn is_beside_user(place: Place<'_>, text: &str) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(COMMAND))..place.at];
    let command = before.rsplit(['\n', '|', ';', '&', '`', '(']).next().unwrap_or_default();
    let mut words = command.split_ascii_whitespace().rev();
    let (user, option) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_plugin = words.any(|word| word.rsplit(['/', '\\', '"', '!']).next().unwrap_or_default().starts_with(PLUGIN));
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b".:,%-".contains(&byte));
    let is_place = text.starts_with(['/', '.', '~', '$', '{', '@', '*']) || text.contains("=") || is_stand_in(text);
    let is_file = || {
        text.rsplit_once('.')
            .is_some_and(|(_, end)| end.len() <= 4 && end.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    let is_odd = || looks_random(text, 6) && !text.contains(['/', ':', '\\']) && !is_label(text) && !is_file();
    let is_known = USER[..2].contains(&option) || USER[4..].contains(&option);
    USER.contains(&option)
        && !user.starts_with('-')
        && text.len() > 3
        && !is_number
        && !is_place
        && if is_plugin { !stands_in(text) } else { is_known && is_odd() }
}

/// What divides an option from its value: blanks, an equals sign, or what stands between the items of a list: `"-p", "…"`,
/// and `a1="-p" a2="…"` as auditd shows the arguments of a command.
fn gap(text: &str) -> usize {
    if text.starts_with('=') {
        return 1;
    }
    if !text.starts_with(['"', '\'']) {
        return run(text, |byte| byte == b' ');
    }
    let close = 1 + run(&text[1..], |byte| b", ".contains(&byte));
    let close = close + numbered(&text[close..]);
    if close > 1 && text[close..].starts_with(['"', '\'']) { close } else { 0 }
}

/// Whether the line of `place` has all the words of one of these commands, which commas divide.
pub(crate) fn is_of(place: Place<'_>, commands: &str) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(COMMAND))..place.at];
    let after = &place.rest()[..boundary(place.rest(), COMMAND)];
    let line = [before.rsplit('\n').next().unwrap_or_default(), after.split('\n').next().unwrap_or_default()];
    let line = [behind_others(line[0]), before_others(line[1])];
    let words: Vec<&str> = line.iter().flat_map(|part| part.split(|c: char| !c.is_ascii() || !WORD(c as u8))).collect();
    commands.split(',').any(|command| command.split_ascii_whitespace().all(|word| words.contains(&word)))
}

/// What divides the commands of a line.
const DIVIDING: [&str; 4] = ["; ", " && ", " || ", " | "];

/// Where something stands in a line that divides commands, and whether quotation marks of either kind are open there.
fn divisions(line: &str) -> impl DoubleEndedIterator<Item = (Range<usize>, [bool; 2])> {
    let mut open = [false; 2];
    let mut found = Vec::new();
    for (at, c) in line.char_indices() {
        open[0] ^= c == '"';
        open[1] ^= c == '\'';
        found.extend(
            DIVIDING.iter().find(|sign| line[at..].starts_with(**sign)).map(|sign| (at..at + sign.len(), open)),
        );
    }
    found.into_iter()
}

/// The part of a line that belongs to the command at its end: what divides stands within no quotation that closes behind it.
fn behind_others(line: &str) -> &str {
    let open = ['"', '\''].map(|quote| line.matches(quote).count() % 2 == 1);
    divisions(line).rev().find(|(_, around)| *around == open).map_or(line, |(sign, _)| &line[sign.end..])
}

/// The part of a line that belongs to the command at its beginning.
fn before_others(line: &str) -> &str {
    divisions(line).find(|(_, around)| *around == [false; 2]).map_or(line, |(sign, _)| &line[..sign.start])
}

/// The password after a user's name: behind a colon, and for Windows shares behind a percent sign.
fn user(place: Place<'_>, option: &str) -> Option<Range<usize>> {
    let rest = place.rest();
    let open = option.len() + run(&rest[option.len()..], |byte| b" =\"'\\,".contains(&byte));
    let number = numbered(&rest[open..]);
    let open = open + number + usize::from(number > 0);
    let near = &rest[open..boundary(rest, open + 512)];
    let quote = rest[..open].chars().next_back().filter(|c| "\"'".contains(*c));
    // A backslash stands after a domain, too.
    let is_end = |at: usize, c: char| match quote {
        Some(quote) => c == quote || c == '\n',
        None if c == '\\' => near[at + 1..].starts_with(['"', '\'', '\\']),
        None => c.is_whitespace() || "\"'`".contains(c),
    };
    let end = near.char_indices().find(|(at, c)| is_end(*at, *c)).map_or(near.len(), |(at, _)| at);
    let slashes = quote.map_or(0, |_| open - 1 - rest[..open - 1].trim_end_matches('\\').len());
    let of_quote = |quote| quoted(&rest[open - 1 - slashes..], slashes, quote).end - 1 - slashes;
    let end = quote.map_or_else(|| beyond(near).unwrap_or(end), of_quote);
    let sign = match option {
        "-U" | "--user" if near[..end].contains('%') && is_of(place, SHARES) => '%',
        "-u" if is_of(place, "lftp") => ',',
        _ => ':',
    };
    let (user, password) = near[..end].split_once(sign).filter(|_| !near[..end].starts_with("jdbc:"))?;
    if KEYS_ALONE.contains(&password)
        && is_of(place, "curl, http, https, xh, xhs")
        && (is_key(user) || !password.is_empty())
    {
        return is_key(user).then(|| place.at + open..place.at + open + user.len());
    }
    // `-u "ann:"… https://…`
    if let Some(quote) = quote.filter(|_| password.is_empty()) {
        let after = near[end..].trim_start_matches('\\').strip_prefix(quote)?;
        let begin = near.len() - after.len();
        let length = after.find(|c: char| c.is_whitespace() || "\"'\\,;)]}".contains(c)).unwrap_or(after.len());
        let told = match after.chars().next().filter(|c| "\"'".contains(*c)).map(|quote| quoted(after, 0, quote)) {
            Some(words) => begin + words.start..begin + words.end,
            None => begin..begin + length,
        };
        let is_secret = !told.is_empty() && !user.is_empty() && !stands_in(near.get(told.clone())?);
        return is_secret.then(|| place.at + open + told.start..place.at + open + told.end);
    }
    // `ann:"quoted words"`
    let quote = near[end..].chars().next().filter(|c| quote.is_none() && password.is_empty() && "\"'".contains(*c));
    if let Some(quote) = quote.filter(|_| !user.is_empty()) {
        let inner = quoted(&near[end..], 0, quote);
        let text = near.get(end + inner.start..end + inner.end)?;
        return (!text.is_empty() && !stands_in(text))
            .then(|| place.at + open + end + inner.start..place.at + open + end + inner.end);
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_of_sudo = || user == password && place.text[..place.at].ends_with("sudo ");
    let is_group =
        || is_number(user) || is_of_sudo() || option != "-U" && is_of(place, OF_GROUPS) && !is_of(place, "curl, wget");
    let is_password = !user.is_empty()
        && (!password.starts_with('/') || !password.starts_with("//") && generated::is_no_code(password))
        && !is_number(password)
        && !stands_in(password)
        && !is_group();
    is_password.then(|| place.at + open + user.len() + 1..place.at + open + end)
}

/// Whether what stands in the place of a user is a key, or was one: no name is as random.
fn is_key(user: &str) -> bool {
    user == crate::MASK || user.len() >= SHORTEST_KEY && is_strong(user) && user.bytes().all(WORD)
}

/// The end of a user with a generated password behind, which may have any mark, without quotation marks.
fn beyond(text: &str) -> Option<usize> {
    let user = run(text, DOTTED);
    let password = text[user..].strip_prefix(':').filter(|password| user > 0 && !password.starts_with("//"))?;
    generated::unquoted(password, false).map(|length| user + 1 + length)
}
