//! What the bridge's engine does in a history: asks about a job, creates its session, and ends it, and holds each answer against
//! the plain account.

use super::*;

impl World {
    async fn ask(&mut self, claimed: &Claimed, is_at_create: bool) -> (Admission, Told) {
        let ask = Ask {
            job_id: claimed.job.id.clone(),
            epoch: claimed.epoch,
            bounds: Arc::new(self.bounds.clone()),
            kill_switch: None,
            holds: claimed.job.policy.holds,
            max_acu_limit: claimed.job.request.new.max_acu_limit,
            is_by_hand: claimed.job.is_by_hand(),
            is_at_create,
        };
        let admission = admission::admit(&mut self.work(), &ask).await.unwrap();
        let text = "SELECT gate, decision, reason FROM decisions WHERE job = $1 ORDER BY at DESC, LENGTH(id) DESC, id DESC LIMIT 1";
        let query = sqlx::query(text).bind(&claimed.job.id);
        let row = query.fetch_one(&mut self.connection).await.expect("each answer has a row");
        let (gate, decision): (Option<String>, String) = (row.try_get(0).unwrap(), row.try_get(1).unwrap());
        let word = |text: String| -> &'static str { text.leak() };
        let told: Told = (word(decision), gate.map(word));
        let tag = self.plain.job(&claimed.job.id).tag.clone();
        let when = if is_at_create { " at create" } else { "" };
        self.note(format!("{} {tag} {told:?}{when}", claimed.job.id));
        *self.answers.entry(format!("{} {}", told.0, told.1.unwrap_or("-"))).or_default() += 1;
        (admission, told)
    }

    pub async fn begin(&mut self, claimed: Claimed) {
        let (id, now) = (claimed.job.id.clone(), self.now);
        let (admission, told) = self.ask(&claimed, false).await;
        let has_place = self.plain.job(&id).placed.is_some();
        let expected = if has_place {
            self.plain.switched(&id, now).unwrap_or(("start", None))
        } else {
            self.plain.predict(&id, now, false)
        };
        assert_eq!(told, expected, "{}", self.told());
        match admission {
            Admission::Start { .. } => {
                if told.0 == "start" && !has_place {
                    self.plain.place(&id, now);
                }
                let mut save = save(&claimed, "me", Some(self.random.i64(0..5) * SECOND));
                save.job.phase = Phase::Finding { by: FindBy::Tag };
                save.news_until = heard(&claimed);
                queue::save(&mut self.work(), &save).await.unwrap();
            }
            Admission::Hold { wait, .. } => assert!(wait > 0, "{}", self.told()),
            Admission::Join { session, .. } => {
                let root = session.session_id.trim_start_matches("s-").to_string();
                let (rule, root_rule) = (self.plain.job(&id).rule.clone(), self.plain.job(&root).rule.clone());
                assert_eq!(rule, root_rule, "{}", self.told());
                self.settle(claimed, OutcomeKind::Attached, Some(root), 0.0).await;
            }
            Admission::Refuse { is_resolved, .. } => {
                assert_eq!(is_resolved, told.1 == Some("resolved"), "{}", self.told());
                self.settle(claimed, OutcomeKind::Refused, None, 0.0).await;
            }
            Admission::Lost => panic!("nobody else is there"),
        }
    }

    /// It has looked for sessions: one that ended lately holds it back, or else it is about to create its own.
    pub async fn create(&mut self, claimed: Claimed) {
        let (id, now) = (claimed.job.id.clone(), self.now);
        let (tag, rule) = (self.plain.job(&id).tag.clone(), self.plain.job(&id).rule.clone());
        let cooldown = claimed.job.policy.holds.cooldown.as_millis() as i64;
        let of_alert = self.plain.jobs.iter().filter(|job| job.tag == tag && job.id != id && job.created.is_some());
        let last = of_alert.filter_map(|job| Some((job.ended?, job.id.clone()))).max_by_key(|((at, _), _)| *at);
        let held = last.filter(|((at, kind), _)| {
            *kind == OutcomeKind::WaitingForUser || *kind == OutcomeKind::NoPr && now - at < cooldown
        });
        if let Some(((_, kind), session_of)) = held {
            self.settle(claimed, kind, Some(session_of), 0.0).await;
            return;
        }
        if !self.plain.is_firing(&tag) {
            self.settle(claimed, OutcomeKind::ResolvedBeforeStart, None, 0.0).await;
            return;
        }
        let has_place = self.plain.job(&id).placed.is_some();
        let (admission, told) = self.ask(&claimed, true).await;
        if !has_place {
            let expected = self.plain.predict(&id, now, true);
            assert_eq!(told, expected, "{rule}: {}", self.told());
        } else if let Some(expected) = self.plain.switched(&id, now) {
            assert_eq!(told, expected, "{rule}: {}", self.told());
        } else {
            let may_wait = told.0 == "hold" && told.1.is_some_and(|gate| gate == "quota" || LIMITS.contains(&gate));
            assert!(told.0 == "start" || may_wait, "{told:?} {}", self.told());
            // One that waits keeps the next place for itself.
            self.plain.job(&id).placed = Some(now);
        }
        match admission {
            Admission::Start { .. } => {
                if !has_place {
                    self.plain.place(&id, now);
                }
                let job = self.plain.job(&id).clone();
                assert_eq!(self.plain.full(&job, now, true), None, "a limit is broken: {}", self.told());
                if self.random.u8(..6) == 0 {
                    self.settle(claimed, OutcomeKind::CreateUnknown, None, 0.0).await;
                    return;
                }
                (self.plain.job(&id).created, self.plain.job(&id).session_of) = (Some(now), Some(id.clone()));
                let mut save = save(&claimed, "me", Some(self.random.i64(10..3000) * SECOND));
                save.job.phase = Phase::Creating { waits_until: None };
                save.news_until = heard(&claimed);
                save.progress.session_id = Some(format!("s-{id}"));
                queue::save(&mut self.work(), &save).await.unwrap();
            }
            Admission::Hold { wait, .. } => {
                let mut save = save(&claimed, "me", Some(wait));
                save.news_until = heard(&claimed);
                queue::save(&mut self.work(), &save).await.unwrap();
            }
            Admission::Refuse { .. } => self.settle(claimed, OutcomeKind::Refused, None, 0.0).await,
            Admission::Join { .. } | Admission::Lost => panic!("{}", self.told()),
        }
    }

    /// Its session is seen to have come to an end, or to wait for a person.
    pub async fn finish(&mut self, claimed: Claimed) {
        use OutcomeKind::{NoPr, PollTimeout, QuotaExceeded, SessionError, WaitingForUser};
        let kinds = [NoPr, NoPr, NoPr, PollTimeout, SessionError, QuotaExceeded, WaitingForUser];
        let kind = kinds[self.random.usize(..kinds.len())];
        let consumed = f64::from(self.random.u8(..5));
        let id = claimed.job.id.clone();
        let mut job = serde_json::to_value(&claimed.job).unwrap();
        job["made"] = serde_json::json!(["s"]);
        let job = serde_json::from_value(job).unwrap();
        let progress = Progress { acus_consumed: Some(consumed), ..claimed.progress };
        self.settle(Claimed { job, progress, ..claimed }, kind, Some(id), consumed).await;
    }

    async fn settle(&mut self, claimed: Claimed, kind: OutcomeKind, session_of: Option<String>, consumed: f64) {
        let (now, id) = (self.now, claimed.job.id.clone());
        self.note(format!("{id} ends as {kind:?}"));
        let job = self.plain.job(&id);
        job.ended = Some((now, kind));
        job.session_of.clone_from(&session_of);
        if job.created.is_none() {
            (job.placed, job.acus) = (None, 0.0);
        } else if !matches!(kind, OutcomeKind::PollTimeout | OutcomeKind::WaitingForUser) {
            (job.acus, job.has_worked) = (consumed, consumed > 0.0);
        }
        job.has_worked |= consumed > 0.0;
        let mut save = save(&claimed, "me", None);
        save.news_until = heard(&claimed);
        save.job.phase = Phase::Settled(End::Outcome(kind));
        save.progress.status = Some(kind.status().name().to_string());
        save.progress.result = serde_json::to_value(kind).unwrap().as_str().map(str::to_string);
        save.progress.session_id = session_of.map(|id| format!("s-{id}"));
        queue::save(&mut self.work(), &save).await.unwrap();
    }
}

/// Up to which of its news a job has heard them: all.
fn heard(claimed: &Claimed) -> i64 {
    claimed.news.last().map_or(0, |(seq, _)| *seq)
}
