//! `serve`: deliveries come in by HTTP, are kept, and become jobs that are taken to their ends. Here the parts are put
//! together, started, and stopped in the right order.

pub mod auth;
pub mod duplicate;
mod engine;
mod http;
mod integration;
mod log;
mod polling;
mod reading;
pub mod rules;
pub mod secret;
pub mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch::Receiver;

use super::draw::drawn;
use crate::redact::Redactor;
use engine::Engine;
use http::Door;
use integration::Integration;
pub use integration::IntegrationSettings;
pub use log::Log;
use rules::Rules;
use store::{Address, Store};

/// How long what is under way may go on after a first signal. Kubernetes ends a process after 30 s.
const DRAINING: Duration = Duration::from_secs(18);

/// How long connections that are open then may take to send and to be answered.
const CLOSING: Duration = Duration::from_secs(4);

/// How often deliveries that are kept long enough are forgotten, and jobs are looked for that nobody works on.
const PRUNING: Duration = Duration::from_secs(3600);

/// Everything that `serve` needs to know.
pub struct Settings {
    pub listen: SocketAddr,
    pub store: Address,
    pub rules: Rules,
    pub integrations: Vec<IntegrationSettings>,
    /// Knows the keys.
    pub redactor: Redactor,
    pub log: Log,
    /// The signal that asked to stop; `None` until one has.
    pub stop: Receiver<Option<i32>>,
}

/// Serves until asked to stop, and then until what is under way is kept.
///
/// # Errors
/// A sentence: why it cannot begin.
pub async fn serve(settings: Settings) -> Result<(), String> {
    let Settings { listen, store: address, rules, integrations, redactor, log, stop } = settings;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| format!("cannot listen on {listen}: {error}; give another --listen"))?;
    let local = listener.local_addr().map_err(|error| error.to_string())?;
    let store = Arc::new(Store::open(&address).await.map_err(|error| error.to_string())?);
    let owner = format!("relay-{}", drawn());
    let integrations: Vec<Arc<Integration>> =
        integrations.into_iter().map(|settings| Arc::new(Integration::new(settings))).collect();
    let engines: Vec<Arc<Engine>> = integrations
        .iter()
        .map(|integration| Engine::new(Arc::clone(&store), Arc::clone(integration), &owner, &log, stop.clone()))
        .collect();
    let wake = engines.iter().map(|engine| engine.wake()).collect();
    let door = Arc::new(Door { rules, redactor, log: log.clone(), wake, integrations, stop: stop.clone(), store });
    log.note(&format!("listening on http://{local}, store {address}"));
    tell_of_routes(&door.rules, local, &log);
    let (close, closing) = tokio::sync::watch::channel(false);
    let server = tokio::spawn(http::accept(listener, Arc::clone(&door), closing));
    let running: Vec<_> = engines.iter().map(|engine| tokio::spawn(Arc::clone(engine).run())).collect();
    let pruning = tokio::spawn(look_after(Arc::clone(&door), log.clone()));
    let mut stopping = stop;
    // An error says that nobody can ask any more.
    let _ = stopping.wait_for(Option::is_some).await;
    log.note("stopping: no session is started any more, deliveries are still kept");
    pruning.abort();
    let drained = async {
        for engine in running {
            // One that panicked has nothing under way.
            let _ = engine.await;
        }
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
    log.note("stopped");
    Ok(())
}

/// Says where deliveries may come in, and what about that a person should know.
fn tell_of_routes(rules: &Rules, local: SocketAddr, log: &Log) {
    for route in &rules.routes {
        log.note(&format!("route http://{local}/v1/hooks/{}", route.name));
    }
    for name in rules.open_routes() {
        log.warn(&format!("the route {name} has no authentication: every program on this machine can start sessions"));
    }
    rules.warnings.iter().for_each(|warning| log.warn(&warning.to_string()));
    if !local.ip().to_canonical().is_loopback() {
        log.warn("deliveries and their secrets come in without encryption: put a proxy with TLS in front");
    }
}

/// Forgets what is old, and says which jobs nobody works on: those whose integration is not among the rules any more.
async fn look_after(door: Arc<Door>, log: Log) {
    loop {
        let most = door.rules.max_store_size;
        match door.store.prune(door.rules.retention, most).await {
            Ok(0) => {}
            Ok(bodies) => log.note(&format!(
                "the bodies of the {bodies} oldest deliveries are forgotten: max_store_size allows {} MiB of them",
                most >> 20
            )),
            Err(error) => log.warn(&format!("old deliveries cannot be forgotten: {error}")),
        }
        match door.store.active().await {
            Ok(active) => {
                let is_known = |name: &String| door.integrations.iter().any(|known| known.name == *name);
                for (name, jobs) in active.iter().filter(|(name, _)| !is_known(name)) {
                    log.warn(&format!(
                        "{jobs} of the alerts wait for the integration {name}, which the rules do not have: they go on once it is back under this name"
                    ));
                }
            }
            Err(error) => log.warn(&format!("jobs without an integration cannot be looked for: {error}")),
        }
        // Early enough that no more than a tenth is kept beyond the bound.
        let _ = tokio::time::timeout(PRUNING, door.store.has_grown(most / 10)).await;
    }
}
