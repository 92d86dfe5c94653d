//! Being asked to stop: which signal came, and how to die of it so that the parent sees that signal.

use std::sync::OnceLock;
#[cfg(unix)]
use std::task::Poll;
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long after it was asked to stop a process may be held up by a reader that stands still: it promises to end within two
/// seconds.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long at least the last lines may take, where the work itself took a part of that time.
const LEAST: Duration = Duration::from_millis(400);

/// Only the answer to a create is waited for so long, which may start a session: its lines have all the time again.
const WITH_A_CREATE: Duration = Duration::from_secs(2);

/// When the process was asked to stop for the first time.
static ASKED: OnceLock<Instant> = OnceLock::new();

/// Until when the process that was asked to stop may write what it has said. Decided once, when its work has ended.
pub fn deadline() -> Instant {
    static DEADLINE: OnceLock<Instant> = OnceLock::new();
    let now = Instant::now();
    *DEADLINE.get_or_init(|| deadline_of(*ASKED.get().unwrap_or(&now), now))
}

/// The deadline of a process that was asked to stop at one moment, and whose work has ended at another.
fn deadline_of(asked: Instant, ended: Instant) -> Instant {
    if ended.saturating_duration_since(asked) >= WITH_A_CREATE {
        return ended + PATIENCE;
    }
    (asked + PATIENCE).max(ended + LEAST)
}

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
        let came = std::future::poll_fn(|context| {
            let came =
                heard.iter_mut().find_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        ASKED.get_or_init(Instant::now);
        came
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
            Ok(()) => {
                ASKED.get_or_init(Instant::now);
                INTERRUPT
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_last_has_what_is_left_of_two_seconds_and_all_of_it_after_a_create() {
        let asked = Instant::now();
        let left = |ms: u64| {
            let ended = asked + Duration::from_millis(ms);
            u64::try_from((deadline_of(asked, ended) - asked).as_millis()).unwrap()
        };
        assert_eq!([0, 1000, 1200, 1999, 2000, 30_000].map(left), [1500, 1500, 1600, 2399, 3500, 31_500]);
    }
}
