//! Several organizations in one read: whose a stream's state is, where it has one for each. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The field under which a state has a state for each organization.
const FIELD: &str = "organizations";

/// States by organization.
pub type States = BTreeMap<String, Value>;

/// An organization whose streams are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organization {
    /// As the settings have it.
    pub id: String,
    /// Whether others are read in the same run.
    pub is_one_of_many: bool,
    /// Whether it is another one than the first.
    pub is_further: bool,
}

/// The organizations that are read, one after the other: `first`, and those of `others` that are not named before.
pub fn organizations(first: &str, others: &[String]) -> Vec<Organization> {
    let mut ids = vec![first];
    for other in others {
        if !ids.iter().any(|id| is_same(id, other)) {
            ids.push(other);
        }
    }
    let is_one_of_many = ids.len() > 1;
    let one = |(place, id): (usize, &&str)| Organization { id: id.to_string(), is_one_of_many, is_further: place > 0 };
    ids.iter().enumerate().map(one).collect()
}

/// Both spellings of an organization's identifier are the same one.
pub fn is_same(one: &str, other: &str) -> bool {
    let rest = |id: &str| id.strip_prefix("org_").or(id.strip_prefix("org-")).map(str::to_string);
    one == other || rest(one).is_some_and(|one| Some(one) == rest(other))
}

/// The state of an organization in that of a stream. One that is for a single organization is whose it says; of a further organization
/// only if it does say so.
pub fn of_organization<'a>(state: Option<&'a Value>, organization: &Organization) -> Option<&'a Value> {
    let state = state?;
    if let Some(states) = state[FIELD].as_object() {
        return states.iter().find(|(id, _)| is_same(id, &organization.id)).map(|(_, state)| state);
    }
    let is_whose = || state["scope"]["org_id"].as_str().is_none_or(|id| is_same(id, &organization.id));
    match (organization.is_one_of_many, organization.is_further) {
        (false, _) => Some(state),
        (true, false) => Some(state).filter(|_| is_whose()),
        (true, true) => Some(state).filter(|state| !state["scope"]["org_id"].is_null() && is_whose()),
    }
}

/// The state of the list that the enterprise has for all its organizations, for whichever of them is read first: the newest by the
/// field `cursor` that `is_of_list`. It is theirs if one of them was read when it was written; `None` when none was.
pub fn of_enterprise(
    state: Option<&Value>,
    read: &[Organization],
    cursor: &str,
    is_of_list: impl Fn(&Value) -> bool,
) -> Option<Value> {
    let state = state?;
    let (ids, states): (Vec<&str>, Vec<&Value>) = match state[FIELD].as_object() {
        Some(states) => (states.keys().map(String::as_str).collect(), states.values().collect()),
        None => {
            let others = state["scope"]["org_ids"].as_array().into_iter().flatten();
            (others.chain([&state["scope"]["org_id"]]).filter_map(Value::as_str).collect(), vec![state])
        }
    };
    let is_known = |organization: &Organization| ids.iter().any(|id| is_same(id, &organization.id));
    let newest = states
        .into_iter()
        .filter(|state| state["scope"].is_object() && is_of_list(state))
        .max_by_key(|state| state[cursor].as_i64());
    let mut newest = newest.filter(|_| read.iter().any(is_known))?.clone();
    newest["scope"]["org_id"] = Value::from(read[0].id.as_str());
    Some(newest)
}

/// The states of organizations that are not read this time: they are kept for when they are.
pub fn kept(state: Option<&Value>, read: &[Organization]) -> States {
    let is_read = |id: &str| read.iter().any(|organization| is_same(id, &organization.id));
    let Some(state) = state else { return States::new() };
    if let Some(states) = state[FIELD].as_object() {
        return states.iter().filter(|(id, _)| !is_read(id)).map(|(id, state)| (id.clone(), state.clone())).collect();
    }
    // A single organization in place of another one is a mistake rather than a change of the list.
    let whose = state["scope"]["org_id"].as_str().filter(|id| read.len() > 1 && !is_read(id));
    whose.into_iter().map(|id| (id.to_string(), state.clone())).collect()
}

/// The state of a stream with these of its organizations; of a single one, its own.
pub fn together(parts: &[(&str, &Value)], kept: &States) -> Value {
    if let ([(_, state)], true) = (parts, kept.is_empty()) {
        return (*state).clone();
    }
    let mut states: Map<String, Value> = kept.clone().into_iter().collect();
    states.extend(parts.iter().map(|(id, state)| (id.to_string(), (*state).clone())));
    Value::Object(Map::from_iter([(FIELD.to_string(), Value::Object(states))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(state: Value, ids: &[&str]) -> String {
        let others: Vec<String> = ids[1..].iter().map(ToString::to_string).collect();
        let read = organizations(ids[0], &others);
        let mut told: Vec<String> = read
            .iter()
            .map(|organization| {
                let state = of_organization(Some(&state), organization);
                format!("{}: {}", organization.id, state.map_or("nothing".to_string(), Value::to_string))
            })
            .collect();
        told.push(format!("kept {}", json!(kept(Some(&state), &read))));
        told.join("\n")
    }

    #[test]
    fn each_organization_is_read_once_however_it_is_spelled() {
        let ids = |others: &[&str]| {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            organizations("org-a", &others).into_iter().map(|organization| organization.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&["org-b", "org_a", "org-b", "org_b", "other"]), ["org-a", "org-b", "other"]);
        assert!(!organizations("org-a", &["org_a".to_string()])[0].is_one_of_many);
    }

    #[test]
    fn a_state_of_one_organization_is_its_own() {
        let of_a = json!({"scope": {"org_id": "org-a"}, "updated_at": 5});
        insta::assert_snapshot!(check(of_a.clone(), &["org-a"]), @r#"
        org-a: {"scope":{"org_id":"org-a"},"updated_at":5}
        kept {}
        "#);
        insta::assert_snapshot!(check(of_a.clone(), &["org-b", "org_a"]), @r#"
        org-b: nothing
        org_a: {"scope":{"org_id":"org-a"},"updated_at":5}
        kept {}
        "#);
        insta::assert_snapshot!(check(of_a.clone(), &["org-b", "org-c"]), @r#"
        org-b: nothing
        org-c: nothing
        kept {"org-a":{"scope":{"org_id":"org-a"},"updated_at":5}}
        "#);
        // Where only another one is read, the state is refused, and that is said.
        assert!(check(of_a, &["org-b"]).starts_with("org-b: {"));
        insta::assert_snapshot!(check(json!({"updated_at": 5}), &["org-a", "org-b"]), @r#"
        org-a: {"updated_at":5}
        org-b: nothing
        kept {}
        "#);
    }

    #[test]
    fn the_state_of_the_enterprises_list_is_that_of_whichever_organization_is_first() {
        let read = organizations("org-b", &["org_a".to_string()]);
        let check = |state: Value| {
            let is_of_list = |state: &Value| state["scope"]["path"] == "E";
            of_enterprise(Some(&state), &read, "at", is_of_list)
                .map_or("nothing".to_string(), |state| state.to_string())
        };
        let of = |id: &str, path: &str, at: i64| json!({"scope": {"org_id": id, "path": path}, "at": at});
        insta::assert_snapshot!(check(of("org-a", "E", 5)), @r#"{"at":5,"scope":{"org_id":"org-b","path":"E"}}"#);
        insta::assert_snapshot!(check(json!({"organizations": {
            "org-a": of("org-a", "E", 5), "org-b": of("org-b", "O", 9), "org-c": of("org-c", "E", 7),
        }})), @r#"{"at":7,"scope":{"org_id":"org-b","path":"E"}}"#);
        assert_eq!(check(of("org-a", "O", 5)), "nothing");
        assert_eq!(check(of("org-c", "E", 5)), "nothing");
        for odd in [json!("E"), json!({"scope": 7}), json!({"organizations": {"org-a": "E", "org-b": {"scope": "E"}}})]
        {
            assert_eq!(check(odd), "nothing");
        }
    }

    #[test]
    fn an_organization_that_is_added_begins_and_one_that_is_removed_is_kept() {
        let state = together(&[("org-a", &json!({"n": 1})), ("org-b", &json!({"n": 2}))], &States::new());
        insta::assert_snapshot!(check(state.clone(), &["org-b", "org-c"]), @r#"
        org-b: {"n":2}
        org-c: nothing
        kept {"org-a":{"n":1}}
        "#);
        insta::assert_snapshot!(check(state, &["org_a"]), @r#"
        org_a: {"n":1}
        kept {"org-b":{"n":2}}
        "#);
        assert_eq!(together(&[("org-a", &json!({"n": 1}))], &States::new()), json!({"n": 1}));
    }
}
