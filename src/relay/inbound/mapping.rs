//! A mapping that a person writes for a sender of their own: where in its payload an alert's values stand. Pure.

use std::collections::BTreeMap;

use minijinja::{UndefinedBehavior, Value as Context, value::Serde};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::leaves::{facts, leaves};
use super::{Delivery, Problem, Rejected, any, generic};
use crate::relay::alert::{Alert, Format, Identity};
use crate::relay::engine::{self, Allowance};

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
        let mapping: Mapping = serde_saphyr::from_str(yaml).map_err(|error| one_line(&error.to_string()))?;
        let templates = mapping.expressions();
        for (name, text) in templates.into_iter().filter(|(_, text)| text.contains("{{")) {
            engine::check(text).map_err(|fault| format!("{name} is no usable template: {}", fault.detail))?;
        }
        Ok(mapping)
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

    /// Reads the alerts of one object; its templates take what they need from the delivery's allowance.
    pub(super) fn read(&self, value: &Value, allowance: &mut Allowance, delivery: &mut Delivery) {
        let payload = Fields { format: Format::Generic, value };
        let items: Vec<&Value> = match &self.each {
            Some(path) => payload.items(path).map(|item| item.value).collect(),
            None => vec![value],
        };
        let all = items.len();
        for (item, place) in items.into_iter().zip(1..) {
            match self.alert(item, allowance) {
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

    fn alert(&self, item: &Value, allowance: &mut Allowance) -> Result<Alert, Problem> {
        let mut values = Values { item, context: None, allowance };
        let mut mapped = Map::new();
        let over = values.maybe("resolved_when", &self.resolved_when)?;
        let over = over.is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let state = if over { Some("resolved".to_string()) } else { values.maybe("state", &self.state)? };
        let fields = [
            ("title", values.of("title", &self.title)?),
            ("message", values.maybe("message", &self.message)?),
            ("severity", values.maybe("severity", &self.severity)?),
            ("status", state),
            ("dedup_key", values.maybe("dedup_key", &self.dedup_key)?),
            ("url", values.maybe("url", &self.url)?),
            ("timestamp", values.maybe("started_at", &self.started_at)?),
        ];
        mapped.extend(fields.into_iter().filter_map(|(name, text)| Some((name.to_string(), Value::String(text?)))));
        let mut labels = BTreeMap::new();
        for (name, text) in &self.labels {
            labels.extend(values.of(name, text)?.map(|value| (name.clone(), value)));
        }
        mapped.insert("labels".to_string(), json!(labels));
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

/// The values of one item.
struct Values<'a> {
    item: &'a Value,
    /// The item as templates take it, once one of them is run.
    context: Option<Context>,
    allowance: &'a mut Allowance,
}

impl Values<'_> {
    /// What a path leads to, or a template comes to; `None` for nothing.
    fn of(&mut self, field: &str, text: &str) -> Result<Option<String>, Problem> {
        if !text.contains("{{") {
            return Ok(Fields { format: Format::Generic, value: self.item }.text(text));
        }
        let root = self.context.get_or_insert_with(|| Context::from(Serde(self.item))).clone();
        match engine::render(text, root, UndefinedBehavior::Chainable, self.allowance) {
            Ok(rendered) => Ok(Some(rendered.trim().to_string()).filter(|text| !text.is_empty())),
            Err(fault) if fault.is_limit => Err(Problem::TooCostly { field: field.to_string(), more: 0 }),
            Err(_) => Ok(None),
        }
    }

    fn maybe(&mut self, field: &str, text: &Option<String>) -> Result<Option<String>, Problem> {
        text.as_deref().map_or(Ok(None), |text| self.of(field, text))
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
