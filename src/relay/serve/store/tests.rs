//! What every store promises. The same tests run over memory, a file, and PostgreSQL where `RELAY_POSTGRES` names one.

mod admission;
pub mod asking;
mod by_hand;
mod duplicates;
mod histories;
mod jobs;
mod moving;
mod outbox;
mod place;
mod pruning;
mod quota;
mod storms;
mod switching;
mod transfer;
mod trouble;
mod upgrade;
mod views;
mod waking;

use std::time::Duration;

use super::*;
use crate::devin::session::NewSession;
use crate::relay::job::{
    DispatchRequest, End, Firing, Job, OnNewAlerts, OnResolved, OnSessionLimit, OnTimeout, Phase, Policy,
};
use crate::relay::names::Names;
use crate::relay::outcome::OutcomeKind;
use crate::relay::prior::Holds;
use crate::relay::serve::gates::Gates;

const LEASE: Duration = Duration::from_secs(60);
const NO_LEASE: Duration = Duration::ZERO;

/// A pull request's address with a credential in it, and what is kept of it.
const PR_URL: &str = "https://bot:S3cr3tPass9x@git.example/o/r/pull/7";
const PR_URL_AS_KEPT: &str = "https://bot:****@git.example/o/r/pull/7";

/// Each kind of store, empty, with what must live as long as it.
async fn stores() -> Vec<(Store, Address, Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    let mut addresses =
        vec![(Address::Memory, None), (Address::Sqlite(directory.path().join("relay.db")), Some(directory))];
    if let Ok(url) = std::env::var("RELAY_POSTGRES") {
        addresses.push((Address::Postgres(schema_of_its_own(&url).await), None));
    }
    let mut stores = Vec::new();
    for (address, directory) in addresses {
        stores.push((Store::open(&address).await.unwrap(), address, directory));
    }
    stores
}

/// Tests run side by side in one database.
pub async fn schema_of_its_own(url: &str) -> String {
    use sqlx::Connection as _;
    let name = format!("test_{}", crate::relay::draw::drawn());
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let text = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-c%20search_path%3D{name}")
}

fn job(id: &str) -> Job {
    let names = Names::new("ar-0".to_string(), "0123456789abcdef".to_string());
    let request = DispatchRequest { names, new: NewSession::default(), firing: Firing::default() };
    let policy = Policy {
        holds: Holds { cooldown: Duration::ZERO, while_pr_open: None },
        new_attempt: false,
        detach: false,
        reconcile_window: Duration::ZERO,
        create_again: false,
        on_session_limit: OnSessionLimit::Wait,
        on_new_alerts: OnNewAlerts::Message,
        on_timeout: OnTimeout::Leave,
        on_resolved: OnResolved::Annotate,
        poll_interval: LEASE,
        max_polls: 1,
        pr_grace: 0,
    };
    Job::new(id.to_string(), "key".to_string(), request, policy)
}

/// A delivery with one alert: its number (and of its job), sender's identifier, body, alert, and state.
fn delivery(number: u32, sender_id: &str, body: &str, tag: &str, state: &str) -> NewDelivery {
    at(number, sender_id, body, tag, state, None)
}

pub fn at(number: u32, sender_id: &str, body: &str, tag: &str, state: &str, occurred_at: Option<i64>) -> NewDelivery {
    let state = match state {
        "firing" => {
            let (job, gates) = (job(&format!("j{number}")), Gates::open("default"));
            EntryState::Firing(Box::new(NewJob { integration: "one".to_string(), job, gates, severity: None }))
        }
        "resolved" => EntryState::Resolved,
        other => EntryState::Other(other.to_string()),
    };
    let entry = Entry {
        tag: tag.to_string(),
        dedupe_key: tag.to_string(),
        title: "t".to_string(),
        occurred_at,
        is_told_at: true,
        state,
        siblings: Vec::new(),
    };
    NewDelivery {
        id: format!("d{number}"),
        route: "r".to_string(),
        sender_id: Some(sender_id.to_string()).filter(|id| !id.is_empty()),
        body_hash: body_hash(body.as_bytes()),
        body: body.as_bytes().to_vec(),
        verdict: Verdict::Alerts,
        retention: Duration::from_secs(86_400),
        entries: vec![entry],
    }
}

/// What became of a delivery, in a few words.
fn told(receipt: &Receipt) -> String {
    let taken = receipt.taken.iter().map(|taken| match taken {
        Taken::Started { job_id } => format!("started {job_id}"),
        Taken::Joined { job_id } => format!("joined {job_id}"),
        Taken::Nothing => "nothing".to_string(),
        Taken::Suppressed { reason, .. } => reason.clone(),
    });
    if receipt.is_duplicate() { "duplicate".to_string() } else { taken.collect::<Vec<_>>().join(", ") }
}

fn save(claimed: &Claimed, owner: &str, due_in: Option<i64>) -> Save {
    let (job, progress) = (claimed.job.clone(), claimed.progress.clone());
    Save { job, epoch: claimed.epoch, owner: owner.to_string(), progress, events: Vec::new(), news_until: 0, due_in }
}

/// Keeps deliveries for so long and so many bytes of them, and alerts for good.
fn keep(deliveries: Duration, most_bytes: u64) -> Keep {
    Keep { deliveries, alerts: Duration::MAX, most_bytes }
}

/// Settles the job of an alert with a status.
async fn settle(store: &Store, kind: OutcomeKind) {
    let mut claimed = store.claim("one", "me", LEASE, 9).await.unwrap().claimed.remove(0);
    claimed.job.phase = Phase::Settled(End::Outcome(kind));
    claimed.progress.status = Some(kind.status().name().to_string());
    assert_eq!(store.save(save(&claimed, "me", None)).await.unwrap(), Saved::Kept(Vec::new()));
}
