//! What a switch holds, and when it is asked about again.

use sqlx::Connection as _;

use super::asking::{admit_all, change, gated};
use super::*;
use crate::output::Output;
use crate::relay::serve::gates::Bounds;
use crate::relay::serve::{Log, kill_switch};

/// Alerts of which the one with the highest number came first, held by the kill switch.
async fn hold(store: &Store, address: &Address, numbers: std::ops::RangeInclusive<u32>) -> bool {
    store.throw(Switch::Bridge, true).await.unwrap();
    for number in numbers.clone() {
        store.accept(gated(number, &number.to_string(), &Gates::open("cpu"))).await.unwrap();
    }
    assert_eq!(admit_all(store, &Bounds::default()).await.len(), numbers.count(), "{address}");
    // Further apart than another test may hold the turn that all stores of a database share.
    change(address, "UPDATE jobs SET created_at = created_at - 10000 * CAST(substr(id, 2) AS BIGINT)").await
}

#[tokio::test]
async fn what_a_switch_has_held_starts_in_the_order_in_which_it_came() {
    for (store, address, _directory) in stores().await {
        if !hold(&store, &address, 1..=9).await {
            continue;
        }
        store.throw(Switch::Bridge, false).await.unwrap();
        for expected in [["j9", "j8", "j7", "j6"], ["j5", "j4", "j3", "j2"]] {
            let due = store.claim("one", "me", LEASE, 4).await.unwrap().claimed;
            let ids: Vec<&str> = due.iter().map(|claimed| claimed.job.id.as_str()).collect();
            assert_eq!(ids, expected, "{address}");
        }
    }
}

/// A process that asks may stand between what it has read of the switches and what it keeps: whoever throws one waits for it, and sees
/// all that it holds.
#[tokio::test]
async fn a_switch_that_goes_off_while_another_process_asks_has_what_that_one_holds_asked_about_again() {
    let Ok(url) = std::env::var("RELAY_POSTGRES") else { return };
    let url = schema_of_its_own(&url).await;
    let store = Arc::new(Store::open(&Address::Postgres(url.clone())).await.unwrap());
    for (number, is_in_the_file) in [(1_u32, false), (2, true)] {
        store.accept(gated(number, &number.to_string(), &Gates::open("cpu"))).await.unwrap();
        let mut asking = sqlx::PgConnection::connect(&url).await.unwrap();
        let mut asked = asking.begin().await.unwrap();
        let hold = "SELECT pg_advisory_xact_lock(7340031); UPDATE jobs SET held_by = 'kill_switch', \
            due_at = due_at + 300000, lease_until = NULL";
        sqlx::raw_sql(hold).execute(&mut *asked).await.unwrap();
        let switching = Arc::clone(&store);
        let thrown = tokio::spawn(async move {
            match is_in_the_file {
                true => switching.ask_switched().await,
                false => switching.throw(Switch::Bridge, false).await,
            }
        });
        let mut beside = sqlx::PgConnection::connect(&url).await.unwrap();
        let waits =
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7340031 AND NOT granted)";
        while !thrown.is_finished() && !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut beside).await.unwrap() {}
        asked.commit().await.unwrap();
        thrown.await.unwrap().unwrap();
        let due = store.claim("one", "me", LEASE, 9).await.unwrap().claimed;
        assert_eq!(due.len(), number as usize, "it is asked about again, in the file: {is_in_the_file}");
    }
}

#[tokio::test]
async fn whoever_throws_a_switch_hears_within_seconds_that_another_process_keeps_it_from_being_thrown() {
    let Ok(url) = std::env::var("RELAY_POSTGRES") else { return };
    let url = schema_of_its_own(&url).await;
    let store = Arc::new(Store::open(&Address::Postgres(url.clone())).await.unwrap());
    // Another process stands still in the middle of an answer, and a delivery to this one waits for it.
    let mut standing = sqlx::PgConnection::connect(&url).await.unwrap();
    let turn = |function: &str| format!("SELECT CAST(pg_advisory_{function}(7340031) AS TEXT)");
    sqlx::query(sqlx::AssertSqlSafe(turn("lock"))).execute(&mut standing).await.unwrap();
    let accepting = Arc::clone(&store);
    let accepted = tokio::spawn(async move { accepting.accept(gated(1, "x", &Gates::open("cpu"))).await });
    let told = tokio::time::timeout(Duration::from_secs(30), store.throw(Switch::Bridge, true)).await.unwrap();
    assert!(told.unwrap_err().0.contains("lock timeout: another process holds what is waited for here"));
    assert!(!accepted.is_finished(), "what is delivered is not turned away because of that");
    sqlx::query(sqlx::AssertSqlSafe(turn("unlock"))).execute(&mut standing).await.unwrap();
    accepted.await.unwrap().unwrap();
    assert_eq!(store.switches().await.unwrap(), [], "it is not thrown later, either");
    store.throw(Switch::Bridge, true).await.unwrap();
    assert_eq!(store.switches().await.unwrap().len(), 1);
}

/// Somebody may have looked at the file right before it was another one.
#[tokio::test(start_paused = true)]
async fn when_the_rules_are_read_again_what_is_held_is_asked_about_at_once_and_some_seconds_later() {
    let store = Arc::new(Store::open(&Address::Memory).await.unwrap());
    let (changing, bounds) = watch::channel(Arc::new(Bounds::default()));
    let (wake, log) = (Arc::new(Notify::new()), Log::new(&Output::new(), false));
    let following = tokio::spawn(kill_switch::follow(store, bounds, vec![Arc::clone(&wake)], log));
    wake.notified().await;
    changing.send_replace(Arc::default());
    wake.notified().await;
    wake.notified().await;
    drop(changing);
    following.await.unwrap();
}
