//! What a session that carries an alert's mark means for the next run of the same alert. Pure.

use super::{ENDED_TAG, has_tag};
use crate::devin::session::Session;
use crate::relay::outcome::{Standing, standing};

/// What is to be done about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// At work on the alert: to be adopted.
    AtWork,
    /// Finished or went to sleep within the cool-down: to be reported.
    EndedLately { has_result: bool },
    /// Waits for a person: to be adopted, however old.
    Waits,
    /// Failed, stopped by a limit, ended long ago, or ended by the relay itself: stands in nobody's way.
    Nothing,
}

/// What `session` means for an alert with this mark. `since` is the beginning of the cool-down, in Unix seconds.
pub fn bearing(session: &Session, mark: &str, since: i64) -> Bearing {
    let has_result = !session.pull_requests.is_empty() || session.structured_output.is_some();
    match standing(session) {
        Standing::Active => Bearing::AtWork,
        Standing::WaitingForApproval => Bearing::Waits,
        Standing::WaitingForUser if !has_result => Bearing::Waits,
        Standing::QuotaExceeded | Standing::Failed => Bearing::Nothing,
        Standing::Finished | Standing::Suspended | Standing::WaitingForUser => {
            let is_late = session.updated_at.or(session.created_at).is_none_or(|touched| touched >= since);
            let is_end = is_late && (has_result || !is_ended_by_us(session, mark));
            if is_end { Bearing::EndedLately { has_result } } else { Bearing::Nothing }
        }
    }
}

/// Whether the relay has ended this session, which has no result: that says nothing about the alert.
///
/// The tag alone does not prove it: it is put on before the session is ended, which may have failed, so that the session
/// went on and finished. And where tags are restricted, any exit may be such an end.
fn is_ended_by_us(session: &Session, mark: &str) -> bool {
    match session.status.as_str() {
        "exit" => has_tag(session, ENDED_TAG) || !has_tag(session, mark),
        "suspended" => has_tag(session, ENDED_TAG),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "ar-0123";

    fn check(state: &str, tags: &[&str], result: &str, touched: i64) -> String {
        let (status, detail) = state.split_once('/').map_or((state, None), |(status, detail)| (status, Some(detail)));
        let pull_requests: &[serde_json::Value] =
            if result == "pr" { &[serde_json::json!({"pr_url": "https://x/1"})] } else { &[] };
        let session = serde_json::from_value(serde_json::json!({
            "session_id": "s", "status": status, "status_detail": detail, "tags": tags, "updated_at": touched,
            "pull_requests": pull_requests, "structured_output": (result == "output").then_some(1),
        }));
        format!("{:?}", bearing(&session.unwrap(), MARK, 1000))
    }

    #[test]
    fn every_state_of_an_earlier_session_bears_on_the_next_run_in_one_way() {
        let states = [
            "new",
            "running/working",
            "dreaming",
            "running/waiting_for_user",
            "running/waiting_for_approval",
            "running/finished",
            "exit",
            "suspended/inactivity",
            "suspended/new_reason",
            "suspended/out_of_quota",
            "error",
        ];
        let mut table = Vec::new();
        for state in states {
            let (none, pr) = (check(state, &[MARK], "", 1000), check(state, &[MARK], "pr", 1000));
            assert_eq!(pr, check(state, &[MARK], "output", 1000), "{state}: a structured output is a result too");
            let row = format!("{state}: {none}; with a result {pr}");
            let old = (check(state, &[MARK], "", 999), check(state, &[MARK], "pr", 999));
            let is_same = old == (none, pr);
            table.push(if is_same { row } else { format!("{row}; old {}, {}", old.0, old.1) });
        }
        insta::assert_snapshot!(table.join("\n"), @"
        new: AtWork; with a result AtWork
        running/working: AtWork; with a result AtWork
        dreaming: AtWork; with a result AtWork
        running/waiting_for_user: Waits; with a result EndedLately { has_result: true }; old Waits, Nothing
        running/waiting_for_approval: Waits; with a result Waits
        running/finished: EndedLately { has_result: false }; with a result EndedLately { has_result: true }; old Nothing, Nothing
        exit: EndedLately { has_result: false }; with a result EndedLately { has_result: true }; old Nothing, Nothing
        suspended/inactivity: EndedLately { has_result: false }; with a result EndedLately { has_result: true }; old Nothing, Nothing
        suspended/new_reason: AtWork; with a result AtWork
        suspended/out_of_quota: Nothing; with a result Nothing
        error: Nothing; with a result Nothing
        ");
    }

    #[test]
    fn a_session_that_the_relay_has_ended_stands_for_nothing_and_one_that_it_could_not_end_does() {
        let mut table = Vec::new();
        for (how, tags) in [("tagged", &[MARK, ENDED_TAG][..]), ("found by title", &[])] {
            for state in ["exit", "suspended/inactivity", "running/finished", "running/working", "error"] {
                let (none, pr) = (check(state, tags, "", 1000), check(state, tags, "pr", 1000));
                table.push(format!("{how}, {state}: {none}; with a result {pr}"));
            }
        }
        insta::assert_snapshot!(table.join("\n"), @"
        tagged, exit: Nothing; with a result EndedLately { has_result: true }
        tagged, suspended/inactivity: Nothing; with a result EndedLately { has_result: true }
        tagged, running/finished: EndedLately { has_result: false }; with a result EndedLately { has_result: true }
        tagged, running/working: AtWork; with a result AtWork
        tagged, error: Nothing; with a result Nothing
        found by title, exit: Nothing; with a result EndedLately { has_result: true }
        found by title, suspended/inactivity: EndedLately { has_result: false }; with a result EndedLately { has_result: true }
        found by title, running/finished: EndedLately { has_result: false }; with a result EndedLately { has_result: true }
        found by title, running/working: AtWork; with a result AtWork
        found by title, error: Nothing; with a result Nothing
        ");
    }
}
