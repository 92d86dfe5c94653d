//! Random histories: organizations that change while they are read, APIs that break down, syncs that are cut short. Whatever
//! comes, nothing is lost, altered or invented, and nothing arrives twice that need not.
//!
//! `HISTORIES=50000` runs so many, `FIRST_HISTORY=1234` begins with that seed. A failure prints the seed and how to run it
//! alone.

mod common;
mod simulation;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use simulation::{Failed, Figures, history, played, story};
use source_devin_ai::source::streams::{STREAMS, Stream};

/// As many as take a few seconds, even unoptimized.
const HISTORIES: u64 = 100;

/// After so many failures no further history is begun, if `FAILURES` does not say otherwise.
const MOST_FAILURES: u64 = 5;

fn number(variable: &str, otherwise: u64) -> u64 {
    let number = std::env::var(variable).ok().map(|text| text.parse());
    number.unwrap_or(Ok(otherwise)).unwrap_or_else(|_| panic!("{variable} is not a number"))
}

#[test]
fn nothing_is_lost_altered_invented_or_repeated_in_random_histories() {
    let (count, first) = (number("HISTORIES", HISTORIES), number("FIRST_HISTORY", 0));
    let most_failures = number("FAILURES", MOST_FAILURES) as usize;
    let (next, is_over) = (AtomicU64::new(first), AtomicBool::new(false));
    let (figures, failures) = (Mutex::new(Figures::default()), Mutex::new(Vec::new()));
    let work = || {
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            match catch_unwind(AssertUnwindSafe(|| history(seed, count == 1))) {
                Ok(Ok(of_one)) => *figures.lock().unwrap() += of_one,
                Ok(Err(failed)) => failures.lock().unwrap().push((seed, failed)),
                Err(_) => failures.lock().unwrap().push((seed, Failed::panicked())),
            }
            is_over.store(failures.lock().unwrap().len() >= most_failures, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let (figures, mut failures) = (figures.into_inner().unwrap(), failures.into_inner().unwrap());
    println!("{count} histories from seed {first}: {figures:?}");
    failures.sort_by_key(|(seed, _)| *seed);
    for (seed, failed) in &failures {
        println!("history {seed}: {}", failed.wrong);
        println!("alone: HISTORIES=1 FIRST_HISTORY={seed} cargo test --test random_histories -- --nocapture");
        if count == 1 {
            println!("{}", failed.story);
        }
    }
    assert!(failures.is_empty(), "{} of {count} histories failed", failures.len());
}

/// A failure that cannot be told again is no help.
#[test]
fn a_seed_tells_the_same_story_twice() {
    for seed in 0..20 {
        let (first, second) = (story(seed), story(seed));
        let differs = first.lines().zip(second.lines()).find(|(first, second)| first != second);
        assert_eq!(differs, None, "seed {seed}");
        assert!(first == second, "seed {seed}: one story is longer");
    }
}

/// The words of the table that a row is made of: how the list is found, paged, shaped, dated, and what its records get.
fn words(stream: &Stream) -> Vec<String> {
    let word = |of: &str, value: &dyn std::fmt::Debug| {
        let value = format!("{value:?}");
        format!("{of} {}", value.split(['(', ' ']).next().unwrap())
    };
    let mut words = vec![
        word("listing", &stream.listing),
        word("each", &stream.each),
        word("paging", &stream.form.paging),
        word("shape", &stream.form.shape),
    ];
    words.extend(stream.paths.iter().map(|path| word("path", &path.scope)));
    words.extend(stream.adds.iter().map(|added| word("adds", added)));
    words.extend(stream.id.iter().map(|part| word("id", part)));
    words.push(stream.cursor.map_or("cursor None".to_string(), |cursor| word("cursor", &cursor.unit)));
    for (has, name) in [
        (stream.cursor.is_some_and(|cursor| cursor.fallback.is_some()), "cursor with a fallback"),
        (stream.paths.len() > 1, "path, of several"),
        (stream.projects.is_some(), "projects"),
        (stream.unsteady.is_some(), "unsteady"),
        (!stream.query.is_empty(), "query"),
    ] {
        words.extend(has.then(|| name.to_string()));
    }
    words
}

#[test]
fn every_word_of_the_table_of_streams_has_a_stream_that_histories_play() {
    let mut players: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for stream in STREAMS {
        let is_played = played().any(|name| name == stream.name);
        for word in words(stream) {
            players.entry(word).or_default().extend(is_played.then_some(stream.name));
        }
    }
    let told: Vec<String> = players
        .iter()
        .map(|(word, streams)| {
            let first = streams.first().unwrap_or_else(|| panic!("no history plays {word}"));
            format!("{word}: {first}{}", if streams.len() > 1 { " and others" } else { "" })
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    adds Each: consumption_daily_users and others
    adds Organization: members and others
    adds SessionUpdatedAt: session_attachments
    adds WindowEnd: metrics_usage_daily
    adds WindowStart: metrics_usage_daily
    cursor Iso: schedules
    cursor None: members and others
    cursor Seconds: sessions and others
    cursor SecondsOrMilliseconds: consumption_daily_users and others
    cursor with a fallback: playbooks and others
    each Kind: active_users
    each Member: consumption_daily_users
    each One: sessions and others
    each Union: members
    id Day: consumption_daily_users and others
    id Each: consumption_daily_users and others
    id Field: knowledge_folders and others
    id FirstOf: repositories
    id Organization: knowledge_folders and others
    listing Log: audit_logs
    listing PerSession: session_messages and others
    listing Sessions: sessions and others
    listing Whole: playbooks and others
    listing Windows: consumption_daily_users and others
    paging Cursor: sessions and others
    paging Offset: schedules
    paging Unpaged: knowledge_folders and others
    path Beta: members and others
    path Enterprise: organizations and others
    path Organization: sessions and others
    path OrganizationOfEnterprise: members and others
    path, of several: members and others
    projects: pull_requests
    query: audit_logs
    shape Array: active_users
    shape ArrayOr: session_attachments
    shape In: members and others
    shape Items: sessions and others
    shape Measures: metrics_usage_daily
    shape Sums: consumption_daily_users
    unsteady: session_attachments
    ");
}
