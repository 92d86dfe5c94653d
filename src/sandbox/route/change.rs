//! What changes something: create, write to, end and tag a session.

use std::time::Duration;

use hyper::{Method, StatusCode};

use super::super::body::{self, Field, Kind, optional, required, text, texts};
use super::{Resource, Route, one, write_tags};
use crate::sandbox::data::Organization;
use crate::sandbox::key::Key;
use crate::sandbox::live::create::Create;
use crate::sandbox::live::scenario::{Delivery, State};
use crate::sandbox::live::view::{self, Reply};
use crate::sandbox::live::{Live, Session};
use crate::sandbox::problem::Problem;
use crate::sandbox::query::Query;

const MESSAGE: [Field; 3] = [
    required("message", Kind::Text { shortest: 1 }),
    optional("attachment_urls", Kind::Urls),
    optional("message_as_user_id", Kind::Text { shortest: 0 }),
];
const TAGS: [Field; 1] = [required("tags", Kind::Tags)];

/// How a change is asked for.
pub struct Change<'a> {
    pub method: &'a Method,
    pub query: &'a Query,
    pub body: &'a [u8],
    pub key: Key,
    pub now: Duration,
    /// Whether the key may create a session for somebody else.
    pub may_impersonate: bool,
}

/// What was changed, and how that is told.
pub struct Changed {
    pub delivery: Delivery,
    /// The JSON of an honest answer.
    pub body: String,
}

impl Route {
    /// Does what is asked for.
    ///
    /// # Errors
    /// 404 for what does not exist, 400 and 422 for a body that cannot be understood, 429 where as many
    /// sessions run as may, 409 for a session that cannot be changed. Nothing has changed then.
    pub fn change(
        &self,
        organizations: &[Organization],
        live: &mut Live,
        change: &Change<'_>,
    ) -> Result<Changed, Problem> {
        let organization = self.organization(organizations, change.key)?;
        if organization.number() > 0 {
            return Err(Problem::new(StatusCode::FORBIDDEN, "this simulated organization can only be read"));
        }
        let now = change.now;
        let body = match &self.resource {
            Resource::Sessions { .. } => return create(organization, live, change),
            Resource::Session { id, .. } => {
                let is_archived = change.query.boolean("archive")?.unwrap_or(false);
                let (session, state) = find(organization, live, id, now)?;
                session.terminate(is_archived, &state, now);
                told(session, now)?
            }
            Resource::Messages { session_id } => {
                let (session, state) = find(organization, live, session_id, now)?;
                let fields = body::read(change.body, &MESSAGE)?;
                session.hear(text(&fields, "message").unwrap_or_default(), &state, now)?;
                told(session, now)?
            }
            Resource::Tags { session_id } => {
                let (session, _) = find(organization, live, session_id, now)?;
                let fields = body::read(change.body, &TAGS)?;
                session.tag(texts(&fields, "tags"), change.method == Method::PUT, now)?;
                one(|json| write_tags(json, session.create.tags.iter().map(String::as_str)))
            }
            _ => return Err(super::method_refused()),
        };
        Ok(Changed { delivery: Delivery::Answered, body })
    }
}

fn create(organization: &Organization, live: &mut Live, change: &Change<'_>) -> Result<Changed, Problem> {
    let create = Create::read(change.body)?;
    if create.create_as_user_id.is_some() && !change.may_impersonate {
        return Err(Problem::lacks("ImpersonateOrgSessions"));
    }
    let (delivery, session) = live.create(organization, create, change.key, change.now)?;
    let told = |session: &Session| reply(session, &session.newborn(), change.now);
    Ok(Changed { delivery, body: session.map(told).unwrap_or_default() })
}

/// The session to change.
fn find<'a>(
    organization: &Organization,
    live: &'a mut Live,
    id: &str,
    now: Duration,
) -> Result<(&'a mut Session, State), Problem> {
    if organization.index_of(id).is_some() {
        let detail = "the sandbox's ready-made sessions cannot be changed";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    live.find_mut(id, now)
}

fn told(session: &Session, now: Duration) -> Result<String, Problem> {
    let state = session.state(now).ok_or_else(|| Problem::unknown("session"))?;
    Ok(reply(session, &state, now))
}

fn reply(session: &Session, state: &State, now: Duration) -> String {
    one(|json| view::write(json, session, state, now, Reply::Changed))
}
