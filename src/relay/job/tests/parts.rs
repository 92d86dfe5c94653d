//! Small parts of the machine, each by itself.

use std::time::Duration;

use super::super::{jittered, millis};
use super::runs::{job, policy};
use super::world::START;
use crate::relay::job::{Now, Observation, Query, step};

#[test]
fn each_query_is_a_filter_of_the_list() {
    assert_eq!(Query::Tag("ar-1".to_string()).filter(), ("tags", "ar-1".to_string()));
    assert_eq!(Query::CreatedAfter(1_780_000_000).filter(), ("created_after", "1780000000".to_string()));
    assert_eq!(Query::CreatedAfter(-5).filter(), ("created_after", "0".to_string()), "before any session");
    assert_eq!(Query::Id("devin-1".to_string()).filter(), ("session_ids", "devin-1".to_string()));
}

#[test]
fn polls_of_jobs_that_began_together_drift_apart() {
    let interval = Duration::from_millis(30_500);
    for number in 0..200 {
        let wait = jittered(interval, "job-1", number);
        let change = (wait - millis(interval)).abs();
        assert!((3_050..=4_575).contains(&change), "10 to 15 %: poll {number} after {wait} ms");
    }
    let waits = |job: &str| (0..6).map(|number| jittered(interval, job, number).to_string()).collect::<Vec<_>>();
    // A process that goes on with a job polls when the one before it would have.
    insta::assert_snapshot!(waits("job-1").join(" "), @"34221 34983 26139 34556 27054 26474");
    insta::assert_snapshot!(waits("job-2").join(" "), @"27145 34434 34831 34495 34983 34129");
}

#[test]
fn a_job_begins_when_devins_clock_is_known() {
    let begun = |ahead: i64, after: i64| Now { steady: START + after, devin: START + after + ahead };
    let (job, _) = step(job(1, policy()), Observation::Started, begun(0, 0));
    assert_eq!(job.started_at, Some(START), "by the clock of this machine, at first");
    let (job, _) = step(job, Observation::SessionsFound(Vec::new()), begun(90_000, 2_000));
    assert_eq!(job.started_at, Some(START + 2_000));
    assert_eq!(job.devin_s(START + 2_000), (START + 92_000) / 1000, "ages are told by Devin's clock");
    let (job, _) = step(job, Observation::Started, begun(90_000, 3_000));
    assert_eq!(job.started_at, Some(START + 2_000), "it has begun");
}
