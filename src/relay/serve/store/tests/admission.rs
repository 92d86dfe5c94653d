//! Who may start, as every store decides it.

use super::asking::{Timed, admit_all, ask, change, end, gated, limited, rows, short};
use super::*;
use crate::relay::serve::gates::{Bounds, Limits, Occurrences, Runs};

#[tokio::test]
async fn the_last_place_is_taken_once_and_is_free_when_its_job_has_ended() {
    for (store, address, _directory) in stores().await {
        let gates = limited(Limits { concurrent_sessions: Some(1), ..Limits::default() });
        for (number, tag) in [(1, "x"), (2, "y")] {
            store.accept(gated(number, tag, &gates)).await.unwrap();
        }
        assert_eq!(admit_all(&store, &Bounds::default()).await.len(), 2, "{address}");
        let decided = rows(&store).await;
        assert_eq!(decided, ["j1.1 cpu start -", "j2.1 cpu hold concurrent_sessions"], "{address}");
        let alerts = store.alerts(9, None).await.unwrap();
        let held = alerts.iter().find_map(|alert| alert.job.as_ref()?.held.as_ref()).unwrap();
        assert!(held.reason.as_ref().is_some_and(|reason| reason.contains("1 session at work")), "{held:?}");
        assert!(admit_all(&store, &Bounds::default()).await.is_empty(), "it is not due: {address}");
        end(&store, "j1", OutcomeKind::NoPr, Some(1.0)).await;
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j2 starts"], "{address}");
        assert_eq!(rows(&store).await.len(), 3, "{address}");
    }
}

#[tokio::test]
async fn a_job_that_made_no_session_gives_its_start_back() {
    for (acus, expected) in [(None, "j2 starts"), (Some(0.0), "j2 is held")] {
        for (store, address, _directory) in stores().await {
            let runs = vec![Runs { count: 1, within: Duration::from_secs(3600) }];
            let gates = limited(Limits { runs, ..Limits::default() });
            store.accept(gated(1, "x", &gates)).await.unwrap();
            assert_eq!(admit_all(&store, &Bounds::default()).await, ["j1 starts"], "{address}");
            end(&store, "j1", OutcomeKind::NoPr, acus).await;
            store.accept(gated(2, "y", &gates)).await.unwrap();
            assert_eq!(admit_all(&store, &Bounds::default()).await, [expected], "{address}");
        }
    }
}

#[tokio::test]
async fn what_a_session_leaves_over_of_its_acus_is_free() {
    for (kind, acus, expected) in [
        (OutcomeKind::NoPr, 1.5, "j2 starts"),
        (OutcomeKind::NoPr, 2.5, "j2 is held"),
        // Its session goes on.
        (OutcomeKind::PollTimeout, 1.5, "j2 is held"),
        // A plan that tells nothing.
        (OutcomeKind::PrOpened, 0.0, "j2 starts"),
    ] {
        for (store, address, _directory) in stores().await {
            let bounds = Bounds { limits: Limits { acu_per_day: Some(6), ..Limits::default() }, ..Bounds::default() };
            store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
            assert_eq!(admit_all(&store, &bounds).await, ["j1 starts"], "{address}");
            end(&store, "j1", kind, Some(acus)).await;
            store.accept(gated(2, "y", &Gates::open("disk"))).await.unwrap();
            assert_eq!(admit_all(&store, &bounds).await, [expected], "{kind:?} {acus} {address}");
        }
    }
}

#[tokio::test]
async fn switches_hold_what_they_are_for_until_they_are_off() {
    for switch in [Switch::Bridge, Switch::Integration("one".to_string()), Switch::Rule("cpu".to_string())] {
        for (store, address, _directory) in stores().await {
            for other in [Switch::Integration("two".to_string()), Switch::Rule("disk".to_string())] {
                store.throw(other, true).await.unwrap();
            }
            store.throw(switch.clone(), true).await.unwrap();
            store.throw(switch.clone(), true).await.unwrap();
            assert_eq!(store.switches().await.unwrap().len(), 3);
            store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
            assert_eq!(admit_all(&store, &Bounds::default()).await, ["j1 is held"], "{switch:?} {address}");
            assert!(admit_all(&store, &Bounds::default()).await.is_empty(), "{address}");
            store.throw(switch.clone(), false).await.unwrap();
            let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
            assert_eq!(short(&store.admit(ask(&claimed, false)).await.unwrap()), "starts", "{address}");
            // It has its place; the switch is asked once more before the create.
            store.throw(switch.clone(), true).await.unwrap();
            let held = store.admit(ask(&claimed, true)).await.unwrap();
            assert_eq!(short(&held), "is held", "{address}");
        }
    }
}

#[tokio::test]
async fn firings_are_counted_over_a_resolve_and_what_resolves_while_it_is_held_ends() {
    for (store, address, _directory) in stores().await {
        let often = Occurrences { count: 3, within: Duration::from_secs(3600) };
        let gates = Gates { min_occurrences: Some(often), ..Gates::open("cpu") };
        store.accept(gated(1, "x", &gates)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j1 is held"], "{address}");
        store.accept(delivery(2, "", "resolved", "x", "resolved")).await.unwrap();
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        let refused = store.admit(ask(&claimed, false)).await.unwrap();
        assert!(matches!(refused, Admission::Refuse { is_resolved: true, .. }), "{refused:?} {address}");
        let mut ended = save(&claimed, "me", None);
        ended.job.phase = Phase::Settled(End::Outcome(OutcomeKind::ResolvedBeforeStart));
        store.save(ended).await.unwrap();
        store.accept(gated(3, "x", &gates)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j3 is held"], "{address}");
        store.accept(gated(4, "x", &gates)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j3 starts"], "the third: {address}");
        let decided = rows(&store).await;
        let held = "hold min_occurrences";
        let expected = [
            format!("j1.1 cpu {held}"),
            "j1.2 cpu refuse resolved".to_string(),
            format!("j3.1 cpu {held}"),
            "j3.2 cpu start -".to_string(),
        ];
        assert_eq!(decided, expected, "{address}");
    }
}

#[tokio::test]
async fn an_alert_that_fired_often_enough_behind_a_switch_starts_when_that_is_off() {
    let often = Occurrences { count: 3, within: Duration::from_secs(10) };
    let gates = Gates { min_occurrences: Some(often), ..Gates::open("cpu") };
    for (fires_at, expected) in
        [(vec![0, 4, 9], "starts"), (vec![0, 4, 9, 700], "starts"), (vec![0, 5, 10], "is refused")]
    {
        let mut alert = Timed::new(gates.clone()).await;
        alert.throw(0, true).await;
        for at in &fires_at {
            alert.fires_as(at * 1000, "x").await;
        }
        alert.throw(900_000, false).await;
        assert_eq!(alert.asked(900_000).await, format!("j1 {expected}"), "{fires_at:?}");
    }
}

#[tokio::test]
async fn of_an_alert_that_fires_all_the_time_few_firings_are_kept_and_it_is_judged_by_the_first_ones() {
    let often = Occurrences { count: 3, within: Duration::from_secs(86_400) };
    let gates = Gates { min_occurrences: Some(often), ..Gates::open("cpu") };
    // 10,000 firings of a job that has started, or that a switch holds; max_wait counts from the third one.
    for (is_held, off_at, expected) in
        [(false, 3602, "j1 starts"), (true, 3602, "j1 starts"), (true, 3603, "j1 is refused")]
    {
        let mut alert = Timed::new(gates.clone()).await;
        alert.throw(0, is_held).await;
        for second in 0..3 {
            alert.fires_as(second * 1000 + 999, "x").await;
        }
        for moment in 0..1_000 {
            alert.comes(3_000 + moment * 3_000, "x", 10).await;
        }
        let kept = sqlx::query_scalar("SELECT COUNT(*) FROM firings").fetch_one(&mut alert.connection);
        let kept: i64 = kept.await.unwrap();
        assert_eq!(kept, if is_held { 6 } else { 3 });
        alert.throw(off_at * 1000, false).await;
        assert_eq!(alert.asked(off_at * 1000 + 500).await, expected);
    }
}

#[tokio::test]
async fn an_answer_that_stays_the_same_is_kept_once_and_forgotten_with_the_deliveries() {
    for (store, address, _directory) in stores().await {
        store.throw(Switch::Bridge, true).await.unwrap();
        store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        for _ in 0..3 {
            assert_eq!(short(&store.admit(ask(&claimed, true)).await.unwrap()), "is held");
        }
        assert_eq!(rows(&store).await, ["j1.1 cpu hold kill_switch"], "{address}");
        let lost = Ask { epoch: 9, ..ask(&claimed, false) };
        assert_eq!(store.admit(lost).await.unwrap(), Admission::Lost, "{address}");
        store.ping().await.unwrap();
        store.prune(keep(NO_LEASE, u64::MAX)).await.unwrap();
        assert_eq!(rows(&store).await.len(), 1, "{address}: the job goes on");
        let mut ended = claimed;
        ended.job.phase = Phase::Settled(End::Outcome(OutcomeKind::PrOpened));
        store.save(save(&ended, "me", None)).await.unwrap();
        while !rows(&store).await.is_empty() {
            store.prune(keep(NO_LEASE, u64::MAX)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn two_processes_that_ask_at_once_share_a_budget() {
    for (store, address, _directory) in stores().await {
        let other = match &address {
            Address::Postgres(_) => Some(Store::open(&address).await.unwrap()),
            _ => None,
        };
        let gates = limited(Limits { acu_per_day: Some(20), ..Limits::default() });
        for number in 0..40 {
            store.accept(gated(number, &number.to_string(), &gates)).await.unwrap();
        }
        let claimed = store.claim("one", "me", LEASE, 99).await.unwrap().claimed;
        let (store, other) = (Arc::new(store), other.map(Arc::new));
        let mut asked = tokio::task::JoinSet::new();
        for (place, claimed) in claimed.iter().enumerate() {
            let store = if place % 2 == 0 { other.as_ref().unwrap_or(&store) } else { &store };
            let (store, ask) = (Arc::clone(store), ask(claimed, false));
            asked.spawn(async move { store.admit(ask).await.unwrap() });
        }
        let said = asked.join_all().await;
        let started = said.iter().filter(|admission| matches!(admission, Admission::Start { .. })).count();
        assert_eq!((said.len(), started), (40, 5), "four ACUs each: {address}");
    }
}

#[tokio::test]
async fn a_session_that_waits_for_a_person_is_looked_at_later_and_what_it_came_to_is_kept() {
    for (store, address, _directory) in stores().await {
        store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
        let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        claimed.job.phase = Phase::Settled(End::Outcome(OutcomeKind::WaitingForUser));
        claimed.progress.session_id = Some("devin-1".to_string());
        store.save(save(&claimed, "me", None)).await.unwrap();
        assert!(store.late("one", 9).await.unwrap().is_empty(), "not yet: {address}");
        if !change(&address, "UPDATE jobs SET look_at = look_at - 900000").await {
            continue;
        }
        assert!(store.late("other", 9).await.unwrap().is_empty(), "{address}");
        let late = store.late("one", 9).await.unwrap();
        assert_eq!((late.len(), late[0].session_id.as_str()), (1, "devin-1"), "{address}");
        assert!(store.late("one", 9).await.unwrap().is_empty(), "somebody looks at it: {address}");
        let progress =
            Progress { status: Some("done".to_string()), pr_url: Some(PR_URL.to_string()), ..Progress::default() };
        store.amend(Amendment { job_id: "j1".to_string(), progress }).await.unwrap();
        let job = store.alerts(9, None).await.unwrap().remove(0).job.unwrap();
        let shown =
            (job.progress.status.as_deref(), job.progress.pr_url.as_deref(), job.progress.session_id.as_deref());
        assert_eq!(shown, (Some("done"), Some(PR_URL_AS_KEPT), Some("devin-1")), "{address}");
        change(&address, "UPDATE jobs SET look_at = 1, settled_at = settled_at - 86400000").await;
        assert_eq!(store.late("one", 9).await.unwrap().len(), 1, "for the last time: {address}");
        change(&address, "UPDATE jobs SET look_at = look_at - 900000").await;
        assert!(store.late("one", 9).await.unwrap().is_empty(), "{address}");
    }
}

#[tokio::test]
async fn a_create_that_was_put_off_counts_when_it_is_sent() {
    for (store, address, _directory) in stores().await {
        let runs = vec![Runs { count: 1, within: Duration::from_secs(3600) }];
        let gates = limited(Limits { runs, ..Limits::default() });
        store.accept(gated(1, "x", &gates)).await.unwrap();
        let first = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert_eq!(short(&store.admit(ask(&first, false)).await.unwrap()), "starts", "{address}");
        if !change(&address, "UPDATE jobs SET started_at = started_at - 3600000").await {
            continue;
        }
        store.accept(gated(2, "y", &gates)).await.unwrap();
        let second = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert_eq!(short(&store.admit(ask(&second, false)).await.unwrap()), "starts", "{address}");
        assert_eq!(
            short(&store.admit(ask(&second, true)).await.unwrap()),
            "starts",
            "its own start is no other: {address}"
        );
        assert_eq!(short(&store.admit(ask(&first, true)).await.unwrap()), "is held", "{address}");
    }
}

#[tokio::test]
async fn of_two_that_have_a_place_where_one_is_left_the_earlier_goes() {
    for (store, address, _directory) in stores().await {
        let only = |most| Limits { concurrent_sessions: Some(most), ..Limits::default() };
        store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
        store.accept(gated(2, "y", &Gates::open("cpu"))).await.unwrap();
        let mut both = store.claim("one", "me", LEASE, 9).await.unwrap().claimed;
        both.sort_by(|one, other| one.job.id.cmp(&other.job.id));
        let mut said = Vec::new();
        for (place, is_at_create, most) in
            [(0, false, 2), (1, false, 2), (0, true, 1), (1, true, 1), (0, true, 1), (1, true, 1)]
        {
            let bounds = Arc::new(Bounds { limits: only(most), ..Bounds::default() });
            let ask = Ask { bounds, ..ask(&both[place], is_at_create) };
            said.push(short(&store.admit(ask).await.unwrap()));
        }
        assert_eq!(said, ["starts", "starts", "is held", "is held", "starts", "is held"], "{address}");
    }
}
