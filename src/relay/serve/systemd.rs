//! What systemd is told, and what it hands over: that the process is ready, still alive or stopping, and the socket that it
//! listens on across restarts. Without systemd, nothing of this happens.

use std::ffi::OsString;
use std::net::TcpListener;
use std::time::Duration;

/// Whoever started this process and wants to hear from it.
pub struct Supervisor {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
    /// How often it wants to hear that the process is alive; `None` where it does not.
    pub watchdog: Option<Duration>,
}

impl Supervisor {
    /// Reads the variables that systemd sets, with this process's identifier.
    pub fn of(variable: &dyn Fn(&str) -> Option<OsString>, pid: u32) -> Supervisor {
        let number = |name: &str| variable(name)?.to_str()?.parse::<u64>().ok();
        let is_meant = number("WATCHDOG_PID").is_none_or(|watched| watched == u64::from(pid));
        // Twice as often as it must be, so that one that comes late is no alarm.
        let watchdog = number("WATCHDOG_USEC").filter(|_| is_meant).map(|every| Duration::from_micros(every / 2));
        Supervisor {
            #[cfg(unix)]
            socket: variable("NOTIFY_SOCKET").and_then(|name| connected(&name)),
            watchdog: watchdog.filter(|every| !every.is_zero()),
        }
    }

    /// Tells it a state, such as `READY=1`.
    pub fn tell(&self, state: &str) {
        #[cfg(unix)]
        if let Some(socket) = &self.socket {
            // Nobody need listen.
            let _ = socket.send(state.as_bytes());
        }
        #[cfg(not(unix))]
        let _ = state;
    }
}

#[cfg(unix)]
fn connected(name: &OsString) -> Option<std::os::unix::net::UnixDatagram> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::UnixDatagram;
    let socket = UnixDatagram::unbound().ok()?;
    // A supervisor that does not read must not hold up the process.
    socket.set_nonblocking(true).ok()?;
    match name.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt as _;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name).ok()?;
            socket.connect_addr(&address).ok()?;
        }
        _ => socket.connect(name).ok()?,
    }
    Some(socket)
}

/// The socket that was handed over to listen on; `None` where there is none.
///
/// # Errors
/// A sentence: what was handed over is of no use.
pub fn inherited() -> Result<Option<TcpListener>, String> {
    #[cfg(unix)]
    {
        let mut handed_over = listenfd::ListenFd::from_env();
        if handed_over.len() > 1 {
            return Err("the systemd socket unit hands over several sockets: leave one ListenStream".to_string());
        }
        let listener = handed_over.take_tcp_listener(0).map_err(|error| {
            format!("the systemd socket unit hands over what is no TCP socket that listens: give an address and a port as ListenStream ({error})")
        })?;
        if let Some(listener) = &listener {
            if !listens(listener) {
                return Err("the systemd socket unit hands over a socket that does not listen: give an address and a port as ListenStream, and leave out Accept=yes".to_string());
            }
            listener.set_nonblocking(true).map_err(|error| error.to_string())?;
        }
        Ok(listener)
    }
    #[cfg(not(unix))]
    Ok(None)
}

/// Whether connections may come; where that cannot be asked, they may.
#[cfg(unix)]
fn listens(socket: &TcpListener) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(true);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        true
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::*;

    #[test]
    fn a_supervisor_is_told_at_its_socket_and_as_often_as_it_wants() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let name = format!("relay-{}", directory.path().display());
        let sockets = [
            (path.clone().into_os_string(), UnixDatagram::bind(&path).unwrap()),
            (
                OsString::from(format!("@{name}")),
                UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(),
            ),
        ];
        for (address, socket) in sockets {
            let variable = |name: &str| match name {
                "NOTIFY_SOCKET" => Some(address.clone()),
                "WATCHDOG_USEC" => Some("3000000".into()),
                "WATCHDOG_PID" => Some("7".into()),
                _ => None,
            };
            let supervisor = Supervisor::of(&variable, 7);
            assert_eq!(supervisor.watchdog, Some(Duration::from_millis(1500)));
            assert_eq!(Supervisor::of(&variable, 8).watchdog, None, "another process is watched");
            supervisor.tell("READY=1");
            let mut bytes = [0; 16];
            let length = socket.recv(&mut bytes).unwrap();
            assert_eq!(&bytes[..length], b"READY=1");
            for _ in 0..10_000 {
                supervisor.tell("WATCHDOG=1");
            }
        }
        let nobody = Supervisor::of(&|_| None, 7);
        nobody.tell("READY=1");
        assert_eq!(nobody.watchdog, None);
    }
}
