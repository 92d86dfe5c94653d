//! What is old is forgotten, and nothing that an identifier, a window or a job still needs.

use super::*;
use crate::relay::serve::store::work::Dialect;
use crate::relay::serve::store::work::Work;
use crate::relay::serve::store::{intake, pruning, queue};

const DAY: i64 = 86_400_000;

/// Deliveries for 30 days, alerts for 90.
const KEEP: Keep = Keep {
    deliveries: Duration::from_secs(30 * 86_400),
    alerts: Duration::from_secs(90 * 86_400),
    most_bytes: u64::MAX,
};

/// A store whose days pass as the test likes.
struct Calendar {
    connection: sqlx::AnyConnection,
    dialect: Dialect,
    day: i64,
}

impl Calendar {
    async fn each() -> (Vec<Calendar>, Vec<Option<tempfile::TempDir>>) {
        let (mut calendars, mut kept) = (Vec::new(), Vec::new());
        for (store, address, directory) in stores().await {
            store.close().await;
            let (dialect, connection) = match &address {
                Address::Memory => continue,
                Address::Sqlite(path) => (Dialect::Sqlite, format!("sqlite:{}", path.display())),
                Address::Postgres(url) => (Dialect::Postgres, url.clone()),
            };
            let connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&connection).await.unwrap();
            calendars.push(Calendar { connection, dialect, day: 1000 });
            kept.push(directory);
        }
        (calendars, kept)
    }

    fn work(&mut self) -> Work<'_> {
        Work { connection: &mut self.connection, dialect: self.dialect, now: self.day * DAY }
    }

    async fn deliver(&mut self, number: u32, sender_id: &str, tag: &str, state: &str) -> String {
        let mut delivery = delivery(number, sender_id, &number.to_string(), tag, state);
        delivery.retention = KEEP.deliveries;
        told(&intake::accept(&mut self.work(), &[&delivery]).await.unwrap()[0])
    }

    /// Ends what is due.
    async fn settle(&mut self) {
        for mut claimed in queue::claim(&mut self.work(), "one", "me", 1, 99).await.unwrap().claimed {
            claimed.job.phase = Phase::Settled(End::Outcome(OutcomeKind::PrOpened));
            queue::save(&mut self.work(), &save(&claimed, "me", None)).await.unwrap();
        }
    }

    async fn prune(&mut self) {
        while pruning::prune(&mut self.work(), &KEEP).await.unwrap().is_none() {}
    }

    async fn count(&mut self, table: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::Row::try_get(&sqlx::query(text).fetch_one(&mut self.connection).await.unwrap(), 0).unwrap()
    }

    async fn counts(&mut self) -> [i64; 4] {
        [
            self.count("deliveries").await,
            self.count("alerts").await,
            self.count("jobs").await,
            self.count("alert_deliveries").await,
        ]
    }
}

#[tokio::test]
async fn what_is_over_is_forgotten_after_its_time_and_a_job_that_goes_on_is_not() {
    let (calendars, _kept) = Calendar::each().await;
    for mut store in calendars {
        store.deliver(1, "1", "over", "firing").await;
        store.settle().await;
        store.deliver(2, "2", "going on", "firing").await;
        store.prune().await;
        assert_eq!(store.counts().await, [2, 2, 2, 2]);
        store.day += 31;
        store.prune().await;
        assert_eq!(store.counts().await, [1, 2, 2, 1], "what the job that goes on was made of stays");
        store.day += 60;
        store.prune().await;
        assert_eq!(store.counts().await, [1, 1, 1, 1], "the one that goes on");
        assert_eq!(store.deliver(3, "3", "going on", "firing").await, "joined j2");
        assert_eq!(store.deliver(4, "4", "over", "firing").await, "started j4", "nobody knows it any more");
    }
}

#[tokio::test]
async fn a_late_duplicate_starts_nothing_as_long_as_its_identifier_is_promised_to_be_known() {
    let (calendars, _kept) = Calendar::each().await;
    for mut store in calendars {
        assert_eq!(store.deliver(1, "same", "x", "firing").await, "started j1");
        store.settle().await;
        store.day += 30;
        store.prune().await;
        assert_eq!(store.deliver(2, "same", "x", "firing").await, "duplicate", "on its last day");
        store.day += 1;
        store.prune().await;
        assert_eq!(store.deliver(3, "same", "x", "firing").await, "started j3");
    }
}

#[tokio::test]
async fn an_alert_that_is_heard_of_keeps_its_last_job_and_no_older_one() {
    let (calendars, _kept) = Calendar::each().await;
    for mut store in calendars {
        for number in [1, 2] {
            store.deliver(number, "", "x", "firing").await;
            store.settle().await;
            store.day += 1;
        }
        store.day += 85;
        store.deliver(3, "", "x", "resolved").await;
        store.day += 20;
        store.prune().await;
        assert_eq!(store.counts().await, [1, 1, 1, 1]);
        let text = "SELECT id FROM jobs";
        let row = sqlx::query(text).fetch_one(&mut store.connection).await.unwrap();
        assert_eq!(sqlx::Row::get::<String, _>(&row, 0), "j2");
    }
}

#[tokio::test]
async fn a_window_that_is_longer_than_deliveries_are_kept_loses_nothing() {
    let (calendars, _kept) = Calendar::each().await;
    for mut store in calendars {
        let insert = "INSERT INTO firings (alert, at) VALUES ('x', $1)";
        let now = store.day * DAY;
        for at in [now - 6 * DAY, now - 8 * DAY] {
            sqlx::query(insert).bind(at).execute(&mut store.connection).await.unwrap();
        }
        let brief = Keep { deliveries: Duration::from_secs(3600), ..KEEP };
        while pruning::prune(&mut store.work(), &brief).await.unwrap().is_none() {}
        assert_eq!(store.count("firings").await, 1, "min_occurrences may count over 7 days");
    }
}

#[tokio::test]
async fn what_waits_to_be_told_and_the_answers_to_a_job_that_goes_on_are_not_forgotten() {
    let (calendars, _kept) = Calendar::each().await;
    for mut store in calendars {
        store.deliver(1, "1", "over", "firing").await;
        store.settle().await;
        store.deliver(2, "2", "going on", "firing").await;
        let at = store.day * DAY;
        for (id, state) in [("n1", "waiting"), ("n2", "sent"), ("n3", "dead")] {
            let text = "INSERT INTO outbox (id, target, alert, job, seq, at, event, notice, state, since, due_at, attempts) \
                VALUES ($1, 'ops', 'over', 'j1', 1, $2, 'done', '{}', $3, $2, $2, 1)";
            sqlx::query(text).bind(id).bind(at).bind(state).execute(&mut store.connection).await.unwrap();
        }
        for (id, job) in [("j1.1", "j1"), ("j2.1", "j2")] {
            let text = "INSERT INTO decisions (id, at, alert, dedupe_key, rule, integration, job, decision) \
                VALUES ($1, $2, 'x', 'x', 'default', 'one', $3, 'retry')";
            sqlx::query(text).bind(id).bind(at).bind(job).execute(&mut store.connection).await.unwrap();
        }
        store.day += 31;
        store.prune().await;
        assert_eq!([store.count("outbox").await, store.count("decisions").await], [1, 1]);
        let row = sqlx::query("SELECT id FROM outbox").fetch_one(&mut store.connection).await.unwrap();
        assert_eq!(sqlx::Row::get::<String, _>(&row, 0), "n1");
    }
}

#[tokio::test]
async fn thousands_of_rows_go_in_small_batches() {
    let (calendars, _kept) = Calendar::each().await;
    for mut store in calendars {
        for batch in 0..6 {
            let deliveries: Vec<NewDelivery> =
                (0..200).map(|number| delivery(batch * 200 + number, "", "b", "x", "acknowledged")).collect();
            intake::accept(&mut store.work(), &deliveries.iter().collect::<Vec<_>>()).await.unwrap();
        }
        store.day += 31;
        let mut left = Vec::new();
        while pruning::prune(&mut store.work(), &KEEP).await.unwrap().is_none() {
            left.push(store.count("deliveries").await);
        }
        assert_eq!(left, [700, 200]);
        assert_eq!(store.count("deliveries").await, 0);
    }
}

#[tokio::test]
async fn what_happened_can_be_asked_and_old_deliveries_are_forgotten() {
    for (store, address, _directory) in stores().await {
        store.accept(delivery(1, "7", "a", "x", "firing")).await.unwrap();
        settle(&store, OutcomeKind::PrOpened).await;
        let alerts = store.alerts(9, None).await.unwrap();
        let shown = (alerts[0].state.as_str(), alerts[0].job.as_ref().and_then(|job| job.progress.status.as_deref()));
        assert_eq!(shown, ("firing", Some("done")), "{address}");
        store.ping().await.unwrap();
        store.ping().await.unwrap();
        store.prune(keep(LEASE, u64::MAX)).await.unwrap();
        assert!(store.accept(delivery(2, "7", "b", "x", "firing")).await.unwrap().is_duplicate(), "{address}");
        // Nothing is older than what comes next.
        while store.accept(delivery(3, "7", "b", "x", "firing")).await.is_ok_and(|receipt| receipt.is_duplicate()) {
            store.prune(keep(NO_LEASE, u64::MAX)).await.unwrap();
        }
    }
}

/// Which deliveries have a body still.
async fn bodies(address: &Address) -> Vec<String> {
    use sqlx::{Connection as _, Row as _};
    let url = match address {
        Address::Memory => return Vec::new(),
        Address::Sqlite(path) => format!("sqlite:{}", path.display()),
        Address::Postgres(url) => url.clone(),
    };
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let text = "SELECT id FROM deliveries WHERE body IS NOT NULL ORDER BY id";
    let rows = sqlx::query(text).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.try_get(0).unwrap()).collect()
}

#[tokio::test]
async fn the_oldest_bodies_go_first_and_none_that_an_active_job_was_made_of() {
    for (store, address, _directory) in stores().await {
        // The first has a job that goes on, which heard of the last; the others' jobs have ended. Those of
        // one millisecond go by their names.
        store.accept(delivery(1, "", "aaaa", "x", "firing")).await.unwrap();
        for number in 2..=5 {
            store.accept(delivery(number, "", &format!("{number:04}"), &number.to_string(), "resolved")).await.unwrap();
        }
        store.accept(delivery(6, "", "cccc", "x", "firing")).await.unwrap();
        assert_eq!(store.prune(keep(LEASE, 24)).await.unwrap(), 0, "{address}");
        assert_eq!(store.prune(keep(LEASE, 12)).await.unwrap(), 2, "{address}");
        if address != Address::Memory {
            let left = bodies(&address).await;
            assert_eq!(left, ["d1", "d4", "d5", "d6"]);
        }
        assert_eq!(store.prune(keep(LEASE, 0)).await.unwrap(), 2, "{address}");
        if address != Address::Memory {
            assert_eq!(bodies(&address).await, ["d1", "d6"]);
        }
    }
}
