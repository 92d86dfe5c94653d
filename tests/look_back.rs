//! The look-back: what a read emits of the time shortly before the state it follows from is what came late or changed, and
//! nothing else.

mod common;

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use common::{Answer, Api, Library, Organization, STREAMS, Told, program};
use serde_json::{Value, json};

const T: i64 = 1_700_000_000;

fn session(id: &str, updated_at: i64) -> Value {
    json!({"session_id": id, "created_at": T - 9000, "updated_at": updated_at, "status": "exit"})
}

fn set(organization: &Arc<Mutex<Organization>>, sessions: &[Value]) {
    organization.lock().unwrap().lists.insert("sessions".to_string(), sessions.to_vec());
}

/// Reads the sessions several times, each time from the state before, with these look-backs. `before` is called before each
/// read. Answers with how many records were older than the state they follow from, read by read.
async fn older_than_their_state(
    organization: &Arc<Mutex<Organization>>,
    lookbacks: &[i64],
    before: impl Fn(usize),
) -> Vec<usize> {
    let api = Api::of(organization);
    let (mut state, mut cursor, mut older) = ("[]".to_string(), i64::MIN, Vec::new());
    for (read, lookback) in lookbacks.iter().enumerate() {
        before(read);
        let mut library = Library::at(&api);
        library.config.lookback_window = *lookback;
        let (_, told) = library.read(&["sessions"], &state).await;
        older.push(count_older(&told, "sessions", "updated_at", cursor));
        cursor = told.states("sessions").last().unwrap()["updated_at"].as_i64().unwrap();
        state = told.state_file();
    }
    older
}

fn count_older(told: &Told, stream: &str, field: &str, than: i64) -> usize {
    told.records(stream).iter().filter(|record| record[field].as_i64().unwrap() < than).count()
}

#[tokio::test]
async fn what_came_late_or_changed_is_emitted_and_nothing_else() {
    let organization = Organization::new(&[]);
    let api = Api::of(&organization);
    let (a, b, newest) = (session("a", T + 100), session("b", T + 200), session("newest", T + 300));
    let mut changed = b.clone();
    changed["status"] = "error".into();
    let (mut state, mut story) = ("[]".to_string(), String::new());
    for list in [
        vec![a.clone(), b.clone(), newest.clone()],
        vec![a.clone(), changed.clone(), session("late", T + 150), newest.clone()],
        vec![a.clone(), changed, session("late", T + 150), newest.clone()],
        // It changes back.
        vec![a, b, session("late", T + 150), newest],
    ] {
        set(&organization, &list);
        let (_, told) = Library::at(&api).read(&["sessions"], &state).await;
        let records = told.records("sessions");
        let records = records.iter().map(|record| format!("{} {}", record["session_id"], record["status"]));
        story += &(records.collect::<Vec<_>>().join(", ") + "\n");
        state = told.state_file();
    }
    insta::assert_snapshot!(story, @r#"
    "a" "exit", "b" "exit", "newest" "exit"
    "b" "error", "late" "exit", "newest" "exit"
    "newest" "exit"
    "b" "exit", "newest" "exit"
    "#);
}

#[tokio::test]
async fn still_data_is_not_emitted_again_however_often_it_is_read() {
    let sessions: Vec<Value> = (0..300).map(|n| session(&format!("s{n}"), T + n)).collect();
    let organization = Organization::new(&[("sessions", Value::from(sessions))]);
    assert_eq!(older_than_their_state(&organization, &[600; 4], |_| ()).await, [0; 4]);
}

#[tokio::test]
async fn a_record_of_the_far_future_takes_no_part_in_it() {
    let sessions = json!([session("a", T - 100), session("b", T - 50), session("c", T), session("odd", 4_102_444_800)]);
    let organization = Organization::new(&[("sessions", sessions)]);
    organization.lock().unwrap().now = Some(T as u64 + 1);
    assert_eq!(older_than_their_state(&organization, &[600; 3], |_| ()).await, [0; 3]);
}

/// The state then lies past the moment that the read began.
#[tokio::test]
async fn a_clock_that_is_behind_the_state_for_a_while_repeats_nothing() {
    let sessions = json!([session("a", T - 200), session("b", T - 100), session("c", T)]);
    let organization = Organization::new(&[("sessions", sessions)]);
    let clock = |read| {
        let now = if read == 1 { T - 300 } else { T + 5 };
        organization.lock().unwrap().now = Some(now as u64);
    };
    assert_eq!(older_than_their_state(&organization, &[600; 4], clock).await, [0; 4]);
}

#[tokio::test]
async fn another_look_back_later_repeats_only_what_an_earlier_one_did_not_know() {
    let sessions = [session("old", T - 2000), session("a", T - 500), session("b", T - 50), session("c", T)];
    let organization = Organization::new(&[("sessions", Value::from(&sessions[..]))]);
    assert_eq!(older_than_their_state(&organization, &[600, 0, 0, 0], |_| ()).await, [0; 4], "smaller");
    let grows = |read| {
        if read == 1 {
            set(&organization, &[&sessions[..], &[session("d", T + 100)]].concat());
        }
    };
    assert_eq!(older_than_their_state(&organization, &[600, 3600, 3600, 3600], grows).await, [0, 1, 0, 0], "larger");
}

/// The state lies where the pass began, so what came later has no part in its look-back.
#[tokio::test]
async fn a_message_that_comes_during_a_long_pass_drives_nothing_out_of_it() {
    let api = Api::start(|ask| {
        let messages: &[(&str, i64)] = match ask.list.as_str() {
            "sessions" => {
                let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(T as u64 + 5));
                let sessions = [session("a", T), session("b", T)].map(|session| session.to_string());
                return Answer::list(&[&sessions[0], &sessions[1]]).header("date", date);
            }
            "sessions/devin-a/messages" => &[("a1", T - 60), ("a2", T - 30)],
            _ => &[("b1", T), ("late", T + 1200)],
        };
        let items = messages.iter().map(|(id, at)| json!({"event_id": id, "created_at": at}).to_string());
        Answer::list(&items.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
    });
    let (_, first) = Library::at(&api).read(&["session_messages"], "[]").await;
    let cursor = first.states("session_messages").last().unwrap()["created_at"].as_i64().unwrap();
    let (_, second) = Library::at(&api).read(&["session_messages"], &first.state_file()).await;
    assert_eq!(count_older(&second, "session_messages", "created_at", cursor), 0, "{}", second.lines());
    assert!(second.lines().contains("late"), "{}", second.lines());
}

/// As Airbyte's acceptance tests have it, with the default look-back: what a first read emits is not newer than its state,
/// and a second one emits something, not the same again, and nothing that is older than that state.
#[test]
fn a_first_and_a_second_read_keep_to_the_state_between_them() {
    let sandbox = common::Sandboxed::start("--sessions 300");
    let program = program().file("config.json", &sandbox.config);
    let arguments = "read --config config.json --streams all --state-out state.json";
    let first = program.run(arguments).told();
    let second = program.run(&format!("{arguments} --state state.json")).told();
    for stream in STREAMS {
        let field = if stream == "session_messages" { "created_at" } else { "updated_at" };
        let state = first.states(stream).last().unwrap()[field].as_i64().unwrap();
        let cursor = |record: &&Value| record[field].as_i64().or(record["created_at"].as_i64()).unwrap();
        let (one, two) = (first.records(stream), second.records(stream));
        assert!(one.iter().all(|record| cursor(record) <= state), "{stream}");
        assert!(!two.is_empty() && one != two, "{stream}: {} and {}", one.len(), two.len());
        assert!(two.iter().all(|record| cursor(record) >= state), "{stream}");
    }
}
