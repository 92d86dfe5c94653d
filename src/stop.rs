//! Being asked to stop: which signal came, and how to die of it so that the parent sees that signal.

/// Listens for signals that ask the process to stop. While one of these lives, they do not end the process by
/// themselves.
pub struct Signals {
    #[cfg(unix)]
    heard: std::io::Result<[tokio::signal::unix::Signal; 2]>,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen; must be called on the event loop.
    pub fn listen() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = || Ok([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]);
        Signals { heard: listen() }
    }

    /// Waits for the next signal, and answers with its number.
    pub async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        match &mut self.heard {
            Ok([interrupt, terminate]) => tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
            },
            // Without handlers the system's own apply, which end the process at once.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen; must be called on the event loop.
    pub fn listen() -> Signals {
        Signals {}
    }

    /// Waits until Ctrl-C is pressed, and answers as for the signal of that name.
    pub async fn next(&mut self) -> i32 {
        const INTERRUPT: i32 = 2;
        match tokio::signal::ctrl_c().await {
            Ok(()) => INTERRUPT,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Ends the process as `signal` would have. Process 1 of a container is not ended by its own signals: it exits with
/// 128 and the signal's number instead, and so does every process where there are no signals.
pub fn die(signal: i32) -> ! {
    #[cfg(unix)]
    if std::process::id() != 1 {
        // Returns only if the system refuses; then the exit code says it.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    std::process::exit(128 + signal)
}
