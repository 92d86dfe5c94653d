//! A server one layer below [`Api`](super::Api): a test says what happens to each connection, byte by byte.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// One connection of a client.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

/// Hands each connection to `serve`, on a thread of its own, and answers with the server's address.
pub fn wire(serve: impl Fn(&mut Connection) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, serve) = (stream.unwrap(), Arc::clone(&serve));
            std::thread::spawn(move || serve(&mut Connection { reader: BufReader::new(stream) }));
        }
    });
    url
}

impl Connection {
    /// Reads the next request, and answers with its path and query; `None` when the client has left.
    pub fn next(&mut self) -> Option<String> {
        let mut line = || {
            let mut line = String::new();
            self.reader.read_line(&mut line).ok().filter(|length| *length > 0).map(|_| line)
        };
        let first = line()?;
        while line()?.trim_end() != "" {}
        Some(first.split(' ').nth(1).unwrap().to_string())
    }

    /// Sends an answer that leaves the connection open.
    pub fn answer(&mut self, status: u16, body: &str) {
        self.say(&format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    }

    /// Sends these bytes; a client that has left misses them.
    pub fn say(&mut self, bytes: &str) {
        let _ = self.reader.get_mut().write_all(bytes.as_bytes());
    }

    /// Waits for a request and leaves it unread: when the connection is dropped then, the client sees a reset.
    pub fn ignore(&mut self) {
        assert!(self.reader.buffer().is_empty(), "the request has been read already");
        let _ = self.reader.get_ref().peek(&mut [0]);
    }
}
