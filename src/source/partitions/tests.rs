//! What becomes of sessions, one observation after the other.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::airbyte::StreamDescriptor;
use crate::source::cursor::Bounds;
use crate::source::state::{Scope, StreamState};
use crate::source::streams::find;

fn step(state: serde_json::Value, is_full_refresh: bool) -> Step {
    let scope = Scope { org_id: "org-1".to_string(), ..Scope::default() };
    let state = StreamState::read("created_at", &scope, Some(&state)).unwrap();
    let since = state.cursor();
    Step {
        organization: Default::default(),
        stream: find("session_messages").unwrap(),
        descriptor: StreamDescriptor::of("session_messages"),
        is_full_refresh,
        needs_key: false,
        reports_deletions: false,
        state,
        bounds: Bounds { since, ..Bounds::default() },
        lookback: 600,
        now: 9_000_000,
    }
}

fn sessions(count: i64) -> Vec<Partition> {
    let partition = |n| Partition {
        id: Arc::from(format!("s{n}")),
        updated_at: Some(n),
        since: Some(n),
        is_unread: false,
        is_listed: Some(true),
    };
    (0..count).map(partition).collect()
}

fn error(status: u16) -> Error {
    Error { kind: Kind::Status(status), path: "/messages".to_string(), explanation: None, tries: 1 }
}

/// Plays a pass over `count` sessions, whose answers are `letters`: r(ead), m(issing), f(ailed), by their places; a second
/// question to a session takes the capital letters. Answers with what was asked, in order, and what came of it.
fn check(count: i64, letters: &str, is_full_refresh: bool) -> String {
    let mut partitions = Partitions::new(sessions(count), &step(json!(null), is_full_refresh));
    let letters: Vec<char> = letters.chars().collect();
    let (first, second): (Vec<char>, Vec<char>) = letters.iter().partition(|letter| letter.is_lowercase());
    let (mut asked, mut story, mut pages, mut seconds) = (Vec::new(), Vec::new(), 0, second.into_iter());
    while let Some(place) = partitions.next_place() {
        let letter = if asked.contains(&place) { seconds.next().unwrap_or('M') } else { first[place] };
        asked.push(place);
        let result = match letter.to_ascii_lowercase() {
            'r' => {
                pages += 1;
                PartitionResult::Read
            }
            'm' => PartitionResult::Missing(error(404)),
            _ => PartitionResult::Failed(error(403)),
        };
        partitions.heard(pages);
        for (place, fate) in partitions.settle(place, result) {
            story.push(match fate {
                Fate::Gone(_) => format!("{place} gone"),
                Fate::Deferred(_) => format!("{place} deferred"),
                Fate::Unclear => format!("{place} unclear"),
            });
        }
        if let Some(end) = partitions.verdict() {
            story.push(format!("stop: {}", name(&end)));
            break;
        }
    }
    if let Some(end) = partitions.end() {
        story.push(format!("fails: {}", name(&end)));
    }
    format!("{asked:?} {} unread {:?}", story.join(", "), partitions.unread.keys().collect::<Vec<_>>())
}

fn name(end: &End) -> &'static str {
    match end {
        End::Gone(_) => "none exists",
        End::Partial { .. } => "some",
        _ => "all",
    }
}

#[test]
fn every_fate_of_a_session_is_decided_here() {
    insta::assert_snapshot!(check(3, "rrr", false), @"[0, 1, 2]  unread []");
    insta::assert_snapshot!(check(3, "rmrR", false), @"[0, 1, 2, 1]  unread []");
    insta::assert_snapshot!(check(3, "rmrM", false), @r#"[0, 1, 2, 1] 1 deferred unread ["s1"]"#);
    insta::assert_snapshot!(check(3, "rmrM", true), @"[0, 1, 2, 1] 1 unclear unread []");
    insta::assert_snapshot!(check(3, "rfr", false), @r#"[0, 1, 2] fails: some unread ["s1"]"#);
    insta::assert_snapshot!(check(1, "mM", false), @r#"[0, 0] 0 deferred unread ["s0"]"#);
    insta::assert_snapshot!(check(2, "mmMM", false), @r#"[0, 1, 0, 1] 0 deferred, 1 deferred unread ["s0", "s1"]"#);
    insta::assert_snapshot!(check(3, "mmm", false), @"[0, 1, 2] stop: none exists unread []");
    insta::assert_snapshot!(check(5, "fffff", false), @"[0, 1, 2, 4] stop: all, fails: all unread []");
    insta::assert_snapshot!(check(5, "ffffr", false), @r#"[0, 1, 2, 4, 3] fails: some unread ["s0", "s1", "s2", "s3"]"#);
}

#[test]
fn an_unread_session_that_is_missing_is_gone_only_if_it_was_asked_for_by_name_in_vain() {
    for (is_listed, expected) in [(Some(true), "deferred"), (Some(false), "gone"), (None, "unclear")] {
        let mut left = sessions(1);
        left[0] = Partition { updated_at: None, is_unread: true, is_listed, ..left[0].clone() };
        let state = json!({"version": 2, "created_at": 5, "unread_sessions": {"s0": 3}});
        let mut partitions = Partitions::new(left, &step(state, false));
        assert_eq!(partitions.next_place(), Some(0));
        assert!(partitions.settle(0, PartitionResult::Missing(error(404))).is_empty());
        assert_eq!(partitions.next_place(), Some(0), "asked once more");
        let fates = partitions.settle(0, PartitionResult::Missing(error(404)));
        let came = match &fates[..] {
            [(0, Fate::Gone(_))] => "gone",
            [(0, Fate::Deferred(_))] => "deferred",
            _ => "unclear",
        };
        assert_eq!(came, expected, "{is_listed:?}");
        assert_eq!(partitions.unread.is_empty(), came == "gone", "{is_listed:?}");
    }
}

#[test]
fn what_is_done_counts_up_to_the_first_that_is_not() {
    let mut done = Done::new(3);
    assert_eq!((done.reached(), done.left()), (None, 3));
    done.note(1);
    assert_eq!((done.reached(), done.left()), (None, 2));
    done.note(0);
    done.note(1);
    assert_eq!((done.reached(), done.left()), (Some(2), 1));
    done.note(2);
    assert_eq!((done.reached(), done.left()), (None, 0));
}
