//! Plays what a bridge does: takes deliveries in, asks the gates, and lets sessions work as long as the record says, by the clock
//! of a ledger in memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::counting::Counts;
use super::devin::{Answer, Ending, answer, driven, stand_in, told};
use super::record::Record;
use crate::relay::job::{End, Observation, Phase};
use crate::relay::outcome::OutcomeKind;
use crate::relay::serve::reading::{Unreadable, read};
use crate::relay::serve::rules::{Route, Rules};
use crate::relay::serve::store::{
    Admission, Archive, Ask, Claimed, KeptDelivery, Ledger, NewDelivery, News, OWNER, Origin, Progress, Save,
    StoreError, Taken, Verdict,
};
use redact::Redactor;

/// A job that waits for nothing that the store knows of.
pub const NEVER: i64 = i64::MAX / 2;

/// Plays what a bridge does.
pub struct Player<'a> {
    rules: &'a Rules,
    redactor: &'a Redactor,
    pub record: Record,
    pub ledger: Ledger,
    until: i64,
    /// Jobs that were asked about.
    jobs: HashMap<String, Playing>,
    /// Deliveries whose bodies are kept, by route and hash: duplicates have no body of their own.
    bodies: HashMap<(String, Vec<u8>), String>,
    pub counts: Counts,
    drawn: std::cell::Cell<u64>,
    integrations: Vec<String>,
}

/// A job that is played.
#[derive(Debug, Clone)]
struct Playing {
    origin: Origin,
    /// The bridge's own job for the same alert of the same delivery, by its place in the record.
    twin: Option<usize>,
    /// When its session ends, and how.
    ends: Option<(i64, Ending)>,
}

impl<'a> Player<'a> {
    /// A player in an empty ledger, up to a moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn new(
        rules: &'a Rules,
        redactor: &'a Redactor,
        record: Record,
        until: i64,
    ) -> Result<Player<'a>, StoreError> {
        let mut integrations: Vec<String> = rules.rules.iter().map(|rule| rule.integration.clone()).collect();
        integrations.sort_unstable();
        integrations.dedup();
        Ok(Player {
            rules,
            redactor,
            record,
            ledger: Ledger::new().await?,
            until,
            jobs: HashMap::new(),
            bodies: HashMap::new(),
            counts: Counts::default(),
            drawn: std::cell::Cell::new(0),
            integrations,
        })
    }

    /// The body of a delivery, or of the one that it repeats.
    ///
    /// # Errors
    /// The database's.
    pub async fn body(&mut self, archive: &mut Archive, kept: &KeptDelivery) -> Result<Option<Vec<u8>>, StoreError> {
        let place = (kept.route.clone(), kept.body_hash.clone());
        if kept.has_body {
            self.bodies.insert(place, kept.id.clone());
            return archive.body(&kept.id).await;
        }
        match self.bodies.get(&place) {
            Some(same) => archive.body(same).await,
            None => Ok(None),
        }
    }

    /// Takes in a delivery as the bridge would.
    ///
    /// # Errors
    /// The database's.
    pub async fn deliver(
        &mut self,
        kept: &KeptDelivery,
        body: Option<Vec<u8>>,
        is_counted: bool,
    ) -> Result<(), StoreError> {
        let Some(body) = body else {
            self.counts.without_body += usize::from(is_counted);
            return Ok(());
        };
        let Some(route) = self.rules.routes.iter().find(|route| route.name == kept.route) else {
            if is_counted {
                match self.counts.without_route.iter_mut().find(|(name, _)| *name == kept.route) {
                    Some((_, count)) => *count += 1,
                    None => self.counts.without_route.push((kept.route.clone(), 1)),
                }
            }
            return Ok(());
        };
        let Some(delivery) = self.again(route, kept, body) else {
            self.counts.unreadable += usize::from(is_counted);
            return Ok(());
        };
        let is_lost = matches!(delivery.verdict, Verdict::Unrecognized(_)) && kept.verdict == "alerts";
        self.counts.unreadable += usize::from(is_counted && is_lost);
        self.ledger.now = kept.received_at;
        let Some(receipt) = self.ledger.accept(&delivery).await? else { return Ok(()) };
        for taken in receipt.taken {
            if let Taken::Started { job_id } = taken {
                self.meet(&job_id).await?;
            }
        }
        Ok(())
    }

    /// The delivery as it would be read now. The identifier that its sender gave may have stood in a header.
    fn again(&self, route: &Route, kept: &KeptDelivery, body: Vec<u8>) -> Option<NewDelivery> {
        let draw = || {
            self.drawn.set(self.drawn.get() + 1);
            format!("{:08x}", self.drawn.get())
        };
        let read = match read(self.rules, route, body, &[], self.redactor, &draw) {
            Ok(read) => read,
            Err(Unreadable::TooLarge(_) | Unreadable::NotJson(_)) => return None,
        };
        let sender_id = kept.sender_id.clone().or(read.delivery.sender_id);
        Some(NewDelivery { id: kept.id.clone(), sender_id, body: Vec::new(), ..read.delivery })
    }

    /// A job was made: it is asked about when the bridge asked about its own.
    async fn meet(&mut self, job_id: &str) -> Result<(), StoreError> {
        let origin = self.ledger.origin(job_id).await?;
        let twin = self.record.twin(&origin);
        if let Some(twin) = twin {
            let asked_at = self.record.jobs[twin].decisions.first().map_or(NEVER, |first| first.at);
            self.ledger.put_off(job_id, asked_at.max(self.ledger.now)).await?;
        }
        self.jobs.insert(job_id.to_string(), Playing { origin, twin, ends: None });
        Ok(())
    }

    /// Does all that is due up to a moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn advance(&mut self, until: i64) -> Result<(), StoreError> {
        let until = until.min(self.until);
        loop {
            let due = self.ledger.next_due().await?.unwrap_or(NEVER);
            let thrown = self.record.switched.front().map_or(NEVER, |one| one.at);
            let next = due.min(thrown);
            if next > until {
                return Ok(());
            }
            self.ledger.now = next.max(self.ledger.now);
            if thrown <= due
                && let Some(one) = self.record.switched.pop_front()
            {
                self.ledger.throw(&one.switch, one.is_on).await?;
                continue;
            }
            let mut claimed = Vec::new();
            for integration in self.integrations.clone() {
                claimed.extend(self.ledger.claim(&integration).await?);
            }
            if claimed.is_empty() {
                return Ok(());
            }
            for one in &claimed {
                if !self.jobs.contains_key(&one.job.id) {
                    self.meet(&one.job.id).await?;
                }
            }
            // What is left to chance goes as it went.
            claimed.sort_by_cached_key(|one| (self.turn(one), one.job.id.clone()));
            for one in claimed {
                self.work(one).await?;
            }
        }
    }

    /// When the bridge asked about its own job: first, and last.
    fn turn(&self, claimed: &Claimed) -> (i64, i64) {
        let twin = self.jobs.get(&claimed.job.id).and_then(|playing| playing.twin);
        let decisions = twin.map(|twin| &self.record.jobs[twin].decisions);
        let first = decisions.and_then(|all| all.first()).map_or(NEVER, |one| one.at);
        let last = decisions.and_then(|all| all.last()).map_or(NEVER, |one| one.at);
        (first, last)
    }

    /// Takes a job as far as it goes without waiting.
    async fn work(&mut self, claimed: Claimed) -> Result<(), StoreError> {
        let Some(playing) = self.jobs.get(&claimed.job.id).cloned() else { return Ok(()) };
        if let Some((at, ending)) = playing.ends.clone() {
            return self.go_on(claimed, at, &ending).await;
        }
        if claimed.job.phase == Phase::Received {
            match self.ledger.admit(&self.ask(&claimed, false)).await? {
                Admission::Start { .. } => {}
                Admission::Hold { .. } | Admission::Lost => return Ok(()),
                other => return self.turn_away(claimed, other).await,
            }
        }
        let twin = playing.twin.map(|twin| &self.record.jobs[twin]);
        let earlier = self.ledger.archive().jobs(Some(&playing.origin.alert)).await?;
        let before = claimed.job.clone();
        let job = match answer(twin, &self.record.jobs, &earlier, &claimed.job, self.ledger.now) {
            Answer::Ends(ending) => return self.end(claimed, &ending).await,
            Answer::Adopts(job, ending) => return self.watch(Claimed { job: *job, ..claimed }, &playing, ending).await,
            Answer::Creates(job) => *job,
        };
        match self.ledger.admit(&self.ask(&claimed, true)).await? {
            Admission::Start { .. } => {
                let ending = Ending::of(twin, &claimed.job.id);
                let session = stand_in(&ending, &claimed.job, self.ledger.now);
                let (job, _) = driven(job, Observation::Created(session), &[], self.ledger.now);
                if twin.is_none_or(|twin| twin.started_at.is_none()) {
                    self.counts.assumed += 1;
                }
                self.watch(Claimed { job, ..claimed }, &playing, ending).await
            }
            Admission::Hold { wait, .. } => {
                let job = job.before_create(before);
                self.save(Claimed { job, ..claimed }, Some(wait), None).await
            }
            Admission::Lost => Ok(()),
            other => self.turn_away(claimed, other).await,
        }
    }

    /// A session works from now on.
    async fn watch(&mut self, claimed: Claimed, playing: &Playing, ending: Ending) -> Result<(), StoreError> {
        let now = self.ledger.now;
        let twin = playing.twin.map(|twin| &self.record.jobs[twin]);
        let ends_at = Ending::at(twin, now, self.record.typical_ms).unwrap_or(NEVER);
        if let Some(playing) = self.jobs.get_mut(&claimed.job.id) {
            playing.ends = Some((ends_at, ending.clone()));
        }
        let progress = Progress { status: None, result: None, ..ending.progress.clone() };
        let claimed = Claimed { progress, ..claimed };
        self.save(claimed, Some(ends_at - now), None).await
    }

    /// A job whose session works is due: that is over, or there are news.
    async fn go_on(&mut self, claimed: Claimed, ends_at: i64, ending: &Ending) -> Result<(), StoreError> {
        if self.ledger.now >= ends_at {
            return self.end(claimed, ending).await;
        }
        let mut job = claimed.job.clone();
        for (_, news) in &claimed.news {
            let observation = match news {
                News::Firing(firing) => Observation::NewAlerts(firing.clone()),
                News::Resolved => Observation::AlertResolved,
                News::EndAsked(by) => Observation::EndAsked(by.clone()),
            };
            job = told(job, observation, self.ledger.now, ends_at);
        }
        let heard = claimed.news.last().map(|(seq, _)| *seq);
        match job.end() {
            None => {
                let wait = Some(ends_at - self.ledger.now);
                self.save(Claimed { job, ..claimed }, wait, heard).await
            }
            // Because the alert is resolved, its session is ended.
            Some(End::Outcome(kind)) => {
                let session = claimed.progress.clone();
                let Progress { status, result, reason, .. } = Ending::by(*kind, "").progress;
                let progress = Progress { status, result, reason, ..session };
                self.save(Claimed { job, progress, ..claimed }, None, heard).await
            }
            Some(_) => self.save(Claimed { job, ..claimed }, None, heard).await,
        }
    }

    /// A gate has ended it.
    async fn turn_away(&mut self, claimed: Claimed, admission: Admission) -> Result<(), StoreError> {
        let (kind, reason, session) = match admission {
            Admission::Refuse { is_resolved: true, reason, .. } => (OutcomeKind::ResolvedBeforeStart, reason, None),
            Admission::Refuse { reason, .. } => (OutcomeKind::Refused, reason, None),
            Admission::Join { session, reason } => (OutcomeKind::Attached, reason, Some(session)),
            Admission::Start { .. } | Admission::Hold { .. } | Admission::Lost => return Ok(()),
        };
        let mut ending = Ending::by(kind, &reason);
        if let Some(session) = session {
            ending.progress.session_id = Some(session.session_id);
            ending.progress.session_url = session.session_url;
        }
        self.end(claimed, &ending).await
    }

    async fn end(&mut self, claimed: Claimed, ending: &Ending) -> Result<(), StoreError> {
        let end = ending.kind.map_or(End::Failed { session_id: None }, End::Outcome);
        let mut job = claimed.job;
        job.phase = Phase::Settled(end);
        let heard = claimed.news.last().map(|(seq, _)| *seq);
        let progress = ending.progress.clone();
        self.ledger
            .save(&Save {
                job,
                epoch: claimed.epoch,
                owner: OWNER.to_string(),
                progress,
                events: Vec::new(),
                news_until: heard.unwrap_or_default(),
                due_in: None,
            })
            .await
    }

    async fn save(&mut self, claimed: Claimed, due_in: Option<i64>, heard: Option<i64>) -> Result<(), StoreError> {
        let Claimed { job, epoch, progress, .. } = claimed;
        let news_until = heard.unwrap_or_default();
        self.ledger
            .save(&Save { job, epoch, owner: OWNER.to_string(), progress, events: Vec::new(), news_until, due_in })
            .await
    }

    fn ask(&self, claimed: &Claimed, is_at_create: bool) -> Ask {
        Ask {
            job_id: claimed.job.id.clone(),
            epoch: claimed.epoch,
            bounds: Arc::new(self.rules.bounds.clone()),
            kill_switch: None,
            holds: claimed.job.policy.holds,
            max_acu_limit: claimed.job.request.new.max_acu_limit,
            is_at_create,
            is_by_hand: claimed.job.is_by_hand(),
        }
    }
}
