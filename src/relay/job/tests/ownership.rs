//! Whose a session is, and what a watch does with answers that do not say.

use std::time::Duration;

use super::races::{made, with_a_rival, working};
use super::runs::{job, play, policy};
use super::world::{START, error};
use crate::devin::Kind;
use crate::relay::job::{Action, FiringReason, Job, Observation, OnNewAlerts, OnTimeout, Policy, Query};
use crate::relay::names::ENDED_TAG;
use crate::relay::outcome::OutcomeKind;

#[test]
fn a_missing_session_that_cannot_be_looked_for_is_polled_at_the_interval_until_the_polls_are_used_up() {
    let world = working(|_| ());
    let mut polled = Vec::new();
    let minute = Policy { poll_interval: Duration::from_secs(60), max_polls: 20, ..policy() };
    let told = play(&world, job(1, minute), |action| match action {
        Action::Poll { .. } => {
            polled.push(world.state().now);
            assert!(polled.len() < 100, "a loop without an end");
            Some(Observation::PollFailed(error(Kind::Status(404), None)))
        }
        Action::Find(Query::Id(_)) => {
            let wait = Duration::from_secs(120);
            Some(Observation::FindFailed(error(Kind::WaitTooLong { status: 429, wait }, None)))
        }
        _ => None,
    });
    let waits: Vec<_> = polled.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!((polled.len(), told.result().as_str()), (20, "PollTimeout"), "{}", told.text());
    let is_old = |at: &&i64| **at - START > 700_000;
    let first_old = polled.iter().position(|at| is_old(&at)).unwrap();
    assert!(waits.iter().all(|wait| *wait >= 50_000), "{waits:?}");
    assert!(waits[first_old..].iter().all(|wait| *wait >= 120_000), "{waits:?}");
}

/// It was there, and the last polls did not find it: that is no session that goes on.
#[test]
fn a_session_that_is_gone_when_the_polls_are_used_up_is_not_called_running() {
    let few = || Policy { max_polls: 3, ..policy() };
    let gone = working(|_| ());
    gone.add("s1", "running/working", 60, |kept| kept.gone_from = START + 45_000);
    let told = play(&gone, job(1, few()), |_| None);
    assert_eq!(told.result(), "SessionGone", "{}", told.text());
    // One that a list still shows goes on.
    let listed = working(|_| ());
    listed.add("s1", "running/working", 60, |kept| kept.readable_from = i64::MAX);
    let told = play(&listed, job(1, few()), |_| None);
    assert_eq!(told.result(), "PollTimeout", "{}", told.text());
}

#[test]
fn a_session_that_is_wanted_beside_another_one_is_not_ended_for_it() {
    for (new_attempt, reason) in [(true, FiringReason::First), (false, FiringReason::NewAlerts)] {
        for status in [200, 500] {
            let world = working(|state| state.creates = vec![(status, true)]);
            world.add("s1", "running/working", 30, |_| ());
            let beside = Policy { new_attempt, on_new_alerts: OnNewAlerts::Start, max_polls: 5, ..policy() };
            let mut job = job(1, beside);
            job.request.firing.reason = reason;
            let told = world.go_on(job);
            assert_eq!(world.alive(), ["s1".to_string(), made(&world, 0)], "{reason:?} {status}: {}", told.text());
            assert_eq!(told.outcome().unwrap().session_id, Some(made(&world, 0)), "{}", told.text());
        }
    }
    // An alert that began later than the session at work wants one beside it, too.
    for status in [200, 429] {
        let world = working(|state| state.creates = vec![(status, true)]);
        world.add("s1", "running/working", 30, |_| ());
        let mut job = job(1, Policy { on_new_alerts: OnNewAlerts::Start, max_polls: 5, ..policy() });
        job.request.firing.latest_start = Some(START);
        let told = world.go_on(job);
        assert_eq!(world.alive(), ["s1".to_string(), made(&world, 0)], "{status}: {}", told.text());
    }
}

#[test]
fn a_rival_that_is_being_ended_does_not_win() {
    // Tagged before it is listed, or only before it is polled.
    for is_listed in [true, false] {
        let world = with_a_rival(|_| ());
        let told = play(&world, job(1, Policy { max_polls: 5, ..policy() }), |action| {
            let rival = &mut world.state().all[0].session;
            let is_due = is_listed || matches!(action, Action::Poll { session_id } if session_id == "s1");
            if is_due && rival.tags.len() == 2 {
                rival.tags.push(ENDED_TAG.to_string());
            }
            None
        });
        assert_eq!(world.count("terminate"), 0, "{is_listed}: {}", told.text());
        assert_eq!(told.outcome().unwrap().session_id, Some(made(&world, 0)), "{}", told.text());
    }
}

#[test]
fn a_session_that_a_list_names_in_capital_letters_is_the_same_one() {
    let world = working(|_| ());
    let told = play(&world, job(1, Policy { max_polls: 5, ..policy() }), |action| match action {
        Action::Find(query) => {
            let mut found = world.state().find(query).unwrap();
            found.iter_mut().for_each(|session| session.session_id.make_ascii_uppercase());
            Some(Observation::SessionsFound(found))
        }
        _ => None,
    });
    assert_eq!(world.count("terminate"), 0, "{}", told.text());
    assert!(!told.text().contains("session_duplicate"), "{}", told.text());
}

#[test]
fn what_a_refused_create_has_made_all_the_same_is_this_runs_own() {
    for (status, new_attempt, drop_tags) in
        [(429, false, false), (400, false, false), (429, true, false), (429, true, true), (400, true, false)]
    {
        let case = format!("{status} {new_attempt} {drop_tags}");
        let refusing = || {
            working(|state| {
                (state.creates, state.drop_tags) = (vec![(status, true)], drop_tags);
                state.explanation = Some("no more tags".to_string());
            })
        };
        let world = refusing();
        let given_up = Policy { new_attempt, on_timeout: OnTimeout::Terminate, max_polls: 5, ..policy() };
        let told = world.run(1, given_up.clone());
        assert_eq!((world.count("create"), world.alive().len()), (1, 0), "{case}: {}", told.text());
        assert!(told.text().contains("found_after_unclear_create"), "{case}: {}", told.text());
        // It yields to an older one of another run, as any does.
        let world = refusing();
        world.add("s1", "running/working", 30, |kept| kept.listed_from = START + 500);
        let told = world.run(1, Policy { on_timeout: OnTimeout::Leave, ..given_up });
        let stays = if new_attempt { vec!["s1".to_string(), made(&world, 0)] } else { vec!["s1".to_string()] };
        assert_eq!((world.count("create"), world.alive()), (1, stays), "{case}: {}", told.text());
    }
}

#[test]
fn a_process_that_goes_on_with_a_search_by_another_clock_looks_for_the_whole_window() {
    for skew in [-18_000_000, 18_000_000] {
        let world = working(|state| (state.creates, state.list_lag) = (vec![(500, true)], 45_000));
        let (mut is_killed, mut has_failed) = (false, false);
        let told = play(&world, job(1, Policy { max_polls: 3, ..policy() }), |action| match action {
            // The next process does not know Devin's clock until a find is answered.
            Action::WaitUntil(_) if world.count("create") == 1 && !is_killed => {
                is_killed = true;
                world.state().now += skew;
                Some(Observation::Started)
            }
            Action::Find(_) if is_killed && !has_failed => {
                has_failed = true;
                Some(Observation::FindFailed(error(Kind::Status(503), None)))
            }
            Action::WaitUntil(_) if has_failed && world.state().now.abs_diff(START) > 9_000_000 => {
                world.state().now -= skew;
                Some(Observation::WaitOver)
            }
            _ => None,
        });
        assert!(told.text().contains("found_after_unclear_create"), "{skew}: {}", told.text());
        assert!(world.state().now - START < 600_000, "{skew}: {}", told.text());
    }
}

#[test]
fn a_watch_that_began_by_another_clock_bears_a_poll_that_fails() {
    let world = working(|_| ());
    world.add("s1", "running/working", 30, |_| ());
    let mut polls = 0;
    let watch = Policy { max_polls: 5, ..policy() };
    let told = play(&world, Job::watching("w".to_string(), "s1".to_string(), watch, START - 18_000_000), |action| {
        polls += u32::from(matches!(action, Action::Poll { .. }));
        (polls == 2 && matches!(action, Action::Poll { .. }))
            .then(|| Observation::PollFailed(error(Kind::Status(503), None)))
    });
    assert_eq!(polls, 6, "{}", told.text());
}

#[test]
fn an_alert_that_is_held_has_one_outcome_however_its_session_ended() {
    for state in ["exit+", "error+", "suspended/out_of_quota+", "suspended/inactivity+", "running/working+!"] {
        let world = working(|_| ());
        world.add("s1", state, 7_200, |_| ());
        let outcome = world.run(1, policy()).outcome().unwrap();
        assert_eq!((outcome.result, outcome.result.exit_code(true)), (OutcomeKind::PrOpened, 0), "{state}");
        assert!(outcome.pr_url.is_some() && world.count("create") == 0, "{state}");
    }
}
