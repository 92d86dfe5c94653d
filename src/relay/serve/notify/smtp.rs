//! Hands an e-mail to a server, as a mail program does. It connects to no address that may not be sent to, and says no password
//! where somebody may listen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Allowed, refused};
use super::client::with_remedy;
use super::mail::{Encryption, Mail};
use super::tried::Tried;
use crate::devin::provide_cryptography;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest reply, in bytes.
const LARGEST: u64 = 64 << 10;

/// A connection, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A server, in the middle of a conversation.
struct Session {
    stream: BufReader<Box<dyn Stream>>,
    /// What we call ourselves: our address.
    name: String,
}

/// What a server says: its code, and its lines without it.
struct Reply {
    code: u16,
    text: String,
}

/// Sends an e-mail once.
pub async fn send(allowed: &Allowed, mail: &Mail, message: &str) -> Tried {
    let sent = tokio::time::timeout(PATIENCE, converse(allowed, mail, message)).await;
    let late = || failed(format!("{} did not answer within {} s", mail.server, PATIENCE.as_secs()));
    match sent.unwrap_or_else(|_| Err(late())) {
        Ok(()) => Tried::Sent { reference: None },
        Err(tried) => tried,
    }
}

async fn converse(allowed: &Allowed, mail: &Mail, message: &str) -> Result<(), Tried> {
    let mut session = Session::begin(allowed, mail).await?;
    let mut abilities = session.greet().await?;
    if mail.encryption == Encryption::StartTls {
        if !offers(&abilities, "STARTTLS") {
            return Err(denied(format!("{} offers no STARTTLS, and nothing is sent in the clear", mail.server)));
        }
        session.ask("STARTTLS", 220).await?;
        session = session.encrypted(&mail.server).await?;
        abilities = session.greet().await?;
    }
    if let Some((username, password)) = &mail.login {
        let password = String::from_utf8_lossy(password.expose());
        if offers(&abilities, "PLAIN") || !offers(&abilities, "LOGIN") {
            let word = BASE64_STANDARD.encode(format!("\0{username}\0{password}"));
            session.ask(&format!("AUTH PLAIN {word}"), 235).await?;
        } else {
            session.ask("AUTH LOGIN", 334).await?;
            session.ask(&BASE64_STANDARD.encode(username), 334).await?;
            session.ask(&BASE64_STANDARD.encode(password.as_bytes()), 235).await?;
        }
    }
    session.ask(&format!("MAIL FROM:<{}>", mail.from), 250).await?;
    for to in &mail.to {
        session.ask(&format!("RCPT TO:<{to}>"), 250).await?;
    }
    session.ask("DATA", 354).await?;
    // No line of it begins with a dot: it has headers, and letters and digits.
    session.ask(&format!("{message}."), 250).await?;
    // It is taken; whether the server hears a farewell is no matter.
    let _ = session.ask("QUIT", 221).await;
    Ok(())
}

impl Session {
    async fn begin(allowed: &Allowed, mail: &Mail) -> Result<Session, Tried> {
        let unreachable = |error: std::io::Error| failed(format!("{} cannot be reached: {error}", mail.server));
        let found = tokio::net::lookup_host((mail.server.as_str(), mail.port)).await.map_err(unreachable)?;
        let is_listed = allowed.has_host(&mail.server);
        let may: Vec<SocketAddr> = found.filter(|one| is_listed || allowed.has(one.ip())).collect();
        if may.is_empty() {
            return Err(denied(refused(&mail.server)));
        }
        let stream = TcpStream::connect(may.as_slice()).await.map_err(unreachable)?;
        let name = stream.local_addr().map_or_else(
            |_| "[127.0.0.1]".to_string(),
            |address| match address.ip().to_canonical() {
                std::net::IpAddr::V4(ip) => format!("[{ip}]"),
                std::net::IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
            },
        );
        let mut session = Session { stream: BufReader::new(Box::new(stream)), name };
        if mail.encryption == Encryption::Implicit {
            session = session.encrypted(&mail.server).await?;
        }
        session.hear(220).await?;
        Ok(session)
    }

    /// Says who we are; answers with what the server can do.
    async fn greet(&mut self) -> Result<String, Tried> {
        let hello = format!("EHLO {}", self.name);
        self.ask(&hello, 250).await
    }

    async fn encrypted(self, server: &str) -> Result<Session, Tried> {
        if !self.stream.buffer().is_empty() {
            // It would count as said by the server itself, and anybody may have put it there.
            return Err(denied(format!("{server} said more before the encryption began than it may")));
        }
        provide_cryptography();
        let config = ClientConfig::builder().with_platform_verifier();
        let config = config.map_err(|error| failed(format!("no certificate can be verified: {error}")))?;
        let name = ServerName::try_from(server.to_string());
        let name = name.map_err(|_| denied(format!("{server} is no name that a certificate can have")))?;
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        let stream = connector.connect(name, self.stream.into_inner()).await;
        let stream = stream.map_err(|error| {
            failed(format!("{server}: no encrypted connection: {}", with_remedy(&error.to_string())))
        })?;
        Ok(Session { stream: BufReader::new(Box::new(stream)), name: self.name })
    }

    /// Says a line, and hears the reply, which must have this code.
    async fn ask(&mut self, line: &str, code: u16) -> Result<String, Tried> {
        let said = async {
            self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            self.stream.flush().await
        };
        said.await.map_err(|error| failed(format!("the connection broke: {error}")))?;
        self.hear(code).await
    }

    async fn hear(&mut self, code: u16) -> Result<String, Tried> {
        let broken = |error: std::io::Error| failed(format!("the connection broke: {error}"));
        let reply = self.reply().await.map_err(broken)?;
        match reply.code {
            found if found == code => Ok(reply.text),
            500..600 => Err(denied(format!("the server answered {} {}", reply.code, reply.text))),
            _ => Err(failed(format!("the server answered {} {}", reply.code, reply.text))),
        }
    }

    async fn reply(&mut self) -> std::io::Result<Reply> {
        let mut text = String::new();
        let mut left = (&mut self.stream).take(LARGEST);
        loop {
            let mut line = Vec::new();
            left.read_until(b'\n', &mut line).await?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let Some(code) = code else { return Err(std::io::ErrorKind::UnexpectedEof.into()) };
            text.push_str(line.get(4..).unwrap_or_default());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, text: text.trim().to_string() });
            }
        }
    }
}

/// Whether a word stands among what a server can do.
fn offers(abilities: &str, word: &str) -> bool {
    abilities.split(|c: char| c.is_whitespace() || c == '=').any(|known| known.eq_ignore_ascii_case(word))
}

fn failed(reason: String) -> Tried {
    Tried::Failed { reason, asked: None }
}

fn denied(reason: String) -> Tried {
    Tried::Refused { reason }
}
