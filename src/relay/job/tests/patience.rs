//! What `serve` waits out, answer by answer.

use std::time::Duration;

use super::runs::{job, policy};
use super::world::{START, World};
use crate::devin::{Error, Kind};
use crate::relay::event::EventKind;
use crate::relay::job::{Action, End, Firing, Job, Observation, OnSessionLimit, Phase, Policy, step};

/// Takes a job to its end, as the engine of `serve` does; gives up on it after a thousand steps.
fn served(world: &World, job: Job) -> Job {
    let (mut job, mut observation) = (job.made_patient(), Observation::Started);
    for _ in 0..1000 {
        let before = job.clone();
        let (after, actions) = step(job, observation, world.state().now);
        job = after;
        if job.end().is_some() {
            return job;
        }
        let next = actions.into_iter().rfind(|action| !matches!(action, Action::Report(_)));
        observation = next.map_or(Observation::Started, |action| world.perform(&action));
        if let Some((_, wait)) = job.wait_out(&observation) {
            if matches!(observation, Observation::CreateRefused(_) | Observation::CreateLimited(..)) {
                job = job.before_create(before);
            }
            world.state().now += wait;
            observation = Observation::WaitOver;
        }
    }
    job
}

/// Alerts join a group at these seconds, each by itself.
fn joining(world: &World, seconds: &[i64], fingerprints: fn(i64) -> Vec<String>) -> (Job, Vec<String>) {
    let firing =
        |number| Firing { fingerprints: fingerprints(number), message: number.to_string(), ..Firing::default() };
    let mut job = job(1, policy()).made_patient();
    job.request.firing = firing(0);
    let (mut observation, mut events) = (Observation::Started, Vec::new());
    let mut joined = seconds.iter().zip(1..).peekable();
    for _ in 0..1000 {
        let (after, actions) = step(job, observation, world.state().now);
        job = after;
        let (reports, next): (Vec<Action>, Vec<Action>) =
            actions.into_iter().partition(|action| matches!(action, Action::Report(_)));
        events.extend(reports.into_iter().filter_map(|report| match report {
            Action::Report(kind) => Some(serde_json::to_string(&kind).unwrap()),
            _ => None,
        }));
        if job.end().is_some() {
            break;
        }
        let mut is_due = |moment: i64| joined.peek().is_some_and(|(second, _)| START + **second * 1000 <= moment);
        observation = match next.first() {
            Some(Action::WaitUntil(moment)) if is_due(*moment) => {
                let number = joined.next().unwrap().1;
                Observation::NewAlerts(firing(number))
            }
            next => next.map_or(Observation::Started, |action| world.perform(action)),
        };
    }
    (job, events)
}

fn again() -> Policy {
    Policy { create_again: true, ..policy() }
}

fn finishing(creates: Vec<(u16, bool)>) -> World {
    World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (90_000, "running/finished+".to_string())];
        state.creates = creates;
    })
}

#[test]
fn an_accepted_alert_outlasts_every_answer_that_may_pass() {
    let cases: [(&str, Vec<(u16, bool)>); 7] = [
        ("limited for long", vec![(429, false); 40]),
        ("unclear twice, and nothing made", vec![(500, false); 2]),
        ("unclear often", vec![(500, false); 5]),
        ("unclear, then limited", vec![(500, false), (429, false)]),
        ("unclear, then refused once", vec![(500, false), (422, false)]),
        ("refused a few times", vec![(404, false), (402, false), (400, false), (422, false), (404, false)]),
        ("the key is refused for long", vec![(403, false); 40]),
    ];
    for (what, creates) in cases {
        let (world, tries) = (finishing(creates.clone()), creates.len() + 1);
        let job = served(&world, job(1, again()));
        assert_eq!(job.end().map(|end| format!("{end:?}")), Some("Outcome(PrOpened)".to_string()), "{what}");
        assert_eq!((world.count("create"), world.state().all.len()), (tries, 1), "{what}");
    }
}

#[test]
fn every_answer_is_waited_out_or_left_to_the_step() {
    let patient = job(1, again()).made_patient();
    let (finding, _) = step(patient, Observation::Started, START);
    let watching = Job::watching("job-1".to_string(), "devin-1".to_string(), again(), START).made_patient();
    let error = |kind: Kind, said: &str| Error {
        kind,
        path: "sessions".to_string(),
        explanation: (!said.is_empty()).then(|| said.to_string()),
        tries: 1,
    };
    let status = |status| error(Kind::Status(status), "");
    let tags = || error(Kind::Status(422), "tags are not allowed");
    let answers = [
        ("find, 400", Observation::FindFailed(status(400))),
        ("find, 404", Observation::FindFailed(status(404))),
        ("find, 403", Observation::FindFailed(status(403))),
        ("find, 503", Observation::FindFailed(status(503))),
        ("poll, 404", Observation::PollFailed(status(404))),
        ("poll, 401", Observation::PollFailed(status(401))),
        ("create, 402", Observation::CreateRefused(status(402))),
        ("create, 302", Observation::CreateRefused(status(302))),
        ("create, 403", Observation::CreateRefused(status(403))),
        ("create, 404", Observation::CreateRefused(status(404))),
        ("create, tags", Observation::CreateRefused(tags())),
        ("create, out of time", Observation::CreateRefused(error(Kind::TimeUp(Duration::from_secs(1)), ""))),
    ];
    let mut table = Vec::new();
    for (phase, job) in [("finding", finding), ("watching", watching)] {
        for (answer, observation) in &answers {
            let mut job = job.clone();
            let waits = (0..7).map(|_| job.wait_out(observation).map_or("-".to_string(), |(_, wait)| wait.to_string()));
            table.push(format!("{phase}, {answer}: {}", waits.collect::<Vec<_>>().join(" ")));
        }
    }
    insta::assert_snapshot!(table.join("\n"), @"
    finding, find, 400: 10000 20000 40000 80000 160000 - -
    finding, find, 404: 10000 20000 40000 80000 160000 300000 300000
    finding, find, 403: 10000 10000 10000 10000 10000 10000 10000
    finding, find, 503: 10000 10000 10000 10000 10000 10000 10000
    finding, poll, 404: - - - - - - -
    finding, poll, 401: 10000 20000 40000 80000 160000 - -
    finding, create, 402: 10000 20000 40000 80000 160000 - -
    finding, create, 302: 10000 20000 40000 80000 160000 300000 300000
    finding, create, 403: 10000 20000 40000 80000 160000 300000 300000
    finding, create, 404: 10000 20000 40000 80000 160000 300000 300000
    finding, create, tags: - - - - - - -
    finding, create, out of time: 10000 10000 10000 10000 10000 10000 10000
    watching, find, 400: - - - - - - -
    watching, find, 404: - - - - - - -
    watching, find, 403: - - - - - - -
    watching, find, 503: - - - - - - -
    watching, poll, 404: - - - - - - -
    watching, poll, 401: 10000 20000 40000 80000 160000 - -
    watching, create, 402: 10000 20000 40000 80000 160000 - -
    watching, create, 302: 10000 20000 40000 80000 160000 300000 300000
    watching, create, 403: 10000 20000 40000 80000 160000 300000 300000
    watching, create, 404: 10000 20000 40000 80000 160000 300000 300000
    watching, create, tags: - - - - - - -
    watching, create, out of time: 10000 10000 10000 10000 10000 10000 10000
    ");
}

#[test]
fn a_place_among_the_sessions_is_waited_for_as_long_as_it_takes() {
    let limit = |_| {
        let said = Some("too many concurrent sessions".to_string());
        let error = Error { kind: Kind::Status(429), path: "sessions".to_string(), explanation: said, tries: 1 };
        Observation::CreateLimited(error, None)
    };
    let mut job = job(1, again()).made_patient();
    let waits: Vec<Option<i64>> = (0..600).map(|time| job.wait_out(&limit(time)).map(|(_, wait)| wait)).collect();
    assert_eq!(waits, vec![Some(60_000); 600]);
    job.policy.on_session_limit = OnSessionLimit::Fail;
    assert!(job.wait_out(&limit(0)).is_none(), "the step refuses it");
}

#[test]
fn where_no_place_is_waited_for_that_is_what_is_said() {
    let mut job = job(1, Policy { on_session_limit: OnSessionLimit::Fail, ..again() }).made_patient();
    job.phase = Phase::Creating { waits_until: None };
    let said = Some("too many concurrent sessions".to_string());
    let error = Error { kind: Kind::Status(429), path: "sessions".to_string(), explanation: said, tries: 1 };
    let (job, actions) = step(job, Observation::CreateLimited(error, None), START);
    assert_eq!(job.end(), Some(&End::Failed { session_id: None }));
    let [Action::Report(EventKind::Error(report))] = &actions[..] else { panic!("{actions:?}") };
    insta::assert_snapshot!(report.message, @"sessions answered 429 (Too Many Requests), saying \"too many concurrent sessions\". The organization runs as many sessions as it may at once, and on_session_limit: fail waits for none of them to end, so nothing was created: end one in Devin and have the alert delivered again, or set on_session_limit to wait.");
}

#[test]
fn a_message_is_tried_a_few_times_while_the_api_fails_and_not_where_it_is_refused() {
    let failed = |status| {
        let kind = Kind::Status(status);
        Observation::Messaged(Err(Error { kind, path: "messages".to_string(), explanation: None, tries: 1 }))
    };
    let mut job = job(1, again()).made_patient();
    assert!(job.wait_out(&failed(409)).is_none());
    let waits: Vec<bool> = (0..4).map(|_| job.wait_out(&failed(503)).is_some()).collect();
    assert_eq!(waits, [true, true, false, false]);
    assert!(job.wait_out(&Observation::Messaged(Ok(()))).is_none());
    assert!(job.wait_out(&failed(503)).is_some(), "they are counted anew");
}

/// What the page on `serve` promises of a create that was made again too early.
#[test]
fn of_two_sessions_of_one_attempt_the_younger_is_ended_if_both_are_listed_at_work_within_a_minute() {
    let window = i64::try_from(policy().reconcile_window.as_millis()).unwrap();
    for (late_s, works_s, alive) in [(30, 900, 1), (90, 900, 2), (30, 10, 2)] {
        let world = World::new(|state| {
            state.creates = vec![(500, true)];
            state.list_lag = window + late_s * 1000;
            let ends = works_s * 1000;
            state.life = vec![(5_000, "running/working".to_string()), (ends, "running/finished+".to_string())];
        });
        let job = served(&world, job(1, again()));
        assert_eq!(
            job.end().map(|end| format!("{end:?}")),
            Some("Outcome(PrOpened)".to_string()),
            "{late_s} {works_s}"
        );
        assert_eq!((world.count("create"), world.alive().len()), (2, alive), "{late_s} {works_s}");
        assert!(world.alive()[0].ends_with('1'), "the older one stays: {:?}", world.alive());
    }
}

#[test]
fn what_is_refused_again_and_again_is_given_up() {
    let world = finishing(vec![(422, false); 9]);
    let job = served(&world, job(1, again()));
    assert_eq!((job.end(), world.count("create")), (Some(&End::Failed { session_id: None }), 6));
}

#[test]
fn an_unclear_create_is_not_made_again_where_the_rule_says_so() {
    let world = finishing(vec![(500, false); 2]);
    let job = served(&world, job(1, policy()));
    assert_eq!((format!("{:?}", job.end().unwrap()).as_str(), world.count("create")), ("Outcome(CreateUnknown)", 1));
}

#[test]
fn a_search_may_be_refused_a_few_times() {
    let refused = || {
        let kind = Kind::Status(400);
        Observation::FindFailed(Error { kind, path: "sessions".to_string(), explanation: None, tries: 1 })
    };
    let (mut job, _) = step(job(1, policy()).made_patient(), Observation::Started, 0);
    let waits: Vec<Option<i64>> = (0..6).map(|_| job.wait_out(&refused()).map(|(_, wait)| wait)).collect();
    assert_eq!(waits, [Some(10_000), Some(20_000), Some(40_000), Some(80_000), Some(160_000), None]);
    assert!(job.wait_out(&Observation::SessionsFound(Vec::new())).is_none());
    assert!(job.wait_out(&refused()).is_some(), "they are counted anew");
}

#[test]
fn a_limit_that_names_its_wait_is_waited_for_and_one_on_sessions_is_the_rules() {
    let limited = |explanation: &str, asked| {
        let explanation = Some(explanation.to_string());
        let error = Error { kind: Kind::Status(429), path: "sessions".to_string(), explanation, tries: 1 };
        Observation::CreateLimited(error, Some(Duration::from_secs(asked)))
    };
    let mut job = job(1, Policy { on_session_limit: OnSessionLimit::Fail, ..policy() }).made_patient();
    let mut wait = |explanation, asked| job.wait_out(&limited(explanation, asked)).map(|(_, wait)| wait);
    assert_eq!((wait("slow down", 600), wait("slow down", 1)), (Some(600_000), Some(10_000)));
    assert_eq!(wait("concurrent session limit reached", 60), None);
}

#[test]
fn a_session_is_told_of_every_alert_that_joins_or_it_is_said_that_it_was_not() {
    let world = World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (2_000_000, "running/finished+".to_string())];
    });
    let each_second: Vec<i64> = (0..14).map(|number| 100 + number * 60).collect();
    let prints = |number| (0..=number).map(|print| format!("f{print}")).collect();
    let (job, events) = joining(&world, &each_second, prints);
    let told = world.state().messages.clone();
    assert_eq!(told.last().map(String::as_str), Some("14"), "the last of {told:?} tells of all\n{}", events.join("\n"));
    assert!(told.len() < 10, "and those that came shortly after one another come together: {told:?}");
    assert!(job.end().is_some());
}

#[test]
fn what_joins_when_a_session_is_done_is_said_not_to_be_told() {
    let world = World::new(|state| {
        state.life = vec![(5_000, "running/working".to_string()), (90_000, "running/finished".to_string())];
    });
    let (_, events) = joining(&world, &[95, 130], |number| (0..=number).map(|print| format!("f{print}")).collect());
    let untold: Vec<&String> = events
        .iter()
        .filter(|event| event.contains("session_messaged") && event.contains("before it could be told"))
        .collect();
    assert_eq!(untold.len(), 1, "{}", events.join("\n"));
}

#[test]
fn the_same_alert_in_other_words_has_not_joined_a_group() {
    let world = finishing(Vec::new());
    joining(&world, &[40, 50, 60], |_| Vec::new());
    assert!(world.state().messages.is_empty());
}
