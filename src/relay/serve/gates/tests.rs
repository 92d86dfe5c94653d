//! Each gate just before, at and after its edge.

use std::time::Duration;

use super::*;

const NOW: i64 = 1_000_000_000_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;

fn time(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

/// A job that came a second ago and may start.
fn facts() -> Facts {
    Facts { now: NOW, integration: "one".to_string(), created_at: NOW - 1000, ..Facts::default() }
}

fn open() -> Gates {
    Gates::open("cpu")
}

fn told(facts: &Facts, gates: &Gates, bounds: &Bounds) -> String {
    let decision = decide(facts, gates, bounds);
    match &decision {
        Decision::Start => "start".to_string(),
        Decision::Join { reason, .. } => format!("join: {reason}"),
        Decision::Look { gate, reason } => format!("look, {}: {reason}", gate.name()),
        Decision::Hold { until, gate, reason, .. } => {
            format!("hold {} s, {}: {reason}", (until - NOW) / 1000, gate.name())
        }
        Decision::Refuse { gate, reason } => format!("refuse, {}: {reason}", gate.name()),
    }
}

fn limited(limits: Limits) -> Gates {
    Gates { limits, ..open() }
}

#[test]
fn without_gates_whatever_fires_starts_at_once() {
    assert_eq!(told(&facts(), &open(), &Bounds::default()), "start");
}

#[test]
fn what_was_resolved_starts_nothing_whatever_else_holds_it() {
    let facts = Facts { is_resolved: true, kill_switch: Some("on".to_string()), ..facts() };
    insta::assert_snapshot!(told(&facts, &open(), &Bounds::default()), @"refuse, resolved: the alert was resolved before a session was created");
    let begun = Facts { has_place: true, kill_switch: None, ..facts };
    assert_eq!(told(&begun, &open(), &Bounds::default()), "start", "its job hears of it");
    let about_to = Facts { is_at_create: true, ..begun };
    insta::assert_snapshot!(told(&about_to, &open(), &Bounds::default()), @"refuse, resolved: the alert was resolved before a session was created");
}

#[test]
fn a_job_waits_no_longer_than_max_wait() {
    let waited = |ago| {
        let facts = Facts { created_at: NOW - ago, ..facts() };
        told(&facts, &open(), &Bounds::default())
    };
    let dropped = "refuse, max_wait: it has waited to start for 1h, the most of max_wait";
    assert_eq!([waited(HOUR - 1), waited(HOUR), waited(HOUR + 1)], ["start", dropped, dropped]);
    let delayed = Gates { delay: time(HOUR), ..open() };
    let waited = |ago| told(&Facts { created_at: NOW - ago, ..facts() }, &delayed, &Bounds::default());
    assert_eq!([waited(2 * HOUR - 1), waited(2 * HOUR)], ["start", dropped], "the delay is no wait");
    let begun = Facts { created_at: NOW - 9 * HOUR, has_place: true, ..facts() };
    assert_eq!(told(&begun, &open(), &Bounds::default()), "start");
    let held = Facts { kill_switch: Some("the kill switch is on".to_string()), is_at_create: true, ..begun };
    assert_eq!(told(&held, &open(), &Bounds::default()), "hold 15 s, kill_switch: the kill switch is on");
}

#[test]
fn nothing_passes_a_switch_not_even_what_has_its_place() {
    let bounds = Bounds::default();
    for has_place in [false, true] {
        // Who has a place is asked again soon; all others are when the switch goes off.
        let wait = if has_place { "15 s" } else { "300 s" };
        let off = Facts { kill_switch: Some("the kill switch is on".to_string()), has_place, ..facts() };
        assert_eq!(told(&off, &open(), &bounds), format!("hold {wait}, kill_switch: the kill switch is on"));
        let paused = Facts { paused: Some("the rule cpu is paused".to_string()), has_place, ..facts() };
        assert_eq!(told(&paused, &open(), &bounds), format!("hold {wait}, paused: the rule cpu is paused"));
        let disabled = Bounds { disabled: ["cpu".to_string()].into(), ..Bounds::default() };
        assert_eq!(told(&Facts { has_place, ..facts() }, &open(), &disabled), "refuse, rule: the rule cpu is disabled");
    }
}

#[test]
fn a_switch_never_drops_what_is_about_to_send_its_create_even_without_a_place() {
    let on = Some("the kill switch is on".to_string());
    let full = limited(Limits { concurrent_sessions: Some(1), ..Limits::default() });
    let said = |waited, kill_switch: &Option<String>, at_work| {
        let of_rule = Usage { at_work, ..Usage::default() };
        let created_at = NOW - waited;
        let (is_at_create, kill_switch) = (true, kill_switch.clone());
        told(&Facts { is_at_create, kill_switch, created_at, of_rule, ..facts() }, &full, &Bounds::default())
    };
    for waited in [0, HOUR - 5000, HOUR, 9 * HOUR] {
        assert_eq!(said(waited, &on, 0), "hold 15 s, kill_switch: the kill switch is on");
        assert_eq!(said(waited, &None, 0), "start", "a switch was what put it off");
    }
    // What a limit holds is, as everything that a limit holds.
    assert!(said(HOUR - 5000, &None, 1).starts_with("hold 5 s, concurrent_sessions"));
    assert_eq!(said(HOUR, &None, 1), "refuse, max_wait: it has waited to start for 1h, the most of max_wait");
}

#[test]
fn what_is_suppressed_or_whose_rule_is_disabled_is_turned_away_whatever_switch_holds_it() {
    let disabled = Bounds { disabled: ["cpu".to_string()].into(), ..Bounds::default() };
    for (has_place, is_at_create) in [(false, false), (true, false), (true, true)] {
        for (kill_switch, paused) in [(None, None), (Some("on"), None), (None, Some("paused"))] {
            let [kill_switch, paused] = [kill_switch, paused].map(|reason: Option<&str>| reason.map(str::to_string));
            let held = Facts { has_place, is_at_create, kill_switch, paused, ..facts() };
            assert_eq!(told(&held, &open(), &disabled), "refuse, rule: the rule cpu is disabled");
            let suppressed = Facts { suppressed: Some("suppressed until noon".to_string()), ..held };
            assert_eq!(told(&suppressed, &open(), &Bounds::default()), "refuse, suppressed: suppressed until noon");
        }
    }
}

#[test]
fn what_a_person_asks_for_is_the_next_try_after_the_quota_and_passes_no_limit() {
    let by_hand = Facts { is_by_hand: true, ready_at: Some(NOW), tried_again_at: Some(NOW + 1), ..facts() };
    assert_eq!(told(&by_hand, &open(), &Bounds::default()), "start");
    let full = limited(Limits { concurrent_sessions: Some(1), ..Limits::default() });
    let facts = Facts { of_rule: Usage { at_work: 1, ..Usage::default() }, ..by_hand };
    assert!(told(&facts, &full, &Bounds::default()).starts_with("hold 60 s, concurrent_sessions"));
}

#[test]
fn a_delay_counts_from_when_the_alert_came() {
    let delayed = Gates { delay: time(5 * MINUTE), ..open() };
    let after = |ago| told(&Facts { created_at: NOW - ago, ..facts() }, &delayed, &Bounds::default());
    assert_eq!(after(0), "hold 300 s, delay: it has to fire for 5m first");
    assert_eq!(after(5 * MINUTE - 1000), "hold 1 s, delay: it has to fire for 5m first");
    assert_eq!([after(5 * MINUTE), after(5 * MINUTE + 1)], ["start", "start"]);
}

#[test]
fn what_fires_too_seldom_waits_for_the_next_firing_and_then_ends() {
    let often = Gates { min_occurrences: Some(Occurrences { count: 3, within: time(HOUR) }), ..open() };
    let fired = |ago: &[i64]| {
        let firings = ago.iter().map(|ago| NOW - ago).collect();
        told(&Facts { firings, ..facts() }, &often, &Bounds::default())
    };
    assert_eq!(fired(&[0]), "hold 3600 s, min_occurrences: it fired 1 of 3 times within 1h");
    assert_eq!(fired(&[0, MINUTE]), "hold 3600 s, min_occurrences: it fired 2 of 3 times within 1h");
    assert_eq!([fired(&[0, 1, 2]), fired(&[0, 1, 2, 3])], ["start", "start"]);
    assert_eq!(fired(&[0, 1, HOUR - 1]), "start");
    assert_eq!(fired(&[1000, 2000, HOUR + 1000]), "hold 3599 s, min_occurrences: it fired 2 of 3 times within 1h");
    assert_eq!(fired(&[HOUR]), "refuse, min_occurrences: it fired fewer than 3 times within 1h");
    let ready = Facts { ready_at: Some(NOW - MINUTE), ..facts() };
    assert_eq!(told(&ready, &often, &Bounds::default()), "start", "once is enough");
}

#[test]
fn how_often_it_fired_is_judged_by_when_it_fired_and_not_by_when_it_is_asked() {
    let often = Gates { min_occurrences: Some(Occurrences { count: 3, within: time(MINUTE) }), ..open() };
    // A switch has held it since.
    let came = |created_at, fired: &[i64]| {
        let firings = fired.iter().map(|ago| NOW - ago).collect();
        told(&Facts { created_at: NOW - created_at, firings, ..facts() }, &often, &Bounds::default())
    };
    let seldom = "refuse, min_occurrences: it fired fewer than 3 times within 1m";
    let in_a_minute = |created_at| came(created_at, &[10 * MINUTE, 10 * MINUTE + 5, 11 * MINUTE - 1]);
    assert_eq!([in_a_minute(11 * MINUTE - 1), in_a_minute(10 * MINUTE)], ["start", "start"]);
    assert_eq!(came(11 * MINUTE, &[10 * MINUTE, 10 * MINUTE + 5, 11 * MINUTE]), seldom);
    assert_eq!(in_a_minute(9 * MINUTE), seldom, "those were of its last job");
    assert_eq!(came(10 * MINUTE, &[MINUTE, 9 * MINUTE, 9 * MINUTE + 1]), seldom);
    assert_eq!(came(9 * MINUTE, &[9 * MINUTE, 9 * MINUTE + 1, 9 * MINUTE + 2]), "start", "two of them were before it");
    // Since then it could have started.
    let dropped = "refuse, max_wait: it has waited to start for 1h, the most of max_wait";
    assert_eq!(came(2 * HOUR, &[HOUR + 1, HOUR + 2, HOUR + 3]), dropped);
    assert_eq!(came(2 * HOUR, &[HOUR - 1, HOUR, HOUR + 1]), "start");
}

#[test]
fn what_an_earlier_session_may_hold_is_looked_at_before_it_takes_a_place() {
    let full = limited(Limits { concurrent_sessions: Some(1), ..Limits::default() });
    let facts =
        Facts { cooldown: Some("ended".to_string()), of_rule: Usage { at_work: 1, ..Usage::default() }, ..facts() };
    assert_eq!(told(&facts, &full, &Bounds::default()), "look, cooldown: ended");
}

#[test]
fn when_the_quota_is_used_up_it_is_held_until_the_next_start_is_tried() {
    let told = |to: i64| {
        let facts = Facts { tried_again_at: Some(NOW + to), ..facts() };
        told(&facts, &open(), &Bounds::default())
    };
    assert_eq!(
        told(1000),
        "hold 1 s, quota: the quota of the integration one is used up: one start is tried every 15 minutes until a session has worked"
    );
    assert_eq!([told(0), told(-1)], ["start", "start"]);
}

#[test]
fn so_many_sessions_are_at_work_and_no_more() {
    let gates = limited(Limits { concurrent_sessions: Some(2), ..Limits::default() });
    let at_work = |at_work| {
        told(&Facts { of_rule: Usage { at_work, ..Usage::default() }, ..facts() }, &gates, &Bounds::default())
    };
    let held =
        "hold 60 s, concurrent_sessions: the rule cpu has 2 sessions at work, as many as concurrent_sessions allows";
    assert_eq!([at_work(1), at_work(2), at_work(3)], ["start", held, held]);
}

#[test]
fn windows_of_starts_hold_side_by_side() {
    let runs = vec![Runs { count: 2, within: time(HOUR) }, Runs { count: 3, within: time(24 * HOUR) }];
    let gates = limited(Limits { runs, ..Limits::default() });
    let started = |ago: &[i64]| {
        let starts = ago.iter().map(|ago| NOW - ago).collect();
        told(&Facts { of_rule: Usage { starts, ..Usage::default() }, ..facts() }, &gates, &Bounds::default())
    };
    let hour = |seconds| {
        format!("hold {seconds} s, runs: the rule cpu has started 2 sessions within 1h, as many as runs allows")
    };
    assert_eq!(started(&[0]), "start");
    assert_eq!(started(&[0, MINUTE]), hour(3540));
    assert_eq!(started(&[0, HOUR - 1000]), hour(1));
    assert_eq!(started(&[0, HOUR]), "start", "the window ends there");
    assert_eq!(
        started(&[2 * HOUR, 3 * HOUR, 23 * HOUR]),
        "hold 3599 s, runs: the rule cpu has started 3 sessions within 1d, as many as runs allows"
    );
    assert_eq!(started(&[2 * HOUR, 3 * HOUR, 24 * HOUR]), "start");
}

#[test]
fn a_budget_is_reserved_by_what_each_session_may_use() {
    let gates = limited(Limits { acu_per_day: Some(10), ..Limits::default() });
    let used = |acus, wanted: Option<u32>| {
        let usage = Usage { acus, ..Usage::default() };
        told(&Facts { of_rule: usage, max_acu_limit: wanted, ..facts() }, &gates, &Bounds::default())
    };
    assert_eq!([used(0.0, Some(10)), used(5.0, Some(5))], ["start", "start"]);
    insta::assert_snapshot!(used(5.01, Some(5)), @"hold 300 s, acu_per_day: the rule cpu has used or reserved 5.01 of the 10 ACUs of this day (UTC), and its session may use 5");
    insta::assert_snapshot!(used(0.0, Some(11)), @"refuse, acu_per_day: its session may use 11 ACUs, more than the 10 that acu_per_day of the rule cpu allows in a whole day");
    insta::assert_snapshot!(used(0.0, None), @"refuse, acu_per_day: acu_per_day of the rule cpu needs a max_acu_limit for each session");
}

#[test]
fn the_bridge_the_integration_and_the_rule_have_limits_of_their_own() {
    let one = Limits { concurrent_sessions: Some(1), ..Limits::default() };
    let full = Usage { at_work: 1, ..Usage::default() };
    let all = Facts { bridge: full.clone(), of_integration: full.clone(), of_rule: full, ..facts() };
    let bridge = Bounds { limits: one.clone(), ..Bounds::default() };
    let integration = Bounds { integrations: [("one".to_string(), one.clone())].into(), ..Bounds::default() };
    let other = Bounds { integrations: [("two".to_string(), one.clone())].into(), ..Bounds::default() };
    let said = [(&open(), &bridge), (&open(), &integration), (&open(), &other), (&limited(one), &other)]
        .map(|(gates, bounds)| told(&all, gates, bounds));
    insta::assert_snapshot!(said.join("\n"), @"
    hold 60 s, concurrent_sessions: the bridge has 1 session at work, as many as concurrent_sessions allows
    hold 60 s, concurrent_sessions: the integration one has 1 session at work, as many as concurrent_sessions allows
    start
    hold 60 s, concurrent_sessions: the rule cpu has 1 session at work, as many as concurrent_sessions allows
    ");
}

#[test]
fn a_hold_ends_when_the_longest_wait_does() {
    let gates = limited(Limits { concurrent_sessions: Some(0), ..Limits::default() });
    let facts = Facts { created_at: NOW - HOUR + 5000, ..facts() };
    assert!(told(&facts, &gates, &Bounds::default()).starts_with("hold 5 s, "));
}

#[test]
fn in_a_storm_a_few_start_the_rest_waits_and_one_stands_for_all() {
    let gates = Gates { storm: Some(Storm::default()), ..open() };
    let linked = Linked { session_id: "s".to_string(), session_url: None };
    let said = |started, last_ago, root| {
        let storm = StormFacts { detected_at: NOW - 20_000, last_at: NOW - last_ago, started, root };
        told(&Facts { storm: Some(storm), ..facts() }, &gates, &Bounds::default())
    };
    assert_eq!([said(1, 0, Root::Open), said(2, 0, Root::This)], ["start", "start"]);
    let held = "storm: 5 alerts or more within 1m are a storm: one session is started for all of it";
    assert_eq!(said(2, 0, Root::Open), format!("hold 15 s, {held}"));
    assert_eq!(said(2, 14_000, Root::Open), format!("hold 1 s, {held}"));
    insta::assert_snapshot!(said(9, 0, Root::Waits), @"hold 10 s, storm: it is part of a storm, and waits for the session that is started for all of it");
    insta::assert_snapshot!(said(9, 0, Root::Session(linked.clone())), @"join: it is part of a storm, which has one session");
    let after = |is_at_work| {
        let facts = Facts { linked: Some((linked.clone(), is_at_work)), ..facts() };
        told(&facts, &gates, &Bounds::default())
    };
    insta::assert_snapshot!(after(true), @"join: it was part of a storm whose session is at work");
    insta::assert_snapshot!(after(false), @"refuse, cooldown: it was part of a storm whose session ended within the cool-down");
}

#[test]
fn a_storm_and_the_longest_wait_are_what_people_know_where_the_file_says_nothing() {
    let storm = Storm::default();
    assert_eq!((storm.threshold, storm.window.as_secs(), storm.immediate), (5, 60, 2));
    assert_eq!(open().max_wait.as_secs(), 3600);
}
