//! The edges of a storm, with a clock of its own: how many alerts are one, and when it is looked into.

use sqlx::{AnyConnection, Connection as _};

use super::super::database::Work;
use super::super::schema::migrate;
use super::super::{Dialect, admission, intake, queue};
use super::admission::{ask, gated, of_storms, short};
use super::*;

const SECOND: i64 = 1000;

/// A rule that holds a whole storm of three alerts within a minute.
struct Storms {
    connection: AnyConnection,
    began: i64,
    number: u32,
}

impl Storms {
    async fn new() -> Storms {
        // It installs the drivers.
        drop(Store::open(&Address::Memory).await.unwrap());
        let mut connection = AnyConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection, Dialect::Sqlite).await.unwrap();
        Storms { connection, began: 1_800_000_000_000, number: 0 }
    }

    fn work(&mut self, at: i64) -> Work<'_> {
        Work { connection: &mut self.connection, dialect: Dialect::Sqlite, now: self.began + at }
    }

    /// An alert comes at this moment and is asked about.
    async fn fires(&mut self, at: i64) -> String {
        self.number += 1;
        let delivery = gated(self.number, &format!("t{}", self.number), &of_storms(3, 0));
        intake::accept(&mut self.work(at), &[&delivery]).await.unwrap();
        self.asked(at).await
    }

    /// Whoever is due then, and what they are told.
    async fn asked(&mut self, at: i64) -> String {
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

#[tokio::test]
async fn alerts_count_that_came_within_the_window_and_no_earlier() {
    for (third_at, expected) in [(59_999, "j3 is held"), (60_000, "j3 starts"), (60_001, "j3 starts")] {
        let mut storms = Storms::new().await;
        assert_eq!(storms.fires(0).await, "j1 starts");
        assert_eq!(storms.fires(0).await, "j2 starts");
        assert_eq!(storms.fires(third_at).await, expected, "{third_at}");
    }
}

#[tokio::test]
async fn a_storm_is_looked_into_15_seconds_after_its_last_alert() {
    for (at, expected) in [(14_999, ""), (15_000, "j3 starts"), (15_001, "j3 starts")] {
        let mut storms = Storms::new().await;
        for _ in 0..3 {
            storms.fires(0).await;
        }
        assert_eq!(storms.asked(at).await, expected, "{at}");
    }
}

#[tokio::test]
async fn each_alert_moves_that_as_in_the_worked_example() {
    // A storm at 0, alerts after 5, 10 and 20 s: it is looked into at 20, 25 and then 35 s.
    let mut storms = Storms::new().await;
    for _ in 0..3 {
        storms.fires(0).await;
    }
    for (fires_at, triage) in [(5, 20), (10, 25), (20, 35)] {
        let told = storms.fires(fires_at * SECOND).await;
        assert!(told.ends_with("is held"), "{told}");
        let due = "SELECT MAX(due_at) FROM jobs WHERE held_by = 'storm'";
        let row = sqlx::query(due).fetch_one(&mut storms.connection).await.unwrap();
        let latest: i64 = sqlx::Row::try_get(&row, 0).unwrap();
        assert_eq!(latest - storms.began, triage * SECOND, "{fires_at}");
    }
    let early = storms.asked(34_999).await;
    assert!(!early.contains("starts"), "{early}");
    let mut at = 35_000;
    let mut told = storms.asked(at).await;
    while !told.contains("starts") {
        at += SECOND;
        assert!(at < 60_000, "the one that stands for all is asked again within moments: {told}");
        told = storms.asked(at).await;
    }
}

#[tokio::test]
async fn however_many_come_a_storm_is_looked_into_after_90_seconds() {
    let mut storms = Storms::new().await;
    for _ in 0..3 {
        storms.fires(0).await;
    }
    for at in 1..=90 {
        let told = storms.fires(at * SECOND).await;
        assert_eq!(told.contains("j3 starts"), at == 90, "{at} s: {told}");
    }
}
