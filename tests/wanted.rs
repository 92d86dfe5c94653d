//! What the relay does not do yet, each with the fact that asks for it. A test that passes moves to the file of its
//! kind.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use common::devin::{Devin, Made, Said, Sessions, state};
use common::events::{events, outcome, shorten, story};
use common::{Program, Ran, program};
use serde_json::json;

const ALERT: &str = r#"{"title": "something is wrong"}"#;
const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn relay(devin: &Devin) -> Program {
    program().file("config.json", devin.config()).file("alert.json", ALERT)
}

fn wait(mut child: std::process::Child) -> Ran {
    let mut told = Vec::new();
    std::io::Read::read_to_end(&mut child.stdout.take().unwrap(), &mut told).unwrap();
    Ran::wait(child, told)
}

/// Identifiers say nothing about age: of two runs in one second, the first may look before the second has created,
/// and the second one's session may have the smaller identifier. Still one session may be left.
#[test]
fn two_creates_within_one_second_leave_one_session_whatever_their_identifiers() {
    let lists = Arc::new((Mutex::new(0), Condvar::new()));
    let (listed, counted) = (Arc::clone(&lists), lists);
    let sessions = Sessions::new()
        .named(|number| format!("{:032x}", 9 - number))
        .on_look(|look| if look < 3 { state("running/working", false) } else { state("running/finished", true) })
        .on_create(move |number| {
            if number == 2 {
                // Two checks, two first looks, and the look of the run that has created.
                let (count, changed) = &*listed;
                drop(changed.wait_while(count.lock().unwrap(), |count| *count < 5).unwrap());
            }
            Made::a_session()
        });
    let sessions = Arc::new(sessions);
    let inner = Arc::clone(&sessions);
    let created_at = common::devin::now();
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
            if heard.parameter("tags").is_some() {
                *both_looked.0.lock().unwrap() += 1;
                both_looked.1.notify_all();
            }
        }
        // One second for all.
        match said {
            Said::Answer(200, headers, body) => Said::Answer(200, headers, at(&body, created_at)),
            other => other,
        }
    });
    let program = relay(&devin);
    let children = [program.start(RUN), program.start(RUN)];
    let told: Vec<String> = children.into_iter().map(|child| story(&wait(child))).collect();
    assert_eq!(devin.count("POST"), 2, "{told:?}");
    assert_eq!(sessions.alive(), 1, "{told:?}");
}

/// The same answer with all sessions created at this time.
fn at(body: &str, created_at: u64) -> String {
    let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
    if body.get("created_at").is_some() {
        body["created_at"] = created_at.into();
    }
    for item in body["items"].as_array_mut().into_iter().flatten() {
        item["created_at"] = created_at.into();
    }
    body.to_string()
}

/// A look that finds no such session uses up an attempt and settles the watch, so it counts.
#[test]
fn a_look_that_counts_is_not_said_not_to() {
    let devin = Devin::of(&Sessions::new().on_look(|_| json!({"refused": 404})).into());
    let ran = relay(&devin).run(RUN);
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
