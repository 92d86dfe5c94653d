//! A store as a whole: backed up while it is written to, restored, and moved. And what keeps two bridges from the same jobs.

use std::sync::Arc;

use super::super::transfer::holding::Held;
use super::super::transfer::mark::{Mark, MarkKind};
use super::super::transfer::rows::told as rows_told;
use super::*;

/// A place for each kind of store that outlives its process: the first ones are files.
async fn places(count: usize) -> (Vec<Address>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut places: Vec<Address> =
        (0..count).map(|number| Address::Sqlite(directory.path().join(format!("{number}.db")))).collect();
    if let Ok(url) = std::env::var("RELAY_POSTGRES") {
        for _ in 0..count {
            places.push(Address::Postgres(schema_of_its_own(&url).await));
        }
    }
    (places, directory)
}

/// An empty one of each kind.
async fn places_of_their_own() -> (Vec<Address>, tempfile::TempDir) {
    places(1).await
}

/// All rows of a store, in words, without leases.
async fn all(address: &Address) -> Vec<String> {
    let mut held = Held::to_be_read(address).await.unwrap();
    let (_, tables) = held.contents().await.unwrap();
    let mut all = Vec::new();
    for table in tables.iter().filter(|table| table.name != "probes") {
        all.extend(rows_told(&mut held.side(), table).await);
    }
    held.close().await;
    all
}

/// A store with a job in hand, one that ended, what was consumed, words that are hard to write, and a body of every byte.
async fn filled(address: &Address) -> Store {
    let store = Store::open(address).await.unwrap();
    let mut with_bytes = delivery(1, "id'1", "a", "x", "firing");
    with_bytes.body = (0..=255).cycle().take(70_000).collect();
    store.accept(with_bytes).await.unwrap();
    settle(&store, OutcomeKind::PrOpened).await;
    for number in 2..90 {
        let tag = format!("tag \"{number}\" ⚠\\n");
        store.accept(delivery(number, "", &number.to_string(), &tag, "firing")).await.unwrap();
    }
    let mut claimed = store.claim("one", "me", LEASE, 1).await.unwrap().claimed.remove(0);
    claimed.progress.acus_consumed = Some(0.1 + 0.2);
    store.save(save(&claimed, "me", None)).await.unwrap();
    store.ping().await.unwrap();
    store.keep_organization("one", "org-1").await.unwrap();
    store
}

#[tokio::test]
async fn a_backup_holds_all_and_makes_the_same_store_of_either_kind() {
    let (places, directory) = places(1).await;
    for from in &places {
        let store = filled(from).await;
        let file = directory.path().join(format!("backup-{}", crate::relay::draw::drawn()));
        let copied = store.back_up(&file).await.unwrap();
        assert_eq!(inspect(&file).await.unwrap(), copied, "{from}");
        assert_eq!((copied.rows_of("alerts"), copied.rows_of("jobs"), copied.rows_of("news")), (89, 89, 0));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let (targets, _directory) = places_of_their_own().await;
        for into in &targets {
            let restored = restore(&file, into).await.unwrap();
            assert_eq!(restored, copied, "{from} to {into}");
            assert_eq!(all(into).await, all(from).await, "{from} to {into}");
            let again = Store::open(into).await.unwrap();
            let due = again.claim("one", "you", LEASE, 99).await.unwrap();
            assert_eq!((due.claimed.len(), due.unreadable.len()), (88, 0), "nobody holds any job: {into}");
        }
    }
}

#[tokio::test]
async fn a_backup_is_of_one_moment_while_deliveries_go_on() {
    let (places, directory) = places(1).await;
    for from in &places {
        let store = Arc::new(filled(from).await);
        let busy = Arc::clone(&store);
        let writing = tokio::spawn(async move {
            for number in 1000.. {
                let tag = number.to_string();
                busy.accept(delivery(number, "", &tag, &tag, "firing")).await.unwrap();
            }
        });
        for _ in 0..5 {
            let file = directory.path().join(format!("backup-{}", crate::relay::draw::drawn()));
            let copied = store.back_up(&file).await.unwrap();
            // A delivery, its alert and its job come together or not at all.
            let (alerts, jobs) = (copied.rows_of("alerts"), copied.rows_of("jobs"));
            assert_eq!((alerts, jobs), (copied.rows_of("deliveries"), copied.rows_of("deliveries")), "{from}");
        }
        writing.abort();
    }
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_no_backup() {
    let directory = tempfile::tempdir().unwrap();
    let (address, file) = (Address::Sqlite(directory.path().join("relay.db")), directory.path().join("backup"));
    let store = filled(&address).await;
    store.back_up(&file).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let into = Address::Sqlite(directory.path().join("new.db"));
    let cut = whole[..whole.len() / 2].to_vec();
    let mut damaged = whole.clone();
    damaged[4096..8192].fill(7);
    let store_itself = std::fs::read(directory.path().join("relay.db")).unwrap();
    for (name, bytes) in [
        ("cut", cut),
        ("damaged", damaged),
        ("store", store_itself),
        ("text", b"hello".to_vec()),
        ("empty", Vec::new()),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let refused = restore(&file, &into).await.unwrap_err().to_string();
        assert!(refused.contains("is no backup that can be used"), "{name}: {refused}");
        assert!(!refused.contains("database"), "what a driver says: {refused}");
        assert!(!directory.path().join("new.db").exists(), "{name}");
    }
    let refused = |name: &str| {
        let file = directory.path().join(name);
        async move { inspect(&file).await.unwrap_err().to_string() }
    };
    for (name, problem) in [("missing", "there is no such file"), ("", "it is no regular file")] {
        let refused = refused(name).await;
        assert!(refused.ends_with(&format!("is no backup that can be used: {problem}")), "{refused}");
    }
    std::fs::write(&file, whole).unwrap();
    let mut held = Held::alone(&Address::Sqlite(file.clone())).await.unwrap();
    sqlx::Executor::execute(&mut held.connection, "DELETE FROM jobs WHERE id = 'j7'").await.unwrap();
    held.close().await;
    let refused = inspect(&file).await.unwrap_err().to_string();
    assert!(refused.contains("the table jobs does not have the rows"), "{refused}");
    let refused = Store::open(&Address::Sqlite(file)).await.err().unwrap().to_string();
    assert!(refused.contains("it is a backup of 20") && refused.contains("alert-relay restore"), "{refused}");
}

#[tokio::test]
async fn a_store_that_is_served_or_not_empty_is_not_written_over() {
    let (places, directory) = places(2).await;
    let file = directory.path().join("backup");
    back_up_once(&places[0], &file).await;
    for into in &places[1..] {
        // One that a bridge has only begun with is empty.
        let served = Store::open(into).await.unwrap();
        served.ping().await.unwrap();
        let refused = restore(&file, into).await.unwrap_err().to_string();
        assert!(refused.contains("process") && refused.contains("stop"), "{into}: {refused}");
        served.close().await;
        restore(&file, into).await.unwrap();
        let before = all(into).await;
        let refused = restore(&file, into).await.unwrap_err().to_string();
        assert!(refused.contains("it is not empty") && refused.contains("delete this one first"), "{into}: {refused}");
        assert_eq!(all(into).await, before, "{into}");
    }
}

async fn back_up_once(from: &Address, file: &std::path::Path) {
    let store = filled(from).await;
    store.back_up(file).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_store_that_moves_leaves_one_that_no_bridge_serves_until_that_is_undone() {
    let (places, directory) = places(2).await;
    let pairs: Vec<(&Address, &Address)> = match places.as_slice() {
        [one, other] => vec![(one, other)],
        [file, _, database, other] => vec![(file, database), (database, other)],
        _ => unreachable!("two of each kind"),
    };
    for (from, into) in pairs {
        let store = match from {
            Address::Sqlite(_) => filled(from).await,
            _ => Store::open(from).await.unwrap(),
        };
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
        let refused = look_for_mark(from).await.unwrap_err().to_string();
        assert!(refused.contains("it was moved to"), "{refused}");
        assert_eq!(look_for_mark(into).await, Ok(()));
        let file = directory.path().join("stale");
        let refused = back_up(from, &file).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("it was moved to {into}")) && !file.exists(), "{refused}");
        let served = Store::open(into).await.unwrap();
        let refused = undo_migration(from).await.unwrap_err().to_string();
        assert!(refused.contains("two bridges") && Store::open(from).await.is_err(), "{refused}");
        served.close().await;
        assert_eq!(undo_migration(from).await, Ok(Undone { moved_to: into.to_string(), is_unserved: true }));
        // That was given up: it is no move that is to be brought to its end.
        let refused = migrate_store(from, into).await.unwrap_err().to_string();
        assert!(refused.contains("it is not empty"), "{refused}");
        // What came to nothing leaves the old one as it was.
        assert_eq!(all(from).await, before);
        Store::open(from).await.unwrap().close().await;
        assert!(undo_migration(from).await.unwrap_err().to_string().contains("was not moved"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_replaces_a_backup_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let store = filled(&Address::Sqlite(at("relay.db"))).await;
    store.back_up(&at("old.backup")).await.unwrap();
    std::fs::write(at("empty"), "").unwrap();
    for name in ["old.backup", "empty", "new.backup"] {
        assert_eq!(may_be_placed(&at(name)).await, Ok(()), "{name}");
    }
    let new = Store::open(&Address::Sqlite(at("new.db"))).await.unwrap();
    std::fs::write(at("text"), "hello").unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink(at("relay.db"), at("link")).unwrap();
    std::os::unix::fs::symlink(at("old.backup"), at("other-link")).unwrap();
    std::os::unix::fs::symlink(directory.path(), at("way")).unwrap();
    std::fs::hard_link(at("relay.db"), at("hard")).unwrap();
    let names = "relay.db new.db relay.db-wal relay.db-shm relay.db-lock relay.db-journal way/relay.db way/relay.db-lock \
        folder/../relay.db link other-link hard text folder /dev/full";
    for name in names.split_whitespace() {
        let refused = may_be_placed(&at(name)).await.unwrap_err().to_string();
        assert!(refused.contains(" is not written over: "), "{name}: {refused}");
    }
    new.close().await;
    store.close().await;
    for name in ["relay.db", "relay.db-wal", "relay.db-lock"] {
        assert!(may_be_placed(&at(name)).await.is_err(), "nobody serves it: {name}");
    }
}

/// Leaves a store as one does that was killed before it could say that all of it has been moved.
async fn break_off(from: &Address) {
    let mut held = Held::alone(from).await.unwrap();
    let mark = held.mark().await.unwrap().unwrap();
    held.set_mark(&Mark { kind: MarkKind::Moving, ..mark }, None).await.unwrap();
    held.close().await;
}

#[tokio::test]
async fn a_move_that_was_killed_after_the_new_store_was_filled_comes_to_its_end_when_it_is_run_again() {
    let (places, directory) = places(1).await;
    let from = Address::Sqlite(directory.path().join("old.db"));
    filled(&from).await.close().await;
    for into in &places {
        let copied = migrate_store(&from, into).await.unwrap();
        for is_served in [true, false] {
            break_off(&from).await;
            let serving = if is_served { Some(Store::open(into).await.unwrap()) } else { None };
            if let Some(store) = &serving {
                store.accept(delivery(500, "", "500", "new", "firing")).await.unwrap();
            }
            let again = migrate_store(&from, into).await.unwrap();
            assert_eq!(again.rows, copied.rows, "{into}");
            let refused = Store::open(&from).await.err().unwrap().to_string();
            assert!(refused.contains("it was moved to"), "{refused}");
            if let Some(store) = serving {
                store.close().await;
            }
        }
        undo_migration(&from).await.unwrap();
    }
}

#[tokio::test]
async fn a_move_that_cannot_be_brought_to_its_end_leaves_the_old_store_unserved() {
    let (places, directory) = places(3).await;
    let (from, into, other) = (&places[0], &places[1], &places[2]);
    filled(from).await.close().await;
    migrate_store(from, into).await.unwrap();
    break_off(from).await;
    let refused = migrate_store(from, other).await.unwrap_err().to_string();
    assert!(refused.contains("did not come to its end") && !directory.path().join("2.db").exists(), "{refused}");
    // Another one that is served stands where the new one was.
    std::fs::remove_file(directory.path().join("1.db")).unwrap();
    let served = filled(into).await;
    let refused = migrate_store(from, into).await.unwrap_err().to_string();
    assert!(refused.contains("stop that one, and try again"), "{refused}");
    served.close().await;
    let refused = migrate_store(from, into).await.unwrap_err().to_string();
    assert!(refused.contains("it is not empty"), "{refused}");
    let refused = Store::open(from).await.err().unwrap().to_string();
    assert!(refused.contains("did not come to its end"), "{refused}");
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
