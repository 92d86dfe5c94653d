//! What is new since the last time somebody asked: decisions, sessions, pull requests, and how jobs ended. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::alert::decision;
use super::words::{moment, reason, some_text, standing, text};

/// So long before the newest decision others are asked for, in milliseconds: another process may keep one late.
const LOOK_BACK: i64 = 10_000;

/// What has been told already.
#[derive(Debug, Default)]
pub struct News {
    newest: Option<i64>,
    /// When each decision was made that could be seen again.
    decisions: BTreeMap<String, i64>,
    /// Jobs that have not ended, with the session and the pull request that have been told.
    jobs: BTreeMap<String, [Option<String>; 2]>,
}

/// Something new.
#[derive(Debug)]
pub struct Told {
    /// When it happened, in Unix milliseconds; of one moment, what comes first; and of one job's decisions, the number.
    order: (i64, u8, u64),
    line: Value,
}

/// The lines of what is new, in the order in which it happened.
pub fn in_order(mut told: Vec<Told>) -> Vec<Value> {
    told.sort_by_key(|one| one.order);
    told.into_iter().map(|one| one.line).collect()
}

impl News {
    /// Begins: nothing of these is news.
    pub fn begin(decisions: &[Value], active: &[Value]) -> News {
        let mut news = News::default();
        news.decisions(decisions);
        news.jobs.clear();
        news.active(active);
        news
    }

    /// From when on decisions are to be asked for; `None` where there have been none.
    pub fn since(&self) -> Option<i64> {
        self.newest.map(|at| at.saturating_sub(LOOK_BACK))
    }

    /// The decisions among these that are new.
    pub fn decisions(&mut self, rows: &[Value]) -> Vec<Told> {
        let mut new = Vec::new();
        for row in rows {
            let (Some(id), at) = (row["id"].as_str(), row["at"].as_i64().unwrap_or_default()) else { continue };
            if self.decisions.insert(id.to_string(), at).is_none() {
                self.newest = self.newest.max(Some(at));
                if let Some(job) = row["job_id"].as_str() {
                    self.jobs.entry(job.to_string()).or_default();
                }
                new.push(line("decision", at, row));
            }
        }
        if let Some(since) = self.since() {
            self.decisions.retain(|_, at| *at >= since);
        }
        new
    }

    /// The sessions and pull requests that are new among jobs that have not ended.
    pub fn active(&mut self, rows: &[Value]) -> Vec<Told> {
        rows.iter().flat_map(|row| self.job(row, None)).collect()
    }

    /// The jobs that are awaited and not among those that have not ended: each is to be asked for by itself.
    pub fn missing(&self, active: &[Value]) -> Vec<String> {
        let is_active = |id: &String| active.iter().any(|row| row["id"].as_str() == Some(id));
        self.jobs.keys().filter(|id| !is_active(id)).cloned().collect()
    }

    /// What is new about one job, and its end, after which it is awaited no more.
    pub fn looked_at(&mut self, row: &Value) -> Vec<Told> {
        self.job(row, row["settled_at"].as_i64())
    }

    /// A job that is not kept any more.
    pub fn forget(&mut self, id: &str) {
        self.jobs.remove(id);
    }

    fn job(&mut self, row: &Value, settled_at: Option<i64>) -> Vec<Told> {
        let Some(id) = row["id"].as_str() else { return Vec::new() };
        let told = self.jobs.entry(id.to_string()).or_default();
        let mut new = Vec::new();
        for ((event, field, at), told) in
            [("session", "session_id", "started_at"), ("pull_request", "pr_url", "pr_at")].into_iter().zip(told)
        {
            let now = row[field].as_str().map(str::to_string);
            if now.is_some() && *told != now {
                *told = now;
                let at = [at, "started_at", "created_at"].into_iter().find_map(|at| row[at].as_i64());
                new.push(line(event, at.unwrap_or_default(), row));
            }
        }
        if let Some(at) = settled_at {
            self.jobs.remove(id);
            new.push(line("outcome", at, row));
        }
        new
    }
}

/// A row as a line of its own, with what it is and when that was.
fn line(event: &str, at: i64, row: &Value) -> Told {
    let rank = ["decision", "session", "pull_request", "outcome"].iter().position(|known| *known == event);
    let number = row["id"].as_str().and_then(|id| id.rsplit_once('.')?.1.parse().ok());
    let mut line = json!({"time": moment(at), "event": event});
    if let (Some(own), Some(row)) = (line.as_object_mut(), row.as_object()) {
        let is_shown = |name: &str| !["prompt", "timeline", "event", "time"].contains(&name);
        own.extend(row.iter().filter(|(name, _)| is_shown(name)).map(|(name, value)| (name.clone(), value.clone())));
    }
    Told { order: (at, rank.unwrap_or_default() as u8, number.unwrap_or_default()), line }
}

/// A line of news for a person.
pub fn in_words(news: &Value) -> String {
    let what = match news["event"].as_str() {
        Some("decision") => format!("{} ({})", decision(news), text(news, "dedupe_key")),
        Some("session") => {
            let at = some_text(news, "session_url").unwrap_or_else(|| text(news, "session_id"));
            format!("session: {at} ({})", text(news, "title"))
        }
        Some("pull_request") => format!("pull request: {} ({})", text(news, "pr_url"), text(news, "title")),
        _ => {
            let reason = reason(news).map(|reason| format!(": {reason}")).unwrap_or_default();
            let at = some_text(news, "pr_url").map(|url| format!(": {url}")).unwrap_or_default();
            format!("outcome: {}{reason}{at} ({})", standing(news, &news["responder"]), text(news, "title"))
        }
    };
    format!("{}  {}  {what}", text(news, "time"), text(news, "alert"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_told_once_and_a_job_to_its_end() {
        let decided = |id: &str, at: i64, job: &str| {
            json!({"id": id, "at": at, "alert": "ar-1", "dedupe_key": "generic:disk", "job_id": job, "decision": "start",
                "gate": null, "reason": null, "until": null})
        };
        let job = |id: &str, session: Option<&str>, pr: Option<&str>| json!({"id": id, "alert": "ar-1", "title": "disk\nis full", "session_id": session, "pr_url": pr, "prompt": "secret"});
        let old = decided("a.1", 1_000_000, "old");
        let mut news = News::begin(std::slice::from_ref(&old), &[job("known", Some("devin-0"), None)]);
        assert_eq!(news.since(), Some(990_000));
        assert_eq!(news.missing(&[]), ["known"], "a job of before that has ended is no news");
        let mut told = news.decisions(&[decided("b.1", 1_001_000, "job-1"), old]);
        told.extend(news.active(&[job("job-1", Some("devin-1"), None), job("known", Some("devin-0"), None)]));
        told.extend(news.active(&[job("job-1", Some("devin-1"), Some("https://x/1"))]));
        assert_eq!(news.missing(&[job("known", None, None)]), ["job-1"]);
        let mut ended = job("job-1", Some("devin-1"), Some("https://x/1"));
        ended["settled_at"] = json!(1_002_000);
        (ended["result"], ended["responder"]) = (json!("pr_opened"), json!({"status": "done"}));
        told.extend(news.looked_at(&ended));
        assert_eq!(news.missing(&[]), ["known"]);
        let told = in_order(told);
        assert!(told.iter().all(|line| line["prompt"].is_null()));
        insta::assert_snapshot!(told.iter().map(in_words).collect::<Vec<_>>().join("\n"), @"
        1970-01-01T00:00:00Z  ar-1  session: devin-1 (disk is full)
        1970-01-01T00:00:00Z  ar-1  pull request: https://x/1 (disk is full)
        1970-01-01T00:16:41Z  ar-1  decision: start (generic:disk)
        1970-01-01T00:16:42Z  ar-1  outcome: done: pr_opened: https://x/1 (disk is full)
        ");
    }

    #[test]
    fn what_is_told_at_once_is_told_in_the_order_in_which_it_happened() {
        let decided = |id: &str, at: i64| json!({"id": id, "at": at, "job_id": "job-1", "decision": "hold"});
        let mut news = News::begin(&[], &[]);
        // As the bridge lists them: the newest first, and those of one moment by their identifiers.
        let mut told =
            news.decisions(&[decided("job-1.9", 3000), decided("job-1.10", 2000), decided("job-1.9b", 1000)]);
        told.extend(news.decisions(&[decided("job-2.10", 3000), decided("job-2.9", 3000)]));
        told.extend(news.looked_at(&json!({"id": "job-1", "session_id": "s", "started_at": 2000, "settled_at": 2500})));
        let order = |line: &Value| format!("{} {}", line["event"].as_str().unwrap(), line["id"].as_str().unwrap());
        insta::assert_snapshot!(in_order(told).iter().map(order).collect::<Vec<_>>().join("\n"), @"
        decision job-1.9b
        decision job-1.10
        session job-1
        outcome job-1
        decision job-1.9
        decision job-2.9
        decision job-2.10
        ");
    }
}
