//! Deliveries: what came in, and what it was taken for.

use serde::Serialize;
use sqlx::Row as _;

use super::super::trouble::StoreError;
use super::super::work::Work;
use super::After;
use super::filter::Conditions;

/// A delivery, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    pub id: String,
    pub route: String,
    pub received_at: i64,
    /// `alerts`, `no_alert`, `unrecognized` or `duplicate`.
    pub state: String,
    pub reason: Option<String>,
    /// As it came; `None` for a duplicate, and in a list.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deliveries {
    /// The newest first; of this state and this route only, if they are given.
    Newest { most: i64, state: Option<String>, route: Option<String>, since: Option<i64>, after: Option<After> },
    /// The one with this identifier, and its body.
    One(String),
}

/// Deliveries that are kept.
///
/// # Errors
/// The database's.
pub async fn deliveries(work: &mut Work<'_>, which: &Deliveries) -> Result<Vec<DeliveryView>, StoreError> {
    let mut conditions = Conditions::default();
    let (select, most) = match which {
        Deliveries::One(id) => {
            conditions.text("id = ?", id);
            ("SELECT id, route, received_at, verdict, reason, body FROM deliveries", 1)
        }
        Deliveries::Newest { most, state, route, since, after } => {
            conditions.maybe("verdict = ?", state.as_ref());
            conditions.maybe("route = ?", route.as_ref());
            if let Some(since) = since {
                conditions.number("received_at >= ?", *since);
            }
            conditions.follow(("received_at", "id"), after.as_ref());
            ("SELECT id, route, received_at, verdict, reason FROM deliveries", *most)
        }
    };
    let mut deliveries = Vec::new();
    for row in conditions.rows(work, select, "received_at DESC, id", most).await? {
        deliveries.push(DeliveryView {
            id: row.try_get(0)?,
            route: row.try_get(1)?,
            received_at: row.try_get(2)?,
            state: row.try_get(3)?,
            reason: row.try_get(4)?,
            body: if matches!(which, Deliveries::One(_)) { row.try_get(5)? } else { None },
        });
    }
    Ok(deliveries)
}
