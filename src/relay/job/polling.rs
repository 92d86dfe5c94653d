//! The requests of a watch until its session is settled: which one is due, and what follows from its answer. Pure.

use super::finding::MOST_MESSAGES;
use super::watching::{LONGEST_PAUSE, Task, asked_for, times};
use super::{Action, End, FindBy, Job, Millis, Observation, Phase, Query};
use crate::devin::session::{Session, bare};
use crate::devin::{Error, Kind};
use crate::relay::error_report::error_report;
use crate::relay::event::EventKind;
use crate::relay::names::{ENDED_TAG, told_tag};
use crate::relay::outcome::{Outcome, OutcomeKind, SessionPhase, session_phase};
use crate::relay::prior::prior;
use crate::relay::pull_request::{best, remember};

/// How often in a row a session must be missing before it is looked for in the list.
const POLLS_BEFORE_GONE: u32 = 3;

/// How old a session must be to be gone; where nobody knows its age, how long it must have been missing.
const AGE_BEFORE_GONE: Millis = 600_000;
const MISSING_BEFORE_GONE: Millis = 30_000;

/// How many polls in a row must be refused before that is believed.
const REFUSALS: u32 = 3;

/// How long after a message the next one comes, once a session has been sent many: it tells of all that have joined since.
const BETWEEN_MESSAGES: Millis = 600_000;

impl Job {
    /// The request that is under way, or the next one that is due, with what there is to say before.
    pub(super) fn watch_on(&mut self, now: Millis) -> Vec<Action> {
        let mut actions: Vec<Action> = self.follow_end_asked().into_iter().collect();
        self.follow_resolved();
        actions.extend(self.next_request(now));
        actions
    }

    fn next_request(&mut self, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let session_id = watching.session.session_id.clone();
        if watching.task == Task::Nothing {
            // A message wakes a session that has ended, and is lost on one that is archived.
            let is_open = session_phase(&watching.session) == SessionPhase::Working && !watching.session.is_archived;
            let paced = self.messaged_at.filter(|_| self.messages_sent >= MOST_MESSAGES);
            let is_soon = paced.is_some_and(|last| now < last + BETWEEN_MESSAGES);
            let is_put_off = self.patience.is_some() && (!is_open || is_soon);
            if watching.message_due && !is_put_off {
                watching.message_due = false;
                if is_open {
                    watching.task = Task::Messaging;
                    self.messages_sent += 1;
                    self.messaged_at = Some(now);
                }
            } else if watching.rival_finds.first().is_some_and(|due| *due <= now) {
                watching.rival_finds.remove(0);
                watching.task = Task::FindingRivals;
            }
        }
        let by = if self.by_title { FindBy::Title } else { FindBy::Tag };
        let Phase::Watching(watching) = &self.phase else { return Vec::new() };
        match &watching.task {
            Task::Nothing => {}
            Task::FindingRivals | Task::FindingSuccessor => return vec![Action::Find(self.query(by, now))],
            Task::FindingItself => return vec![Action::Find(Query::Id(bare(&session_id).to_string()))],
            Task::Confirming(confirming) => {
                let session_id = confirming.asks_for().map_or(session_id, |rival| rival.session_id.clone());
                return vec![Action::Poll { session_id }];
            }
            Task::Ending(ending) => return vec![ending.next(&session_id, now)],
            Task::NotingTold => return vec![Action::Tag { session_id, tag: told_tag(&self.request.firing) }],
            Task::TellingResolved => return vec![Job::tell_resolved(session_id)],
            Task::Messaging => {
                return vec![Action::Message { session_id, message: self.request.firing.message.clone() }];
            }
        }
        if let Some(outcome) = watching.ends_as.clone().filter(|_| watching.rival_finds.is_empty()) {
            return self.settle_watched(outcome, now);
        }
        if self.policy.detach && watching.rival_finds.is_empty() {
            let session_url = watching.session.url.clone();
            let is_over = !prior(&watching.session, &self.policy.holds, self.devin_s(now)).is_alive();
            return self.stop(End::Detached { session_id, session_url, is_over });
        }
        let is_leaving = self.policy.detach || watching.ends_as.is_some();
        if watching.next_poll <= now && !is_leaving {
            return vec![Action::Poll { session_id }];
        }
        let due = watching.rival_finds.first().copied().unwrap_or(Millis::MAX);
        vec![Action::WaitUntil(if is_leaving { due } else { due.min(watching.next_poll) })]
    }

    pub(super) fn on_watching(&mut self, observation: Observation, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        let session_id = watching.session.session_id.clone();
        match (&watching.task, observation) {
            (Task::Ending(_), Observation::StopAsked) => self.ending_stopped(now),
            (_, Observation::StopAsked) => self.stop(End::Stopped { session_id: Some(session_id) }),
            (_, Observation::AlertResolved) => self.on_resolved(now),
            (_, Observation::EndAsked(by)) => self.on_end_asked(by, now),
            (_, Observation::NewAlerts(firing)) => {
                self.fires_again();
                self.keep_prompted();
                self.hear_of(firing);
                self.watch_on(now)
            }
            (Task::FindingRivals, Observation::SessionsFound(found)) => self.on_rivals_found(found, now),
            (Task::FindingRivals, Observation::FindFailed(error)) => self.on_rivals_not_found(&error, now),
            (Task::FindingSuccessor, Observation::SessionsFound(found)) => self.on_successors_found(&found, now),
            (Task::FindingSuccessor, Observation::FindFailed(error)) => {
                watching.task = Task::Nothing;
                let note = format!("{error}; whether another session took its place is not known");
                self.note_and_go_on(note, now)
            }
            (Task::FindingItself, Observation::SessionsFound(found)) => {
                watching.task = Task::Nothing;
                match found.into_iter().find(|session| session.is_named(&session_id)) {
                    Some(listed) => {
                        watching.is_only_listed = true;
                        self.on_polled(listed, now)
                    }
                    None => {
                        let reason = if watching.polls >= self.policy.max_polls {
                            let polls = times(watching.polls);
                            format!(
                                "the last of {polls} did not find the session, and no list shows it: it was deleted, is not there yet, or this key may not see it"
                            )
                        } else {
                            "the session no longer exists, or this key may not see it".to_string()
                        };
                        self.settle_at_last(Outcome::new(OutcomeKind::SessionGone, reason), now)
                    }
                }
            }
            (Task::FindingItself, Observation::FindFailed(error)) => {
                watching.task = Task::Nothing;
                let note = format!("{error}; whether the session still exists is not known");
                if watching.polls >= self.policy.max_polls {
                    let reason = format!(
                        "the last of {} did not find the session, and a list could not be had: {note}",
                        times(watching.polls)
                    );
                    return self.settle_at_last(Outcome::new(OutcomeKind::PollTimeout, reason), now);
                }
                let mut actions = vec![Action::Report(EventKind::note(note))];
                actions.extend(self.settle_or_go_on(None, pause(&error), now));
                actions
            }
            (Task::Confirming(_), Observation::SessionPolled(session)) => self.on_confirmed(session, now),
            (Task::Confirming(_), Observation::PollFailed(error)) => self.on_not_confirmed(&error, now),
            (Task::Ending(_), observation) => self.on_ending(observation, now),
            (Task::Messaging, Observation::Messaged(sent)) => {
                watching.task = if sent.is_ok() { Task::NotingTold } else { Task::Nothing };
                if sent.is_ok() {
                    self.is_owing = false;
                    self.told.extend(self.request.firing.fingerprints.clone());
                }
                let reason = match &sent {
                    Ok(()) => "alerts have joined the group".to_string(),
                    Err(error) => {
                        let then = if self.is_owing { "; they get one of their own once it has ended" } else { "" };
                        format!("alerts have joined the group, and could not be told to its session: {error}{then}")
                    }
                };
                let event = EventKind::SessionMessaged { session_id, sent: sent.is_ok(), reason };
                let mut actions = vec![Action::Report(event)];
                actions.extend(self.watch_on(now));
                actions
            }
            (Task::TellingResolved, Observation::Messaged(sent)) => self.on_told_resolved(&sent, now),
            (Task::NotingTold, Observation::Tagged(tagged)) => {
                watching.task = Task::Nothing;
                match tagged {
                    Ok(()) => self.watch_on(now),
                    Err(error) => {
                        let warning = format!(
                            "{error}: what the session was told could not be noted in its tags, so the next run of this alert may tell it again"
                        );
                        let mut actions = vec![Action::Report(EventKind::warning(warning))];
                        actions.extend(self.watch_on(now));
                        actions
                    }
                }
            }
            (Task::Nothing, Observation::SessionPolled(session)) => {
                watching.polls += 1;
                watching.is_only_listed = false;
                self.on_polled(session, now)
            }
            (Task::Nothing, Observation::PollFailed(error)) => self.on_poll_failed(&error, now),
            _ => self.watch_on(now),
        }
    }

    /// The session was seen.
    pub(super) fn on_polled(&mut self, session: Session, now: Millis) -> Vec<Action> {
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        remember(&mut watching.seen, &session.pull_requests);
        if !watching.was_seen {
            // Before the first answer, Devin's clock may not have been known.
            watching.since = now;
        }
        let url = session.url.clone().or(watching.session.url.take());
        watching.session = Session { url, pull_requests: watching.seen.clone(), ..session };
        if watching.is_spared {
            watching.session.tags.retain(|tag| !tag.eq_ignore_ascii_case(ENDED_TAG));
        }
        (watching.was_seen, watching.is_current) = (true, true);
        (watching.refusals, watching.missing) = (0, 0);
        let session = &watching.session;
        let state = (session.status.clone(), session.status_detail.clone(), watching.seen.len());
        let mut actions = Vec::new();
        if watching.last_state.as_ref() != Some(&state) {
            let best = best(&watching.seen, &self.request.new.repos);
            actions.push(Action::Report(EventKind::SessionStatus {
                session_id: session.session_id.clone(),
                status: session.status.clone(),
                status_detail: session.status_detail.clone(),
                pr_url: best.map(|best| best.pr_url.clone()),
                pull_requests: watching.seen.clone(),
                acus_consumed: session.acus_consumed,
            }));
            watching.last_state = Some(state);
        }
        let settled = watching.judge(&self.policy, &self.request.new.repos, now);
        actions.extend(self.settle_or_go_on(settled, None, now));
        actions
    }

    fn on_poll_failed(&mut self, error: &Error, now: Millis) -> Vec<Action> {
        let devin_now = now + self.devin_ahead;
        let (deadline, is_made_here) = match &self.phase {
            Phase::Watching(watching) => (watching.deadline(&self.policy), self.has_made(&watching.session)),
            _ => return Vec::new(),
        };
        let Phase::Watching(watching) = &mut self.phase else { return Vec::new() };
        watching.is_current = false;
        match classify(&error.kind) {
            Failure::Missing => {
                watching.polls += 1;
                watching.missing += 1;
                let guess = if watching.last_state.is_some() { "have been deleted" } else { "not be there yet" };
                let note = format!("{error}; it may {guess}");
                let is_old = match watching.session.created_at {
                    // Its age needs no other clock.
                    _ if is_made_here => now - watching.since >= AGE_BEFORE_GONE,
                    Some(created_at) => devin_now - created_at * 1000 >= AGE_BEFORE_GONE,
                    None => watching.was_seen || now - watching.since >= MISSING_BEFORE_GONE,
                };
                let is_first = watching.missing == 1;
                if watching.missing >= POLLS_BEFORE_GONE && is_old {
                    watching.task = Task::FindingItself;
                    return self.watch_on(now);
                }
                let mut actions = Vec::new();
                if is_first {
                    actions.push(Action::Report(EventKind::note(note)));
                }
                actions.extend(self.settle_or_go_on(None, None, now));
                actions
            }
            Failure::Refused if watching.refusals + 1 >= REFUSALS => {
                let session_id = Some(watching.session.session_id.clone());
                self.phase = Phase::Settled(End::Failed { session_id });
                vec![Action::Report(EventKind::Error(error_report(error, self.audience())))]
            }
            failure => {
                watching.refusals = if failure == Failure::Refused { watching.refusals + 1 } else { 0 };
                let pause = pause(error);
                let is_cut = asked_for(error) > pause;
                let more = is_cut.then_some(", and the next one comes in five minutes");
                let note = format!("{error}; this poll does not count{}", more.unwrap_or_default());
                let unanswered = (now >= deadline).then(|| {
                    let reason = "the API did not answer often enough to tell how the session ended; it goes on";
                    Outcome::new(OutcomeKind::PollTimeout, reason)
                });
                let mut actions = vec![Action::Report(EventKind::note(note))];
                actions.extend(self.settle_or_go_on(unanswered, pause, now));
                actions
            }
        }
    }

    pub(super) fn note_and_go_on(&mut self, note: String, now: Millis) -> Vec<Action> {
        let mut actions = vec![Action::Report(EventKind::note(note))];
        actions.extend(self.watch_on(now));
        actions
    }
}

/// How long the next poll waits because an answer asks for it.
fn pause(error: &Error) -> Option<Millis> {
    asked_for(error).map(|asked| asked.min(LONGEST_PAUSE))
}

/// What a poll that failed says about the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Missing,
    /// Nothing about the next poll.
    Passing,
    /// The key, or the request, is not accepted: once may be an accident.
    Refused,
}

fn classify(kind: &Kind) -> Failure {
    match kind {
        Kind::Status(404 | 410) => Failure::Missing,
        Kind::WaitTooLong { .. } | Kind::TimeUp(_) | Kind::Status(409) => Failure::Passing,
        kind if kind.is_retryable() => Failure::Passing,
        _ => Failure::Refused,
    }
}
