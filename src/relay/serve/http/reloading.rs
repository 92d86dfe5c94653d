//! Reading the rules again, whoever asks for it: a request or a signal.

use hyper::StatusCode;
use serde_json::json;

use super::Door;
use super::answer::Answer;
use crate::relay::serve::metrics::Names;
use crate::relay::serve::told;

impl Door {
    /// Puts the rules file in force as it is now. Jobs go on by the rules that they were made by.
    pub async fn reload(&self) -> Answer {
        match self.live.reload().await {
            Ok(served) => {
                self.bounds.send_replace(served.rules.bounds.clone().into());
                let integrations: Vec<String> = self.integrations.iter().map(|known| known.name.clone()).collect();
                self.metrics.reloaded(Some(Names::of(&served.rules, &integrations)));
                let (routes, rules) = (served.rules.routes.len(), served.rules.rules.len());
                self.log.note(&format!("the rules file is read again: {routes} routes, {rules} rules"));
                let warnings: Vec<String> = served.rules.warnings.iter().map(ToString::to_string).collect();
                warnings.iter().for_each(|warning| self.log.warn(warning));
                let rules = told::rule_lines(&served.rules);
                // What was held back may start.
                self.wake.iter().for_each(|engine| engine.notify_one());
                Answer::new(StatusCode::OK, json!({"reloaded": true, "rules": rules, "warnings": warnings}))
            }
            Err(problems) => {
                self.metrics.reloaded(None);
                self.log.warn("the rules file is not put in force, and the rules before it stay");
                problems.iter().for_each(|problem| self.log.warn(problem));
                let answer = Answer::problem(StatusCode::UNPROCESSABLE_ENTITY, "the rules in force stay");
                answer.with_fields(json!({"reloaded": false, "problems": problems}))
            }
        }
    }
}
