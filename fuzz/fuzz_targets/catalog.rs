//! A catalog from anywhere is read or refused, and its streams are the ones it names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use source_devin_ai::airbyte::{ConfiguredCatalog, SyncMode};

fuzz_target!(|text: &str| {
    let catalog = match ConfiguredCatalog::parse(text) {
        Ok(catalog) => catalog,
        Err(sentence) => {
            assert!(!sentence.contains('\n') && sentence.len() < 200, "{sentence}");
            return;
        }
    };
    // What is nested too deeply for this second opinion is the platform's business.
    let Ok(value) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else { return };
    for (index, configured) in catalog.streams.iter().enumerate() {
        let entry = &value["streams"][index];
        if let Some(name) = entry["stream"]["name"].as_str() {
            assert_eq!(configured.stream.name, name);
        }
        if let Some(mode) = entry["sync_mode"].as_str() {
            let expected = match mode {
                "full_refresh" => SyncMode::FullRefresh,
                "incremental" => SyncMode::Incremental,
                other => SyncMode::Unknown(other.to_string()),
            };
            assert_eq!(configured.sync_mode, expected);
        }
    }
});
