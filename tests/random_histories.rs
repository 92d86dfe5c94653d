//! Random histories: organizations that change while they are read, APIs that break down, syncs that are cut short. Whatever
//! comes, nothing is lost, altered or invented, and nothing arrives twice that need not.
//!
//! `HISTORIES=50000` runs so many, `FIRST_HISTORY=1234` begins with that seed. A failure prints the seed and how to run it
//! alone.

mod common;
mod simulation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use simulation::{Failed, Figures, history, story};

/// As many as take a few seconds, even unoptimized.
const HISTORIES: u64 = 300;

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
