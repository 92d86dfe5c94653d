//! The simulated API: requests become answers, in virtual time, and between any two of them something may happen. What
//! goes wrong on the way is here, too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;
use serde_json::json;
use source_devin_ai::devin::transport::{Answering, BrokenConnection, HttpRequest, HttpResponse, Transport};
use tokio::time::Instant;

use super::behavior::{Behavior, Filter, Order, Paging, Total};
use super::organization::{
    FIGURES, FOLDERS, Message, OTHER, Organization, PEOPLE, PERIODS, Revision, SCHEDULES, SHORT_LISTS, SPENDING, TRAIL,
    Thing, USAGE, is_in_second, place_of, second,
};
use crate::common::{ORG, decoded};

/// No chain of syncs needs so many requests; one that makes them reads for ever.
const MOST_REQUESTS: u32 = 60_000;

/// The clock that dates the data, at the beginning of each history: in milliseconds.
const BEGINNING_MS: i64 = 1_700_000_000_000;

/// What an API answers from.
#[derive(Debug)]
pub struct World {
    pub organization: Organization,
    pub behavior: Behavior,
    pub trouble: Trouble,
    /// How often something may still happen by itself: an organization that did more with every request would never be read
    /// to its end.
    pub events_left: u32,
    dice: Rng,
    began: Instant,
    snapshots: Vec<Vec<(String, String)>>,
    requests: u32,
    /// What has been asked and answered, where it is to be told.
    pub log: Option<String>,
}

/// What goes wrong during a sync.
#[derive(Debug, Default)]
pub struct Trouble {
    /// How many of 100 requests fail, however often they are made.
    pub failing: u8,
    /// After so many requests the key is revoked.
    pub key_lasts: Option<u32>,
    /// The messages of these sessions are refused.
    pub sessions: BTreeMap<String, Refusal>,
    /// This list is refused.
    pub list: Option<(String, u16)>,
    /// The enterprise's trail is refused, and the organization's is not.
    pub is_trail_refused: bool,
}

/// How a session refuses its messages.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    pub status: u16,
    /// Only the pages after the first.
    pub is_later: bool,
    /// The first request alone.
    pub is_once: bool,
}

/// The way to a [`World`].
#[derive(Debug, Clone)]
pub struct Server(Arc<Mutex<World>>);

type Answer = Result<HttpResponse, BrokenConnection>;

impl Server {
    pub fn new(behavior: Behavior, mut dice: Rng) -> Server {
        let organization = Organization::found(&mut dice, &behavior, BEGINNING_MS);
        let (trouble, began) = (Trouble::default(), Instant::now());
        Server(Arc::new(Mutex::new(World {
            organization,
            behavior,
            trouble,
            events_left: 0,
            dice,
            began,
            snapshots: Vec::new(),
            requests: 0,
            log: None,
        })))
    }

    /// The clock of the machine that reads, in Unix seconds.
    pub fn machine_s(&self) -> i64 {
        let world = self.world();
        world.now_ms() / 1000 + world.behavior.machine_ahead_s
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no answer panics")
    }
}

impl Transport for Server {
    fn send(&self, request: HttpRequest) -> Answering<'_> {
        Box::pin(async move {
            let (to, fro) = {
                let mut world = self.world();
                let slowest = world.behavior.slowest_ms;
                (world.dice.u64(1..=slowest), world.dice.u64(1..=slowest))
            };
            passes(to).await;
            let answer = {
                let mut world = self.world();
                let answer = world.answer(&request);
                world.note(&request, answer.as_ref());
                answer
            };
            passes(fro).await;
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

/// Lets so many milliseconds of virtual time pass.
async fn passes(ms: u64) {
    let _ = tokio::time::timeout(Duration::from_millis(ms), std::future::pending::<()>()).await;
}

impl World {
    /// The clock that dates the data.
    pub fn now_ms(&self) -> i64 {
        BEGINNING_MS + self.began.elapsed().as_millis() as i64
    }

    /// How many requests there have been.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    pub fn something_happens(&mut self) {
        let now_ms = self.now_ms();
        self.organization.something_happens(&mut self.dice, now_ms);
    }

    fn note(&mut self, request: &HttpRequest, answer: Option<&Answer>) {
        let now_ms = self.now_ms();
        let Some(log) = &mut self.log else { return };
        let answer = match answer {
            None => "silence".to_string(),
            Some(Err(broken)) => format!("{broken:?}"),
            Some(Ok(answer)) => format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)),
        };
        *log += &format!("{now_ms} {}\n    {answer}\n", request.target);
    }

    /// `None` is an answer that never comes.
    fn answer(&mut self, request: &HttpRequest) -> Option<Answer> {
        self.requests += 1;
        assert!(self.requests < MOST_REQUESTS, "it reads for ever: {}", request.target);
        if self.events_left > 0 && self.dice.u8(..100) < self.behavior.bustle {
            self.events_left -= 1;
            self.something_happens();
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let of = |org: &'static str| {
            let below = |family: &str| path.strip_prefix(&format!("/{family}/organizations/{org}/"));
            Some((org, below("v3").or(below("v3beta1"))?))
        };
        let (org, of_organization) = of(ORG).or(of(OTHER)).map_or((ORG, None), |(org, list)| (org, Some(list)));
        let list = of_organization.or(path.strip_prefix("/v3/enterprise/")).expect("no other path is asked for");
        if of_organization.is_none()
            && list == "audit-logs"
            && (self.trouble.is_trail_refused || !self.behavior.sees_enterprise)
        {
            return Some(self.refuse(403));
        }
        // The organization's trail is at the last of three paths.
        if list.starts_with("organizations/") {
            return Some(self.refuse(404));
        }
        if let Some(failure) = self.fails(list, query) {
            return failure;
        }
        if list.strip_prefix(SPENT).is_some_and(|person| !self.is_member(org, person)) {
            return Some(self.refuse(404));
        }
        let query = decoded(query);
        let items = match below_session(list) {
            Some((id, what)) => match self.messages(id, what == "attachments") {
                Some(items) => items,
                None => return Some(self.refuse(404)),
            },
            None => self.list(list, &query, of_organization.map(|_| org)),
        };
        Some(self.page(list, &query, items))
    }

    /// What goes wrong with a request; `None` when nothing does.
    fn fails(&mut self, list: &str, query: &str) -> Option<Option<Answer>> {
        if let Some(left) = &mut self.trouble.key_lasts {
            if *left == 0 {
                return Some(Some(self.refuse(401)));
            }
            *left -= 1;
        }
        if let Some((refused, status)) = &self.trouble.list
            && refused == list
        {
            let status = *status;
            return Some(Some(self.refuse(status)));
        }
        if let Some((id, _)) = below_session(list)
            && let Some(refusal) = self.trouble.sessions.get(id).copied()
            && (!refusal.is_later || query.contains("after="))
        {
            if refusal.is_once {
                self.trouble.sessions.remove(id);
            }
            return Some(Some(self.refuse(refusal.status)));
        }
        if self.dice.u8(..100) >= self.trouble.failing {
            return None;
        }
        let body = |status, body: &str| Some(Ok(HttpResponse { status, body: body.into(), ..HttpResponse::default() }));
        Some(match self.dice.u8(..10) {
            0 => Some(Err(BrokenConnection::BeforeAnswer)),
            1 => Some(Err(BrokenConnection::WithinAnswer)),
            2 => None,
            3 => Some(self.refuse(429)),
            4 => Some(self.refuse(429).map(|answer| HttpResponse { retry_after: Some("7".to_string()), ..answer })),
            5 => body(200, "<!DOCTYPE html><title>Just a moment</title>"),
            6 => body(200, r#"{"items":[{"session_id":"#),
            7 => body(204, ""),
            _ => Some(self.refuse(503)),
        })
    }

    fn refuse(&self, status: u16) -> Answer {
        let body = json!({"type": "about:blank", "title": "Refused", "status": status}).to_string();
        Ok(HttpResponse { status, date: self.date(), body: body.into(), retry_after: None })
    }

    fn date(&self) -> Option<String> {
        let seconds = self.now_ms() / 1000 + self.behavior.date_ahead_s?;
        Some(httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds as u64)))
    }

    /// The messages of a session, each with its sort key; `None` when it does not exist.
    fn messages(&self, id: &str, are_files: bool) -> Option<Vec<(String, String)>> {
        let now_ms = self.now_ms();
        let session = self.organization.sessions.iter().find(|session| bare(&session.id) == id)?;
        session.at(now_ms)?;
        let messages = session.messages.iter().take_while(|message| message.visible_at_ms <= now_ms).enumerate();
        let item = |message: &Message| if are_files { message.attachment.0.clone() } else { message.item.clone() };
        Some(messages.map(|(place, message)| (format!("{place:06}"), item(message))).collect())
    }

    fn is_member(&self, org: &str, id: &str) -> bool {
        let people = &self.organization.short_lists[place_of(PEOPLE)];
        people.iter().any(|person| person.org == org && person.id == id && person.at(self.now_ms()).is_some())
    }

    /// The items of a list that a query admits, each with its sort key, in order.
    fn list(&self, list: &str, query: &[(String, String)], of: Option<&str>) -> Vec<(String, String)> {
        let now_ms = self.now_ms();
        let is_sessions = list.starts_with("sessions");
        let is_one_of_several =
            |path: &str| ["members", "consumption"].contains(&path) || path == "metrics" && list != "metrics/usage";
        let (path, part) = list.split_once('/').filter(|(path, _)| is_one_of_several(path)).unwrap_or((list, ""));
        let place = SHORT_LISTS.iter().position(|(_, known, _)| *known == path);
        let things = match place {
            Some(place) => &self.organization.short_lists[place],
            None => &self.organization.sessions,
        };
        let stream = place.map_or("", |place| SHORT_LISTS[place].0);
        let is_here = |thing: &Thing, revision: &Revision| match stream {
            PEOPLE => part == "users" || is_in_second(&thing.id),
            USAGE => query.iter().any(|(name, from)| name == "time_after" && *from == thing.created_at.to_string()),
            FIGURES => thing.id.split('/').nth(1) == Some(part) && self.is_in_window(thing, query),
            SPENDING => thing.id.rsplit('/').next() == list.strip_prefix(SPENT) && self.is_in_window(thing, query),
            TRAIL => {
                let is_shown = of.is_none_or(|org| revision.item.contains(org));
                is_shown && self.is_in_window(thing, query)
            }
            _ => !is_sessions || self.admits(thing, revision, query),
        };
        let shown = things.iter().filter(|thing| stream == TRAIL || of.is_none_or(|org| thing.org == org));
        let shown = shown.filter_map(|thing| Some((thing, thing.at(now_ms)?)));
        let admitted = shown.filter(|(thing, revision)| is_here(thing, revision));
        let mut items: Vec<(String, String)> = admitted
            .map(|(thing, revision)| {
                let item = match list {
                    "sessions/insights" => revision.extended.clone(),
                    "members/idp-users" => second(&thing.id),
                    _ => revision.item.clone(),
                };
                (self.sort_key(list, thing, revision), item)
            })
            .collect();
        items.sort();
        items
    }

    /// Whether something lies in the window of time that a query names.
    fn is_in_window(&self, thing: &Thing, query: &[(String, String)]) -> bool {
        let bound = |name: &str| {
            let bound = query.iter().find(|(known, _)| known == name).map(|(_, bound)| bound.parse::<i64>());
            bound.map(|bound| bound.expect("a bound is a number"))
        };
        let (after, before) = (bound("time_after"), bound("time_before"));
        let (from, until) = (after.unwrap_or(i64::MIN), before.unwrap_or(i64::MAX));
        match self.behavior.filter {
            Filter::Inclusive => (from..=until).contains(&thing.created_at),
            Filter::Exclusive => from < thing.created_at && thing.created_at < until,
            Filter::Ignored => true,
        }
    }

    fn admits(&self, thing: &Thing, revision: &Revision, query: &[(String, String)]) -> bool {
        let from = |name: &str, value: Option<i64>| {
            let bound = query.iter().find(|(known, _)| known == name).map(|(_, bound)| bound.parse::<i64>());
            let (Some(bound), Some(value)) = (bound, value) else { return true };
            let bound = bound.expect("a bound is a number");
            match self.behavior.filter {
                Filter::Inclusive => value >= bound,
                Filter::Exclusive => value > bound,
                Filter::Ignored => true,
            }
        };
        let mut names = query.iter().filter(|(name, _)| name == "session_ids").map(|(_, id)| id).peekable();
        let is_named = !self.behavior.knows_names || names.peek().is_none() || names.any(|id| id == bare(&thing.id));
        is_named && from("created_after", Some(thing.created_at)) && from("updated_after", revision.updated_at)
    }

    /// Text that sorts as the list is ordered.
    fn sort_key(&self, list: &str, thing: &Thing, revision: &Revision) -> String {
        let updated_at = revision.updated_at.unwrap_or(thing.created_at);
        let newest_first = |at: i64| i64::MAX - at;
        let first = match self.behavior.of_list(list).order {
            Order::NewestUpdated => newest_first(updated_at),
            Order::NewestCreated => newest_first(thing.created_at),
            Order::OldestUpdated => updated_at,
            Order::OldestCreated => thing.created_at,
            Order::Random => thing.id.bytes().fold(17, |hash, byte| (hash * 31 + i64::from(byte) * 7919) % 1_000_003),
        };
        format!("{first:020} {}", thing.id)
    }

    /// The page of a list that a query asks for.
    fn page(&mut self, list: &str, query: &[(String, String)], mut items: Vec<(String, String)>) -> Answer {
        let parameter =
            |name: &str| query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let behavior = self.behavior.of_list(if list.starts_with("metrics/") { FIGURES } else { list });
        let (size, next) = if list == SCHEDULES { ("limit", "offset") } else { ("first", "after") };
        let size = parameter(size)
            .map_or(if behavior.page_size == usize::MAX { usize::MAX } else { 100 }, |size| {
                size.parse().expect("a number")
            })
            .min(behavior.page_size);
        let after = parameter(next);
        let mut cursor_before = String::new();
        if behavior.paging == Paging::Snapshot {
            let number = after.map(|after| after.split_once(':').expect("a cursor of ours").0);
            let number = number.map_or(self.snapshots.len(), |number| number.parse().expect("a cursor of ours"));
            if number == self.snapshots.len() {
                self.snapshots.push(items);
            }
            items = self.snapshots[number].clone();
            cursor_before = format!("{number}:");
        }
        let from = match (after, behavior.paging) {
            (None, _) => 0,
            (Some(after), Paging::Keyset) => items.partition_point(|(key, _)| key.as_str() <= after),
            (Some(after), _) => after.rsplit(':').next().and_then(|from| from.parse().ok()).expect("a cursor of ours"),
        };
        let from = from.min(items.len());
        let until = items.len().min(from.saturating_add(size));
        let has_next = until < items.len() || behavior.promises_when_full && until - from == size;
        let shown_from = from.saturating_sub(usize::from(behavior.repeats_last_item));
        let shown: Vec<&str> = items[shown_from..until].iter().map(|(_, item)| item.as_str()).collect();
        let cursor = match behavior.paging {
            Paging::Keyset => until.checked_sub(1).map(|last| items[last].0.clone()),
            Paging::Snapshot | Paging::Offset => Some(format!("{cursor_before}{until}")),
        };
        let total = match behavior.total {
            // Messages never say how many there are.
            _ if below_session(list).is_some() => r#","total":null"#.to_string(),
            Total::Exact => format!(r#","total":{}"#, items.len()),
            Total::TooLarge => format!(r#","total":{}"#, items.len() + 3),
            Total::Null => r#","total":null"#.to_string(),
            Total::Absent => String::new(),
        };
        if list.starts_with(SPENT) {
            let body = format!(r#"{{"total_acus":0,"consumption_by_date":[{}]}}"#, shown.join(","));
            return Ok(HttpResponse { status: 200, date: self.date(), body: body.into(), retry_after: None });
        }
        if list == "metrics/usage" {
            let body = shown.first().map_or("{}".to_string(), ToString::to_string);
            return Ok(HttpResponse { status: 200, date: self.date(), body: body.into(), retry_after: None });
        }
        if below_session(list).is_some_and(|(_, what)| what == "attachments") {
            let body = format!("[{}]", shown.join(","));
            return Ok(HttpResponse { status: 200, date: self.date(), body: body.into(), retry_after: None });
        }
        if list == FOLDERS || PERIODS.iter().any(|period| list.ends_with(period)) {
            let items = shown.join(",");
            let body = if list == FOLDERS {
                format!(r#"{{"folders":[{items}],"root_note_count":0}}"#)
            } else {
                format!("[{items}]")
            };
            return Ok(HttpResponse { status: 200, date: self.date(), body: body.into(), retry_after: None });
        }
        let body = format!(
            r#"{{"items":[{}],"has_next_page":{has_next},"end_cursor":{}{total}}}"#,
            shown.join(","),
            json!(cursor.filter(|_| list != SCHEDULES))
        );
        Ok(HttpResponse { status: 200, date: self.date(), body: body.into(), retry_after: None })
    }
}

/// What a person's list of figures is below.
const SPENT: &str = "consumption/daily/users/";

/// The bare identifier of the session that a list is below, and what it is a list of.
fn below_session(list: &str) -> Option<(&str, &str)> {
    list.strip_prefix("sessions/devin-")?.split_once('/')
}

fn bare(id: &str) -> &str {
    id.strip_prefix("devin-").unwrap_or(id)
}
