//! What a command needs before it can wait for anything: an event loop, and files that may be opened.

/// So many files more than stdin, stdout and stderr are open at once: the event loop's own, and a few connections.
const SPARE_FILES: usize = 12;

/// The event loop of a command.
pub struct Runtime(tokio::runtime::Runtime);

impl Runtime {
    /// Runs `work` to its end. What other threads are still busy with, such as the name of a host, is not waited for.
    pub fn block_on<T>(self, work: impl Future<Output = T>) -> T {
        let done = self.0.block_on(work);
        self.0.shutdown_background();
        done
    }
}

/// An event loop on this thread, which does: the work is waiting, and the writers have threads of their own.
pub fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Runtime(runtime.expect("the system can start an event loop"))
}

/// Whether there are files enough for that.
///
/// # Errors
/// A sentence.
#[cfg(unix)]
pub fn spare_files() -> Result<(), String> {
    use std::os::fd::AsFd as _;
    let stdin = std::io::stdin();
    let files: std::io::Result<Vec<_>> = (0..SPARE_FILES).map(|_| stdin.as_fd().try_clone_to_owned()).collect();
    files.map(drop).map_err(|error| {
        format!("this process may not open the {SPARE_FILES} more files that it needs ({error}): raise the limit (ulimit -n)")
    })
}

/// There is no such limit.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn spare_files() -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_another_thread_waits_for_does_not_hold_up_the_end() {
        let (go, may_go) = channel::<()>();
        runtime().block_on(async { drop(tokio::task::spawn_blocking(move || may_go.recv())) });
        drop(go);
    }
}
