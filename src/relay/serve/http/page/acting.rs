//! What the forms of the pages do: the same as the API, with a page to lead back to.

use std::net::SocketAddr;

use hyper::StatusCode;
use hyper::http::Response;

use super::super::api::{Act, Who};
use super::super::sent::Sent;
use super::gather::now_ms;
use super::visitor::{Visitor, back, field, forged};
use super::{Door, problem, see_other};
use crate::relay::serve::access::Right;
use crate::relay::serve::page::Action;
use crate::relay::serve::store::{StoreError, Switch};

/// So many of the last actions the one that was just done is looked for in.
const LATEST: usize = 20;

impl Door {
    /// Does what a form asks for, and leads back to the page that it stands on.
    pub(super) async fn act_by_form(
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
        let refused = |status, reasons: &[String]| problem(status, "Not done", reasons, &back);
        let action = match Action::of(name, |key| field(form, key).map(str::to_string)) {
            Ok(action) => action,
            Err(reason) => return refused(StatusCode::BAD_REQUEST, &[reason]),
        };
        let act = match self.act_of(&action).await {
            Ok(Some(act)) => act,
            Ok(None) => return refused(StatusCode::NOT_FOUND, &["There is no such alert.".to_string()]),
            Err(error) => return self.unavailable(&error),
        };
        let who = Who::new(&visitor.caller, peer);
        let answer = self.act(&act, &who).await;
        if !answer.status.is_success() {
            let problems = answer.body["problems"].as_array().into_iter().flatten();
            let problems = problems.filter_map(|one| one.as_str().map(str::to_string));
            let redactor = &self.live.now().redactor;
            let reasons: Vec<String> = std::iter::once(answer.reason().to_string())
                .chain(problems)
                .map(|reason| redactor.redact(&reason).into_owned())
                .collect();
            return refused(answer.status, &reasons);
        }
        if let (Action::GoOn, Some(reason)) = (&action, self.kill_switch(&[]).await) {
            let reasons = [reason, "A page cannot change that file.".to_string()];
            return refused(StatusCode::CONFLICT, &reasons);
        }
        // What was done is told by its row; without it, the page itself shows what is different.
        let who = who.to_string();
        let latest = self.store.actions(LATEST, None).await.unwrap_or_default();
        let Some(row) = latest.into_iter().find(|row| row.who == who) else { return see_other(&back, None) };
        see_other(&format!("{back}{}did={}", if back.contains('?') { '&' } else { '?' }, row.id), None)
    }

    /// The same for the API; `None` for an alert that there is not.
    async fn act_of(&self, action: &Action) -> Result<Option<Act>, StoreError> {
        let throw = |switch, is_on| Some(Act::Throw { switch, is_on });
        Ok(match action.clone() {
            Action::StopAll => throw(Switch::Bridge, true),
            Action::GoOn => throw(Switch::Bridge, false),
            Action::PauseRule(id) => throw(Switch::Rule(id), true),
            Action::ResumeRule(id) => throw(Switch::Rule(id), false),
            Action::PauseIntegration(name) => throw(Switch::Integration(name), true),
            Action::ResumeIntegration(name) => throw(Switch::Integration(name), false),
            Action::Reload => Some(Act::Reload),
            Action::Retry(job_id) => Some(Act::Retry(job_id)),
            Action::End(job_id) => Some(Act::End(job_id)),
            Action::Resend(id) => Some(Act::Resend(id)),
            Action::Start(tag) => Some(Act::Start(tag)),
            Action::Suppress { tag, hours } => {
                let until = now_ms() + i64::from(hours) * 3_600_000;
                self.key_of(&tag).await?.map(|dedupe_key| Act::Suppress { dedupe_key, until })
            }
            Action::Unsuppress(tag) => self.key_of(&tag).await?.map(Act::Unsuppress),
        })
    }

    async fn key_of(&self, tag: &str) -> Result<Option<String>, StoreError> {
        Ok(self.store.alert(tag).await?.map(|detail| detail.alert.dedupe_key))
    }
}
