//! Which path is what, which permission it needs, and who answers it.

mod change;

use std::time::Duration;

use hyper::{Method, StatusCode};

use super::data::session::Session;
use super::data::{Organization, message, resource, session_item};
use super::filter::{SessionFilter, notes};
use super::json::Json;
use super::key::{Key, write_organization};
use super::list::{self, List};
use super::live::scenario::State;
use super::live::view::{self, Reply};
use super::live::{self, Live, talk};
use super::page::PageRequest;
use super::problem::Problem;
use super::query::{Query, decode_segment};

pub use change::{Change, Changed};

/// Where the places of the ready-made sessions begin; those before are for created ones, the newest
/// first. So a session that is created between two pages moves no other one.
const READY_MADE: u64 = 1 << 32;

pub const ENTERPRISE_PERMISSION: &str = "ManageOrganizations";

/// One thing that can be asked, in an organization that may or may not be ours.
#[derive(Debug, PartialEq)]
pub struct Route {
    /// The organization in the path; `None` for the path that has none.
    org_id: Option<String>,
    resource: Resource,
}

#[derive(Debug, PartialEq)]
enum Resource {
    Principal,
    Organizations,
    Sessions { with_insights: bool },
    Session { id: String, with_insights: bool },
    Messages { session_id: String },
    Tags { session_id: String },
    Playbooks,
    Secrets,
    Notes,
    Folders,
    Listed { list: &'static List, each: Option<String> },
}

/// How a GET is asked.
pub struct Question<'a> {
    /// The route's own path.
    pub path: &'a str,
    pub query: &'a Query,
    pub key: Key,
    pub now: Duration,
    /// Asks for a page that points at itself.
    pub is_stuck: bool,
    /// Whether a list of sessions shows none that was created.
    pub is_stale: bool,
}

impl Route {
    /// The route of a path, or `None` when the API has no such path.
    pub fn of(path: &str) -> Option<Route> {
        let segments: Vec<String> = path.split('/').skip(1).map(decode_segment).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Some((list, org_id, each)) = list::find(&segments) {
            return Some(Route { org_id, resource: Resource::Listed { list, each } });
        }
        let (org_id, rest) = match segments.as_slice() {
            ["v3", "self"] => {
                return Some(Route { org_id: None, resource: Resource::Principal });
            }
            ["v3", "enterprise", "organizations"] => {
                return Some(Route { org_id: None, resource: Resource::Organizations });
            }
            ["v3", "organizations", org_id, rest @ ..] => (org_id, rest),
            _ => return None,
        };
        let resource = match *rest {
            ["sessions"] => Resource::Sessions { with_insights: false },
            ["sessions", "insights"] => Resource::Sessions { with_insights: true },
            ["sessions", id] => Resource::Session { id: id.to_owned(), with_insights: false },
            ["sessions", id, "insights"] => Resource::Session { id: id.to_owned(), with_insights: true },
            ["sessions", id, "messages"] => Resource::Messages { session_id: id.to_owned() },
            ["sessions", id, "tags"] => Resource::Tags { session_id: id.to_owned() },
            ["playbooks"] => Resource::Playbooks,
            ["secrets"] => Resource::Secrets,
            ["knowledge", "notes"] => Resource::Notes,
            ["knowledge", "folders"] => Resource::Folders,
            _ => return None,
        };
        Some(Route { org_id: Some((*org_id).to_owned()), resource })
    }

    /// The methods it takes, as the `Allow` header lists them.
    pub fn methods(&self) -> &'static str {
        match self.resource {
            Resource::Sessions { with_insights: false } | Resource::Messages { .. } => "GET, POST",
            Resource::Session { with_insights: false, .. } => "GET, DELETE",
            Resource::Tags { .. } => "GET, POST, PUT",
            _ => "GET",
        }
    }

    /// Whether it takes this method.
    pub fn takes(&self, method: &Method) -> bool {
        self.methods().split(", ").any(|known| known == method.as_str())
    }

    /// The permission a key must have for this method; `None` when any key will do.
    pub fn permission(&self, method: &Method) -> Option<&'static str> {
        if method != Method::GET {
            let is_use = matches!(self.resource, Resource::Sessions { .. } | Resource::Messages { .. });
            return Some(if is_use { "UseDevinSessions" } else { "ManageOrgSessions" });
        }
        match self.resource {
            Resource::Listed { list, .. } => Some(list.permission),
            Resource::Principal => None,
            Resource::Organizations => Some(ENTERPRISE_PERMISSION),
            Resource::Sessions { .. }
            | Resource::Session { .. }
            | Resource::Messages { .. }
            | Resource::Tags { .. } => Some("ViewOrgSessions"),
            Resource::Playbooks => Some("ManageOrgPlaybooks"),
            Resource::Secrets => Some("ManageOrgSecrets"),
            Resource::Notes | Resource::Folders => Some("ManageOrgKnowledge"),
        }
    }

    /// Whether it lists sessions.
    pub fn lists_sessions(&self) -> bool {
        matches!(self.resource, Resource::Sessions { .. })
    }

    /// Whether its answers are pages with cursors.
    pub fn is_paged(&self) -> bool {
        if let Resource::Listed { list, .. } = self.resource {
            return list.is_paged();
        }
        !matches!(
            self.resource,
            Resource::Principal | Resource::Session { .. } | Resource::Tags { .. } | Resource::Folders
        )
    }

    /// The JSON body that answers a GET.
    ///
    /// # Errors
    /// 403 for what only an enterprise may ask, 404 for what does not exist, 400 and 422 for a question
    /// that cannot be understood.
    pub fn answer(
        &self,
        organizations: &[Organization],
        live: &Live,
        question: &Question<'_>,
    ) -> Result<String, Problem> {
        let organization = self.organization(organizations, question.key)?;
        let &Question { path, query, key, now, is_stuck, is_stale } = question;
        let page = || PageRequest::new(query, path, is_stuck);
        match &self.resource {
            Resource::Principal => Ok(one(|json| key.write(json))),
            Resource::Organizations if key != Key::Enterprise => Err(Problem::lacks(ENTERPRISE_PERMISSION)),
            Resource::Organizations => Ok(whole_list(&page()?, organizations.len() as u64, |json, number| {
                write_organization(json, number as usize);
            })),
            Resource::Sessions { with_insights } => {
                let filter = SessionFilter::new(query, organization)?;
                Ok(sessions(organization, live, &filter, &page()?, *with_insights, (now, is_stale)))
            }
            Resource::Session { id, with_insights } => Ok(match find(organization, live, id, now)? {
                Found::ReadyMade(session) => one(|json| {
                    session_item::write(json, organization, &session, *with_insights);
                }),
                Found::Created(session, state) => one(|json| {
                    view::write(json, session, &state, now, reply(*with_insights));
                }),
            }),
            Resource::Messages { session_id } => Ok(match find(organization, live, session_id, now)? {
                Found::ReadyMade(session) => messages(organization, &session, &page()?),
                Found::Created(session, _) => conversation(session, &page()?, now),
            }),
            Resource::Tags { session_id } => Ok(match find(organization, live, session_id, now)? {
                Found::ReadyMade(session) => one(|json| write_tags(json, session.tags())),
                Found::Created(session, _) => {
                    one(|json| write_tags(json, session.create.tags.iter().map(String::as_str)))
                }
            }),
            Resource::Playbooks => Ok(whole_list(&page()?, resource::PLAYBOOKS, |json, place| {
                resource::write_playbook(json, organization, place);
            })),
            Resource::Secrets => Ok(whole_list(&page()?, resource::SECRETS, |json, place| {
                resource::write_secret(json, organization, place);
            })),
            Resource::Notes => {
                let notes: Vec<u64> = notes(query).collect();
                let page = page()?;
                let rest = notes.iter().filter(|place| **place >= page.position);
                let matches = rest.map(|place| (*place, *place));
                Ok(page.write(Some(notes.len() as u64), matches, |json, place| {
                    resource::write_note(json, organization, place);
                }))
            }
            Resource::Listed { list, each } => {
                list.answer(organization, each.as_deref(), (path, query, key), (now.as_secs() as i64, is_stuck))
            }
            Resource::Folders => Ok(one(|json| resource::write_folders(json, organization))),
        }
    }

    /// The organization that the path names; of a path without one, the first. Only a key of the enterprise knows others.
    fn organization<'a>(&self, all: &'a [Organization], key: Key) -> Result<&'a Organization, Problem> {
        let known = if key == Key::Enterprise { all } else { &all[..1] };
        let named = known.iter().find(|organization| self.org_id.as_deref().is_none_or(|id| id == organization.id));
        named.ok_or_else(|| Problem::unknown("organization"))
    }
}

/// A session of either kind.
#[expect(clippy::large_enum_variant, reason = "a box would cost every listed session an allocation")]
enum Found<'a> {
    ReadyMade(Session),
    Created(&'a live::Session, State),
}

fn find<'a>(organization: &Organization, live: &'a Live, id: &str, now: Duration) -> Result<Found<'a>, Problem> {
    match organization.index_of(id) {
        Some(index) => Ok(Found::ReadyMade(organization.session(index))),
        None if organization.number() > 0 => Err(Problem::unknown("session")),
        None => live.find(id, now).map(|(session, state)| Found::Created(session, state)),
    }
}

fn sessions(
    organization: &Organization,
    live: &Live,
    filter: &SessionFilter,
    page: &PageRequest,
    with_insights: bool,
    (now, is_stale): (Duration, bool),
) -> String {
    let is_here = organization.number() == 0 && !is_stale;
    let created = || live.listed(now).filter(|(session, state)| is_here && filter.admits_live(session, state, now));
    let total = page.total.unwrap_or_else(|| filter.count(organization) + created().count() as u64);
    let newest = created()
        .map(|(session, state)| (READY_MADE - 1 - session.number, Found::Created(session, state)))
        .filter(|(place, _)| *place >= page.position);
    let older = filter
        .matches(organization, page.position.saturating_sub(READY_MADE))
        .map(|session| (READY_MADE + session.index, Found::ReadyMade(session)));
    page.write(Some(total), newest.chain(older), |json, found| match found {
        Found::ReadyMade(session) => session_item::write(json, organization, &session, with_insights),
        Found::Created(session, state) => view::write(json, session, &state, now, reply(with_insights)),
    })
}

fn reply(with_insights: bool) -> Reply {
    if with_insights { Reply::ReadWithInsights } else { Reply::Read }
}

fn messages(organization: &Organization, session: &Session, page: &PageRequest) -> String {
    let places = page.position..session.messages;
    let mut text = String::new();
    page.write(None, places.map(|place| (place, place)), |json, place| {
        message::write(json, organization, session, place, &mut text)
    })
}

fn conversation(session: &live::Session, page: &PageRequest, now: Duration) -> String {
    let lines = session.conversation(now);
    let rest = (0..).zip(&lines).skip_while(|(place, _)| *place < page.position);
    page.write(None, rest.map(|(place, line)| (place, (place, line))), |json, (place, line)| {
        talk::write(json, session, place, line);
    })
}

fn write_tags(json: &mut Json, tags: impl Iterator<Item = impl AsRef<str>>) {
    json.open('{');
    json.key("tags").open('[');
    for tag in tags {
        json.text(tag.as_ref());
    }
    json.close(']');
    json.close('}');
}

fn whole_list(page: &PageRequest, count: u64, write_item: impl FnMut(&mut Json, u64)) -> String {
    let places = page.position..count;
    page.write(Some(count), places.map(|place| (place, place)), write_item)
}

fn one(write: impl FnOnce(&mut Json)) -> String {
    let mut json = Json::with_capacity(2048);
    write(&mut json);
    json.into_text()
}

/// What a request with another method than [`Route::methods`] is told.
pub fn method_refused() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}
