//! Who asks: the keys the sandbox lets in, and whom each stands for.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};

use super::data::words::{SERVICE_USERS, USERS};
use super::json::Json;
use super::problem::Problem;
use super::{ORG_ID, ORG_IDS, TOKEN, TOKEN_ENTERPRISE, TOKEN_PERSONAL};

/// Whose key it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Key {
    /// A service user of the organization.
    Organization,
    /// A service user of the enterprise above it.
    Enterprise,
    /// A person's access token.
    Personal,
}

impl Key {
    /// The key in a request's headers.
    ///
    /// # Errors
    /// 403 without any, 401 with one that opens nothing.
    pub fn of(headers: &HeaderMap) -> Result<Key, Problem> {
        let Some(authorization) = headers.get(AUTHORIZATION) else {
            return Err(Problem::new(StatusCode::FORBIDDEN, "not authenticated"));
        };
        let parts = authorization.to_str().ok().and_then(|value| value.split_once(' '));
        let token = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
        match token {
            Some(TOKEN) => Ok(Key::Organization),
            Some(TOKEN_ENTERPRISE) => Ok(Key::Enterprise),
            Some(TOKEN_PERSONAL) => Ok(Key::Personal),
            _ => Err(Problem::new(StatusCode::UNAUTHORIZED, "invalid token")),
        }
    }

    /// The person it belongs to.
    pub fn user_id(self) -> Option<&'static str> {
        (self == Key::Personal).then_some(USERS[0].id)
    }

    /// The service user it belongs to.
    pub fn service_user_id(self) -> Option<&'static str> {
        match self {
            Key::Organization => Some(SERVICE_USERS[0].id),
            Key::Enterprise => Some(SERVICE_USERS[2].id),
            Key::Personal => None,
        }
    }

    /// Writes who it belongs to.
    pub fn write(self, json: &mut Json) {
        json.open('{');
        match self {
            Key::Personal => {
                json.key("principal_type").text("pat_user");
                json.key("user_id").text(USERS[0].id);
                json.key("user_name").text(USERS[0].name);
                json.key("api_key_id").text("api-key-6d1f0a9b3c5e4872a9d46b1c0e7f3582");
                json.key("api_key_name").text("laptop");
                json.key("org_id").null();
                json.key("devin_sessions_org_id").text(ORG_ID);
            }
            Key::Organization | Key::Enterprise => {
                let is_of_org = self == Key::Organization;
                let user = &SERVICE_USERS[if is_of_org { 0 } else { 2 }];
                json.key("principal_type").text("service_user");
                json.key("service_user_id").text(user.id);
                json.key("service_user_name").text(user.name);
                json.key("org_id").optional_text(is_of_org.then_some(ORG_ID));
            }
        }
        json.close('}');
    }
}

/// Writes the organization of this number, as the enterprise lists it.
pub fn write_organization(json: &mut Json, number: usize) {
    json.open('{');
    json.key("org_id").text(ORG_IDS[number]);
    json.key("name").text(["Northwind Labs", "Northwind Stores", "Northwind Freight"][number]);
    json.key("created_at").number(1_735_689_600);
    json.key("updated_at").number(1_767_225_600);
    json.key("max_session_acu_limit").number(50);
    json.key("max_cycle_acu_limit").null();
    json.close('}');
}
