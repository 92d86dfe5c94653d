//! Who may deliver to a route: the request's credentials against what the route asks for. Pure.
//!
//! It takes the parts of a request as bytes and answers with a verdict; no verdict holds a secret. What the body means is
//! not its business, and it fetches nothing: SNS's certificate is asked for by [`Verdict::NeedsCertificate`].

mod credential;
mod open;
mod refusal;
pub mod sign_in;
mod signature;
pub mod sns;

use std::net::IpAddr;

pub use open::from_here;
pub use refusal::Refusal;
pub use signature::{Hmac, Scheme, standard_webhooks_key};

use super::secret::Secret;

/// How far a signed timestamp may be from this machine's clock, in seconds, either way.
pub const TOLERANCE_S: i64 = 300;

/// What a route asks of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nothing but that it comes from this machine.
    Open,
    /// One of these is enough, so that a sender can be moved from one to another.
    AnyOf(Vec<Method>),
}

/// A way to prove who sends. Each with several secrets knows the old and the new one while they are rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// `Authorization: Bearer SECRET`
    Bearer(Vec<Secret>),
    /// `Authorization: Basic …`
    Basic { username: String, passwords: Vec<Secret> },
    /// The secret is the value of the header `name`.
    Header { name: String, secrets: Vec<Secret> },
    /// The secret is the end of the path, for senders that can set nothing.
    Path(Vec<Secret>),
    /// An HMAC over the raw body.
    Signature { scheme: Scheme, keys: Vec<Secret> },
    /// The signature of Amazon SNS, for messages of these topics only.
    Sns { topics: Vec<String> },
}

/// The parts of a request that are looked at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// In any letter case, as often as they came.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// As it came; what a signature covers.
    pub body: &'a [u8],
    /// What follows the route's name and a slash in the path, still percent-encoded.
    pub path_secret: Option<&'a str>,
    /// Who is at the other end of the connection.
    pub peer: IpAddr,
    /// Whether it came by this old version, which some proxies speak.
    pub is_http_1_0: bool,
    /// By this machine's clock, in Unix seconds.
    pub now: i64,
}

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted(Accepted),
    Refused(Refusal),
    /// Fetch the certificate from [`sns::Pending::certificate_url`] and ask [`sns::Pending::verify`].
    NeedsCertificate(Box<sns::Pending>),
}

/// A request that proved who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// By which method, in the rules file's word.
    pub by: &'static str,
    /// Visiting this confirms the subscription that the message asks about. No other address of a message is ever to be
    /// visited.
    pub confirm: Option<sns::Url>,
}

impl Accepted {
    fn by(by: &'static str) -> Accepted {
        Accepted { by, confirm: None }
    }
}

impl Auth {
    /// Whether the head of a request tells who sends it, so that a body need not be read for it.
    pub fn is_in_the_head(&self) -> bool {
        match self {
            Auth::Open => true,
            Auth::AnyOf(methods) => {
                !methods.iter().any(|method| matches!(method, Method::Signature { .. } | Method::Sns { .. }))
            }
        }
    }
}

/// Whether a request may deliver.
pub fn authenticate(auth: &Auth, request: Request) -> Verdict {
    let methods = match auth {
        Auth::Open => return verdict(open::check(request).map(|()| Accepted::by("none"))),
        Auth::AnyOf(methods) => methods,
    };
    if request.path_secret.is_some() && !methods.iter().any(|method| matches!(method, Method::Path(_))) {
        return Verdict::Refused(Refusal::UnexpectedPath);
    }
    // A message of SNS may have to be confirmed, which only its own signature allows: that comes first.
    for method in methods {
        if let Method::Sns { topics } = method
            && let Ok(pending) = sns::Pending::new(topics, request)
        {
            return Verdict::NeedsCertificate(Box::new(pending));
        }
    }
    let mut refusal = Refusal::NoMethod;
    for method in methods {
        match check(method, request) {
            Ok(()) => return Verdict::Accepted(Accepted::by(method.name())),
            // What was tried and is wrong tells more than what is missing.
            Err(found) if found.weight() > refusal.weight() => refusal = found,
            Err(_) => {}
        }
    }
    Verdict::Refused(refusal)
}

fn check(method: &Method, request: Request) -> Result<(), Refusal> {
    match method {
        Method::Bearer(secrets) => credential::bearer(secrets, request),
        Method::Basic { username, passwords } => credential::basic(username, passwords, request),
        Method::Header { name, secrets } => credential::header(name, secrets, request),
        Method::Path(secrets) => credential::path(secrets, request),
        Method::Signature { scheme, keys } => signature::check(scheme, keys, request),
        Method::Sns { topics } => sns::Pending::new(topics, request).map(|_| ()),
    }
}

fn verdict(checked: Result<Accepted, Refusal>) -> Verdict {
    checked.map_or_else(Verdict::Refused, Verdict::Accepted)
}

impl Method {
    /// Its name in the rules file.
    pub fn name(&self) -> &'static str {
        match self {
            Method::Bearer(_) => "bearer",
            Method::Basic { .. } => "basic",
            Method::Header { .. } => "header",
            Method::Path(_) => "path",
            Method::Signature { scheme, .. } => scheme.name(),
            Method::Sns { .. } => "sns",
        }
    }

    /// The secrets that it compares with: what a redactor should know.
    pub fn secrets(&self) -> &[Secret] {
        match self {
            Method::Bearer(secrets)
            | Method::Basic { passwords: secrets, .. }
            | Method::Header { secrets, .. }
            | Method::Path(secrets)
            | Method::Signature { keys: secrets, .. } => secrets,
            Method::Sns { .. } => &[],
        }
    }
}

impl<'a> Request<'a> {
    /// The values of a header, without the white space around them.
    pub fn values(self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.headers.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim_ascii())
    }

    /// The value of a header that makes no sense twice.
    fn single(self, name: &'a str) -> Result<&'a [u8], Refusal> {
        let mut values = self.values(name);
        let value = values.next().filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| Refusal::Missing { header: name.to_string() })?;
        if values.next().is_some() {
            return Err(Refusal::Unreadable { header: name.to_string() });
        }
        Ok(value)
    }
}

/// How far `then` is from `now`, if that is too far; both in Unix seconds.
fn timely(then: i64, now: i64, past_s: i64) -> Result<(), Refusal> {
    let age_s = now.saturating_sub(then);
    if age_s > past_s || age_s < -TOLERANCE_S { Err(Refusal::Untimely { age_s }) } else { Ok(()) }
}

#[cfg(test)]
pub mod tests;
