//! Connections that are encrypted here, and not by a proxy in front.

mod validity;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::devin::provide_cryptography;
use validity::Validity;

/// How long somebody who speaks to this port in the clear may take to hear that it is wrong.
const REFUSING: Duration = Duration::from_secs(1);

/// What expires within this time is warned of, in seconds.
const SOON: i64 = 14 * 86_400;

/// A certificate and its key.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    /// Of the certificate and of those that vouch for it, in their order.
    validities: Vec<Option<Validity>>,
    file: PathBuf,
}

impl Tls {
    /// Reads them from files in PEM. They are read once: after a change, the process has to be started again.
    ///
    /// # Errors
    /// A sentence: which file is wrong, and what with it.
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls, String> {
        provide_cryptography();
        let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| unusable("--tls-cert", certificate, "a certificate", &error))?;
        if chain.is_empty() {
            return Err(unusable("--tls-cert", certificate, "a certificate", &PemError::NoItemsFound));
        }
        let validities = chain.iter().map(|one| validity::validity(one)).collect();
        let secret = PrivateKeyDer::from_pem_file(key);
        let secret = secret.map_err(|error| unusable("--tls-key", key, "a private key", &error))?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, secret);
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => format!(
                "--tls-key: the key in {} does not belong to the first certificate in {}",
                key.display(),
                certificate.display()
            ),
            error => format!("--tls-cert and --tls-key cannot be used: {error}"),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), validities, file: certificate.to_path_buf() })
    }

    /// When the certificate expires, in Unix seconds; `None` where that cannot be read.
    pub fn expires_at(&self) -> Option<i64> {
        self.validities.first().copied().flatten().map(|validity| validity.not_after)
    }

    /// That it expires soon, and when.
    pub fn warning(&self, now: SystemTime) -> Option<String> {
        let now = DateTime::<Utc>::from(now).timestamp();
        let expires_at = self.validities.iter().flatten().map(|validity| validity.not_after).min()?;
        (expires_at - now < SOON).then(|| {
            format!(
                "--tls-cert: {} expires on {}: put a new one there, and start the process again",
                self.file.display(),
                told(expires_at)
            )
        })
    }

    /// Why no client trusts what it is shown at this moment, and what to do: the certificate, or one that vouches for it, has
    /// expired or is not valid yet.
    pub fn trouble(&self, now: SystemTime) -> Option<String> {
        let now = DateTime::<Utc>::from(now).timestamp();
        self.validities.iter().zip(1..).find_map(|(validity, number)| {
            let Validity { not_before, not_after } = (*validity)?;
            let which = if number == 1 { "the certificate".to_string() } else { format!("certificate {number}") };
            let (file, now_told) = (self.file.display(), told(now));
            if not_after < now {
                return Some(format!(
                    "--tls-cert: {which} in {file} expired on {}, and no client that looks trusts it: put a new one there, and start the process again",
                    told(not_after)
                ));
            }
            (not_before > now).then(|| format!(
                "--tls-cert: {which} in {file} is not valid before {}, and here it is {now_told}: set the clock right, or put another one there",
                told(not_before)
            ))
        })
    }

    /// Greets a connection.
    ///
    /// # Errors
    /// When the other side does not speak TLS, or does not trust this certificate.
    pub async fn greet(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

/// What somebody is told who speaks to this port in the clear.
const IN_THE_CLEAR: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
    {\"accepted\":false,\"reason\":\"this port speaks HTTPS: begin the URL with https://\"}\n";

/// Whether a connection begins as no TLS does, with a letter: the method of a request in the clear.
pub async fn is_clear(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0].is_ascii_uppercase()
}

/// Says so, and closes.
pub async fn refuse(mut stream: TcpStream) {
    let told = async {
        stream.write_all(IN_THE_CLEAR.as_bytes()).await?;
        stream.shutdown().await?;
        // Closed before what was sent is read, the connection would be reset, and the answer lost with it.
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whoever does not listen need not hear it.
    let _ = tokio::time::timeout(REFUSING, told).await;
}

/// A moment in Unix seconds.
fn told(at: i64) -> String {
    DateTime::from_timestamp(at, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn unusable(option: &str, path: &Path, what: &str, error: &PemError) -> String {
    let path = path.display();
    match error {
        PemError::Io(error) => format!("{option}: {path} cannot be read: {error}"),
        PemError::NoItemsFound => {
            format!("{option}: {path} holds no {}; it must be in PEM", what.trim_start_matches("a "))
        }
        _ => format!("{option}: {path} is not {what} in PEM"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_expires_within_two_weeks_is_warned_of() {
        let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name);
        let tls = Tls::load(&file("cert.pem"), &file("key.pem")).unwrap();
        let before = |seconds: u64| {
            let expires_at = u64::try_from(tls.expires_at().unwrap()).unwrap();
            SystemTime::UNIX_EPOCH + Duration::from_secs(expires_at - seconds)
        };
        assert_eq!(tls.warning(before(14 * 86_400)), None);
        let warning = tls.warning(before(14 * 86_400 - 1)).unwrap();
        assert!(warning.contains("tests/tls/cert.pem expires on 2126-11-04T15:17:56Z: "), "{warning}");
    }
}
