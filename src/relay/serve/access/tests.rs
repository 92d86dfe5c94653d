//! Who is let in, by whom a page may have been made, and what is said to the others.

use std::net::IpAddr;

use super::*;

const READ: &str = "Xq9vT2kLmZ4wXq9vT2kLmZ4w";
const ADMIN: &str = "Hx8dk2PqLw9vTz4rNc6bYm1s";

fn access() -> Access {
    let token = |name: &str, secret: &str| AccessToken { name: name.to_string(), secret: Secret::new(secret) };
    Access {
        read: vec![token("grafana", "an old one of theirs"), token("grafana 2", READ)],
        admin: vec![token("ops", ADMIN)],
        hosts: vec!["relay.example.com".to_string()],
    }
}

fn request<'a>(headers: &'a [(&'a str, &'a [u8])], peer: &str) -> Request<'a> {
    let peer: IpAddr = peer.parse().unwrap();
    Request { headers, body: b"", path_secret: None, peer, is_http_1_0: false, now: 0 }
}

/// What a caller may, or why nothing, in a line.
fn said(caller: Result<Caller, Denied>) -> String {
    match caller {
        Ok(Caller { right, token }) => format!("{right:?} as {}", token.as_deref().unwrap_or("somebody here")),
        Err(denied) => format!("{} {denied}", denied.status()),
    }
}

#[test]
fn a_token_decides_wherever_there_is_one() {
    let with = |value: &str, peer| {
        let headers = [("Authorization", value.as_bytes()), ("Host", &b"anything"[..]), ("Origin", b"https://x.test")];
        said(access().caller(request(&headers, peer), false))
    };
    let bearer = |token: &str| with(&format!("Bearer {token}"), "192.0.2.1");
    let lines = [
        bearer(READ),
        bearer("an old one of theirs"),
        bearer(ADMIN),
        with(&format!("bearer   {ADMIN} "), "192.0.2.1"),
        bearer("wrong"),
        bearer(""),
        bearer(&ADMIN[1..]),
        with(ADMIN, "127.0.0.1"),
        with(&format!("Basic {ADMIN}"), "127.0.0.1"),
        said(access().caller(request(&[("host", b"localhost")], "127.0.0.1"), true)),
        said(access().caller(request(&[], "192.0.2.1"), true).and_then(|caller| caller.with(Right::Read))),
        said(access().by_token(READ.as_bytes()).ok_or(Denied::WrongToken).and_then(|caller| caller.with(Right::Admin))),
    ];
    let two = [("authorization", format!("Bearer {ADMIN}")), ("authorization", format!("Bearer {READ}"))];
    let two: Vec<(&str, &[u8])> = two.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let lines = [lines.join("\n"), said(access().caller(request(&two, "192.0.2.1"), true))].join("\n");
    insta::assert_snapshot!(lines, @"
    Read as grafana 2
    Read as grafana
    Admin as ops
    Admin as ops
    401 this is not one of the tokens that access in the rules file names
    401 this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is
    401 this is not one of the tokens that access in the rules file names
    401 this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is
    401 this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is
    401 this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is
    401 this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is
    403 this needs an admin token: the one that was sent is a read token
    401 this needs a token: send it as Authorization: Bearer TOKEN; access in the rules file says where it is
    ");
    assert!(!format!("{:?}", access()).contains(READ), "no token prints itself");
}

#[test]
fn without_a_token_all_is_for_this_machine_and_its_own_pages() {
    const HERE: (&str, &[u8]) = ("host", b"localhost:8080");
    let open = Access { hosts: vec!["relay.example.com".to_string()], ..Access::default() };
    let mut lines = Vec::new();
    for peer in ["127.0.0.1", "::1", "10.0.0.1"] {
        lines.push(format!("from {peer}: {}", said(open.caller(request(&[HERE], peer), false))));
    }
    for (name, value) in [
        ("origin", "http://localhost:8080"),
        ("origin", "http://localhost:9090"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "cross-site"),
        ("x-forwarded-for", "192.0.2.1"),
    ] {
        let headers = [HERE, (name, value.as_bytes())];
        lines.push(format!("{name} {value}: {}", said(open.caller(request(&headers, "127.0.0.1"), false))));
    }
    let link = [HERE, ("sec-fetch-site", &b"cross-site"[..]), ("sec-fetch-mode", b"navigate")];
    for (what, is_safe) in [("a link elsewhere leads here", true), ("a form elsewhere leads here", false)] {
        lines.push(format!("{what}: {}", said(open.caller(request(&link, "127.0.0.1"), is_safe))));
    }
    for host in ["rebound.test", "localhost.rebound.test", "10.0.0.1", "relay.example.com", "[::1]:8080"] {
        let headers = [("host", host.as_bytes())];
        lines.push(format!("asked for as {host}: {}", said(open.caller(request(&headers, "127.0.0.1"), true))));
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    from 127.0.0.1: Admin as somebody here
    from ::1: Admin as somebody here
    from 10.0.0.1: 403 this address needs no credential, and so accepts requests only from the machine that it is on: for others, give access.read_token or access.admin_token in the rules file
    origin http://localhost:8080: Admin as somebody here
    origin http://localhost:9090: 403 a page of another site has sent this request, as the Origin header shows
    origin https://evil.test: 403 a page of another site has sent this request, as the Origin header shows
    origin null: 403 a page of another site has sent this request, as the Origin header shows
    sec-fetch-site none: Admin as somebody here
    sec-fetch-site same-origin: Admin as somebody here
    sec-fetch-site same-site: 403 a page of another site has sent this request, as the Sec-Fetch-Site header shows
    sec-fetch-site cross-site: 403 a page of another site has sent this request, as the Sec-Fetch-Site header shows
    x-forwarded-for 192.0.2.1: 403 this address needs no credential, and so accepts no request that came through a proxy, as the x-forwarded-for header shows: for others, give access.read_token or access.admin_token in the rules file
    a link elsewhere leads here: Admin as somebody here
    a form elsewhere leads here: 403 a page of another site has sent this request, as the Sec-Fetch-Site header shows
    asked for as rebound.test: 403 this address needs no credential, and so accepts only requests whose Host header is localhost or an address such as 127.0.0.1: for others, give access.read_token or access.admin_token in the rules file
    asked for as localhost.rebound.test: 403 this address needs no credential, and so accepts only requests whose Host header is localhost or an address such as 127.0.0.1: for others, give access.read_token or access.admin_token in the rules file
    asked for as 10.0.0.1: 403 this address needs no credential, and so accepts only requests whose Host header is localhost or an address such as 127.0.0.1: for others, give access.read_token or access.admin_token in the rules file
    asked for as relay.example.com: 403 this address needs no credential, and so accepts only requests whose Host header is localhost or an address such as 127.0.0.1: for others, give access.read_token or access.admin_token in the rules file
    asked for as [::1]:8080: Admin as somebody here
    ");
}

/// What a page's own requests are checked by, which carry a cookie and no token.
#[test]
fn a_request_that_a_browser_may_have_been_made_to_send_is_told_by_its_host_and_site() {
    let mut lines = Vec::new();
    for host in
        ["relay.example.com", "RELAY.example.com.:443", "192.0.2.7:8080", "[2001:db8::1]:80", "localhost", "x.test", ""]
    {
        let headers = [("host", host.as_bytes())];
        let checked = access().check_site(request(&headers, "192.0.2.1"), false);
        lines.push(format!("{host}: {}", checked.map_or_else(|denied| denied.to_string(), |()| "own".to_string())));
    }
    let twice = [("host", &b"localhost"[..]), ("host", b"x.test")];
    assert_eq!(access().check_site(request(&twice, "192.0.2.1"), true), Err(Denied::ForeignHost));
    let other_port = [("host", &b"relay.example.com:8443"[..]), ("origin", b"https://relay.example.com")];
    let denied = access().check_site(request(&other_port, "192.0.2.1"), true);
    assert_eq!(denied, Err(Denied::ForeignSite { header: "Origin" }));
    insta::assert_snapshot!(lines.join("\n"), @"
    relay.example.com: own
    RELAY.example.com.:443: own
    192.0.2.7:8080: own
    [2001:db8::1]:80: own
    localhost: own
    x.test: the Host header is not an address, a name of this machine, or one of access.hosts in the rules file
    : the Host header is not an address, a name of this machine, or one of access.hosts in the rules file
    ");
}
