//! A store that moves, at whatever moment that is broken off, and back: never are two served that go on from the same jobs.

use super::super::transfer::mark::MarkKind;
use super::transfer::{all, back_up_once, break_off, filled, places, refusals, why};
use super::*;

#[tokio::test]
async fn a_store_that_moves_leaves_one_that_no_bridge_serves_until_that_is_undone() {
    let (places, directory) = places(2).await;
    let pairs: Vec<(&Address, &Address)> = match places.as_slice() {
        [one, other] => vec![(one, other)],
        [file, other, database, second] => vec![(file, second), (database, other)],
        _ => unreachable!("two of each kind"),
    };
    for (from, into) in pairs {
        let store = filled(from).await;
        let refused = migrate_store(from, into).await.unwrap_err().to_string();
        assert!(refused.contains("stop"), "it is served: {refused}");
        store.close().await;
        let before = all(from).await;
        let copied = migrate_store(from, into).await.unwrap();
        assert_eq!((all(into).await, copied.rows_of("jobs")), (before.clone(), 89), "{from} to {into}");
        let refused = Store::open(from).await.err().unwrap().to_string();
        assert!(refused.contains(&format!("it was moved to {into}")) && refused.contains("--undo"), "{refused}");
        let refused = migrate_store(from, into).await.unwrap_err().to_string();
        assert!(refused.contains("it was moved to"), "{refused}");
        let refused = may_be_served(from).await.unwrap_err().to_string();
        assert!(refused.contains("it was moved to"), "{refused}");
        assert_eq!(may_be_served(into).await, Ok(None));
        let file = directory.path().join("stale");
        let refused = why(back_up(from, &file).await.unwrap_err());
        assert!(refused.contains(&format!("it was moved to {into}")) && !file.exists(), "{refused}");
        let served = Store::open(into).await.unwrap();
        let refused = undo_migration(from, false).await.unwrap_err().to_string();
        assert!(refused.contains("two bridges") && Store::open(from).await.is_err(), "{refused}");
        served.close().await;
        assert_eq!(undo_migration(from, false).await, Ok(Undone { moved_to: into.to_string(), is_unserved: true }));
        // That was given up: it is no move that is to be brought to its end, and nobody serves it.
        let given_up = "it was given up on 20";
        for refused in
            [migrate_store(from, into).await.err(), Store::open(into).await.err(), may_be_served(into).await.err()]
        {
            let refused = refused.unwrap().to_string();
            assert!(refused.contains(given_up) && refused.contains(&format!("{from} goes on")), "{refused}");
        }
        // What came to nothing leaves the old one as it was.
        assert_eq!(all(from).await, before);
        Store::open(from).await.unwrap().close().await;
        assert!(undo_migration(from, false).await.unwrap_err().to_string().contains("was not moved"));
    }
}

#[tokio::test]
async fn a_move_is_undone_only_where_it_is_seen_or_known_that_nobody_serves_the_new_store() {
    let (places, directory) = places(1).await;
    for from in &places {
        Store::open(from).await.unwrap().close().await;
        break_off(from, MarkKind::Moved, "postgres://relay:****@127.0.0.1:1/elsewhere").await;
        let refused = undo_migration(from, false).await.unwrap_err().to_string();
        assert!(refused.contains("cannot be seen from here") && refused.contains("--force"), "{refused}");
        assert!(Store::open(from).await.is_err());
        let undone = undo_migration(from, true).await.unwrap();
        assert!(!undone.is_unserved, "{undone:?}");
        Store::open(from).await.unwrap().close().await;
        let gone = directory.path().join("gone.db");
        break_off(from, MarkKind::Moved, &format!("sqlite:{}", gone.display())).await;
        assert!(undo_migration(from, false).await.unwrap().is_unserved && !gone.exists());
    }
}

#[tokio::test]
async fn moves_one_after_the_other_are_undone_from_the_last_one_back() {
    let (places, _directory) = places(3).await;
    for stores in places.chunks(3) {
        let [first, second, third] = stores else { unreachable!("three of each kind") };
        Store::open(first).await.unwrap().close().await;
        migrate_store(first, second).await.unwrap();
        migrate_store(second, third).await.unwrap();
        let refused = undo_migration(first, true).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("was moved on to {third}")), "{refused}");
        assert!(Store::open(first).await.is_err());
        undo_migration(second, false).await.unwrap();
        undo_migration(first, false).await.unwrap();
        Store::open(first).await.unwrap().close().await;
        assert!(Store::open(second).await.is_err() && Store::open(third).await.is_err());
    }
}

#[tokio::test]
async fn of_a_move_that_was_killed_at_any_moment_no_two_stores_are_served_and_it_is_finished_by_running_it_again() {
    let (places, directory) = places(1).await;
    let from = Address::Sqlite(directory.path().join("old.db"));
    filled(&from).await.close().await;
    for into in &places {
        // Before the new one is whole, the old one goes on.
        break_off(into, MarkKind::Arriving, &from.in_full()).await;
        for refused in refusals(into, &directory).await {
            let words = [&format!("its migration from {from} began on 2023-11-14"), "run it again"];
            assert!(words.iter().all(|words| refused.contains(words)), "{into}: {refused}");
        }
        Store::open(&from).await.unwrap().close().await;
        let before = all(&from).await;
        let copied = migrate_store(&from, into).await.unwrap();
        assert_eq!(all(into).await, before, "{into}");
        // When it is whole, and the old one does not say so yet, that one has what has come since.
        undo_migration(&from, false).await.unwrap();
        break_off(into, MarkKind::Arriving, &from.in_full()).await;
        let store = Store::open(&from).await.unwrap();
        let number = 500 + u32::try_from(all(&from).await.len()).unwrap();
        let name = number.to_string();
        store.accept(delivery(number, "", &name, &name, "firing")).await.unwrap();
        store.close().await;
        let again = migrate_store(&from, into).await.unwrap();
        assert_eq!(again.rows_of("alerts"), copied.rows_of("alerts") + 1, "{into}");
        assert_eq!(all(into).await, all(&from).await, "{into}");
        // When the old one says so, and the new one is not opened yet.
        break_off(into, MarkKind::Arriving, &from.in_full()).await;
        let refused = Store::open(&from).await.err().unwrap().to_string();
        assert!(refused.contains("it was moved to") && Store::open(into).await.is_err(), "{refused}");
        assert_eq!(migrate_store(&from, into).await.unwrap().rows, again.rows, "{into}");
        Store::open(into).await.unwrap().close().await;
        assert!(Store::open(&from).await.is_err());
        undo_migration(&from, false).await.unwrap();
    }
}

#[tokio::test]
async fn an_undo_that_was_killed_in_the_middle_leaves_neither_store_served_and_is_finished_by_running_it_again() {
    let (places, _directory) = places(2).await;
    let pairs: Vec<(&Address, &Address)> = match places.as_slice() {
        [one, other] => vec![(one, other)],
        [file, other, database, second] => vec![(file, second), (database, other)],
        _ => unreachable!("two of each kind"),
    };
    for (from, into) in pairs {
        filled(from).await.close().await;
        let before = all(from).await;
        migrate_store(from, into).await.unwrap();
        // The new one is marked first.
        break_off(into, MarkKind::GivenUp, &from.in_full()).await;
        for store in [from, into] {
            let refused = Store::open(store).await.err().unwrap().to_string();
            assert!(refused.contains("alert-relay migrate --undo "), "{refused}");
            assert_eq!(may_be_served(store).await.unwrap_err().to_string(), refused);
        }
        assert_eq!(undo_migration(from, false).await, Ok(Undone { moved_to: into.to_string(), is_unserved: true }));
        assert_eq!(all(from).await, before);
        Store::open(from).await.unwrap().close().await;
        assert!(Store::open(into).await.is_err(), "that one is given up");
    }
}

#[tokio::test]
async fn what_a_move_has_left_is_the_business_of_that_move_only() {
    let (places, directory) = places(3).await;
    let (from, other) = (&places[0], &places[1]);
    let file = directory.path().join("backup");
    back_up_once(from, &file).await;
    filled(other).await.close().await;
    for into in &places[2..] {
        break_off(into, MarkKind::Arriving, &other.in_full()).await;
        for refused in [migrate_store(from, into).await.unwrap_err(), restore(&file, into).await.unwrap_err()] {
            let refused = refused.to_string();
            assert!(refused.contains(&format!("its migration from {other}")), "{refused}");
            assert!(refused.ends_with("Or delete this one first"), "{refused}");
        }
        let refused = Store::open(into).await.err().unwrap().to_string();
        assert!(refused.contains("did not come to its end"), "{refused}");
        Store::open(from).await.unwrap().close().await;
        if matches!(into, Address::Sqlite(_)) {
            migrate_store(other, into).await.unwrap();
            undo_migration(other, false).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_store_is_not_moved_into_itself_by_another_name() {
    let (places, directory) = places(1).await;
    for from in &places {
        Store::open(from).await.unwrap().close().await;
        let other = match from {
            Address::Sqlite(_) => {
                let name = directory.path().file_name().unwrap();
                Address::Sqlite(directory.path().join("..").join(name).join("0.db"))
            }
            Address::Postgres(url) => Address::Postgres(url.replace("postgres://", "postgresql://")),
            Address::Memory => unreachable!("it outlives its process"),
        };
        assert_ne!(&other, from);
        let refused = migrate_store(from, &other).await.unwrap_err().to_string();
        assert!(refused.contains("stop"), "{refused}");
        Store::open(from).await.unwrap().close().await;
    }
}

/// PostgreSQL may keep the lock of a process for a moment after its end.
#[tokio::test]
async fn a_move_is_undone_right_after_the_bridge_of_the_new_store_has_ended() {
    use sqlx::Connection as _;
    let Ok(url) = std::env::var("RELAY_POSTGRES") else { return };
    let name = crate::relay::draw::drawn();
    let from = Address::Postgres(schema_of_its_own(&url).await);
    let into = format!("{}&application_name=into_{name}", schema_of_its_own(&url).await);
    Store::open(&from).await.unwrap().close().await;
    migrate_store(&from, &Address::Postgres(into.clone())).await.unwrap();
    let mut ending = sqlx::PgConnection::connect(&into.replace("into_", "ending_")).await.unwrap();
    let lock = "SELECT pg_advisory_lock_shared(7340033, hashtext(current_schema()))";
    sqlx::raw_sql(lock).execute(&mut ending).await.unwrap();
    let undone = tokio::spawn(async move { undo_migration(&from, false).await });
    let mut beside = sqlx::PgConnection::connect(&url).await.unwrap();
    let has_asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 \
        AND query LIKE '%pg_try_advisory_lock(%' AND state LIKE 'idle%')";
    let named = format!("into_{name}");
    while !undone.is_finished()
        && !sqlx::query_scalar::<_, bool>(has_asked).bind(&named).fetch_one(&mut beside).await.unwrap()
    {}
    ending.close().await.unwrap();
    assert!(undone.await.unwrap().unwrap().is_unserved);
}
