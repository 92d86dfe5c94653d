//! What every store promises. The same tests run over memory, a file, and PostgreSQL where `RELAY_POSTGRES` names one.

mod admission;
mod by_hand;
mod histories;
mod outbox;
mod pruning;
mod quota;
mod storms;
mod transfer;
mod upgrade;
mod views;
mod waking;

use std::time::Duration;

use super::*;
use crate::devin::session::NewSession;
use crate::relay::job::{
    DispatchRequest, End, Firing, Job, OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout, Phase, Policy,
};
use crate::relay::names::Names;
use crate::relay::outcome::OutcomeKind;
use crate::relay::prior::Holds;
use crate::relay::serve::gates::Gates;

const LEASE: Duration = Duration::from_secs(60);
const NO_LEASE: Duration = Duration::ZERO;

/// A pull request's address with a credential in it, and what is kept of it.
const PR_URL: &str = "https://bot:S3cr3tPass9x@git.example/o/r/pull/7";
const PR_URL_AS_KEPT: &str = "https://bot:****@git.example/o/r/pull/7";

/// Each kind of store, empty, with what must live as long as it.
async fn stores() -> Vec<(Store, Address, Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    let mut addresses =
        vec![(Address::Memory, None), (Address::Sqlite(directory.path().join("relay.db")), Some(directory))];
    if let Ok(url) = std::env::var("RELAY_POSTGRES") {
        addresses.push((Address::Postgres(schema_of_its_own(&url).await), None));
    }
    let mut stores = Vec::new();
    for (address, directory) in addresses {
        stores.push((Store::open(&address).await.unwrap(), address, directory));
    }
    stores
}

/// Tests run side by side in one database.
pub async fn schema_of_its_own(url: &str) -> String {
    use sqlx::Connection as _;
    let name = format!("test_{}", crate::relay::draw::drawn());
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let text = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-c%20search_path%3D{name}")
}

fn job(id: &str) -> Job {
    let names = Names::new("ar-0".to_string(), "0123456789abcdef".to_string());
    let request = DispatchRequest { names, new: NewSession::default(), firing: Firing::default() };
    let policy = Policy {
        holds: Holds { cooldown: Duration::ZERO, while_pr_open: None },
        new_attempt: false,
        detach: false,
        reconcile_window: Duration::ZERO,
        create_again: false,
        on_session_limit: OnSessionLimit::Wait,
        on_new_alerts: OnNewAlerts::Message,
        on_timeout: OnTimeout::Leave,
        on_resolved: OnResolved::Annotate,
        poll_interval: LEASE,
        max_polls: 1,
        pr_grace: 0,
    };
    Job::new(id.to_string(), "key".to_string(), request, policy)
}

/// A delivery with one alert: its number (and of its job), sender's identifier, body, alert, and state.
fn delivery(number: u32, sender_id: &str, body: &str, tag: &str, state: &str) -> NewDelivery {
    at(number, sender_id, body, tag, state, None)
}

pub fn at(number: u32, sender_id: &str, body: &str, tag: &str, state: &str, occurred_at: Option<i64>) -> NewDelivery {
    let state = match state {
        "firing" => {
            let (job, gates) = (job(&format!("j{number}")), Gates::open("default"));
            EntryState::Firing(Box::new(NewJob { integration: "one".to_string(), job, gates, severity: None }))
        }
        "resolved" => EntryState::Resolved,
        other => EntryState::Other(other.to_string()),
    };
    let entry = Entry {
        tag: tag.to_string(),
        dedupe_key: tag.to_string(),
        title: "t".to_string(),
        occurred_at,
        is_told_at: true,
        state,
        siblings: Vec::new(),
    };
    NewDelivery {
        id: format!("d{number}"),
        route: "r".to_string(),
        sender_id: Some(sender_id.to_string()).filter(|id| !id.is_empty()),
        body_hash: body_hash(body.as_bytes()),
        body: body.as_bytes().to_vec(),
        verdict: Verdict::Alerts,
        retention: Duration::from_secs(86_400),
        entries: vec![entry],
    }
}

/// What became of a delivery, in a few words.
fn told(receipt: &Receipt) -> String {
    let taken = receipt.taken.iter().map(|taken| match taken {
        Taken::Started { job_id } => format!("started {job_id}"),
        Taken::Joined { job_id } => format!("joined {job_id}"),
        Taken::Nothing => "nothing".to_string(),
        Taken::Suppressed { reason, .. } => reason.clone(),
    });
    if receipt.is_duplicate() { "duplicate".to_string() } else { taken.collect::<Vec<_>>().join(", ") }
}

fn save(claimed: &Claimed, owner: &str, due_in: Option<i64>) -> Save {
    let (job, progress) = (claimed.job.clone(), claimed.progress.clone());
    Save { job, epoch: claimed.epoch, owner: owner.to_string(), progress, events: Vec::new(), news_until: 0, due_in }
}

/// Keeps deliveries for so long and so many bytes of them, and alerts for good.
fn keep(deliveries: Duration, most_bytes: u64) -> Keep {
    Keep { deliveries, alerts: Duration::MAX, most_bytes }
}

/// Settles the job of an alert with a status.
async fn settle(store: &Store, kind: OutcomeKind) {
    let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
    claimed.job.phase = Phase::Settled(End::Outcome(kind));
    claimed.progress.status = Some(kind.status().name().to_string());
    assert_eq!(store.save(save(&claimed, "me", None)).await.unwrap(), Saved::Kept(Vec::new()));
}

#[tokio::test]
async fn a_duplicate_names_the_delivery_that_it_repeats() {
    for (store, address, _directory) in stores().await {
        let mut first_ones = Vec::new();
        for (number, sender_id, body, tag) in
            [(1, "7", "a", "x"), (2, "7", "b", "x"), (3, "", "c", "y"), (4, "", "c", "y"), (5, "", "c", "y")]
        {
            let receipt = store.accept(delivery(number, sender_id, body, tag, "firing")).await.unwrap();
            first_ones.push(receipt.duplicate_of);
        }
        let named = |number: u32| Some(delivery(number, "", "", "", "firing").id);
        assert_eq!(first_ones, [None, named(1), None, named(3), named(3)], "{address}");
    }
}

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
async fn deliveries_that_come_at_the_same_time_make_one_job() {
    for (store, address, _directory) in stores().await {
        let store = std::sync::Arc::new(store);
        let mut all = tokio::task::JoinSet::new();
        for number in 0..50 {
            let store = std::sync::Arc::clone(&store);
            all.spawn(
                async move { store.accept(delivery(number, "", &number.to_string(), "x", "firing")).await.unwrap() },
            );
        }
        let receipts = all.join_all().await;
        let started = receipts.iter().filter(|receipt| matches!(receipt.taken[0], Taken::Started { .. })).count();
        assert_eq!((receipts.len(), started), (50, 1), "{address}");
    }
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_known() {
    for (store, address, _directory) in stores().await {
        let mut said = Vec::new();
        for (number, id, body, tag, state) in [
            (1, "7", "a", "x", "firing"),
            (2, "7", "a", "x", "firing"),
            (3, "", "b", "x", "firing"),
            (4, "", "b", "x", "firing"),
            (5, "", "c", "x", "resolved"),
            (6, "", "b", "x", "firing"),
            (7, "8", "b", "x", "firing"),
            (8, "", "q", "y", "acknowledged"),
            (9, "", "q", "y", "acknowledged"),
        ] {
            said.push(told(&store.accept(delivery(number, id, body, tag, state)).await.unwrap()));
        }
        let other = "the alert is acknowledged, which starts nothing";
        let expected =
            ["started j1", "duplicate", "joined j1", "duplicate", "joined j1", "joined j1", "joined j1", other, other];
        assert_eq!(said, expected, "{address}");
    }
}

#[tokio::test]
async fn sending_the_same_again_is_the_retry_of_a_job_that_was_dropped() {
    for (kind, expected) in [
        (OutcomeKind::PrOpened, "duplicate"),
        (OutcomeKind::WaitingForUser, "duplicate"),
        (OutcomeKind::QuotaExceeded, "started j2"),
        (OutcomeKind::CreateUnknown, "started j2"),
    ] {
        for (store, address, _directory) in stores().await {
            store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
            settle(&store, kind).await;
            let again = store.accept(delivery(2, "", "a", "x", "firing")).await.unwrap();
            assert_eq!(told(&again), expected, "{kind:?} {address}");
        }
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
async fn what_is_not_recognized_is_kept_and_may_come_again() {
    for (store, _, _directory) in stores().await {
        for number in [1, 2] {
            let unrecognized = Verdict::Unrecognized("of no known shape".to_string());
            let delivery =
                NewDelivery { verdict: unrecognized, entries: Vec::new(), ..delivery(number, "7", "a", "x", "firing") };
            assert!(!store.accept(delivery).await.unwrap().is_duplicate());
        }
        let recognized = store.accept(delivery(3, "7", "a", "x", "firing")).await.unwrap();
        assert_eq!(told(&recognized), "started j3");
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
async fn what_happened_can_be_asked_and_old_deliveries_are_forgotten() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "7", "a", "x", "firing")).await.unwrap();
        settle(&store, OutcomeKind::PrOpened).await;
        let alerts = store.alerts(9, None).await.unwrap();
        let shown = (alerts[0].state.as_str(), alerts[0].job.as_ref().and_then(|job| job.progress.status.as_deref()));
        assert_eq!(shown, ("firing", Some("done")), "{address}");
        store.ping().await.unwrap();
        store.ping().await.unwrap();
        store.prune(keep(LEASE, u64::MAX)).await.unwrap();
        assert!(store.accept(delivery(2, "7", "b", "x", "firing")).await.unwrap().is_duplicate(), "{address}");
        // Nothing is older than what comes next.
        while store.accept(delivery(3, "7", "b", "x", "firing")).await.is_ok_and(|receipt| receipt.is_duplicate()) {
            store.prune(keep(NO_LEASE, u64::MAX)).await.unwrap();
        }
    }
}

/// Which deliveries have a body still.
async fn bodies(address: &Address) -> Vec<String> {
    use sqlx::{Connection as _, Row as _};
    let url = match address {
        Address::Memory => return Vec::new(),
        Address::Sqlite(path) => format!("sqlite:{}", path.display()),
        Address::Postgres(url) => url.clone(),
    };
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let text = "SELECT id FROM deliveries WHERE body IS NOT NULL ORDER BY id";
    let rows = sqlx::query(text).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.try_get(0).unwrap()).collect()
}

#[tokio::test]
async fn the_oldest_bodies_go_first_and_none_that_an_active_job_was_made_of() {
    for (store, address, _directory) in stores().await {
        // The first has a job that goes on, which heard of the last; the others' jobs have ended. Those of
        // one millisecond go by their names.
        store.accept(delivery(1, "", "aaaa", "x", "firing")).await.unwrap();
        for number in 2..=5 {
            store.accept(delivery(number, "", &format!("{number:04}"), &number.to_string(), "resolved")).await.unwrap();
        }
        store.accept(delivery(6, "", "cccc", "x", "firing")).await.unwrap();
        assert_eq!(store.prune(keep(LEASE, 24)).await.unwrap(), 0, "{address}");
        assert_eq!(store.prune(keep(LEASE, 12)).await.unwrap(), 2, "{address}");
        if address != Address::Memory {
            let left = bodies(&address).await;
            assert_eq!(left, ["d1", "d4", "d5", "d6"]);
        }
        assert_eq!(store.prune(keep(LEASE, 0)).await.unwrap(), 2, "{address}");
        if address != Address::Memory {
            assert_eq!(bodies(&address).await, ["d1", "d6"]);
        }
    }
}

#[tokio::test]
async fn an_identifier_is_free_again_after_its_time_though_the_delivery_is_still_kept() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "7", "a", "x", "firing")).await.unwrap();
        let mut number = 2;
        // Its time is over a millisecond later.
        let taken = loop {
            let again = NewDelivery { retention: Duration::ZERO, ..delivery(number, "7", "b", "y", "firing") };
            let receipt = store.accept(again).await.unwrap();
            if !receipt.is_duplicate() {
                break receipt;
            }
            number += 1;
        };
        assert_eq!(told(&taken), format!("started j{number}"), "{address}");
        let known = store.accept(delivery(number + 1, "7", "c", "z", "firing")).await.unwrap();
        assert!(known.is_duplicate(), "the identifier is now the later one's: {address}");
    }
}

#[tokio::test]
async fn alerts_are_listed_page_by_page() {
    for (store, address, _directory) in stores().await {
        for number in 1..=5 {
            let text = number.to_string();
            store.accept(delivery(number, "", &text, &text, "firing")).await.unwrap();
        }
        let (mut tags, mut after) = (Vec::new(), None);
        loop {
            let page = store.alerts(2, after).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(After { at: last.last_at, id: last.tag.clone() });
            tags.extend(page.into_iter().map(|alert| alert.tag));
        }
        tags.sort();
        assert_eq!(tags, ["1", "2", "3", "4", "5"], "{address}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_done_does_not_cost_the_others() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
        // The same identifier of a delivery twice: that can only be a fault of this program.
        let (bad, good) = tokio::join!(
            store.accept(delivery(1, "", "b", "y", "firing")),
            store.accept(delivery(2, "", "c", "z", "firing")),
        );
        assert!(bad.is_err(), "{address}");
        assert_eq!(told(&good.unwrap()), "started j2", "{address}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_its_owners_and_one_process_writes_to_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let address = Address::Sqlite(directory.path().join("a b?%.db"));
    let store = Store::open(&address).await.unwrap();
    store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
    files.sort_by_key(|file| file.file_name());
    let shown = files.iter().map(|file| {
        format!("{} {:o}", file.file_name().display(), file.metadata().unwrap().permissions().mode() & 0o777)
    });
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown, ["a b?%.db 600", "a b?%.db-lock 600", "a b?%.db-shm 600", "a b?%.db-wal 600"]);
    let refused = Store::open(&address).await.err().unwrap().to_string();
    assert!(
        refused.ends_with("another process writes to it: stop that one, or give this one a store of its own"),
        "{refused}"
    );
    let alias = directory.path().join("alias.db");
    std::os::unix::fs::symlink(directory.path().join("a b?%.db"), &alias).unwrap();
    assert!(Store::open(&Address::Sqlite(alias)).await.is_err(), "it is the same file by another name");
    let link = directory.path().join("link.db");
    std::fs::hard_link(directory.path().join("a b?%.db"), &link).unwrap();
    let refused = Store::open(&Address::Sqlite(link.clone())).await.err().unwrap().to_string();
    assert!(refused.contains("more than one name"), "{refused}");
    std::fs::remove_file(link).unwrap();
    store.close().await;
    let store = Store::open(&address).await.unwrap();
    assert_eq!(store.alerts(9, None).await.unwrap().len(), 1);
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

#[cfg(unix)]
#[tokio::test]
async fn files_that_are_deleted_under_it_are_noticed_before_anything_is_accepted() {
    for deleted in ["relay.db", "relay.db-wal"] {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&Address::Sqlite(directory.path().join("relay.db"))).await.unwrap();
        store.accept(delivery(1, "", "a", "x", "firing")).await.unwrap();
        let (path, aside) = (directory.path().join(deleted), directory.path().join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        for _ in 0..2 {
            let gone = store.ping().await.unwrap_err().to_string();
            assert!(gone.contains("was deleted or replaced while it was open"), "{gone}");
        }
        assert!(store.accept(delivery(2, "", "b", "y", "firing")).await.is_err(), "it would be lost");
        std::fs::rename(&aside, &path).unwrap();
        assert_eq!(told(&store.accept(delivery(2, "", "b", "y", "firing")).await.unwrap()), "started j2");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let address = Address::Sqlite(directory.path().join("relay.db"));
    Store::open(&address).await.unwrap().close().await;
    let url = format!("sqlite:{}", directory.path().join("relay.db").display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::raw_sql("INSERT INTO relay_store VALUES (99)").execute(&mut connection).await.unwrap();
    let refused = Store::open(&address).await.err().unwrap().to_string();
    assert!(refused.contains("the store has version 99, and this program knows "), "{refused}");
}

#[test]
fn an_address_is_shown_without_its_password() {
    let shown = |text: &str| text.parse::<Address>().map(|address| address.to_string());
    for (text, expected) in [
        ("memory", "memory"),
        ("sqlite:relay.db", "sqlite:relay.db"),
        ("sqlite://relay.db", "sqlite:relay.db"),
        ("sqlite:///var/relay.db", "sqlite:/var/relay.db"),
        ("sqlite::memory:", "memory"),
        (
            "postgres://me:secret@db.example/relay?sslmode=require&password=x",
            "postgres://me:****@db.example/relay?sslmode=require&password=****",
        ),
        (
            "postgres://me@localhost/relay?host=/run/pg&sslkey=x&y",
            "postgres://me@localhost/relay?host=/run/pg&sslkey=****&****",
        ),
        ("postgres://me:se/c?r@et@db.example/relay", "postgres://me:****@db.example/relay"),
        ("postgres://me?password=x@y", "postgres://****@y"),
        ("postgres://localhost/relay?password=x@y", "postgres://****@y"),
        ("postgresql://db.example/relay", "postgres://db.example/relay"),
        ("postgres://db.example:5432/relay", "postgres://db.example:5432/relay"),
        ("postgres://[::1]/relay", "postgres://[::1]/relay"),
        ("postgres://relay:Zq7cAnaRy88xLm/db", "postgres://relay:****"),
        ("postgres://relay:Zq7cAnaRy88xLm", "postgres://relay:****"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected));
    }
    for text in ["", "sqlite:", "sqlite://", "relay.db", "mysql://x"] {
        assert!(shown(text).is_err(), "{text}");
    }
}
