//! Messages under random histories: sessions change, answers fail, runs are killed after any state. Whatever comes, what
//! the last runs leave unread is nothing.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use common::{Answer, Api, Ask, Library, Told};
use fastrand::Rng;
use serde_json::json;
use source_devin_ai::source::read::Ending;

const HISTORIES: u64 = 60;
const T: i64 = 1_700_000_000;

/// What sessions do to `updated_at` when something happens in them; the API documents nothing.
#[derive(Clone, Copy, PartialEq)]
enum UpdatedAt {
    Moves,
    /// It moves for sessions that have ended only.
    StandsStillWhileOpen,
}

#[derive(Debug)]
struct Session {
    updated_at: Option<i64>,
    status: &'static str,
    /// Each one's identifier and `created_at`.
    messages: Vec<(String, i64)>,
    is_deleted: bool,
}

#[derive(Debug, Default)]
struct World {
    now: i64,
    sessions: BTreeMap<String, Session>,
    /// How many messages there have been.
    serial: usize,
    /// What is wrong with the messages of some sessions, by place in [`fault`].
    faults: BTreeMap<String, usize>,
    /// After so many requests the key is revoked; `None` is never.
    key_lasts: Option<usize>,
}

const FAULTS: usize = 9;

/// The answer of a session that does not give its messages.
fn fault(kind: usize, is_second_page: bool) -> Option<Answer> {
    match kind {
        0 => Some(Answer::problem(403, "no")),
        1 => Some(Answer::problem(500, "no")),
        2 => is_second_page.then(|| Answer::problem(500, "no")),
        3 => is_second_page.then(Answer::unknown),
        4 => Some(Answer::html(200)),
        5 => Some(Answer::problem(503, "later").header("retry-after", "9999")),
        6 => Some(Answer::problem(401, "no")),
        7 => Some(Answer::problem(429, "no")),
        _ => Some(Answer::json(r#"{"items":["#).header("content-encoding", "gzip")),
    }
}

impl World {
    fn answer(&mut self, ask: &Ask) -> Answer {
        match &mut self.key_lasts {
            Some(0) => return Answer::problem(401, "revoked"),
            Some(left) => *left -= 1,
            None => {}
        }
        let items = if ask.list == "sessions" {
            self.list(ask)
        } else {
            let id = ask.list.trim_start_matches("sessions/devin-").trim_end_matches("/messages");
            let Some(session) = self.sessions.get(id).filter(|session| !session.is_deleted) else {
                return Answer::unknown();
            };
            let is_second_page = ask.parameter("after").is_some();
            if let Some(answer) = self.faults.get(id).and_then(|kind| fault(*kind, is_second_page)) {
                return answer;
            }
            let items = session.messages.iter().map(|(id, at)| json!({"event_id": id, "created_at": at}).to_string());
            let items: Vec<String> = items.collect();
            let (first, second) = items.split_at(items.len() / 2);
            if !is_second_page {
                return Answer::page(&first.iter().map(String::as_str).collect::<Vec<_>>(), "second");
            }
            second.to_vec()
        };
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.now as u64));
        Answer::list(&items.iter().map(String::as_str).collect::<Vec<_>>()).header("date", date)
    }

    fn list(&self, ask: &Ask) -> Vec<String> {
        let ids = ask.parameters("session_ids");
        let from: i64 = ask.parameter("updated_after").map_or(0, |bound| bound.parse().unwrap());
        self.sessions
            .iter()
            // A deleted one may still be listed for a while.
            .filter(|(id, session)| !session.is_deleted || self.faults.contains_key(*id))
            .filter(|(id, _)| ids.is_empty() || ids.contains(&id.as_str()))
            .filter(|(_, session)| session.updated_at.is_none_or(|at| at >= from))
            .map(|(id, session)| {
                let mut item = json!({"session_id": id, "created_at": T, "status": session.status});
                if let Some(at) = session.updated_at {
                    item["updated_at"] = at.into();
                }
                item.to_string()
            })
            .collect()
    }

    fn found(dice: &mut Rng) -> World {
        let mut world = World { now: T + 10_000, ..World::default() };
        for n in 0..dice.u8(1..=6) {
            let at = T + dice.i64(0..9_000);
            let updated_at = (dice.u8(..8) > 0).then_some(at);
            let status = ["exit", "running", "suspended"][dice.usize(..3)];
            let mut messages: Vec<_> = (0..dice.u8(..5)).map(|_| (world.serial(), at - dice.i64(0..500))).collect();
            messages.sort_by_key(|(_, at)| *at);
            world.sessions.insert(format!("s{n}"), Session { updated_at, status, messages, is_deleted: false });
        }
        world
    }

    fn serial(&mut self) -> String {
        self.serial += 1;
        format!("e{}", self.serial)
    }

    fn time_passes(&mut self, dice: &mut Rng) {
        self.now += if dice.u8(..3) == 0 { dice.i64(1..=10) } else { dice.i64(1_000..4_000) };
    }

    fn something_happens(&mut self, dice: &mut Rng, updated_at: UpdatedAt) {
        let just_now = self.now - 1;
        let message = (self.serial(), just_now);
        let place = dice.usize(..=self.sessions.len());
        let Some(session) = self.sessions.values_mut().nth(place) else {
            let session =
                Session { updated_at: Some(just_now), status: "running", messages: vec![message], is_deleted: false };
            self.sessions.insert(format!("s{place}"), session);
            return;
        };
        let mut moves = updated_at == UpdatedAt::Moves;
        match dice.u8(..5) {
            0 | 1 => {
                session.messages.push(message);
                moves |= session.status != "running";
                session.status = "running";
            }
            2 => session.status = "exit",
            3 => moves = true,
            _ => session.is_deleted |= dice.u8(..10) == 0,
        }
        session.updated_at = session.updated_at.map(|before| if moves { just_now } else { before });
    }

    fn goes_wrong(&mut self, dice: &mut Rng) {
        self.key_lasts = (dice.u8(..6) == 0).then(|| dice.usize(1..=8));
        self.faults.clear();
        for id in self.sessions.keys() {
            if dice.u8(..3) == 0 {
                self.faults.insert(id.clone(), dice.usize(..FAULTS));
            }
        }
    }

    fn is_sound(&mut self) {
        self.key_lasts = None;
        self.faults.clear();
    }

    fn messages(&self) -> BTreeSet<&str> {
        let sessions = self.sessions.values().filter(|session| !session.is_deleted);
        sessions.flat_map(|session| session.messages.iter().map(|(id, _)| id.as_str())).collect()
    }
}

/// What has been read, and the state to go on from, after some run was killed behind one of its states or came to its end.
fn survives(told: &Told, cut: Option<usize>) -> (BTreeSet<String>, Option<String>) {
    let (mut read, mut state, mut states) = (BTreeSet::new(), None, 0);
    for message in told.messages() {
        if let Some(event) = message["record"]["data"]["event_id"].as_str() {
            read.insert(event.to_string());
        }
        if message["type"] == "STATE" {
            state = Some(json!([message["state"]]).to_string());
            if cut == Some(states) {
                break;
            }
            states += 1;
        }
    }
    (read, state)
}

async fn history(seed: u64, updated_at: UpdatedAt) {
    let mut dice = Rng::with_seed(seed);
    let world = Arc::new(Mutex::new(World::found(&mut dice)));
    let served = Arc::clone(&world);
    let api = Api::start(move |ask| served.lock().unwrap().answer(ask));
    let mut library = Library::at(&api);
    library.policy.tries = 1;
    library.checkpoint_every = Duration::ZERO;
    library.config.concurrency = dice.usize(1..=3);
    library.config.lookback_window = [0, 600][dice.usize(..2)];
    let (mut state, mut read) = ("[]".to_string(), BTreeSet::new());
    let troubled = dice.usize(1..=5);
    // Then one run in which something happens, and one to see it.
    for run in 0..troubled + 2 {
        {
            let mut world = world.lock().unwrap();
            world.time_passes(&mut dice);
            let changes = if (1..=troubled).contains(&run) { dice.u8(..4) } else { 0 };
            (0..changes).for_each(|_| world.something_happens(&mut dice, updated_at));
            if run < troubled { world.goes_wrong(&mut dice) } else { world.is_sound() }
        }
        let (ending, told) = library.read(&["session_messages"], &state).await;
        let story = told.lines();
        assert_eq!(ending == Ending::Complete, told.errors().is_empty(), "seed {seed}, run {run}: {story}");
        assert!(run < troubled || ending == Ending::Complete, "seed {seed}, run {run}: {story}");
        let states = told.states("session_messages").len();
        let is_killed = run < troubled && states > 0 && dice.u8(..3) == 0;
        let cut = is_killed.then(|| dice.usize(..states));
        let (new, last) = survives(&told, cut);
        read.extend(new);
        state = last.unwrap_or(state);
    }
    let world = world.lock().unwrap();
    let lost: Vec<&str> = world.messages().into_iter().filter(|event| !read.contains(*event)).collect();
    assert!(lost.is_empty(), "seed {seed} lost {lost:?}");
}

#[tokio::test]
async fn no_message_is_lost_where_updated_at_moves_with_every_message() {
    for seed in 0..HISTORIES {
        history(seed, UpdatedAt::Moves).await;
    }
}

#[tokio::test]
async fn no_message_is_lost_where_updated_at_stands_still_while_a_session_is_open() {
    for seed in 0..HISTORIES {
        history(seed, UpdatedAt::StandsStillWhileOpen).await;
    }
}
