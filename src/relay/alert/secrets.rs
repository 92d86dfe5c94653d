//! An alert without the secrets that it holds. Pure.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::{Alert, Pairs};
use crate::relay::text::{joined, strip};
use redact::{MASK, Redactor, is_secret};

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
    (alert, removed)
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
}
