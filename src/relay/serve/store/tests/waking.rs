//! A place becomes free: who is asked next, as every store decides it.

use super::asking::{admit_all, ask, end, gated, rows, short};
use super::*;
use crate::output::Output;
use crate::relay::serve::gates::{Bounds, Limits, Runs};
use crate::relay::serve::{Log, kill_switch};

fn at_work(most: u32) -> Limits {
    Limits { concurrent_sessions: Some(most), ..Limits::default() }
}

fn rule(name: &str, limits: Limits) -> Gates {
    Gates { limits, ..Gates::open(name) }
}

/// Delivers alerts with these numbers, whose keys are their numbers.
async fn fire(store: &Store, numbers: std::ops::RangeInclusive<u32>, gates: &Gates) {
    for number in numbers {
        store.accept(gated(number, &number.to_string(), gates)).await.unwrap();
    }
}

/// Asks whoever is due, again and again, until nobody is.
async fn settle_down(store: &Store, bounds: &Bounds) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        let these = admit_all(store, bounds).await;
        if these.is_empty() {
            return said;
        }
        said.extend(these);
    }
}

#[tokio::test]
async fn a_free_place_is_not_kept_from_a_rule_by_older_alerts_of_one_that_is_full() {
    for (store, address, _directory) in stores().await {
        let bounds = Bounds { limits: at_work(2), ..Bounds::default() };
        let (full, open) = (rule("full", at_work(1)), rule("open", Limits::default()));
        fire(&store, 1..=1, &full).await;
        fire(&store, 2..=2, &open).await;
        assert_eq!(settle_down(&store, &bounds).await, ["j1 starts", "j2 starts"], "{address}");
        fire(&store, 10..=29, &full).await;
        fire(&store, 30..=31, &open).await;
        settle_down(&store, &bounds).await;
        end(&store, "j2", OutcomeKind::NoPr, Some(1.0)).await;
        // One of each rule is asked, and no more of those that are sure to wait.
        let asked = admit_all(&store, &bounds).await;
        assert_eq!(asked, ["j10 is held", "j30 starts"], "{address}");
        assert_eq!(settle_down(&store, &bounds).await, ["j31 is held"], "there may be more places: {address}");
        // The place of the rule is its own next one's.
        end(&store, "j1", OutcomeKind::NoPr, Some(1.0)).await;
        let asked = settle_down(&store, &bounds).await;
        assert!(asked.contains(&"j10 starts".to_string()), "the oldest: {asked:?} {address}");
        let started = rows(&store).await.iter().filter(|row| row.contains(" start ")).count();
        assert_eq!(started, 4, "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_kill_switch_in_a_file_holds_is_asked_about_once_and_again_when_it_goes_off() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stop");
    std::fs::write(&file, "stop").unwrap();
    for (store, address, _directory) in stores().await {
        std::fs::write(&file, "stop").unwrap();
        let store = Arc::new(store);
        let bounds = Bounds { kill_switch: Some(file.clone()), ..Bounds::default() };
        let (changing, bounds) = watch::channel(Arc::new(bounds));
        let wake = Arc::new(Notify::new());
        let log = Log::new(&Output::new(), false);
        let following = tokio::spawn(kill_switch::follow(Arc::clone(&store), bounds, vec![Arc::clone(&wake)], log));
        fire(&store, 1..=3, &rule("one", Limits::default())).await;
        let hold_all = async || {
            let claimed = store.claim("one", "me", LEASE, 99).await.unwrap().claimed;
            for claimed in &claimed {
                let held = Ask { kill_switch: kill_switch::look(&file).await, ..ask(claimed, false) };
                assert_eq!(short(&store.admit(held).await.unwrap()), "is held", "{address}");
            }
            claimed.len()
        };
        assert_eq!(hold_all().await, 3);
        let due = store.claim("one", "me", LEASE, 99).await.unwrap();
        let longest = Duration::from_millis(due.next_in.unwrap().unsigned_abs());
        assert!(due.claimed.is_empty() && longest > Duration::from_secs(240), "{longest:?} {address}");
        // A rule may have been disabled since.
        changing.send_modify(|bounds| *bounds = Arc::new(Bounds::clone(bounds)));
        wake.notified().await;
        assert_eq!(hold_all().await, 3, "{address}");
        std::fs::write(&file, "").unwrap();
        wake.notified().await;
        assert_eq!(settle_down(&store, &Bounds::default()).await, ["j1 starts", "j2 starts", "j3 starts"], "{address}");
        drop(changing);
        following.await.unwrap();
    }
}

#[tokio::test]
async fn a_place_that_one_rule_leaves_is_no_matter_to_another() {
    for (store, address, _directory) in stores().await {
        let bounds = Bounds::default();
        let (one, other) = (rule("one", at_work(1)), rule("other", at_work(1)));
        fire(&store, 1..=3, &one).await;
        fire(&store, 4..=6, &other).await;
        settle_down(&store, &bounds).await;
        end(&store, "j4", OutcomeKind::NoPr, Some(1.0)).await;
        assert_eq!(settle_down(&store, &bounds).await, ["j5 starts", "j6 is held"], "{address}");
    }
}

#[tokio::test]
async fn whoever_does_not_need_the_place_any_more_has_the_next_one_asked() {
    for (store, address, _directory) in stores().await {
        let bounds = Bounds::default();
        let only = rule("one", at_work(1));
        fire(&store, 1..=4, &only).await;
        settle_down(&store, &bounds).await;
        end(&store, "j1", OutcomeKind::NoPr, Some(1.0)).await;
        for key in ["2", "3"] {
            store.suppress(key, i64::MAX, "ann").await.unwrap();
        }
        let asked = settle_down(&store, &bounds).await;
        assert_eq!(asked, ["j2 is refused", "j3 is refused", "j4 starts"], "{address}");
    }
}

#[tokio::test]
async fn all_that_wait_for_quota_start_when_a_session_has_worked() {
    for (store, address, _directory) in stores().await {
        let (bounds, open) = (Bounds::default(), rule("one", Limits::default()));
        fire(&store, 1..=2, &open).await;
        settle_down(&store, &bounds).await;
        end(&store, "j1", OutcomeKind::QuotaExceeded, None).await;
        fire(&store, 3..=5, &open).await;
        let asked = settle_down(&store, &bounds).await;
        assert_eq!(asked, ["j3 is held", "j4 is held", "j5 is held"], "{address}");
        let Answered::Done { job_id: Some(again) } = store.retry("j1", "ann").await.unwrap() else {
            panic!("{address}")
        };
        assert_eq!(settle_down(&store, &bounds).await, [format!("{again} starts")], "{address}");
        end(&store, &again, OutcomeKind::NoPr, Some(1.0)).await;
        let asked = settle_down(&store, &bounds).await;
        assert_eq!(asked, ["j3 starts", "j4 starts", "j5 starts"], "{address}");
    }
}

#[tokio::test]
async fn what_a_session_leaves_over_is_enough_for_several() {
    for (store, address, _directory) in stores().await {
        let budget = Bounds { limits: Limits { acu_per_day: Some(20), ..Limits::default() }, ..Bounds::default() };
        let only = rule("one", Limits::default());
        fire(&store, 1..=9, &only).await;
        let asked = settle_down(&store, &budget).await;
        let started = |asked: &[String]| asked.iter().filter(|line| line.ends_with("starts")).count();
        assert_eq!(started(&asked), 5, "four each: {asked:?}");
        // And the budget has grown in the meantime.
        let budget = Bounds { limits: Limits { acu_per_day: Some(24), ..Limits::default() }, ..Bounds::default() };
        end(&store, "j1", OutcomeKind::NoPr, Some(0.0)).await;
        let asked = settle_down(&store, &budget).await;
        assert_eq!(asked, ["j6 starts", "j7 starts", "j8 is held"], "{address}");
    }
}

#[tokio::test]
async fn a_start_that_is_given_back_is_there_for_whoever_waits_for_the_window() {
    for (store, address, _directory) in stores().await {
        let runs = vec![Runs { count: 1, within: Duration::from_secs(3600) }];
        let only = rule("one", Limits { runs, ..Limits::default() });
        fire(&store, 1..=3, &only).await;
        settle_down(&store, &Bounds::default()).await;
        end(&store, "j1", OutcomeKind::CreateUnknown, None).await;
        let asked = settle_down(&store, &Bounds::default()).await;
        assert_eq!(asked, ["j2 starts", "j3 is held"], "{address}");
    }
}

#[tokio::test]
async fn what_a_late_answer_leaves_over_is_free_too() {
    for (store, address, _directory) in stores().await {
        let budget = Bounds { limits: Limits { acu_per_day: Some(4), ..Limits::default() }, ..Bounds::default() };
        let only = rule("one", Limits::default());
        fire(&store, 1..=2, &only).await;
        assert_eq!(settle_down(&store, &budget).await, ["j1 starts", "j2 is held"], "{address}");
        end(&store, "j1", OutcomeKind::WaitingForUser, Some(1.0)).await;
        assert_eq!(settle_down(&store, &budget).await, ["j2 is held"], "its session may go on: {address}");
        let progress = Progress { status: Some("done".to_string()), acus_consumed: Some(0.0), ..Progress::default() };
        store.amend(Amendment { job_id: "j1".to_string(), progress }).await.unwrap();
        assert_eq!(settle_down(&store, &budget).await, ["j2 starts"], "{address}");
    }
}
