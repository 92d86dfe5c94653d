//! Messages of Amazon SNS, which are signed with a certificate that the message itself names. Pure.
//!
//! Before anybody is asked for anything, the topic must be one of the route's and the certificate must be one that SNS
//! itself serves. The certificate is believed because it comes over TLS from that host: who fetches it must check that
//! connection, follow no redirect, and bound what is read.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use percent_encoding::percent_decode_str;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use serde_json::{Map, Value};
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::{Accepted, Refusal, Request, Verdict, timely};

/// How old a message may be, in seconds: SNS tries for an hour at most.
const OLDEST_S: i64 = 3600 + super::TOLERANCE_S;

/// What a notification signs, in this order; `Subject` where there is one.
const OF_NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];

/// What the messages about a subscription sign.
const OF_CONFIRMATION: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

/// An address on a host of SNS. There is no other way to make one than through the rule for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url(String);

impl Url {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The certificate of SNS at an address: `https://sns.REGION.amazonaws.com/SimpleNotificationService-….pem`
    pub(super) fn certificate(text: &str) -> Option<Url> {
        let (_, path) = on_host(text)?;
        let name = path.strip_prefix("/SimpleNotificationService-")?.strip_suffix(".pem")?;
        is_word(name).then(|| Url(text.to_string()))
    }

    /// The address that confirms a subscription to `topic`, and does nothing else.
    pub(super) fn confirmation(text: &str, topic: &str) -> Option<Url> {
        let (_, path) = on_host(text)?;
        let query = path.strip_prefix("/?")?;
        if !query.bytes().all(|byte| byte.is_ascii_graphic()) || query.contains('#') {
            return None;
        }
        let mut wanted = [("Action", "ConfirmSubscription"), ("TopicArn", topic)].map(|pair| (pair, false));
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = percent_decode_str(value).decode_utf8().ok()?;
            for ((known, right), found) in &mut wanted {
                if name == *known {
                    // Twice is once too often: who knows which one counts there.
                    *found = !*found && value == *right;
                    if !*found {
                        return None;
                    }
                }
            }
        }
        wanted.iter().all(|(_, found)| *found).then(|| Url(text.to_string()))
    }
}

impl fmt::Display for Url {
    /// Without the query, which holds a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.split('?').next().unwrap_or_default())
    }
}

/// A message whose signature can be verified as soon as its certificate is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    certificate_url: Url,
    confirm: Option<Url>,
    version: Version,
    signed: String,
    signature: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Sha1,
    Sha256,
}

impl Pending {
    /// Reads a message of one of `topics`.
    ///
    /// # Errors
    /// Why it cannot be verified, or need not be.
    pub fn new(topics: &[String], request: Request) -> Result<Pending, Refusal> {
        let not_sns = |reason| Refusal::NotSns { reason };
        let message: Map<String, Value> =
            serde_json::from_slice(request.body).map_err(|_| not_sns("is not one of Amazon SNS"))?;
        let text = |name: &str| message.get(name).and_then(Value::as_str);
        let signed = match text("Type") {
            Some("Notification") => &OF_NOTIFICATION[..],
            Some("SubscriptionConfirmation" | "UnsubscribeConfirmation") => &OF_CONFIRMATION[..],
            Some(_) => return Err(not_sns("is not one of Amazon SNS")),
            None => {
                return Err(not_sns(
                    "is not one of Amazon SNS, or came without its envelope: turn raw message delivery off in the subscription, because only the envelope is signed",
                ));
            }
        };
        let topic = text("TopicArn").ok_or_else(|| not_sns("has no TopicArn"))?;
        if !topics.iter().any(|known| known == topic) {
            return Err(Refusal::UnknownTopic { topic: shown(topic) });
        }
        let time = text("Timestamp").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        timely(time.ok_or_else(|| not_sns("has no Timestamp"))?.timestamp(), request.now, OLDEST_S)?;
        let version = match text("SignatureVersion") {
            Some("1") => Version::Sha1,
            Some("2") => Version::Sha256,
            _ => return Err(not_sns("has a SignatureVersion other than 1 and 2")),
        };
        let certificate_url = text("SigningCertURL").and_then(Url::certificate).ok_or_else(|| {
            not_sns("names a certificate that is not one of SNS (https://sns.REGION.amazonaws.com/SimpleNotificationService-….pem)")
        })?;
        let confirm = match text("Type") {
            Some("SubscriptionConfirmation") => {
                let url = text("SubscribeURL").and_then(|url| Url::confirmation(url, topic));
                Some(url.ok_or_else(|| not_sns("has a SubscribeURL that is not one of SNS for its topic"))?)
            }
            _ => None,
        };
        let signature = text("Signature").and_then(|text| STANDARD.decode(text).ok());
        Ok(Pending {
            certificate_url,
            confirm,
            version,
            signed: signed_text(signed, &text).ok_or_else(|| not_sns("lacks a field that SNS signs"))?,
            signature: signature.ok_or_else(|| not_sns("has no Signature in base64"))?,
        })
    }

    /// Where the certificate is. It never changes, so that it can be kept.
    pub fn certificate_url(&self) -> &Url {
        &self.certificate_url
    }

    /// Verifies the message with the certificate, in PEM.
    pub fn verify(&self, certificate_pem: &[u8]) -> Verdict {
        let Ok(certificate) = CertificateDer::from_pem_slice(certificate_pem) else {
            return Verdict::Refused(Refusal::NotSns { reason: "names a certificate that is not in PEM" });
        };
        let Ok(certificate) = EndEntityCert::try_from(&certificate) else {
            return Verdict::Refused(Refusal::NotSns { reason: "names a certificate that cannot be read" });
        };
        let algorithm: &dyn SignatureVerificationAlgorithm = match self.version {
            Version::Sha1 => &RsaSha1,
            Version::Sha256 => RSA_PKCS1_2048_8192_SHA256,
        };
        match certificate.verify_signature(algorithm, self.signed.as_bytes(), &self.signature) {
            Ok(()) => Verdict::Accepted(Accepted { by: "sns", confirm: self.confirm.clone() }),
            Err(_) => Verdict::Refused(Refusal::BadSignature { header: "Signature".to_string() }),
        }
    }
}

/// What is signed: each field's name and value, a line each.
fn signed_text<'a>(names: &[&str], text: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut signed = String::new();
    for name in names {
        match text(name) {
            Some(value) => signed.extend([name, "\n", value, "\n"]),
            None if *name == "Subject" => {}
            None => return None,
        }
    }
    Some(signed)
}

/// The region, and what follows the host, of an address on `sns.REGION.amazonaws.com` or `.com.cn`.
fn on_host(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("https://sns.")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_region = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (is_region && !region.is_empty()).then_some((region, path))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// A topic of a message that nobody has verified, as far as it can be shown.
fn shown(topic: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if topic.len() <= 300 && topic.chars().all(is_plain) { topic.to_string() } else { "of this message".to_string() }
}

/// Signature version 1, which nobody offers for anything else any more.
#[derive(Debug)]
struct RsaSha1;

impl SignatureVerificationAlgorithm for RsaSha1 {
    fn verify_signature(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        // sha1WithRSAEncryption (1.2.840.113549.1.1.5), as DER writes it with its absent parameters.
        AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00")
    }
}
