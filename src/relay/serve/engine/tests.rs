//! What is asked once more before a create is sent, while the store fails or is slow.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::Connection as _;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch::Sender;

use super::*;
use crate::devin::retry::Policy;
use crate::devin::transport::{Answering, HttpRequest, HttpResponse, Method, Transport};
use crate::devin::{Client, Settings, Token};
use crate::output::Output;
use crate::relay::serve::gates::Gates;
use crate::relay::serve::integration::IntegrationSettings;
use crate::relay::serve::metrics::Names;
use crate::relay::serve::store::Address;
use crate::relay::serve::store::tests::asking::{change, gated};

/// An organization without sessions. Once somebody has looked for some, the store fails.
#[derive(Debug)]
struct Api {
    address: Address,
    fails: &'static str,
    finds: AtomicUsize,
    creates: AtomicUsize,
}

impl Transport for Api {
    fn send(&self, request: HttpRequest) -> Answering<'_> {
        Box::pin(async move {
            let body = if request.method == Method::Post {
                self.creates.fetch_add(1, Ordering::Relaxed);
                r#"{"session_id": "devin-1", "status": "running", "tags": []}"#
            } else {
                if self.finds.load(Ordering::Relaxed) == 0 {
                    change(&self.address, self.fails).await;
                }
                self.finds.fetch_add(1, Ordering::Relaxed);
                r#"{"items": [], "has_next_page": false}"#
            };
            Ok(HttpResponse { status: 200, body: body.into(), ..HttpResponse::default() })
        })
    }
}

/// Tells of each line that says that the store fails.
struct Lines(UnboundedSender<()>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if String::from_utf8_lossy(bytes).contains("the store does not answer") {
            let _ = self.0.send(());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What takes so long within a trigger that the gates are asked once more.
macro_rules! slow {
    () => {
        "SELECT COUNT(*) FROM (WITH RECURSIVE steps(n) AS (\
        SELECT 1 UNION ALL SELECT n + 1 FROM steps WHERE n < 2000000) SELECT n FROM steps); "
    };
}

/// When the kill switch goes on.
#[derive(PartialEq)]
enum Moment {
    /// After the store has failed.
    Failed,
    /// After the gates have said that it may start.
    Asked,
}

/// An engine with one job that is about to look for sessions, over a store that fails from then on.
struct Bench {
    address: Address,
    /// Of the kill switch.
    file: PathBuf,
    store: Arc<Store>,
    api: Arc<Api>,
    engine: Arc<Engine>,
    claimed: Claimed,
    /// When the engine is to stop.
    stop: Sender<Option<i32>>,
    _bounds: Sender<Arc<Bounds>>,
    _directory: TempDir,
}

impl Bench {
    /// With what hears when the store has failed.
    async fn new(fails: &'static str) -> (Bench, UnboundedReceiver<()>) {
        let directory = tempfile::tempdir().unwrap();
        let (address, file) = (Address::Sqlite(directory.path().join("relay.db")), directory.path().join("stop"));
        let store = Arc::new(Store::open(&address).await.unwrap());
        store.accept(gated(1, "x", &Gates::open("cpu"))).await.unwrap();
        let api =
            Arc::new(Api { address: address.clone(), fails, finds: AtomicUsize::new(0), creates: AtomicUsize::new(0) });
        let settings = Settings {
            api_url: String::new(),
            token: Token::new("cog_t3st-0nly_k3y"),
            policy: Policy::brief(),
            concurrency: 1,
        };
        let integration = Arc::new(Integration::new(IntegrationSettings {
            name: "one".to_string(),
            client: Client::over(Arc::clone(&api) as Arc<dyn Transport>, settings),
            org_id: None,
            create_timeout: Duration::from_secs(1),
        }));
        integration.make_ready("org-1");
        let (failed, has_failed) = unbounded_channel();
        let log = Log::new(&Output::to(Box::new(Lines(failed))), true);
        let bounds = Sender::new(Arc::new(Bounds { kill_switch: Some(file.clone()), ..Bounds::default() }));
        let (stop, metrics) = (Sender::new(None), Arc::new(Metrics::new(Names::default())));
        let (stops, follows) = (stop.subscribe(), bounds.subscribe());
        let engine = Engine::new(Arc::clone(&store), integration, "me", &log, stops, follows, &metrics);
        let claimed = store.claim("one", "me", LEASE, 1).await.unwrap().claimed.remove(0);
        let bench = Bench { address, file, store, api, engine, claimed, stop, _bounds: bounds, _directory: directory };
        (bench, has_failed)
    }
}

/// The kill switch goes on in its file while the store fails so, and a job is at its create: whether that is sent.
async fn is_sent_behind_the_switch(fails: &'static str, moment: Moment) -> bool {
    let (bench, mut has_failed) = Bench::new(fails).await;
    let person = async {
        match moment {
            Moment::Failed => has_failed.recv().await.unwrap(),
            Moment::Asked => {
                while bench.api.finds.load(Ordering::Relaxed) == 0 {
                    tokio::task::yield_now().await;
                }
                while !has(&bench.address, "SELECT COUNT(*) FROM asked").await {}
            }
        }
        std::fs::write(&bench.file, "on").unwrap();
        change(&bench.address, "DROP TRIGGER failing").await;
    };
    tokio::join!(bench.engine.work(bench.claimed.clone()), person);
    let held = bench.store.alerts(9, None).await.unwrap().remove(0).job.unwrap().held;
    assert_eq!(held.map(|held| held.gate).as_deref(), Some("kill_switch"));
    bench.api.creates.load(Ordering::Relaxed) > 0
}

/// Whether a store has rows that are counted so.
async fn has(address: &Address, counted: &'static str) -> bool {
    let Address::Sqlite(path) = address else { return false };
    let mut connection = sqlx::AnyConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let rows: i64 = sqlx::query_scalar(counted).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows > 0
}

#[tokio::test]
async fn a_switch_in_a_file_that_goes_on_while_the_gates_cannot_be_asked_is_seen_when_they_can() {
    let fails = "CREATE TRIGGER failing BEFORE UPDATE OF ready_at ON jobs BEGIN SELECT RAISE(ABORT, 'failing'); END";
    assert!(!is_sent_behind_the_switch(fails, Moment::Failed).await);
}

#[tokio::test]
async fn a_switch_that_goes_on_while_it_cannot_be_kept_that_a_create_is_sent_is_seen_before_it_is() {
    let fails = "CREATE TRIGGER failing BEFORE UPDATE OF job ON jobs BEGIN SELECT RAISE(ABORT, 'failing'); END";
    assert!(!is_sent_behind_the_switch(fails, Moment::Failed).await);
}

#[tokio::test]
async fn a_switch_that_goes_on_while_it_is_kept_for_long_that_a_create_is_sent_is_seen_before_it_is() {
    let slow = concat!(
        "CREATE TABLE asked (at INTEGER); ",
        "CREATE TRIGGER asking AFTER UPDATE OF started_at ON jobs BEGIN INSERT INTO asked VALUES (NEW.started_at); END; ",
        "CREATE TRIGGER failing BEFORE UPDATE OF job ON jobs BEGIN ",
        slow!(),
        "END"
    );
    assert!(!is_sent_behind_the_switch(slow, Moment::Asked).await);
}

#[tokio::test]
async fn a_create_that_is_not_sent_because_the_store_fails_during_a_stop_is_kept_as_one_that_was_not() {
    let fails = concat!(
        "CREATE TRIGGER slow BEFORE UPDATE OF job ON jobs BEGIN ",
        slow!(),
        "END; CREATE TRIGGER failing BEFORE UPDATE OF ready_at ON jobs WHEN OLD.phase = 'creating' BEGIN ",
        slow!(),
        "SELECT RAISE(ABORT, 'failing'); END"
    );
    let (bench, _) = Bench::new(fails).await;
    let person = async {
        while !has(&bench.address, "SELECT COUNT(*) FROM jobs WHERE phase = 'creating'").await {}
        bench.stop.send(Some(15)).unwrap();
    };
    tokio::join!(bench.engine.work(bench.claimed.clone()), person);
    assert_eq!(bench.api.creates.load(Ordering::Relaxed), 0);
    assert!(has(&bench.address, "SELECT COUNT(*) FROM jobs WHERE phase = 'finding'").await);
}
