//! The kill switch in a file: as long as something stands in it, nothing starts. A file that cannot be read may hold anything,
//! and counts as on.

use std::io::ErrorKind;
use std::path::Path;

/// No more of it is read.
const MOST: usize = 4096;

/// Why nothing starts, in a sentence; `None` where the file is not there, empty, or says `off`.
pub async fn look(path: &Path) -> Option<String> {
    let shown = path.display();
    match tokio::fs::read(path).await {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).trim().to_ascii_lowercase();
            let is_off = text.is_empty() || text == "off";
            (!is_off).then(|| format!("the kill switch is on: there is something in {shown}"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(format!("the kill switch counts as on: {shown} cannot be read ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_stands_in_the_file_decides_and_a_file_that_cannot_be_read_is_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stop");
        assert_eq!(look(&path).await, None, "it is not there");
        for (text, is_on) in [("", false), (" \n", false), ("off", false), ("OFF\n", false), ("on", true), ("x", true)]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(look(&path).await.is_some(), is_on, "{text:?}");
        }
        let reason = look(directory.path()).await.unwrap();
        assert!(reason.contains("counts as on") && reason.contains("cannot be read"), "{reason}");
    }
}
