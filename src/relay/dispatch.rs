//! One alert, one session: look for it, create it once, and never repeat a create whose answer is unclear.
//!
//! The API has no idempotency key. So every session carries a mark derived from the alert's dedupe key, as a tag and
//! in its title, and the mark is looked for before a create and after an unclear answer. Two hosts that race can still
//! both create; both then look once more, agree on the older session, and the younger one is terminated.

use std::time::Duration;

use super::outcome::{Standing, standing};
use crate::devin::session::{NewSession, Session};
use crate::devin::sessions::Creation;
use crate::devin::{Error, Kind};

/// How often a create that was answered with 429 is tried at most.
const MOST_RATE_LIMITED_TRIES: u32 = 5;

/// Times of creation are whole seconds: a look after ours has passed sees everybody who created in it, so that all of
/// them decide by the same list.
const A_SECOND_LATER: Duration = Duration::from_millis(1100);

/// The waits between looks after an unclear answer grow from this.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(2);

/// What a session is wanted for, and how hard to try.
#[derive(Debug, Clone)]
pub struct Order {
    /// The mark: a tag of the session, and part of its title.
    pub mark: String,
    pub new: NewSession,
    /// A session that ended so recently is reported instead of starting another.
    pub cooldown: Duration,
    /// Creates whatever is there already.
    pub new_attempt: bool,
    /// How long to look for a session whose create was answered unclearly.
    pub reconcile_window: Duration,
    /// Creates once more when such a look has found nothing.
    pub create_again: bool,
}

/// The API as a dispatch needs it; and the time.
#[expect(async_fn_in_trait, reason = "only this program implements it, on one thread")]
pub trait Api {
    /// Sessions found by tag.
    async fn find_by_tag(&self, tag: &str) -> Result<Vec<Session>, Error>;
    /// Sessions created within so long a time.
    async fn find_recent(&self, within: Duration) -> Result<Vec<Session>, Error>;
    /// `None` when asked to stop before anything was sent.
    async fn create(&self, new: &NewSession) -> Option<Creation>;
    /// Ends a session of ours, marked with [`ENDED_TAG`].
    async fn terminate(&self, session_id: &str) -> Result<(), Error>;
    /// Waits; `false` when asked to stop meanwhile.
    async fn wait(&self, time: Duration) -> bool;
    /// Unix seconds.
    fn now(&self) -> i64;
}

/// What has become of an order.
#[derive(Debug, Clone)]
pub enum Dispatched {
    /// This session was made for it.
    Created(Session),
    /// This session was there already, or was found after an unclear answer.
    Adopted(Session, Adoption),
    /// This session ended a short while ago; no other was started.
    Reported(Session),
    /// A session may have been created and cannot be found.
    Unknown(Error),
    /// Asked to stop before anything was created.
    Stopped,
}

/// What is told while it happens.
#[derive(Debug)]
pub enum Step<'a> {
    /// A session was made, whatever comes of it.
    Created(&'a Session),
    /// Something a person may want to know.
    Note(&'a str),
}

/// Why a session was adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// It was made for the same alert before, and is alive.
    Alive,
    /// Its create was answered unclearly, and it was found afterwards.
    Reconciled,
    /// Another run made it at the same time, a little earlier; ours was terminated, or could not be.
    Raced { ours: String, terminated: Result<(), String> },
}

/// Sees to it that there is one session for the order. `known` are the sessions that were found by its tag.
///
/// # Errors
/// A definite refusal, or a look that failed before anything was created: nothing has been created.
pub async fn dispatch(
    api: &impl Api,
    order: &Order,
    known: Vec<Session>,
    tell: impl Fn(Step),
) -> Result<Dispatched, Error> {
    let note = |text: &str| tell(Step::Note(text));
    let mut order = order.clone();
    let mut known = marked(known, &order.mark);
    if let Some(there) = already(&order, &known, api.now()) {
        return Ok(there);
    }
    let mut limited = 0;
    // Once an answer has been unclear, nothing that follows makes it certain that there is no session.
    let mut unclear: Option<Error> = None;
    loop {
        let Some(creation) = api.create(&order.new).await else {
            return Ok(unclear.map_or(Dispatched::Stopped, Dispatched::Unknown));
        };
        match creation {
            Creation::Refused(error) | Creation::RateLimited(error, _) if unclear.is_some() => {
                note(&format!("{error}; the create before it was answered unclearly"));
                return Ok(Dispatched::Unknown(unclear.unwrap_or(error)));
            }
            Creation::Created(session) => {
                tell(Step::Created(&session));
                return Ok(after_create(api, &order, &known, session, note).await);
            }
            Creation::RateLimited(error, wait) => {
                limited += 1;
                if limited >= MOST_RATE_LIMITED_TRIES {
                    return Err(error);
                }
                let own = FIRST_LOOK_AFTER * 2u32.pow(limited);
                let wait = wait.filter(|wait| !wait.is_zero()).unwrap_or(own).min(Duration::from_secs(300));
                note(&format!("{error}; nothing was created, trying again in {} s", wait.as_secs()));
                if !api.wait(wait).await {
                    return Ok(Dispatched::Stopped);
                }
                // Another run may have been let through meanwhile.
                known = look(api, &order).await?;
                if let Some(there) = already(&order, &known, api.now()) {
                    return Ok(there);
                }
            }
            Creation::Refused(error) if (1..=OWN_TAGS).contains(&order.new.tags.len()) && is_about_tags(&error) => {
                note("this organisation restricts tags, so the session is marked in its title only");
                order.new.tags.clear();
                known.extend(look(api, &order).await?);
                if let Some(there) = already(&order, &known, api.now()) {
                    return Ok(there);
                }
            }
            Creation::Refused(error) => return Err(error),
            Creation::Unclear(error) => {
                note(&format!("{error}; a session may have been created, looking for it"));
                if let Some((session, others)) = reconcile(api, &order, &known).await {
                    for other in others {
                        note(&format!("warning: session {} is for the same alert too, and younger", other.session_id));
                    }
                    return Ok(Dispatched::Adopted(session, Adoption::Reconciled));
                }
                if !order.create_again {
                    return Ok(Dispatched::Unknown(error));
                }
                note("no session was found; creating once more, as --create-again allows");
                order.create_again = false;
                unclear = Some(error);
            }
        }
    }
}

/// The relay's own tags on a session: its name and the mark. Further ones are the user's, and theirs to mend.
const OWN_TAGS: usize = 2;

/// Where a session can only be found by its title, how far back sessions are looked through.
const TITLES_WITHIN: Duration = Duration::from_secs(30 * 86_400);

/// The tag of a session that the relay itself has ended: its end says nothing about the alert.
pub const ENDED_TAG: &str = "ar-ended";

/// What is to be done with the sessions that carry the mark; `None` when one is to be created.
///
/// One at work is adopted, the oldest. Else one that ended within the cool-down is reported: what has a result before
/// what has none, and then the newest. Else one that waits for a person is adopted. One that ended by quota or error is
/// left alone, so that people can top up and run the same alert again.
fn already(order: &Order, known: &[Session], now: i64) -> Option<Dispatched> {
    if order.new_attempt {
        return None;
    }
    let adopt = |session: &Session| Dispatched::Adopted(session.clone(), Adoption::Alive);
    let has_result = |session: &Session| !session.pull_requests.is_empty() || session.structured_output.is_some();
    let has_tag = |session: &Session, name: &str| session.tags.iter().any(|tag| tag == name);
    // What the relay has ended itself says nothing. Where tags are restricted, an exit without a result may be such an end.
    let may_be_untagged =
        |session: &Session| session.status == "exit" && !has_tag(session, &order.mark) && !has_result(session);
    let is_ended_by_us = |session: &Session| match standing(session) {
        Standing::Active | Standing::WaitingForUser | Standing::WaitingForApproval => false,
        _ => has_tag(session, ENDED_TAG) || may_be_untagged(session),
    };
    let known = || known.iter().filter(|session| !is_ended_by_us(session));
    if let Some(session) = known().filter(|session| standing(session) == Standing::Active).min_by_key(|s| age(s)) {
        return Some(adopt(session));
    }
    let since = now.saturating_sub(i64::try_from(order.cooldown.as_secs()).unwrap_or(i64::MAX));
    let ended_lately = |session: &&Session| {
        let has_ended = match standing(session) {
            Standing::Finished | Standing::Suspended => true,
            Standing::WaitingForUser => has_result(session),
            Standing::Active | Standing::WaitingForApproval | Standing::QuotaExceeded | Standing::Failed => false,
        };
        has_ended && session.updated_at.or(session.created_at).is_none_or(|touched| touched >= since)
    };
    if let Some(session) = known().filter(ended_lately).max_by_key(|session| (has_result(session), age(session))) {
        return Some(Dispatched::Reported(session.clone()));
    }
    let waits = |session: &&Session| match standing(session) {
        Standing::WaitingForApproval => true,
        Standing::WaitingForUser => !has_result(session),
        _ => false,
    };
    known().filter(waits).max_by_key(|session| age(session)).map(adopt)
}

/// Looks once more after a create: where another run made an older session for the same alert, that one is watched
/// and ours is terminated. Every run sees the same two in the list and decides the same; where the list does not show
/// ours, or not when it was made, nothing is terminated.
async fn after_create(
    api: &impl Api,
    order: &Order,
    known: &[Session],
    ours: Session,
    note: impl Fn(&str),
) -> Dispatched {
    if order.new_attempt {
        return Dispatched::Created(ours);
    }
    api.wait(A_SECOND_LATER).await;
    let found = match look(api, order).await {
        Ok(found) => new_ones(found, known),
        Err(error) => {
            note(&format!("{error}; whether another run made a session for this alert is not known"));
            return Dispatched::Created(ours);
        }
    };
    let is_ours = |session: &&Session| session.bare_id() == ours.bare_id();
    let Some(our_age) = found.iter().find(is_ours).filter(|ours| ours.created_at.is_some()).map(age) else {
        return Dispatched::Created(ours);
    };
    let is_older = |session: &&Session| !is_ours(session) && session.created_at.is_some() && age(session) < our_age;
    let Some(older) = found.iter().filter(is_older).min_by_key(|session| age(session)).cloned() else {
        return Dispatched::Created(ours);
    };
    let terminated = api.terminate(&ours.session_id).await.map_err(|error| error.to_string());
    Dispatched::Adopted(older, Adoption::Raced { ours: ours.session_id, terminated })
}

/// Looks for a session that an unclear create may have made, several times over the window: the oldest, and the others.
async fn reconcile(api: &impl Api, order: &Order, known: &[Session]) -> Option<(Session, Vec<Session>)> {
    let mut waited = Duration::ZERO;
    let mut wait = FIRST_LOOK_AFTER;
    loop {
        // A look that fails finds nothing; the next one may.
        let found = look(api, order).await.unwrap_or_default();
        let mut found = new_ones(found, known);
        found.sort_by_key(age);
        if !found.is_empty() {
            let others = found.split_off(1);
            return found.pop().map(|oldest| (oldest, others));
        }
        if waited >= order.reconcile_window {
            return None;
        }
        let next = wait.min(order.reconcile_window - waited);
        // Asked to stop, it looks one last time.
        waited = if api.wait(next).await { waited + next } else { order.reconcile_window };
        wait *= 2;
    }
}

/// The sessions that carry the mark: by tag, or by title where the organisation allows no tag of ours.
async fn look(api: &impl Api, order: &Order) -> Result<Vec<Session>, Error> {
    let found = if order.new.tags.is_empty() {
        api.find_recent(TITLES_WITHIN).await?
    } else {
        api.find_by_tag(&order.mark).await?
    };
    Ok(marked(found, &order.mark))
}

/// Only what carries the mark: the API ignores filters that it does not know.
///
/// A title has it at its beginning. Further on stands what strangers wrote, who may know the marks of other alerts.
fn marked(sessions: Vec<Session>, mark: &str) -> Vec<Session> {
    let beginning = format!("[{mark}]");
    let in_title = |session: &Session| session.title.as_deref().is_some_and(|title| title.starts_with(&beginning));
    sessions.into_iter().filter(|session| session.tags.iter().any(|tag| tag == mark) || in_title(session)).collect()
}

/// What was not there before our create.
fn new_ones(found: Vec<Session>, known: &[Session]) -> Vec<Session> {
    found.into_iter().filter(|session| !known.iter().any(|old| old.bare_id() == session.bare_id())).collect()
}

/// Older is smaller; within one second the identifier decides, the same way for everybody.
fn age(session: &Session) -> (i64, String) {
    (session.created_at.unwrap_or(i64::MAX), session.bare_id().to_string())
}

/// Whether a refusal is the organisation's word on which tags a session may carry.
fn is_about_tags(error: &Error) -> bool {
    let says = |said: &str| {
        said.split(|c: char| !c.is_alphanumeric()).any(|word| ["tag", "tags"].contains(&&*word.to_lowercase()))
    };
    matches!(error.kind, Kind::Status(400 | 403 | 422)) && error.explanation.as_deref().is_some_and(says)
}

#[cfg(test)]
mod tests;
