//! The truth compared with what has arrived: nothing lost, nothing altered or invented, and nothing twice but where the
//! promise allows it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use source_devin_ai::source::streams::find;

use super::chain::{Arrival, Chain, Mode};
use super::organization::{
    FIGURES, FILES, Message, Organization, PEOPLE, REPOSITORIES, SHORT_LISTS, SPENDING, TRAIL, Thing, USAGE,
    is_in_range, second,
};

/// What a stream's records are made of.
pub fn things<'a>(organization: &'a Organization, stream: &str) -> &'a [Thing] {
    match SHORT_LISTS.iter().position(|(name, ..)| *name == stream) {
        Some(place) => &organization.short_lists[place],
        None => &organization.sessions,
    }
}

/// Everything that a stream's record of a thing has ever been, the last one last; of messages, all that can be seen.
fn records<'a>(stream: &str, thing: &'a Thing, now_ms: i64) -> Vec<&'a str> {
    if is_below_session(stream) {
        let visible = thing.messages.iter().filter(|message| message.visible_at_ms <= now_ms);
        let record = |message: &'a Message| if stream == FILES { &message.attachment.1 } else { &message.record };
        return visible.map(|message| record(message).as_str()).collect();
    }
    let visible = thing.revisions.iter().filter(|revision| revision.visible_at_ms <= now_ms);
    visible
        .map(|revision| match stream {
            "sessions_insights" | "knowledge_folders" | REPOSITORIES | FIGURES | USAGE | SPENDING | PEOPLE => {
                revision.extended.as_str()
            }
            "pull_requests" => revision.pull_request.as_str(),
            _ => revision.item.as_str(),
        })
        .collect()
}

/// Whether there are many records of a session, which never change.
fn is_below_session(stream: &str) -> bool {
    matches!(stream, "session_messages" | FILES)
}

/// The identifier of the thing of which a record says that it is gone; `None` for any other record.
fn gone(arrival: &Arrival) -> Option<String> {
    let data: Value = serde_json::from_str(&arrival.data).expect("a record is JSON");
    let id = data[find(arrival.stream)?.primary_key[0]].as_str()?;
    (data["_deleted"] == true).then(|| id.to_string())
}

/// Whether a key can see it between two moments: without the enterprise's trail, only the entries of organizations are there, and of
/// a person who has gone nobody asks for figures.
fn is_shown(
    organization: &Organization,
    (stream, thing): (&str, &Thing),
    sees_enterprise: bool,
    moments: [i64; 2],
) -> bool {
    match stream {
        TRAIL => sees_enterprise || !thing.last().item.contains(r#""org_id":null"#),
        SPENDING => {
            let is_whose = |person: &&Thing| thing.id.rsplit('/').next() == Some(&person.id);
            let person = things(organization, PEOPLE).iter().find(is_whose);
            person.is_some_and(|person| moments.iter().all(|at| person.at(*at).is_some()))
        }
        _ => true,
    }
}

/// What is wrong with what an incremental chain has brought, now that it has come to rest.
pub fn of_chain(chain: &Chain, organization: &Organization, now_ms: i64, sees_enterprise: bool) -> Vec<String> {
    let mut wrong = invented(chain, organization);
    wrong.extend(repeated(chain));
    let mut newest: HashMap<(&str, &str), &Arrival> = HashMap::new();
    let mut arrived: HashSet<(&str, &str)> = HashSet::new();
    let ids: BTreeMap<&str, HashMap<&str, &str>> =
        chain.streams.iter().map(|(stream, _)| (*stream, ids(stream, organization))).collect();
    for arrival in &chain.arrived {
        arrived.insert((arrival.stream, &arrival.data));
        let deleted = gone(arrival);
        let of = |id: &String| things(organization, arrival.stream).iter().find(|thing| thing.id == *id);
        let id = deleted.as_ref().and_then(of).map(|thing| thing.id.as_str());
        if let Some(id) = ids[arrival.stream].get(arrival.data.as_str()).copied().or(id) {
            newest.insert((arrival.stream, id), arrival);
        }
    }
    for (stream, _) in chain.streams.iter().filter(|(_, mode)| *mode == Mode::Incremental) {
        let there = things(organization, stream).iter().filter(|thing| thing.at(now_ms).is_some());
        let there = there.filter(|thing| is_shown(organization, (stream, thing), sees_enterprise, [now_ms; 2]));
        for thing in there.filter(|thing| is_in_range(stream, thing, chain.config.start_date)) {
            let records = records(stream, thing, now_ms);
            if is_below_session(stream) {
                let lost = records.iter().filter(|record| !arrived.contains(&(*stream, *record)));
                wrong.extend(lost.map(|record| format!("{stream}: lost {record}\n  of {:?}", thing.last())));
                continue;
            }
            let last = records.last().expect("it is visible");
            match newest.get(&(*stream, thing.id.as_str())) {
                None => wrong.push(format!("{stream}: lost {last}")),
                Some(arrival) if arrival.data != **last => {
                    wrong.push(format!("{stream}: {last}\n  came last in sync {} as {}", arrival.sync, arrival.data));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

/// What is wrong with what a full refresh has brought, which began at `began_ms` with the arrival numbered `first`.
pub fn of_full_refresh(
    chain: &Chain,
    organization: &Organization,
    first: usize,
    (began_ms, now_ms): (i64, i64),
    (is_one_sync, sees_enterprise): (bool, bool),
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (stream, _) in chain.streams.iter().filter(|(_, mode)| *mode == Mode::FullRefresh) {
        let ids = ids(stream, organization);
        let mut came: HashMap<&str, u32> = HashMap::new();
        let mut arrived: HashSet<&str> = HashSet::new();
        for arrival in chain.arrived[first..].iter().filter(|arrival| arrival.stream == *stream) {
            arrived.insert(&arrival.data);
            if let Some(id) = ids.get(arrival.data.as_str()) {
                *came.entry(id).or_default() += 1;
            }
        }
        let there = things(organization, stream).iter();
        let there = there.filter(|thing| thing.at(began_ms).is_some() && thing.at(now_ms).is_some());
        let there = there.filter(|thing| is_shown(organization, (stream, thing), sees_enterprise, [began_ms, now_ms]));
        for thing in there.filter(|thing| is_in_range(stream, thing, chain.config.start_date)) {
            if is_below_session(stream) {
                let lost = records(stream, thing, began_ms).into_iter().filter(|record| !arrived.contains(record));
                wrong.extend(lost.map(|record| format!("{stream}: a full refresh lost {record}")));
            } else if !came.contains_key(thing.id.as_str()) {
                wrong.push(format!("{stream}: a full refresh lost {}", thing.last().item));
            }
        }
        if is_one_sync && !is_below_session(stream) {
            let twice = came.iter().filter(|(_, times)| **times > 1);
            wrong.extend(twice.map(|(id, times)| format!("{stream}: {id} came {times} times in one full refresh")));
        }
    }
    wrong
}

/// The identifier of the thing behind each record that there could be.
fn ids<'a>(stream: &str, organization: &'a Organization) -> HashMap<&'a str, &'a str> {
    let of = |thing: &'a Thing| records(stream, thing, i64::MAX).into_iter().map(|record| (record, thing.id.as_str()));
    things(organization, stream).iter().flat_map(of).collect()
}

/// Whether a record is what one of two lists has of a person.
fn is_part_of_person(organization: &Organization, record: &str) -> bool {
    things(organization, PEOPLE).iter().any(|person| {
        let of_second = format!(r#"{{"org_id":"{}",{}"#, person.org, &second(&person.id)[1..]);
        record == of_second || person.revisions.iter().any(|revision| revision.item == record)
    })
}

fn is_deleted(organization: &Organization, stream: &str, id: &str) -> bool {
    things(organization, stream).iter().any(|thing| thing.id == id && thing.deleted_at_ms.is_some())
}

/// Records that the organization has never had, or that were not asked for.
fn invented(chain: &Chain, organization: &Organization) -> Vec<String> {
    let mut wrong = Vec::new();
    for (stream, _) in &chain.streams {
        let ids = ids(stream, organization);
        for arrival in chain.arrived.iter().filter(|arrival| arrival.stream == *stream) {
            match ids.get(arrival.data.as_str()) {
                // Somebody who came or went between the two lists.
                None if *stream == PEOPLE && is_part_of_person(organization, &arrival.data) => {}
                None => match gone(arrival) {
                    Some(id) if is_deleted(organization, stream, &id) => {}
                    Some(id) => wrong.push(format!("{stream}: {id} is not gone: {}", arrival.data)),
                    None => wrong.push(format!("{stream}: nobody has ever said {}", arrival.data)),
                },
                Some(id) => {
                    let thing =
                        things(organization, stream).iter().find(|thing| thing.id == **id).expect("it is known");
                    if !is_in_range(stream, thing, arrival.start_date) {
                        wrong.push(format!("{stream}: {} is older than the start date", arrival.data));
                    }
                }
            }
        }
    }
    wrong
}

/// Records that have come again, unchanged, where the promise does not allow it.
fn repeated(chain: &Chain) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: HashMap<(&str, &str), u32> = HashMap::new();
    let incremental =
        |stream: &str| chain.streams.iter().any(|(name, mode)| *name == stream && *mode == Mode::Incremental);
    for arrival in chain.arrived.iter().filter(|arrival| incremental(arrival.stream)) {
        let before = seen.insert((arrival.stream, &arrival.data), arrival.sync);
        // A trail that was empty where the other one was read has left no mark.
        let is_from_beginning = arrival.stream == TRAIL && arrival.marks().contains(&None);
        if let Some(before) = before.filter(|_| arrival.may_not_repeat && !is_from_beginning) {
            let cursor = cursor(arrival);
            // It may not have been over, or there is nothing to tell by.
            if cursor.is_some() && !arrival.marks().contains(&cursor) {
                wrong.push(format!(
                    "{}: {} came in sync {before} and again in sync {}, which began from {:?}",
                    arrival.stream, arrival.data, arrival.sync, arrival.mark
                ));
            }
        }
    }
    wrong
}

fn cursor(arrival: &Arrival) -> Option<i64> {
    let data: Value = serde_json::from_str(&arrival.data).expect("a record is JSON");
    let field = find(arrival.stream)?.cursor?.field;
    let is_short = SHORT_LISTS.iter().any(|(name, ..)| *name == arrival.stream);
    let read = |time: &Value| {
        let written = || chrono::DateTime::parse_from_rfc3339(time.as_str()?).ok().map(|at| at.timestamp());
        time.as_i64().or_else(written)
    };
    read(&data[field]).or_else(|| read(&data["created_at"]).filter(|_| is_short))
}
