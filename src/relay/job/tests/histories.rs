//! Random histories: runs that race, lag, are killed and run again, against every fault of the world.

use std::collections::{BTreeMap, BTreeSet};

use super::chance::{any, from_outside, random_create, random_policy, random_world};
use super::promises::{check_all, check_event, check_first_find, check_later_run, check_request};
use super::running::{Find, Running};
use super::runs::{job, policy};
use super::world::{START, World};
use crate::relay::job::{Action, Job, Now, Observation, Phase, Policy, ROWS, step, table};

/// How many histories there are; the variable `RELAY_HISTORIES` asks for more, `RELAY_HISTORY` for a single one.
const HISTORIES: u64 = 2_000;

/// What was seen to follow an observation in a phase: the next phase and its action.
type Cells = BTreeMap<(&'static str, &'static str), BTreeSet<String>>;

/// The phases and the observations that never meet, and why.
const IMPOSSIBLE: [(&[&str], &[&str], &str); 7] = [
    (&["received"], ANSWERS, "nothing has been asked for yet"),
    (&["received"], &["wait over"], "nothing is waited for yet"),
    (&["finding"], &["wait over"], "a find is made at once"),
    (&["finding", "reconciling"], OF_A_SESSION, "no session is known yet"),
    (&["finding", "reconciling", "watching"], OF_A_CREATE, "the create has been answered, or is not sent yet"),
    (&["creating"], &["sessions found", "find failed"], "the find before it has been answered"),
    (&["creating"], OF_A_SESSION, "no session is known yet"),
];

const OF_A_CREATE: &[&str] = &["created", "create refused", "create limited", "create unclear"];
const OF_A_SESSION: &[&str] = &["session polled", "poll failed", "tagged", "terminated", "messaged"];
const ANSWERS: &[&str] = &[
    "sessions found",
    "find failed",
    "created",
    "create refused",
    "create limited",
    "create unclear",
    "session polled",
    "poll failed",
    "tagged",
    "terminated",
    "messaged",
];
const OBSERVATIONS: [&str; 17] = [
    "started",
    "sessions found",
    "find failed",
    "created",
    "create refused",
    "create limited",
    "create unclear",
    "session polled",
    "poll failed",
    "tagged",
    "terminated",
    "messaged",
    "wait over",
    "alert resolved",
    "new alerts",
    "end asked",
    "stop asked",
];
const PHASES: [&str; 6] = ["received", "finding", "creating", "reconciling", "watching", "settled"];

/// One history: its fault, if any.
fn history(seed: u64, cells: &mut Cells) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = random_world(&mut random);
    let mut runs: Vec<Running> = Vec::new();
    for number in 1..=random.u32(1..5) {
        let at = START + any(&mut random, &[0, 700, 3_000, 15_000, 65_000, 200_000]) + random.i64(0..2_000);
        runs.push(Running::new(number, job(number, random_policy(&mut random)), at));
    }
    for _ in 0..6_000 {
        let going = (0..runs.len()).filter(|place| runs[*place].is_going());
        let Some(place) = going.min_by_key(|place| runs[*place].at) else { break };
        turn(&world, &mut runs, place, &mut random, cells)?;
    }
    check_all(&world, &runs)?;
    for run in &runs {
        if run.job.end().is_some() {
            let (after, actions) = step(run.job.clone(), Observation::Started, world.state().now);
            cells.entry(("settled", "started")).or_default().insert(after.phase.name().to_string());
            assert!(after == run.job && actions.is_empty(), "what has ended stays so");
        }
    }
    for number in [90, 91] {
        later_run(&world, &mut runs, number, &mut random, cells)?;
    }
    Ok(())
}

/// A run once everything is listed and nothing fails any more.
fn later_run(
    world: &World,
    runs: &mut Vec<Running>,
    number: u32,
    random: &mut fastrand::Rng,
    cells: &mut Cells,
) -> Result<(), String> {
    let mut state = world.state();
    (state.stale_lists, state.failing_find, state.poll_failures) = (0, None, Vec::new());
    (state.tag_failures, state.end_failures) = ((0, 0), (0, 0));
    let last = state.all.iter().map(|kept| kept.listed_from.max(kept.readable_from)).max().unwrap_or_default();
    let at = last.max(state.now) + 1_000;
    let wait = at - state.now;
    state.advance(wait);
    // What would wake after a find could not be held against it.
    state.all.iter_mut().filter(|kept| kept.ended_at.is_none()).for_each(|kept| kept.plan.clear());
    let creates = state.all.len();
    drop(state);
    runs.push(Running::new(number, job(number, Policy { detach: true, ..policy() }), at));
    let place = runs.len() - 1;
    for _ in 0..60 {
        // It ends before anything else happens: what it finds is what it is held against.
        if !runs[place].is_going() || world.state().all.len() > creates {
            break;
        }
        runs[place].is_undisturbed = true;
        turn(world, runs, place, random, cells)?;
    }
    let is_new = world.state().all.len() > creates;
    check_later_run(world, &runs[place], is_new, at)
}

/// The next thing that happens to a run: its process dies, something comes from outside, a request is made or answered.
fn turn(
    world: &World,
    runs: &mut [Running],
    place: usize,
    random: &mut fastrand::Rng,
    cells: &mut Cells,
) -> Result<(), String> {
    let run = &mut runs[place];
    let wait = run.at - world.state().now;
    world.state().advance(wait.max(0));
    let now = world.state().now;
    let is_disturbed = !run.is_undisturbed;
    // A process may die at any moment: before a request, after it, and before its answer is kept.
    if is_disturbed && random.u16(..250) == 0 {
        let is_taken_on = random.bool();
        run.die(is_taken_on, now + 1_000);
        return Ok(());
    }
    let is_creating = matches!(run.next, Some(Action::Create(_))) || run.is_create_sent;
    // A create that waits for a limit to pass is rare, so more comes meanwhile.
    let is_limited = matches!(run.job.phase, Phase::Creating { .. });
    let is_beginning = matches!(run.answer, Some(Observation::Started)) && run.steps > 0;
    let is_quiet = is_beginning || !is_disturbed || run.stopped_at.is_some_and(|at| run.steps > at + 1);
    let outside = if is_quiet { None } else { from_outside(random, if is_limited { 12 } else { 600 }) };
    // A create that is under way goes on, whatever else comes, and its answer is waited for.
    let outside = outside.filter(|outside| !is_creating || !matches!(outside, Observation::StopAsked));
    let under_way = if is_creating && outside.is_some() { Some((run.answer.take(), run.next.take())) } else { None };
    let observation = match (outside, run.answer.take(), run.next.take()) {
        (Some(outside), _, _) => outside,
        (None, Some(answer), _) => answer,
        (None, None, Some(Action::WaitUntil(_))) => Observation::WaitOver,
        (None, None, Some(action)) => {
            check_request(&action, run, now)?;
            let delay = match &action {
                Action::Create(_) if is_disturbed => random_create(random, &mut world.state()),
                _ => random.i64(10..400),
            };
            run.ask(&action, world);
            (run.at, run.is_create_sent) = (now + delay, matches!(action, Action::Create(_)));
            return Ok(());
        }
        (None, None, None) => Observation::Started,
    };
    run.is_create_sent = false;
    let is_from_outside = matches!(
        observation,
        Observation::Started
            | Observation::StopAsked
            | Observation::AlertResolved
            | Observation::NewAlerts(_)
            | Observation::EndAsked(_)
    );
    run.is_clock_known |= !is_from_outside;
    if matches!(observation, Observation::StopAsked) {
        run.stopped_at.get_or_insert(run.steps);
    }
    run.steps += 1;
    let cell = (run.job.phase.name(), observation.name());
    let before = std::mem::replace(&mut run.job, job(0, policy()));
    let was_finding = matches!(before.phase, Phase::Finding { .. });
    let found = match &observation {
        Observation::SessionsFound(found) if was_finding => Some(found.clone()),
        _ => None,
    };
    let own_now = now + if run.is_clock_known { 0 } else { world.state().skew };
    let ahead = if run.is_clock_known { any(random, &world.state().clocks) } else { 0 };
    let devin = own_now + ahead;
    let (job, events, next) = World::step(before, observation, Now { steady: own_now, devin });
    let follows = match &next {
        Some(action) => format!("{} ({})", job.phase.name(), action.name()),
        None => job.phase.name().to_string(),
    };
    cells.entry(cell).or_default().insert(follows);
    run.job = kept_and_read(&job, random);
    run.seen(&events, now);
    run.next = next;
    if let Some((answer, next)) = under_way {
        run.is_create_sent = answer.is_some();
        (run.answer, run.next) = (answer, next);
    }
    run.at = match &run.next {
        Some(Action::WaitUntil(moment)) if run.stopped_at.is_none() => now.max(*moment),
        _ => now + random.i64(0..20),
    };
    for event in &events {
        check_event(event, world, runs, place)?;
    }
    let run = &runs[place];
    if run.stopped_at.is_some_and(|at| run.steps - at > 4) && run.job.end().is_none() {
        return Err(format!("run {} does not stop: {:?}", run.number, run.job.phase));
    }
    if let Some(found) = found {
        check_first_find(&found, &events, run, world)?;
    }
    Ok(())
}

/// A job as the next process reads it.
fn kept_and_read(job: &Job, random: &mut fastrand::Rng) -> Job {
    if random.u8(..16) != 0 {
        return job.clone();
    }
    let read: Job = serde_json::from_str(&serde_json::to_string(job).unwrap()).unwrap();
    assert_eq!(&read, job);
    read
}

impl Running {
    /// Makes a request, whose answer is heard later.
    fn ask(&mut self, action: &Action, world: &World) {
        let now = world.state().now;
        let before = world.state().all.len();
        let is_stale = world.state().stale_lists > 0;
        let answer = world.perform(action);
        let state = world.state();
        self.made.extend(state.all[before..].iter().map(|kept| kept.session.session_id.clone()));
        match (action, &answer) {
            (Action::Find(query), Observation::SessionsFound(found)) => {
                self.finds.push(Find::new(query, found, self, &state, is_stale));
            }
            (Action::Poll { session_id }, Observation::SessionPolled(session)) => {
                self.polled.push((now, session_id.clone(), Some(session.clone())));
            }
            (Action::Poll { session_id }, _) => self.polled.push((now, session_id.clone(), None)),
            (Action::Terminate { session_id }, Observation::Terminated(Err(_))) => {
                self.not_ended.insert(session_id.clone());
            }
            _ => {}
        }
        self.answer = Some(answer);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "which cells are empty is for whoever runs it")]
fn whatever_happens_there_is_one_session_or_it_is_said_and_only_what_the_table_has() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let histories = match number("RELAY_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RELAY_HISTORIES").unwrap_or(HISTORIES),
    };
    let are_few = histories.end - histories.start < HISTORIES;
    let mut cells = Cells::new();
    for seed in histories {
        history(seed, &mut cells).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
    let known: Cells = ROWS
        .iter()
        .map(|(phase, observation, follows)| {
            ((*phase, *observation), follows.split(", ").map(str::to_string).collect())
        })
        .collect();
    let mut unknown = Vec::new();
    for (cell, follows) in cells.iter().filter(|(cell, _)| cell.0 != "settled") {
        let of_cell = known.get(cell).cloned().unwrap_or_default();
        if !follows.is_subset(&of_cell) {
            let all: Vec<String> = follows.union(&of_cell).cloned().collect();
            unknown.push(format!("    (\"{}\", \"{}\", \"{}\"),", cell.0, cell.1, all.join(", ")));
        }
    }
    assert!(unknown.is_empty(), "not in the table:\n{}", unknown.join("\n"));
    if are_few {
        return;
    }
    let mut wrong = Vec::new();
    for cell in PHASES.iter().take(5).flat_map(|phase| OBSERVATIONS.map(|observation| (*phase, observation))) {
        let of_cell = |row: &&(&[&str], &[&str], &str)| row.0.contains(&cell.0) && row.1.contains(&cell.1);
        let impossible = IMPOSSIBLE.iter().find(of_cell);
        match (cells.contains_key(&cell), impossible) {
            (true, None) => {}
            (false, Some((.., reason))) => println!("empty: {} × {}: {reason}", cell.0, cell.1),
            (false, None) => wrong.push(format!("{} × {} is not reached", cell.0, cell.1)),
            (true, Some(_)) => wrong.push(format!("{} × {} is said to be impossible", cell.0, cell.1)),
        }
    }
    for (cell, follows) in &known {
        for follow in follows.iter().filter(|follow| !cells.get(cell).is_some_and(|seen| seen.contains(*follow))) {
            println!("not seen: {} × {} -> {follow}", cell.0, cell.1);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_design_shows_the_table() {
    let design = include_str!("../../../../docs/design.md");
    assert!(design.contains(&table()), "the table has changed:\n{}", table());
}
