//! A mapping that a person writes for a sender of their own: where in its payload an alert's values stand. Pure.

use std::collections::BTreeMap;

use minijinja::{UndefinedBehavior, Value as Context, value::Serde};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::leaves::{facts, leaves};
use super::{Delivery, Problem, Rejected, any, generic};
use crate::relay::alert::{Alert, Format, Identity};
use crate::relay::engine;

/// Paths like `detail.alarmName`, or templates like `{{ detail.state.value }}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    title: String,
    message: Option<String>,
    severity: Option<String>,
    state: Option<String>,
    /// A template that comes to `true` when the alert is over.
    resolved_when: Option<String>,
    dedup_key: Option<String>,
    url: Option<String>,
    started_at: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The path of a list, of whose items each is an alert.
    each: Option<String>,
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
            ("dedup_key", &self.dedup_key),
            ("url", &self.url),
            ("started_at", &self.started_at),
        ];
        let optional = optional.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        let labels = self.labels.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        [("title", self.title.as_str())].into_iter().chain(optional).chain(labels).collect()
    }

    /// Reads the alerts of one object.
    pub(super) fn read(&self, value: &Value, delivery: &mut Delivery) {
        let payload = Fields { format: Format::Generic, value };
        let items: Vec<&Value> = match &self.each {
            Some(path) => payload.items(path).map(|item| item.value).collect(),
            None => vec![value],
        };
        for (item, place) in items.into_iter().zip(1..) {
            match self.alert(item) {
                Ok(alert) => delivery.alerts.push(alert),
                Err(problem) => delivery.rejected.push(Rejected { place, problem }),
            }
        }
    }

    fn alert(&self, item: &Value) -> Result<Alert, Problem> {
        let at = |text: &Option<String>| text.as_deref().and_then(|text| value_of(text, item));
        let mut mapped = Map::new();
        let over = at(&self.resolved_when).is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let state = if over { Some("resolved".to_string()) } else { at(&self.state) };
        let fields = [
            ("title", value_of(&self.title, item)),
            ("message", at(&self.message)),
            ("severity", at(&self.severity)),
            ("status", state),
            ("dedup_key", at(&self.dedup_key)),
            ("url", at(&self.url)),
            ("timestamp", at(&self.started_at)),
        ];
        mapped.extend(fields.into_iter().filter_map(|(name, text)| Some((name.to_string(), Value::String(text?)))));
        let labels = self.labels.iter().filter_map(|(name, text)| Some((name.clone(), value_of(text, item)?)));
        mapped.insert("labels".to_string(), json!(labels.collect::<BTreeMap<String, String>>()));
        mapped.insert("metadata".to_string(), json!(facts(&leaves(item))));
        if self.dedup_key.is_some() && !mapped.contains_key("dedup_key") {
            return Err(Problem::Missing {
                format: Format::Generic,
                field: "what the mapping calls dedup_key".to_string(),
            });
        }
        let mut alert = generic::flat(Fields { format: Format::Generic, value: &Value::Object(mapped) })?;
        if let Identity::Title { source, .. } = &mut alert.identity
            && self.labels.is_empty()
        {
            *source = any::sources(&leaves(item));
        }
        Ok(alert)
    }
}

/// What a path leads to, or a template comes to; `None` for nothing.
fn value_of(text: &str, item: &Value) -> Option<String> {
    if !text.contains("{{") {
        return Fields { format: Format::Generic, value: item }.text(text);
    }
    let rendered = engine::render(text, Context::from(Serde(item)), UndefinedBehavior::Chainable).ok()?;
    Some(rendered.trim().to_string()).filter(|text| !text.is_empty())
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str, value: &Value) -> Delivery {
        let mut delivery = Delivery::default();
        Mapping::parse(yaml).unwrap().read(value, &mut delivery);
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
