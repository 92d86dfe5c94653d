//! What the enterprise above the organization has: service users, roles, an audit trail, billing.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Organization;
use super::calendar::{CYCLE, CYCLE_BEGAN, END};
use super::dice::mix;
use super::words::{SERVICE_USERS, USERS};
use crate::sandbox::ORG_ID;
use crate::sandbox::problem::Problem;
use crate::sandbox::query::Query;

const DAY: i64 = 86_400;

/// How many entries the audit trail has, and how far apart they are in seconds.
const ENTRIES: i64 = 450;
const APART: i64 = 43_211;

/// The longest time that can be asked for at once.
const LONGEST: i64 = 100 * DAY;

const ACTIONS: [&str; 4] = ["create_session", "login", "update_playbook", "create_secret"];

fn role(place: usize) -> Value {
    let (id, name, of) = [
        ("role-member", "Member", "org"),
        ("role-admin", "Admin", "org"),
        ("role-owner", "Owner", "enterprise"),
        ("role-auditor", "Auditor", "enterprise"),
    ][place];
    json!({"role_id": id, "role_name": name, "role_type": of})
}

/// The service users; one has been deleted.
pub fn service_users(with_inactive: bool) -> Vec<Value> {
    let one = |(place, user): (usize, &super::words::Person)| {
        json!({
            "service_user_id": user.id,
            "name": user.name,
            "expires_at": (place == 1).then_some(END + 90 * DAY),
            "deleted_at": (place == 2).then_some(END - 10 * DAY),
            "role_assignments": [{"role": role(0), "org_id": ORG_ID}],
        })
    };
    SERVICE_USERS.iter().enumerate().filter(|(place, _)| with_inactive || *place != 2).map(one).collect()
}

/// The roles.
pub fn roles() -> Vec<Value> {
    (0..4).map(role).collect()
}

/// The audit trail, the newest entry first unless it is asked otherwise.
///
/// # Errors
/// 400 for an end without a beginning, and for too long a time.
pub fn audit_logs(organization: &Organization, query: &Query) -> Result<Vec<Value>, Problem> {
    let (after, before) = (query.integer("time_after")?, query.integer("time_before")?);
    let refused = |detail: &str| Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    match (after, before) {
        (None, Some(_)) => return refused("time_before needs time_after"),
        (Some(after), Some(before)) if before - after > LONGEST => return refused("the time is longer than 100 days"),
        _ => {}
    }
    let one = |place: i64| {
        let user = &USERS[place as usize % USERS.len()];
        let is_service = place % 5 == 4;
        json!({
            "audit_log_id": format!("audit-{:032x}", mix(organization.seed ^ place as u64 ^ 0xa0d1)),
            "action": ACTIONS[place as usize % ACTIONS.len()],
            "created_at": entry_at(place),
            "data": {"place": place},
            "org_id": (place % 3 != 2).then_some(ORG_ID),
            "user_id": (!is_service).then_some(user.id),
            "user_email": (!is_service).then(|| format!("person{}@northwind.example", user.weight)),
            "service_user_id": is_service.then_some(SERVICE_USERS[0].id),
            "service_user_name": is_service.then_some(SERVICE_USERS[0].name),
        })
    };
    let admits = |place: &i64| {
        let at = entry_at(*place);
        after.is_none_or(|after| at >= after) && before.is_none_or(|before| at < before)
    };
    let mut entries: Vec<Value> = (0..ENTRIES).filter(admits).map(one).collect();
    if query.last("order") != Some("asc") {
        entries.reverse();
    }
    Ok(entries)
}

/// Two entries now and then share their second.
fn entry_at(place: i64) -> i64 {
    END - (ENTRIES - place + i64::from(place % 7 == 3)) * APART
}

/// The billing cycles, each thirty days long.
pub fn cycles() -> Vec<Value> {
    let one =
        |number: i64| json!({"after": CYCLE_BEGAN - number * CYCLE, "before": CYCLE_BEGAN - (number - 1) * CYCLE});
    (0..6).map(one).collect()
}

/// The limits on consumption.
pub fn limits() -> Vec<Value> {
    vec![
        json!({"scope": "enterprise", "cycle_acu_limit": 5_000}),
        json!({"scope": "org", "cycle_acu_limit": 900, "org_id": ORG_ID}),
        json!({"scope": "user", "cycle_acu_limit": 50, "user_id": USERS[1].id}),
    ]
}
