//! Deliveries that come together are taken in as the same ones would be one after the other.

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use super::*;
use crate::relay::job::{End, Phase};
use crate::relay::outcome::OutcomeKind;
use crate::relay::serve::gates::Occurrences;
use crate::relay::serve::store::database::Database;
use crate::relay::serve::store::tests::{at, schema_of_its_own};
use crate::relay::serve::store::{Address, Claimed, Order, Reply, Save};

/// What is kept, without the moments.
const TABLES: [&str; 5] = [
    "SELECT id, route, COALESCE(sender_id, '-'), verdict, COALESCE(reason, '-'), COALESCE(LENGTH(body), -1) AS bytes, body_hash \
    FROM deliveries ORDER BY id",
    "SELECT tag, dedupe_key, route || title, state, last_delivery || last_route, COALESCE(occurred_at, -1), last_hash \
    FROM alerts ORDER BY tag",
    "SELECT id, alert, phase || rule || COALESCE(severity, '-'), job || gates, COALESCE(delivery, '-'), heard, CAST('' AS {BYTES}) FROM jobs ORDER BY id",
    // Two are asked for: how many more are kept goes by their moments.
    "SELECT alert, '', '', '', '', CASE WHEN COUNT(*) < 2 THEN 1 ELSE 2 END, CAST('' AS {BYTES}) FROM firings GROUP BY alert ORDER BY alert",
    "SELECT job, COALESCE(follow_up, '-'), '', '', '', seq, CAST('' AS {BYTES}) FROM news ORDER BY job, seq",
];

/// Two places for the same deliveries.
async fn pairs() -> Vec<([Address; 2], Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    let mut pairs = vec![(["a.db", "b.db"].map(|name| Address::Sqlite(directory.path().join(name))), Some(directory))];
    if let Ok(url) = std::env::var("RELAY_POSTGRES") {
        let [first, second] = [schema_of_its_own(&url).await, schema_of_its_own(&url).await];
        pairs.push(([Address::Postgres(first), Address::Postgres(second)], None));
    }
    pairs
}

/// A delivery as chance has it: of few alerts, bodies and identifiers, so that much is a duplicate or late.
fn some_delivery(dice: &mut fastrand::Rng, number: u32) -> NewDelivery {
    let sender_id = if dice.bool() { String::new() } else { format!("i{}", dice.u8(..40)) };
    let mut entries = Vec::new();
    for _ in 0..dice.usize(1..4) {
        let once = format!("once {number}");
        let tag = ["x", "y", "z", "w", once.as_str()][dice.usize(..5).min(dice.usize(..5))];
        let state = ["firing", "firing", "firing", "firing", "resolved", "acknowledged"][dice.usize(..6)];
        let occurred_at = dice.bool().then(|| dice.i64(1..100));
        let job = number * 10 + entries.len() as u32;
        let mut entry = at(job, "", "", tag, state, occurred_at).entries.remove(0);
        entry.is_told_at = dice.bool();
        if dice.u8(..4) == 0 {
            entry.siblings = vec!["v".to_string(), "w".to_string(), "x".to_string()];
        }
        match &mut entry.state {
            EntryState::Firing(new) if dice.bool() => {
                new.gates.min_occurrences = Some(Occurrences { count: 2, within: Duration::from_secs(3600) });
                new.severity = Some(Severity::High);
            }
            EntryState::Resolved if dice.bool() => entry.state = EntryState::ResolvedIfKnown,
            EntryState::Other(_) if dice.bool() => entry.state = EntryState::Unwanted("no rule wants it".to_string()),
            _ => {}
        }
        entry.title = format!("t{number}");
        entries.push(entry);
    }
    let body = format!("body {}", dice.u8(..30));
    let verdict = match dice.u8(..12) {
        0 => Verdict::Unrecognized("of no known shape".to_string()),
        1 => Verdict::NoAlert("a ping".to_string()),
        _ => Verdict::Alerts,
    };
    if verdict != Verdict::Alerts {
        entries.clear();
    }
    let route = ["r", "s"][usize::from(dice.u8(..6) == 0)].to_string();
    NewDelivery { route, verdict, entries, ..at(number, &sender_id, &body, "", "resolved", None) }
}

/// Ends some of the jobs, as a function of their names.
async fn end_some(database: &mut Database) {
    let claim = Order::Claim { integration: "one".into(), owner: "me".into(), lease_ms: 60_000, most: 99 };
    let mut replies = database.transact(&[claim]).await.unwrap_or_else(|error| panic!("{error}"));
    let Some(Reply::Due(mut due)) = replies.pop() else { panic!("no answer to the question") };
    due.claimed.sort_by(|one, other| one.job.id.cmp(&other.job.id));
    for (place, Claimed { mut job, epoch, mut progress, .. }) in due.claimed.into_iter().enumerate() {
        if place % 2 == 0 {
            job.phase = Phase::Settled(End::Outcome(OutcomeKind::QuotaExceeded));
            progress.status = Some("dropped".to_string());
        }
        let save =
            Save { job, epoch, owner: "me".into(), progress, events: Vec::new(), news_until: 1, due_in: Some(0) };
        assert!(database.transact(&[Order::Save(Box::new(save))]).await.is_ok());
    }
}

async fn receipts(database: &mut Database, orders: &[Order]) -> Vec<Receipt> {
    let replies = database.transact(orders).await.unwrap_or_else(|error| panic!("{error}"));
    let receipt = |reply| if let Reply::Receipt(receipt) = reply { Some(receipt) } else { None };
    replies.into_iter().filter_map(receipt).collect()
}

async fn kept(address: &Address) -> Vec<String> {
    let (url, bytes) = match address {
        Address::Memory => panic!("it cannot be opened twice"),
        Address::Sqlite(path) => (format!("sqlite:{}", path.display()), "BLOB"),
        Address::Postgres(url) => (url.clone(), "BYTEA"),
    };
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    let mut lines = Vec::new();
    for text in TABLES {
        let text = AssertSqlSafe(text.replace("{BYTES}", bytes));
        for row in sqlx::query(text).fetch_all(&mut connection).await.unwrap() {
            let words: Vec<String> = (0..5).map(|column| row.try_get(column).unwrap()).collect();
            let number = row.try_get::<i64, _>(5).or_else(|_| row.try_get::<i32, _>(5).map(i64::from)).unwrap();
            lines.push(format!("{words:?} {number} {:?}", row.try_get::<Vec<u8>, _>(6).unwrap()));
        }
    }
    lines
}

#[tokio::test]
async fn deliveries_of_one_transaction_are_taken_in_as_one_after_the_other() {
    for (addresses, _directory) in pairs().await {
        let mut together = Database::open(&addresses[0]).await.unwrap();
        let mut alone = Database::open(&addresses[1]).await.unwrap();
        let mut dice = fastrand::Rng::with_seed(7);
        let mut number = 0;
        for round in [3, 1, 40, 200, 64, 65] {
            let (mut run, mut single) = (Vec::new(), Vec::new());
            for _ in 0..round {
                let delivery = Box::new(some_delivery(&mut dice, number));
                run.push(Order::Accept(delivery.clone()));
                // Another order between them: each is looked up and written alone, at the same moment.
                single.extend([Order::Accept(delivery), Order::Active]);
                number += 1;
            }
            let receipts = [receipts(&mut together, &run).await, receipts(&mut alone, &single).await];
            assert_eq!(receipts[0].len(), run.len());
            assert_eq!(receipts[0], receipts[1], "{:?}", addresses[0]);
            assert_eq!(kept(&addresses[0]).await, kept(&addresses[1]).await, "{:?}", addresses[0]);
            end_some(&mut together).await;
            end_some(&mut alone).await;
            assert_eq!(kept(&addresses[0]).await, kept(&addresses[1]).await, "{:?}", addresses[0]);
        }
    }
}
