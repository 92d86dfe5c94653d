//! What a person asks of a session that is watched, and of an alert whose job has ended.

use super::runs::{Told, job, play, policy};
use super::world::World;
use crate::relay::job::{Action, Observation};

/// A world whose sessions work for ten minutes and then finish with a pull request.
fn world() -> World {
    World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (600_000, "running/finished+".to_string())];
    })
}

/// A run in which a person twice asks for the end of the session.
fn asked(world: &World) -> Told {
    let mut waits = 0;
    play(world, job(1, policy()).made_patient(), |action| {
        waits += u32::from(matches!(action, Action::WaitUntil(_)));
        let is_now = matches!(action, Action::WaitUntil(_)) && [4, 5].contains(&waits);
        is_now.then(|| Observation::EndAsked("ann".to_string()))
    })
}

#[test]
fn a_session_that_the_job_has_made_is_ended_once_when_a_person_asks() {
    let world = world();
    let told = asked(&world);
    let outcome = told.outcome().unwrap();
    let word = serde_json::to_value(outcome.result).unwrap();
    assert_eq!((word.as_str().unwrap(), world.count("terminate")), ("terminated", 1), "{}", told.text());
    assert_eq!(outcome.reason, "the session was ended, as ann asked", "{}", told.text());
    assert!(told.job.objection_to_end().unwrap().contains("the job has ended"));
}

#[test]
fn a_session_that_waits_for_a_person_can_be_ended_too() {
    let world = World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (30_000, "running/waiting_for_user".to_string())];
    });
    let told = asked(&world);
    assert_eq!(world.count("terminate"), 1, "{}", told.text());
    assert!(told.outcome().unwrap().reason.contains("as ann asked"), "{}", told.text());
}

#[test]
fn what_a_session_has_to_show_when_it_is_ended_counts() {
    let world = World::new(|state| state.life = vec![(5_000, "running/working+".to_string())]);
    let told = asked(&world);
    assert!(told.outcome().unwrap().pr_url.is_some() && world.count("terminate") == 1, "{}", told.text());
}

#[test]
fn a_session_of_somebody_else_goes_on_and_whoever_asked_is_told_why() {
    let world = world();
    world.add("s1", "running/working", 60, |kept| {
        kept.plan = vec![(super::world::START + 600_000, "exit+".to_string())];
    });
    let told = asked(&world);
    assert!(told.text().contains("was not created by this job"), "{}", told.text());
    assert_eq!(world.count("terminate"), 0, "{}", told.text());
}

#[test]
fn a_job_without_a_session_has_none_to_end() {
    assert_eq!(job(1, policy()).objection_to_end().unwrap(), "the job has no session yet");
}
