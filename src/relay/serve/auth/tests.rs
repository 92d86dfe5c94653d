//! Who is let in, by the vectors that senders publish, and who is not.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::*;
use crate::relay::inbound::senders::{Hash, Signed};

pub mod sns_messages;

/// A request from this machine at no particular time.
fn request<'a>(headers: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> Request<'a> {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Request { headers, body, path_secret: None, peer, is_http_1_0: false, now: 1_614_265_330 }
}

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::new(*text)).collect()
}

fn signed_by(scheme: Scheme, keys: &[&str]) -> Auth {
    Auth::AnyOf(vec![Method::Signature { scheme, keys: secrets(keys) }])
}

/// The verdict in a line.
fn said(auth: &Auth, request: Request) -> String {
    match authenticate(auth, request) {
        Verdict::Accepted(Accepted { by, confirm }) => format!("accepted by {by}, {confirm:?}"),
        Verdict::Refused(refusal) => format!("{} {}: {refusal}", refusal.status(), refusal.code()),
        Verdict::NeedsCertificate(pending) => format!("needs {}", pending.certificate_url()),
    }
}

/// Requests with one header each, or none where its value is empty, and what became of each.
fn told(auth: &Auth, header: &str, values: &[&str], body: &[u8]) -> String {
    let line = |value: &&str| {
        let headers = [(header, value.as_bytes())];
        let headers = if value.is_empty() { &headers[..0] } else { &headers[..] };
        format!("{value:?}: {}", said(auth, request(headers, body)))
    };
    values.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// From PagerDuty's library for Go (`webhookv3/webhookv3_test.go`).
#[test]
fn pagerdutys_published_signature_is_accepted_beside_others() {
    const SECRET: &str = "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK";
    const RIGHT: &str = "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd";
    const OTHER: &str = "v1=7020c8a7ec668a9b7012bc3dd82e483394b038f4230acc6785efbf2a7d8bcaf5";
    let body = include_bytes!("tests/pagerduty.json");
    let auth = signed_by(Scheme::PagerDuty, &["the next one", SECRET]);
    let values = [
        RIGHT,
        &format!("{OTHER},{RIGHT}"),
        &format!("v2=abc, {RIGHT}, v1=zz"),
        OTHER,
        &RIGHT[3..],
        "v1=",
        "v1=0c0b9",
        "",
    ];
    insta::assert_snapshot!(told(&auth, "x-pagerduty-signature", &values, body));
    let cut = told(&auth, "x-pagerduty-signature", &[RIGHT], &body[1..]);
    assert!(cut.contains("403 bad_signature"), "{cut}");
    let without_key = signed_by(Scheme::PagerDuty, &["the next one"]);
    assert!(told(&without_key, "x-pagerduty-signature", &[RIGHT], body).contains("403 bad_signature"));
}

/// From GitHub's documentation of validating deliveries.
#[test]
fn githubs_published_signature_is_accepted() {
    const RIGHT: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let auth = signed_by(Scheme::GitHub, &["It's a Secret to Everybody"]);
    let values = [RIGHT, &RIGHT.replace('7', "8"), &RIGHT[7..], &RIGHT.replace("sha256", "sha1"), ""];
    insta::assert_snapshot!(told(&auth, "X-Hub-Signature-256", &values, b"Hello, World!"));
    assert!(told(&auth, "X-Hub-Signature-256", &[RIGHT], b"Hello, World?").contains("403 bad_signature"));
}

/// How the sender of a row signs, with a key.
fn signed_as(sender: &str, key: &str) -> Auth {
    let signature = crate::relay::inbound::senders::by_name(sender).unwrap().signature;
    signed_by(Scheme::Hmac(Hmac::of(signature).unwrap()), &[key])
}

/// From CircleCI's documentation of outbound webhooks.
#[test]
fn circlecis_published_signature_is_accepted_by_its_row() {
    const RIGHT: &str = "v1=734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a";
    let auth = signed_as("circleci", "secret");
    let values = [RIGHT, &format!("v2=00,{RIGHT}"), &RIGHT.replace('7', "8"), &RIGHT[3..], ""];
    insta::assert_snapshot!(told(&auth, "circleci-signature", &values, b"hello world"), @r#"
    "v1=734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a": accepted by hmac, None
    "v2=00,v1=734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a": accepted by hmac, None
    "v1=834cc62f32841568f45815aeb9f4d8891324e6d948e4c6c60c0621cdac48623a": 403 bad_signature: the signature in circleci-signature does not match: the secret differs from the sender's, or something between changed the body
    "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a": 403 unreadable_credential: the circleci-signature header is sent several times or is not in the expected form
    "": 401 missing_credential: the request has no circleci-signature header
    "#);
}

#[test]
fn a_row_may_sign_the_time_with_the_body_or_with_another_hash() {
    let buildkite = "timestamp=1614265330,signature=6c5eb074d0c603578f9e02a89920c2f05e378725eb187be83950ca8e572c0069";
    let stale = "timestamp=1614260000,signature=6a03f7c5d36241c31e339047e298871810b23b7a02f1a40a274c90f8ed2b10e7";
    let values = [buildkite, stale, &buildkite.replace("timestamp=16", "timestamp=17"), &buildkite[21..], ""];
    insta::assert_snapshot!(told(&signed_as("buildkite", "k"), "X-Buildkite-Signature", &values, b"{}"), @r#"
    "timestamp=1614265330,signature=6c5eb074d0c603578f9e02a89920c2f05e378725eb187be83950ca8e572c0069": accepted by hmac, None
    "timestamp=1614260000,signature=6a03f7c5d36241c31e339047e298871810b23b7a02f1a40a274c90f8ed2b10e7": 403 untimely: the signed timestamp is 5330 s old: the request was replayed, or the clocks of both machines differ
    "timestamp=1714265330,signature=6c5eb074d0c603578f9e02a89920c2f05e378725eb187be83950ca8e572c0069": 403 untimely: the signed timestamp is 100000000 s in the future (300 s are allowed): compare the clocks of both machines
    "signature=6c5eb074d0c603578f9e02a89920c2f05e378725eb187be83950ca8e572c0069": 403 unreadable_credential: the x-buildkite-signature header is sent several times or is not in the expected form
    "": 401 missing_credential: the request has no x-buildkite-signature header
    "#);
    let rootly = "t=1614265330,\tv1=11bcf1e5c37f9127893491127bb05a2507c28972e790a73b17ef2a26658e3c53";
    assert!(told(&signed_as("rootly", "k"), "X-Rootly-Signature", &[rootly], b"{}").contains("accepted by hmac"));
    let terraform = "aa566d059187e09f9e0557033a5557482a52a4aea29aee7a502f1301c945849b04041b4151da85d55f45276cc4b039c810b0734b501ebd737a689a59c39d5749";
    let auth = signed_as("terraform", "k");
    assert!(told(&auth, "X-TFE-Notification-Signature", &[terraform], b"{}").contains("accepted by hmac"));
    assert!(told(&auth, "X-TFE-Notification-Signature", &[&terraform[64..]], b"{}").contains("403 bad_signature"));
    let hmac = Hmac {
        header: "X-Own".to_string(),
        hash: Hash::Sha256,
        is_base64: true,
        prefix: "sha256:".to_string(),
        signed: Signed::Body,
    };
    let own = "sha256:rdhTsQP7zJNqGU+esV4pxP8Ir25H1dG8pPICGOMeT/8=";
    assert!(told(&signed_by(Scheme::Hmac(hmac), &["k"]), "x-own", &[own], b"{}").contains("accepted by hmac"));
}

/// From the libraries of Standard Webhooks.
#[test]
fn the_published_signature_of_standard_webhooks_is_accepted_within_five_minutes() {
    const RIGHT: &[u8] = b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    let key = standard_webhooks_key(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
    assert_eq!(standard_webhooks_key(&Secret::new("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).as_ref(), Ok(&key));
    let auth = Auth::AnyOf(vec![Method::Signature { scheme: Scheme::StandardWebhooks, keys: vec![key] }]);
    let (id, time): (&[u8], &[u8]) = (b"msg_p5jXN8AQM9LWM0D4loKWxJek", b"1614265330");
    let several = [b"v1a,AAAA v1,AAAA ", RIGHT].concat();
    let all: [(&str, &[u8]); 3] = [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", &several)];
    let mut lines = Vec::new();
    for (what, later) in [("at once", 0), ("in time", 300), ("too late", 301), ("too early", -301)] {
        let at = Request { now: 1_614_265_330 + later, ..request(&all, BODY) };
        lines.push(format!("{what}: {}", said(&auth, at)));
    }
    for left_out in 0..3 {
        let mut some = all.to_vec();
        let (name, _) = some.remove(left_out);
        lines.push(format!("without {name}: {}", said(&auth, request(&some, BODY))));
        let mut twice = all.to_vec();
        twice.push((name, b"1"));
        lines.push(format!("{name} twice: {}", said(&auth, request(&twice, BODY))));
        let mut changed = all;
        changed[left_out].1 = b"1614265331";
        lines.push(format!("another {name}: {}", said(&auth, request(&changed, BODY))));
    }
    insta::assert_snapshot!(lines.join("\n"));
    for wrong in ["whsec_", "", "whsec_not base64", "a plain password"] {
        let said = standard_webhooks_key(&Secret::new(wrong)).unwrap_err();
        assert!(wrong.is_empty() || !said.contains(wrong) || wrong == "whsec_", "{said}");
    }
}

/// As Grafana signs (`receivers/http/hmac.go`): hexadecimal, over the time, a colon and the body where there is a time.
#[test]
fn grafanas_signature_covers_its_time_where_one_is_configured() {
    const BODY: &[u8] = br#"{"alerts":[]}"#;
    const BODY_ALONE: &[u8] = b"2fa4775cdae90247c4df2b99cc53c31ceabaa7482b71684deceb81bddd9a5968";
    const WITH_TIME: &[u8] = b"b62b83ddf245bd3ad012c8243201a12a8128159af1546c9df3ba66e9e729ce19";
    let scheme = |timestamp_header: Option<&str>| Scheme::Grafana {
        header: "X-Sig".to_string(),
        timestamp_header: timestamp_header.map(str::to_string),
    };
    let plain = signed_by(scheme(None), &["test-secret"]);
    let timed = signed_by(scheme(Some("X-Time")), &["test-secret"]);
    let at = |headers, now| Request { now, ..request(headers, BODY) };
    let without: [(&str, &[u8]); 1] = [("x-sig", BODY_ALONE)];
    let with: [(&str, &[u8]); 2] = [("x-sig", WITH_TIME), ("x-time", b"1700000000")];
    let odd: [(&str, &[u8]); 2] = [("x-sig", WITH_TIME), ("x-time", b"yesterday")];
    let lines = [
        ("no time", said(&plain, at(&without, 0))),
        ("a time that is not expected", said(&plain, at(&with, 1_700_000_000))),
        ("a time", said(&timed, at(&with, 1_700_000_300))),
        ("an old time", said(&timed, at(&with, 1_700_000_301))),
        ("no time where one is expected", said(&timed, at(&without, 1_700_000_000))),
        ("an odd time", said(&timed, at(&odd, 1_700_000_000))),
    ];
    insta::assert_snapshot!(lines.map(|(what, said)| format!("{what}: {said}")).join("\n"));
}

/// As Sentry signs: hexadecimal, over the body, with the client secret of the integration.
#[test]
fn sentrys_signature_is_bare_hexadecimal() {
    const RIGHT: &str = "2fa4775cdae90247c4df2b99cc53c31ceabaa7482b71684deceb81bddd9a5968";
    let auth = signed_by(Scheme::Sentry, &["test-secret"]);
    let values = [RIGHT, &RIGHT.to_uppercase(), &RIGHT[2..], &format!("{RIGHT}00"), "é", ""];
    insta::assert_snapshot!(told(&auth, "Sentry-Hook-Signature", &values, br#"{"alerts":[]}"#));
}

#[test]
fn a_bearer_token_is_one_of_the_routes() {
    let auth = Auth::AnyOf(vec![Method::Bearer(secrets(&["new-token", "old-token"]))]);
    let values = [
        "Bearer new-token",
        "bearer   old-token ",
        "Bearer new-toke",
        "Bearer new-token2",
        "Bearer",
        "Bearer ",
        "new-token",
        "Basic bmV3LXRva2Vu",
        "",
    ];
    insta::assert_snapshot!(told(&auth, "authorization", &values, b""));
    let twice: [(&str, &[u8]); 2] = [("Authorization", b"Bearer x"), ("authorization", b"Bearer new-token")];
    assert!(said(&auth, request(&twice, b"")).contains("unreadable_credential"));
}

#[test]
fn basic_needs_both_the_name_and_a_password() {
    let method = Method::Basic { username: "grafana".to_string(), passwords: secrets(&["pass:word", "old"]) };
    let encoded = |pair: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    };
    let values = ["grafana:pass:word", "grafana:old", "grafana:", "Grafana:old", ":old", "grafana"].map(encoded);
    let values: Vec<&str> = values.iter().map(String::as_str).chain(["Basic %%%", ""]).collect();
    insta::assert_snapshot!(told(&Auth::AnyOf(vec![method]), "authorization", &values, b""));
}

#[test]
fn a_header_or_the_path_may_hold_the_secret() {
    let header = Method::Header { name: "X-Webhook-Secret".to_string(), secrets: secrets(&["s3cr3t"]) };
    let header = Auth::AnyOf(vec![header]);
    insta::assert_snapshot!(told(&header, "x-webhook-secret", &["s3cr3t", "S3cr3t", ""], b""));
    let path = Auth::AnyOf(vec![Method::Path(secrets(&["s3cr3t"]))]);
    let line = |auth: &Auth, path_secret: Option<&str>| {
        format!("{path_secret:?}: {}", said(auth, Request { path_secret, ..request(&[], b"") }))
    };
    let mut lines: Vec<String> = [None, Some(""), Some("s3cr3t"), Some("s3%63r3t"), Some("s3cr3t/"), Some("%")]
        .map(|end| line(&path, end))
        .into();
    lines.push(format!("not expected: {}", line(&header, Some("s3cr3t"))));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn one_of_several_methods_is_enough_and_the_most_telling_refusal_is_said() {
    let auth = Auth::AnyOf(vec![
        Method::Bearer(secrets(&["token"])),
        Method::Signature { scheme: Scheme::Sentry, keys: secrets(&["test-secret"]) },
    ]);
    let bearer: (&str, &[u8]) = ("authorization", b"Bearer token");
    let wrong_bearer: (&str, &[u8]) = ("authorization", b"Bearer nekot");
    let wrong_signature: (&str, &[u8]) = ("sentry-hook-signature", b"00");
    let lines = [
        said(&auth, request(&[], b"")),
        said(&auth, request(&[bearer, wrong_signature], b"")),
        said(&auth, request(&[wrong_bearer], b"")),
        said(&auth, request(&[wrong_bearer, wrong_signature], b"")),
        said(&Auth::AnyOf(Vec::new()), request(&[bearer], b"")),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_open_is_for_this_machine_without_proxy_and_web_page() {
    const HERE: (&str, &[u8]) = ("host", b"localhost:8080");
    let from = |peer: &str| said(&Auth::Open, Request { peer: peer.parse().unwrap(), ..request(&[HERE], b"") });
    let peers = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "0.0.0.0", "::2"];
    let headers = [
        ("Forwarded", ""),
        ("X-Forwarded-For", ""),
        ("x-forwarded-proto", ""),
        ("X-FORWARDED-HOST", ""),
        ("X-Real-IP", ""),
        ("Via", ""),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "none"),
        ("X-Forward", ""),
        ("Authorization", ""),
    ];
    let with = |(name, value): (&str, &str)| said(&Auth::Open, request(&[HERE, (name, value.as_bytes())], b""));
    let hosts = [
        "localhost",
        "LOCALHOST:80",
        "relay.localhost",
        "localhost.",
        "127.0.0.1:8080",
        "127.9.9.9",
        "[::1]:8080",
        "[::ffff:127.0.0.1]",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "relay.example.com",
        "10.0.0.1",
        "[::2]:8080",
        "evil@localhost",
        "",
    ];
    let asked_for = |host: &str| said(&Auth::Open, request(&[("Host", host.as_bytes())], b""));
    let lines = peers.map(|peer| format!("{peer}: {}", from(peer))).into_iter();
    let lines = lines.chain(headers.map(|header| format!("{header:?}: {}", with(header))));
    let mut lines: Vec<String> = lines.chain(hosts.map(|host| format!("Host {host}: {}", asked_for(host)))).collect();
    lines.push(format!("no Host: {}", said(&Auth::Open, request(&[], b""))));
    lines.push(format!("two Hosts: {}", said(&Auth::Open, request(&[HERE, ("host", b"example.com")], b""))));
    for connection in ["close", "Close", "keep-alive"] {
        let headers = [HERE, ("Connection", connection.as_bytes())];
        let new = request(&headers, b"");
        lines.push(format!("HTTP/1.1, {connection}: {}", said(&Auth::Open, new)));
        lines.push(format!("HTTP/1.0, {connection}: {}", said(&Auth::Open, Request { is_http_1_0: true, ..new })));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

/// Whatever is wrong, neither what was sent nor what was expected is told.
#[test]
fn no_refusal_shows_a_secret() {
    const SECRET: &str = "Zq7wz3kfH5x2mt9Vbn4c8dj6ry1lsg0pa";
    const GIVEN: &str = "Hx8dk2PqLw9vTz4rNc6bYm1sGf3jKe7ua";
    let keys = || secrets(&[SECRET]);
    let schemes = [
        Scheme::PagerDuty,
        Scheme::Grafana { header: "a".to_string(), timestamp_header: Some("b".to_string()) },
        Scheme::Sentry,
        Scheme::GitHub,
        Scheme::StandardWebhooks,
    ];
    let mut methods = vec![
        Method::Bearer(keys()),
        Method::Basic { username: "u".to_string(), passwords: keys() },
        Method::Header { name: "x".to_string(), secrets: keys() },
        Method::Path(keys()),
        Method::Sns { topics: vec!["arn".to_string()] },
    ];
    methods.extend(schemes.map(|scheme| Method::Signature { scheme, keys: keys() }));
    let names =
        ["authorization", "x", "a", "b", "x-pagerduty-signature", "sentry-hook-signature", "x-hub-signature-256"];
    let values = [GIVEN.to_string(), format!("Bearer {GIVEN}"), format!("v1={GIVEN}"), format!("Basic {GIVEN}")];
    for method in methods {
        let auth = Auth::AnyOf(vec![method]);
        assert!(!format!("{auth:?}").contains(SECRET), "{auth:?}");
        for name in names {
            for value in &values {
                let headers = [(name, value.as_bytes())];
                let request = Request { path_secret: Some(GIVEN), ..request(&headers, value.as_bytes()) };
                let Verdict::Refused(refusal) = authenticate(&auth, request) else { panic!("let in") };
                let said = format!("{refusal} {refusal:?}");
                assert!(!said.contains(&SECRET[..8]) && !said.contains(&GIVEN[..8]), "{said}");
            }
        }
    }
}
