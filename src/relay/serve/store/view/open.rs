//! What is open, for those who watch the bridge: counts that cost as much as there is open, however much has ended.

use sqlx::{AssertSqlSafe, Row as _};

use super::super::Switch;
use super::super::admission::outage;
use super::super::decisions::switches;
use super::super::trouble::StoreError;
use super::super::work::Dialect;
use super::super::work::Work;

const DAY: i64 = 86_400_000;

/// So many starts are looked at for each window, the last ones: as many as a limit may allow.
const MOST_STARTS: i64 = 10_000;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct OpenAsked {
    pub routes: Vec<String>,
    pub integrations: Vec<String>,
    /// Windows of limits on starts, in milliseconds.
    pub windows: Vec<i64>,
    /// Whether anything has a limit on ACUs.
    pub has_budget: bool,
}

/// What is open. Moments are Unix milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenView {
    /// This moment, by the store's clock.
    pub now: i64,
    pub jobs: Vec<OpenJobs>,
    /// Sessions that wait for a person, by integration.
    pub blocked: Vec<(String, i64)>,
    /// Messages by target, those that wait and those that were given up.
    pub outstanding: Vec<(String, i64)>,
    pub dead: Vec<(String, i64)>,
    /// Starts within each window that was asked for.
    pub starts: Vec<Starts>,
    /// ACUs of this day (UTC) that were consumed, or are reserved, by integration and rule.
    pub acus: Vec<(String, String, f64)>,
    /// When the last delivery of each route came that is kept; of those that have had one.
    pub last_deliveries: Vec<(String, i64)>,
    /// Integrations whose quota is used up, as far as their sessions have shown.
    pub out_of_quota: Vec<String>,
    pub switches: Vec<Switch>,
    pub size_bytes: i64,
}

/// Jobs that have not ended, and stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJobs {
    pub integration: String,
    pub rule: String,
    /// The gate that holds them; `None` where none does.
    pub gate: Option<String>,
    pub has_session: bool,
    /// Whether they count among the sessions that go on.
    pub has_place: bool,
    pub count: i64,
    /// When the first of them was made.
    pub oldest_at: i64,
}

/// Starts within a window that ends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starts {
    pub within_ms: i64,
    pub integration: String,
    pub rule: String,
    pub count: i64,
}

/// Counts it.
///
/// # Errors
/// The database's.
pub async fn open(work: &mut Work<'_>, asked: &OpenAsked) -> Result<OpenView, StoreError> {
    let of_targets =
        |state: &str| format!("SELECT target, COUNT(*) FROM outbox WHERE state = '{state}' GROUP BY target");
    let blocked = "SELECT integration, COUNT(*) FROM jobs WHERE look_at IS NOT NULL AND status = 'blocked' \
        GROUP BY integration";
    Ok(OpenView {
        now: work.now,
        jobs: jobs(work).await?,
        blocked: counts(work, blocked).await?,
        outstanding: counts(work, &of_targets("waiting")).await?,
        dead: counts(work, &of_targets("dead")).await?,
        starts: starts(work, &asked.windows).await?,
        acus: if asked.has_budget { acus(work).await? } else { Vec::new() },
        last_deliveries: last_deliveries(work, &asked.routes).await?,
        out_of_quota: out_of_quota(work, &asked.integrations).await?,
        switches: switches(work).await?.into_iter().map(|(switch, _)| switch).collect(),
        size_bytes: size(work).await?,
    })
}

async fn jobs(work: &mut Work<'_>) -> Result<Vec<OpenJobs>, StoreError> {
    let text = "SELECT integration, rule, held_by, CAST(CASE WHEN session_id IS NULL THEN 0 ELSE 1 END AS BIGINT), \
        CAST(CASE WHEN started_at IS NULL THEN 0 ELSE 1 END AS BIGINT), COUNT(*), MIN(created_at) FROM jobs \
        WHERE settled_at IS NULL GROUP BY integration, rule, held_by, CASE WHEN session_id IS NULL THEN 0 ELSE 1 END, \
        CASE WHEN started_at IS NULL THEN 0 ELSE 1 END";
    let rows = sqlx::query(text).fetch_all(&mut *work.connection).await?;
    let group = |row: &sqlx::any::AnyRow| {
        Ok(OpenJobs {
            integration: row.try_get(0)?,
            rule: row.try_get(1)?,
            gate: row.try_get(2)?,
            has_session: row.try_get::<i64, _>(3)? == 1,
            has_place: row.try_get::<i64, _>(4)? == 1,
            count: row.try_get(5)?,
            oldest_at: row.try_get(6)?,
        })
    };
    rows.iter().map(group).collect()
}

async fn counts(work: &mut Work<'_>, text: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(text.to_string())).fetch_all(&mut *work.connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn starts(work: &mut Work<'_>, windows: &[i64]) -> Result<Vec<Starts>, StoreError> {
    let text = "SELECT integration, rule, COUNT(*) FROM (SELECT integration, rule FROM jobs \
        WHERE started_at IS NOT NULL AND started_at > $1 ORDER BY started_at DESC LIMIT $2) AS starts \
        GROUP BY integration, rule";
    let mut starts = Vec::new();
    for within_ms in windows.iter().copied() {
        let query = sqlx::query(text).bind(work.now - within_ms).bind(MOST_STARTS);
        for row in query.fetch_all(&mut *work.connection).await? {
            let (integration, rule, count) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            starts.push(Starts { within_ms, integration, rule, count });
        }
    }
    Ok(starts)
}

async fn acus(work: &mut Work<'_>) -> Result<Vec<(String, String, f64)>, StoreError> {
    let text = "SELECT integration, rule, CAST(SUM(COALESCE(acus_reserved, acus_consumed, 0)) AS DOUBLE PRECISION) \
        FROM jobs WHERE started_at IS NOT NULL AND started_at >= $1 GROUP BY integration, rule";
    let midnight = work.now.div_euclid(DAY) * DAY;
    let rows = sqlx::query(text).bind(midnight).fetch_all(&mut *work.connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// One question for each route: its index knows the last one.
async fn last_deliveries(work: &mut Work<'_>, routes: &[String]) -> Result<Vec<(String, i64)>, StoreError> {
    let text = "SELECT received_at FROM deliveries WHERE route = $1 ORDER BY received_at DESC LIMIT 1";
    let mut last = Vec::new();
    for route in routes {
        if let Some(row) = sqlx::query(text).bind(route).fetch_optional(&mut *work.connection).await? {
            last.push((route.clone(), row.try_get(0)?));
        }
    }
    Ok(last)
}

async fn out_of_quota(work: &mut Work<'_>, integrations: &[String]) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for integration in integrations {
        if outage(work, integration, "").await?.is_some() {
            found.push(integration.clone());
        }
    }
    Ok(found)
}

async fn size(work: &mut Work<'_>) -> Result<i64, StoreError> {
    let text = match work.dialect {
        Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        Dialect::Postgres => "SELECT pg_database_size(current_database())",
    };
    Ok(sqlx::query(text).fetch_one(&mut *work.connection).await?.try_get(0)?)
}
