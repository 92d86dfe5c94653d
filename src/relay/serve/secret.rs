//! A secret that a sender shares with a route: never printed. Pure.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use redact::MASK;

/// A shared secret, as bytes. `Debug` prints `****`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }

    /// The secret itself, for comparing, for keys of signatures, and to be told to a redactor.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is `other`. How long that takes tells nothing about either, not even a length.
    pub fn is(&self, other: &[u8]) -> bool {
        Sha256::digest(&self.0).as_slice().ct_eq(Sha256::digest(other).as_slice()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself_and_knows_itself() {
        let secret = Secret::new("s3cr3t");
        assert_eq!(format!("{secret:?}"), "****");
        assert!(secret.is(b"s3cr3t"));
        for other in [&b""[..], b"s3cr3", b"s3cr3t ", b"S3cr3t"] {
            assert!(!secret.is(other), "{other:?}");
        }
    }
}
