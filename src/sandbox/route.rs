//! Which path is what, which permission it needs, and who answers it.

use hyper::StatusCode;

use super::ORG_ID;
use super::data::{Organisation, message, resource, session};
use super::filter::{SessionFilter, notes};
use super::json::Json;
use super::page::PageRequest;
use super::problem::Problem;
use super::query::{Query, decode_segment};

/// One thing that can be asked, in an organisation that may or may not be ours.
#[derive(Debug, PartialEq)]
pub struct Route {
    /// The organisation in the path; `None` for the path that has none.
    org_id: Option<String>,
    resource: Resource,
}

#[derive(Debug, PartialEq)]
enum Resource {
    Principal,
    Sessions { with_insights: bool },
    Session { id: String, with_insights: bool },
    Messages { session_id: String },
    Playbooks,
    Secrets,
    Notes,
    Folders,
}

impl Route {
    /// The route of a path, or `None` when the API has no such path.
    pub fn of(path: &str) -> Option<Route> {
        let segments: Vec<String> = path.split('/').skip(1).map(decode_segment).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (org_id, rest) = match segments.as_slice() {
            ["v3", "self"] => {
                return Some(Route { org_id: None, resource: Resource::Principal });
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
        "GET"
    }

    /// The permission a key must have; `None` when any key will do.
    pub fn permission(&self) -> Option<&'static str> {
        match self.resource {
            Resource::Principal => None,
            Resource::Sessions { .. } | Resource::Session { .. } | Resource::Messages { .. } => Some("ViewOrgSessions"),
            Resource::Playbooks => Some("ManageOrgPlaybooks"),
            Resource::Secrets => Some("ManageOrgSecrets"),
            Resource::Notes | Resource::Folders => Some("ManageOrgKnowledge"),
        }
    }

    /// Whether its answers are pages with cursors.
    pub fn is_paged(&self) -> bool {
        !matches!(self.resource, Resource::Principal | Resource::Session { .. } | Resource::Folders)
    }

    /// The JSON body that answers it.
    ///
    /// `path` is the route's own, `is_stuck` asks for a page that points at itself.
    ///
    /// # Errors
    /// 404 for what does not exist, 400 and 422 for a question that cannot be understood.
    pub fn answer(
        &self,
        organisation: &Organisation,
        path: &str,
        query: &Query,
        is_stuck: bool,
    ) -> Result<String, Problem> {
        if self.org_id.as_deref().is_some_and(|id| id != ORG_ID) {
            return Err(Problem::unknown("organization"));
        }
        let page = || PageRequest::new(query, path, is_stuck);
        match &self.resource {
            Resource::Principal => Ok(one(resource::write_principal)),
            Resource::Sessions { with_insights } => sessions(organisation, query, &page()?, *with_insights),
            Resource::Session { id, with_insights } => {
                let session = organisation.session(index_of(organisation, id)?);
                Ok(one(|json| {
                    session::write(json, organisation, &session, *with_insights);
                }))
            }
            Resource::Messages { session_id } => {
                let session = organisation.session(index_of(organisation, session_id)?);
                messages(organisation, &session, &page()?)
            }
            Resource::Playbooks => Ok(whole_list(&page()?, resource::PLAYBOOKS, |json, place| {
                resource::write_playbook(json, organisation, place);
            })),
            Resource::Secrets => Ok(whole_list(&page()?, resource::SECRETS, |json, place| {
                resource::write_secret(json, organisation, place);
            })),
            Resource::Notes => {
                let notes: Vec<u64> = notes(query).collect();
                let page = page()?;
                let rest = notes.iter().filter(|place| **place >= page.position);
                let matches = rest.map(|place| (*place, *place));
                Ok(page.write(Some(notes.len() as u64), matches, |json, place| {
                    resource::write_note(json, organisation, place);
                }))
            }
            Resource::Folders => Ok(one(|json| resource::write_folders(json, organisation))),
        }
    }
}

fn sessions(
    organisation: &Organisation,
    query: &Query,
    page: &PageRequest,
    with_insights: bool,
) -> Result<String, Problem> {
    let filter = SessionFilter::new(query, organisation)?;
    let total = page.total.unwrap_or_else(|| filter.count(organisation));
    let matches = filter.matches(organisation, page.position);
    Ok(page.write(Some(total), matches.map(|session| (session.index, session)), |json, session| {
        session::write(json, organisation, &session, with_insights)
    }))
}

fn messages(organisation: &Organisation, session: &session::Session, page: &PageRequest) -> Result<String, Problem> {
    let places = page.position..session.messages;
    let mut text = String::new();
    Ok(page.write(None, places.map(|place| (place, place)), |json, place| {
        message::write(json, organisation, session, place, &mut text)
    }))
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

fn index_of(organisation: &Organisation, session_id: &str) -> Result<u64, Problem> {
    organisation.index_of(session_id).ok_or_else(|| Problem::unknown("session"))
}

/// What a request with another method than [`Route::methods`] is told.
pub fn method_refused() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
}
