//! What holds in every history, by what is so in the world and not by what a run believes:
//!
//! - never two live sessions for one alert, unless lists hid one for longer than rivals are looked for, or the run that made
//!   one came to no find; every later run then takes the oldest and names the others with their URLs;
//! - never a live session ended in favor of one that was not seen alive just before;
//! - never an outcome of a session that is not the alert's;
//! - never an alert that ends with neither a session nor a stated reason;
//! - never an alert that fires and is left with a session that had been ended before it was adopted.

use super::running::{Find, Running};
use super::runs::{job, policy};
use super::world::{Kept, World};
use crate::devin::session::Session;
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::job::{Action, End, Millis, Phase};
use crate::relay::names::{ENDED_TAG, has_tag};
use crate::relay::outcome::{OutcomeKind, SessionPhase, session_phase};
use crate::relay::prior::{PriorSession, age, prior};

/// Rivals are looked for so long after a create; a list that hides a session longer is beyond the promise.
const BOUND: Millis = 60_000;

/// What a poll and the requests after it may take.
const SLACK: Millis = 25_000;

/// Whether an event names a session that goes on, with its URL.
pub fn names(event: &EventKind, id: &str) -> bool {
    matches!(event, EventKind::SessionDuplicate { session_id, session_url: Some(_), terminated: false, .. }
        if session_id == id)
}

/// The state of the world's sessions that are alive for the alert, the oldest first.
fn alive(world: &World) -> Vec<Kept> {
    let state = world.state();
    let is_alive = |kept: &&Kept| {
        kept.is_of_alert
            && state.now < kept.gone_from
            // It may be shown at work for a while yet.
            && kept.ended_at.is_none()
            && prior(&kept.session, &policy().holds, state.now / 1000).is_alive()
    };
    let mut alive: Vec<Kept> = state.all.iter().filter(is_alive).cloned().collect();
    alive.sort_by_key(|kept| age(&kept.session));
    alive
}

/// What tells it as the alert's.
fn has_alerts_tag(session: &Session) -> bool {
    session.tags.iter().any(|tag| tag == job(1, policy()).marker())
}

/// Whether no filter and no title shows whose it is.
fn is_lost(session: &Session) -> bool {
    is_nameless(session) || !has_alerts_tag(session) && session.title.is_none()
}

fn is_nameless(session: &Session) -> bool {
    let marker = job(1, policy()).marker().to_string();
    !has_tag(session, &marker) && !session.title.as_ref().is_some_and(|title| title.contains(&marker))
}

/// All that holds once every run has ended.
pub fn check_all(world: &World, runs: &[Running]) -> Result<(), String> {
    for run in runs {
        check_end(run, world)?;
        check_not_left(run, world)?;
    }
    let alive = alive(world);
    for (place, younger) in alive.iter().enumerate() {
        for older in &alive[..place] {
            if let Some(maker) = runs.iter().find(|run| run.made.contains(&younger.session.session_id)) {
                check_pair(maker, older, younger).map_err(|why| {
                    let (older, younger) = (&older.session.session_id, &younger.session.session_id);
                    format!("{older} and {younger} are alive, though {why}: {maker}")
                })?;
            }
        }
    }
    Ok(())
}

/// When a run that has ended last looked at its session, or a second before it ended if that was earlier.
fn last_look(run: &Running, session: &str) -> Millis {
    let polls = run.polled.iter().filter(|(_, id, _)| id == session).map(|(at, ..)| *at);
    polls.max().unwrap_or(Millis::MAX).min(run.ended_at() - 1_000)
}

/// Two live sessions, the younger of which `maker` made: why that may be.
fn check_pair(maker: &Running, older: &Kept, younger: &Kept) -> Result<(), String> {
    let (old, young) = (&older.session.session_id, &younger.session.session_id);
    let was_cut = maker.died_at.is_some() || maker.stopped_at.is_some();
    if is_lost(&older.session) || is_lost(&younger.session) {
        let is_said = maker.has_said(|event| match event {
            EventKind::Warning { message } => message.contains("kept neither the tags"),
            _ => false,
        });
        let is_said = is_said || was_cut || !maker.job.made().contains(young) || !is_lost(&younger.session);
        return if is_said { Ok(()) } else { Err("it has no name, which is not said".to_string()) };
    }
    if !maker.job.made().contains(young) {
        // An unclear create: every find for it came while lists hid it.
        // A process that died may not have heard the last answer.
        let heard = maker.finds.len() - usize::from(was_cut && !maker.finds.is_empty());
        let was_hidden = maker.finds[..heard]
            .iter()
            .filter(|find| find.phase == "reconciling" && find.at >= younger.listed_from)
            .all(|find| !find.shown.contains(young) && !find.listed.contains(young));
        let is_unknown = maker.has_said(|event| match event {
            EventKind::Outcome(outcome) => outcome.result == OutcomeKind::CreateUnknown,
            EventKind::Warning { message } => message.contains("a session may have been created"),
            _ => false,
        });
        // Another one of its attempt is watched, and rivals were looked for after that.
        let has_another = !maker.job.made().is_empty();
        return match (was_hidden, is_unknown || was_cut || has_another) {
            (true, true) => Ok(()),
            (false, _) => Err("a find for it was not answered with it".to_string()),
            (true, false) => Err("nobody says that it may exist".to_string()),
        };
    }
    let of_rivals: Vec<&Find> = maker.finds.iter().filter(|find| find.phase == "watching").collect();
    for find in &of_rivals {
        let is_seen = find.shown.contains(old);
        // Titles are looked through for a week back.
        let is_older = age(&older.session).is_none_or(|(created, _)| created < find.at / 1000 - 7 * 86_400);
        let is_told_otherwise = if find.by_tag { !has_alerts_tag(&older.session) } else { is_older };
        if find.listed.contains(old) && !is_seen && !is_told_otherwise {
            return Err(format!("a find at {} did not ask for the older one", find.at));
        }
        let is_cause = maker.not_ended.contains(young)
            || has_tag(&younger.session, ENDED_TAG)
            || has_tag(&older.session, ENDED_TAG)
            || maker.polled.iter().any(|(at, id, seen)| id == old && *at >= find.at && seen.is_none());
        let is_said = maker.has_named(old) || maker.has_named(young);
        // Lists may show as alive what is not, and what sleeps may wake after that.
        let was_dead = maker.polled.iter().any(|(at, id, seen)| {
            let is_dead = |session: &Session| {
                let is_unknown = session_phase(session) == SessionPhase::Unknown;
                is_unknown || !prior(session, &policy().holds, at / 1000).is_alive()
            };
            id == old && *at >= find.at && seen.as_ref().is_some_and(is_dead)
        });
        let is_excused = was_cut || was_dead || is_cause && is_said;
        if find.alive.contains(old) && !is_excused {
            return Err(format!("the older one was seen at {}: cause {is_cause}, said {is_said}", find.at));
        }
    }
    let known_at = maker.events.iter().find_map(|(at, event)| match event {
        EventKind::SessionCreated { session_id, .. } | EventKind::SessionAdopted { session_id, .. }
            if session_id == young =>
        {
            Some(*at)
        }
        _ => None,
    });
    // What it could not end it has said, and it watches the older one.
    if maker.has_named(young) {
        return Ok(());
    }
    let Some(known_at) = known_at else { return Ok(()) };
    let has_looked = |after: Millis| of_rivals.iter().any(|find| find.at >= known_at + after);
    let is_said = maker.has_said(|event| match event {
        EventKind::Warning { message } => message.contains("whether another run made a session"),
        _ => false,
    });
    match maker.job.end() {
        _ if was_cut || has_looked(BOUND) => Ok(()),
        _ if is_said => Ok(()),
        Some(End::Detached { .. }) if has_looked(1_000) => Ok(()),
        Some(End::Detached { .. }) => Err("the detached run never looked".to_string()),
        // The API takes the key no more, and so it could end nothing.
        Some(End::Failed { .. }) => Ok(()),
        // A watch that is shorter looks at its end, when only news may still be told.
        _ if maker.ended_at() < known_at + BOUND + SLACK && has_looked(last_look(maker, young) - known_at) => Ok(()),
        end => Err(format!("there was no second find before {end:?}")),
    }
}

/// A run ends with a session or with a reason.
fn check_end(run: &Running, world: &World) -> Result<(), String> {
    let is_told = run.has_said(|event| matches!(event, EventKind::Outcome(_) | EventKind::Error(_)));
    let exists = |id: &str| world.state().all.iter().any(|kept| kept.session.session_id == id);
    let is_named = |id: &str| {
        run.has_said(|event| match event {
            EventKind::SessionCreated { session_id, .. }
            | EventKind::SessionAdopted { session_id, .. }
            | EventKind::AlertHeld { session_id, .. } => session_id == id,
            _ => false,
        })
    };
    let fault = match run.job.end() {
        None if run.died_at.is_some() => None,
        None => Some("never ends"),
        Some(End::Outcome(_) | End::Failed { .. }) if !is_told => Some("ends with neither a session nor a reason"),
        Some(End::Outcome(OutcomeKind::ResolvedBeforeStart)) | Some(End::Failed { session_id: None })
            if !run.made.is_empty() =>
        {
            Some("has made a session and says nothing of it")
        }
        Some(End::Stopped { session_id: None }) if !run.made.is_empty() => Some("stops and hides what it has made"),
        Some(
            End::Detached { session_id, .. }
            | End::Stopped { session_id: Some(session_id) }
            | End::Failed { session_id: Some(session_id) },
        ) if !exists(session_id) || !is_named(session_id) => Some("ends with a session that nobody was told of"),
        Some(_) => None,
    };
    match fault {
        Some(fault) => Err(format!("run {} {fault}: {run}", run.number)),
        None => Ok(()),
    }
}

/// An alert that fires is not settled by the end of a session that had begun before the session was adopted.
fn check_not_left(run: &Running, world: &World) -> Result<(), String> {
    let Some((_, EventKind::Outcome(outcome))) =
        run.events.iter().rfind(|(_, event)| matches!(event, EventKind::Outcome(_)))
    else {
        return Ok(());
    };
    let job = serde_json::to_value(&run.job).unwrap();
    let is_resolved = job["resolved"] != "no";
    let has_made = !run.made.is_empty() || !run.job.made().is_empty() || !job["unclear"].is_null();
    if outcome.result != OutcomeKind::Terminated || is_resolved || has_made {
        return Ok(());
    }
    let adopted = run.events.iter().filter_map(|(at, event)| match event {
        EventKind::SessionAdopted { session_id, .. } => Some((*at, session_id)),
        _ => None,
    });
    let adopted: Vec<(Millis, &String)> = adopted.collect();
    let state = world.state();
    let ended_at =
        |id: &str| state.all.iter().find(|kept| kept.session.session_id == id).and_then(|kept| kept.ended_at);
    match adopted.last() {
        // It cannot go on for ever.
        _ if adopted.len() > 3 => Ok(()),
        Some((at, id)) if ended_at(id).is_some_and(|ended_at| ended_at < at - 1_000) => {
            Err(format!("{id} was ended before it was adopted at {at}, and nothing else was started: {run}"))
        }
        _ => Ok(()),
    }
}

/// Only what a run has made is ended, and in favor of another one only when that was seen alive just before.
pub fn check_request(action: &Action, run: &Running, now: Millis) -> Result<(), String> {
    let session_id = match action {
        Action::Terminate { session_id } => session_id,
        Action::Tag { session_id, tag } if tag == ENDED_TAG => session_id,
        _ => return Ok(()),
    };
    if !run.made.contains(session_id) {
        return Err(format!("run {} ends {session_id}, which it did not make", run.number));
    }
    let job = serde_json::to_value(&run.job).unwrap();
    let (watching, then) = (&job["phase"]["watching"], &job["phase"]["watching"]["task"]["ending"]["then"]);
    let favored = match (then["adopt"]["session_id"].as_str(), then.as_str()) {
        (Some(rival), _) => rival,
        (None, Some("go_on")) => watching["session"]["session_id"].as_str().unwrap_or_default(),
        _ => return Ok(()),
    };
    let is_certain = |session: &Session| {
        prior(session, &policy().holds, now / 1000).is_alive() && session_phase(session) != SessionPhase::Unknown
    };
    let mut seen = run.polled.iter().rev().filter(|(_, id, _)| id == favored);
    let last = match action {
        // Nothing but the way of two requests stands between the poll and the end.
        Action::Terminate { .. } => {
            run.polled.last().filter(|(at, id, _)| id == favored && *at >= run.taken_on_at.max(now - 1_000))
        }
        _ => seen.find(|(_, _, seen)| seen.is_some()),
    };
    match last {
        Some((_, _, Some(session))) if is_certain(session) => Ok(()),
        last => Err(format!("{session_id} is ended in favor of {favored}, last seen as {last:?}: {run}")),
    }
}

/// What an event says must be so.
pub fn check_event(event: &EventKind, world: &World, runs: &[Running], place: usize) -> Result<(), String> {
    let state = world.state();
    let kept = |id: &str| state.all.iter().find(|kept| kept.session.session_id == id);
    let run = &runs[place];
    match event {
        EventKind::Outcome(outcome) => {
            let began_at = run.events.first().map_or(state.now, |(at, _)| *at);
            match outcome.session_id.as_deref().map(kept) {
                Some(Some(kept)) if !kept.is_of_alert => {
                    Err(format!("an outcome of another alert's session: {outcome:?}"))
                }
                Some(None) => Err(format!("an outcome of no session: {outcome:?}")),
                None if !matches!(outcome.result, OutcomeKind::CreateUnknown | OutcomeKind::ResolvedBeforeStart) => {
                    Err(format!("an outcome without a session: {outcome:?}"))
                }
                _ if outcome.seconds as i64 > (state.now - began_at) / 1000 + 120 => {
                    Err(format!("a run of {} s that began at {began_at}", outcome.seconds))
                }
                _ => Ok(()),
            }
        }
        EventKind::SessionAdopted { session_id, reason, .. } => {
            let is_own = run.made.contains(session_id);
            let is_of_alert = kept(session_id).is_some_and(|kept| kept.is_of_alert);
            match reason {
                AdoptionReason::FoundAfterUnclearCreate if !is_own => {
                    Err(format!("{session_id} is taken for what run {} made", run.number))
                }
                _ if !is_of_alert => Err(format!("{session_id} is not the alert's")),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// A first find that has shown live sessions: one is adopted, the oldest, and the others are named.
pub fn check_first_find(found: &[Session], events: &[EventKind], run: &Running, world: &World) -> Result<(), String> {
    if matches!(run.job.phase, Phase::Finding { .. }) {
        return Ok(());
    }
    let state = world.state();
    let is_ours = |id: &str| state.all.iter().any(|kept| kept.session.session_id == id && kept.is_of_alert);
    let now_s = state.now / 1000;
    let mut alive: Vec<(PriorSession, &Session)> = found
        .iter()
        .filter(|session| is_ours(&session.session_id) && !is_nameless(session))
        .map(|session| (prior(session, &policy().holds, now_s), session))
        .filter(|(what, _)| what.is_alive())
        .collect();
    // One at work counts before one that waits for a person.
    alive.sort_by_key(|(what, session)| (*what != PriorSession::Working, age(session)));
    let Some((_, first)) = alive.first() else { return Ok(()) };
    let adopted = events.iter().find_map(|event| match event {
        EventKind::SessionAdopted { session_id, reason, .. } => Some((session_id.clone(), *reason)),
        _ => None,
    });
    let is_right = match &adopted {
        Some((_, AdoptionReason::EndedWithinCooldown)) => alive[0].0 == PriorSession::Waiting,
        Some((id, _)) => *id == first.session_id,
        None => false,
    };
    if !is_right {
        return Err(format!("run {} takes {adopted:?} and not {}", run.number, first.session_id));
    }
    for (_, session) in &alive {
        let is_adopted = adopted.as_ref().is_some_and(|(id, _)| *id == session.session_id);
        if !is_adopted && !events.iter().any(|event| names(event, &session.session_id)) {
            return Err(format!("run {} does not name {}: {events:#?}", run.number, session.session_id));
        }
    }
    Ok(())
}

/// Once everything is listed, a run makes nothing where there is one, and has named every one.
pub fn check_later_run(world: &World, run: &Running, has_made: bool, at: Millis) -> Result<(), String> {
    let mut alive = alive(world);
    let made = &run.made;
    alive.retain(|kept| !is_lost(&kept.session) && !made.contains(&kept.session.session_id));
    // By its title alone, a session is found for a week.
    let week_ago = at / 1000 - 7 * 86_400;
    let is_young = |session: &Session| age(session).is_some_and(|(created_at, _)| created_at >= week_ago);
    alive.retain(|kept| has_alerts_tag(&kept.session) || is_young(&kept.session));
    if alive.is_empty() {
        return Ok(());
    }
    if has_made {
        let ids: Vec<&String> = alive.iter().map(|kept| &kept.session.session_id).collect();
        return Err(format!("a session is made at {at} beside {ids:?}: {run}"));
    }
    // What the tag finds decides; where some have lost their tags, those are found only if that leaves something to decide.
    if run.finds.last().is_some_and(|find| find.by_tag) {
        alive.retain(|kept| has_alerts_tag(&kept.session));
    }
    for kept in &alive {
        let id = &kept.session.session_id;
        let is_adopted =
            run.has_said(|event| matches!(event, EventKind::SessionAdopted { session_id, .. } if session_id == id));
        if !is_adopted && !run.has_named(id) {
            return Err(format!("run {} says nothing of {id}: {run}", run.number));
        }
    }
    Ok(())
}
