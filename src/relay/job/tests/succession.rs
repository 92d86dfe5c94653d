//! An alert that fires while Devin goes on to show a session at work that an earlier job of it has ended.

use super::runs::{Told, job, play, policy};
use super::world::World;
use crate::devin::Kind;
use crate::devin::session::Session;
use crate::relay::job::{Action, Firing, FiringReason, Job, Observation, OnResolved, Policy};

/// A world whose sessions work for ten minutes and then finish with a pull request, and end late.
fn world(end_lag: i64) -> World {
    World::new(|state| {
        state.end_lag = end_lag;
        state.life = vec![(5_000, "running/working".to_string()), (600_000, "running/finished+".to_string())];
    })
}

/// A job in which something is heard at its fourth wait.
fn heard(world: &World, policy: Policy, what: &Observation) -> Told {
    let mut waits = 0;
    play(world, job(1, policy).made_patient(), |action| {
        waits += u32::from(matches!(action, Action::WaitUntil(_)));
        (matches!(action, Action::WaitUntil(_)) && waits == 4).then(|| what.clone())
    })
}

fn on(world: &World, job: Job) -> Told {
    play(world, job.made_patient(), |_| None)
}

/// A new session was made, and the one that was ended is not what became of the alert.
fn assert_another(world: &World, told: &Told) {
    assert_eq!((told.result().as_str(), world.count("create")), ("PrOpened", 2), "{}", told.text());
    assert!(told.text().contains("was being ended when it was adopted"), "{}", told.text());
    assert_eq!(world.count("terminate"), 1, "{}", told.text());
    assert_eq!(world.alive().len(), 1, "never two");
}

#[test]
fn what_a_person_had_ended_is_not_taken_for_the_alerts_session() {
    for lag in [2_000, 15_000, 90_000] {
        let world = world(lag);
        let first = heard(&world, policy(), &Observation::EndAsked("ann".to_string()));
        assert_eq!(first.result(), "Terminated", "{}", first.text());
        let by_hand = first.job.again("job-2".to_string(), Some("b".repeat(16)));
        assert_another(&world, &on(&world, by_hand));
    }
}

#[test]
fn an_alert_that_flaps_while_its_session_is_ended_gets_another_one() {
    for follows in [false, true] {
        let world = world(15_000);
        let terminate = Policy { on_resolved: OnResolved::Terminate, ..policy() };
        let first = heard(&world, terminate, &Observation::AlertResolved);
        assert_eq!(first.result(), "Terminated", "{}", first.text());
        let mut earlier = first.job.clone();
        earlier.is_owing = follows;
        assert_another(&world, &on(&world, job(2, policy()).after(&earlier)));
    }
}

#[test]
fn a_list_that_shows_it_at_work_for_longer_holds_nothing_back() {
    let world = world(15_000);
    heard(&world, policy(), &Observation::EndAsked("ann".to_string()));
    world.state().all[0].listed_as = Some("running/working".to_string());
    assert_another(&world, &on(&world, job(2, policy())));
}

#[test]
fn alerts_that_joined_in_the_meantime_are_told_to_the_new_session() {
    let world = world(15_000);
    heard(&world, policy(), &Observation::EndAsked("ann".to_string()));
    let of = |prints: &[&str], reason| Firing {
        reason,
        fingerprints: prints.iter().map(ToString::to_string).collect(),
        message: "more".to_string(),
        ..Firing::default()
    };
    let mut second = job(2, policy());
    second.request.firing = of(&["a"], FiringReason::First);
    let mut is_told = false;
    let told = play(&world, second.made_patient(), |action| {
        let now = matches!(action, Action::WaitUntil(_)) && !is_told;
        is_told |= now;
        now.then(|| Observation::NewAlerts(of(&["a", "b"], FiringReason::NewAlerts)))
    });
    assert_another(&world, &told);
    let last = told.text().rfind("session_messaged").unwrap();
    assert!(last > told.text().find("session_created").unwrap(), "{}", told.text());
    assert!(!told.job.is_owing());
}

#[test]
fn one_whose_end_failed_works_on_and_nothing_is_started_beside_it() {
    let world = world(0);
    world.state().end_failures = (1, 403);
    let first = heard(&world, policy(), &Observation::EndAsked("ann".to_string()));
    assert!(first.text().contains("and it goes on"), "{}", first.text());
    let is_tagged = |session: &Session| session.tags.iter().any(|tag| tag == "ar-ended");
    assert!(world.state().all.iter().any(|kept| is_tagged(&kept.session)));
    super::world::put(&mut world.state().all[0].session, "running/working");
    let now = world.state().now;
    world.state().all[0].plan = vec![(now + 300_000, "running/finished".to_string())];
    world.state().all[0].session.pull_requests.clear();
    let told = on(&world, job(2, policy()));
    assert!(told.text().contains("alive"), "{}", told.text());
    assert_eq!(world.count("create"), 1, "{}", told.text());
}

#[test]
fn an_alert_that_was_resolved_in_the_meantime_needs_none() {
    let world = world(15_000);
    heard(&world, policy(), &Observation::EndAsked("ann".to_string()));
    let mut is_told = false;
    let told = play(&world, job(2, policy()).made_patient(), |action| {
        let now = matches!(action, Action::WaitUntil(_)) && !is_told;
        is_told |= now;
        now.then_some(Observation::AlertResolved)
    });
    assert_eq!((told.result().as_str(), world.count("create")), ("Terminated", 1), "{}", told.text());
}

#[test]
fn a_find_that_fails_then_is_made_again() {
    let world = world(15_000);
    heard(&world, policy(), &Observation::EndAsked("ann".to_string()));
    let (mut finds, mut is_failed) = (0, false);
    let mut job = job(2, policy()).made_patient();
    // As the engine does: what the job waits out is asked for again.
    let mut observation = Observation::Started;
    for _ in 0..500 {
        let now = crate::relay::driver::Clock::now(&world);
        let (after, _, next) = World::step(job, observation, now);
        job = after;
        let Some(action) = next.filter(|_| job.end().is_none()) else { break };
        finds += u32::from(matches!(action, Action::Find(_)));
        observation = world.perform(&action);
        if finds == 2 && !is_failed {
            is_failed = true;
            observation = Observation::FindFailed(super::world::error(Kind::Status(503), None));
        }
        if job.wait_out(&observation).is_some() {
            observation = Observation::WaitOver;
        }
    }
    assert!(is_failed && job.end().is_some());
    assert_eq!(world.count("create"), 2);
}
