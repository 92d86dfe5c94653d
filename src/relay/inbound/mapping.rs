//! A mapping: where in a sender's message an alert's values stand. People write one for a sender of their own, and the
//! table of senders has one for each. Pure.

use std::collections::BTreeMap;

use minijinja::{UndefinedBehavior, Value as Context, value::Serde};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::leaves::{facts, leaves, tell};
use super::{Delivery, Problem, Rejected, any, generic};
use crate::relay::alert::{Alert, Format, Identity, State};
use crate::relay::engine::{self, Allowance};

/// Paths like `detail.alarmName`, or templates like `{{ detail.state.value }}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    title: String,
    message: Option<String>,
    severity: Option<String>,
    state: Option<String>,
    /// What the sender's words for a state mean, where they mean something of their own.
    #[serde(default)]
    states: BTreeMap<String, Meaning>,
    /// A template that comes to `true` when the alert is over.
    resolved_when: Option<String>,
    /// A template that comes to `true` for the message that tries the connection.
    test_when: Option<String>,
    dedup_key: Option<Parts>,
    url: Option<String>,
    started_at: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The paths of what is told beside; without them everything is.
    facts: Option<Vec<String>>,
    /// The path of a list, of whose items each is an alert.
    each: Option<String>,
}

/// What a word for a state means.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Meaning {
    Firing,
    Resolved,
    /// Nothing starts or ends.
    Ignored,
    Test,
}

/// One value, or several that identify together.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Parts {
    One(String),
    Several(Vec<String>),
}

impl Mapping {
    /// Reads a mapping from YAML.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(yaml: &str) -> Result<Mapping, String> {
        serde_saphyr::from_str::<Mapping>(yaml).map_err(|error| one_line(&error.to_string()))?.checked()
    }

    /// A mapping that stands in another file, as values.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(values: Value) -> Result<Mapping, String> {
        serde_json::from_value::<Mapping>(values).map_err(|error| error.to_string())?.checked()
    }

    fn checked(self) -> Result<Mapping, String> {
        let templates = self.expressions();
        for (name, text) in templates.into_iter().filter(|(_, text)| text.contains("{{")) {
            engine::check(text).map_err(|fault| format!("{name} is no usable template: {}", fault.detail))?;
        }
        Ok(self)
    }

    fn expressions(&self) -> Vec<(&str, &str)> {
        let optional = [
            ("message", &self.message),
            ("severity", &self.severity),
            ("state", &self.state),
            ("resolved_when", &self.resolved_when),
            ("test_when", &self.test_when),
            ("url", &self.url),
            ("started_at", &self.started_at),
        ];
        let optional = optional.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        let labels = self.labels.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let key = self.key().into_iter().map(|text| ("dedup_key", text));
        [("title", self.title.as_str())].into_iter().chain(optional).chain(key).chain(labels).collect()
    }

    fn key(&self) -> Vec<&str> {
        match &self.dedup_key {
            None => Vec::new(),
            Some(Parts::One(text)) => vec![text],
            Some(Parts::Several(texts)) => texts.iter().map(String::as_str).collect(),
        }
    }

    /// Reads the alerts of one object; its templates take what they need from the delivery's allowance.
    pub(super) fn read(&self, value: &Value, allowance: &mut Allowance, delivery: &mut Delivery) {
        let items = self.items(value);
        let all = items.len();
        for (item, place) in items.into_iter().zip(1..) {
            match self.alert(Format::Generic, item, allowance) {
                Ok(alert) => delivery.alerts.push(alert),
                Err(Problem::TooCostly { field, .. }) if allowance.is_used_up() => {
                    let problem = Problem::TooCostly { field, more: all - place };
                    delivery.rejected.push(Rejected { place, problem });
                    break;
                }
                Err(problem) => delivery.rejected.push(Rejected { place, problem }),
            }
        }
    }

    /// The objects that are an alert each.
    pub(super) fn items<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match &self.each {
            Some(path) => Fields { format: Format::Generic, value }.items(path).map(|item| item.value).collect(),
            None => vec![value],
        }
    }

    /// Reads one alert.
    ///
    /// # Errors
    /// When it has no title, or no key where the mapping names one, or when a template takes more than is left.
    pub(super) fn alert(&self, format: Format, item: &Value, allowance: &mut Allowance) -> Result<Alert, Problem> {
        let mut values = Values { item, context: None, allowance };
        let missing = |what: &str| Problem::Missing { format, field: format!("what the mapping calls {what}") };
        let mut mapped = Map::new();
        let state = values.maybe("state", &self.state)?;
        let fields = [
            ("title", Some(values.of("title", &self.title)?.ok_or_else(|| missing("title"))?)),
            ("message", values.maybe("message", &self.message)?),
            ("severity", values.maybe("severity", &self.severity)?),
            ("status", state.clone()),
            ("url", values.maybe("url", &self.url)?),
            ("timestamp", values.maybe("started_at", &self.started_at)?),
        ];
        mapped.extend(fields.into_iter().filter_map(|(name, text)| Some((name.to_string(), Value::String(text?)))));
        let mut labels = BTreeMap::new();
        for (name, text) in &self.labels {
            labels.extend(values.of(name, text)?.map(|value| (name.clone(), value)));
        }
        mapped.insert("labels".to_string(), json!(labels));
        let leaves = leaves(item);
        let mut told = facts(&leaves);
        told.retain(|path, _| self.is_told(path));
        mapped.insert("metadata".to_string(), json!(told));
        let mut alert = generic::flat(Fields { format, value: &Value::Object(mapped) })?;
        tell(&mut alert, &leaves, |path| self.is_told(path));
        if let Some(state) = self.state_of(&mut values, state.as_deref())? {
            alert.state = state;
            alert.warnings.clear();
        }
        let key = self.key().into_iter().map(|text| values.of("dedup_key", text));
        let key: Vec<Option<String>> = key.collect::<Result<_, _>>()?;
        match key.first() {
            Some(None) => return Err(missing("dedup_key")),
            // What a part of a key lacks must not move the others to its place.
            Some(Some(_)) => {
                let mut parts: Vec<String> = key.into_iter().map(Option::unwrap_or_default).collect();
                while parts.last().is_some_and(String::is_empty) {
                    parts.pop();
                }
                alert.identity = Identity::Own(parts);
            }
            None => {
                if let Identity::Title { source, .. } = &mut alert.identity
                    && self.labels.is_empty()
                {
                    *source = any::sources(&leaves);
                }
            }
        }
        Ok(alert)
    }

    /// The state that the mapping says for sure; `None` where it says nothing that is known.
    fn state_of(&self, values: &mut Values, word: Option<&str>) -> Result<Option<State>, Problem> {
        if values.is_true("test_when", &self.test_when)? {
            return Ok(Some(State::Test));
        }
        if values.is_true("resolved_when", &self.resolved_when)? {
            return Ok(Some(State::Resolved));
        }
        let Some(word) = word else { return Ok(None) };
        Ok(match self.states.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
            Some((_, Meaning::Firing)) => Some(State::Firing),
            Some((_, Meaning::Resolved)) => Some(State::Resolved),
            Some((_, Meaning::Ignored)) => Some(State::other(word)),
            Some((_, Meaning::Test)) => Some(State::Test),
            None => State::known(word),
        })
    }

    /// Whether a value is told beside what has a place of its own.
    fn is_told(&self, path: &str) -> bool {
        let is_below = |listed: &String| {
            path.strip_prefix(listed.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.facts.as_ref().is_none_or(|listed| listed.iter().any(is_below))
    }
}

/// The values of one item.
struct Values<'a> {
    item: &'a Value,
    /// The item as templates take it, once one of them is run.
    context: Option<Context>,
    allowance: &'a mut Allowance,
}

impl Values<'_> {
    /// What the first of several paths with `|` between them leads to, or what a template comes to; `None` for nothing.
    fn of(&mut self, field: &str, text: &str) -> Result<Option<String>, Problem> {
        if !text.contains("{{") {
            let payload = Fields { format: Format::Generic, value: self.item };
            return Ok(text.split(" | ").find_map(|path| payload.text(path.trim())));
        }
        let root = self.context.get_or_insert_with(|| Context::from(Serde(self.item))).clone();
        match engine::render(text, root, UndefinedBehavior::Chainable, self.allowance) {
            // That is what an absent value is written as.
            Ok(rendered) => Ok(Some(rendered.trim().to_string()).filter(|text| !text.is_empty() && text != "none")),
            Err(fault) if fault.is_limit => Err(Problem::TooCostly { field: field.to_string(), more: 0 }),
            Err(_) => Ok(None),
        }
    }

    fn maybe(&mut self, field: &str, text: &Option<String>) -> Result<Option<String>, Problem> {
        text.as_deref().map_or(Ok(None), |text| self.of(field, text))
    }

    /// Whether a template comes to `true`.
    fn is_true(&mut self, field: &str, text: &Option<String>) -> Result<bool, Problem> {
        Ok(self.maybe(field, text)?.is_some_and(|truth| truth.eq_ignore_ascii_case("true")))
    }
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str, value: &Value) -> Delivery {
        let mut delivery = Delivery::default();
        Mapping::parse(yaml).unwrap().read(value, &mut Allowance::of_a_delivery(), &mut delivery);
        delivery
    }

    #[test]
    fn a_mapping_says_where_the_values_stand() {
        let yaml = "title: '{{ check }} on {{ host.name }}'\nstate: s\nresolved_when: '{{ code == 0 }}'\ndedup_key: key\nlabels:\n  host: host.name\neach: results\n";
        let item = |code: u8, key: &str| json!({"check": "disk", "host": {"name": "h1"}, "s": "bad", "code": code, "key": key});
        let delivery = read(yaml, &json!({"results": [item(2, "a"), item(0, "b"), item(1, "")]}));
        let told: Vec<String> = delivery
            .alerts
            .iter()
            .map(|alert| {
                format!("{} {} {} {}", alert.title, alert.state.name(), alert.dedupe_key(&[]), alert.labels["host"])
            })
            .collect();
        assert_eq!(told, ["disk on h1 firing generic:a h1", "disk on h1 resolved generic:b h1"]);
        assert_eq!(delivery.rejected.len(), 1);
    }

    #[test]
    fn templates_that_take_too_much_together_cost_what_is_beyond_and_it_is_told() {
        let costly = "'{% for i in range(1500) %}{{ name ~ i ~ name ~ i }}{% endfor %}{{ name }}'";
        let labels: String = (0..6).map(|at| format!("  l{at}: {costly}\n")).collect();
        let items: Vec<Value> = (0..40).map(|at| json!({"name": format!("disk{at}")})).collect();
        let delivery = read(&format!("title: name\nlabels:\n{labels}each: items\n"), &json!({"items": items}));
        assert!((1..10).contains(&delivery.alerts.len()), "{}", delivery.alerts.len());
        let told: Vec<String> = delivery.rejected.iter().map(|part| part.problem.to_string()).collect();
        let more = 39 - delivery.alerts.len();
        assert_eq!(delivery.rejected[0].place, delivery.alerts.len() + 1);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].contains("template for l") && told[0].contains(&format!("the {more} parts after it")),
            "{told:?}"
        );
        // One that is too much alone is told, too, and costs its own part.
        let alone = "title: name\nmessage: '{% for i in range(9999) %}{{ i ~ i }}{% endfor %}'\n";
        let delivery = read(alone, &json!({"name": "disk"}));
        assert_eq!(delivery.alerts.len(), 0);
        assert!(delivery.rejected[0].problem.to_string().contains("template for message goes beyond"));
    }

    #[test]
    fn a_mistake_in_a_mapping_is_told_with_its_line() {
        let unknown = Mapping::parse("title: t\ncolor: red\n").unwrap_err();
        assert!(unknown.contains("color") && unknown.contains('2'), "{unknown}");
        assert!(Mapping::parse("title: '{{ x'\n").unwrap_err().contains("title is no usable template"));
        assert!(Mapping::parse("title: '{{ \"x\" * 1000000000 }}'\n").unwrap_err().contains("multiplies by too much"));
        assert!(Mapping::parse("message: m\n").is_err());
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\ntitle: t\n";
        assert!(Mapping::parse(bomb).is_err());
    }
}
