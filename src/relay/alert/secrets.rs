//! An alert without the secrets that it holds. Pure.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::{Alert, Pairs};
use crate::redact::{MASK, Redactor, is_secret};
use crate::relay::text::strip;

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
    let alert = alert.map_texts(&redacted);
    let mut removed = removed.into_inner();
    removed.remove(MASK);
    (alert, removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::{Format, Identity, Member, State};

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
