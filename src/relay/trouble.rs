//! A request of the relay that failed, in words: a code for programs, and the advice that all of the program gives.

use super::report::{Code, Trouble};
use crate::devin::{Error, Event, Kind};
use crate::failure::{self, KEYS_PAGE};

/// What a session needs of its key.
const PERMISSIONS: &str = "The key lacks a permission: a session needs UseDevinSessions (or ManageOrgSessions) to be created, ViewOrgSessions to be seen, ManageOrgSessions to be ended";

/// A request that failed, in words.
pub fn trouble(error: &Error) -> Trouble {
    let remedy = match error.kind {
        Kind::Status(401) => format!(
            "The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at {KEYS_PAGE}"
        ),
        Kind::Status(403) => PERMISSIONS.to_string(),
        Kind::Status(429) | Kind::WaitTooLong { .. } => {
            "The API limits how often it may be asked: run the alert again later".to_string()
        }
        // It may be the output that stands in the way, and not the settings.
        Kind::Unaskable(_) => "Nothing was sent".to_string(),
        Kind::Status(300..=399) => "A redirect is not followed: check api_url or --endpoint".to_string(),
        // Each of these has an answer above, so that no stream's permission is named.
        _ => failure::remedy(&error.kind, "ViewOrgSessions"),
    };
    Trouble { code: code(&error.kind), message: format!("{error}. {remedy}.") }
}

/// A create that failed, in words: where the API does not take it, the session's options are what can be wrong.
pub fn trouble_of_create(error: &Error) -> Trouble {
    match code(&error.kind) {
        Code::Refused => {
            let remedy =
                "The API does not take this session: check its options (playbook, repository, mode, schema, tags)";
            Trouble { code: Code::Refused, message: format!("{error}. {remedy}.") }
        }
        _ => trouble(error),
    }
}

fn code(kind: &Kind) -> Code {
    match kind {
        Kind::Status(300..=399) => Code::BadSettings,
        Kind::Status(401) => Code::InvalidDevinToken,
        Kind::Status(403) => Code::MissingPermission,
        Kind::Status(404) => Code::OrganisationUnknown,
        Kind::Status(429) | Kind::WaitTooLong { .. } => Code::RateLimited,
        Kind::Status(400..=407 | 409..=499) => Code::Refused,
        Kind::Status(_) | Kind::Invalid(_) => Code::ApiTrouble,
        Kind::Unaskable(_) => Code::NotAsked,
        Kind::Unreachable(_) | Kind::Silent(_) | Kind::TimeUp(_) | Kind::Broken(_) => Code::Unreachable,
    }
}

/// What is tried again is not worth a word here.
pub fn quiet(_: Event) {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::devin::page::Invalid;

    #[test]
    fn every_kind_of_error_has_a_code_and_says_what_to_do() {
        let statuses = [204, 302, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 599, 600].map(Kind::Status);
        let others = [
            Kind::WaitTooLong { status: 429, wait: Duration::from_secs(900) },
            Kind::Unreachable("certificates.example: connection refused".to_string()),
            Kind::Unreachable("api.devin.ai: invalid peer certificate: UnknownIssuer".to_string()),
            Kind::Silent(Duration::from_secs(30)),
            Kind::TimeUp(Duration::from_secs(120)),
            Kind::Broken("connection reset".to_string()),
            Kind::Invalid(Invalid::NoItems),
            Kind::Invalid(Invalid::TooLarge { limit: 1 << 20 }),
            Kind::Unaskable("odd key".to_string()),
        ];
        let mut table = Vec::new();
        for kind in statuses.into_iter().chain(others) {
            let error = Error { kind, path: "/v3/self".to_string(), explanation: None, tries: 1 };
            let (read, create) = (trouble(&error), trouble_of_create(&error));
            table.push(format!("{:?}: {}", read.code, read.message));
            if create != read {
                table.push(format!("  to create, {:?}: {}", create.code, create.message));
            }
        }
        insta::assert_snapshot!(table.join("\n"), @"
        ApiTrouble: /v3/self answered 204 (No Content). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        BadSettings: /v3/self answered 302 (Found). A redirect is not followed: check api_url or --endpoint.
        Refused: /v3/self answered 400 (Bad Request). The API does not take this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 400 (Bad Request). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        InvalidDevinToken: /v3/self answered 401 (Unauthorized). The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
        MissingPermission: /v3/self answered 403 (Forbidden). The key lacks a permission: a session needs UseDevinSessions (or ManageOrgSessions) to be created, ViewOrgSessions to be seen, ManageOrgSessions to be ended.
        OrganisationUnknown: /v3/self answered 404 (Not Found). Nothing is there for this key: org_id may be wrong or belong to another key (copy it from the page where the key was made), api_url may not be the API's base address, or this deployment lacks the endpoint.
        ApiTrouble: /v3/self answered 408 (Request Timeout). The API has trouble at the moment: run again later.
        Refused: /v3/self answered 409 (Conflict). The API does not take this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 409 (Conflict). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        Refused: /v3/self answered 410 (Gone). The API does not take this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 410 (Gone). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        Refused: /v3/self answered 422 (Unprocessable Entity). The API does not take this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 422 (Unprocessable Entity). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        RateLimited: /v3/self answered 429 (Too Many Requests). The API limits how often it may be asked: run the alert again later.
        ApiTrouble: /v3/self answered 500 (Internal Server Error). The API has trouble at the moment: run again later.
        ApiTrouble: /v3/self answered 599. The API has trouble at the moment: run again later.
        ApiTrouble: /v3/self answered 600. The API does not take this request: check org_id and api_url, and report this message if they are right.
        RateLimited: /v3/self answered 429 and asks to wait 900 s (Retry-After). The API limits how often it may be asked: run the alert again later.
        Unreachable: /v3/self could not be reached: certificates.example: connection refused. Check api_url, the network and the proxy settings, and run again.
        Unreachable: /v3/self could not be reached: api.devin.ai: invalid peer certificate: UnknownIssuer. The server's certificate is not trusted: check api_url, or point SSL_CERT_FILE at your own root certificates.
        Unreachable: /v3/self sent nothing for 30 s. Check the network, and run again later.
        Unreachable: /v3/self did not succeed within 120 s. Check the network, and run again later.
        Unreachable: /v3/self broke off its answer: connection reset. Check the network, and run again later.
        ApiTrouble: /v3/self answered 200 with an unusable body: it has no list of items. Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        ApiTrouble: /v3/self answered 200 with an unusable body: it is larger than 1 MiB. This program reads no larger answer: check that api_url is the Devin API, and report this message if it is.
        NotAsked: /v3/self could not be asked: odd key. Nothing was sent.
        ");
    }
}
