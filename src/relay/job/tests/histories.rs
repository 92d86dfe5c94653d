//! Random histories: runs that race, lag, are killed and run again, and what holds in all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::world::{START, World, job, old, policy};
use crate::relay::event::{AdoptionReason, EventKind};
use crate::relay::job::{Action, End, Job, Observation, OnTimeout, Policy};
use crate::relay::prior::prior;

/// How many histories there are; the variable `RELAY_HISTORIES` asks for more.
const HISTORIES: u64 = 300;

/// A find is repeated after this long, in milliseconds: a list that hides a session longer is beyond the promise.
const BOUND: i64 = 60_000;

type Cells = BTreeMap<(&'static str, &'static str), u64>;

struct Running {
    job: Job,
    next: Option<Action>,
    /// When its action is done.
    at: i64,
    number: u32,
    has_ended: Option<(Vec<EventKind>, bool)>,
    events: Vec<EventKind>,
    observation: Option<Observation>,
}

fn random_world(random: &mut fastrand::Rng) -> World {
    let lag = [0, 0, 500, 5_000, 20_000][random.usize(..5)];
    let lives = [
        "running/finished+",
        "exit",
        "running/waiting_for_user",
        "suspended/out_of_credits",
        "error",
        "suspended/napping#",
    ];
    World::new(|state| {
        state.list_lag = lag;
        state.get_lag = [0, 0, 2_000][random.usize(..3)];
        state.life = vec![(2_000, "running/working".to_string())];
        if random.bool() {
            state.life.push((random.i64(30_000..400_000), lives[random.usize(..lives.len())].to_string()));
        }
        let answers = [(200, true), (500, true), (500, false), (0, true), (429, false), (422, false)];
        state.creates = (0..random.usize(..3)).map(|_| answers[random.usize(..answers.len())]).collect();
        state.drop_tags = random.u8(..8) == 0;
        state.refuse_tags = !state.drop_tags && random.u8(..8) == 0;
        state.tag_failures = (random.u32(..3), 500);
        state.end_failures = (random.u32(..3), 503);
        for number in 0..random.usize(..3) {
            let states =
                ["exit", "exit+", "error", "suspended/out_of_credits", "running/finished", "suspended/napping"];
            let mut kept =
                old(&format!("old-{number}"), states[random.usize(..states.len())], START, random.i64(60..100_000));
            kept.listed_from = START + random.i64(0..5_000);
            state.all.push(kept);
        }
        let mut foreign = old("foreign", "running/working", START, 60);
        foreign.session.tags = vec!["alert-relay".to_string(), "ar-somebody-else".to_string()];
        state.all.push(foreign);
    })
}

/// One history: its trouble, if any.
fn history(seed: u64, cells: &mut Cells) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = random_world(&mut random);
    let mut runs: Vec<Running> = Vec::new();
    let (mut killed, mut number) = (false, 0);
    let starts: Vec<i64> = (0..random.usize(1..4)).map(|_| START + random.i64(0..15_000)).collect();
    for at in starts {
        number += 1;
        let policy = Policy {
            poll_interval: Duration::from_secs(10),
            max_polls: 30,
            detach: random.u8(..6) == 0,
            on_timeout: if random.bool() { OnTimeout::Terminate } else { OnTimeout::Leave },
            create_again: random.u8(..5) == 0,
            ..policy()
        };
        let observation = Some(Observation::Started);
        runs.push(Running {
            job: job(number, policy),
            next: None,
            at,
            number,
            has_ended: None,
            events: Vec::new(),
            observation,
        });
    }
    for _ in 0..4_000 {
        let Some(run) = runs.iter_mut().filter(|run| run.has_ended.is_none()).min_by_key(|run| (run.at, run.number))
        else {
            break;
        };
        let (now, at) = (world.state().now, run.at);
        if at > now {
            world.perform(&Action::WaitUntil(at));
        }
        let observation = match (run.observation.take(), run.next.take()) {
            (Some(observation), _) => observation,
            (None, Some(Action::WaitUntil(_))) => Observation::WaitOver,
            (None, Some(action)) => world.perform(&action),
            (None, None) => Observation::Started,
        };
        // The process may die before what it has seen is kept; another one goes on with the job.
        if random.u16(..200) == 0 {
            killed = true;
            (run.observation, run.at) = (Some(Observation::Started), world.state().now + 1_000);
            continue;
        }
        *cells.entry((run.job.phase.name(), observation.name())).or_default() += 1;
        let job = std::mem::replace(&mut run.job, job(0, policy()));
        let (job, events, next) = world.step(job, observation);
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
        if run.job.end().is_some() {
            run.has_ended = Some((std::mem::take(&mut run.events), true));
        }
    }
    for run in &runs {
        let Some((events, _)) = &run.has_ended else { return Err(format!("run {} never ends", run.number)) };
        let is_told = events.iter().any(|event| matches!(event, EventKind::Outcome(_) | EventKind::Error(_)));
        let is_left = matches!(run.job.end(), Some(End::Detached { .. }));
        if !is_told && !is_left {
            return Err(format!("run {} ends with neither a session nor a reason: {events:?}", run.number));
        }
    }
    let is_detached = runs.iter().any(|run| run.job.policy.detach);
    let is_certain = !killed && !is_detached && world.state().list_lag < BOUND;
    let ours: Vec<String> = world.alive().into_iter().filter(|id| id.starts_with("new-")).collect();
    let has_named = runs.iter().flat_map(|run| &run.has_ended).flat_map(|(events, _)| events);
    let is_named = has_named.clone().any(|event| match event {
        EventKind::SessionDuplicate { terminated, .. } => !terminated,
        // A session that was made while nobody could say so may run beside another one.
        EventKind::Outcome(outcome) => outcome.result == crate::relay::outcome::OutcomeKind::CreateUnknown,
        EventKind::Warning { .. } => true,
        _ => false,
    });
    let is_settled_early = runs.iter().any(|run| run.has_ended.is_some() && world.state().now - START < BOUND);
    if ours.len() > 1 && is_certain && !is_named && !is_settled_early {
        return Err(format!("two live sessions: {ours:?}"));
    }
    Ok(())
}

/// What an event says must be so.
fn check_event(event: &EventKind, world: &World, job: &Job) -> Result<(), String> {
    let state = world.state();
    let kept = |id: &str| state.all.iter().find(|kept| kept.session.session_id == id);
    match event {
        EventKind::Outcome(outcome) => match outcome.session_id.as_deref().map(kept) {
            Some(Some(kept)) if !job.request.names.is_of_alert(&kept.session) => {
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
#[expect(clippy::print_stdout, reason = "which cells are reached is for whoever runs it")]
fn whatever_happens_there_is_one_session_or_it_is_said() {
    let histories = std::env::var("RELAY_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(HISTORIES);
    let mut cells = Cells::new();
    for seed in 0..histories {
        history(seed, &mut cells).unwrap_or_else(|trouble| panic!("seed {seed}: {trouble}"));
    }
    let told: String =
        cells.iter().map(|((phase, observation), times)| format!("{phase} × {observation}: {times}\n")).collect();
    println!("{told}");
}
