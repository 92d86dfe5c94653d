//! What Sentry and Opsgenie tell.

use serde_json::json;

use super::{Grouping, alerts, data_of, payload};
use crate::relay::prompt;
use redact::Redactor;

#[test]
fn a_chain_of_sentrys_exceptions_is_told_with_where_each_was_raised() {
    let mut body = payload("sentry-event-alert");
    let frames = json!([
        {"filename": "checkout/views.py", "function": "pay", "lineno": 120, "in_app": true},
        {"filename": "django/db.py", "function": "get", "lineno": 7, "in_app": false},
    ]);
    body["data"]["event"]["exception"]["values"] = json!([
        {"type": "KeyError", "value": "the first cause"},
        {"type": "InvalidToken", "value": "expired", "stacktrace": {"frames": [frames[1]]}},
        {"type": "KeyError", "value": null, "stacktrace": null},
        {"type": "KeyError", "value": "'basket_id'", "stacktrace": {"frames": frames}},
    ]);
    let alert = &alerts(&body, Grouping::Group).unwrap()[0];
    let prompt = prompt::words(alert, &alert.dedupe_key(&[]), "", None, &Redactor::default()).unwrap().prompt;
    let told: Vec<&str> = prompt.lines().skip_while(|line| !line.contains("exception:")).take(3).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    exception: KeyError in pay at checkout/views.py:120: 'basket_id'
            caused by KeyError
            caused by InvalidToken in get at django/db.py:7: expired
    ");
}

#[test]
fn a_sentry_event_and_an_opsgenie_alert_say_whose_they_are() {
    assert!(data_of(&payload("sentry-event-alert")).contains("\n  project: checkout\n"));
    let mut body = payload("opsgenie-create");
    body["alert"]["teams"] = json!(["Orders", "Platform"]);
    assert!(data_of(&body).contains("\n  teams: Orders, Platform\n"));
}
