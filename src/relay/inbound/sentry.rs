//! Sentry's integration webhooks: `event_alert`, `issue` and `metric_alert`. Pure.
//!
//! Bodies hold requests and users' data, so only named fields are taken. The event's identifier is new each time; the
//! issue's stays.

use super::Problem;
use super::fields::Fields;
use super::leaves::{is_personal, looks_personal};
use super::stand_in::known;
use crate::relay::alert::{Alert, Pairs, Severity, State};

/// How many exceptions of a chain are told.
const EXCEPTIONS: usize = 3;

/// How many frames, and how many of the last breadcrumbs, are told.
const FRAMES: usize = 6;
const BREADCRUMBS: usize = 5;

/// Reads whichever resource it is.
///
/// # Errors
/// When it is another resource, or the issue has neither an identifier nor a title.
pub fn read(payload: Fields) -> Result<Alert, Problem> {
    // The WebHooks plugin, which came before integrations, names no action.
    if let (None, Some(event), Some(_)) = (payload.at("action"), payload.at("event"), payload.at("project_slug")) {
        return plugin(payload, event);
    }
    let action = payload.required("action")?;
    if let Some(event) = payload.at("data.event").or_else(|| payload.at("data.error")) {
        return event_alert(payload, event, &action);
    }
    if let Some(issue) = payload.at("data.issue") {
        return self::issue(issue, &action);
    }
    match payload.at("data.metric_alert") {
        Some(incident) => metric_alert(payload, incident, &action),
        None if payload.at("data").is_some() => Err(Problem::NotAnAlert {
            what: "a Sentry message about something other than an issue",
            remedy: "subscribe the integration to issue and to alert rules",
        }),
        None => Err(payload.missing("data.issue")),
    }
}

fn event_alert(payload: Fields, event: Fields, action: &str) -> Result<Alert, Problem> {
    let id = event
        .text("issue_id")
        .or_else(|| ["issue_url", "web_url", "url"].iter().find_map(|path| issue_in(&event.text(path)?)));
    let title = event.first(&["title", "message", "culprit"]).or_else(|| Some(format!("issue {}", id.as_ref()?)));
    let title = title.ok_or_else(|| payload.missing("data.event.issue_id"))?;
    let project = event.text("url").and_then(|url| project_in(&url));
    let is_sample = event.at("sample_event").is_some() || tags(event).contains_key("sample_event");
    let state = if is_sample {
        State::Test
    } else if action == "triggered" || payload.at("data.error").is_some() && action == "created" {
        State::Firing
    } else {
        State::other(action)
    };
    let place = [project.clone().or_else(|| event.text("project")), event.text("culprit")];
    let known = known(id.map(|id| vec![id]), "data.event.issue_id", &place, &title);
    let mut alert = Alert::new(payload.format, state, title, known.identity);
    alert.warnings.extend(known.warning);
    alert.message = event.text("message").unwrap_or_default();
    alert.severity = level(event);
    alert.started_at = event.moment("datetime");
    alert.labels = tags(event);
    alert.labels.extend(event.pick(&["culprit", "platform", "environment", "release", "level"]));
    alert.labels.extend(project.map(|slug| ("project".to_string(), slug)));
    alert.annotations.extend(payload.text("data.triggered_rule").map(|rule| ("rule".to_string(), rule)));
    // The one that was raised last comes last, after its causes.
    let exceptions: Vec<Fields> = event.items("exception.values").collect();
    let frames = exceptions.last().map(|last| frames(*last)).filter(|frames| !frames.is_empty());
    alert.annotations.extend(frames.map(|frames| ("stack".to_string(), frames.join("\n"))));
    let crumbs = breadcrumbs(event);
    if !crumbs.is_empty() {
        alert.annotations.insert("breadcrumbs".to_string(), crumbs.join("\n"));
    }
    let told: Vec<String> = exceptions.into_iter().rev().take(EXCEPTIONS).map(exception).collect();
    if !told.is_empty() {
        alert.annotations.insert("exception".to_string(), told.join("\ncaused by "));
    }
    alert.links = event.links(&[("event", "web_url")]);
    Ok(alert)
}

fn plugin(payload: Fields, event: Fields) -> Result<Alert, Problem> {
    let id = payload.text("url").and_then(|url| issue_in(&url)).or_else(|| payload.text("id"));
    let mut value = event.value.clone();
    if let (Some(id), Some(fields)) = (id, value.as_object_mut()) {
        fields.insert("issue_id".to_string(), id.into());
    }
    let mut alert = event_alert(payload, Fields { value: &value, ..payload }, "triggered")?;
    alert.severity = alert.severity.or_else(|| level(payload));
    alert.labels.extend(payload.text("project_slug").map(|slug| ("project".to_string(), slug)));
    alert.links.extend(payload.links(&[("issue", "url")]));
    Ok(alert)
}

fn issue(issue: Fields, action: &str) -> Result<Alert, Problem> {
    let linked = || ["permalink", "web_url"].iter().find_map(|path| issue_in(&issue.text(path)?));
    let id = issue.text("id").or_else(linked);
    let state = match action {
        "created" | "triggered" => State::Firing,
        "unresolved" => match issue.text("substatus").as_deref() {
            Some("ongoing") => State::other("ongoing"),
            _ => State::Firing,
        },
        "resolved" => State::Resolved,
        other => State::other(other),
    };
    let title = issue.first(&["title", "culprit", "shortId"]).or_else(|| Some(format!("issue {}", id.as_ref()?)));
    let title = title.ok_or_else(|| issue.missing("data.issue.id"))?;
    let place = [issue.text("shortId"), issue.first(&["project.slug", "project.name"]), issue.text("culprit")];
    let known = known(id.map(|id| vec![id]), "data.issue.id", &place, &title);
    let mut alert = Alert::new(issue.format, state, title, known.identity);
    alert.warnings.extend(known.warning);
    alert.message = issue.text("metadata.value").unwrap_or_default();
    alert.severity = level(issue);
    alert.started_at = issue.moment("firstSeen");
    alert.labels = issue.pick(&["shortId", "culprit", "level", "status", "platform"]);
    alert.labels.extend(issue.first(&["project.slug", "project.name"]).map(|name| ("project".to_string(), name)));
    alert.annotations = issue.pick(&["count", "userCount", "lastSeen", "metadata.filename", "metadata.function"]);
    alert.links = issue.links(&[("issue", "permalink"), ("issue", "web_url")]);
    Ok(alert)
}

fn metric_alert(payload: Fields, incident: Fields, action: &str) -> Result<Alert, Problem> {
    let id = incident.text("id");
    // The title that is shown begins with the state.
    let rule = incident.first(&["alert_rule.name", "title"]);
    let state = match action {
        "critical" | "warning" | "open" => State::Firing,
        "resolved" => State::Resolved,
        other => State::other(other),
    };
    let title = payload.text("data.description_title").or_else(|| incident.text("title"));
    let title = title.or_else(|| rule.clone()).or_else(|| Some(format!("metric alert {}", id.as_ref()?)));
    let title = title.ok_or_else(|| payload.missing("data.metric_alert.id"))?;
    let place = [incident.text("organization_id"), incident.text("alert_rule.id"), incident.text("projects.0")];
    let own = id.map(|id| vec!["metric_alert".to_string(), id]);
    let known = known(own, "data.metric_alert.id", &place, rule.as_deref().unwrap_or(&title));
    let mut alert = Alert::new(payload.format, state, title, known.identity);
    alert.warnings.extend(known.warning);
    alert.message = payload.text("data.description_text").unwrap_or_default();
    alert.severity = Severity::from_word(action);
    alert.started_at = incident.moment("date_started");
    alert.labels = incident.pick(&["projects", "alert_rule.environment", "alert_rule.dataset"]);
    alert.annotations = incident.pick(&["alert_rule.name", "alert_rule.query", "alert_rule.aggregate"]);
    alert.links = payload.links(&[("alert", "data.web_url")]);
    Ok(alert)
}

/// `KeyError in pay at checkout/views.py:120: 'basket_id'`
fn exception(exception: Fields) -> String {
    let mut told = exception.text("type").unwrap_or_else(|| "exception".to_string());
    let frames: Vec<Fields> = exception.items("stacktrace.frames").collect();
    let is_own = |frame: &&Fields| frame.text("in_app").as_deref() == Some("true");
    if let Some(frame) = frames.iter().rev().find(is_own).or(frames.last()) {
        let line = frame.text("lineno").map(|line| format!(":{line}")).unwrap_or_default();
        told.extend(frame.text("function").map(|function| format!(" in {function}")));
        told.extend(frame.first(&["filename", "module"]).map(|file| format!(" at {file}{line}")));
    }
    told.extend(exception.text("value").map(|value| format!(": {value}")));
    told
}

/// The frames of an exception, where it was raised first: the project's own, or all where none is said to be; with the
/// line of code where it is there.
fn frames(exception: Fields) -> Vec<String> {
    let all: Vec<Fields> = exception.items("stacktrace.frames").collect();
    let is_own = |frame: &&Fields| frame.text("in_app").as_deref() == Some("true");
    let has_own = all.iter().any(|frame| is_own(&frame));
    let told = |frame: &Fields| {
        let file = frame.first(&["filename", "module"]).unwrap_or_else(|| "an unknown file".to_string());
        let line = frame.text("lineno").map(|line| format!(":{line}")).unwrap_or_default();
        let function = frame.text("function").map(|function| format!(" in {function}")).unwrap_or_default();
        let code = frame.text("context_line").map(|code| format!(": {code}")).unwrap_or_default();
        format!("{file}{line}{function}{code}")
    };
    all.iter().rev().filter(|frame| !has_own || is_own(frame)).take(FRAMES).map(told).collect()
}

/// What happened last before it, the last one last.
fn breadcrumbs(event: Fields) -> Vec<String> {
    let told = |crumb: Fields| {
        let message = crumb.text("message").or_else(|| {
            let data = ["data.method", "data.url", "data.status_code"].map(|path| crumb.text(path));
            let data: Vec<String> = data.into_iter().flatten().collect();
            (!data.is_empty()).then(|| data.join(" "))
        })?;
        let category = crumb.text("category").map(|category| format!("{category}: ")).unwrap_or_default();
        let words = message.split_whitespace().map(|word| if looks_personal(word) { "…" } else { word });
        Some(format!("{category}{}", words.collect::<Vec<_>>().join(" ")))
    };
    let mut crumbs: Vec<String> = event.items("breadcrumbs.values").filter_map(told).collect();
    crumbs.drain(..crumbs.len().saturating_sub(BREADCRUMBS));
    crumbs
}

fn level(fields: Fields) -> Option<Severity> {
    Severity::from_word(&fields.text("level")?)
}

/// `[["name", "value"], …]`
fn tags(event: Fields) -> Pairs {
    event
        .items("tags")
        .filter_map(|tag| Some((tag.text("0")?, tag.text("1")?)))
        .filter(|(name, value)| !is_personal(name) && !looks_personal(value))
        .collect()
}

/// The project's name in `…/projects/shop/checkout/events/…`; the event itself has its number only.
fn project_in(url: &str) -> Option<String> {
    let (_, path) = url.split_once("/projects/")?;
    let project = path.split('/').nth(1)?;
    (!project.is_empty()).then(|| project.to_string())
}

/// The issue's identifier in `…/issues/123/`.
fn issue_in(url: &str) -> Option<String> {
    let (_, rest) = url.rsplit_once("/issues/")?;
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!id.is_empty()).then_some(id)
}
