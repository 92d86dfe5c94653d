//! Which alert is meant by what somebody has typed: a tag, a dedupe key, a session, or how one of these begins. Pure.

use serde_json::Value;

use super::words::bare;

/// The alert that is meant, if it is one.
#[derive(Debug, PartialEq)]
pub enum Meant<'a> {
    One(&'a Value),
    Several(Vec<&'a Value>),
    Nobody,
}

/// Chooses among the alerts that a search has found. What is typed whole comes before what only begins so.
pub fn meant<'a>(alerts: &'a [Value], typed: &str) -> Meant<'a> {
    let typed = bare(typed.trim());
    let whole = |name: &str| name == typed;
    let begins =
        |name: &str| name.starts_with(typed) || name.strip_prefix("ar-").is_some_and(|rest| rest.starts_with(typed));
    let with = |is_meant: &dyn Fn(&str) -> bool| -> Vec<&'a Value> {
        alerts.iter().filter(|alert| names(alert).any(is_meant)).collect()
    };
    if typed.is_empty() {
        return Meant::Nobody;
    }
    let found = Some(with(&whole)).filter(|found| !found.is_empty()).unwrap_or_else(|| with(&begins));
    match found[..] {
        [] => Meant::Nobody,
        [one] => Meant::One(one),
        _ => Meant::Several(found),
    }
}

/// All that an alert can be called.
fn names(alert: &Value) -> impl Iterator<Item = &str> {
    let own = ["tag", "dedupe_key"].into_iter().filter_map(|name| alert[name].as_str());
    own.chain(alert["job"]["id"].as_str()).chain(alert["job"]["session_id"].as_str().map(bare))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_name_comes_before_the_beginning_of_others() {
        let alerts = [
            json!({"tag": "ar-12ab", "dedupe_key": "generic:disk", "job": {"id": "job-1", "session_id": "devin-0123abcd"}}),
            json!({"tag": "ar-12cd", "dedupe_key": "generic:disk/2", "job": null}),
        ];
        let told = |typed: &str| match meant(&alerts, typed) {
            Meant::One(alert) => alert["tag"].as_str().unwrap().to_string(),
            Meant::Several(alerts) => format!("{} of them", alerts.len()),
            Meant::Nobody => "nobody".to_string(),
        };
        let typed = [
            "ar-12ab",
            "ar-12",
            "12c",
            "generic:disk",
            "generic:",
            "job-1",
            "0123",
            "devin-0123abcd",
            "disk",
            "",
            "devin-",
        ];
        let lines: Vec<String> = typed.iter().map(|typed| format!("{typed}: {}", told(typed))).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        ar-12ab: ar-12ab
        ar-12: 2 of them
        12c: ar-12cd
        generic:disk: ar-12ab
        generic:: 2 of them
        job-1: ar-12ab
        0123: ar-12ab
        devin-0123abcd: ar-12ab
        disk: nobody
        : nobody
        devin-: nobody
        ");
    }
}
