//! What chance decides in a history: the world, its answers, the options of a run, and what comes from outside.

use std::time::Duration;

use super::runs::{job, policy};
use super::world::{START, State, World, old};
use crate::devin::Kind;
use crate::relay::job::{Firing, FiringReason, Observation, OnNewAlerts, OnResolved, OnTimeout, Policy};

pub fn any<T: Clone>(random: &mut fastrand::Rng, all: &[T]) -> T {
    all[random.usize(..all.len())].clone()
}

pub fn random_world(random: &mut fastrand::Rng) -> World {
    let failures = [Kind::Status(503), Kind::Status(403), Kind::Status(404), Kind::TimeUp(Duration::from_secs(60))];
    World::new(|state| {
        state.skew = any(random, &[0, 0, 7_200_000, -18_000_000, 40]);
        state.clocks = any(random, &[vec![0], vec![0], vec![0, 1_200_000], vec![-1_200_000, 0, 0]]);
        state.stale_lists = any(random, &[0, 0, 0, 1, 2]);
        state.ignores_filters = random.u8(..8) == 0;
        state.drop_tags = random.u8(..8) == 0;
        state.upper_tags = random.u8(..12) == 0;
        state.drop_title = random.u8(..12) == 0;
        state.refuse_tags = !state.drop_tags && random.u8(..8) == 0;
        state.tag_failures = (any(random, &[0, 0, 1, 2, 5]), any(random, &[500, 403]));
        state.end_failures = (any(random, &[0, 0, 1, 2, 5]), any(random, &[503, 404, 403]));
        state.end_lag = any(random, &[0, 0, 3_000, 15_000, 90_000]);
        if random.u8(..4) == 0 {
            state.poll_failures = (0..random.usize(1..4)).map(|_| any(random, &failures)).collect();
        }
        state.failing_find = any(random, &[None, None, None, Some(0), Some(2), Some(3), Some(5)]);
        state.failing_finds = any(random, &[1, 1, 3]);
        for number in 0..random.usize(..4) {
            let states = [
                "exit",
                "exit+",
                "error",
                "suspended/out_of_credits",
                "running/finished",
                "suspended/napping",
                "running/waiting_for_user",
                "running/waiting_for_user!",
                "running/working",
                "running/working!",
            ];
            let age = any(random, &[60, 600, 7_200, 100_000, 2_000_000]) + random.i64(0..60);
            let mut kept = old(&format!("old-{number}"), any(random, &states), START, age);
            kept.listed_from = START + any(random, &[0, 0, 900, 5_000, 70_000, 600_000]);
            kept.readable_from = any(random, &[0, 0, kept.listed_from, START + 90_000]);
            if kept.listed_from > START && random.u8(..3) == 0 {
                kept.listed_as = Some("running/working".to_string());
            }
            if random.u8(..6) == 0 {
                // Somebody has taken its tags off; the title is there still.
                kept.session.title = job(70, policy()).request.new.title;
                kept.session.tags.clear();
            }
            if random.bool() {
                let end = any(random, &["exit", "error", "running/finished+", "running/waiting_for_user"]);
                kept.plan = vec![(START + random.i64(0..200_000), end.to_string())];
            }
            state.all.push(kept);
        }
        let mut foreign = old("foreign", "running/working", START, 60);
        foreign.session.tags = vec!["alert-relay".to_string(), "ar-somebody-else".to_string()];
        foreign.session.title = Some(format!("speaks of {} only", job(1, policy()).marker()));
        foreign.is_of_alert = false;
        state.all.push(foreign);
    })
}

/// How the next create is answered, and what becomes of its session.
pub fn random_create(random: &mut fastrand::Rng, state: &mut State) -> i64 {
    let lives = [
        "running/finished+",
        "exit",
        "running/waiting_for_user",
        "suspended/out_of_credits",
        "error",
        "suspended/napping#",
        "running/working!",
    ];
    let unclear = any(random, &[0, 408, 409, 500, 502, 503, 504]);
    let other =
        any(random, &[(201, true), (unclear, true), (unclear, true), (unclear, false), (429, false), (422, false)]);
    state.creates = vec![if random.bool() { (200, true) } else { other }];
    state.create_delay = any(random, &[50, 300, 900, 20_000, 59_000]);
    state.made_after = random.i64(0..=state.create_delay);
    state.list_lag = any(random, &[0, 0, 500, 5_000, 20_000, 50_000, 100_000, 600_000]);
    state.get_lag = any(random, &[0, 0, 2_000, 40_000]);
    state.lost_after = any(random, &[None, None, None, None, None, None, None, Some(100_000)]);
    state.life = vec![(2_000, "running/working".to_string())];
    if random.bool() {
        state.life.push((random.i64(3_000..400_000), any(random, &lives).to_string()));
    }
    state.create_delay
}

pub fn random_policy(random: &mut fastrand::Rng) -> Policy {
    Policy {
        poll_interval: Duration::from_secs(10),
        max_polls: any(random, &[30, 30, 12, 3]),
        detach: random.u8(..6) == 0,
        on_timeout: any(random, &[OnTimeout::Terminate, OnTimeout::Leave]),
        on_new_alerts: any(random, &[OnNewAlerts::Message, OnNewAlerts::Ignore]),
        on_resolved: any(
            random,
            &[OnResolved::Annotate, OnResolved::Message, OnResolved::Terminate, OnResolved::Ignore],
        ),
        create_again: random.u8(..4) == 0,
        ..policy()
    }
}

/// What comes from outside at any moment, if it does.
pub fn from_outside(random: &mut fastrand::Rng, one_in: u16) -> Option<Observation> {
    let fingerprints = vec![random.u8(..9).to_string()];
    let firing =
        Firing { reason: FiringReason::NewAlerts, fingerprints, latest_start: None, message: "one more".to_string() };
    match random.u16(..one_in) {
        0 => Some(Observation::StopAsked),
        1 => Some(Observation::AlertResolved),
        2..=5 => Some(Observation::NewAlerts(firing)),
        6 => Some(Observation::EndAsked("ann".to_string())),
        _ => None,
    }
}
