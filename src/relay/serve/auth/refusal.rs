//! Why a request may not deliver: the status of its answer, and a sentence without secrets. Pure.

use std::fmt;

use super::TOLERANCE_S;

/// Why a request may not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The route knows no way in.
    NoMethod,
    /// A credential is not there.
    Missing { header: String },
    /// The path ends with the route's name.
    MissingPath,
    /// The path continues after the name of a route that asks for no secret there.
    UnexpectedPath,
    /// A header is there several times, or not in its form.
    Unreadable { header: String },
    /// A credential is not the right one.
    Wrong { method: &'static str },
    /// No signature in the header is one of the body with a key of the route.
    BadSignature { header: String },
    /// What was signed is so many seconds old; less than nothing when its time is still to come.
    Untimely { age_s: i64 },
    /// What is open without authentication was asked for from another machine.
    NotLoopback,
    /// The same through a proxy, as this shows.
    Proxied { sign: String },
    /// The same under a name that is not this machine's own.
    ForeignHost,
    /// The same by a web page, as this header shows.
    Browser { header: String },
    /// Not a message of SNS that can be verified: the end of a sentence that begins with "the message".
    NotSns { reason: &'static str },
    /// A message of an SNS topic that the route does not list.
    UnknownTopic { topic: String },
}

impl Refusal {
    /// The status of the answer: 401 where another credential would help, 403 where it would not.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::NoMethod
            | Refusal::Missing { .. }
            | Refusal::MissingPath
            | Refusal::UnexpectedPath
            | Refusal::Wrong { .. } => 401,
            Refusal::Unreadable { .. }
            | Refusal::BadSignature { .. }
            | Refusal::Untimely { .. }
            | Refusal::NotLoopback
            | Refusal::Proxied { .. }
            | Refusal::ForeignHost
            | Refusal::Browser { .. }
            | Refusal::NotSns { .. }
            | Refusal::UnknownTopic { .. } => 403,
        }
    }

    /// Every word that [`Refusal::code`] may say.
    pub const CODES: [&str; 13] = [
        "no_method",
        "missing_credential",
        "unexpected_path",
        "unreadable_credential",
        "wrong_credential",
        "bad_signature",
        "untimely",
        "not_loopback",
        "proxied",
        "foreign_host",
        "browser",
        "not_sns",
        "unknown_topic",
    ];

    /// One word for programs: a label of a metric, a field of a log.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NoMethod => "no_method",
            Refusal::Missing { .. } | Refusal::MissingPath => "missing_credential",
            Refusal::UnexpectedPath => "unexpected_path",
            Refusal::Unreadable { .. } => "unreadable_credential",
            Refusal::Wrong { .. } => "wrong_credential",
            Refusal::BadSignature { .. } => "bad_signature",
            Refusal::Untimely { .. } => "untimely",
            Refusal::NotLoopback => "not_loopback",
            Refusal::Proxied { .. } => "proxied",
            Refusal::ForeignHost => "foreign_host",
            Refusal::Browser { .. } => "browser",
            Refusal::NotSns { .. } => "not_sns",
            Refusal::UnknownTopic { .. } => "unknown_topic",
        }
    }

    /// How much it tells, where a request fails by several methods.
    pub(super) fn weight(&self) -> u8 {
        match self {
            Refusal::NoMethod => 0,
            Refusal::Missing { .. } | Refusal::MissingPath | Refusal::NotSns { .. } => 1,
            Refusal::Unreadable { .. } => 2,
            Refusal::Wrong { .. } => 3,
            _ => 4,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoMethod => {
                formatter.write_str("this route accepts no credential: see its auth in the rules file")
            }
            Refusal::Missing { header } => write!(formatter, "the request has no {header} header"),
            Refusal::MissingPath => formatter
                .write_str("the URL lacks its secret: it must end with the route's name, a slash and the secret"),
            Refusal::UnexpectedPath => {
                formatter.write_str("the URL continues after the route's name, but this route takes no secret there")
            }
            Refusal::Unreadable { header } => {
                write!(formatter, "the {header} header is sent several times or is not in the expected form")
            }
            Refusal::Wrong { method } => write!(formatter, "the {method} credential is not one of this route's"),
            Refusal::BadSignature { header } => write!(
                formatter,
                "the signature in {header} does not match: the secret differs from the sender's, or something between changed the body"
            ),
            Refusal::Untimely { age_s } if *age_s < 0 => write!(
                formatter,
                "the signed timestamp is {} s in the future ({TOLERANCE_S} s are allowed): compare the clocks of both machines",
                age_s.unsigned_abs()
            ),
            Refusal::Untimely { age_s } => write!(
                formatter,
                "the signed timestamp is {age_s} s old: the request was replayed, or the clocks of both machines differ"
            ),
            Refusal::NotLoopback => formatter.write_str(
                "this address needs no credential, and so accepts requests only from the machine that it is on",
            ),
            Refusal::Proxied { sign } => write!(
                formatter,
                "this address needs no credential, and so accepts no request that came through a proxy, as {sign} shows"
            ),
            Refusal::ForeignHost => formatter.write_str(
                "this address needs no credential, and so accepts only requests whose Host header is localhost or an address such as 127.0.0.1",
            ),
            Refusal::Browser { header } => write!(
                formatter,
                "this address needs no credential, and so accepts no request of a web page, as the {header} header shows"
            ),
            Refusal::NotSns { reason } => write!(formatter, "the message {reason}"),
            Refusal::UnknownTopic { topic } => {
                write!(formatter, "the SNS topic {topic} is not one of this route's topics")
            }
        }
    }
}
