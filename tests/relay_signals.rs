//! A signal is heard in time, starts no session unseen, and what is said then is so.

mod common;

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use common::devin::{Devin, Made, Said, Sessions, state};
use common::events::{outcome, story};
use common::signals::signal;
use common::{Program, program};

/// SIGINT and SIGTERM.
const INT: i32 = 2;
const TERM: i32 = 15;

const ALERT: &str = r#"{"title": "something is wrong", "status": "firing"}"#;
const RUN: &str = "alert-relay run --config config.json --alert alert.json --poll-interval 1s --reconcile-window 1s";

fn relay(devin: &Devin) -> Program {
    program().file("config.json", devin.config()).file("alert.json", ALERT)
}

/// Who is asked to stop before anything was created creates nothing.
fn interrupted_before_the_create(is_moment: impl Fn(&common::devin::Heard) -> bool + Send + Sync + 'static) {
    let (came, has_come) = channel();
    let (go, may_go) = channel::<()>();
    let (came, may_go) = (Mutex::new(came), Mutex::new(may_go));
    let sessions = Sessions::new();
    let devin = Devin::start(move |heard| {
        if is_moment(heard) && came.lock().unwrap().send(()).is_ok() {
            let _ = may_go.lock().unwrap().recv();
        }
        sessions.answer(heard)
    });
    let program = relay(&devin);
    let child = program.start(RUN);
    has_come.recv().unwrap();
    let signaled = signal(&child, INT);
    // A program that has ended already does not need the answer.
    let _ = go.send(());
    drop((go, has_come));
    let ran = signaled.all(child);
    assert_eq!((devin.count("POST"), ran.exit().as_str()), (0, "died of signal 2"), "{}", story(&ran));
}

#[test]
fn a_signal_during_the_check_creates_nothing() {
    interrupted_before_the_create(|heard| heard.path == "/v3/self");
}

#[test]
fn a_signal_during_the_first_look_creates_nothing() {
    interrupted_before_the_create(|heard| heard.method == "GET" && heard.parameter("tags").is_some());
}

#[test]
fn a_signal_while_a_limited_create_waits_is_what_the_program_dies_of() {
    let (came, has_come) = channel();
    let came = Mutex::new(came);
    let answer = move |_| {
        came.lock().unwrap().send(()).unwrap();
        Made { hidden_for: None, says: Some(Said::problem(429, "too many").header("retry-after", "60")) }
    };
    let devin = Devin::of(&Sessions::new().on_create(answer).into());
    let program = relay(&devin);
    let child = program.start(RUN);
    has_come.recv().unwrap();
    let ran = signal(&child, INT).all(child);
    assert_eq!((devin.count("POST"), ran.exit().as_str()), (1, "died of signal 2"), "{}", story(&ran));
}

/// Supervisors kill what does not end within seconds of a SIGTERM (30 s in Kubernetes); nothing is lost by not waiting
/// for the answer to a look.
#[test]
fn a_signal_while_a_look_is_unanswered_ends_the_watch_soon() {
    let (devin, has_come) = Devin::silent(Sessions::new(), |heard| heard.path.starts_with("sessions/"));
    let program = relay(&devin);
    let child = program.start(RUN);
    has_come.recv().unwrap();
    assert_eq!(signal(&child, INT).all(child).exit(), "died of signal 2");
}

/// Asked to stop, a run does not wait for the answer to a DELETE as long as that takes.
#[test]
fn a_signal_while_a_session_is_being_ended_ends_the_run_soon() {
    let sessions = Sessions::new().on_look(|_| state("running/working", false));
    let (devin, has_come) = Devin::silent(sessions, |heard| heard.method == "DELETE");
    let program = relay(&devin);
    let child = program.start(&format!("{RUN} --max-poll-attempts 1 --on-timeout terminate"));
    has_come.recv().unwrap();
    let ran = signal(&child, INT).all(child);
    let reason = outcome(&ran)["reason"].as_str().unwrap_or_default().to_string();
    assert!(reason.contains("could not be terminated"), "{}", story(&ran));
}

/// Which words fit depends on what is under way.
#[test]
fn who_stops_a_watch_is_told_of_the_session_and_of_no_create() {
    let (devin, has_come) = Devin::silent(Sessions::new(), |_| true);
    let program = relay(&devin);
    let child = program.start("alert-relay watch abc --config config.json");
    has_come.recv().unwrap();
    insta::assert_snapshot!(story(&signal(&child, INT).all(child)), @"
    stderr: stopped; the session goes on; watch it again with: source-devin-ai alert-relay watch abc --config config.json
    died of signal 2
    ");
}

#[test]
fn a_signal_during_the_create_waits_for_its_answer_and_says_how_to_watch() {
    for number in [INT, TERM] {
        let (posted, has_posted) = channel();
        let (answer, may_answer) = channel::<()>();
        let (posted, may_answer) = (Mutex::new(posted), Mutex::new(may_answer));
        let created = Sessions::new().on_look(|_| state("running/working", false)).on_create(move |_| {
            posted.lock().unwrap().send(()).unwrap();
            may_answer.lock().unwrap().recv().unwrap();
            Made::a_session()
        });
        let sessions = Arc::new(created);
        let devin = Devin::of(&sessions);
        let program = relay(&devin);
        let child = program.start(RUN);
        has_posted.recv().unwrap();
        let signaled = signal(&child, number);
        answer.send(()).unwrap();
        let ran = signaled.all(child);
        let told = story(&ran);
        if number == INT {
            insta::assert_snapshot!(told, @"
            alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
            session_created https://app.devin.ai/sessions/SESSION
            stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
            died of signal 2
            ");
        }
        assert!(told.contains("session_created") && told.contains("alert-relay watch SESSION"), "{told}");
        assert_eq!((devin.count("POST"), devin.count("DELETE"), sessions.alive()), (1, 0, 1));
    }
}

#[test]
fn a_signal_while_watching_leaves_the_session_running() {
    for number in [TERM, INT] {
        let sessions = Arc::new(Sessions::new().on_look(|_| state("running/working", false)));
        let devin = Devin::of(&sessions);
        let program = relay(&devin);
        let mut child =
            program.start(&RUN.replace("--poll-interval 1s", "--poll-interval 300s --on-timeout terminate"));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        while !told.contains("session_status") {
            assert!(stdout.read_line(&mut told).unwrap() > 0, "a look comes before the end");
        }
        let ran = signal(&child, number).rest(child, &mut stdout, told);
        assert_eq!(ran.exit(), format!("died of signal {number}"));
        if number == 15 {
            insta::assert_snapshot!(story(&ran), @"
            alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
            session_created https://app.devin.ai/sessions/SESSION
            session_status running/working
            stderr: the session goes on; watch it again with: source-devin-ai alert-relay watch SESSION --config config.json
            died of signal 15
            ");
        }
        assert_eq!((devin.count("DELETE"), sessions.alive()), (0, 1));
    }
}

#[test]
fn a_signal_ends_the_search_after_an_unclear_create_and_says_that_it_is_unknown() {
    let (posted, has_posted) = channel();
    let posted = Mutex::new(posted);
    let answer = move |_| {
        posted.lock().unwrap().send(()).unwrap();
        Made { hidden_for: None, says: Some(Said::Nothing) }
    };
    let devin = Devin::of(&Sessions::new().on_create(answer).into());
    let program = relay(&devin);
    let child = program.start(&RUN.replace("--reconcile-window 1s", "--reconcile-window 1h --create-again"));
    has_posted.recv().unwrap();
    let ran = signal(&child, INT).all(child);
    insta::assert_snapshot!(story(&ran), @"
    alert_received generic firing “something is wrong” key generic:614757f4eed4a95980edc095aa × 1
    outcome dropped create_unknown pr - at -: /v3/organizations/org-1/sessions broke off its answer: connection closed before message completed. A session may have been created and was not found: look for ar-MARK in Devin, a tag and part of the title. Running the same alert again adopts it once Devin lists it, and creates another one if it does not
    stderr: /v3/organizations/org-1/sessions broke off its answer: connection closed before message completed; a session may have been created, looking for it
    stderr: the search was stopped, so nothing is created again
    exit 25
    ");
    assert_eq!(devin.count("POST"), 1);
}
