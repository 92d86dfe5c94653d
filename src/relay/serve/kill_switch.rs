//! The kill switch in a file: as long as something stands in it, nothing starts. A file that cannot be read may hold anything,
//! and counts as on.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::watch::Receiver;

use super::Log;
use super::gates::Bounds;
use super::store::Store;

/// No more of it is read.
const MOST: usize = 4096;

/// How often the file is looked at for all that it holds.
const EVERY: Duration = Duration::from_secs(5);

/// So many looks have what was held be asked about after the switch has gone off: somebody may have seen it on right before the first.
const TELLING: u32 = 2;

/// How often what the switch held is still to be asked about.
struct Telling(u32);

impl Telling {
    /// Whether it is now, when the file says this, and a switch was seen on since the last look or was not: it may have been on for
    /// a moment between two looks, and hold what came then.
    fn is_due(&mut self, is_on: bool, was_seen_on: bool) -> bool {
        if is_on || was_seen_on {
            self.0 = TELLING;
        }
        !is_on && self.0 > 0
    }
}

/// Whether anybody in this process has seen a switch on since what it holds was last thought of.
static SEEN_ON: AtomicBool = AtomicBool::new(false);

/// Looks at the file as long as the bridge works, and has what it held be asked about when it has gone off, so that nobody has to ask
/// about each alert again and again meanwhile.
pub async fn follow(store: Arc<Store>, mut bounds: Receiver<Arc<Bounds>>, wake: Vec<Arc<Notify>>, log: Log) {
    // What an earlier process has left may wait for it.
    let mut telling = Telling(TELLING);
    loop {
        let file = bounds.borrow_and_update().kill_switch.clone();
        let is_on = match &file {
            Some(file) => look(file).await.is_some(),
            None => false,
        };
        if telling.is_due(is_on, SEEN_ON.swap(false, Ordering::Relaxed)) {
            match store.ask_switched().await {
                Ok(()) => telling.0 -= 1,
                Err(error) => log.store_failed("what the kill switch held is not asked about", &error),
            }
            wake.iter().for_each(|engine| engine.notify_one());
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            // Another file, or none any more.
            changed = bounds.changed() => if changed.is_err() { return },
        }
    }
}

/// Why nothing starts, in a sentence; `None` where the file is not there, empty, or says `off`.
pub async fn look(path: &Path) -> Option<String> {
    let shown = path.display();
    let reason = match tokio::fs::read(path).await {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).trim().to_ascii_lowercase();
            let is_off = text.is_empty() || text == "off";
            (!is_off).then(|| format!("the kill switch is on: there is something in {shown}"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(format!("the kill switch counts as on: {shown} cannot be read ({error})")),
    };
    if reason.is_some() {
        SEEN_ON.store(true, Ordering::Relaxed);
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_switch_holds_that_was_on_between_two_looks_is_asked_about_too() {
        let mut telling = Telling(0);
        assert!(!telling.is_due(false, false), "nobody has seen it on");
        assert!(!telling.is_due(true, true), "it is on");
        for is_due in [true, true, false] {
            assert_eq!(telling.is_due(false, false), is_due);
            telling.0 = telling.0.saturating_sub(1);
        }
        assert!(telling.is_due(false, true), "it was on for a moment");
    }

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
