//! The series of some metrics: which there are from the start, and what each has come to. Pure.

use std::collections::BTreeMap;

use super::labels::{Names, OTHER};
use super::table::{Kind, Metric};

/// Series, by metric and by what their labels say.
#[derive(Debug, Default)]
pub struct Registry {
    names: Names,
    series: BTreeMap<(Metric, Vec<String>), Series>,
}

/// What a series has come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Series {
    Number(f64),
    /// How many were at most as long as each bound, and not as the one before; the last ones are longer.
    Times {
        counts: Vec<u64>,
        sum: f64,
    },
}

impl Registry {
    /// A registry with all series that these metrics may have. Those of names that were there before stay, since a counter that
    /// vanishes would be taken for one that began anew.
    pub fn expect(&mut self, names: Names, metrics: impl Iterator<Item = Metric>) {
        self.names = names;
        for metric in metrics.filter(|metric| metric.row().kind != Kind::Moment) {
            for labels in self.all(metric) {
                self.series.entry((metric, labels)).or_insert_with(|| Series::new(metric));
            }
        }
    }

    /// The names that labels may say.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Counts so much more.
    pub fn add(&mut self, metric: Metric, labels: &[&str], by: f64) {
        if let Series::Number(number) = self.of(metric, labels) {
            *number += by;
        }
    }

    /// Sets a gauge.
    pub fn set(&mut self, metric: Metric, labels: &[&str], to: f64) {
        if let Series::Number(number) = self.of(metric, labels) {
            *number = to;
        }
    }

    /// Sets a gauge to the larger of two values.
    pub fn raise(&mut self, metric: Metric, labels: &[&str], to: f64) {
        if let Series::Number(number) = self.of(metric, labels) {
            *number = number.max(to);
        }
    }

    /// Counts something that took so many seconds.
    pub fn observe(&mut self, metric: Metric, labels: &[&str], seconds: f64) {
        let Kind::Histogram(bounds) = metric.row().kind else { return };
        if let Series::Times { counts, sum } = self.of(metric, labels) {
            counts[bounds.iter().position(|bound| seconds <= *bound).unwrap_or(bounds.len())] += 1;
            *sum += seconds;
        }
    }

    /// The series of a metric, in the order of their labels.
    pub fn series(&self, metric: Metric) -> impl Iterator<Item = (&Vec<String>, &Series)> {
        let of_metric = self.series.range((metric, Vec::new())..).take_while(move |((other, _), _)| *other == metric);
        of_metric.map(|((_, labels), series)| (labels, series))
    }

    fn of(&mut self, metric: Metric, labels: &[&str]) -> &mut Series {
        let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
        let key = (metric, labels);
        let key = if self.series.contains_key(&key) { key } else { (metric, self.known(metric, &key.1)) };
        self.series.entry(key).or_insert_with(|| Series::new(metric))
    }

    /// The same labels, where they say something else than they may with [`OTHER`] in its place.
    fn known(&self, metric: Metric, labels: &[String]) -> Vec<String> {
        let mut known = Vec::new();
        for part in metric.row().labels {
            let said = labels.iter().skip(known.len()).take(part.names().len()).cloned().collect::<Vec<_>>();
            let may_be_said = part.values(&self.names).contains(&said);
            known.extend(if may_be_said { said } else { vec![OTHER.to_string(); part.names().len()] });
        }
        known
    }

    /// Every combination of what a metric's labels may say.
    fn all(&self, metric: Metric) -> Vec<Vec<String>> {
        let mut all = vec![Vec::new()];
        for part in metric.row().labels {
            let values = part.values(&self.names);
            let longer = |labels: &Vec<String>| {
                values.iter().map(|value| [labels.clone(), value.clone()].concat()).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all
    }
}

impl Series {
    fn new(metric: Metric) -> Series {
        match metric.row().kind {
            Kind::Histogram(bounds) => Series::Times { counts: vec![0; bounds.len() + 1], sum: 0.0 },
            _ => Series::Number(0.0),
        }
    }
}
