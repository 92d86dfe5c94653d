//! `--state-out`: the states a later run can begin from, in a file that is never half written.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::output::Output;

/// The newest states in a file, replaced as a whole once the records before them are out.
#[derive(Clone)]
pub struct StateFile {
    path: PathBuf,
    states: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl StateFile {
    /// A file at `path` that begins with the states that came in.
    ///
    /// # Errors
    /// When nothing can be written beside it, which is better known before anything is read.
    pub fn open(path: PathBuf, states: BTreeMap<String, Value>) -> io::Result<StateFile> {
        // A link's target is what is replaced, and nothing but a file is.
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        if std::fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("it is no regular file"));
        }
        let file = StateFile { path, states: Arc::new(Mutex::new(states)) };
        std::fs::File::create(file.beside())?;
        std::fs::remove_file(file.beside())?;
        Ok(file)
    }

    /// Replaces one stream's state once everything queued in `output` so far has been written.
    pub fn keep(&self, output: &Output, stream: &'static str, state: Value) {
        let file = self.clone();
        output.after_all_that(move || {
            let mut states = file.states.lock().unwrap_or_else(PoisonError::into_inner);
            states.insert(stream.to_string(), state);
            let list: Vec<Value> = states
                .iter()
                .map(|(name, state)| {
                    let stream = json!({"stream_descriptor": {"name": name}, "stream_state": state});
                    json!({"type": "STREAM", "stream": stream})
                })
                .collect();
            let place = file.path.display();
            file.replace(&format!("{:#}\n", Value::from(list)))
                .map_err(|error| io::Error::other(format!("the state file {place}: {error}")))
        });
    }

    /// Writes a file beside its path and puts it in its place, so that a reader sees the old or the new, never a part.
    fn replace(&self, text: &str) -> io::Result<()> {
        let write = || -> io::Result<()> {
            let mut file = std::fs::File::create(self.beside())?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()?;
            if let Ok(there) = std::fs::metadata(&self.path) {
                std::fs::set_permissions(self.beside(), there.permissions())?;
            }
            std::fs::rename(self.beside(), &self.path)
        };
        write().inspect_err(|_| {
            // The first error is the one to report.
            let _ = std::fs::remove_file(self.beside());
        })
    }

    fn beside(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_os_string();
        path.push(format!(".{}.tmp", std::process::id()));
        PathBuf::from(path)
    }
}
