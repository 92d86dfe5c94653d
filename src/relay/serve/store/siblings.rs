//! An alert that several rules may take, and a job of another of them at work: it is told, in place of a second one.

use sqlx::{QueryBuilder, Row as _};

use super::StoreError;
use super::database::Work;
use super::intake::NewDelivery;

/// So many tags are asked for in one statement.
const TOGETHER: usize = 500;

/// The delivery with each alert under the tag whose job is at work; `None` where that changes nothing.
///
/// # Errors
/// The database's.
pub async fn led(work: &mut Work<'_>, delivery: &NewDelivery) -> Result<Option<NewDelivery>, StoreError> {
    let with_siblings = || delivery.entries.iter().filter(|entry| !entry.siblings.is_empty());
    let tags: Vec<&str> =
        with_siblings().flat_map(|entry| entry.siblings.iter().chain([&entry.tag])).map(String::as_str).collect();
    let mut active: Vec<String> = Vec::new();
    for some in tags.chunks(TOGETHER) {
        let mut query = QueryBuilder::new("SELECT DISTINCT alert FROM jobs WHERE settled_at IS NULL AND alert IN (");
        let mut list = query.separated(", ");
        for tag in some {
            list.push_bind((*tag).to_string());
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *work.connection).await? {
            active.push(row.try_get(0)?);
        }
    }
    let is_active = |tag: &String| active.contains(tag);
    let leads = with_siblings().any(|entry| !is_active(&entry.tag) && entry.siblings.iter().any(is_active));
    Ok(leads.then(|| {
        let mut led = delivery.clone();
        for entry in led.entries.iter_mut().filter(|entry| !is_active(&entry.tag)) {
            if let Some(tag) = entry.siblings.iter().find(|tag| is_active(tag)) {
                entry.tag.clone_from(tag);
            }
        }
        led
    }))
}
