//! Storms: what every store makes of one, and its edges, with a clock of their own: how many alerts are one, and when it is looked
//! into.

use super::asking::{Timed, admit_all, ask, change, gated, short};
use super::*;
use crate::relay::alert::Severity;
use crate::relay::serve::gates::{Bounds, Storm};

const SECOND: i64 = 1000;

fn of_storms(threshold: u32, immediate: u32) -> Gates {
    let storm = Storm { threshold, immediate, window: Duration::from_secs(60) };
    Gates { storm: Some(storm), ..Gates::open("cpu") }
}

/// A rule that holds a whole storm of three alerts within a minute.
async fn three_within_a_minute() -> Timed {
    Timed::new(of_storms(3, 0)).await
}

#[tokio::test]
async fn alerts_count_that_came_within_the_window_and_no_earlier() {
    for (third_at, expected) in [(59_999, "j3 is held"), (60_000, "j3 starts"), (60_001, "j3 starts")] {
        let mut storms = three_within_a_minute().await;
        assert_eq!(storms.fires(0).await, "j1 starts");
        assert_eq!(storms.fires(0).await, "j2 starts");
        assert_eq!(storms.fires(third_at).await, expected, "{third_at}");
    }
}

#[tokio::test]
async fn a_storm_is_looked_into_15_seconds_after_its_last_alert() {
    for (at, expected) in [(14_999, ""), (15_000, "j3 starts"), (15_001, "j3 starts")] {
        let mut storms = three_within_a_minute().await;
        for _ in 0..3 {
            storms.fires(0).await;
        }
        assert_eq!(storms.asked(at).await, expected, "{at}");
    }
}

#[tokio::test]
async fn each_alert_moves_that_as_in_the_worked_example() {
    // A storm at 0, alerts after 5, 10 and 20 s: it is looked into at 20, 25 and then 35 s.
    let mut storms = three_within_a_minute().await;
    for _ in 0..3 {
        storms.fires(0).await;
    }
    for (fires_at, triage) in [(5, 20), (10, 25), (20, 35)] {
        let told = storms.fires(fires_at * SECOND).await;
        assert!(told.ends_with("is held"), "{told}");
        let due = "SELECT MAX(due_at) FROM jobs WHERE held_by = 'storm'";
        let row = sqlx::query(due).fetch_one(&mut storms.connection).await.unwrap();
        let latest: i64 = sqlx::Row::try_get(&row, 0).unwrap();
        assert_eq!(latest - storms.began, triage * SECOND, "{fires_at}");
    }
    let early = storms.asked(34_999).await;
    assert!(!early.contains("starts"), "{early}");
    let mut at = 35_000;
    let mut told = storms.asked(at).await;
    while !told.contains("starts") {
        at += SECOND;
        assert!(at < 60_000, "the one that stands for all is asked again within moments: {told}");
        told = storms.asked(at).await;
    }
}

#[tokio::test]
async fn however_many_come_a_storm_is_looked_into_after_90_seconds() {
    let mut storms = three_within_a_minute().await;
    for _ in 0..3 {
        storms.fires(0).await;
    }
    for at in 1..=90 {
        let told = storms.fires(at * SECOND).await;
        assert_eq!(told.contains("j3 starts"), at == 90, "{at} s: {told}");
    }
}

#[tokio::test]
async fn what_a_switch_held_is_a_storm_only_if_it_came_as_one() {
    // Three within a minute; the last one came half an hour later.
    let together = [0, 20, 59, 1800];
    for (fires_at, said) in [
        ([0, 60, 120, 180], "j1 starts, j2 starts, j3 starts, j4 starts"),
        (together, "j1 is held, j2 is held, j3 is held, j4 starts"),
    ] {
        let mut storms = three_within_a_minute().await;
        storms.throw(0, true).await;
        for at in fires_at {
            assert!(storms.fires(at * SECOND).await.ends_with("is held"));
        }
        storms.throw(3000 * SECOND, false).await;
        assert_eq!(storms.asked(3000 * SECOND).await, said, "{fires_at:?}");
        assert_eq!(storms.asked(3014 * SECOND).await, "");
        let then = if fires_at == together { "j1 starts, j2 joins, j3 joins" } else { "" };
        assert_eq!(storms.asked(3015 * SECOND).await, then, "{fires_at:?}");
    }
}

#[tokio::test]
async fn what_came_long_before_a_storm_and_is_asked_about_during_it_is_no_part_of_it() {
    let mut storms = three_within_a_minute().await;
    storms.throw(0, true).await;
    storms.fires(0).await;
    storms.throw(SECOND, false).await;
    // Nobody asks about the first one yet.
    let paused = "UPDATE jobs SET due_at = due_at + 602000 WHERE id = 'j1'";
    sqlx::query(paused).execute(&mut storms.connection).await.unwrap();
    for _ in 0..3 {
        storms.fires(600 * SECOND).await;
    }
    assert_eq!(storms.asked(603 * SECOND).await, "j1 starts");
}

#[tokio::test]
async fn what_comes_long_after_the_alerts_of_a_storm_is_no_part_of_it_however_long_that_is_held() {
    // Three came together; the switch goes off much later, or on once they are a storm.
    for held_at in [0, 600 * SECOND] {
        let mut storms = three_within_a_minute().await;
        storms.throw(held_at, true).await;
        for _ in 0..3 {
            assert!(storms.fires(600 * SECOND).await.ends_with("is held"));
        }
        storms.throw(3000 * SECOND, false).await;
        assert_eq!(storms.asked(3000 * SECOND).await, "j1 is held, j2 is held, j3 is held");
        assert_eq!(storms.fires(3005 * SECOND).await, "j4 starts");
        assert_eq!(storms.asked(3015 * SECOND).await, "j1 starts, j2 joins, j3 joins");
    }
}

#[tokio::test]
async fn what_comes_within_the_window_after_any_alert_of_a_storm_is_part_of_it_while_nobody_looks_into_it() {
    let storm = Storm { threshold: 3, immediate: 0, window: Duration::from_secs(10) };
    for (fires_at, expected) in [(9_999, "j4 is held"), (10_000, "j4 starts")] {
        let mut storms = Timed::new(Gates { storm: Some(storm), ..Gates::open("cpu") }).await;
        for _ in 0..3 {
            storms.fires(0).await;
        }
        assert_eq!(storms.fires(fires_at).await, expected);
    }
}

/// Lets a minute and a half pass for every storm.
async fn pass(address: &Address) -> bool {
    change(
        address,
        "UPDATE storms SET detected_at = detected_at - 90000, last_at = last_at - 90000;
        UPDATE jobs SET due_at = due_at - 90000 WHERE held_by = 'storm'",
    )
    .await
}

fn severe(number: u32, tag: &str, severity: Severity, gates: &Gates) -> NewDelivery {
    let mut delivery = gated(number, tag, gates);
    if let EntryState::Firing(new) = &mut delivery.entries[0].state {
        new.severity = Some(severity);
    }
    delivery
}

#[tokio::test]
async fn one_alert_less_than_the_threshold_is_no_storm() {
    for (alerts, expected) in [(2, 2), (3, 1), (4, 1)] {
        for (store, address, _directory) in stores().await {
            let gates = of_storms(3, 1);
            for number in 1..=alerts {
                store.accept(gated(number, &number.to_string(), &gates)).await.unwrap();
            }
            let said = admit_all(&store, &Bounds::default()).await;
            let started = said.iter().filter(|line| line.ends_with("starts")).count();
            assert_eq!(started, expected, "{alerts} {said:?} {address}");
        }
    }
}

#[tokio::test]
async fn the_worst_of_a_storm_starts_for_all_and_the_others_join_its_session() {
    for (store, address, _directory) in stores().await {
        let gates = of_storms(3, 0);
        for (number, severity) in [(1, Severity::Low), (2, Severity::Critical), (3, Severity::Critical)] {
            store.accept(severe(number, &format!("t{number}"), severity, &gates)).await.unwrap();
        }
        assert_eq!(
            admit_all(&store, &Bounds::default()).await,
            ["j1 is held", "j2 is held", "j3 is held"],
            "{address}"
        );
        // The second comes at the same moment, and resolves; so does nobody else.
        if !pass(&address).await {
            continue;
        }
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed;
        let (mut root, mut others) = (None, Vec::new());
        for _ in 0..2 {
            for claimed in &claimed {
                let admission = store.admit(ask(claimed, false)).await.unwrap();
                match admission {
                    Admission::Start { companions, .. } => root = Some((claimed.clone(), companions)),
                    other => others.push((claimed.job.id.clone(), short(&other))),
                }
            }
        }
        let (mut root, companions) = root.expect("one of them starts");
        assert_eq!((root.job.id.as_str(), companions.len()), ("j2", 2), "{address}");
        assert!(others.iter().all(|(_, said)| *said == "is held"), "{others:?} {address}");
        root.progress.session_id = Some("devin-1".to_string());
        store.save(save(&root, "me", Some(3_600_000))).await.unwrap();
        pass(&address).await;
        for claimed in store.claim("one", "me", LEASE, 9).await.unwrap().claimed {
            let Admission::Join { session, .. } = store.admit(ask(&claimed, false)).await.unwrap() else {
                panic!("{} joins: {address}", claimed.job.id)
            };
            assert_eq!(session.session_id, "devin-1");
            let mut ended = save(&claimed, "me", None);
            ended.job.phase = Phase::Settled(End::Outcome(OutcomeKind::Attached));
            (ended.progress.session_id, ended.progress.status) =
                (Some("devin-1".to_string()), Some("done".to_string()));
            ended.progress.result = Some("attached".to_string());
            store.save(ended).await.unwrap();
        }
        // A repeat of one that was part of it, while the session is at work.
        store.accept(gated(9, "t1", &gates)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j9 joins"], "{address}");
    }
}

#[tokio::test]
async fn a_storm_that_resolves_before_it_is_looked_into_starts_nothing_and_holds_nobody() {
    for (store, address, _directory) in stores().await {
        let gates = of_storms(2, 0);
        for number in [1, 2] {
            store.accept(gated(number, &number.to_string(), &gates)).await.unwrap();
        }
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j1 is held", "j2 is held"], "{address}");
        for number in [1, 2] {
            store
                .accept(delivery(number + 10, "", &format!("r{number}"), &number.to_string(), "resolved"))
                .await
                .unwrap();
        }
        for claimed in store.claim("one", "me", LEASE, 9).await.unwrap().claimed {
            let refused = store.admit(ask(&claimed, false)).await.unwrap();
            assert!(matches!(refused, Admission::Refuse { is_resolved: true, .. }), "{refused:?} {address}");
            let mut ended = save(&claimed, "me", None);
            ended.job.phase = Phase::Settled(End::Outcome(OutcomeKind::ResolvedBeforeStart));
            store.save(ended).await.unwrap();
        }
        if !pass(&address).await {
            continue;
        }
        store.accept(gated(3, "3", &gates)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j3 starts"], "{address}");
    }
}
