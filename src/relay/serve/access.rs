//! Who may see what the bridge does, and who may act. Pure.
//!
//! Without a token in the rules file, everything is open to programs and browsers on this machine, and to nobody else. With
//! one, a token decides, wherever a request comes from.

use std::fmt;

use super::auth::{Refusal, Request, from_here};
use super::secret::Secret;

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// What everybody may: whether the bridge lives.
    Nothing,
    /// See everything but the bodies of deliveries.
    Read,
    /// Also bodies, and act.
    Admin,
}

/// The tokens and names of a rules file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    pub read: Vec<AccessToken>,
    pub admin: Vec<AccessToken>,
    /// Names by which browsers may ask for the bridge, besides addresses and this machine's own: without a port, in small letters.
    pub hosts: Vec<String>,
}

/// A token, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub name: String,
    pub secret: Secret,
}

/// Whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub right: Right,
    /// The token's name; `None` for somebody on this machine who needs none.
    pub token: Option<String>,
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// A token is needed, and there is none.
    NoToken,
    WrongToken,
    /// There is no token in the rules, and it does not come from this machine.
    NotHere(Refusal),
    /// By a name that may be anybody's.
    ForeignHost,
    /// By a page of another site, as this header shows.
    ForeignSite {
        header: &'static str,
    },
    /// Its token may less.
    NeedsAdmin,
}

impl Access {
    /// Whether a token decides who may ask.
    pub fn has_tokens(&self) -> bool {
        !self.read.is_empty() || !self.admin.is_empty()
    }

    /// All secrets: what a redactor should know.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.read.iter().chain(&self.admin).map(|token| &token.secret)
    }

    /// Who asks. A token is only told to whom it is meant for, so a request that carries one may come from any site and by any
    /// name. `is_safe` says whether the request's method changes nothing.
    ///
    /// # Errors
    /// Why whoever asks may see nothing.
    pub fn caller(&self, request: Request, is_safe: bool) -> Result<Caller, Denied> {
        if self.has_tokens() {
            return match bearer(request) {
                Some(given) => self.by_token(given).ok_or(Denied::WrongToken),
                None => Err(Denied::NoToken),
            };
        }
        from_here(request).map_err(Denied::NotHere)?;
        self.check_site(request, is_safe)?;
        Ok(Caller { right: Right::Admin, token: None })
    }

    /// Whose token this is; `None` where it is nobody's. How long that takes tells nothing about any.
    pub fn by_token(&self, given: &[u8]) -> Option<Caller> {
        let mut found = None;
        for (right, tokens) in [(Right::Read, &self.read), (Right::Admin, &self.admin)] {
            for token in tokens {
                if token.secret.is(given) {
                    found = Some(Caller { right, token: Some(token.name.clone()) });
                }
            }
        }
        found
    }

    /// Whether a request without a token of its own, which a browser may have been made to send, comes from this bridge's own
    /// pages: it asks by a name that only this bridge has, and no other site has sent it.
    ///
    /// # Errors
    /// What shows that it does not.
    pub fn check_site(&self, request: Request, is_safe: bool) -> Result<(), Denied> {
        let mut hosts = request.values("host");
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Denied::ForeignHost) };
        let host = std::str::from_utf8(host).map_err(|_| Denied::ForeignHost)?;
        if !self.is_own(host) {
            return Err(Denied::ForeignHost);
        }
        let is_same = |origin: &[u8]| {
            let origin = std::str::from_utf8(origin).ok().and_then(|origin| Some(origin.split_once("://")?.1));
            origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
        };
        if !request.values("origin").all(is_same) {
            return Err(Denied::ForeignSite { header: "Origin" });
        }
        // A link on another site may lead here: its page sees nothing of what is answered.
        let is_link = is_safe && request.values("sec-fetch-mode").any(|mode| mode == b"navigate");
        let is_own = |site: &[u8]| site == b"none" || site == b"same-origin" || is_link;
        if !request.values("sec-fetch-site").all(is_own) {
            return Err(Denied::ForeignSite { header: "Sec-Fetch-Site" });
        }
        Ok(())
    }

    /// Whether nobody else can have a `Host`: an address, a name of this machine, or one of those in the rules.
    fn is_own(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => host.rsplit_once(':').map_or(Some(host), |(name, _)| Some(name)),
        };
        let name = name.unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let is_here = name == "localhost" || name.ends_with(".localhost");
        is_here || name.parse::<std::net::IpAddr>().is_ok() || self.hosts.contains(&name)
    }
}

/// What follows `Bearer` in the one `Authorization` header.
fn bearer(request: Request<'_>) -> Option<&[u8]> {
    let mut values = request.values("authorization");
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.trim_ascii().is_empty()).then(|| token.trim_ascii())
}

impl Caller {
    /// Whoever asks, if they may do this.
    ///
    /// # Errors
    /// When they may not.
    pub fn with(self, needed: Right) -> Result<Caller, Denied> {
        if self.right >= needed { Ok(self) } else { Err(Denied::NeedsAdmin) }
    }
}

impl Denied {
    /// The status of the answer: 401 where a token would help, 403 where it would not.
    pub fn status(&self) -> u16 {
        match self {
            Denied::NoToken | Denied::WrongToken => 401,
            _ => 403,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::NoToken => formatter.write_str(
                "this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is",
            ),
            Denied::WrongToken => {
                formatter.write_str("this is not one of the tokens that access in the rules file names")
            }
            Denied::NotHere(refusal) => {
                write!(
                    formatter,
                    "{refusal}: for others, give access.read_token or access.admin_token in the rules file"
                )
            }
            Denied::ForeignHost => formatter.write_str(
                "the Host header is not an address, a name of this machine, or one of access.hosts in the rules file",
            ),
            Denied::ForeignSite { header } => {
                write!(formatter, "a page of another site has sent this request, as the {header} header shows")
            }
            Denied::NeedsAdmin => {
                formatter.write_str("this needs an admin token: the one that was sent is a read token")
            }
        }
    }
}

#[cfg(test)]
mod tests;
