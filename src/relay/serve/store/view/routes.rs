//! What came in by each route.

use serde::Serialize;
use sqlx::Row as _;

use super::super::trouble::StoreError;
use super::super::work::Work;

const DAY: i64 = 86_400_000;

/// A route's deliveries, as programs are shown them. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteView {
    pub route: String,
    /// When the last delivery came that is kept.
    pub last_at: i64,
    /// How many came in the last 24 hours, and how many of them were not recognized.
    pub last_day: i64,
    pub unrecognized_last_day: i64,
}

/// What came in by each route that has had a delivery that is kept.
///
/// # Errors
/// The database's.
pub async fn routes(work: &mut Work<'_>) -> Result<Vec<RouteView>, StoreError> {
    let text = "SELECT route, MAX(received_at), SUM(CASE WHEN received_at > $1 THEN 1 ELSE 0 END), \
        SUM(CASE WHEN received_at > $1 AND verdict = 'unrecognized' THEN 1 ELSE 0 END) FROM deliveries \
        GROUP BY route ORDER BY route";
    let rows = sqlx::query(text).bind(work.now - DAY).fetch_all(&mut *work.connection).await?;
    let view = |row: &sqlx::any::AnyRow| {
        let (route, last_at) = (row.try_get(0)?, row.try_get(1)?);
        Ok(RouteView { route, last_at, last_day: row.try_get(2)?, unrecognized_last_day: row.try_get(3)? })
    };
    rows.iter().map(view).collect()
}
