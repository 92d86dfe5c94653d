//! What becomes of a session that is at work when its alert is resolved.

use super::runs::{Told, job, play, policy};
use super::world::World;
use crate::relay::job::{Action, Firing, FiringReason, Observation, OnResolved, Policy};

/// A world whose sessions work for ten minutes and then finish with a pull request.
fn world() -> World {
    World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (600_000, "running/finished+".to_string())];
    })
}

/// A run in which, at the given waits for a poll, something else is heard.
fn heard(world: &World, policy: Policy, at: &[(u32, Observation)]) -> Told {
    let mut waits = 0;
    play(world, job(1, policy).made_patient(), |action| {
        waits += u32::from(matches!(action, Action::WaitUntil(_)));
        let now = matches!(action, Action::WaitUntil(_)).then_some(waits)?;
        at.iter().find(|(wait, _)| *wait == now).map(|(_, observation)| observation.clone())
    })
}

fn firing() -> Observation {
    Observation::NewAlerts(Firing { reason: FiringReason::Repeat, ..Firing::default() })
}

#[test]
fn a_session_goes_on_is_told_once_or_is_ended_as_the_rule_says() {
    for (on_resolved, said, messages, result, ended) in [
        (OnResolved::Annotate, "its session goes on", 0, "pr_opened", 0),
        (OnResolved::Message, "its session is told", 1, "pr_opened", 0),
        (OnResolved::Terminate, "its session is ended", 0, "terminated", 1),
        (OnResolved::Ignore, "", 0, "pr_opened", 0),
    ] {
        let world = world();
        let resolved = [(4, Observation::AlertResolved), (6, Observation::AlertResolved)];
        let told = heard(&world, Policy { on_resolved, ..policy() }, &resolved);
        assert!(told.text().contains(said), "{}", told.text());
        assert_eq!(told.text().contains("alert_resolved"), on_resolved != OnResolved::Ignore, "{}", told.text());
        let outcome = told.outcome().unwrap();
        let result_word = serde_json::to_value(outcome.result).unwrap();
        assert_eq!(
            (world.state().messages.len(), result_word.as_str().unwrap()),
            (messages, result),
            "{}",
            told.text()
        );
        assert_eq!(world.count("terminate"), ended, "{on_resolved:?}");
    }
}

#[test]
fn only_a_session_that_the_job_has_made_is_ended() {
    let world = world();
    world.add("s1", "running/working", 60, |kept| {
        kept.plan = vec![(super::world::START + 600_000, "exit+".to_string())];
    });
    let terminate = Policy { on_resolved: OnResolved::Terminate, ..policy() };
    let told = heard(&world, terminate, &[(2, Observation::AlertResolved)]);
    assert!(told.text().contains("on_resolved ends only one that this job has made"), "{}", told.text());
    assert_eq!(world.count("terminate"), 0);
}

#[test]
fn a_session_that_has_something_to_show_when_it_is_ended_keeps_it() {
    let world = World::new(|state| state.life = vec![(5_000, "running/working+".to_string())]);
    let terminate = Policy { on_resolved: OnResolved::Terminate, ..policy() };
    let told = heard(&world, terminate, &[(4, Observation::AlertResolved)]);
    let outcome = told.outcome().unwrap();
    assert!(outcome.pr_url.is_some() && outcome.reason.contains("opened a pull request"), "{}", told.text());
}

#[test]
fn an_alert_that_fires_again_while_its_session_is_ended_is_owed_another_one() {
    let world = world();
    let terminate = Policy { on_resolved: OnResolved::Terminate, ..policy() };
    let mut is_ending = false;
    let mut waits = 0;
    let told = play(&world, job(1, terminate).made_patient(), |action| match action {
        Action::WaitUntil(_) => {
            waits += 1;
            (waits == 4).then_some(Observation::AlertResolved)
        }
        Action::Tag { .. } if !is_ending => {
            is_ending = true;
            Some(firing())
        }
        _ => None,
    });
    assert!(is_ending && told.job.is_owing(), "{}", told.text());
}
