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
    json!({
        "sessions_count": sum(organization, window, 11, 30),
        "searches_count": sum(organization, window, 12, 50),
        "prs_created_count": sum(organization, window, 13, 20),
        "prs_merged_count": sum(organization, window, 14, 15),
        "active_users": sum(organization, window, 15, USERS.len() as u64),
    })
}

/// The sessions of a time, by origin and size.
pub fn session_counts(organization: &Organization, window: (i64, i64)) -> Value {
    json!({
        "sessions_count": sum(organization, window, 11, 30),
        "sessions_by_origin": {"webapp": sum(organization, window, 16, 20), "api": sum(organization, window, 17, 10)},
        "sessions_by_size": {"xs": sum(organization, window, 18, 10), "xl": sum(organization, window, 19, 4)},
        "avg_acus_per_session": 3.25,
    })
}

/// The pull requests of a time.
pub fn pull_request_counts(organization: &Organization, window: (i64, i64)) -> Value {
    json!({
        "prs_created_count": sum(organization, window, 13, 20),
        "prs_opened_count": sum(organization, window, 20, 20),
        "prs_merged_count": sum(organization, window, 14, 15),
        "prs_closed_count": sum(organization, window, 21, 5),
        "prs_taken_over_count": sum(organization, window, 22, 3),
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
