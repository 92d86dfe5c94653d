//! A task for each target, so that one that hangs holds up no other: it takes messages from the store, sends them, and keeps
//! what came of that. It may end at any line: what it held is sent again, under the same identifier.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::{JoinHandle, JoinSet};

use super::sending::attempt;
use super::target::Target;
use crate::relay::serve::Log;
use crate::relay::serve::live::{Live, Served};
use crate::relay::serve::metrics::Metrics;
use crate::relay::serve::store::{Outgoing, Settled, Store};

/// How long a message is held without a word before it is sent by another process: longer than any try takes.
const LEASE: Duration = Duration::from_secs(60);

/// So many messages to one target are under way at once, each of another alert.
const AT_ONCE: usize = 8;

/// The longest that nobody looks whether there is something to send: another process may have left it.
const IDLE: Duration = Duration::from_secs(5);

/// Changes that come together are looked at together.
const TOGETHER: Duration = Duration::from_millis(200);

/// When something is kept again that the store could not keep.
const KEEP_AGAIN: Duration = Duration::from_millis(500);

/// What a worker needs.
#[derive(Clone)]
struct Post {
    store: Arc<Store>,
    live: Arc<Live>,
    log: Log,
    metrics: Arc<Metrics>,
    stop: Receiver<Option<i32>>,
}

/// Sends what the store keeps until asked to stop, and then until what is under way is kept.
pub async fn tell(store: Arc<Store>, live: Arc<Live>, log: Log, metrics: Arc<Metrics>, stop: Receiver<Option<i32>>) {
    let post = Post { store, live, log, metrics, stop };
    let mut workers: HashMap<String, JoinHandle<()>> = HashMap::new();
    let mut stop = post.stop.clone();
    while !post.is_stopping() {
        // A reload may have brought others; the worker of one that is gone has ended.
        workers.retain(|_, worker| !worker.is_finished());
        for target in &post.live.now().rules.notify.targets {
            let work = || tokio::spawn(post.clone().work(target.name.clone()));
            workers.entry(target.name.clone()).or_insert_with(work);
        }
        tokio::select! {
            () = asked(&mut stop) => {}
            () = tokio::time::sleep(IDLE) => {}
        }
    }
    for worker in workers.into_values() {
        // One that panicked has nothing under way.
        let _ = worker.await;
    }
}

/// Waits until asked to stop.
async fn asked(stop: &mut Receiver<Option<i32>>) {
    // An error says that nobody can ask any more; what it holds may not be held over a wait.
    drop(stop.wait_for(Option::is_some).await);
}

impl Post {
    async fn work(self, name: String) {
        let mut changes = self.store.changes();
        let mut stop = self.stop.clone();
        let mut sending = JoinSet::new();
        while !self.is_stopping() {
            let served = self.live.now();
            let Some(target) = served.rules.notify.target(&name).cloned() else { break };
            changes.mark_unchanged();
            let wait = self.claim(&served, &target, &mut sending).await;
            drop(served);
            tokio::select! {
                () = asked(&mut stop) => {}
                Some(_) = sending.join_next() => {}
                _ = changes.changed() => tokio::time::sleep(TOGETHER).await,
                () = tokio::time::sleep(wait) => {}
            }
            while sending.try_join_next().is_some() {}
        }
        while sending.join_next().await.is_some() {}
    }

    /// Begins to send what is due, and answers with how long nothing else will be.
    async fn claim(&self, served: &Arc<Served>, target: &Target, sending: &mut JoinSet<()>) -> Duration {
        let free = AT_ONCE.saturating_sub(sending.len());
        if free == 0 {
            return IDLE;
        }
        let outstanding = match self.store.claim_notices(&target.name, LEASE, free).await {
            Ok(outstanding) => outstanding,
            Err(error) => {
                self.log.store_failed(&format!("notifications to {} cannot be read", target.name), &error);
                return IDLE;
            }
        };
        for outgoing in outstanding.outgoing {
            sending.spawn(self.clone().send(Arc::clone(served), target.clone(), outgoing));
        }
        // One whose moment has come and that was not taken waits for an earlier one of its alert.
        let next = outstanding.next_in.filter(|next| *next > 0);
        next.map_or(IDLE, |next| Duration::from_millis(next.unsigned_abs()).min(IDLE))
    }

    async fn send(self, served: Arc<Served>, target: Target, outgoing: Outgoing) {
        let allowed = Arc::new(served.rules.notify.allowed.clone());
        let settled = attempt(&target, &allowed, &served.redactor, &outgoing).await;
        let (id, name, event) = (&outgoing.notice.id, &target.name, outgoing.notice.event.name());
        self.metrics.notified(name, target.kind.name(), &settled);
        match &settled {
            Settled::Sent { .. } => {}
            Settled::Later { wait, reason } => self.log.warn(&format!(
                "{id} ({event}) could not be sent to {name}: {reason}; it is tried again in {} s",
                wait.as_secs()
            )),
            Settled::Dead { reason } => self.log.warn(&format!(
                "{id} ({event}) is not sent to {name}: {reason}; once that is mended, alert-relay resend {id} sends it"
            )),
            Settled::Skipped { reason } => self.log.note(&format!("{id} ({event}) is not for {name}: {reason}")),
        }
        // Until it is kept that it was sent, it would be sent again.
        while let Err(error) = self.store.settle_notice(id, outgoing.attempt, settled.clone()).await {
            self.log.store_failed(&format!("what became of {id} cannot be kept yet"), &error);
            if self.is_stopping() {
                return;
            }
            tokio::time::sleep(KEEP_AGAIN).await;
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }
}
