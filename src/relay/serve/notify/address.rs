//! Which addresses may be sent to: none within the own network, unless the rules file lists it. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// What the rules file allows beside the public addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// In small letters.
    hosts: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

impl Allowed {
    /// Adds the name of a host, an address, or a network such as `10.1.0.0/16`.
    ///
    /// # Errors
    /// The end of a sentence: what it must be.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        match (address.parse::<IpAddr>(), length.map(str::parse::<u8>)) {
            (Ok(address), None) => self.networks.push((address, bits(address))),
            (Ok(address), Some(Ok(length))) if length <= bits(address) => self.networks.push((address, length)),
            (Err(_), None) if is_host(text) => self.hosts.push(text.trim_end_matches('.').to_ascii_lowercase()),
            _ => return Err("must be a host, an address, or a network such as 10.1.0.0/16".to_string()),
        }
        Ok(())
    }

    /// Whether a name may lead anywhere.
    pub fn has_host(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.contains(&name)
    }

    /// Whether an address may be sent to.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|(network, length)| is_within(address, *network, *length))
    }

    /// Whether a URL may be sent to, as far as it says that itself.
    ///
    /// # Errors
    /// Why not. No part of it is named but the host.
    pub fn look_at(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        match (url.scheme(), literal(host)) {
            ("https" | "http", Some(address)) if !self.has(address) => Err(refused(host)),
            ("https", _) => Ok(()),
            // In the clear only where nobody else listens.
            ("http", address) if self.has_host(host) || address.is_some_and(|address| !is_public(address)) => Ok(()),
            _ => Err(format!("{host} must be reached by https://")),
        }
    }

    /// The same of a URL that is not read yet.
    ///
    /// # Errors
    /// As [`Allowed::look_at`].
    pub fn check_url(&self, text: &str) -> Result<(), String> {
        Url::parse(text).map_err(|_| "it is no URL".to_string()).and_then(|url| self.look_at(&url))
    }

    /// Whether a host may be sent to, as far as its name says that.
    ///
    /// # Errors
    /// Why not.
    pub fn check_host(&self, host: &str) -> Result<(), String> {
        match literal(host) {
            Some(address) if !self.has(address) => Err(refused(host)),
            _ => Ok(()),
        }
    }
}

/// What is said of a host that may not be sent to.
pub fn refused(host: &str) -> String {
    format!(
        "{host} is an address within the own network, which is not sent to: list it under notify.allow_internal if that is meant"
    )
}

/// The address that a host is written as; `None` for a name.
fn literal(host: &str) -> Option<IpAddr> {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok()?;
    Some(address.to_canonical())
}

fn is_host(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.len() <= 253 && text.chars().all(is_plain)
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let same = |one: u128, other: u128, bits: u8| length == 0 || (one ^ other) >> (bits - length) == 0;
    match (address, network.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(u32::from(one).into(), u32::from(other).into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.into(), other.into(), 128),
        _ => false,
    }
}

/// Whether an address belongs to the internet at large.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        // Shared by the customers of a provider.
        || a == 100 && (64..128).contains(&b)
        // Protocols, the relays of 6to4, and benchmarks.
        || a == 192 && b == 0 && c == 0
        || a == 192 && b == 88 && c == 99
        || a == 198 && (b == 18 || b == 19)
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let inner = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        // Carries an address of IPv4: 6to4, and NAT64.
        [0x2002, high, low, ..] => is_public_v4(inner(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(inner(high, low)),
        // Teredo, benchmarks, ORCHID and documentation.
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => false,
        // All that is given out lies here.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(allowed: &Allowed, text: &str) -> bool {
        allowed.has(text.parse().unwrap())
    }

    #[test]
    fn nothing_within_the_own_network_is_sent_to() {
        let nothing = Allowed::default();
        for internal in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "192.0.2.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "64:ff9b:1::1",
        ] {
            assert!(!is_allowed(&nothing, internal), "{internal}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "193.0.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2a00:1450::1",
        ] {
            assert!(is_allowed(&nothing, public), "{public}");
        }
    }

    #[test]
    fn what_is_listed_is_sent_to_all_the_same() {
        let mut allowed = Allowed::default();
        for text in ["10.1.0.0/16", "127.0.0.1", "fd00::/8", "Chat.Internal."] {
            allowed.add(text).unwrap();
        }
        let asked = ["10.1.2.3", "10.2.0.1", "127.0.0.1", "127.0.0.2", "fd12::1", "fe80::1", "::ffff:10.1.0.9"];
        let answers: Vec<bool> = asked.iter().map(|text| is_allowed(&allowed, text)).collect();
        assert_eq!(answers, [true, false, true, false, true, false, true]);
        assert!(allowed.has_host("chat.internal") && !allowed.has_host("other.internal"));
        for wrong in ["10.0.0.0/33", "10.0.0.0/x", "https://a.example", "", "a b"] {
            assert!(allowed.add(wrong).is_err(), "{wrong}");
        }
    }
}
