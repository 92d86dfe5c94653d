//! An error of the relay in words: a code for programs, and the advice that all of the program gives.

use serde::{Deserialize, Serialize};

use crate::devin::{Error, Event, Kind};
pub use crate::failure::Audience;
use crate::failure::{self, KEYS_PAGE};

/// An error before there was an outcome: nothing was created, or nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    pub code: Code,
    /// What happened and what to do.
    pub message: String,
}

/// The error, as a word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    BadInput,
    TooManyAlerts,
    BadSettings,
    BadEndpoint,
    InvalidDevinToken,
    MissingPermission,
    OrganizationUnknown,
    Refused,
    RateLimited,
    SessionLimit,
    ApiTrouble,
    Unreachable,
    NotAsked,
    Sandbox,
    NoBridge,
    BridgeDenied,
    BridgeRefused,
    StoreUnusable,
}

impl Code {
    /// Every code and what it stands for, as the relay's page lists them.
    pub const ALL: [(Code, &'static str); 18] = [
        (Code::BadInput, "the alert, the template or the schema cannot be read or understood"),
        (Code::TooManyAlerts, "the payload would create more sessions than `--max-sessions` allows"),
        (
            Code::BadSettings,
            "the file of settings cannot be read, a setting is wrong or missing, or the API's address redirects (3xx)",
        ),
        (Code::BadEndpoint, "`--endpoint` is not an address that creates sessions"),
        (Code::InvalidDevinToken, "the key is not accepted (401)"),
        (Code::MissingPermission, "the key may not do this (403), or could not find a session that exists"),
        (
            Code::OrganizationUnknown,
            "nothing is there for this key and `org_id`, or it is not known which organization is meant (404)",
        ),
        (Code::Refused, "the API does not take the session, or another request, as it was made (other 4xx)"),
        (Code::RateLimited, "the API limits how often it may be asked (429)"),
        (Code::SessionLimit, "the organization runs as many sessions as it may at once (429), and none ended in time"),
        (Code::ApiTrouble, "the API fails or gives invalid responses (408, 5xx)"),
        (Code::Unreachable, "no connection, or no answer in time"),
        (Code::NotAsked, "the request could not be made, for example with a malformed identifier"),
        (Code::Sandbox, "the simulated organization cannot be served on this machine"),
        (Code::NoBridge, "no bridge answers at `--bridge`: nobody does, or another program"),
        (Code::BridgeDenied, "the bridge does not accept the token, or the token may only read (401, 403)"),
        (Code::BridgeRefused, "the bridge has no such alert, or does not do what was asked for (other 4xx, 5xx)"),
        (Code::StoreUnusable, "a store or a backup cannot be read or written, is served, or is not empty"),
    ];
}

/// Where it is seen what is left of a plan.
const USAGE_PAGE: &str = "https://app.devin.ai/settings/usage";

/// What a session needs of its key.
const PERMISSIONS: &str = "A session needs UseDevinSessions (or ManageOrgSessions) to be created, ViewOrgSessions to be seen, ManageOrgSessions to be ended";

/// A request that failed, in words for this audience.
pub fn error_report(error: &Error, audience: Audience) -> ErrorReport {
    let remedy = match error.kind {
        Kind::Status(401) => format!(
            "The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at {KEYS_PAGE}"
        ),
        // A bad key has been seen to answer 403 as well.
        Kind::Status(403) => format!("Either the API key is wrong or revoked, or it lacks a permission. {PERMISSIONS}"),
        Kind::Status(429) if is_session_limit(error) => {
            let then = match audience {
                Audience::Settings => "end one in Devin, or run the alert again later",
                Audience::Rules => "the next one is created once one of them has ended",
            };
            format!("The organization runs as many sessions as it may at once: {then}")
        }
        Kind::Status(429) | Kind::WaitTooLong { .. } => {
            let then = match audience {
                Audience::Settings => "run the alert again later",
                Audience::Rules => audience.later(),
            };
            format!("The API limits how often it may be asked: {then}")
        }
        Kind::Status(402) => format!("The plan of the organization has nothing left to pay for this: see {USAGE_PAGE}"),
        // It may be the output that stands in the way, and not the settings.
        Kind::Unaskable(_) => "Nothing was sent".to_string(),
        Kind::Status(300..=399) => match audience {
            Audience::Settings => "A redirect is not followed: check api_url or --endpoint".to_string(),
            Audience::Rules => format!("A redirect is not followed: check {}", audience.address()),
        },
        // Each of these has an answer above, so that no stream's permission is named.
        _ => failure::remedy(&error.kind, "ViewOrgSessions", audience),
    };
    ErrorReport { code: code(error), message: format!("{error}. {remedy}.") }
}

/// A create that failed, likewise: where the API does not take it, the session's options are what can be wrong.
pub fn create_error_report(error: &Error, audience: Audience) -> ErrorReport {
    match code(error) {
        Code::Refused if error.kind.status() != Some(402) => {
            let remedy =
                "The API does not take this session: check its options (playbook, repository, mode, schema, tags)";
            ErrorReport { code: Code::Refused, message: format!("{error}. {remedy}.") }
        }
        _ => error_report(error, audience),
    }
}

/// Whether a 429 is the organization's limit on sessions at the same time, which lasts until one of them ends.
pub fn is_session_limit(error: &Error) -> bool {
    // A limit on requests may speak of sessions as well, and passes sooner.
    let is_pace =
        |said: &str| ["request", "rate", "per minute", "per hour", "per second"].iter().any(|word| said.contains(word));
    let says = |said: &str| {
        let said = said.to_ascii_lowercase().replace(['_', '-'], " ");
        said.contains("concurrent session") || said.contains("session limit") && !is_pace(&said)
    };
    error.kind.status() == Some(429) && error.explanation.as_deref().is_some_and(says)
}

fn code(error: &Error) -> Code {
    match &error.kind {
        Kind::Status(429) if is_session_limit(error) => Code::SessionLimit,
        Kind::Status(300..=399) => Code::BadSettings,
        Kind::Status(401) => Code::InvalidDevinToken,
        Kind::Status(403) => Code::MissingPermission,
        Kind::Status(404) => Code::OrganizationUnknown,
        Kind::Status(429) | Kind::WaitTooLong { .. } => Code::RateLimited,
        Kind::Status(400..=407 | 409..=499) => Code::Refused,
        Kind::Status(_) | Kind::Invalid(_) => Code::ApiTrouble,
        Kind::Unaskable(_) => Code::NotAsked,
        Kind::Unreachable(_) | Kind::Barred(_) | Kind::Silent(_) | Kind::TimeUp(_) | Kind::Broken(_) => {
            Code::Unreachable
        }
    }
}

/// What is tried again needs no mention here.
pub fn ignore_events(_: Event) {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::devin::page::Invalid;

    #[test]
    fn only_a_limit_on_sessions_at_once_is_one() {
        let limit = |said: &str| {
            let explanation = Some(said.to_string());
            is_session_limit(&Error { kind: Kind::Status(429), path: String::new(), explanation, tries: 1 })
        };
        for said in [
            "You exceeded your concurrent session limit of 5",
            "Too many concurrent sessions; retry this request later",
            "total_session_limit_exceeded",
            "Concurrent-session limit",
        ] {
            assert!(limit(said), "{said}");
        }
        for said in [
            "Too many concurrent requests",
            "Too many requests",
            "session limit of 10 requests exceeded",
            "session limit: 3 per minute",
            "the rate of sessions is limited",
        ] {
            assert!(!limit(said), "{said}");
        }
        let other = Error {
            kind: Kind::Status(403),
            explanation: Some("concurrent session limit".to_string()),
            path: String::new(),
            tries: 1,
        };
        assert!(!is_session_limit(&other), "another status");
        assert!(!is_session_limit(&Error {
            kind: Kind::Status(429),
            explanation: None,
            path: String::new(),
            tries: 1
        }));
    }

    /// One of every kind.
    fn kinds() -> impl Iterator<Item = Kind> {
        let statuses = [204, 302, 400, 401, 402, 403, 404, 408, 409, 410, 422, 429, 500, 599, 600].map(Kind::Status);
        let others = [
            Kind::WaitTooLong { status: 429, wait: Duration::from_secs(900) },
            Kind::Unreachable("certificates.example: connection refused".to_string()),
            Kind::Barred("api.devin.ai: invalid peer certificate: UnknownIssuer".to_string()),
            Kind::Silent(Duration::from_secs(30)),
            Kind::TimeUp(Duration::from_secs(120)),
            Kind::Broken("connection reset".to_string()),
            Kind::Invalid(Invalid::NoItems),
            Kind::Invalid(Invalid::TooLarge { limit: 1 << 20 }),
            Kind::Unaskable("odd key".to_string()),
        ];
        statuses.into_iter().chain(others)
    }

    #[test]
    fn whoever_has_a_rules_file_is_told_in_its_words() {
        let message = |kind| {
            let error = Error { kind, path: "/v3/self".to_string(), explanation: None, tries: 1 };
            error_report(&error, Audience::Rules).message
        };
        let said: Vec<String> = kinds().map(message).collect();
        for foreign in ["api_url", "--endpoint", "DEVIN_ORG_ID", "un again", "run the alert", "concurrency"] {
            assert!(!said.iter().any(|message| message.contains(foreign)), "{foreign}: {said:#?}");
        }
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn every_kind_of_error_has_a_code_and_says_what_to_do() {
        let mut table = Vec::new();
        for kind in kinds() {
            let error = Error { kind, path: "/v3/self".to_string(), explanation: None, tries: 1 };
            let (read, create) =
                (error_report(&error, Audience::Settings), create_error_report(&error, Audience::Settings));
            table.push(format!("{:?}: {}", read.code, read.message));
            if create != read {
                table.push(format!("  to create, {:?}: {}", create.code, create.message));
            }
        }
        insta::assert_snapshot!(table.join("\n"), @"
        ApiTrouble: /v3/self answered 204 (No Content). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        BadSettings: /v3/self answered 302 (Found). A redirect is not followed: check api_url or --endpoint.
        Refused: /v3/self answered 400 (Bad Request). The API does not accept this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 400 (Bad Request). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        InvalidDevinToken: /v3/self answered 401 (Unauthorized). The API key is not accepted: check that it is whole, begins with cog_ and has not been revoked, or make a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users.
        Refused: /v3/self answered 402 (Payment Required). The plan of the organization has nothing left to pay for this: see https://app.devin.ai/settings/usage.
        MissingPermission: /v3/self answered 403 (Forbidden). Either the API key is wrong or revoked, or it lacks a permission. A session needs UseDevinSessions (or ManageOrgSessions) to be created, ViewOrgSessions to be seen, ManageOrgSessions to be ended.
        OrganizationUnknown: /v3/self answered 404 (Not Found). Nothing is there for this key: org_id may be wrong or belong to another key (copy it from the page where the key was made), api_url may not be the API's base address, or this deployment lacks the endpoint.
        ApiTrouble: /v3/self answered 408 (Request Timeout). The API has trouble at the moment: run again later.
        Refused: /v3/self answered 409 (Conflict). The API does not accept this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 409 (Conflict). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        Refused: /v3/self answered 410 (Gone). The API does not accept this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 410 (Gone). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        Refused: /v3/self answered 422 (Unprocessable Entity). The API does not accept this request: check org_id and api_url, and report this message if they are right.
          to create, Refused: /v3/self answered 422 (Unprocessable Entity). The API does not take this session: check its options (playbook, repository, mode, schema, tags).
        RateLimited: /v3/self answered 429 (Too Many Requests). The API limits how often it may be asked: run the alert again later.
        ApiTrouble: /v3/self answered 500 (Internal Server Error). The API has trouble at the moment: run again later.
        ApiTrouble: /v3/self answered 599. The API has trouble at the moment: run again later.
        ApiTrouble: /v3/self answered 600. The API does not accept this request: check org_id and api_url, and report this message if they are right.
        RateLimited: /v3/self answered 429 and asks to wait 900 s (Retry-After). The API limits how often it may be asked: run the alert again later.
        Unreachable: /v3/self could not be reached: certificates.example: connection refused. Check api_url, the network and the proxy settings, and run again.
        Unreachable: /v3/self could not be reached: api.devin.ai: invalid peer certificate: UnknownIssuer. The server's certificate is not trusted: check api_url, or point SSL_CERT_FILE (or REQUESTS_CA_BUNDLE) at your own root certificates.
        Unreachable: /v3/self sent nothing for 30 s. Check the network, and run again later.
        Unreachable: /v3/self did not succeed within 120 s. Check the network, and run again later.
        Unreachable: /v3/self broke off its answer: connection reset. Check the network, and run again later.
        ApiTrouble: /v3/self answered 200 with an unusable body: it has no list of items. Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        ApiTrouble: /v3/self answered 200 with an unusable body: it is larger than 1 MiB. This program reads no larger answer: check that api_url is the Devin API, and report this message if it is.
        NotAsked: /v3/self could not be asked: odd key. Nothing was sent.
        ");
    }
}
