//! What happened, for people and programs that ask: pure structures, and the statements that read them. Changes nothing, and
//! knows no HTTP.

mod alerts;
mod deliveries;
mod filter;
mod jobs;
mod open;
pub(super) mod quotas;
mod routes;
mod statistics;
mod storms;
pub(super) mod tally;
mod timeline;
mod usage;

pub use alerts::{AlertDetail, AlertFilter, AlertView};
pub use deliveries::{Deliveries, DeliveryView};
pub use filter::Conditions;
pub use jobs::{HeldView, JobDetail, JobFilter, JobRow, JobView, Responder, ResponderStatus, Standing};
pub use open::{OpenAsked, OpenJobs, OpenView};
pub use quotas::QuotaView;
pub use routes::RouteView;
pub use statistics::{DayView, RuleView, StatisticsView, TimeView};
pub use storms::{MemberView, StormState, StormView};
pub use tally::TallyView;
pub use timeline::{Happening, TimelineEntry};
pub use usage::{Scope, ScopeKind, Share, UsageView, WindowView};

use super::trouble::StoreError;
use super::work::Work;
use super::{Order, Possible, Reply, Store, by_hand};

/// Where a list was left: what was shown last, by the moment that the list is sorted by and its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub at: i64,
    pub id: String,
}

/// What is asked.
pub enum Question {
    Alerts {
        filter: AlertFilter,
        most: i64,
        after: Option<After>,
    },
    Alert(String),
    /// What may be done about an alert, by its tag.
    Possible(String),
    Jobs {
        filter: JobFilter,
        most: i64,
        after: Option<After>,
    },
    Job(String),
    Deliveries(Deliveries),
    Storms {
        most: i64,
        after: Option<After>,
    },
    Usage(Vec<Scope>),
    Statistics {
        days: i64,
    },
    Routes,
    Tally,
    Quotas,
    Open(OpenAsked),
}

/// What is answered.
pub enum Seen {
    Alerts(Vec<AlertView>),
    Alert(Option<AlertDetail>),
    Possible(Possible),
    Jobs(Vec<JobRow>),
    Job(Option<JobDetail>),
    Deliveries(Vec<DeliveryView>),
    Storms(Vec<StormView>),
    Usage(Vec<UsageView>),
    Statistics(StatisticsView),
    Routes(Vec<RouteView>),
    Tally(TallyView),
    Quotas(Vec<QuotaView>),
    Open(OpenView),
}

/// Answers a question.
///
/// # Errors
/// The database's.
pub async fn see(work: &mut Work<'_>, question: &Question) -> Result<Seen, StoreError> {
    Ok(match question {
        Question::Alerts { filter, most, after } => {
            Seen::Alerts(alerts::alerts(work, filter, *most, after.as_ref()).await?)
        }
        Question::Alert(tag) => Seen::Alert(alerts::alert(work, tag).await?),
        Question::Possible(tag) => Seen::Possible(by_hand::possible(work, tag).await?),
        Question::Jobs { filter, most, after } => Seen::Jobs(jobs::jobs(work, filter, *most, after.as_ref()).await?),
        Question::Job(id) => Seen::Job(jobs::job(work, id).await?),
        Question::Deliveries(which) => Seen::Deliveries(deliveries::deliveries(work, which).await?),
        Question::Storms { most, after } => Seen::Storms(storms::storms(work, *most, after.as_ref()).await?),
        Question::Usage(scopes) => Seen::Usage(usage::usage(work, scopes).await?),
        Question::Statistics { days } => Seen::Statistics(statistics::statistics(work, *days).await?),
        Question::Routes => Seen::Routes(routes::routes(work).await?),
        Question::Tally => Seen::Tally(tally::tally(work).await?),
        Question::Quotas => Seen::Quotas(quotas::quotas(work).await?),
        Question::Open(asked) => Seen::Open(open::open(work, asked).await?),
    })
}

impl Store {
    /// The alerts that came last, the newest first, each with its last job; those that follow `after`, if it is given.
    ///
    /// # Errors
    /// The database's.
    pub async fn alerts(&self, most: usize, after: Option<After>) -> Result<Vec<AlertView>, StoreError> {
        self.find_alerts(AlertFilter::default(), most, after).await
    }

    /// Likewise, only those that a filter lets through.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_alerts(
        &self,
        filter: AlertFilter,
        most: usize,
        after: Option<After>,
    ) -> Result<Vec<AlertView>, StoreError> {
        match self.see(Question::Alerts { filter, most: limit(most), after }).await? {
            Seen::Alerts(alerts) => Ok(alerts),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// One alert by its tag, with its jobs and its timeline; `None` where it is not known.
    ///
    /// # Errors
    /// The database's.
    pub async fn alert(&self, tag: &str) -> Result<Option<AlertDetail>, StoreError> {
        match self.see(Question::Alert(tag.to_string())).await? {
            Seen::Alert(alert) => Ok(alert),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// What a person may do about an alert at this moment, by its tag.
    ///
    /// # Errors
    /// The database's.
    pub async fn possible(&self, tag: &str) -> Result<Possible, StoreError> {
        match self.see(Question::Possible(tag.to_string())).await? {
            Seen::Possible(possible) => Ok(possible),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// The jobs that were made last, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn jobs(&self, filter: JobFilter, most: usize, after: Option<After>) -> Result<Vec<JobRow>, StoreError> {
        match self.see(Question::Jobs { filter, most: limit(most), after }).await? {
            Seen::Jobs(jobs) => Ok(jobs),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// One job by its identifier, with the prompt as sent and what happened to it; `None` where it is not known.
    ///
    /// # Errors
    /// The database's.
    pub async fn job(&self, id: &str) -> Result<Option<JobDetail>, StoreError> {
        match self.see(Question::Job(id.to_string())).await? {
            Seen::Job(job) => Ok(job),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Deliveries that are kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn deliveries(&self, which: Deliveries) -> Result<Vec<DeliveryView>, StoreError> {
        match self.see(Question::Deliveries(which)).await? {
            Seen::Deliveries(deliveries) => Ok(deliveries),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// The storms that were detected last, the newest first, with their members.
    ///
    /// # Errors
    /// The database's.
    pub async fn storms(&self, most: usize, after: Option<After>) -> Result<Vec<StormView>, StoreError> {
        match self.see(Question::Storms { most: limit(most), after }).await? {
            Seen::Storms(storms) => Ok(storms),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// How much of these limits is used, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn usage(&self, scopes: Vec<Scope>) -> Result<Vec<UsageView>, StoreError> {
        match self.see(Question::Usage(scopes)).await? {
            Seen::Usage(usage) => Ok(usage),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// What happened in the last `days` days (UTC), today among them.
    ///
    /// # Errors
    /// The database's.
    pub async fn statistics(&self, days: u32) -> Result<StatisticsView, StoreError> {
        match self.see(Question::Statistics { days: i64::from(days) }).await? {
            Seen::Statistics(statistics) => Ok(statistics),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// What came in by each route that has had a delivery that is kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn routes(&self) -> Result<Vec<RouteView>, StoreError> {
        match self.see(Question::Routes).await? {
            Seen::Routes(routes) => Ok(routes),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// How many jobs stand how, now.
    ///
    /// # Errors
    /// The database's.
    pub async fn tally(&self) -> Result<TallyView, StoreError> {
        match self.see(Question::Tally).await? {
            Seen::Tally(tally) => Ok(tally),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// The integrations whose quota is used up, as far as their sessions have shown.
    ///
    /// # Errors
    /// The database's.
    pub async fn quotas(&self) -> Result<Vec<QuotaView>, StoreError> {
        match self.see(Question::Quotas).await? {
            Seen::Quotas(quotas) => Ok(quotas),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// What is open, for those who watch the bridge.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_now(&self, asked: OpenAsked) -> Result<OpenView, StoreError> {
        match self.see(Question::Open(asked)).await? {
            Seen::Open(open) => Ok(open),
            _ => Err(StoreError::mixed_up()),
        }
    }

    async fn see(&self, question: Question) -> Result<Seen, StoreError> {
        match self.ask(Order::See(Box::new(question))).await? {
            Reply::Seen(seen) => Ok(*seen),
            _ => Err(StoreError::mixed_up()),
        }
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
