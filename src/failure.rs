//! Any error of the API becomes advice: whose fault, what to do. The one place where both vocabularies meet.

use crate::airbyte::FailureType;
use crate::devin::page::Invalid;
use crate::devin::{Error, Kind};

/// Where people make API keys.
pub const KEYS_PAGE: &str = "https://app.devin.ai/org/<your-org-slug>/settings/org-service-users";

/// An error as a person or a platform can act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What happened, where, and what to do: one or two sentences.
    pub message: String,
    pub failure_type: FailureType,
}

/// Who is told what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody with a file of settings, who runs the program once more.
    Settings,
    /// Somebody with a rules file; what failed is asked again without their doing.
    Rules,
}

impl Audience {
    /// What the address of the API stands under.
    pub fn address(self) -> &'static str {
        match self {
            Audience::Settings => "api_url",
            Audience::Rules => "endpoint in the rules file",
        }
    }

    /// When it is asked again.
    pub fn later(self) -> &'static str {
        match self {
            Audience::Settings => "run again later",
            Audience::Rules => "it is asked again by itself",
        }
    }
}

/// What follows from `error`, which stood in the way of `permission`'s data.
pub fn advise(error: &Error, permission: &str) -> Advice {
    let (failure_type, remedy) = blame_and_remedy(&error.kind, permission, Audience::Settings);
    let remedy = match (&error.kind, error.explanation.as_deref()) {
        (Kind::Status(404), None) => format!(
            "The response gives no reason, unlike the API's own, so something else may answer there. {CHECK_ADDRESS}, then org_id"
        ),
        (Kind::Status(404), Some(said)) if !is_about_organizations(said) => {
            format!("{CHECK_ADDRESS}, then org_id (copy it from the page where the key was made)")
        }
        (Kind::Status(401 | 403), None) => format!(
            "The response gives no reason, unlike the API's own, so something in front of the API may have refused the request: check api_url, the proxy, and whether this machine is allowed to reach the API. If it was the API: {remedy}"
        ),
        (Kind::Status(403), Some(said)) if is_about_addresses(said) => {
            "The organization admits only some addresses: add this machine's to its IP access list, or run from one that is on it".to_string()
        }
        (Kind::Status(403), Some(said)) if !is_about_permissions(said) => format!("If the reason is a permission: {remedy}"),
        _ => remedy,
    };
    Advice { message: format!("{error}. {remedy}."), failure_type }
}

/// What to do where the address may be wrong.
const CHECK_ADDRESS: &str =
    "Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api)";

/// Whether the server's own reason is that it has no such organization, or nothing for this key there.
fn is_about_organizations(said: &str) -> bool {
    let said = said.to_lowercase();
    ["organi", "org_id", "org-", "session", "permission", "access"].iter().any(|word| said.contains(word))
}

/// Whether the server's own reason is where the request came from.
fn is_about_addresses(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("ip address") || said.contains("access list") || said.contains("allowlist")
}

/// Whether the server's own reason is what the key may do, or none at all.
fn is_about_permissions(said: &str) -> bool {
    let said = said.to_lowercase();
    ["permission", "forbidden", "not allowed", "scope", "role", "authoriz", "access", "vieworg", "manageorg"]
        .iter()
        .any(|word| said.contains(word))
}

/// What to do about a request that failed so, as a sentence without its full stop.
pub fn remedy(kind: &Kind, permission: &str, audience: Audience) -> String {
    blame_and_remedy(kind, permission, audience).1
}

/// The whole table: whose fault it is, and what to do.
fn blame_and_remedy(kind: &Kind, permission: &str, audience: Audience) -> (FailureType, String) {
    let (address, later) = (audience.address(), audience.later());
    match kind {
        Kind::Status(401) => (
            FailureType::ConfigError,
            format!("The API key is not accepted. Does it begin with cog_, and is it complete? Has it been revoked? Create a new one at {KEYS_PAGE} and put it into api_token (DEVIN_API_KEY)"),
        ),
        Kind::Status(403) => (
            FailureType::ConfigError,
            format!("The API key lacks the permission {permission}: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out"),
        ),
        Kind::Status(404) => (
            FailureType::ConfigError,
            match audience {
                Audience::Settings => "Nothing is there for this key: org_id may be wrong or belong to another key (copy it from the page where the key was made), api_url may not be the API's base address, or this deployment lacks the endpoint",
                Audience::Rules => "Nothing is there for this key: check endpoint and org_id of the integration in the rules file (the page where the key was made tells the organization)",
            }
            .to_string(),
        ),
        Kind::Status(300..=399) => (
            FailureType::ConfigError,
            "The server redirects, and the key is not sent to another place: set api_url to the API's own address".to_string(),
        ),
        Kind::WaitTooLong { status, .. } if *status != 429 => {
            (FailureType::TransientError, format!("The API has trouble, and says that it will take long: {later}"))
        }
        Kind::Status(429) | Kind::WaitTooLong { .. } => (
            FailureType::TransientError,
            "The API limits how often it may be asked: run again later, or lower concurrency".to_string(),
        ),
        Kind::Status(408 | 500..=599) => {
            (FailureType::TransientError, format!("The API has trouble at the moment: {later}"))
        }
        Kind::Invalid(Invalid::TooLarge { .. }) => (
            FailureType::SystemError,
            format!("This program reads no larger answer: check that {address} is the Devin API, and report this message if it is"),
        ),
        Kind::Invalid(_) | Kind::Status(200..=299) => (
            FailureType::TransientError,
            match audience {
                Audience::Settings => "Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API",
                Audience::Rules => "Nothing of this answer was used. It is asked again by itself; if it stays so, check that endpoint in the rules file is on the Devin API",
            }
            .to_string(),
        ),
        Kind::Status(_) => (
            FailureType::SystemError,
            match audience {
                Audience::Settings => "The API does not accept this request: check org_id and api_url, and report this message if they are right",
                Audience::Rules => "The API does not accept this request: check endpoint and org_id of the integration in the rules file, and report this message if they are right",
            }
            .to_string(),
        ),
        Kind::Unreachable(reason) | Kind::Barred(reason) if is_about_certificate(reason) => {
            (FailureType::ConfigError, remedy_of_certificate(reason, address))
        }
        Kind::Unreachable(reason) if reason.contains("Too many open files") => (
            FailureType::SystemError,
            match audience {
                Audience::Settings => "This process may open too few files: raise the limit (ulimit -n), or lower concurrency",
                Audience::Rules => "This process may open too few files: raise the limit (ulimit -n, or LimitNOFILE of the service)",
            }
            .to_string(),
        ),
        Kind::Barred(_) => (
            FailureType::ConfigError,
            "Check the proxy in HTTPS_PROXY: its address may hold a name and a password (http://name:password@host:port), and NO_PROXY names hosts that need none".to_string(),
        ),
        Kind::Unreachable(_) => (
            FailureType::TransientError,
            match audience {
                Audience::Settings => "Check api_url, the network and the proxy settings, and run again",
                Audience::Rules => "Check endpoint in the rules file, the network and the proxy settings; it is asked again by itself",
            }
            .to_string(),
        ),
        Kind::Silent(_) | Kind::TimeUp(_) | Kind::Broken(_) => {
            (
            FailureType::TransientError,
            match audience {
                Audience::Settings => "Check the network, and run again later",
                Audience::Rules => "Check the network; it is asked again by itself",
            }
            .to_string(),
        )
        }
        Kind::Unaskable(_) => (FailureType::ConfigError, format!("Check the key, {address} and SSL_CERT_FILE")),
    }
}

/// What to do about a certificate that is refused, as a sentence without its full stop; the words that are looked for are rustls'. `address`
/// is where the server's address stands.
pub fn remedy_of_certificate(reason: &str, address: &str) -> String {
    if reason.contains("not valid for name") {
        format!("The server's certificate is for another host: check {address}")
    } else if let Some(remedy) = remedy_of_date(reason) {
        remedy.to_string()
    } else if reason.contains("CaUsedAsEndEntity") {
        "The server shows a root certificate as its own: give it one that the root has signed".to_string()
    } else {
        format!(
            "The server's certificate is not trusted: check {address}, or point SSL_CERT_FILE (or REQUESTS_CA_BUNDLE) at your own root certificates"
        )
    }
}

/// What to do about a certificate that is refused for the time of day, which no other certificate to trust would change.
pub fn remedy_of_date(reason: &str) -> Option<&'static str> {
    if reason.contains("certificate expired") {
        Some(
            "The server's certificate has expired: whoever runs the server, or a proxy in between, has to renew it; or the clock of this machine is ahead",
        )
    } else if reason.contains("not valid yet") {
        Some(
            "The server's certificate is not valid yet: the clock of this machine is behind, or whoever runs the server has to replace it",
        )
    } else {
        None
    }
}

/// Whether the reason is the server's certificate. The host's name stands before the first `: ` and does not count.
fn is_about_certificate(reason: &str) -> bool {
    reason.split_once(": ").is_some_and(|(_, cause)| cause.contains("certificate"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(kind: Kind) -> String {
        let error = Error { kind, path: "/v3/organizations/org-1/secrets".to_string(), explanation: None, tries: 1 };
        let advice = advise(&error, "ManageOrgSecrets");
        format!("{:?}: {}", advice.failure_type, advice.message)
    }

    #[test]
    fn every_kind_of_error_says_whose_fault_it_is_and_what_to_do() {
        let statuses = [204, 301, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503, 599, 600].map(Kind::Status);
        let others = [
            Kind::WaitTooLong { status: 429, wait: Duration::from_secs(900) },
            Kind::WaitTooLong { status: 503, wait: Duration::from_secs(u64::MAX) },
            Kind::Unreachable("api.devin.ai: connection refused".to_string()),
            Kind::Unreachable("api.devin.ai: Too many open files (os error 24)".to_string()),
            Kind::Barred("api.devin.ai: invalid peer certificate: UnknownIssuer".to_string()),
            Kind::Barred(
                "api.devin.ai through the proxy p: the proxy asks for a name and a password (407)".to_string(),
            ),
            Kind::Barred("api.devin.ai: invalid peer certificate: certificate not valid for name \"x\"".to_string()),
            Kind::Barred("api.devin.ai: invalid peer certificate: certificate expired".to_string()),
            Kind::Barred("api.devin.ai: invalid peer certificate: certificate not valid yet".to_string()),
            Kind::Barred("api.devin.ai: invalid peer certificate: Other(CaUsedAsEndEntity)".to_string()),
            Kind::Silent(Duration::from_secs(30)),
            Kind::TimeUp(Duration::from_secs(120)),
            Kind::Broken("connection reset".to_string()),
            Kind::Invalid(Invalid::CursorMissing),
            Kind::Invalid(Invalid::TooLarge { limit: 1 << 20 }),
            Kind::Unaskable("odd key".to_string()),
        ];
        let table: Vec<String> = statuses.into_iter().chain(others).map(check).collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        TransientError: /v3/organizations/org-1/secrets answered 204 (No Content). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        ConfigError: /v3/organizations/org-1/secrets answered 301 (Moved Permanently). The server redirects, and the key is not sent to another place: set api_url to the API's own address.
        SystemError: /v3/organizations/org-1/secrets answered 400 (Bad Request). The API does not accept this request: check org_id and api_url, and report this message if they are right.
        ConfigError: /v3/organizations/org-1/secrets answered 401 (Unauthorized). The response gives no reason, unlike the API's own, so something in front of the API may have refused the request: check api_url, the proxy, and whether this machine is allowed to reach the API. If it was the API: The API key is not accepted. Does it begin with cog_, and is it complete? Has it been revoked? Create a new one at https://app.devin.ai/org/<your-org-slug>/settings/org-service-users and put it into api_token (DEVIN_API_KEY).
        ConfigError: /v3/organizations/org-1/secrets answered 403 (Forbidden). The response gives no reason, unlike the API's own, so something in front of the API may have refused the request: check api_url, the proxy, and whether this machine is allowed to reach the API. If it was the API: The API key lacks the permission ManageOrgSecrets: grant it to the key's service user (in Devin: Enterprise settings > Roles), or leave the stream out.
        ConfigError: /v3/organizations/org-1/secrets answered 404 (Not Found). The response gives no reason, unlike the API's own, so something else may answer there. Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api), then org_id.
        TransientError: /v3/organizations/org-1/secrets answered 408 (Request Timeout). The API has trouble at the moment: run again later.
        SystemError: /v3/organizations/org-1/secrets answered 409 (Conflict). The API does not accept this request: check org_id and api_url, and report this message if they are right.
        SystemError: /v3/organizations/org-1/secrets answered 422 (Unprocessable Entity). The API does not accept this request: check org_id and api_url, and report this message if they are right.
        TransientError: /v3/organizations/org-1/secrets answered 429 (Too Many Requests). The API limits how often it may be asked: run again later, or lower concurrency.
        TransientError: /v3/organizations/org-1/secrets answered 500 (Internal Server Error). The API has trouble at the moment: run again later.
        TransientError: /v3/organizations/org-1/secrets answered 503 (Service Unavailable). The API has trouble at the moment: run again later.
        TransientError: /v3/organizations/org-1/secrets answered 599. The API has trouble at the moment: run again later.
        SystemError: /v3/organizations/org-1/secrets answered 600. The API does not accept this request: check org_id and api_url, and report this message if they are right.
        TransientError: /v3/organizations/org-1/secrets answered 429 and asks to wait 900 s (Retry-After). The API limits how often it may be asked: run again later, or lower concurrency.
        TransientError: /v3/organizations/org-1/secrets answered 503 and asks to wait for years (Retry-After). The API has trouble, and says that it will take long: run again later.
        TransientError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: connection refused. Check api_url, the network and the proxy settings, and run again.
        SystemError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: Too many open files (os error 24). This process may open too few files: raise the limit (ulimit -n), or lower concurrency.
        ConfigError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: invalid peer certificate: UnknownIssuer. The server's certificate is not trusted: check api_url, or point SSL_CERT_FILE (or REQUESTS_CA_BUNDLE) at your own root certificates.
        ConfigError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai through the proxy p: the proxy asks for a name and a password (407). Check the proxy in HTTPS_PROXY: its address may hold a name and a password (http://name:password@host:port), and NO_PROXY names hosts that need none.
        ConfigError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: invalid peer certificate: certificate not valid for name "x". The server's certificate is for another host: check api_url.
        ConfigError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: invalid peer certificate: certificate expired. The server's certificate has expired: whoever runs the server, or a proxy in between, has to renew it; or the clock of this machine is ahead.
        ConfigError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: invalid peer certificate: certificate not valid yet. The server's certificate is not valid yet: the clock of this machine is behind, or whoever runs the server has to replace it.
        ConfigError: /v3/organizations/org-1/secrets could not be reached: api.devin.ai: invalid peer certificate: Other(CaUsedAsEndEntity). The server shows a root certificate as its own: give it one that the root has signed.
        TransientError: /v3/organizations/org-1/secrets sent nothing for 30 s. Check the network, and run again later.
        TransientError: /v3/organizations/org-1/secrets did not succeed within 120 s. Check the network, and run again later.
        TransientError: /v3/organizations/org-1/secrets broke off its answer: connection reset. Check the network, and run again later.
        TransientError: /v3/organizations/org-1/secrets answered 200 with an unusable body: it promises a next page without a cursor for it. Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        SystemError: /v3/organizations/org-1/secrets answered 200 with an unusable body: it is larger than 1 MiB. This program reads no larger answer: check that api_url is the Devin API, and report this message if it is.
        ConfigError: /v3/organizations/org-1/secrets could not be asked: odd key. Check the key, api_url and SSL_CERT_FILE.
        "#);
    }

    #[test]
    fn a_404_is_put_down_to_what_the_server_says_is_missing() {
        let said =
            [None, Some("Not Found"), Some("Not Found: path not found"), Some("Not Found: organization not found")];
        let lines = said.map(|said| {
            let error = Error {
                kind: Kind::Status(404),
                path: "/v3/organizations/org-1/sessions".to_string(),
                explanation: said.map(str::to_string),
                tries: 1,
            };
            advise(&error, "ViewOrgSessions").message
        });
        insta::assert_snapshot!(lines.join("\n"), @r#"
        /v3/organizations/org-1/sessions answered 404 (Not Found). The response gives no reason, unlike the API's own, so something else may answer there. Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api), then org_id.
        /v3/organizations/org-1/sessions answered 404 (Not Found), saying "Not Found". Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api), then org_id (copy it from the page where the key was made).
        /v3/organizations/org-1/sessions answered 404 (Not Found), saying "Not Found: path not found". Check api_url first (https://api.devin.ai, or your Enterprise deployment's own address, without /v1 or /api), then org_id (copy it from the page where the key was made).
        /v3/organizations/org-1/sessions answered 404 (Not Found), saying "Not Found: organization not found". Nothing is there for this key: org_id may be wrong or belong to another key (copy it from the page where the key was made), api_url may not be the API's base address, or this deployment lacks the endpoint.
        "#);
    }

    #[test]
    fn a_host_that_is_called_after_certificates_has_no_trouble_with_its_own() {
        assert!(is_about_certificate("[::1]: invalid peer certificate: UnknownIssuer"));
        assert!(!is_about_certificate("certificates.example: connection refused"));
    }
}
