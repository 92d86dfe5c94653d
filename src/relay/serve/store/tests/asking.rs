//! Jobs that ask whether they may start: what tests make of them, and the short words for what they are told.

use sqlx::{AnyConnection, Connection as _};

use super::super::schema::migrate;
use super::super::work::Dialect;
use super::super::work::Work;
use super::super::{admission, decisions, intake, queue};
use super::*;
use crate::relay::serve::gates::{Bounds, Limits};

/// A delivery of one firing alert, whose job has these gates.
pub fn gated(number: u32, tag: &str, gates: &Gates) -> NewDelivery {
    let mut delivery = delivery(number, "", &format!("{tag} {number}"), tag, "firing");
    if let EntryState::Firing(new) = &mut delivery.entries[0].state {
        new.gates = gates.clone();
    }
    delivery
}

pub fn limited(limits: Limits) -> Gates {
    Gates { limits, ..Gates::open("cpu") }
}

pub fn ask(claimed: &Claimed, is_at_create: bool) -> Ask {
    Ask {
        job_id: claimed.job.id.clone(),
        epoch: claimed.epoch,
        bounds: Arc::default(),
        kill_switch: None,
        holds: claimed.job.policy.holds,
        max_acu_limit: Some(4),
        is_by_hand: claimed.job.is_by_hand(),
        is_at_create,
    }
}

/// Claims everything that is due, and asks for each job.
pub async fn admit_all(store: &Store, bounds: &Bounds) -> Vec<String> {
    let mut said = Vec::new();
    let mut claimed = store.claim("one", "me", LEASE, 99).await.unwrap().claimed;
    claimed.sort_by(|one, other| one.job.id.cmp(&other.job.id));
    for claimed in claimed {
        let ask = Ask { bounds: Arc::new(bounds.clone()), ..ask(&claimed, false) };
        said.push(format!("{} {}", claimed.job.id, short(&store.admit(ask).await.unwrap())));
    }
    said
}

pub fn short(admission: &Admission) -> &'static str {
    match admission {
        Admission::Start { .. } => "starts",
        Admission::Join { .. } => "joins",
        Admission::Hold { .. } => "is held",
        Admission::Refuse { .. } => "is refused",
        Admission::Lost => "is lost",
    }
}

/// A job once more, after its lease has ended.
pub async fn claimed_again(store: &Store, id: &str) -> Claimed {
    store.renew(vec![(id.to_string(), 1)], NO_LEASE).await.unwrap();
    loop {
        let mut due = store.claim("one", "me", LEASE, 99).await.unwrap().claimed;
        let found = due.iter().position(|claimed| claimed.job.id == id).map(|place| due.remove(place));
        for other in due {
            store.save(save(&other, "me", Some(0))).await.unwrap();
        }
        if let Some(found) = found {
            return found;
        }
    }
}

/// Ends a job that has its place, with a session or without, and with what that consumed.
pub async fn end(store: &Store, id: &str, kind: OutcomeKind, acus: Option<f64>) {
    let held = store.alerts(99, None).await.unwrap();
    assert!(held.iter().any(|alert| alert.job.as_ref().is_some_and(|job| job.id == id)), "{id} is there");
    let mut claimed = claimed_again(store, id).await;
    let mut job = serde_json::to_value(&claimed.job).unwrap();
    job["made"] = serde_json::json!(if acus.is_some() { vec!["s"] } else { vec![] });
    claimed.job = serde_json::from_value(job).unwrap();
    claimed.job.phase = Phase::Settled(End::Outcome(kind));
    claimed.progress.acus_consumed = acus;
    claimed.progress.status = Some(kind.status().name().to_string());
    claimed.progress.result = serde_json::to_value(kind).unwrap().as_str().map(str::to_string);
    store.save(save(&claimed, "me", None)).await.unwrap();
}

pub async fn rows(store: &Store) -> Vec<String> {
    let mut rows = store.decisions(99, None).await.unwrap();
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let word =
        |row: &DecisionView| format!("{} {} {} {}", row.id, row.rule, row.decision, row.gate.as_deref().unwrap_or("-"));
    rows.iter().map(word).collect()
}

/// Changes a store beside it; not one in memory, which nobody else can open.
pub async fn change(address: &Address, text: &'static str) -> bool {
    use sqlx::Connection as _;
    let url = match address {
        Address::Memory => return false,
        Address::Sqlite(path) => format!("sqlite:{}", path.display()),
        Address::Postgres(url) => url.clone(),
    };
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    if matches!(address, Address::Sqlite(_)) {
        // A store that is kept slow on purpose has its turn between two slow writes only.
        sqlx::raw_sql("PRAGMA busy_timeout = 60000").execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    true
}

/// A store in memory with a clock of its own, and alerts of one rule.
pub struct Timed {
    pub connection: AnyConnection,
    pub began: i64,
    gates: Gates,
    number: u32,
}

impl Timed {
    pub async fn new(gates: Gates) -> Timed {
        // It installs the drivers.
        drop(Store::open(&Address::Memory).await.unwrap());
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection, Dialect::Sqlite).await.unwrap();
        Timed { connection, began: 1_800_000_000_000, gates, number: 0 }
    }

    fn work(&mut self, at: i64) -> Work<'_> {
        Work { connection: &mut self.connection, dialect: Dialect::Sqlite, now: self.began + at }
    }

    /// The kill switch goes on or off at this moment.
    pub async fn throw(&mut self, at: i64, is_on: bool) {
        decisions::throw(&mut self.work(at), &Switch::Bridge, is_on).await.unwrap();
    }

    /// An alert comes at this moment and is asked about.
    pub async fn fires(&mut self, at: i64) -> String {
        let tag = format!("t{}", self.number + 1);
        self.fires_as(at, &tag).await
    }

    /// Likewise, of this key.
    pub async fn fires_as(&mut self, at: i64, tag: &str) -> String {
        self.comes(at, tag, 1).await;
        self.asked(at).await
    }

    /// Alerts of this key come at this moment, and nobody asks about them.
    pub async fn comes(&mut self, at: i64, tag: &str, times: u32) {
        let deliveries: Vec<_> = (0..times).map(|place| gated(self.number + 1 + place, tag, &self.gates)).collect();
        self.number += times;
        intake::accept(&mut self.work(at), &deliveries.iter().collect::<Vec<_>>()).await.unwrap();
    }

    /// Whoever is due then, and what they are told.
    pub async fn asked(&mut self, at: i64) -> String {
        let mut due = queue::claim(&mut self.work(at), "one", "me", 0, 99).await.unwrap().claimed;
        due.sort_by(|one, other| one.job.id.cmp(&other.job.id));
        let mut said = Vec::new();
        for claimed in due {
            let admission = admission::admit(&mut self.work(at), &ask(&claimed, false)).await.unwrap();
            said.push(format!("{} {}", claimed.job.id, short(&admission)));
            if matches!(admission, Admission::Start { .. }) {
                let mut save = save(&claimed, "me", Some(3_600_000));
                save.progress.session_id = Some("devin-1".to_string());
                queue::save(&mut self.work(at), &save).await.unwrap();
            }
        }
        said.join(", ")
    }
}
