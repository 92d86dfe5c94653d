//! Which condition an alert fails, in words: what it must be, and what it is. Pure.

use super::{Conditions, Match, Pattern, Text, View, is_one_of};
use crate::relay::alert::{Alert, Severity};

/// How a value may be shown, by its name.
pub type Shown<'a> = &'a dyn Fn(&str, &str) -> String;

/// A condition, and how an alert stands to it.
struct Told {
    name: String,
    wanted: String,
    /// `None` where the alert has no such thing.
    seen: Option<String>,
    holds: bool,
}

impl Match {
    /// Why a rule is not for this alert, which came in by `route`: the first condition that it fails. `None` where it is for it.
    pub fn miss(&self, alert: &Alert, route: &str, shown: Shown) -> Option<String> {
        let views = View::all(alert, route);
        let mut misses = Vec::with_capacity(views.len());
        for view in &views {
            misses.push(self.miss_of(view, shown)?);
        }
        match &misses[..] {
            [] => Some("none of its alerts fires".to_string()),
            [miss] => Some(miss.clone()),
            [first, ..] => {
                Some(format!("none of its {} alerts that fire meets it; of the first, {first}", misses.len()))
            }
        }
    }

    fn miss_of(&self, view: &View, shown: Shown) -> Option<String> {
        if let Some(told) = self.wanted.told(view, shown).into_iter().find(|told| !told.holds) {
            let Told { name, wanted, seen, .. } = told;
            return Some(match seen {
                Some(seen) => format!("{name} must be {wanted}, and is {seen:?}"),
                None => format!("{name} must be {wanted}, and there is none"),
            });
        }
        let told = self.unwanted.told(view, shown).into_iter().find(|told| told.holds)?;
        let Told { name, wanted, seen, .. } = told;
        Some(format!("{name} must not be {wanted} (not), and is {:?}", seen.unwrap_or_else(|| "unknown".to_string())))
    }
}

impl Conditions {
    /// Each of the conditions that are there, in the order in which they are asked.
    fn told(&self, view: &View, shown: Shown) -> Vec<Told> {
        let mut all = Vec::new();
        for (kind, known, pairs) in
            [("labels", view.labels, &self.labels), ("annotations", view.annotations, &self.annotations)]
        {
            for (name, any) in pairs {
                let value = known.get(name);
                let name = format!("{kind}.{name}");
                all.push(Told {
                    seen: value.map(|value| shown(&name, value)),
                    name,
                    wanted: any_of(any),
                    holds: value.is_some_and(|value| is_one_of(any, value)),
                });
            }
        }
        if !self.severity.is_empty() {
            let name = |level: &Option<Severity>| level.map_or("unknown", Severity::name);
            all.push(Told {
                name: "severity".to_string(),
                wanted: self.severity.iter().map(name).collect::<Vec<_>>().join(" or "),
                seen: Some(name(&view.severity).to_string()),
                holds: self.severity.contains(&view.severity),
            });
        }
        for (text, any) in &self.texts {
            let name = match text {
                Text::Source => "source",
                Text::Route => "route",
                Text::Title => "title",
                Text::Sender => "sender",
            };
            all.push(Told {
                name: name.to_string(),
                wanted: any_of(any),
                seen: Some(shown(name, view.text(*text))),
                holds: is_one_of(any, view.text(*text)),
            });
        }
        all
    }
}

fn any_of(patterns: &[Pattern]) -> String {
    patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
