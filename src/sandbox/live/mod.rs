//! The sessions that clients created: kept in memory, and alive.
//!
//! Where a session stands follows from its scenario and its age. The moment comes in as an argument,
//! as the time since 1970, so nothing here reads a clock.

pub mod create;
pub mod scenario;
pub mod talk;
pub mod view;

use std::collections::HashSet;
use std::time::Duration;

use hyper::StatusCode;

use super::body::MOST_TAGS;
use super::data::{Family, Organization};
use super::key::Key;
use super::oddity::Oddities;
use super::problem::Problem;
use create::Create;
use scenario::{AFTER_MESSAGE, AFTER_TERMINATION, Delivery, Scenario, State};
use talk::Line;

/// All created sessions, the oldest first.
#[derive(Debug)]
pub struct Live {
    /// How long a life is.
    session_seconds: f64,
    /// How many sessions may be created.
    quota: Option<usize>,
    oddities: Oddities,
    sessions: Vec<Session>,
    /// The tags that were refused once, sorted.
    refused: HashSet<Vec<String>>,
}

/// One created session.
#[derive(Debug)]
pub struct Session {
    /// Which one it is, counted from 0.
    pub number: u64,
    pub id: u128,
    pub create: Create,
    pub created: Duration,
    pub user_id: Option<String>,
    pub service_user_id: Option<String>,
    pub is_archived: bool,
    pull_request_url: String,
    life: Life,
    /// What people wrote after the prompt, and what Devin said in earlier lives.
    said: Vec<Line>,
    /// When it was last changed from outside.
    touched: Duration,
}

/// What runs by itself until a person interferes.
#[derive(Debug)]
struct Life {
    scenario: &'static Scenario,
    since: Duration,
    session_seconds: f64,
    /// What earlier lives left behind.
    pull_requests: u64,
    acu_hundredths: u64,
}

impl Live {
    pub fn new(session_seconds: f64, quota: Option<usize>, oddities: Oddities) -> Live {
        Live { session_seconds, quota, oddities, sessions: Vec::new(), refused: HashSet::new() }
    }

    /// Creates a session; says how the request is answered, and which session there is now, if any.
    ///
    /// # Errors
    /// 429 while as many sessions run as may, 422 where tags are refused.
    pub fn create(
        &mut self,
        organization: &Organization,
        mut create: Create,
        key: Key,
        now: Duration,
    ) -> Result<(Delivery, Option<&Session>), Problem> {
        let Some(tags) = self.oddities.tags.apply(create.tags) else {
            let detail = "this organization allows no tags";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        };
        create.tags = tags;
        let odd = self.oddities.create_answers.pop_front();
        if let Some(answer) = odd.filter(|answer| !answer.is_made()) {
            return Ok((Delivery::Odd(answer), None));
        }
        if create.scenario.is_once && self.sessions.iter().any(|one| one.create.scenario.name == create.scenario.name) {
            create.scenario = &scenario::ALL[0];
        }
        let delivery = create.scenario.delivery;
        if delivery == Delivery::LostServerError {
            return Ok((delivery, None));
        }
        if delivery == Delivery::RateLimited {
            let mut tags = create.tags.clone();
            tags.sort_unstable();
            if self.refused.insert(tags) {
                return Ok((delivery, None));
            }
        }
        let is_running = |session: &&Session| {
            session.state(now).is_some_and(|state| !matches!(state.status, "exit" | "error" | "suspended"))
        };
        if let Some(quota) = self.quota.filter(|quota| self.sessions.iter().filter(is_running).count() >= *quota) {
            let detail = format!("You exceeded your concurrent session limit of {quota}");
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
        }
        let number = self.sessions.len() as u64;
        let (user_id, service_user_id) = match &create.create_as_user_id {
            Some(user_id) => (Some(user_id.clone()), None),
            None => (key.user_id().map(str::to_owned), key.service_user_id().map(str::to_owned)),
        };
        let repository = create.repositories.first().map_or("northwind-labs/payments-api", String::as_str);
        // Goes on where the numbers of the ready-made sessions end.
        let pull_request = 100 + (organization.sessions + 1 + number) * 3;
        let life = Life {
            scenario: create.scenario,
            since: now,
            session_seconds: self.session_seconds,
            pull_requests: 0,
            acu_hundredths: 0,
        };
        self.sessions.push(Session {
            number,
            id: organization.id(Family::Created, number),
            created: now,
            user_id,
            service_user_id,
            is_archived: false,
            pull_request_url: format!("https://github.com/{repository}/pull/{pull_request}"),
            life,
            said: Vec::new(),
            touched: now,
            create,
        });
        let answered = if delivery == Delivery::RateLimited { Delivery::Answered } else { delivery };
        let answered = odd.map_or(answered, Delivery::Odd);
        Ok((answered, self.sessions.last()))
    }

    /// The session with this identifier, bare or with one leading `devin-`, and where it stands.
    ///
    /// # Errors
    /// 404 when there is none, or none any more.
    pub fn find(&self, session_id: &str, now: Duration) -> Result<(&Session, State), Problem> {
        let lag = self.oddities.get_lag;
        let found = self.sessions.iter().find(|session| session.has_id(session_id) && now >= session.created + lag);
        found.and_then(|session| Some((session, session.state(now)?))).ok_or_else(|| Problem::unknown("session"))
    }

    /// As [`find`](Self::find), to change it.
    ///
    /// # Errors
    /// 404 when there is none, or none any more.
    pub fn find_mut(&mut self, session_id: &str, now: Duration) -> Result<(&mut Session, State), Problem> {
        let lag = self.oddities.get_lag;
        let mut sessions = self.sessions.iter_mut();
        let found = sessions.find(|session| session.has_id(session_id) && now >= session.created + lag);
        let unknown = || Problem::unknown("session");
        let session = found.ok_or_else(unknown)?;
        let state = session.state(now).ok_or_else(unknown)?;
        Ok((session, state))
    }

    /// The sessions that lists show at this moment, newest first.
    pub fn listed(&self, now: Duration) -> impl Iterator<Item = (&Session, State)> {
        let newest_first = self.sessions.iter().rev();
        let lag = self.oddities.list_lag;
        let is_listed = move |session: &&Session| session.is_listed(now) && now >= session.created + lag;
        newest_first.filter(is_listed).filter_map(move |session| {
            let state = session.state(now)?;
            Some((session, state))
        })
    }
}

impl Session {
    /// Whether this identifier is its own, bare or with one leading `devin-`.
    pub fn has_id(&self, session_id: &str) -> bool {
        let bare = session_id.strip_prefix("devin-").unwrap_or(session_id);
        bare == format!("{:032x}", self.id)
    }

    /// Where it stands; `None` once nothing finds it any more.
    pub fn state(&self, now: Duration) -> Option<State> {
        let state = self.life.scenario.state(self.life.moment(now))?;
        Some(State {
            pull_requests: state.pull_requests.max(self.life.pull_requests),
            acu_hundredths: state.acu_hundredths + self.life.acu_hundredths,
            ..state
        })
    }

    /// Where it stood at its birth, as the reply to its creation tells it.
    pub fn newborn(&self) -> State {
        self.create.scenario.state(0.0).expect("every life has a beginning")
    }

    /// When it last changed, by itself or from outside.
    pub fn updated(&self, state: &State, now: Duration) -> Duration {
        self.life.time_of(state.changed_at, now).max(self.touched)
    }

    /// Takes a message from a person: one that sleeps or waits goes on, one that works only hears it.
    ///
    /// # Errors
    /// 409 when it has ended, or sleeps on a machine that cannot be resumed.
    pub fn hear(&mut self, message: String, state: &State, now: Duration) -> Result<(), Problem> {
        let is_asleep = state.status == "suspended";
        if matches!(state.status, "exit" | "error") || is_asleep && !self.create.is_resumable {
            return Err(Problem::new(StatusCode::CONFLICT, "the session has ended and cannot be resumed"));
        }
        let is_idle = matches!(state.status_detail, Some("waiting_for_user" | "waiting_for_approval" | "finished"));
        if is_asleep || is_idle {
            self.live_anew(AFTER_MESSAGE, state, now);
        }
        self.said.push(Line::from_user(message, now));
        self.touched = now;
        Ok(())
    }

    /// Ends it; one that has ended stays as it is.
    pub fn terminate(&mut self, is_archived: bool, state: &State, now: Duration) {
        if !matches!(state.status, "exit" | "error") {
            self.live_anew(AFTER_TERMINATION, state, now);
            self.touched = now;
        }
        if is_archived && !self.is_archived {
            self.is_archived = true;
            self.touched = now;
        }
    }

    /// Replaces the tags, or adds those that are missing. The scenario stays what it was.
    ///
    /// # Errors
    /// 422 when there would be too many; nothing is changed then.
    pub fn tag(&mut self, tags: Vec<String>, replaces: bool, now: Duration) -> Result<(), Problem> {
        let mut all = if replaces { Vec::new() } else { self.create.tags.clone() };
        for tag in tags {
            if replaces || !all.contains(&tag) {
                all.push(tag);
            }
        }
        if all.len() > MOST_TAGS {
            let detail = format!("a session has at most {MOST_TAGS} tags");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        self.create.tags = all;
        self.touched = now;
        Ok(())
    }

    fn is_listed(&self, now: Duration) -> bool {
        self.life.moment(now) >= self.life.scenario.listed_from
    }

    fn live_anew(&mut self, scenario: &'static Scenario, state: &State, now: Duration) {
        self.said = self.lines(now);
        self.life = Life {
            scenario,
            since: now,
            session_seconds: self.life.session_seconds,
            pull_requests: state.pull_requests,
            acu_hundredths: state.acu_hundredths,
        };
    }
}

impl Life {
    fn moment(&self, now: Duration) -> f64 {
        scenario::moment(now.saturating_sub(self.since), self.session_seconds)
    }

    /// The time of a moment that is not after `now`.
    fn time_of(&self, moment: f64, now: Duration) -> Duration {
        if moment <= 0.0 {
            return self.since;
        }
        let elapsed = now.saturating_sub(self.since);
        let seconds = (moment * self.session_seconds).min(elapsed.as_secs_f64());
        // A life of no length, or of less than none, was over when it began.
        self.since + Duration::try_from_secs_f64(seconds).unwrap_or_default().min(elapsed)
    }
}
