//! Every answer to a create against every later look, in an organisation in memory.

use std::cell::{Cell, RefCell};

use super::*;
use crate::devin::page::Invalid;
use crate::devin::session::PullRequest;

const MARK: &str = "ar-0123";
const NOW: i64 = 1_000_000;

fn session(id: &str, created_at: i64, state: &str) -> Session {
    let (status, detail) = state.split_once('/').unwrap_or((state, ""));
    let detail = (!detail.is_empty()).then(|| detail.to_string());
    let mut session: Session =
        serde_json::from_value(serde_json::json!({"session_id": id, "status": status, "status_detail": detail}))
            .unwrap();
    session.tags = vec![MARK.to_string()];
    session.created_at = Some(created_at);
    session.updated_at = Some(created_at);
    session
}

fn error(kind: Kind) -> Error {
    Error { kind, path: "/sessions".to_string(), explanation: None, tries: 1 }
}

/// What a POST does to the organisation, and what it answers.
#[derive(Clone)]
struct Answer {
    creates: bool,
    says: fn() -> Creation,
}

/// An organisation in memory: sessions appear in lists `lag` looks after their creation.
struct Fake {
    sessions: RefCell<Vec<Session>>,
    answers: RefCell<Vec<Answer>>,
    lag: Cell<u32>,
    posts: Cell<u32>,
    terminated: RefCell<Vec<String>>,
    waited: Cell<Duration>,
}

impl Fake {
    fn new(sessions: Vec<Session>, answers: Vec<Answer>) -> Fake {
        Fake {
            sessions: RefCell::new(sessions),
            answers: RefCell::new(answers),
            lag: Cell::new(0),
            posts: Cell::new(0),
            terminated: RefCell::default(),
            waited: Cell::new(Duration::ZERO),
        }
    }
}

impl Api for Fake {
    async fn find_by_tag(&self, _: &str) -> Result<Vec<Session>, Error> {
        if self.posts.get() > 0 && self.lag.get() > 0 {
            self.lag.set(self.lag.get() - 1);
            return Ok(self
                .sessions
                .borrow()
                .iter()
                .filter(|session| !session.session_id.starts_with("ours"))
                .cloned()
                .collect());
        }
        Ok(self.sessions.borrow().clone())
    }

    async fn find_recent(&self, _: Duration) -> Result<Vec<Session>, Error> {
        Ok(self.sessions.borrow().clone())
    }

    async fn create(&self, new: &NewSession) -> Option<Creation> {
        self.posts.set(self.posts.get() + 1);
        let mut answers = self.answers.borrow_mut();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let mut ours = session(&format!("ours{}", self.posts.get()), NOW, "new");
        ours.tags = new.tags.clone();
        ours.title = Some(format!("[{MARK}]"));
        if answer.creates {
            self.sessions.borrow_mut().push(ours.clone());
        }
        Some(match (answer.says)() {
            Creation::Created(_) => Creation::Created(ours),
            other => other,
        })
    }

    async fn terminate(&self, session_id: &str) -> Result<(), Error> {
        self.terminated.borrow_mut().push(session_id.to_string());
        Ok(())
    }

    async fn wait(&self, time: Duration) -> bool {
        self.waited.set(self.waited.get() + time);
        true
    }

    fn now(&self) -> i64 {
        NOW
    }
}

fn order() -> Order {
    Order {
        mark: MARK.to_string(),
        new: NewSession { tags: vec![MARK.to_string()], ..NewSession::default() },
        cooldown: Duration::from_secs(3600),
        new_attempt: false,
        reconcile_window: Duration::from_secs(90),
        create_again: false,
    }
}

async fn run(fake: &Fake, order: &Order) -> String {
    let known = fake.find_by_tag(MARK).await.unwrap();
    let said = match dispatch(fake, order, known, |_| ()).await {
        Ok(Dispatched::Created(session)) => format!("created {}", session.session_id),
        Ok(Dispatched::Adopted(session, why)) => format!("adopted {} ({why:?})", session.session_id),
        Ok(Dispatched::Reported(session)) => format!("reported {}", session.session_id),
        Ok(Dispatched::Unknown(_)) => "unknown".to_string(),
        Ok(Dispatched::Stopped) => "stopped".to_string(),
        Err(error) => format!("failed: {error}"),
    };
    format!(
        "{said}; {} posts, {} sessions, {} s waited",
        fake.posts.get(),
        fake.sessions.borrow().len(),
        fake.waited.get().as_secs()
    )
}

fn created() -> Creation {
    Creation::Created(session("unused", 0, "new"))
}

const MADE: Answer = Answer { creates: true, says: created };

#[tokio::test]
async fn whatever_a_post_answers_there_is_one_session_or_an_honest_unknown() {
    type Says = fn() -> Creation;
    let unclear: [(&str, Says); 4] = [
        ("500", || Creation::Unclear(error(Kind::Status(500)))),
        ("timeout", || Creation::Unclear(error(Kind::TimeUp(Duration::from_secs(60))))),
        ("reset", || Creation::Unclear(error(Kind::Broken("connection reset".to_string())))),
        ("unreadable 200", || Creation::Unclear(error(Kind::Invalid(Invalid::NoItems)))),
    ];
    let definite: [(&str, Says); 3] = [
        ("422", || Creation::Refused(error(Kind::Status(422)))),
        ("no connection", || Creation::Refused(error(Kind::Unreachable("refused".to_string())))),
        ("429 for ever", || Creation::RateLimited(error(Kind::Status(429)), Some(Duration::from_secs(1)))),
    ];
    let mut table = vec![format!("200: {}", run(&Fake::new(vec![], vec![MADE]), &order()).await)];
    for (name, says) in definite {
        let fake = Fake::new(vec![], vec![Answer { creates: false, says }]);
        table.push(format!("{name}: {}", run(&fake, &order()).await));
    }
    for (name, says) in unclear {
        for (how, creates, lag) in [("created", true, 0), ("created, listed late", true, 3), ("not created", false, 0)]
        {
            let fake = Fake::new(vec![], vec![Answer { creates, says }]);
            fake.lag.set(lag);
            table.push(format!("{name}, {how}: {}", run(&fake, &order()).await));
        }
    }
    let limited = Answer { creates: false, says: || Creation::RateLimited(error(Kind::Status(429)), None) };
    table.push(format!("429, then 200: {}", run(&Fake::new(vec![], vec![limited, MADE]), &order()).await));
    let lost = Answer { creates: false, says: || Creation::Unclear(error(Kind::Status(502))) };
    let again = Order { create_again: true, ..order() };
    table.push(format!(
        "502, then 200 with --create-again: {}",
        run(&Fake::new(vec![], vec![lost.clone(), MADE]), &again).await
    ));
    table.push(format!("502 for ever with --create-again: {}", run(&Fake::new(vec![], vec![lost]), &again).await));
    insta::assert_snapshot!(table.join("\n"), @"
    200: created ours1; 1 posts, 1 sessions, 1 s waited
    422: failed: /sessions answered 422 (Unprocessable Entity); 1 posts, 0 sessions, 0 s waited
    no connection: failed: /sessions could not be reached: refused; 1 posts, 0 sessions, 0 s waited
    429 for ever: failed: /sessions answered 429 (Too Many Requests); 5 posts, 0 sessions, 4 s waited
    500, created: adopted ours1 (Reconciled); 1 posts, 1 sessions, 0 s waited
    500, created, listed late: adopted ours1 (Reconciled); 1 posts, 1 sessions, 14 s waited
    500, not created: unknown; 1 posts, 0 sessions, 90 s waited
    timeout, created: adopted ours1 (Reconciled); 1 posts, 1 sessions, 0 s waited
    timeout, created, listed late: adopted ours1 (Reconciled); 1 posts, 1 sessions, 14 s waited
    timeout, not created: unknown; 1 posts, 0 sessions, 90 s waited
    reset, created: adopted ours1 (Reconciled); 1 posts, 1 sessions, 0 s waited
    reset, created, listed late: adopted ours1 (Reconciled); 1 posts, 1 sessions, 14 s waited
    reset, not created: unknown; 1 posts, 0 sessions, 90 s waited
    unreadable 200, created: adopted ours1 (Reconciled); 1 posts, 1 sessions, 0 s waited
    unreadable 200, created, listed late: adopted ours1 (Reconciled); 1 posts, 1 sessions, 14 s waited
    unreadable 200, not created: unknown; 1 posts, 0 sessions, 90 s waited
    429, then 200: created ours2; 2 posts, 1 sessions, 5 s waited
    502, then 200 with --create-again: created ours2; 2 posts, 1 sessions, 91 s waited
    502 for ever with --create-again: unknown; 2 posts, 0 sessions, 180 s waited
    ");
}

#[tokio::test]
async fn what_is_there_already_decides_whether_anything_is_created() {
    let minutes_ago = |minutes: i64| NOW - 60 * minutes;
    let mut with_pr = session("idle", minutes_ago(5), "running/waiting_for_user");
    with_pr.pull_requests = vec![PullRequest { pr_url: "https://github.com/a/b/pull/1".to_string(), pr_state: None }];
    let mut finished_by_title = session("titled", minutes_ago(1), "running/finished");
    finished_by_title.tags = Vec::new();
    finished_by_title.title = Some(format!("[{MARK}] disk full"));
    let mut ended_by_us = session("lost", minutes_ago(1), "exit");
    ended_by_us.tags.push(ENDED_TAG.to_string());
    let mut foreign = session("foreign", minutes_ago(1), "running/working");
    foreign.tags = vec!["ar-other".to_string()];
    let mut by_title = session("titled", minutes_ago(1), "running/working");
    by_title.tags = Vec::new();
    by_title.title = Some(format!("[{MARK}] disk full"));
    let mut names_our_mark = session("foreign", minutes_ago(1), "running/working");
    names_our_mark.tags = Vec::new();
    names_our_mark.title = Some(format!("[ar-other] an alert that says [{MARK}]"));
    let cases = [
        ("nothing", vec![]),
        ("somebody else's, whose alert names our mark", vec![names_our_mark]),
        ("somebody else's", vec![foreign]),
        ("at work", vec![session("a", minutes_ago(600), "running/working")]),
        ("two at work", vec![session("b", minutes_ago(5), "new"), session("a", minutes_ago(9), "claimed")]),
        ("waits for a person", vec![session("a", minutes_ago(600), "running/waiting_for_user")]),
        ("in a state nobody knows", vec![session("a", minutes_ago(600), "dreaming")]),
        ("found by title", vec![by_title]),
        ("done lately", vec![session("a", minutes_ago(59), "running/finished")]),
        ("done long ago", vec![session("a", minutes_ago(61), "exit")]),
        ("idle after its pull request", vec![with_pr.clone()]),
        ("out of quota", vec![session("a", minutes_ago(1), "suspended/out_of_quota")]),
        ("failed", vec![session("a", minutes_ago(1), "error")]),
        ("asleep without a result", vec![session("a", minutes_ago(1), "suspended/inactivity")]),
        ("asleep for long", vec![session("a", minutes_ago(61), "suspended/inactivity")]),
        ("ended by the relay itself", vec![ended_by_us.clone()]),
        ("finished lately, found by title", vec![finished_by_title]),
        ("a result and a later end without", vec![with_pr.clone(), session("b", minutes_ago(1), "exit")]),
        (
            "waits for long, and another is at work",
            vec![session("a", minutes_ago(30_000), "running/waiting_for_user"), session("b", minutes_ago(9), "new")],
        ),
        (
            "failed once, at work again",
            vec![session("a", minutes_ago(9), "error"), session("b", minutes_ago(1), "running/working")],
        ),
    ];
    let mut table = Vec::new();
    for (name, sessions) in cases {
        let forced = Order { new_attempt: true, ..order() };
        table.push(format!("{name}: {}", run(&Fake::new(sessions.clone(), vec![MADE]), &order()).await));
        assert!(run(&Fake::new(sessions, vec![MADE]), &forced).await.starts_with("created ours"), "{name}");
    }
    insta::assert_snapshot!(table.join("\n"), @"
    nothing: created ours1; 1 posts, 1 sessions, 1 s waited
    somebody else's, whose alert names our mark: created ours1; 1 posts, 2 sessions, 1 s waited
    somebody else's: created ours1; 1 posts, 2 sessions, 1 s waited
    at work: adopted a (Alive); 0 posts, 1 sessions, 0 s waited
    two at work: adopted a (Alive); 0 posts, 2 sessions, 0 s waited
    waits for a person: adopted a (Alive); 0 posts, 1 sessions, 0 s waited
    in a state nobody knows: adopted a (Alive); 0 posts, 1 sessions, 0 s waited
    found by title: adopted titled (Alive); 0 posts, 1 sessions, 0 s waited
    done lately: reported a; 0 posts, 1 sessions, 0 s waited
    done long ago: created ours1; 1 posts, 2 sessions, 1 s waited
    idle after its pull request: reported idle; 0 posts, 1 sessions, 0 s waited
    out of quota: created ours1; 1 posts, 2 sessions, 1 s waited
    failed: created ours1; 1 posts, 2 sessions, 1 s waited
    asleep without a result: reported a; 0 posts, 1 sessions, 0 s waited
    asleep for long: created ours1; 1 posts, 2 sessions, 1 s waited
    ended by the relay itself: created ours1; 1 posts, 2 sessions, 1 s waited
    finished lately, found by title: reported titled; 0 posts, 1 sessions, 0 s waited
    a result and a later end without: reported idle; 0 posts, 2 sessions, 0 s waited
    waits for long, and another is at work: adopted b (Alive); 0 posts, 2 sessions, 0 s waited
    failed once, at work again: adopted b (Alive); 0 posts, 2 sessions, 0 s waited
    ");
}

#[tokio::test]
async fn of_two_runs_that_race_both_watch_the_older_session() {
    // Another run's session appears between our look and our create.
    struct Racing(Fake, Session);
    impl Api for Racing {
        async fn find_by_tag(&self, tag: &str) -> Result<Vec<Session>, Error> {
            self.0.find_by_tag(tag).await
        }
        async fn find_recent(&self, within: Duration) -> Result<Vec<Session>, Error> {
            self.0.find_recent(within).await
        }
        async fn create(&self, new: &NewSession) -> Option<Creation> {
            self.0.sessions.borrow_mut().push(self.1.clone());
            self.0.create(new).await
        }
        async fn terminate(&self, session_id: &str) -> Result<(), Error> {
            self.0.terminate(session_id).await
        }
        async fn wait(&self, time: Duration) -> bool {
            self.0.wait(time).await
        }
        fn now(&self) -> i64 {
            NOW
        }
    }
    let mut table = Vec::new();
    for (name, theirs) in [
        ("theirs is older", session("theirs", NOW - 1, "new")),
        ("theirs is younger", session("theirs", NOW + 1, "new")),
        ("in the same second, theirs comes first", session("a", NOW, "new")),
        ("in the same second, ours comes first", session("z", NOW, "new")),
    ] {
        let racing = Racing(Fake::new(vec![], vec![MADE]), theirs);
        let said = match dispatch(&racing, &order(), Vec::new(), |_| ()).await.unwrap() {
            Dispatched::Adopted(session, _) => format!("watch {}", session.session_id),
            Dispatched::Created(session) => format!("watch {}", session.session_id),
            other => format!("{other:?}"),
        };
        table.push(format!("{name}: {said}, terminated {:?}", racing.0.terminated.borrow()));
    }
    insta::assert_snapshot!(table.join("\n"), @r#"
    theirs is older: watch theirs, terminated ["ours1"]
    theirs is younger: watch ours1, terminated []
    in the same second, theirs comes first: watch a, terminated ["ours1"]
    in the same second, ours comes first: watch ours1, terminated []
    "#);
}

#[tokio::test]
async fn where_tags_are_restricted_the_title_carries_the_mark() {
    let refusal = Answer {
        creates: false,
        says: || {
            let mut error = error(Kind::Status(422));
            error.explanation = Some("Tag 'alert-relay' is not allowed in this organization".to_string());
            Creation::Refused(error)
        },
    };
    insta::assert_snapshot!(run(&Fake::new(vec![], vec![refusal.clone(), MADE]), &order()).await, @"created ours2; 2 posts, 1 sessions, 1 s waited");
    let mut titled = session("theirs", NOW - 9, "running/working");
    titled.tags = Vec::new();
    titled.title = Some(format!("[{MARK}] disk full"));
    struct ByTitleOnly(Fake);
    impl Api for ByTitleOnly {
        async fn find_by_tag(&self, _: &str) -> Result<Vec<Session>, Error> {
            Ok(Vec::new())
        }
        async fn find_recent(&self, within: Duration) -> Result<Vec<Session>, Error> {
            self.0.find_recent(within).await
        }
        async fn create(&self, new: &NewSession) -> Option<Creation> {
            self.0.create(new).await
        }
        async fn terminate(&self, session_id: &str) -> Result<(), Error> {
            self.0.terminate(session_id).await
        }
        async fn wait(&self, time: Duration) -> bool {
            self.0.wait(time).await
        }
        fn now(&self) -> i64 {
            NOW
        }
    }
    let api = ByTitleOnly(Fake::new(vec![titled], vec![refusal.clone(), MADE]));
    let found = dispatch(&api, &order(), Vec::new(), |_| ()).await;
    assert!(matches!(found, Ok(Dispatched::Adopted(session, Adoption::Alive)) if session.session_id == "theirs"));
}

/// The list may say another second than the answer to the create, or none: a session is never older than itself.
#[tokio::test]
async fn a_session_is_not_taken_for_its_own_rival() {
    for (listed, answered) in [(Some(NOW), Some(NOW + 1)), (Some(NOW), None), (None, Some(NOW))] {
        let mut in_list = session("ours1", 0, "new");
        in_list.created_at = listed;
        let mut ours = in_list.clone();
        ours.created_at = answered;
        let fake = Fake::new(vec![in_list], vec![MADE]);
        let said = after_create(&fake, &order(), &[], ours, |_| ()).await;
        assert!(matches!(said, Dispatched::Created(_)), "{listed:?} {answered:?}");
        assert!(fake.terminated.borrow().is_empty());
    }
}

#[tokio::test]
async fn an_old_session_found_by_title_is_no_rival_of_a_new_one() {
    let refusal = Answer {
        creates: false,
        says: || {
            let mut error = error(Kind::Status(422));
            error.explanation = Some("body.tags.0: not allowed".to_string());
            Creation::Refused(error)
        },
    };
    let mut dead = session("dead", NOW - 600, "suspended/out_of_quota");
    dead.tags = Vec::new();
    dead.title = Some(format!("[{MARK}] disk full"));
    let fake = Fake::new(vec![dead], vec![refusal, MADE]);
    // By tag, nothing is found.
    let said = dispatch(&fake, &order(), Vec::new(), |_| ()).await.unwrap();
    assert!(matches!(said, Dispatched::Created(session) if session.session_id == "ours2"));
    assert!(fake.terminated.borrow().is_empty());
}

#[tokio::test]
async fn a_refusal_of_the_users_own_tag_or_of_something_else_is_a_refusal() {
    for (tags, said) in [(3, "tag 'bad' is not allowed"), (2, "playbook 'staging' was not found")] {
        let mut refusal = error(Kind::Status(422));
        refusal.explanation = Some(said.to_string());
        assert_eq!(is_about_tags(&refusal), tags == 3, "{said}");
    }
    let refusal = Answer {
        creates: false,
        says: || {
            let mut error = error(Kind::Status(422));
            error.explanation = Some("tag 'bad' is not allowed".to_string());
            Creation::Refused(error)
        },
    };
    let mut order = order();
    order.new.tags.extend(["b".to_string(), "bad".to_string()]);
    insta::assert_snapshot!(run(&Fake::new(vec![], vec![refusal, MADE]), &order).await, @r#"failed: /sessions answered 422 (Unprocessable Entity), saying "tag 'bad' is not allowed"; 1 posts, 0 sessions, 0 s waited"#);
}
