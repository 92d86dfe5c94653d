//! A running `alert-relay serve`, and requests to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, ExitStatus};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Program, program};

/// Nothing takes so long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(180);

/// The lines of a stream, as they come.
fn lines_of(stream: ChildStdout) -> Receiver<String> {
    let (said, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            // Nobody listens any more, or it was killed in the middle of a line.
            let Ok(line) = line else { return };
            if said.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A running bridge; killed when dropped.
pub struct Bridge {
    child: Child,
    /// What it says, read as it comes: it never waits for a test to read.
    lines: Mutex<Receiver<String>>,
    /// Where it listens.
    pub address: String,
}

/// An answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// A program with `relay.yaml`: two open routes, and the organization that these settings reach, polled every second. Its
/// key stands in the environment.
pub fn at(settings: &str) -> Program {
    by(settings, "poll_interval: 1s", "")
}

/// The same with these keys of the default rule, and these lines at the top of the file.
pub fn by(settings: &str, rule: &str, top: &str) -> Program {
    let settings: Value = serde_json::from_str(settings).unwrap();
    let text = |name: &str| settings[name].as_str().unwrap();
    let rules = format!(
        "{top}routes:\n  - {{name: generic, kind: generic, auth: none}}\n  - {{name: auto, auth: none}}\n\
        integrations:\n  - name: main\n    api_key: {{env: RELAY_TEST_KEY}}\n    endpoint: {}/v3/organizations/{}/sessions\n\
        default: {{{rule}}}\n",
        text("api_url"),
        text("org_id")
    );
    program().file("relay.yaml", rules).variable("RELAY_TEST_KEY", text("api_token"))
}

impl Bridge {
    /// Starts `alert-relay serve` on a free port with these arguments, and waits until it listens.
    pub fn start(program: &Program, arguments: &str) -> Bridge {
        Bridge::of(program.start(&format!("alert-relay serve --listen 127.0.0.1:0 {arguments}")))
    }

    /// Waits until a process that has been started listens.
    pub fn of(mut child: Child) -> Bridge {
        let lines = Mutex::new(lines_of(child.stdout.take().unwrap()));
        let mut bridge = Bridge { child, lines, address: String::new() };
        let first = bridge.line().expect("it says where it listens");
        let message = first["message"].as_str().unwrap();
        bridge.address = message.split("://").nth(1).unwrap().split(',').next().unwrap().to_string();
        bridge
    }

    /// The next line that it says; `None` at its end.
    pub fn line(&mut self) -> Option<Value> {
        match self.lines.get_mut().unwrap().recv_timeout(PATIENCE) {
            Ok(line) => Some(serde_json::from_str(&line).unwrap()),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing for {PATIENCE:?}"),
        }
    }

    /// Reads lines up to the first one of this event.
    pub fn until(&mut self, event: &str) -> Value {
        let (began, mut said) = (Instant::now(), Vec::new());
        while began.elapsed() < PATIENCE {
            let line = self.line().unwrap_or_else(|| panic!("{event} does not come: {said:#?}"));
            if line["event"] == event {
                return line;
            }
            said.push(line);
        }
        panic!("{event} does not come in {PATIENCE:?}: {said:#?}");
    }

    /// Delivers a body to a route.
    pub fn post(&self, route: &str, body: &str) -> Reply {
        request(&self.address, "POST", &format!("/v1/hooks/{route}"), "", body.as_bytes()).unwrap()
    }

    pub fn get(&self, path: &str) -> Reply {
        request(&self.address, "GET", path, "", b"").unwrap()
    }

    /// The alerts that it knows, page after page.
    pub fn alerts(&self) -> Vec<Value> {
        let (mut alerts, mut next) = (Vec::new(), Some("/api/v1/alerts".to_string()));
        while let Some(path) = next {
            let page = self.get(&path).json();
            alerts.extend(page["alerts"].as_array().unwrap().clone());
            next = page["next"].as_str().map(str::to_string);
        }
        alerts
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as a power loss would, but for the disk.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it still says, and how it ended.
    pub fn end(mut self) -> (Vec<Value>, ExitStatus) {
        let mut said = Vec::new();
        while let Some(line) = self.line() {
            said.push(line);
        }
        (said, self.child.wait().unwrap())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One request on a connection of its own. `headers` are whole lines.
///
/// # Errors
/// When there was no whole answer.
pub fn request(address: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    )?;
    stream.write_all(body)?;
    reply(stream)
}

/// What a server answers before it closes the connection.
///
/// # Errors
/// When that is no whole answer.
pub fn reply(mut stream: TcpStream) -> std::io::Result<Reply> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let (head, body) = (String::from_utf8_lossy(&answer[..end]), &answer[end + 4..]);
    let status =
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Reply { status, head, body: String::from_utf8_lossy(body).into_owned() })
}
