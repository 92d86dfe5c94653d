//! Faults that the random histories have found, each with its smallest reproduction.

use std::time::Duration;

use super::runs::{Told, job, play, policy};
use super::world::{START, State, World, error};
use crate::devin::Kind;
use crate::relay::job::{Action, End, Job, Observation, OnTimeout, Policy};
use crate::relay::names::ENDED_TAG;
use crate::relay::outcome::OutcomeKind;

/// A world in which sessions work for ever.
pub fn working(change: impl FnOnce(&mut State)) -> World {
    World::new(|state| {
        state.life = vec![(1_000, "running/working".to_string())];
        change(state);
    })
}

/// A world in which an older session of another run is listed half a second after the first find.
pub fn with_a_rival(change: impl FnOnce(&mut State)) -> World {
    let world = working(change);
    world.add("s1", "running/working", 30, |kept| kept.listed_from = START + 500);
    world
}

pub fn named(told: &Told, id: &str) -> bool {
    let said = format!(r#""event":"session_duplicate","session_id":"{id}""#);
    told.text().lines().any(|line| line.contains(&said) && line.contains(r#""terminated":false"#))
}

/// The identifier of the session that a run has made.
pub fn made(world: &World, number: usize) -> String {
    let state = world.state();
    let mut all = state.all.iter().map(|kept| &kept.session.session_id).filter(|id| id.starts_with("new-"));
    all.nth(number).unwrap().clone()
}

#[test]
fn a_run_that_is_asked_to_stop_while_it_ends_a_duplicate_ends_with_the_session_that_goes_on() {
    let world = with_a_rival(|_| ());
    let told = play(&world, job(1, policy()), |action| {
        matches!(action, Action::Terminate { .. }).then_some(Observation::StopAsked)
    });
    assert_eq!(told.job.end(), Some(&End::Stopped { session_id: Some("s1".to_string()) }), "{}", told.text());
    assert!(named(&told, &made(&world, 0)), "{}", told.text());
}

#[test]
fn a_run_that_is_asked_to_stop_while_it_looks_for_its_session_ends_once_it_has_found_it() {
    let world = working(|state| state.creates = vec![(500, true)]);
    let mut is_asked = false;
    let told = play(&world, job(1, policy()), |action| {
        let now = matches!(action, Action::Find(_)) && world.count("create") == 1 && !is_asked;
        is_asked |= now;
        now.then_some(Observation::StopAsked)
    });
    let session_id = Some(made(&world, 0));
    assert_eq!(told.job.end(), Some(&End::Stopped { session_id }), "{}", told.text());
    assert!(told.text().contains("found_after_unclear_create"), "{}", told.text());
}

#[test]
fn a_find_for_rivals_that_failed_is_made_again() {
    for detach in [false, true] {
        // Two finds come before the create, and the one that is due last fails.
        let world = with_a_rival(|state| state.failing_find = Some(if detach { 2 } else { 3 }));
        world.state().all[0].listed_from = START + if detach { 500 } else { 59_000 };
        let told = world.run(1, Policy { detach, max_polls: 9, ..policy() });
        assert!(told.text().contains("is not known"), "{}", told.text());
        assert_eq!(world.alive(), ["s1"], "{}", told.text());
    }
    // Where every one fails, a detached run says what it does not know.
    let world = with_a_rival(|_| ());
    let told = play(&world, job(1, Policy { detach: true, ..policy() }), |action| {
        let fails = matches!(action, Action::Find(_)) && world.count("create") == 1;
        fails.then(|| Observation::FindFailed(error(Kind::Status(503), None)))
    });
    assert!(told.text().contains(r#""event":"warning""#) && told.text().contains("names every session"));
    assert!(matches!(told.job.end(), Some(End::Detached { .. })));
}

#[test]
fn a_session_that_was_made_a_moment_ago_is_ended_although_it_is_not_there_yet() {
    let world = with_a_rival(|state| state.get_lag = 3_000);
    let told = world.run(1, Policy { max_polls: 3, ..policy() });
    assert_eq!(world.alive(), ["s1"], "{}", told.text());
    let tags = world.state().all[1].session.tags.clone();
    assert!(tags.iter().any(|tag| tag == ENDED_TAG), "{}", told.text());
    // One that nothing has ended is not taken for ended because it cannot be seen.
    let world = with_a_rival(|state| state.end_failures = (9, 404));
    let told = world.run(1, Policy { max_polls: 3, ..policy() });
    assert!(named(&told, &made(&world, 0)) && world.count("terminate") == 7, "{}", told.text());
    // After an answer that did not say whether it has ended, it may have: but a session that nobody has been able to poll
    // may as well not be there yet.
    for (listed_from, status, is_over) in [(500, 409, true), (500, 404, false), (50_000, 404, true)] {
        let world = with_a_rival(|_| ());
        world.state().all[0].listed_from = START + listed_from;
        let mut answers = vec![status; 6];
        answers.push(503);
        let told = play(&world, job(1, Policy { max_polls: 5, ..policy() }), |action| match action {
            Action::Terminate { .. } => {
                let kind = Kind::Status(answers.pop()?);
                Some(Observation::Terminated(Err(error(kind, None))))
            }
            _ => None,
        });
        let is_said = told.text().contains(r#""terminated":true"#);
        assert_eq!(is_said, is_over, "{listed_from} {status}: {}", told.text());
    }
}

#[test]
fn a_session_that_is_found_after_an_unclear_create_without_its_names_is_said_to_be_hard_to_find() {
    let world = working(|state| {
        (state.creates, state.upper_tags, state.drop_title, state.ignores_filters) =
            (vec![(500, true)], true, true, true);
    });
    let told = world.run(1, Policy { detach: true, ..policy() });
    assert!(told.text().contains("kept neither the tags nor the marker"), "{}", told.text());
}

/// Two sessions of one attempt: the first is hidden for as long as its run looks for it.
fn twice(change: impl FnOnce(&mut State)) -> (World, Job) {
    let world = working(|state| {
        (state.creates, state.list_lag) = (vec![(500, true), (200, true)], 91_500);
        change(state);
    });
    (world, job(1, Policy { create_again: true, max_polls: 9, ..policy() }))
}

#[test]
fn the_second_session_of_one_attempt_is_ended_in_favor_of_the_first() {
    let (world, job) = twice(|_| ());
    let told = world.go_on(job);
    assert_eq!(world.alive(), [made(&world, 0)], "{}", told.text());
    assert!(told.text().contains("this attempt made an older session, too"), "{}", told.text());
    // It is this run's own, and may be ended when the time is up.
    let (world, mut job) = twice(|_| ());
    job.policy.on_timeout = OnTimeout::Terminate;
    let told = world.go_on(job);
    assert!(world.alive().is_empty(), "{}", told.text());
}

#[test]
fn of_two_sessions_of_one_attempt_none_is_ended_in_favor_of_one_that_is_dead_or_cannot_be_seen() {
    // Both are found at once; the older one has ended since it was listed.
    let both = |alive: bool| {
        let world = working(|state| state.creates = vec![(500, true)]);
        let told = play(&world, job(1, policy()), |action| {
            let mut state = world.state();
            if matches!(action, Action::Find(_))
                && state.asked.iter().any(|asked| asked == "create")
                && state.all.len() == 1
            {
                let mut second = state.all[0].clone();
                second.session.session_id = "new-second".to_string();
                second.session.created_at = second.session.created_at.map(|at| at + 1);
                state.all.push(second);
            }
            if matches!(action, Action::Poll { .. }) && !alive {
                state.all[0].session.status = "error".to_string();
            }
            None
        });
        (world.alive().len(), world.count("terminate new-second"), told)
    };
    let (alive, ended, told) = both(true);
    assert_eq!((alive, ended), (1, 1), "{}", told.text());
    let (alive, ended, told) = both(false);
    assert_eq!((alive, ended), (1, 0), "{}", told.text());
    assert!(named(&told, "new-second"), "{}", told.text());
}

#[test]
fn of_two_sessions_that_an_unclear_create_made_the_one_that_is_alive_is_taken() {
    let world = working(|state| state.creates = vec![(500, true)]);
    let told = play(&world, job(1, Policy { max_polls: 2, ..policy() }), |action| {
        let mut state = world.state();
        if matches!(action, Action::Find(_)) && state.all.len() == 1 {
            let mut dead = state.all[0].clone();
            dead.session.session_id = "new-dead".to_string();
            dead.session.status = "error".to_string();
            dead.session.created_at = dead.session.created_at.map(|at| at - 1);
            state.all.push(dead);
        }
        None
    });
    assert_eq!(told.outcome().unwrap().session_id, Some(made(&world, 0)), "{}", told.text());
}

#[test]
fn a_process_that_goes_on_sees_again_whether_a_rival_is_alive_before_it_ends_anything() {
    for kill in ["tag", "terminate"] {
        let world = with_a_rival(|_| ());
        let mut is_killed = false;
        let told = play(&world, job(1, Policy { max_polls: 3, ..policy() }), |action| {
            let now = !is_killed && action.name() == kill;
            is_killed |= now;
            if now {
                world.state().all[0].session.status = "error".to_string();
            }
            now.then_some(Observation::Started)
        });
        assert_eq!(world.count("terminate"), 0, "{kill}: {}", told.text());
        assert_eq!(world.alive(), [made(&world, 0)], "{kill}: {}", told.text());
    }
}

#[test]
fn a_younger_session_is_named_also_where_an_older_one_is_dead() {
    let world = working(|_| ());
    world.add("s1", "error", 7_200, |kept| {
        (kept.listed_from, kept.listed_as) = (START + 900, Some("running/working".to_string()));
    });
    world.add("s2", "running/working", -5, |kept| kept.listed_from = START + 6_000);
    let told = world.run(1, Policy { max_polls: 5, ..policy() });
    assert!(named(&told, "s2") && world.count("terminate") == 0, "{}", told.text());
}

#[test]
fn a_live_session_that_has_lost_its_tags_is_found_beside_one_that_has_ended_long_ago() {
    let world = working(|_| ());
    world.add("s1", "exit", 90_000, |_| ());
    world.add("s2", "running/working", 60, |kept| {
        kept.session.tags.clear();
        kept.session.title = job(7, policy()).request.new.title;
    });
    let told = world.run(1, Policy { detach: true, ..policy() });
    assert_eq!(world.count("create"), 0, "{}", told.text());
}

#[test]
fn a_session_that_waits_for_a_person_is_named_where_another_one_that_ended_is_reported() {
    let world = working(|_| ());
    world.add("s1", "running/waiting_for_user", 90_000, |_| ());
    world.add("s2", "exit", 300, |_| ());
    let told = world.run(1, policy());
    assert_eq!(told.outcome().unwrap().session_id.as_deref(), Some("s2"), "{}", told.text());
    assert!(named(&told, "s1") && told.text().contains("younger session that counts"), "{}", told.text());
}

#[test]
fn what_an_unclear_create_may_have_made_is_said_whatever_is_found_instead() {
    for state in ["exit", "running/working", "exit+"] {
        let world = working(|state| state.creates = vec![(500, false)]);
        let age = if state == "exit+" { 7_200 } else { 60 };
        world.add("s1", state, age, |kept| kept.listed_from = START + 80_000);
        let told = world.run(1, Policy { create_again: true, max_polls: 2, ..policy() });
        assert_eq!(told.outcome().unwrap().session_id.as_deref(), Some("s1"), "{state}: {}", told.text());
        assert!(told.text().contains("a session may have been created that no list shows yet"), "{}", told.text());
    }
}

#[test]
fn a_clock_that_is_hours_off_until_devin_answers_decides_nothing() {
    for skew in [-18_000_000, 7_200_000] {
        let world = World::new(|state| {
            state.skew = skew;
            state.life = vec![(1_000, "running/working".to_string()), (90_000, "running/finished+".to_string())];
        });
        let told = world.run(1, policy());
        let seconds = told.outcome().unwrap().seconds;
        assert!((60..240).contains(&seconds), "{skew}: {}", told.text());
    }
}

#[test]
fn a_process_that_goes_on_waits_no_longer_than_one_may() {
    let world = working(|_| ());
    let mut is_killed = false;
    let long = Policy { poll_interval: Duration::from_secs(1_000), max_polls: 3, ..policy() };
    let told = play(&world, job(1, long), |action| {
        let now = !is_killed && matches!(action, Action::WaitUntil(until) if *until > world.state().now + 500_000);
        is_killed |= now;
        now.then_some(Observation::Started)
    });
    let polled = world.state().polled_at.clone();
    assert!(is_killed && polled[1] - polled[0] < 120_000, "{polled:?} {}", told.text());
    // A limited create waits five minutes at most, though the job was kept hours ago by a clock that was ahead.
    let world = working(|state| (state.creates, state.retry_after) = (vec![(429, false)], Some(200)));
    let mut is_killed = false;
    let told = play(&world, job(1, Policy { detach: true, ..policy() }), |action| {
        let now = !is_killed && matches!(action, Action::WaitUntil(_));
        is_killed |= now;
        if now {
            world.state().now -= 36_000_000;
        }
        now.then_some(Observation::Started)
    });
    assert!(world.state().now < START - 35_000_000, "{}", told.text());
    // The search after an unclear create goes on at once.
    let world = working(|state| (state.creates, state.list_lag) = (vec![(500, true)], 70_000));
    let mut finds = Vec::new();
    let told = play(&world, job(1, Policy { detach: true, ..policy() }), |action| match action {
        Action::Find(_) => {
            finds.push(world.state().now);
            None
        }
        Action::WaitUntil(_) if finds.len() < 6 => Some(Observation::Started),
        _ => None,
    });
    assert!(finds[5] == finds[2] && matches!(told.job.end(), Some(End::Detached { .. })), "{}", told.text());
}

#[test]
fn a_run_that_was_killed_right_after_its_create_leaves_what_the_next_ones_adopt_and_name() {
    let world = working(|state| state.list_lag = 3_000);
    for number in [1, 2] {
        // The process is gone for good before its find.
        let mut before = job(number, policy());
        let mut observation = Observation::Started;
        loop {
            let (after, _, next) = World::step(before, observation, world.state().now);
            let action = next.unwrap();
            before = after;
            observation = world.perform(&action);
            if matches!(action, Action::Create(_)) {
                break;
            }
        }
        world.state().advance(1_000);
    }
    let third = world.run(3, Policy { max_polls: 5, ..policy() });
    // Behind the lag there are two, which no later run ends, and the third yields to the oldest.
    assert_eq!((world.alive().len(), world.count("terminate")), (2, 1), "{}", third.text());
    assert_eq!(third.outcome().unwrap().session_id, Some(made(&world, 0)), "{}", third.text());
    let later = world.run(4, Policy { max_polls: 1, ..policy() });
    assert!(named(&later, &made(&world, 1)) && later.text().contains(&made(&world, 0)), "{}", later.text());
    assert_eq!((world.count("create"), later.result()), (3, format!("{:?}", OutcomeKind::PollTimeout)));
}

#[test]
fn a_session_is_told_of_new_alerts_five_times_and_then_no_more() {
    use crate::relay::job::{Firing, FiringReason};
    let world = working(|_| ());
    let mut number = 0;
    let told = play(&world, job(1, Policy { max_polls: 40, ..policy() }), |action| {
        let is_watching = world.count("poll") > 0 && matches!(action, Action::WaitUntil(_)) && number < 9;
        is_watching.then(|| {
            number += 1;
            let fingerprints = vec![format!("f{number}")];
            let message = format!("alert {number}");
            Observation::NewAlerts(Firing {
                reason: FiringReason::NewAlerts,
                fingerprints,
                latest_start: None,
                message,
            })
        })
    });
    let messages = ["alert 1", "alert 2", "alert 3", "alert 4", "alert 5"];
    assert_eq!((world.state().messages.clone(), number), (messages.map(str::to_string).to_vec(), 9), "{}", told.text());
}
