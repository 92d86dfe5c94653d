//! All values of a JSON object with their paths, for a reading that goes by names. Pure.

use serde_json::Value;

use super::fields::flat;
use crate::relay::alert::{Alert, Pairs};
use redact::{is_secret, is_secret_within, keeps_secrets};

/// How deep, how many items of a list, and how many values are looked at.
const DEPTH: usize = 7;
const ITEMS: usize = 5;
const LEAVES: usize = 400;

/// Parts of names whose values tell about persons.
const PERSONAL: [&str; 26] = [
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
];

/// Names of two words, of the same kind.
const PERSONAL_NAMES: [&str; 4] = ["acknowledgedby", "resolvedby", "createdby", "triggeredby"];

/// Last words of names whose value is a secret unless it is an ordinary word: `auth: ldap`.
const DOUBTFUL: [&str; 6] = ["auth", "cookies", "jar", "jwt", "session", "sid"];

/// Fields whose value belongs to the name beside them.
const VALUES: [&str; 13] =
    ["val", "values", "default", "content", "data", "text", "old", "new", "from", "to", "before", "after", "current"];

/// Fields that name the columns of the rows beside them.
const COLUMNS: [&str; 3] = ["columns", "headers", "header"];

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
    /// Whether its name, an object around it, or what stands beside it calls it a secret: `password`, `credentials.a`,
    /// `{"name": "DB_PASSWORD", "value": …}`, `["--password", …]`.
    pub is_secret: bool,
}

impl Leaf {
    /// Whether it says something about the alert: it is neither a secret nor about a person, and no page that acts.
    pub fn is_fact(&self) -> bool {
        !self.is_secret && self.is_told()
    }

    /// Whether it is told; a secret is, masked.
    fn is_told(&self) -> bool {
        !is_personal(&self.path) && !looks_personal(&self.text)
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
    collect(value, "", Around::default(), &mut found);
    found.sort_by_key(|leaf| leaf.depth);
    found
}

/// The facts among them by path.
pub fn facts(leaves: &[Leaf]) -> Pairs {
    leaves.iter().filter(|leaf| leaf.is_fact()).map(|leaf| (leaf.path.clone(), leaf.text.clone())).collect()
}

/// Tells in the annotations those whose path is wanted, and which of them are secrets.
pub fn tell(alert: &mut Alert, leaves: &[Leaf], is_wanted: impl Fn(&str) -> bool) {
    for leaf in leaves.iter().filter(|leaf| leaf.is_told() && is_wanted(&leaf.path)) {
        alert.annotations.insert(leaf.path.clone(), leaf.text.clone());
        if leaf.is_secret {
            alert.secrets.insert(leaf.path.clone());
        }
    }
}

/// Whether `text` under `name` is a secret.
pub fn is_kept_secret(name: &str, text: &str) -> bool {
    let is_number = || text.len() < 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = || text.len() < 4 || is_number() || is_lower_word(text) || text.starts_with("arn:");
    let is_doubtful = || {
        parts(name).last().is_some_and(|last| DOUBTFUL.contains(&last.as_str())) || plain(name).ends_with("sessionid")
    };
    is_secret(name, text) || is_doubtful() && !is_word()
}

fn is_lower_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_ ".contains(&byte))
}

/// Whether a name, or a path, is of a person, or of a page that acts.
pub fn is_personal(path: &str) -> bool {
    let names = path.split('.');
    let of_name = |name: &str| {
        let whole = plain(name);
        PERSONAL_NAMES.contains(&whole.as_str())
            || PERSONAL.contains(&whole.as_str())
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

/// What is around a value.
#[derive(Clone, Copy, Default)]
struct Around<'a> {
    depth: usize,
    in_list: bool,
    /// The name of an object that keeps secrets.
    holder: Option<&'a str>,
    /// What the field beside it calls it: `{"name": "DB_PASSWORD", "value": …}`.
    called: Option<&'a str>,
    /// The names of columns that stand beside rows.
    columns: &'a [Value],
}

impl Around<'_> {
    /// Whether a row has a secret in a column that keeps them.
    fn has_secret(self, row: &Value) -> bool {
        let cells = row.as_array().into_iter().flatten();
        let is_secret = |(column, cell): (&Value, &Value)| {
            column.as_str().zip(cell.as_str()).is_some_and(|(column, cell)| is_kept_secret(column, cell))
        };
        self.in_list && self.columns.iter().zip(cells).any(is_secret)
    }

    fn calls_secret(self, name: &str, text: &str) -> bool {
        self.called.is_some_and(|called| is_kept_secret(called, text))
            || self.holder.is_some_and(|holder| is_secret_within(holder, name, text))
    }
}

fn collect<'a>(value: &'a Value, path: &str, around: Around<'a>, found: &mut Vec<Leaf>) {
    let Around { depth, in_list, .. } = around;
    if found.len() >= LEAVES || depth > DEPTH {
        return;
    }
    match (value, flat(value)) {
        (_, Some(text)) if !path.is_empty() => {
            let mut names = path.rsplit('.').filter(|name| name.parse::<usize>().is_err());
            let name = names.next().map(plain).unwrap_or_default();
            let parent = names.next().map(plain).unwrap_or_default();
            let (path, is_text) = (path.to_string(), value.is_string());
            let own = path.rsplit('.').next().unwrap_or_default();
            let is_kept = is_kept_secret(own, &text) || around.calls_secret(own, &text);
            let one = own.strip_suffix('s').unwrap_or(own);
            let mut items = value.as_array().into_iter().flatten().filter_map(flat);
            let is_kept = is_kept || items.any(|item| is_kept_secret(own, &item) || is_kept_secret(one, &item));
            let is_secret = is_kept || lists_a_secret(value) || around.has_secret(value);
            found.push(Leaf { path, name, parent, depth, text, is_text, in_list, is_secret });
        }
        (Value::Object(fields), _) => {
            let called = fields.iter().filter(|(name, _)| is_name_field(name)).find_map(|(_, value)| called(value));
            let columns = COLUMNS.iter().find_map(|name| fields.get(*name)?.as_array());
            let columns = columns.map_or(&[][..], Vec::as_slice);
            for (name, value) in fields {
                let is_holder = !is_flat(value) && keeps_secrets(name);
                let holder = if is_holder { Some(name.as_str()) } else { around.holder };
                let called = if is_value_field(name) { called.or(around.called) } else { around.called };
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, &path, Around { depth: depth + 1, in_list, holder, called, columns }, found);
            }
        }
        (Value::Array(items), _) => {
            for (number, value) in items.iter().take(ITEMS).enumerate() {
                let around = Around { depth: depth + 1, in_list: true, ..around };
                collect(value, &format!("{path}.{number}"), around, found);
            }
        }
        _ => {}
    }
}

/// Whether it is a value rather than an object, or a list of objects.
fn is_flat(value: &Value) -> bool {
    !value.is_object() && !value.as_array().is_some_and(|items| items.iter().any(|item| !is_flat(item)))
}

/// Whether a field's text is the name of what stands beside it.
fn is_name_field(name: &str) -> bool {
    [
        "name",
        "key",
        "field",
        "header",
        "option",
        "label",
        "parameter",
        "variable",
        "property",
        "attribute",
        "id",
        "title",
    ]
    .contains(&plain(name).as_str())
}

fn is_value_field(name: &str) -> bool {
    let name = plain(name);
    VALUES.contains(&name.as_str()) || name.ends_with("value")
}

/// What a field's text calls the value beside it, where it is a name or an option.
fn called(value: &Value) -> Option<&str> {
    let name = value.as_str()?.trim().trim_start_matches('-');
    (!name.is_empty() && !name.contains(char::is_whitespace) && name.len() <= 64).then_some(name)
}

/// Whether a list has the name of a secret, or an option that takes one, right before it.
pub fn lists_a_secret(value: &Value) -> bool {
    let is_secret = |pair: &[Value]| {
        let (Some(name), Some(text)) = (called(&pair[0]), pair[1].as_str()) else { return false };
        let is_option = pair[0].as_str().is_some_and(|name| name.starts_with('-'));
        is_kept_secret(name, text) && (is_option || !is_lower_word(text))
    };
    value.as_array().is_some_and(|items| items.windows(2).any(is_secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::alert::without_secrets;
    use crate::relay::alert::{Format, Identity, State};
    use redact::Redactor;

    #[test]
    fn names_of_persons_and_of_pages_that_act_are_not_told() {
        for name in ["user.name", "client_ip", "clientIp", "data.author", "silenceURL", "acknowledged_by"] {
            assert!(is_personal(name), "{name}");
        }
        for name in ["host", "description", "zip", "service.name", "incident.id", "participle", "api_key"] {
            assert!(!is_personal(name), "{name}");
        }
        assert!(looks_personal("email:someone@example.com") && !looks_personal("fetch failed @ 3.1"));
    }

    #[test]
    fn a_secret_is_told_as_one_wherever_its_place_says_that_it_is() {
        let value = serde_json::json!({
            "env": [{"name": "DB_PASSWORD", "value": "hunter2Xq9"}, {"name": "STRIPE_KEY", "value": "zz88yyPPqq"}],
            "parameters": [{"Key": "ApiToken", "Value": "lime2222x"}, {"Key": "Stage", "Value": "live"}],
            "headers": [["X-Api-Key", "kiwi9988aa"], ["Accept", "text/html"]],
            "args": ["--password", "papaya55"],
            "nested": [{"name": "token", "value": {"a": "pear333x"}}],
            "credentials": {"primary": "plum4444x"},
            "cookies": {"a": "fig55555x"},
            "session_id": "date6666x",
            "auth": "Fig77777x",
            "tokens": {"deploy_token": "grape8888x"},
            "changes": [{"field": "password", "old": "lemon9999x", "new": "lemon9999y"}],
            "result": {"columns": ["id", "api_key"], "rows": [["7", "melon1010x"]]},
            "secrets": {"db": "Peach1111xQ"},
            "hmac": ["Mango1212xQ", "b"],
            "facts": [{"title": "Password", "value": "sunflower"}, {"title": "Passed", "value": "12"}],
            "pins": [4821, 4822],
        });
        let secrets = [
            "hunter2Xq9",
            "zz88yyPPqq",
            "lime2222x",
            "kiwi9988aa",
            "papaya55",
            "pear333x",
            "plum4444x",
            "fig55555x",
            "date6666x",
            "Fig77777x",
            "grape8888x",
            "lemon9999x",
            "lemon9999y",
            "7, melon1010x",
            "Peach1111xQ",
            "Mango1212xQ, b",
            "sunflower",
            "4821, 4822",
        ];
        let leaves = leaves(&value);
        let told = format!("{:?}", facts(&leaves));
        assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
        assert!(told.contains("live") && told.contains("Accept, text/html") && told.contains("DB_PASSWORD"), "{told}");
        let mut alert = Alert::new(Format::Any, State::Firing, "x".to_string(), Identity::Own(Vec::new()));
        tell(&mut alert, &leaves, |_| true);
        let (shown, count) = without_secrets(&alert, &Redactor::default());
        assert_eq!((count, shown.annotations.len()), (secrets.len(), leaves.len()));
        let told = format!("{:?}", shown.annotations);
        assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
        assert_eq!(shown.annotations["session_id"], "****");
    }

    #[test]
    fn what_only_speaks_of_secrets_is_told_whole() {
        let value = serde_json::json!({"token_count": 12, "session_timeout": "30m", "auth_method": "LDAP v3",
            "secret_name": "db-creds-2", "password_policy": "14 characters", "community": ["public", "eu"], "auth": "ldap", "api_token": "expired",
            "token_type": "JWT/RS256", "cookie_consent": "v2 Banner", "env": [{"name": "token", "value": "expired"}],
            "authorization": {"action": "Disk.Compute/virtualMachines/restart/action", "scope": "/subscriptions/1a2b3c4d/vm"},
            "session": 3316175, "credentials": {"profile": "prod", "region": "eu-west-1"},
            "columns": ["name", "token"], "rows": [["web", "expired"]], "fields": ["password", "region"],
            "facts": [{"title": "Token", "value": "expired"}], "tokens": [12, 40], "keys": ["cpu", "memory"]});
        let mut alert = Alert::new(Format::Any, State::Firing, "x".to_string(), Identity::Own(Vec::new()));
        tell(&mut alert, &leaves(&value), |_| true);
        let (shown, count) = without_secrets(&alert, &Redactor::default());
        assert_eq!((count, shown.annotations.len()), (0, 24), "{:?}", shown.annotations);
        assert!(shown.annotations.values().all(|text| text != "****"));
    }

    #[test]
    fn values_come_with_their_paths() {
        let value = serde_json::json!({"a": {"bC": 1}, "l": [{"x": "y"}], "s": ["p", "q"], "e": " ", "n": null});
        let read: Vec<String> = leaves(&value).iter().map(|leaf| format!("{}={}", leaf.path, leaf.text)).collect();
        assert_eq!(read, ["s=p, q", "a.bC=1", "l.0.x=y"]);
    }
}
