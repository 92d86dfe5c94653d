//! What a rules file is read against: which Devin is meant, and where secrets and other files are.

use std::io;
use std::path::PathBuf;

/// Which Devin the bridge talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devin {
    Api,
    /// None: integrations need not be there, nor the variables and files that hold their keys.
    Nobody,
    /// A simulated one, with the names of its scenarios. Likewise, and a tag may name no other scenario.
    Sandbox(&'static [&'static str]),
}

/// Where secrets and other files are.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// A file. A relative path begins in the folder of the rules file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn file(&self, path: &str) -> Result<Vec<u8>, io::ErrorKind>;

    /// Where a file is, or may come to be, that is looked at later.
    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

/// Why a file cannot be read, for people.
pub fn reason(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "it does not exist".to_string(),
        kind => kind.to_string(),
    }
}
