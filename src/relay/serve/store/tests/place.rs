//! Where a store is: its file, its address, and what becomes of it while it is open.

use super::*;

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
async fn a_lock_that_cannot_be_had_is_named_also_by_a_check() {
    let directory = tempfile::tempdir().unwrap();
    let address = Address::Sqlite(directory.path().join("relay.db"));
    Store::open(&address).await.unwrap().close().await;
    std::fs::remove_file(directory.path().join("relay.db-lock")).unwrap();
    std::fs::create_dir(directory.path().join("relay.db-lock")).unwrap();
    let refused = Store::open(&address).await.err().unwrap().to_string();
    assert!(
        refused.contains("relay.db-lock, the lock of whoever serves it, cannot be written to by this user"),
        "{refused}"
    );
    assert_eq!(address.look().unwrap_err().to_string(), refused);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_as_good_as_the_place_that_it_leads_to() {
    let directory = tempfile::tempdir().unwrap();
    let (near, far) = (directory.path().join("near.db"), directory.path().join("far.db"));
    std::os::unix::fs::symlink("real.db", &near).unwrap();
    std::os::unix::fs::symlink(directory.path().join("gone/relay.db"), &far).unwrap();
    let (near, far) = (Address::Sqlite(near), Address::Sqlite(far));
    let refused = far.look().unwrap_err().to_string();
    assert!(refused.contains("there is no folder ") && refused.contains("gone: make it"), "{refused}");
    assert_eq!(Store::open(&far).await.err().unwrap().to_string(), refused);
    assert_eq!(near.look(), Ok(()));
    Store::open(&near).await.unwrap().close().await;
    assert!(directory.path().join("real.db").is_file());
}

/// The names of all that is in a folder.
fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|file| file.unwrap().file_name().display().to_string()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_check_leaves_nothing_beside_a_store_and_sees_what_its_journal_holds() {
    let directory = tempfile::tempdir().unwrap();
    let served = Address::Sqlite(directory.path().join("relay.db"));
    let store = Store::open(&served).await.unwrap();
    let copy = |name: &str| {
        let folder = directory.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        for end in ["", "-wal"] {
            let file = format!("relay.db{end}");
            std::fs::copy(directory.path().join(&file), folder.join(&file)).unwrap();
        }
        (Address::Sqlite(folder.join("relay.db")), folder)
    };
    let (address, folder) = copy("whole");
    let before = names(&folder);
    assert_eq!((address.look(), may_be_served(&address).await), (Ok(()), Ok(None)));
    assert_eq!(names(&folder), before);
    assert_eq!(before, ["relay.db", "relay.db-wal"]);
    asking::change(&served, "UPDATE relay_store SET version = 99").await;
    let (address, folder) = copy("newer");
    let refused = may_be_served(&address).await.unwrap_err().to_string();
    assert!(refused.contains("it has version 99"), "{refused}");
    assert_eq!(names(&folder), before);
    store.close().await;
}

#[tokio::test]
async fn what_only_fills_a_store_or_empties_it_leaves_no_lock_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| Address::Sqlite(directory.path().join(name));
    Store::open(&place("0.db")).await.unwrap().close().await;
    back_up(&place("0.db"), &directory.path().join("backup")).await.unwrap();
    restore(&directory.path().join("backup"), &place("1.db")).await.unwrap();
    migrate_store(&place("1.db"), &place("2.db")).await.unwrap();
    undo_migration(&place("1.db"), false).await.unwrap();
    restore(&directory.path().join("backup"), &place("2.db")).await.unwrap_err();
    let locks: Vec<String> = names(directory.path()).into_iter().filter(|name| name.ends_with("-lock")).collect();
    assert_eq!(locks, ["0.db-lock"], "of the one that a bridge has served");
    Store::open(&place("1.db")).await.unwrap();
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
    // Also one that is none, as another process may be given it.
    let shown = |text: &str| match text.starts_with("postgres") {
        true => Ok(Address::Postgres(text.to_string()).to_string()),
        false => text.parse::<Address>().map(|address| address.to_string()),
    };
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

#[test]
fn an_address_that_is_none_is_refused_without_repeating_what_may_be_a_password() {
    let refused = |text: &str| text.parse::<Address>().unwrap_err();
    for (text, said) in [
        ("postgres://relay@/relay", "the host is missing: postgres://ROLE@HOST/DATABASE"),
        ("postgres://me:Zq7c/Ana@db.example/relay", "the port is no number up to 65535"),
        ("postgres://relay@db.example:99999/relay", "the port is no number up to 65535"),
        ("postgres://relay@db.example/relay?sslmode=Zq7c", "sslmode has an unknown value"),
        ("postgres://relay@db exa[mple/Zq7c", "it is no address of PostgreSQL"),
    ] {
        let refused = refused(text);
        assert!(refused.starts_with(said) && !refused.contains("Zq7c"), "{text}: {refused}");
    }
}
