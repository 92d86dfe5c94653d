//! Every way in which the sandbox misbehaves, for every stream: once, and nothing is lost or doubled; for ever, and it
//! is a loud failure in bounded time.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{Library, STREAMS, Sandboxed, Told, program};
use source_devin_ai::config::Config;
use source_devin_ai::sandbox::{Fault, FaultKind, ORG_ID, Options, Rate, Sandbox, TOKEN};
use source_devin_ai::source::read::Ending;
use source_devin_ai::source::streams::find;
use tokio::task::JoinSet;

/// An organization in which every stream that can have several pages has them.
fn options(stream: &str, fault: Option<Fault>) -> Options {
    let (sessions, messages) = if stream == "session_messages" { (3, Some(250)) } else { (230, Some(1)) };
    Options { sessions, messages, faults: fault.into_iter().collect(), ..Options::default() }
}

async fn read(stream: &'static str, fault: Option<Fault>) -> (Ending, Told, Duration) {
    let sandbox = Sandbox::start(options(stream, fault)).await.unwrap();
    let library = Library::with(Config::of_sandbox(TOKEN, ORG_ID, &sandbox.url()));
    let began = Instant::now();
    let (ending, told) = library.read(&[stream], "[]").await;
    (ending, told, began.elapsed())
}

/// How often each record came, by its primary key.
fn keys(told: &Told, stream: &str) -> BTreeMap<String, usize> {
    let mut keys = BTreeMap::new();
    for record in told.records(stream) {
        let key: Vec<&str> =
            find(stream).unwrap().primary_key.iter().map(|field| record[*field].as_str().unwrap()).collect();
        *keys.entry(key.join(" ")).or_default() += 1;
    }
    keys
}

/// Runs every case side by side: most of their time is waiting.
async fn matrix(rate: Rate) -> Vec<(FaultKind, &'static str, Ending, Told, Duration)> {
    let mut cases = JoinSet::new();
    for kind in FaultKind::ALL {
        for stream in STREAMS {
            cases.spawn(async move {
                let (ending, told, took) = read(stream, Some(Fault { kind, rate })).await;
                (kind, stream, ending, told, took)
            });
        }
    }
    let mut done = cases.join_all().await;
    done.sort_by_key(|(kind, stream, ..)| {
        let place = |stream: &str| STREAMS.iter().position(|name| *name == stream);
        (FaultKind::ALL.iter().position(|known| known == kind), place(stream))
    });
    done
}

#[tokio::test]
async fn a_fault_that_strikes_once_loses_and_doubles_nothing() {
    let mut whole = BTreeMap::new();
    for stream in STREAMS {
        let (ending, told, _) = read(stream, None).await;
        assert_eq!(ending, Ending::Complete);
        whole.insert(stream, keys(&told, stream));
    }
    let sizes: Vec<String> = whole.iter().map(|(stream, keys)| format!("{stream} {}", keys.len())).collect();
    insta::assert_snapshot!(sizes.join("\n"), @"
    knowledge_notes 24
    playbooks 9
    secrets 14
    session_messages 750
    sessions 230
    sessions_insights 230
    ");
    for (kind, stream, ending, told, _) in matrix(Rate::Once).await {
        assert_eq!(ending, Ending::Complete, "{kind} {stream}: {:?}", told.errors());
        let keys = keys(&told, stream);
        assert!(keys.values().all(|count| *count == 1), "{kind} {stream}: a record came twice");
        assert_eq!(keys, whole[stream], "{kind} {stream}");
        assert!(
            !told.logs("INFO").is_empty() && told.logs("INFO").iter().any(|log| log.contains("trying again")),
            "{kind} {stream}: it did strike, and is told"
        );
    }
}

#[tokio::test]
async fn a_fault_for_ever_is_a_loud_failure_in_bounded_time() {
    let mut table = Vec::new();
    for (kind, stream, ending, told, took) in matrix(Rate::Probability(1.0)).await {
        assert_eq!(ending, Ending::Failed, "{kind} {stream}");
        assert!(took < Duration::from_secs(15), "{kind} {stream}: {took:?}");
        let story = told.lines();
        assert!(story.ends_with(&format!("INCOMPLETE {stream}\n")), "{kind} {stream}: {story}");
        assert!(!story.lines().any(|line| line.starts_with("COMPLETE")), "{kind} {stream}: {story}");
        // A first page whose cursor leads back to it is sound by itself; everything else brings no record.
        let is_sound_once = kind == FaultKind::StuckCursor && stream != "session_messages";
        assert_eq!(told.records(stream).is_empty(), !is_sound_once, "{kind} {stream}");
        assert!(keys(&told, stream).values().all(|count| *count == 1), "{kind} {stream}: a record came twice");
        assert!(
            told.states(stream).iter().all(|state| state["updated_at"].is_null() && state["created_at"].is_null()),
            "{kind} {stream}: claimed"
        );
        let error = &told.messages().find(|message| message["trace"]["type"] == "ERROR").unwrap()["trace"]["error"];
        assert_eq!(error["stream_descriptor"]["name"], stream);
        if stream == "secrets" {
            table.push(format!(
                "{kind}: {} {}",
                error["failure_type"].as_str().unwrap(),
                error["message"].as_str().unwrap().replace(ORG_ID, "ORG")
            ));
        }
        assert_eq!(error["failure_type"], "transient_error", "{kind} {stream}");
    }
    insta::with_settings!({filters => vec![(r"reset: (.*) broke off its answer: .*? (.tried)", "reset: $1 broke off its answer: REASON $2"), (r"truncate: (.*) broke off its answer: .*? (.tried)", "truncate: $1 broke off its answer: REASON $2")]}, {
        insta::assert_snapshot!(table.join("\n"), @r#"
        429: transient_error stream secrets: /v3/organizations/ORG/secrets answered 429 (Too Many Requests), saying "Too Many Requests: rate limit exceeded" (tried 3 times). The API limits how often it may be asked: run again later, or lower concurrency.
        429-retry-after: transient_error stream secrets: /v3/organizations/ORG/secrets answered 429 (Too Many Requests), saying "Too Many Requests: rate limit exceeded" (tried 3 times). The API limits how often it may be asked: run again later, or lower concurrency.
        500: transient_error stream secrets: /v3/organizations/ORG/secrets answered 500 (Internal Server Error), saying "Internal Server Error: internal server error" (tried 3 times). The API has trouble at the moment: run again later.
        reset: transient_error stream secrets: /v3/organizations/ORG/secrets broke off its answer: REASON (tried 4 times). Check the network, and run again later.
        truncate: transient_error stream secrets: /v3/organizations/ORG/secrets broke off its answer: REASON (tried 3 times). Check the network, and run again later.
        hang: transient_error stream secrets: /v3/organizations/ORG/secrets sent nothing for 1 s (tried 3 times). Check the network, and run again later.
        html: transient_error stream secrets: /v3/organizations/ORG/secrets answered 200 with an unusable body: it is not the JSON of a list (line 1, column 1) (tried 3 times). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        stuck-cursor: transient_error stream secrets: /v3/organizations/ORG/secrets answered 200 with an unusable body: its cursor was given before, so the list would never end (tried 3 times). Nothing of this answer was used. Run again later; if it stays so, check that api_url is the Devin API.
        "#);
    });
}

#[tokio::test]
async fn a_stream_that_runs_out_of_tries_hurts_no_other() {
    let sandbox =
        Sandbox::start(Options { without_permissions: vec!["ManageOrgSecrets".to_string()], ..Options::default() })
            .await
            .unwrap();
    let (ending, told) = Library::with(Config::of_sandbox(TOKEN, ORG_ID, &sandbox.url())).read(&STREAMS, "[]").await;
    assert_eq!(ending, Ending::Failed);
    let ends: Vec<String> =
        told.lines_by_stream().lines().filter(|line| line.contains("COMPLETE ")).map(str::to_string).collect();
    insta::assert_snapshot!(ends.join("\n"), @"
    COMPLETE sessions
    COMPLETE sessions_insights
    COMPLETE session_messages
    COMPLETE playbooks
    INCOMPLETE secrets
    COMPLETE knowledge_notes
    ");
}

/// The same through the real program, with its real waits.
#[test]
fn the_program_itself_survives_each_kind_of_fault() {
    let runs: Vec<_> = ["500", "reset", "truncate", "html", "stuck-cursor", "429", "429-retry-after"]
        .map(|kind| {
            std::thread::spawn(move || {
                let sandbox = Sandboxed::start(&format!("--sessions 230 --fault {kind}:once"));
                let program = program().file("config.json", &sandbox.config).catalog(&["sessions", "secrets"]);
                let ran = program.read();
                assert_eq!(ran.exit(), "exit 0", "{kind}");
                let told = ran.told();
                assert_eq!((told.records("sessions").len(), told.records("secrets").len()), (230, 14), "{kind}");
                let is_limited = told.lines().contains("because RATE_LIMITED");
                assert_eq!(is_limited, kind.starts_with("429"), "{kind}");
            })
        })
        .into_iter()
        .collect();
    for run in runs {
        run.join().unwrap();
    }
}
