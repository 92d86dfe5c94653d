//! The description of the API, and whether an answer is what it says.

use serde_json::{Map, Value};

/// `schemas/relay-api.json`.
pub struct Description(Value);

impl Description {
    pub fn read() -> Description {
        Description(serde_json::from_str(include_str!("../../schemas/relay-api.json")).unwrap())
    }

    /// Each method and path, with what is said of it.
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        let of_path = |(path, methods): (&String, &'_ Value)| {
            let methods: Vec<String> = methods.as_object().unwrap().keys().cloned().collect();
            methods.into_iter().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        let all = paths.iter().flat_map(of_path);
        all.map(|(method, path)| {
            let operation = &paths[&path][method.to_lowercase()];
            (method, path, operation)
        })
        .collect()
    }

    /// What is wrong with an answer to a request; empty where nothing is.
    pub fn compare(&self, operation: &Value, status: u16, kind: &str, answer: &Value) -> String {
        let Some(response) = operation["responses"].get(status.to_string()) else {
            return format!("{status} is not described");
        };
        let response = self.resolved(response);
        let Some(content) = response["content"].get(kind) else { return format!("{kind} is not described") };
        self.wrong(&content["schema"], answer, "").unwrap_or_default()
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(place) => {
                self.resolved(self.0.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place}")))
            }
            None => value,
        }
    }

    fn wrong(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let schema = self.resolved(schema);
        let Value::Object(words) = schema else { panic!("{schema}") };
        for (word, wanted) in words {
            let is_right = match word.as_str() {
                "description" | "format" | "pattern" | "minLength" | "minimum" | "maximum" | "default" | "required"
                | "properties" => true,
                "type" => match wanted {
                    Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                    one => is_of(one, value),
                },
                "enum" => wanted.as_array().unwrap().contains(value),
                "const" => wanted == value,
                "anyOf" => wanted.as_array().unwrap().iter().any(|one| self.wrong(one, value, at).is_none()),
                "oneOf" => {
                    let all = wanted.as_array().unwrap().iter();
                    all.filter(|one| self.wrong(one, value, at).is_none()).count() == 1
                }
                "items" => {
                    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                        if let Some(wrong) = self.wrong(wanted, item, &format!("{at}[{number}]")) {
                            return Some(wrong);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    if let Some(wrong) = self.wrong_field(words, value, at) {
                        return Some(wrong);
                    }
                    true
                }
                other => panic!("{other} is a word that this does not know"),
            };
            if !is_right {
                return Some(format!("{at} is {value}, not of {word} {wanted}"));
            }
        }
        None
    }

    fn wrong_field(&self, words: &Map<String, Value>, value: &Value, at: &str) -> Option<String> {
        let fields = value.as_object()?;
        let (known, others) = (words.get("properties"), &words["additionalProperties"]);
        for name in words.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Some(format!("{at}.{name} is missing"));
            }
        }
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            match known.and_then(|known| known.get(name)) {
                Some(schema) => {
                    if let Some(wrong) = self.wrong(schema, value, &at) {
                        return Some(wrong);
                    }
                }
                None if others.is_object() => {
                    if let Some(wrong) = self.wrong(others, value, &at) {
                        return Some(wrong);
                    }
                }
                None if others == false => return Some(format!("{at} is not described")),
                None => {}
            }
        }
        None
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}
