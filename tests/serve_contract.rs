//! The documented behavior of the product that the rules follow (alerts start agents, which are polled to an end), row by row. What is
//! tested elsewhere is named here; what cannot apply has its reason.
//!
//! | Row | Test |
//! |---|---|
//! | rule: group and order, enabled | `serve_rules`: of_each_group_the_first_rule_that_matches_takes_the_alert; here: fields |
//! | rule: a stable key makes it the same rule | `id` is part of the tag: `serve_rules`: a_resolve_reaches_every_rule… |
//! | rule: delay, intervals, attempts, storm settings and their bounds | here: fields; defaults: `rules::tests`: the_example_in_the_documents_is_right, `gates::tests`: a_storm_and_the_longest_wait… |
//! | rule: unknown keys and the product's own spelling | here: spelling |
//! | rule: kinds, agents and fields of other providers | not ours: there is one provider; the spelling is answered all the same |
//! | rule: `repeat`, `repeatPolicy` | undocumented there; answered with `cooldown` |
//! | webhook rules | not ours: an alert starts a session and nothing else |
//! | storm: a plain count, at the threshold | `store::tests::storms`, `store::tests::admission`: one_alert_less_than_the_threshold_is_no_storm |
//! | storm: some start at once, the others are held, one session for all | `serve_gates`: a_storm_has_one_session_that_is_told_of_all… |
//! | storm: debounce, cap, worked example | `store::tests::storms`; `gates::storm` |
//! | storm: the root is picked by a model | by severity, then by age: `gates::storm`: the_worst_stands_for_all_and_of_those_the_earliest |
//! | storm: resolved before it was looked into | `store::tests::admission`: a_storm_that_resolves_before_it_is_looked_into… |
//! | same title, no second agent | by the dedupe key, which may be the title: here: titles |
//! | job and responder states | here: results; `serve`: an_alert_that_is_delivered_becomes_a_session_and_an_outcome |
//! | a bad token is told as such | here: token |
//! | the organization is read from the token | `serve`: a_key_that_is_refused_pauses_and_what_comes_is_kept |
//! | finished with and without a pull request | here: results |
//! | waiting for a person: completed as blocked | `job::tests::polls`: a_session_is_blocked_after_three_polls_and_a_minute |
//! | every word of a used-up quota, never retried by itself, by hand or by the next alert | here: quota; `store::tests::by_hand` |
//! | attempts run out | here: results |

mod common;

use common::bridge::{Bridge, by};
use common::devin::{Devin, Said, Sessions, state};
use common::program;
use serde_json::{Value, json};

fn alert(key: &str, title: &str) -> String {
    json!({"title": title, "status": "firing", "dedup_key": key}).to_string()
}

/// How a file whose default rule says this is taken.
fn checked(rule: &str) -> (bool, String) {
    let rules = format!("routes: [{{name: generic, kind: generic, auth: none}}]\ndefault: {{{rule}}}\n");
    let ran = program().file("relay.yaml", rules).run("alert-relay rules check relay.yaml --sandbox");
    (ran.exit() == "exit 0", format!("{}{}", ran.text(), ran.stderr))
}

#[test]
fn fields_are_taken_up_to_their_bounds_and_no_further() {
    let fields = [
        ("poll_interval: ", vec!["1s", "300s"], vec!["0s", "999ms", "301s"]),
        ("max_poll_attempts: ", vec!["1", "1000"], vec!["0", "1001"]),
        ("max_wait: 30h, delay: ", vec!["0s", "1440m"], vec!["1441m", "-1m"]),
        ("storm: {threshold: ", vec!["2}", "50}"], vec!["1}", "51}"]),
        ("storm: {window: ", vec!["10s}", "300s}"], vec!["9s}", "301s}"]),
        ("storm: {immediate: ", vec!["0}", "5}"], vec!["-1}", "6}"]),
    ];
    for (field, right, wrong) in fields {
        for (values, is_right) in [(right, true), (wrong, false)] {
            for value in values {
                let (is_taken, said) = checked(&format!("{field}{value}"));
                assert_eq!(is_taken, is_right, "{field}{value}: {said}");
            }
        }
    }
}

#[test]
fn the_spelling_of_the_product_is_answered_with_ours() {
    for (theirs, ours) in [
        ("pollInterval: 30000", "poll_interval: 30s"),
        ("maxPollAttempts: 120", "max_poll_attempts"),
        ("stormThreshold: 5", "storm: {threshold: 5}"),
        ("stormWindowSeconds: 60", "storm: {window: 60s}"),
        ("maxImmediateDispatches: 2", "storm: {immediate: 2}"),
        ("delayMinutes: 5", "delay: 5m"),
        ("integrationId: main", "integration"),
        ("agentType: devin", "leave it out"),
        ("ruleType: agent", "leave it out"),
    ] {
        let (is_taken, said) = checked(theirs);
        assert!(!is_taken && said.contains(ours), "{theirs}: {said}");
    }
}

#[test]
fn titles_that_are_the_same_start_no_second_session_where_the_key_says_so() {
    let devin = Devin::of(&std::sync::Arc::new(Sessions::new().on_look(|_| state("running/working", false))));
    let program = by(&devin.settings(), "poll_interval: 1s, dedupe_key: '{{ title }}'", "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", &alert("one", "disk full"));
    bridge.until("session_status");
    let joined = bridge.post("generic", &alert("other", "disk full")).json();
    assert_eq!((joined["job_ids"].as_array().unwrap().len(), devin.count("POST")), (1, 1), "{joined}");
    assert_eq!(bridge.alerts().len(), 1);
}

#[test]
fn results_are_what_the_session_has_come_to() {
    let cases = [
        ("running/finished", true, "", "done", "pr_opened"),
        ("running/finished", false, "", "done", "no_pr"),
        ("error", false, "", "dropped", "session_error"),
        ("running/working", false, ", max_poll_attempts: 2", "dropped", "poll_timeout"),
    ];
    std::thread::scope(|scope| {
        for (session, has_pr, rule, status, result) in cases {
            scope.spawn(move || {
                let ended = outcome(session, has_pr, rule).0;
                assert_eq!((&ended["status"], &ended["result"]), (&json!(status), &json!(result)), "{ended}");
                assert_eq!(ended["pr_url"].is_string(), has_pr, "{ended}");
                assert!(ended["session_url"].is_string(), "{ended}");
            });
        }
    });
}

/// How an alert ends whose session is found like this, and what was created until a repeat of it was taken.
fn outcome(session: &'static str, has_pr: bool, rule: &str) -> (Value, usize) {
    let devin = Devin::of(&std::sync::Arc::new(Sessions::new().on_look(move |_| state(session, has_pr))));
    let program = by(&devin.settings(), &format!("poll_interval: 1s, pr_grace: 0{rule}"), "");
    let mut bridge = Bridge::start(&program, "--rules relay.yaml");
    bridge.post("generic", &alert("disk", "disk full"));
    let created = bridge.until("session_created");
    assert!(created["session_url"].is_string(), "it is in the log when it is created: {created}");
    (bridge.until("outcome"), devin.count("POST"))
}

#[test]
fn quota_that_is_used_up_is_told_in_its_own_word_and_nothing_is_tried_again() {
    let words = [
        "out_of_credits",
        "out_of_quota",
        "no_quota_allocation",
        "usage_limit_exceeded",
        "org_usage_limit_exceeded",
        "user_usage_limit_exceeded",
        "total_session_limit_exceeded",
        "payment_declined",
        "contract_expired",
    ];
    std::thread::scope(|scope| {
        for word in words {
            scope.spawn(move || {
                let (ended, creates) = outcome(format!("suspended/{word}").leak(), false, "");
                let told = (&ended["status"], &ended["result"]);
                assert_eq!(told, (&json!("dropped"), &json!("quota_exceeded")), "{ended}");
                assert!(ended["reason"].as_str().unwrap().contains(word), "{ended}");
                assert_eq!(creates, 1, "{word}");
            });
        }
    });
}

#[test]
fn token_that_is_not_accepted_is_told_with_what_to_look_at() {
    let devin = Devin::start(|_| Said::problem(401, "Unauthorized"));
    let program = by(&devin.settings(), "", "");
    let bridge = Bridge::start(&program, "--rules relay.yaml");
    let began = std::time::Instant::now();
    let standing = loop {
        let standing = bridge.get("/readyz").json()["integrations"][0].clone();
        if standing["state"] == "paused" || began.elapsed().as_secs() > 60 {
            break standing;
        }
    };
    assert_eq!(standing["code"], "invalid_devin_token", "{standing}");
    let reason = standing["reason"].as_str().unwrap();
    for hint in ["cog_", "revoked", "settings/org-service-users"] {
        assert!(reason.contains(hint), "{hint}: {reason}");
    }
}
