//! Payloads in Base64. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// The bytes of Base64, in either alphabet, with or without padding.
pub fn decoded(base64: &str) -> Option<Vec<u8>> {
    let plain = base64.trim_end_matches('=').replace('-', "+").replace('_', "/");
    BASE64_STANDARD_NO_PAD.decode(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        let text = |base64: &str| decoded(base64).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        for (base64, plain) in
            [("", ""), ("YQ==", "a"), ("YWI", "ab"), ("eyJhIjoiPz4_In0=", r#"{"a":"?>?"}"#), ("Pz4/", "?>?")]
        {
            assert_eq!(text(base64).as_deref(), Some(plain), "{base64}");
        }
        assert_eq!(text("no Base64"), None);
    }
}
