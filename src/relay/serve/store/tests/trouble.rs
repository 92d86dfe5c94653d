//! What cannot be a store, or is none any more: it is told with what to do, and left as it is.

use std::path::Path;

use sqlx::Connection as _;

use super::*;

/// Why neither a bridge nor a check is content with what is there.
async fn refused(address: &Address) -> String {
    let opened = Store::open(address).await.err().unwrap().to_string();
    assert!(opened.starts_with(&format!("cannot open the store {address}: ")), "{opened}");
    assert_eq!(may_be_served(address).await.unwrap_err().to_string(), opened);
    opened
}

/// Writes other bytes over some pages of a file.
fn spoil(file: &Path, pages: std::ops::Range<usize>) {
    const PAGE: usize = 4096;
    let mut bytes = std::fs::read(file).unwrap();
    let end = bytes.len().min(pages.end * PAGE);
    bytes[pages.start * PAGE..end].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

/// A store that nobody serves any more, with many deliveries.
async fn kept(file: &Path) -> Address {
    let address = Address::Sqlite(file.to_path_buf());
    transfer::filled(&address).await.close().await;
    address
}

#[tokio::test]
async fn a_file_that_is_damaged_is_not_served_and_the_way_back_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.db");
    let address = kept(&file).await;
    let whole = std::fs::read(&file).unwrap();
    for length in [50, 5000, whole.len() / 2] {
        std::fs::write(&file, &whole[..length]).unwrap();
        let refused = refused(&address).await;
        assert!(
            refused.contains(": the file is damaged: ") && refused.contains("alert-relay restore FILE"),
            "{refused}"
        );
    }
    for pages in [0..1, 1..2, 1..20] {
        std::fs::write(&file, &whole).unwrap();
        spoil(&file, pages);
        let refused = refused(&address).await;
        assert!(refused.contains("the file is damaged: ") && refused.contains("alert-relay restore FILE"), "{refused}");
    }
}

#[tokio::test]
async fn damage_that_is_met_while_a_store_is_served_makes_it_unready_until_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.db");
    let address = kept(&file).await;
    let root = {
        let mut connection = sqlx::SqliteConnection::connect(&file.display().to_string()).await.unwrap();
        let text = "SELECT rootpage FROM sqlite_schema WHERE name = 'deliveries'";
        sqlx::query_scalar::<_, i64>(text).fetch_one(&mut connection).await.unwrap()
    };
    let root = usize::try_from(root).unwrap();
    spoil(&file, root - 1..root);
    let store = Store::open(&address).await.unwrap();
    store.ping().await.unwrap();
    let met = store.accept(delivery(100, "", "z", "z", "firing")).await.unwrap_err().to_string();
    assert!(met.starts_with("the file is damaged: "), "{met}");
    assert_eq!(store.ping().await.unwrap_err().to_string(), met, "it takes no deliveries");
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let backup = directory.path().join("backup");
    let whole = kept(&directory.path().join("relay.db")).await;
    back_up(&whole, &backup).await.unwrap();
    for (number, (tables, told)) in [
        ("CREATE TABLE users (id INT); CREATE TABLE orders (id INT)", "(orders, users)"),
        ("CREATE TABLE jobs (id INT); CREATE TABLE alerts (id INT)", "(alerts, jobs)"),
        ("CREATE TABLE relay_store (version TEXT); INSERT INTO relay_store VALUES ('one')", "(relay_store)"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = directory.path().join(format!("{number}.db"));
        let url = format!("sqlite:{}?mode=rwc", file.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(tables).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let before = std::fs::read(&file).unwrap();
        let address = Address::Sqlite(file.clone());
        let refused = refused(&address).await;
        let said = format!("another program keeps its tables there {told}, and nothing was changed: name a file");
        assert!(refused.contains(&said), "{refused}");
        let filled = restore(&backup, &address).await.unwrap_err().to_string();
        assert!(filled.contains(&said), "{filled}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
    let other = directory.path().join("relay.yaml");
    std::fs::write(&other, "routes: []\n".repeat(100)).unwrap();
    let refused = refused(&Address::Sqlite(other.clone())).await;
    assert!(refused.contains("it is another kind of file: name one that is not there yet"), "{refused}");
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "routes: []\n".repeat(100));
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_refused_but_only_warned_of_by_a_check() {
    let address: Address = "postgres://relay@127.0.0.1:1/relay".parse().unwrap();
    let opened = Store::open(&address).await.err().unwrap().to_string();
    assert!(opened.contains("the database cannot be reached: ") && opened.contains("runs there"), "{opened}");
    assert_eq!(may_be_served(&address).await.unwrap().unwrap().to_string(), opened);
}

#[tokio::test]
async fn a_database_that_is_no_place_for_a_store_is_refused_and_stays_as_it_is() {
    let Ok(url) = std::env::var("RELAY_POSTGRES") else { return };
    let name = crate::relay::draw::drawn();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let roles = format!(
        "CREATE ROLE nobody_{name} LOGIN; CREATE SCHEMA of_{name}; GRANT USAGE ON SCHEMA of_{name} TO nobody_{name}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(roles)).execute(&mut connection).await.unwrap();
    let as_nobody = url.replace("relay@", &format!("nobody_{name}@"));
    for (url, said) in [
        (url.replace("/postgres?", "/nowhere?"), "database \"nowhere\" does not exist: name another one".to_string()),
        (url.replace("relay@", "no_one@"), "role \"no_one\" does not exist: name another role".to_string()),
        (format!("{url}&sslmode=require"), "it offers no TLS, for which sslmode (or PGSSLMODE) asks: ".to_string()),
        (format!("{url}&options=-csearch_path%3Dnowhere"), "names no schema that is there".to_string()),
        (
            format!("{as_nobody}&options=-csearch_path%3Dof_{name}"),
            format!("the role nobody_{name} may make no tables in the schema of_{name}: give it a database of its own"),
        ),
    ] {
        let refused = refused(&Address::Postgres(url)).await;
        assert!(refused.contains(&said), "{refused}");
    }
    for (tables, told) in [
        ("CREATE TABLE users (id INT); CREATE TABLE orders (id INT)", "(orders, users)"),
        ("CREATE TABLE jobs (id INT)", "(jobs)"),
        ("CREATE TABLE relay_store (version TEXT)", "(relay_store)"),
    ] {
        let url = schema_of_its_own(&url).await;
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(tables).execute(&mut connection).await.unwrap();
        let refused = refused(&Address::Postgres(url)).await;
        assert!(refused.contains(&format!("another program keeps its tables there {told}")), "{refused}");
    }
    // An extension is in nobody's way, nor are the tables of another schema.
    let own = schema_of_its_own(&url).await;
    let mut connection = sqlx::PgConnection::connect(&own).await.unwrap();
    let extended = "CREATE TABLE spatial_ref_sys (id INT); ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys";
    sqlx::raw_sql(extended).execute(&mut connection).await.unwrap();
    Store::open(&Address::Postgres(own)).await.unwrap().close().await;
}

/// `RELAY_POSTGRES_TLS` is the same database over TCP; its certificate is `tests/tls/cert.pem`.
#[tokio::test]
async fn a_database_elsewhere_is_reached_over_tls() {
    let Ok(url) = std::env::var("RELAY_POSTGRES_TLS") else { return };
    let certificate = |name: &str| format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    let own = schema_of_its_own(&url).await;
    let over_tls = |rest: &str| Address::Postgres(format!("{own}&{rest}"));
    let right = certificate("cert.pem");
    for rest in [
        "sslmode=require",
        &format!("sslmode=verify-full&sslrootcert={right}"),
        &format!("sslmode=verify-ca&sslrootcert={right}"),
    ] {
        let store = Store::open(&over_tls(rest)).await.unwrap();
        store.ping().await.unwrap();
        store.close().await;
    }
    let stranger = refused(&over_tls("sslmode=verify-full")).await;
    assert!(stranger.contains("is signed by nobody whom this machine trusts: name the file"), "{stranger}");
    let missing = over_tls(&format!("sslmode=verify-full&sslrootcert={}", certificate("nowhere.pem")));
    let missing = Store::open(&missing).await.err().unwrap().to_string();
    assert!(missing.contains("the file that sslrootcert names is not there"), "{missing}");
}
