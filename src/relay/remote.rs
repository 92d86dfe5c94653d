//! A bridge that runs, as commands reach it: one request to its API, and what is wrong where nothing comes of it, in words. What is
//! asked and what is shown of the answers others know.

pub mod alert;
pub mod find;
pub mod news;
pub mod table;
mod trust;
pub mod words;

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use serde_json::Value;

use super::error_report::{Code, ErrorReport};
use crate::devin::address::is_loopback;
use crate::devin::transport::Method;
use crate::devin::{Kind, Token, kind_of, reaching};

/// How long an answer may take. The bridge gives up its own work before.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a file may take, all of it: the bridge makes it first.
#[cfg(feature = "serve")]
const PATIENCE_FOR_A_FILE: Duration = Duration::from_secs(86_400);

/// The largest answer, in bytes: 500 alerts with all that is known of them stay below.
const LARGEST: usize = 64 << 20;

/// A bridge.
pub struct Bridge {
    address: String,
    client: reqwest::Client,
    has_token: bool,
}

/// A request of which nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteError {
    /// The bridge's; `None` where no bridge answered.
    pub status: Option<u16>,
    pub report: ErrorReport,
}

impl Bridge {
    /// A bridge at a base address, with its token, and the certificates that alone vouch for it, in PEM.
    ///
    /// # Errors
    /// A sentence: what cannot be used.
    pub fn new(address: &str, token: Option<&Token>, roots: Option<&[u8]>) -> Result<Bridge, String> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        if let Some(token) = token {
            let value = HeaderValue::from_bytes(format!("Bearer {}", token.expose()).as_bytes());
            let mut value =
                value.map_err(|_| "the token holds characters that no HTTP header can carry".to_string())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE);
        if let Some(roots) = roots {
            builder = builder.tls_backend_preconfigured(trust::trusting_only(roots)?);
        }
        let client = reaching(address, builder)?;
        Ok(Bridge { address: address.to_string(), client, has_token: token.is_some() })
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub async fn get(&self, path: &str) -> Result<Value, RemoteError> {
        self.ask(Method::Get, path, None).await
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, RemoteError> {
        self.ask(Method::Post, path, body).await
    }

    /// Asks for something to be taken away.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub async fn delete(&self, path: &str) -> Result<Value, RemoteError> {
        self.ask(Method::Delete, path, None).await
    }

    /// Asks for a file, and gives its parts to `take` as they come.
    ///
    /// # Errors
    /// Why it did not come whole, or what `take` says is wrong.
    #[cfg(feature = "serve")]
    pub async fn download(
        &self,
        path: &str,
        kind: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), ErrorReport>,
    ) -> Result<(), RemoteError> {
        let request = self.client.post(format!("{}{path}", self.address)).timeout(PATIENCE_FOR_A_FILE);
        let mut response = request.send().await.map_err(|error| self.without_answer(&error))?;
        if !response.status().is_success() {
            return self.read(response).await.and(Err(self.is_another()));
        }
        if response.headers().get(CONTENT_TYPE).is_none_or(|found| found != kind) {
            return Err(self.is_another());
        }
        let mut left = response.content_length();
        while let Some(part) = response.chunk().await.map_err(|error| self.without_answer(&error))? {
            take(&part).map_err(|report| RemoteError { status: None, report })?;
            left = left.map(|left| left.saturating_sub(part.len() as u64));
        }
        match left {
            None | Some(0) => Ok(()),
            Some(_) => Err(self.nobody(format!("the bridge at {} broke off its answer. Try again.", self.address))),
        }
    }

    /// All rows of a list, page after page.
    ///
    /// # Errors
    /// Why one of them did not come.
    pub async fn list(&self, name: &str, query: &[(&str, String)]) -> Result<Vec<Value>, RemoteError> {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let (mut rows, mut next) = (Vec::new(), Some(format!("/api/v1/{name}?{}", query.join("&"))));
        while let Some(path) = next {
            let mut page = self.get(&path).await?;
            let Value::Array(more) = page[name].take() else { return Err(self.is_another()) };
            // A list that leads to itself has no end.
            let leads_on = |next: &String| *next != path && !more.is_empty() && next.starts_with("/api/");
            next = page["next"].as_str().map(str::to_string).filter(leads_on);
            rows.extend(more);
        }
        Ok(rows)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, RemoteError> {
        let url = format!("{}{path}", self.address);
        let request = match method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
            Method::Delete => self.client.delete(url),
        };
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
            None => request,
        };
        let response = request.send().await.map_err(|error| self.without_answer(&error))?;
        self.read(response).await
    }

    /// What is answered, as JSON.
    async fn read(&self, mut response: Response) -> Result<Value, RemoteError> {
        let (status, mut text) = (response.status(), Vec::new());
        while let Some(part) = response.chunk().await.map_err(|error| self.without_answer(&error))? {
            if text.len() + part.len() > LARGEST {
                return Err(self.is_another());
            }
            text.extend_from_slice(&part);
        }
        let answer = serde_json::from_slice(&text).ok().filter(Value::is_object).ok_or_else(|| self.is_another())?;
        if status.is_success() {
            return Ok(answer);
        }
        let reason = answer["reason"].as_str().filter(|_| answer["accepted"].is_boolean());
        Err(self.refusal(status, reason.ok_or_else(|| self.is_another())?))
    }

    /// What the bridge says no with.
    fn refusal(&self, status: StatusCode, reason: &str) -> RemoteError {
        let (code, remedy) = match status {
            StatusCode::UNAUTHORIZED if self.has_token => {
                (Code::BridgeDenied, ". Check the token in --token-file or DEVIN_RELAY_TOKEN.")
            }
            StatusCode::UNAUTHORIZED => {
                (Code::BridgeDenied, ". Give it with --token-file FILE or in DEVIN_RELAY_TOKEN.")
            }
            StatusCode::FORBIDDEN => (Code::BridgeDenied, "."),
            StatusCode::SERVICE_UNAVAILABLE => (Code::BridgeRefused, ". Try again in a moment."),
            _ => (Code::BridgeRefused, "."),
        };
        let message = format!("the bridge answered {}: {}{remedy}", status.as_u16(), reason.trim_end_matches('.'));
        RemoteError { status: Some(status.as_u16()), report: ErrorReport { code, message } }
    }

    /// Who answers is no bridge.
    fn is_another(&self) -> RemoteError {
        let address = &self.address;
        self.nobody(format!(
            "what answers at {address} is not alert-relay serve: another program, or a proxy in between. Check --bridge or DEVIN_RELAY_URL."
        ))
    }

    fn without_answer(&self, error: &reqwest::Error) -> RemoteError {
        let address = &self.address;
        if error.is_timeout() && !error.is_connect() {
            let seconds = PATIENCE.as_secs();
            return self.nobody(format!("the bridge at {address} did not answer within {seconds} s. Try again."));
        }
        let kind = kind_of(error);
        let remedy = match &kind {
            Kind::Barred(reason) if reason.contains("certificate expired") => {
                "Its certificate has expired, which --ca-file does not change: start the bridge with a new one (--tls-cert, --tls-key); or the clock of this machine is ahead"
            }
            Kind::Barred(reason) if reason.contains("certificate not valid yet") => {
                "Its certificate is not valid yet, which --ca-file does not change: the clock of this machine is behind, or the bridge needs another one (--tls-cert, --tls-key)"
            }
            Kind::Barred(reason) if reason.contains("not valid for name") => {
                "Its certificate is for another name: give one that it is for in --bridge"
            }
            Kind::Barred(reason) if reason.contains("certificate") => {
                "Its certificate is not trusted: give the one that vouches for it with --ca-file FILE, and the name that it is for in --bridge"
            }
            Kind::Unreachable(reason) if reason.contains("does not speak TLS") => "Begin --bridge with http://",
            Kind::Unreachable(_) => {
                "Start it with `source-devin-ai alert-relay serve`, or say where it is with --bridge URL or DEVIN_RELAY_URL"
            }
            _ => "Check --bridge or DEVIN_RELAY_URL, and try again",
        };
        self.nobody(format!("the bridge at {address} {kind}. {remedy}."))
    }

    fn nobody(&self, message: String) -> RemoteError {
        RemoteError { status: None, report: ErrorReport { code: Code::NoBridge, message } }
    }
}

/// The base address of a bridge, as everything else is joined to it.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with where it stands.
pub fn base_address(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "must be an address like http://127.0.0.1:8080 or https://relay.example.com";
    let text = text.trim();
    let whole = if text.contains("://") { text.to_string() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|_| FORM)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err(
                "must begin with https:// (http:// is allowed for this machine only, because it would show the token): \
                a tunnel to the bridge's machine (ssh -L, kubectl port-forward) makes it this machine",
            );
        }
        _ => return Err(FORM),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password: a token belongs in --token-file or DEVIN_RELAY_TOKEN");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must be a base address without a query");
    }
    let address = url.as_str().trim_end_matches('/');
    Ok(address.strip_suffix("/api/v1").unwrap_or(address).trim_end_matches('/').to_string())
}

/// A text as one segment of a path, or as a value in a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_bridge_in_the_clear_is_for_this_machine_only() {
        let addresses = [
            "http://127.0.0.1:8080",
            "127.0.0.1:8080",
            "localhost:8080/",
            "https://relay.example.com/bridge/api/v1/",
            "http://relay.example.com",
            "relay.example.com",
            "ftp://x",
            "https://a:b@x",
            "https://x/?token=1",
            "",
        ];
        let read: Vec<String> = addresses.iter().map(|text| format!("{text}: {:?}", base_address(text))).collect();
        insta::assert_snapshot!(read.join("\n"), @r#"
        http://127.0.0.1:8080: Ok("http://127.0.0.1:8080")
        127.0.0.1:8080: Ok("http://127.0.0.1:8080")
        localhost:8080/: Ok("http://localhost:8080")
        https://relay.example.com/bridge/api/v1/: Ok("https://relay.example.com/bridge")
        http://relay.example.com: Err("must begin with https:// (http:// is allowed for this machine only, because it would show the token): a tunnel to the bridge's machine (ssh -L, kubectl port-forward) makes it this machine")
        relay.example.com: Err("must begin with https:// (http:// is allowed for this machine only, because it would show the token): a tunnel to the bridge's machine (ssh -L, kubectl port-forward) makes it this machine")
        ftp://x: Err("must be an address like http://127.0.0.1:8080 or https://relay.example.com")
        https://a:b@x: Err("must not hold a user name or password: a token belongs in --token-file or DEVIN_RELAY_TOKEN")
        https://x/?token=1: Err("must be a base address without a query")
        : Err("must be an address like http://127.0.0.1:8080 or https://relay.example.com")
        "#);
    }
}
