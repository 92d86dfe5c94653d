//! What must survive the process: deliveries, alerts, jobs and the sessions that were seen. One schema and one set of
//! statements for SQLite (a file, or memory) and PostgreSQL. Knows no HTTP, no sender and no API.
//!
//! Everything but a switch in PostgreSQL goes through one task with one connection. It takes all that waits into one transaction, so that a thousand
//! deliveries that come together cost one sync of the disk; nobody is answered before that transaction is committed.

mod actions;
mod admission;
mod archive;
mod by_hand;
mod database;
mod decisions;
mod ground;
mod hint;
mod intake;
mod late;
mod ledger;
mod outbox;
mod place;
mod pruning;
mod queue;
mod rows;
mod schema;
mod storms;
mod suppressions;
#[cfg(test)]
pub mod tests;
mod transfer;
mod trouble;
mod view;
mod work;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

pub use actions::{ActionView, NewAction};
pub use admission::{Admission, Ask};
pub use archive::{Archive, KeptAlert, KeptDelivery, KeptJob};
use by_hand::Wish;
pub use by_hand::{Answered, Possible, is_retryable};
use database::Database;
pub use decisions::{DecisionFilter, DecisionView, Switch};
pub use intake::{Entry, EntryState, NewDelivery, NewJob, Receipt, Taken, Verdict};
pub use late::{Amendment, Late};
pub use ledger::{Ledger, OWNER, Origin};
pub use outbox::{NoticeFilter, NoticeView, Outgoing, Outstanding, Settled};
pub use place::Address;
pub use pruning::Keep;
pub use queue::{Claimed, Due, News, Progress, Save, Saved};
pub use suppressions::SuppressionView;
pub use transfer::{
    BackupError, Copied, Undone, back_up, inspect, may_be_placed, may_be_served, migrate_store, restore, undo_migration,
};
pub use trouble::StoreError;
pub use view::{
    After, AlertDetail, AlertFilter, AlertView, DayView, Deliveries, DeliveryView, Happening, HeldView, JobDetail,
    JobFilter, JobRow, JobView, MemberView, OpenAsked, OpenJobs, OpenView, QuotaView, Responder, ResponderStatus,
    RouteView, RuleView, Scope, ScopeKind, Share, Standing, StatisticsView, StormState, StormView, TallyView, TimeView,
    TimelineEntry, UsageView, WindowView,
};

use crate::devin::session::Session;

/// So many orders may wait for the writer before whoever gives the next has to wait.
const WAITING: usize = 4096;

/// The store. Dropped without [`Store::close`], it loses nothing that was answered.
pub struct Store {
    address: Address,
    orders: mpsc::Sender<Pending>,
    /// Bytes of bodies since the last look at how many are kept, and that there are more.
    accepted: AtomicU64,
    grown: Notify,
    /// Told that another process may have left a due job.
    hinted: Arc<Notify>,
    /// Grows with everything that is kept and can be seen.
    changes: watch::Receiver<u64>,
    /// Who listens for that; nobody does where there is no other process.
    _listening: JoinSet<()>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Told of each transaction how long it took, and whether it was committed.
pub type Watch = Box<dyn Fn(Duration, bool) + Send + Sync>;

/// What the writer is to do.
enum Order {
    Accept(Box<NewDelivery>),
    Claim { integration: String, owner: String, lease_ms: i64, most: i64 },
    Save(Box<Save>),
    Renew { held: Vec<(String, i64)>, lease_ms: i64 },
    Release { owner: String },
    Active,
    Sight { attempt_tag: String, session: Box<Session> },
    Sightings { attempt_tag: String },
    KeepOrganization { integration: String, org_id: String },
    Organization { integration: String },
    See(Box<view::Question>),
    Admit(Box<Ask>),
    Late { integration: String, most: i64 },
    Amend(Box<Amendment>),
    Decisions { filter: Box<DecisionFilter>, most: i64, after: Option<After> },
    NoteAction(Box<NewAction>),
    Actions { most: i64, after: Option<After> },
    Throw { switch: Switch, is_on: bool },
    AskSwitched,
    Switches,
    ByHand { wish: Wish, by: String },
    Suppressions,
    Outbox(Box<outbox::Wish>),
    Prune(Keep),
    Ping,
}

/// What it answers.
enum Reply {
    Receipt(Receipt),
    Due(Due),
    Saved(Saved),
    Sessions(Vec<Session>),
    Active(Vec<(String, i64)>),
    Text(Option<String>),
    Seen(Box<view::Seen>),
    Admission(Admission),
    Late(Vec<Late>),
    Decisions(Vec<DecisionView>),
    Actions(Vec<ActionView>),
    Switches(Vec<(Switch, i64)>),
    ByHand(Answered),
    Suppressions(Vec<SuppressionView>),
    Outbox(outbox::Answer),
    /// How many bodies are forgotten; `None` where there is more to forget.
    Pruned(Option<u64>),
    Done,
}

struct Pending {
    order: Order,
    reply: oneshot::Sender<Result<Reply, StoreError>>,
}

impl Store {
    /// Opens the store, makes it if it is not there, and brings it to today's tables.
    ///
    /// # Errors
    /// A sentence: where it is, what is wrong, and what to do.
    pub async fn open(address: &Address) -> Result<Store, StoreError> {
        Store::watched(address, Box::new(|_, _| {})).await
    }

    /// The same, and tells `watch` of each transaction how long it took and whether it was committed.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn watched(address: &Address, watch: Watch) -> Result<Store, StoreError> {
        let database = Database::open(address).await?;
        let (orders, waiting) = mpsc::channel(WAITING);
        let (changed, changes) = watch::channel(0);
        let writer = Mutex::new(Some(tokio::spawn(writer::write(waiting, database, changed, watch))));
        let hinted = Arc::new(Notify::new());
        let mut listening = JoinSet::new();
        if let Address::Postgres(url) = address {
            listening.spawn(hint::listen(place::with_name(url), Arc::clone(&hinted)));
        }
        let (accepted, grown) = (AtomicU64::new(0), Notify::new());
        let address = address.clone();
        Ok(Store { address, orders, accepted, grown, hinted, changes, _listening: listening, writer })
    }

    /// Keeps a delivery, its alerts and their jobs, in one transaction. When this answers, they are on the disk.
    ///
    /// # Errors
    /// When they could not be committed: nothing of it is kept then.
    pub async fn accept(&self, delivery: NewDelivery) -> Result<Receipt, StoreError> {
        self.accepted.fetch_add(delivery.body.len() as u64, Ordering::Relaxed);
        self.grown.notify_one();
        match self.ask(Order::Accept(Box::new(delivery))).await? {
            Reply::Receipt(receipt) => Ok(receipt),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Takes due jobs of an integration, `most` at most, for `owner` and for the time of `lease`.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim(&self, integration: &str, owner: &str, lease: Duration, most: usize) -> Result<Due, StoreError> {
        let (integration, owner) = (integration.to_string(), owner.to_string());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        match self.ask(Order::Claim { integration, owner, lease_ms: millis(lease), most }).await? {
            Reply::Due(due) => Ok(due),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Waits until another process says that there may be a due job. It may also never say so.
    pub async fn hinted(&self) {
        self.hinted.notified().await;
    }

    /// Told of whatever is kept and can be seen, by this process; others are heard of through [`Store::hinted`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Keeps how far a job has come, unless somebody else has taken it on since.
    ///
    /// # Errors
    /// The database's: nothing of it is kept then.
    pub async fn save(&self, save: Save) -> Result<Saved, StoreError> {
        match self.ask(Order::Save(Box::new(save))).await? {
            Reply::Saved(saved) => Ok(saved),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Makes the leases of these claims, each a job with its epoch, as long as `lease` from now.
    ///
    /// # Errors
    /// The database's.
    pub async fn renew(&self, held: Vec<(String, i64)>, lease: Duration) -> Result<(), StoreError> {
        self.ask(Order::Renew { held, lease_ms: millis(lease) }).await.map(drop)
    }

    /// Gives all leases of `owner` back.
    ///
    /// # Errors
    /// The database's.
    pub async fn release(&self, owner: &str) -> Result<(), StoreError> {
        self.ask(Order::Release { owner: owner.to_string() }).await.map(drop)
    }

    /// How many jobs go on, by integration.
    ///
    /// # Errors
    /// The database's.
    pub async fn active(&self) -> Result<Vec<(String, i64)>, StoreError> {
        match self.ask(Order::Active).await? {
            Reply::Active(active) => Ok(active),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Keeps that an attempt has made a session, whoever holds its job by now.
    ///
    /// # Errors
    /// The database's.
    pub async fn sight(&self, attempt_tag: &str, session: &Session) -> Result<(), StoreError> {
        let (attempt_tag, session) = (attempt_tag.to_string(), Box::new(session.clone()));
        self.ask(Order::Sight { attempt_tag, session }).await.map(drop)
    }

    /// The sessions that an attempt is known to have made, as they were first seen.
    ///
    /// # Errors
    /// The database's.
    pub async fn sightings(&self, attempt_tag: &str) -> Result<Vec<Session>, StoreError> {
        match self.ask(Order::Sightings { attempt_tag: attempt_tag.to_string() }).await? {
            Reply::Sessions(sessions) => Ok(sessions),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// Keeps which organization an integration's key belongs to.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep_organization(&self, integration: &str, org_id: &str) -> Result<(), StoreError> {
        let (integration, org_id) = (integration.to_string(), org_id.to_string());
        self.ask(Order::KeepOrganization { integration, org_id }).await.map(drop)
    }

    /// The organization that was kept last; `None` where there was none.
    ///
    /// # Errors
    /// The database's.
    pub async fn organization(&self, integration: &str) -> Result<Option<String>, StoreError> {
        match self.ask(Order::Organization { integration: integration.to_string() }).await? {
            Reply::Text(org_id) => Ok(org_id),
            _ => Err(StoreError::mixed_up()),
        }
    }

    /// What has been accepted since is counted anew.
    fn begin_to_prune(&self) {
        self.accepted.store(0, Ordering::Relaxed);
    }

    /// Waits until so many bytes of bodies have been accepted since the last [`Store::prune`].
    pub async fn has_grown(&self, bytes: u64) {
        while self.accepted.load(Ordering::Relaxed) < bytes {
            self.grown.notified().await;
        }
    }

    /// Sees whether a transaction that writes goes through.
    ///
    /// # Errors
    /// Why not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.ask(Order::Ping).await.map(drop)
    }

    /// Waits until all that was ordered is done, and closes the database.
    pub async fn close(self) {
        drop(self.orders);
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It ends with its last order; one that panicked has nothing more to say.
            let _ = writer.await;
        }
    }

    async fn ask(&self, order: Order) -> Result<Reply, StoreError> {
        let (reply, answer) = oneshot::channel();
        let gone = || StoreError("the store is closed".to_string());
        self.orders.send(Pending { order, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Order {
    fn delivery(&self) -> Option<&NewDelivery> {
        if let Order::Accept(delivery) = self { Some(delivery) } else { None }
    }

    /// Whether what people are shown is another afterwards.
    fn is_change(&self) -> bool {
        matches!(
            self,
            Order::Accept(_)
                | Order::Save(_)
                | Order::Admit(_)
                | Order::Amend(_)
                | Order::Throw { .. }
                | Order::NoteAction(_)
                | Order::ByHand { .. }
        ) || matches!(self, Order::Outbox(wish) if wish.is_change())
    }
}

/// What tells equal bodies apart from others.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}
