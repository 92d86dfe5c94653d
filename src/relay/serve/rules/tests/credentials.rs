//! Routes, what they are proven by, and where its secrets are.

use super::*;
use crate::relay::inbound::senders;

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    let cases = [
        "{bearer: Zq7wz3kfH5x2mt9Vbn4c8dj6}",
        "{bearer: [{env: TOKEN}, Zq7wz3kfH5x2mt9Vbn4c8dj6]}",
        "{bearer: 123456789}",
        "Zq7wz3kfH5x2mt9Vbn4c8dj6",
        "{bearer: {env: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{bearer: {env: Zq7wz3kf-5x2mt9Vbn4c8dj6}}",
        "{bearer: {file: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{bearer: {value: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{bearer: {Zq7wz3kfH5x2mt9Vbn4c8dj6: }}",
        "{bearer: {env: TOKEN, file: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{basic: {username: u, password: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{header: {name: X-S, secret: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{grafana: Zq7wz3kfH5x2mt9Vbn4c8dj6}",
        "{grafana: {secret: Zq7wz3kfH5x2mt9Vbn4c8dj6}}",
        "{path: Zq7wz3kfH5x2mt9Vbn4c8dj6}",
        "{standard_webhooks: {env: TOKEN}}",
        "{path: {env: SLASHED}}",
        "{bearer: {env: LINES}}",
        "{bearer: {env: QUOTED}}",
    ];
    for case in cases {
        let said = with_auth(case);
        assert!(!said.contains(&SECRET[..8]), "{said}");
    }
    let said = told(&cases, with_auth);
    insta::assert_snapshot!(said);
}

/// Somebody may have forgotten the key, so that the secret stands in its place.
#[test]
fn a_secret_in_the_place_of_a_key_is_not_shown() {
    for secret in ["hunter2hunter2", "correcthorsebattery", SECRET] {
        for auth in ["{_: }", "{bearer: {_: }}", "{basic: {username: u, password: {_: x}}}", "{path: [{_: x}]}"] {
            let said = with_auth(&auth.replace('_', secret));
            assert!(!said.contains(&secret[..8]), "{auth}: {said}");
        }
        let keys = said(&format!("integrations: [{{name: a, api_key: {{{secret}: }}}}]\n{ROUTES}"));
        assert!(!keys.contains(&secret[..8]), "{keys}");
    }
    let twice = said(&format!("{ROUTES}{SECRET}: 1\n{SECRET}: 2\n"));
    assert!(!twice.contains(&SECRET[..8]), "{twice}");
    let once = with_default(&format!("  {SECRET}: 1\n"));
    assert!(!once.contains(&SECRET[..8]), "{once}");
    assert!(with_auth("{baerer: {env: TOKEN}}").contains("baerer"), "a slip is shown");
}

#[test]
fn every_way_to_authenticate_has_its_form() {
    let cases = [
        "none",
        "None",
        "{}",
        "[]",
        "[none]",
        "{bearer: {env: TOKEN}}",
        "{bearer: {file: secret}, path: {env: TOKEN}}",
        "{bearer: []}",
        "{bearer: }",
        "{bearer: {env: NOT_SET}}",
        "{bearer: {env: EMPTY}}",
        "{bearer: {env: SHORT}}",
        "{bearer: {file: missing}}",
        "{bearer: {file: }}",
        "{baerer: {env: TOKEN}}",
        "{hmac: {env: TOKEN}}",
        "{hmac: {secret: {env: TOKEN}}}",
        "{hmac: {header: X-Signature, secret: {env: TOKEN}, hash: sha512, encoding: base64, prefix: 'sha512='}}",
        "{hmac: {header: X-Signature, secret: {env: TOKEN}, hash: md5, encoding: hexx}}",
        "{basic: {env: TOKEN}}",
        "{basic: {username: 'a:b', password: {env: TOKEN}}}",
        "{basic: {username: 7, password: {env: TOKEN}}}",
        "{header: {name: 'X S', secret: {env: TOKEN}}}",
        "{header: {name: X-S}}",
        "{path: {env: SHORT}}",
        "{grafana: {secret: [{env: TOKEN}, {env: OTHER}], timestamp_header: X-T}}",
        "{grafana: {header: X-S}}",
        "{standard_webhooks: [{env: WHSEC}]}",
        "{github: {env: TOKEN}}",
        "{sns: {topics: ['arn:aws-cn:sns:cn-north-1:1:a', 'arn:aws:sns:*:1:a', 'arn:aws:sqs:r:1:a']}}",
        "{sns: {topics: []}}",
    ];
    insta::assert_snapshot!(told(&cases, with_auth));
}

#[test]
fn a_route_has_a_name_a_kind_and_what_its_sender_can_do() {
    let with_routes = |routes: &str| said(&format!("{INTEGRATIONS}routes:\n{routes}"));
    let cases = [
        "  - {name: a, auth: none}\n  - {name: a, auth: none}",
        "  - {name: A b, auth: none}",
        "  - {kind: sentry}",
        "  - a",
        "  a: {auth: none}",
        "  - {name: a, auth: none, kind: grafna}",
        "  - {name: a, auth: none, kind: map}",
        "  - {name: a, auth: none, kind: map, map: map.yaml}",
        "  - {name: a, auth: none, map: {title: a.b}}",
        "  - {name: a, auth: none, map: {titel: a.b}}",
        "  - {name: a, auth: none, map: {title: '{{ a'}}",
        "  - {name: a, auth: none, map: [a]}",
        "  - {name: a, auth: none, map: missing.yaml}",
        "  - {name: a, auth: none, kind: sentry, map: map.yaml}",
        "  - {name: a, kind: sentry, auth: {bearer: {env: TOKEN}}}",
        "  - {name: a, kind: alertmanager, auth: {github: {env: TOKEN}}}",
        "  - {name: a, kind: github, auth: {bearer: {env: TOKEN}}}",
        "  - {name: a, kind: github, auth: {bearer: {env: TOKEN}, github: {env: TOKEN}}}",
        "  - {name: a, kind: sentry, auth: {hmac: {env: TOKEN}}}",
        "  - {name: a, kind: circleci, auth: {bearer: {env: TOKEN}}}",
        "  - {name: a, kind: gitlab, auth: {bearer: {env: TOKEN}}}",
        "  - {name: a, kind: gitlab, auth: {header: {name: X-Secret, secret: {env: TOKEN}}}}",
        "  - {name: a, kind: gitlab, auth: {header: {name: X-GitLab-Token, secret: {env: TOKEN}}}}",
        "  - {name: a, kind: pingdom, auth: {basic: {username: u, password: {env: TOKEN}}}}",
        "  - {name: a, kind: generic, auth: {bearer: {env: TOKEN}}}",
        "  []",
    ];
    insta::assert_snapshot!(told(&cases, with_routes));
}

/// What the page of senders says is taken as it stands.
#[test]
fn every_sender_of_the_table_can_be_asked_for_what_it_sends() {
    for sender in senders::all() {
        let (name, auth) = (sender.format.name(), sender.signature.auth());
        let variable = if auth.contains("standard_webhooks") { "WHSEC" } else { "TOKEN" };
        let auth = auth.replace("NAME", variable);
        let said = said(&format!("{INTEGRATIONS}routes:\n  - {{name: a, kind: {name}, auth: {auth}}}\n"));
        assert_eq!(said, "right", "{name}: {auth}");
    }
}
