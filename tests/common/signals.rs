//! Signals, and whether the program ends within two seconds of one, as it promises, also where the machine is busy.

use std::process::{Child, Command};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Ran;

/// What the program promises.
const PROMISED: Duration = Duration::from_secs(2);

/// How long the control process sleeps, and how often as late as it the program may be: it sleeps once, the program waits for
/// threads, for answers and for its parent.
const CONTROL: Duration = Duration::from_millis(1800);
const WAITS: u32 = 3;

/// After this a program is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A signal that was sent, and a clock that started before it.
pub struct Signaled {
    at: Instant,
    /// A process that does nothing but sleep in the meantime: how late it ends is the machine's doing.
    lateness: JoinHandle<Duration>,
}

/// Sends the signal of this number.
pub fn signal(child: &Child, number: i32) -> Signaled {
    let at = Instant::now();
    let lateness = std::thread::spawn(move || {
        assert!(Command::new("sleep").arg(CONTROL.as_secs_f64().to_string()).status().unwrap().success());
        at.elapsed().saturating_sub(CONTROL)
    });
    again(child, number);
    Signaled { at, lateness }
}

/// Sends it once more, to who is impatient.
pub fn again(child: &Child, number: i32) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::from_named_raw(number).unwrap()).unwrap();
}

impl Signaled {
    /// Asserts that the program, which has just ended, kept its promise.
    pub fn in_time(self) {
        let took = self.at.elapsed();
        if took < PROMISED {
            return;
        }
        let late = self.lateness.join().unwrap();
        assert!(took < PROMISED + late * WAITS, "the program took {took:?}, where one that sleeps was {late:?} late");
    }

    /// How a program ends whose output nobody reads any more.
    pub fn end(self, mut child: Child) -> String {
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if self.at.elapsed() > STUCK {
                child.kill().unwrap();
                panic!("it still lives");
            }
            std::thread::yield_now();
        };
        self.in_time();
        Ran::new(status, Vec::new(), Vec::new()).exit()
    }

    /// The end of a program, with what it has told and still tells on stdout.
    pub fn rest(self, child: Child, stdout: &mut impl std::io::Read, told: String) -> Ran {
        let mut told = told.into_bytes();
        let id = child.id();
        let (ended, is_over) = std::sync::mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            if is_over.recv_timeout(STUCK) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
            }
        });
        stdout.read_to_end(&mut told).unwrap();
        let ran = Ran::wait(child, told);
        self.in_time();
        drop(ended);
        guard.join().unwrap();
        ran
    }

    /// The same of a program whose stdout was not read yet.
    pub fn all(self, mut child: Child) -> Ran {
        let mut stdout = child.stdout.take().unwrap();
        self.rest(child, &mut stdout, String::new())
    }
}
