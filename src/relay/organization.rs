//! Whose key is this, and in which organization do its sessions live? Asked before any alert needs the answer.

use super::error_report::{Audience, Code, ErrorReport, error_report, ignore_events};
use crate::devin::{Client, Kind, Principal};

/// The answer.
#[derive(Debug, Clone)]
pub struct Identified {
    /// `None` where the deployment does not tell.
    pub principal: Option<Principal>,
    pub org_id: String,
    /// Permissions that the relay needs and the key was seen to lack.
    pub missing: Vec<String>,
    /// Why it is not known whose key it is, although the organization is.
    pub warning: Option<String>,
}

/// Permissions that the relay needs and that nothing but a session shows: asking changes something.
pub const UNTESTED: [&str; 2] = ["UseDevinSessions", "ManageOrgSessions"];

/// Verifies the key, finds its organization, and sees whether its sessions can be read.
///
/// A configured organization wins. Otherwise the key's own, unless it is a person's; then the only one that an
/// enterprise key may act in; then what a personal token says.
///
/// # Errors
/// A key that is refused, an organization that cannot be found or told apart, or an API that does not answer, in words for
/// this audience.
pub async fn find(client: &Client, configured: Option<&str>, audience: Audience) -> Result<Identified, ErrorReport> {
    let mut warning = None;
    let principal = match client.principal(&ignore_events).await {
        Ok(principal) => Some(principal),
        // Not every deployment and not every kind of key has this endpoint.
        Err(error) if matches!(error.kind, Kind::Status(403 | 404)) => None,
        // Whose key it is matters little where the organization is known.
        Err(error) if configured.is_some() && error.kind != Kind::Status(401) => {
            warning = Some(format!("{error}; the configured organization is used, and whose key it is stays unknown"));
            None
        }
        Err(error) => return Err(error_report(&error, audience)),
    };
    let org_id = match configured {
        Some(org_id) => org_id.to_string(),
        None => of_key(client, principal.as_ref(), audience).await?,
    };
    let missing = match client.can_list_sessions(&org_id, &ignore_events).await {
        Ok(()) => Vec::new(),
        Err(error) if error.kind == Kind::Status(403) => vec!["ViewOrgSessions".to_string()],
        Err(error) => return Err(error_report(&error, audience)),
    };
    Ok(Identified { principal, org_id, missing, warning })
}

async fn of_key(client: &Client, principal: Option<&Principal>, audience: Audience) -> Result<String, ErrorReport> {
    let given = |org_id: &Option<String>| org_id.clone().filter(|org_id| !org_id.is_empty());
    if let Some(principal) = principal.filter(|principal| !principal.is_personal())
        && let Some(org_id) = given(&principal.org_id)
    {
        return Ok(org_id);
    }
    let organizations = match client.organizations(&ignore_events).await {
        Ok(organizations) => organizations,
        Err(error) if matches!(error.kind, Kind::Status(403 | 404)) => Vec::new(),
        Err(error) => return Err(error_report(&error, audience)),
    };
    match &organizations[..] {
        [only] => return Ok(only.clone()),
        [] => {}
        several => {
            let place = match audience {
                Audience::Settings => "org_id, in DEVIN_ORG_ID, or by --endpoint",
                Audience::Rules => "org_id of the integration in the rules file",
            };
            let message = format!("the key may act in {} organizations: name one as {place}", several.len());
            return Err(ErrorReport { code: Code::OrganizationUnknown, message });
        }
    }
    let told =
        principal.and_then(|principal| given(&principal.org_id).or_else(|| given(&principal.devin_sessions_org_id)));
    told.ok_or_else(|| {
        let place = match audience {
            Audience::Settings => "in the file or in DEVIN_ORG_ID",
            Audience::Rules => "to the integration in the rules file",
        };
        let message = format!(
            "the key does not tell its organization: give org_id (it stands on the page where the key was made), {place}"
        );
        ErrorReport { code: Code::OrganizationUnknown, message }
    })
}
