//! What follows when sessions are stopped for want of quota.

use super::asking::{admit_all, ask, change, claimed_again, gated, rows, short};
use super::*;
use crate::relay::serve::gates::{Bounds, QUOTA_AGAIN};
use crate::relay::serve::store::by_hand::{Drawn, Wish, fulfill};
use crate::relay::serve::store::view::{quotas::quotas, tally::tally};
use crate::relay::serve::store::{Ledger, OWNER};

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn when_the_quota_is_used_up_others_wait_and_a_session_that_works_ends_that() {
    for (store, address, _directory) in stores().await {
        let open = Gates::open("cpu");
        store.accept(gated(1, "x", &open)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j1 starts"], "{address}");
        let mut claimed = claimed_again(&store, "j1").await;
        claimed.job.phase = Phase::Settled(End::Outcome(OutcomeKind::QuotaExceeded));
        claimed.progress.result = Some("quota_exceeded".to_string());
        claimed.progress.status = Some("dropped".to_string());
        store.save(save(&claimed, "me", None)).await.unwrap();
        store.accept(gated(2, "y", &open)).await.unwrap();
        assert_eq!(admit_all(&store, &Bounds::default()).await, ["j2 is held"], "{address}");
        assert!(rows(&store).await.contains(&"j2.1 cpu hold quota".to_string()), "{address}");
        assert_eq!(store.tally().await.unwrap().waiting, 1, "{address}");
        let quotas = store.quotas().await.unwrap();
        let [quota] = &quotas[..] else { panic!("{quotas:?} {address}") };
        assert_eq!((quota.integration.as_str(), quota.next_at - quota.since), ("one", QUOTA_AGAIN), "{address}");
        let worked = "UPDATE jobs SET status = 'done', started_at = (SELECT MAX(settled_at) + 1 FROM jobs), \
            settled_at = (SELECT MAX(settled_at) + 2 FROM jobs) WHERE id = 'j2'";
        if !change(&address, worked).await {
            continue;
        }
        assert_eq!(store.quotas().await.unwrap(), [], "{address}");
    }
}

#[tokio::test]
async fn while_the_quota_is_used_up_one_session_starts_in_a_quarter_of_an_hour_whatever_it_consumes() {
    let mut ledger = Ledger::new().await.unwrap();
    ledger.now = 1_800_000_000_000;
    let begin = ledger.now;
    let mut starts = Vec::new();
    for minute in 0..180 {
        ledger.now = begin + minute * MINUTE;
        let number = u32::try_from(minute).unwrap();
        ledger.accept(&gated(number, &format!("k{number}"), &Gates::open("cpu"))).await.unwrap();
        for mut claimed in ledger.claim("one").await.unwrap() {
            if claimed.job.phase == Phase::Received {
                let admission = ledger.admit(&ask(&claimed, false)).await.unwrap();
                if !matches!(admission, Admission::Start { .. }) {
                    continue;
                }
                starts.push(minute);
                made(&mut claimed);
                claimed.job.phase = Phase::Creating { waits_until: None };
                ledger.save(&save(&claimed, OWNER, Some(2 * MINUTE))).await.unwrap();
            } else if claimed.progress.acus_consumed.is_none() {
                // It works for a while, by what is left.
                claimed.progress.session_id = Some(claimed.job.id.clone());
                claimed.progress.acus_consumed = Some(0.5);
                ledger.save(&save(&claimed, OWNER, Some(4 * MINUTE))).await.unwrap();
            } else {
                claimed.job.phase = Phase::Settled(End::Outcome(OutcomeKind::QuotaExceeded));
                claimed.progress.status = Some("dropped".to_string());
                claimed.progress.result = Some("quota_exceeded".to_string());
                ledger.save(&save(&claimed, OWNER, None)).await.unwrap();
            }
        }
    }
    // Those that had started before the first was stopped.
    let tries: Vec<i64> = starts.iter().copied().filter(|minute| *minute > 6).collect();
    assert!(tries.len() >= 5, "{starts:?}");
    let gaps: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= 15), "{starts:?}");
}

/// The job has created its session.
fn made(claimed: &mut Claimed) {
    let mut job = serde_json::to_value(&claimed.job).unwrap();
    job["made"] = serde_json::json!(["s"]);
    claimed.job = serde_json::from_value(job).unwrap();
}

/// Ends a job by the want of quota, or well, at the ledger's time.
async fn ended(ledger: &mut Ledger, claimed: &Claimed, kind: OutcomeKind) {
    let mut claimed = claimed.clone();
    made(&mut claimed);
    claimed.job.phase = Phase::Settled(End::Outcome(kind));
    claimed.progress.session_id = Some(claimed.job.id.clone());
    claimed.progress.status = Some(kind.status().name().to_string());
    claimed.progress.result = serde_json::to_value(kind).unwrap().as_str().map(str::to_string);
    ledger.save(&save(&claimed, OWNER, None)).await.unwrap();
}

/// A new alert that asks to be started; what it is told, and its job.
async fn fires(ledger: &mut Ledger, number: u32) -> (String, Claimed) {
    ledger.accept(&gated(number, &format!("k{number}"), &Gates::open("cpu"))).await.unwrap();
    asks(ledger, &format!("j{number}")).await
}

/// A job that asks to be started, as do all that are due.
async fn asks(ledger: &mut Ledger, id: &str) -> (String, Claimed) {
    let mut found = None;
    for claimed in ledger.claim("one").await.unwrap() {
        let told = match ledger.admit(&ask(&claimed, false)).await.unwrap() {
            Admission::Hold { wait, .. } => format!("held for {} min", wait / MINUTE),
            admission => short(&admission).to_string(),
        };
        found = Some((told, claimed)).filter(|(_, claimed)| claimed.job.id == id).or(found);
    }
    found.unwrap()
}

/// A person retries an alert; the job that was made of it, which has asked.
async fn retried(ledger: &mut Ledger, alert: &str, id: &str) -> (String, Claimed) {
    let mut drawn = Drawn::new();
    drawn.job_id = id.to_string();
    let wish = Wish::StartAgain { alert: alert.to_string(), drawn };
    fulfill(&mut ledger.work(), &wish, "ann").await.unwrap();
    asks(ledger, id).await
}

async fn quota_of(ledger: &mut Ledger) -> Option<(i64, i64)> {
    let now = ledger.now;
    let quotas = quotas(&mut ledger.work()).await.unwrap();
    quotas.first().map(|quota| ((quota.since - now) / MINUTE, (quota.next_at - now) / MINUTE))
}

#[tokio::test]
async fn what_a_person_asks_for_is_tried_at_once_puts_off_nobody_and_ends_the_wait_when_it_works() {
    let mut ledger = Ledger::new().await.unwrap();
    ledger.now = 1_800_000_000_000;
    let (_, first) = fires(&mut ledger, 1).await;
    let (_, second) = fires(&mut ledger, 2).await;
    ended(&mut ledger, &first, OutcomeKind::QuotaExceeded).await;
    ledger.now += 2 * MINUTE;
    assert_eq!(fires(&mut ledger, 3).await.0, "held for 13 min");
    let (told, early) = retried(&mut ledger, "k1", "early").await;
    assert_eq!(told, "starts");
    ledger.now += 2 * MINUTE;
    ended(&mut ledger, &early, OutcomeKind::QuotaExceeded).await;
    assert_eq!(quota_of(&mut ledger).await, Some((-4, 11)), "nobody waits longer because it was too early");
    let (told, good) = retried(&mut ledger, "k1", "good").await;
    assert_eq!(told, "starts");
    ledger.now += MINUTE;
    // It has worked since before the first stop.
    ended(&mut ledger, &second, OutcomeKind::QuotaExceeded).await;
    assert_eq!(quota_of(&mut ledger).await, Some((-5, 10)));
    ledger.now += MINUTE;
    ended(&mut ledger, &good, OutcomeKind::PrOpened).await;
    assert_eq!(quota_of(&mut ledger).await, None, "it was started before the newest stop, and after the first");
    assert_eq!(asks(&mut ledger, "j3").await.0, "starts", "it is asked at once");
}

#[tokio::test]
async fn an_alert_that_was_retried_is_dropped_once_and_not_when_it_works() {
    let mut ledger = Ledger::new().await.unwrap();
    ledger.now = 1_800_000_000_000;
    let (_, first) = fires(&mut ledger, 1).await;
    ended(&mut ledger, &first, OutcomeKind::QuotaExceeded).await;
    ledger.now += MINUTE;
    let (_, second) = retried(&mut ledger, "k1", "second").await;
    ended(&mut ledger, &second, OutcomeKind::QuotaExceeded).await;
    assert_eq!(tally(&mut ledger.work()).await.unwrap().dropped_today, 1);
    ledger.now += MINUTE;
    let (_, third) = retried(&mut ledger, "k1", "third").await;
    ended(&mut ledger, &third, OutcomeKind::PrOpened).await;
    assert_eq!(tally(&mut ledger.work()).await.unwrap().dropped_today, 0);
}
