//! Which sessions and which notes a question means.
//!
//! Lower bounds are inclusive and upper bounds exclusive, for `created_*` as observed and for
//! `updated_*` by the same rule. A list parameter means any of its values. `schedule_id` and
//! `repo_names` are ignored, as unknown parameters are.

use std::time::Duration;

use super::data::resource::NOTE_ROWS;
use super::data::session::{Creator, Session};
use super::data::words::{CATEGORIES, ORIGINS, SERVICE_USERS, USERS};
use super::data::{Family, Organization};
use super::live;
use super::live::scenario::State;
use super::live::view;
use super::problem::Problem;
use super::query::Query;

/// What a session must be to be listed; `None` asks for nothing, an empty list lets nothing pass.
#[derive(Debug)]
pub struct SessionFilter {
    only: Option<Vec<u64>>,
    created: Bounds,
    updated: Bounds,
    tags: Option<Vec<String>>,
    origins: Option<Vec<String>>,
    category: Option<Vec<String>>,
    playbook: Option<Vec<u64>>,
    automations: Option<Vec<u64>>,
    creators: Option<Vec<Creator>>,
    parent: Option<Vec<u64>>,
    is_archived: Option<bool>,
    sent: Identifiers,
}

/// Identifiers as they were sent, for the sessions that no arithmetic finds.
#[derive(Debug)]
struct Identifiers {
    sessions: Option<Vec<String>>,
    playbook: Option<Vec<String>>,
    users: Option<Vec<String>>,
    service_users: Option<Vec<String>>,
}

#[derive(Debug, Default)]
struct Bounds {
    from: Option<i64>,
    before: Option<i64>,
}

impl SessionFilter {
    /// Reads the filter parameters of the session lists.
    ///
    /// # Errors
    /// 422 for a value of the wrong type, an unknown origin or an unknown category.
    pub fn new(query: &Query, organization: &Organization) -> Result<SessionFilter, Problem> {
        let index_of = |id: &str| organization.index_of(id);
        let mut only = resolved(query.all("session_ids"), index_of);
        if let Some(only) = &mut only {
            only.sort_unstable();
            only.dedup();
        }
        let categories: Vec<&str> = CATEGORIES.iter().map(|category| category.name).collect();
        Ok(SessionFilter {
            only,
            created: Bounds::new(query, "created_after", "created_before")?,
            updated: Bounds::new(query, "updated_after", "updated_before")?,
            tags: query.all("tags").map(owned),
            origins: query.words("origins", &ORIGINS)?.map(owned),
            category: query.words("category", &categories)?.map(owned),
            playbook: resolved(query.all("playbook_id"), |id| organization.place_of(Family::Playbook, id)),
            automations: resolved(query.all("automation_ids"), |id| organization.place_of(Family::Automation, id)),
            creators: creators(query),
            parent: resolved(query.all("parent_session_id"), index_of),
            is_archived: query.boolean("is_archived")?,
            sent: Identifiers {
                sessions: query.all("session_ids").map(owned),
                playbook: query.all("playbook_id").map(owned),
                users: query.all("user_ids").map(owned),
                service_users: query.all("service_user_ids").map(owned),
            },
        })
    }

    /// The matching ready-made sessions from `position` on, newest first.
    pub fn matches(&self, organization: &Organization, position: u64) -> impl Iterator<Item = Session> {
        self.candidates(organization, position)
            .map(|index| organization.session(index))
            .filter(|session| self.admits(session))
    }

    /// Whether a created session matches; none has an automation or a parent.
    pub fn admits_live(&self, session: &live::Session, state: &State, now: Duration) -> bool {
        let is = |id: &Option<String>, wanted: &String| id.as_ref() == Some(wanted);
        let sent = &self.sent;
        self.created.admit(session.created.as_secs() as i64)
            && self.updated.admit(session.updated(state, now).as_secs() as i64)
            && any(&self.origins, |origin| origin == view::ORIGIN)
            && any(&self.category, |name| view::category(state) == Some(name))
            && any(&self.tags, |tag| session.create.tags.contains(tag))
            && any(&sent.sessions, |id| session.has_id(id))
            && any(&sent.playbook, |id| is(&session.create.playbook_id, id))
            && any(&sent.users, |id| is(&session.user_id, id))
            && any(&sent.service_users, |id| is(&session.service_user_id, id))
            && self.automations.is_none()
            && self.parent.is_none()
            && self.is_archived.is_none_or(|wanted| session.is_archived == wanted)
    }

    /// How many ready-made sessions match.
    pub fn count(&self, organization: &Organization) -> u64 {
        if self.is_met_by_every_candidate() {
            return self.candidates(organization, 0).count() as u64;
        }
        self.matches(organization, 0).count() as u64
    }

    /// The indexes that meet `session_ids` and the bounds of creation; the rest is up to `admits`.
    fn candidates(&self, organization: &Organization, position: u64) -> Box<dyn Iterator<Item = u64>> {
        let newest = match self.created.before {
            Some(before) => organization.first_created_before(before),
            None => 0,
        };
        let oldest = match self.created.from {
            Some(from) => organization.first_created_before(from),
            None => organization.sessions,
        };
        let stretch = newest.max(position)..oldest;
        match self.only.clone() {
            None => Box::new(stretch),
            Some(only) => Box::new(only.into_iter().filter(move |index| stretch.contains(index))),
        }
    }

    fn admits(&self, session: &Session) -> bool {
        self.updated.admit(session.updated_at)
            && any(&self.origins, |origin| origin == session.origin)
            && any(&self.category, |name| session.category == Some(name))
            && any(&self.playbook, |place| session.playbook == Some(*place))
            && any(&self.automations, |place| session.automation == Some(*place))
            && any(&self.creators, |creator| session.creator == *creator)
            && any(&self.parent, |index| session.parent == Some(*index))
            && any(&self.tags, |tag| session.tags().any(|carried| carried == *tag))
            && self.is_archived.is_none_or(|wanted| session.is_archived == wanted)
    }

    fn is_met_by_every_candidate(&self) -> bool {
        let lists = [&self.tags, &self.origins, &self.category];
        let places = [&self.playbook, &self.automations, &self.parent];
        lists.iter().all(|list| list.is_none())
            && places.iter().all(|list| list.is_none())
            && self.updated.is_empty()
            && self.creators.is_none()
            && self.is_archived.is_none()
    }
}

impl Bounds {
    fn new(query: &Query, from: &'static str, before: &'static str) -> Result<Bounds, Problem> {
        Ok(Bounds { from: query.integer(from)?, before: query.integer(before)? })
    }

    fn admit(&self, time: i64) -> bool {
        self.from.is_none_or(|from| time >= from) && self.before.is_none_or(|before| time < before)
    }

    fn is_empty(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }
}

/// The users and service users asked for. A session has one creator, so asking for both kinds is
/// asking for none.
fn creators(query: &Query) -> Option<Vec<Creator>> {
    let place = |ids: &[&str], id: &str| ids.iter().position(|known| *known == id);
    let user_ids = USERS.map(|user| user.id);
    let service_ids = SERVICE_USERS.map(|user| user.id);
    let users = resolved(query.all("user_ids"), |id| place(&user_ids, id));
    let services = resolved(query.all("service_user_ids"), |id| place(&service_ids, id));
    match (users, services) {
        (None, None) => None,
        (Some(users), None) => Some(users.into_iter().map(Creator::User).collect()),
        (None, Some(services)) => Some(services.into_iter().map(Creator::ServiceUser).collect()),
        (Some(_), Some(_)) => Some(Vec::new()),
    }
}

/// What the identifiers stand for; those that stand for nothing fall away.
fn resolved<T>(ids: Option<Vec<&str>>, find: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    Some(ids?.into_iter().filter_map(find).collect())
}

fn owned(values: Vec<&str>) -> Vec<String> {
    values.into_iter().map(str::to_owned).collect()
}

fn any<T>(wanted: &Option<Vec<T>>, is_it: impl Fn(&T) -> bool) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.iter().any(is_it))
}

/// The places of the notes meant: `search` looks into the texts without regard to case,
/// `folder_path` and `pinned_repo` must be equal.
pub fn notes(query: &Query) -> impl Iterator<Item = u64> {
    let search = query.last("search").map(str::to_lowercase);
    let admits = move |place: &u64| {
        let note = &NOTE_ROWS[*place as usize];
        let holds = |text: &str, part: &str| text.to_lowercase().contains(part);
        let is_found = search.as_deref().is_none_or(|part| {
            let texts = [note.name, note.body, note.trigger];
            texts.iter().any(|text| holds(text, part))
        });
        let folder = query.last("folder_path");
        let repository = query.last("pinned_repo");
        is_found
            && folder.is_none_or(|path| note.folder_path() == path)
            && repository.is_none_or(|wanted| note.pinned_repo == Some(wanted))
    };
    (0..NOTE_ROWS.len() as u64).filter(admits)
}
