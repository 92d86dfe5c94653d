//! From when until when a certificate is valid: the one field of X.509 that is asked for here. Pure.

use chrono::NaiveDateTime;

/// The tags of DER that lead there.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When a certificate is valid, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub not_before: i64,
    pub not_after: i64,
}

/// When a certificate in DER is valid; `None` where it cannot be read.
pub fn validity(certificate: &[u8]) -> Option<Validity> {
    let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
    let (SEQUENCE, signed, _) = element(certificate)? else { return None };
    let mut rest = signed;
    if let (VERSION, _, after) = element(rest)? {
        rest = after;
    }
    // The serial number, the algorithm and the issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (tag, time, rest) = element(validity)?;
    let (last_tag, last_time, _) = element(rest)?;
    Some(Validity { not_before: moment(tag, time)?, not_after: moment(last_tag, last_time)? })
}

/// A moment in either form, in Unix seconds.
fn moment(tag: u8, time: &[u8]) -> Option<i64> {
    let time = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let time = match tag {
        // Two digits of the year: those from 50 on are of the last century (RFC 5280).
        UTC_TIME if time.get(..2)? < "50" => format!("20{time}"),
        UTC_TIME => format!("19{time}"),
        GENERALIZED_TIME => time.to_string(),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&time, "%Y%m%d%H%M%S").ok()?.and_utc().timestamp())
}

/// The tag and the content of what stands first, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let length = match *first {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let (digits, after) = rest.split_at_checked(usize::from(long & 0x7f))?;
            rest = after;
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn the_ends_of_a_certificate_are_read_and_no_half_of_one_is() {
        let pem = include_bytes!("../../../../../tests/tls/cert.pem");
        let certificate = CertificateDer::from_pem_slice(pem).unwrap();
        let valid = validity(&certificate).unwrap();
        let told = |at: i64| chrono::DateTime::from_timestamp(at, 0).unwrap().to_rfc3339();
        assert_eq!(told(valid.not_before), "2026-11-28T15:17:56+00:00");
        assert_eq!(told(valid.not_after), "2126-11-04T15:17:56+00:00");
        for length in 0..certificate.len() {
            assert_eq!(validity(&certificate[..length]), None, "{length}");
        }
    }
}
