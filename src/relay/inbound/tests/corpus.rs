//! Real payloads, where the environment names a folder of them: `ALERT_CORPUS=FOLDER cargo test --lib corpus -- --nocapture`.
//!
//! The folder has an `index.tsv` with the columns file, kind, origin, path and same.

#![expect(clippy::print_stdout, reason = "it prints figures for the person who runs it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::{any, fields::Fields};
use super::*;
use crate::relay::alert::State;
use crate::relay::alert::secrets_apart;
use redact::Redactor;

/// The share of alerts that is to be read without any named sender, in percent.
const GENERIC_SHARE: usize = 85;

#[test]
fn corpus() {
    let Some(folder) = std::env::var_os("ALERT_CORPUS") else {
        println!("skipped: ALERT_CORPUS names no folder of payloads");
        return;
    };
    let folder = Path::new(&folder);
    let index = fs::read_to_string(folder.join("index.tsv")).unwrap();
    let (mut alerts, mut read_alone, mut faults, mut unread) = (0, 0, Vec::new(), Vec::new());
    let mut removed = Vec::new();
    let mut keys: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for row in index.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let (file, kind, same) = (columns[0], columns[1], columns.get(4).copied().unwrap_or_default());
        let payload = fs::read(folder.join(file)).unwrap();
        let is_object = parse(&payload).is_ok_and(|values| values.iter().all(Value::is_object));
        if is_object && read(Some(Format::Any), &payload, Grouping::Group).is_err() {
            unread.push(file);
        }
        let is_alert = matches!(kind, "firing" | "resolved");
        alerts += usize::from(is_alert);
        let values = parse(&payload).unwrap_or_default();
        let is_sure = |value: &&Value| any::is_sure(Fields { format: Format::Any, value });
        let sure = values.iter().filter(is_sure).flat_map(any::each);
        let states: Vec<State> =
            sure.map(|value| any::read(Fields { format: Format::Any, value: &value }).state).collect();
        let wanted = if kind == "firing" { State::Firing } else { State::Resolved };
        if is_alert && states.contains(&wanted) {
            read_alone += 1;
        } else if is_alert {
            println!("alone: {kind} {file}: {states:?}");
        }
        let found = read(None, &payload, Grouping::Group);
        for alert in found.iter().flatten() {
            removed.extend(secrets_apart(alert, &Redactor::default()).1.into_iter().map(|text| (file, text)));
        }
        match &found {
            Ok(found) if kind == "firing" && !found.iter().any(|alert| alert.state.is_firing()) => {
                faults.push(format!("dropped: {file}: {:?}", found.first().map(|alert| &alert.state)));
            }
            Ok(found) if !matches!(kind, "firing" | "either") && found.iter().any(|alert| alert.state.is_firing()) => {
                faults.push(format!("started: {kind} {file}: {}", found[0].format));
            }
            Ok(found) if !same.is_empty() => {
                keys.entry(same).or_default().extend(found.iter().map(|alert| (file, alert.dedupe_key(&[]))));
            }
            Err(problem) if is_alert => println!("refused: {kind} {file}: {problem}"),
            _ => {}
        }
    }
    println!("{} secrets removed", removed.len());
    removed.iter().for_each(|(file, text)| println!("  {file}: {text}"));
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (same, found) in &keys {
        for (file, key) in found {
            if *key != found[0].1 {
                faults.push(format!("split: {same}: {file}: {key} and {}", found[0].1));
            }
            if owners.insert(key, same).is_some_and(|owner| owner != *same) {
                faults.push(format!("merged: {same}: {file}: {key}"));
            }
        }
    }
    let share = read_alone * 100 / alerts.max(1);
    println!(
        "alone {read_alone} of {alerts} ({share} %); {} faults; unread {unread:?}\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(share >= GENERIC_SHARE && faults.is_empty() && unread.is_empty());
}
