//! How the HTTP client is made, and what its errors mean. Connections are the library's; words for people are ours.

use std::error::Error as _;
use std::io;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};

use super::address::is_loopback;
use super::error::Kind;
use super::retry::Policy;
use super::token::Token;

/// Names a file of root certificates, which takes the place of the system's.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Where the API is and how it may be used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API's base without a trailing slash, for instance `https://api.devin.ai`.
    pub api_url: String,
    pub token: Token,
    pub policy: Policy,
    /// How many requests may be under way at once.
    pub concurrency: usize,
}

/// Whether connections are used again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    Kept,
    Fresh,
    /// A connection of its own: one that had been idle could break without telling whether anything arrived.
    Own,
}

/// Makes the HTTP client. Loopback is asked in the clear, without a proxy and without root certificates, so that it
/// works on a machine that has none.
///
/// # Errors
/// A sentence: the key is no header, or there are no root certificates.
pub(super) fn build(settings: &Settings, connections: Connections) -> Result<reqwest::Client, String> {
    let mut key = HeaderValue::from_bytes(format!("Bearer {}", settings.token.expose()).as_bytes())
        .map_err(|_| "the API key holds characters that no HTTP header can carry".to_string())?;
    key.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, key), (ACCEPT, HeaderValue::from_static("application/json"))]);
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(settings.policy.connect)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(settings.concurrency);
    if connections != Connections::Kept {
        builder = builder.pool_max_idle_per_host(0).retry(reqwest::retry::never());
    }
    if Url::parse(&settings.api_url).is_ok_and(|url| url.host_str().is_some_and(is_loopback)) {
        builder = builder.no_proxy();
    }
    if settings.api_url.starts_with("http://") {
        builder = builder.tls_certs_only([]);
    } else {
        certificates_named()?;
    }
    builder.build().map_err(|error| {
        format!(
            "{} (install the package ca-certificates, or point {CERTIFICATES} at a file of root certificates)",
            root_cause(&error)
        )
    })
}

/// Looks at the file of [`CERTIFICATES`]: the library would go on without it, and trust nobody.
fn certificates_named() -> Result<(), String> {
    let Some(path) = std::env::var_os(CERTIFICATES).filter(|path| !path.is_empty()) else { return Ok(()) };
    let name = path.display();
    let text =
        std::fs::read(&path).map_err(|error| format!("{CERTIFICATES} names {name}, which cannot be read: {error}"))?;
    let begins = b"-----BEGIN CERTIFICATE-----";
    if text.windows(begins.len()).any(|window| window == begins) {
        Ok(())
    } else {
        Err(format!("{CERTIFICATES} names {name}, which holds no certificate"))
    }
}

/// What an error of the library is to us.
pub(super) fn kind_of(error: &reqwest::Error) -> Kind {
    if error.is_builder() {
        Kind::Unaskable(root_cause(error))
    } else if error.is_connect() {
        Kind::Unreachable(format!("{}: {}", place(error.url()), root_cause(error)))
    } else {
        Kind::Broken(root_cause(error))
    }
}

/// The host that was asked, and the proxy on the way to it: which of the two cannot be reached, the library does not say.
fn place(url: Option<&Url>) -> String {
    let host = url.and_then(Url::host_str).unwrap_or("the server");
    let uri = url.filter(|_| !is_loopback(host)).and_then(|url| url.as_str().parse().ok());
    match uri.and_then(|uri| Matcher::from_env().intercept(&uri)) {
        Some(proxy) => {
            let port = proxy.uri().port_u16().map_or(String::new(), |port| format!(":{port}"));
            format!("{host} through the proxy {}{port}", proxy.uri().host().unwrap_or_default())
        }
        None => host.to_string(),
    }
}

/// Whether a request that got no answer failed because its connection ended, and not because it could not be made or
/// brought nonsense. A connection that is closed shows as an incomplete message, one that is reset as an I/O error.
pub(super) fn is_hang_up(error: &reqwest::Error) -> bool {
    let mut cause = error.source().filter(|_| !error.is_connect());
    while let Some(inner) = cause {
        let kind = inner.downcast_ref().map(io::Error::kind);
        if inner.downcast_ref().is_some_and(hyper::Error::is_incomplete_message)
            || matches!(kind, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The innermost cause, which says "connection refused" where the outer ones say "error sending request for url".
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let cause = cause.to_string();
    // rustls' name for a first record that is no TLS at all.
    if cause.contains("InvalidContentType") { "the server does not speak TLS on this port".to_string() } else { cause }
}
