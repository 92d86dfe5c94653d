//! The part of an address by which alone somebody is known who calls a hook, signs in by a link, or was invited: in its path, or in
//! its query. Pure.

use std::ops::Range;

use crate::text::alphabet::{HEX, WORD};
use crate::text::place::{Place, boundary, looked_at, run, run_within};
use crate::word::random::{is_of_names, is_strong, looks_random};
use crate::word::shape::{is_identifying, is_label, is_uuid};

/// How far an address is followed, and how long a part of its path is that says what follows.
const ADDRESS: usize = 512;
const LONGEST_PART: usize = 32;

/// The shortest key in a path, of all kinds of letters and of hexadecimal digits: where nothing else has the name of the part
/// before, and where other things have it, too.
const SHORTEST_KEY: usize = 16;
const SHORTEST_HEX: usize = 20;
const SHORTEST_DOUBTFUL_HEX: usize = 32;
const LONG_HEX: usize = 48;
const SHORTEST_OF_DEPLOYS: usize = 8;
const SHORTEST_LINK: usize = 20;

/// How ids of Okta begin.
const IDS_OF_OKTA: [&str; 6] = ["0oa", "exk", "00u", "00g", "0pr", "aln"];

/// The longest part that says whose a link is: `reset/MQ/…`.
const LONGEST_WHOSE: usize = 6;

/// Parts of paths after which stands what is good for once, as one word, and parts that have other things behind them, too.
const TICKETS: &str = "magiclink magiclinks magic passwordless resetpassword passwordreset passwordresets forgotpassword setpassword \
    newpassword changepassword createpassword choosepassword recoverpassword passwordrecovery invite invitation acceptinvite \
    acceptinvitation verifyemail emailverification emailverify verifyaccount confirmemail emailconfirmation confirmaccount \
    activateaccount accountactivation unsubscribe optout unlockaccount onetimelogin loginlink signinlink";
const DOUBTFUL: &str = "reset verify verification confirm confirmation confirmations activate activation join recover recovery unlock \
    invites invitations password passwords edit";

/// Parts of paths where somebody signs in, by a link of the same form or otherwise.
const SIGN_IN: &str = "login signin logon sso autologin loginwithtoken signinwithtoken logintoken";

/// Parts of paths that say what is reset or edited, right before it.
const OWN: [&str; 8] = ["password/", "passwords/", "account/", "accounts/", "users/", "user/", "auth/", "email/"];

/// Parts of paths behind which a hook's key stands.
const HOOKS: &str = "hook hooks webhook webhooks ping buildhooks deployhooks";

/// Parameters that bring what is good for once, besides those whose names say it everywhere.
const PARAMETERS: &str = "state ticket oobcode t magic invite invitation verify confirm confirmation";

/// What is in an address where somebody signs in.
const SIGNING_IN: [&str; 9] = ["callback", "oauth", "oidc", "saml", "signin", "login", "auth", "/cb?", "sso"];

/// The part of a path that is a key: `…/hook/…`, `…/invite/…`, `…/integrations/v1/alertmanager/…`, `…/with/key/…`.
pub(crate) fn in_path(place: Place<'_>) -> Option<Range<usize>> {
    if place.before != Some(b'/') {
        return None;
    }
    let rest = place.rest();
    let part = run_within(rest, LONGEST_PART, WORD);
    if !rest[part..].starts_with('/') {
        return None;
    }
    let name: String =
        rest[..part].chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let is_in = |table: &str| table.split_ascii_whitespace().any(|known| known == name);
    let near = &rest[..boundary(rest, ADDRESS)];
    let key = |begin: usize| begin..begin + run(&near[begin..], WORD);
    let begin = part + 1;
    let found = if is_in(HOOKS) {
        let is_known = |text: &str| {
            ["ping", "deployhooks"].contains(&&*name) && is_uuid(text)
                || text.len() >= LONG_HEX && text.bytes().all(HEX)
        };
        let first = Some(key(begin)).filter(|range| is_key(&near[range.clone()]) || is_known(&near[range.clone()]));
        // Behind the id of a hook, its token: `/hooks/…/…`.
        let second = |first: &Range<usize>| near[first.end..].strip_prefix('/').map(|_| key(first.end + 1));
        let is_token = |text: &str| text.len() >= SHORTEST_DOUBTFUL_HEX && (is_key(text) || text.bytes().all(HEX));
        first.map(|first| match second(&first).filter(|second| is_token(&near[second.clone()])) {
            Some(second) => first.start..second.end,
            None => first,
        })
    } else if name == "trigger" {
        // Of Docker Hub.
        Some(key(begin)).filter(|range| is_uuid(&near[range.clone()]) && near[range.end..].starts_with("/call"))
    } else if name == "integrations" && near[begin..].starts_with("deploy/prj_") {
        // Of Vercel.
        let id = begin + "deploy/".len();
        let begin = id + run(&near[id..], WORD) + 1;
        near.get(begin..)?;
        Some(key(begin)).filter(|range| range.len() >= SHORTEST_OF_DEPLOYS)
    } else if name == "integrations" {
        // Of Grafana OnCall, behind the kind of the sender.
        let kind = near[begin..].strip_prefix("v1/").map(|_| begin + "v1/".len())?;
        let begin = kind + run(&near[kind..], WORD) + 1;
        near.get(begin..)?;
        let is_of_sender =
            |text: &str| text.len() >= SHORTEST_HEX && looks_random(text, SHORTEST_KEY) && !is_label(text);
        Some(key(begin)).filter(|range| is_of_sender(&near[range.clone()]) && !is_uuid(&near[range.clone()]))
    } else if name == "key" {
        // Of IFTTT.
        Some(key(begin)).filter(|range| place.text[..place.at].ends_with("/with/") && is_key(&near[range.clone()]))
    } else if is_in(SIGN_IN) {
        // Of an application of Okta's.
        let is_of_okta = |text: &str| text.len() == SHORTEST_LINK && IDS_OF_OKTA.iter().any(|id| text.starts_with(id));
        let is_key = |text: &str| {
            text.len() >= SHORTEST_LINK && is_ticket(text, false) && !is_of_okta(text) && !is_of_names(text)
        };
        Some(key(begin)).filter(|range| is_key(&near[range.clone()]))
    } else {
        let is_sure = is_in(TICKETS) || is_in(DOUBTFUL) && is_own(place);
        let is_ticket = |range: &Range<usize>| is_ticket(&near[range.clone()], is_sure);
        if !is_sure && !is_in(DOUBTFUL) {
            return None;
        }
        let whose = || {
            let length = run_within(&near[begin..], LONGEST_WHOSE + 1, |byte| byte.is_ascii_alphanumeric());
            (length > 0 && near[begin + length..].starts_with('/')).then(|| key(begin + length + 1))
        };
        Some(key(begin)).filter(is_ticket).or_else(|| whose().filter(is_ticket))
    }?;
    // `…/reset/form.html`
    let after = &near[found.end..];
    let is_file = after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_alphabetic());
    (!is_file).then(|| place.at + found.start..place.at + found.end)
}

/// The part of a calendar's address that keeps it from others: `…/private-…/basic.ics`, `…/calendar/…/…/calendar.ics`.
pub(crate) fn of_calendar(place: Place<'_>) -> Option<Range<usize>> {
    let near = place.rest().get(..boundary(place.rest(), ADDRESS)).filter(|_| place.before == Some(b'/'))?;
    let begin = if near.starts_with("private-") {
        "private-".len()
    } else {
        let whose = "calendar/".len() + near.strip_prefix("calendar/")?.find('/')?;
        whose + 1
    };
    let length = run(&near[begin..], HEX);
    let is_calendar = ["/basic.", "/full.", "/calendar."].iter().any(|file| near[begin + length..].starts_with(file));
    (length >= SHORTEST_DOUBTFUL_HEX && is_calendar).then(|| place.at + begin..place.at + begin + length)
}

/// Whether a part of a path is as random as keys are.
fn is_key(text: &str) -> bool {
    text.len() >= SHORTEST_KEY && is_strong(text) && !is_identifying(text) && !is_label(text)
}

/// Whether a part of a path is good for once: a key, or what identifies other things, too, if the part before leaves no doubt.
fn is_ticket(text: &str, is_sure: bool) -> bool {
    let least = if is_sure { SHORTEST_HEX } else { SHORTEST_DOUBTFUL_HEX };
    let is_hex = text.len() >= least && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex && looks_random(text, least) || is_sure && is_uuid(text) || is_key(text)
}

/// Whether what is done right before a place in a path is done to an account: `/password/reset`, `https://app.example/reset`.
fn is_own(place: Place<'_>) -> bool {
    let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(LONGEST_PART * 2))..place.at];
    looked_at(before.len());
    let is_host = |host: &str| !host.is_empty() && !host.contains('/');
    let follows_host =
        before.rsplit_once("://").is_some_and(|(_, host)| is_host(host.strip_suffix('/').unwrap_or_default()));
    OWN.iter().any(|part| before.ends_with(part)) || place.rest().starts_with("reset/") && follows_host
}

/// The value of a parameter that is good for once: a code with which somebody signs in, and what belongs to it; and the seeds of such
/// codes.
pub(crate) fn in_query(place: Place<'_>) -> Option<Range<usize>> {
    if !place.is_parameter || place.before == Some(b';') {
        return None;
    }
    let rest = place.rest();
    let name = run_within(rest, LONGEST_PART, WORD);
    let begin = name + 1;
    let value = rest[name..].strip_prefix('=')?;
    let is_in = |table: &str| table.split(' ').any(|known| known.eq_ignore_ascii_case(&rest[..name]));
    let is_seed = &rest[..name] == "data" && place.text[..place.at].ends_with("otpauth-migration://offline?");
    let is_code = rest[..name].eq_ignore_ascii_case("code");
    if !is_code && !is_seed && !is_in(PARAMETERS) {
        return None;
    }
    let length = run(&value[..boundary(value, ADDRESS)], |byte| WORD(byte) || b".~%+/=".contains(&byte));
    let text = &value[..length];
    let near = || {
        let before = &place.text[place.text.floor_char_boundary(place.at.saturating_sub(ADDRESS / 2))..place.at];
        let address = before.rsplit(|c: char| c.is_whitespace() || "\"'<>".contains(c)).next().unwrap_or_default();
        let after = &value[length..boundary(value, ADDRESS).max(length)];
        let after = after.split(|c: char| c.is_whitespace() || "\"'<>".contains(c)).next().unwrap_or_default();
        looked_at(before.len() + after.len());
        (address.to_ascii_lowercase(), after)
    };
    let is_secret = if is_code {
        // Others than UUIDs are told everywhere.
        let (address, after) = Some(text).filter(|text| is_uuid(text)).map(|_| near())?;
        after.starts_with("&state=")
            || address.contains("state=")
            || SIGNING_IN.iter().any(|word| address.contains(word))
    } else if rest[..name].eq_ignore_ascii_case("state") {
        let (address, after) = Some(text).filter(|text| looks_random(text, 6) && !is_label(text)).map(|_| near())?;
        address.contains("code=") || after.starts_with("&code=") || after.contains("&code=")
    } else {
        is_seed || is_key(text)
    };
    is_secret.then(|| place.at + begin..place.at + begin + length)
}
