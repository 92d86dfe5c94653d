//! What has been seen of Devin and outlives the job that saw it: the sessions of attempts, and whose an integration's key is.

use sqlx::Row as _;

use super::super::trouble::StoreError;
use super::super::work::Work;
use super::read;
use crate::devin::session::Session;

/// Keeps a session that an attempt has made. Never changed afterwards.
///
/// # Errors
/// The database's.
pub async fn sight(work: &mut Work<'_>, attempt_tag: &str, session: &Session) -> Result<(), StoreError> {
    let json = serde_json::to_string(session).map_err(|error| StoreError(error.to_string()))?;
    let text = "INSERT INTO sightings (attempt_tag, session_id, session, seen_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (attempt_tag, session_id) DO NOTHING";
    sqlx::query(text)
        .bind(attempt_tag)
        .bind(session.bare_id())
        .bind(json)
        .bind(work.now)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// The sessions that an attempt has made, as they were seen first.
///
/// # Errors
/// The database's.
pub async fn sightings(work: &mut Work<'_>, attempt_tag: &str) -> Result<Vec<Session>, StoreError> {
    let text = "SELECT session FROM sightings WHERE attempt_tag = $1 ORDER BY seen_at";
    let rows = sqlx::query(text).bind(attempt_tag).fetch_all(&mut *work.connection).await?;
    rows.iter().map(|row| read(&row.try_get::<String, _>(0)?)).collect()
}

/// Keeps an integration's organization.
///
/// # Errors
/// The database's.
pub async fn keep_organization(work: &mut Work<'_>, integration: &str, org_id: &str) -> Result<(), StoreError> {
    let text = "INSERT INTO organizations (integration, org_id) VALUES ($1, $2) \
        ON CONFLICT (integration) DO UPDATE SET org_id = EXCLUDED.org_id";
    sqlx::query(text).bind(integration).bind(org_id).execute(&mut *work.connection).await?;
    Ok(())
}

/// An integration's organization, as it was kept last.
///
/// # Errors
/// The database's.
pub async fn organization(work: &mut Work<'_>, integration: &str) -> Result<Option<String>, StoreError> {
    let text = "SELECT org_id FROM organizations WHERE integration = $1";
    let row = sqlx::query(text).bind(integration).fetch_optional(&mut *work.connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
