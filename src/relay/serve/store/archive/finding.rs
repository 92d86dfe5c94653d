//! The alerts that a person may mean.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::super::trouble::StoreError;
use super::{Archive, KeptAlert};

const ALERTS: &str = "SELECT tag, dedupe_key, title, route, state, first_at, last_at FROM alerts";

impl Archive {
    /// The alerts that a person may mean by a dedupe key, a tag, or the identifier or URL of a session.
    ///
    /// # Errors
    /// The database's.
    pub async fn alerts(&mut self, key: &str) -> Result<Vec<KeptAlert>, StoreError> {
        let session = key.rsplit('/').next().unwrap_or(key);
        let session = session.strip_prefix("devin-").unwrap_or(session);
        let text = format!(
            "{ALERTS} WHERE tag = $1 OR dedupe_key = $1 OR tag IN (SELECT alert FROM jobs WHERE id = $1 \
            OR session_id = $2 OR session_id = $3) ORDER BY last_at DESC"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(key).bind(session).bind(format!("devin-{session}"));
        let rows = query.fetch_all(&mut self.connection).await?;
        let known = rows.iter().map(alert).collect::<Result<Vec<_>, _>>()?;
        if !known.is_empty() {
            return Ok(known);
        }
        // One that no rule takes is known by the answers about it only.
        let text = "SELECT alert, dedupe_key, '', '', '', MIN(at), MAX(at) FROM decisions \
            WHERE alert = $1 OR dedupe_key = $1 GROUP BY alert, dedupe_key ORDER BY MAX(at) DESC";
        let rows = sqlx::query(text).bind(key).fetch_all(&mut self.connection).await?;
        rows.iter().map(alert).collect()
    }

    /// The alerts that a person may mean who types the beginning of a dedupe key, a tag, a job, or a session: the newest, as many
    /// as `most`.
    ///
    /// # Errors
    /// The database's.
    pub async fn alerts_that_begin(&mut self, typed: &str, most: i64) -> Result<Vec<KeptAlert>, StoreError> {
        let session = typed.rsplit('/').next().unwrap_or(typed);
        let session = session.strip_prefix("devin-").unwrap_or(session);
        let begins = |column: &str, with: &str| format!("SUBSTR({column}, 1, LENGTH({with})) = {with}");
        let text = format!(
            "{ALERTS} WHERE {} OR {} OR tag IN (SELECT alert FROM jobs WHERE {} OR {} OR {}) ORDER BY last_at DESC LIMIT $4",
            begins("tag", "$1"),
            begins("dedupe_key", "$1"),
            begins("id", "$1"),
            begins("session_id", "$2"),
            begins("session_id", "$3"),
        );
        let query =
            sqlx::query(AssertSqlSafe(text)).bind(typed).bind(session).bind(format!("devin-{session}")).bind(most);
        query.fetch_all(&mut self.connection).await?.iter().map(alert).collect()
    }

    /// The alerts that came last, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest_alerts(&mut self, most: i64) -> Result<Vec<KeptAlert>, StoreError> {
        let text = format!("{ALERTS} ORDER BY last_at DESC, tag LIMIT $1");
        let rows = sqlx::query(AssertSqlSafe(text)).bind(most).fetch_all(&mut self.connection).await?;
        rows.iter().map(alert).collect()
    }
}

fn alert(row: &AnyRow) -> Result<KeptAlert, StoreError> {
    Ok(KeptAlert {
        tag: row.try_get(0)?,
        dedupe_key: row.try_get(1)?,
        title: row.try_get(2)?,
        route: row.try_get(3)?,
        state: row.try_get(4)?,
        first_at: row.try_get(5)?,
        last_at: row.try_get(6)?,
    })
}
