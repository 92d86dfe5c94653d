//! What the forms of the pages do. Each leaves a row among the actions, with who it was and what came of it.

use std::net::SocketAddr;

use hyper::StatusCode;
use hyper::http::Response;

use super::super::sent::Sent;
use super::visitor::{Visitor, back, field, forged};
use super::{Door, problem, see_other};
use crate::relay::draw::drawn;
use crate::relay::serve::access::Right;
use crate::relay::serve::page::Action;
use crate::relay::serve::store::{Answered, NewAction, StoreError, Switch};

/// Why an action was not done.
enum Refused {
    /// For these reasons; nothing has changed.
    Because(Vec<String>),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Refused::Store(error)
    }
}

impl Door {
    /// Does what a form asks for, and leads back to the page that it stands on.
    pub(super) async fn act(
        &self,
        visitor: &Visitor,
        name: &str,
        form: &[(String, String)],
        peer: SocketAddr,
    ) -> Response<Sent> {
        if visitor.caller.right < Right::Admin {
            let text = "This needs an admin token, and you are signed in to read.".to_string();
            return problem(StatusCode::FORBIDDEN, "Not done", &[text], "/login");
        }
        if !visitor.has_sent(form) {
            return forged();
        }
        let back = back(field(form, "back").map(str::to_string));
        let action = match Action::of(name, |key| field(form, key).map(str::to_string)) {
            Ok(action) => action,
            Err(reason) => return problem(StatusCode::BAD_REQUEST, "Not done", &[reason], &back),
        };
        let who = visitor.caller.token.as_deref().unwrap_or("somebody on this machine");
        let by = format!("{who} ({})", peer.ip());
        let done = self.perform(&action, &by).await;
        let id = format!("action-{}", drawn());
        let (is_done, result) = match &done {
            Ok(_) => (true, action.after()),
            Err(Refused::Because(reasons)) => (false, reasons.join("; ")),
            Err(Refused::Store(error)) => (false, error.to_string()),
        };
        self.log.note(&format!("{by} asked for {name}: {result}"));
        let alert = done.as_ref().ok().cloned().flatten();
        let target = action.target().to_string();
        let row = NewAction { id: id.clone(), who: by, action: name.to_string(), target, alert, is_done, result };
        if let Err(error) = self.store.note_action(row).await {
            self.log.warn(&format!("what was done cannot be noted: {error}"));
        }
        match done {
            Ok(_) => {
                self.wake.iter().for_each(|engine| engine.notify_one());
                see_other(&format!("{back}{}did={id}", if back.contains('?') { '&' } else { '?' }), None)
            }
            Err(Refused::Because(reasons)) => problem(StatusCode::CONFLICT, "Not done", &reasons, &back),
            Err(Refused::Store(error)) => self.unavailable(&error),
        }
    }

    /// Does it; answers with the tag of the alert that it is about, if it is about one.
    async fn perform(&self, action: &Action, by: &str) -> Result<Option<String>, Refused> {
        let throw = |switch: Switch, is_on: bool| self.store.throw(switch, is_on);
        match action {
            Action::StopAll => throw(Switch::Bridge, true).await?,
            Action::GoOn => {
                throw(Switch::Bridge, false).await?;
                if let Some(reason) = self.kill_switch(&[]).await {
                    return because(format!("{reason}. A page cannot change that file"));
                }
            }
            Action::PauseRule(id) => {
                if !self.live.now().rules.rules.iter().any(|rule| rule.id == *id) {
                    return because(format!("the rules file has no rule {id}"));
                }
                throw(Switch::Rule(id.clone()), true).await?;
            }
            Action::ResumeRule(id) => throw(Switch::Rule(id.clone()), false).await?,
            Action::PauseIntegration(name) => {
                if !self.integrations.iter().any(|known| known.name == *name) {
                    return because(format!("the rules file has no integration {name}"));
                }
                throw(Switch::Integration(name.clone()), true).await?;
            }
            Action::ResumeIntegration(name) => throw(Switch::Integration(name.clone()), false).await?,
            Action::Reload => {
                let answer = self.reload().await;
                if !answer.status.is_success() {
                    let problems = answer.body["problems"].as_array().into_iter().flatten();
                    let problems: Vec<String> = problems.filter_map(|one| Some(one.as_str()?.to_string())).collect();
                    return Err(Refused::Because(problems));
                }
            }
            Action::Retry(job_id) => answered(self.store.retry(job_id, by).await?, "job")?,
            Action::End(job_id) => answered(self.store.end_session(job_id, by).await?, "job")?,
            Action::Start(tag) => {
                answered(self.store.start_again(tag, by).await?, "alert")?;
                return Ok(Some(tag.clone()));
            }
            Action::Suppress { tag, hours } => {
                let key = self.key_of(tag).await?;
                let until = super::gather::now_ms() + i64::from(*hours) * 3_600_000;
                answered(self.store.suppress(&key, until, by).await?, "alert")?;
                return Ok(Some(tag.clone()));
            }
            Action::Unsuppress(tag) => {
                let key = self.key_of(tag).await?;
                answered(self.store.unsuppress(&key, by).await?, "suppression")?;
                return Ok(Some(tag.clone()));
            }
        }
        match action {
            Action::Retry(job_id) | Action::End(job_id) => {
                Ok(self.store.job(job_id).await?.map(|detail| detail.row.alert))
            }
            _ => Ok(None),
        }
    }

    async fn key_of(&self, tag: &str) -> Result<String, Refused> {
        match self.store.alert(tag).await? {
            Some(detail) => Ok(detail.alert.dedupe_key),
            None => because("there is no such alert".to_string()),
        }
    }
}

fn because<T>(reason: String) -> Result<T, Refused> {
    Err(Refused::Because(vec![reason]))
}

fn answered(answered: Answered, what: &str) -> Result<(), Refused> {
    match answered {
        Answered::Done { .. } => Ok(()),
        Answered::NotFound => because(format!("there is no such {what}")),
        Answered::Refused { reason } => because(reason),
    }
}
