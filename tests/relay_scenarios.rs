//! Every end that a session can come to is told as it is, with an exit code to branch on; and the same alert does not
//! start a second session while the first one stands for it.

mod common;

use common::devin::{Devin, Sessions, now, session, state};
use common::events::{events, outcome, session_id, story, story_of_the_end};
use common::{Program, Ran, Sandboxed, program};
use serde_json::json;

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;

/// A program with an alert and the way to the sandbox.
fn at(sandbox: &Sandboxed) -> Program {
    program().file("config.json", &sandbox.config).file("alert.json", ALERT)
}

fn run(program: &Program, arguments: &str) -> Ran {
    program.run(&format!("alert-relay run --config config.json --alert alert.json --poll-interval 1s {arguments}"))
}

/// Runs an alert through each of these scenarios, side by side, and tells how each ended.
fn ends(scenarios: &[(&str, &str)]) -> String {
    // The first look comes well before a session's end, the second one after it.
    ends_at("--session-seconds 0.9", scenarios)
}

/// As [`ends`], in a sandbox with these options.
fn ends_at(options: &str, scenarios: &[(&str, &str)]) -> String {
    let sandbox = Sandboxed::start(&format!("--sessions 3 {options}"));
    let end = |scenario: &str, options: &str| {
        let key = format!("{scenario}{}", options.replace(' ', ""));
        let ran = run(&at(&sandbox), &format!("--tag scenario:{scenario} --dedupe-key {key} {options}"));
        let told = story_of_the_end(&ran);
        let (received, rest) = told.split_once('\n').unwrap();
        assert_eq!(received, format!("alert_received generic firing “something is wrong” key {key} × 1"));
        format!("{}\n{rest}\n\n", format!("{scenario} {options}").trim_end())
    };
    std::thread::scope(|scope| {
        let ends: Vec<_> = scenarios.iter().map(|(name, options)| scope.spawn(|| end(name, options))).collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    })
}

#[test]
fn a_session_that_finishes_is_done_with_or_without_a_pull_request() {
    insta::assert_snapshot!(ends(&[
        ("pull-request", ""),
        ("late-pull-request", ""),
        ("no-pull-request", "--pr-grace 0"),
        ("no-pull-request", "--pr-grace 1 --require-pr"),
        ("exit-with-pull-request", "--require-pr"),
        ("exit-without-pull-request", "--pr-grace 0"),
        ("blocked-then-finished", ""),
        ("idle-after-pull-request", ""),
        ("suspended-with-pull-request", ""),
        ("unknown-status", ""),
        ("slow-to-list", ""),
    ]), @"
    pull-request
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0

    late-pull-request
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0

    no-pull-request --pr-grace 0
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done no_pr pr - at https://app.devin.ai/sessions/SESSION: the session finished without a pull request
    exit 0

    no-pull-request --pr-grace 1 --require-pr
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done no_pr pr - at https://app.devin.ai/sessions/SESSION: the session finished without a pull request
    exit 26

    exit-with-pull-request --require-pr
    session_created https://app.devin.ai/sessions/SESSION
    session_status exit
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0

    exit-without-pull-request --pr-grace 0
    session_created https://app.devin.ai/sessions/SESSION
    session_status exit
    outcome done no_pr pr - at https://app.devin.ai/sessions/SESSION: the session finished without a pull request
    exit 0

    blocked-then-finished
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0

    idle-after-pull-request
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/waiting_for_user
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request and waits for further instructions
    exit 0

    suspended-with-pull-request
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/inactivity
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request and went to sleep
    exit 0

    unknown-status
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0

    slow-to-list
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0
    ");
}

/// They must ask for a minute by Devin's clock, on which half a minute passes in each second.
const ASKS: &str = "--session-seconds 20 --clock-speed 30";

#[test]
fn a_session_that_asks_a_person_is_blocked() {
    insta::assert_snapshot!(ends_at(ASKS, &[("blocked", "")]), @"
    blocked
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/waiting_for_user
    outcome blocked waiting_for_user pr - at https://app.devin.ai/sessions/SESSION: Devin asks a person: open the session and answer
    exit 20
    ");
}

#[test]
fn a_session_that_waits_for_an_approval_is_blocked() {
    insta::assert_snapshot!(ends_at(ASKS, &[("needs-approval", "")]), @"
    needs-approval
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/waiting_for_approval
    outcome blocked waiting_for_approval pr - at https://app.devin.ai/sessions/SESSION: Devin asks for an approval: open the session and decide
    exit 20
    ");
}

#[test]
fn a_session_that_a_limit_or_a_bill_stops_is_dropped_with_the_reason() {
    insta::assert_snapshot!(ends(&[
        ("usage-limit-exceeded", ""),
        ("org-usage-limit-exceeded", ""),
        ("user-usage-limit-exceeded", ""),
        ("out-of-credits", ""),
        ("out-of-quota", ""),
        ("no-quota-allocation", ""),
        ("total-session-limit-exceeded", ""),
        ("payment-declined", ""),
        ("contract-expired", ""),
    ]), @"
    usage-limit-exceeded
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/usage_limit_exceeded
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: usage_limit_exceeded: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    org-usage-limit-exceeded
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/org_usage_limit_exceeded
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: org_usage_limit_exceeded: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    user-usage-limit-exceeded
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/user_usage_limit_exceeded
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: user_usage_limit_exceeded: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    out-of-credits
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/out_of_credits
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: out_of_credits: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    out-of-quota
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/out_of_quota
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: out_of_quota: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    no-quota-allocation
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/no_quota_allocation
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: no_quota_allocation: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    total-session-limit-exceeded
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/total_session_limit_exceeded
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: total_session_limit_exceeded: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    payment-declined
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/payment_declined
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: payment_declined: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21

    contract-expired
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/contract_expired
    outcome dropped quota_exceeded pr - at https://app.devin.ai/sessions/SESSION: contract_expired: top up or raise the limit at https://app.devin.ai/settings/usage, then run the same alert again; this is never retried by itself
    exit 21
    ");
}

#[test]
fn a_session_that_fails_sleeps_or_never_ends_is_dropped() {
    insta::assert_snapshot!(ends(&[
        ("error", ""),
        ("suspended-error", ""),
        ("suspended-inactivity", "--pr-grace 0"),
        ("suspended-user-request", "--pr-grace 0"),
        ("never-ending", "--max-poll-attempts 2"),
        ("gone", "--max-poll-attempts 3"),
        ("archived", "--pr-grace 0"),
    ]), @r#"
    error
    session_created https://app.devin.ai/sessions/SESSION
    session_status error
    outcome dropped session_error pr - at https://app.devin.ai/sessions/SESSION: the session failed (error): open it to see why
    exit 22

    suspended-error
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/error
    outcome dropped session_error pr - at https://app.devin.ai/sessions/SESSION: the session failed (error): open it to see why
    exit 22

    suspended-inactivity --pr-grace 0
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/inactivity
    outcome dropped suspended pr - at https://app.devin.ai/sessions/SESSION: the session went to sleep without a result (inactivity): a message in the session wakes it
    exit 24

    suspended-user-request --pr-grace 0
    session_created https://app.devin.ai/sessions/SESSION
    session_status suspended/user_request
    outcome dropped suspended pr - at https://app.devin.ai/sessions/SESSION: the session went to sleep without a result (user_request): a message in the session wakes it
    exit 24

    never-ending --max-poll-attempts 2
    session_created https://app.devin.ai/sessions/SESSION
    session_status at work
    outcome dropped poll_timeout pr - at https://app.devin.ai/sessions/SESSION: after 2 polls: the session was still running (working) at the last poll; it goes on
    exit 23

    gone --max-poll-attempts 3
    session_created https://app.devin.ai/sessions/SESSION
    outcome dropped session_gone pr - at https://app.devin.ai/sessions/SESSION: the last of 3 polls did not find the session, and no list shows it: it was deleted, is not there yet, or this key may not see it
    stderr: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions/devin-SESSION answered 404 (Not Found), saying "Not Found: session not found"; it may not be there yet
    exit 24

    archived --pr-grace 0
    session_created https://app.devin.ai/sessions/SESSION
    session_status at work
    outcome dropped suspended pr - at https://app.devin.ai/sessions/SESSION: the session was archived before it had a result: unarchive it in Devin, and a message wakes it
    exit 24
    "#);
}

#[test]
fn a_create_that_is_answered_unclearly_is_found_again_or_called_unknown() {
    insta::assert_snapshot!(ends(&[
        ("create-times-out", "--create-timeout 300ms"),
        ("create-breaks", ""),
        ("create-500", ""),
        ("create-lost-500", "--reconcile-window 1s"),
        ("rate-limited-create", ""),
    ]), @r#"
    create-times-out --create-timeout 300ms
    session_adopted https://app.devin.ai/sessions/SESSION (found_after_unclear_create)
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    stderr: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions did not succeed within 1 s; a session may have been created, looking for it
    exit 0

    create-breaks
    session_adopted https://app.devin.ai/sessions/SESSION (found_after_unclear_create)
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    stderr: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions broke off its answer: Connection reset by peer (os error N); a session may have been created, looking for it
    exit 0

    create-500
    session_adopted https://app.devin.ai/sessions/SESSION (found_after_unclear_create)
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    stderr: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions answered 500 (Internal Server Error), saying "Internal Server Error: internal server error"; a session may have been created, looking for it
    exit 0

    create-lost-500 --reconcile-window 1s
    outcome dropped create_unknown pr - at -: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions answered 500 (Internal Server Error), saying "Internal Server Error: internal server error". A session may have been created and was not found: look for ar-MARK in Devin, a tag and part of the title. Running the same alert again adopts it once Devin lists it, and creates another one if it does not
    stderr: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions answered 500 (Internal Server Error), saying "Internal Server Error: internal server error"; a session may have been created, looking for it
    exit 25

    rate-limited-create
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    stderr: /v3/organizations/org-5a4db0c05a4db0c05a4db0c05a4db0c0/sessions answered 429 (Too Many Requests), saying "Too Many Requests: rate limit exceeded"; nothing was created, trying again in N s
    exit 0
    "#);
}

#[test]
fn every_scenario_of_the_sandbox_is_run_by_these_tests() {
    let here = include_str!("relay_scenarios.rs");
    let sandbox = Sandboxed::start("--sessions 0");
    let refusal = common::devin::create(&sandbox.config, r#"{"prompt": "x", "tags": ["scenario:"]}"#);
    let (_, names) = refusal.split_once("The sandbox knows these scenarios: ").expect("a refusal that lists them");
    let names: Vec<&str> = names.split('"').next().unwrap().split(", ").collect();
    assert_eq!(names.len(), 34);
    let missing: Vec<&str> = names.into_iter().filter(|name| !here.contains(&format!("(\"{name}\","))).collect();
    assert_eq!(missing, [""; 0]);
}

/// What a run says about a session that shows these states, look by look; the last one repeats.
fn looks(states: &'static [(&'static str, bool)], options: &str) -> String {
    let sessions = Sessions::new().on_look(|look| {
        let (at, has_pull_request) = states[(look - 1).min(states.len() - 1)];
        match at.parse::<u16>() {
            Ok(status) => serde_json::json!({"refused": status}),
            Err(_) => state(at, has_pull_request),
        }
    });
    let devin = Devin::of(&sessions.into());
    let program = program().file("config.json", devin.config()).file("alert.json", ALERT);
    let ran = run(&program, options);
    format!("{}\npolls: {}", story(&ran), outcome(&ran)["polls"])
}

#[test]
fn a_pull_request_that_comes_late_is_waited_for() {
    insta::assert_snapshot!(
        looks(&[("running/working", false), ("running/finished", false), ("running/finished", true)], ""), @"
        alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
        session_created https://app.devin.ai/sessions/SESSION
        session_status running/working
        session_status running/finished
        session_status running/finished
        outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
        exit 0
        polls: 3
        ");
}

#[test]
fn three_further_looks_are_taken_for_a_pull_request_and_not_more() {
    insta::assert_snapshot!(looks(&[("running/finished", false)], "--require-pr"), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done no_pr pr - at https://app.devin.ai/sessions/SESSION: the session finished without a pull request
    exit 26
    polls: 4
    ");
}

#[test]
fn a_question_that_is_gone_before_the_third_look_blocks_nothing() {
    insta::assert_snapshot!(
        looks(
            &[
                ("running/waiting_for_user", false),
                ("running/waiting_for_user", false),
                ("running/working", false),
                ("running/finished", true),
            ],
            "",
        ), @"
        alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
        session_created https://app.devin.ai/sessions/SESSION
        session_status running/waiting_for_user
        session_status running/working
        session_status running/finished
        outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
        exit 0
        polls: 4
        ");
}

#[test]
fn an_unknown_status_is_looked_at_again() {
    insta::assert_snapshot!(
        looks(&[("contemplating/thinking_it_over", false), ("suspended/dreaming", false), ("exit", true)], ""), @"
        alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
        session_created https://app.devin.ai/sessions/SESSION
        session_status contemplating/thinking_it_over
        session_status suspended/dreaming
        session_status exit
        outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
        exit 0
        polls: 3
        ");
}

#[test]
fn a_look_that_fails_uses_up_no_attempt_and_settles_nothing() {
    // Each look is tried three times by the client.
    insta::assert_snapshot!(
        looks(
            &[("503", false), ("503", false), ("503", false), ("running/finished", true)],
            "--max-poll-attempts 1",
        ), @r#"
        alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
        session_created https://app.devin.ai/sessions/SESSION
        session_status running/finished
        outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
        stderr: /v3/organizations/org-1/sessions/devin-SESSION answered 503 (Service Unavailable), saying "refused" (tried 3 times); this poll does not count
        exit 0
        polls: 1
        "#);
}

#[test]
fn a_session_that_works_on_after_the_last_look_is_terminated_when_that_is_wanted() {
    let tell = |options: &str| {
        let sessions = Sessions::new().on_look(|_| state("running/working", false));
        let devin = Devin::of(&sessions.into());
        let program = program().file("config.json", devin.config()).file("alert.json", ALERT);
        let ran = run(&program, &format!("--max-poll-attempts 1 {options}"));
        format!("{}\n{}", story(&ran), common::events::shorten(&devin.asked()))
    };
    insta::assert_snapshot!(tell("--on-timeout terminate"), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/working
    outcome dropped poll_timeout pr - at https://app.devin.ai/sessions/SESSION: still running after 1 poll, and terminated, as --on-timeout asks
    exit 23
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-MARK
    GET sessions/devin-SESSION
    POST sessions/devin-SESSION/tags
    GET sessions/devin-SESSION
    DELETE sessions/devin-SESSION
    ");
    insta::assert_snapshot!(tell("--on-timeout leave"), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/working
    outcome dropped poll_timeout pr - at https://app.devin.ai/sessions/SESSION: after 1 poll: the session was still running (working) at the last poll; it goes on
    exit 23
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-MARK
    GET sessions/devin-SESSION
    GET sessions first=200 tags=ar-MARK
    ");
}

#[test]
fn a_detached_run_prints_the_session_and_leaves_it() {
    let sessions = std::sync::Arc::new(Sessions::new());
    let devin = Devin::of(&sessions);
    let program = program().file("config.json", devin.config()).file("alert.json", ALERT);
    let ran = run(&program, "--detach");
    insta::assert_snapshot!(format!("{}\n{}", story(&ran), common::events::shorten(&devin.asked())), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-MARK
    ");
    assert_eq!(sessions.alive(), 1);
}

#[test]
fn a_session_is_watched_by_its_identifier_or_its_address() {
    let id = "0d902d4d605a230ab8f5a3d24bdfd1fe";
    let sessions = Sessions::new().with(session(id, &[], now(), &state("running/working", false)));
    let devin = Devin::of(&sessions.into());
    let program = program().file("config.json", devin.config());
    let watch = |name: &str| story(&program.run(&format!("alert-relay watch {name} --config config.json")));
    let by_id = watch(id);
    insta::assert_snapshot!(by_id, @"
    session_status running/finished
    outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0
    ");
    for name in [
        format!("devin-{id}"),
        format!("https://app.devin.ai/sessions/{id}"),
        format!("https://app.devin.ai/sessions/{id}?tab=1"),
    ] {
        assert_eq!(watch(&name), by_id, "{name}");
    }
    assert_eq!((devin.count("POST"), devin.count("DELETE")), (0, 0));
}

#[test]
fn a_session_that_is_not_there_any_more_is_gone() {
    for status in [404, 410] {
        let looks = move |look| if look == 1 { state("running/working", false) } else { json!({"refused": status}) };
        let id = "0d902d4d605a230ab8f5a3d24bdfd1fe";
        let there = session(id, &[], now() - 700, &state("running/working", false));
        let devin = Devin::of(&Sessions::new().with(there).on_look(looks).into());
        let program = program().file("config.json", devin.config());
        let ran = program.run(&format!("alert-relay watch {id} --poll-interval 1s --config config.json"));
        let outcome = outcome(&ran);
        assert_eq!((outcome["status"].as_str(), outcome["result"].as_str()), (Some("dropped"), Some("session_gone")));
        assert_eq!((ran.exit().as_str(), devin.count("GET")), ("exit 24", 7), "{}", story(&ran));
    }
}

#[test]
fn what_is_no_session_is_a_usage_error() {
    let ran = program().run("alert-relay watch https://app.devin.ai/org/acme");
    insta::assert_snapshot!(story(&ran), @"
    stderr: error: invalid value 'https://app.devin.ai/org/acme' for '<SESSION>': expected a session's identifier or its address, https://app.devin.ai/sessions/…
    stderr: 
    stderr: For more information, try '--help'.
    exit 2
    ");
}

/// What a run does that must not reach any server: the settings lead to one that writes down every request.
fn without_a_request(command: &str, alert: &str) -> String {
    let devin = Devin::of(&Sessions::new().into());
    let program = program().file("config.json", devin.config()).file("alert.json", alert);
    let ran = program.run(command);
    assert_eq!(devin.asked(), "");
    story(&ran)
}

#[test]
fn an_alert_that_is_over_creates_nothing() {
    for (payload, options) in [
        (include_str!("payloads/alertmanager-resolved.json"), ""),
        (include_str!("payloads/alertmanager-resolved.json"), "--per-alert"),
        (include_str!("payloads/generic-resolved-with-key.json"), ""),
        (include_str!("payloads/pagerduty-resolved.json"), ""),
        (include_str!("payloads/sentry-issue-resolved.json"), ""),
        (include_str!("payloads/datadog-recovered.json"), ""),
        (include_str!("payloads/opsgenie-close.json"), ""),
        (include_str!("payloads/cloudwatch-sns-ok.json"), ""),
        (include_str!("payloads/cloudevents-resolved-by-type.json"), ""),
        (include_str!("payloads/grafana-resolved-without-organization.json"), ""),
    ] {
        let told =
            without_a_request(&format!("alert-relay run --config config.json --alert alert.json {options}"), payload);
        assert!(told.contains("\nnothing_to_do ") && told.ends_with("\nexit 0"), "{told}");
        assert!(!told.contains("session_") && !told.contains("outcome"), "{told}");
    }
    insta::assert_snapshot!(without_a_request(
        "alert-relay run --config config.json --alert alert.json",
        include_str!("payloads/alertmanager-resolved.json"),
    ), @"
    alert_received alertmanager resolved “CheckoutErrors: 5xx ratio above 5 %” key alertmanager:devin-relay:578665be604297dd9b5dc8968b × 1
    nothing_to_do alertmanager:devin-relay:578665be604297dd9b5dc8968b: the alert is resolved, so no session is created
    exit 0
    ");
}

#[test]
fn prompt_and_dry_run_say_the_same_and_make_no_request() {
    let alert = include_str!("payloads/alertmanager-group-firing.json");
    let prompt = without_a_request("alert-relay prompt --alert alert.json", alert);
    insta::assert_snapshot!(prompt, @r#"
    alert_received alertmanager firing “CheckoutErrors: 5xx ratio above 5 %” key alertmanager:devin-relay:578665be604297dd9b5dc8968b × 2
    prompt alertmanager:devin-relay:578665be604297dd9b5dc8968b “CheckoutErrors: 5xx ratio above 5 % [ar-MARK/ATTEMPT]” tagged ["alert-relay","ar-MARK","ar-a-MARK"]
    exit 0
    "#);
    let dry = without_a_request("alert-relay run --dry-run --config config.json --alert alert.json", alert);
    assert_eq!(dry, prompt);
    // Without settings, too.
    let dry = without_a_request("alert-relay run --dry-run --alert alert.json", alert);
    assert_eq!(dry, prompt);
}

#[test]
fn an_alert_is_read_from_standard_input_too() {
    let from_file = program().file("alert.json", ALERT).run("alert-relay prompt --alert alert.json");
    let from_stdin = program().run_from(ALERT, "alert-relay prompt --alert -");
    assert_eq!(story(&from_stdin), story(&from_file));
    assert_eq!(from_stdin.exit(), "exit 0");
    insta::assert_snapshot!(story(&program().run_from("", "alert-relay run --alert -")), @"
    error bad_input: the alert -: the payload is empty
    stderr: error: the alert -: the payload is empty
    exit 1
    ");
}

#[test]
fn a_group_is_one_session_and_with_per_alert_one_for_each() {
    let sandbox = Sandboxed::start("--sessions 0 --session-seconds 0");
    let alert = include_str!("payloads/alertmanager-group-firing.json").replacen(
        r#""alertname": "CheckoutErrors",
        "namespace": "shop",
        "pod": "checkout-7f9c-fghij","#,
        r#""alertname": "CheckoutErrors", "zone": "b","#,
        1,
    );
    let program = at(&sandbox).file("alert.json", alert);
    let group = run(&program, "");
    insta::assert_snapshot!(story_of_the_end(&group), @"
    alert_received alertmanager firing “CheckoutErrors: 5xx ratio above 5 %” key alertmanager:devin-relay:578665be604297dd9b5dc8968b × 2
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0
    ");
    let each = run(&program, "--per-alert");
    let events = events(&each);
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("alert_received"), count("session_created"), count("outcome")), (2, 2, 2), "{}", story(&each));
    assert_eq!(each.exit(), "exit 0");
    // Both stand in the outcomes under their own keys.
    let keys = |name: &str| {
        let mut keys: Vec<String> = events
            .iter()
            .filter(|event| event["event"] == name)
            .map(|event| event["dedupe_key"].as_str().unwrap().to_string())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    };
    assert_eq!(keys("alert_received"), keys("outcome"));
    assert_eq!(keys("outcome").len(), 2);
}

#[test]
fn the_same_alert_adopts_the_session_that_is_at_work_on_it() {
    let sandbox = Sandboxed::start("--sessions 3 --session-seconds 600");
    let program = at(&sandbox);
    let first = run(&program, "--detach");
    let second = run(&program, "--max-poll-attempts 1");
    insta::assert_snapshot!(story_of_the_end(&second), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_adopted https://app.devin.ai/sessions/SESSION (alive)
    session_status at work
    outcome dropped poll_timeout pr - at https://app.devin.ai/sessions/SESSION: after 1 poll: the session was still running (new) at the last poll; it goes on
    exit 23
    ");
    assert_eq!(session_id(&first), session_id(&second));
}

#[test]
fn the_same_alert_reports_the_session_that_has_just_ended() {
    let sandbox = Sandboxed::start("--sessions 3 --session-seconds 0");
    let program = at(&sandbox);
    let first = run(&program, "");
    let second = run(&program, "");
    insta::assert_snapshot!(story(&second), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_adopted https://app.devin.ai/sessions/SESSION (ended_within_cooldown)
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: held by the cool-down after an earlier session of this alert: the session opened a pull request
    exit 0
    ");
    assert_eq!(session_id(&first), session_id(&second));
    // Who does not wait for an outcome is told of none, not even by the exit code.
    let detached = run(&program, "--detach --require-pr");
    insta::assert_snapshot!(story(&detached), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_adopted https://app.devin.ai/sessions/SESSION (ended_within_cooldown)
    stderr: the session has ended; see how with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    ");
    let third = run(&program, "--new-attempt");
    assert!(story(&third).contains("session_created"), "{}", story(&third));
    assert_ne!(session_id(&first), session_id(&third));
}

#[test]
fn after_a_quota_the_same_alert_runs_again() {
    let sandbox = Sandboxed::start("--sessions 3 --session-seconds 0");
    let program = at(&sandbox);
    for (scenario, later) in
        [("out-of-credits", ""), ("payment-declined", ""), ("out-of-quota-once", " --tag scenario:out-of-quota-once")]
    {
        let options = format!("--dedupe-key {scenario}");
        let first = run(&program, &format!("{options} --tag scenario:{scenario}"));
        assert_eq!(first.exit(), "exit 21", "{}", story(&first));
        let second = run(&program, &format!("{options}{later}"));
        assert!(story(&second).contains("session_created"), "{}", story(&second));
        assert_eq!(second.exit(), "exit 0");
        assert_ne!(session_id(&first), session_id(&second));
    }
}

#[test]
fn a_session_that_ended_before_the_cooldown_stands_for_nothing() {
    let program = |sessions: Sessions| {
        let devin = Devin::of(&sessions.into());
        (program().file("config.json", devin.config()).file("alert.json", ALERT), devin)
    };
    let mark = mark();
    let old = session("old", &[&mark], now() - 7200, &state("exit", false));
    let (relay, devin) = program(Sessions::new().with(old.clone()));
    assert!(story(&run(&relay, "--detach")).contains("session_created"));
    assert_eq!(devin.count("POST"), 1);
    let (relay, devin) = program(Sessions::new().with(old));
    assert!(story(&run(&relay, "--detach --cooldown 3h")).contains("ended_within_cooldown"));
    assert_eq!(devin.count("POST"), 0);
}

/// The tag of the alert.
fn mark() -> String {
    let ran = program().file("alert.json", ALERT).run("alert-relay prompt --alert alert.json");
    events(&ran)[0]["tag"].as_str().unwrap().to_string()
}

#[test]
fn the_whole_trip_runs_in_the_process_with_one_command() {
    let ran = program().file("alert.json", ALERT).run("alert-relay run --sandbox --alert alert.json");
    insta::assert_snapshot!(story_of_the_end(&ran), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/northwind-labs/payments-api/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0
    ");
}
