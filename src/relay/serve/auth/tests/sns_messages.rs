//! Messages of SNS, signed with a key that was made for these tests; its certificate is in `sns.pem`.

use super::*;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alarms";
const CERTIFICATE_URL: &str = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem";

/// Of [`notification`], in version 1.
const SHA1: &str = "RIvSJm/iDYmRGidoJevj8Rr3mOYjwyY+eADxCVSZIleaUpVAUPX0LFnjaPCpJWb++wiaY7u1JoeOqmOEcu6J6Q4N8hwPTe8dRz3FU03txFlJXUk4CzKSSFkGmqLuRMKl6vXHkLucHH7Ol3cpL+VyFNqcKIwb5ZaAg29+Twfep3GHaoMwaO1UyXvPDjxfu1vEM9/XQN5gwMREBbYcAr9P/doGlTPZ5PuoDhIpP6BgZLPU9PhAxaQx8+bkRIkJodjlWlHPzt04XuWqSc5P1O+rpskxp8UY+19xcBdP71drWSxuaaUr/SKSmZgVsum/nUmToZUpE9UkbxTvXGhjdDd+OA==";
/// Of [`notification`] with the subject `ALARM`, in version 2.
const SHA256: &str = "A0EFF7fo8Zf+uVyh/2O5GC//XXJRaHPamQ5dt+1O0SZbGZesdNfho1WU8BrreoojIEwoC58fTDnrgXG2cK/TbrqS2WHCArhznUWNMgDmjTu5Ib6M8vjQXmoBAABkbhvZf3NgzT4DWVj5Uy3NVcxTothwVcTmyDRUVb9XHeeA96L4iH6JB6UYv5nnh23pmSjPP8uox0QlyEnauxfEFDkB+lq+xZZukoh3jR4VG+BJBWhqlZ3xSFcEFQTMKCvA2OkombVJciM0FcQt9G+oWucCAPBhW77fEbzbozSiGOMujXDj3jha3TPY03GnCvA/XvHVpkuzqxc1MqOLIuQMt9VdSQ==";
/// Of [`confirmation`], in version 2.
const CONFIRMATION: &str = "A56B8TrDkghoctERxpmLMhVV1g8I1sAwS4Nj2p+a2m80bVyfkEzvxXY1CCM2K2swtwkN7EGSEuJzSZrauPHn0aRU3tkhTqB9nwU8//iMUYBaUe6v7O7SznYWX9iJgXMa/3c0PnJVYIv3Mq+ZjHohudD+NbzxjdMOLK1Zu8+l/7vYvsrKz2xa7QSLpi3x/HOrwWfi7D0zEWBkyuQHbQz4+LLq3qms5bR4NjYzxoMqbgCL5LjmCW2DtUSH5+jdywvejpZSYrtHVdAvx4KznJLCFjVK8y1y95jGCboYekou4B3lsYXTYyogHdKmez6OoxwHA78h+JwFqO50Sc3B5jsw9Q==";

/// 2026-11-28T09:00:00Z, which the messages were signed with.
const SIGNED_AT: i64 = 1_795_856_400;

pub fn notification() -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "7d2f8f0e-5d0b-5c1e-9a0e-d0c5b3f1a001",
        "TopicArn": TOPIC,
        "Message": "{\"AlarmName\":\"disk full\",\"NewStateValue\":\"ALARM\"}\nand a line",
        "Timestamp": "2026-11-28T09:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": SHA1,
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    })
}

pub fn confirmation() -> Value {
    with(
        notification(),
        &[
            ("Type", "SubscriptionConfirmation"),
            ("Token", "t0k3n"),
            (
                "SubscribeURL",
                &format!(
                    "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0k3n"
                ),
            ),
            ("SignatureVersion", "2"),
            ("Signature", CONFIRMATION),
        ],
    )
}

fn with(mut message: Value, fields: &[(&str, &str)]) -> Value {
    for (name, value) in fields {
        message[*name] = json!(value);
    }
    message
}

/// A message that waits for its certificate.
pub fn pending(message: &Value) -> sns::Pending {
    let body = message.to_string();
    let request = Request { now: SIGNED_AT, ..request(&[], body.as_bytes()) };
    match authenticate(&sns(), request) {
        Verdict::NeedsCertificate(pending) => *pending,
        other => panic!("{other:?}"),
    }
}

fn sns() -> Auth {
    Auth::AnyOf(vec![Method::Sns { topics: vec!["arn:other".to_string(), TOPIC.to_string()] }])
}

/// What becomes of a message, the certificate being there.
fn verified(message: &Value) -> String {
    verified_at(message, SIGNED_AT)
}

fn verified_at(message: &Value, now: i64) -> String {
    let body = message.to_string();
    let request = Request { now, ..request(&[], body.as_bytes()) };
    let Verdict::NeedsCertificate(pending) = authenticate(&sns(), request) else { return said(&sns(), request) };
    assert_eq!(pending.certificate_url().as_str(), CERTIFICATE_URL);
    match pending.verify(include_bytes!("sns.pem")) {
        Verdict::Accepted(accepted) => {
            format!("accepted by {}, {:?}", accepted.by, accepted.confirm.as_ref().map(sns::Url::as_str))
        }
        Verdict::Refused(refusal) => format!("{} {}: {refusal}", refusal.status(), refusal.code()),
        Verdict::NeedsCertificate(_) => "needs it again".to_string(),
    }
}

#[test]
fn messages_of_both_versions_are_verified() {
    assert_eq!(verified(&notification()), "accepted by sns, None");
    let second = [("Subject", "ALARM"), ("SignatureVersion", "2"), ("Signature", SHA256)];
    assert_eq!(verified(&with(notification(), &second)), "accepted by sns, None");
    insta::assert_snapshot!(verified(&confirmation()));
}

#[test]
fn a_message_with_anything_changed_is_refused() {
    for name in ["Message", "MessageId", "Timestamp", "Subject", "Signature"] {
        let changed = with(notification(), &[(name, "2026-11-28T09:00:01.000Z")]);
        let said = verified(&changed);
        assert!(said.starts_with("403"), "{name}: {said}");
    }
    let said = verified(&with(notification(), &[("SignatureVersion", "2")]));
    assert!(said.starts_with("403 bad_signature"), "{said}");
    let said = verified(&with(confirmation(), &[("Token", "another")]));
    assert!(said.starts_with("403 bad_signature"), "{said}");
    let body = notification().to_string();
    let Verdict::NeedsCertificate(pending) =
        authenticate(&sns(), Request { now: SIGNED_AT, ..request(&[], body.as_bytes()) })
    else {
        panic!("no message")
    };
    let end = "-----END CERTIFICATE-----";
    let rubbish = format!("-----BEGIN CERTIFICATE-----\nAAAA\n{end}\n");
    for certificate in ["", "<html>", &rubbish] {
        assert!(matches!(pending.verify(certificate.as_bytes()), Verdict::Refused(Refusal::NotSns { .. })));
    }
}

#[test]
fn a_message_is_as_old_as_sns_tries_at_most() {
    let lines = [0, 3900, 3901, -300, -301]
        .map(|later| format!("{later}: {}", verified_at(&notification(), SIGNED_AT + later)));
    insta::assert_snapshot!(lines.join("\n"));
}

/// Nobody is asked for anything before the message names a topic of the route and addresses of SNS.
#[test]
fn only_hosts_of_sns_are_ever_named() {
    let certificates = [
        "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-a_b-9.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem",
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com:444/SimpleNotificationService-0.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.evil.example/x.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.a.b.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns..amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem?x",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-../x.pem",
        "https://sns.eu-central-1.amazonaws.com/other.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com",
        "",
    ];
    let certificates = certificates.map(|url| format!("{url}: {}", sns::Url::certificate(url).is_some()));
    let start = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription";
    let subscriptions = [
        format!("{start}&TopicArn={TOPIC}&Token=t"),
        format!("{start}&TopicArn={}&Token=t", TOPIC.replace(':', "%3A")),
        format!("{start}&TopicArn=arn:other&Token=t"),
        format!("{start}&TopicArn={TOPIC}&TopicArn={TOPIC}&Token=t"),
        format!("{start}&Action=Publish&TopicArn={TOPIC}"),
        format!("{start}&Token=t"),
        format!("https://sns.eu-central-1.amazonaws.com/?Action=DeleteTopic&TopicArn={TOPIC}"),
        format!("https://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}"),
        format!("{start}&TopicArn={TOPIC}&Token=t\r\nHost: evil.example"),
    ];
    let subscriptions = subscriptions.map(|url| format!("{url:?}: {}", sns::Url::confirmation(&url, TOPIC).is_some()));
    insta::assert_snapshot!(certificates.into_iter().chain(subscriptions).collect::<Vec<_>>().join("\n"));
    let lines = [
        with(notification(), &[("TopicArn", "arn:aws:sns:eu-central-1:666:alarms")]),
        with(notification(), &[("TopicArn", "a <b>")]),
        with(notification(), &[("SigningCertURL", "https://evil.example/x.pem")]),
        with(confirmation(), &[("SubscribeURL", "https://evil.example/")]),
        with(notification(), &[("SignatureVersion", "3")]),
        with(notification(), &[("Type", "Other")]),
        with(notification(), &[("Timestamp", "today")]),
        with(notification(), &[("Signature", "%")]),
        json!({"Type": "Notification"}),
        json!({"AlarmName": "raw delivery", "NewStateValue": "ALARM"}),
        json!({"Records": [{"Sns": notification()}]}),
    ];
    insta::assert_snapshot!(lines.iter().map(verified).collect::<Vec<_>>().join("\n"));
}

/// A subscription is confirmed also where another credential would let the message in.
#[test]
fn a_confirmation_is_verified_before_another_method_lets_it_in() {
    let Auth::AnyOf(mut methods) = sns() else { panic!() };
    methods.insert(0, Method::Bearer(secrets(&["token"])));
    let body = confirmation().to_string();
    let headers: [(&str, &[u8]); 1] = [("authorization", b"Bearer token")];
    let request = Request { now: SIGNED_AT, ..request(&headers, body.as_bytes()) };
    assert!(matches!(authenticate(&Auth::AnyOf(methods), request), Verdict::NeedsCertificate(_)));
}
