//! Users that devices and programs come with, and the passwords that they have there, where a text says that somebody signs in:
//! `login root/… works`, `default creds apc/…`. Pure.

use std::ops::Range;

use crate::text::alphabet::DOTTED;
use crate::text::place::{Place, boundary, looked_at, run_within};
use crate::word::predicate::ends_clause;

/// How far is looked around such a pair, and how long its parts are.
const NEAR: usize = 48;
const LONGEST: usize = 16;

/// Users with their passwords, as their vendors' manuals tell them.
const PAIRS: &str = "root/calvin root/toor root/root root/changeme root/password root/vizxv root/xc3511 root/pass root/dreambox root/123456 \
    root/alpine root/nas4free root/openmediavault admin/admin admin/password admin/changeme admin/default admin/admin123 admin/1234 \
    admin/12345 admin/123456 admin/motorola admin/netgear admin/synnet admin/epicrouter admin/opnsense admin/pfsense ADMIN/ADMIN \
    Admin/zabbix admin/zabbix admin/raspberry admin/friend manager/friend Administrator/password Administrator/changeme \
    administrator/administrator USERID/PASSW0RD apc/apc device/apc readonly/apc pi/raspberry ubnt/ubnt ubuntu/ubuntu vagrant/vagrant \
    kali/kali cisco/cisco Cisco/Cisco netscreen/netscreen super/super supervisor/supervisor support/support guest/guest \
    tomcat/tomcat tomcat/s3cret role1/role1 nagiosadmin/nagiosadmin nagiosadmin/nagios elastic/changeme kibana/changeme \
    postgres/postgres scott/tiger system/manager sys/change_on_install sys/manager dbsnmp/dbsnmp minioadmin/minioadmin \
    rabbit/rabbit weblogic/welcome1 weblogic/weblogic nexus/nexus jenkins/jenkins airflow/airflow openhabian/openhabian \
    osmc/osmc volumio/volumio alarm/alarm debian/temppwd steam/steam mikrotik/mikrotik ubnt/ui";

/// Pairs that own files, too, and that are told only where somebody certainly signs in.
const OWNERS: [&str; 3] = ["root/root", "postgres/postgres", "jenkins/jenkins"];

/// Words before such a pair with which somebody certainly signs in, and words that say that it is still as it was delivered.
const SIGN_IN: [&str; 28] = [
    "login ",
    "logins ",
    "login: ",
    "login is ",
    "login with ",
    "login as ",
    "log in with ",
    "log in as ",
    "log in using ",
    "logged in with ",
    "logged in as ",
    "logging in as ",
    "logging in with ",
    "sign in with ",
    "sign in as ",
    "signed in as ",
    "signed in with ",
    "creds ",
    "creds: ",
    "creds are ",
    "credentials ",
    "credentials: ",
    "credentials are ",
    "ssh ",
    "ssh with ",
    "ssh as ",
    "authenticated as ",
    "authenticated with ",
];
const DELIVERED: [&str; 9] = [
    "default ",
    "defaults ",
    "defaults: ",
    "still ",
    "still has ",
    "has still ",
    "still on ",
    "still uses ",
    "accepts ",
];

/// What stands between both, and what says behind them that they are good.
const SIGNS: [&str; 3] = ["/", ":", " / "];
const WORKS: [&str; 8] =
    [" works", " still works", " worked", " accepted", " is still", " still active", " still valid", " gets you in"];

/// What may follow where the words before say enough.
const GOING_ON: [&str; 9] =
    [" at ", " against ", " from ", " in ", " via ", " again", " and ", " everywhere", " over "];

/// What says behind a pair in parentheses that it is not one of these.
const NOT_GOOD: [&str; 3] = [") were not ", ") was not ", ") not "];

/// The password of such a pair at a place.
pub(crate) fn delivered(place: Place<'_>) -> Option<Range<usize>> {
    let rest = place.rest();
    let user = run_within(rest, LONGEST, |byte| byte.is_ascii_alphanumeric());
    let sign = SIGNS.iter().find(|sign| rest[user..].starts_with(**sign)).filter(|_| user > 1)?.len();
    let begin = user + sign;
    let length = run_within(&rest[begin..], LONGEST + 1, DOTTED);
    let password = rest[begin..begin + length].trim_end_matches(['.', '-']);
    let is_known = |pair: &&str| {
        pair.strip_prefix(&rest[..user]).and_then(|pair| pair.strip_prefix('/')).is_some_and(|known| known == password)
    };
    let pair = PAIRS.split_ascii_whitespace().find(is_known)?;
    let end = begin + password.len();
    let after = &rest[end..boundary(rest, end + NEAR).max(end)];
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(NEAR))..place.at];
    looked_at(before.len() + length);
    let line = before.rsplit('\n').next().unwrap_or_default().trim_end_matches(['"', '\'', '`', '(']).to_lowercase();
    let is_behind = |words: &[&str]| words.iter().any(|word| line.ends_with(word));
    let after = after.trim_start_matches(['"', '\'', '`']);
    if NOT_GOOD.iter().any(|words| after.starts_with(words)) {
        return None;
    }
    let works = WORKS.iter().any(|word| after.starts_with(word));
    let goes_on =
        works || after.starts_with('?') || ends_clause(after) || GOING_ON.iter().any(|word| after.starts_with(word));
    let is_told = is_behind(&SIGN_IN) && goes_on
        || !OWNERS.contains(&pair) && (is_behind(&DELIVERED) && goes_on || works && begins(&line));
    is_told.then(|| place.at + begin..place.at + end)
}

/// Whether a pair begins its clause: in the midst of one, it may be a path.
fn begins(line: &str) -> bool {
    let before = line.trim_end();
    before.is_empty() || before.len() < line.len() && before.ends_with([':', ',', '.', ';', '-', '*', '>'])
}
