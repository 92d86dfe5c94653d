//! Whom a command trusts that was given certificates: whoever they vouch for, and the holder of one of them. Knows no connection.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::devin::provide_cryptography;

/// TLS that trusts these certificates, in PEM, and no other.
///
/// # Errors
/// A sentence: what cannot be used.
pub fn trusting_only(text: &[u8]) -> Result<ClientConfig, String> {
    provide_cryptography();
    let verifier = Arc::new(Given::new(text)?);
    Ok(ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The certificates that were given.
#[derive(Debug)]
struct Given {
    certificates: Vec<CertificateDer<'static>>,
    /// Verifies what they vouch for.
    inner: Arc<WebPkiServerVerifier>,
}

impl Given {
    fn new(text: &[u8]) -> Result<Given, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let certificates = certificates.map_err(|_| "it is no certificate in PEM".to_string())?;
        if certificates.is_empty() {
            return Err("it holds no certificate in PEM".to_string());
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| format!("a certificate in it cannot be used: {error}"))?;
        }
        let inner = WebPkiServerVerifier::builder(Arc::new(roots)).build().map_err(|error| error.to_string())?;
        Ok(Given { certificates, inner })
    }
}

impl ServerCertVerifier for Given {
    /// What `openssl req -x509` makes may sign others, and the library lets no such certificate stand for a server. Where it is the very
    /// one that was given, nothing is left to vouch for but its name: its times were looked at before.
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.inner.verify_server_cert(certificate, between, name, ocsp, now) {
            Err(error) if may_sign_others(&error) && self.certificates.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Whether all that is wrong with a certificate is that it may sign others. The library has a name for this in its own words only.
fn may_sign_others(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(reason)) = error else { return false };
    reason.0.to_string() == "CaUsedAsEndEntity"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// For `localhost`, by `openssl req -x509`, with the key of the other one, which may not sign others.
    const OWN: &[u8] = include_bytes!("../../../tests/tls/own.pem");
    const PLAIN: &[u8] = include_bytes!("../../../tests/tls/cert.pem");

    /// What comes of a server that shows a certificate under a name at a moment, in Unix seconds.
    fn told(given: &[u8], shown: &[u8], name: &str, at: u64) -> String {
        provide_cryptography();
        let given = Given::new(given).unwrap();
        let shown = CertificateDer::from_pem_slice(shown).unwrap();
        let (name, at) = (ServerName::try_from(name).unwrap(), UnixTime::since_unix_epoch(Duration::from_secs(at)));
        match given.verify_server_cert(&shown, &[], &name, &[], at) {
            Ok(_) => "trusted".to_string(),
            Err(Error::InvalidCertificate(error)) => {
                format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_certificate_of_ones_own_is_trusted_for_its_name_and_time_only() {
        const NOW: u64 = 2_000_000_000;
        let both = [OWN, PLAIN].concat();
        assert_eq!(told(OWN, OWN, "localhost", NOW), "trusted");
        assert_eq!(told(&both, OWN, "127.0.0.1", NOW), "trusted");
        assert_eq!(told(PLAIN, PLAIN, "localhost", NOW), "trusted");
        assert_eq!(told(OWN, OWN, "example.com", NOW), "NotValidForNameContext");
        assert_eq!(told(OWN, OWN, "localhost", 1_000_000_000), "NotValidYetContext");
        assert_eq!(told(OWN, OWN, "localhost", 6_000_000_000), "ExpiredContext");
        assert_eq!(told(PLAIN, OWN, "localhost", NOW), "Other");
    }
}
