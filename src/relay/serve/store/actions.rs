//! What people did by the page or the API: a row for each, whether it went through or not.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::trouble::StoreError;
use super::view::{After, Conditions};
use super::work::Work;
use super::{Order, Reply, Store};

/// Something that was done, or asked for and refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAction {
    /// Drawn.
    pub id: String,
    /// The name of the token, and where the request came from.
    pub who: String,
    /// `retry`, `start`, `suppress` …
    pub action: String,
    /// What it was done to: a job, an alert's tag or dedupe key, a rule.
    pub target: String,
    /// The alert's tag, where it was about one.
    pub alert: Option<String>,
    pub is_done: bool,
    /// What came of it, in a sentence.
    pub result: String,
}

/// Likewise, as programs are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionView {
    pub id: String,
    /// In Unix milliseconds.
    pub at: i64,
    pub who: String,
    pub action: String,
    pub target: String,
    /// The alert's tag, where it was about one.
    pub alert: Option<String>,
    pub is_done: bool,
    pub result: String,
}

impl Store {
    /// Keeps what was done.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_action(&self, action: NewAction) -> Result<(), StoreError> {
        self.ask(Order::NoteAction(Box::new(action))).await.map(drop)
    }

    /// What was done, the newest first; what follows `after`, if it is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn actions(&self, most: usize, after: Option<After>) -> Result<Vec<ActionView>, StoreError> {
        match self.ask(Order::Actions { most: i64::try_from(most).unwrap_or(i64::MAX), after }).await? {
            Reply::Actions(actions) => Ok(actions),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

impl ActionView {
    fn of(row: &AnyRow) -> Result<ActionView, StoreError> {
        Ok(ActionView {
            id: row.try_get(0)?,
            at: row.try_get(1)?,
            who: row.try_get(2)?,
            action: row.try_get(3)?,
            target: row.try_get(4)?,
            alert: row.try_get(5)?,
            is_done: row.try_get::<i64, _>(6)? == 1,
            result: row.try_get(7)?,
        })
    }
}

const SELECT: &str = "SELECT id, at, who, action, target, alert, is_done, result FROM actions";

/// Keeps what was done.
///
/// # Errors
/// The database's.
pub async fn note(work: &mut Work<'_>, action: &NewAction) -> Result<(), StoreError> {
    let text = "INSERT INTO actions (id, at, who, action, target, alert, is_done, result) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(text)
        .bind(&action.id)
        .bind(work.now)
        .bind(&action.who)
        .bind(&action.action)
        .bind(&action.target)
        .bind(&action.alert)
        .bind(i64::from(action.is_done))
        .bind(&action.result)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// What was done, the newest first; what follows `after`, if it is given.
///
/// # Errors
/// The database's.
pub async fn actions(work: &mut Work<'_>, most: i64, after: Option<&After>) -> Result<Vec<ActionView>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.follow(("at", "id"), after);
    let rows = conditions.rows(work, SELECT, "at DESC, id", most).await?;
    rows.iter().map(ActionView::of).collect()
}

/// What was done about an alert, or about its key, the oldest first.
///
/// # Errors
/// The database's.
pub async fn on_alert(work: &mut Work<'_>, tag: &str, most: i64) -> Result<Vec<ActionView>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.text("(alert = ? OR target = (SELECT dedupe_key FROM alerts WHERE tag = ?))", tag);
    let rows = conditions.rows(work, SELECT, "at DESC, id", most).await?;
    rows.iter().rev().map(ActionView::of).collect()
}
