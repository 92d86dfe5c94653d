//! A dedupe key that the user writes as a template over the alert's values. Pure.

use minijinja::value::Serde;
use minijinja::{UndefinedBehavior, Value};

use super::facts::Facts;
use crate::relay::alert::{Alert, secrets_apart, without};
use crate::relay::engine;
use redact::{MASK, Redactor};

/// The longest key, in bytes.
const LONGEST: usize = 512;

/// A dedupe key as it is hashed, and as it may be shown.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    pub hashed: &'a str,
    pub shown: &'a str,
}

impl<'a, S: AsRef<str> + ?Sized> From<&'a S> for Key<'a> {
    fn from(key: &'a S) -> Key<'a> {
        Key { hashed: key.as_ref(), shown: key.as_ref() }
    }
}

/// What may be shown of the key that `template` makes of the alert: the same without the alert's secrets.
pub fn shown_key(template: &str, alert: &Alert, redactor: &Redactor) -> String {
    let (clean, removed) = secrets_apart(alert, redactor);
    // A template may need of the alert what is a secret.
    let key = dedupe_key(template, &clean);
    key.map_or_else(|_| MASK.to_string(), |key| without(&redactor.redact(&key), &removed))
}

/// The key that `template` makes of the alert.
///
/// # Errors
/// When it is no template, names what the alert does not have, or comes to nothing, to several lines, or to too much.
pub fn dedupe_key(template: &str, alert: &Alert) -> Result<String, String> {
    line(template, alert)
}

/// The one line that `template` makes of the alert.
///
/// # Errors
/// As those of [`dedupe_key`].
pub fn line(template: &str, alert: &Alert) -> Result<String, String> {
    let wrong = |fault: engine::Fault| format!("is no usable template: {}", fault.detail);
    engine::check(template).map_err(wrong)?;
    let facts = Facts::of(alert, "", 0);
    let mut allowance = engine::Allowance::of_a_template();
    let key = engine::render(template, Value::from(Serde(&facts)), UndefinedBehavior::Strict, &mut allowance)
        .map_err(|fault| format!("cannot be made of this alert: {}", fault.detail))?;
    let key = key.trim();
    if key.is_empty() {
        return Err("is empty for this alert".to_string());
    }
    if key.len() > LONGEST || key.chars().any(char::is_control) {
        return Err(format!("must come to one line of at most {LONGEST} bytes"));
    }
    Ok(key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::{Format, Identity, State};

    #[test]
    fn a_key_is_filled_in_or_refused() {
        let mut alert = Alert::new(Format::Generic, State::Firing, "Disk".to_string(), Identity::Own(Vec::new()));
        alert.labels.insert("host".to_string(), "db-1".to_string());
        assert_eq!(dedupe_key("{{ title }}/{{ labels.host }}", &alert).unwrap(), "Disk/db-1");
        for template in ["{{ labels.service }}", "{{ message }}", "{{ nothing }}", "{{ title"] {
            assert!(dedupe_key(template, &alert).is_err(), "{template}");
        }
        alert.labels.insert("db_password".to_string(), "hunter2Xq9".to_string());
        let template = "{{ title }}/{{ labels.db_password }}";
        assert_eq!(dedupe_key(template, &alert).unwrap(), "Disk/hunter2Xq9");
        assert_eq!(shown_key(template, &alert, &Redactor::default()), "Disk/****");
        // Another label has the same word.
        alert.labels.insert("db_password".to_string(), "moonlight".to_string());
        alert.labels.insert("who".to_string(), "moonlight".to_string());
        assert_eq!(shown_key("{{ labels.who }}-{{ title }}", &alert, &Redactor::default()), "****-Disk");
    }
}
