//! What happened to an alert, moment by moment, how it stands, and what to do. Pure.

use serde::Serialize;

use crate::relay::driver::time;
use crate::relay::serve::engine::told_in_hand;
use crate::relay::serve::rules::DEFAULT;
use crate::relay::serve::store::{DecisionView, KeptAlert, KeptDelivery, KeptJob, is_retryable};

/// An alert, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub tag: String,
    pub dedupe_key: String,
    pub title: String,
    /// `firing` or `resolved`; empty where no rule takes the alert.
    pub state: String,
    pub timeline: Vec<Moment>,
    /// How it stands now, in a sentence.
    pub now: String,
    /// What to do; `None` where nothing is to be done.
    pub advice: Option<String>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// In Unix milliseconds.
    pub at: i64,
    pub what: String,
}

/// A delivery that told of the alert.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub id: String,
    at: i64,
    route: String,
    state: String,
    /// What each rule says of it.
    rules: Vec<String>,
    /// The rule that takes it; `None` where none does.
    taker: Option<String>,
}

impl Arrival {
    /// A delivery, before any rule is asked.
    pub fn of(delivery: &KeptDelivery, state: String) -> Arrival {
        let (id, route) = (delivery.id.clone(), delivery.route.clone());
        Arrival { id, at: delivery.received_at, route, state, rules: Vec::new(), taker: None }
    }

    /// What the rules say of it, and the one that takes it.
    pub fn asked(self, rules: Vec<String>, taker: Option<String>) -> Arrival {
        Arrival { rules, taker, ..self }
    }

    fn is_firing(&self) -> bool {
        matches!(self.state.as_str(), "fired" | "firing")
    }
}

/// Puts together what is known of an alert; its jobs and answers are the oldest first.
pub fn explanation(
    alert: &KeptAlert,
    jobs: &[KeptJob],
    decisions: &[DecisionView],
    arrivals: Vec<Arrival>,
    now: i64,
) -> Explanation {
    let taker = arrivals.iter().rfind(|arrival| arrival.is_firing()).and_then(|arrival| arrival.taker.clone());
    // Of one moment: what came in, then what was answered, then what followed.
    let mut moments: Vec<(i64, u8, String)> = Vec::new();
    for arrival in arrivals {
        let what = match arrival.state.as_str() {
            _ if arrival.is_firing() => "it fired".to_string(),
            "resolved" => "it resolved".to_string(),
            other => format!("it came in as {other}"),
        };
        let Arrival { id, at, route, rules, .. } = arrival;
        moments.push((at, 0, format!("{what}, by the route {route} ({id})")));
        moments.extend(rules.into_iter().map(|rule| (at, 1, format!("  {rule}"))));
    }
    moments.extend(decisions.iter().map(|row| (row.at, 2, answered(row))));
    for job in jobs {
        if let (Some(id), Some(at)) = (&job.progress.session_id, job.started_at) {
            let url = job.progress.session_url.as_deref().unwrap_or("no URL is known");
            moments.push((at, 3, format!("the session {id} was started: {url}")));
        }
        if let Some(at) = job.settled_at {
            moments.push((at, 4, format!("the job {} ended: {}", job.id, ended(job))));
        }
    }
    moments.sort_by_key(|(at, order, _)| (*at, *order));
    let timeline = moments.into_iter().map(|(at, _, what)| Moment { at, what }).collect();
    let (now, advice) = stands(alert, jobs.last(), decisions, now);
    let is_untaken = jobs.is_empty() && decisions.last().is_some_and(|row| row.gate.as_deref() == Some("filter"));
    let advice = match taker.filter(|_| is_untaken) {
        Some(taker) => Some(format!(
            "nothing, if the rule {taker} is to take it: once the bridge has loaded this file (SIGHUP, or Reload on the status page), it starts with its next delivery"
        )),
        None => advice,
    };
    let KeptAlert { tag, dedupe_key, title, state, .. } = alert.clone();
    Explanation { tag, dedupe_key, title, state, timeline, now, advice }
}

fn answered(row: &DecisionView) -> String {
    let gate = row.gate.as_deref().unwrap_or("?");
    let reason = row.reason.as_deref().unwrap_or("no reason is kept");
    let by = if row.rule.is_empty() { String::new() } else { format!("the rule {}: ", row.rule) };
    match row.decision.as_str() {
        "start" => format!("{by}every gate let it pass"),
        "look" => format!("{by}the gate {gate} let it look for earlier sessions: {reason}"),
        "hold" => {
            // Until when is said once, of the hold that lasts: it is put off while the answer stays the same.
            format!("{by}the gate {gate} held it: {reason}")
        }
        "join" => format!("{by}the gate {gate} had it join a session: {reason}"),
        "refuse" if row.rule.is_empty() => format!("it was dropped: {reason}"),
        "refuse" => format!("{by}the gate {gate} dropped it: {reason}"),
        // What a person asked for says so itself.
        "retry" => format!("it was tried again: {reason}"),
        "start_again" => format!("it was started again: {reason}"),
        _ => reason.to_string(),
    }
}

fn ended(job: &KeptJob) -> String {
    let progress = &job.progress;
    let words: Vec<&str> =
        [&progress.status, &progress.result].into_iter().filter_map(|word| word.as_deref()).collect();
    let mut ended = words.join(", ");
    if let Some(reason) = &progress.reason {
        ended.push_str(&format!(": {reason}"));
    }
    if let Some(url) = &progress.pr_url {
        ended.push_str(&format!(" ({url})"));
    }
    ended
}

/// How it stands, and what to do.
fn stands(alert: &KeptAlert, job: Option<&KeptJob>, decisions: &[DecisionView], now: i64) -> (String, Option<String>) {
    let last = decisions.last();
    let is_last = |words: &[&str]| last.is_some_and(|row| words.contains(&row.decision.as_str()));
    let Some(job) = job else {
        let reason =
            last.and_then(|row| row.reason.as_deref()).unwrap_or("it has not fired since the bridge first saw it");
        let advice =
            last.and_then(|row| Some(advice(row.gate.as_deref()?, &Of { rule: &row.rule, alert, held: None })));
        return (format!("nothing started: {reason}"), advice);
    };
    let of = Of { rule: &job.rule, alert, held: job.held_why.as_deref() };
    let advice = |gate: &str| Some(advice(gate, &of));
    let session = job.progress.session_id.as_deref();
    match (job.settled_at, job.progress.result.as_deref()) {
        (Some(_), Some("refused")) if is_last(&["unsuppress"]) => {
            let again =
                format!("alert-relay start {}: what was dropped meanwhile does not come back by itself", alert.tag);
            ("nothing started: it was dropped while its key was suppressed, which has ended".to_string(), Some(again))
        }
        (Some(_), Some("refused")) => {
            let gate = decisions.iter().rev().find_map(|row| row.gate.as_deref()).unwrap_or("resolved");
            (format!("nothing started: {}", ended(job)), advice(gate))
        }
        (Some(_), Some("resolved_before_start")) => {
            let held_by = decisions.iter().rev().find(|row| row.decision == "hold").and_then(|row| row.gate.as_deref());
            let was_young = held_by == Some("delay");
            let nothing = Some("nothing, if it ended by itself".to_string());
            (format!("nothing started: {}", ended(job)), if was_young { advice("resolved") } else { nothing })
        }
        (Some(_), _) if job.progress.status.as_deref() == Some("blocked") && session.is_some() => {
            let answer = "open the session and answer it, or end it in Devin".to_string();
            (format!("its session is alive and waits for a person: {}", ended(job)), Some(answer))
        }
        (Some(at), Some("quota_exceeded")) => {
            (format!("its last session ended at {}: {}", time(at), ended(job)), advice("quota_exceeded"))
        }
        (Some(_), _) if job.started_at.is_none() && session.is_some() => {
            let gate = if job.progress.result.as_deref() == Some("attached") { "storm" } else { "cooldown" };
            let session = session.unwrap_or_default();
            (format!("the session {session} takes care of it, and no other was started"), advice(gate))
        }
        // alert-relay start takes any that has ended.
        (Some(_), result) if session.is_none() => {
            let status = job.progress.status.as_deref();
            let word = if is_retryable(status, result) { "retry" } else { "start" };
            let advice = format!("{READ_ON}; alert-relay {word} {} tries once more", alert.tag);
            (format!("nothing started: {}", ended(job)), Some(advice))
        }
        (Some(at), _) => {
            let has_come_to_something = matches!(job.progress.status.as_deref(), Some("done" | "blocked"));
            let again = format!("alert-relay start {} starts another session", alert.tag);
            let now = format!("its last session ended at {}: {}", time(at), ended(job));
            (now, (!has_come_to_something && alert.state != "resolved").then_some(again))
        }
        (None, _) => match (&job.held_by, session) {
            (Some(gate), _) => {
                let why = job.held_why.as_deref().unwrap_or("no reason is kept");
                let until = if job.due_at > now {
                    format!("; it is asked again by {}", time(job.due_at))
                } else {
                    String::new()
                };
                (format!("it is held at the gate {gate}: {why}{until}"), advice(gate))
            }
            (None, Some(session)) => (format!("its session {session} is at work"), None),
            (None, None) if job.lease_until.is_some_and(|until| until > now) => {
                let until = job.lease_until.unwrap_or_default();
                (format!("its session is not created yet: {}", told_in_hand("a process", until)), None)
            }
            (None, None) if job.progress.reason.is_none() && is_last(&["start", "look", "retry", "start_again"]) => {
                ("it may start, and its session is about to be created".to_string(), None)
            }
            (None, None) => {
                let why = job.progress.reason.as_deref().unwrap_or("nobody has asked the gates yet");
                let state = if alert.state == "resolved" { ", and the alert is resolved" } else { "" };
                (format!("its session is not created yet{state}: {why}"), advice("devin"))
            }
        },
    }
}

/// Where nothing but the reason says what to do.
const READ_ON: &str = "read the reason: the log of serve and its /readyz say more";

/// What an advice is about.
struct Of<'a> {
    rule: &'a str,
    alert: &'a KeptAlert,
    /// Why its job is held; `None` where it is not.
    held: Option<&'a str>,
}

/// What to do about an alert that a gate holds or refuses.
fn advice(gate: &str, about: &Of) -> String {
    let Of { rule, alert: KeptAlert { tag, .. }, held } = about;
    let of = if rule.is_empty() || *rule == DEFAULT { DEFAULT.to_string() } else { format!("the rule {rule}") };
    match gate {
        "filter" => "write a rule that matches it, or a last rule without match for all the rest; with --rules, the timeline says which condition each rule misses".to_string(),
        "resolved" => format!("nothing, if it ended by itself; a shorter delay in {of} starts sooner"),
        "max_wait" => format!("see above what held it; raise that limit, or max_wait in {of}"),
        "kill_switch" => "switch the kill switch off: alert-relay resume, or empty the file of kill_switch".to_string(),
        "suppressed" => format!("wait, or alert-relay suppress {tag} --lift, and then alert-relay start {tag}"),
        "paused" => match held.and_then(paused_integration) {
            Some(integration) => format!("end the pause: alert-relay resume --integration {integration}"),
            None => format!("end the pause: alert-relay resume --rule {rule}"),
        },
        "rule" => format!("remove enabled: false from {of}, and reload"),
        "delay" => format!("wait, or shorten delay in {of}"),
        "min_occurrences" => format!("nothing, until it fires as often as that; or lower min_occurrences in {of}"),
        "cooldown" => format!("read the earlier session first; alert-relay start {tag} starts another one now; a shorter cooldown in {of}, or while_pr_open: start, lets the next firing do so"),
        "storm" => format!("look at the session of the storm; storm: false in {of} gives each alert its own"),
        "quota" => "raise the limit or buy credits in Devin, and try one at once: alert-relay retry of an alert that was stopped (alert-relay ps --all --result quota_exceeded lists them), or alert-relay start of any other whose job has ended; when its session has worked, the wait is over for all".to_string(),
        "quota_exceeded" => format!("raise the limit or buy credits in Devin, then alert-relay retry {tag}: it is tried at once, and when its session has worked, all that wait for quota start"),
        "concurrent_sessions" | "runs" | "acu_per_day" => {
            format!("wait until there is room, or raise {gate} under limits where the reason says")
        }
        "devin" => READ_ON.to_string(),
        gate => format!("the reason says what {gate} waits for"),
    }
}

/// The integration that a person has paused, by the reason of the hold; `None` where it is the rule.
fn paused_integration(reason: &str) -> Option<&str> {
    reason.strip_prefix("the integration ")?.strip_suffix(" is paused")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::serve::gates::Gate;
    use crate::relay::serve::store::Progress;

    #[test]
    fn a_job_whose_process_was_killed_says_who_has_it_and_until_when() {
        let alert = KeptAlert {
            tag: "ar-1".to_string(),
            dedupe_key: String::new(),
            title: String::new(),
            route: String::new(),
            state: "firing".to_string(),
            first_at: 0,
            last_at: 0,
        };
        let job = KeptJob {
            id: "j".to_string(),
            alert: "ar-1".to_string(),
            dedupe_key: String::new(),
            title: String::new(),
            integration: "main".to_string(),
            rule: "default".to_string(),
            delivery: None,
            created_at: 0,
            started_at: Some(0),
            settled_at: None,
            held_by: None,
            held_why: None,
            due_at: 0,
            lease_until: Some(70_000),
            progress: Progress::default(),
            holds: None,
            decisions: Vec::new(),
        };
        let (now, _) = stands(&alert, Some(&job), &[], 20_000);
        assert_eq!(
            now,
            "its session is not created yet: a process has it in hand, and was heard of last at 1970-01-01T00:00:10Z: \
            if that one is gone, it is taken on at 1970-01-01T00:01:10Z"
        );
        assert!(!stands(&alert, Some(&job), &[], 80_000).0.contains("in hand"), "it may be taken on");
    }

    #[test]
    fn whatever_holds_or_ends_an_alert_has_an_advice_with_its_command() {
        let alert = KeptAlert {
            tag: "ar-1".to_string(),
            dedupe_key: "disk".to_string(),
            title: "The disk is full".to_string(),
            route: "generic".to_string(),
            state: "firing".to_string(),
            first_at: 0,
            last_at: 0,
        };
        let told = |gate: &str, held| format!("{gate}: {}", advice(gate, &Of { rule: "noisy", alert: &alert, held }));
        let mut table: Vec<String> = Gate::names().map(|gate| told(gate, Some("the rule noisy is paused"))).collect();
        table.push(told("paused", Some("the integration main is paused")));
        table.push(told("quota_exceeded", None));
        insta::assert_snapshot!(table.join("\n"));
    }
}
