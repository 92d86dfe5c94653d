//! All values of a JSON object with their paths, for a reading that goes by names. Pure.

use serde_json::Value;

use super::fields::flat;
use crate::redact::is_secret_name;
use crate::relay::alert::Pairs;

/// How deep, how many items of a list, and how many values are looked at.
const DEPTH: usize = 7;
const ITEMS: usize = 5;
const LEAVES: usize = 400;

/// Parts of names whose values are credentials, or tell about persons.
const PERSONAL: [&str; 34] = [
    "email",
    "mail",
    "user",
    "users",
    "username",
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "ipaddress",
    "phone",
    "mobile",
    "cookie",
    "cookies",
    "authorization",
    "auth",
    "password",
    "token",
    "secret",
    "actor",
    "author",
    "pusher",
    "login",
    "firstname",
    "lastname",
    "fullname",
    "address",
    "assignee",
    "assignees",
    "avatar",
    "contact",
    "agent",
    "creator",
    "session",
];

/// Names of two words, of the same kind.
const PERSONAL_NAMES: [&str; 8] = [
    "apikey",
    "routingkey",
    "servicekey",
    "integrationkey",
    "acknowledgedby",
    "resolvedby",
    "createdby",
    "triggeredby",
];

/// Parts of names of pages that act when they are opened.
const ACTING: [&str; 9] =
    ["silence", "silences", "mute", "unsubscribe", "acknowledge", "ack", "snooze", "signature", "signing"];

/// One value of an object.
#[derive(Debug)]
pub struct Leaf {
    /// `data.essentials.alertRule`
    pub path: String,
    /// The last name of the path, in lowercase, with letters and digits only.
    pub name: String,
    /// The same of the name before it; empty at the top.
    pub parent: String,
    /// How many names lead to it.
    pub depth: usize,
    pub text: String,
    pub is_text: bool,
    /// Whether a list stands on the way.
    pub in_list: bool,
    /// Whether what stands beside it calls it a secret: `{"name": "DB_PASSWORD", "value": …}`, `["--password", …]`.
    pub is_secret: bool,
}

impl Leaf {
    /// Whether it may be shown: neither a credential nor about a person, and no page that acts.
    pub fn is_fact(&self) -> bool {
        !self.is_secret && !is_personal(&self.path) && !looks_personal(&self.text)
    }

    /// The last name of the path as the sender spells it; a number in a list is none.
    pub fn own_name(&self) -> &str {
        self.path.rsplit('.').find(|name| name.parse::<usize>().is_err()).unwrap_or_default()
    }

    pub fn is_link(&self) -> bool {
        self.text.starts_with("https://") || self.text.starts_with("http://")
    }
}

/// The values of `value`, those near its top first.
pub fn leaves(value: &Value) -> Vec<Leaf> {
    let mut found = Vec::new();
    collect(value, "", (0, false, false), &mut found);
    found.sort_by_key(|leaf| leaf.depth);
    found
}

/// The facts among them by path.
pub fn facts(leaves: &[Leaf]) -> Pairs {
    leaves.iter().filter(|leaf| leaf.is_fact()).map(|leaf| (leaf.path.clone(), leaf.text.clone())).collect()
}

/// Whether a name, or a path, is of a credential, a person, or a page that acts.
pub fn is_personal(path: &str) -> bool {
    let names = path.split('.');
    let of_name = |name: &str| {
        let whole = plain(name);
        PERSONAL_NAMES.contains(&whole.as_str())
            || PERSONAL.contains(&whole.as_str())
            || is_secret_name(name)
            || parts(name).iter().any(|part| PERSONAL.contains(&part.as_str()) || ACTING.contains(&part.as_str()))
    };
    names.into_iter().any(of_name)
}

/// Whether a text is an e-mail address.
pub fn looks_personal(text: &str) -> bool {
    let text = text.trim().trim_start_matches("email:").trim_start_matches("ip:");
    let is_address = |(name, host): (&str, &str)| !name.is_empty() && host.contains('.') && !host.contains('/');
    !text.contains(char::is_whitespace) && !text.contains("://") && text.split_once('@').is_some_and(is_address)
}

/// Lowercase, letters and digits only.
pub fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The words of `clientIp`, `client_ip` or `client-ip`.
pub fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && was_lower) {
            parts.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            parts.last_mut().expect("there is a first").push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn collect(value: &Value, path: &str, (depth, in_list, is_secret): (usize, bool, bool), found: &mut Vec<Leaf>) {
    if found.len() >= LEAVES || depth > DEPTH {
        return;
    }
    match (value, flat(value)) {
        (_, Some(text)) if !path.is_empty() => {
            let mut names = path.rsplit('.').filter(|name| name.parse::<usize>().is_err());
            let name = names.next().map(plain).unwrap_or_default();
            let parent = names.next().map(plain).unwrap_or_default();
            let (path, is_text) = (path.to_string(), value.is_string());
            let is_secret = is_secret || lists_a_secret(value);
            found.push(Leaf { path, name, parent, depth, text, is_text, in_list, is_secret });
        }
        (Value::Object(fields), _) => {
            let names_a_secret = fields.iter().any(|(name, value)| is_name_field(name) && says_secret(value));
            for (name, value) in fields {
                let is_secret = is_secret || (names_a_secret && is_value_field(name));
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, &path, (depth + 1, in_list, is_secret), found);
            }
        }
        (Value::Array(items), _) => {
            for (number, value) in items.iter().take(ITEMS).enumerate() {
                collect(value, &format!("{path}.{number}"), (depth + 1, true, is_secret), found);
            }
        }
        _ => {}
    }
}

/// Whether a field's text is the name of what stands beside it.
fn is_name_field(name: &str) -> bool {
    ["name", "key", "field", "header", "option", "label", "parameter", "variable", "id"].contains(&plain(name).as_str())
}

fn is_value_field(name: &str) -> bool {
    let name = plain(name);
    ["val", "values", "default", "content", "data"].contains(&name.as_str()) || name.ends_with("value")
}

/// Whether a text is the name of a credential, or an option that takes one.
fn says_secret(value: &Value) -> bool {
    let name = value.as_str().unwrap_or_default().trim().trim_start_matches('-');
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace) && name.len() <= 64;
    is_name && (is_secret_name(name) || ["authorization", "cookie", "setcookie"].contains(&plain(name).as_str()))
}

/// Whether a list has the name of a secret right before another item.
pub fn lists_a_secret(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.windows(2).any(|pair| says_secret(&pair[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials_and_persons_are_no_facts() {
        for name in
            ["user.name", "client_ip", "clientIp", "api_key", "routing_key", "data.author", "silenceURL", "password"]
        {
            assert!(is_personal(name), "{name}");
        }
        for name in ["host", "description", "zip", "service.name", "incident.id", "participle"] {
            assert!(!is_personal(name), "{name}");
        }
        assert!(looks_personal("email:someone@example.com") && !looks_personal("fetch failed @ 3.1"));
    }

    #[test]
    fn what_stands_beside_the_name_of_a_secret_is_no_fact() {
        let value = serde_json::json!({
            "env": [{"name": "DB_PASSWORD", "value": "hunter2Xq9"}, {"name": "STRIPE_KEY", "value": "zz88yyPPqq"}],
            "parameters": [{"Key": "ApiToken", "Value": "lime2222x"}, {"Key": "Stage", "Value": "live"}],
            "headers": [["X-Api-Key", "kiwi9988aa"], ["Accept", "text/html"]],
            "args": ["--password", "papaya55"],
            "nested": [{"name": "token", "value": {"a": "pear333x"}}],
        });
        let told = format!("{:?}", facts(&leaves(&value)));
        for secret in ["hunter2Xq9", "zz88yyPPqq", "lime2222x", "kiwi9988aa", "papaya55", "pear333x"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        assert!(told.contains("live") && told.contains("Accept, text/html") && told.contains("DB_PASSWORD"), "{told}");
    }

    #[test]
    fn values_come_with_their_paths() {
        let value = serde_json::json!({"a": {"bC": 1}, "l": [{"x": "y"}], "s": ["p", "q"], "e": " ", "n": null});
        let read: Vec<String> = leaves(&value).iter().map(|leaf| format!("{}={}", leaf.path, leaf.text)).collect();
        assert_eq!(read, ["s=p, q", "a.bC=1", "l.0.x=y"]);
    }
}
