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

/// The same where that names none, as Python's programs know it.
const OTHER_CERTIFICATES: &str = "REQUESTS_CA_BUNDLE";

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
pub(super) fn build(settings: &Settings, connections: Connections, is_http1: bool) -> Result<reqwest::Client, String> {
    let mut key = HeaderValue::from_bytes(format!("Bearer {}", settings.token.expose()).as_bytes())
        .map_err(|_| "the API key holds characters that no HTTP header can carry".to_string())?;
    key.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, key), (ACCEPT, HeaderValue::from_static("application/json"))]);
    provide_cryptography();
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
    if is_http1 {
        builder = builder.http1_only();
    }
    reaching(&settings.api_url, builder)
}

/// A client for this address and no other: this machine is asked without a proxy, and whatever is asked in the clear needs no
/// root certificates.
///
/// # Errors
/// A sentence: there are no root certificates.
pub fn reaching(address: &str, mut builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    if Url::parse(address).is_ok_and(|url| url.host_str().is_some_and(is_loopback)) || no_proxy_at_all() {
        builder = builder.no_proxy();
    }
    if address.starts_with("http://") {
        provide_cryptography();
        return finished(builder.tls_certs_only([]));
    }
    trusting(builder)
}

/// For whatever speaks TLS in this process.
pub fn provide_cryptography() {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client that trusts the root certificates of this machine, or those that a variable names.
///
/// # Errors
/// A sentence: there are no root certificates.
pub fn trusting(mut builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    provide_cryptography();
    if certificates_of(CERTIFICATES)?.is_none()
        && let Some(text) = certificates_of(OTHER_CERTIFICATES)?
    {
        let roots = reqwest::Certificate::from_pem_bundle(&text)
            .map_err(|error| format!("{OTHER_CERTIFICATES} cannot be used: {}", root_cause(&error)))?;
        builder = builder.tls_certs_only(roots);
    }
    finished(builder)
}

fn finished(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    builder.build().map_err(|error| {
        format!(
            "{} (install the package ca-certificates, or point {CERTIFICATES} at a file of root certificates)",
            root_cause(&error)
        )
    })
}

/// What is in the file that this variable names; `None` where it names none. The library would go on without a file that
/// cannot be used, and trust nobody.
fn certificates_of(variable: &str) -> Result<Option<Vec<u8>>, String> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) else { return Ok(None) };
    let name = path.display();
    let text =
        std::fs::read(&path).map_err(|error| format!("{variable} names {name}, which cannot be read: {error}"))?;
    let begins = b"-----BEGIN CERTIFICATE-----";
    if text.windows(begins.len()).any(|window| window == begins) {
        Ok(Some(text))
    } else {
        Err(format!("{variable} names {name}, which holds no certificate"))
    }
}

/// Whether `NO_PROXY` holds `*`, which the library takes for names of hosts alone, and not for addresses.
fn no_proxy_at_all() -> bool {
    let listed = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    listed.split(',').any(|host| host.trim() == "*")
}

/// What an error of the library is to us.
pub fn kind_of(error: &reqwest::Error) -> Kind {
    if error.is_builder() {
        Kind::Unaskable(root_cause(error))
    } else if error.is_connect() {
        no_connection(&place(error.url()), &root_cause(error))
    } else {
        Kind::Broken(root_cause(error))
    }
}

/// What a connection to `place` that could not be made for this cause is to us. The words that are looked for are those of
/// rustls and of hyper-util, whose errors have no other marks.
fn no_connection(place: &str, cause: &str) -> Kind {
    if cause.contains("certificate") {
        return Kind::Barred(format!("{place}: {cause}"));
    }
    match cause {
        "tunnel error: proxy authorization required" => {
            Kind::Barred(format!("{place}: the proxy asks for a name and a password (407)"))
        }
        "tunnel error: unsuccessful" => {
            Kind::Unreachable(format!("{place}: the proxy made no connection, and answered with an error of its own"))
        }
        _ if cause.starts_with("unsupported scheme") => {
            Kind::Barred(format!("{place}: the proxy's address has an {cause}: only http:// and https:// work"))
        }
        _ => Kind::Unreachable(format!("{place}: {cause}")),
    }
}

/// Whether the server refused a request because it came by HTTP/2: then nothing has been done for it.
pub(super) fn wants_http1(error: &reqwest::Error) -> bool {
    // The library's words for the code HTTP_1_1_REQUIRED.
    root_cause(error).contains("requires HTTP/1.1")
}

/// The host that was asked, and the proxy on the way to it: which of the two cannot be reached, the library does not say.
fn place(url: Option<&Url>) -> String {
    let host = url.and_then(Url::host_str).unwrap_or("the server");
    let uri = url.filter(|_| !is_loopback(host) && !no_proxy_at_all()).and_then(|url| url.as_str().parse().ok());
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
pub fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let cause = cause.to_string();
    // rustls' name for a first record that is no TLS at all.
    if cause.contains("InvalidContentType") { "the server does not speak TLS on this port".to_string() } else { cause }
}
