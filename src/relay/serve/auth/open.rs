//! Routes without authentication: for requests that begin and end on this machine. Pure.

use super::{Refusal, Request};

/// Headers that only a proxy sets: behind one, every request seems to come from this machine.
const OF_PROXIES: [&str; 3] = ["forwarded", "x-real-ip", "via"];

/// Headers that only a browser sets: any web page can make one ask this machine.
const OF_BROWSERS: [&str; 2] = ["origin", "sec-fetch-site"];

/// Whether a request may deliver without a credential.
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
    for (name, _) in request.headers {
        let name = name.to_ascii_lowercase();
        if OF_PROXIES.contains(&name.as_str()) || name.starts_with("x-forwarded") {
            return Err(Refusal::Proxied { header: name });
        }
        if OF_BROWSERS.contains(&name.as_str()) {
            return Err(Refusal::Browser { header: name });
        }
    }
    Ok(())
}
