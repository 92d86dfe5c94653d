//! What people have set up, beside [`resource`](super::resource): members, schedules, automations, repositories; and files.

use chrono::DateTime;
use serde_json::{Value, json};

use super::calendar::END;
use super::dice::mix;
use super::words::{AUTOMATIONS, REPOSITORIES, USERS};
use super::{Family, Organization};

const DAY: i64 = 86_400;

/// So many people have an account of their own; the last of them, and all others, come through an identity provider.
const OWN_ACCOUNTS: usize = 6;

const SCHEDULES: [&str; 5] =
    ["Nightly dependency report", "Weekly flaky tests", "Morning triage", "Docs check", "Cut the release"];

const AUTOMATION_NAMES: [&str; 3] = ["Fix red builds", "Answer new tickets", "Review dependency updates"];

/// The people of the organization: those with an account, or those who come through an identity provider.
pub fn members(organization: &Organization, is_of_provider: bool) -> Vec<Value> {
    let number = organization.number();
    let people = if is_of_provider { &USERS[OWN_ACCOUNTS - 1 + number..] } else { &USERS[2 * number..OWN_ACCOUNTS] };
    let one = |(place, user): (usize, &super::words::Person)| {
        let role = json!({"role_id": "role-member", "role_name": "Member", "role_type": "org"});
        let mut person = json!({
            "user_id": user.id,
            "email": (place != 3).then(|| format!("person{}@northwind.example", user.weight)),
            "name": user.name,
        });
        if is_of_provider {
            person["idp_role_assignments"] =
                json!([{"role": role, "org_id": organization.id, "idp_group_name": "engineering"}]);
        } else {
            person["role_assignments"] = json!([{"role": role, "org_id": organization.id}]);
        }
        person
    };
    people.iter().enumerate().map(one).collect()
}

/// Five schedules, the oldest first.
pub fn schedules(organization: &Organization) -> Vec<Value> {
    let at = |time: i64| DateTime::from_timestamp(time, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let one = |place: usize| {
        let created = END - 100 * DAY + place as i64 * 9 * DAY;
        let is_once = place == 4;
        json!({
            "scheduled_session_id": format!("sched-{:032x}", mix((place as u64 + 77) ^ organization.salt())),
            "org_id": organization.id,
            "created_by": USERS[place].id,
            "last_edited_by": (place == 1).then_some(USERS[0].id),
            "name": SCHEDULES[place],
            "prompt": "Look at what changed since the last run, and say what matters.",
            "playbook": (place == 0).then(|| json!({"playbook_id": "playbook-1", "title": null})),
            "frequency": (!is_once).then_some("0 6 * * 1-5"),
            "interval_count": 1,
            "schedule_type": if is_once { "one_time" } else { "recurring" },
            "scheduled_at": is_once.then(|| at(END + 7 * DAY)),
            "enabled": place != 3,
            "last_executed_at": (!is_once).then(|| at(END - DAY)),
            "created_at": at(created),
            "updated_at": at(created + place as i64 * DAY),
            "last_error_at": (place == 1).then(|| at(END - 3 * DAY)),
            "last_error_message": (place == 1).then_some("no credits left"),
            "consecutive_failures": u8::from(place == 1),
            "notify_on": "failure",
            "agent": "devin",
            "bypass_approval": false,
            "platform": null,
            "slack_channel_id": null,
            "slack_team_id": null,
            "target_devin_id": null,
            "tags": ["scheduled"],
        })
    };
    (0..SCHEDULES.len()).map(one).collect()
}

/// What starts sessions by itself, the newest first.
pub fn automations(organization: &Organization) -> Vec<Value> {
    let one = |place: u64| {
        let id = organization.id(Family::Automation, place);
        let created = END - 120 * DAY + place as i64 * 20 * DAY;
        json!({
            "automation_id": format!("{}{id:032x}", Family::Automation.prefix()),
            "name": AUTOMATION_NAMES[place as usize % AUTOMATION_NAMES.len()],
            "enabled": place != 2,
            "triggers": [{"event_type": "github:check_run"}],
            "actions": [{"type": "start_session", "prompt": "Find out why, and fix it."}],
            "created_by": {"type": "user", "id": USERS[0].id, "name": USERS[0].name},
            "last_edited_by": null,
            "created_at": created,
            "updated_at": created + 5 * DAY,
            "last_invocation": (place == 0).then(|| json!({"fired_at": END - DAY, "status": "succeeded"})),
            "next_run_at": null,
            "limits": null,
            "concurrency": null,
            "notifications": null,
            "metadata": {},
            "run_as": null,
        })
    };
    (0..AUTOMATIONS).rev().map(one).collect()
}

/// The repositories that sessions may work on.
pub fn repositories() -> Vec<Value> {
    let one = |(place, path): (usize, &&str)| {
        json!({
            "provider_repository_id": (8_100_000 + place * 17).to_string(),
            "git_connection_id": "git-connection-1",
            "git_connection_host": "github.com",
            "repo_name": path.rsplit('/').next(),
            "repo_path": path,
            "repo_description": null,
            "repo_language": (place != 5).then_some("TypeScript"),
            "last_updated_at": (place != 7).then_some(END - place as i64 * DAY),
            "indexing_status": "indexed",
        })
    };
    REPOSITORIES.iter().enumerate().map(one).collect()
}

/// The files of the session at this index.
pub fn attachments(organization: &Organization, index: u64) -> Vec<Value> {
    let one = |number: u64| {
        let id = format!("{:032x}", mix((index * 8 + number + 1) ^ organization.salt()));
        json!({
            "attachment_id": id,
            "name": if number == 0 { "trace.log" } else { "screenshot.png" },
            "url": format!("https://app.devin.ai/attachments/{id}"),
            "source": if number == 0 { "user" } else { "devin" },
            "content_type": (number == 1).then_some("image/png"),
        })
    };
    (0..index % 3).map(one).collect()
}
