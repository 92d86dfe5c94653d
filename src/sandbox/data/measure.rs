//! What is measured: consumption a day, counts of sessions and pull requests, active users. Worked out from the day alone.

use serde_json::{Value, json};

use super::Organization;
use super::calendar::END;
use super::dice::mix;
use super::words::USERS;
use crate::sandbox::problem::Problem;

const DAY: i64 = 86_400;

/// Days begin at this second, as the API's do.
const DAY_BEGINS: i64 = 8 * 3_600;

/// Nothing was measured before.
const FIRST: i64 = END - 182 * DAY;

/// A number below `limit` that follows from the day.
fn figure(organization: &Organization, day: i64, what: u64, limit: u64) -> u64 {
    mix(organization.seed ^ mix(day as u64) ^ what.rotate_left(40)) % limit
}

/// The days that begin between these times, but not later than `now`.
fn days((from, before): (i64, i64), now: i64) -> impl Iterator<Item = i64> {
    let first = (from.max(FIRST) - DAY_BEGINS).div_euclid(DAY);
    let last = before.min(now).div_euclid(DAY) + 1;
    (first..=last).map(|day| day * DAY + DAY_BEGINS).filter(move |at| *at >= from.max(FIRST) && *at < before.min(now))
}

/// The ACUs of each day: of everybody, or of one person, who need not have used any.
///
/// # Errors
/// 404 for a person that there is not.
pub fn consumption(
    organization: &Organization,
    user: Option<&str>,
    window: (i64, i64),
    now: i64,
) -> Result<Vec<Value>, Problem> {
    let person = match user {
        None => None,
        Some(id) => {
            let known = USERS.iter().position(|user| user.id == id);
            Some(known.ok_or_else(|| Problem::unknown("user"))?)
        }
    };
    let one = |date: i64| {
        let hundredths: Vec<u64> = (0..USERS.len() as u64).map(|user| figure(organization, date, user, 400)).collect();
        let acus = person.map_or_else(|| hundredths.iter().sum(), |place| hundredths[place]) as f64 / 100.0;
        json!({"date": date, "acus": acus, "acus_by_product": {"devin": acus, "cascade": 0, "terminal": 0, "review": 0}})
    };
    Ok(days(window, now).map(one).collect())
}

fn sum(organization: &Organization, (from, before): (i64, i64), what: u64, limit: u64) -> u64 {
    (from.max(FIRST).div_euclid(DAY)..before.div_euclid(DAY).min(from.div_euclid(DAY) + 400))
        .map(|day| figure(organization, day, what, limit))
        .sum()
}

/// What was used in a time.
pub fn usage(organization: &Organization, window: (i64, i64)) -> Value {
    let pull_requests = pull_request_counts(organization, window);
    json!({
        "sessions_count": sum(organization, window, 11, 30),
        "searches_count": sum(organization, window, 12, 50),
        "prs_created_count": pull_requests["prs_created_count"],
        "prs_merged_count": pull_requests["prs_merged_count"],
    })
}

/// The sessions of a time, by origin and size.
pub fn session_counts(organization: &Organization, window: (i64, i64)) -> Value {
    let created = sum(organization, window, 11, 30);
    let merged = created / 3;
    json!({
        "sessions_created_count": created,
        "sessions_created_by_origin": {"webapp": created - created / 4, "api": created / 4},
        "sessions_created_by_size": {"xs": created - created / 2, "m": created / 2 - created / 8, "xl": created / 8},
        "sessions_created_with_playbook_count": created / 5,
        "sessions_created_with_search_count": created / 10,
        "sessions_with_merged_prs_count": merged,
        "sessions_with_merged_prs_by_size": {"xs": merged / 2, "m": merged - merged / 2},
        "avg_acus_per_session": 3.25,
    })
}

/// The pull requests of a time: those that Devin created, and those of others that it took over.
pub fn pull_request_counts(organization: &Organization, window: (i64, i64)) -> Value {
    let (created, merged) = (sum(organization, window, 13, 20), sum(organization, window, 14, 10));
    let merged = merged.min(created);
    let closed = (created - merged) / 3;
    let taken_over = sum(organization, window, 22, 3);
    json!({
        "prs_created_count": created,
        "prs_opened_count": created - merged - closed,
        "prs_merged_count": merged,
        "prs_closed_count": closed,
        "prs_taken_over_count": taken_over,
        "prs_taken_over_opened_count": taken_over - taken_over / 2,
        "prs_taken_over_merged_count": taken_over / 2,
        "prs_taken_over_closed_count": 0,
    })
}

/// How many people were active, for each stretch of so many days that begins in a time.
pub fn active_users(organization: &Organization, length: i64, (from, before): (i64, i64), now: i64) -> Vec<Value> {
    let first = from.max(FIRST).div_euclid(length * DAY);
    let starts = (first..).map(|stretch| stretch * length * DAY).take_while(|start| *start < before.min(now));
    let one = |start: i64| {
        let people = figure(organization, start, 30 + length as u64, USERS.len() as u64);
        json!({"start_time": start, "end_time": start + length * DAY, "active_users": people})
    };
    starts.filter(|start| *start >= from).map(one).collect()
}
