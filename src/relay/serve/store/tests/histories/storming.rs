//! Storms, by the plain account: which alerts are one, and what each of them is told.

use super::model::{Job, Plain, Told, millis};
use crate::relay::outcome::OutcomeKind;

const SECOND: i64 = 1000;

pub struct Storm {
    pub rule: String,
    /// The job that it was detected with.
    pub founder: String,
    pub detected: i64,
    pub last: i64,
    pub is_open: bool,
    pub root: Option<String>,
}

impl Plain {
    /// What a member of a storm is told; `None` where it may go on.
    pub fn in_a_storm(&mut self, id: &str, now: i64) -> Option<Told> {
        let job = self.of(id).clone();
        let (gates, cooldown) = self.rules[&job.rule].clone();
        let settings = gates.storm?;
        let came = self.ready_at(&job, now)?;
        let storm = match job.storm {
            Some(storm) => storm,
            None => {
                let (window, delay) = (millis(settings.window), millis(gates.delay));
                let is_near = |at: i64| (at - came).abs() < window;
                let open = (0..self.storms.len())
                    .filter(|number| self.storms[*number].rule == job.rule && self.storms[*number].is_open);
                let waits = |number| {
                    let waits = |job: &Job| job.storm == Some(number) && job.ended.is_none() && job.placed.is_none();
                    now < triage(&self.storms[number]) || self.jobs.iter().any(waits)
                };
                let (open, over): (Vec<usize>, Vec<usize>) = open.partition(|number| waits(*number));
                let has_near = |number| {
                    let is_one = |other: &Job| other.storm == Some(number) && other.ready.is_some_and(is_near);
                    self.jobs.iter().any(is_one)
                };
                let under_way = open.into_iter().filter(|number| has_near(*number));
                let under_way =
                    under_way.max_by_key(|number| (self.storms[*number].detected, &self.storms[*number].founder));
                over.into_iter().for_each(|number| self.storms[number].is_open = false);
                let is_new = |other: &Job| {
                    other.ready.is_none()
                        && other.ended.is_none()
                        && other.placed.is_none()
                        && !other.is_known
                        && other.came + delay <= now
                        && !self.jobs.iter().any(|earlier| {
                            let counts = |kind| {
                                matches!(kind, OutcomeKind::NoPr | OutcomeKind::WaitingForUser | OutcomeKind::Attached)
                            };
                            earlier.tag == other.tag
                                && earlier.session_of.is_some()
                                && earlier.ended.is_some_and(|(at, kind)| {
                                    counts(kind) && at > now - if job.is_by_hand { 0 } else { cooldown }
                                })
                        })
                };
                let others = self.jobs.iter().filter(|one| one.rule == job.rule && one.storm.is_none() && one.id != id);
                let moment = |one: &Job| one.ready.or(is_new(one).then_some(one.came + delay));
                let moments: Vec<i64> = others.filter_map(moment).filter(|at| is_near(*at)).chain([came]).collect();
                // Any window that it lies in.
                let together = |first: i64| moments.iter().filter(|at| **at >= first && **at < first + window).count();
                let windows = moments.iter().filter(|first| **first <= came && came < **first + window);
                let most = windows.map(|first| together(*first)).max().unwrap_or_default();
                let number = match under_way {
                    Some(number) => {
                        self.storms[number].last = now;
                        number
                    }
                    None if most >= settings.threshold as usize => {
                        let (rule, founder) = (job.rule.clone(), id.to_string());
                        self.storms.push(Storm { rule, founder, detected: now, last: now, is_open: true, root: None });
                        let number = self.storms.len() - 1;
                        for other in &mut self.jobs {
                            let is_of_it = other.rule == job.rule && other.storm.is_none();
                            if is_of_it && other.ready.is_some_and(is_near) {
                                other.storm = Some(number);
                            }
                        }
                        number
                    }
                    None => return None,
                };
                self.job(id).storm = Some(number);
                number
            }
        };
        let root = self.storms[storm].root.clone();
        if root.as_deref() == Some(id) {
            return None;
        }
        if let Some(root) = root.map(|root| self.of(&root).clone()) {
            if root.session_of.is_some() {
                return Some(("join", Some("storm")));
            }
            if root.ended.is_none() {
                return Some(("hold", Some("storm")));
            }
        }
        let members = self.jobs.iter().filter(|other| other.storm == Some(storm));
        let started = members.clone().filter(|other| other.placed.is_some()).count();
        if now >= triage(&self.storms[storm]) {
            let waiting = members.filter(|one| one.ended.is_none() && one.placed.is_none() && self.is_firing(&one.tag));
            let root =
                waiting.min_by_key(|one| (rank(one.severity), one.came, one.id.clone())).map(|one| one.id.clone());
            if let Some(root) = root {
                let is_this = root == id;
                self.storms[storm].root = Some(root);
                return (!is_this).then_some(("hold", Some("storm")));
            }
        }
        (started >= settings.immediate as usize).then_some(("hold", Some("storm")))
    }
}

fn triage(storm: &Storm) -> i64 {
    (storm.last + 15 * SECOND).min(storm.detected + 90 * SECOND)
}

fn rank(severity: Option<&str>) -> usize {
    let order = ["critical", "high", "medium", "low", "info"];
    severity.and_then(|word| order.iter().position(|one| *one == word)).unwrap_or(order.len())
}
