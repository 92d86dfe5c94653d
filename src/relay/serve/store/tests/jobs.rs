//! An alert's jobs: one at a time, held by one process at a time, told of all that comes, and followed by the next.

use super::*;

#[tokio::test]
async fn an_alert_has_one_active_job_and_the_next_one_when_that_has_ended() {
    for (store, address, _directory) in stores().await {
        let mut said = Vec::new();
        said.push(told(&store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap()));
        settle(&store, OutcomeKind::PrOpened).await;
        for (number, body) in [(2, "b"), (3, "c")] {
            said.push(told(&store.accept(delivery(number, "", body, "x", "firing")).await.unwrap()));
        }
        said.push(told(&store.accept(delivery(4, "", "d", "x", "firing")).await.unwrap()));
        said.push(told(&store.accept(delivery(5, "", "e", "y", "firing")).await.unwrap()));
        assert_eq!(said, ["started j1", "started j2", "joined j2", "joined j2", "started j5"], "{address}");
    }
}

#[tokio::test]
async fn what_fires_while_a_job_comes_to_its_end_is_the_next_job() {
    for (store, address, _directory) in stores().await {
        for (number, state) in [(1, "firing"), (2, "firing"), (3, "firing")] {
            store.accept(delivery(number, "", &number.to_string(), "x", state)).await.unwrap();
        }
        settle(&store, OutcomeKind::PrOpened).await;
        let next = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert_eq!((next.job.id.as_str(), next.news.len()), ("j3", 0), "{address}");
        store.save(save(&next, "me", Some(0))).await.unwrap();
        for (number, state) in [(4, "firing"), (5, "resolved")] {
            store.accept(delivery(number, "", &number.to_string(), "x", state)).await.unwrap();
        }
        settle(&store, OutcomeKind::PrOpened).await;
        assert!(store.claim("one", "me", LEASE, 9).await.unwrap().claimed.is_empty(), "it is over: {address}");
    }
}

#[tokio::test]
async fn a_late_resolve_of_an_earlier_firing_ends_nothing() {
    for (store, address, _directory) in stores().await {
        let mut said = Vec::new();
        for (number, state, occurred_at) in
            [(1, "firing", 100), (2, "resolved", 90), (3, "resolved", 110), (4, "resolved", 111)]
        {
            let delivery = at(number, "", &number.to_string(), "x", state, Some(occurred_at));
            said.push(told(&store.accept(delivery).await.unwrap()));
        }
        let late = "resolved, but before it fired last";
        assert_eq!(said, ["started j1", late, "joined j1", "joined j1"], "{address}");
    }
}

#[tokio::test]
async fn jobs_that_go_on_are_counted_by_integration() {
    for (store, address, _directory) in stores().await {
        for (number, tag) in [(1, "x"), (2, "y")] {
            store.accept(delivery(number, "", tag, tag, "firing")).await.unwrap();
        }
        assert_eq!(store.active().await.unwrap(), [("one".to_string(), 2)], "{address}");
    }
}

#[tokio::test]
async fn a_late_firing_before_a_newer_resolve_starts_nothing() {
    for (store, address, _directory) in stores().await {
        let mut said = Vec::new();
        let end_of_time = 9_000_000_000_000;
        for (number, state, occurred_at, is_told_at) in [
            (1, "resolved", 100, true),
            (2, "firing", 90, true),
            // It began before the resolve, and may have been told of after it.
            (3, "firing", 90, false),
            (4, "resolved", 110, true),
            (5, "resolved", end_of_time, true),
            (6, "firing", end_of_time, true),
        ] {
            let mut delivery = at(number, "", &number.to_string(), "x", state, Some(occurred_at));
            delivery.entries[0].is_told_at = is_told_at;
            said.push(told(&store.accept(delivery).await.unwrap()));
        }
        let late = "fired, but before it was resolved last";
        assert_eq!(said, ["resolved", late, "started j3", "joined j3", "joined j3", "joined j3"], "{address}");
    }
}

#[tokio::test]
async fn a_job_is_held_by_one_until_its_lease_ends_and_then_by_another() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
        assert_eq!(store.claim("other", "me", LEASE, 9).await.unwrap().claimed.len(), 0);
        let mine = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert_eq!((mine.epoch, mine.stepped_by.as_deref()), (1, None), "{address}");
        assert_eq!(store.claim("one", "you", LEASE, 9).await.unwrap().claimed.len(), 0, "it is held");
        assert_eq!(store.save(save(&mine, "me", None)).await.unwrap(), Saved::Kept(Vec::new()));
        store.renew(vec![("j1".to_string(), 2)], NO_LEASE).await.unwrap();
        assert_eq!(store.claim("one", "you", LEASE, 9).await.unwrap().claimed.len(), 0, "that was another claim");
        store.renew(vec![("j1".to_string(), 1)], NO_LEASE).await.unwrap();
        let yours = until_due(&store, "you").await;
        assert_eq!((yours.epoch, yours.stepped_by.as_deref()), (2, Some("me")), "{address}");
        assert_eq!(store.save(save(&mine, "me", None)).await.unwrap(), Saved::Lost, "it is somebody else's");
        assert_eq!(store.save(save(&yours, "you", Some(0))).await.unwrap(), Saved::Kept(Vec::new()));
        assert_eq!(until_due(&store, "me").await.epoch, 3, "{address}");
    }
}

/// A lease that ends now has ended a millisecond later.
async fn until_due(store: &Store, owner: &str) -> Claimed {
    loop {
        if let Some(claimed) = store.claim("one", owner, LEASE, 9).await.unwrap().claimed.pop() {
            return claimed;
        }
    }
}

#[tokio::test]
async fn a_job_that_waits_is_not_due_until_there_is_news() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        store.save(save(&claimed, "me", Some(3_600_000))).await.unwrap();
        let due = store.claim("one", "me", LEASE, 9).await.unwrap();
        assert!(due.claimed.is_empty() && due.next_in.is_some_and(|next| next > 3_000_000), "{address} {due:?}");
        store.accept(delivery(2, "", "b", "x", "firing")).await.unwrap();
        store.accept(delivery(3, "", "c", "x", "resolved")).await.unwrap();
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        assert_eq!(claimed.news, [(1, News::Firing(Firing::default())), (2, News::Resolved)], "{address}");
        let save = Save { news_until: 1, ..save(&claimed, "me", Some(3_600_000)) };
        assert_eq!(store.save(save).await.unwrap(), Saved::Kept(vec![(2, News::Resolved)]));
        assert_eq!(store.claim("one", "me", LEASE, 9).await.unwrap().claimed.len(), 1, "there is news left");
    }
}

#[tokio::test]
async fn what_a_session_has_consumed_is_kept_once_it_is_known() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
        let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        for acus_consumed in [None, Some(1.5), Some(0.0), None, Some(2.0)] {
            claimed.progress.acus_consumed = acus_consumed;
            claimed.progress.pr_url = Some(PR_URL.to_string());
            let kept = store.save(save(&claimed, "me", None)).await;
            assert_eq!(kept, Ok(Saved::Kept(Vec::new())), "{acus_consumed:?} {address}");
            let alerts = store.alerts(9, None).await.unwrap();
            let shown = alerts[0].job.as_ref().and_then(|job| job.progress.acus_consumed);
            assert_eq!(shown, acus_consumed, "{address}");
            let pr_url = alerts[0].job.as_ref().and_then(|job| job.progress.pr_url.as_deref());
            assert_eq!(pr_url, Some(PR_URL_AS_KEPT), "{address}");
        }
    }
}

/// Of the numbers that news have, none is given twice.
#[tokio::test]
async fn news_that_come_after_others_were_heard_are_heard_too() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
        store.accept(delivery(2, "", "b", "x", "firing")).await.unwrap();
        let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
        let heard = || Save { news_until: 1, ..save(&claimed, "me", None) };
        assert_eq!(store.save(heard()).await.unwrap(), Saved::Kept(Vec::new()), "{address}");
        store.accept(delivery(3, "", "c", "x", "resolved")).await.unwrap();
        assert_eq!(store.save(heard()).await.unwrap(), Saved::Kept(vec![(2, News::Resolved)]), "{address}");
    }
}

#[tokio::test]
async fn what_joined_and_was_told_to_no_session_is_the_next_job() {
    for (owing, state, expected) in [(true, "firing", 1), (false, "firing", 0), (true, "resolved", 0)] {
        for (store, address, _directory) in stores().await {
            store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
            store.accept(delivery(2, "", "b", "x", state)).await.unwrap();
            let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
            if owing {
                claimed.job = job_that_owes(claimed.job);
            }
            let heard = |job: &Job| Save { job: job.clone(), news_until: 1, ..save(&claimed, "me", None) };
            assert_eq!(store.save(heard(&claimed.job)).await.unwrap(), Saved::Kept(Vec::new()), "{address}");
            let mut ended = claimed.job.clone();
            ended.phase = Phase::Settled(End::Outcome(OutcomeKind::NoPr));
            store.save(heard(&ended)).await.unwrap();
            let next = store.claim("one", "me", LEASE, 9).await.unwrap().claimed;
            assert_eq!(next.len(), expected, "{owing} {state} {address}");
        }
    }
}

/// As it is after a message was refused.
fn job_that_owes(job: Job) -> Job {
    let mut kept = serde_json::to_value(&job).unwrap();
    kept["is_owing"] = true.into();
    serde_json::from_value(kept).unwrap()
}

#[tokio::test]
async fn a_session_that_was_seen_is_never_forgotten_or_changed() {
    for (store, _, _directory) in stores().await {
        let session = |id: &str, url: &str| Session {
            session_id: id.to_string(),
            url: Some(url.to_string()),
            ..Session::default()
        };
        for session in [session("devin-1", "first"), session("1", "second"), session("2", "third")] {
            store.sight("tag", &session).await.unwrap();
        }
        let mut urls: Vec<_> =
            store.sightings("tag").await.unwrap().into_iter().filter_map(|session| session.url).collect();
        urls.sort();
        assert_eq!(urls, ["first", "third"]);
        assert!(store.sightings("other").await.unwrap().is_empty());
        assert_eq!(store.organization("one").await.unwrap(), None);
        for org_id in ["org-1", "org-2"] {
            store.keep_organization("one", org_id).await.unwrap();
        }
        assert_eq!(store.organization("one").await.unwrap().as_deref(), Some("org-2"));
    }
}

#[tokio::test]
async fn a_process_hears_of_due_jobs_that_another_one_has_kept() {
    for (store, address, _directory) in stores().await {
        if !matches!(address, Address::Postgres(_)) {
            continue;
        }
        let other = Store::open(&address).await.unwrap();
        let mut number = 0;
        // It may not listen yet.
        let heard = async {
            loop {
                number += 1;
                store.accept(delivery(number, "", &number.to_string(), "x", "firing")).await.unwrap();
                if tokio::time::timeout(Duration::from_millis(100), other.hinted()).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(LEASE, heard).await.expect("it hears of one");
    }
}
