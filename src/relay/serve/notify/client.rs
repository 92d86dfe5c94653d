//! The HTTP client of notifications: it connects to no address that may not be sent to, follows no redirect, and its errors
//! never name an address. Whether an address may be sent to is asked when it is connected to, so that a name cannot lead
//! elsewhere in between.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Url, header};

use super::address::{Allowed, refused};
use super::post::Post;
use crate::devin::{reaching, root_cause};
use crate::failure::remedy_of_certificate;

/// How long a whole request may take, and a connection.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTING: Duration = Duration::from_secs(5);

/// The most that is read of an answer, in bytes.
const LARGEST: usize = 16 << 10;

/// An answer.
pub struct Answer {
    pub status: u16,
    /// How long the target wants to be left alone.
    pub asked: Option<Duration>,
    pub body: Vec<u8>,
}

/// Why there is none.
pub enum Unanswered {
    /// It may come through later.
    Failed(String),
    /// It never will.
    Impossible(String),
}

/// Sends a request.
///
/// # Errors
/// Why there is no answer. It names no part of the address but the host.
pub async fn send(allowed: &Arc<Allowed>, post: Post) -> Result<Answer, Unanswered> {
    let impossible = |text: &str| Unanswered::Impossible(text.to_string());
    let url = Url::parse(&post.url).map_err(|_| impossible("its URL is no URL"))?;
    let host = url.host_str().unwrap_or_default().to_string();
    allowed.look_at(&url).map_err(Unanswered::Impossible)?;
    let builder = reqwest::Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECTING)
        .timeout(PATIENCE)
        .dns_resolver(Arc::new(Checked(Arc::clone(allowed))));
    let client = reaching(&post.url, builder).map_err(Unanswered::Failed)?;
    let mut request = client.post(url).header(header::CONTENT_TYPE, "application/json").body(post.body);
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let failed = |error: reqwest::Error| {
        let why = if error.is_timeout() {
            format!("no answer within {} s", PATIENCE.as_secs())
        } else {
            root_cause(&error.without_url())
        };
        Unanswered::Failed(format!("{host} cannot be reached: {}", with_remedy(&why)))
    };
    let mut answer = request.send().await.map_err(failed)?;
    let asked = asked(answer.headers());
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    // What it answered is known; the rest only explains it.
    while let Ok(Some(part)) = answer.chunk().await {
        body.extend_from_slice(&part[..part.len().min(LARGEST - body.len())]);
        if body.len() == LARGEST {
            break;
        }
    }
    Ok(Answer { status, asked, body })
}

/// How long a target wants to be left alone: it says how long, or that nothing is left until a moment (GitHub, in Unix seconds).
fn asked(headers: &header::HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let until = || {
        let is_used_up = text("x-ratelimit-remaining") == Some("0");
        let until = Duration::from_secs(text("x-ratelimit-reset").filter(|_| is_used_up)?.parse().ok()?);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Some(until.saturating_sub(now))
    };
    text("retry-after").and_then(wait_of).or_else(until)
}

/// Why there is no connection, and what to do where that is the server's certificate.
pub fn with_remedy(why: &str) -> String {
    match why.contains("peer certificate") {
        true => format!("{why}. {}", remedy_of_certificate(why, "the target in the rules file")),
        false => why.to_string(),
    }
}

/// A wait in seconds, or until a moment.
fn wait_of(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(std::time::SystemTime::now()).unwrap_or_default())
}

/// Names, as far as they lead to addresses that may be sent to.
struct Checked(Arc<Allowed>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_string();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let may: Vec<SocketAddr> =
                found.into_iter().filter(|one| allowed.has_host(&name) || allowed.has(one.ip())).collect();
            if may.is_empty() {
                return Err(std::io::Error::other(refused(&name)).into());
            }
            Ok(Box::new(may.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pairs: &[(&'static str, String)]) -> Option<u64> {
        let mut headers = header::HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        asked(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_certificate_that_is_refused_is_told_with_what_to_do() {
        let told = |why: &str| with_remedy(&format!("invalid peer certificate: {why}"));
        assert!(
            told("certificate expired: verification time 9 (UNIX)")
                .contains(". The server's certificate has expired: ")
        );
        assert!(told("UnknownIssuer").contains(" SSL_CERT_FILE "));
        assert!(told("certificate not valid for name \"x\"").ends_with(": check the target in the rules file"));
        assert_eq!(with_remedy("connection refused"), "connection refused");
    }

    #[test]
    fn a_wait_is_said_in_seconds_as_a_moment_or_by_a_used_up_limit() {
        let now = std::time::SystemTime::now();
        let in_a_day = now + Duration::from_secs(86_400);
        let unix = in_a_day.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(waits(&[("retry-after", "7".to_string())]), Some(7));
        // Discord's have fractions.
        assert_eq!(waits(&[("retry-after", "0.65".to_string())]), Some(0));
        let wait = waits(&[("retry-after", httpdate::fmt_http_date(in_a_day))]).unwrap();
        assert!((86_000..=86_400).contains(&wait), "{wait}");
        let limit =
            |left: &str| waits(&[("x-ratelimit-remaining", left.to_string()), ("x-ratelimit-reset", unix.to_string())]);
        assert!(limit("0").is_some_and(|wait| (86_000..=86_400).contains(&wait)));
        assert_eq!(limit("12"), None);
        assert_eq!(waits(&[]), None);
    }
}
