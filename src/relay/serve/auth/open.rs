//! What is open without authentication: for requests that begin and end on this machine. Pure.
//!
//! A proxy on this machine passes requests of strangers on, and any web page can make a browser here send some. Most of
//! those show it; a proxy that hides itself as well as nginx 1.29.7 does cannot be told.

use std::net::IpAddr;

use super::{Refusal, Request};

/// Headers that only a proxy sets: behind one, every request seems to come from this machine.
const OF_PROXIES: [&str; 3] = ["forwarded", "x-real-ip", "via"];

/// Whether a request may come in without a credential.
///
/// # Errors
/// When it comes, or may come, from elsewhere.
pub fn check(request: Request) -> Result<(), Refusal> {
    if !request.peer.to_canonical().is_loopback() {
        return Err(Refusal::NotLoopback);
    }
    if request.path_secret.is_some() {
        return Err(Refusal::UnexpectedPath);
    }
    for (name, value) in request.headers {
        let name = name.to_ascii_lowercase();
        // Typed into the address bar, it is nobody's but the person's here.
        if name == "origin" || name == "sec-fetch-site" && value.trim_ascii() != b"none" {
            return Err(Refusal::Browser { header: name });
        }
    }
    from_here(request)
}

/// Whether a request comes from this machine, and through no proxy as far as can be told.
///
/// # Errors
/// When it comes, or may come, from elsewhere.
pub fn from_here(request: Request) -> Result<(), Refusal> {
    if !request.peer.to_canonical().is_loopback() {
        return Err(Refusal::NotLoopback);
    }
    for (name, _) in request.headers {
        let name = name.to_ascii_lowercase();
        if OF_PROXIES.contains(&name.as_str()) || name.starts_with("x-forwarded") {
            return Err(Refusal::Proxied { sign: format!("the {name} header") });
        }
    }
    // As nginx asks up to 1.29.6. Other programs that speak this old version leave the header out.
    let is_closing = request.values("connection").any(|value| value.eq_ignore_ascii_case(b"close"));
    if request.is_http_1_0 && is_closing {
        return Err(Refusal::Proxied { sign: "HTTP/1.0 with Connection: close".to_string() });
    }
    // A proxy that passes the name on by which it was asked, or a page whose name leads here.
    let mut hosts = request.values("host").peekable();
    match hosts.peek().is_some() && hosts.all(is_here) {
        true => Ok(()),
        false => Err(Refusal::ForeignHost),
    }
}

/// Whether a `Host` header names this machine as only this machine calls itself.
fn is_here(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default().trim_end_matches('.');
    let is_name = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    is_name || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}
