//! Secrets that are sent as they are: bearer, basic, a header, the path. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::{Refusal, Request};
use crate::relay::serve::secret::Secret;

const AUTHORIZATION: &str = "Authorization";

pub fn bearer(secrets: &[Secret], request: Request) -> Result<(), Refusal> {
    let token = authorization("Bearer", request)?;
    known(secrets, token, "bearer")
}

pub fn basic(username: &str, passwords: &[Secret], request: Request) -> Result<(), Refusal> {
    let wrong = || Refusal::Wrong { method: "basic" };
    let pair = STANDARD.decode(authorization("Basic", request)?).map_err(|_| wrong())?;
    let colon = pair.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
    // Both are compared, so that the time does not tell which is wrong.
    let is_username = Secret::new(username).is(&pair[..colon]);
    let is_password = known(passwords, &pair[colon + 1..], "basic");
    if is_username { is_password } else { Err(wrong()) }
}

pub fn header(name: &str, secrets: &[Secret], request: Request) -> Result<(), Refusal> {
    let mut refusal = Refusal::Missing { header: name.to_string() };
    for value in request.values(name).filter(|value| !value.is_empty()) {
        match known(secrets, value, "header") {
            Ok(()) => return Ok(()),
            Err(wrong) => refusal = wrong,
        }
    }
    Err(refusal)
}

pub fn path(secrets: &[Secret], request: Request) -> Result<(), Refusal> {
    let secret = request.path_secret.filter(|secret| !secret.is_empty()).ok_or(Refusal::MissingPath)?;
    let secret: Vec<u8> = percent_decode_str(secret).collect();
    known(secrets, &secret, "path")
}

/// What follows the scheme in the `Authorization` header.
fn authorization<'a>(scheme: &str, request: Request<'a>) -> Result<&'a [u8], Refusal> {
    let value = request.single(AUTHORIZATION)?;
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (found, credential) = (&value[..end], value[end..].trim_ascii());
    if found.eq_ignore_ascii_case(scheme.as_bytes()) && !credential.is_empty() {
        Ok(credential)
    } else {
        Err(Refusal::Missing { header: format!("{AUTHORIZATION}: {scheme}") })
    }
}

fn known(secrets: &[Secret], given: &[u8], method: &'static str) -> Result<(), Refusal> {
    if secrets.iter().any(|secret| secret.is(given)) { Ok(()) } else { Err(Refusal::Wrong { method }) }
}
