//! What a person asks for, as every store does it.

use super::asking::{admit_all, ask, change, claimed_again, gated, limited, rows, short};
use super::*;
use crate::relay::serve::gates::{Bounds, Limits, Occurrences};

/// An alert `x` whose job has ended so; `None` for one whose session could not be created.
async fn ended(store: &Store, gates: &Gates, kind: Option<OutcomeKind>) -> Claimed {
    store.accept(gated(1, "x", gates)).await.unwrap();
    admit_all(store, &Bounds::default()).await;
    let mut claimed = claimed_again(store, "j1").await;
    claimed.job.phase = Phase::Settled(match kind {
        Some(kind) => End::Outcome(kind),
        None => End::Failed { session_id: None },
    });
    claimed.progress.status = Some(kind.map_or("failed", |kind| kind.status().name()).to_string());
    claimed.progress.result = kind.map(|kind| serde_json::to_value(kind).unwrap().as_str().unwrap().to_string());
    claimed.progress.session_id = kind.map(|_| "devin-1".to_string());
    store.save(save(&claimed, "me", None)).await.unwrap();
    claimed
}

async fn in_an_hour(store: &Store) -> i64 {
    let received = store
        .deliveries(Deliveries::Newest { most: 1, state: None, route: None, since: None, after: None })
        .await
        .unwrap();
    received[0].received_at + 3_600_000
}

fn job_of(answered: &Answered) -> String {
    match answered {
        Answered::Done { job_id: Some(job_id) } => job_id.clone(),
        other => panic!("{other:?}"),
    }
}

fn why(answered: Answered) -> String {
    match answered {
        Answered::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// Asks for all that may be asked for about the alert `x`, and says what was not refused: that it is what was offered before.
async fn is_offered_what_is_done(store: &Store, job_id: &str, address: &Address) {
    let offered = store.possible("x").await.unwrap();
    let is_done = |answered: Answered| matches!(answered, Answered::Done { .. });
    let end = is_done(store.end_session(job_id, "ann").await.unwrap());
    let retry = is_done(store.retry(job_id, "ann").await.unwrap());
    // Of two attempts the second would be refused for the first.
    let start = retry || is_done(store.start_again("x", "ann").await.unwrap());
    let named = |is_done: bool| is_done.then(|| job_id.to_string());
    assert_eq!(offered, Possible { retry: named(retry), start, end: named(end) }, "{address}");
}

#[tokio::test]
async fn what_is_offered_is_done_and_what_is_not_is_refused() {
    let kinds = [
        None,
        Some(OutcomeKind::PrOpened),
        Some(OutcomeKind::QuotaExceeded),
        Some(OutcomeKind::CreateUnknown),
        Some(OutcomeKind::WaitingForUser),
    ];
    for (kind, is_suppressed) in kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        for (store, address, _directory) in stores().await {
            assert_eq!(store.possible("x").await.unwrap(), Possible::default(), "{address}");
            ended(&store, &Gates::open("cpu"), kind).await;
            if is_suppressed {
                store.suppress("x", in_an_hour(&store).await, "bob").await.unwrap();
            }
            is_offered_what_is_done(&store, "j1", &address).await;
        }
    }
    for is_ours in [true, false] {
        for (store, address, _directory) in stores().await {
            watching(&store, is_ours).await;
            is_offered_what_is_done(&store, "j1", &address).await;
        }
    }
    for (store, address, _directory) in stores().await {
        ended(&store, &Gates::open("cpu"), Some(OutcomeKind::PrOpened)).await;
        store.accept(delivery(8, "", "over", "x", "resolved")).await.unwrap();
        is_offered_what_is_done(&store, "j1", &address).await;
        assert_eq!(store.possible("x").await.unwrap(), Possible::default(), "{address}");
    }
}

/// The row of a decision that a person has made.
async fn row(store: &Store, word: &str) -> DecisionView {
    let rows = store.decisions(99, None).await.unwrap();
    rows.into_iter().find(|row| row.decision == word).unwrap_or_else(|| panic!("there is no row: {word}"))
}

#[tokio::test]
async fn what_ended_for_want_of_quota_or_without_a_session_is_tried_again_at_once() {
    for kind in [Some(OutcomeKind::QuotaExceeded), Some(OutcomeKind::CreateUnknown), None] {
        for (store, address, _directory) in stores().await {
            let earlier = ended(&store, &Gates::open("cpu"), kind).await;
            let job_id = job_of(&store.retry("j1", "ann").await.unwrap());
            let row = row(&store, "retry").await;
            assert_eq!((&row.job_id, row.alert.as_str(), &row.gate), (&job_id, "x", &None), "{address}");
            assert!(row.reason.as_ref().unwrap().starts_with("ann asked for it after j1, which ended as "), "{row:?}");
            let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
            assert_eq!(claimed.job.id, job_id, "{address}");
            let (old, new) = (&earlier.job.request.names, &claimed.job.request.names);
            let is_same_attempt = kind == Some(OutcomeKind::CreateUnknown);
            assert_eq!((&old.alert_tag, old.attempt_tag == new.attempt_tag), (&new.alert_tag, is_same_attempt));
            assert_eq!(claimed.job.request.new.tags, new.tags(), "{address}");
            let title = claimed.job.request.new.title.as_ref().unwrap();
            assert_eq!((title.matches('[').count(), title.contains(&new.attempt[..8])), (1, true), "{title}");
            let admission = store.admit(ask(&claimed, false)).await.unwrap();
            assert_eq!(short(&admission), "starts", "no quota is waited for: {kind:?} {address}");
            assert_eq!(store.retry(&job_id, "ann").await.unwrap(), store.start_again("x", "ann").await.unwrap());
        }
    }
}

#[tokio::test]
async fn an_alert_is_started_again_through_its_cool_down_and_no_other_gate() {
    for (store, address, _directory) in stores().await {
        let often = Occurrences { count: 9, within: Duration::from_secs(60) };
        let gates = limited(Limits { concurrent_sessions: Some(1), ..Limits::default() });
        ended(&store, &gates, Some(OutcomeKind::PrOpened)).await;
        let refused = why(store.retry("j1", "ann").await.unwrap());
        assert!(refused.contains("it ended as pr_opened"), "{refused} {address}");
        store.throw(Switch::Bridge, true).await.unwrap();
        let job_id = job_of(&store.start_again("x", "ann").await.unwrap());
        assert_eq!(admit_all(&store, &Bounds::default()).await, [format!("{job_id} is held")], "{address}");
        store.throw(Switch::Bridge, false).await.unwrap();
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        let held_back = Ask { holds: claimed.job.policy.holds, ..ask(&claimed, false) };
        assert_eq!(claimed.job.policy.holds.cooldown, Duration::ZERO, "{address}");
        assert_eq!(short(&store.admit(held_back).await.unwrap()), "starts", "{address}");
        // The place is taken now, and whoever asked is told what goes on.
        let again = why(store.start_again("x", "ann").await.unwrap());
        assert_eq!(again, format!("the alert has a job that goes on, {job_id}: wait for it"), "{address}");
        // One that had not fired often enough starts too.
        let gates = Gates { min_occurrences: Some(often), delay: LEASE, ..gates };
        store.accept(gated(2, "y", &gates)).await.unwrap();
        admit_all(&store, &Bounds::default()).await;
        let until = in_an_hour(&store).await;
        store.suppress("y", until, "ann").await.unwrap();
        store.unsuppress("y", "ann").await.unwrap();
        let mut other = claimed_again(&store, "j2").await;
        other.job.phase = Phase::Settled(End::Outcome(OutcomeKind::Refused));
        store.save(save(&other, "me", None)).await.unwrap();
        let job_id = job_of(&store.start_again("y", "ann").await.unwrap());
        assert_eq!(admit_all(&store, &Bounds::default()).await, [format!("{job_id} is held")], "{address}");
        let said = rows(&store).await;
        assert!(said.contains(&format!("{job_id}.2 cpu hold concurrent_sessions")), "{said:?} {address}");
    }
}

#[tokio::test]
async fn what_cannot_be_started_again_is_refused_with_the_reason_and_nothing_changes() {
    for (store, address, _directory) in stores().await {
        assert_eq!(store.retry("j1", "ann").await.unwrap(), Answered::NotFound, "{address}");
        assert_eq!(store.start_again("x", "ann").await.unwrap(), Answered::NotFound, "{address}");
        store.accept(delivery(7, "", "never", "z", "resolved")).await.unwrap();
        let never = why(store.start_again("z", "ann").await.unwrap());
        assert!(never.contains("never fired"), "{never} {address}");
        ended(&store, &Gates::open("cpu"), Some(OutcomeKind::WaitingForUser)).await;
        let waits = why(store.start_again("x", "ann").await.unwrap());
        assert!(waits.contains("devin-1 is alive and waits for a person"), "{waits} {address}");
        let progress = Progress { status: Some("done".to_string()), ..Progress::default() };
        store.amend(Amendment { job_id: "j1".to_string(), progress }).await.unwrap();
        let until = in_an_hour(&store).await;
        store.suppress("x", until, "bob").await.unwrap();
        let suppressed = why(store.start_again("x", "ann").await.unwrap());
        assert!(suppressed.contains("(bob): end the suppression first"), "{suppressed} {address}");
        store.unsuppress("x", "bob").await.unwrap();
        store.accept(delivery(8, "", "over", "x", "resolved")).await.unwrap();
        let resolved = why(store.start_again("x", "ann").await.unwrap());
        assert!(resolved.contains("the alert is resolved"), "{resolved} {address}");
        store.accept(gated(9, "x", &Gates::open("cpu"))).await.unwrap();
        let later = why(store.retry("j1", "ann").await.unwrap());
        assert!(later.contains("a later job, j9"), "{later} {address}");
        let by_hand = |row: &String| row.contains("start_again") || row.contains("retry");
        assert!(!rows(&store).await.iter().any(by_hand), "{address}");
        assert_eq!(store.alerts(9, None).await.unwrap().len(), 2, "{address}");
    }
}

/// A job of the alert `x` that watches this session, which it has made or not.
async fn watching(store: &Store, is_ours: bool) -> Claimed {
    store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
    admit_all(store, &Bounds::default()).await;
    let mut claimed = claimed_again(store, "j1").await;
    let watch = Job::watching("j1".to_string(), "devin-1".to_string(), claimed.job.policy.clone(), 0);
    let mut job = serde_json::to_value(&claimed.job).unwrap();
    job["phase"] = serde_json::to_value(&watch.phase).unwrap();
    job["made"] = serde_json::json!(if is_ours { vec!["1"] } else { vec![] });
    claimed.job = serde_json::from_value(job).unwrap();
    store.save(save(&claimed, "me", Some(3_600_000))).await.unwrap();
    claimed
}

#[tokio::test]
async fn the_end_of_a_session_is_told_to_the_job_that_has_made_it() {
    for (store, address, _directory) in stores().await {
        assert_eq!(store.end_session("j1", "ann").await.unwrap(), Answered::NotFound, "{address}");
        watching(&store, true).await;
        assert!(store.claim("one", "me", LEASE, 9).await.unwrap().claimed.is_empty(), "not due: {address}");
        store.accept(gated(2, "x", &Gates::open("cpu"))).await.unwrap();
        assert_eq!(job_of(&store.end_session("j1", "ann").await.unwrap()), "j1", "{address}");
        let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        let [(1, News::Firing(_)), (2, News::EndAsked(by))] = &claimed.news[..] else { panic!("{:?}", claimed.news) };
        assert_eq!(by, "ann", "{address}");
        let row = row(&store, "end").await;
        assert_eq!((row.id.as_str(), row.job_id.as_str()), ("j1.2", "j1"), "{address}");
        // What has joined and was never told to its session is the next job, whoever ended the session after that.
        let mut owing = serde_json::to_value(&claimed.job).unwrap();
        owing["is_owing"] = true.into();
        claimed.job = serde_json::from_value(owing).unwrap();
        let heard = Save { news_until: 2, ..save(&claimed, "me", None) };
        store.save(Save { due_in: Some(0), ..heard.clone() }).await.unwrap();
        let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert!(claimed.news.is_empty(), "{:?} {address}", claimed.news);
        claimed.job.phase = Phase::Settled(End::Outcome(OutcomeKind::Terminated));
        store.save(Save { news_until: 2, ..save(&claimed, "me", None) }).await.unwrap();
        let next = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert_eq!(next.job.id, "j2", "{address}");
        let ended = why(store.end_session("j1", "ann").await.unwrap());
        assert!(ended.starts_with("the job has ended"), "{ended} {address}");
        assert_eq!(why(store.end_session("j2", "ann").await.unwrap()), "the job has no session yet", "{address}");
    }
}

#[tokio::test]
async fn an_end_that_was_asked_for_is_no_news_of_the_alert() {
    for (store, address, _directory) in stores().await {
        watching(&store, true).await;
        store.end_session("j1", "ann").await.unwrap();
        let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        claimed.job.phase = Phase::Settled(End::Outcome(OutcomeKind::PrOpened));
        // It came to an end of its own, and has not heard of it.
        store.save(save(&claimed, "me", None)).await.unwrap();
        assert!(store.claim("one", "me", LEASE, 9).await.unwrap().claimed.is_empty(), "nothing follows: {address}");
    }
    for (store, address, _directory) in stores().await {
        watching(&store, false).await;
        let foreign = why(store.end_session("j1", "ann").await.unwrap());
        assert!(foreign.contains("devin-1 was not created by this job"), "{foreign} {address}");
    }
}

#[tokio::test]
async fn alerts_whose_key_is_suppressed_start_nothing_until_that_ends() {
    for (store, address, _directory) in stores().await {
        let gates = Gates { delay: Duration::from_secs(3600), ..Gates::open("cpu") };
        store.accept(gated(1, "x", &gates)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j1 is held"], "{address}");
        let until = in_an_hour(&store).await;
        let over = why(store.suppress("x", until - 7_200_000, "ann").await.unwrap());
        assert!(over.ends_with("is over: name a later moment"), "{over}");
        assert_eq!(store.suppress("x", until, "ann").await.unwrap(), Answered::Done { job_id: None });
        // What waited is turned away at once, and so is what comes.
        let claimed = claimed_again(&store, "j1").await;
        assert_eq!(short(&store.admit(ask(&claimed, false)).await.unwrap()), "is refused", "{address}");
        let mut refused = save(&claimed, "me", None);
        refused.job.phase = Phase::Settled(End::Outcome(OutcomeKind::Refused));
        store.save(refused).await.unwrap();
        let open = Gates::open("cpu");
        store.accept(gated(2, "y", &open)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j2 starts"], "another key: {address}");
        store.suppress("y", until, "ann").await.unwrap();
        let claimed = claimed_again(&store, "j2").await;
        let at_create = store.admit(ask(&claimed, true)).await.unwrap();
        assert_eq!(short(&at_create), "is refused", "it has no session yet: {address}");
        let [one, other] = &store.suppressions().await.unwrap()[..] else { panic!("two: {address}") };
        assert_eq!((one.dedupe_key.as_str(), one.until, one.by.as_str()), ("x", until, "ann"), "{address}");
        assert_eq!(other.dedupe_key, "y", "{address}");
        assert_eq!(store.unsuppress("x", "bob").await.unwrap(), Answered::Done { job_id: None });
        assert_eq!(store.unsuppress("x", "bob").await.unwrap(), Answered::NotFound, "{address}");
        store.accept(gated(3, "x", &open)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j3 starts"], "{address}");
        let (on, off) = (row(&store, "suppress").await, row(&store, "unsuppress").await);
        assert!(on.reason.unwrap().starts_with("ann asked for ") && off.reason.unwrap().starts_with("bob asked for "));
        let said = rows(&store).await;
        assert!(said.contains(&"j1.2 cpu refuse suppressed".to_string()), "{said:?} {address}");
        // One that is over is as if it had not been.
        if change(&address, "UPDATE suppressions SET until = 1").await {
            assert_eq!(store.suppressions().await.unwrap(), [], "{address}");
            assert_eq!(store.unsuppress("y", "bob").await.unwrap(), Answered::NotFound, "{address}");
            let again = store.admit(ask(&claimed, true)).await.unwrap();
            assert_eq!(short(&again), "starts", "{address}");
        }
    }
}
