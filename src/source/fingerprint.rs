//! A number that stands for some bytes: the same on every machine and in every version, since states hold it. Pure.

use std::collections::BTreeMap;
use std::hash::Hasher;

/// Sessions by `session_id`, each with the fingerprint of what it looked like.
pub type Fingerprints = BTreeMap<String, String>;

/// Odd, with its bits well mixed: the fractional part of the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Changes when any byte changes. Not meant to withstand somebody who looks for two equal ones.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut hash = (bytes.len() as u64).wrapping_mul(MIX);
    for word in words.iter().chain([&last]) {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(MIX);
        hash ^= hash >> 29;
    }
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 32)
}

/// The sixteen hexadecimal digits of a [`fingerprint`], as a state holds them.
pub fn digits(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

/// The hash of a small table whose keys are texts: their [`fingerprint`].
#[derive(Debug, Default)]
pub struct PrintHasher(u64);

impl Hasher for PrintHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(1) ^ fingerprint(bytes);
    }

    fn write_u8(&mut self, end: u8) {
        self.0 ^= u64::from(end);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn it_changes_with_any_byte_and_with_the_length() {
        assert_eq!(digits(fingerprint(br#"{"a":1}"#)), digits(fingerprint(br#"{"a":1}"#)));
        let mut seen = HashSet::new();
        let text = br#"{"session_id":"a","status":"running"}"#;
        assert!(seen.insert(fingerprint(text)));
        for at in 0..text.len() {
            for flip in [1, 0x80] {
                let mut changed = text.to_vec();
                changed[at] ^= flip;
                assert!(seen.insert(fingerprint(&changed)), "byte {at}");
            }
            assert!(seen.insert(fingerprint(&text[..at])), "length {at}");
        }
        assert!(seen.insert(fingerprint(b"\0")) && seen.insert(fingerprint(b"\0\0")));
    }

    /// States of every version and machine hold these.
    #[test]
    fn it_stays_what_it_is() {
        insta::assert_snapshot!(digits(fingerprint(br#"{"session_id":"a"}"#)), @"e7ba5cec58fed706");
    }

    #[test]
    fn a_million_numbered_texts_have_a_million_fingerprints() {
        let prints: HashSet<u64> = (0..1_000_000).map(|n| fingerprint(format!("{n:032x}").as_bytes())).collect();
        assert_eq!(prints.len(), 1_000_000);
    }
}
