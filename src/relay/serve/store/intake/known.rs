//! What the deliveries of one transaction know of what came before them, and what they change of it. It is looked up at once; then
//! nothing is asked of the database until it is written.

use std::borrow::Cow;
use std::collections::HashMap;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::write::{NewRow, sender_id_to_keep};
use super::{Entry, NewDelivery, NewJob};
use crate::relay::alert::Severity;
use crate::relay::job::Job;
use crate::relay::serve::gates::Gates;
use crate::relay::serve::store::rows::list;
use crate::relay::serve::store::trouble::StoreError;
use crate::relay::serve::store::work::Dialect;
use crate::relay::serve::store::work::Work;

/// What is known, and what is to be written of it.
pub struct Known<'d> {
    /// When the transaction began.
    pub now: i64,
    pub(super) alerts: HashMap<&'d str, Alert<'d>>,
    /// By route and the sender's identifier.
    sender_ids: HashMap<(String, String), First>,
    /// Identifiers that an older delivery had for long enough, by route, though that one is still kept.
    pub(super) freed: Vec<(&'d str, &'d str)>,
    /// Each with whether it is a duplicate.
    pub(super) deliveries: Vec<(&'d NewDelivery, bool)>,
    pub(super) jobs: Vec<NewRow<'d>>,
    /// What fired, by tag, where its rule counts that.
    pub(super) firings: Vec<(&'d str, &'d Gates)>,
    /// Alerts that no rule takes, with the reason.
    pub(super) unwanted: Vec<(&'d NewDelivery, &'d Entry, &'d str)>,
    /// What jobs are told: what would follow, or `None` when it is over.
    pub(super) news: Vec<(String, Option<&'d Job>)>,
}

/// The delivery that had an identifier first.
#[derive(Debug, Clone)]
pub struct First {
    pub id: String,
    pub body_hash: [u8; 32],
    pub received_at: i64,
}

/// An alert.
pub struct Alert<'d> {
    pub dedupe_key: Cow<'d, str>,
    pub route: Cow<'d, str>,
    pub title: Cow<'d, str>,
    pub state: Cow<'d, str>,
    pub first_at: i64,
    pub last_at: i64,
    pub occurred_at: Option<i64>,
    pub last_delivery: Cow<'d, str>,
    pub last_hash: [u8; 32],
    pub last_route: Cow<'d, str>,
    /// The one that is active, or else the last one.
    pub job: Option<LastJob>,
    pub(super) is_changed: bool,
}

/// The job of an alert.
pub struct LastJob {
    pub id: String,
    pub is_active: bool,
    pub status: Option<String>,
}

impl<'d> Known<'d> {
    /// Looks up all that these deliveries may have to know.
    ///
    /// # Errors
    /// The database's.
    pub async fn look_up(work: &mut Work<'_>, deliveries: &[&'d NewDelivery]) -> Result<Known<'d>, StoreError> {
        let alerts = look_up_alerts(work, deliveries).await?;
        let sender_ids = look_up_sender_ids(work, deliveries).await?;
        let (freed, deliveries, jobs) = (Vec::new(), Vec::new(), Vec::new());
        let (firings, unwanted, news) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Known { now: work.now, alerts, sender_ids, freed, deliveries, jobs, firings, unwanted, news })
    }

    /// An alert by its tag.
    pub fn alert(&self, tag: &str) -> Option<&Alert<'d>> {
        self.alerts.get(tag)
    }

    /// The tag that an alert is kept under: its own, or that of another rule whose job is at work where its own is not.
    pub fn leading_tag(&self, entry: &'d Entry) -> &'d str {
        let is_active = |tag: &&String| self.alert(tag).is_some_and(|alert| alert.active_job().is_some());
        let mut tags = std::iter::once(&entry.tag).chain(&entry.siblings);
        tags.find(is_active).unwrap_or(&entry.tag)
    }

    /// The delivery that has this one's identifier on its route.
    pub fn same_id(&self, delivery: &NewDelivery) -> Option<&First> {
        self.sender_ids.get(&place(delivery)?)
    }

    /// When it happened: no later than now, so that no time in the future makes everything after it late.
    pub fn occurred_at(&self, entry: &Entry) -> Option<i64> {
        entry.occurred_at.map(|moment| moment.min(self.now))
    }

    /// Keeps a delivery.
    pub fn keep(&mut self, delivery: &'d NewDelivery, is_duplicate: bool) {
        self.deliveries.push((delivery, is_duplicate));
        let Some(place) = place(delivery).filter(|_| !is_duplicate) else { return };
        if self.sender_ids.remove(&place).is_some()
            && let Some(sender_id) = &delivery.sender_id
        {
            self.freed.push((&delivery.route, sender_id));
        }
        if sender_id_to_keep(delivery, is_duplicate).is_some() {
            let (id, body_hash) = (delivery.id.clone(), delivery.body_hash);
            self.sender_ids.insert(place, First { id, body_hash, received_at: self.now });
        }
    }

    /// Keeps how an alert is now.
    pub fn remember(&mut self, delivery: &'d NewDelivery, tag: &'d str, entry: &'d Entry, state: &'static str) {
        let (now, occurred_at) = (self.now, self.occurred_at(entry));
        let alert = self.alerts.entry(tag).or_insert_with(|| Alert {
            dedupe_key: Cow::Borrowed(&entry.dedupe_key),
            route: Cow::Borrowed(&delivery.route),
            title: Cow::Borrowed(""),
            state: Cow::Borrowed(""),
            first_at: now,
            last_at: now,
            occurred_at: None,
            last_delivery: Cow::Borrowed(""),
            last_hash: [0; 32],
            last_route: Cow::Borrowed(""),
            job: None,
            is_changed: true,
        });
        alert.title = Cow::Borrowed(&entry.title);
        alert.state = Cow::Borrowed(state);
        alert.occurred_at = alert.occurred_at.max(occurred_at);
        self.touch(delivery, tag);
    }

    /// Keeps that the alert, if it is known, was told of once more.
    pub fn touch(&mut self, delivery: &'d NewDelivery, tag: &str) {
        let Some(alert) = self.alerts.get_mut(tag) else { return };
        alert.last_at = self.now;
        alert.last_delivery = Cow::Borrowed(&delivery.id);
        alert.last_hash = delivery.body_hash;
        alert.last_route = Cow::Borrowed(&delivery.route);
        alert.is_changed = true;
    }

    /// Makes a job of an alert that is remembered.
    pub fn start(&mut self, delivery: &'d NewDelivery, tag: &'d str, new: &'d NewJob) {
        let NewJob { integration, job, gates, severity } = new;
        let severity = severity.map(Severity::name);
        self.jobs.push(NewRow { alert: tag, integration, job, gates, severity, delivery_id: Some(&delivery.id) });
        if let Some(alert) = self.alerts.get_mut(tag) {
            alert.job = Some(LastJob { id: job.id.clone(), is_active: true, status: None });
        }
    }

    /// Keeps that an alert has fired.
    pub fn note_firing(&mut self, tag: &'d str, gates: &'d Gates) {
        self.firings.push((tag, gates));
    }

    /// Keeps why an alert starts nothing that no rule takes.
    pub fn turn_away(&mut self, delivery: &'d NewDelivery, entry: &'d Entry, reason: &'d str) {
        self.unwanted.push((delivery, entry, reason));
    }

    /// Leaves news for a job: what fires now, as the job that it would be, or with `None` that it is over.
    pub fn tell(&mut self, job_id: &str, follow_up: Option<&'d Job>) {
        self.news.push((job_id.to_string(), follow_up));
    }
}

impl Alert<'_> {
    /// The job that goes on.
    pub fn active_job(&self) -> Option<String> {
        self.job.as_ref().filter(|job| job.is_active).map(|job| job.id.clone())
    }
}

fn place(delivery: &NewDelivery) -> Option<(String, String)> {
    Some((delivery.route.clone(), delivery.sender_id.clone()?))
}

async fn look_up_alerts<'d>(
    work: &mut Work<'_>,
    deliveries: &[&'d NewDelivery],
) -> Result<HashMap<&'d str, Alert<'d>>, StoreError> {
    let entries = deliveries.iter().flat_map(|delivery| &delivery.entries);
    let with_siblings = entries.flat_map(|entry| std::iter::once(&entry.tag).chain(&entry.siblings));
    let mut tags: Vec<[&str; 1]> = with_siblings.map(|tag| [tag.as_str()]).collect();
    if tags.is_empty() {
        return Ok(HashMap::new());
    }
    tags.sort_unstable();
    tags.dedup();
    let each = work.dialect.each();
    if work.dialect == Dialect::Postgres {
        // Another process may be about to end one of these jobs: it hears of them before, or these hear of its end.
        let text = format!(
            "SELECT j.id FROM {each} CROSS JOIN jobs j WHERE j.alert = w.value ->> 0 AND j.settled_at IS NULL \
            ORDER BY j.id FOR UPDATE OF j"
        );
        sqlx::query(AssertSqlSafe(text)).bind(list(&tags)?).execute(&mut *work.connection).await?;
    }
    let text = format!(
        "SELECT a.tag, a.dedupe_key, a.route, a.title, a.state, a.first_at, a.last_at, a.occurred_at, a.last_delivery, \
        a.last_hash, a.last_route, j.id, j.settled_at, j.status FROM {each} CROSS JOIN alerts a LEFT JOIN jobs j ON j.id = COALESCE(\
        (SELECT l.id FROM jobs l WHERE l.alert = a.tag AND l.settled_at IS NULL), \
        (SELECT l.id FROM jobs l WHERE l.alert = a.tag ORDER BY l.created_at DESC LIMIT 1)) WHERE a.tag = w.value ->> 0"
    );
    let rows = sqlx::query(AssertSqlSafe(text)).bind(list(&tags)?).fetch_all(&mut *work.connection).await?;
    let mut alerts = HashMap::with_capacity(tags.len());
    for row in rows {
        let tag: String = row.try_get(0)?;
        if let Ok(place) = tags.binary_search(&[&tag]) {
            alerts.insert(tags[place][0], Alert::of(&row)?);
        }
    }
    Ok(alerts)
}

impl Alert<'_> {
    fn of(row: &AnyRow) -> Result<Self, StoreError> {
        let text = |column: usize| row.try_get::<String, _>(column).map(Cow::Owned);
        let settled_at: Option<i64> = row.try_get(12)?;
        let status: Option<String> = row.try_get(13)?;
        let job = row.try_get::<Option<String>, _>(11)?;
        Ok(Alert {
            dedupe_key: text(1)?,
            route: text(2)?,
            title: text(3)?,
            state: text(4)?,
            first_at: row.try_get(5)?,
            last_at: row.try_get(6)?,
            occurred_at: row.try_get(7)?,
            last_delivery: text(8)?,
            last_hash: hash(row.try_get(9)?)?,
            last_route: text(10)?,
            job: job.map(|id| LastJob { id, is_active: settled_at.is_none(), status }),
            is_changed: false,
        })
    }
}

async fn look_up_sender_ids(
    work: &mut Work<'_>,
    deliveries: &[&NewDelivery],
) -> Result<HashMap<(String, String), First>, StoreError> {
    let places: Vec<(String, String)> = deliveries.iter().filter_map(|delivery| place(delivery)).collect();
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!(
        "SELECT d.route, d.sender_id, d.id, d.body_hash, d.received_at FROM {} CROSS JOIN deliveries d \
        WHERE d.route = w.value ->> 0 AND d.sender_id = w.value ->> 1",
        work.dialect.each()
    );
    let rows = sqlx::query(AssertSqlSafe(text)).bind(list(&places)?).fetch_all(&mut *work.connection).await?;
    let known = |row: &AnyRow| {
        let first = First { id: row.try_get(2)?, body_hash: hash(row.try_get(3)?)?, received_at: row.try_get(4)? };
        Ok(((row.try_get(0)?, row.try_get(1)?), first))
    };
    rows.iter().map(known).collect()
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError("the store holds a hash of another length".to_string()))
}
