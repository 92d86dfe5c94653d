//! What a person can do from a page: each with what it will do, said before, and what it did, said after. Pure.

use maud::{Markup, html};

use super::frame::Frame;

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing starts any more.
    StopAll,
    /// What the kill switch held may start.
    GoOn,
    PauseRule(String),
    ResumeRule(String),
    PauseIntegration(String),
    ResumeIntegration(String),
    /// Reads the rules file again.
    Reload,
    /// A job that ended without a result, by its identifier.
    Retry(String),
    /// A new session for an alert, by its tag, whatever became of the last one.
    Start(String),
    /// An alert, by its tag, starts nothing for so many hours.
    Suppress {
        tag: String,
        hours: u32,
    },
    /// An alert, by its tag, may start sessions again.
    Unsuppress(String),
    /// The session of a job, by its identifier.
    End(String),
    /// A notification that was given up, by its identifier.
    Resend(String),
}

impl Action {
    /// For how long an alert can be suppressed, in hours.
    const HOURS: [(u32, &str); 4] = [(1, "1 hour"), (8, "8 hours"), (24, "1 day"), (168, "7 days")];

    /// What a form that was sent asks for: the end of its path, and its fields.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn of(name: &str, field: impl Fn(&str) -> Option<String>) -> Result<Action, String> {
        let named = |key: &str| {
            let value = field(key).filter(|value| !value.is_empty());
            value.ok_or_else(|| format!("the form {name} has to say its {key}"))
        };
        Ok(match name {
            "stop-all" => Action::StopAll,
            "go-on" => Action::GoOn,
            "pause-rule" => Action::PauseRule(named("rule")?),
            "resume-rule" => Action::ResumeRule(named("rule")?),
            "pause-integration" => Action::PauseIntegration(named("integration")?),
            "resume-integration" => Action::ResumeIntegration(named("integration")?),
            "reload" => Action::Reload,
            "retry" => Action::Retry(named("job")?),
            "start" => Action::Start(named("alert")?),
            "suppress" => {
                let hours = named("hours")?.parse().ok();
                let hours = hours.filter(|hours| Action::HOURS.iter().any(|(known, _)| known == hours));
                let hours = hours.ok_or("the hours are not among those that the form offers")?;
                Action::Suppress { tag: named("alert")?, hours }
            }
            "unsuppress" => Action::Unsuppress(named("alert")?),
            "end" => Action::End(named("job")?),
            "resend" => Action::Resend(named("notification")?),
            _ => return Err("there is no such action".to_string()),
        })
    }

    /// What a row of the audit trail stands for.
    pub fn noted(action: &str, target: &str) -> Option<Action> {
        let named = |kind: &str| target.strip_prefix(kind).map(str::to_string);
        let target = target.to_string();
        Some(match action {
            "kill_switch_on" => Action::StopAll,
            "kill_switch_off" => Action::GoOn,
            "pause" => {
                named("rule ").map(Action::PauseRule).or_else(|| named("integration ").map(Action::PauseIntegration))?
            }
            "resume" => named("rule ")
                .map(Action::ResumeRule)
                .or_else(|| named("integration ").map(Action::ResumeIntegration))?,
            "reload" => Action::Reload,
            "retry" => Action::Retry(target),
            "start" => Action::Start(target),
            "end" => Action::End(target),
            "resend" => Action::Resend(target),
            "suppress" => Action::Suppress { tag: target, hours: 0 },
            "unsuppress" => Action::Unsuppress(target),
            _ => return None,
        })
    }

    /// The end of its path: [`Action::of`] knows it.
    pub fn name(&self) -> &'static str {
        match self {
            Action::StopAll => "stop-all",
            Action::GoOn => "go-on",
            Action::PauseRule(_) => "pause-rule",
            Action::ResumeRule(_) => "resume-rule",
            Action::PauseIntegration(_) => "pause-integration",
            Action::ResumeIntegration(_) => "resume-integration",
            Action::Reload => "reload",
            Action::Retry(_) => "retry",
            Action::Start(_) => "start",
            Action::Suppress { .. } => "suppress",
            Action::Unsuppress(_) => "unsuppress",
            Action::End(_) => "end",
            Action::Resend(_) => "resend",
        }
    }

    /// What its form sends beside the hours.
    fn field(&self) -> Option<(&'static str, &str)> {
        match self {
            Action::StopAll | Action::GoOn | Action::Reload => None,
            Action::PauseRule(id) | Action::ResumeRule(id) => Some(("rule", id)),
            Action::PauseIntegration(name) | Action::ResumeIntegration(name) => Some(("integration", name)),
            Action::Retry(job) | Action::End(job) => Some(("job", job)),
            Action::Resend(id) => Some(("notification", id)),
            Action::Start(tag) | Action::Unsuppress(tag) | Action::Suppress { tag, .. } => Some(("alert", tag)),
        }
    }

    /// What stands on its button.
    fn label(&self) -> String {
        match self {
            Action::StopAll => "Pause everything".to_string(),
            Action::GoOn => "Resume everything".to_string(),
            Action::PauseRule(id) => format!("Pause rule {id}"),
            Action::ResumeRule(id) => format!("Resume rule {id}"),
            Action::PauseIntegration(name) => format!("Pause integration {name}"),
            Action::ResumeIntegration(name) => format!("Resume integration {name}"),
            Action::Reload => "Reload the rules file".to_string(),
            Action::Retry(_) => "Retry".to_string(),
            Action::Start(_) => "Start again".to_string(),
            Action::Suppress { .. } => "Suppress".to_string(),
            Action::Unsuppress(_) => "Stop suppressing".to_string(),
            Action::End(_) => "End the session".to_string(),
            Action::Resend(_) => "Send again".to_string(),
        }
    }

    /// What it will do.
    fn before(&self) -> &'static str {
        match self {
            Action::StopAll => {
                "No session starts, for any alert, until you resume. Deliveries are still kept, sessions go on, and what waits longer than its max_wait ends."
            }
            Action::GoOn => "Alerts that the kill switch held may start at once, within their limits.",
            Action::PauseRule(_) => {
                "No alert of this rule starts a session until you resume it. Sessions that work go on."
            }
            Action::PauseIntegration(_) => {
                "No session starts in this organization until you resume it. Sessions that work go on."
            }
            Action::ResumeRule(_) | Action::ResumeIntegration(_) => {
                "Alerts that the pause held may start at once, within their limits."
            }
            Action::Reload => {
                "The file takes effect as a whole. If anything in it is wrong, nothing changes and you see what is wrong. Jobs keep the settings they were made with."
            }
            Action::Retry(_) => {
                "Starts a new session for this alert, whatever its cool-down and the wait for quota say. Its other gates hold. The session that ended stays as it is."
            }
            Action::Start(_) => {
                "Starts a new session for this alert, whatever its cool-down says. Its other gates hold. It costs ACUs as any session does."
            }
            Action::Suppress { .. } => {
                "This alert starts no session for so long. Its deliveries are still kept and shown."
            }
            Action::Unsuppress(_) => "From now on, this alert starts sessions as its rule says.",
            Action::End(_) => {
                "Devin ends the session for good. What it has pushed stays; what it has not is lost. The alert ends as terminated."
            }
            Action::Resend(_) => "The same notification is sent once more, and tried again for a day if it fails.",
        }
    }

    /// What it did.
    pub fn after(&self) -> String {
        match self {
            Action::StopAll => "Everything is paused: no session starts until you resume.".to_string(),
            Action::GoOn => "Resumed: alerts that the kill switch held may start now.".to_string(),
            Action::PauseRule(id) => format!("The rule {id} is paused: its alerts wait until you resume it."),
            Action::ResumeRule(id) => format!("The rule {id} is resumed: alerts that it held may start now."),
            Action::PauseIntegration(name) => {
                format!("The integration {name} is paused: its alerts wait until you resume it.")
            }
            Action::ResumeIntegration(name) => {
                format!("The integration {name} is resumed: alerts that it held may start now.")
            }
            Action::Reload => "The rules file was read again and is in effect.".to_string(),
            Action::Retry(_) => "The alert is retried: its new job starts once its gates allow it.".to_string(),
            Action::Start(_) => "The alert has a new job, which starts once its gates allow it.".to_string(),
            Action::Suppress { .. } => "The alert is suppressed: it starts no session for that time.".to_string(),
            Action::Unsuppress(_) => "The alert is no longer suppressed.".to_string(),
            Action::End(_) => "The session is being ended in Devin.".to_string(),
            Action::Resend(_) => "The notification is being sent again.".to_string(),
        }
    }

    /// Whether it takes something away that does not come back.
    fn is_grave(&self) -> bool {
        matches!(self, Action::End(_) | Action::StopAll)
    }
}

impl Frame {
    /// A form that does this, with what it will do; empty for whoever may not.
    pub fn form(&self, action: &Action) -> Markup {
        html! { @if self.may_act() { (form(self, action)) } }
    }
}

/// The form behind an action, closed until somebody opens it.
fn form(frame: &Frame, action: &Action) -> Markup {
    let label = action.label();
    html! {
        details.act {
            summary { (label) "…" }
            form method="post" action=(format!("/actions/{}", action.name())) {
                p { (action.before()) }
                input type="hidden" name="form_token" value=(frame.form_token);
                input type="hidden" name="back" value=(frame.here);
                @if let Some((name, value)) = action.field() { input type="hidden" name=(name) value=(value); }
                @if matches!(action, Action::Suppress { .. }) {
                    label { "For " select name="hours" {
                        @for (hours, time) in Action::HOURS { option value=(hours) { (time) } }
                    } }
                }
                button.grave[action.is_grave()] { (label) }
            }
        }
    }
}
