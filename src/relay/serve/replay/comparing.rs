//! Where a simulation differs from what the bridge did, alert by alert. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::course::Course;

/// An alert of a delivery that came to something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// When it came, in Unix milliseconds.
    pub at: i64,
    pub delivery: Option<String>,
    pub dedupe_key: String,
    /// What the bridge did; empty where the alert started nothing new.
    pub recorded: Vec<Course>,
    pub simulated: Vec<Course>,
}

/// The alerts that came to something else, in the order in which they came. One that is in neither joined a job that was
/// at work, or changed nothing.
pub fn compare(recorded: &[Course], simulated: &[Course]) -> Vec<Difference> {
    type Sides = (Vec<Course>, Vec<Course>);
    let mut by_alert: BTreeMap<(Option<&str>, &str), Sides> = BTreeMap::new();
    for course in recorded {
        by_alert.entry((course.delivery.as_deref(), &course.dedupe_key)).or_default().0.push(course.clone());
    }
    for course in simulated {
        by_alert.entry((course.delivery.as_deref(), &course.dedupe_key)).or_default().1.push(course.clone());
    }
    let mut differences: Vec<Difference> = by_alert
        .into_iter()
        .filter(|(_, (recorded, simulated))| essences(recorded) != essences(simulated))
        .filter_map(|((delivery, dedupe_key), (recorded, simulated))| {
            let at = recorded.iter().chain(&simulated).map(|course| course.at).min()?;
            let (delivery, dedupe_key) = (delivery.map(str::to_string), dedupe_key.to_string());
            Some(Difference { at, delivery, dedupe_key, recorded, simulated })
        })
        .collect();
    differences.sort_by(|one, other| (one.at, &one.dedupe_key).cmp(&(other.at, &other.dedupe_key)));
    differences
}

fn essences(courses: &[Course]) -> Vec<(super::Step, Option<&str>, Option<&str>)> {
    let mut essences: Vec<_> = courses.iter().map(Course::essence).collect();
    essences.sort_unstable();
    essences
}

impl Difference {
    /// As a sentence.
    pub fn told(&self) -> String {
        let all = |courses: &[Course], is_past: bool, nothing: &str| match courses {
            [] => nothing.to_string(),
            courses => courses.iter().map(|course| course.told(is_past)).collect::<Vec<_>>().join("; and "),
        };
        let recorded = all(&self.recorded, true, "started nothing new");
        let simulated = all(&self.simulated, false, "would start nothing new");
        format!("{} {recorded}; by this file it {simulated}", self.dedupe_key)
    }
}
