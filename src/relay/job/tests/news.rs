//! What a session at work is told of alerts that have joined its group, and that it is told once.

use super::runs::policy;
use super::world::{START, World};
use crate::relay::job::{End, Firing, FiringReason, OnNewAlerts, Policy};

/// A world whose sessions finish with a pull request.
fn world() -> World {
    World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (90_000, "running/finished+".to_string())];
    })
}

#[test]
fn new_alerts_of_a_group_are_told_to_its_session_at_work() {
    let world = world();
    world.add("s1", "running/working", 60, |kept| kept.plan = vec![(START + 90_000, "exit+".to_string())]);
    let tell = |reason| {
        let mut job = super::runs::job(1, policy());
        let fingerprints = vec!["f1".to_string()];
        job.request.firing = Firing { reason, fingerprints, latest_start: None, message: "two more".to_string() };
        world.go_on(job)
    };
    tell(FiringReason::Repeat);
    assert!(world.state().messages.is_empty());
    world.state().all.clear();
    let now = world.state().now;
    world.add("s2", "running/working", 60, |kept| kept.plan = vec![(now + 90_000, "exit+".to_string())]);
    let told = tell(FiringReason::NewAlerts);
    assert_eq!(world.state().messages, ["two more"], "{}", told.text());
}

#[test]
fn an_alert_that_began_after_its_groups_session_was_created_has_joined_it() {
    for (began_s, on_new_alerts, messages, creates) in [
        (-60, OnNewAlerts::Message, 0, 0),
        (30, OnNewAlerts::Message, 1, 0),
        (30, OnNewAlerts::Ignore, 0, 0),
        (30, OnNewAlerts::Start, 0, 1),
        (-60, OnNewAlerts::Start, 0, 0),
    ] {
        let world = world();
        world.add("s1", "running/working", 60, |kept| kept.plan = vec![(START + 90_000, "exit+".to_string())]);
        let mut job = super::runs::job(1, Policy { on_new_alerts, ..policy() });
        let latest_start = Some(START + (began_s - 60) * 1000);
        job.request.firing = Firing {
            fingerprints: vec!["f1".to_string()],
            latest_start,
            message: "one".to_string(),
            ..Firing::default()
        };
        let told = world.go_on(job);
        assert_eq!(world.state().messages.len(), messages, "{began_s} {on_new_alerts:?}: {}", told.text());
        assert_eq!(
            told.text().contains("session_created"),
            creates == 1,
            "{began_s} {on_new_alerts:?}: {}",
            told.text()
        );
    }
}

/// Each run of a schedule is a process of its own, which knows only what the session's tags say.
#[test]
fn a_session_is_told_the_same_news_by_one_run_only() {
    let world = World::new(|_| ());
    world.add("s1", "running/working", 60, |_| ());
    let mut number = 0;
    let mut tell = |reason, fingerprints: &[&str], began_s: i64| {
        number += 1;
        let mut job = super::runs::job(number, Policy { detach: true, ..policy() });
        job.request.firing = Firing {
            reason,
            fingerprints: fingerprints.iter().map(ToString::to_string).collect(),
            latest_start: Some(START + began_s * 1000),
            message: format!("{} alerts", fingerprints.len()),
        };
        let told = world.go_on(job);
        assert!(matches!(told.job.end(), Some(End::Detached { is_over: false, .. })), "{}", told.text());
        world.state().messages.len()
    };
    assert_eq!(tell(FiringReason::First, &["a", "b"], 10), 1);
    // The same again, in another order, with a reason, and when one of them is over.
    assert_eq!(tell(FiringReason::First, &["a", "b"], 10), 1);
    assert_eq!(tell(FiringReason::NewAlerts, &["b", "a"], 10), 1);
    assert_eq!(tell(FiringReason::First, &["a"], 5), 1);
    // What is new is told.
    assert_eq!(tell(FiringReason::First, &["a", "b", "c"], 20), 2);
    assert_eq!(tell(FiringReason::NewAlerts, &["a", "d"], 20), 3);
    assert_eq!(tell(FiringReason::NewAlerts, &["a", "d"], 20), 3);
}

#[test]
fn what_was_told_and_cannot_be_noted_is_said() {
    let world = World::new(|state| state.tag_failures = (1, 500));
    world.add("s1", "running/working", 60, |_| ());
    let mut job = super::runs::job(1, Policy { detach: true, ..policy() });
    let (reason, fingerprints) = (FiringReason::NewAlerts, vec!["a".to_string()]);
    job.request.firing = Firing { reason, fingerprints, latest_start: None, message: "more".to_string() };
    let told = world.go_on(job);
    assert!(told.text().contains("the next run of this alert may tell it again"), "{}", told.text());
    assert!(told.text().contains(r#""sent":true"#) && matches!(told.job.end(), Some(End::Detached { .. })));
}

#[test]
fn a_detached_run_knows_whether_the_session_that_it_leaves_has_ended() {
    for (state, over) in
        [("running/working", false), ("running/waiting_for_user", false), ("exit", true), ("exit+", true)]
    {
        for age_s in [60, 7_200] {
            let world = World::new(|_| ());
            world.add("s1", state, age_s, |_| ());
            let told = world.run(1, Policy { detach: true, ..policy() });
            match told.job.end() {
                Some(End::Detached { session_id, is_over, .. }) if session_id == "s1" => {
                    assert_eq!(*is_over, over, "{state} {age_s}");
                }
                Some(End::Detached { is_over: false, .. }) if state == "exit" && age_s == 7_200 => {}
                end => panic!("{state} {age_s}: {end:?}"),
            }
        }
    }
}
