//! The integrations of a rules file: Devin organizations, and the keys to them. Pure.

use super::routes::name_of_url;
use super::section::{Elsewhere, Place, Reader, Section};
use super::sources::{FORM, secret};
use super::{Devin, Integration, limits};
use crate::config::DEFAULT_API_URL;
use crate::devin::token::holds_key;
use crate::devin::{Token, endpoint};

pub const KEYS: [&str; 6] = ["name", "provider", "api_key", "endpoint", "org_id", "limits"];

const ELSEWHERE: [Elsewhere; 5] = [
    ("apiKey", "write api_key: {env: NAME}"),
    ("key", "write api_key: {env: NAME}"),
    ("api_token", "write api_key: {env: NAME}"),
    ("token", "write api_key: {env: NAME}"),
    ("api_url", "write endpoint, the full URL that creates a session: https://HOST/v3/organizations/ORG/sessions"),
];

/// Reads `integrations`.
pub fn integrations<'a>(place: &Place<'a>, devin: Devin, reader: &mut Reader<'a>) -> Vec<Integration> {
    let mut integrations: Vec<Integration> = Vec::new();
    for item in reader.list(place, "integrations", "- {name: …, provider: devin, api_key: {env: NAME}}") {
        let Some(section) = reader.section(&item, &KEYS, &ELSEWHERE) else { continue };
        let name = section.required("name", "a name for the rules to use, such as name: main", reader);
        let name = name.and_then(|place| {
            let name = reader.checked(&place, name_of_url)?;
            if integrations.iter().any(|known| known.name == name) {
                reader.problem(&place, format!("is {name:?}, the name of another integration"));
            }
            Some(name)
        });
        if let Some(place) = section.get("provider", reader) {
            reader.choice(&place, &[("devin", ())]);
        }
        let api_key = section.required("api_key", FORM, reader);
        reader.spared = match devin {
            Devin::Api => None,
            Devin::Nobody => Some("nobody asks for it here"),
            Devin::Sandbox(_) => Some("the sandbox does not need it"),
        };
        let token = api_key.and_then(|place| api_key_of(&place, reader));
        reader.spared = None;
        let token = token.filter(|_| devin == Devin::Api);
        let (api_url, org_id) = organization(&section, reader);
        let limited = section.get("limits", reader).map(|place| limits::limits(&place, reader)).unwrap_or_default();
        if let Some(name) = name {
            integrations.push(Integration { name, token, api_url, org_id, limited });
        }
    }
    integrations
}

/// Where the API is, and which organization it is, where that is said.
fn organization<'a>(section: &Section<'a>, reader: &mut Reader<'a>) -> (String, Option<String>) {
    let org_place = section.get("org_id", reader);
    let org_id = org_place.as_ref().and_then(|place| reader.checked(place, org_id));
    let full_url = section.get("endpoint", reader);
    let full_url = full_url.and_then(|place| reader.checked(&place, |text| endpoint(text).map_err(str::to_string)));
    let Some((api_url, of_endpoint)) = full_url else { return (DEFAULT_API_URL.to_string(), org_id) };
    if let (Some(place), Some(org_id)) = (&org_place, &org_id)
        && *org_id != of_endpoint
    {
        reader.problem(place, "is another organization than the one in endpoint: remove one of the two");
    }
    (api_url, Some(of_endpoint))
}

fn org_id(text: &str) -> Result<String, String> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace();
    if holds_key(text) {
        Err("is an API key: it must be the organization ID (org-…)".to_string())
    } else if text.contains("://") || text.contains(is_odd) || matches!(text, "." | "..") {
        Err("is not an organization ID (org-…)".to_string())
    } else {
        Ok(text.to_string())
    }
}

fn api_key_of<'a>(place: &Place<'a>, reader: &mut Reader<'a>) -> Option<Token> {
    let secret = secret(place, reader)?;
    let key = std::str::from_utf8(secret.expose()).ok().filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    match key {
        None => reader.problem(place, "leads to a key with characters that no key has: copy it again"),
        Some(key) if key.starts_with(['"', '\'']) => {
            reader.problem(place, "leads to a key in quotation marks: remove them")
        }
        Some(key) => {
            if !key.starts_with("cog_") {
                reader.warning(
                    place,
                    "leads to a key that does not start with cog_: keys of the Devin API v3 do; the server decides",
                );
            }
            return Some(Token::new(key));
        }
    }
    None
}
