//! Lists that change while they are read, that contradict themselves, or that have no end: nothing is lost, and every read
//! ends.

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Answer, Api, Ask, Library, Told, program, state};
use serde_json::{Value, json};
use source_devin_ai::source::read::Ending;

const T: i64 = 1_700_000_000;

/// A session as the simulated organization keeps it.
#[derive(Debug, Clone)]
struct Session {
    id: String,
    updated_at: i64,
    status: &'static str,
    messages: Vec<(String, i64)>,
}

impl Session {
    fn new(id: impl ToString, updated_at: i64, status: &'static str) -> Session {
        let id = id.to_string();
        Session { messages: vec![(format!("{id}-first"), updated_at - 5)], id, updated_at, status }
    }
}

type Changes = Box<dyn Fn(usize, &mut Vec<Session>) + Send>;

/// An organization whose sessions are listed by the last change, newest first, in pages that go on where one was left.
struct Organization {
    sessions: Vec<Session>,
    page: usize,
    /// What happens before the request with this number is answered, of all lists of sessions; from 0.
    changes: Changes,
    lists: usize,
    names_everybody: bool,
}

impl Organization {
    fn new(sessions: Vec<Session>, page: usize) -> Organization {
        Organization { sessions, page, changes: Box::new(|_, _| ()), lists: 0, names_everybody: false }
    }

    fn changing(mut self, changes: impl Fn(usize, &mut Vec<Session>) + Send + 'static) -> Organization {
        self.changes = Box::new(changes);
        self
    }

    fn serve(self) -> (Arc<Mutex<Organization>>, Api) {
        let organization = Arc::new(Mutex::new(self));
        let served = Arc::clone(&organization);
        (organization, Api::start(move |ask| served.lock().unwrap().answer(ask)))
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        if ask.list.starts_with("sessions/devin-") {
            let id = ask.list.trim_start_matches("sessions/devin-").trim_end_matches("/messages");
            let Some(session) = self.sessions.iter().find(|session| session.id == id) else { return Answer::unknown() };
            let items = session.messages.iter().map(|(id, at)| json!({"event_id": id, "created_at": at}).to_string());
            return Answer::list(&items.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
        }
        (self.changes)(self.lists, &mut self.sessions);
        self.lists += 1;
        let ids = if self.names_everybody { Vec::new() } else { ask.parameters("session_ids") };
        let from: i64 = ask.parameter("updated_after").map_or(i64::MIN, |at| at.parse().unwrap());
        let mut wanted: Vec<&Session> = self
            .sessions
            .iter()
            .filter(|session| (ids.is_empty() || ids.contains(&session.id.as_str())) && session.updated_at >= from)
            .collect();
        wanted.sort_by_key(|session| (-session.updated_at, session.id.clone()));
        let total = wanted.len();
        let after = ask.parameter("after").map_or((i64::MIN, String::new()), |after| {
            let (at, id) = after.split_once('/').unwrap();
            (at.parse().unwrap(), id.to_string())
        });
        wanted.retain(|session| (-session.updated_at, session.id.clone()) > after);
        let page: Vec<&Session> = wanted.iter().take(self.page).copied().collect();
        let items: Vec<String> = page
            .iter()
            .map(|session| {
                json!({"session_id": session.id, "created_at": T - 9000, "updated_at": session.updated_at, "status": session.status})
                    .to_string()
            })
            .collect();
        let last = page.last().map(|session| format!("{}/{}", -session.updated_at, session.id)).unwrap_or_default();
        let has_next = wanted.len() > self.page;
        Answer::json(
            json!({"items": items.iter().map(|item| serde_json::from_str::<Value>(item).unwrap()).collect::<Vec<_>>(),
                "total": total, "has_next_page": has_next, "end_cursor": has_next.then_some(last)})
            .to_string(),
        )
    }
}

fn ids(told: &Told, stream: &str, field: &str) -> BTreeSet<String> {
    told.records(stream).iter().map(|record| record[field].as_str().unwrap().to_string()).collect()
}

async fn read(api: &Api, stream: &str, state: &str) -> (Ending, Told) {
    Library::at(api).read(&[stream], state).await
}

#[tokio::test]
async fn a_session_that_moves_to_an_earlier_page_is_in_a_full_refresh() {
    for stream in ["sessions", "sessions_insights"] {
        let sessions = (0..300).map(|n| Session::new(format!("s{n:03}"), T + n, "exit")).collect();
        let (_, api) = Organization::new(sessions, 200)
            .changing(|list, sessions| {
                if list == 1 {
                    sessions[50].updated_at = T + 10_000
                }
            })
            .serve();
        let catalog = common::catalog(&[(stream, "full_refresh")]);
        let ran = program().at(&api, json!({})).file("catalog.json", catalog).read();
        assert_eq!(ran.exit(), "exit 0");
        let told = ran.told();
        assert_eq!((told.records(stream).len(), ids(&told, stream, "session_id").len()), (300, 300), "each one once");
    }
}

/// It moves behind the first page of the first listing, and behind that of the second.
#[tokio::test]
async fn a_session_that_keeps_moving_while_it_is_listed_loses_no_message() {
    let sessions = (0..900).map(|n| Session::new(format!("s{n:03}"), T + n, "exit")).collect();
    let (_, api) = Organization::new(sessions, 200)
        .changing(|list, sessions| {
            let at = T + 10_000 + 100 * list as i64;
            match list {
                // Many change, so that the second listing has several pages, too.
                1 => (500..800).for_each(|n| sessions[n].updated_at = at + n as i64 / 10),
                3 => sessions[450].updated_at = at,
                6 => sessions[450].updated_at = at + 50,
                _ => {}
            }
        })
        .serve();
    let (ending, first) = read(&api, "session_messages", "[]").await;
    assert_eq!(ending, Ending::Complete);
    let (_, second) = read(&api, "session_messages", &first.state_file()).await;
    let mut read = ids(&first, "session_messages", "event_id");
    read.extend(ids(&second, "session_messages", "event_id"));
    assert_eq!(read.len(), 900);
    assert!(first.logs("WARN").is_empty(), "{:?}", first.logs("WARN"));
}

/// The list is read twice while sessions run; each is remembered once, so that those beyond five hundred in number of
/// entries are not forgotten.
#[tokio::test]
async fn running_sessions_of_a_list_that_is_read_twice_are_remembered_once() {
    let mut sessions: Vec<Session> =
        (0..250).map(|n| Session::new(format!("busy{n}"), T + 5000 + n, "running")).collect();
    sessions.extend((0..100).map(|n| Session::new(format!("idle{n}"), T + n, "running")));
    let (organization, api) = Organization::new(sessions, 200)
        .changing(|list, sessions| {
            if list < 4 {
                (0..250).for_each(|n| sessions[n].updated_at = T + 6000 + 100 * list as i64 + n as i64);
            }
        })
        .serve();
    let (_, first) = read(&api, "session_messages", "[]").await;
    assert!(first.logs("WARN").is_empty(), "{:?}", first.logs("WARN"));
    for session in organization.lock().unwrap().sessions.iter_mut().filter(|session| session.id.starts_with("idle")) {
        session.messages.push((format!("{}-late", session.id), T + 50_000));
    }
    let (_, second) = read(&api, "session_messages", &first.state_file()).await;
    let late = ids(&second, "session_messages", "event_id").into_iter().filter(|id| id.ends_with("-late")).count();
    assert_eq!(late, 100);
}

#[tokio::test]
async fn a_list_that_is_cut_short_twice_is_incomplete_and_holds_its_state() {
    let page = |first: usize| -> String {
        let items = (first..first + 200).map(|n| json!({"session_id": format!("s{n}"), "updated_at": T}).to_string());
        items.collect::<Vec<_>>().join(",")
    };
    let api = Api::start(move |ask| {
        let body = |items: String, next: Option<&str>| {
            Answer::json(format!(
                r#"{{"items":[{items}],"has_next_page":{},"end_cursor":{},"total":1000}}"#,
                next.is_some(),
                json!(next)
            ))
        };
        match ask.parameter("after") {
            _ if ask.parameter("updated_after").is_some() => body(page(0), None),
            None => body(page(0), Some("1")),
            Some("1") => body(page(200), Some("2")),
            Some("2") => body(page(400), Some("3")),
            _ => body(String::new(), None),
        }
    });
    let (ending, told) = read(&api, "sessions", "[]").await;
    assert_eq!(ending, Ending::Failed);
    assert!(told.errors()[0].contains("600 of 1000"), "{:?}", told.errors());
    assert!(told.states("sessions").iter().all(|state| state["updated_at"].is_null()), "{:?}", told.states("sessions"));
}

#[tokio::test]
async fn a_total_that_stays_larger_than_the_list_is_a_warning() {
    let api =
        Api::start(|_| Answer::json(format!(r#"{{"items":[{{"session_id":"a","updated_at":{T}}}],"total":5000}}"#)));
    let (ending, told) = read(&api, "sessions", "[]").await;
    assert_eq!((ending, told.records("sessions").len(), api.asked().len()), (Ending::Complete, 1, 2));
    assert_eq!(told.logs("WARN"), ["stream sessions: the API counts 5000 items and lists 1, twice in a row"]);
    assert_eq!(told.states("sessions").last().unwrap()["updated_at"], T);
}

#[tokio::test]
async fn no_list_is_read_for_ever() {
    let endless = |ask: &Ask| {
        let page: usize = ask.parameter("after").map_or(0, |after| after.parse().unwrap());
        let item = json!({"session_id": "a", "event_id": "a", "secret_id": "a", "updated_at": T, "status": "exit"})
            .to_string();
        Answer::page(&[&item], &(page + 1).to_string())
    };
    for stream in ["sessions", "sessions_insights", "secrets"] {
        let api = Api::start(endless);
        let (ending, told) = read(&api, stream, "[]").await;
        assert_eq!((ending, told.records(stream).len()), (Ending::Failed, 1), "{stream}");
        assert!(told.errors()[0].contains("has no end"), "{:?}", told.errors());
        assert!(api.asked().len() < 30, "{stream}: {}", api.asked().len());
    }
    let api = Api::start(move |ask| {
        if ask.list == "sessions" { Answer::list(&[r#"{"session_id":"a","updated_at":1}"#]) } else { endless(ask) }
    });
    let (ending, told) = read(&api, "session_messages", "[]").await;
    assert_eq!((ending, told.records("session_messages").len()), (Ending::Failed, 1));
}

/// Nobody can be asked for by name: what had not ended is kept in mind as it was, and nothing is listed again and again.
#[tokio::test]
async fn an_api_that_ignores_names_is_found_out_at_its_first_answer() {
    let sessions =
        (0..2000).map(|n| Session::new(format!("s{n:04}"), T + n, if n < 500 { "running" } else { "exit" })).collect();
    let (organization, api) = Organization::new(sessions, 200).serve();
    organization.lock().unwrap().names_everybody = true;
    let (_, first) = read(&api, "sessions", "[]").await;
    api.forget();
    let (ending, second) = read(&api, "sessions", &first.state_file()).await;
    assert_eq!(ending, Ending::Complete);
    assert!(api.asked().len() <= 8, "{:?}", api.asked().len());
    assert_eq!(second.logs("WARN").len(), 1);
    let open = |told: &Told| told.states("sessions").last().unwrap()["open_sessions"].clone();
    assert_eq!(open(&first), open(&second));
    // A message in one of them is seen all the same: messages need no list.
    let (_, first) = read(&api, "session_messages", "[]").await;
    organization.lock().unwrap().sessions[7].messages.push(("late".to_string(), T + 9000));
    let (_, second) = read(&api, "session_messages", &first.state_file()).await;
    assert!(ids(&second, "session_messages", "event_id").contains("late"));
}

#[tokio::test]
async fn sessions_that_changed_after_their_last_message_are_not_asked_for_again() {
    let mut sessions: Vec<Session> = (0..300).map(|n| Session::new(format!("s{n}"), T + n, "exit")).collect();
    sessions.iter_mut().for_each(|session| session.updated_at += 50_000);
    sessions.push(Session::new("newest", T + 90_000, "exit"));
    let (_, api) = Organization::new(sessions, 200).serve();
    let (_, first) = read(&api, "session_messages", "[]").await;
    api.forget();
    let (_, second) = read(&api, "session_messages", &first.state_file()).await;
    assert!(api.asked().len() <= 3, "{:?}", api.asked());
    assert!(second.records("session_messages").len() <= 1);
}

#[tokio::test]
async fn one_session_that_answers_404_in_a_quiet_organization_fails_no_sync() {
    let lacks = Arc::new(Mutex::new(true));
    let is_listed = Arc::new(Mutex::new(true));
    let (missing, listed) = (Arc::clone(&lacks), Arc::clone(&is_listed));
    let api = Api::start(move |ask| match ask.list.as_str() {
        "sessions" if ask.parameter("updated_after").is_none() && *listed.lock().unwrap() => {
            Answer::list(&[&json!({"session_id": "a", "updated_at": T, "status": "exit"}).to_string()])
        }
        "sessions" => Answer::list(&[]),
        _ if *missing.lock().unwrap() => Answer::unknown(),
        _ => Answer::list(&[&json!({"event_id": "late", "created_at": T}).to_string()]),
    });
    let (ending, first) = read(&api, "session_messages", "[]").await;
    assert_eq!(ending, Ending::Complete, "{}", first.lines());
    assert_eq!(first.logs("WARN").len(), 1);
    let state = first.state_file();
    // It is asked for again, whatever becomes of it.
    *lacks.lock().unwrap() = false;
    let (ending, second) = read(&api, "session_messages", &state).await;
    assert_eq!((ending, ids(&second, "session_messages", "event_id").len()), (Ending::Complete, 1));
    assert!(!second.state_file().contains("unread_sessions"));
    // Still missing while a list shows it, it is kept; when none does, it is dropped.
    *lacks.lock().unwrap() = true;
    let (ending, third) = read(&api, "session_messages", &state).await;
    assert_eq!((ending, third.state_file().contains("unread_sessions")), (Ending::Complete, true));
    *is_listed.lock().unwrap() = false;
    let (ending, fourth) = read(&api, "session_messages", &third.state_file()).await;
    assert_eq!((ending, fourth.state_file().contains("unread_sessions")), (Ending::Complete, false));
}

#[test]
fn a_full_refresh_that_lacks_the_messages_of_a_listed_session_is_incomplete() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => Answer::list(&[r#"{"session_id":"a","updated_at":1}"#, r#"{"session_id":"b","updated_at":2}"#]),
        "sessions/devin-a/messages" => Answer::unknown(),
        _ => Answer::list(&[r#"{"event_id":"e","created_at":1}"#]),
    });
    let catalog = common::catalog(&[("session_messages", "full_refresh")]);
    let ran = program().at(&api, json!({})).file("catalog.json", catalog).read();
    assert_eq!(ran.exit(), "exit 1");
    assert!(ran.told().errors()[0].contains("devin-a/messages"), "{:?}", ran.told().errors());
}

/// A pull request can come after a session has gone to sleep, without moving its time.
#[tokio::test]
async fn a_session_that_went_to_sleep_lately_is_asked_for_again() {
    for stream in ["sessions", "sessions_insights"] {
        let sleeping = |pull_requests: Value| json!({"session_id": "asleep", "created_at": T, "updated_at": T, "status": "suspended", "pull_requests": pull_requests});
        let newest = json!({"session_id": "newest", "created_at": T, "updated_at": T + 100_000, "status": "exit"});
        let long_ago = json!({"session_id": "long", "created_at": T, "updated_at": T - 300_000, "status": "suspended"});
        let sessions = Arc::new(Mutex::new(vec![sleeping(json!([])), newest.clone(), long_ago.clone()]));
        let served = Arc::clone(&sessions);
        let api = Api::start(move |ask| {
            let from: i64 = ask.parameter("updated_after").map_or(0, |at| at.parse().unwrap());
            let ids = ask.parameters("session_ids");
            let sessions = served.lock().unwrap();
            let wanted = sessions.iter().filter(|session| {
                session["updated_at"].as_i64().unwrap() >= from
                    && (ids.is_empty() || ids.contains(&session["session_id"].as_str().unwrap()))
            });
            let items: Vec<String> = wanted.map(Value::to_string).collect();
            let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(T as u64 + 100_000));
            Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>()).header("date", date)
        });
        let (_, first) = read(&api, stream, "[]").await;
        *sessions.lock().unwrap() = vec![sleeping(json!([{"pr_url": "https://example.com/1"}])), newest, long_ago];
        api.forget();
        let (_, second) = read(&api, stream, &first.state_file()).await;
        assert!(ids(&second, stream, "session_id").contains("asleep"), "{stream}: {}", second.lines());
        assert!(!api.asked().join(" ").contains("session_ids=long"), "not for ever: {:?}", api.asked());
    }
}

#[test]
fn a_record_without_its_key_is_left_out_where_it_would_end_the_sync() {
    let api =
        Api::start(|_| Answer::list(&[r#"{"session_id":null,"title":"x"}"#, r#"{"session_id":"a","updated_at":5}"#]));
    for (mode, records) in [("append_dedup", 1), ("append", 2)] {
        let catalog = common::catalog(&[("sessions", "incremental")]).replace("append", mode);
        let ran = program().at(&api, json!({})).file("catalog.json", catalog).read();
        assert_eq!((ran.exit().as_str(), ran.told().records("sessions").len()), ("exit 0", records), "{mode}");
        assert_eq!(ran.told().logs("WARN").len(), 2 - records, "{mode}: {:?}", ran.told().logs("WARN"));
    }
}

#[test]
fn a_state_of_another_scope_begins_anew_aloud() {
    let sessions: Vec<Session> = (0..80).map(|n| Session::new(format!("s{n}"), T + n * 1000, "exit")).collect();
    let (_, api) = Organization::new(sessions, 200).serve();
    let early = program().at(&api, json!({"start_date": "2023-01-01T00:00:00Z"})).catalog(&["sessions"]);
    let at = |org_id: &str, start_date: Option<i64>| {
        let mut scope = json!({"org_id": org_id});
        if let Some(start_date) = start_date {
            scope["start_date"] = start_date.into();
        }
        state(&[("sessions", json!({"version": 2, "scope": scope, "updated_at": T + 79_000}))])
    };
    let start = 1_672_531_200;
    for (state, records, warnings) in [
        (at("org-1", Some(start)), 1, 0),
        (at("org_1", Some(start)), 1, 0),
        (at("org-1", None), 1, 0),
        (at("org-1", Some(start + 1)), 80, 1),
        (at("org-2", Some(start)), 80, 1),
    ] {
        let mut catalog: Value = serde_json::from_str(&common::catalog(&[("sessions", "incremental")])).unwrap();
        catalog["streams"][0]["sync_mode"] = "incremental".into();
        let ran = program()
            .at(&api, json!({"start_date": "2023-01-01T00:00:00Z"}))
            .file("catalog.json", catalog.to_string())
            .file("state.json", state.clone())
            .run("read --config config.json --catalog catalog.json --state state.json");
        let told = ran.told();
        assert_eq!(told.records("sessions").len(), records, "{state}");
        assert_eq!(told.logs("WARN").len(), warnings, "{state}: {:?}", told.logs("WARN"));
    }
    assert_eq!(early.read().exit(), "exit 0");
}

#[tokio::test]
async fn a_mark_in_milliseconds_is_read_and_one_in_the_future_heals() {
    let sessions = vec![Session::new("old", T, "exit"), Session::new("new", T + 5000, "exit")];
    let (_, api) = Organization::new(sessions, 200).serve();
    let of = |mark: i64| state(&[("sessions", json!({"updated_at": mark}))]);
    let (_, told) = read(&api, "sessions", &of((T + 4000) * 1000 + 123)).await;
    assert_eq!(ids(&told, "sessions", "session_id"), BTreeSet::from(["new".to_string()]));
    let (ending, told) = read(&api, "sessions", &of(4_102_444_800)).await;
    assert_eq!((ending, told.records("sessions").len(), told.logs("WARN").len()), (Ending::Complete, 0, 1));
    let asked = api.asked().pop().unwrap();
    let from: i64 = asked.split("updated_after=").nth(1).unwrap().parse().unwrap();
    assert!(from < 4_000_000_000, "a strict API refuses the future: {asked}");
    let (_, next) = read(&api, "sessions", &told.state_file()).await;
    assert!(next.logs("WARN").is_empty(), "the next one goes on from now: {:?}", next.logs("WARN"));
}

/// As upstream documents it: the start date bounds the session, not what was said in it.
#[tokio::test]
async fn a_message_stamped_before_the_start_date_belongs_to_its_session() {
    let api = Api::start(|ask| match ask.list.as_str() {
        "sessions" => Answer::list(&[&json!({"session_id": "a", "created_at": T, "updated_at": T + 5}).to_string()]),
        _ => Answer::list(&[&json!({"event_id": "first", "created_at": T - 1}).to_string()]),
    });
    let mut library = Library::at(&api);
    library.config.start_date = Some(T);
    let (_, told) = library.read(&["session_messages"], "[]").await;
    assert_eq!(told.records("session_messages").len(), 1);
}

#[tokio::test]
async fn the_sessions_and_their_messages_share_one_listing() {
    let sessions = (0..3).map(|n| Session::new(format!("s{n}"), T + n, "exit")).collect();
    let (_, api) = Organization::new(sessions, 200).serve();
    let (ending, told) = Library::at(&api).read(&["sessions", "session_messages"], "[]").await;
    assert_eq!(
        (ending, told.records("sessions").len(), told.records("session_messages").len()),
        (Ending::Complete, 3, 3)
    );
    assert_eq!(api.asked().iter().filter(|ask| ask.starts_with("sessions first")).count(), 1);
}

/// The messages ask for more sessions by name than the sessions do: those are no records of theirs.
#[tokio::test]
async fn a_session_that_the_messages_ask_for_by_name_is_not_emitted_again() {
    let api = Api::start(|ask| {
        let old = json!({"session_id": "old", "created_at": T, "updated_at": T, "status": "exit"}).to_string();
        let new = json!({"session_id": "new", "created_at": T, "updated_at": T + 90_000, "status": "exit"}).to_string();
        match ask.list.as_str() {
            "sessions" if ask.parameters("session_ids").contains(&"old") => Answer::list(&[&old]),
            "sessions" if ask.parameter("updated_after").is_some() => Answer::list(&[&new]),
            "sessions" => Answer::list(&[&old, &new]),
            "sessions/devin-old/messages" => Answer::problem(403, "no"),
            _ => Answer::list(&[&json!({"event_id": "e", "created_at": T}).to_string()]),
        }
    });
    let streams = ["sessions", "session_messages"];
    let (_, first) = Library::at(&api).read(&streams, "[]").await;
    assert!(first.state_file().contains("unread_sessions"), "{}", first.state_file());
    let (_, second) = Library::at(&api).read(&streams, &first.state_file()).await;
    assert!(!ids(&second, "sessions", "session_id").contains("old"), "{}", second.lines());
}

/// Its messages are read as they are when it is asked for by name in vain, and belong to the session that the list has shown.
#[tokio::test]
async fn a_session_asked_for_by_name_in_vain_keeps_its_identifier() {
    let is_first = Arc::new(Mutex::new(true));
    let first = Arc::clone(&is_first);
    let api = Api::start(move |ask| {
        let session = json!({"session_id": "devin-a", "created_at": T, "updated_at": T, "status": "running"});
        match ask.list.as_str() {
            "sessions" if !ask.parameters("session_ids").is_empty() => Answer::unknown(),
            "sessions" if ask.parameter("updated_after").is_some() => Answer::list(&[]),
            "sessions" => Answer::list(&[&session.to_string()]),
            _ if std::mem::take(&mut *first.lock().unwrap()) => Answer::list(&[]),
            _ => Answer::list(&[&json!({"event_id": "late", "created_at": T + 1}).to_string()]),
        }
    });
    let (_, before) = Library::at(&api).read(&["session_messages"], "[]").await;
    let (_, after) = Library::at(&api).read(&["session_messages"], &before.state_file()).await;
    assert_eq!(ids(&after, "session_messages", "event_id"), BTreeSet::from(["late".to_string()]), "{}", after.lines());
    assert_eq!(
        ids(&after, "session_messages", "session_id"),
        BTreeSet::from(["devin-a".to_string()]),
        "{}",
        after.lines()
    );
}

/// The list changes faster than it can be read, and one session is in none of its pages: the mark of messages must not pass
/// it either.
#[tokio::test]
async fn a_session_that_a_busy_list_has_missed_loses_no_message() {
    // Each listing takes two pages, which others fill; the session moves behind the reader each time, until it rests.
    let lists = Arc::new(Mutex::new(0_i64));
    let is_busy = Arc::new(Mutex::new(true));
    let (counted, busy) = (Arc::clone(&lists), Arc::clone(&is_busy));
    let api = Api::start(move |ask| {
        let session = |id: &str, at: i64| {
            json!({"session_id": id, "created_at": T, "updated_at": at, "status": "exit"}).to_string()
        };
        if ask.list != "sessions" {
            let at = if ask.list.contains("missed") { T + 1_500 } else { T + 100_000 };
            let id = ask.list.trim_start_matches("sessions/devin-").trim_end_matches("/messages");
            let of = |name: &str, at: i64| json!({"event_id": format!("{id}-{name}"), "created_at": at}).to_string();
            return Answer::list(&[&of("old", T - 50_000), &of("e", at)]);
        }
        if !*busy.lock().unwrap() {
            let from: i64 = ask.parameter("updated_after").map_or(0, |at| at.parse().unwrap());
            let all = [session("missed", T + 100_000), session("late", T + 200_000)];
            let shown = [T + 100_000, T + 200_000].iter().zip(&all).filter(|(at, _)| **at >= from);
            return Answer::list(&shown.map(|(_, item)| item.as_str()).collect::<Vec<_>>());
        }
        let mut lists = counted.lock().unwrap();
        *lists += 1;
        let n = *lists;
        match ask.parameter("after") {
            None => Answer::page(&[&session(&format!("first{n}"), T + n)], "2"),
            Some(_) => Answer::list(&[&session(&format!("second{n}"), T + 150_000 + n), &session("other", T - 5)]),
        }
    });
    let (_, first) = read(&api, "session_messages", "[]").await;
    assert_eq!(first.logs("WARN").len(), 1, "{:?}", first.logs("WARN"));
    *is_busy.lock().unwrap() = false;
    let (_, second) = read(&api, "session_messages", &first.state_file()).await;
    let read = ids(&second, "session_messages", "event_id");
    assert!(read.contains("missed-e") && read.contains("missed-old"), "{}", second.lines());
}
