//! Faults that have been seen, each with its smallest reproduction.

use super::runs::{job, play, policy};
use super::world::{START, World};
use crate::relay::job::{Action, OnSessionLimit, OnTimeout, Policy};
use crate::relay::names::ENDED_TAG;

pub fn done() -> Vec<(i64, String)> {
    vec![(5_000, "running/working".to_string()), (90_000, "running/finished+".to_string())]
}

/// A world whose sessions finish with a pull request.
fn world() -> World {
    World::new(|state| state.life = done())
}

fn terminating() -> Policy {
    Policy { on_timeout: OnTimeout::Terminate, max_polls: 2, ..policy() }
}

#[test]
fn a_session_without_credits_that_is_listed_late_is_no_rival() {
    let world = world();
    world.add("s1", "suspended/out_of_credits", 5, |kept| kept.listed_from = START + 600);
    let told = world.run(1, policy());
    assert_eq!((told.result().as_str(), world.count("terminate")), ("PrOpened", 0), "{}", told.text());
}

#[test]
fn a_failed_session_behind_a_stale_list_is_no_rival() {
    for (age, detach) in [(600, false), (18_000, false), (18_000, true)] {
        let world = world();
        world.add("s1", "error", age, |_| ());
        world.state().stale_lists = 2;
        let told = world.run(1, Policy { detach, ..policy() });
        assert_eq!((world.count("terminate"), world.alive().len()), (0, 1), "{}", told.text());
        assert!(!told.text().contains("\"s1\""), "{}", told.text());
    }
}

#[test]
fn a_session_that_the_relay_ended_never_counts_and_one_that_it_could_not_end_does() {
    let world = world();
    world.add("s1", "exit", 300, |kept| kept.session.tags.push(ENDED_TAG.to_string()));
    world.add("s2", "running/working", 200, |kept| {
        kept.listed_from = START + 1_000;
        kept.plan = vec![(START + 100_000, "running/finished+".to_string())];
    });
    let told = world.run(1, policy());
    assert_eq!(told.outcome().unwrap().session_id.as_deref(), Some("s2"), "{}", told.text());
    assert_eq!((told.result().as_str(), world.count("terminate")), ("PrOpened", 1));
    let other = World::new(|_| ());
    other.add("s1", "running/working", 200, |kept| kept.session.tags.push(ENDED_TAG.to_string()));
    other.run(1, Policy { detach: true, ..policy() });
    assert_eq!(other.count("create"), 0);
}

#[test]
fn a_session_that_another_run_ended_is_terminated_for_those_that_adopted_it() {
    let world = World::new(|state| state.life = vec![(1_000, "running/working".to_string())]);
    let first = world.run(1, Policy { detach: true, ..policy() });
    let adopted = world.run(2, Policy { max_polls: 1, ..policy() });
    assert_eq!(adopted.result(), "PollTimeout");
    let id = world.alive()[0].clone();
    world.add("x", "exit", 0, |kept| kept.session.tags.push(ENDED_TAG.to_string()));
    let mut state = world.state();
    let kept = state.all.iter_mut().find(|kept| kept.session.session_id == id).unwrap();
    let later = START + 600_000;
    kept.plan = vec![(later, "exit".to_string())];
    drop(state);
    let told = play(&world, job(3, policy()), |action| {
        // The other run begins to end it once it was adopted.
        if matches!(action, Action::WaitUntil(_)) {
            let mut state = world.state();
            let kept = state.all.iter_mut().find(|kept| kept.session.session_id == id).unwrap();
            kept.session.tags.push(ENDED_TAG.to_string());
        }
        None
    });
    assert_eq!(told.result(), "Terminated", "{}{}", first.text(), told.text());
}

#[test]
fn an_alert_is_not_swallowed_where_its_session_could_not_be_tagged() {
    let world = World::new(|state| {
        state.life = vec![(1_000, "running/working".to_string())];
        state.tag_failures = (2, 500);
    });
    let told = world.run(1, terminating());
    assert!(told.outcome().unwrap().reason.contains("terminated, as --on-timeout asks"), "{}", told.text());
    world.state().life = done();
    let again = world.run(2, policy());
    assert_eq!((world.count("create"), again.result().as_str()), (2, "PrOpened"), "{}", again.text());
    // For good: it is left running, which is said, and the next run adopts it.
    let world = World::new(|state| {
        state.life = vec![(1_000, "running/working".to_string())];
        state.tag_failures = (9, 500);
    });
    let told = world.run(1, terminating());
    assert!(told.outcome().unwrap().reason.contains("could not be tagged"), "{}", told.text());
    world.run(2, Policy { detach: true, ..policy() });
    assert_eq!((world.count("create"), world.count("terminate")), (1, 0));
}

#[test]
fn a_session_that_could_not_be_ended_is_said_and_tried_again() {
    let world = World::new(|state| {
        state.life = vec![(1_000, "running/working".to_string())];
        state.end_failures = (2, 500);
    });
    let told = world.run(1, terminating());
    assert_eq!((world.count("terminate"), world.alive().len()), (3, 0), "{}", told.text());
    let world = World::new(|state| {
        state.life = vec![(1_000, "running/working".to_string())];
        state.end_failures = (9, 403);
    });
    let told = world.run(1, terminating());
    assert!(told.outcome().unwrap().reason.contains("could not be terminated"), "{}", told.text());
}

#[test]
fn only_what_carries_the_attempts_tag_is_taken_for_what_an_unclear_create_made() {
    let world = World::new(|state| {
        state.life = done();
        (state.creates, state.list_lag, state.stale_lists) = (vec![(500, true)], 4_000, 2);
    });
    world.add("s1", "exit", 7_200, |_| ());
    let told = world.run(1, policy());
    let id = told.outcome().unwrap().session_id.unwrap();
    assert!(id.starts_with("new-") && told.result() == "PrOpened", "{}", told.text());
    // The search ends honestly where there is nothing.
    let world = World::new(|state| state.creates = vec![(500, false)]);
    world.add("s1", "exit", 7_200, |_| ());
    assert_eq!((world.run(1, policy()).result().as_str(), world.count("create")), ("CreateUnknown", 1));
}

#[test]
fn dropped_tags_are_said_and_the_titles_marker_tells_the_session() {
    let world = World::new(|state| (state.life, state.drop_tags) = (done(), true));
    let told = world.run(1, Policy { detach: true, ..policy() });
    assert!(told.text().contains("did not keep the tags"), "{}", told.text());
    world.run(2, Policy { detach: true, ..policy() });
    assert_eq!(world.count("create"), 1);
    // With neither it is said, and the outcome is unknown.
    for upper in [false, true] {
        let world = World::new(|state| {
            (state.drop_tags, state.upper_tags, state.drop_title) = (!upper, upper, true);
        });
        let told = world.run(1, policy());
        assert_eq!(told.result(), "CreateUnknown", "{}", told.text());
        assert!(told.outcome().unwrap().session_url.is_some());
    }
}

#[test]
fn the_cooldown_holds_where_tags_are_refused() {
    let world = World::new(|state| {
        (state.refuse_tags, state.life) = (true, vec![(5_000, "exit".to_string())]);
    });
    let told = world.run(1, policy());
    assert!(told.result() == "NoPr" && told.text().contains("cannot be told from"), "{}", told.text());
    let creates = world.count("create");
    let again = world.run(2, policy());
    assert_eq!((world.count("create"), again.result().as_str()), (creates, "NoPr"), "{}", again.text());
}

#[test]
fn an_open_pull_request_holds_the_alert_for_a_week() {
    let held = |age_s, holds: bool| {
        let world = world();
        world.add("s1", "exit+", age_s, |_| ());
        let mut policy = policy();
        policy.holds.while_pr_open = policy.holds.while_pr_open.filter(|_| holds);
        let told = world.run(1, policy);
        (world.count("create"), told.text().contains(r#""event":"alert_held""#))
    };
    assert_eq!(held(7_200, true), (0, true));
    assert_eq!(held(8 * 86_400, true), (1, false));
    assert_eq!(held(7_200, false), (1, false));
}

#[test]
fn an_archived_session_is_not_adopted_and_neither_is_one_in_an_unknown_state_for_months() {
    let world = world();
    world.add("s1", "running/waiting_for_user", 20 * 86_400, |kept| kept.session.is_archived = true);
    world.add("s2", "suspended/napping", 60 * 86_400, |_| ());
    let told = world.run(1, policy());
    assert_eq!((world.count("create"), told.result().as_str()), (1, "PrOpened"), "{}", told.text());
}

#[test]
fn runs_that_race_behind_a_lagging_list_leave_one_session() {
    for (lag, apart) in [(5_000, 3_000), (20_000, 12_000), (50_000, 9_000)] {
        let world = World::new(|state| {
            (state.life, state.list_lag) = (vec![(1_000, "running/working".to_string())], lag);
        });
        world.run(1, Policy { detach: true, ..policy() });
        world.state().now += apart - 1_100;
        let second = world.run(2, Policy { max_polls: 4, ..policy() });
        assert_eq!(world.alive().len(), 1, "lag {lag}: {}", second.text());
        assert!(second.text().contains("older_session_of_another_run"), "{}", second.text());
    }
}

#[test]
fn nothing_is_ended_in_favor_of_a_rival_that_is_dead_or_cannot_be_seen() {
    let world = world();
    world.add("s1", "running/working", 30, |kept| {
        (kept.listed_from, kept.readable_from) = (START + 900, START + 3_600_000);
    });
    let told = world.run(1, policy());
    assert_eq!(world.count("terminate"), 0, "{}", told.text());
    assert!(told.text().contains("whether it is alive is not known"), "{}", told.text());
    // The list goes on to show one at work that has ended.
    for state in ["exit", "error", "suspended/out_of_credits"] {
        let world = world_of_two(state);
        let told = world.run(1, policy());
        assert_eq!(world.count("terminate"), 0, "{state}: {}", told.text());
        assert_eq!(told.result(), "PrOpened", "{state}: {}", told.text());
    }
    let world = world_of_two("running/working");
    world.run(1, Policy { max_polls: 3, ..policy() });
    assert_eq!(world.count("terminate new-"), 1, "one that is alive is a rival");
}

/// An older session that lists begin to show as working, and that is in this state.
fn world_of_two(state: &str) -> World {
    let world = world();
    world.add("s1", state, 7_200, |kept| {
        (kept.listed_from, kept.listed_as) = (START + 900, Some("running/working".to_string()));
    });
    world
}

#[test]
fn a_limited_create_waits_five_minutes_in_all() {
    let world = World::new(|state| (state.creates, state.retry_after) = (vec![(429, false); 9], Some(200)));
    let told = world.run(1, policy());
    assert_eq!(world.count("create"), 2);
    assert!(told.text().contains("rate_limited") && told.text().contains("asks to wait"), "{}", told.text());
}

#[test]
fn the_limit_of_sessions_at_once_is_waited_out_or_said() {
    let limited = || {
        World::new(|state| {
            (state.life, state.creates) = (done(), vec![(429, false); 8]);
            state.explanation = Some("You exceeded your concurrent session limit of 5".to_string());
        })
    };
    let world = limited();
    assert_eq!((world.run(1, policy()).result().as_str(), world.count("create")), ("PrOpened", 9));
    let world = limited();
    let told = world.run(1, Policy { on_session_limit: OnSessionLimit::Fail, ..policy() });
    assert!(told.text().contains("session_limit") && world.count("create") == 1, "{}", told.text());
    let world = World::new(|state| {
        state.creates = vec![(429, false); 200];
        state.explanation = Some("concurrent session limit".to_string());
    });
    assert!(world.run(1, policy()).text().contains("session_limit"));
    assert_eq!(world.count("create"), 61, "once a minute for an hour");
}
