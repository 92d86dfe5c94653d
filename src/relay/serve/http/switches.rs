//! What a person switches while the bridge runs: the kill switch of all of it, and the pause of an integration or of a rule.

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::body::{self, Body};
use super::{Door, refuse_method};
use crate::relay::serve::kill_switch;
use crate::relay::serve::store::{StoreError, Switch};

const KILL_SWITCH: &str = "/api/v1/kill-switch";
const PAUSE: &str = "/api/v1/pause";

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    on: bool,
    integration: Option<String>,
    rule: Option<String>,
}

/// Whether a switch is at this path.
pub fn is_at(path: &str) -> bool {
    [KILL_SWITCH, PAUSE].contains(&path)
}

impl Door {
    /// Throws a switch, or says which are on.
    ///
    /// # Errors
    /// The answer that says why not.
    pub(super) async fn switch(&self, request: Request<Incoming>) -> Result<Answer, Answer> {
        let (head, incoming) = request.into_parts();
        if head.method == Method::POST {
            let Body { sent, unpacked } = body::receive(&head.headers, incoming).await?;
            let (switch, is_on) = self.wanted(head.uri.path(), &unpacked.unwrap_or(Ok(sent))?)?;
            self.store.throw(switch.clone(), is_on).await.map_err(|error| self.unknown(&error))?;
            self.log.note(&format!("{} is switched {}", name(&switch), if is_on { "on" } else { "off" }));
            self.wake.iter().for_each(|engine| engine.notify_one());
        } else if head.method != Method::GET && head.method != Method::HEAD {
            return Err(refuse_method("GET, HEAD, POST"));
        }
        let switches = self.switches().await.map_err(|error| self.unknown(&error))?;
        Ok(Answer::new(StatusCode::OK, switches))
    }

    /// Which switches are on.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn switches(&self) -> Result<Value, StoreError> {
        let (mut by_hand, mut paused) = (None, Vec::new());
        for (switch, since) in self.store.switches().await? {
            match switch {
                Switch::Bridge => by_hand = Some(("it was switched on".to_string(), Some(since))),
                Switch::Integration(name) => paused.push(json!({"integration": name, "since": since})),
                Switch::Rule(id) => paused.push(json!({"rule": id, "since": since})),
            }
        }
        let path = self.bounds.borrow().kill_switch.clone();
        let in_file = match path {
            Some(path) => kill_switch::look(&path).await.map(|reason| (reason, None)),
            None => None,
        };
        let on = by_hand.or(in_file);
        let (reason, since) = on.clone().unzip();
        let since = since.flatten();
        Ok(json!({"kill_switch": {"on": on.is_some(), "reason": reason, "since": since}, "paused": paused}))
    }

    fn wanted(&self, path: &str, body: &[u8]) -> Result<(Switch, bool), Answer> {
        let expected = if path == KILL_SWITCH {
            r#"expected {"on": true} or {"on": false}"#
        } else {
            r#"expected {"on": true, "integration": "NAME"} or {"on": true, "rule": "ID"}, or false to go on"#
        };
        let problem = || Answer::problem(StatusCode::BAD_REQUEST, expected);
        let Wanted { on, integration, rule } = serde_json::from_slice(body).map_err(|_| problem())?;
        let switch = match (path == KILL_SWITCH, integration, rule) {
            (true, None, None) => Switch::Bridge,
            (false, Some(name), None) => Switch::Integration(name),
            (false, None, Some(id)) => Switch::Rule(id),
            _ => return Err(problem()),
        };
        // What the rules do not have any more can be switched off all the same.
        if let Switch::Integration(name) = &switch
            && on
            && !self.integrations.iter().any(|known| known.name == *name)
        {
            let names: Vec<&str> = self.integrations.iter().map(|known| known.name.as_str()).collect();
            let reason = format!("there is no integration of this name: the rules have {}", names.join(", "));
            return Err(Answer::problem(StatusCode::NOT_FOUND, &reason));
        }
        let served = self.live.now();
        if let Switch::Rule(id) = &switch
            && on
            && !served.rules.rules.iter().any(|known| known.id == *id)
        {
            let ids: Vec<&str> = served.rules.rules.iter().map(|known| known.id.as_str()).collect();
            let reason = format!("there is no rule with this id: there are {}", ids.join(", "));
            return Err(Answer::problem(StatusCode::NOT_FOUND, &reason));
        }
        Ok((switch, on))
    }

    fn unknown(&self, error: &StoreError) -> Answer {
        self.trouble(
            &format!("the switches cannot be read or thrown: {error}"),
            "the switches cannot be read or thrown now",
        )
    }
}

fn name(switch: &Switch) -> String {
    match switch {
        Switch::Bridge => "the kill switch".to_string(),
        Switch::Integration(name) => format!("the pause of the integration {name}"),
        Switch::Rule(id) => format!("the pause of the rule {id}"),
    }
}
