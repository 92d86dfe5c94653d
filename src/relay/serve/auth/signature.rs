//! Signatures over the raw body with a shared key (HMAC), in each sender's form. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::{Refusal, Request, TOLERANCE_S, timely};
use crate::relay::inbound::senders::{Hash, Signature, Signed};
use crate::relay::serve::secret::Secret;

/// How many signatures of one request are looked at. A sender that rotates its key sends two.
const MOST_SIGNATURES: usize = 16;

/// Whose form a signature has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    PagerDuty,
    /// The headers as they are set in the contact point. With a header for the time, that is signed too.
    Grafana {
        header: String,
        timestamp_header: Option<String>,
    },
    Sentry,
    GitHub,
    StandardWebhooks,
    /// Any other, as the table of senders or the rules file describes it.
    Hmac(Hmac),
}

/// A keyed hash in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    pub header: String,
    pub hash: Hash,
    pub is_base64: bool,
    /// What stands before each signature; parts are separated by commas, and those that begin otherwise are skipped.
    pub prefix: String,
    pub signed: Signed,
}

/// How a sender writes its signatures: where, how several are told apart, what each begins with, and as what digits.
struct Form<'a> {
    header: &'a str,
    separator: Option<u8>,
    prefix: &'a [u8],
    decode: fn(&[u8]) -> Option<Vec<u8>>,
}

impl Scheme {
    /// Grafana's own name for the header of the signature.
    pub const GRAFANA_HEADER: &str = "X-Grafana-Alerting-Signature";

    /// Its name in the rules file.
    pub fn name(&self) -> &'static str {
        match self {
            Scheme::PagerDuty => "pagerduty",
            Scheme::Grafana { .. } => "grafana",
            Scheme::Sentry => "sentry",
            Scheme::GitHub => "github",
            Scheme::StandardWebhooks => "standard_webhooks",
            Scheme::Hmac(_) => "hmac",
        }
    }

    /// The header that the signature is in.
    pub fn header(&self) -> &str {
        self.form().header
    }

    fn form(&self) -> Form<'_> {
        let hexadecimal =
            |header, separator, prefix| Form { header, separator, prefix, decode: hexadecimal as fn(&[u8]) -> _ };
        match self {
            Scheme::PagerDuty => hexadecimal("X-PagerDuty-Signature", Some(b','), b"v1="),
            Scheme::Grafana { header, .. } => hexadecimal(header, None, b""),
            Scheme::Sentry => hexadecimal("Sentry-Hook-Signature", None, b""),
            Scheme::GitHub => hexadecimal("X-Hub-Signature-256", None, b"sha256="),
            Scheme::StandardWebhooks => {
                Form { header: "webhook-signature", separator: Some(b' '), prefix: b"v1,", decode: decode_base64 }
            }
            Scheme::Hmac(hmac) => Form {
                header: &hmac.header,
                separator: Some(b','),
                prefix: hmac.prefix.as_bytes(),
                decode: if hmac.is_base64 { decode_base64 } else { self::hexadecimal },
            },
        }
    }

    /// What is signed before the body.
    ///
    /// # Errors
    /// When a header of it is missing, or its time is too far away.
    fn signed_before(&self, request: Request) -> Result<Vec<u8>, Refusal> {
        match self {
            Scheme::Grafana { timestamp_header: Some(header), .. } => Ok([timestamp(header, request)?, b":"].concat()),
            Scheme::StandardWebhooks => {
                let (id, time) = (request.single("webhook-id")?, timestamp("webhook-timestamp", request)?);
                Ok([id, b".", time, b"."].concat())
            }
            Scheme::Hmac(hmac) => hmac.signed_before(request),
            Scheme::PagerDuty | Scheme::Grafana { .. } | Scheme::Sentry | Scheme::GitHub => Ok(Vec::new()),
        }
    }

    fn algorithm(&self) -> hmac::Algorithm {
        match self {
            Scheme::Hmac(Hmac { hash: Hash::Sha512, .. }) => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        }
    }
}

impl Hmac {
    /// How a sender of the table signs; `None` where it does not sign so.
    pub fn of(signature: Signature) -> Option<Hmac> {
        let Signature::Hmac { header, hash, is_base64, prefix, signed } = signature else { return None };
        Some(Hmac { header: header.to_string(), hash, is_base64, prefix: prefix.to_string(), signed })
    }

    fn signed_before(&self, request: Request) -> Result<Vec<u8>, Refusal> {
        match self.signed {
            Signed::Body => Ok(Vec::new()),
            Signed::TimeInHeader { field, separator } => {
                let parts = request.values(&self.header).flat_map(|value| value.split(|byte| *byte == b','));
                let time = parts.filter_map(|part| part.trim_ascii().strip_prefix(field.as_bytes())).next();
                let time = time.ok_or_else(|| Refusal::Unreadable { header: self.header.clone() })?;
                Ok([timely_text(time, &self.header, request)?, separator.as_bytes()].concat())
            }
            Signed::TimeIfSent { header, separator } => match request.values(header).next() {
                Some(_) => Ok([timestamp(header, request)?, separator.as_bytes()].concat()),
                None => Ok(Vec::new()),
            },
        }
    }
}

/// Whether one of the signatures of a request was made with one of the keys.
///
/// # Errors
/// When none was, or what was signed is too old.
pub fn check(scheme: &Scheme, keys: &[Secret], request: Request) -> Result<(), Refusal> {
    let form = scheme.form();
    let header = || form.header.to_string();
    let values: Vec<&[u8]> = request.values(form.header).filter(|value| !value.is_empty()).collect();
    if values.is_empty() {
        return Err(Refusal::Missing { header: header() });
    }
    let each = values.iter().flat_map(|value| value.split(|byte| Some(*byte) == form.separator));
    let signatures = each.filter_map(|text| (form.decode)(text.trim_ascii().strip_prefix(form.prefix)?));
    let signatures: Vec<Vec<u8>> = signatures.take(MOST_SIGNATURES).collect();
    if signatures.is_empty() {
        return Err(Refusal::Unreadable { header: header() });
    }
    let before = scheme.signed_before(request)?;
    for key in keys {
        let mut context = hmac::Context::with_key(&hmac::Key::new(scheme.algorithm(), key.expose()));
        context.update(&before);
        context.update(request.body);
        let right = context.sign();
        if signatures.iter().any(|signature| right.as_ref().ct_eq(signature).into()) {
            return Ok(());
        }
    }
    Err(Refusal::BadSignature { header: header() })
}

/// The key in a secret of Standard Webhooks: base64, behind `whsec_` or bare.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with what it is; nothing of the secret is quoted.
pub fn standard_webhooks_key(secret: &Secret) -> Result<Secret, &'static str> {
    let text = secret.expose();
    let key = decode_base64(text.strip_prefix(b"whsec_").unwrap_or(text));
    match key {
        Some(key) if !key.is_empty() => Ok(Secret::new(key)),
        _ => Err("is not a secret of Standard Webhooks: it begins with whsec_ and goes on in base64"),
    }
}

/// A header's time in Unix seconds, as it stands there.
fn timestamp<'a>(header: &'a str, request: Request<'a>) -> Result<&'a [u8], Refusal> {
    timely_text(request.single(header)?, header, request)
}

/// A time in Unix seconds that is near enough; `header` is where it stands.
fn timely_text<'a>(text: &'a [u8], header: &str, request: Request<'a>) -> Result<&'a [u8], Refusal> {
    let seconds = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    let seconds = seconds.ok_or_else(|| Refusal::Unreadable { header: header.to_string() })?;
    timely(seconds, request.now, TOLERANCE_S)?;
    Ok(text)
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    if text.is_empty() || !text.len().is_multiple_of(2) { None } else { text.chunks_exact(2).map(pair).collect() }
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
