//! Where the API is: which base addresses are fit to be shown a key. Pure.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::token::holds_key;

/// An API address in the form everything else is joined to: scheme, host, port and path, no trailing slash, and no
/// version, which every path brings along.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with the setting's name.
pub fn base_address(text: &str) -> Result<String, &'static str> {
    if holds_key(text) {
        return Err("holds an API key: give the API's address");
    }
    let url = Url::parse(text).map_err(|_| "must be an address like https://api.devin.ai")?;
    let host = url.host_str().ok_or("must be an address like https://api.devin.ai")?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err(
                "must begin with https:// (http:// is allowed for this machine only, because it would show the key)",
            );
        }
        _ => return Err("must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must be a base address without a query");
    }
    let address = url.as_str().trim_end_matches('/');
    Ok(address.strip_suffix("/v3").unwrap_or(address).trim_end_matches('/').to_string())
}

/// The API's base address and the organization in the full address that creates a session,
/// `https://HOST/v3/organizations/ORG/sessions`.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with the option's name.
pub fn endpoint(text: &str) -> Result<(String, String), &'static str> {
    const FORM: &str = "must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions";
    let (base, organization) = text.trim().trim_end_matches('/').rsplit_once("/v3/organizations/").ok_or(FORM)?;
    let organization = organization
        .strip_suffix("/sessions")
        .filter(|id| !id.is_empty() && !id.contains(['/', '?', '#']))
        .ok_or(FORM)?;
    let organization = percent_decode_str(organization).decode_utf8().map_err(|_| FORM)?;
    // A form that was not filled in, or what no identifier holds; and a key that was put in the wrong place.
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "{}<>".contains(c);
    if matches!(&*organization, "." | "..") || organization.contains(is_odd) || organization.contains("cog_") {
        return Err(FORM);
    }
    Ok((base_address(base)?, organization.into_owned()))
}

/// Whether `host`, as it stands in a URL, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_the_clear_is_for_this_machine_only() {
        let addresses = [
            "https://api.devin.ai",
            "https://x.example/base/",
            "http://localhost:1",
            "http://[::1]:1",
            "http://127.9.9.9",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
            "ftp://x",
            "api.devin.ai",
            "https://a:b@x",
            "https://x/?q=1",
            "https://COG_x.example",
        ];
        let read: Vec<String> = addresses.iter().map(|text| format!("{text}: {:?}", base_address(text))).collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        https://api.devin.ai: Ok("https://api.devin.ai")
        https://x.example/base/: Ok("https://x.example/base")
        http://localhost:1: Ok("http://localhost:1")
        http://[::1]:1: Ok("http://[::1]:1")
        http://127.9.9.9: Ok("http://127.9.9.9")
        http://127.0.0.1.example.com: Err("must begin with https:// (http:// is allowed for this machine only, because it would show the key)")
        http://0.0.0.0: Err("must begin with https:// (http:// is allowed for this machine only, because it would show the key)")
        ftp://x: Err("must begin with https://")
        api.devin.ai: Err("must be an address like https://api.devin.ai")
        https://a:b@x: Err("must not hold a user name or password")
        https://x/?q=1: Err("must be a base address without a query")
        https://COG_x.example: Err("holds an API key: give the API's address")
        "#);
    }

    #[test]
    fn an_endpoint_names_the_api_and_the_organization() {
        let addresses = [
            "https://api.devin.ai/v3/organizations/org-1/sessions",
            "https://api.acme.devinenterprise.com/v3/organizations/google%7C7/sessions/",
            "http://127.0.0.1:8080/v3/organizations/org-1/sessions",
            "http://api.devin.ai/v3/organizations/org-1/sessions",
            "https://api.devin.ai/v3/organizations/sessions",
            "https://api.devin.ai/v3/organizations//sessions",
            "https://api.devin.ai/v3/organizations/org-1/sessions/1",
            "https://api.devin.ai/v3/organizations/../sessions",
            "https://api.devin.ai/v3/organizations/{org_id}/sessions",
            "https://api.devin.ai/v3/organizations/<org>/sessions",
            "https://api.devin.ai/v3/organizations/org 1/sessions",
            "https://api.devin.ai/v3/organizations/%0a/sessions",
            "https://api.devin.ai/v3/organizations/cog_k3y/sessions",
            "https://api.devin.ai/v1/sessions",
        ];
        let read: Vec<String> = addresses.iter().map(|text| format!("{text}: {:?}", endpoint(text))).collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        https://api.devin.ai/v3/organizations/org-1/sessions: Ok(("https://api.devin.ai", "org-1"))
        https://api.acme.devinenterprise.com/v3/organizations/google%7C7/sessions/: Ok(("https://api.acme.devinenterprise.com", "google|7"))
        http://127.0.0.1:8080/v3/organizations/org-1/sessions: Ok(("http://127.0.0.1:8080", "org-1"))
        http://api.devin.ai/v3/organizations/org-1/sessions: Err("must begin with https:// (http:// is allowed for this machine only, because it would show the key)")
        https://api.devin.ai/v3/organizations/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations//sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/org-1/sessions/1: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/../sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/{org_id}/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/<org>/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/org 1/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/%0a/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v3/organizations/cog_k3y/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        https://api.devin.ai/v1/sessions: Err("must be the address that creates a session: https://HOST/v3/organizations/ORG/sessions")
        "#);
    }
}
