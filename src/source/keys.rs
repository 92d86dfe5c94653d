//! Which keys a list has had, in little room. Pure.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Hashes of keys: eight bytes each and a little, in parts that grow one at a time.
#[derive(Debug)]
pub(super) struct Keys {
    parts: [HashSet<u64, BuildHasherDefault<AsItIs>>; 16],
}

impl Default for Keys {
    fn default() -> Keys {
        Keys { parts: std::array::from_fn(|_| HashSet::default()) }
    }
}

impl Keys {
    /// Whether it was not there yet.
    pub(super) fn insert(&mut self, key: u64) -> bool {
        self.parts[(key >> 32 & 15) as usize].insert(key)
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.parts.iter().map(|part| part.len() as u64).sum()
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are numbers")
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
