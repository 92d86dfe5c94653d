//! The tables, and how an older store becomes one of today. The same for SQLite and PostgreSQL but for the type of bytes.

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::ground::see_that_it_is_ours;
use super::trouble::StoreError;
use super::work::Dialect;

/// Each member takes a store from one version to the next. What has been released is never changed, only followed.
const MIGRATIONS: [&str; 8] = [
    "
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    route TEXT NOT NULL,
    sender_id TEXT,
    body_hash {BYTES} NOT NULL,
    body {BYTES},
    received_at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT
);
CREATE UNIQUE INDEX deliveries_by_sender_id ON deliveries (route, sender_id) WHERE sender_id IS NOT NULL;
CREATE INDEX deliveries_by_time ON deliveries (received_at);
CREATE TABLE alerts (
    tag TEXT PRIMARY KEY,
    dedupe_key TEXT NOT NULL,
    route TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    occurred_at BIGINT,
    last_delivery TEXT NOT NULL,
    last_route TEXT NOT NULL,
    last_hash {BYTES} NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (last_at);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    alert TEXT NOT NULL,
    integration TEXT NOT NULL,
    phase TEXT NOT NULL,
    job TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    settled_at BIGINT,
    owner TEXT,
    epoch BIGINT NOT NULL,
    lease_until BIGINT,
    stepped_by TEXT,
    session_id TEXT,
    session_url TEXT,
    pr_url TEXT,
    status TEXT,
    result TEXT,
    reason TEXT
);
CREATE UNIQUE INDEX jobs_one_active ON jobs (alert) WHERE settled_at IS NULL;
CREATE INDEX jobs_by_alert ON jobs (alert, created_at);
CREATE INDEX jobs_due ON jobs (integration, due_at) WHERE settled_at IS NULL;
CREATE TABLE news (
    job TEXT NOT NULL,
    seq BIGINT NOT NULL,
    follow_up TEXT,
    PRIMARY KEY (job, seq)
);
CREATE TABLE sightings (
    attempt_tag TEXT NOT NULL,
    session_id TEXT NOT NULL,
    session TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (attempt_tag, session_id)
);
CREATE TABLE organizations (
    integration TEXT PRIMARY KEY,
    org_id TEXT NOT NULL
);
",
    "
CREATE TABLE probes (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    padding {BYTES} NOT NULL
);
",
    // Up to which of its news a job has heard them, and which delivery it was made of.
    "
ALTER TABLE jobs ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN delivery TEXT;
",
    // What is asked of a job before it starts, and what became of that.
    "
ALTER TABLE jobs ADD COLUMN rule TEXT NOT NULL DEFAULT 'default';
ALTER TABLE jobs ADD COLUMN gates TEXT;
ALTER TABLE jobs ADD COLUMN ready_at BIGINT;
ALTER TABLE jobs ADD COLUMN started_at BIGINT;
ALTER TABLE jobs ADD COLUMN held_by TEXT;
ALTER TABLE jobs ADD COLUMN held_why TEXT;
ALTER TABLE jobs ADD COLUMN decisions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN acus_reserved BIGINT;
ALTER TABLE jobs ADD COLUMN acus_consumed DOUBLE PRECISION;
ALTER TABLE jobs ADD COLUMN severity TEXT;
ALTER TABLE jobs ADD COLUMN storm TEXT;
ALTER TABLE jobs ADD COLUMN look_at BIGINT;
UPDATE jobs SET started_at = created_at WHERE phase <> 'received';
CREATE INDEX jobs_started ON jobs (started_at) WHERE started_at IS NOT NULL;
CREATE INDEX jobs_held ON jobs (held_by, created_at) WHERE settled_at IS NULL AND held_by IS NOT NULL;
CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    alert TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    rule TEXT NOT NULL,
    integration TEXT NOT NULL,
    job TEXT NOT NULL,
    decision TEXT NOT NULL,
    gate TEXT,
    reason TEXT,
    until BIGINT
);
CREATE INDEX decisions_by_time ON decisions (at);
CREATE TABLE firings (
    alert TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX firings_by_alert ON firings (alert, at);
CREATE TABLE storms (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    detected_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    is_open BIGINT NOT NULL,
    root TEXT
);
CREATE INDEX storms_open ON storms (rule) WHERE is_open = 1;
CREATE INDEX jobs_by_storm ON jobs (storm) WHERE storm IS NOT NULL;
CREATE INDEX jobs_out_of_quota ON jobs (integration, settled_at) WHERE result = 'quota_exceeded';
CREATE INDEX jobs_looked_at ON jobs (integration, look_at) WHERE look_at IS NOT NULL;
CREATE INDEX jobs_by_rule ON jobs (rule, ready_at);
CREATE TABLE switches (
    name TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);
",
    // What people and programs are shown: which deliveries told of an alert, what happened to a job, and what people did.
    "
CREATE TABLE alert_deliveries (
    alert TEXT NOT NULL,
    delivery TEXT NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    taken TEXT NOT NULL,
    job TEXT,
    reason TEXT
);
CREATE INDEX alert_deliveries_by_alert ON alert_deliveries (alert, at);
CREATE INDEX alert_deliveries_by_time ON alert_deliveries (at);
CREATE TABLE job_events (
    job TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (job, number)
);
CREATE INDEX job_events_by_time ON job_events (at);
CREATE TABLE actions (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    alert TEXT,
    is_done BIGINT NOT NULL,
    result TEXT NOT NULL
);
CREATE INDEX actions_by_time ON actions (at DESC, id);
CREATE INDEX actions_by_alert ON actions (alert, at) WHERE alert IS NOT NULL;
ALTER TABLE jobs ADD COLUMN pr_at BIGINT;
UPDATE jobs SET pr_at = settled_at WHERE pr_url IS NOT NULL;
CREATE INDEX jobs_by_time ON jobs (created_at DESC, id);
CREATE INDEX jobs_by_end ON jobs (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX jobs_by_pull_request ON jobs (pr_at) WHERE pr_at IS NOT NULL;
CREATE INDEX alerts_in_order ON alerts (last_at DESC, tag);
DROP INDEX alerts_by_time;
CREATE INDEX deliveries_in_order ON deliveries (received_at DESC, id);
CREATE INDEX deliveries_by_route ON deliveries (route, received_at DESC, id);
DROP INDEX deliveries_by_time;
CREATE INDEX decisions_in_order ON decisions (at DESC, id);
CREATE INDEX decisions_by_alert ON decisions (alert, at);
CREATE INDEX decisions_by_job ON decisions (job);
CREATE INDEX decisions_refused ON decisions (at DESC, id) WHERE decision = 'refuse';
DROP INDEX decisions_by_time;
CREATE INDEX storms_in_order ON storms (detected_at DESC, id);
",
    // What people ask for: alerts that start nothing for a time, and sessions that are to be ended. And whose limit a job
    // waits for.
    "
CREATE TABLE suppressions (
    dedupe_key TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    asked_by TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS alerts_by_dedupe_key ON alerts (dedupe_key);
ALTER TABLE news ADD COLUMN asked_by TEXT;
ALTER TABLE jobs ADD COLUMN held_for TEXT;
",
    // What is to be told to people, each once, and in the order of its alert; and the messages that later ones change.
    "
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    alert TEXT NOT NULL,
    job TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    notice TEXT NOT NULL,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT,
    attempts BIGINT NOT NULL,
    settled_at BIGINT,
    reason TEXT
);
CREATE INDEX outbox_waiting ON outbox (target, alert, seq) WHERE state = 'waiting';
CREATE INDEX outbox_of_alert ON outbox (alert, target, seq);
CREATE INDEX outbox_in_order ON outbox (at DESC, id);
CREATE TABLE outbox_threads (
    target TEXT NOT NULL,
    job TEXT NOT NULL,
    reference TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (target, job)
);
",
    // For those who watch the bridge: how many messages were given up, without reading those that were sent, and how many starts
    // there were of each rule, without reading the jobs.
    "
DROP INDEX jobs_started;
CREATE INDEX jobs_started ON jobs (started_at, integration, rule) WHERE started_at IS NOT NULL;
CREATE INDEX outbox_dead ON outbox (target) WHERE state = 'dead';
",
];

/// The newest version that this program knows.
pub const NEWEST: i64 = MIGRATIONS.len() as i64;

/// The version of a store, or `None` where there is none; and the newest that this program knows.
///
/// # Errors
/// The database's.
pub async fn version(connection: &mut AnyConnection) -> Result<(Option<i64>, i64), StoreError> {
    // A database without that table is another program's, or nobody's yet.
    match sqlx::query("SELECT MAX(version) FROM relay_store").fetch_one(&mut *connection).await {
        Ok(row) => Ok((row.try_get(0)?, NEWEST)),
        Err(error @ sqlx::Error::Database(_)) => match StoreError::from(error) {
            error if error.is_damage() => Err(error),
            _ => Ok((None, NEWEST)),
        },
        Err(error) => Err(error.into()),
    }
}

/// Whether there is a table of this name.
///
/// # Errors
/// The database's.
pub async fn has_table(connection: &mut AnyConnection, dialect: Dialect, name: &str) -> Result<bool, StoreError> {
    let text = match dialect {
        Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = $1",
        Dialect::Postgres => "SELECT CAST(COUNT(to_regclass($1)) AS BIGINT)",
    };
    Ok(sqlx::query(text).bind(name).fetch_one(connection).await?.try_get::<i64, _>(0)? > 0)
}

/// Brings the store to today's tables, in one transaction.
///
/// # Errors
/// The database's, or that a newer program has written this store.
pub async fn migrate(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), StoreError> {
    migrate_to(connection, dialect, NEWEST).await
}

/// Brings the store to the tables of this version.
///
/// # Errors
/// The database's, or that a newer program has written this store.
pub async fn migrate_to(connection: &mut AnyConnection, dialect: Dialect, known: i64) -> Result<(), StoreError> {
    see_that_it_is_ours(connection, dialect).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS relay_store (version BIGINT NOT NULL)").execute(&mut *connection).await?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM relay_store").fetch_one(&mut *connection).await?;
    let version: i64 = row.try_get(0)?;
    if version > known {
        return Err(StoreError(format!(
            "the store has version {version}, and this program knows {known} at most: use the program that wrote it, or a newer one"
        )));
    }
    let bytes = match dialect {
        Dialect::Sqlite => "BLOB",
        Dialect::Postgres => "BYTEA",
    };
    for (migration, number) in
        MIGRATIONS.iter().zip(1i64..).filter(|(_, number)| (version + 1..=known).contains(number))
    {
        sqlx::raw_sql(AssertSqlSafe(migration.replace("{BYTES}", bytes))).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO relay_store (version) VALUES ($1)").bind(number).execute(&mut *connection).await?;
    }
    Ok(())
}
