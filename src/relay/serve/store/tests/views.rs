//! What is shown of what is kept, by every store.

use std::time::Instant;

use super::asking::ask;
use super::*;
use crate::relay::alert::Severity;
use crate::relay::event::EventKind;
use crate::relay::serve::gates::{Bounds, Limits, Runs};

/// A firing alert with a severity.
fn severe(number: u32, tag: &str, severity: Severity) -> NewDelivery {
    let mut delivery = delivery(number, "", &format!("{tag} {number}"), tag, "firing");
    delivery.entries[0].title = format!("{tag} is 100% full");
    if let EntryState::Firing(new) = &mut delivery.entries[0].state {
        new.severity = Some(severity);
        new.job.request.new.prompt = format!("look into {tag}");
    }
    delivery
}

/// Takes a job to this progress, and to its end where there is a kind.
async fn advance(store: &Store, alert: &str, change: impl Fn(&mut Save)) {
    let due = store.claim("one", "me", NO_LEASE, 99).await.unwrap().claimed;
    let id = store.alert(alert).await.unwrap().unwrap().jobs.remove(0).id;
    let claimed = due.into_iter().find(|claimed| claimed.job.id == id).expect("it is due");
    let mut save = save(&claimed, "me", None);
    change(&mut save);
    assert!(matches!(store.save(save).await.unwrap(), Saved::Kept(_)));
}

fn works(save: &mut Save) {
    let mut job = serde_json::to_value(&save.job).unwrap();
    job["made"] = serde_json::json!(["1"]);
    save.job = serde_json::from_value(job).unwrap();
    save.progress.session_id = Some("devin-1".to_string());
    save.progress.session_url = Some("https://app.devin.ai/sessions/1".to_string());
    let (session_id, session_url) = ("devin-1".to_string(), save.progress.session_url.clone());
    save.events = vec![EventKind::SessionCreated { session_id, session_url }];
}

fn ends(kind: OutcomeKind) -> impl Fn(&mut Save) {
    move |save| {
        save.job.phase = Phase::Settled(End::Outcome(kind));
        save.progress.status = Some(kind.status().name().to_string());
        save.progress.result = serde_json::to_value(kind).unwrap().as_str().map(str::to_string);
        save.progress.acus_consumed = Some(1.5);
        if kind == OutcomeKind::PrOpened {
            save.progress.pr_url = Some("https://github.com/acme/api/pull/1".to_string());
        }
        save.events = vec![EventKind::note("it ended")];
    }
}

async fn tags(store: &Store, filter: AlertFilter) -> String {
    let mut tags: Vec<String> =
        store.find_alerts(filter, 99, None).await.unwrap().into_iter().map(|alert| alert.tag).collect();
    tags.sort();
    tags.join(" ")
}

#[tokio::test]
async fn alerts_are_found_by_what_is_asked_of_them() {
    for (store, address, _directory) in stores().await {
        for (number, tag) in [(1, "cpu"), (2, "disk"), (3, "net"), (4, "web")] {
            let severity = if number == 1 { Severity::Critical } else { Severity::Low };
            store.accept(severe(number, tag, severity)).await.unwrap();
        }
        store.accept(delivery(5, "", "r", "web", "resolved")).await.unwrap();
        for claimed in store.claim("one", "me", NO_LEASE, 99).await.unwrap().claimed {
            let ask =
                Ask { kill_switch: (claimed.job.id == "j3").then(|| "it is on".to_string()), ..ask(&claimed, false) };
            store.admit(ask).await.unwrap();
        }
        advance(&store, "cpu", works).await;
        advance(&store, "cpu", ends(OutcomeKind::PrOpened)).await;
        advance(&store, "disk", works).await;
        advance(&store, "web", ends(OutcomeKind::ResolvedBeforeStart)).await;
        let by = AlertFilter::default;
        let text = |text: &str| AlertFilter { text: Some(text.to_string()), ..by() };
        let some = |text: &str| Some(text.to_string());
        let mut table = Vec::new();
        for (what, filter) in [
            ("all", by()),
            ("firing", AlertFilter { state: some("firing"), ..by() }),
            ("resolved", AlertFilter { state: some("resolved"), ..by() }),
            ("waiting", AlertFilter { standing: Some(Standing::Waiting), ..by() }),
            ("held by the kill switch", AlertFilter { gate: some("kill_switch"), ..by() }),
            ("on it", AlertFilter { standing: Some(Standing::OnIt), ..by() }),
            ("done", AlertFilter { standing: Some(Standing::Done), ..by() }),
            ("dropped", AlertFilter { standing: Some(Standing::Dropped), ..by() }),
            ("with a pull request", AlertFilter { result: some("pr_opened"), ..by() }),
            ("critical", AlertFilter { severity: some("critical"), ..by() }),
            ("of another rule", AlertFilter { rule: some("other"), ..by() }),
            ("of its route", AlertFilter { route: some("r"), state: some("resolved"), ..by() }),
            ("later", AlertFilter { since: Some(i64::MAX), ..by() }),
            ("DISK", text("DISK")),
            ("100%", text("100%")),
            ("1_0", text("1_0")),
            ("devin-1", text("devin-1")),
        ] {
            table.push(format!("{what}: {}", tags(&store, filter).await));
        }
        insta::allow_duplicates! { insta::assert_snapshot!(table.join("\n"), @r"
        all: cpu disk net web
        firing: cpu disk net
        resolved: web
        waiting: net
        held by the kill switch: net
        on it: disk
        done: cpu
        dropped: web
        with a pull request: cpu
        critical: cpu
        of another rule: 
        of its route: web
        later: 
        DISK: disk
        100%: cpu disk net
        1_0: 
        devin-1: cpu disk
        ") }
        let on_it = store.find_alerts(AlertFilter { standing: Some(Standing::OnIt), ..by() }, 9, None).await.unwrap();
        let responder = on_it[0].responder.clone().expect("Devin is on it");
        assert_eq!((responder.status, responder.session_id), (ResponderStatus::OnIt, some("devin-1")), "{address}");
        let jobs = store.jobs(JobFilter { standing: Some(Standing::Done), ..JobFilter::default() }, 9, None).await;
        let responder = jobs.unwrap().remove(0).job.responder().expect("it is done");
        assert_eq!((responder.status, responder.pr_url.is_some()), (ResponderStatus::Done, true), "{address}");
        assert!(responder.completed_at >= responder.joined_at, "{address}: {responder:?}");
    }
}

#[tokio::test]
async fn an_alert_tells_what_happened_to_it_from_its_delivery_to_its_outcome() {
    for (store, address, _directory) in stores().await {
        store.accept(severe(1, "cpu", Severity::High)).await.unwrap();
        let again = NewDelivery { id: "d2".to_string(), ..severe(1, "cpu", Severity::High) };
        store.accept(again).await.unwrap();
        let claimed = store.claim("one", "me", NO_LEASE, 99).await.unwrap().claimed.remove(0);
        let ask = Ask { kill_switch: Some("it is on".to_string()), ..ask(&claimed, true) };
        store.admit(ask.clone()).await.unwrap();
        store.admit(Ask { kill_switch: None, ..ask }).await.unwrap();
        let action = |target: &str, alert: Option<&str>| NewAction {
            id: format!("action-{target}"),
            who: "ops from 127.0.0.1".to_string(),
            action: "suppress".to_string(),
            target: target.to_string(),
            alert: alert.map(str::to_string),
            is_done: true,
            result: "until tomorrow".to_string(),
        };
        store.note_action(action("key", Some("cpu"))).await.unwrap();
        store.note_action(action("other", None)).await.unwrap();
        advance(&store, "cpu", works).await;
        advance(&store, "cpu", ends(OutcomeKind::PrOpened)).await;
        let shown = store.alert("cpu").await.unwrap().unwrap();
        let mut lines: Vec<String> = shown
            .timeline
            .iter()
            .map(|entry| match &entry.what {
                Happening::Delivery { delivery_id, state, taken, .. } => format!("{delivery_id} {state}: {taken}"),
                Happening::Decision { decision } => {
                    format!("{} {}", decision.decision, decision.gate.as_deref().unwrap_or("-"))
                }
                Happening::Action { action } => format!("{} by {}", action.action, action.who),
                Happening::Event { job_id, event } => {
                    let event = serde_json::to_value(event).unwrap();
                    format!("{job_id} {}", event["event"].as_str().unwrap())
                }
                Happening::Notification { notification } => format!("{} is told", notification.target),
            })
            .collect();
        // It may have been done within the moment of what came before or after.
        let action = lines.iter().position(|line| line.starts_with("suppress")).map(|place| lines.remove(place));
        assert_eq!(action.as_deref(), Some("suppress by ops from 127.0.0.1"), "{address}");
        assert_eq!(
            lines,
            [
                "d1 firing: started",
                "d2 firing: duplicate",
                "hold kill_switch",
                "start -",
                "j1 session_created",
                "j1 note"
            ],
            "{address}"
        );
        assert!(shown.timeline.is_sorted_by_key(|entry| entry.at), "{address}");
        let job = store.job("j1").await.unwrap().unwrap();
        assert_eq!((job.prompt.as_deref(), job.delivery_id.as_deref()), (Some("look into cpu"), Some("d1")));
        assert_eq!(job.timeline.len(), 4, "{address}: {:?}", job.timeline);
        assert_eq!(store.actions(9, None).await.unwrap().len(), 2, "{address}");
        assert!(store.alert("nobody").await.unwrap().is_none() && store.job("j9").await.unwrap().is_none());
        // What happened is forgotten with the deliveries, a moment after it was kept.
        while !store.alert("cpu").await.unwrap().unwrap().timeline.is_empty() {
            store.prune(keep(Duration::ZERO, u64::MAX)).await.unwrap();
        }
        assert!(store.actions(9, None).await.unwrap().is_empty(), "{address}");
    }
}

#[tokio::test]
async fn days_rules_routes_and_limits_are_counted() {
    for (store, address, _directory) in stores().await {
        let limits = Limits {
            concurrent_sessions: Some(3),
            runs: vec![Runs { count: 2, within: Duration::from_secs(3600) }],
            acu_per_day: Some(10),
        };
        for (number, tag) in [(1, "cpu"), (2, "disk")] {
            store.accept(severe(number, tag, Severity::High)).await.unwrap();
        }
        for claimed in store.claim("one", "me", NO_LEASE, 99).await.unwrap().claimed {
            let bounds = Bounds { limits: limits.clone(), ..Bounds::default() };
            let ask = Ask { bounds: Arc::new(bounds), ..ask(&claimed, false) };
            store.admit(ask).await.unwrap();
        }
        advance(&store, "cpu", works).await;
        advance(&store, "cpu", ends(OutcomeKind::PrOpened)).await;
        let scope = |kind, name: &str, limits: &Limits| Scope { kind, name: name.to_string(), limits: limits.clone() };
        let none = Limits::default();
        let scopes = vec![scope(ScopeKind::Bridge, "", &limits), scope(ScopeKind::Rule, "default", &none)];
        let usage = store.usage(scopes).await.unwrap();
        assert_eq!(usage.len(), 1, "what has no limits is left out: {address}");
        let [window] = usage[0].runs[..] else { panic!("{usage:?}") };
        assert_eq!(usage[0].concurrent_sessions, Some(Share { used: 1.0, of: 3 }), "{address}");
        assert_eq!((window.share, window.free_at.is_some()), (Share { used: 2.0, of: 2 }, true), "{address}");
        assert_eq!(
            usage[0].acu_per_day,
            Some(Share { used: 5.5, of: 10 }),
            "what ended and what is reserved: {address}"
        );
        let statistics = store.statistics(7).await.unwrap();
        assert_eq!(statistics.days.len(), 7, "{address}");
        // Midnight may have passed since.
        let of_days = |count: fn(&DayView) -> i64| statistics.days.iter().map(count).sum::<i64>();
        assert_eq!((of_days(|day| day.sessions), of_days(|day| day.deliveries)), (1, 2), "{address}: {statistics:?}");
        assert_eq!(of_days(|day| day.results.get("pr_opened").copied().unwrap_or_default()), 1, "{address}");
        assert_eq!((statistics.time_to_pr.count, statistics.time_to_pr.p90_ms.is_some()), (1, true), "{address}");
        let [rule] = &statistics.rules[..] else { panic!("{statistics:?}") };
        let counted = (rule.rule.as_str(), rule.sessions, rule.pull_requests, rule.acus_consumed);
        assert_eq!(counted, ("default", 1, 1, 1.5), "{address}");
        let routes = store.routes().await.unwrap();
        let [RouteView { route, last_day: 2, unrecognized_last_day: 0, .. }] = &routes[..] else {
            panic!("{routes:?}")
        };
        assert_eq!(route, "r", "{address}");
    }
}

#[tokio::test]
async fn ten_thousand_alerts_are_listed_and_searched_without_a_wait() {
    for (store, address, _directory) in stores().await.into_iter().skip(1) {
        for hundred in 0..100u32 {
            let mut many = delivery(hundred, "", &hundred.to_string(), "x", "firing");
            let entry = |number: u32| severe(number, &format!("t{number}"), Severity::Low).entries.remove(0);
            many.entries = (hundred * 100..hundred * 100 + 100).map(entry).collect();
            store.accept(many).await.unwrap();
        }
        let text = |text: &str| AlertFilter { text: Some(text.to_string()), ..AlertFilter::default() };
        let mut slowest = (Duration::ZERO, "");
        for (what, filter, expected) in [
            ("all", AlertFilter::default(), 100),
            ("a page that nobody is on", AlertFilter { standing: Some(Standing::OnIt), ..AlertFilter::default() }, 0),
            ("a text that few have", text("t9999 is"), 1),
            ("a text that none has", text("nowhere"), 0),
        ] {
            let began = Instant::now();
            assert_eq!(store.find_alerts(filter, 100, None).await.unwrap().len(), expected, "{what}: {address}");
            slowest = slowest.max((began.elapsed(), what));
        }
        for what in ["an alert", "jobs that wait", "decisions", "statistics", "routes"] {
            let began = Instant::now();
            match what {
                "an alert" => drop(store.alert("t5000").await.unwrap().unwrap()),
                "jobs that wait" => {
                    let waiting = JobFilter { standing: Some(Standing::Waiting), ..JobFilter::default() };
                    assert_eq!(store.jobs(waiting, 100, None).await.unwrap().len(), 100);
                }
                "decisions" => drop(store.decisions(100, None).await.unwrap()),
                "statistics" => drop(store.statistics(30).await.unwrap()),
                _ => drop(store.routes().await.unwrap()),
            }
            slowest = slowest.max((began.elapsed(), what));
        }
        // As a guard against reading all for each; the figures are a tenth of it.
        assert!(slowest.0 < Duration::from_secs(1), "{address}: {slowest:?}");
    }
}

#[tokio::test]
async fn what_is_open_is_counted_and_what_has_ended_is_not() {
    for (store, address, _directory) in stores().await {
        for (number, tag) in [(1, "cpu"), (2, "disk"), (3, "net")] {
            store.accept(severe(number, tag, Severity::High)).await.unwrap();
        }
        for claimed in store.claim("one", "me", NO_LEASE, 99).await.unwrap().claimed {
            let kill_switch = (claimed.job.id == "j3").then(|| "it is on".to_string());
            store.admit(Ask { kill_switch, ..ask(&claimed, false) }).await.unwrap();
        }
        advance(&store, "cpu", works).await;
        advance(&store, "disk", works).await;
        advance(&store, "disk", ends(OutcomeKind::QuotaExceeded)).await;
        store.throw(Switch::Rule("default".to_string()), true).await.unwrap();
        let asked = OpenAsked {
            routes: vec!["generic".to_string(), "nobody".to_string()],
            integrations: vec!["one".to_string(), "two".to_string()],
            windows: vec![1, 3_600_000],
            has_budget: true,
        };
        let open = store.open_now(asked).await.unwrap();
        let mut jobs: Vec<_> =
            open.jobs.iter().map(|jobs| (jobs.gate.as_deref(), jobs.has_session, jobs.has_place, jobs.count)).collect();
        jobs.sort_unstable();
        assert_eq!(jobs, [(None, true, true, 1), (Some("kill_switch"), false, false, 1)], "{address}");
        let within: Vec<_> =
            open.starts.iter().filter(|starts| starts.within_ms > 1).map(|starts| starts.count).collect();
        assert_eq!(within, [2], "{address}");
        assert_eq!(open.acus.len(), 1, "{address}");
        assert_eq!(open.out_of_quota, ["one"], "{address}");
        assert_eq!(open.switches, [Switch::Rule("default".to_string())], "{address}");
        assert!(open.size_bytes > 0 && open.last_deliveries.iter().all(|(route, at)| route != "nobody" && *at > 0));
        assert!(open.outstanding.is_empty() && open.dead.is_empty() && open.blocked.is_empty(), "{address}");
    }
}

#[tokio::test]
async fn alerts_are_listed_page_by_page() {
    for (store, address, _directory) in stores().await {
        for number in 1..=5 {
            let text = number.to_string();
            store.accept(delivery(number, "", &text, &text, "firing")).await.unwrap();
        }
        let (mut tags, mut after) = (Vec::new(), None);
        loop {
            let page = store.alerts(2, after).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(After { at: last.last_at, id: last.tag.clone() });
            tags.extend(page.into_iter().map(|alert| alert.tag));
        }
        tags.sort();
        assert_eq!(tags, ["1", "2", "3", "4", "5"], "{address}");
    }
}
