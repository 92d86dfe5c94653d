//! The rules in force, which a reload replaces while deliveries come in: each takes those that it began with to its end.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, Notify};

use super::rules::Rules;
use redact::Redactor;

/// What a delivery is read by.
pub struct Served {
    pub rules: Rules,
    /// Knows the keys, and the secrets of these rules and of those before them.
    pub redactor: Redactor,
}

/// Where rules come from when they are to be read again.
pub struct Source {
    /// Reads and checks them.
    ///
    /// # Errors
    /// Why they cannot take the place of those in force, one sentence each.
    pub load: Box<dyn Fn() -> Result<Rules, Vec<String>> + Send + Sync>,
    /// Told when somebody asks for it.
    pub asked: Arc<Notify>,
}

/// The rules in force.
pub struct Live {
    served: RwLock<Arc<Served>>,
    /// `None` where there is no file.
    source: Option<Arc<Source>>,
    /// Held while rules are read again: of two requests the later one wins.
    reloading: Mutex<()>,
}

impl Live {
    pub fn new(rules: Rules, redactor: Redactor, source: Option<Source>) -> Live {
        let served = RwLock::new(Arc::new(Served { rules, redactor }));
        Live { served, source: source.map(Arc::new), reloading: Mutex::default() }
    }

    /// The rules as they are now.
    pub fn now(&self) -> Arc<Served> {
        Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until somebody asks for the rules to be read again.
    pub async fn asked(&self) {
        match &self.source {
            Some(source) => source.asked.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Reads the rules again, and puts them in force; answers with them.
    ///
    /// # Errors
    /// Why those that were in force still are, one sentence each.
    pub async fn reload(&self) -> Result<Arc<Served>, Vec<String>> {
        let Some(source) = &self.source else {
            return Err(vec!["there is no rules file to read again: --rules names one at the start".to_string()]);
        };
        let _alone = self.reloading.lock().await;
        let source = Arc::clone(source);
        // Files may be slow.
        let loaded = tokio::task::spawn_blocking(move || (source.load)()).await;
        let rules = loaded.map_err(|error| vec![format!("the rules could not be read: {error}")])??;
        let mut redactor = self.now().redactor.clone();
        rules.tell(&mut redactor);
        let served = Arc::new(Served { rules, redactor });
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&served);
        Ok(served)
    }
}
