//! What the schemas declare, what Devin's own API description says, and what the simulated organization serves.
//!
//! `DEVIN_OPENAPI=FILE cargo test --test schema_truth` holds the first and the last against the second, for the lists that FILE
//! describes. Without it, that part has nothing to compare with and passes.

mod common;

use std::collections::BTreeSet;

use common::{Answer, Api, Ask, Library, Organization, program};
use serde_json::{Value, json};
use source_devin_ai::config::Config;
use source_devin_ai::devin::Shape;
use source_devin_ai::sandbox::{ORG_ID, Options, Sandbox, TOKEN_ENTERPRISE};
use source_devin_ai::source::emit::now_ms;
use source_devin_ai::source::read::Ending;
use source_devin_ai::source::streams::{EACH, Listing, STREAMS, Stream, Unit};

/// Where the description has the items of a stream, in one list or several; streams that it does not describe are not here.
const DESCRIBED: [(&str, &[&str]); 11] = [
    ("playbooks", &["/v3/organizations/{org_id}/playbooks"]),
    ("secrets", &["/v3/organizations/{org_id}/secrets"]),
    ("knowledge_notes", &["/v3/organizations/{org_id}/knowledge/notes"]),
    ("knowledge_folders", &["/v3/organizations/{org_id}/knowledge/folders"]),
    ("schedules", &["/v3/organizations/{org_id}/schedules"]),
    (
        "members",
        &[
            "/v3/enterprise/organizations/{org_id}/members/users",
            "/v3/enterprise/organizations/{org_id}/members/idp-users",
        ],
    ),
    ("service_users", &["/v3/enterprise/members/service-users"]),
    ("roles", &["/v3/enterprise/roles"]),
    ("organizations", &["/v3/enterprise/organizations"]),
    ("acu_limits", &["/v3/enterprise/consumption/acu-limits/devin"]),
    ("repositories", &["/v3/enterprise/git-providers/connections/{connection_id}/repositories"]),
];

/// What differs from the description of 2026, and why that is right.
const KNOWN: [(&str, &str); 2] = [
    ("repositories.indexing_status: declared, but not described", INDEXING),
    ("repositories.indexing_status: the sandbox serves it, but it is not described", INDEXING),
];

/// The description has the repositories of a git connection; the list of an organization's has been seen with one field more.
const INDEXING: &str = "a field of the organization's own list";

/// A schema of the description with what it refers to in its place.
fn resolved(api: &Value, schema: &Value) -> Value {
    // The way in which the description says that what it refers to may be null.
    if let [only] = schema["allOf"].as_array().map_or(&[][..], Vec::as_slice) {
        let mut all = resolved(api, only);
        all["nullable"] = schema["nullable"].clone();
        return all;
    }
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
    let is_described = described.contains(kind) || kind == "integer" && described.contains("number");
    if !described.is_empty() && !is_described {
        found.insert(format!("{path}: the sandbox serves {kind}, described is {described:?}"));
    }
    if theirs["enum"].as_array().is_some_and(|values| !values.contains(item)) {
        found.insert(format!("{path}: the sandbox serves {item}, which is none of the values described"));
    }
    for element in item.as_array().into_iter().flatten().filter(|_| theirs["items"].is_object()) {
        judge(api, &format!("{path}[]"), element, &theirs["items"], found);
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

/// The description of a list's items.
fn described(api: &Value, path: &str) -> Value {
    let answer = &api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let lists = resolved(api, answer)["properties"].clone();
    let item = ["items", "folders"].iter().map(|name| lists[name]["items"].clone()).find(Value::is_object);
    resolved(api, &item.unwrap_or_else(|| panic!("{path} is not described")))
}

/// The fields that the connector gives to a stream's records.
fn given(stream: &Stream) -> Vec<&'static str> {
    let made = (!stream.id.is_empty()).then_some("id");
    let deleted = stream.can_report_deletions().then_some("_deleted");
    // Where several organizations are read.
    let whose = (stream.is_usual || stream.path_of_enterprise().is_some()).then_some("org_id");
    stream.adds.iter().map(|added| added.field()).chain(made).chain(deleted).chain(whose).collect()
}

#[tokio::test]
async fn schemas_and_sandbox_are_as_the_api_is_described() {
    let Some(file) = std::env::var_os("DEVIN_OPENAPI") else { return };
    let api: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let library = Library::with(Config::of_sandbox(TOKEN_ENTERPRISE, ORG_ID, &sandbox.url()));
    let names = DESCRIBED.map(|(name, _)| name);
    let (ending, told) = library.read(&names, "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", told.lines());
    let mut found = BTreeSet::new();
    for (name, paths) in DESCRIBED {
        let stream = stream(name);
        let items: Vec<Value> = paths.iter().map(|path| described(&api, path)).collect();
        let mut schema: Value = serde_json::from_str(stream.schema).unwrap();
        let is_given = |field: &str| given(stream).contains(&field) && items[0]["properties"].get(field).is_none();
        schema["properties"].as_object_mut().unwrap().retain(|field, _| !is_given(field));
        let mut all = items[0].clone();
        for (field, of_another) in items[1..].iter().filter_map(|item| item["properties"].as_object()).flatten() {
            all["properties"][field] = of_another.clone();
        }
        compare(&api, name, &schema, &all, stream.primary_key, &mut found);
        for key in stream.primary_key.iter().filter(|key| !is_given(key)) {
            for item in &items {
                assert!(item["required"].as_array().unwrap().contains(&json!(key)), "{name}.{key} is not required");
            }
        }
        assert!(!told.records(name).is_empty(), "{name}");
        for record in told.records(name) {
            let mut record = record.clone();
            record.as_object_mut().unwrap().retain(|field, _| !is_given(field));
            // It is as one of the lists has it, or as all together.
            let differences = items.iter().chain([&all]).map(|item| {
                let mut found = BTreeSet::new();
                judge(&api, name, &record, item, &mut found);
                found
            });
            found.extend(differences.min_by_key(BTreeSet::len).unwrap());
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

/// An answer of a stream's form with one item, which has a field that no schema declares.
fn with_news(stream: &Stream, ask: &Ask) -> Answer {
    let after: i64 = ask.parameter("time_after").map_or(1_767_225_600, |bound| bound.parse().unwrap());
    let mut item = json!({"session_id": "a", "created_at": 1_767_225_600, "updated_at": 1_767_225_600, "zz_news": 1});
    for key in stream.primary_key.iter().filter(|key| **key != "id") {
        item[key] = "a".into();
    }
    if let Some(cursor) = stream.cursor.filter(|cursor| !["window_start", "session_updated_at"].contains(&cursor.field))
    {
        item[cursor.field] =
            if cursor.unit == Unit::Iso { json!("2026-01-01T00:00:00Z") } else { (after + 3_600).into() };
    }
    if let Some(field) = stream.projects {
        item[field] = json!([{"pr_url": "u", "zz_news": 1}]);
    }
    Answer::json(match stream.form.shape {
        Shape::Items => json!({"items": [item]}).to_string(),
        Shape::In(name) | Shape::Sums(name) => json!({name: [item]}).to_string(),
        Shape::Array | Shape::ArrayOr(_) => json!([item]).to_string(),
        Shape::Measures => item.to_string(),
    })
}

#[tokio::test]
async fn a_field_that_is_new_is_told_once_of_every_stream() {
    for stream in STREAMS {
        let api = Api::start(move |ask| {
            let is_its_own = stream.paths[0].below.iter().all(|part| *part == EACH || ask.target.contains(part));
            match ask.list.as_str() {
                list if list.contains("members") && stream.name != "service_users" => {
                    let known = json!({"user_id": "a"}).to_string();
                    if stream.name == "members" { with_news(stream, ask) } else { Answer::list(&[&known]) }
                }
                "sessions" if stream.listing == Listing::PerSession => {
                    Answer::list(&[r#"{"session_id":"a","updated_at":1767225600}"#])
                }
                _ if is_its_own => with_news(stream, ask),
                _ => Answer::unknown(),
            }
        });
        let mut library = Library::at(&api);
        library.config.start_date =
            Some(now_ms() / 1000 - 86_400).filter(|_| matches!(stream.listing, Listing::Windows(_)));
        let (_, told) = library.read(&[stream.name], "[]").await;
        let sentence = format!("stream {}: zz_news (integer) is not in the schema", stream.name);
        let times = told.logs("INFO").iter().filter(|text| text.starts_with(&sentence)).count();
        assert_eq!(times, 1, "{}: {}", stream.name, told.lines());
    }
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
