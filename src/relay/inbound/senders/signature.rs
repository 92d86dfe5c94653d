//! How senders prove that a message is theirs, as data; whoever checks it needs no more. Pure.

/// What a sender puts beside a message, so that a receiver can tell it from a forged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// Nothing: only a secret in the URL can be asked for.
    Nothing,
    /// A header, basic authentication or a bearer token, as the user configures it.
    Header,
    /// The shared secret itself, in this header.
    Token { header: &'static str },
    /// A keyed hash.
    Hmac {
        /// Its name in lowercase.
        header: &'static str,
        hash: Hash,
        /// Whether it is written in Base64 rather than in hexadecimal digits.
        is_base64: bool,
        /// What stands before each value: `sha256=`. Parts with another beginning are skipped; parts are separated by
        /// commas, and any match is enough.
        prefix: &'static str,
        signed: Signed,
    },
    /// [Standard Webhooks](https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
    /// An RSA signature inside the message, whose certificate is at `sns.<region>.amazonaws.com`.
    Sns,
}

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha512,
}

/// What an HMAC is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The body's bytes.
    Body,
    /// The time in the part of the same header that begins with `field`, then `separator`, then the body.
    TimeInHeader { field: &'static str, separator: &'static str },
    /// The body; where the sender also sends this header, its time, `separator`, then the body.
    TimeIfSent { header: &'static str, separator: &'static str },
}

impl Signature {
    /// An HMAC-SHA256 of the body in hexadecimal digits.
    pub(super) const fn hmac(header: &'static str, prefix: &'static str) -> Signature {
        Signature::Hmac { header, hash: Hash::Sha256, is_base64: false, prefix, signed: Signed::Body }
    }

    /// For people: `HMAC-SHA256 in X-Signature`.
    pub fn name(self) -> String {
        match self {
            Signature::Nothing => "none; put a secret into the URL".to_string(),
            Signature::Header => "none; a header of your choice, such as `Authorization`".to_string(),
            Signature::Token { header } => format!("the secret itself in `{}`", spelled(header)),
            Signature::Hmac { header, hash, .. } => {
                let hash = if hash == Hash::Sha256 { "SHA256" } else { "SHA512" };
                format!("HMAC-{hash} in `{}`", spelled(header))
            }
            Signature::StandardWebhooks => "Standard Webhooks (`webhook-signature`)".to_string(),
            Signature::Sns => "RSA, inside the message".to_string(),
        }
    }

    /// How a route of `serve` asks for it, as it stands behind `auth` in a rules file whose `kind` is the sender.
    pub fn auth(self) -> String {
        match self {
            Signature::Nothing => "{path: {env: NAME}}".to_string(),
            Signature::Sns => "{sns: {topics: [\"arn:aws:sns:REGION:ACCOUNT:NAME\"]}}".to_string(),
            Signature::Header => "{bearer: {env: NAME}}".to_string(),
            Signature::Token { header } => format!("{{header: {{name: {}, secret: {{env: NAME}}}}}}", spelled(header)),
            Signature::Hmac { header, signed, .. } => match (header, signed) {
                (_, Signed::TimeIfSent { header, .. }) => {
                    format!("{{grafana: {{secret: {{env: NAME}}, timestamp_header: {}}}}}", spelled(header))
                }
                ("x-pagerduty-signature", _) => "{pagerduty: {env: NAME}}".to_string(),
                ("sentry-hook-signature", _) => "{sentry: {env: NAME}}".to_string(),
                ("x-hub-signature-256", _) => "{github: {env: NAME}}".to_string(),
                _ => "{hmac: {env: NAME}}".to_string(),
            },
            Signature::StandardWebhooks => "{standard_webhooks: {env: NAME}}".to_string(),
        }
    }
}

/// A header's name with capital letters where words begin.
fn spelled(header: &str) -> String {
    let words = header.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}
