//! The pages over values that were thought up: every state, and text that would rather be HTML.

use super::*;

const NOW: i64 = 1_795_903_200_000;
const MINUTE: i64 = 60_000;

fn frame(viewer: Viewer) -> Frame {
    Frame { now: NOW, viewer, form_token: "f0rm".to_string(), here: "/".to_string(), notice: None, seen: 7 }
}

fn job(phase: &str, status: Option<&str>, result: Option<&str>) -> JobRow {
    let has_session = !matches!(phase, "received" | "creating");
    JobRow {
        rule: "checkout".to_string(),
        integration: "main".to_string(),
        phase: phase.to_string(),
        created_at: NOW - 9 * MINUTE,
        settled_at: (phase == "settled").then_some(NOW - MINUTE),
        status: status.map(str::to_string),
        result: result.map(str::to_string),
        session: has_session
            .then(|| Session { id: "s1".to_string(), url: Some("https://app.devin.ai/sessions/s1".to_string()) }),
        acus: has_session.then_some(2.25),
        ..JobRow::default()
    }
}

fn row(title: &str, job: Option<JobRow>) -> AlertRow {
    AlertRow {
        tag: "ar-0123".to_string(),
        title: title.to_string(),
        route: "alertmanager".to_string(),
        severity: Some("high".to_string()),
        is_resolved: false,
        first_at: NOW - 10 * MINUTE,
        last_at: NOW - 3 * MINUTE,
        job,
    }
}

fn rows() -> Vec<AlertRow> {
    let held = Waits {
        gate: Some("storm".to_string()),
        reason: "it is one of 12 alerts of a storm".to_string(),
        until: Some(NOW + 10_000),
    };
    let with_pr = JobRow {
        pr_url: Some("https://github.com/acme/shop/pull/7".to_string()),
        ..job("settled", Some("done"), Some("pr_opened"))
    };
    vec![
        row("No rule took it", None),
        row("Held in a storm", Some(JobRow { waits: Some(held), ..job("received", None, None) })),
        row("Being created", Some(job("creating", None, None))),
        row("Worked on", Some(job("watching", None, None))),
        row(
            "Asks a person",
            Some(JobRow {
                reason: Some("Devin asks a person: open the session and answer".to_string()),
                ..job("settled", Some("blocked"), Some("waiting_for_user"))
            }),
        ),
        row("Has a pull request", Some(with_pr)),
        row(
            "Out of quota",
            Some(JobRow {
                reason: Some("out_of_quota: top up".to_string()),
                ..job("settled", Some("dropped"), Some("quota_exceeded"))
            }),
        ),
    ]
}

fn all(alerts: Vec<AlertRow>, viewer: Viewer) -> Overview {
    Overview {
        frame: frame(viewer),
        filter: Filter::default(),
        choices: Choices { rules: vec!["checkout".into(), "rest".into()], ..Choices::default() },
        tally: Tally { working: 2, waiting: 1, blocked: 1, pull_requests_today: 1, dropped_today: 1, acus_today: 2.25 },
        alerts,
        next: Some("5.ar-9".to_string()),
        storms: vec![StormRow {
            rule: "checkout".to_string(),
            detected_at: NOW - 20_000,
            state: StormState::Collecting,
            members: vec![("ar-0123".to_string(), "Held in a storm".to_string())],
            more: 11,
            root: None,
        }],
        limits: vec![Limit {
            scope: "bridge".into(),
            what: "sessions at once".into(),
            used: 2.0,
            of: 2.0,
            free_at: Some(NOW + MINUTE),
        }],
        refusals: vec![Refusal {
            at: NOW - MINUTE,
            tag: Some("ar-7".to_string()),
            title: Some("The disk is full".to_string()),
            key: "disk".to_string(),
            gate: "cooldown".to_string(),
            reason: "a session ended 5 minutes ago".to_string(),
        }],
        kill_switch: None,
        integrations: vec![Integration {
            name: "main".to_string(),
            health: Health::Bad,
            text: "The key is refused.".to_string(),
            since: Some(NOW - MINUTE),
            paused_at: None,
            quota: Some(Quota { since: NOW - 12 * MINUTE, next_at: NOW + 3 * MINUTE }),
        }],
        rules: vec![RuleRow {
            id: "checkout".to_string(),
            integration: "main".to_string(),
            is_enabled: true,
            paused_at: Some(NOW - MINUTE),
        }],
        routes: vec![Route {
            name: "alertmanager".to_string(),
            sender: "alertmanager".to_string(),
            last_delivery_at: Some(NOW - 3 * MINUTE),
            unrecognized: 0,
            refused: Some((NOW - MINUTE, 2, "the bearer token is wrong".to_string())),
        }],
        days: vec![Day {
            date: "2026-11-28".to_string(),
            sessions: 7,
            pull_requests: 3,
            done: 1,
            blocked: 0,
            dropped: 2,
            to_pull_request: ToPullRequest { count: 3, half_ms: 8 * MINUTE, most_ms: 20 * MINUTE },
        }],
        to_pull_request: ToPullRequest { count: 3, half_ms: 8 * MINUTE, most_ms: 20 * MINUTE },
        costs: vec![RuleCost { rule: "checkout".to_string(), acus: 12.5 }],
    }
}

/// The HTML with a line for each element that opens a block, to be read in a review.
fn lines(html: &str) -> String {
    let mut text = html.to_string();
    for tag in
        ["<section", "<tr", "<td", "<p", "<li", "<form", "<details", "<figure", "<h1", "<h2", "<main", "<body", "<dt"]
    {
        text = text.replace(tag, &format!("\n{tag}"));
    }
    text
}

fn from<'h>(html: &'h str, start: &str, end: &str) -> &'h str {
    let rest = &html[html.find(start).unwrap_or_else(|| panic!("no {start}"))..];
    &rest[..rest.find(end).unwrap_or(rest.len())]
}

#[test]
fn every_state_has_its_row() {
    let html = overview(&all(rows(), Viewer::Anyone));
    insta::assert_snapshot!(lines(from(&html, "<tbody", "</table")));
}

#[test]
fn what_explains_stands_beside_the_list() {
    let html = overview(&all(Vec::new(), Viewer::Anyone));
    insta::assert_snapshot!(lines(&html));
}

fn alert_page(alert_row: AlertRow, viewer: Viewer) -> AlertPage {
    AlertPage {
        frame: frame(viewer),
        key: "alertmanager:disk".to_string(),
        jobs: alert_row.job.clone().into_iter().collect(),
        alert: alert_row,
        timeline: vec![
            Moment {
                at: NOW - 10 * MINUTE,
                kind: "delivery".to_string(),
                text: "Delivered by alertmanager".to_string(),
                delivery: Some("delivery-1".to_string()),
                ..Moment::default()
            },
            Moment {
                at: NOW - 9 * MINUTE,
                kind: "session".to_string(),
                text: "Session created".to_string(),
                ..Moment::default()
            },
        ],
        prompt: Some(Prompt { text: "Fix the disk.\n<alert>full</alert>".to_string(), is_sent: true }),
        suppressed_until: None,
        actions: vec![Action::Retry("job-1".to_string()), Action::Suppress { tag: "ar-0123".to_string(), hours: 0 }],
    }
}

#[test]
fn the_page_of_an_alert_tells_its_course() {
    let shown = alert_page(rows().remove(6), Viewer::Admin("ops".to_string()));
    insta::assert_snapshot!(lines(from(&alert(&shown), "<main", "</main")));
}

#[test]
fn hostile_text_stays_text_wherever_it_is_shown() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let link = "javascript:alert(1)";
    let bad_job = JobRow {
        rule: evil.to_string(),
        integration: evil.to_string(),
        reason: Some(evil.to_string()),
        pr_url: Some(link.to_string()),
        session: Some(Session { id: evil.to_string(), url: Some(link.to_string()) }),
        waits: Some(Waits { gate: Some(evil.to_string()), reason: evil.to_string(), until: None }),
        ..job("watching", None, None)
    };
    let bad = AlertRow {
        tag: evil.to_string(),
        title: evil.to_string(),
        route: evil.to_string(),
        severity: Some(evil.to_string()),
        ..row("", Some(bad_job))
    };
    let mut page = all(vec![bad.clone()], Viewer::Admin(evil.to_string()));
    page.filter.q = evil.to_string();
    page.filter.rule = evil.to_string();
    page.frame.notice = Some(Notice { is_good: false, text: evil.to_string() });
    page.frame.here = evil.to_string();
    page.kill_switch = Some(evil.to_string());
    page.refusals[0].key = evil.to_string();
    page.refusals[0].title = Some(evil.to_string());
    page.integrations[0].name = evil.to_string();
    page.storms[0].members[0].1 = evil.to_string();
    page.costs[0].rule = evil.to_string();
    let mut one = alert_page(bad, Viewer::Anyone);
    one.key = evil.to_string();
    one.prompt = Some(Prompt { text: evil.to_string(), is_sent: false });
    one.timeline[0].detail = Some(evil.to_string());
    for html in [overview(&page), alert(&one), sign_in(Some(evil), evil)] {
        assert!(html.contains("&lt;script&gt;"), "it is shown");
        assert!(!html.contains("<script>") && !html.contains("<img"), "{html}");
        assert!(!html.contains("href=\"javascript:"), "{html}");
    }
}

#[test]
fn whoever_may_only_look_is_shown_no_form_that_acts() {
    let reader = || Viewer::Reader("wall".to_string());
    let pages = [overview(&all(rows(), reader())), alert(&alert_page(rows().remove(6), reader()))];
    for html in pages {
        assert!(!html.contains("/actions/") && !html.contains("/api/v1/deliveries"), "{html}");
        assert!(html.contains("Sign in to act"));
    }
}

#[test]
fn nothing_in_a_page_needs_an_inline_script_or_style() {
    let html = overview(&all(rows(), Viewer::Anyone)) + &alert(&alert_page(rows().remove(1), Viewer::Anyone));
    for forbidden in [" style=", " onclick=", "<style", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/page/live.js\"").count());
}

#[test]
fn every_action_is_known_by_its_name_and_says_what_it_does() {
    let field = |key: &str| Some(if key == "hours" { "8".to_string() } else { "x".to_string() });
    let names = [
        "stop-all",
        "go-on",
        "pause-rule",
        "resume-rule",
        "pause-integration",
        "resume-integration",
        "reload",
        "retry",
        "start",
        "suppress",
        "unsuppress",
        "end",
    ];
    let told = names.map(|name| {
        let action = Action::of(name, field).unwrap();
        assert_eq!(action.name(), name);
        let form = frame(Viewer::Anyone).form(&action).into_string();
        assert!(form.contains("name=\"form_token\" value=\"f0rm\""), "{form}");
        format!("{name}: {}", action.after())
    });
    insta::assert_snapshot!(told.join("\n"));
    assert!(Action::of("suppress", |key| (key == "alert").then(|| "x".to_string())).is_err());
    assert!(Action::of("retry", |_| Some(String::new())).is_err());
    assert!(Action::of("format-disk", field).is_err());
}
