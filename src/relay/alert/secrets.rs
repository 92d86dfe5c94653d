//! An alert without the secrets that it holds. Pure.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::{Alert, Pairs, identity};
use crate::relay::text::{joined, strip};
use redact::{MASK, Redactor, is_of_words, is_secret, may_be_secret};

/// `alert` without the secrets that its texts hold, and how many there were. One that stands in several places is one.
pub fn without_secrets(alert: &Alert, redactor: &Redactor) -> (Alert, usize) {
    let (alert, removed) = secrets_apart(alert, redactor);
    (alert, removed.len())
}

/// `alert` without the secrets that its texts hold, and these.
pub fn secrets_apart(alert: &Alert, redactor: &Redactor) -> (Alert, BTreeSet<String>) {
    let removed = RefCell::new(BTreeSet::new());
    let mut alert = alert.clone();
    let by_place = std::mem::take(&mut alert.secrets);
    let mask = |pairs: &mut Pairs| {
        let secret = |(name, value): &(&String, &mut String)| by_place.contains(*name) || is_secret(name, value);
        for (_, value) in pairs.iter_mut().filter(secret) {
            removed.borrow_mut().insert(std::mem::replace(value, MASK.to_string()));
        }
    };
    mask(&mut alert.labels);
    mask(&mut alert.annotations);
    for member in &mut alert.members {
        mask(&mut member.labels);
        mask(&mut member.annotations);
    }
    let redacted = |text: &str| redactor.redact_keeping(&strip(text), &mut removed.borrow_mut()).into_owned();
    alert.title = title(&alert.title, &redacted);
    let alert = alert.map_texts(&redacted);
    let mut removed = removed.into_inner();
    removed.remove(MASK);
    // What is no word is nothing else where its name is missing.
    let told: BTreeSet<String> = removed.iter().filter(|secret| is_unmistakable(secret)).cloned().collect();
    if told.is_empty() {
        return (alert, removed);
    }
    // Nor may another text spell it: in base64, percent-encoded, broken by line ends.
    let spelled = Redactor::of_wholes(told.iter().map(String::as_str));
    let alert = alert.map_texts(&|text| spelled.redact_own(without(text, &told)).0);
    (alert, removed)
}

/// What may be shown of the key of `alert`: without what its texts have lost, where it stands in the key without its name.
pub(super) fn shown_key(alert: &Alert, key: &str, redactor: &Redactor) -> String {
    let removed = secrets_apart(alert, redactor).1;
    without(&identity::shown_key(alert, key, &|text| redactor.redact(text).into_owned()), &removed)
}

/// The shortest secret that is looked for where its name is missing, and the shortest that is told from everything else.
const SHORTEST: usize = 4;
const SHORTEST_UNMISTAKABLE: usize = 8;

/// Whether a secret is no word that other texts have, too.
fn is_unmistakable(secret: &str) -> bool {
    secret.len() >= SHORTEST_UNMISTAKABLE && !is_of_words(secret) && may_be_secret(secret)
}

/// `text` with `****` for each of the secrets that stands in it as a whole.
pub fn without(text: &str, secrets: &BTreeSet<String>) -> String {
    let mut by_length: Vec<&String> = secrets.iter().filter(|secret| secret.len() >= SHORTEST).collect();
    by_length.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    by_length.into_iter().fold(text.to_string(), |text, secret| {
        let goes_on = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        for (begin, _) in text.match_indices(secret.as_str()) {
            let end = begin + secret.len();
            let is_whole = !goes_on(text[..begin].chars().next_back()) && !goes_on(text[end..].chars().next());
            if is_whole && begin >= at {
                clean.push_str(&text[at..begin]);
                clean.push_str(MASK);
                at = end;
            }
        }
        clean.push_str(&text[at..]);
        clean
    })
}

/// A title without its secrets, which is shown on one line: as it is, behind the name of an alert, where a text of several lines
/// may begin, and with its lines joined.
fn title(title: &str, redacted: &dyn Fn(&str) -> String) -> String {
    let title = redacted(title);
    if !title.trim().contains('\n') {
        return title;
    }
    let title = match title.split_once(": ") {
        Some((name, text)) if !name.contains('\n') => format!("{name}: {}", redacted(text)),
        _ => title,
    };
    let line = joined(&title);
    let redacted = redacted(&line);
    if redacted == line { title } else { redacted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::{Format, Identity, Member, State};

    #[test]
    fn a_title_has_no_secret_that_its_lines_or_their_joining_tell() {
        let titles = [
            "Disk: | user | password |\n|------|----------|\n| jo   | Qz7Kw2Xv9Lp4 |",
            "Disk: Passwords:\n - root: Qz7Kw2Xv9Lp4",
            "Disk: the password is:\n\nElbstrand22",
            "the password\nis Elbstrand22",
            "Disk: full\non db-1: 98%",
        ];
        let shown = titles.map(|text| {
            let alert = Alert::new(Format::Generic, State::Firing, text.to_string(), Identity::Own(Vec::new()));
            joined(&without_secrets(&alert, &Redactor::default()).0.title)
        });
        insta::assert_snapshot!(shown.join("\n"), @r"
        Disk: | user | password | |------|----------| | jo | **** |
        Disk: Passwords: - root: ****
        Disk: the password is: ****
        the password is ****
        Disk: full on db-1: 98%
        ");
    }

    #[test]
    fn the_secrets_of_an_alert_are_removed_and_counted_once_each() {
        let mut alert = Alert::new(Format::Generic, State::Firing, "disk".to_string(), Identity::Own(Vec::new()));
        alert.labels = [
            ("db_password", "x"),
            ("token", ""),
            ("secretName", "s"),
            ("tokens", "12"),
            ("api_token", "expired"),
            ("license.key", "mit"),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .into();
        alert.message = "password=hunter2x9 and again password=hunter2x9, own 0wn\u{200b}-key-of-0rg".to_string();
        alert.members = vec![Member { annotations: alert.labels.clone(), ..Member::default() }];
        let (clean, count) = without_secrets(&alert, &Redactor::new(["0wn-key-of-0rg"]));
        let said = format!("{count}: {} {:?} {:?}", clean.message, clean.labels, clean.members[0].annotations);
        insta::assert_snapshot!(said, @r#"3: password=**** and again password=****, own **** {"api_token": "expired", "db_password": "****", "license.key": "mit", "secretName": "s", "token": "", "tokens": "12"} {"api_token": "expired", "db_password": "****", "license.key": "mit", "secretName": "s", "token": "", "tokens": "12"}"#);
        let (twice, none) = without_secrets(&clean, &Redactor::new(["0wn-key-of-0rg"]));
        assert_eq!((twice, none), (clean, 0));
    }

    #[test]
    fn what_one_text_of_an_alert_has_lost_is_spelled_in_no_other() {
        let lost = "Xq9vT2kLmZ-Rt6Bn8Mc1";
        let spelled = [
            "WHE5dlQya0xtWi1SdDZCbjhNYzE=",
            "%58q9vT2kLmZ%2dRt6Bn8Mc1",
            "5871397654326b4c6d5a2d527436426e384d6331",
            "Xq9vT2kLmZ-\nRt6Bn8Mc1",
            "XQ9VT2KLMZ-RT6BN8MC1",
            "Xq9vT2kLmZ-Rt6",
        ];
        let shown = spelled.map(|text| {
            let mut alert = Alert::new(Format::Generic, State::Firing, "ci".to_string(), Identity::Own(Vec::new()));
            alert.message = format!("login failed, password is {lost}");
            alert.labels.insert("said".to_string(), format!("it sent {text} twice"));
            without_secrets(&alert, &Redactor::default()).0.labels["said"].clone()
        });
        insta::assert_snapshot!(shown.join("\n"), @r"
        it sent ****= twice
        it sent **** twice
        it sent **** twice
        it sent **** twice
        it sent **** twice
        it sent Xq9vT2kLmZ-Rt6 twice
        ");
    }

    #[test]
    fn what_one_text_of_an_alert_has_lost_stands_in_no_other_and_not_in_its_key() {
        let key = |parts: &[&str]| Identity::Own(parts.iter().map(ToString::to_string).collect());
        let shown = [
            ("login failed, password is Xq9vT2kLmZ", key(&["ci", "login-Xq9vT2kLmZ"]), "Xq9vT2kLmZ"),
            ("login failed, password is moonlight", key(&["ci", "login-moonlight"]), "moonlights"),
            ("password is moonlight", key(&["moonlights on moonlight"]), "moonlight"),
            ("the disk is full", key(&["disk-moonlight"]), "db-1"),
        ]
        .map(|(title, identity, who)| {
            let mut alert = Alert::new(Format::Generic, State::Firing, title.to_string(), identity);
            alert.labels.insert("who".to_string(), who.to_string());
            let redactor = Redactor::default();
            let key = alert.shown_key(&alert.dedupe_key(&[]), &redactor);
            let clean = without_secrets(&alert, &redactor).0;
            format!("{}; {}; {key}", clean.title, clean.labels["who"])
        });
        insta::assert_snapshot!(shown.join("\n"), @r"
        login failed, password is ****; ****; generic:ci#login-****
        login failed, password is ****; moonlights; generic:ci#login-****
        password is ****; moonlight; generic:moonlights on ****
        the disk is full; db-1; generic:disk-moonlight
        ");
    }
}
