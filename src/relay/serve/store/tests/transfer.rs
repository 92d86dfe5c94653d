//! A store as a whole: backed up while it is written to, and restored.

use std::sync::Arc;

use super::super::transfer::holding::Held;
use super::super::transfer::mark::{Mark, MarkKind};
use super::super::transfer::rows::told as rows_told;
use super::*;

/// A place for each kind of store that outlives its process: the first ones are files.
pub async fn places(count: usize) -> (Vec<Address>, tempfile::TempDir) {
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
pub async fn all(address: &Address) -> Vec<String> {
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
pub async fn filled(address: &Address) -> Store {
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
async fn a_backup_that_holds_other_words_than_were_written_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (address, file) = (Address::Sqlite(directory.path().join("relay.db")), directory.path().join("backup"));
    let store = filled(&address).await;
    store.back_up(&file).await.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    // Within the body, of which no index knows.
    let body: Vec<u8> = (100..200).collect();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&body)).collect();
    assert!(places.len() > 200, "{}", places.len());
    places.iter().for_each(|at| bytes[*at] ^= 1);
    std::fs::write(&file, bytes).unwrap();
    let into = Address::Sqlite(directory.path().join("new.db"));
    let refused = restore(&file, &into).await.unwrap_err().to_string();
    assert!(refused.contains("the table deliveries does not hold what was written"), "{refused}");
    assert!(!directory.path().join("new.db").exists());
}

#[tokio::test]
async fn a_backup_of_an_earlier_build_has_no_checksums_and_is_restored() {
    let directory = tempfile::tempdir().unwrap();
    let (address, file) = (Address::Sqlite(directory.path().join("relay.db")), directory.path().join("backup"));
    let store = filled(&address).await;
    store.back_up(&file).await.unwrap();
    let as_file = Address::Sqlite(file.clone());
    let mut held = Held::alone(&as_file).await.unwrap();
    let mark = held.mark().await.unwrap().unwrap();
    let mut detail: serde_json::Value = serde_json::from_str(&mark.detail).unwrap();
    assert!(detail.as_object_mut().unwrap().remove("sha256").is_some());
    held.set_mark(&Mark { detail: detail.to_string(), ..mark }).await.unwrap();
    held.close().await;
    let into = Address::Sqlite(directory.path().join("new.db"));
    restore(&file, &into).await.unwrap();
    assert_eq!(all(&into).await, all(&address).await);
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

pub async fn back_up_once(from: &Address, file: &std::path::Path) {
    let store = filled(from).await;
    store.back_up(file).await.unwrap();
    store.close().await;
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

/// Marks a store as one that is being filled, as a process leaves it that was killed.
pub async fn break_off(store: &Address, kind: MarkKind, from: &str) {
    let mut held = Held::alone(store).await.unwrap();
    held.set_mark(&Mark { kind, at: 1_700_000_000_000, detail: from.to_string() }).await.unwrap();
    held.close().await;
}

pub fn why(error: BackupError) -> String {
    match error {
        BackupError::Store(error) => error.to_string(),
        BackupError::File(problem) => panic!("the file is written: {problem}"),
    }
}

/// What keeps every command from a store.
pub async fn refusals(store: &Address, directory: &tempfile::TempDir) -> Vec<String> {
    let file = directory.path().join("of-no-use");
    let said = vec![
        Store::open(store).await.err().unwrap().to_string(),
        may_be_served(store).await.unwrap_err().to_string(),
        why(back_up(store, &file).await.unwrap_err()),
        Archive::open(store).await.err().unwrap().to_string(),
        migrate_store(store, &Address::Sqlite(file.clone())).await.unwrap_err().to_string(),
        undo_migration(store, false).await.unwrap_err().to_string(),
    ];
    assert!(!file.exists());
    said
}

#[tokio::test]
async fn a_restore_that_was_killed_leaves_a_store_that_nobody_opens_until_it_is_run_again() {
    let (places, directory) = places(2).await;
    let file = directory.path().join("backup");
    back_up_once(&places[0], &file).await;
    for into in &places[1..] {
        // Before anything came into it, and with something in it that is not all.
        for has_tables in [false, true] {
            if has_tables {
                let store = Store::open(into).await.unwrap();
                store.accept(delivery(500, "", "500", "new", "firing")).await.unwrap();
                store.close().await;
            }
            break_off(into, MarkKind::Restoring, "/var/backups/relay.backup").await;
            for refused in refusals(into, &directory).await {
                let words =
                    ["a restore of /var/backups/relay.backup into it began on 2023-11-14T22:13:20Z", "run it again"];
                assert!(words.iter().all(|words| refused.contains(words)), "{into}: {refused}");
            }
            let copied = restore(&file, into).await.unwrap();
            assert_eq!(all(into).await, all(&places[0]).await, "{into}");
            assert_eq!(copied.rows_of("alerts"), 89);
            Store::open(into).await.unwrap().close().await;
            break_off(into, MarkKind::Restoring, "").await;
            let mut held = Held::alone(into).await.unwrap();
            held.begin_filling(copied.version).await.unwrap();
            held.clear_mark().await.unwrap();
            held.commit().await.unwrap();
            held.close().await;
        }
    }
}

#[tokio::test]
async fn a_restore_that_fails_leaves_the_store_as_it_was() {
    let (places, directory) = places(2).await;
    let file = directory.path().join("backup");
    back_up_once(&places[0], &file).await;
    let mut held = Held::alone(&Address::Sqlite(file.clone())).await.unwrap();
    // It is found when all tables before it are copied: the store has each switch once.
    let twice = "DROP TABLE switches; CREATE TABLE switches (name TEXT, at BIGINT); INSERT INTO switches VALUES ('x', 1), ('x', 1);
        UPDATE relay_mark SET detail = json_set(json_remove(detail, '$.sha256'), '$.switches', 2)";
    sqlx::Executor::execute(&mut held.connection, twice).await.unwrap();
    held.close().await;
    for into in &places[1..] {
        let refused = restore(&file, into).await.unwrap_err().to_string();
        assert!(refused.contains("the table switches cannot be copied"), "{into}: {refused}");
        assert!(!matches!(into, Address::Sqlite(path) if path.exists()), "{into}");
        Store::open(into).await.unwrap().close().await;
        let refused = restore(&file, into).await.unwrap_err().to_string();
        assert!(refused.contains("the table switches cannot be copied"), "{into}: {refused}");
        Store::open(into).await.unwrap().close().await;
        break_off(into, MarkKind::Restoring, "x").await;
        let refused = restore(&file, into).await.unwrap_err().to_string();
        assert!(refused.contains("the table switches cannot be copied"), "{into}: {refused}");
        let refused = Store::open(into).await.err().unwrap().to_string();
        assert!(refused.contains("did not come to its end"), "it was not before, either: {refused}");
    }
}
