//! `tail`: what happens, as it happens, until somebody asks to stop.

use std::time::Duration;

use serde_json::Value;

use super::{Nothing, Shell};
use crate::cli::{Exit, SUCCESS};
use crate::relay::event::EventKind;
use crate::relay::remote::news::{News, Told, in_order, in_words};
use crate::relay::remote::{RemoteError, encoded};
use crate::stop::Signals;

/// How long after an answer the bridge is asked again.
const INTERVAL: Duration = Duration::from_secs(2);

impl Shell {
    pub(super) async fn tail(&self) -> Result<Exit, Nothing> {
        let mut signals = Signals::listen_with_hang_up();
        tokio::select! {
            ended = self.follow() => ended,
            signal = signals.next() => Ok(Exit::Signal(signal)),
            () = self.output.stopped() => Ok(SUCCESS),
        }
    }

    /// Goes on for ever: a bridge that cannot be reached for a while is said once.
    async fn follow(&self) -> Result<Exit, Nothing> {
        let newest = self.bridge.get("/api/v1/decisions?limit=1").await?;
        let newest = newest["decisions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let before = self.decisions(&News::begin(newest, &[])).await?;
        let mut news = News::begin(&before, &self.active().await?);
        self.shown.tell(EventKind::note(format!("following {}", self.bridge.address())), None);
        let mut is_lost = false;
        loop {
            match self.tell_new(&mut news).await {
                Ok(()) if is_lost => {
                    is_lost = false;
                    self.shown.tell(EventKind::note("the bridge answers again"), None);
                }
                // Nobody's patience makes another token of this one.
                Err(error) if matches!(error.status, Some(401 | 403)) => return Err(error.into()),
                Err(error) if !is_lost => {
                    is_lost = true;
                    let message = format!("{} It is asked again every {} s.", error.report.message, INTERVAL.as_secs());
                    self.shown.tell(EventKind::warning(message), None);
                }
                _ => {}
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Prints what is new, in order; where the bridge goes away meanwhile, what was heard till then.
    async fn tell_new(&self, news: &mut News) -> Result<(), RemoteError> {
        let mut told = Vec::new();
        let heard = self.hear(news, &mut told).await;
        in_order(told).iter().for_each(|line| self.print(&[in_words(line)], line));
        heard
    }

    async fn hear(&self, news: &mut News, told: &mut Vec<Told>) -> Result<(), RemoteError> {
        let decisions = self.decisions(news).await?;
        told.extend(news.decisions(&decisions));
        let active = self.active().await?;
        told.extend(news.active(&active));
        for id in news.missing(&active) {
            match self.bridge.get(&format!("/api/v1/jobs/{}", encoded(&id))).await {
                Ok(job) => told.extend(news.looked_at(&job)),
                Err(error) if error.status == Some(404) => news.forget(&id),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The decisions since the newest one that is known, and shortly before it.
    async fn decisions(&self, news: &News) -> Result<Vec<Value>, RemoteError> {
        let since = news.since().map(|since| ("since", since.to_string()));
        self.bridge.list("decisions", since.as_slice()).await
    }

    /// The jobs that have not ended.
    async fn active(&self) -> Result<Vec<Value>, RemoteError> {
        let mut jobs = Vec::new();
        for status in ["waiting", "on_it"] {
            jobs.extend(self.bridge.list("jobs", &[("responder", status.to_string())]).await?);
        }
        Ok(jobs)
    }
}
