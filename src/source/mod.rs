//! The connector: Airbyte's protocol over Devin's API. Answers `spec`, `check` and `discover`; [`read`] has its own
//! file, and a stream is a row of [`streams`].

pub mod check;
pub mod context;
pub mod cursor;
pub mod deletions;
pub mod elements;
pub mod emit;
pub mod facts;
pub mod fingerprint;
pub mod identifier;
pub mod keys;
pub mod ledger;
pub mod list;
pub mod listing;
pub mod merged;
pub mod messages;
pub mod open;
pub mod organizations;
pub mod output_folder;
pub mod pages;
pub mod partition;
pub mod partitions;
pub mod pass;
pub mod place;
pub mod plan;
pub mod progress;
pub mod read;
pub mod readers;
pub mod recent;
pub mod record;
pub mod redaction;
pub mod selection;
pub mod shape;
pub mod slices;
pub mod spellings;
pub mod state;
pub mod state_file;
pub mod step;
pub mod streams;
pub mod windows;

use serde_json::value::RawValue;

use crate::airbyte::message::{Catalog, CatalogStream, Message};
use streams::{STREAMS, Stream};

/// The body of SPEC.
const SPEC: &str = include_str!("../../schemas/spec.json");

/// SPEC, as one line.
pub fn spec() -> String {
    Message::Spec { spec: raw(SPEC) }.line()
}

/// CATALOG, as one line: every row of the table. Asks nobody.
pub fn discover() -> String {
    let streams = STREAMS.iter().map(catalog_stream).collect();
    Message::Catalog { catalog: Catalog { streams } }.line()
}

fn catalog_stream(stream: &'static Stream) -> CatalogStream<'static> {
    let is_incremental = stream.cursor.is_some();
    CatalogStream {
        name: stream.name,
        json_schema: raw(stream.schema),
        supported_sync_modes: if is_incremental { &["full_refresh", "incremental"] } else { &["full_refresh"] },
        source_defined_cursor: is_incremental,
        default_cursor_field: stream.cursor.iter().map(|cursor| cursor.field).collect(),
        source_defined_primary_key: stream.primary_key.iter().map(|key| vec![*key]).collect(),
        is_resumable: is_incremental,
        is_file_based: false,
    }
}

fn raw(json: &'static str) -> &'static RawValue {
    serde_json::from_str(json).expect("the files in schemas/ are JSON, which a test holds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_and_the_catalog_are_one_line_each() {
        for line in [spec(), discover()] {
            assert!(!line.contains('\n'));
            serde_json::from_str::<serde_json::Value>(&line).unwrap();
        }
    }
}
