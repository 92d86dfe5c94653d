//! The kill switch in a file: as long as something stands in it, nothing starts. A file that cannot be read may hold anything,
//! and counts as on; so does one whose folder is gone.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::sync::{Mutex, Notify};

use super::Log;
use super::gates::Bounds;
use super::store::Store;

/// What has more bytes than this is no `off`, and not read to its end.
const MOST: usize = 4096;

/// How often the file is looked at for all that it holds.
const EVERY: Duration = Duration::from_secs(5);

/// The longest that a look may take: a file system that stands still holds up nothing else.
const LONGEST: Duration = Duration::from_secs(2);

/// Whose turn it is to look: a file system that stands still has one thread stand still.
static TURN: Mutex<()> = Mutex::const_new(());

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
    let mut has_changed = false;
    loop {
        let file = bounds.borrow_and_update().kill_switch.clone();
        let is_on = match &file {
            Some(file) => look(file).await.is_some(),
            None => false,
        };
        // A rule may have been disabled, whose alerts no switch keeps.
        if telling.is_due(is_on, SEEN_ON.swap(false, Ordering::Relaxed)) || has_changed {
            match store.ask_switched().await {
                Ok(()) => (telling.0, has_changed) = (telling.0.saturating_sub(1), false),
                Err(error) => log.store_failed("what the kill switch held is not asked about", &error),
            }
            wake.iter().for_each(|engine| engine.notify_one());
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            changed = bounds.changed() => {
                if changed.is_err() {
                    return;
                }
                // Another file, or none any more: of the one before, somebody may think still.
                (telling, has_changed) = (Telling(TELLING), true);
            }
        }
    }
}

/// Why nothing starts, in a sentence; `None` where the file is not there, empty, or says `off`.
pub async fn look(path: &Path) -> Option<String> {
    let reason = within(&TURN, LONGEST, path, seen).await;
    if reason.is_some() {
        SEEN_ON.store(true, Ordering::Relaxed);
    }
    reason
}

/// What is seen of a file, if that does not take too long.
async fn within(
    turn: &'static Mutex<()>,
    longest: Duration,
    path: &Path,
    seen: fn(&Path) -> Option<String>,
) -> Option<String> {
    let looked = async {
        let turn = turn.lock().await;
        let path = path.to_path_buf();
        let looked = tokio::task::spawn_blocking(move || {
            let reason = seen(&path);
            drop(turn);
            reason
        });
        looked.await.unwrap_or_else(|error| doubt(&error.to_string()))
    };
    let slow = || doubt(&format!("{} could not be read within {} s", path.display(), longest.as_secs_f64()));
    tokio::time::timeout(longest, looked).await.unwrap_or_else(|_| slow())
}

fn doubt(why: &str) -> Option<String> {
    Some(format!("the kill switch counts as on: {why}"))
}

fn seen(path: &Path) -> Option<String> {
    let shown = path.display();
    match read(path) {
        Ok(bytes) if bytes.len() > MOST => doubt(&format!("{shown} has more than {MOST} bytes")),
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).trim().to_ascii_lowercase();
            let is_off = text.is_empty() || text == "off";
            (!is_off).then(|| format!("the kill switch is on: there is something in {shown}"))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // What should lead to the file may be on a file system that is not mounted now.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            match folder.filter(|folder| !folder.exists()) {
                Some(folder) => doubt(&format!("there is no folder {} for {shown}", folder.display())),
                None if path.is_symlink() => doubt(&format!("{shown} is a link to what is not there")),
                None => None,
            }
        }
        Err(error) => doubt(&format!("{shown} cannot be read ({error})")),
    }
}

/// What stands in a file, as far as it matters.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // Of a pipe or a device, there may be no end.
    if !path.metadata()?.is_file() {
        return Err(Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
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

    #[tokio::test]
    async fn of_a_file_without_end_only_the_beginning_is_read_and_it_is_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stop");
        for (length, is_on) in [(MOST, false), (MOST + 1, true)] {
            std::fs::write(&path, " ".repeat(length)).unwrap();
            assert_eq!(look(&path).await.is_some(), is_on, "{length} blanks");
        }
        // More than there is memory for.
        File::create(&path).unwrap().set_len(1 << 34).unwrap();
        let reason = look(&path).await.unwrap();
        assert!(reason.ends_with("stop has more than 4096 bytes"), "{reason}");
    }

    #[tokio::test]
    async fn where_the_folder_or_what_a_link_leads_to_is_missing_the_switch_counts_as_on() {
        let directory = tempfile::tempdir().unwrap();
        let reason = look(&directory.path().join("gone/stop")).await.unwrap();
        assert!(reason.contains("counts as on: there is no folder") && reason.ends_with("gone/stop"), "{reason}");
        assert_eq!(look(Path::new("a-file-that-is-not-there")).await, None);
        #[cfg(unix)]
        {
            let link = directory.path().join("link");
            std::os::unix::fs::symlink(directory.path().join("gone"), &link).unwrap();
            let reason = look(&link).await.unwrap();
            assert!(reason.ends_with("link is a link to what is not there"), "{reason}");
            std::fs::write(directory.path().join("gone"), "off").unwrap();
            assert_eq!(look(&link).await, None);
        }
    }

    #[tokio::test]
    async fn a_file_system_that_stands_still_is_given_up_and_later_asked_again() {
        use std::sync::mpsc::{Sender, channel};
        static TURN: Mutex<()> = Mutex::const_new(());
        static LET_GO: std::sync::Mutex<Option<Sender<()>>> = std::sync::Mutex::new(None);
        fn stands_still(_: &Path) -> Option<String> {
            let (let_go, stands) = channel();
            *LET_GO.lock().unwrap() = Some(let_go);
            let _ = stands.recv();
            None
        }

        let (file, soon) = (Path::new("/mnt/stop"), Duration::from_millis(100));
        let reason = within(&TURN, soon, file, stands_still).await.unwrap();
        assert_eq!(reason, "the kill switch counts as on: /mnt/stop could not be read within 0.1 s");
        assert!(within(&TURN, soon, file, |_| None).await.is_some(), "it stands still for all, with one thread");
        loop {
            if let Some(let_go) = LET_GO.lock().unwrap().take() {
                let_go.send(()).unwrap();
                break;
            }
        }
        assert_eq!(within(&TURN, LONGEST, file, |_| None).await, None);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_keeps_nobody_waiting_and_is_on() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            let reason = look(path).await.unwrap();
            assert!(reason.ends_with("cannot be read (it is no regular file)"), "{reason}");
        }
    }
}
