//! Why alerts start sessions or do not: a row for each answer that differs from the one before. And the switches that a person
//! has thrown.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::database;
use super::trouble::StoreError;
use super::view::{After, Conditions};
use super::work::Work;
use super::{Address, Order, Reply, Store};

/// An answer that is kept.
pub struct Record<'a> {
    pub id: String,
    pub alert: &'a str,
    pub dedupe_key: &'a str,
    pub rule: &'a str,
    pub integration: &'a str,
    pub job: &'a str,
    pub decision: &'a str,
    pub gate: Option<&'a str>,
    pub reason: Option<&'a str>,
    pub until: Option<i64>,
}

/// An answer, as programs are shown it. Moments are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionView {
    pub id: String,
    pub at: i64,
    /// The alert's tag.
    pub alert: String,
    pub dedupe_key: String,
    /// The alert's title, for the page, which names an alert by it; `None` where no rule takes the alert.
    #[serde(skip)]
    pub title: Option<String>,
    /// These three are empty, and not shown, for an alert that no rule takes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub integration: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub job_id: String,
    /// `start`, `look`, `hold`, `join` or `refuse`; or what a person has asked for: `retry`, `start_again`, `end`, `suppress` or
    /// `unsuppress`.
    pub decision: String,
    /// Which gate said so; `None` for a start.
    pub gate: Option<String>,
    pub reason: Option<String>,
    /// When a job that is held is asked about again at the latest.
    pub until: Option<i64>,
}

/// Which decisions are asked for: those that all of this holds for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// An alert's tag.
    pub alert: Option<String>,
    pub job_id: Option<String>,
    pub rule: Option<String>,
    /// `start`, `look`, `hold`, `join` or `refuse`.
    pub decision: Option<String>,
    pub gate: Option<String>,
    /// Made then or later, in Unix milliseconds.
    pub since: Option<i64>,
}

impl DecisionView {
    /// Its number among those of its job.
    pub(super) fn number(&self) -> u64 {
        self.id.rsplit_once('.').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
    }
}

/// What a person switches on and off while the bridge runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// Nothing starts.
    Bridge,
    /// Nothing starts in this integration.
    Integration(String),
    /// Nothing starts by this rule.
    Rule(String),
}

/// What is switched on, each as a sentence.
#[derive(Debug, Default)]
pub struct Switched {
    pub bridge: Option<String>,
    pub paused: Option<String>,
}

impl Store {
    /// Why alerts started sessions or did not, the newest first; what follows `after`, if it is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn decisions(&self, most: usize, after: Option<After>) -> Result<Vec<DecisionView>, StoreError> {
        self.find_decisions(DecisionFilter::default(), most, after).await
    }

    /// Likewise, only those that a filter lets through.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_decisions(
        &self,
        filter: DecisionFilter,
        most: usize,
        after: Option<After>,
    ) -> Result<Vec<DecisionView>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match self.ask(Order::Decisions { filter: Box::new(filter), most, after }).await? {
            Reply::Decisions(decisions) => Ok(decisions),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Throws a switch, for every process that shares the store. In PostgreSQL, neither what this process waits for nor what another one
    /// holds there is waited for longer than seconds.
    ///
    /// # Errors
    /// The database's: it is not thrown then.
    pub async fn throw(&self, switch: Switch, is_on: bool) -> Result<(), StoreError> {
        if let Address::Postgres(url) = &self.address {
            return database::throw(url, &switch, is_on).await;
        }
        self.ask(Order::Throw { switch, is_on }).await.map(drop)
    }

    /// Has all that a switch holds be asked about at once: the one in a file, of which the store knows nothing, may have gone off.
    ///
    /// # Errors
    /// The database's.
    pub async fn ask_switched(&self) -> Result<(), StoreError> {
        self.ask(Order::AskSwitched).await.map(drop)
    }

    /// The switches that are on, each with when it was thrown.
    ///
    /// # Errors
    /// The database's.
    pub async fn switches(&self) -> Result<Vec<(Switch, i64)>, StoreError> {
        match self.ask(Order::Switches).await? {
            Reply::Switches(switches) => Ok(switches),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

impl Switch {
    fn name(&self) -> String {
        match self {
            Switch::Bridge => "bridge".to_string(),
            Switch::Integration(name) => format!("integration:{name}"),
            Switch::Rule(id) => format!("rule:{id}"),
        }
    }

    fn named(name: &str) -> Switch {
        match name.split_once(':') {
            Some(("integration", name)) => Switch::Integration(name.to_string()),
            Some((_, id)) => Switch::Rule(id.to_string()),
            None => Switch::Bridge,
        }
    }
}

/// Keeps an answer.
///
/// # Errors
/// The database's.
pub async fn record(work: &mut Work<'_>, record: &Record<'_>) -> Result<(), StoreError> {
    let text = "INSERT INTO decisions (id, at, alert, dedupe_key, rule, integration, job, decision, gate, reason, until) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    sqlx::query(text)
        .bind(&record.id)
        .bind(work.now)
        .bind(record.alert)
        .bind(record.dedupe_key)
        .bind(record.rule)
        .bind(record.integration)
        .bind(record.job)
        .bind(record.decision)
        .bind(record.gate)
        .bind(record.reason)
        .bind(record.until)
        .execute(&mut *work.connection)
        .await?;
    Ok(())
}

/// The answers that came last, the newest first; those that follow `after`, if it is given.
///
/// # Errors
/// The database's.
pub async fn decisions(
    work: &mut Work<'_>,
    filter: &DecisionFilter,
    most: i64,
    after: Option<&After>,
) -> Result<Vec<DecisionView>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.maybe("alert = ?", filter.alert.as_ref());
    conditions.maybe("job = ?", filter.job_id.as_ref());
    conditions.maybe("rule = ?", filter.rule.as_ref());
    match filter.decision.as_deref() {
        // Told apart by a text of the statement, so that its index serves.
        Some("refuse") => conditions.plain("decision = 'refuse'"),
        _ => conditions.maybe("decision = ?", filter.decision.as_ref()),
    }
    conditions.maybe("gate = ?", filter.gate.as_ref());
    if let Some(since) = filter.since {
        conditions.number("at >= ?", since);
    }
    conditions.follow(("at", "id"), after);
    conditions.rows(work, COLUMNS, "at DESC, id", most).await?.iter().map(view).collect()
}

/// What [`view`] reads.
pub const COLUMNS: &str = "SELECT id, at, alert, dedupe_key, rule, integration, job, decision, gate, reason, until, \
    (SELECT a.title FROM alerts a WHERE a.tag = decisions.alert) FROM decisions";

/// An answer, from its row.
///
/// # Errors
/// When a column holds something else.
pub fn view(row: &AnyRow) -> Result<DecisionView, StoreError> {
    Ok(DecisionView {
        id: row.try_get(0)?,
        at: row.try_get(1)?,
        alert: row.try_get(2)?,
        dedupe_key: row.try_get(3)?,
        rule: row.try_get(4)?,
        integration: row.try_get(5)?,
        job_id: row.try_get(6)?,
        decision: row.try_get(7)?,
        gate: row.try_get(8)?,
        reason: row.try_get(9)?,
        until: row.try_get(10)?,
        title: row.try_get(11)?,
    })
}

/// Throws a switch, for every process that shares the store. What it has held is asked about at once when it is off.
///
/// # Errors
/// The database's.
pub async fn throw(work: &mut Work<'_>, switch: &Switch, is_on: bool) -> Result<(), StoreError> {
    let name = switch.name();
    if is_on {
        let text = "INSERT INTO switches (name, at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        sqlx::query(text).bind(name).bind(work.now).execute(&mut *work.connection).await?;
        return Ok(());
    }
    sqlx::query("DELETE FROM switches WHERE name = $1").bind(name).execute(&mut *work.connection).await?;
    ask_switched(work).await
}

/// Has all that a switch holds be asked about at once, in the order in which it came: one may have gone off.
///
/// # Errors
/// The database's.
pub async fn ask_switched(work: &mut Work<'_>) -> Result<(), StoreError> {
    let text = "UPDATE jobs SET due_at = created_at \
        WHERE settled_at IS NULL AND held_by IN ('kill_switch', 'paused') AND due_at > $1";
    sqlx::query(text).bind(work.now).execute(&mut *work.connection).await?;
    Ok(())
}

/// Which switches are on: since when.
///
/// # Errors
/// The database's.
pub async fn switches(work: &mut Work<'_>) -> Result<Vec<(Switch, i64)>, StoreError> {
    let rows = sqlx::query("SELECT name, at FROM switches ORDER BY name").fetch_all(&mut *work.connection).await?;
    let mut switches = Vec::new();
    for row in rows {
        switches.push((Switch::named(&row.try_get::<String, _>(0)?), row.try_get(1)?));
    }
    Ok(switches)
}

/// The switches that matter to a job.
///
/// # Errors
/// The database's.
pub async fn switched_on(work: &mut Work<'_>, integration: &str, rule: &str) -> Result<Switched, StoreError> {
    let mut switched = Switched::default();
    for (switch, _) in switches(work).await? {
        match switch {
            Switch::Bridge => switched.bridge = Some("the kill switch is on".to_string()),
            Switch::Integration(name) if name == integration => {
                switched.paused = Some(format!("the integration {name} is paused"));
            }
            Switch::Rule(id) if id == rule => switched.paused = Some(format!("the rule {id} is paused")),
            _ => {}
        }
    }
    Ok(switched)
}
