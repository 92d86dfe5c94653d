//! A store as it is read beside the process that writes to it: nothing is changed, not even its version, and no statement holds
//! a lock that keeps the writer waiting.

mod finding;

use std::path::Path;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::database::{install_drivers, url_of_file};
use super::decisions::DecisionView;
use super::place::with_name;
use super::queue::{Progress, read};
use super::schema::version;
use super::transfer::mark;
use super::trouble::StoreError;
use super::work::{Dialect, Work, now};
use super::{Address, Switch, decisions};
use crate::relay::prior::Holds;

/// The oldest version whose tables have what is read here.
const OLDEST: i64 = 4;

/// A store that is only read.
pub struct Archive {
    connection: AnyConnection,
    dialect: Dialect,
}

/// A delivery that was kept, without its body.
#[derive(Debug, Clone)]
pub struct KeptDelivery {
    pub id: String,
    pub route: String,
    /// `None` where the sender gives none, and where it has been freed for a later delivery.
    pub sender_id: Option<String>,
    pub received_at: i64,
    /// `alerts`, `no_alert`, `unrecognized` or `duplicate`.
    pub verdict: String,
    pub body_hash: Vec<u8>,
    pub has_body: bool,
}

/// A job and every answer that its gates have given.
#[derive(Debug, Clone)]
pub struct KeptJob {
    pub id: String,
    /// The alert's tag.
    pub alert: String,
    pub dedupe_key: String,
    pub title: String,
    pub integration: String,
    pub rule: String,
    /// `None` where it follows another job.
    pub delivery: Option<String>,
    pub created_at: i64,
    /// When it took its place; `None` where it never did, or has given it back.
    pub started_at: Option<i64>,
    pub settled_at: Option<i64>,
    pub held_by: Option<String>,
    pub held_why: Option<String>,
    pub due_at: i64,
    /// Until when the process that has it in hand keeps it; `None` where none has.
    pub lease_until: Option<i64>,
    pub progress: Progress,
    /// `None` where another version has written the job.
    pub holds: Option<Holds>,
    /// In their order.
    pub decisions: Vec<DecisionView>,
}

/// An alert that is known.
#[derive(Debug, Clone)]
pub struct KeptAlert {
    pub tag: String,
    pub dedupe_key: String,
    pub title: String,
    pub route: String,
    pub state: String,
    pub first_at: i64,
    pub last_at: i64,
}

impl Archive {
    /// Opens a store that is there.
    ///
    /// # Errors
    /// A sentence: where it is, what is wrong, and what to do.
    pub async fn open(address: &Address) -> Result<Archive, StoreError> {
        install_drivers();
        let failed = |error: StoreError| address.cannot_be_opened(&error);
        let (dialect, url) = match address {
            Address::Memory => {
                let problem = "it is seen by its own process only: start serve with --store sqlite:relay.db, which others may read";
                return Err(failed(StoreError(problem.to_string())));
            }
            Address::Sqlite(path) => (Dialect::Sqlite, url_of(path).map_err(failed)?),
            Address::Postgres(url) => (Dialect::Postgres, with_name(url)),
        };
        let connected = AnyConnection::connect(&url).await.map_err(StoreError::from);
        let mut archive = Archive { connection: connected.map_err(failed)?, dialect };
        archive.prepare().await.map_err(failed)?;
        Ok(archive)
    }

    /// Reads through a connection that somebody else has opened.
    pub(super) fn of(connection: AnyConnection) -> Archive {
        Archive { connection, dialect: Dialect::Sqlite }
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// What is read until [`Archive::end`] is of one moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        let text = match self.dialect {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        };
        self.connection.execute(text).await?;
        Ok(())
    }

    /// Ends what [`Archive::begin`] has begun.
    ///
    /// # Errors
    /// The database's.
    pub async fn end(&mut self) -> Result<(), StoreError> {
        self.connection.execute("COMMIT").await?;
        Ok(())
    }

    /// By the database's clock, in Unix milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub async fn now(&mut self) -> Result<i64, StoreError> {
        now(&mut self.connection, self.dialect).await
    }

    /// All deliveries that came before a moment, in the order in which they came.
    ///
    /// # Errors
    /// The database's.
    pub async fn deliveries(&mut self, before: i64) -> Result<Vec<KeptDelivery>, StoreError> {
        let written = match self.dialect {
            Dialect::Sqlite => "rowid",
            Dialect::Postgres => "ctid",
        };
        let text = format!(
            "SELECT id, route, sender_id, received_at, verdict, body_hash, CASE WHEN body IS NULL THEN 0 ELSE 1 END \
            FROM deliveries WHERE received_at < $1 ORDER BY received_at, {written}"
        );
        let rows = sqlx::query(AssertSqlSafe(text)).bind(before).fetch_all(&mut self.connection).await?;
        let delivery = |row: &AnyRow| {
            Ok(KeptDelivery {
                id: row.try_get(0)?,
                route: row.try_get(1)?,
                sender_id: row.try_get(2)?,
                received_at: row.try_get(3)?,
                verdict: row.try_get(4)?,
                body_hash: row.try_get(5)?,
                has_body: row.try_get::<i32, _>(6).map(i64::from).or_else(|_| row.try_get::<i64, _>(6))? != 0,
            })
        };
        rows.iter().map(delivery).collect()
    }

    /// The body of a delivery; `None` where it is not kept any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn body(&mut self, delivery: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query("SELECT body FROM deliveries WHERE id = $1").bind(delivery);
        let row = query.fetch_optional(&mut self.connection).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    /// All jobs, the oldest first; those of one alert, if its tag is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn jobs(&mut self, alert: Option<&str>) -> Result<Vec<KeptJob>, StoreError> {
        let holds = match self.dialect {
            Dialect::Sqlite => "j.job -> '$.policy.holds'",
            Dialect::Postgres => "CAST(CAST(j.job AS JSON) -> 'policy' -> 'holds' AS TEXT)",
        };
        let text = format!(
            "SELECT j.id, j.alert, COALESCE(a.dedupe_key, j.alert) AS dedupe_key, COALESCE(a.title, '') AS title, \
            j.integration, j.rule, j.delivery, j.created_at, j.started_at, j.settled_at, j.held_by, j.held_why, j.due_at, j.lease_until, \
            {holds} AS holds, j.session_id, j.session_url, j.pr_url, j.status, j.result, j.reason, j.acus_consumed \
            FROM jobs j LEFT JOIN alerts a ON a.tag = j.alert WHERE ($1 = '' OR j.alert = $1) ORDER BY j.created_at, j.id"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(alert.unwrap_or_default());
        let mut jobs = Vec::new();
        for row in query.fetch_all(&mut self.connection).await? {
            let holds: Option<String> = row.try_get("holds")?;
            jobs.push(KeptJob {
                id: row.try_get("id")?,
                alert: row.try_get("alert")?,
                dedupe_key: row.try_get("dedupe_key")?,
                title: row.try_get("title")?,
                integration: row.try_get("integration")?,
                rule: row.try_get("rule")?,
                delivery: row.try_get("delivery")?,
                created_at: row.try_get("created_at")?,
                started_at: row.try_get("started_at")?,
                settled_at: row.try_get("settled_at")?,
                held_by: row.try_get("held_by")?,
                held_why: row.try_get("held_why")?,
                due_at: row.try_get("due_at")?,
                lease_until: row.try_get("lease_until")?,
                progress: Progress::of(&row)?,
                holds: holds.and_then(|text| read(&text).ok()),
                decisions: Vec::new(),
            });
        }
        let places: std::collections::HashMap<String, usize> =
            jobs.iter().enumerate().map(|(place, job)| (job.id.clone(), place)).collect();
        for decision in self.decisions(alert).await? {
            if let Some(place) = places.get(&decision.job_id) {
                jobs[*place].decisions.push(decision);
            }
        }
        Ok(jobs)
    }

    /// Every answer that is kept, the oldest first, also those about alerts that no rule takes; those about one alert, if its tag
    /// is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn decisions(&mut self, alert: Option<&str>) -> Result<Vec<DecisionView>, StoreError> {
        let text = format!("{} WHERE ($1 = '' OR alert = $1)", decisions::COLUMNS);
        let query = sqlx::query(AssertSqlSafe(text)).bind(alert.unwrap_or_default());
        let rows = query.fetch_all(&mut self.connection).await?;
        let mut all = rows.iter().map(decisions::view).collect::<Result<Vec<_>, _>>()?;
        // Several of one job may have one moment: the end of an identifier is its number.
        all.sort_by_cached_key(|one| (one.at, number_of(&one.id)));
        Ok(all)
    }

    /// The switches that are on, each with when it was thrown.
    ///
    /// # Errors
    /// The database's.
    pub async fn switches(&mut self) -> Result<Vec<(Switch, i64)>, StoreError> {
        let at = self.now().await?;
        let mut work = Work { connection: &mut self.connection, dialect: self.dialect, now: at };
        decisions::switches(&mut work).await
    }

    async fn prepare(&mut self) -> Result<(), StoreError> {
        self.connection
            .execute(match self.dialect {
                Dialect::Sqlite => "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;",
                Dialect::Postgres => "SET default_transaction_read_only = on",
            })
            .await?;
        if let Some(mark) =
            mark::find(&mut self.connection, self.dialect).await?.filter(|mark| mark.kind.is_of_filling())
        {
            return Err(mark.refusal());
        }
        let (found, known) = version(&mut self.connection).await?;
        let problem = match found {
            None => "it is not a store of alert-relay serve: give the --store that serve keeps".to_string(),
            Some(found) if found > known => {
                format!(
                    "it has version {found}, and this program knows {known} at most: use the program that wrote it, or a newer one"
                )
            }
            Some(found) if found < OLDEST => {
                format!(
                    "it has version {found}, from an older program: start serve once with this one, which brings it up to date"
                )
            }
            Some(_) => return Ok(()),
        };
        Err(StoreError(problem))
    }
}

/// The number at the end of an identifier.
fn number_of(id: &str) -> u64 {
    id.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// A file that is there, to be read only.
fn url_of(path: &Path) -> Result<String, StoreError> {
    if !path.is_file() {
        return Err(StoreError("there is no such file: give the --store that serve keeps (with --sandbox it keeps one in memory only, unless it is started with --store sqlite:relay.db)".to_string()));
    }
    Ok(url_of_file(path, "ro"))
}

#[cfg(test)]
mod tests {
    use super::super::schema::migrate_to;
    use super::*;

    const ROWS: &str = "
        INSERT INTO deliveries (id, route, body_hash, body, received_at, verdict) VALUES ('d', 'r', x'00', x'7b7d', 1, 'alerts');
        INSERT INTO alerts VALUES ('t', 'key', 'r', 'A title', 'firing', 1, 1, NULL, 'd', 'r', x'00');
        INSERT INTO jobs (id, alert, integration, phase, job, created_at, due_at, epoch, delivery)
            VALUES ('j', 't', 'main', 'received', '{}', 1, 1, 0, 'd');
        INSERT INTO decisions VALUES ('j.1', 2, 't', 'key', 'default', 'main', 'j', 'hold', 'delay', 'it has to fire', 3);
        INSERT INTO switches VALUES ('bridge', 4);
    ";

    #[tokio::test]
    async fn every_version_from_the_oldest_on_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        install_drivers();
        let newest = version(&mut AnyConnection::connect("sqlite::memory:").await.unwrap()).await.unwrap().1;
        for number in OLDEST..=newest {
            let path = folder.path().join(format!("{number}.db"));
            let mut store = AnyConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
            migrate_to(&mut store, Dialect::Sqlite, number).await.unwrap();
            assert_eq!(version(&mut store).await.unwrap().0, Some(number));
            sqlx::raw_sql(ROWS).execute(&mut store).await.unwrap();
            let mut archive = Archive::open(&Address::Sqlite(path)).await.unwrap();
            archive.begin().await.unwrap();
            assert_eq!(archive.deliveries(2).await.unwrap().len(), 1, "{number}");
            assert_eq!(archive.body("d").await.unwrap().unwrap(), b"{}");
            let jobs = archive.jobs(None).await.unwrap();
            assert_eq!((jobs[0].title.as_str(), jobs[0].decisions.len()), ("A title", 1), "{number}");
            assert_eq!(archive.switches().await.unwrap(), [(Switch::Bridge, 4)]);
            assert_eq!(archive.alerts("key").await.unwrap()[0].tag, "t", "{number}");
            assert_eq!(archive.newest_alerts(5).await.unwrap().len(), 1, "{number}");
            archive.end().await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_older_store_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        install_drivers();
        let path = folder.path().join("old.db");
        let mut store = AnyConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
        migrate_to(&mut store, Dialect::Sqlite, OLDEST - 1).await.unwrap();
        let refused = Archive::open(&Address::Sqlite(path)).await.err().unwrap().to_string();
        assert!(refused.contains("version 3, from an older program: start serve once with this one"), "{refused}");
    }
}
