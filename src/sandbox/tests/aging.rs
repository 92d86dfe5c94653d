//! One created session at chosen moments of its life, without a socket and without a clock.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::sandbox::data::Organization;
use crate::sandbox::key::Key;
use crate::sandbox::live::Live;
use crate::sandbox::live::create::Create;
use crate::sandbox::oddity::Oddities;
use crate::sandbox::query::Query;
use crate::sandbox::route::{Question, Route};

/// One session, asked at chosen moments of a life of 100 seconds.
struct Alone {
    organization: Organization,
    live: Live,
    id: String,
}

impl Alone {
    fn new(body: Value) -> Alone {
        let organization = Organization::new(1, 36, None);
        let mut live = Live::new(100.0, None, Oddities::default());
        let create = Create::read(body.to_string().as_bytes()).unwrap();
        let (_, session) = live.create(&organization, create, Key::Organization, at(0)).unwrap();
        let id = format!("{:032x}", session.unwrap().id);
        Alone { organization, live, id }
    }

    /// A GET, in the way the server answers it.
    fn get(&self, tail: &str, second: u64) -> Value {
        let path = format!("/v3/organizations/{ORG_ID}/sessions/{}{tail}", self.id);
        let query = Query::default();
        let question = Question {
            path: &path,
            query: &query,
            key: Key::Organization,
            now: at(second),
            is_stuck: false,
            is_stale: false,
        };
        let answer = Route::of(&path).unwrap().answer(std::slice::from_ref(&self.organization), &self.live, &question);
        serde_json::from_str(&answer.unwrap()).unwrap()
    }

    fn hear(&mut self, second: u64) -> Result<(), u16> {
        let (session, state) = self.live.find_mut(&self.id, at(second)).unwrap();
        session.hear(format!("said at {second}"), &state, at(second)).map_err(|problem| problem.status.as_u16())
    }

    fn standing(&self, second: u64) -> String {
        let session = self.get("", second);
        let pulls = session["pull_requests"].as_array().unwrap().len();
        let told = ["status", "status_detail", "acus_consumed", "title", "category", "structured_output"];
        let told = told.map(|name| session[name].to_string().replace('"', ""));
        let updated = session["updated_at"].as_u64().unwrap() - 1_800_000_000;
        format!("{second}: {}, {pulls} pull requests, updated {updated}\n", told.join(" "))
    }

    fn talk(&self, second: u64) -> Vec<String> {
        let items = self.get("/messages", second)["items"].as_array().unwrap().clone();
        let told = items.iter().map(|item| {
            let since = item["created_at"].as_u64().unwrap() - 1_800_000_000;
            format!("{since} {}: {}", item["source"].as_str().unwrap(), item["message"].as_str().unwrap())
        });
        told.collect()
    }
}

fn at(second: u64) -> Duration {
    Duration::from_secs(1_800_000_000 + second)
}

#[test]
fn what_comes_later_comes_with_time() {
    let schema = json!({"properties": {
        "cause": {"type": "string"}, "severity": {"enum": ["high", "low"]}, "fixed": {"type": ["boolean", "null"]},
        "count": {"type": "integer", "minimum": 1}, "files": {"type": "array"}, "more": {"type": "object"},
    }});
    let alone = Alone::new(json!({"prompt": "\nLook into it\nplease", "structured_output_schema": schema}));
    let told: String = [0, 10, 25, 60, 80, 100, 500].map(|second| alone.standing(second)).concat();
    insta::assert_snapshot!(told, @"
    0: new null 0.0 null null null, 0 pull requests, updated 0
    10: claimed null 0.0 null null null, 0 pull requests, updated 10
    25: running working 0.0 Look into it null null, 0 pull requests, updated 25
    60: running working 1.4 Look into it null null, 0 pull requests, updated 60
    80: running working 2.2 Look into it null null, 1 pull requests, updated 80
    100: running finished 3.0 Look into it production_investigation {cause:simulated,count:1,files:[],fixed:true,more:{},severity:high}, 1 pull requests, updated 100
    500: running finished 3.0 Look into it production_investigation {cause:simulated,count:1,files:[],fixed:true,more:{},severity:high}, 1 pull requests, updated 100
    ");
    insta::assert_snapshot!(alone.talk(500).join("\n"), @"
    0 user: 
    Look into it
    please
    25 devin: I'm on it: I read the code and the logs first.
    75 devin: I opened https://github.com/northwind-labs/payments-api/pull/211.
    100 devin: That is all; the pull request waits for a review.
    ");
    let insights = alone.get("/insights", 500);
    assert_eq!((&insights["num_user_messages"], &insights["num_devin_messages"]), (&json!(1), &json!(3)));
}

#[test]
fn a_message_wakes_what_sleeps_or_waits_and_is_only_heard_by_what_works() {
    let mut told = String::new();
    for name in ["suspended-inactivity", "blocked", "idle-after-pull-request", "pull-request", "error"] {
        let mut alone = Alone::new(json!({"prompt": "p", "tags": [format!("scenario:{name}")]}));
        alone.hear(50).unwrap();
        let answer = alone.hear(200);
        told += &format!("{name}: {answer:?}\n");
        for second in [200, 220, 300] {
            told += &alone.standing(second);
        }
        let before = alone.talk(220);
        let after = alone.talk(1_000);
        assert_eq!(after[..before.len()], before);
        told += &format!("{}\n\n", after.join("\n"));
    }
    insta::assert_snapshot!(told, @"
    suspended-inactivity: Ok(())
    200: resuming null 3.0 p null null, 0 pull requests, updated 200
    220: running working 3.4 p null null, 0 pull requests, updated 220
    300: running finished 6.6 p production_investigation null, 0 pull requests, updated 300
    0 user: p
    25 devin: I'm on it: I read the code and the logs first.
    50 user: said at 50
    200 user: said at 200
    210 devin: I'm on it: I read the code and the logs first.
    300 devin: I found the cause, and no change of code is needed.

    blocked: Ok(())
    200: resuming null 3.0 p null null, 0 pull requests, updated 200
    220: running working 3.4 p null null, 0 pull requests, updated 220
    300: running finished 6.6 p production_investigation null, 0 pull requests, updated 300
    0 user: p
    25 devin: I'm on it: I read the code and the logs first.
    50 user: said at 50
    100 devin: I need a decision: shall I roll back, or fix it forward?
    200 user: said at 200
    210 devin: I'm on it: I read the code and the logs first.
    300 devin: I found the cause, and no change of code is needed.

    idle-after-pull-request: Ok(())
    200: resuming null 3.0 p null null, 1 pull requests, updated 200
    220: running working 3.4 p null null, 1 pull requests, updated 220
    300: running finished 6.6 p production_investigation null, 1 pull requests, updated 300
    0 user: p
    25 devin: I'm on it: I read the code and the logs first.
    50 user: said at 50
    75 devin: I opened https://github.com/northwind-labs/payments-api/pull/211.
    100 devin: The pull request is ready for review. Is there anything else?
    200 user: said at 200
    210 devin: I'm on it: I read the code and the logs first.
    300 devin: That is all; the pull request waits for a review.

    pull-request: Ok(())
    200: resuming null 3.0 p null null, 1 pull requests, updated 200
    220: running working 3.4 p null null, 1 pull requests, updated 220
    300: running finished 6.6 p production_investigation null, 1 pull requests, updated 300
    0 user: p
    25 devin: I'm on it: I read the code and the logs first.
    50 user: said at 50
    75 devin: I opened https://github.com/northwind-labs/payments-api/pull/211.
    100 devin: That is all; the pull request waits for a review.
    200 user: said at 200
    210 devin: I'm on it: I read the code and the logs first.
    300 devin: That is all; the pull request waits for a review.

    error: Err(409)
    200: error null 3.0 p production_investigation null, 0 pull requests, updated 100
    220: error null 3.0 p production_investigation null, 0 pull requests, updated 100
    300: error null 3.0 p production_investigation null, 0 pull requests, updated 100
    0 user: p
    25 devin: I'm on it: I read the code and the logs first.
    50 user: said at 50
    ");
}

#[test]
fn a_machine_that_cannot_be_resumed_stays_asleep() {
    let tags = ["scenario:suspended-inactivity"];
    let mut alone = Alone::new(json!({"prompt": "p", "tags": tags, "resumable": false}));
    assert_eq!(alone.hear(50), Ok(()));
    assert_eq!(alone.hear(100), Err(409));
}

#[test]
fn what_is_slow_to_list_is_listed_after_a_third_of_its_life_and_what_is_gone_no_more() {
    let listed = |name: &str| {
        let alone = Alone::new(json!({"prompt": "p", "tags": [format!("scenario:{name}")]}));
        [0, 33, 34, 99, 100, 1_000].map(|second| alone.live.listed(at(second)).count())
    };
    assert_eq!(listed("slow-to-list"), [0, 0, 1, 1, 1, 1]);
    assert_eq!(listed("gone"), [1, 1, 1, 1, 0, 0]);
}
