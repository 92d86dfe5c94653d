//! A Devin in memory, whose clock only its waits move; and runs of the relay against it.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

use crate::devin::session::{NewSession, Session};
use crate::devin::sessions::Creation;
use crate::devin::{Error, Kind};
use crate::relay::alert::tag;
use crate::relay::event::EventKind;
use crate::relay::job::{Action, Job, Millis, Now, Observation, Query, step};

/// When the world begins, in milliseconds.
pub const START: Millis = 1_800_000_000_000;

/// What one session is, and how it may be seen.
#[derive(Debug, Clone)]
pub struct Kept {
    pub session: Session,
    pub listed_from: Millis,
    pub readable_from: Millis,
    pub gone_from: Millis,
    /// What lists go on to show of it.
    pub listed_as: Option<String>,
    /// States to come: at a moment, `status/detail`.
    pub plan: Vec<(Millis, String)>,
    /// When a request to end it was answered with success, the first time.
    pub ended_at: Option<Millis>,
    /// Whether it is the alert's, whatever its names say.
    pub is_of_alert: bool,
}

/// The state of the world; fields are what a test may turn.
#[derive(Debug, Default)]
pub struct State {
    /// By Devin's clock.
    pub now: Millis,
    /// How far ahead the clock is that a process has until it is first answered.
    pub skew: Millis,
    pub is_clock_known: bool,
    /// How far ahead the clocks of Devin's servers are, one of which each answer comes from.
    pub clocks: Vec<Millis>,
    pub all: Vec<Kept>,
    pub list_lag: Millis,
    pub get_lag: Millis,
    /// How the next creates are answered, the first one first: a status, and whether a session is made. 0 is silence.
    pub creates: Vec<(u16, bool)>,
    /// How long the answer to a create takes, and how much of that has passed when the session is made.
    pub create_delay: Millis,
    pub made_after: Millis,
    /// When a session that is made goes, so that nothing finds it.
    pub lost_after: Option<Millis>,
    pub explanation: Option<String>,
    pub retry_after: Option<u64>,
    pub drop_tags: bool,
    /// So many of the tags are kept.
    pub keep_tags: Option<usize>,
    pub upper_tags: bool,
    pub drop_title: bool,
    pub refuse_tags: bool,
    /// How often tagging and ending fail, with this status.
    pub tag_failures: (u32, u16),
    pub end_failures: (u32, u16),
    /// How long a session that was ended is shown as it was, and works.
    pub end_lag: Millis,
    pub poll_failures: Vec<Kind>,
    /// So many finds are answered before one fails.
    pub failing_find: Option<u32>,
    /// And so many fail then, at least one.
    pub failing_finds: u32,
    /// So many lists show nothing.
    pub stale_lists: u32,
    /// Lists show everything, whatever is asked for.
    pub ignores_filters: bool,
    pub life: Vec<(Millis, String)>,
    pub asked: Vec<String>,
    pub messages: Vec<String>,
    pub polled_at: Vec<Millis>,
}

pub struct World(Mutex<State>);

impl World {
    pub fn new(change: impl FnOnce(&mut State)) -> World {
        let mut state = State { now: START, ..State::default() };
        change(&mut state);
        World(Mutex::new(state))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Puts in a session of the alert.
    pub fn add(&self, id: &str, state: &str, age_s: i64, change: impl FnOnce(&mut Kept)) {
        let mut kept = old(id, state, self.state().now, age_s);
        change(&mut kept);
        self.state().all.push(kept);
    }

    pub fn alive(&self) -> Vec<String> {
        let state = self.state();
        let is_over = |status: &str| matches!(status, "exit" | "error" | "suspended");
        let alive = state.all.iter().filter(|kept| !is_over(&kept.session.status));
        alive.map(|kept| kept.session.session_id.clone()).collect()
    }

    pub fn count(&self, what: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.starts_with(what)).count()
    }

    /// Does one action at once, as the driver would.
    pub fn perform(&self, action: &Action) -> Observation {
        let mut state = self.state();
        match action {
            Action::Find(query) => match state.find(query) {
                Ok(found) => Observation::SessionsFound(found),
                Err(error) => Observation::FindFailed(error),
            },
            Action::Create(new) => match state.create(new) {
                Creation::Created(session) => Observation::Created(session),
                Creation::Refused(error) => Observation::CreateRefused(error),
                Creation::RateLimited(error, wait) => Observation::CreateLimited(error, wait),
                Creation::Unclear(error) => Observation::CreateUnclear(error),
            },
            Action::Poll { session_id } => match state.poll(session_id) {
                Ok(session) => Observation::SessionPolled(session),
                Err(error) => Observation::PollFailed(error),
            },
            Action::Tag { session_id, tag } => Observation::Tagged(state.tag(session_id, tag)),
            Action::Terminate { session_id } => Observation::Terminated(state.end(session_id)),
            Action::Message { message, .. } => {
                state.messages.push(message.clone());
                Observation::Messaged(Ok(()))
            }
            Action::WaitUntil(moment) => {
                let wait = moment - state.now;
                state.advance(wait.max(0));
                Observation::WaitOver
            }
            Action::Report(_) => Observation::Started,
        }
    }

    /// One step of a job, and what it asks for.
    pub fn step(job: Job, observation: Observation, now: impl Into<Now>) -> (Job, Vec<EventKind>, Option<Action>) {
        let (job, actions) = step(job, observation, now);
        let (mut events, mut next) = (Vec::new(), None);
        for action in actions {
            match action {
                Action::Report(kind) => events.push(kind),
                action => next = Some(action),
            }
        }
        (job, events, next)
    }
}

/// A session of the alert that was there before, so many seconds old.
pub fn old(id: &str, state: &str, now: Millis, age_s: i64) -> Kept {
    let created = now / 1000 - age_s;
    let mut session: Session = serde_json::from_value(json!({
        "session_id": id, "status": "new", "url": format!("https://app.devin.ai/sessions/{id}"),
        "tags": ["alert-relay", tag("key")], "created_at": created, "updated_at": created,
    }))
    .unwrap();
    put(&mut session, state);
    Kept {
        session,
        listed_from: 0,
        readable_from: 0,
        gone_from: Millis::MAX,
        listed_as: None,
        plan: Vec::new(),
        ended_at: None,
        is_of_alert: true,
    }
}

/// Sets `status/detail`, with `!` for archived, `+` for an open pull request, `-` for none any more, or `#` for a structured output.
pub fn put(session: &mut Session, state: &str) {
    let state = state.strip_suffix('!').inspect(|_| session.is_archived = true).unwrap_or(state);
    let (state, has_lost_pr) = state.strip_suffix('-').map_or((state, false), |state| (state, true));
    if has_lost_pr {
        session.pull_requests.clear();
    }
    let (state, has_pr) = state.strip_suffix('+').map_or((state, false), |state| (state, true));
    let (state, has_output) = state.strip_suffix('#').map_or((state, false), |state| (state, true));
    let (status, detail) = state.split_once('/').map_or((state, None), |(status, detail)| (status, Some(detail)));
    (session.status, session.status_detail) = (status.to_string(), detail.map(str::to_string));
    if has_pr {
        let pr: Value = json!({"pr_url": "https://github.com/a/b/pull/7", "pr_state": "open"});
        session.pull_requests = vec![serde_json::from_value(pr).unwrap()];
    }
    if has_output {
        session.structured_output = Some(json!({"cause": "x"}));
    }
}

pub fn error(kind: Kind, explanation: Option<String>) -> Error {
    Error { kind, path: "/sessions".to_string(), explanation, tries: 1 }
}

impl State {
    pub fn advance(&mut self, time: Millis) {
        self.now += time;
        let now = self.now;
        for kept in &mut self.all {
            while kept.plan.first().is_some_and(|(at, _)| *at <= now) {
                let (at, state) = kept.plan.remove(0);
                if !matches!(kept.session.status.as_str(), "exit" | "error") {
                    put(&mut kept.session, &state);
                    kept.session.updated_at = Some(at / 1000);
                }
            }
        }
    }

    pub fn find(&mut self, query: &Query) -> Result<Vec<Session>, Error> {
        self.asked.push(format!("find {query:?}"));
        if let Some(left) = self.failing_find {
            self.failing_find = left.checked_sub(1);
            if left == 0 {
                self.failing_finds = self.failing_finds.saturating_sub(1);
                self.failing_find = (self.failing_finds > 0).then_some(0);
                return Err(error(Kind::Status(503), None));
            }
        }
        if self.stale_lists > 0 {
            self.stale_lists -= 1;
            return Ok(Vec::new());
        }
        let now = self.now;
        let there = self.all.iter().filter(|kept| kept.listed_from <= now && now < kept.gone_from);
        let sessions = there.map(|kept| {
            let mut session = kept.session.clone();
            if let Some(state) = &kept.listed_as {
                put(&mut session, state);
            }
            session
        });
        let wanted = sessions.filter(|session| match query {
            _ if self.ignores_filters => true,
            Query::Tag(tag) => session.tags.contains(tag),
            Query::CreatedAfter(moment) => session.created_at.is_none_or(|created| created >= *moment),
            Query::Id(id) => session.session_id == *id,
        });
        Ok(wanted.collect())
    }

    pub fn create(&mut self, new: &NewSession) -> Creation {
        self.asked.push("create".to_string());
        if self.refuse_tags && !new.tags.is_empty() {
            return Creation::Refused(error(Kind::Status(422), Some("tags are not allowed".to_string())));
        }
        let (status, is_made) = if self.creates.is_empty() { (200, true) } else { self.creates.remove(0) };
        let number = self.asked.iter().filter(|asked| *asked == "create").count();
        // Identifiers do not tell which of two sessions is older.
        let made_at = self.now + self.made_after;
        let digits = (made_at as u64 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut kept = old(&format!("new-{digits:08x}-{number}"), "new", made_at, 0);
        let session = &mut kept.session;
        session.title = new.title.clone().filter(|_| !self.drop_title);
        session.tags = if self.drop_tags { Vec::new() } else { new.tags.clone() };
        session.tags.truncate(self.keep_tags.unwrap_or(session.tags.len()));
        if self.upper_tags {
            session.tags.iter_mut().for_each(|tag| tag.make_ascii_uppercase());
        }
        (kept.listed_from, kept.readable_from) = (made_at + self.list_lag, made_at + self.get_lag);
        kept.gone_from = self.lost_after.map_or(Millis::MAX, |after| made_at + after);
        kept.plan = self.life.iter().map(|(after, state)| (made_at + after, state.clone())).collect();
        let session = kept.session.clone();
        if is_made {
            self.all.push(kept);
        }
        let wait = self.retry_after.map(Duration::from_secs);
        match status {
            200 | 201 => Creation::Created(session),
            429 => Creation::RateLimited(error(Kind::Status(429), self.explanation.clone()), wait),
            0 => Creation::Unclear(error(Kind::Silent(Duration::from_secs(60)), None)),
            408 | 409 | 500..=599 => Creation::Unclear(error(Kind::Status(status), None)),
            status => Creation::Refused(error(Kind::Status(status), self.explanation.clone())),
        }
    }

    fn kept(&mut self, id: &str) -> Result<&mut Kept, Error> {
        let now = self.now;
        let found = self.all.iter_mut().find(|kept| kept.session.session_id == id);
        found
            .filter(|kept| kept.readable_from <= now && now < kept.gone_from)
            .ok_or_else(|| error(Kind::Status(404), None))
    }

    pub fn poll(&mut self, id: &str) -> Result<Session, Error> {
        self.asked.push(format!("poll {id}"));
        self.polled_at.push(self.now);
        if !self.poll_failures.is_empty() {
            return Err(error(self.poll_failures.remove(0), None));
        }
        self.kept(id).map(|kept| kept.session.clone())
    }

    pub fn tag(&mut self, id: &str, tag: &str) -> Result<(), Error> {
        self.asked.push(format!("tag {id}"));
        if self.refuse_tags {
            return Err(error(Kind::Status(422), None));
        }
        if self.tag_failures.0 > 0 {
            self.tag_failures.0 -= 1;
            return Err(error(Kind::Status(self.tag_failures.1), None));
        }
        let now = self.now / 1000;
        let kept = self.kept(id)?;
        kept.session.tags.push(tag.to_string());
        kept.session.updated_at = Some(now);
        Ok(())
    }

    pub fn end(&mut self, id: &str) -> Result<(), Error> {
        self.asked.push(format!("terminate {id}"));
        if self.end_failures.0 > 0 {
            self.end_failures.0 -= 1;
            return Err(error(Kind::Status(self.end_failures.1), None));
        }
        let (now, end_lag) = (self.now, self.end_lag);
        let kept = self.kept(id)?;
        let ended_at = *kept.ended_at.get_or_insert(now);
        kept.plan = vec![(ended_at + end_lag, "exit".to_string())];
        self.advance(0);
        Ok(())
    }
}
