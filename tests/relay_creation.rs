//! One alert, one session: whatever the create is answered with, and whoever else creates at the same time, there is
//! one session at the end, or the run says honestly that it does not know.

mod common;

use std::io::Read as _;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use common::devin::{Devin, Made, Said, Sessions, now, session, state};
use common::events::{end, events, outcome, shorten, story};
use common::{ORG, Program, Ran, Sandboxed, TOKEN, program};
use serde_json::json;

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;
const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn relay(devin: &Devin) -> Program {
    program().file("config.json", devin.config()).file("alert.json", ALERT)
}

/// The tag of the alert.
fn mark() -> String {
    let ran = program().file("alert.json", ALERT).run("alert-relay prompt --alert alert.json");
    events(&ran)[0]["tag"].as_str().unwrap().to_string()
}

/// Runs the alert against these sessions: the story, and every request.
fn trip(sessions: Sessions, options: &str) -> String {
    let sessions = Arc::new(sessions);
    let devin = Devin::of(&sessions);
    let ran = relay(&devin).run(&format!("{RUN} {options}"));
    format!("{}\nasked:\n{}alive: {}", story(&ran), shorten(&devin.asked()), sessions.alive())
}

#[test]
fn a_create_says_what_was_asked_for_and_nothing_else() {
    let devin = Devin::of(&Sessions::new().into());
    let schema = r#"{"type": "object", "properties": {"cause": {"type": "string"}}}"#;
    let template = "Look at {{ title }}";
    let program = relay(&devin).file("schema.json", schema).file("prompt.txt", template);
    let least = program.run(&format!("{RUN} --detach"));
    assert!(end(&least).ends_with("exit 0"), "{}", end(&least));
    let most = program.run(&format!(
        "{RUN} --detach --new-attempt --tag team:shop --tag night --title Checkout --repo acme/shop --repo acme/web \
         --playbook playbook-1 --knowledge note-1 --secret secret-1 --max-acu-limit 7 --devin-mode fast \
         --structured-output-schema schema.json --prompt-template prompt.txt"
    ));
    assert!(end(&most).ends_with("exit 0"), "{}", end(&most));
    let [mut least, most] = devin.creates().try_into().unwrap();
    // The default prompt is told by its own tests.
    let prompt = least["prompt"].take();
    assert!(prompt.as_str().unwrap().contains("something is wrong"), "{prompt}");
    insta::assert_snapshot!(shorten(&serde_json::to_string_pretty(&least).unwrap()), @r#"
    {
      "prompt": null,
      "tags": [
        "alert-relay",
        "ar-MARK",
        "ar-a-MARK"
      ],
      "title": "something is wrong [ar-MARK/ATTEMPT]"
    }
    "#);
    insta::assert_snapshot!(shorten(&serde_json::to_string_pretty(&most).unwrap()), @r#"
    {
      "devin_mode": "fast",
      "knowledge_ids": [
        "note-1"
      ],
      "max_acu_limit": 7,
      "playbook_id": "playbook-1",
      "prompt": "Look at something is wrong",
      "repos": [
        "acme/shop",
        "acme/web"
      ],
      "secret_ids": [
        "secret-1"
      ],
      "structured_output_schema": {
        "properties": {
          "cause": {
            "type": "string"
          }
        },
        "type": "object"
      },
      "tags": [
        "alert-relay",
        "ar-MARK",
        "ar-a-MARK",
        "team:shop",
        "night"
      ],
      "title": "Checkout [ar-MARK/ATTEMPT]"
    }
    "#);
    let posts: Vec<_> = devin.heard().into_iter().filter(|heard| heard.method == "POST").collect();
    let headers: String = posts[0]
        .headers
        .iter()
        .filter(|(name, _)| !["host", "content-length", "user-agent"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    insta::assert_snapshot!(headers, @"
    content-type: application/json
    accept: application/json
    authorization: Bearer cog_t3st-0nly_k3y
    accept-encoding: gzip
    ");
    assert_eq!(posts[0].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
}

/// The answers that a create may get.
fn answers() -> Vec<(&'static str, Option<Said>)> {
    let problem = |status| Some(Said::problem(status, "refused"));
    vec![
        ("200", None),
        ("400", problem(400)),
        ("401", problem(401)),
        ("403", problem(403)),
        ("404", problem(404)),
        ("422", problem(422)),
        ("204", Some(Said::Answer(204, Vec::new(), String::new()))),
        ("303", Some(Said::problem(303, "see it").header("location", "/v3/organizations/org-1/sessions/1"))),
        ("307", Some(Said::problem(307, "over there").header("location", "/v3/organizations/org-2/sessions"))),
        ("408", problem(408)),
        ("409", problem(409)),
        ("500", problem(500)),
        ("502", problem(502)),
        ("closed", Some(Said::Nothing)),
        ("silence", Some(Said::Silence)),
        ("unreadable", Some(Said::Answer(200, Vec::new(), "<html>".to_string()))),
        ("half", Some(Said::Answer(200, Vec::new(), r#"{"status": "new"}"#.to_string()))),
    ]
}

/// One row: the create is answered so, and the session shows so late in lists, or never exists.
fn row(name: &str, answer: Option<Said>, hidden_for: Option<usize>, options: &str) -> String {
    let is_true = answer.is_none();
    let sessions = Arc::new(Sessions::new().on_create(move |_| Made { hidden_for, says: answer.clone() }));
    let devin = Devin::of(&sessions);
    let ran = relay(&devin).run(&format!("{RUN} --detach --create-timeout 2s {options}"));
    let events = events(&ran);
    let said = events.iter().skip(1).map(|event| {
        let word = ["reason", "code"].iter().find_map(|name| event[*name].as_str());
        let name = event["event"].as_str().unwrap();
        match name {
            "outcome" => event["result"].as_str().unwrap().to_string(),
            _ => word.map_or(name.to_string(), |word| format!("{name} {word}")),
        }
    });
    let said: Vec<String> = said.collect();
    let there = match hidden_for {
        None => "not created",
        Some(0) => "created",
        Some(_) => "listed later",
    };
    // Whatever is said, no second session is made without being asked for.
    assert!(is_true || devin.count("DELETE") == 0);
    format!(
        "{name:10} {there:12} {}, {} POST, {} sessions, {}\n",
        said.join(", "),
        devin.count("POST"),
        sessions.alive(),
        ran.exit()
    )
}

/// All rows, side by side.
fn table(hidden_for: &[Option<usize>], options: &str) -> String {
    std::thread::scope(|scope| {
        let rows: Vec<_> = answers()
            .into_iter()
            .flat_map(|(name, answer)| hidden_for.iter().map(move |hidden| (name, answer.clone(), *hidden)))
            // The truth is told about a session that exists.
            .filter(|(name, _, hidden)| *name != "200" || hidden.is_some())
            .map(|(name, answer, hidden)| scope.spawn(move || row(name, answer, hidden, options)))
            .collect();
        rows.into_iter().map(|row| row.join().unwrap()).collect()
    })
}

#[test]
fn every_answer_to_a_create_leaves_one_session_or_an_honest_unknown() {
    insta::assert_snapshot!(table(&[None, Some(0), Some(1)], ""), @"
    200        created      session_created, 1 POST, 1 sessions, exit 0
    200        listed later session_created, 1 POST, 1 sessions, exit 0
    400        not created  error refused, 1 POST, 0 sessions, exit 1
    400        created      error refused, 1 POST, 1 sessions, exit 1
    400        listed later error refused, 1 POST, 1 sessions, exit 1
    401        not created  error invalid_devin_token, 1 POST, 0 sessions, exit 1
    401        created      error invalid_devin_token, 1 POST, 1 sessions, exit 1
    401        listed later error invalid_devin_token, 1 POST, 1 sessions, exit 1
    403        not created  error missing_permission, 1 POST, 0 sessions, exit 1
    403        created      error missing_permission, 1 POST, 1 sessions, exit 1
    403        listed later error missing_permission, 1 POST, 1 sessions, exit 1
    404        not created  error organization_unknown, 1 POST, 0 sessions, exit 1
    404        created      error organization_unknown, 1 POST, 1 sessions, exit 1
    404        listed later error organization_unknown, 1 POST, 1 sessions, exit 1
    422        not created  error refused, 1 POST, 0 sessions, exit 1
    422        created      error refused, 1 POST, 1 sessions, exit 1
    422        listed later error refused, 1 POST, 1 sessions, exit 1
    204        not created  create_unknown, 1 POST, 0 sessions, exit 25
    204        created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    204        listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    303        not created  create_unknown, 1 POST, 0 sessions, exit 25
    303        created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    303        listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    307        not created  error bad_settings, 1 POST, 0 sessions, exit 1
    307        created      error bad_settings, 1 POST, 1 sessions, exit 1
    307        listed later error bad_settings, 1 POST, 1 sessions, exit 1
    408        not created  create_unknown, 1 POST, 0 sessions, exit 25
    408        created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    408        listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    409        not created  create_unknown, 1 POST, 0 sessions, exit 25
    409        created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    409        listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    500        not created  create_unknown, 1 POST, 0 sessions, exit 25
    500        created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    500        listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    502        not created  create_unknown, 1 POST, 0 sessions, exit 25
    502        created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    502        listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    closed     not created  create_unknown, 1 POST, 0 sessions, exit 25
    closed     created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    closed     listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    silence    not created  create_unknown, 1 POST, 0 sessions, exit 25
    silence    created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    silence    listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    unreadable not created  create_unknown, 1 POST, 0 sessions, exit 25
    unreadable created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    unreadable listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    half       not created  create_unknown, 1 POST, 0 sessions, exit 25
    half       created      session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    half       listed later session_adopted found_after_unclear_create, 1 POST, 1 sessions, exit 0
    ");
}

#[test]
fn creating_again_is_one_more_create_after_a_look_that_found_nothing() {
    insta::assert_snapshot!(table(&[None], "--create-again"), @"
    400        not created  error refused, 1 POST, 0 sessions, exit 1
    401        not created  error invalid_devin_token, 1 POST, 0 sessions, exit 1
    403        not created  error missing_permission, 1 POST, 0 sessions, exit 1
    404        not created  error organization_unknown, 1 POST, 0 sessions, exit 1
    422        not created  error refused, 1 POST, 0 sessions, exit 1
    204        not created  create_unknown, 2 POST, 0 sessions, exit 25
    303        not created  create_unknown, 2 POST, 0 sessions, exit 25
    307        not created  error bad_settings, 1 POST, 0 sessions, exit 1
    408        not created  create_unknown, 2 POST, 0 sessions, exit 25
    409        not created  create_unknown, 2 POST, 0 sessions, exit 25
    500        not created  create_unknown, 2 POST, 0 sessions, exit 25
    502        not created  create_unknown, 2 POST, 0 sessions, exit 25
    closed     not created  create_unknown, 2 POST, 0 sessions, exit 25
    silence    not created  create_unknown, 2 POST, 0 sessions, exit 25
    unreadable not created  create_unknown, 2 POST, 0 sessions, exit 25
    half       not created  create_unknown, 2 POST, 0 sessions, exit 25
    ");
    let answered_late = |number| match number {
        1 => Made { hidden_for: None, says: Some(Said::problem(500, "try later")) },
        _ => Made::a_session(),
    };
    insta::assert_snapshot!(trip(Sessions::new().on_create(answered_late), "--detach --create-again"), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    stderr: /v3/organizations/org-1/sessions answered 500 (Internal Server Error), saying "try later"; a session may have been created, looking for it
    stderr: no session was found; creating once more, as --create-again allows
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    asked:
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-a-MARK
    GET sessions first=200 created_after=TIME
    GET sessions first=200 tags=ar-a-MARK
    GET sessions first=200 created_after=TIME
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 tags=ar-MARK
    alive: 1
    "#);
}

/// An organization whose lists fail once something was created.
fn blind(made: impl Fn(usize) -> Made + Send + Sync + 'static) -> Devin {
    let sessions = Sessions::new().on_create(made);
    let has_created = AtomicBool::new(false);
    Devin::start(move |heard| {
        has_created.fetch_or(heard.is_create(), Ordering::SeqCst);
        let is_look = heard.method == "GET" && heard.path == "sessions";
        if is_look && has_created.load(Ordering::SeqCst) {
            return Said::problem(403, "not now");
        }
        sessions.answer(heard)
    })
}

#[test]
fn nothing_is_created_again_when_nobody_could_look() {
    let devin = blind(|_| Made { hidden_for: Some(0), says: Some(Said::problem(500, "try later")) });
    let ran = relay(&devin).run(&format!("{RUN} --create-again"));
    insta::assert_snapshot!(story(&ran), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    outcome dropped create_unknown pr - at -: /v3/organizations/org-1/sessions answered 500 (Internal Server Error), saying "try later". A session may have been created and could not be looked for (/v3/organizations/org-1/sessions answered 403 (Forbidden), saying "not now"): look for ar-MARK in Devin, a tag and part of the title. Running the same alert again adopts it once Devin lists it, and creates another one if it does not
    stderr: /v3/organizations/org-1/sessions answered 500 (Internal Server Error), saying "try later"; a session may have been created, looking for it
    stderr: the last find failed (/v3/organizations/org-1/sessions answered 403 (Forbidden), saying "not now"), so nothing is created again
    exit 25
    "#);
    assert_eq!(devin.count("POST"), 1);
}

/// Told when nothing more can be asked, it would be told too late.
#[test]
fn a_wait_that_is_longer_than_the_relay_waits_is_named_and_not_cut() {
    let limited =
        |_| Made { hidden_for: None, says: Some(Said::problem(429, "too many").header("retry-after", "900")) };
    let devin = Devin::of(&Sessions::new().on_create(limited).into());
    let ran = relay(&devin).run(RUN);
    insta::assert_snapshot!(story(&ran), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    error rate_limited: /v3/organizations/org-1/sessions answered 429 and asks to wait 900 s (Retry-After), saying "too many". The API limits how often it may be asked: run the alert again later.
    stderr: error: /v3/organizations/org-1/sessions answered 429 and asks to wait 900 s (Retry-After), saying "too many". The API limits how often it may be asked: run the alert again later.
    exit 1
    "#);
    assert_eq!(devin.count("POST"), 1);
}

#[test]
fn a_session_that_is_told_without_its_names_is_a_warning_and_unknown() {
    let answer = |_| Made {
        hidden_for: Some(9),
        says: Some(Said::json(&json!({"session_id": "00000000000000000000000000000001", "status": null}))),
    };
    // Neither a tag nor a title: nobody could find it again.
    insta::assert_snapshot!(trip(Sessions::new().on_create(answer), ""), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created -
    warning Devin created SESSION and kept neither the tags nor the marker in the title, so a later run of this alert may not find it: allow tags in the organization, and look after this session yourself
    outcome dropped create_unknown pr - at -: Devin created SESSION and kept neither the tags nor the marker in the title, so a later run of this alert may not find it: allow tags in the organization, and look after this session yourself
    exit 25
    asked:
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    alive: 1
    ");
    let odd = json!({"session_id": "theirs", "status": null, "tags": ["other"]});
    let sessions = Sessions::new();
    let devin = Devin::start(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
        ("GET", "sessions") => Said::list(std::slice::from_ref(&odd)),
        _ => sessions.answer(heard),
    });
    let ran = relay(&devin).run(&format!("{RUN} --detach"));
    assert!(story(&ran).contains("session_created"), "{}", story(&ran));
}

#[test]
fn a_create_that_comes_too_often_is_tried_again_when_the_server_says() {
    let limited = |number| match number {
        1 => Made { hidden_for: None, says: Some(Said::problem(429, "too many").header("retry-after", "1")) },
        _ => Made::a_session(),
    };
    insta::assert_snapshot!(trip(Sessions::new().on_create(limited), "--detach"), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    stderr: /v3/organizations/org-1/sessions answered 429 (Too Many Requests), saying "too many"; nothing was created, trying again in N s
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    asked:
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 tags=ar-MARK
    alive: 1
    "#);
}

#[test]
fn a_create_is_not_sent_anywhere_else() {
    let elsewhere = Devin::of(&Sessions::new().into());
    let location = format!("{}/v3/organizations/{ORG}/sessions", elsewhere.url);
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let answer = move |_| Made {
            hidden_for: None,
            says: Some(Said::problem(status, "moved").header("location", &location)),
        };
        let devin = Devin::of(&Sessions::new().on_create(answer).into());
        let ran = relay(&devin).run(&format!("{RUN} --detach"));
        // Only 307 and 308 say that nothing was done here.
        let exit = if status < 307 { "exit 25" } else { "exit 1" };
        assert_eq!((ran.exit().as_str(), devin.count("POST")), (exit, 1), "{status}: {}", story(&ran));
    }
    assert_eq!(elsewhere.asked(), "");
}

#[test]
fn nothing_listens_and_nothing_is_created() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    // The check before it fails already, after its tries.
    let config = json!({"api_token": TOKEN, "org_id": ORG, "api_url": url}).to_string();
    let ran = program().file("config.json", config).file("alert.json", ALERT).run(RUN);
    insta::assert_snapshot!(story(&ran), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    error unreachable: /v3/organizations/org-1/sessions could not be reached: 127.0.0.1: Connection refused (os error N) (tried 3 times). Check api_url, the network and the proxy settings, and run again.
    stderr: error: /v3/organizations/org-1/sessions could not be reached: 127.0.0.1: Connection refused (os error N) (tried 3 times). Check api_url, the network and the proxy settings, and run again.
    exit 1
    ");
}

#[test]
fn a_session_without_the_tag_is_not_taken_for_the_alerts() {
    // As the API does with filters that it does not know, this one ignores every filter.
    let others = [session("other", &["alert-relay", "ar-0"], now(), &state("running/working", false))];
    let sessions = Arc::new(Sessions::new());
    let inner = Arc::clone(&sessions);
    let devin = Devin::start(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
        ("GET", "sessions") => Said::list(&others),
        _ => inner.answer(heard),
    });
    let ran = relay(&devin).run(RUN);
    insta::assert_snapshot!(format!("{}\n{} POST", story(&ran), devin.count("POST")), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_status running/finished
    outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/SESSION: the session opened a pull request
    exit 0
    1 POST
    ");
}

#[test]
fn a_session_of_an_unknown_status_is_alive_and_adopted() {
    for state in [state("suspended/dreaming", false), state("contemplating", false), state("resuming", false)] {
        let theirs = session("abc", &[&mark()], now() - 80_000, &state);
        let devin = Devin::of(&Sessions::new().with(theirs).into());
        let ran = relay(&devin).run(&format!("{RUN} --detach"));
        assert!(story(&ran).contains("session_adopted https://app.devin.ai/sessions/abc (alive)"), "{}", story(&ran));
        assert_eq!(devin.count("POST"), 0);
    }
}

/// An organization in which another run creates a session for the same alert just before ours.
fn race(older_by: u64, id: &'static str) -> String {
    let mark = mark();
    let at_work_first =
        |look| if look <= 2 { state("running/working", false) } else { state("running/finished", true) };
    let sessions = Arc::new(Sessions::new().on_look(at_work_first));
    let (inner, devin_has) = (Arc::clone(&sessions), Arc::clone(&sessions));
    let devin = Devin::start(move |heard| {
        if heard.is_create() {
            let theirs = session(id, &["alert-relay", &mark], now() - older_by, &state("running/working", false));
            inner.add(theirs);
        }
        inner.answer(heard)
    });
    let ran = relay(&devin).run(RUN);
    let deletes: Vec<String> =
        devin.heard().iter().filter(|heard| heard.method == "DELETE").map(|heard| heard.told()).collect();
    format!("{}\n{}\nalive: {}", story(&ran), deletes.join("\n"), devin_has.alive())
}

#[test]
fn of_two_sessions_made_at_once_the_older_is_watched_and_ours_is_ended() {
    insta::assert_snapshot!(race(5, "their-session"), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_duplicate SESSION true (another run made an older session for this alert)
    session_adopted https://app.devin.ai/sessions/their-session (older_session_of_another_run)
    session_status running/finished
    outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/their-session: the session opened a pull request
    exit 0
    DELETE sessions/devin-00000000000000000000000000000001
    alive: 1
    ");
}

#[test]
fn two_sessions_of_one_second_are_told_apart_the_same_way_by_everybody() {
    // Ours is 1; the smaller identifier stands, and the other run ends its own.
    insta::assert_snapshot!(race(0, "0"), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_duplicate SESSION true (another run made an older session for this alert)
    session_adopted https://app.devin.ai/sessions/0 (older_session_of_another_run)
    session_status running/finished
    outcome done pr_opened pr https://github.com/acme/shop/pull/N at https://app.devin.ai/sessions/0: the session opened a pull request
    exit 0
    DELETE sessions/devin-00000000000000000000000000000001
    alive: 1
    ");
    let told = race(0, "z");
    assert!(told.contains("session_created") && told.contains("\nexit 0\n\nalive: 2"), "{told}");
}

#[test]
fn a_duplicate_that_cannot_be_ended_is_told() {
    let mark = mark();
    let sessions = Arc::new(Sessions::new().on_look(|_| state("running/working", false)));
    let devin = Devin::start(move |heard| match heard.method.as_str() {
        "DELETE" => Said::problem(403, "not yours"),
        _ => {
            if heard.is_create() {
                sessions.add(session("theirs", &[&mark], now() - 9, &state("running/working", false)));
            }
            sessions.answer(heard)
        }
    });
    let ran = relay(&devin).run(&format!("{RUN} --detach"));
    insta::assert_snapshot!(story(&ran), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_created https://app.devin.ai/sessions/SESSION
    session_duplicate SESSION false (another run made an older session for this alert, and this one could not be terminated: /v3/organizations/org-1/sessions/devin-SESSION answered 403 (Forbidden), saying "not yours")
    session_adopted https://app.devin.ai/sessions/theirs (older_session_of_another_run)
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch theirs --config config.json
    exit 0
    "#);
    assert_eq!(devin.count("DELETE"), 1);
}

#[test]
fn two_runs_at_once_leave_one_session_to_watch() {
    let sandbox = Sandboxed::start("--sessions 0 --latency 100ms --session-seconds 2");
    let program = program().file("config.json", &sandbox.config).file("alert.json", ALERT);
    let mut children: Vec<Child> = (0..2).map(|_| program.start(RUN)).collect();
    let rans = children.drain(..).map(|mut child| {
        let mut told = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut told).unwrap();
        Ran::wait(child, told)
    });
    let rans: Vec<Ran> = rans.collect();
    let told: Vec<String> = rans.iter().map(story).collect();
    // Both watched the same one to its end.
    let watched = |ran: &Ran| outcome(ran)["session_id"].as_str().unwrap().to_string();
    assert_eq!(watched(&rans[0]), watched(&rans[1]), "{told:?}");
    assert!(rans.iter().all(|ran| ran.exit() == "exit 0"), "{told:?}");
    // One of them made it, or both did and the younger was ended.
    let count = |what: &str| told.iter().map(|told| told.matches(what).count()).sum::<usize>();
    let left = count("session_created") - count("session_duplicate");
    assert_eq!((left, count("session_adopted")), (1, 1), "{told:?}");
    assert_eq!(count("(older_session_of_another_run)"), count("session_duplicate"), "{told:?}");
    // Another run starts nothing.
    let third = program.run(RUN);
    assert!(story(&third).contains("(ended_within_cooldown)"), "{}", story(&third));
}

/// Nobody can end what a killed run has left; what is left is one session that is watched, and every other one named.
#[test]
fn what_two_killed_runs_have_left_is_found_behind_a_lagging_list_and_named() {
    let (posted, has_posted) = channel();
    let (go, may_go) = channel::<()>();
    let (posted, may_go) = (Mutex::new(posted), Mutex::new(may_go));
    // Each run lists three times before its create, so that neither of the later ones sees what came before.
    let sessions = Sessions::new().on_look(|_| state("running/working", false)).on_create(move |number| {
        if number <= 2 {
            posted.lock().unwrap().send(()).unwrap();
            may_go.lock().unwrap().recv().unwrap();
        }
        Made { hidden_for: Some([6, 3, 0][number - 1]), says: None }
    });
    let sessions = Arc::new(sessions);
    let devin = Devin::of(&sessions);
    let program = relay(&devin);
    for number in 1..=2 {
        let mut child = program.start(RUN);
        has_posted.recv().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        go.send(()).unwrap();
        while sessions.alive() < number {
            std::thread::yield_now();
        }
    }
    let third = program.run(&format!("{RUN} --max-poll-attempts 1"));
    assert_eq!((devin.count("POST"), sessions.alive()), (3, 2), "{}\n{}", story(&third), devin.asked());
    let adopted = format!("{:032x}", 1);
    assert_eq!(outcome(&third)["session_id"], adopted.as_str(), "{}", story(&third));
    let fourth = program.run(&format!("{RUN} --detach"));
    let duplicate = events(&fourth).into_iter().find(|event| event["event"] == "session_duplicate").unwrap();
    assert!(duplicate["session_url"].as_str().unwrap().ends_with(&format!("{:032x}", 2)), "{}", story(&fourth));
    assert_eq!((duplicate["terminated"].as_bool(), sessions.alive()), (Some(false), 2));
}

#[test]
fn an_organization_that_restricts_tags_gets_the_mark_in_the_title() {
    let refused = || Some(Said::problem(403, "tag 'alert-relay' is not allowed in this organization"));
    let once = move |number| match number {
        1 => Made { hidden_for: None, says: refused() },
        _ => Made::a_session(),
    };
    let sessions = Arc::new(Sessions::new().on_create(once));
    let devin = Devin::of(&sessions);
    let ran = relay(&devin).run(&format!("{RUN} --detach"));
    insta::assert_snapshot!(format!("{}\n{}", story(&ran), shorten(&devin.asked())), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    warning /v3/organizations/org-1/sessions answered 403 (Forbidden), saying "tag 'alert-relay' is not allowed in this organization"; trying again with the marker in the title only. Without tags, a session that this relay ends cannot be told from one that finished
    session_created https://app.devin.ai/sessions/SESSION
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 created_after=TIME
    "#);
    let creates = devin.creates();
    assert_eq!((creates[0]["tags"].as_array().unwrap().len(), creates[1].get("tags")), (3, None));
    assert!(creates[1]["title"].as_str().unwrap().contains(&format!(" [{}/", mark())));
}

#[test]
fn where_tags_are_restricted_those_of_the_user_stay() {
    let refused =
        json!({"title": "Unprocessable", "errors": [{"pointer": "#/tags/1", "detail": "value is not allowed"}]});
    let answer = move |number| match number {
        1 => Made { hidden_for: None, says: Some(Said::Answer(422, Vec::new(), refused.to_string())) },
        _ => Made::a_session(),
    };
    let devin = Devin::of(&Sessions::new().on_create(answer).into());
    let ran = relay(&devin).run(&format!("{RUN} --detach --tag team"));
    assert_eq!(ran.exit(), "exit 0", "{}", story(&ran));
    assert_eq!(devin.creates()[1]["tags"], json!(["team"]));
}

#[test]
fn without_tags_an_unclear_create_is_found_by_its_title() {
    let answer = |number| match number {
        1 => Made { hidden_for: None, says: Some(Said::problem(422, "tags are restricted")) },
        _ => Made { hidden_for: Some(0), says: Some(Said::Nothing) },
    };
    insta::assert_snapshot!(trip(Sessions::new().on_create(answer), "--detach"), @r#"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    warning /v3/organizations/org-1/sessions answered 422 (Unprocessable Entity), saying "tags are restricted"; trying again with the marker in the title only. Without tags, a session that this relay ends cannot be told from one that finished
    session_adopted https://app.devin.ai/sessions/SESSION (found_after_unclear_create)
    stderr: /v3/organizations/org-1/sessions broke off its answer: connection closed before message completed; a session may have been created, looking for it
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    asked:
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 created_after=TIME
    POST sessions
    GET sessions first=200 created_after=TIME
    GET sessions first=200 created_after=TIME
    alive: 1
    "#);
}

#[test]
fn without_tags_a_session_at_work_is_adopted_by_its_title() {
    let mut theirs = session("0d902d4d605a230ab8f5a3d24bdfd1fe", &[], now() - 60, &state("running/working", false));
    theirs["title"] = json!(format!("something is wrong [{}/00000000]", mark()));
    let refused = |_| Made { hidden_for: None, says: Some(Said::problem(403, "tags are restricted")) };
    insta::assert_snapshot!(trip(Sessions::new().with(theirs).on_create(refused), "--detach"), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    session_adopted https://app.devin.ai/sessions/SESSION (alive)
    stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
    exit 0
    asked:
    GET /v3/self
    GET sessions first=1
    GET sessions first=200 tags=ar-MARK
    GET sessions first=200 created_after=TIME
    alive: 1
    ");
}
