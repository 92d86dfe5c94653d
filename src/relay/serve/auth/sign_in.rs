//! What a browser keeps of a person who has signed in, and what its forms send back: signatures by the token that was pasted,
//! so that they end with it, hold in every process that knows it, and tell nothing of it. Pure but for [`drawn_key`].

use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Secret;

/// How long somebody stays signed in, in seconds.
pub const LASTS_S: i64 = 12 * 3600;

/// What the cookie holds: who it is, by the name of the token, and until when, in Unix seconds.
pub fn cookie(token: &Secret, name: &str, until: i64) -> String {
    format!("{until}.{}.{}", hex(name.as_bytes()), signature(token, &signed(name, until)))
}

/// Whose cookie it is: the name, as far as it says so itself.
pub fn claimed_name(cookie: &str) -> Option<String> {
    let mut parts = cookie.split('.');
    String::from_utf8(unhex(parts.nth(1)?)?).ok()
}

/// Whether this token has signed the cookie, and its time is not over.
pub fn is_signed_in(cookie: &str, token: &Secret, name: &str, now: i64) -> bool {
    let mut parts = cookie.split('.');
    let (Some(until), Some(_), Some(found), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(until) = until.parse::<i64>() else { return false };
    now < until && until <= now + LASTS_S && is_signature(token, &signed(name, until), found)
}

/// What the forms of a page have to send back: a page of somebody else's cannot know it. `who` is the cookie, or empty.
pub fn form_token(key: &Secret, who: &str) -> String {
    signature(key, &format!("form\n{who}"))
}

/// Whether a form has sent that back.
pub fn is_form_token(key: &Secret, who: &str, found: &str) -> bool {
    is_signature(key, &format!("form\n{who}"), found)
}

/// A key for the forms of this process, where there is no token to sign with.
///
/// # Errors
/// When the system has no randomness.
pub fn drawn_key() -> Result<Secret, String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no randomness".to_string())?;
    Ok(Secret::new(bytes))
}

fn signed(name: &str, until: i64) -> String {
    format!("cookie\n{until}\n{name}")
}

fn signature(key: &Secret, text: &str) -> String {
    hex(hmac::sign(&Key::new(HMAC_SHA256, key.expose()), text.as_bytes()).as_ref())
}

fn is_signature(key: &Secret, text: &str, found: &str) -> bool {
    let Some(found) = unhex(found) else { return false };
    hmac::verify(&Key::new(HMAC_SHA256, key.expose()), text.as_bytes(), &found).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn a_cookie_is_good_for_its_token_its_name_and_its_time() {
        let token = Secret::new("one");
        let cookie = cookie(&token, "ops.é", NOW + LASTS_S);
        assert_eq!(claimed_name(&cookie).as_deref(), Some("ops.é"));
        assert!(is_signed_in(&cookie, &token, "ops.é", NOW));
        assert!(!is_signed_in(&cookie, &Secret::new("two"), "ops.é", NOW), "the token was replaced");
        assert!(!is_signed_in(&cookie, &token, "boss", NOW), "a name that was not signed");
        assert!(!is_signed_in(&cookie, &token, "ops.é", NOW + LASTS_S), "its time is over");
        let longer = cookie.replacen(&(NOW + LASTS_S).to_string(), &(NOW + LASTS_S + 1).to_string(), 1);
        assert!(!is_signed_in(&longer, &token, "ops.é", NOW + 2), "a time that was not signed");
        for broken in ["", "..", "1.2.3", "x.y.z", &cookie[1..], &format!("{cookie}.x"), &format!("{cookie}0")] {
            assert!(!is_signed_in(broken, &token, "ops.é", NOW), "{broken}");
        }
    }

    #[test]
    fn a_form_sends_back_what_its_own_page_was_given() {
        let key = drawn_key().unwrap();
        let token = form_token(&key, "cookie of one");
        assert!(is_form_token(&key, "cookie of one", &token));
        assert!(!is_form_token(&key, "cookie of another", &token));
        assert!(!is_form_token(&drawn_key().unwrap(), "cookie of one", &token));
        assert!(!is_form_token(&key, "cookie of one", ""));
    }
}
