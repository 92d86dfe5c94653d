//! What people ask for in a history, and what they have to be answered.

use super::super::super::by_hand::{Answered, Drawn, Wish, fulfill};
use super::*;

impl World {
    /// A person asks for something.
    pub async fn by_hand(&mut self) {
        let tag = self.any_tag();
        let (name, now) = (format!("t{tag}"), self.now);
        let drawn = Drawn::new();
        let (last, objection) = self.plain.objection(&name, now);
        let (last, is_objected) = (last.cloned(), objection.is_some());
        let is_known = self.plain.firing.contains_key(&name);
        let is_suppressed = self.plain.is_suppressed(&name, now);
        let (wish, expected) = match self.random.u8(..6) {
            0 if is_suppressed => (Wish::Unsuppress { dedupe_key: name.clone(), row: format!("u{now}") }, "done"),
            0 => (Wish::Unsuppress { dedupe_key: name.clone(), row: format!("u{now}") }, "not found"),
            1 => {
                let until = now + self.random.i64(-600..3600) * SECOND;
                let wish = Wish::Suppress { dedupe_key: name.clone(), until, row: format!("s{now}") };
                (wish, if until > now { "done" } else { "refused" })
            }
            2..=3 => match &last {
                Some(job) => {
                    use OutcomeKind::{CreateUnknown, QuotaExceeded};
                    let may_help = job.ended.is_some_and(|(_, kind)| [QuotaExceeded, CreateUnknown].contains(&kind));
                    let wish = Wish::Retry { job_id: job.id.clone(), drawn: drawn.clone() };
                    (wish, if is_objected || !may_help { "refused" } else { "begun" })
                }
                None => (Wish::Retry { job_id: "j0".to_string(), drawn: drawn.clone() }, "not found"),
            },
            _ => {
                let expected = match (&last, is_known) {
                    (None, false) => "not found",
                    (None, true) => "refused",
                    _ if is_objected => "refused",
                    _ => "begun",
                };
                (Wish::StartAgain { alert: name.clone(), drawn: drawn.clone() }, expected)
            }
        };
        self.note(format!("{wish:?} {expected}"));
        let answered = fulfill(&mut self.work(), &wish, "ann").await.unwrap();
        let word = match &answered {
            Answered::Done { job_id: Some(_) } => "begun",
            Answered::Done { job_id: None } => "done",
            Answered::NotFound => "not found",
            Answered::Refused { .. } => "refused",
        };
        assert_eq!(word, expected, "{answered:?} {}", self.told());
        *self.answers.entry(format!("by hand {word}")).or_default() += 1;
        match wish {
            Wish::Suppress { until, .. } if until > now => _ = self.plain.suppressed.insert(name, until),
            Wish::Unsuppress { .. } => _ = self.plain.suppressed.remove(&name),
            Wish::Retry { .. } | Wish::StartAgain { .. } if word == "begun" => {
                let last = last.unwrap();
                let PlainJob { tag, rule, integration, severity, .. } = last;
                let (id, came, ready) = (drawn.job_id, now, Some(now));
                self.plain.jobs.push(PlainJob {
                    id,
                    tag,
                    rule,
                    integration,
                    severity,
                    came,
                    ready,
                    is_by_hand: true,
                    ..PlainJob::default()
                });
            }
            _ => {}
        }
    }
}
