//! The JSON Schema of rules files says what the parser says, as far as a schema can.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value as Json;

use super::*;

fn schema() -> Json {
    serde_json::from_str(include_str!("../../../../../schemas/relay.json")).unwrap()
}

/// Whether a value is what a schema wants, for the words that this schema uses.
fn is_valid(schema: &Json, value: &Json, root: &Json) -> bool {
    let Json::Object(words) = schema else { panic!("{schema}") };
    words.iter().all(|(word, wanted)| match word.as_str() {
        "$schema" | "title" | "description" | "definitions" => true,
        "$ref" => is_valid(root.pointer(wanted.as_str().unwrap().trim_start_matches('#')).unwrap(), value, root),
        "type" => match wanted.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            other => panic!("{other}"),
        },
        "enum" => wanted.as_array().unwrap().contains(value),
        "pattern" => value.as_str().is_none_or(|text| Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text)),
        "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().unwrap()),
        "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= wanted.as_i64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= wanted.as_u64().unwrap()),
        "minProperties" => value.as_object().is_none_or(|fields| fields.len() as u64 >= wanted.as_u64().unwrap()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(wanted, item, root))),
        "required" => value.as_object().is_none_or(|fields| {
            wanted.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
        }),
        "properties" => value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, value)| wanted.get(name).is_none_or(|schema| is_valid(schema, value, root)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            let known = schema.get("properties");
            let mut others = fields.iter().filter(|(name, _)| known.is_none_or(|known| known.get(name).is_none()));
            others.all(|(_, value)| wanted.is_object() && is_valid(wanted, value, root))
        }),
        "anyOf" => wanted.as_array().unwrap().iter().any(|schema| is_valid(schema, value, root)),
        "allOf" => wanted.as_array().unwrap().iter().all(|schema| is_valid(schema, value, root)),
        "oneOf" => wanted.as_array().unwrap().iter().filter(|schema| is_valid(schema, value, root)).count() == 1,
        other => panic!("{other} is a word that this test does not know"),
    })
}

fn is_allowed(yaml: &str) -> bool {
    let schema = schema();
    is_valid(&schema, &Node::parse(yaml).unwrap().json(), &schema)
}

#[test]
fn the_schema_has_every_key_and_no_other() {
    let schema = schema();
    let keys = |place: &str| -> BTreeSet<String> {
        let properties = schema.pointer(place).unwrap_or_else(|| panic!("{place}"));
        properties.as_object().unwrap().keys().cloned().collect()
    };
    let of = |lists: &[&[&str]]| -> BTreeSet<String> { lists.concat().iter().map(ToString::to_string).collect() };
    let named = |name: &str| keys(&format!("/definitions/{name}/properties"));
    assert_eq!(keys("/properties"), of(&[&KEYS]));
    assert_eq!(named("route"), of(&[&routes::KEYS]));
    assert_eq!(keys("/definitions/route/properties/auth/anyOf/1/properties"), of(&[&routes::METHODS]));
    assert_eq!(named("integration"), of(&[&integrations::KEYS]));
    assert_eq!(named("default"), of(&[&keys::keys()]));
    assert_eq!(named("rule"), of(&[&list::KEYS, &keys::keys()]));
    assert_eq!(named("session"), of(&[&keys::SESSION]));
    assert_eq!(named("match"), of(&[&conditions::KEYS]));
    assert_eq!(named("storm"), of(&[&limits::STORM]));
    assert_eq!(named("limits"), of(&[&limits::LIMITS]));
    assert_eq!(named("occurrences"), of(&[&limits::OCCURRENCES]));
    assert_eq!(keys("/properties/access/properties"), of(&[&access::KEYS]));
    assert_eq!(keys("/properties/notify/properties"), of(&[&notify::KEYS]));
    assert_eq!(named("target"), of(&[&notify::TARGET]));
    assert_eq!(named("subscription"), of(&[&notify::SUBSCRIPTION]));
    assert_eq!(keys("/definitions/token/anyOf/1/properties"), of(&[&access::TOKEN]));
}

#[test]
fn files_that_are_right_are_allowed() {
    for yaml in [include_str!("../../../../../docs/relay.yaml"), STARTER] {
        assert!(is_allowed(yaml), "{yaml}");
    }
    let parts = [
        "default: {repo: a/b, tag: [x], cooldown: 1h30m, structured_output_schema: {type: object}, per_alert: true}",
        "default: {storm: {}, limits: {runs: 3/1h}}\nrules: [{id: a, storm: false}]",
        "rules: [{id: a, match: {labels: {a: [b, '/c/']}, severity: '>=high', route: auto, not: {title: x}}}]",
        "limits: {runs: [3/h, {count: 7, within: 1d}], concurrent_sessions: 5}\nkill_switch: {file: stop}",
        "access: {read_token: {env: TOKEN}, admin_token: [{name: ops, token: {env: OTHER}}], hosts: [relay.example.com]}",
        "notify: {targets: [{name: ops, kind: slack, url: {env: HOOK}}], allow_internal: [10.0.0.0/8]}\ndefault: {notify: {target: ops}}",
        "retention: 1d\nalert_retention: 90d\nmax_store_size: 64MiB\non_create_unknown: report\nnamespace: x",
    ];
    for part in parts {
        let yaml = format!("{INTEGRATIONS}{ROUTES}{part}\n");
        assert!(is_allowed(&yaml) && said(&yaml).starts_with("right"), "{part}: {}", said(&yaml));
    }
}

#[test]
fn files_that_are_wrong_in_their_form_are_refused_by_both() {
    let parts = [
        "colour: red",
        "default: {colour: red}",
        "default: {repo: not a repo}",
        "default: {id: a}",
        "default: {cooldown: 5}",
        "default: {max_acu_limit: 0}",
        "default: {while_pr_open: maybe}",
        "default: {dedupe_key: always}",
        "default: {session: {colour: red}}",
        "rules: []",
        "rules: [{match: {title: x}}]",
        "rules: [{id: a, match: {}}]",
        "rules: [{id: a, match: {labels: {}}}]",
        "rules: [{id: a, match: {title: x, not: {}}}]",
        "rules: [{id: a, match: {title: x, not: {annotations: {}}}}]",
        "rules: [{id: A b}]",
        "rules: [{id: a, enabled: 1}]",
        "rules: [{id: a, match: {label: x}}]",
        "rules: [{id: a, match: {labels: [x]}}]",
        "rules: [{id: a, match: {labels: {a: 7}}}]",
        "rules: [{id: a, match: {title: []}}]",
        "rules: [{id: a, match: {not: {not: {title: x}}}}]",
        "rules: [{id: a, storm: {threshold: 1}}]",
        "rules: [{id: a, storm: true}]",
        "rules: [{id: a, stormThreshold: 5}]",
        "rules: [{id: a, min_occurrences: {count: 3}}]",
        "rules: [{id: a, limits: {runs: three}}]",
        "rules: [{id: a, limits: {concurrent_sessions: 0}}]",
        "kill_switch: stop",
        "kill_switch: {}",
        "access: {}",
        "access: {read_token: []}",
        "access: {admin_token: secret}",
        "access: {admin_token: {name: ops}}",
        "access: {hosts: ['https://relay.example.com']}",
        "notify: {}",
        "notify: {targets: []}",
        "notify: {targets: [{kind: slack, url: {env: HOOK}}]}",
        "notify: {targets: [{name: ops, kind: pigeon, url: {env: HOOK}}]}",
        "notify: {targets: [{name: ops, kind: slack, url: 'https://hooks.slack.com/services/x'}]}",
        "default: {notify: {target: ops, on: [sometimes]}}",
        "default: {notify: {on: [done]}}",
        "max_store_size: 5",
        "on_create_unknown: maybe",
    ];
    for part in parts {
        let yaml = format!("{INTEGRATIONS}{ROUTES}{part}\n");
        assert!(!is_allowed(&yaml), "the schema allows {part}");
        assert!(!said(&yaml).starts_with("right"), "the parser allows {part}");
    }
    for route in [
        "{auth: none}",
        "{name: A, auth: none}",
        "{name: a}",
        "{name: a, auth: {}}",
        "{name: a, auth: {bearer: secret}}",
        "{name: a, auth: {bearer: {env: TOKEN, file: x}}}",
        "{name: a, auth: {basic: {username: u}}}",
        "{name: a, auth: {sns: {topics: []}}}",
        "{name: a, auth: {hmac: {header: X, hash: md5, secret: {env: TOKEN}}}}",
    ] {
        let yaml = format!("{INTEGRATIONS}routes: [{route}]\n");
        assert!(!is_allowed(&yaml), "the schema allows {route}");
        assert!(!said(&yaml).starts_with("right"), "the parser allows {route}");
    }
}
