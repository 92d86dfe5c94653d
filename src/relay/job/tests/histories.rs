//! Random histories: runs that race, lag, are killed and run again, and what holds in all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::world::{START, World, job, old, policy};
use crate::devin::Kind;
use crate::devin::session::Session;
use crate::relay::alert::tag;
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::job::{
    Action, End, Firing, FiringReason, Job, Observation, OnTimeout, Phase, Policy, ROWS, step, table,
};
use crate::relay::outcome::OutcomeKind;
use crate::relay::prior::prior;

/// How many histories there are; the variable `RELAY_HISTORIES` asks for more.
const HISTORIES: u64 = 2_000;

/// A find is repeated after this long, in milliseconds: a list that hides a session longer is beyond the promise.
const BOUND: i64 = 60_000;

/// What was seen to follow an observation in a phase: the next phase and its action.
type Cells = BTreeMap<(&'static str, &'static str), BTreeSet<String>>;

/// A process that takes care of the alert.
struct Running {
    number: u32,
    job: Job,
    next: Option<Action>,
    /// What it is told before its next action is done.
    told: Option<Observation>,
    /// When its next action is done.
    at: i64,
    events: Vec<EventKind>,
}

fn any<T: Clone>(random: &mut fastrand::Rng, all: &[T]) -> T {
    all[random.usize(..all.len())].clone()
}

fn random_world(random: &mut fastrand::Rng) -> World {
    let lives = [
        "running/finished+",
        "exit",
        "running/waiting_for_user",
        "suspended/out_of_credits",
        "error",
        "suspended/napping#",
    ];
    let failures = [Kind::Status(503), Kind::Status(403), Kind::Status(404), Kind::TimeUp(Duration::from_secs(60))];
    World::new(|state| {
        state.list_lag = any(random, &[0, 0, 500, 5_000, 20_000]);
        state.get_lag = any(random, &[0, 0, 2_000]);
        state.life = vec![(2_000, "running/working".to_string())];
        if random.bool() {
            state.life.push((random.i64(30_000..400_000), any(random, &lives).to_string()));
        }
        let answers = [(200, true), (500, true), (500, false), (0, true), (429, false), (422, false)];
        state.creates = (0..random.usize(..3)).map(|_| any(random, &answers)).collect();
        state.drop_tags = random.u8(..8) == 0;
        state.refuse_tags = !state.drop_tags && random.u8(..8) == 0;
        state.tag_failures = (random.u32(..3), 500);
        state.end_failures = (random.u32(..3), 503);
        if random.u8(..4) == 0 {
            state.poll_failures = (0..random.usize(1..4)).map(|_| any(random, &failures)).collect();
        }
        state.failing_find = any(random, &[None, None, None, Some(0), Some(2), Some(3), Some(5)]);
        for number in 0..random.usize(..3) {
            let states =
                ["exit", "exit+", "error", "suspended/out_of_credits", "running/finished", "suspended/napping"];
            let age = random.i64(60..100_000);
            let mut kept = old(&format!("old-{number}"), any(random, &states), START, age);
            kept.listed_from = START + random.i64(0..5_000);
            if kept.listed_from > START + 1_000 && random.u8(..3) == 0 {
                kept.listed_as = Some("running/working".to_string());
            }
            state.all.push(kept);
        }
        let mut foreign = old("foreign", "running/working", START, 60);
        foreign.session.tags = vec!["alert-relay".to_string(), "ar-somebody-else".to_string()];
        state.all.push(foreign);
    })
}

fn random_policy(random: &mut fastrand::Rng) -> Policy {
    Policy {
        poll_interval: Duration::from_secs(10),
        max_polls: 30,
        detach: random.u8(..6) == 0,
        on_timeout: any(random, &[OnTimeout::Terminate, OnTimeout::Leave]),
        create_again: random.u8(..5) == 0,
        ..policy()
    }
}

/// What comes from outside at any moment, if it does.
fn from_outside(random: &mut fastrand::Rng, one_in: u16) -> Option<Observation> {
    let fingerprints = vec![random.u8(..9).to_string()];
    let firing =
        Firing { reason: FiringReason::NewAlerts, fingerprints, message: "one more".to_string(), latest_start: None };
    match random.u16(..one_in) {
        0 => Some(Observation::StopAsked),
        1 => Some(Observation::AlertResolved),
        2..=5 => Some(Observation::NewAlerts(firing)),
        _ => None,
    }
}

/// One history: its fault, if any.
fn history(seed: u64, cells: &mut Cells) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = random_world(&mut random);
    let mut is_disturbed = false;
    let starts: Vec<i64> = (0..random.usize(1..4)).map(|_| START + random.i64(0..15_000)).collect();
    let mut runs: Vec<Running> = Vec::new();
    for (number, at) in (1..).zip(starts) {
        let job = job(number, random_policy(&mut random));
        let told = Some(Observation::Started);
        runs.push(Running { number, job, next: None, told, at, events: Vec::new() });
    }
    for _ in 0..4_000 {
        let going = runs.iter_mut().filter(|run| run.job.end().is_none());
        let Some(run) = going.min_by_key(|run| (run.at, run.number)) else { break };
        let now = world.state().now;
        if run.at > now {
            world.perform(&Action::WaitUntil(run.at));
        }
        let is_create = matches!(run.next, Some(Action::Create(_)));
        // A create that waits for a limit to pass is rare, so more comes meanwhile.
        let is_limited = matches!(run.job.phase, Phase::Creating { .. });
        let outside = if is_create { None } else { from_outside(&mut random, if is_limited { 12 } else { 600 }) };
        is_disturbed |= matches!(outside, Some(Observation::StopAsked));
        let observation = match (outside.or(run.told.take()), run.next.take()) {
            (Some(observation), _) => observation,
            (None, Some(Action::WaitUntil(_))) => Observation::WaitOver,
            (None, Some(action)) => world.perform(&action),
            (None, None) => Observation::Started,
        };
        // The process may die before what it has seen is kept; another one goes on with the job.
        if random.u16(..200) == 0 {
            is_disturbed = true;
            (run.told, run.at) = (Some(Observation::Started), world.state().now + 1_000);
            continue;
        }
        let cell = (run.job.phase.name(), observation.name());
        let before = std::mem::replace(&mut run.job, job(0, policy()));
        let (job, events, next) = world.step(before, observation);
        let follows = match &next {
            Some(action) => format!("{} ({})", job.phase.name(), action.name()),
            None => job.phase.name().to_string(),
        };
        cells.entry(cell).or_default().insert(follows);
        for event in &events {
            check_event(event, &world, &job)?;
        }
        run.events.extend(events);
        run.job = job;
        let now = world.state().now;
        run.at = match &next {
            Some(Action::WaitUntil(moment)) => now.max(*moment),
            _ => now + random.i64(10..400),
        };
        run.next = next;
    }
    for run in &runs {
        check_end(run)?;
        let (after, actions) = step(run.job.clone(), Observation::Started, world.state().now);
        assert!(after == run.job && actions.is_empty(), "what has ended stays so");
    }
    check_alive(&world, &runs, is_disturbed)
}

/// A run ends with a session or with a reason.
fn check_end(run: &Running) -> Result<(), String> {
    let is_told = run.events.iter().any(|event| matches!(event, EventKind::Outcome(_) | EventKind::Error(_)));
    match run.job.end() {
        None => Err(format!("run {} never ends", run.number)),
        Some(End::Outcome(_) | End::Failed { .. }) if !is_told => {
            Err(format!("run {} ends with neither a session nor a reason: {:?}", run.number, run.events))
        }
        Some(_) => Ok(()),
    }
}

/// Two live sessions of one alert are beyond the promise, or they were named.
fn check_alive(world: &World, runs: &[Running], is_disturbed: bool) -> Result<(), String> {
    let (holds, now_s) = (policy().holds, world.state().now / 1000);
    let is_alive = |session: &Session| prior(session, &holds, now_s).is_alive();
    let all: Vec<Session> = world.state().all.iter().map(|kept| kept.session.clone()).collect();
    let ours = all.into_iter().filter(|session| session.session_id.starts_with("new-") && is_alive(session));
    let ours: Vec<String> = ours.map(|session| session.session_id).collect();
    let is_detached = runs.iter().any(|run| run.job.policy.detach);
    let is_brief = world.state().now - START < BOUND;
    let is_said = runs.iter().flat_map(|run| &run.events).any(|event| match event {
        EventKind::SessionDuplicate { terminated, .. } => !terminated,
        // A session may have been made that nobody has seen.
        EventKind::Outcome(outcome) => outcome.result == OutcomeKind::CreateUnknown,
        EventKind::Warning { .. } | EventKind::Error(_) => true,
        EventKind::Note { message } => message.contains("is not known"),
        _ => false,
    });
    if ours.len() > 1 && !is_disturbed && !is_detached && !is_brief && !is_said {
        let told: Vec<_> = runs.iter().map(|run| (run.number, &run.events, run.job.end())).collect();
        return Err(format!("two live sessions: {ours:?}, asked {:?}, {told:#?}", world.state().asked));
    }
    Ok(())
}

/// Whether a session is the alert's, by the tag as it stands in it.
fn is_of_key(session: &Session) -> bool {
    let tag = tag("key");
    session.tags.contains(&tag) || session.title.as_ref().is_some_and(|title| title.contains(&tag))
}

/// What an event says must be so.
fn check_event(event: &EventKind, world: &World, job: &Job) -> Result<(), String> {
    let state = world.state();
    let kept = |id: &str| state.all.iter().find(|kept| kept.session.session_id == id);
    match event {
        EventKind::Outcome(outcome) => match outcome.session_id.as_deref().map(kept) {
            Some(Some(kept)) if !is_of_key(&kept.session) => {
                Err(format!("an outcome of another alert's session: {outcome:?}"))
            }
            Some(None) => Err(format!("an outcome of no session: {outcome:?}")),
            _ => Ok(()),
        },
        EventKind::SessionAdopted { session_id, reason: AdoptionReason::OlderSessionOfAnotherRun, .. } => {
            let Some(rival) = kept(session_id) else { return Err(format!("{session_id} is no session")) };
            let is_alive = prior(&rival.session, &job.policy.holds, state.now / 1000).is_alive();
            // What ended after it was confirmed, while ours was being ended, was alive then.
            let is_just_now = state.now / 1000 - rival.session.updated_at.unwrap_or_default() <= 30;
            if !is_alive && !is_just_now {
                return Err(format!("a live session ended in favor of {session_id}: {:?}", rival.session));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "which cells are empty is for whoever runs it")]
fn whatever_happens_there_is_one_session_or_it_is_said_and_only_what_the_table_has() {
    let histories = std::env::var("RELAY_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(HISTORIES);
    let mut cells = Cells::new();
    for seed in 0..histories {
        history(seed, &mut cells).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
    let known: Cells = ROWS
        .iter()
        .map(|(phase, observation, follows)| {
            ((*phase, *observation), follows.split(", ").map(str::to_string).collect())
        })
        .collect();
    let mut unknown = Vec::new();
    for (cell, follows) in &cells {
        let of_cell = known.get(cell).cloned().unwrap_or_default();
        if !follows.is_subset(&of_cell) {
            let all: Vec<String> = follows.union(&of_cell).cloned().collect();
            unknown.push(format!("    (\"{}\", \"{}\", \"{}\"),", cell.0, cell.1, all.join(", ")));
        }
    }
    for cell in known.keys().filter(|cell| !cells.contains_key(*cell)) {
        println!("not reached: {} × {}", cell.0, cell.1);
    }
    assert!(unknown.is_empty(), "not in the table:\n{}", unknown.join("\n"));
    let reached = known.keys().filter(|cell| cells.contains_key(*cell)).count();
    assert_eq!(reached, known.len(), "every cell of the table is reached");
}

#[test]
fn the_design_shows_the_table() {
    let design = include_str!("../../../../docs/design.md");
    assert!(design.contains(&table()), "the table has changed:\n{}", table());
}
