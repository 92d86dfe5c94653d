//! What happens between the request that decides and the one that acts: rivals that end meanwhile, requests that lag, and
//! answers that come from servers with clocks of their own.

use std::time::Duration;

use super::races::{made, named, with_a_rival, working};
use super::runs::{Told, job, play, policy};
use super::world::{START, World, error, put};
use crate::devin::Kind;
use crate::relay::job::{Action, Observation, OnTimeout, Policy};
use crate::relay::names::ENDED_TAG;

fn few_polls() -> Policy {
    Policy { max_polls: 5, ..policy() }
}

/// Changes a session when an action of this name is taken for the first time.
fn changing(world: &World, policy: Policy, action: &str, id: &str, state: &str) -> Told {
    let mut is_due = true;
    play(world, job(1, policy), |next| {
        if next.name() == action && std::mem::take(&mut is_due) {
            let mut world = world.state();
            let kept = world
                .all
                .iter_mut()
                .find(|kept| id.is_empty() && kept.session.session_id != "s1" || kept.session.session_id == id);
            put(&mut kept.unwrap().session, state);
        }
        None
    })
}

#[test]
fn a_rival_that_ends_while_ours_is_tagged_is_not_what_ours_is_ended_for() {
    for state in ["error", "exit", "suspended/out_of_credits", "running/finished+", "running/napping"] {
        let world = with_a_rival(|_| ());
        let told = changing(&world, few_polls(), "tag", "s1", state);
        assert_eq!(world.count("terminate"), 0, "{state}: {}", told.text());
        assert_eq!(told.outcome().unwrap().session_id, Some(made(&world, 0)), "{state}: {}", told.text());
        let advice = format!("remove its tag {ENDED_TAG}");
        assert!(told.text().contains(&advice), "{state}: {}", told.text());
    }
    // What carries the tag for nothing has not been ended by the relay.
    let world = with_a_rival(|state| state.life.push((100_000, "exit".to_string())));
    let told = changing(&world, policy(), "tag", "s1", "error");
    assert_eq!(told.result(), "NoPr", "{}", told.text());
    // Where there is another rival, ours is ended for that one.
    let world = with_a_rival(|_| ());
    world.add("s2", "running/working", 20, |kept| kept.listed_from = START + 500);
    let told = changing(&world, few_polls(), "tag", "s1", "error");
    assert_eq!(world.alive(), ["s2"], "{}", told.text());
    assert!(told.text().contains("older_session_of_another_run"), "{}", told.text());
}

#[test]
fn a_rival_that_ends_between_two_tries_to_end_ours_is_not_what_ours_is_ended_for() {
    let world = with_a_rival(|state| state.end_failures = (1, 503));
    let told = changing(&world, few_polls(), "terminate", "s1", "error");
    assert_eq!((world.count("terminate"), world.alive()), (1, vec![made(&world, 0)]), "{}", told.text());
    assert!(told.text().contains("unless a request to end it did so without an answer"), "{}", told.text());
}

#[test]
fn a_rival_that_cannot_be_polled_before_the_end_leaves_both_and_says_so() {
    for (kind, polls) in [(Kind::Status(403), 2), (Kind::Status(503), 8)] {
        let world = with_a_rival(|_| ());
        let told = play(&world, job(1, Policy { detach: true, ..policy() }), |action| {
            let is_tagged = world.count("tag") > 0;
            let is_of_rival = matches!(action, Action::Poll { session_id } if session_id == "s1");
            if is_tagged && is_of_rival {
                world.state().asked.push("poll s1".to_string());
            }
            (is_tagged && is_of_rival).then(|| Observation::PollFailed(error(kind.clone(), None)))
        });
        assert_eq!((world.count("terminate"), world.alive().len()), (0, 2), "{}", told.text());
        assert!(world.count("poll s1") >= polls && named(&told, "s1"), "{}", told.text());
    }
}

#[test]
fn the_second_session_of_an_attempt_goes_on_if_the_first_has_ended_meanwhile() {
    let world = working(|state| (state.creates, state.list_lag) = (vec![(500, true), (200, true)], 91_500));
    let mut is_due = true;
    let told = play(&world, job(1, Policy { create_again: true, max_polls: 9, ..policy() }), |action| {
        if action.name() == "tag" && std::mem::take(&mut is_due) {
            put(&mut world.state().all[0].session, "error");
        }
        None
    });
    assert_eq!((world.count("terminate"), world.alive().len()), (0, 1), "{}", told.text());
}

#[test]
fn a_second_create_of_a_new_attempt_leaves_one_session_of_it() {
    for (detach, lag) in [(false, 4_000), (true, 4_000), (false, 40_000)] {
        let world = working(|state| (state.creates, state.list_lag) = (vec![(500, true), (200, true)], lag));
        world.add("s1", "running/working", 30, |_| ());
        let window = Duration::from_secs(2);
        let again = Policy {
            new_attempt: true,
            create_again: true,
            detach,
            reconcile_window: window,
            max_polls: 9,
            ..policy()
        };
        let told = world.run(1, again);
        assert_eq!(world.alive(), ["s1".to_string(), made(&world, 0)], "{detach} {lag}: {}", told.text());
    }
}

#[test]
fn a_watch_that_is_shorter_than_a_minute_looks_for_rivals_at_its_end() {
    let short = Policy { poll_interval: Duration::from_secs(5), max_polls: 2, ..policy() };
    let late = |change: &dyn Fn(&World)| {
        let world = with_a_rival(|_| ());
        world.state().all[0].listed_from = START + 5_000;
        change(&world);
        world
    };
    let world = late(&|_| ());
    let told = world.run(1, short.clone());
    assert_eq!(world.alive(), ["s1"], "{}", told.text());
    // A find that fails is made again, and is said where none is answered.
    let world = late(&|world| world.state().failing_find = Some(3));
    let told = world.run(1, short.clone());
    assert_eq!(world.alive(), ["s1"], "{}", told.text());
    let world = late(&|world| (world.state().failing_find, world.state().failing_finds) = (Some(3), 99));
    let told = world.run(1, short.clone());
    assert!(told.text().contains("names every session") && told.result() == "PollTimeout", "{}", told.text());
    // One that could not be ended when the time was up is a rival's loser as any.
    let world = late(&|world| world.state().tag_failures = (7, 500));
    let told = world.run(1, Policy { on_timeout: OnTimeout::Terminate, ..short.clone() });
    assert_eq!(world.alive(), ["s1"], "{}", told.text());
    // What has come to its end has no rivals.
    let world = late(&|world| world.state().life = vec![(1_000, "running/finished+".to_string())]);
    let told = world.run(1, short);
    assert_eq!((told.result().as_str(), world.count("terminate")), ("PrOpened", 0), "{}", told.text());
}

#[test]
fn a_rival_that_is_listed_and_not_there_yet_is_looked_for_again() {
    for detach in [false, true] {
        let world = with_a_rival(|_| ());
        world.state().all[0].readable_from = START + 20_000;
        let told = world.run(1, Policy { detach, ..few_polls() });
        assert_eq!(world.alive(), ["s1"], "{detach}: {}", told.text());
    }
    // Where nothing can be looked for any more, the one that was seen is named.
    let world = with_a_rival(|state| (state.failing_find, state.failing_finds) = (Some(3), 99));
    world.state().all[0].readable_from = START + 20_000;
    let told = world.run(1, Policy { detach: true, ..policy() });
    assert!(named(&told, "s1") && told.text().contains("names every session"), "{}", told.text());
    // One that never is there is looked for a minute, and then named.
    let world = with_a_rival(|_| ());
    world.state().all[0].readable_from = i64::MAX;
    let told = world.run(1, Policy { detach: true, ..policy() });
    assert!(named(&told, "s1") && (60_000..90_000).contains(&(world.state().now - START)), "{}", told.text());
    assert_eq!(told.text().matches("session_duplicate").count(), 1, "{}", told.text());
}

#[test]
fn a_rival_that_was_to_be_ended_and_was_not_is_seen_once_its_tag_is_gone() {
    let world = with_a_rival(|_| ());
    world.state().all[0].session.tags.push(ENDED_TAG.to_string());
    let told = play(&world, job(1, Policy { detach: true, ..policy() }), |_| {
        let mut state = world.state();
        if state.now > START + 5_000 {
            state.all[0].session.tags.retain(|tag| tag != ENDED_TAG);
        }
        None
    });
    assert_eq!(world.alive(), ["s1"], "{}", told.text());
}

#[test]
fn a_session_of_ours_that_is_not_there_yet_is_ended_once_it_is() {
    let world = with_a_rival(|state| state.get_lag = 30_000);
    let told = world.run(1, Policy { detach: true, ..policy() });
    assert_eq!(world.alive(), ["s1"], "{}", told.text());
    assert!(world.state().all[1].session.tags.iter().any(|tag| tag == ENDED_TAG), "{}", told.text());
}

#[test]
fn the_wait_that_an_answer_asks_for_is_kept_between_two_tries_and_bounded() {
    for (action, wait_s, is_ended) in [("terminate", 40, true), ("tag", 40, true), ("terminate", 301, false)] {
        let world = with_a_rival(|_| ());
        let mut asked_at = Vec::new();
        let told = play(&world, job(1, Policy { detach: true, ..policy() }), |next| {
            if next.name() != action {
                return None;
            }
            asked_at.push(world.state().now);
            let error = error(Kind::WaitTooLong { status: 429, wait: Duration::from_secs(wait_s) }, None);
            let is_first = asked_at.len() == 1;
            is_first.then_some(match action {
                "tag" => Observation::Tagged(Err(error)),
                _ => Observation::Terminated(Err(error)),
            })
        });
        assert_eq!(world.alive().len() == 1, is_ended, "{action} {wait_s}: {}", told.text());
        if is_ended {
            assert!(asked_at[1] - asked_at[0] >= 40_000, "{action}: {asked_at:?}");
        } else {
            assert!(told.text().contains("asks to wait 301 s") && asked_at.len() == 1, "{}", told.text());
        }
    }
}

#[test]
fn servers_whose_clocks_differ_change_no_wait() {
    for clocks in [vec![0, -18_000_000], vec![0, 7_200_000, 0], vec![-18_000_000, 0]] {
        let world = World::new(|state| {
            state.clocks = clocks.clone();
            state.life = vec![(1_000, "running/working".to_string()), (90_000, "running/finished+".to_string())];
        });
        let told = world.run(1, policy());
        let outcome = told.outcome().unwrap();
        assert_eq!(told.result(), "PrOpened", "{clocks:?}: {}", told.text());
        assert!((90..200).contains(&outcome.seconds), "{clocks:?}: {}", told.text());
        let polled = world.state().polled_at.clone();
        assert!(polled.windows(2).all(|pair| pair[1] - pair[0] < 40_000), "{clocks:?}: {polled:?}");
        // Nor does the search after an unclear create end early.
        let world = working(|state| {
            (state.clocks, state.creates, state.list_lag) = (clocks.clone(), vec![(500, true)], 45_000)
        });
        let told = world.run(1, Policy { detach: true, ..policy() });
        assert!(told.text().contains("found_after_unclear_create"), "{clocks:?}: {}", told.text());
        // By its title, too.
        let world = working(|state| {
            (state.clocks, state.creates, state.drop_tags) = (clocks.clone(), vec![(500, true)], true);
        });
        let told = world.run(1, Policy { detach: true, ..policy() });
        assert!(told.text().contains("found_after_unclear_create"), "{clocks:?}: {}", told.text());
        // A session of this run is not old by another server's clock.
        let world = World::new(|state| {
            (state.clocks, state.get_lag, state.list_lag) = (clocks.clone(), 300_000, 300_000);
            state.life = vec![(1_000, "running/finished+".to_string())];
        });
        assert_eq!(world.run(1, policy()).result(), "PrOpened", "{clocks:?}");
    }
}

#[test]
fn what_a_session_shows_while_it_is_given_up_counts() {
    for (state, result) in [("running/finished+", "PrOpened"), ("exit", "NoPr"), ("error", "SessionError")] {
        let world = working(|_| ());
        let given_up = Policy { on_timeout: OnTimeout::Terminate, max_polls: 2, ..policy() };
        let told = changing(&world, given_up, "tag", "", state);
        assert_eq!((told.result().as_str(), world.count("terminate")), (result, 0), "{state}: {}", told.text());
    }
    // One that shows a pull request and works on is ended, and the pull request is told.
    let world = working(|_| ());
    let given_up = Policy { on_timeout: OnTimeout::Terminate, max_polls: 2, ..policy() };
    let told = changing(&world, given_up.clone(), "tag", "", "running/working+");
    assert!(world.alive().is_empty() && told.outcome().unwrap().pr_url.is_some(), "{}", told.text());
    // One that a try without an answer has ended was ended by the relay.
    let world = working(|state| state.end_failures = (1, 503));
    let told = changing(&world, given_up, "terminate", "", "exit");
    assert!(told.outcome().unwrap().reason.contains("terminated, as --on-timeout asks"), "{}", told.text());
}

#[test]
fn a_status_that_nobody_knows_ends_no_live_session() {
    for word in ["terminated", "completed", "suspended/napping"] {
        let world = with_a_rival(|_| ());
        put(&mut world.state().all[0].session, word);
        let told = world.run(1, Policy { detach: true, ..policy() });
        assert_eq!(world.count("terminate"), 0, "{word}: {}", told.text());
        assert!(named(&told, "s1") && told.text().contains("what its state means is not known"), "{}", told.text());
    }
}

#[test]
fn who_adopted_a_duplicate_goes_on_with_the_session_that_it_was_ended_for() {
    let ended_soon = || {
        let world = working(|_| ());
        world.add("s1", "running/working", 20, |kept| {
            kept.plan = vec![(START + 40_000, "exit".to_string())];
            kept.session.tags.push(ENDED_TAG.to_string());
        });
        world
    };
    let world = ended_soon();
    world.add("s0", "running/working", 30, |kept| {
        kept.listed_from = START + 20_000;
        kept.plan = vec![(START + 100_000, "running/finished+".to_string())];
    });
    world.add("s2", "running/working", 10, |kept| kept.listed_from = START + 20_000);
    let told = world.run(1, policy());
    assert_eq!(told.outcome().unwrap().session_id.as_deref(), Some("s0"), "{}", told.text());
    assert_eq!((told.result().as_str(), world.count("create")), ("PrOpened", 0), "{}", told.text());
    // Lists that go on to show as alive what was ended do not keep it going: there is none, and one is made.
    let world = ended_soon();
    world.add("s0", "exit", 30, |kept| {
        kept.listed_from = START + 20_000;
        kept.listed_as = Some("running/working".to_string());
        kept.session.tags.push("AR-ENDED".to_string());
    });
    world.state().all[0].listed_as = Some("running/working".to_string());
    let told = world.run(1, policy());
    assert_eq!(world.count("create"), 1, "{}", told.text());
    assert!(!told.text().contains("session_duplicate"), "what was seen to end is no rival: {}", told.text());
}

#[test]
fn a_session_that_was_ended_after_it_was_adopted_is_the_end_where_none_took_its_place() {
    for fails in [false, true] {
        let world = working(|_| ());
        world.add("s1", "running/working", 20, |kept| kept.plan = vec![(START + 40_000, "exit".to_string())]);
        world.state().failing_find = fails.then_some(1);
        let told = play(&world, job(1, policy()), |action| {
            let is_late = matches!(action, Action::Poll { .. }) && world.count("poll") == 1;
            if is_late {
                world.state().all[0].session.tags.push(ENDED_TAG.to_string());
            }
            None
        });
        assert_eq!((told.result().as_str(), world.count("create")), ("Terminated", 0), "{fails}: {}", told.text());
        assert_eq!(told.text().contains("took its place is not known"), fails, "{}", told.text());
    }
}

#[test]
fn a_session_that_kept_the_alerts_tag_alone_is_watched_and_found_again() {
    for drop_title in [true, false] {
        let world = World::new(|state| {
            (state.keep_tags, state.drop_title) = (Some(2), drop_title);
            state.life = vec![(1_000, "running/working".to_string()), (90_000, "running/finished+".to_string())];
        });
        let told = world.run(1, Policy { detach: true, ..policy() });
        assert!(told.text().contains("later runs find it by the alert's tag"), "{}", told.text());
        let told = world.run(2, policy());
        assert_eq!((told.result().as_str(), world.count("create")), ("PrOpened", 1), "{}", told.text());
        assert!(!world.state().asked.iter().skip(4).any(|asked| asked.contains("CreatedAfter")), "found by its tag");
    }
}
