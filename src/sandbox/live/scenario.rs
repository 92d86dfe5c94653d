//! The ways a created session can go, as one table, and where it stands at any moment of its life.
//!
//! Pure: a moment is a part of the session's whole life, 0 at its birth and 1 when its end is reached.

use std::time::Duration;

use crate::sandbox::body::SCENARIO_TAG;
use crate::sandbox::oddity::CreateAnswer;

/// What happens to a session, and to the request that creates it.
#[derive(Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// What happens, in a few words.
    pub about: &'static str,
    pub delivery: Delivery,
    /// From which moment on lists show it. Asked for by its identifier it is there at once.
    pub listed_from: f64,
    /// From which moment on nothing finds it.
    gone_from: f64,
    /// From which moment on it is archived.
    archived_from: f64,
    /// Only the first session of the organization with it goes so; later ones bring a pull request.
    pub is_once: bool,
    stages: [&'static [Stage]; 2],
}

/// How the request that creates a session is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    Answered,
    /// Created, but the answer never comes.
    Unanswered,
    /// Created, then the connection is reset.
    Reset,
    /// Created, then a 500.
    ServerError,
    /// A 500, and nothing created.
    LostServerError,
    /// A 429 the first time for these tags.
    RateLimited,
    /// As the organization answers this create, whatever its scenario.
    Odd(CreateAnswer),
}

/// From a moment on: status, detail, and how many pull requests there are.
#[derive(Debug)]
pub struct Stage(pub f64, pub &'static str, pub Option<&'static str>, pub u64);

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    pub status: &'static str,
    pub status_detail: Option<&'static str>,
    pub pull_requests: u64,
    /// Grows while it works.
    pub acu_hundredths: u64,
    pub is_archived: bool,
    /// The moment of its last change: now while it works.
    pub changed_at: f64,
}

const ACU_HUNDREDTHS_PER_LIFE: f64 = 400.0;
/// The latest moment that is told apart from later ones, so that a life of no length has an end.
const LATEST: f64 = 1e6;
const NEVER: f64 = f64::INFINITY;

const WORKING: Option<&str> = Some("working");
const FINISHED: Option<&str> = Some("finished");
const ASKING: Option<&str> = Some("waiting_for_user");

const START: &[Stage] =
    &[Stage(0.0, "new", None, 0), Stage(0.1, "claimed", None, 0), Stage(0.25, "running", WORKING, 0)];
const PULL_REQUEST: &[Stage] = &[Stage(0.75, "running", WORKING, 1), Stage(1.0, "running", FINISHED, 1)];

#[rustfmt::skip]
const SCENARIOS: [Scenario; 34] = [
    life("pull-request", "a pull request, then finished: the way without a scenario tag", PULL_REQUEST),
    life("late-pull-request", "finished, and the pull request appears later", &[Stage(0.75, "running", FINISHED, 0), Stage(1.0, "running", FINISHED, 1)]),
    life("no-pull-request", "finished without a pull request", &[Stage(1.0, "running", FINISHED, 0)]),
    life("exit-with-pull-request", "a pull request, then exit", &[Stage(0.75, "running", WORKING, 1), Stage(1.0, "exit", None, 1)]),
    life("exit-without-pull-request", "exit and nothing to show", &[Stage(1.0, "exit", None, 0)]),
    life("blocked", "waits for a person forever", &[Stage(1.0, "running", ASKING, 0)]),
    life("needs-approval", "waits for an approval forever", &[Stage(1.0, "running", Some("waiting_for_approval"), 0)]),
    life("blocked-then-finished", "waits for a person for a tenth of its life, then a pull request", &[Stage(0.5, "running", ASKING, 0), Stage(0.6, "running", WORKING, 0), Stage(1.0, "running", FINISHED, 1)]),
    life("idle-after-pull-request", "a pull request, then waits for a person forever", &[Stage(0.75, "running", WORKING, 1), Stage(1.0, "running", ASKING, 1)]),
    life("usage-limit-exceeded", "suspended: the general usage limit", &[Stage(1.0, "suspended", Some("usage_limit_exceeded"), 0)]),
    life("org-usage-limit-exceeded", "suspended: the organization's usage limit", &[Stage(1.0, "suspended", Some("org_usage_limit_exceeded"), 0)]),
    life("user-usage-limit-exceeded", "suspended: the user's usage limit", &[Stage(1.0, "suspended", Some("user_usage_limit_exceeded"), 0)]),
    life("out-of-credits", "suspended: no credits", &[Stage(1.0, "suspended", Some("out_of_credits"), 0)]),
    life("out-of-quota", "suspended: the quota is used up", &[Stage(1.0, "suspended", Some("out_of_quota"), 0)]),
    Scenario { is_once: true, ..life("out-of-quota-once", "suspended the first time: the quota is used up; later sessions bring a pull request, as if somebody had bought more", &[Stage(1.0, "suspended", Some("out_of_quota"), 0)]) },
    life("no-quota-allocation", "suspended: no quota was given", &[Stage(1.0, "suspended", Some("no_quota_allocation"), 0)]),
    life("total-session-limit-exceeded", "suspended: too many sessions", &[Stage(1.0, "suspended", Some("total_session_limit_exceeded"), 0)]),
    life("payment-declined", "suspended: the payment failed", &[Stage(1.0, "suspended", Some("payment_declined"), 0)]),
    life("contract-expired", "suspended: the contract is over", &[Stage(1.0, "suspended", Some("contract_expired"), 0)]),
    life("error", "status error", &[Stage(1.0, "error", None, 0)]),
    life("suspended-error", "suspended by a fault", &[Stage(1.0, "suspended", Some("error"), 0)]),
    life("suspended-inactivity", "suspended for lack of activity", &[Stage(1.0, "suspended", Some("inactivity"), 0)]),
    life("suspended-user-request", "suspended by a person", &[Stage(1.0, "suspended", Some("user_request"), 0)]),
    life("suspended-with-pull-request", "a pull request, finished, then suspended for lack of activity", &[Stage(0.5, "running", WORKING, 1), Stage(0.75, "running", FINISHED, 1), Stage(1.0, "suspended", Some("inactivity"), 1)]),
    life("never-ending", "works forever", &[]),
    Scenario { gone_from: 1.0, ..life("gone", "works, then nothing finds it anymore", &[]) },
    Scenario { archived_from: 1.0, ..life("archived", "works, and is archived", &[]) },
    life("unknown-status", "a status and a detail that nobody knows, then a pull request", &[Stage(0.5, "contemplating", Some("thinking_it_over"), 0), Stage(1.0, "running", FINISHED, 1)]),
    Scenario { listed_from: 1.0 / 3.0, ..life("slow-to-list", "missing from lists for a third of its life, then a pull request", PULL_REQUEST) },
    answered("create-times-out", "created, but the answer never comes", Delivery::Unanswered),
    answered("create-breaks", "created, then the connection is reset", Delivery::Reset),
    answered("create-500", "created, then answered with 500", Delivery::ServerError),
    answered("create-lost-500", "answered with 500, and not created", Delivery::LostServerError),
    answered("rate-limited-create", "429 with Retry-After: 1 the first time for these tags, then created", Delivery::RateLimited),
];

const WOKEN: Scenario = Scenario {
    stages: [
        &[Stage(0.0, "resuming", None, 0), Stage(0.1, "running", WORKING, 0)],
        &[Stage(1.0, "running", FINISHED, 0)],
    ],
    ..life("woken", "", &[])
};

const TERMINATED: Scenario = Scenario { stages: [&[Stage(0.0, "exit", None, 0)], &[]], ..life("terminated", "", &[]) };

/// Every scenario that a tag can pick; the first one is for a session without such a tag.
pub static ALL: &[Scenario] = &SCENARIOS;

/// The names of all of them.
pub const NAMES: [&str; SCENARIOS.len()] = {
    let mut names = [""; SCENARIOS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = SCENARIOS[at].name;
        at += 1;
    }
    names
};

/// What a message does to a session that sleeps or waits: it works again and finishes.
pub static AFTER_MESSAGE: &Scenario = &WOKEN;

/// What is left of a session that was terminated.
pub static AFTER_TERMINATION: &Scenario = &TERMINATED;

const fn life(name: &'static str, about: &'static str, end: &'static [Stage]) -> Scenario {
    let delivery = Delivery::Answered;
    Scenario {
        name,
        about,
        delivery,
        listed_from: 0.0,
        gone_from: NEVER,
        archived_from: NEVER,
        is_once: false,
        stages: [START, end],
    }
}

const fn answered(name: &'static str, about: &'static str, delivery: Delivery) -> Scenario {
    Scenario { delivery, ..life(name, about, PULL_REQUEST) }
}

impl Scenario {
    /// The scenario that these tags pick: the first that is named wins, a pull request without any.
    ///
    /// # Errors
    /// The place of the first tag that names none.
    pub fn of_tags(tags: &[String]) -> Result<&'static Scenario, usize> {
        let mut named = None;
        for (place, tag) in tags.iter().enumerate() {
            if let Some(name) = tag.strip_prefix(SCENARIO_TAG) {
                let scenario = ALL.iter().find(|scenario| scenario.name == name).ok_or(place)?;
                named = named.or(Some(scenario));
            }
        }
        Ok(named.unwrap_or(&ALL[0]))
    }

    /// Where a session stands at a moment; `None` once nothing finds it any more.
    pub fn state(&self, moment: f64) -> Option<State> {
        if moment >= self.gone_from {
            return None;
        }
        let (mut now, mut worked) = (&START[0], 0.0);
        for stage in self.reached(moment) {
            worked += Self::worked(now, stage.0);
            now = stage;
        }
        worked += Self::worked(now, moment);
        Some(State {
            status: now.1,
            status_detail: now.2,
            pull_requests: now.3,
            acu_hundredths: (worked * ACU_HUNDREDTHS_PER_LIFE) as u64,
            is_archived: moment >= self.archived_from,
            changed_at: if now.2 == WORKING { moment } else { now.0 },
        })
    }

    /// The stages up to a moment, in their order.
    pub fn reached(&self, moment: f64) -> impl Iterator<Item = &'static Stage> {
        let [start, end] = self.stages;
        start.iter().chain(end).take_while(move |stage| stage.0 <= moment)
    }

    /// How long a stage was spent at work when it ended at this moment.
    fn worked(stage: &Stage, end: f64) -> f64 {
        if stage.2 == WORKING { end - stage.0 } else { 0.0 }
    }
}

/// How much of its life a session has behind it; a life of no length is over at once.
pub fn moment(elapsed: Duration, session_seconds: f64) -> f64 {
    if session_seconds > 0.0 { (elapsed.as_secs_f64() / session_seconds).min(LATEST) } else { LATEST }
}

/// The names of all scenarios, as an error lists them.
pub fn names() -> String {
    let names: Vec<&str> = ALL.iter().map(|scenario| scenario.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(scenario: &Scenario, moment: f64) -> String {
        match scenario.state(moment) {
            None => "gone".to_owned(),
            Some(state) => {
                let detail = state.status_detail.map_or(String::new(), |detail| format!("/{detail}"));
                let detail = detail + if state.is_archived { " archived" } else { "" };
                let listed = if moment < scenario.listed_from { " unlisted" } else { "" };
                format!("{}{detail} {}{listed}", state.status, state.pull_requests)
            }
        }
    }

    #[test]
    fn every_scenario_lives_as_the_table_says() {
        let mut table = String::new();
        for scenario in ALL.iter().chain([AFTER_MESSAGE, AFTER_TERMINATION]) {
            let life = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0].map(|moment| told(scenario, moment));
            table += &format!("{}: {}\n", scenario.name, life.join(" | "));
        }
        insta::assert_snapshot!(table, @"
        pull-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        late-pull-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/finished 0 | running/finished 1 | running/finished 1
        no-pull-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | running/finished 0 | running/finished 0
        exit-with-pull-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | exit 1 | exit 1
        exit-without-pull-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | exit 0 | exit 0
        blocked: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | running/waiting_for_user 0 | running/waiting_for_user 0
        needs-approval: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | running/waiting_for_approval 0 | running/waiting_for_approval 0
        blocked-then-finished: new 0 | claimed 0 | running/working 0 | running/waiting_for_user 0 | running/working 0 | running/finished 1 | running/finished 1
        idle-after-pull-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/waiting_for_user 1 | running/waiting_for_user 1
        usage-limit-exceeded: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/usage_limit_exceeded 0 | suspended/usage_limit_exceeded 0
        org-usage-limit-exceeded: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/org_usage_limit_exceeded 0 | suspended/org_usage_limit_exceeded 0
        user-usage-limit-exceeded: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/user_usage_limit_exceeded 0 | suspended/user_usage_limit_exceeded 0
        out-of-credits: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/out_of_credits 0 | suspended/out_of_credits 0
        out-of-quota: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/out_of_quota 0 | suspended/out_of_quota 0
        out-of-quota-once: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/out_of_quota 0 | suspended/out_of_quota 0
        no-quota-allocation: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/no_quota_allocation 0 | suspended/no_quota_allocation 0
        total-session-limit-exceeded: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/total_session_limit_exceeded 0 | suspended/total_session_limit_exceeded 0
        payment-declined: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/payment_declined 0 | suspended/payment_declined 0
        contract-expired: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/contract_expired 0 | suspended/contract_expired 0
        error: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | error 0 | error 0
        suspended-error: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/error 0 | suspended/error 0
        suspended-inactivity: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/inactivity 0 | suspended/inactivity 0
        suspended-user-request: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | suspended/user_request 0 | suspended/user_request 0
        suspended-with-pull-request: new 0 | claimed 0 | running/working 0 | running/working 1 | running/finished 1 | suspended/inactivity 1 | suspended/inactivity 1
        never-ending: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | running/working 0 | running/working 0
        gone: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | gone | gone
        archived: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 0 | running/working archived 0 | running/working archived 0
        unknown-status: new 0 | claimed 0 | running/working 0 | contemplating/thinking_it_over 0 | contemplating/thinking_it_over 0 | running/finished 1 | running/finished 1
        slow-to-list: new 0 unlisted | claimed 0 unlisted | running/working 0 unlisted | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        create-times-out: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        create-breaks: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        create-500: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        create-lost-500: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        rate-limited-create: new 0 | claimed 0 | running/working 0 | running/working 0 | running/working 1 | running/finished 1 | running/finished 1
        woken: resuming 0 | running/working 0 | running/working 0 | running/working 0 | running/working 0 | running/finished 0 | running/finished 0
        terminated: exit 0 | exit 0 | exit 0 | exit 0 | exit 0 | exit 0 | exit 0
        ");
    }

    #[test]
    fn consumption_grows_while_a_session_works_and_only_then() {
        let consumed = |name: &str| {
            let scenario = ALL.iter().find(|scenario| scenario.name == name).unwrap();
            let at = |moment| scenario.state(moment).unwrap();
            [0.0, 0.25, 0.5, 0.55, 0.75, 1.0, 2.0].map(|moment| (at(moment).acu_hundredths, at(moment).changed_at))
        };
        let told = ["pull-request", "blocked-then-finished", "never-ending"].map(consumed);
        insta::assert_snapshot!(told.map(|row| format!("{row:?}")).join("\n"), @"
        [(0, 0.0), (0, 0.25), (100, 0.5), (120, 0.55), (200, 0.75), (300, 1.0), (300, 1.0)]
        [(0, 0.0), (0, 0.25), (100, 0.5), (100, 0.5), (160, 0.75), (260, 1.0), (260, 1.0)]
        [(0, 0.0), (0, 0.25), (100, 0.5), (120, 0.55), (200, 0.75), (300, 1.0), (700, 2.0)]
        ");
    }

    #[test]
    fn names_are_unique_and_details_are_theirs() {
        for (place, scenario) in ALL.iter().enumerate() {
            assert!(!scenario.about.is_empty());
            assert!(ALL[..place].iter().all(|other| other.name != scenario.name));
            let tag = format!("{SCENARIO_TAG}{}", scenario.name);
            assert_eq!(Scenario::of_tags(&[tag]).unwrap().name, scenario.name);
            let [start, end] = scenario.stages;
            let moments: Vec<f64> = start.iter().chain(end).map(|stage| stage.0).collect();
            assert!(moments.is_sorted());
        }
    }

    #[test]
    fn a_life_of_any_length_has_a_moment() {
        let lengths = [0.0, -1.0, f64::NAN, 1e-300, 0.5, 20.0, f64::INFINITY];
        let moments = lengths.map(|seconds| moment(Duration::from_secs(1), seconds));
        assert_eq!(moments, [LATEST, LATEST, LATEST, LATEST, 2.0, 0.05, 0.0]);
        assert_eq!(moment(Duration::ZERO, f64::NAN), LATEST);
    }
}
