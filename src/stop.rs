//! Being asked to stop: which signal came, and how to die of it so that the parent sees that signal.

/// Waits until the process is asked to stop, and answers with the signal's number.
#[cfg(unix)]
pub async fn requested() -> i32 {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the system's own apply, which end the process at once.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
    }
}

/// Waits until Ctrl-C is pressed, and answers as for the signal of that name.
#[cfg(not(unix))]
pub async fn requested() -> i32 {
    const INTERRUPT: i32 = 2;
    match tokio::signal::ctrl_c().await {
        Ok(()) => INTERRUPT,
        Err(_) => std::future::pending().await,
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
