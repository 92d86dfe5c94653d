//! What the relay says: one JSON object a line on stdout, and for a person who watches, a live line and a few words on
//! stderr.

use std::time::{Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::dispatch::{Adoption, Step};
use super::outcome::{Outcome, Status, Verdict, first_pr};
use super::text::clean_line;
use crate::devin::session::{PullRequest, Session};
use crate::output::{LiveLine, Output};
use crate::redact::redact;

/// So much of a session's state is shown on the live line.
const STATE_BYTES: usize = 80;

/// Something that stood in the way before there was an outcome: nothing was created, or nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    pub code: Code,
    /// What happened and what to do.
    pub message: String,
}

/// What stood in the way, as a word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    BadInput,
    TooManyAlerts,
    BadSettings,
    BadEndpoint,
    InvalidDevinToken,
    MissingPermission,
    OrganisationUnknown,
    Refused,
    RateLimited,
    ApiTrouble,
    Unreachable,
    NotAsked,
    Sandbox,
}

impl Code {
    /// Every code and what it stands for, as the relay's page lists them.
    pub const ALL: [(Code, &'static str); 13] = [
        (Code::BadInput, "the alert, the template or the schema cannot be read or understood"),
        (Code::TooManyAlerts, "the payload is worth more sessions than `--max-sessions` allows"),
        (
            Code::BadSettings,
            "the file of settings cannot be read, a setting is wrong or missing, or the API's address redirects (3xx)",
        ),
        (Code::BadEndpoint, "`--endpoint` is not an address that creates sessions"),
        (Code::InvalidDevinToken, "the key is not accepted (401)"),
        (Code::MissingPermission, "the key may not do this (403), or could not find a session that exists"),
        (
            Code::OrganisationUnknown,
            "nothing is there for this key and `org_id`, or the organisation cannot be told (404)",
        ),
        (Code::Refused, "the API does not take the session, or another request, as it was made (other 4xx)"),
        (Code::RateLimited, "the API limits how often it may be asked (429)"),
        (Code::ApiTrouble, "the API fails or answers nonsense (408, 5xx)"),
        (Code::Unreachable, "no connection, or no answer in time"),
        (Code::NotAsked, "the request could not be made, for example with a malformed identifier"),
        (Code::Sandbox, "the simulated organisation cannot be served on this machine"),
    ];
}

/// One thing that happened, as it stands on its line.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    AlertReceived {
        format: &'a str,
        state: &'a str,
        title: &'a str,
        #[serde(serialize_with = "redacted")]
        dedupe_key: &'a str,
        tag: &'a str,
        alerts: usize,
    },
    Prompt {
        #[serde(serialize_with = "redacted")]
        dedupe_key: &'a str,
        tags: &'a [String],
        title: &'a str,
        prompt: &'a str,
    },
    NothingToDo {
        #[serde(serialize_with = "redacted")]
        dedupe_key: &'a str,
        reason: &'a str,
    },
    SessionCreated {
        session_id: &'a str,
        session_url: Option<&'a str>,
    },
    SessionAdopted {
        session_id: &'a str,
        session_url: Option<&'a str>,
        reason: &'a str,
    },
    /// A session that is not needed: `terminated` says whether it could be ended.
    SessionDuplicate {
        session_id: &'a str,
        terminated: bool,
        reason: &'a str,
    },
    SessionStatus {
        session_id: &'a str,
        status: &'a str,
        status_detail: Option<&'a str>,
        pr_url: Option<&'a str>,
        acus_consumed: f64,
    },
    Outcome(Box<OutcomeLine<'a>>),
    Check {
        principal_type: Option<&'a str>,
        principal: Option<&'a str>,
        org_id: &'a str,
        missing: &'a [String],
    },
    Error(&'a Trouble),
}

/// A dedupe key is the sender's text as it came, so that its hash never changes; what is shown of it is redacted.
fn redacted<S: Serializer>(text: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&redact(text))
}

fn redacted_option<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => redacted(text, serializer),
        None => serializer.serialize_none(),
    }
}

/// The last line about an alert.
#[derive(Debug, Serialize)]
pub struct OutcomeLine<'a> {
    #[serde(serialize_with = "redacted_option")]
    pub dedupe_key: Option<&'a str>,
    pub status: Status,
    pub result: Verdict,
    pub pr_url: Option<&'a str>,
    pub pull_requests: &'a [PullRequest],
    pub session_id: Option<&'a str>,
    pub session_url: Option<&'a str>,
    pub reason: &'a str,
    pub acus_consumed: Option<f64>,
    pub polls: u32,
    pub seconds: u64,
}

/// Says what happens to one alert.
pub struct Report {
    output: Output,
    started: Instant,
    is_seen: bool,
    dedupe_key: Option<String>,
    line: Option<LiveLine>,
}

impl Report {
    /// A report about the alert with this key; `None` when a session is watched without one.
    pub fn new(output: &Output, dedupe_key: Option<&str>) -> Report {
        Report {
            output: output.clone(),
            started: Instant::now(),
            is_seen: output.is_seen(),
            dedupe_key: dedupe_key.map(str::to_string),
            line: output.live_line("session"),
        }
    }

    /// A few words on stderr.
    pub fn note(&self, text: &str) {
        self.output.note(text);
    }

    /// Something that happened on the way to a session; one that was created is told at once.
    pub fn step(&self, step: &Step) {
        match step {
            Step::Created(session) => {
                let (session_id, session_url) = (&*session.session_id, session.url.as_deref());
                say(&self.output, &Event::SessionCreated { session_id, session_url });
            }
            Step::Note(text) => self.note(text),
        }
    }

    /// A session ended a short while ago.
    pub fn ended_lately(&self, session: &Session) {
        self.say_adopted(session, "ended_within_cooldown");
    }

    /// A session was there already.
    pub fn adopted(&self, session: &Session, why: &Adoption) {
        let reason = match why {
            Adoption::Alive => "alive",
            Adoption::Reconciled => "found_after_unclear_create",
            Adoption::Raced { .. } => "older_session_of_another_run",
        };
        self.say_adopted(session, reason);
        if let Adoption::Raced { ours, terminated } = why {
            let reason = terminated.as_ref().err().map_or("duplicate", String::as_str);
            say(&self.output, &Event::SessionDuplicate { session_id: ours, terminated: terminated.is_ok(), reason });
            if terminated.is_err() {
                self.note(&format!("warning: session {ours} is a duplicate and could not be ended: {reason}"));
            }
        }
    }

    fn say_adopted(&self, session: &Session, reason: &str) {
        let (session_id, session_url) = (&*session.session_id, session.url.as_deref());
        say(&self.output, &Event::SessionAdopted { session_id, session_url, reason });
    }

    /// A look at the session; `is_news` when its state is not what it was.
    pub fn seen(&self, session: &Session, is_news: bool) {
        let detail = session.status_detail.as_deref();
        if is_news {
            say(
                &self.output,
                &Event::SessionStatus {
                    session_id: &session.session_id,
                    status: &session.status,
                    status_detail: detail,
                    pr_url: first_pr(&session.pull_requests),
                    acus_consumed: session.acus_consumed,
                },
            );
        }
        if let Some(line) = &self.line {
            let seconds = self.started.elapsed().as_secs();
            line.show(0, None, &format!("{}, {seconds} s, {} ACUs", state(session), session.acus_consumed));
        }
    }

    /// How it ended. `known` is the session's identifier and its address, if that is known, also where it was never seen.
    pub fn outcome(
        &self,
        outcome: &Outcome,
        known: Option<(&str, Option<&str>)>,
        session: Option<&Session>,
        polls: u32,
    ) {
        let pull_requests = session.map_or(&[][..], |session| &session.pull_requests);
        let status = outcome.verdict.status();
        let line = OutcomeLine {
            dedupe_key: self.dedupe_key.as_deref(),
            status,
            result: outcome.verdict,
            pr_url: first_pr(pull_requests),
            pull_requests,
            session_id: known.map(|(id, _)| id),
            session_url: known.and_then(|(_, url)| url),
            reason: &outcome.reason,
            acus_consumed: session.map(|session| session.acus_consumed),
            polls,
            seconds: self.started.elapsed().as_secs(),
        };
        if let Some(live) = &self.line {
            live.finish();
        }
        if self.is_seen {
            let what = line.pr_url.or(line.session_url).or(line.session_id).unwrap_or("no session");
            self.note(&format!("{}: {}\n{what}", word(&status), outcome.reason));
        }
        say(&self.output, &Event::Outcome(Box::new(line)));
    }
}

/// Writes an event as one line, its time second.
pub fn say(output: &Output, event: &Event) {
    let time = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true);
    let json = serde_json::to_string(event).expect("an event has string keys and serializes");
    // After `{"event":"name"`; the order of the rest stays.
    let after_name = json.find(',').unwrap_or(json.len() - 1);
    output.line_at_once(&format!("{},\"time\":\"{time}\"{}", &json[..after_name], &json[after_name..]));
}

/// A session's state for a terminal, which foreign words could speak to: cleaned.
fn state(session: &Session) -> String {
    let detail = session.status_detail.as_ref().map(|detail| format!(" ({detail})"));
    clean_line(&format!("{}{}", session.status, detail.unwrap_or_default()), STATE_BYTES)
}

fn word(status: &Status) -> &'static str {
    match status {
        Status::Done => "done",
        Status::Blocked => "blocked",
        Status::Dropped => "dropped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_on_the_live_line_does_not_speak_to_the_terminal() {
        let (status, detail) = ("run\u{1b}[31mning".to_string(), Some("\u{1b}]0;title\u{7}x".to_string()));
        let session = Session { status, status_detail: detail, ..Session::default() };
        insta::assert_snapshot!(state(&session), @"run[31mning (]0;titlex)");
    }
}
