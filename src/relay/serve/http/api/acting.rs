//! What people do: another attempt at an alert, a switch, a suppression, new rules. Each is one row of the audit trail, with who
//! asked and what came of it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::super::Door;
use super::super::answer::Answer;
use super::super::busy;
use super::super::endpoints::Handler;
use super::super::query::{MOMENT, moment};
use super::Asked;
use crate::devin::client::now_s;
use crate::relay::draw::drawn;
use crate::relay::serve::access::Caller;
use crate::relay::serve::store::{Answered, NewAction, StoreError, Switch};
use crate::relay::values::duration;

/// How long whoever has asked for something waits for that to be kept.
const KEEPING: Duration = Duration::from_secs(2);

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Another attempt at what came to nothing, by a job's identifier.
    Retry(String),
    /// The end of the session that a job watches, by the job's identifier.
    End(String),
    /// A new session for an alert, by its tag.
    Start(String),
    /// Alerts with this key start nothing until then, in Unix milliseconds.
    Suppress {
        dedupe_key: String,
        until: i64,
    },
    Unsuppress(String),
    Throw {
        switch: Switch,
        is_on: bool,
    },
    Reload,
    /// A notification that was given up, by its identifier.
    Resend(String),
}

/// Who asks, as the audit trail says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who(String);

/// What came of it.
struct Done {
    result: String,
    body: Value,
    /// The alert that it was about.
    alert: Option<String>,
}

impl Who {
    pub fn new(caller: &Caller, peer: SocketAddr) -> Who {
        let peer = peer.ip().to_canonical();
        Who(match &caller.token {
            Some(name) => format!("{name} from {peer}"),
            None if peer.is_loopback() => "somebody on this machine".to_string(),
            None => format!("somebody from {peer}"),
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedSwitch {
    on: bool,
    #[serde(default, deserialize_with = "given")]
    integration: Option<String>,
    #[serde(default, deserialize_with = "given")]
    rule: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedSuppression {
    dedupe_key: String,
    #[serde(default, deserialize_with = "given")]
    until: Option<Value>,
    #[serde(default, rename = "for", deserialize_with = "given")]
    lasts: Option<String>,
}

/// What is there has to be a value: `null` is none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Door {
    /// Does what a request asks for.
    pub(super) async fn act_as_asked(&self, handler: Handler, asked: Asked) -> Result<Answer, Answer> {
        let (id, who) = (asked.id.clone(), asked.who.clone());
        let act = match handler {
            Handler::Retry => Act::Retry(id),
            Handler::End => Act::End(id),
            Handler::Start => Act::Start(id),
            Handler::Unsuppress => Act::Unsuppress(id),
            Handler::Reload => Act::Reload,
            Handler::Resend => Act::Resend(id),
            Handler::Suppress => {
                let expected = r#"expected {"dedupe_key": "KEY", "for": "2h"}, or "until" with a moment"#;
                wanted_suppression(asked.json(expected).await?).ok_or_else(|| {
                    Answer::problem(StatusCode::BAD_REQUEST, &format!("{expected}; until is {MOMENT}"))
                })?
            }
            Handler::Pause => {
                let expected =
                    r#"expected {"on": true, "integration": "NAME"} or {"on": true, "rule": "ID"}, or false to go on"#;
                let wanted: WantedSwitch = asked.json(expected).await?;
                let switch = match (wanted.integration, wanted.rule) {
                    (Some(name), None) => Switch::Integration(name),
                    (None, Some(id)) => Switch::Rule(id),
                    _ => return Err(Answer::problem(StatusCode::BAD_REQUEST, expected)),
                };
                Act::Throw { switch, is_on: wanted.on }
            }
            _ => {
                let expected = r#"expected {"on": true} or {"on": false}"#;
                match asked.json(expected).await? {
                    WantedSwitch { on, integration: None, rule: None } => {
                        Act::Throw { switch: Switch::Bridge, is_on: on }
                    }
                    _ => return Err(Answer::problem(StatusCode::BAD_REQUEST, expected)),
                }
            }
        };
        Ok(self.act(&act, &who).await)
    }

    /// Does something for somebody who may, and keeps that.
    pub async fn act(&self, act: &Act, who: &Who) -> Answer {
        let done = self.try_to(act, who).await;
        let (is_done, result, alert) = match &done {
            Ok(done) => (true, done.result.clone(), done.alert.clone()),
            Err(answer) => (false, answer.reason().to_string(), None),
        };
        let (action, target) = act.words();
        let (who, action) = (who.to_string(), action.to_string());
        self.keep_action(NewAction { id: String::new(), who, action, target, alert, is_done, result }).await;
        // What was held back may start.
        self.wake.iter().for_each(|engine| engine.notify_one());
        match done {
            Ok(done) => Answer::new(StatusCode::OK, done.body),
            Err(refusal) => refusal,
        }
    }

    /// Keeps what somebody asked for and what came of it, under an identifier of its own.
    pub(super) async fn keep_action(&self, action: NewAction) {
        let words = [action.action.as_str(), action.target.as_str()].join(" ");
        self.log.note(&format!("{} asked for {}: {}", action.who, words.trim_end(), action.result));
        let action = NewAction { id: format!("action-{}", drawn()), ..action };
        // Where it takes longer, it is kept all the same.
        if let Ok(Err(error)) = tokio::time::timeout(KEEPING, self.store.note_action(action)).await {
            self.log.store_failed("who asked for what cannot be kept", &error);
        }
    }

    async fn try_to(&self, act: &Act, who: &Who) -> Result<Done, Answer> {
        let by = who.to_string();
        let failed = |error: StoreError| {
            self.log.store_failed("what somebody asked for cannot be done", &error);
            busy("it cannot be done now")
        };
        match act {
            Act::Retry(job_id) => {
                let answered = self.store.retry(job_id, &by).await.map_err(failed)?;
                let job_id = done(answered, "there is no job with this identifier")?;
                self.begun(act, job_id).await
            }
            Act::End(job_id) => {
                let answered = self.store.end_session(job_id, &by).await.map_err(failed)?;
                done(answered, "there is no job with this identifier")?;
                let result = "its session will be ended at the next step of the job".to_string();
                let body = json!({"done": true, "job_id": job_id, "result": result});
                Ok(Done { result, body, alert: self.alert_of(job_id).await })
            }
            Act::Start(tag) => {
                let answered = self.store.start_again(tag, &by).await.map_err(failed)?;
                let job_id = done(answered, "there is no alert with this tag")?;
                self.begun(act, job_id).await
            }
            Act::Suppress { dedupe_key, until } => {
                let answered = self.store.suppress(dedupe_key, *until, &by).await.map_err(failed)?;
                done(answered, "there is no such key")?;
                let result = "alerts with this key start nothing until then".to_string();
                let body = json!({"done": true, "dedupe_key": dedupe_key, "until": until, "result": result});
                Ok(Done { result, body, alert: None })
            }
            Act::Unsuppress(dedupe_key) => {
                let answered = self.store.unsuppress(dedupe_key, &by).await.map_err(failed)?;
                done(answered, "no alerts with this key are suppressed")?;
                let result = "alerts with this key start sessions again".to_string();
                let body = json!({"done": true, "dedupe_key": dedupe_key, "result": result});
                Ok(Done { result, body, alert: None })
            }
            Act::Throw { switch, is_on } => {
                self.check_switch(switch, *is_on)?;
                let thrown = self.store.throw(switch.clone(), *is_on).await;
                thrown.map_err(|error| {
                    self.log.store_failed("a switch cannot be thrown", &error);
                    busy(&self.not_thrown(switch, *is_on))
                })?;
                let body = self.switches().await.map_err(failed)?;
                let result = match (switch, is_on, body["kill_switch"]["reason"].as_str()) {
                    (Switch::Bridge, true, _) => "the kill switch is on: nothing starts".to_string(),
                    // There may be another one, in a file.
                    (Switch::Bridge, false, Some(reason)) => format!("switched off, but nothing starts: {reason}"),
                    (Switch::Bridge, false, None) => "the kill switch is off".to_string(),
                    (_, true, _) => "paused".to_string(),
                    (_, false, _) => "resumed".to_string(),
                };
                Ok(Done { result, body, alert: None })
            }
            Act::Resend(id) => {
                let answered = self.store.resend(id).await.map_err(failed)?;
                let job_id = done(
                    answered,
                    "there is no notification with this identifier: `alert-relay show` of its alert and /api/v1/notifications?state=dead name those that were given up",
                )?;
                let result = "it is queued, to be sent again at once".to_string();
                let body = json!({"done": true, "id": id, "result": result});
                Ok(Done { result, body, alert: self.alert_of(&job_id.unwrap_or_default()).await })
            }
            Act::Reload => {
                let answer = self.reload().await;
                if answer.status != StatusCode::OK {
                    return Err(answer);
                }
                Ok(Done { result: "the rules file is read again".to_string(), body: answer.body, alert: None })
            }
        }
    }

    /// That a switch stands as before, and what to do.
    fn not_thrown(&self, switch: &Switch, is_on: bool) -> String {
        let file = self.bounds.borrow().kill_switch.clone();
        match (switch, is_on, file) {
            (_, false, _) => "it is not switched off, because the store cannot keep that now: ask again".to_string(),
            (Switch::Bridge, true, Some(file)) => format!(
                "the kill switch is not on, because the store cannot keep that now: ask again, or write on into {}, for which no store is needed",
                file.display()
            ),
            (Switch::Bridge, true, None) => {
                "the kill switch is not on, because the store cannot keep that now: ask again, or stop the bridge"
                    .to_string()
            }
            (_, true, _) => "it is not paused, because the store cannot keep that now: ask again".to_string(),
        }
    }

    /// What is answered about a job that has been made.
    async fn begun(&self, act: &Act, job_id: Option<String>) -> Result<Done, Answer> {
        let job_id = job_id.unwrap_or_default();
        let alert = match act {
            Act::Start(tag) => Some(tag.clone()),
            _ => self.alert_of(&job_id).await,
        };
        let result = format!("{job_id} is a new attempt");
        let body = json!({"done": true, "job_id": job_id, "alert": alert, "result": result});
        Ok(Done { result, body, alert })
    }

    /// The tag of a job's alert. It is for the timeline only: without it, what was done is done all the same.
    async fn alert_of(&self, job_id: &str) -> Option<String> {
        self.store.job(job_id).await.ok().flatten().map(|job| job.row.alert)
    }

    /// What the rules do not have cannot be switched on. It can be switched off all the same: they may have had it before.
    fn check_switch(&self, switch: &Switch, is_on: bool) -> Result<(), Answer> {
        let served = self.live.now();
        let missing = match switch {
            Switch::Integration(name) if is_on && !self.integrations.iter().any(|known| known.name == *name) => {
                let names: Vec<&str> = self.integrations.iter().map(|known| known.name.as_str()).collect();
                format!("there is no integration of this name: the rules have {}", names.join(", "))
            }
            Switch::Rule(id) if is_on && !served.rules.rules.iter().any(|known| known.id == *id) => {
                let ids: Vec<&str> = served.rules.rules.iter().map(|known| known.id.as_str()).collect();
                format!("there is no rule with this id: there are {}", ids.join(", "))
            }
            _ => return Ok(()),
        };
        Err(Answer::problem(StatusCode::NOT_FOUND, &missing))
    }
}

impl Act {
    /// What it is, and to what.
    fn words(&self) -> (&'static str, String) {
        match self {
            Act::Retry(job_id) => ("retry", job_id.clone()),
            Act::End(job_id) => ("end", job_id.clone()),
            Act::Start(tag) => ("start", tag.clone()),
            Act::Suppress { dedupe_key, .. } => ("suppress", dedupe_key.clone()),
            Act::Unsuppress(dedupe_key) => ("unsuppress", dedupe_key.clone()),
            Act::Throw { switch, is_on } => {
                let (action, target) = match switch {
                    Switch::Bridge if *is_on => return ("kill_switch_on", String::new()),
                    Switch::Bridge => return ("kill_switch_off", String::new()),
                    Switch::Integration(name) => {
                        (if *is_on { "pause" } else { "resume" }, format!("integration {name}"))
                    }
                    Switch::Rule(id) => (if *is_on { "pause" } else { "resume" }, format!("rule {id}")),
                };
                (action, target)
            }
            Act::Reload => ("reload", String::new()),
            Act::Resend(id) => ("resend", id.clone()),
        }
    }
}

/// The job that it was done with, or the answer that says why it was not done.
fn done(answered: Answered, missing: &str) -> Result<Option<String>, Answer> {
    match answered {
        Answered::Done { job_id } => Ok(job_id),
        Answered::NotFound => Err(Answer::problem(StatusCode::NOT_FOUND, missing)),
        Answered::Refused { reason } => Err(Answer::problem(StatusCode::CONFLICT, &reason)),
    }
}

fn wanted_suppression(wanted: WantedSuppression) -> Option<Act> {
    let until = match (wanted.until, wanted.lasts) {
        (Some(Value::Number(number)), None) => number.as_i64()?,
        (Some(Value::String(text)), None) => moment(&text)?,
        (None, Some(lasts)) => {
            let lasts = i64::try_from(duration(&lasts).ok()?.as_millis()).ok()?;
            (now_s() * 1000).checked_add(lasts)?
        }
        _ => return None,
    };
    let dedupe_key = wanted.dedupe_key;
    let is_key = !dedupe_key.trim().is_empty() && !dedupe_key.contains('\0');
    is_key.then_some(Act::Suppress { dedupe_key, until })
}
