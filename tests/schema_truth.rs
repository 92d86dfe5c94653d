//! What the schemas declare, what Devin's own API description says, and what the simulated organization serves.
//!
//! `DEVIN_OPENAPI=FILE cargo test --test schema_truth` holds the first and the last against the second, for the lists that FILE
//! describes. Without it, that part has nothing to compare with and passes.

mod common;

use std::collections::BTreeSet;

use common::{Api, Organization, program};
use serde_json::{Value, json};
use source_devin_ai::source::streams::{STREAMS, Stream};

/// Where the description has the items of a stream; streams that it does not describe are not here.
const DESCRIBED: [(&str, &str); 3] = [
    ("playbooks", "/v3/organizations/{org_id}/playbooks"),
    ("secrets", "/v3/organizations/{org_id}/secrets"),
    ("knowledge_notes", "/v3/organizations/{org_id}/knowledge/notes"),
];

/// What differs from the description of 2026, and why that is right.
const KNOWN: [(&str, &str); 0] = [];

/// A schema of the description with what it refers to in its place.
fn resolved(api: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(place) => resolved(api, api.pointer(place).unwrap_or_else(|| panic!("{place} is not described"))),
        None => schema.clone(),
    }
}

fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(kind) => BTreeSet::from([kind.as_str()]),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// Every difference between what a stream's schema declares and how its items are described.
fn compare(api: &Value, path: &str, ours: &Value, theirs: &Value, key: &[&str], found: &mut BTreeSet<String>) {
    let theirs = resolved(api, theirs);
    let (mut declared, described) = (types(ours), types(&theirs));
    let is_key = key.contains(&path.split('.').nth(1).unwrap_or_default());
    if declared.remove("null") == is_key && path.contains('.') {
        found.insert(format!("{path}: a key must not be null, and everything else may be"));
    }
    if is_key && theirs["nullable"] == true {
        found.insert(format!("{path}: a key that may be null"));
    }
    if !described.is_empty() && declared != described {
        found.insert(format!("{path}: declared as {declared:?}, described as {described:?}"));
    }
    for value in theirs["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let says = ours["description"].as_str().unwrap_or_default();
        if !says.contains(value) {
            found.insert(format!("{path}: the description of the field does not name {value}"));
        }
    }
    let empty = serde_json::Map::new();
    let fields = |schema: &Value| schema["properties"].as_object().cloned().unwrap_or_else(|| empty.clone());
    let (ours_below, theirs_below) = (fields(ours), fields(&theirs));
    for (name, field) in &theirs_below {
        match ours_below.get(name) {
            Some(declared) => compare(api, &format!("{path}.{name}"), declared, field, key, found),
            None => {
                found.insert(format!("{path}.{name}: not declared"));
            }
        }
    }
    for name in ours_below.keys().filter(|name| !theirs_below.contains_key(*name)) {
        found.insert(format!("{path}.{name}: declared, but not described"));
    }
    if theirs["items"].is_object() && ours["items"].is_object() {
        compare(api, &format!("{path}[]"), &ours["items"], &theirs["items"], key, found);
    }
}

/// Every way in which an item that the simulated organization serves is not as it is described.
fn judge(api: &Value, path: &str, item: &Value, theirs: &Value, found: &mut BTreeSet<String>) {
    let theirs = resolved(api, theirs);
    let kind = match item {
        Value::Null if theirs["nullable"] == true => return,
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let described = types(&theirs);
    if !described.is_empty() && !described.contains(kind) && !(kind == "integer" && described.contains("number")) {
        found.insert(format!("{path}: the sandbox serves {kind}, described is {described:?}"));
    }
    if theirs["enum"].as_array().is_some_and(|values| !values.contains(item)) {
        found.insert(format!("{path}: the sandbox serves {item}, which is none of the values described"));
    }
    let Some(fields) = theirs["properties"].as_object() else { return };
    let required = theirs["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| item.get(name).is_none()) {
        found.insert(format!("{path}.{name}: required, and the sandbox leaves it out"));
    }
    for (name, value) in item.as_object().into_iter().flatten() {
        match fields.get(name) {
            Some(field) => judge(api, &format!("{path}.{name}"), value, field, found),
            None => {
                found.insert(format!("{path}.{name}: the sandbox serves it, but it is not described"));
            }
        }
    }
}

fn stream(name: &str) -> &'static Stream {
    STREAMS.iter().find(|stream| stream.name == name).unwrap_or_else(|| panic!("there is no stream {name}"))
}

#[test]
fn schemas_and_sandbox_are_as_the_api_is_described() {
    let Some(file) = std::env::var_os("DEVIN_OPENAPI") else { return };
    let api: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut found = BTreeSet::new();
    for (name, path) in DESCRIBED {
        let stream = stream(name);
        let answer = &api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let item = resolved(&api, answer)["properties"]["items"]["items"].clone();
        assert!(item.is_object(), "{path} is not described");
        let schema: Value = serde_json::from_str(stream.schema).unwrap();
        compare(&api, name, &schema, &item, stream.primary_key, &mut found);
        for key in stream.primary_key {
            let required = &resolved(&api, &item)["required"];
            assert!(required.as_array().unwrap().contains(&json!(key)), "{name}.{key} is not required");
        }
        let ran = program().run(&format!("read --sandbox --streams {name} --format records"));
        assert!(ran.text().lines().count() > 3, "{name}");
        for line in ran.text().lines() {
            judge(&api, name, &serde_json::from_str(line).unwrap(), &item, &mut found);
        }
    }
    let known: BTreeSet<String> = KNOWN.iter().map(|(difference, _)| difference.to_string()).collect();
    let new: Vec<&String> = found.difference(&known).collect();
    let gone: Vec<&String> = known.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\ngone: {gone:#?}");
}

#[test]
fn the_sandbox_serves_nothing_that_the_schemas_do_not_declare() {
    let ran = program().run("read --sandbox --streams all");
    let told = ran.told();
    let differences: Vec<&str> = told.logs("INFO").into_iter().filter(|text| text.contains("as it was sent")).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn a_field_that_is_new_or_of_another_type_is_told_once() {
    let item = |n: i64| json!({"secret_id": n.to_string(), "vault": n, "note": [n], "created_at": n});
    let organization = Organization::new(&[("secrets", (0..5).map(item).collect())]);
    organization.lock().unwrap().page = Some(2);
    let api = Api::of(&organization);
    let program = program().at(&api, json!({})).catalog(&["secrets"]);
    let ran = program.read();
    let told = ran.told();
    let differences: Vec<&str> = told.logs("INFO").into_iter().filter(|text| text.contains("as it was sent")).collect();
    insta::assert_snapshot!(differences.join("\n"), @"
    stream secrets: note is array, and the schema declares null or string; the records have it as it was sent
    stream secrets: vault (integer) is not in the schema; the records have it as it was sent
    ");
    assert_eq!((told.records("secrets").len(), api.asked().len() > 2, ran.exit()), (5, true, "exit 0".to_string()));
    let quiet = program.run("read --config config.json --streams secrets --format records --quiet");
    assert_eq!(quiet.stderr, "");
}
