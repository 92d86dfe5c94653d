//! Mappings: which one a refusal names, and what they come to.

use serde_json::{Value, json};

use super::{Grouping, Reading, alerts};
use crate::relay::inbound::{Mapping, Problem, read as read_delivery};

#[test]
fn a_refusal_names_a_mapping_that_takes_the_payload() {
    let value = json!({"payload": {"title": "Crash", "url": "https://x.example/1", "method": "m"}, "host": "h"});
    let problem = alerts(&value, Grouping::Group).unwrap_err();
    let mapping = problem.mapping().unwrap();
    insta::assert_snapshot!(mapping, @r#"{title: "payload.title", url: "payload.url"}"#);
    let mapping = Mapping::parse(&mapping).unwrap();
    let reading = Reading { format: None, grouping: Grouping::Group, mapping: Some(&mapping) };
    let alert = read_delivery(value.to_string().as_bytes(), &[], reading).unwrap().alerts.remove(0);
    assert_eq!((alert.title.as_str(), alert.annotations["payload.method"].as_str()), ("Crash", "m"));
    for odd in [json!({"$(rm x)": {"title": "t"}}), json!({"a.title": "t"}), json!({"message": ["a", "b"]})] {
        assert_eq!(alerts(&odd, Grouping::Group).unwrap_err().mapping(), None, "{odd}");
    }
    assert_eq!(Problem::Empty.mapping(), None);
}

/// The alert that a mapping reads, told in short.
fn mapped(yaml: &str, value: &Value) -> (String, String) {
    let mapping = Mapping::parse(yaml).unwrap();
    let reading = Reading { format: None, grouping: Grouping::Group, mapping: Some(&mapping) };
    let alert = read_delivery(value.to_string().as_bytes(), &[], reading).unwrap().alerts.remove(0);
    (alert.state.name().to_string(), alert.title)
}

/// It used to spoil the whole template, and with it the state: the alert fired.
#[test]
fn a_field_that_is_absent_equals_nothing_in_a_mapping() {
    let yaml = r#"{title: "{{ name ~ zone }}", state: "{{ 'closed' if phase != 'open' else 'open' }}"}"#;
    assert_eq!(mapped(yaml, &json!({"name": "x"})), ("resolved".to_string(), "x".to_string()));
    let yaml = r#"{title: name, state: "{{ 'down' if a.b in ['bad'] or c > 3 else 'up' }}"}"#;
    assert_eq!(mapped(yaml, &json!({"name": "x"})).0, "resolved");
}
