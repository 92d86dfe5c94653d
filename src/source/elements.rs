//! Records that are the elements of a field of a session, such as its pull requests. Pure.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::facts::field_of;
use super::record::is_empty;
use crate::airbyte::line::compact_into;
use crate::devin::Item;
use crate::devin::session::bare;

/// What an element has of its session.
const OF_SESSION: [&str; 4] = ["session_id", "org_id", "created_at", "updated_at"];

/// What tells an element from others of its session.
#[derive(Deserialize)]
struct Address {
    pr_url: Option<String>,
}

/// Hands the records in `field` of a session to `write`, each as the inside of an object up to its closing brace, with what tells
/// it from others, and answers how many there are.
pub fn of_session(item: Item, field: &str, mut write: impl FnMut(&[u8])) -> u64 {
    let list = field_of(item, field).0.unwrap_or("[]");
    // What is no list has no elements: that is a session's affair, whose own stream has it as it is.
    let elements: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
    let session = field_of(item, "session_id").text().unwrap_or_default();
    let mut seen: Vec<(String, &str)> = Vec::new();
    let mut written = 0;
    for (number, element) in elements.iter().map(|element| element.get()).enumerate() {
        if !element.starts_with('{') || is_empty(element) {
            continue;
        }
        let address = serde_json::from_str(element).ok().and_then(|Address { pr_url }| pr_url);
        // Beside its address, an element has its state alone, by which it would be another one with each change.
        let name = address.unwrap_or_else(|| number.to_string());
        if seen.iter().any(|(known, before)| *known == name && *before == element) {
            continue;
        }
        // Another record under the same name would overwrite the first at the destination.
        let id = match seen.iter().filter(|(known, _)| *known == name).count() {
            0 => format!("{}/{name}", bare(&session)),
            before => format!("{}/{name}#{}", bare(&session), before + 1),
        };
        seen.push((name, element));
        let mut record = format!("\"id\":{},", Value::from(id)).into_bytes();
        for name in OF_SESSION {
            if let Some(value) = field_of(item, name).0 {
                record.extend_from_slice(format!("\"{name}\":").as_bytes());
                compact_into(value, &mut record);
                record.push(b',');
            }
        }
        compact_into(&element[1..], &mut record);
        write(&record);
        written += 1;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devin::Page;

    #[test]
    fn a_session_that_names_a_pull_request_twice_makes_no_two_records_with_one_key() {
        let session = r#"{"session_id":"devin-a","updated_at":5,"pull_requests":[{"pr_url":"u","pr_state":"open"},{},7,{"pr_url":"u","pr_state":"open"},{"pr_url":"u","pr_state":"merged"},{"pr_state":"draft"}]}"#;
        let page = Page::parse(format!("{{\"items\":[{session}]}}").into_bytes()).unwrap();
        let mut told = Vec::new();
        let written = of_session(page.noted().next().unwrap(), "pull_requests", |record| {
            told.push(String::from_utf8(record.to_vec()).unwrap());
        });
        assert_eq!(written, 3);
        insta::assert_snapshot!(told.join("\n"), @r#"
        "id":"a/u","session_id":"devin-a","updated_at":5,"pr_url":"u","pr_state":"open"}
        "id":"a/u#2","session_id":"devin-a","updated_at":5,"pr_url":"u","pr_state":"merged"}
        "id":"a/5","session_id":"devin-a","updated_at":5,"pr_state":"draft"}
        "#);
    }
}
