//! Which alerts the list shows: kept in the address, so that it can be passed on. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What need not be escaped in a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Which alerts are shown. Empty for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of [`Filter::STATES`].
    pub state: String,
    pub rule: String,
    pub integration: String,
    pub route: String,
    pub severity: String,
    /// In the title or the dedupe key, in any letter case.
    pub q: String,
    /// Where the page begins, as the page before says it.
    pub after: String,
}

impl Filter {
    /// What `state` may be, and what a person reads for it.
    pub const STATES: [(&str, &str); 6] = [
        ("waiting", "Waiting"),
        ("on_it", "Working"),
        ("blocked", "Needs a person"),
        ("done", "Done"),
        ("dropped", "Dropped"),
        (Filter::QUOTA, "quota_exceeded"),
    ];

    /// Of those that were dropped, the ones that a person may retry once there is quota.
    pub const QUOTA: &str = "quota_exceeded";

    /// The severities that there are, the worst first.
    pub const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

    /// What an address says. What it says beside that is passed over, as is a state or severity that there is not.
    pub fn of(query: Option<&str>) -> Filter {
        let mut filter = Filter::default();
        for (name, value) in query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
            let value = percent_decoded(value);
            if let Some(field) = filter.field(name) {
                *field = value.trim().to_string();
            }
        }
        if !Filter::STATES.iter().any(|(state, _)| *state == filter.state) {
            filter.state.clear();
        }
        if !Filter::SEVERITIES.contains(&filter.severity.as_str()) {
            filter.severity.clear();
        }
        filter
    }

    /// The address of the list with this filter.
    pub fn address(&self) -> String {
        let pairs = [
            ("state", &self.state),
            ("rule", &self.rule),
            ("integration", &self.integration),
            ("route", &self.route),
            ("severity", &self.severity),
            ("q", &self.q),
            ("after", &self.after),
        ];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        if query.is_empty() { "/".to_string() } else { format!("/?{}", query.join("&")) }
    }

    /// The same from where the next page begins.
    pub fn from(&self, after: &str) -> Filter {
        Filter { after: after.to_string(), ..self.clone() }
    }

    /// Only those that stand so, whatever else was chosen.
    pub fn only(state: &str) -> Filter {
        Filter { state: state.to_string(), ..Filter::default() }
    }

    /// Whether anything is left out.
    pub fn is_set(&self) -> bool {
        *self != Filter { after: self.after.clone(), ..Filter::default() }
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "state" => &mut self.state,
            "rule" => &mut self.rule,
            "integration" => &mut self.integration,
            "route" => &mut self.route,
            "severity" => &mut self.severity,
            "q" => &mut self.q,
            "after" => &mut self.after,
            _ => return None,
        })
    }
}

/// A value as an address has it.
pub fn percent_encoded(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}

/// A value as a form or an address has it, in plain letters.
pub fn percent_decoded(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_stands_in_its_address_and_comes_back_from_it() {
        let filter = Filter::of(Some("state=waiting&q=disk+%26+caf%C3%A9&rule=&odd&unknown=1&severity=high"));
        assert_eq!(filter.address(), "/?state=waiting&severity=high&q=disk%20%26%20caf%C3%A9");
        assert_eq!(Filter::of(filter.address().strip_prefix("/?")), filter);
        assert!(filter.is_set() && !filter.from("").q.is_empty());
    }

    #[test]
    fn what_there_is_not_is_passed_over() {
        let filter = Filter::of(Some("state=%3Cscript%3E&severity=worst&after=5.ar-1"));
        assert_eq!(filter.address(), "/?after=5.ar-1");
        assert!(!filter.is_set(), "a later page of all alerts");
        assert_eq!(Filter::of(None).address(), "/");
    }
}
