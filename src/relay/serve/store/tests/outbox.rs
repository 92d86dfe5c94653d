//! What is to be told to people, as every store keeps it.

use super::asking::gated;
use super::*;
use crate::relay::event::EventKind;
use crate::relay::serve::notify::{Event, Subscription};

/// Gates that tell these targets of everything.
fn telling(targets: &[&str]) -> Gates {
    let subscription = |target: &&str| Subscription { target: target.to_string(), on: Event::ALL.to_vec() };
    Gates { notify: targets.iter().map(subscription).collect(), ..Gates::open("cpu") }
}

fn created(id: &str) -> EventKind {
    EventKind::SessionCreated { session_id: id.to_string(), session_url: None }
}

/// Lets a job of this alert begin and end in one step: two things to tell.
async fn run(store: &Store, number: u32, gates: &Gates) {
    store.accept(gated(number, &format!("x{number}"), gates)).await.unwrap();
    let claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
    let begun = Save { events: vec![created("devin-1")], ..save(&claimed, "me", None) };
    store.save(begun).await.unwrap();
    let mut ended = save(&claimed, "me", None);
    ended.job.phase = Phase::Settled(End::Failed { session_id: None });
    store.save(ended).await.unwrap();
}

/// What is due for a target, by its job.
async fn due(store: &Store, target: &str) -> Vec<Outgoing> {
    let mut outgoing = store.claim_notices(target, LEASE, 9).await.unwrap().outgoing;
    outgoing.sort_by(|one, other| one.notice.job_id.cmp(&other.notice.job_id));
    outgoing
}

fn words(outgoing: &[Outgoing]) -> Vec<String> {
    outgoing.iter().map(|one| format!("{} {} {}", one.notice.job_id, one.notice.event.name(), one.attempt)).collect()
}

const SENT: Settled = Settled::Sent { reference: None };

fn later() -> Settled {
    Settled::Later { wait: Duration::ZERO, reason: "it answered 503".to_string() }
}

#[tokio::test]
async fn what_happens_is_told_once_to_each_target_and_in_the_order_of_its_alert() {
    for (store, address, _directory) in stores().await {
        run(&store, 1, &telling(&["a", "b"])).await;
        run(&store, 2, &telling(&["a"])).await;
        let first = due(&store, "a").await;
        assert_eq!(words(&first), ["j1 created 1", "j2 created 1"], "{address}");
        assert!(due(&store, "a").await.is_empty(), "both are held: {address}");
        store.settle_notice(&first[0].notice.id, 1, SENT).await.unwrap();
        store.settle_notice(&first[1].notice.id, 1, later()).await.unwrap();
        let second = due(&store, "a").await;
        assert_eq!(words(&second), ["j1 failed 1", "j2 created 2"], "what failed is not overtaken: {address}");
        assert_eq!(second[1].notice.id, first[1].notice.id, "it keeps its name: {address}");
        assert_eq!(words(&due(&store, "b").await), ["j1 created 1"], "{address}");
        assert!(due(&store, "c").await.is_empty(), "{address}");
    }
}

#[tokio::test]
async fn what_was_claimed_and_not_kept_is_sent_again_and_whoever_was_late_settles_nothing_but_that_it_was_sent() {
    for (store, address, _directory) in stores().await {
        run(&store, 1, &telling(&["a"])).await;
        let lost = store.claim_notices("a", NO_LEASE, 9).await.unwrap().outgoing.remove(0);
        let again = loop {
            if let Some(again) = due(&store, "a").await.pop() {
                break again;
            }
        };
        assert_eq!((&again.notice, again.attempt), (&lost.notice, 2), "{address}");
        let dead = Settled::Dead { reason: "it answered 400".to_string() };
        store.settle_notice(&lost.notice.id, 1, dead).await.unwrap();
        assert_eq!(store.notices(NoticeFilter::default(), 9, None).await.unwrap()[0].attempts, 0, "{address}");
        store.settle_notice(&lost.notice.id, 1, SENT).await.unwrap();
        assert_eq!(words(&due(&store, "a").await), ["j1 failed 1"], "{address}");
    }
}

#[tokio::test]
async fn what_is_given_up_is_shown_holds_up_nothing_and_can_be_sent_again() {
    for (store, address, _directory) in stores().await {
        run(&store, 1, &telling(&["a"])).await;
        let first = due(&store, "a").await.remove(0);
        let id = first.notice.id.as_str();
        let refused = Answered::Refused {
            reason: "the notification is waiting, and only one that was given up can be sent again".to_string(),
        };
        assert_eq!(store.resend(id).await.unwrap(), refused, "{address}");
        store.settle_notice(id, 1, Settled::Dead { reason: "it answered 404".to_string() }).await.unwrap();
        assert_eq!(words(&due(&store, "a").await), ["j1 failed 1"], "{address}");
        let dead = NoticeFilter { state: Some("dead".to_string()), ..NoticeFilter::default() };
        let shown = store.notices(dead.clone(), 9, None).await.unwrap();
        assert_eq!(shown.len(), 1, "{address}");
        assert_eq!((shown[0].id.as_str(), shown[0].reason.as_deref()), (id, Some("it answered 404")), "{address}");
        assert!(matches!(store.resend(id).await.unwrap(), Answered::Done { .. }), "{address}");
        assert_eq!(store.resend("notice-0").await.unwrap(), Answered::NotFound, "{address}");
        assert!(store.notices(dead, 9, None).await.unwrap().is_empty(), "{address}");
        let again = due(&store, "a").await;
        assert_eq!(again[0].notice.id, id, "under the same name: {address}");
    }
}

#[tokio::test]
async fn the_message_that_a_notice_became_is_known_to_the_next_one_of_its_job() {
    for (store, address, _directory) in stores().await {
        run(&store, 1, &telling(&["a"])).await;
        let first = due(&store, "a").await.remove(0);
        assert_eq!(first.reference, None, "{address}");
        let sent = Settled::Sent { reference: Some("C1 17.1".to_string()) };
        store.settle_notice(&first.notice.id, 1, sent).await.unwrap();
        assert_eq!(due(&store, "a").await[0].reference.as_deref(), Some("C1 17.1"), "{address}");
    }
}
