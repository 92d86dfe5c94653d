//! What the rules in force would make of a delivery. Nothing is kept and nothing started.

use hyper::StatusCode;
use serde_json::json;

use super::super::Door;
use super::super::answer::Answer;
use super::Asked;
use crate::relay::serve::simulation::simulate;

impl Door {
    pub(super) async fn simulate(&self, asked: Asked) -> Result<Answer, Answer> {
        let served = self.live.now();
        let routes = &served.rules.routes;
        let names = || routes.iter().map(|route| route.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(name) = asked.query.text("route") else {
            let reason = format!("name a route, as in ?route=NAME: there are {}", names());
            return Err(Answer::problem(StatusCode::BAD_REQUEST, &reason));
        };
        let route = routes.iter().find(|route| route.name == name).ok_or_else(|| {
            let reason = format!("there is no route of this name: there are {}", names());
            Answer::problem(StatusCode::NOT_FOUND, &reason)
        })?;
        let body = asked.bytes().await?;
        let said = simulate(&served.rules, route, body, &served.redactor);
        let said = said.map_err(|reason| Answer::problem(StatusCode::UNPROCESSABLE_ENTITY, &reason))?;
        Ok(Answer::new(StatusCode::OK, json!({"route": route.name, "alerts": said.lines, "notes": said.notes})))
    }
}
