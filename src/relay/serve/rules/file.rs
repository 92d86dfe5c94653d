//! Loads a rules file, and what it names, from this machine.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{Devin, Problem, Rules, Surroundings, check, reason};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Loads and checks a rules file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path, devin: Devin) -> Result<Rules, Vec<Problem>> {
    let refused = |message: String| vec![Problem { at: None, key: String::new(), message }];
    let bytes = read(path).map_err(|kind| refused(format!("cannot be read: {}", reason(kind))))?;
    let text = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8 text".to_string()))?;
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    check(text.trim_start_matches('\u{feff}'), devin, &Machine { folder })
}

/// The environment and the files of this machine.
struct Machine {
    folder: PathBuf,
}

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, io::ErrorKind> {
        read(&self.folder.join(path))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, io::ErrorKind> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.kind())?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.kind())?;
    if bytes.len() as u64 > LARGEST { Err(io::ErrorKind::FileTooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_begin_in_the_folder_of_the_rules_file() {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("relay.yaml");
        let said = |yaml: &str| {
            std::fs::write(&rules, yaml).unwrap();
            match load(&rules, Devin::Nobody) {
                Ok(rules) => format!("{} routes", rules.routes.len()),
                Err(problems) => problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"),
            }
        };
        let yaml = "\u{feff}routes:\n  - name: a\n    auth: {bearer: {file: secret}}\n";
        assert_eq!(
            said(yaml),
            "line 3, column 12: routes[0].auth.bearer names a file that cannot be read: it does not exist"
        );
        std::fs::write(folder.path().join("secret"), "a secret that is long enough\n").unwrap();
        assert_eq!(said(yaml), "1 routes");
        assert_eq!(
            said(&yaml.replace("secret", ".")),
            "line 3, column 12: routes[0].auth.bearer names a file that cannot be read: is a directory"
        );
        assert_eq!(said(&" ".repeat(1024 * 1024 + 1)), "the rules file cannot be read: file too large");
        let missing = load(&folder.path().join("missing.yaml"), Devin::Api).unwrap_err();
        assert_eq!(missing[0].to_string(), "the rules file cannot be read: it does not exist");
    }
}
