//! Being asked to stop: which signal came, and how to die of it so that the parent sees that signal.

#[cfg(unix)]
use std::task::Poll;
use std::time::Duration;

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long a reader that stands still may hold up a process that was asked to stop.
pub const PATIENCE: Duration = Duration::from_millis(1500);

/// Listens for signals that ask the process to stop. While one of these lives, they do not end the process by
/// themselves.
pub struct Signals {
    #[cfg(unix)]
    heard: std::io::Result<Vec<(i32, tokio::signal::unix::Signal)>>,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen for SIGINT and SIGTERM; must be called on the event loop.
    pub fn listen() -> Signals {
        Signals::to(&[SIGINT, SIGTERM])
    }

    /// The same, and for SIGHUP, unless the process was started with it ignored, as under `nohup`.
    pub fn listen_with_hang_up() -> Signals {
        if is_ignored(SIGHUP) { Signals::listen() } else { Signals::to(&[SIGINT, SIGTERM, SIGHUP]) }
    }

    fn to(numbers: &[i32]) -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |number: &i32| Ok((*number, signal(SignalKind::from_raw(*number))?));
        Signals { heard: numbers.iter().map(listen).collect() }
    }

    /// Waits for the next signal, and answers with its number.
    pub async fn next(&mut self) -> i32 {
        // Without handlers the system's own apply, which end the process at once.
        let Ok(heard) = &mut self.heard else { return std::future::pending().await };
        std::future::poll_fn(|context| {
            let came =
                heard.iter_mut().find_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Whether the process was started with this signal ignored. Where the system does not tell, it is taken for ignored: then
/// it does what it did before.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen; must be called on the event loop.
    pub fn listen() -> Signals {
        Signals {}
    }

    /// The same: there is no SIGHUP.
    pub fn listen_with_hang_up() -> Signals {
        Signals::listen()
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
