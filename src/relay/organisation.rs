//! Whose key is this, and in which organisation do its sessions live? Asked before any alert needs the answer.

use super::report::{Code, Trouble};
use crate::devin::{Client, Error, Event, Kind, Principal};
use crate::failure::KEYS_PAGE;

/// The answer.
#[derive(Debug, Clone)]
pub struct Standing {
    /// `None` where the deployment does not tell.
    pub principal: Option<Principal>,
    pub org_id: String,
    /// Permissions that the relay needs and the key was seen to lack.
    pub missing: Vec<String>,
}

/// Verifies the key, finds its organisation, and sees whether its sessions can be read.
///
/// A configured organisation wins. Otherwise the key's own, unless it is a person's; then the only one that an
/// enterprise key may act in; then what a personal token says.
///
/// # Errors
/// A key that is refused, an organisation that cannot be found or told apart, or an API that does not answer.
pub async fn find(client: &Client, configured: Option<&str>) -> Result<Standing, Trouble> {
    let principal = match client.principal(&quiet).await {
        Ok(principal) => Some(principal),
        // Not every deployment and not every kind of key has this endpoint.
        Err(error) if matches!(error.kind, Kind::Status(403 | 404)) => None,
        Err(error) => return Err(trouble(&error)),
    };
    let org_id = match configured {
        Some(org_id) => org_id.to_string(),
        None => of_key(client, principal.as_ref()).await?,
    };
    let missing = match client.find_newest_session(&org_id, &quiet).await {
        Ok(()) => Vec::new(),
        Err(error) if error.kind == Kind::Status(403) => vec!["ViewOrgSessions".to_string()],
        Err(error) => return Err(trouble(&error)),
    };
    Ok(Standing { principal, org_id, missing })
}

async fn of_key(client: &Client, principal: Option<&Principal>) -> Result<String, Trouble> {
    let given = |org_id: &Option<String>| org_id.clone().filter(|org_id| !org_id.is_empty());
    if let Some(principal) = principal.filter(|principal| !principal.is_personal())
        && let Some(org_id) = given(&principal.org_id)
    {
        return Ok(org_id);
    }
    let organisations = match client.organisations(&quiet).await {
        Ok(organisations) => organisations,
        Err(error) if matches!(error.kind, Kind::Status(403 | 404)) => Vec::new(),
        Err(error) => return Err(trouble(&error)),
    };
    match &organisations[..] {
        [only] => return Ok(only.clone()),
        [] => {}
        several => {
            let message = format!(
                "the key may act in {} organisations: name one as org_id, in DEVIN_ORG_ID, or by --endpoint",
                several.len()
            );
            return Err(Trouble { code: Code::OrganisationUnknown, message });
        }
    }
    principal.and_then(|principal| given(&principal.org_id).or_else(|| given(&principal.devin_sessions_org_id))).ok_or_else(
        || Trouble {
            code: Code::OrganisationUnknown,
            message: "the key does not tell its organisation: give org_id (it stands on the page where the key was made), in the file or in DEVIN_ORG_ID".to_string(),
        },
    )
}

/// A request that failed, in words.
pub fn trouble(error: &Error) -> Trouble {
    let (code, remedy) = match error.kind {
        Kind::Status(401) => (
            Code::InvalidDevinToken,
            format!(
                "The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at {KEYS_PAGE}"
            ),
        ),
        Kind::Status(403) => (
            Code::MissingPermission,
            "The key lacks a permission: a session needs UseDevinSessions (or ManageOrgSessions) to be created, ViewOrgSessions to be seen, ManageOrgSessions to be ended".to_string(),
        ),
        Kind::Status(404) => (
            Code::OrganisationUnknown,
            "Nothing is there for this key: org_id may be wrong or belong to another key".to_string(),
        ),
        Kind::Status(429) | Kind::WaitTooLong { .. } => {
            (Code::RateLimited, "The API limits how often it may be asked: run the alert again later".to_string())
        }
        Kind::Status(400..=499) => (
            Code::Refused,
            "The API does not take this session: check its options (playbook, repository, mode, schema, tags)".to_string(),
        ),
        Kind::Status(_) | Kind::Invalid(_) => {
            (Code::ApiTrouble, "The API has trouble at the moment: run the alert again later".to_string())
        }
        Kind::Unaskable(_) => (Code::NotAsked, "Nothing was sent".to_string()),
        Kind::Unreachable(_) | Kind::Silent(_) | Kind::TimeUp(_) | Kind::Broken(_) => {
            (Code::Unreachable, "Check the address, the network and the proxy settings, and run the alert again".to_string())
        }
    };
    Trouble { code, message: format!("{error}. {remedy}.") }
}

/// What is tried again is not worth a word here.
pub fn quiet(_: Event) {}
