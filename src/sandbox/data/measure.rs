//! What is measured: consumption a day, counts of sessions and pull requests, active users. Counted over the sessions, so that
//! all adds up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Organization;
use super::calendar::END;
use super::dice::mix;
use super::insight;
use super::session::{Creator, Session};
use super::words::USERS;
use crate::sandbox::problem::Problem;

const DAY: i64 = 86_400;

/// Days begin at this second, as the API's do.
const DAY_BEGINS: i64 = 8 * 3_600;

/// Nothing was measured before: the day on which the oldest session may have begun.
const FIRST: i64 = END - 183 * DAY;

/// Sessions from here are no part of the metrics.
const UNCOUNTED_ORIGIN: &str = "cli";

/// The days that begin between these times, but not later than `now`.
fn days((from, before): (i64, i64), now: i64) -> impl Iterator<Item = i64> {
    let first = (from.max(FIRST) - DAY_BEGINS).div_euclid(DAY);
    let last = before.min(now).div_euclid(DAY) + 1;
    (first..=last).map(|day| day * DAY + DAY_BEGINS).filter(move |at| *at >= from.max(FIRST) && *at < before.min(now))
}

/// The sessions that began in a time.
fn sessions(organization: &Organization, (from, before): (i64, i64)) -> impl Iterator<Item = Session> + Clone {
    organization.created_between(from, before).map(|index| organization.session(index))
}

/// Those of them that the metrics count.
fn counted(organization: &Organization, window: (i64, i64)) -> impl Iterator<Item = Session> + Clone {
    sessions(organization, window).filter(|session| session.origin != UNCOUNTED_ORIGIN)
}

/// The ACUs of each day: of everybody, or of one person, who need not have used any. A session uses all of its own on the day
/// on which it begins.
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
        let of_day = sessions(organization, (date, date + DAY));
        let of_person = of_day.filter(|one| person.is_none_or(|place| one.creator == Creator::User(place)));
        let acus = of_person.map(|session| session.acu_hundredths).sum::<u64>() as f64 / 100.0;
        json!({"date": date, "acus": acus, "acus_by_product": {"devin": acus, "cascade": 0, "terminal": 0, "review": 0}})
    };
    Ok(days(window, now).map(one).collect())
}

/// What was used in a time.
pub fn usage(organization: &Organization, window: (i64, i64)) -> Value {
    let pull_requests = pull_request_counts(organization, window);
    let days = window.0.max(FIRST).div_euclid(DAY)..window.1.min(END).div_euclid(DAY);
    json!({
        "sessions_count": counted(organization, window).count(),
        "searches_count": days.map(|day| mix(organization.seed ^ mix(day as u64)) % 50).sum::<u64>(),
        "prs_created_count": pull_requests["prs_created_count"],
        "prs_merged_count": pull_requests["prs_merged_count"],
    })
}

/// The sessions of a time, by origin and size.
pub fn session_counts(organization: &Organization, window: (i64, i64)) -> Value {
    let sessions = counted(organization, window);
    let merged = sessions
        .clone()
        .filter(|session| session.named_pull_requests(organization).any(|named| named.state == Some("merged")));
    let created = sessions.clone().count();
    let acus = sessions.clone().map(|session| session.acu_hundredths).sum::<u64>() as f64 / 100.0;
    json!({
        "sessions_created_count": created,
        "sessions_created_by_origin": by(sessions.clone(), |session| session.origin),
        "sessions_created_by_size": by(sessions.clone(), |session| insight::size(session.acu_hundredths)),
        "sessions_created_with_playbook_count": sessions.filter(|session| session.playbook.is_some()).count(),
        "sessions_created_with_search_count": created / 10,
        "sessions_with_merged_prs_count": merged.clone().count(),
        "sessions_with_merged_prs_by_size": by(merged, |session| insight::size(session.acu_hundredths)),
        "avg_acus_per_session": (created > 0).then(|| (acus / created as f64 * 100.0).round() / 100.0),
    })
}

/// How many sessions there are of each kind.
fn by(sessions: impl Iterator<Item = Session>, kind: impl Fn(&Session) -> &'static str) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for session in sessions {
        *counts.entry(kind(&session)).or_default() += 1;
    }
    counts
}

/// The pull requests of the sessions of a time: those that Devin created, and those of others that it took over.
pub fn pull_request_counts(organization: &Organization, window: (i64, i64)) -> Value {
    let named =
        counted(organization, window).flat_map(|session| session.named_pull_requests(organization).collect::<Vec<_>>());
    let (taken_over, created): (Vec<_>, Vec<_>) = named.partition(|named| named.is_taken_over);
    let count = |named: &[super::pull_request::PullRequest], states: &[&str]| {
        named.iter().filter(|named| named.state.is_some_and(|state| states.contains(&state))).count()
    };
    json!({
        "prs_created_count": created.len(),
        "prs_opened_count": count(&created, &["open", "draft"]),
        "prs_merged_count": count(&created, &["merged"]),
        "prs_closed_count": count(&created, &["closed"]),
        "prs_taken_over_count": taken_over.len(),
        "prs_taken_over_opened_count": count(&taken_over, &["open"]),
        "prs_taken_over_merged_count": count(&taken_over, &["merged"]),
        "prs_taken_over_closed_count": count(&taken_over, &["closed"]),
    })
}

/// How many people were active, for each stretch of so many days that begins in a time.
pub fn active_users(organization: &Organization, length: i64, (from, before): (i64, i64), now: i64) -> Vec<Value> {
    let first = from.max(FIRST).div_euclid(length * DAY);
    let starts = (first..).map(|stretch| stretch * length * DAY).take_while(|start| *start < before.min(now));
    let one = |start: i64| {
        let window = (start, start + length * DAY);
        let people = counted(organization, window).filter_map(|session| match session.creator {
            Creator::User(place) => Some(place),
            Creator::ServiceUser(_) => None,
        });
        json!({"start_time": window.0, "end_time": window.1, "active_users": people.collect::<BTreeSet<_>>().len()})
    };
    starts.filter(|start| *start >= from).map(one).collect()
}
