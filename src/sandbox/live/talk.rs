//! What is said in a created session: the prompt, what people write later, and a line of Devin's at
//! each turn of its life.

use std::time::Duration;

use super::Session;
use super::scenario::Stage;
use crate::sandbox::data::dice::mix;
use crate::sandbox::json::Json;

/// One message.
#[derive(Clone, Debug)]
pub struct Line {
    is_from_user: bool,
    text: String,
    at: Duration,
}

impl Line {
    pub fn from_user(text: String, at: Duration) -> Line {
        Line { is_from_user: true, text, at }
    }

    pub fn is_from_user(&self) -> bool {
        self.is_from_user
    }
}

impl Session {
    /// Everything said so far, oldest first. What was said once stays where it is.
    pub fn conversation(&self, now: Duration) -> Vec<Line> {
        let prompt = Line::from_user(self.create.prompt.clone(), self.created);
        let mut lines = vec![prompt];
        lines.extend(self.lines(now));
        lines
    }

    /// The conversation after the prompt.
    pub fn lines(&self, now: Duration) -> Vec<Line> {
        let mut lines = self.said.clone();
        let mut pull_requests = self.life.pull_requests;
        for stage in self.life.scenario.reached(self.life.moment(now)) {
            if let Some(text) = self.words_for(stage, pull_requests) {
                let at = self.life.time_of(stage.0, now);
                lines.push(Line { is_from_user: false, text, at });
            }
            pull_requests = stage.3.max(pull_requests);
        }
        lines.sort_by_key(|line| line.at);
        lines
    }

    /// What Devin says when a stage is reached, with so many pull requests before it.
    fn words_for(&self, stage: &Stage, pull_requests: u64) -> Option<String> {
        let &Stage(_, _, detail, count) = stage;
        let words = match detail {
            _ if count > pull_requests => return Some(format!("I opened {}.", self.pull_request_url)),
            Some("working") => "I'm on it: I read the code and the logs first.",
            Some("waiting_for_user") if count > 0 => "The pull request is ready for review. Is there anything else?",
            Some("waiting_for_user") => "I need a decision: shall I roll back, or fix it forward?",
            Some("waiting_for_approval") => "I'd like to restart the service on staging. May I?",
            Some("finished") if pull_requests > 0 => "That is all; the pull request waits for a review.",
            Some("finished") => "I found the cause, and no change of code is needed.",
            _ => return None,
        };
        Some(words.to_owned())
    }
}

/// Writes the message at this place of a session.
pub fn write(json: &mut Json, session: &Session, place: u64, line: &Line) {
    let by_user = |text: Option<&'static str>| text.filter(|_| line.is_from_user);
    let low = mix((session.id as u64).wrapping_add(place));
    let event_id = u128::from(mix(low ^ (session.id >> 64) as u64)) << 64 | u128::from(low);
    json.open('{');
    json.key("event_id").id("event-", event_id);
    json.key("source").text(if line.is_from_user { "user" } else { "devin" });
    json.key("message").text(&line.text);
    json.key("created_at").number(line.at.as_secs());
    json.key("origin").optional_text(by_user(Some("api")));
    json.key("user_id").optional_text(session.user_id.as_deref().filter(|_| line.is_from_user));
    json.key("username").null();
    json.close('}');
}
