//! What follows when sessions are stopped for want of quota.

use super::admission::{admit_all, ask, change, claimed_again, gated, rows};
use super::*;
use crate::relay::serve::gates::{Bounds, QUOTA_AGAIN};
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
