//! A run ends no session that it should leave, and says nothing that is not so.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};

use common::devin::{Devin, Made, Said, Sessions, session, state};
use common::events::{events, outcome, session_id, shorten, story};
use common::{Program, Ran, Sandboxed, program};
use serde_json::json;

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;
const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn relay(devin: &Devin) -> Program {
    program().file("config.json", devin.config()).file("alert.json", ALERT)
}

fn wait(mut child: std::process::Child) -> Ran {
    let mut told = Vec::new();
    std::io::Read::read_to_end(&mut child.stdout.take().unwrap(), &mut told).unwrap();
    Ran::wait(child, told)
}

/// Of several sessions for an alert the oldest counts: the younger one is the duplicate that a
/// race left behind and that was ended.
#[test]
fn after_a_race_the_same_alert_reports_the_session_that_was_kept() {
    let tag = events(&program().file("alert.json", ALERT).run("alert-relay prompt --alert alert.json"))[0]["tag"]
        .as_str()
        .unwrap()
        .to_string();
    let now = common::devin::now();
    let kept = session("kept", &[&tag], now - 10, &state("running/finished", true));
    let ended = session("ended", &[&tag], now - 8, &state("exit", false));
    let devin = Devin::of(&Sessions::new().with(kept).with(ended).into());
    let ran = relay(&devin).run(RUN);
    assert_eq!((session_id(&ran).as_str(), ran.exit().as_str()), ("kept", "exit 0"), "{}", story(&ran));
    assert_eq!(outcome(&ran)["result"], "pr_opened");
}

/// A session that this program gave up and ended is not done; running the same alert again must not call it so.
#[test]
fn a_session_that_was_given_up_and_ended_is_not_done_when_the_alert_comes_again() {
    let sandbox = Sandboxed::start("--sessions 0 --session-seconds 600");
    let program = program().file("config.json", &sandbox.config).file("alert.json", ALERT);
    let first = program.run(&format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    assert_eq!(first.exit(), "exit 23");
    let second = program.run(&format!("{RUN} --max-poll-attempts 1"));
    assert_ne!(second.exit(), "exit 0", "{}", story(&second));
}

/// "It goes on" and "it was terminated" cannot both be so.
#[test]
fn a_session_that_was_ended_is_not_said_to_go_on() {
    let devin = Devin::of(&Sessions::new().on_look(|_| state("running/working", false)).into());
    let ran = relay(&devin).run(&format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    let reason = outcome(&ran)["reason"].as_str().unwrap().to_string();
    assert!(reason.contains("terminated") && !reason.contains("goes on"), "{reason}");
}

/// Its own session in the list is no other run's, even when the list tells its time of birth a second earlier than
/// the answer to the create did, or that answer left it out.
#[test]
fn a_run_never_ends_its_own_session_as_a_duplicate_of_itself() {
    for told in [json!(null), json!(common::devin::now() + 5)] {
        let sessions = Arc::new(Sessions::new());
        let inner = Arc::clone(&sessions);
        let devin = Devin::start(move |heard| match inner.answer(heard) {
            Said::Answer(200, headers, body) if heard.is_create() => {
                let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
                body["created_at"] = told.clone();
                Said::Answer(200, headers, body.to_string())
            }
            said => said,
        });
        let ran = relay(&devin).run(RUN);
        assert_eq!((devin.count("DELETE"), sessions.alive()), (0, 1), "{}", story(&ran));
    }
}

/// A refusal about something else is not about tags because a word of it contains those letters.
#[test]
fn a_refusal_that_speaks_of_a_stage_is_no_refusal_of_tags() {
    for detail in
        ["unknown platform; valid platforms: linux, staging-pool", "max_acu_limit is over the percentage allowed"]
    {
        let answer = move |_| Made { hidden_for: None, says: Some(Said::problem(400, detail)) };
        let devin = Devin::of(&Sessions::new().on_create(answer).into());
        let ran = relay(&devin).run(RUN);
        assert_eq!(devin.count("POST"), 1, "{detail}: {}", story(&ran));
    }
}

/// An organization that refuses one tag still gets those of the user that it may have; at least the run says so.
#[test]
fn a_tag_of_the_users_own_that_is_refused_is_named() {
    let answer = |number| match number {
        1 => Made { hidden_for: None, says: Some(Said::problem(422, "tag 'team shop' has a blank in it")) },
        _ => Made::a_session(),
    };
    let devin = Devin::of(&Sessions::new().on_create(answer).into());
    let ran = relay(&devin).run(&format!("{RUN} --detach --tag team_shop"));
    assert!(ran.stderr.contains("has a blank in it"), "{}", story(&ran));
}

/// The outcome has `session_url`: the session is known, though it was never seen.
#[test]
fn the_outcome_of_a_session_that_was_never_seen_names_it() {
    let devin = Devin::of(&Sessions::new().on_look(|_| json!({"refused": 404})).into());
    let ran = relay(&devin).run(&format!("{RUN} --max-poll-attempts 3"));
    let outcome = outcome(&ran);
    assert_eq!(outcome["result"], "session_gone");
    assert!(outcome["reason"].as_str().unwrap().contains("did not find the session"), "{outcome}");
    assert!(outcome["session_id"].is_string() && outcome["session_url"].is_string(), "{outcome}");
}

/// Identifiers say nothing about age: of two runs in one second, the first may look before the second has created,
/// and the second one's session may have the smaller identifier. Still one session may be left.
#[test]
fn of_two_creates_the_later_one_yields_whatever_their_identifiers() {
    let lists = Arc::new((Mutex::new(0), Condvar::new()));
    let (listed, counted) = (Arc::clone(&lists), lists);
    let sessions = Sessions::new()
        .named(|number| format!("{:032x}", 9 - number))
        // At work until both runs have looked for the other's session.
        .on_look(|look| if look < 8 { state("running/working", false) } else { state("running/finished", true) })
        .on_create(move |number| {
            if number == 2 {
                // Two checks, two first finds by tag and by title, and the find of the run that has created.
                let (count, changed) = &*listed;
                drop(changed.wait_while(count.lock().unwrap(), |count| *count < 7).unwrap());
            }
            Made::a_session()
        });
    let sessions = Arc::new(sessions);
    let inner = Arc::clone(&sessions);
    let posts = AtomicUsize::new(0);
    let both_looked = (Mutex::new(0), Condvar::new());
    let devin = Devin::start(move |heard| {
        if heard.is_create() && posts.fetch_add(1, Ordering::SeqCst) == 0 {
            // Neither creates before both have looked.
            let (count, changed) = &both_looked;
            drop(changed.wait_while(count.lock().unwrap(), |count| *count < 2).unwrap());
        }
        let said = inner.answer(heard);
        if heard.method == "GET" && heard.path == "sessions" {
            *counted.0.lock().unwrap() += 1;
            counted.1.notify_all();
            if heard.parameter("created_after").is_some() {
                *both_looked.0.lock().unwrap() += 1;
                both_looked.1.notify_all();
            }
        }
        said
    });
    let program = relay(&devin);
    let children = [program.start(RUN), program.start(RUN)];
    let told: Vec<String> = children.into_iter().map(|child| story(&wait(child))).collect();
    assert_eq!(devin.count("POST"), 2, "{told:?}");
    assert_eq!(sessions.alive(), 1, "{told:?}");
}

/// A look that finds no such session uses up an attempt and settles the watch, so it counts.
#[test]
fn a_look_that_counts_is_not_said_not_to() {
    let devin = Devin::of(&Sessions::new().on_look(|_| json!({"refused": 404})).into());
    let ran = relay(&devin).run(&format!("{RUN} --max-poll-attempts 3"));
    assert_eq!(outcome(&ran)["polls"], 3);
    assert!(!ran.stderr.contains("does not count"), "{}", story(&ran));
}

/// `session_status` comes on change only, so two of them differ in what they say.
#[test]
fn no_two_looks_that_follow_each_other_are_told_alike() {
    let looks = |look| if look == 1 { state("running/finished", false) } else { state("running/finished", true) };
    let devin = Devin::of(&Sessions::new().on_look(looks).into());
    let ran = relay(&devin).run(RUN);
    let mut told: Vec<serde_json::Value> =
        events(&ran).into_iter().filter(|event| event["event"] == "session_status").collect();
    let before = told.len();
    for event in &mut told {
        event["time"] = json!(null);
    }
    told.dedup();
    assert_eq!(told.len(), before, "{}", story(&ran));
}

/// What cannot be said is not begun: nobody would learn of the session.
#[test]
fn a_stdout_that_takes_nothing_starts_no_session_unseen() {
    let devin = Devin::of(&Sessions::new().into());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = relay(&devin).run_into(full, RUN);
    assert_eq!((devin.count("POST"), ran.exit().as_str()), (0, "exit 1"), "{}", shorten(&ran.stderr));
}

/// The session's address is known since the create, whatever a look leaves out of it; and an unknown one is null.
#[test]
fn an_address_that_a_look_leaves_out_is_still_told() {
    let looks = |_| {
        let mut state = state("running/finished", true);
        state["url"] = json!(null);
        state
    };
    let devin = Devin::of(&Sessions::new().on_look(looks).into());
    let ran = relay(&devin).run(RUN);
    assert!(outcome(&ran)["session_url"].is_string(), "{}", story(&ran));
    let mut there = session("abc", &[], common::devin::now(), &state("running/finished", true));
    there["url"] = json!("");
    let devin = Devin::of(&Sessions::new().with(there).into());
    let ran = relay(&devin).run("alert-relay watch abc --config config.json");
    assert_eq!(outcome(&ran)["session_url"], json!(null), "{}", story(&ran));
}

/// What is said of another session is no end of this one.
#[test]
fn a_look_that_describes_another_session_does_not_count() {
    let sessions = Sessions::new();
    let looks = AtomicUsize::new(0);
    let devin = Devin::start(move |heard| match heard.path.starts_with("sessions/") {
        // The client asks three times before it gives a look up.
        true if looks.fetch_add(1, Ordering::SeqCst) < 3 => {
            Said::json(&session("other", &[], 1, &state("running/finished", true)))
        }
        _ => sessions.answer(heard),
    });
    let ran = relay(&devin).run(RUN);
    assert_eq!(outcome(&ran)["polls"], 1, "{}", story(&ran));
    assert_ne!(outcome(&ran)["session_id"], "other");
}

/// A session that could not be ended goes on, and what it finds is found.
#[test]
fn a_session_that_could_not_be_ended_is_reported_when_it_has_finished_after_all() {
    let looks = |look| if look <= 2 { state("running/working", false) } else { state("running/finished", true) };
    let sessions = Arc::new(Sessions::new().on_look(looks));
    let inner = Arc::clone(&sessions);
    let devin = Devin::start(move |heard| match heard.method.as_str() {
        "DELETE" => Said::problem(403, "not yours"),
        _ => inner.answer(heard),
    });
    let program = relay(&devin);
    let first = program.run(&format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    assert_eq!(first.exit(), "exit 23", "{}", story(&first));
    let watched = program.run(&format!("alert-relay watch {} --config config.json", session_id(&first)));
    assert_eq!(watched.exit(), "exit 0", "{}", story(&watched));
    let second = program.run(RUN);
    assert_eq!(session_id(&second), session_id(&first), "{}", story(&second));
    assert_eq!((devin.count("POST"), outcome(&second)["result"].as_str()), (1, Some("pr_opened")));
}

/// What carries the attempt's tag is certainly ours; what was there before is not, and the run says so.
#[test]
fn a_session_that_is_not_ended_although_it_was_asked_for_is_told_why() {
    let unclear = Sessions::new()
        .on_look(|_| state("running/working", false))
        .on_create(|_| Made { hidden_for: Some(0), says: Some(Said::Nothing) });
    let devin = Devin::of(&unclear.into());
    let ran = relay(&devin).run(&format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    assert_eq!(devin.count("DELETE"), 1, "{}", story(&ran));
    let devin = Devin::of(&Sessions::new().on_look(|_| state("running/working", false)).into());
    relay(&devin).run(&format!("{RUN} --detach"));
    let ran = relay(&devin).run(&format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    let reason = outcome(&ran)["reason"].as_str().unwrap().to_string();
    assert!(reason.contains("--on-timeout ends only"), "{reason}");
    assert_eq!(devin.count("DELETE"), 0);
}

/// A detached session whose line nobody takes is told on stderr.
#[test]
fn a_detached_session_whose_line_cannot_be_written_is_told_all_the_same() {
    let (posted, has_posted) = channel();
    let (answer, may_answer) = channel::<()>();
    let (posted, may_answer) = (Mutex::new(posted), Mutex::new(may_answer));
    let sessions = Sessions::new().on_create(move |_| {
        posted.lock().unwrap().send(()).unwrap();
        may_answer.lock().unwrap().recv().unwrap();
        Made::a_session()
    });
    let devin = Devin::of(&sessions.into());
    let program = relay(&devin);
    let mut child = program.start(&format!("{RUN} --detach"));
    has_posted.recv().unwrap();
    // The reader goes while the create is under way.
    drop(child.stdout.take());
    answer.send(()).unwrap();
    let ran = Ran::wait(child, Vec::new());
    assert!(ran.stderr.contains("alert-relay watch 0000000"), "{}", ran.stderr);
}

/// An alarm that went off and came back within one delivery is still one that went off.
#[test]
fn an_alert_that_fires_is_not_dropped_behind_one_of_the_same_key_that_is_over() {
    let alert = |name: &str, status: &str| json!({"status": status, "labels": {"alertname": name}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z"});
    let group = json!({
        "version": "4", "groupKey": "g", "receiver": "r", "status": "firing", "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "",
        "alerts": [alert("disk", "resolved"), alert("disk", "firing"), alert("disk", "resolved")],
    });
    let program = program().file("alert.json", group.to_string());
    let mut told = events(&program.run("alert-relay prompt --alert alert.json --per-alert"));
    let warning = told.remove(0);
    assert!(
        warning["message"].as_str().is_some_and(|text| text.starts_with("2 alerts with the key of another")),
        "{warning}"
    );
    assert_eq!((told.len(), told[0]["state"].as_str()), (2, Some("firing")), "{told:?}");
}

/// Whichever alert ends first, the first in the payload that did not go well gives the exit code.
#[test]
fn the_exit_code_of_several_alerts_does_not_depend_on_which_ends_first() {
    let sessions = Sessions::new();
    let devin = Devin::start(move |heard| match heard.is_create() {
        true if heard.body.contains("slow") => Said::problem(500, "try later"),
        true => Said::problem(400, "no"),
        false => sessions.answer(heard),
    });
    let alert = |name: &str| json!({"status": "firing", "labels": {"alertname": name}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z"});
    let group = |names: [&str; 2]| {
        json!({
            "version": "4", "groupKey": "g", "receiver": "r", "status": "firing", "groupLabels": {}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "", "alerts": names.map(alert),
        })
    };
    // The one whose create is answered unclearly is looked for, and ends last.
    for (names, exit) in [(["slow", "quick"], "exit 25"), (["quick", "slow"], "exit 1")] {
        let ran = relay(&devin).file("alert.json", group(names).to_string()).run(&format!("{RUN} --per-alert"));
        assert_eq!(ran.exit(), exit, "{}", story(&ran));
    }
}

/// What is new in a live group must not be lost in silence; a repeat of what is known is no news.
#[test]
fn a_session_at_work_is_told_of_alerts_that_have_joined_its_group() {
    const EARLIER: &str = "2026-01-01T00:00:00Z";
    const LATER: &str = "2100-01-01T00:00:00Z";
    let payload = |reason: &str, starts_at: &str| {
        let labels = json!({"alertname": "DiskFull", "host": "db-2"});
        let alert = json!({"status": "firing", "labels": labels, "annotations": {}, "startsAt": starts_at});
        json!({
            "version": "4", "receiver": "relay", "status": "firing", "groupKey": "g", "groupLabels": {"alertname": "DiskFull"},
            "commonLabels": labels, "commonAnnotations": {}, "externalURL": "", "notification_reason": reason, "alerts": [alert],
        })
        .to_string()
    };
    let first = program()
        .file("alert.json", payload("first notification", EARLIER))
        .run("alert-relay prompt --alert alert.json");
    let tag = events(&first)[0]["tag"].as_str().unwrap().to_string();
    for (reason, starts_at, option, messages) in [
        ("new alerts added", EARLIER, "", 1),
        ("new alerts added", EARLIER, "--on-new-alerts ignore", 0),
        ("repeat interval elapsed", LATER, "", 0),
        // Before 0.32 the reason is not said.
        ("", LATER, "", 1),
        ("", EARLIER, "", 0),
    ] {
        let at_work = session("work", &[&tag], common::devin::now() - 10, &state("running/working", false));
        let sessions: Arc<Sessions> = Sessions::new().with(at_work).into();
        let devin = Devin::start(move |heard| match heard.path.ends_with("/messages") {
            true => Said::json(&json!({"session_id": "work", "status": "running"})),
            false => sessions.answer(heard),
        });
        let program = program().file("config.json", devin.config()).file("alert.json", payload(reason, starts_at));
        let ran = program.run(&format!("{RUN} --max-poll-attempts 1 {option}"));
        let told: Vec<_> = devin.heard().into_iter().filter(|heard| heard.path.ends_with("/messages")).collect();
        assert_eq!(told.len(), messages, "{reason} {option}: {}\n{}", story(&ran), ran.stderr);
        assert!(told.iter().all(|heard| heard.method == "POST" && heard.body.contains("db-2")), "{told:?}");
        assert_eq!(devin.creates().len(), 0, "{reason} {option}");
    }
}

/// Without a label, all alerts of the receiver would be one.
#[test]
fn an_ignored_label_that_is_the_only_one_counts_and_it_is_said() {
    let key = |host: &str, options: &str| {
        let labels = json!({"host": host});
        let alert = json!({
            "version": "4", "receiver": "relay", "status": "firing", "groupKey": "g", "groupLabels": labels,
            "commonLabels": labels, "commonAnnotations": {}, "externalURL": "",
            "alerts": [{"status": "firing", "labels": labels, "annotations": {}}],
        });
        let ran = program()
            .file("alert.json", alert.to_string())
            .run(&format!("alert-relay prompt --alert alert.json {options}"));
        let events = events(&ran);
        let is_said = ran.stderr.contains("would leave no label to tell the alert by");
        let received = events.iter().find(|event| event["event"] == "alert_received").unwrap();
        (received["dedupe_key"].as_str().unwrap().to_string(), is_said)
    };
    for options in ["--ignore-label host", "--per-alert --ignore-label host"] {
        let (one, other) = (key("a", options), key("b", options));
        assert!(one.0 != other.0 && one.1 && other.1, "{one:?} {other:?}");
    }
    assert!(!key("a", "").1 && !key("a", "--ignore-label other").1);
}

#[test]
fn a_detached_run_says_of_a_session_that_has_ended_that_it_has() {
    let first = program().file("alert.json", ALERT).run("alert-relay prompt --alert alert.json");
    let tag = events(&first)[0]["tag"].as_str().unwrap().to_string();
    let ended = session("over", &[&tag], common::devin::now() - 10, &state("exit", true));
    let devin = Devin::of(&Arc::new(Sessions::new().with(ended)));
    let ran = relay(&devin).run(&format!("{RUN} --detach"));
    let note = "the session has ended; see how with: source-devin-ai alert-relay watch over --config config.json";
    assert!(ran.stderr.contains(note) && !ran.stderr.contains("goes on"), "{}", ran.stderr);
    assert_eq!(ran.exit(), "exit 0");
}

#[test]
fn a_template_names_the_tag_that_the_session_has_also_in_a_namespace() {
    for namespace in ["", "--namespace staging"] {
        let program = program().file("alert.json", ALERT).file("template.txt", "{{ title }} {{ tag }}");
        let ran =
            program.run(&format!("alert-relay prompt --alert alert.json --prompt-template template.txt {namespace}"));
        let events = events(&ran);
        let tag = events[0]["tag"].as_str().unwrap();
        assert!(events[1]["prompt"].as_str().unwrap().contains(tag), "{namespace}: {}", events[1]);
    }
}
