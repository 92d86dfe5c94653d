//! A server that does next to nothing: it looks up an answer that was made before and sends it.
//!
//! A thread per connection, plain sockets, no work between question and answer but the wait that was asked for.

use std::collections::HashMap;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

/// Bodies by path and query.
pub type Answers = HashMap<String, Vec<u8>>;

/// The running server. Dropping it takes no more connections; those that exist last as long as their clients.
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Answers,
    latency: Duration,
    is_over: AtomicBool,
    unknown: Mutex<Option<String>>,
}

impl Server {
    /// Serves `answers` on a free port of 127.0.0.1, each `latency` after its question.
    pub fn start(answers: Answers, latency: Duration) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { answers, latency, is_over: AtomicBool::new(false), unknown: Mutex::default() });
        let server = Server { port, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that hangs up in the middle is that client's failure, and is noticed there.
                thread::spawn(move || drop(shared.serve(connection)));
            }
        });
        Ok(server)
    }

    /// The base address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The first address that was asked for and that there is no answer to.
    pub fn unknown(&self) -> Option<String> {
        self.shared.unknown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener; when that fails it is gone already.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let mut question = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let end = question.windows(4).position(|window| window == b"\r\n\r\n");
            let Some(end) = end else {
                match connection.read(&mut chunk)? {
                    0 => return Ok(()),
                    read => question.extend_from_slice(&chunk[..read]),
                }
                continue;
            };
            if !self.latency.is_zero() {
                thread::sleep(self.latency);
            }
            let line = question.split(|&byte| byte == b'\r').next().unwrap_or_default();
            let target = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
            self.answer(&mut connection, &String::from_utf8_lossy(target))?;
            question.drain(..end + 4);
        }
    }

    fn answer(&self, connection: &mut TcpStream, target: &str) -> io::Result<()> {
        let (status, body) = match self.answers.get(target) {
            Some(body) => ("200 OK", body.as_slice()),
            // Nothing has changed since a moment of this very run.
            None if target.contains("updated_after=") => ("200 OK", &b"{\"items\":[]}"[..]),
            None => {
                let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
                unknown.get_or_insert_with(|| target.to_string());
                ("404 Not Found", &b"{\"detail\":\"no such page was prepared\"}"[..])
            }
        };
        let date = httpdate::fmt_http_date(SystemTime::now());
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\ndate: {date}\r\n\r\n"
        );
        let written = connection.write_vectored(&[IoSlice::new(head.as_bytes()), IoSlice::new(body)])?;
        if let Some(rest) = head.as_bytes().get(written..) {
            connection.write_all(rest)?;
        }
        connection.write_all(&body[written.saturating_sub(head.len())..])
    }
}
