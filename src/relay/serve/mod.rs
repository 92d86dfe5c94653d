//! `serve`: deliveries come in by HTTP, are kept, and become jobs that are taken to their ends. Here the parts are put
//! together, started, and stopped in the right order.

pub mod access;
pub mod auth;
pub mod duplicate;
mod engine;
mod explaining;
pub mod gates;
mod http;
mod integration;
mod kill_switch;
mod live;
mod log;
pub mod metrics;
pub mod notify;
mod outage;
mod page;
mod polling;
mod polls;
mod reading;
mod replay;
pub mod rules;
pub mod secret;
mod simulation;
mod sns;
pub mod store;
mod systemd;
mod told;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::watch::Receiver;

use super::draw::drawn;
use engine::Engine;
pub use explaining::{Explained, Explanation, explain};
use http::Door;
pub use http::Tls;
use integration::Integration;
pub use integration::IntegrationSettings;
use live::Live;
pub use live::Source;
pub use log::Log;
use metrics::{Metrics, Names};
use redact::Redactor;
pub use replay::{Counts, Course, Difference, Replayed, compare, replay};
use rules::Rules;
pub use simulation::{Simulated, simulate};
use sns::Sns;
use store::{Address, Store};
use systemd::Supervisor;
pub use systemd::inherited;
pub use told::{Origin, cannot_listen, rule_lines, would_serve};

/// How long what is under way may go on after a first signal. Kubernetes ends a process after 30 s.
const DRAINING: Duration = Duration::from_secs(18);

/// How long connections that are open then may take to send and to be answered.
const CLOSING: Duration = Duration::from_secs(4);

/// How often deliveries that are kept long enough are forgotten, and jobs are looked for that nobody works on.
const PRUNING: Duration = Duration::from_secs(3600);

/// Everything that `serve` needs to know.
pub struct Settings {
    pub listen: Listen,
    /// `None` where requests come in the clear.
    pub tls: Option<Tls>,
    pub store: Address,
    pub rules: Rules,
    /// How the rules are read again; `None` where there is no file.
    pub source: Option<Source>,
    pub integrations: Vec<IntegrationSettings>,
    /// Knows the keys.
    pub redactor: Redactor,
    pub log: Log,
    /// The signal that asked to stop; `None` until one has.
    pub stop: Receiver<Option<i32>>,
}

/// Where to listen.
pub enum Listen {
    At(SocketAddr),
    /// On a socket that is open already.
    On(std::net::TcpListener),
}

/// Serves until asked to stop, and then until what is under way is kept.
///
/// # Errors
/// A sentence: why it cannot begin.
pub async fn serve(settings: Settings) -> Result<(), String> {
    let Settings { listen, tls, store: address, rules, source, integrations, redactor, log, stop } = settings;
    let listener = match listen {
        Listen::At(address) => TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?,
        Listen::On(socket) => TcpListener::from_std(socket)
            .map_err(|error| format!("cannot listen on the socket that was handed over: {error}"))?,
    };
    let local = listener.local_addr().map_err(|error| error.to_string())?;
    let origin = Origin { address: local, is_encrypted: tls.is_some() };
    let supervisor = Supervisor::of(&|name| std::env::var_os(name), std::process::id());
    let names: Vec<String> = integrations.iter().map(|integration| integration.name.clone()).collect();
    let metrics = Arc::new(Metrics::new(Names::of(&rules, &names)));
    if let Some(at) = tls.as_ref().and_then(Tls::expires_at) {
        metrics.expires(at);
    }
    let watch = {
        let (metrics, log) = (Arc::clone(&metrics), log.clone());
        Box::new(move |took, is_committed| {
            metrics.transacted(took, is_committed);
            if is_committed {
                log.store_answered();
            }
        })
    };
    let store = Arc::new(Store::watched(&address, watch).await.map_err(|error| error.to_string())?);
    let owner = format!("relay-{}", drawn());
    let integrations: Vec<Arc<Integration>> =
        integrations.into_iter().map(|settings| Arc::new(Integration::new(watched(settings, &metrics)))).collect();
    let bounds = tokio::sync::watch::Sender::new(Arc::new(rules.bounds.clone()));
    let engines: Vec<Arc<Engine>> = integrations
        .iter()
        .map(|integration| {
            let (store, integration) = (Arc::clone(&store), Arc::clone(integration));
            Engine::new(store, integration, &owner, &log, stop.clone(), bounds.subscribe(), &metrics)
        })
        .collect();
    let wake = engines.iter().map(|engine| engine.wake()).collect();
    let (sns, log_too) = (Sns::new(), log.clone());
    let form_key = auth::sign_in::drawn_key()?;
    let door = Arc::new(Door {
        live: Arc::new(Live::new(rules, redactor, source)),
        bounds,
        log: log_too,
        wake,
        integrations,
        stop: stop.clone(),
        store,
        owner: owner.clone(),
        sns,
        refusals: http::Refusals::default(),
        metrics,
        open: metrics::Open::default(),
        tls,
        form_key,
        backing_up: tokio::sync::Mutex::default(),
    });
    log.note(&format!("listening on {origin}, store {address}"));
    let served = door.live.now();
    served.rules.routes.iter().for_each(|route| log.note(&told::route_line(origin, route)));
    log.note(&told::access_line(origin, &served.rules.access));
    told::warnings(origin, &address, &served.rules).iter().for_each(|warning| log.warn(warning));
    let now = SystemTime::now();
    let troubles = door.tls.iter().filter_map(|tls| tls.trouble(now).or_else(|| tls.warning(now)));
    troubles.for_each(|trouble| log.warn(&trouble));
    let (close, closing) = tokio::sync::watch::channel(false);
    let server = tokio::spawn(http::accept(listener, Arc::clone(&door), closing));
    let running: Vec<_> = engines.iter().map(|engine| tokio::spawn(Arc::clone(engine).run())).collect();
    drop(served);
    let telling = {
        let (store, live, metrics) = (Arc::clone(&door.store), Arc::clone(&door.live), Arc::clone(&door.metrics));
        tokio::spawn(notify::tell(store, live, log.clone(), metrics, stop.clone()))
    };
    let pruning = tokio::spawn(look_after(Arc::clone(&door), log.clone()));
    let reloading = tokio::spawn(reload(Arc::clone(&door)));
    let following = {
        let (store, bounds, wake) = (Arc::clone(&door.store), door.bounds.subscribe(), door.wake.clone());
        tokio::spawn(kill_switch::follow(store, bounds, wake, log.clone()))
    };
    let supervisor = Arc::new(supervisor);
    let beating = tokio::spawn(beat(Arc::clone(&supervisor)));
    supervisor.tell("READY=1");
    let mut stopping = stop;
    // An error says that nobody can ask any more.
    let _ = stopping.wait_for(Option::is_some).await;
    supervisor.tell("STOPPING=1");
    log.note("stopping: no session is started any more, deliveries are still kept");
    pruning.abort();
    reloading.abort();
    following.abort();
    let drained = async {
        for engine in running {
            // One that panicked has nothing under way.
            let _ = engine.await;
        }
        let _ = telling.await;
    };
    if tokio::time::timeout(DRAINING, drained).await.is_err() {
        log.note("a request to Devin is still not answered; what it does is looked for at the next start");
    }
    // Last of all, so that no delivery is turned away while anything else takes its time.
    let _ = close.send(true);
    let _ = tokio::time::timeout(CLOSING, server).await;
    if let Err(error) = door.store.release(&owner).await {
        log.warn(&format!("the jobs could not be given back, and are taken on when their leases end: {error}"));
    }
    drop(engines);
    if let Some(store) = Arc::into_inner(door).and_then(|door| Arc::into_inner(door.store)) {
        store.close().await;
    }
    beating.abort();
    log.note("stopped");
    Ok(())
}

/// An integration whose requests are counted.
fn watched(settings: IntegrationSettings, metrics: &Arc<Metrics>) -> IntegrationSettings {
    let (name, metrics) = (settings.name.clone(), Arc::clone(metrics));
    let client = settings.client.watched(move |status, took| metrics.asked_devin(&name, status, took));
    IntegrationSettings { client, ..settings }
}

/// Tells the supervisor that the process is alive, as long as its event loop turns.
async fn beat(supervisor: Arc<Supervisor>) {
    let Some(every) = supervisor.watchdog else { return };
    loop {
        supervisor.tell("WATCHDOG=1");
        tokio::time::sleep(every).await;
    }
}

/// Reads the rules again whenever a signal asks for it.
async fn reload(door: Arc<Door>) {
    loop {
        door.live.asked().await;
        door.reload().await;
    }
}

/// Forgets what is old, and says which jobs nobody works on: those whose integration is not among the rules any more.
async fn look_after(door: Arc<Door>, log: Log) {
    loop {
        let keep = door.live.now().rules.keep();
        let most = keep.most_bytes;
        match door.store.prune(keep).await {
            Ok(0) => {}
            Ok(bodies) => log.note(&format!(
                "the bodies of the {bodies} oldest deliveries are forgotten: max_store_size allows {} MiB of them",
                most >> 20
            )),
            Err(error) => log.store_failed("old deliveries cannot be forgotten", &error),
        }
        match door.jobs_of_nobody().await {
            Ok(jobs_of_nobody) => {
                for (name, jobs) in jobs_of_nobody {
                    log.warn(&format!(
                        "{jobs} of the alerts wait for the integration {name}, which the rules do not have: they go on once it is back under this name"
                    ));
                }
            }
            Err(error) => log.store_failed("jobs without an integration cannot be looked for", &error),
        }
        // Early enough that no more than a tenth is kept beyond the bound.
        let _ = tokio::time::timeout(PRUNING, door.store.has_grown(most / 10)).await;
    }
}
