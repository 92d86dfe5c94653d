//! What the tests of the program share: the real binary in a directory of its own, its output retold as a story,
//! a server that writes down what it is asked, and the read in process for what would take too long outside.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part of this")]

mod api;
pub mod bridge;
pub mod devin;
pub mod events;
mod library;
pub mod openapi;
pub mod own_key;
pub mod postgres;
mod program;
mod sandbox;
pub mod signals;
mod story;
mod terminal;
mod wire;

pub use api::{Answer, Api, Ask, Organization, decoded};
pub use library::{Library, fast};
pub use program::{Program, Ran, program};
pub use sandbox::Sandboxed;
pub use story::{Told, stream_of};
pub use terminal::{Seen, Terminal};
pub use wire::{Connection, wire};

/// The key that the servers of these tests let in. It opens nothing.
pub const TOKEN: &str = "cog_t3st-0nly_k3y";

/// The organization that the servers of these tests have.
pub const ORG: &str = "org-1";

/// All streams, in the catalog's order.
pub const STREAMS: [&str; 6] =
    ["sessions", "sessions_insights", "session_messages", "playbooks", "secrets", "knowledge_notes"];

/// A configured catalog of these streams, as a platform writes it.
pub fn catalog(streams: &[(&str, &str)]) -> String {
    let streams: Vec<serde_json::Value> = streams
        .iter()
        .map(|(name, mode)| {
            serde_json::json!({
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
                "sync_mode": mode,
                "destination_sync_mode": "append",
                "generation_id": 3,
                "minimum_generation_id": 0,
                "sync_id": 9,
            })
        })
        .collect();
    serde_json::json!({"streams": streams}).to_string()
}

/// A state file of these streams, as a platform hands it in.
pub fn state(streams: &[(&str, serde_json::Value)]) -> String {
    let streams: Vec<serde_json::Value> = streams
        .iter()
        .map(|(name, state)| {
            serde_json::json!({
                "type": "STREAM",
                "stream": {"stream_descriptor": {"name": name, "namespace": null}, "stream_state": state},
                "id": 4,
            })
        })
        .collect();
    serde_json::Value::from(streams).to_string()
}
