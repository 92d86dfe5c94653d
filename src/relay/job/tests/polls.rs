//! What polls show, and what a watch makes of it: faults that have been seen, each with its smallest reproduction.

use std::time::Duration;

use super::faults::done;
use super::runs::policy;
use super::world::{START, World};
use crate::devin::Kind;
use crate::devin::session::PullRequest;
use crate::relay::job::Policy;

#[test]
fn a_pull_request_that_was_seen_is_remembered_and_the_best_is_named() {
    let world =
        World::new(|state| state.life = vec![(1_000, "running/working+".to_string()), (60_000, "exit-".to_string())]);
    let told = world.run(1, policy());
    assert_eq!(told.result(), "PrOpened", "{}", told.text());
    assert_eq!(told.outcome().unwrap().pull_requests.len(), 1);
    let world = World::new(|_| ());
    world.add("s1", "exit", 60, |kept| {
        let pr = |n: u32, state: &str| PullRequest {
            pr_url: format!("https://x/a/b/pull/{n}"),
            pr_state: Some(state.to_string()),
        };
        kept.session.pull_requests = vec![pr(1, "closed"), pr(2, "open")];
    });
    assert_eq!(world.run(1, policy()).outcome().unwrap().pr_url.as_deref(), Some("https://x/a/b/pull/2"));
}

#[test]
fn an_unknown_sleep_with_an_output_is_done_at_the_last_poll() {
    let world = World::new(|state| state.life = vec![(1_000, "suspended/napping#".to_string())]);
    assert_eq!(world.run(1, Policy { max_polls: 3, ..policy() }).result(), "NoPr");
}

#[test]
fn a_session_that_ended_a_moment_ago_is_given_its_grace() {
    let world = World::new(|_| ());
    world.add("s1", "running/finished", 2, |kept| kept.plan = vec![(START + 40_000, "running/finished+".to_string())]);
    let told = world.run(1, policy());
    assert_eq!((told.result().as_str(), world.count("create")), ("PrOpened", 0), "{}", told.text());
}

#[test]
fn a_session_is_blocked_after_three_polls_and_a_minute() {
    let world = World::new(|state| state.life = vec![(500, "running/waiting_for_user".to_string())]);
    let told = world.run(1, Policy { poll_interval: Duration::from_secs(1), ..policy() });
    assert_eq!(told.result(), "WaitingForUser");
    assert!(told.outcome().unwrap().seconds >= 60, "{}", told.text());
}

#[test]
fn a_session_that_is_listed_or_young_is_not_gone() {
    let world = World::new(|state| (state.life, state.get_lag) = (done(), 400_000));
    let told = world.run(1, Policy { poll_interval: Duration::from_secs(1), max_polls: 1000, ..policy() });
    assert_eq!(told.result(), "PrOpened", "{}", told.text());
    let world = World::new(|_| ());
    world.add("s1", "running/working", 3600, |kept| (kept.listed_from, kept.gone_from) = (0, START + 100_000));
    assert_eq!(world.run(1, policy()).result(), "SessionGone");
    let world = World::new(|_| ());
    world.add("s1", "running/working", 3600, |kept| {
        kept.readable_from = i64::MAX;
        kept.plan = vec![(START + 200_000, "exit+".to_string())];
    });
    assert_eq!(world.run(1, policy()).result(), "PrOpened");
}

#[test]
fn one_refused_poll_is_an_accident_and_three_in_a_row_are_not() {
    for status in [400, 401, 403, 302] {
        let failures = |times: usize| {
            World::new(|state| {
                (state.life, state.poll_failures) = (done(), vec![Kind::Status(status); times]);
            })
        };
        assert_eq!(failures(2).run(1, policy()).result(), "PrOpened", "{status}");
        let told = failures(3).run(1, policy());
        assert!(told.result().contains("Failed") && told.text().contains(r#""event":"error""#), "{}", told.text());
    }
}

#[test]
fn a_retry_after_of_hours_pauses_the_polls_for_five_minutes() {
    let wait = Duration::from_secs(7_200);
    let world = World::new(|state| {
        (state.life, state.poll_failures) = (done(), vec![Kind::WaitTooLong { status: 503, wait }]);
    });
    let told = world.run(1, policy());
    let outcome = told.outcome().unwrap();
    assert!(outcome.seconds >= 300 && outcome.seconds < 600, "{}", told.text());
    assert!(told.text().contains("in five minutes"), "{}", told.text());
}

#[test]
fn jobs_that_began_together_do_not_poll_in_step() {
    let times = |number| {
        let world = World::new(|state| state.life = vec![(1_000, "running/working".to_string())]);
        world.run(number, Policy { max_polls: 12, ..policy() });
        let times = world.state().polled_at.clone();
        for pair in times.windows(2).skip(1) {
            let share = (pair[1] - pair[0]) as f64 / 30_000.0;
            assert!((0.84..=1.16).contains(&share) && !(0.91..=1.09).contains(&share), "{share}");
        }
        times
    };
    assert_ne!(times(1), times(2));
}
